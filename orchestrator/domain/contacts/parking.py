"""What becomes of an agent's wish to park a caller, and how a park ends. States and their diagram: `parks`."""

from orchestrator.domain.contacts import moving, recording
from orchestrator.domain.contacts.commands import EndPark, Park
from orchestrator.domain.contacts.contacts import AgentSegmentEnded, Contact
from orchestrator.domain.contacts.park_events import ContactParked, ParkEnded
from orchestrator.domain.contacts.parks import EXPIRED, PARKED, Parked
from orchestrator.domain.kernel import Event, Refused
from orchestrator.domain.switch.causes import NORMAL_CLEARING

Events = tuple[Event, ...]


def decide(contact: Contact, command: Park | EndPark) -> Events:
    """The events that follow. Raises `Refused`: not_talking, place_empty."""
    return _parked(contact, command) if isinstance(command, Park) else _ended(contact, command)


def _parked(contact: Contact, command: Park) -> Events:
    segment = contact.segment
    if segment is None or segment.shift_id != command.shift_id or contact.status not in ("connected", "held"):
        raise Refused("not_talking", "A caller is parked from a conversation; this one is over.")
    return (
        ContactParked(
            segment_id=segment.segment_id,
            shift_id=segment.shift_id,
            agent_id=segment.agent_id,
            place=command.place,
            queue_id=contact.queue_id,
            until=command.until,
        ),
        *(recording.end(contact.recording, command.recorded, PARKED) if command.recorded else ()),
        AgentSegmentEnded(
            segment_id=segment.segment_id, shift_id=segment.shift_id, ended_by=PARKED, cause=NORMAL_CLEARING
        ),
    )


def _ended(contact: Contact, command: EndPark) -> Events:
    """The caller goes on in a visit: to the one agent whom the command names, or to whoever serves the queue."""
    parked, queue, then = contact.parked, command.queue, command.then
    if parked is None:
        if command.outcome == EXPIRED:
            return ()
        raise Refused("place_empty", "Nobody is parked there any more; look at the list again.")
    held = then.reservation if then is not None else None
    ended = ParkEnded(
        place=parked.place,
        outcome=command.outcome,
        visit_id=queue.visit_id,
        shift_id=held.shift_id if held is not None else "",
        agent_id=held.agent_id if held is not None else "",
    )
    rung = moving.picked(queue.visit_id, queue.queue_id, then) if then is not None else ()
    return (ended, moving.queued(queue), *rung)


def left(parked: Parked, outcome: str) -> ParkEnded:
    """The caller is gone from the place, or told to go."""
    return ParkEnded(place=parked.place, outcome=outcome)
