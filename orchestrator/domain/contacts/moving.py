"""What people do with a contact that waits: take it for an agent, send it to another queue, change how urgent it is.

Whoever asks is told where it cannot be done (`Refused`): people look at a list that is older than what is now.
"""

from orchestrator.domain.contacts.commands import ByHand, Move, Pick, Queue, Reprioritise
from orchestrator.domain.contacts.contacts import (
    NEVER,
    Contact,
    ContactMoved,
    ContactPicked,
    ContactQueued,
    ContactReprioritised,
    OfferMade,
    OfferWithdrawn,
    QueueVisitEnded,
    Visit,
)
from orchestrator.domain.contacts.outward import CALLBACK, IN_TURN
from orchestrator.domain.kernel import Event, Instant, Refused

Events = tuple[Event, ...]

# Who has a place in a queue, whatever is being done for them there.
_HAVE_A_PLACE = ("waiting", "offered", "connecting", "sent_outside", *CALLBACK)

MOVED = "moved"
PICKED_BY_HAND = "picked_by_hand"
"""The rule of a decision that a person made."""


def decide(contact: Contact, command: ByHand) -> Events:
    """The events that follow. Raises `Refused`: already_taken, not_waiting, same_queue, left_in_peace, sent_outside."""
    visit = contact.visit
    if visit is None or contact.status not in _HAVE_A_PLACE:
        if contact.status in ("connected", "held"):
            raise Refused("already_taken", "A colleague was faster: somebody talks with this caller.")
        raise Refused("not_waiting", "This caller does not wait any more.")
    match command:
        case Pick():
            return _pick(contact, visit, command)
        case Move():
            return _move(contact, visit, command)
        case Reprioritise():
            return _reprioritise(contact, visit, command)


def _pick(contact: Contact, visit: Visit, command: Pick) -> Events:
    if contact.status == "callback_later":
        raise Refused("left_in_peace", "This customer was just called in vain, and is called again later.")
    _refuse_if_sent_outside(contact)
    if contact.status not in IN_TURN:
        raise Refused("already_taken", "A colleague was faster: a phone is being rung for this caller.")
    return picked(visit.visit_id, visit.queue_id, command)


def picked(visit_id: str, queue_id: str, command: Pick) -> Events:
    """The events that offer a contact in this visit to the one agent whom somebody chose."""
    held = command.reservation
    return (
        ContactPicked(shift_id=held.shift_id, agent_id=held.agent_id, reason=command.reason),
        OfferMade(
            offer_id=command.offer_id,
            visit_id=visit_id,
            queue_id=queue_id,
            reservations=(held,),
            deadline=command.deadline,
            decision=command.decision,
            by_hand=True,
            again=command.again,
            after_ms=command.after_ms,
        ),
    )


def _move(contact: Contact, visit: Visit, command: Move) -> Events:
    to = command.to
    _refuse_if_sent_outside(contact)
    if contact.status in ("connecting", "calling_back"):
        raise Refused("already_taken", "A colleague has just picked up for this caller.")
    if to.queue_id == visit.queue_id:
        raise Refused("same_queue", "This caller waits in that queue already.")
    # The phones that ring for it stop first: an offer belongs to one visit.
    withdrawn = (OfferWithdrawn(offer_id=contact.offer.offer_id, cause=MOVED),) if contact.offer is not None else ()
    return (
        *withdrawn,
        QueueVisitEnded(visit_id=visit.visit_id, queue_id=visit.queue_id, outcome=MOVED),
        ContactMoved(visit_id=visit.visit_id, from_queue=visit.queue_id, to_queue=to.queue_id, reason=command.reason),
        queued(to),
    )


def _refuse_if_sent_outside(contact: Contact) -> None:
    if contact.status == "sent_outside":
        raise Refused("sent_outside", "A number outside is being called for this caller; wait whether it answers.")


def queued(command: Queue) -> ContactQueued:
    """The event that puts a contact into this queue."""
    return ContactQueued(
        position=command.position,
        estimate_ms=command.estimate_ms,
        takes_up=command.takes_up,
        goes_on=command.goes_on,
        visit_id=command.visit_id,
        queue_id=command.queue_id,
        entry_id=command.entry_id,
        skill=command.skill,
        min_level=command.min_level,
        priority=command.priority,
        music=command.music,
        leave_by=command.leave_by,
        bonuses=command.bonuses,
        steps=command.steps,
        known_by=command.known_by,
        age_per_min=command.age_per_min,
        age_cap=command.age_cap,
        waiting_since=command.waiting_since,
        came_at=command.came_at,
        hops=command.hops,
        overflow_at=command.overflow_at,
        answer_at=command.answer_at,
        notices=command.notices,
        tell_at=_tell_at(command),
    )


def _tell_at(command: Queue) -> Instant:
    """Nobody is told a place before the line is answered, which begins billing."""
    if not command.tell_at or command.answer_at == NEVER:
        return Instant(0)
    return max(command.tell_at, command.answer_at)


def _reprioritise(contact: Contact, visit: Visit, command: Reprioritise) -> Events:
    if command.given == contact.given:
        return ()
    return (
        ContactReprioritised(visit_id=visit.visit_id, given=command.given, was=contact.given, reason=command.reason),
    )
