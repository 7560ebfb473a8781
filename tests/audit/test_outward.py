"""The verifier on contacts without a leg and on numbers outside: each rule is broken once, by hand."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from orchestrator.audit import verify
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import outward_events as o
from orchestrator.domain.kernel import SECOND, Event, Instant, Record
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import DialOutside, Instruction
from orchestrator.runner import inputs
from orchestrator.runner.inputs import Body
from tests.audit.centre import NODE, Centre, stored

Log = list[Record]


class Calling(Centre):
    """A centre that also calls outside."""

    def __init__(self) -> None:
        self.dialled: list[DialOutside] = []
        super().__init__(agents=1)
        self.configure({"outside-main": OutsideConfigured(allowed=("+86",), ring_ms=20_000)})

    def give(self, body: Body, after_ms: int = 0) -> tuple[Instruction, ...]:
        told = super().give(body, after_ms)
        self.dialled += [each for each in told if isinstance(each, DialOutside)]
        return told

    @property
    def ident(self) -> str:
        """The one contact."""
        return next(iter(self.world.contacts))

    def take(self) -> str:
        """The agent's phone answers; the leg."""
        ring = self.rung[-1]
        self.answer(ring)
        return ring.leg


def day() -> Log:
    """One who is called back, in vain and then not; one who is sent outside, in vain and then not."""
    centre = Calling()
    caller = centre.call()
    centre.give(inputs.AskCallback(contact_id=centre.ident), 1_000)
    centre.hang_up(caller, after_ms=3_000)
    centre.ready(1)
    agent = centre.take()
    centre.hang_up(centre.dialled[-1].leg, agent, cause="USER_BUSY")
    centre.pass_ms(300_000)
    agent = centre.take()
    customer = centre.dialled[-1].leg
    centre.give(facts.LegParked(node=NODE, leg=customer), 2_000)
    centre.give(facts.LegBridged(node=NODE, leg=customer, other=agent), 50)
    centre.hang_up(customer, agent, after_ms=5_000)
    centre.pass_ms(31_000)
    centre.give(inputs.Pause(agent="1001", reason="break"), 10)
    caller = centre.call()
    for answers in (False, True):
        centre.give(inputs.SendOutside(contact_id=centre.ident, number="+8675500001"), 500)
        leg = centre.dialled[-1].leg
        if answers:
            centre.give(facts.LegParked(node=NODE, leg=leg), 2_000)
            centre.give(facts.LegBridged(node=NODE, leg=caller, other=leg), 50)
            centre.hang_up(leg, caller, after_ms=5_000)
        else:
            centre.hang_up(leg, cause="USER_BUSY", after_ms=2_000)
    centre.stop()
    return stored(centre.records)


def place(log: Log, kind: type[Event], which: int = 0) -> int:
    """Where the event stands in the log."""
    return [at for at, record in enumerate(log) if isinstance(record.event, kind)][which]


def without(kind: type[Event], which: int = 0) -> Callable[[Log], None]:
    """As if this had not happened; versions stay whole."""

    def change(log: Log) -> None:
        gone = log.pop(place(log, kind, which))
        for at, record in enumerate(log):
            if record.stream == gone.stream and record.version > gone.version:
                log[at] = replace(record, version=record.version - 1)

    return change


def with_other(kind: type[Event], **fields: object) -> Callable[[Log], None]:
    """As if this had happened otherwise."""

    def change(log: Log) -> None:
        at = place(log, kind)
        log[at] = replace(log[at], event=replace(log[at].event, **fields))

    return change


def test_a_day_of_calls_to_the_outside_is_proved_and_counted() -> None:
    """Features 3.5, 3.10, 12.1: every queued contact ends exactly once, with a leg or without."""
    report = verify(day(), settled=True, strict=True)
    assert report.ok, report.text()
    assert (report.counts.callbacks, report.counts.outside_segments, report.counts.ended_queued_contacts) == (1, 1, 2)
    assert "1 callbacks asked for, 1 conversations outside" in report.text()


@pytest.mark.parametrize(
    ("change", "rule"),
    (
        (without(c.OfferAccepted), "callback"),
        (without(o.CallbackAsked), "callback"),
        (without(o.CallbackAnswered), "callback"),
        (without(o.CallbackResumed), "callback"),
        (with_other(o.CallbackAsked, tries=1), "callback"),
        (with_other(o.CallbackAnswered, leg="another"), "callback"),
        (without(o.OutsideDialled), "outside"),
        (without(o.OutsideMissed), "outside"),
        (without(o.OutsideConnected), "outside"),
        (without(o.OutsideSegmentEnded), "open_at_end"),
        (with_other(o.OutsideMissed, leg="another"), "outside"),
        (with_other(o.OutsideDialled, answer_by=Instant(1 * SECOND)), "overdue"),
        (without(c.ContactEnded), "unsettled"),
    ),
)
def test_a_log_that_tells_of_such_calls_what_cannot_be_is_refused(change: Callable[[Log], None], rule: str) -> None:
    log = day()
    change(log)
    report = verify(log, settled=True, strict=True)
    assert not report.ok
    assert rule in {problem.rule for problem in report.problems}, report.text()


def test_a_callback_that_nobody_gave_up_in_time_is_overdue() -> None:
    """Law 9: also of a contact that has no leg whose end could be missed."""
    centre = Calling()
    caller = centre.call()
    centre.give(inputs.AskCallback(contact_id=centre.ident), 1_000)
    centre.hang_up(caller)
    late = Instant(centre.now + 5 * 3_600 * SECOND)
    rules = {problem.rule for problem in verify(stored(centre.records), expect_contacts=0, now=late).problems}
    assert rules == {"overdue"}
