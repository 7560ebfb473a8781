"""Whenever a contact needs somebody outside, then they are called: a customer in turn, a number for a caller, or the
number that an agent dials.

Nobody outside is called unless somebody is there to talk with (complaint 18).
"""

from collections.abc import Iterator
from typing import Final

from orchestrator.domain.contacts import contacts
from orchestrator.domain.contacts.calling import CALLED_AGAIN, FAILED
from orchestrator.domain.contacts.commands import DialCustomer, EndCallback, MissCustomer
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.dial_events import NumberAnswered, NumberDelivered, NumberDialled, NumberSounded
from orchestrator.domain.contacts.dials import DIALLING, Dial, unreached
from orchestrator.domain.contacts.outward import to_be_called
from orchestrator.domain.contacts.outward_events import (
    CallbackAnswered,
    CallbackAsked,
    CallbackDialled,
    OutsideAnswered,
    OutsideDialled,
    OutsideExtended,
    OutsideMissed,
)
from orchestrator.domain.kernel import MILLISECOND, SECOND, Instant
from orchestrator.domain.routing import outside, overflow
from orchestrator.domain.switch.instructions import BridgeLegs, DialOutside, PlayRinging, TakeSnapshot
from orchestrator.domain.world import World
from orchestrator.policies.admit import answer_caller, play_waiting, say_goodbye
from orchestrator.policies.base import Do, Happened, Ids, TellContact, asked_about
from orchestrator.policies.outward import go, why_not
from orchestrator.policies.tell_place import hush

# The switch stops ringing by itself this much later than our own deadline: it only matters when we are gone.
SWITCH_RINGS_LONGER = 2 * SECOND


# The events that may lead outside where nobody is to be called, and nobody outside is.
_OF_ANYBODY: Final = frozenset({contacts.ContactQueued, OutsideMissed})


@asked_about("contact")
def call_out(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever an agent is there for a customer who is to be called, or a caller is sent outside, then call."""
    contact = happened.after
    if not isinstance(contact, Contact):
        return
    calls = contact.callback is not None or contact.outside is not None or contact.dial is not None
    if not calls and type(happened.record.event) not in _OF_ANYBODY:
        return
    yield from _say(contact, happened, ids)
    callback = to_be_called(contact)
    match happened.record.event:
        case contacts.ContactQueued() as event:
            if event.takes_up:
                yield TellContact(event.takes_up, EndCallback(reason=CALLED_AGAIN))
            if event.goes_on:
                yield from go(world, contact, overflow.target(event.goes_on), happened.at, ids)
        case contacts.OfferAccepted() if callback is not None and contact.status == "connecting":
            show = outside.shown(world.outside.settings, contact.entry_id) if world.outside is not None else ""
            yield TellContact(contact.contact_id, _dial(world, callback.number, show, happened.at, ids))
        case contacts.OfferAccepted() if (dial := unreached(contact)) is not None and contact.status == "connecting":
            yield TellContact(contact.contact_id, _dial(world, contact.caller_number, dial.show, happened.at, ids))
        case CallbackDialled() | NumberDialled() as event if contact.status in ("calling_back", DIALLING):
            yield _call(world, contact, event, happened.at)
        case OutsideDialled() as event if contact.outside is not None and not _is_there(happened.before, event.leg):
            yield _call(world, contact, event, happened.at)
    if callback is not None and contact.status == "awaiting_callback" and _is_over(contact, happened.at):
        yield TellContact(contact.contact_id, EndCallback(reason=FAILED))


def _say(contact: Contact, happened: Happened, ids: Ids) -> Iterator[Do]:
    """What legs hear, and which are joined."""
    match happened.record.event:
        case CallbackAsked() if contact.farewell:
            yield from hush(happened.before, ids)
            yield answer_caller(contact, ids, leg=contact.farewell)
            yield say_goodbye(contact, ids)
        case CallbackAnswered() | NumberAnswered() if contact.offer is not None and contact.offer.accepted:
            yield _join(contact, contact.offer.accepted, ids)
        case NumberDelivered() | NumberSounded() if contact.dial is not None:
            yield from let_hear(contact, contact.dial, ids)
        case OutsideAnswered() | OutsideExtended(cause="joined_again") if contact.outside is not None:
            yield from hush(contact, ids)
            yield _join(contact, contact.outside.leg, ids)
        case OutsideExtended(cause="not_connected_in_time"):
            yield TakeSnapshot(id=ids.of("snapshot", contact.node), node=contact.node, leg="")
        case OutsideMissed() if contact.status == "waiting" and _was_joining(happened.before):
            yield play_waiting(contact, ids)


def let_hear(contact: Contact, dial: Dial, ids: Ids) -> Iterator[PlayRinging | BridgeLegs]:
    """Let the agent hear what becomes of the number that they dialled: that it rings, or what its far end sends."""
    offer = contact.offer
    if offer is None or not offer.accepted:
        return
    agents = {"node": contact.node, "leg": offer.accepted, "contact": contact.contact_id}
    if dial.heard:
        # The agent's leg first: it is answered, so nothing answers the other one.
        yield BridgeLegs(id=ids.of("hear", dial.leg), other=dial.leg, offer=offer.offer_id, **agents)
    elif dial.rings:
        yield PlayRinging(id=ids.of("ringing", offer.accepted), **agents)


def _is_there(before: object, leg: str) -> bool:
    """Whether the number was consulted before, and is called already."""
    return isinstance(before, Contact) and leg in before.legs


def _was_joining(before: object) -> bool:
    """Whether the caller was being joined with the number outside, which ended the music."""
    return isinstance(before, Contact) and before.outside is not None and before.outside.answered


def _is_over(contact: Contact, now: Instant) -> bool:
    return contact.visit is not None and contact.visit.leave_by <= now


def _dial(world: World, number: str, show: str, now: Instant, ids: Ids) -> DialCustomer | MissCustomer:
    looked_at = outside.meant(world.outside, number)
    cause = why_not(world, looked_at, len(world.outside_legs))
    if cause or world.outside is None:
        return MissCustomer(cause=cause, now=now)
    settings = world.outside.settings
    return DialCustomer(
        leg=ids.new("leg"),
        number=looked_at,
        show=show,
        answer_by=Instant(now + settings.ring_ms * MILLISECOND),
    )


def _call(
    world: World, contact: Contact, event: CallbackDialled | NumberDialled | OutsideDialled, now: Instant
) -> DialOutside:
    """Call this number for the contact."""
    return DialOutside(
        id=event.leg,
        node=contact.node,
        leg=event.leg,
        contact=contact.contact_id,
        offer=event.leg if isinstance(event, OutsideDialled) else event.offer_id,
        number=outside.dialled(world.outside, event.number),
        show=event.show,
        trunk=outside.trunk_of(world.outside),
        ring_ms=(event.answer_by - now + SWITCH_RINGS_LONGER) // MILLISECOND,
        deadline=event.answer_by,
        early=isinstance(event, NumberDialled),
    )


def _join(contact: Contact, other: str, ids: Ids) -> BridgeLegs:
    """Let the customer hear the agent, or the number outside."""
    return BridgeLegs(
        id=ids.of("bridge", other),
        node=contact.node,
        leg=contact.caller_leg,
        contact=contact.contact_id,
        other=other,
        offer=contact.offer.offer_id if contact.offer is not None else other,
    )
