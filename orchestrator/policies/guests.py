"""Whenever somebody is invited to those who hear each other, then their phone rings, and they are brought in."""

from collections.abc import Iterator

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.guest_events import GuestAnswered, GuestExtended, GuestInvited
from orchestrator.domain.contacts.guests import room
from orchestrator.domain.switch.instructions import TakeSnapshot
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, asked_about
from orchestrator.policies.consult import confer_leg, ring


@asked_about(GuestInvited, GuestAnswered, GuestExtended)
def invite(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever a guest moves, then the switch is told. A leg that is no longer wanted, `ring_out` hangs up."""
    contact = happened.after
    if not isinstance(contact, Contact):
        return
    match happened.record.event:
        case GuestInvited() as event:
            yield ring(world, contact, event.guest_id, event, happened.at)
        case GuestAnswered() | GuestExtended(cause="joined_again") as event:
            for guest in contact.guests:
                if guest.guest_id == event.guest_id:
                    yield confer_leg(contact, room(contact), guest.leg, ids)
        case GuestExtended(cause="not_connected_in_time"):
            yield TakeSnapshot(id=ids.of("snapshot", contact.node), node=contact.node, leg="")
