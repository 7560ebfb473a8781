"""Whenever an agent passes a caller on or parks them, then the switch takes the two apart."""

from collections.abc import Iterator

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.park_events import ContactParked
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.switch.instructions import ParkLeg
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, asked_about


@asked_about(ContactTransferred, ContactParked)
def pass_on(_world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever a caller is passed on or parked, then their leg is parked before the agent's is hung up: it hears music
    once it says that it is parked (`CallerParked`). What becomes of the recording stands in `record`, which is asked
    before.
    """
    contact = happened.after
    if not isinstance(contact, Contact) or not isinstance(happened.record.event, ContactTransferred | ContactParked):
        return
    joining = contact.status == "connecting" or (contact.outside is not None and contact.outside.answered)
    if contact.parking and not joining:  # or it is joined at once with whoever was consulted before
        yield park_leg(contact, ids)


def park_leg(contact: Contact, ids: Ids, leg: str = "") -> ParkLeg:
    """Take the caller's leg, or this one, out of the talk in which it is."""
    leg = leg or contact.caller_leg
    return ParkLeg(
        id=ids.of("park", leg),
        node=contact.node,
        leg=leg,
        contact=contact.contact_id,
    )
