"""Whenever caller and agent talk, then recording, hold and resume follow what was decided."""

from collections.abc import Iterator

from orchestrator.domain.contacts import contacts
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.switch.instructions import HoldLeg, ResumeLeg, StartRecording
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids


def talk(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever a conversation begins, is held or resumed, then the switch does so."""
    contact = happened.after
    if not isinstance(contact, Contact) or contact.segment is None:
        return
    segment = contact.segment
    match happened.record.event:
        case contacts.HoldRequested():
            yield HoldLeg(
                id=ids.of("hold", segment.leg), node=contact.node, leg=segment.leg, contact=contact.contact_id
            )
        case contacts.ResumeRequested():
            yield ResumeLeg(
                id=ids.of("resume", segment.leg), node=contact.node, leg=segment.leg, contact=contact.contact_id
            )
        case contacts.ContactConnected() as event if _recorded(world, contact):
            yield StartRecording(
                id=ids.of("record", contact.caller_leg),
                node=contact.node,
                leg=contact.caller_leg,
                contact=contact.contact_id,
                file=f"{event.segment_id}.wav",
            )


def _recorded(world: World, contact: Contact) -> bool:
    queue = world.queues.get(contact.queue_id)
    return queue is not None and queue.settings.record
