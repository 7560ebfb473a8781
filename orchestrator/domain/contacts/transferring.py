"""What becomes of an agent's wish to pass a caller on. States and their diagram: `transfers`."""

from orchestrator.domain.contacts import calling, moving, recording
from orchestrator.domain.contacts.commands import Pick, Transfer
from orchestrator.domain.contacts.contacts import AgentSegmentEnded, Contact
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.contacts.transfers import AGENT, OUTSIDE, QUEUE, TRANSFER
from orchestrator.domain.kernel import Event, Refused
from orchestrator.domain.switch.causes import NORMAL_CLEARING

Events = tuple[Event, ...]


def decide(contact: Contact, command: Transfer) -> Events:
    """The end of the conversation and of its recording, the visit, and what goes on in it. Raises `Refused`
    (not_talking).
    """
    segment = contact.segment
    if segment is None or segment.shift_id != command.shift_id or contact.status not in ("connected", "held"):
        raise Refused("not_talking", "A caller is passed on from a conversation; this one is over.")
    then, queue = command.then, command.queue
    to = AGENT if isinstance(then, Pick) else QUEUE if then is None else OUTSIDE
    events: Events = (
        ContactTransferred(
            segment_id=segment.segment_id,
            shift_id=segment.shift_id,
            agent_id=segment.agent_id,
            to=to,
            visit_id=queue.visit_id,
            queue_id=queue.queue_id,
            to_agent=then.reservation.agent_id if isinstance(then, Pick) else "",
            number="" if then is None or isinstance(then, Pick) else then.number,
        ),
        *(recording.end(contact.recording, command.recorded, TRANSFER) if command.recorded else ()),
        AgentSegmentEnded(
            segment_id=segment.segment_id, shift_id=segment.shift_id, ended_by=TRANSFER, cause=NORMAL_CLEARING
        ),
        moving.queued(queue),
    )
    if isinstance(then, Pick):
        return (*events, *moving.picked(queue.visit_id, queue.queue_id, then))
    return events if then is None else (*events, calling.dialled(queue.visit_id, then))
