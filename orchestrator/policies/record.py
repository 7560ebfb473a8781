"""Whenever a talk begins, then it is recorded as the configuration says; whatever is asked of its recording follows."""

from collections.abc import Iterator

from orchestrator.domain.contacts import recording
from orchestrator.domain.contacts.contacts import Contact, ContactConnected
from orchestrator.domain.contacts.outward_events import OutsideConnected
from orchestrator.domain.contacts.recording import DropRecording, file_of
from orchestrator.domain.routing.recording import ALWAYS, AS_AGENT, AS_QUEUE, NEVER, rule_of
from orchestrator.domain.switch.instructions import MaskRecording, StartRecording, StopRecording, UnmaskRecording
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, TellContact


def record(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever a talk begins, then its recording begins where it is recorded by rule, and one that goes on from an
    earlier talk ends where this one must not be recorded; what is asked of a recording, the switch is told.
    """
    contact = happened.after
    if not isinstance(contact, Contact):
        return
    match happened.record.event:
        case ContactConnected() | OutsideConnected() as event:
            if begins(world, contact):
                yield start(contact, file_of(event.segment_id), ids)
            elif rule_for(world, contact) == NEVER:
                yield TellContact(contact.contact_id, DropRecording())
        case recording.RecordingAsked() as event:
            yield start(contact, event.file, ids)
        case recording.RecordingEndAsked() as event:
            yield stop(contact, event.file, ids)
        case recording.MaskAsked() as event:
            yield mask(contact, event.file, ids)
        case recording.UnmaskAsked() as event:
            yield unmask(contact, event.file, ids)


def rule_for(world: World, contact: Contact) -> str:
    """Whether this contact's talk is recorded, by what is configured now: `always`, `on_demand` or `never`."""
    queue = world.queues.get(contact.queue_id)
    agent = world.agents.get(contact.segment.agent_id) if contact.segment is not None else None
    return rule_of(
        world.recordings.rule,
        queue.settings.record if queue is not None else AS_AGENT,
        agent.record if agent is not None else AS_QUEUE,
    )


def begins(world: World, contact: Contact) -> bool:
    """Whether the talk that has just begun brings a recording of its own: one that goes on from before holds it."""
    return contact.recording is None and rule_for(world, contact) == ALWAYS


def start(contact: Contact, file: str, ids: Ids) -> StartRecording:
    """Record the caller's leg into this file."""
    return StartRecording(id=ids.of("record", file), **_at(contact), file=file)


def stop(contact: Contact, file: str, ids: Ids) -> StopRecording:
    """End this recording."""
    return StopRecording(id=ids.of("stop", file), **_at(contact), file=file)


def mask(contact: Contact, file: str, ids: Ids) -> MaskRecording:
    """Write silence."""
    return MaskRecording(id=ids.of("mask", file), **_at(contact), file=file)


def unmask(contact: Contact, file: str, ids: Ids) -> UnmaskRecording:
    """Write sound again."""
    return UnmaskRecording(id=ids.of("unmask", file), **_at(contact), file=file)


def _at(contact: Contact) -> dict[str, str]:
    return {"node": contact.node, "leg": contact.caller_leg, "contact": contact.contact_id}


def told_again(world: World, contact: Contact, ids: Ids, *, first: bool) -> Iterator[Do]:
    """What may never have reached the switch: since its link came up, or (`first`) since we are the active engine.

    A file that was begun goes on, masked where it was masked: the switch keeps that by itself. It is not begun again:
    where it has ended unheard, the switch would write over it.
    """
    found = contact.recording
    if found is None:
        segment_id = contact.segment.segment_id if contact.segment is not None else ""
        file = file_of(segment_id)
        # One that has ended is not begun again: the switch would write over it.
        if first and segment_id and file not in contact.files and begins(world, contact):
            yield start(contact, file, ids)
        return
    if found.ending:
        yield stop(contact, found.file, ids)
        return
    if first and not found.begun:
        yield start(contact, found.file, ids)
    if found.wish == "mask":
        yield mask(contact, found.file, ids)
    elif found.wish == "unmask":
        yield unmask(contact, found.file, ids)
