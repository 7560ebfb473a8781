"""Whenever an offer moves, then phones ring, legs are joined, and legs without a reason are hung up."""

from collections.abc import Iterator
from typing import Final

from orchestrator.domain.contacts import contacts
from orchestrator.domain.contacts.contacts import Contact, Offer, Reservation, doomed_legs, reservation_of
from orchestrator.domain.contacts.names import shown_name, shown_number
from orchestrator.domain.contacts.outward import farewell_leg
from orchestrator.domain.kernel import MILLISECOND, SECOND, Instant
from orchestrator.domain.switch.between import far_leg
from orchestrator.domain.switch.instructions import (
    AnswerPhone,
    BridgeLegs,
    CheckLeg,
    HangUpLeg,
    RingAgent,
    TakeSnapshot,
)
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, asked_about
from orchestrator.policies.tell_place import hush

# The switch stops ringing by itself this much later than our own deadline: it only matters when we are gone.
SWITCH_RINGS_LONGER = 2 * SECOND

# The network's word for what a caller or agent sees when we end a leg.
_CAUSES = {"agent": "NORMAL_CLEARING", "stopped": "NORMAL_TEMPORARY_FAILURE", "repair": "NORMAL_TEMPORARY_FAILURE"}


# The events after which a leg is told something else than to go.
_STEERS: Final = frozenset(
    {
        contacts.OfferMade,
        contacts.OfferWidened,
        contacts.OfferDelivered,
        contacts.OfferAccepted,
        contacts.OfferExtended,
        contacts.OfferAcceptRequested,
        contacts.OfferRejectRequested,
        contacts.LegOverdue,
    }
)


@asked_about("contact")
def ring_out(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever an offer moves, then the switch is told what its legs have to do."""
    contact = happened.after
    if not isinstance(contact, Contact):
        return
    if type(happened.record.event) not in _STEERS:
        if doomed_legs(contact):
            yield from _clear(contact, happened, ids)
        return
    match happened.record.event:
        case contacts.OfferMade() | contacts.OfferWidened() as event if contact.offer is not None:
            yield from _ring(contact, event, happened)
        case contacts.OfferDelivered() as event if contact.offer is not None:
            if _is_to_pick_up(contact.offer, reservation_of(contact, event.leg)):
                yield answer_phone(world, contact, event.leg, event.offer_id, ids)
        case contacts.OfferAccepted() as event if contact.offer is not None and contact.offer.accepted == event.leg:
            if contact.caller_leg:  # a customer who is called back is called now (`call_out`)
                yield from _join(contact, contact.offer, ids)
        case contacts.OfferExtended(cause="joined_again") if contact.offer is not None and contact.offer.accepted:
            yield from _join(contact, contact.offer, ids)
        case contacts.OfferExtended(cause="not_connected_in_time"):
            yield TakeSnapshot(id=ids.of("snapshot", contact.node), node=contact.node, leg="")
        case contacts.OfferAcceptRequested() as event:
            held = reservation_of(contact, event.leg)
            offer = contact.offer
            if held is not None and held.at_desk and offer is not None:
                yield _ring_one(contact, held, event.offer_id, offer.deadline, happened, offer.after_ms)
            elif held is None or offer is None or not offer.after_ms or held.leg in offer.delivered:
                yield answer_phone(world, contact, event.leg, event.offer_id, ids)
        case contacts.OfferRejectRequested() as event:
            yield _hang_up(contact, event.leg, "CALL_REJECTED", ids)
        case contacts.LegOverdue() as event:
            for leg in event.legs:
                yield CheckLeg(id=ids.of("check", leg), node=contact.node, leg=leg, contact=contact.contact_id)
        case _:
            yield from _clear(contact, happened, ids)


def _is_to_pick_up(offer: Offer, held: Reservation | None) -> bool:
    """Whether a phone that rings now is to be told to pick up by itself.

    The trunk to another node carries no such wish: the phone's own node is told, once it rings there. And whoever
    accepted before it rang may have done so when there was no leg yet (`Offer.after_ms`).
    """
    if held is None:
        return False
    return bool(held.via) if held.at_desk else held.leg in offer.accepting


def answer_phone(world: World, contact: Contact, leg: str, offer: str, ids: Ids) -> AnswerPhone:
    """Let the phone that rings for this offer answer by itself, at the switch that has it."""
    via = world.far_legs.get(leg, "")
    return AnswerPhone(
        id=ids.of("talk", leg),
        node=via or contact.node,
        leg=far_leg(leg) if via else leg,
        contact=contact.contact_id,
        offer=offer,
    )


def _join(contact: Contact, offer: Offer, ids: Ids) -> Iterator[Do]:
    yield from hush(contact, ids)
    yield BridgeLegs(
        id=ids.of("bridge", offer.accepted),
        node=contact.node,
        leg=contact.caller_leg,
        contact=contact.contact_id,
        other=offer.accepted,
        offer=offer.offer_id,
    )


def _ring(contact: Contact, event: contacts.OfferMade | contacts.OfferWidened, happened: Happened) -> Iterator[Do]:
    there = happened.before.legs if isinstance(happened.before, Contact) else ()
    for held in event.reservations:
        if held.leg in there or held.at_desk:
            continue  # the one who was consulted before; one whose desk is to accept first
        after_ms = event.after_ms if isinstance(event, contacts.OfferMade) else 0
        yield _ring_one(contact, held, event.offer_id, event.deadline, happened, after_ms)


def _ring_one(
    contact: Contact, held: Reservation, offer: str, deadline: Instant, happened: Happened, after_ms: int = 0
) -> RingAgent:
    return RingAgent(
        id=held.leg,
        node=contact.node,
        leg=held.leg,
        contact=contact.contact_id,
        offer=offer,
        extension=held.extension,
        via=held.via,
        caller_number=shown_number(contact.callback.number if contact.callback else contact.caller_number),
        caller_name=shown_name(contact.caller_name),
        ring_ms=(deadline - happened.at + SWITCH_RINGS_LONGER) // MILLISECOND,
        deadline=deadline,
        answers=held.at_desk,
        after_ms=after_ms,
    )


def _clear(contact: Contact, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Hang up what this event left without a reason. Legs that were already without one before are left to their
    timer, and the apology of a caller who is turned away is not cut off.
    """
    doomed = doomed_legs(contact)
    if not doomed:
        return
    before = happened.before
    already = set(doomed_legs(before)) if isinstance(before, Contact) else set()
    already.add(farewell_leg(contact))
    taken = contact.transfer is not None and contact.transfer.taken
    if taken and isinstance(before, Contact) and before.segment is not None and before.transfer != contact.transfer:
        already.add(before.segment.leg)  # it goes, or parks, when the caller is taken from it
    if isinstance(happened.record.event, contacts.HangUpRequested):
        already = set()
    cause = _CAUSES.get(contact.told, "NORMAL_CLEARING")
    for leg in doomed:
        if leg not in already:
            lost = isinstance(happened.record.event, contacts.OfferDeclined)
            yield _hang_up(contact, leg, "LOSE_RACE" if lost else cause, ids)


def _hang_up(contact: Contact, leg: str, cause: str, ids: Ids) -> HangUpLeg:
    return HangUpLeg(id=ids.of("hang_up", leg), node=contact.node, leg=leg, contact=contact.contact_id, cause=cause)
