"""What becomes of a call to the outside: a customer called back, or a number outside for a waiting caller.

Nobody outside is called unless somebody is there to talk with: an agent whose phone is off the hook, or the caller.
States and their diagram: `outward`.
"""

from orchestrator.domain.contacts import dialling
from orchestrator.domain.contacts.commands import (
    AskCallback,
    Calling,
    DialCustomer,
    EndCallback,
    EndPeace,
    ExpireOffer,
    ExpireOutside,
    JoinOutsideAgain,
    MissCustomer,
    NoteAnswered,
    NoteBridged,
    NoteLegGone,
    Rehome,
    SendOutside,
)
from orchestrator.domain.contacts.contacts import Contact, Offer, OfferExtended, OfferWithdrawn, QueueVisitEnded
from orchestrator.domain.contacts.dials import unreached
from orchestrator.domain.contacts.outward import Callback, Outside, to_be_called
from orchestrator.domain.contacts.outward_events import (
    CallbackAnswered,
    CallbackAsked,
    CallbackDialled,
    CallbackEnded,
    CallbackMissed,
    CallbackMoved,
    CallbackResumed,
    OutsideAnswered,
    OutsideConnected,
    OutsideDialled,
    OutsideExtended,
    OutsideMissed,
    OutsideSegmentEnded,
)
from orchestrator.domain.contacts.transfers import TRANSFERRED, under_way
from orchestrator.domain.kernel import MILLISECOND, Event, Instant
from orchestrator.domain.routing.outside import FULL
from orchestrator.domain.switch.causes import WITH_THE_SWITCH, outcome_of

Events = tuple[Event, ...]

FAILED = "callback_failed"
CALLED_AGAIN = "called_again"
CANCELLED = "callback_cancelled"
# The offer of a customer who was not reached is taken back: nobody is to blame, least of all the agent.
NOT_REACHED = "callback_missed"
# Before an agent's phone rings again for a call that the switch did not make: no fast loop (complaint 10).
BREATH_MS = 10_000
# Ours: the time is over.
NO_ANSWER = "NO_ANSWER"


def decide(contact: Contact, command: Calling) -> Events:
    """The events that follow, `()` where the contact is not in the state for it."""
    callback = to_be_called(contact)
    match command:
        case AskCallback() if contact.status == "waiting" and contact.visit is not None:
            return (
                CallbackAsked(
                    visit_id=contact.visit.visit_id,
                    number=command.number,
                    prompt=command.prompt,
                    leave_by=command.leave_by,
                    tries=command.tries,
                    again_ms=command.again_ms,
                ),
            )
        case SendOutside() if contact.status == "waiting" and contact.visit is not None:
            return (dialled(contact.visit.visit_id, command),)
        case ExpireOutside() | JoinOutsideAgain() if contact.outside is not None and not contact.outside.segment_id:
            return _late(contact.outside, command)
        case DialCustomer() | MissCustomer() if unreached(contact) is not None:
            return dialling.decide(contact, command)
        case DialCustomer() if callback is not None and contact.offer is not None and contact.offer.accepted:
            return (
                CallbackDialled(
                    offer_id=contact.offer.offer_id,
                    leg=command.leg,
                    number=command.number,
                    show=command.show,
                    answer_by=command.answer_by,
                ),
            )
        case MissCustomer() if callback is not None and contact.offer is not None:
            return missed(contact, callback, contact.offer, command.cause, command.now)
        case EndPeace() if callback is not None and contact.status == "callback_later":
            return (CallbackResumed(),) if callback.again_at <= command.now else ()
        case Rehome() if callback is not None and not contact.legs and contact.node != command.node:
            return (CallbackMoved(node=command.node),)
        case EndCallback() if callback is not None and contact.status != "leaving":
            return ended(contact, command.reason, why=command.why)
    return ()


def dialled(visit_id: str, command: SendOutside) -> OutsideDialled:
    """The event by which a number outside is called for somebody in this visit."""
    return OutsideDialled(
        visit_id=visit_id,
        leg=command.leg,
        number=command.number,
        show=command.show,
        answer_by=command.answer_by,
    )


def answered(contact: Contact, command: NoteAnswered) -> Events:
    """The leg that calls outside has parked: somebody answered."""
    if contact.outside is not None:
        if contact.outside.answered:
            return ()
        return (OutsideAnswered(leg=command.leg, connect_by=command.connect_by),)
    if contact.offer is not None and unreached(contact) is not None:
        return dialling.answered(contact.offer, command)
    if contact.offer is None or to_be_called(contact) is None:
        return ()
    return (
        CallbackAnswered(
            offer_id=contact.offer.offer_id,
            leg=command.leg,
            connect_by=command.connect_by,
            leave_by=command.leave_by,
        ),
    )


