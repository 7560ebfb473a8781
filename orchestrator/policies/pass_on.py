"""Whenever an agent passes a caller on, then the switch takes the two apart, and the recording of their talk ends."""

from collections.abc import Iterator

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.switch.instructions import ParkLeg, StopRecording
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, asked_about
from orchestrator.policies.talk import recorded, recording_of


@asked_about(ContactTransferred)
def pass_on(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever a caller is passed on, then their leg is parked before the agent's is hung up: it hears music once it
    says that it is parked (`runner.sensing`). Each conversation has a file of its own, and the wait has none.
    """
    contact, event = happened.after, happened.record.event
    if not isinstance(contact, Contact) or not isinstance(event, ContactTransferred):
        return
    if recorded(world, happened.before):
        yield StopRecording(
            id=ids.of("stop_recording", contact.caller_leg),
            node=contact.node,
            leg=contact.caller_leg,
            contact=contact.contact_id,
            file=recording_of(event.segment_id),
        )
    joining = contact.status == "connecting" or (contact.outside is not None and contact.outside.answered)
    if not joining:  # with whoever was consulted before
        yield park_leg(contact, ids)


def park_leg(contact: Contact, ids: Ids) -> ParkLeg:
    """Take the caller's leg out of the talk in which it is."""
    return ParkLeg(
        id=ids.of("park", contact.caller_leg),
        node=contact.node,
        leg=contact.caller_leg,
        contact=contact.contact_id,
    )
