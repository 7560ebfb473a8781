"""Whenever a conversation ends, then the agent has time for after-call work; with something else in hand, after it."""

from collections.abc import Iterator

from orchestrator.domain.contacts.contacts import AgentSegmentEnded
from orchestrator.domain.contacts.transfers import PHONE_LOST
from orchestrator.domain.kernel import MILLISECOND, Instant, ident_of
from orchestrator.domain.staff.engagements import Postponed
from orchestrator.domain.staff.shifts import AgentReleased, EndWrapUp, StartWrapUp, WrapUpEnded
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, TellShift, asked_about

DEFAULT_WRAP_UP_MS = 30_000
DEFAULT_MOST_MS = 300_000


@asked_about(AgentSegmentEnded, WrapUpEnded, AgentReleased)
def wrap_up(world: World, happened: Happened, _ids: Ids) -> Iterator[Do]:
    """Whenever a conversation ends, then wrap-up starts, and those that were postponed once nothing is in hand; a
    queue without wrap-up time ends it at once, and so does the loss of the phone.
    """
    match happened.record.event:
        case AgentSegmentEnded() as event:
            # A conversation that was taken from its agent is not over: it goes on with somebody else.
            milliseconds, most = (0, 0) if event.ended_by == PHONE_LOST else _times_ms(world, happened)
            work = Postponed(
                contact_id=ident_of(happened.record.stream),
                segment_id=event.segment_id,
                wrap_up_ms=milliseconds,
                most_ms=most,
            )
            yield from _begin(event.shift_id, work, happened.at, "timer" if milliseconds == 0 else "")
        case WrapUpEnded() | AgentReleased() as event:
            shift = world.shifts.get(ident_of(happened.record.stream))
            if shift is None or shift.status != "wrapping_up" or shift.contact_id or not shift.postponed:
                return
            work = shift.postponed[0]
            ends = "timer" if work.wrap_up_ms == 0 else ""
            if isinstance(event, WrapUpEnded) and event.how == "signed_out":
                ends = event.how  # whoever leaves does no after-call work any more
            yield from _begin(shift.shift_id, work, happened.at, ends)


def _begin(shift_id: str, work: Postponed, at: Instant, ends: str) -> Iterator[Do]:
    """Begin this after-call work, and end it at once where `ends` says how."""
    yield TellShift(
        shift_id,
        StartWrapUp(
            contact_id=work.contact_id,
            segment_id=work.segment_id,
            until=Instant(at + work.wrap_up_ms * MILLISECOND),
            at_most=Instant(at + max(work.wrap_up_ms, work.most_ms) * MILLISECOND),
            wrap_up_ms=work.wrap_up_ms,
            most_ms=work.most_ms,
        ),
    )
    if ends:
        yield TellShift(shift_id, EndWrapUp(how=ends))


def _times_ms(world: World, happened: Happened) -> tuple[int, int]:
    """How long after-call work takes, and may take at most."""
    queue = world.queues.get(happened.before.queue_id) if happened.before is not None else None
    if queue is None:
        return DEFAULT_WRAP_UP_MS, DEFAULT_MOST_MS
    return queue.settings.wrap_up_ms, queue.settings.wrap_up_most_ms
