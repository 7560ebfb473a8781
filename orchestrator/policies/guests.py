"""Whenever somebody is invited to those who hear each other, then their phone rings, and they are brought in."""

from collections.abc import Iterator

from orchestrator.domain.contacts.asides import alone_with
from orchestrator.domain.contacts.consults import hears_nobody
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.guest_events import (
    AsideAsked,
    AsideEnded,
    AsideExtended,
    GuestAnswered,
    GuestExtended,
    GuestHoldAsked,
    GuestInvited,
    GuestPromoted,
    GuestRecalled,
)
from orchestrator.domain.contacts.guests import Guest, room
from orchestrator.domain.kernel import Event
from orchestrator.domain.switch.instructions import BridgeLegs, ConferLeg, Instruction, TakeSnapshot
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, asked_about
from orchestrator.policies.consult import confer_leg, ring
from orchestrator.policies.pass_on import park_leg


@asked_about(
    GuestInvited,
    GuestAnswered,
    GuestExtended,
    GuestHoldAsked,
    GuestRecalled,
    GuestPromoted,
    AsideAsked,
    AsideEnded,
    AsideExtended,
)
def invite(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever a guest moves, then the switch is told. A leg that is no longer wanted, `ring_out` hangs up."""
    contact = happened.after
    if not isinstance(contact, Contact):
        return
    match happened.record.event:
        case GuestInvited() as event:
            yield ring(world, contact, event.guest_id, event, happened.at)
        case GuestExtended(cause="not_connected_in_time") | AsideExtended(cause="not_connected_in_time"):
            yield TakeSnapshot(id=ids.of("snapshot", contact.node), node=contact.node, leg="")
        case GuestAnswered() | GuestExtended(cause="joined_again") | GuestHoldAsked() | GuestRecalled() as event:
            was = _guest(happened.before, event.guest_id)
            for guest in contact.guests:
                if guest.guest_id == event.guest_id and alone_with(contact) != guest.leg:
                    yield from _moved(contact, guest, was, event, ids)
        case GuestPromoted() if contact.consult is not None and hears_nobody(contact, contact.caller_leg):
            yield park_leg(contact, ids)  # alone in the room, the caller would hear nothing
        case AsideAsked() | AsideEnded() | AsideExtended(cause="joined_again" | "agent_parked"):
            yield from joined_apart(contact, ids)


def _guest(contact: object, guest_id: str) -> Guest | None:
    guests = contact.guests if isinstance(contact, Contact) else ()
    return next((guest for guest in guests if guest.guest_id == guest_id), None)


def _moved(contact: Contact, guest: Guest, was: Guest | None, event: Event, ids: Ids) -> Iterator[Instruction]:
    """A guest on hold is taken out of the room; one whom the agent leaves is left parked by that alone."""
    if not guest.held:
        yield confer_leg(contact, room(contact), guest.leg, ids)
    elif not isinstance(event, GuestHoldAsked) or was is None or was.joined:
        yield park_leg(contact, ids, leg=guest.leg)


def joined_apart(contact: Contact, ids: Ids) -> Iterator[BridgeLegs | ConferLeg]:
    """Agent and guest are joined, or the agent is brought back into the room."""
    aside, segment = contact.aside, contact.segment
    if aside is None or segment is None:
        return
    if aside.over:
        yield confer_leg(contact, room(contact), segment.leg, ids)
    elif not aside.talking:
        yield BridgeLegs(
            id=ids.of("bridge", aside.leg),
            node=contact.node,
            leg=segment.leg,
            contact=contact.contact_id,
            other=aside.leg,
        )