def bridged(contact: Contact, outside: Outside, command: NoteBridged) -> Events:
    """The switch joined two legs while a number outside is called for the caller."""
    if outside.segment_id or {command.leg, command.other} != {contact.caller_leg, outside.leg}:
        return ()
    connected = OutsideConnected(segment_id=command.segment_id, leg=outside.leg)
    visit = contact.visit
    if visit is None:
        return (connected,)
    outcome = TRANSFERRED if under_way(contact) is not None else "overflowed"
    return (connected, QueueVisitEnded(visit_id=visit.visit_id, queue_id=visit.queue_id, outcome=outcome))


def leg_gone(contact: Contact, command: NoteLegGone) -> Events:
    """The leg that calls outside is gone: not reached, or the talk is over."""
    outside = contact.outside
    if outside is not None and outside.segment_id:
        ended_by = "system" if contact.told or command.cause in WITH_THE_SWITCH else "outside"
        return (segment_ended(outside, ended_by, command.cause),)
    if outside is not None:
        return (OutsideMissed(leg=outside.leg, cause=command.cause),)
    if contact.offer is not None and unreached(contact) is not None:
        return dialling.missed(contact.offer, command.cause)
    callback = to_be_called(contact)
    if callback is None or contact.offer is None:
        return ()
    return missed(contact, callback, contact.offer, command.cause, command.now)


def caller_left(outside: Outside, *, told: str, cause: str) -> Events:
    """The caller is gone while a number outside is called, or talked to."""
    if not outside.segment_id:
        return (OutsideMissed(leg=outside.leg, cause="caller_left"),)
    ended_by = "system" if told or cause in WITH_THE_SWITCH else "caller"
    return (segment_ended(outside, ended_by, cause),)


def segment_ended(outside: Outside, ended_by: str, cause: str) -> OutsideSegmentEnded:
    """The talk with the number outside is over."""
    return OutsideSegmentEnded(segment_id=outside.segment_id, ended_by=ended_by, cause=cause)


def not_answered(contact: Contact, callback: Callback, offer: Offer, command: ExpireOffer) -> Events:
    """The customer's phone has rung for long enough. A switch that cannot be asked may have had an answer."""
    if command.blameless == "node_down":
        return (OfferExtended(offer_id=offer.offer_id, until=command.again_at, cause="node_down"),)
    return missed(contact, callback, offer, NO_ANSWER, command.now)


def missed(contact: Contact, callback: Callback, offer: Offer, cause: str, now: Instant) -> Events:
    """The customer is not reached: the agent is released, and the plan says how it goes on. What is not the customer's
    doing (the switch could not be told or was restarted, no line was free) is no try.
    """
    counted = cause not in (*WITH_THE_SWITCH, FULL) and outcome_of(cause) != "withdrawn"
    peace_ms = callback.again_ms if counted or cause == FULL else 0
    if not counted:
        peace_ms = max(peace_ms, BREATH_MS)  # no number of tries ends it, and each rings the agent
    again_at = Instant(now + peace_ms * MILLISECOND)
    miss = CallbackMissed(offer_id=offer.offer_id, cause=cause, counted=counted, again_at=again_at, leg=callback.leg)
    released = OfferWithdrawn(offer_id=offer.offer_id, cause=NOT_REACHED)
    too_late = contact.visit is not None and again_at >= contact.visit.leave_by
    if too_late or (counted and callback.missed + 1 >= callback.tries):
        return (miss, released, *ended(contact, FAILED, offered=False))
    return (miss, released)


def ended(contact: Contact, reason: str, *, why: str = "", offered: bool = True) -> Events:
    """Nobody is called back any more; what is open closes with it, but for legs. `offered`: an offer may be open."""
    events: Events = (CallbackEnded(reason=reason, why=why),)
    if offered and contact.offer is not None:
        events += (OfferWithdrawn(offer_id=contact.offer.offer_id, cause=reason),)
    if contact.visit is not None:
        visit = contact.visit
        events += (QueueVisitEnded(visit_id=visit.visit_id, queue_id=visit.queue_id, outcome=reason),)
    return events


def _late(outside: Outside, command: ExpireOutside | JoinOutsideAgain) -> Events:
    if isinstance(command, JoinOutsideAgain):
        if not outside.answered:
            return ()
        return (OutsideExtended(leg=outside.leg, until=command.connect_by, cause="joined_again"),)
    if outside.due > command.now:
        return ()
    if command.blameless == "node_down":
        return (OutsideExtended(leg=outside.leg, until=command.again_at, cause="node_down"),)
    if not outside.answered:
        return (OutsideMissed(leg=outside.leg, cause=NO_ANSWER),)
    if not outside.doubted:
        return (OutsideExtended(leg=outside.leg, until=command.again_at, cause="not_connected_in_time"),)
    return (OutsideMissed(leg=outside.leg, cause="not_connected_in_time"),)
