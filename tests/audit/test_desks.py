"""The verifier follows an agent's desk: it accepts what the engine writes, and each rule is broken once, by hand."""

from collections.abc import Callable

import pytest

from orchestrator.domain.contacts import events as contacts
from orchestrator.domain.kernel import Event, Instant
from orchestrator.domain.staff import presence as p
from orchestrator.domain.staff import shifts as s
from orchestrator.runner import inputs
from tests.audit.centre import Centre, stored
from tests.audit.test_verify import Log, changed, inserted, later, place, proof, rules, without


def day() -> Log:
    """A desk is lost and returns, is taken over, is lost for good during a talk; more time for after-call work."""
    centre = Centre(agents=1)
    centre.give(inputs.SignIn(agent="1001", desk="d1"), 10)
    centre.give(inputs.Ready(agent="1001"), 10)
    centre.give(inputs.DeskGone(agent="1001", desk="d1"), 10)
    centre.give(inputs.DeskSeen(agent="1001", desk="d1"), 2_000)
    centre.give(inputs.TakeOver(agent="1001", desk="d2"), 2_000)
    caller = centre.call()
    ring = centre.rung[-1]
    centre.answer(ring)
    centre.bridge(caller, ring)
    centre.give(inputs.DeskGone(agent="1001", desk="d2"), 1_000)
    centre.pass_ms(20_000)
    centre.hang_up(caller, ring.leg)
    centre.give(inputs.ExtendWrapUp(agent="1001", by_ms=20_000), 1_000)
    centre.pass_ms(60_000)
    centre.give(inputs.DeskSeen(agent="1001", desk="d2"), 10)
    centre.give(inputs.Ready(agent="1001"), 10)
    centre.serve()
    centre.give(inputs.DeskBeat(desks={"1001": "d2"}), 10)
    centre.stop()
    return stored(centre.records)


def test_a_day_with_a_desk_that_comes_and_goes_is_verified() -> None:
    """Feature 11.8; desk presence."""
    log = day()
    report = proof(log)
    assert report.ok, report.text()
    seen = {type(record.event) for record in log}
    assert {p.DeskAttached, p.DeskLost, p.DeskReturned, p.DeskTakenOver, p.DeskGraceEnded, s.WrapUpExtended} <= seen


def _offered_without_the_desk(log: Log) -> Log:
    """The grace ends just before the first offer instead of during the talk."""
    made = place(log, contacts.OfferMade)
    shift = log[place(log, p.DeskLost)].stream
    lost = p.DeskLost(desk_id="d2", until=Instant(log[made].about.at), cause="closed")
    log = inserted(log, made, shift, lost)
    return inserted(log, made + 1, shift, p.DeskGraceEnded(desk_id="d2"))


def _ready_without_the_desk(log: Log) -> Log:
    return without(log, p.DeskReturned, 1)


def _event(cls: type[Event], nth: int = 0, **fields: object) -> Callable[[Log], Log]:
    return lambda log: changed(log, cls, nth, **fields)


BROKEN: dict[str, tuple[Callable[[Log], Log], str]] = {
    "offered a contact after the grace": (_offered_without_the_desk, "desk"),
    "ready without the desk": (_ready_without_the_desk, "desk"),
    "another desk returns than the one that was lost": (_event(p.DeskReturned, desk_id="d7"), "desk"),
    "taken over from a desk that was not the agent's": (_event(p.DeskTakenOver, earlier="d7"), "desk"),
    "lost without having been there": (lambda log: without(log, p.DeskAttached), "desk"),
    "a grace that ends without a loss": (lambda log: without(log, p.DeskLost, 1), "desk"),
    "stood down for a desk that is there": (lambda log: without(log, p.DeskGraceEnded), "desk"),
    "stood down for a phone without an offer": (_event(s.AgentStoodDown, reason="ring_no_answer"), "desk"),
    "a grace that ends too late": (lambda log: later(log, p.DeskGraceEnded, 30_000), "overdue"),
    "more time than the limit": (_event(s.WrapUpExtended, until=Instant(2**50)), "wrap_up"),
    "less time instead of more": (_event(s.WrapUpExtended, until=Instant(1)), "wrap_up"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_story_of_a_desk_is_refused(name: str) -> None:
    """Feature 11.8: a verifier that accepts everything proves nothing."""
    break_it, rule = BROKEN[name]
    report = proof(break_it(day()))
    assert rule in rules(report), report.text()
