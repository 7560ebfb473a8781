"""What becomes of an agent's wish to pass a caller on. States and their diagram: `transfers`."""

from orchestrator.domain.contacts import calling, moving, recording
from orchestrator.domain.contacts.commands import (
    CompleteConsult,
    ExpireConsult,
    Pick,
    SendOutside,
    TakeOver,
    Transfer,
)
from orchestrator.domain.contacts.consults import Consult
from orchestrator.domain.contacts.contacts import (
    AgentSegmentEnded,
    Contact,
    ContactConnected,
    OfferAccepted,
    OfferAnswered,
    OfferDelivered,
    QueueVisitEnded,
    Segment,
)
from orchestrator.domain.contacts.events import Reservation
from orchestrator.domain.contacts.monitors import TAKEN_OVER, Monitor
from orchestrator.domain.contacts.outward_events import OutsideAnswered
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.contacts.transfers import AGENT, OUTSIDE, PHONE_LOST, QUEUE, TRANSFER
from orchestrator.domain.kernel import Event, Refused
from orchestrator.domain.switch.causes import NORMAL_CLEARING

Events = tuple[Event, ...]

# The reason of an offer by hand to whoever was consulted before.
CONSULTED_BEFORE = "consulted"


def decide(contact: Contact, command: Transfer) -> Events:
    """The caller goes where the agent wants. Raises `Refused` (not_talking)."""
    segment = contact.segment
    if segment is None or segment.shift_id != command.shift_id or contact.status not in ("connected", "held"):
        raise Refused("not_talking", "A caller is passed on from a conversation; this one is over.")
    return _passed_on(contact, segment, command, command.then)


def fell_back(contact: Contact, segment: Segment, command: CompleteConsult | ExpireConsult) -> Events:
    """The agent cannot have the caller any more, who waits for another one."""
    return _passed_on(contact, segment, command, None)


def lost_phone(contact: Contact, segment: Segment, cause: str, command: CompleteConsult) -> Events:
    """The agent's phone is gone with its switch, and the caller is on another one: they wait for somebody else."""
    ended = AgentSegmentEnded(
        segment_id=segment.segment_id, shift_id=segment.shift_id, ended_by=PHONE_LOST, cause=cause
    )
    stops = recording.end(contact.recording, command.recorded, PHONE_LOST) if command.recorded else ()
    return (ended, *stops, moving.queued(command.queue))


def handed_over(contact: Contact, segment: Segment, consult: Consult, command: CompleteConsult) -> Events:
    """Whoever was consulted is the offer, or the call outside, to which the caller goes: as far as it had come."""
    held, answered = consult.reservation, consult.answered
    until = command.connect_by if answered else max(consult.due, command.connect_by)
    if held is None:
        sent = SendOutside(leg=consult.leg, number=consult.number, show=consult.show, answer_by=until)
        events = _passed_on(contact, segment, command, sent)
        return (*events, OutsideAnswered(leg=consult.leg, connect_by=until)) if answered else events
    pick = Pick(
        offer_id=consult.consult_id,
        reservation=held,
        deadline=until,
        decision=command.decision,
        reason=CONSULTED_BEFORE,
    )
    events = _passed_on(contact, segment, command, pick)
    told = {"offer_id": consult.consult_id, "shift_id": held.shift_id, "leg": held.leg}
    if consult.delivered:
        events = (*events, OfferDelivered(**told))
    if not answered:
        return events
    return (*events, OfferAnswered(**told), OfferAccepted(**told, connect_by=until))


def handed_on_in_room(
    contact: Contact, segment: Segment, offer_id: str, held: Reservation, command: CompleteConsult
) -> Events:
    """Whoever hears the caller already, in a room with others, is the offer to which the caller goes, and has them."""
    pick = Pick(
        offer_id=offer_id,
        reservation=held,
        deadline=command.connect_by,
        decision=command.decision,
        reason=CONSULTED_BEFORE,
    )
    told = {"offer_id": offer_id, "shift_id": held.shift_id, "leg": held.leg}
    queue = command.queue
    return (
        *_passed_on(contact, segment, command, pick),
        OfferDelivered(**told),
        OfferAnswered(**told),
        OfferAccepted(**told, connect_by=command.connect_by),
        ContactConnected(segment_id=command.segment_id, agent_id=held.agent_id, **told),
        QueueVisitEnded(visit_id=queue.visit_id, queue_id=queue.queue_id, outcome="answered"),
    )


def taken_over(contact: Contact, segment: Segment, monitor: Monitor, command: TakeOver) -> Events:
    """Whoever monitored is the offer to which the caller goes, answered and accepted."""
    pick = Pick(
        offer_id=monitor.monitor_id,
        reservation=monitor.reservation,
        deadline=command.connect_by,
        decision=command.decision,
        reason=TAKEN_OVER,
    )
    told = {
        "offer_id": monitor.monitor_id,
        "shift_id": monitor.reservation.shift_id,
        "leg": monitor.leg,
    }
    accepted = OfferAccepted(**told, connect_by=command.connect_by)
    return (*_passed_on(contact, segment, command, pick), OfferAnswered(**told), accepted)


def _passed_on(
    contact: Contact,
    segment: Segment,
    command: Transfer | CompleteConsult | ExpireConsult | TakeOver,
    then: Pick | SendOutside | None,
) -> Events:
    """The end of the conversation and of its recording, the visit, and what goes on in it."""
    queue = command.queue
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
            taken=isinstance(command, TakeOver),
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
