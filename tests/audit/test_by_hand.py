"""What the verifier knows of what is done by hand: a log as it should be, and each way in which it could be wrong."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from orchestrator.audit import verify
from orchestrator.domain.contacts import contacts
from orchestrator.domain.kernel import Event, Instant, Record
from orchestrator.domain.staff import shifts
from orchestrator.domain.staff.agents import AgentConfigured
from tests.runner.test_hands import centre, hurry, move, two_in_hand

Log = list[Record]


def played() -> Log:
    """Two callers in one agent's hands; one who is hurried, moved while a phone rings for it, and leaves."""
    scene, (first, ring), (second, other) = two_in_hand()
    third = scene.park()
    assert hurry(scene, third, 10) == ""
    assert hurry(scene, third, 20) == ""
    assert move(scene, third) == ""
    for leg in (third, first, ring.leg, second, other.leg):
        scene.hang_up(leg)
    scene.wait(20_000)
    return scene.records


def changed(log: Log, kind: type[Event], nth: int = 0, **fields: object) -> Log:
    """The log with other fields in the nth event of a kind."""
    place = [place for place, record in enumerate(log) if isinstance(record.event, kind)][nth]
    record = log[place]
    return [*log[:place], replace(record, event=replace(record.event, **fields)), *log[place + 1 :]]


def without(log: Log, kind: type[Event], nth: int = 0) -> Log:
    """The log as if this one had never been decided: versions are as they should be."""
    gone = [record for record in log if isinstance(record.event, kind)][nth]
    return [
        replace(record, version=record.version - 1)
        if record.stream == gone.stream and record.version > gone.version
        else record
        for record in log
        if record is not gone
    ]


def rules_of(log: Log) -> set[str]:
    return {problem.rule for problem in verify(log, expect_contacts=0).problems}


def test_a_log_of_what_was_done_by_hand_is_whole() -> None:
    log = played()
    report = verify(log, expect_contacts=3)
    assert report.ok, report.text()
    assert report.counts.wrap_ups_started == report.counts.wrap_ups_ended == 2


def test_a_caller_moved_while_a_phone_rings_leaves_a_log_that_is_whole() -> None:
    scene = centre()
    scene.ready(1)
    caller = scene.park()
    assert move(scene, caller) == ""
    assert verify(scene.records, expect_contacts=0).ok


BROKEN: dict[str, tuple[Callable[[Log], Log], str]] = {
    "more callers than an agent may have": (lambda log: changed(log, AgentConfigured, -1, capacity={}), "capacity"),
    "a second caller by distribution": (
        lambda log: without(changed(log, contacts.OfferMade, 1, by_hand=False), contacts.ContactPicked),
        "capacity",
    ),
    "a pick that says nothing of who was picked": (lambda log: without(log, contacts.ContactPicked), "by_hand"),
    "a pick for another agent": (lambda log: changed(log, contacts.ContactPicked, shift_id="other"), "by_hand"),
    "a move to where it was": (lambda log: changed(log, contacts.ContactMoved, to_queue="support"), "by_hand"),
    "a move that ends elsewhere": (lambda log: changed(log, contacts.ContactQueued, -1, queue_id="other"), "by_hand"),
    "a move that begins the wait anew": (
        lambda log: changed(log, contacts.ContactQueued, -1, waiting_since=Instant(0)),
        "by_hand",
    ),
    "a move out of an open visit": (lambda log: without(log, contacts.QueueVisitEnded, -2), "by_hand"),
    "points from nowhere": (lambda log: changed(log, contacts.ContactReprioritised, 1, was=5), "by_hand"),
    "a postponed wrap-up that never begins": (
        lambda log: without(without(log, shifts.WrapUpStarted, 1), shifts.WrapUpEnded, 1),
        "stuck",
    ),
    "a wrap-up postponed for nobody": (lambda log: without(log, contacts.AgentSegmentEnded), "unfounded"),
    "a conversation whose wrap-up is never spoken of": (lambda log: without(log, shifts.WrapUpPostponed), "half_done"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_wrong_is_called_by_its_rule(what: str) -> None:
    """Feature 11.8: the proof can fail."""
    damage, rule = BROKEN[what]
    assert rule in rules_of(damage(played()))
