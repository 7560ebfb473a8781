"""Whenever a conversation ends, then the agent has time for after-call work."""

from collections.abc import Iterator

from orchestrator.domain.contacts.contacts import AgentSegmentEnded
from orchestrator.domain.kernel import MILLISECOND, Instant, ident_of
from orchestrator.domain.staff.shifts import EndWrapUp, StartWrapUp
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, TellShift

DEFAULT_WRAP_UP_MS = 30_000


def wrap_up(world: World, happened: Happened, _ids: Ids) -> Iterator[Do]:
    """Whenever a conversation ends, then wrap-up starts; a queue without wrap-up time ends it at once."""
    event = happened.record.event
    if not isinstance(event, AgentSegmentEnded):
        return
    contact_id = ident_of(happened.record.stream)
    milliseconds = _wrap_up_ms(world, happened)
    until = Instant(happened.at + milliseconds * MILLISECOND)
    yield TellShift(event.shift_id, StartWrapUp(contact_id=contact_id, segment_id=event.segment_id, until=until))
    if milliseconds == 0:
        yield TellShift(event.shift_id, EndWrapUp(how="timer"))


def _wrap_up_ms(world: World, happened: Happened) -> int:
    queue = world.queues.get(happened.before.queue_id) if happened.before is not None else None
    return queue.settings.wrap_up_ms if queue is not None else DEFAULT_WRAP_UP_MS
