"""Whenever an offer is made, changed or closed, then the agents it holds are reserved, released or connected."""

from collections.abc import Iterator

from orchestrator.domain.contacts import contacts
from orchestrator.domain.contacts.commands import WithdrawOffer
from orchestrator.domain.contacts.consult_events import ConsultAsked, ConsultClosed
from orchestrator.domain.contacts.consults import JOIN_WITHIN
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.dials import under_way
from orchestrator.domain.contacts.guest_events import GuestClosed, GuestInvited
from orchestrator.domain.contacts.offers import agent_outcome
from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.staff.engagements import VOICE, capacity_of
from orchestrator.domain.staff.shifts import Connect, Release, Reserve, Shift, SignOutRequested
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, TellContact, TellShift, asked_about

DEFAULT_COOL_DOWN_MS = 10_000


@asked_about(
    contacts.OfferMade,
    contacts.OfferWidened,
    contacts.OfferDeclined,
    contacts.OfferClosed,
    contacts.ContactConnected,
    ConsultAsked,
    ConsultClosed,
    GuestInvited,
    GuestClosed,
    SignOutRequested,
)
def reserve(world: World, happened: Happened, _ids: Ids) -> Iterator[Do]:
    """Whenever an offer moves, then the shifts that it holds follow in the same transaction."""
    contact_id = happened.record.stream.partition("-")[2]
    match happened.record.event:
        case contacts.OfferMade() | contacts.OfferWidened() as event:
            for held in event.reservations:
                agent = world.agents.get(held.agent_id)
                reserve = Reserve(
                    offer_id=event.offer_id,
                    contact_id=contact_id,
                    capacity=capacity_of(agent.capacity if agent is not None else {}, VOICE),
                    by_hand=isinstance(event, contacts.OfferMade) and event.by_hand,
                    leaves_wrap_up=isinstance(happened.after, Contact) and under_way(happened.after) is not None,
                    now=happened.at,
                )
                yield TellShift(held.shift_id, reserve)
        case ConsultAsked(consult_id=ident) | GuestInvited(guest_id=ident) as event if event.reservation is not None:
            agent = world.agents.get(event.reservation.agent_id)
            capacity = capacity_of(agent.capacity if agent is not None else {}, VOICE)
            asked = Reserve(offer_id=ident, contact_id=contact_id, capacity=capacity, by_hand=True)
            yield TellShift(event.reservation.shift_id, asked)
        case ConsultClosed() as event if isinstance(happened.before, Contact) and happened.before.consult is not None:
            # Whoever does not take a question of a colleague is blamed for nothing.
            reserved = happened.before.consult.reservation
            if reserved is not None:
                yield TellShift(
                    reserved.shift_id,
                    Release(offer_id=event.consult_id, outcome="withdrawn", cool_until=happened.at),
                )
        case GuestClosed() as event if isinstance(happened.before, Contact):
            for guest in happened.before.guests:
                if guest.guest_id == event.guest_id and guest.reservation is not None:
                    yield TellShift(
                        guest.reservation.shift_id,
                        Release(offer_id=event.guest_id, outcome="withdrawn", cool_until=happened.at),
                    )
        case contacts.OfferDeclined() as event:
            cool_until = _cool_until(world, happened.before, happened.at)
            yield TellShift(
                event.shift_id, Release(offer_id=event.offer_id, outcome=event.outcome, cool_until=cool_until)
            )
        case contacts.OfferClosed() as event:
            yield from _release_all(world, happened, event)
        case contacts.ContactConnected() as event:
            connect = Connect(contact_id=contact_id, offer_id=event.offer_id, segment_id=event.segment_id)
            yield TellShift(event.shift_id, connect)
        case SignOutRequested() as event if (
            event.reason and isinstance(happened.after, Shift) and happened.after.status == "reserved"
        ):
            withdraw = WithdrawOffer(
                cause="agent_signed_out",
                shift_id=happened.after.shift_id,
                rejoin_by=Instant(happened.at + JOIN_WITHIN),
            )
            yield TellContact(happened.after.contact_id, withdraw)


def _release_all(world: World, happened: Happened, event: contacts.OfferClosed) -> Iterator[Do]:
    before = happened.before
    if not isinstance(before, Contact) or before.offer is None:
        return
    cool_until = _cool_until(world, before, happened.at)
    for held in before.offer.reservations:
        outcome = agent_outcome(before.offer, held, event)
        yield TellShift(held.shift_id, Release(offer_id=event.offer_id, outcome=outcome, cool_until=cool_until))


def _cool_until(world: World, contact: object, now: Instant) -> Instant:
    queue = world.queues.get(contact.queue_id) if isinstance(contact, Contact) else None
    milliseconds = queue.settings.cool_down_ms if queue is not None else DEFAULT_COOL_DOWN_MS
    return Instant(now + milliseconds * MILLISECOND)
