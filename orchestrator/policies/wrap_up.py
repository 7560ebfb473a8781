"""Whenever a conversation ends, then the agent has time for after-call work."""

from collections.abc import Iterator

from orchestrator.domain.contacts.contacts import AgentSegmentEnded
from orchestrator.domain.kernel import MILLISECOND, Instant, ident_of
from orchestrator.domain.staff.shifts import EndWrapUp, StartWrapUp
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, TellShift

DEFAULT_WRAP_UP_MS = 30_000
DEFAULT_MOST_MS = 300_000


def wrap_up(world: World, happened: Happened, _ids: Ids) -> Iterator[Do]:
    """Whenever a conversation ends, then wrap-up starts; a queue without wrap-up time ends it at once."""
    event = happened.record.event
    if not isinstance(event, AgentSegmentEnded):
        return
    contact_id = ident_of(happened.record.stream)
    milliseconds, most = _times_ms(world, happened)
    start = StartWrapUp(
        contact_id=contact_id,
        segment_id=event.segment_id,
        until=Instant(happened.at + milliseconds * MILLISECOND),
        at_most=Instant(happened.at + max(milliseconds, most) * MILLISECOND),
    )
    yield TellShift(event.shift_id, start)
    if milliseconds == 0:
        yield TellShift(event.shift_id, EndWrapUp(how="timer"))


def _times_ms(world: World, happened: Happened) -> tuple[int, int]:
    """How long after-call work takes, and may take at most."""
    queue = world.queues.get(happened.before.queue_id) if happened.before is not None else None
    if queue is None:
        return DEFAULT_WRAP_UP_MS, DEFAULT_MOST_MS
    return queue.settings.wrap_up_ms, queue.settings.wrap_up_most_ms
