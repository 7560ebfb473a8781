"""What the verifier knows of a consultation: a log as it should be, and each way in which it could be wrong."""

from collections.abc import Callable

import pytest

from orchestrator.audit import verify
from orchestrator.domain.contacts import consult_events as e
from orchestrator.domain.contacts import contacts
from orchestrator.domain.kernel import Instant
from orchestrator.domain.staff import shifts
from orchestrator.runner import inputs
from tests.audit.test_by_hand import Log, changed, rules_of, without
from tests.runner.test_consult import Consulted


def played() -> Log:
    """A colleague is asked and let go, is asked again, to and fro, and has the caller in the end."""
    scene = Consulted()
    first = scene.both_talk()
    scene.press(inputs.EndConsult)
    scene.hang_up(first.leg)
    scene.joined(scene.caller, scene.ring.leg)
    second = scene.both_talk()
    scene.press(inputs.SwitchConsult)
    scene.joined(scene.caller, scene.ring.leg)
    scene.press(inputs.CompleteConsult)
    scene.joined(scene.caller, second.leg)
    for leg in (scene.ring.leg, scene.caller, second.leg):
        scene.hang_up(leg)
    scene.wait(20_000)
    return scene.records


def test_a_log_with_consultations_is_whole() -> None:
    report = verify(played(), expect_contacts=1)
    assert report.ok, report.text()
    assert (report.counts.consults, report.counts.transfers, report.counts.segments) == (2, 1, 2)
    assert "1, 2 consultations" in report.text()


def test_a_consultation_that_outlives_its_time_is_overdue() -> None:
    scene = Consulted()
    scene.asked()
    scene.sleep(600_000)
    scene.park()
    assert "overdue" in {problem.rule for problem in verify(scene.records, expect_contacts=0).problems}


BROKEN: dict[str, tuple[Callable[[Log], Log], str]] = {
    "a question about nobody": (lambda log: changed(log, e.ConsultAsked, segment_id="other"), "consult"),
    "a question without time to answer it": (
        lambda log: changed(log, e.ConsultAsked, answer_by=Instant(0)),
        "consult",
    ),
    "a second question before the first is over": (lambda log: without(log, e.ContactRejoined), "consult"),
    "a leg that is used twice": (
        lambda log: changed(log, e.ConsultAsked, leg=_event(log, contacts.ContactArrived).leg),
        "leg",
    ),
    "a colleague who is asked and not held": (lambda log: without(log, shifts.AgentReserved, 1), "half_done"),
    "a colleague who is held on": (lambda log: without(log, shifts.AgentReleased), "half_done"),
    "a colleague who is let go for nothing": (lambda log: without(log, e.ConsultClosed), "unfounded"),
    "a caller who is left alone": (lambda log: changed(log, e.ConsultClosed, rejoin_by=Instant(0)), "half_done"),
    "two who talk before anybody answered": (lambda log: without(log, e.ConsultAnswered), "consult"),
    "a caller left to somebody else": (lambda log: changed(log, contacts.OfferMade, 1, offer_id="other"), "consult"),
    "a caller who is left to the colleague, and not offered": (
        lambda log: without(log, contacts.OfferMade, 1),
        "half_done",
    ),
}


def _event(log: Log, kind: type[contacts.ContactArrived]) -> contacts.ContactArrived:
    return next(record.event for record in log if isinstance(record.event, kind))


@pytest.mark.parametrize(("damage", "rule"), BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_is_found(damage: Callable[[Log], Log], rule: str) -> None:
    assert rule in rules_of(damage(played()))
