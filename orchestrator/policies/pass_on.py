"""Whenever an agent passes a caller on, parks them, or loses the phone, then the switch takes the two apart."""

from collections.abc import Iterator

from orchestrator.domain.contacts.contacts import AgentSegmentEnded, Contact
from orchestrator.domain.contacts.park_events import ContactParked
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.contacts.transfers import PHONE_LOST
from orchestrator.domain.kernel import Event
from orchestrator.domain.switch.instructions import ParkLeg
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, asked_about


@asked_about(ContactTransferred, ContactParked, AgentSegmentEnded)
def pass_on(_world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever a caller is passed on or parked, or the agent's phone is lost, then their leg is parked before the
    agent's is hung up: it hears music once it says that it is parked (`CallerParked`). What becomes of the recording
    stands in `record`, which is asked before.
    """
    contact = happened.after
    if not isinstance(contact, Contact) or not takes_apart(happened.record.event):
        return
    joining = contact.status == "connecting" or (contact.outside is not None and contact.outside.answered)
    if contact.parking and not joining:  # or it is joined at once with whoever was consulted before
        yield park_leg(contact, ids)


def takes_apart(event: Event) -> bool:
    """Whether a caller leaves the talk by this, and stays."""
    if isinstance(event, AgentSegmentEnded):
        return event.ended_by == PHONE_LOST
    return isinstance(event, ContactTransferred | ContactParked)


def park_leg(contact: Contact, ids: Ids, leg: str = "") -> ParkLeg:
    """Take the caller's leg, or this one, out of the talk in which it is."""
    leg = leg or contact.caller_leg
    return ParkLeg(
        id=ids.of("park", leg),
        node=contact.node,
        leg=leg,
        contact=contact.contact_id,
    )
