"""Whenever a talk begins, then it is recorded as the configuration says; whatever is asked of its recording follows."""

from collections.abc import Iterator

from orchestrator.domain.contacts import recording
from orchestrator.domain.contacts.contacts import (
    AgentSegmentEnded,
    Contact,
    ContactConnected,
    OfferClosed,
    RecordingBegun,
)
from orchestrator.domain.contacts.outward_events import OutsideConnected
from orchestrator.domain.contacts.park_events import ContactParked
from orchestrator.domain.contacts.recording import DropRecording, Recording, file_of, is_of
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.routing.queues import Queue
from orchestrator.domain.routing.recording import ALWAYS, AS_AGENT, AS_QUEUE, rule_of
from orchestrator.domain.switch.instructions import MaskRecording, StartRecording, StopRecording, UnmaskRecording
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, TellContact, asked_about
from orchestrator.policies.pass_on import takes_apart


@asked_about(
    ContactConnected,
    OutsideConnected,
    ContactTransferred,
    ContactParked,
    AgentSegmentEnded,
    OfferClosed,
    RecordingBegun,
    recording.RecordingAsked,
    recording.RecordingEndAsked,
    recording.MaskAsked,
    recording.UnmaskAsked,
)
def record(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever a talk begins, then its recording begins where it is recorded by rule, and whenever its caller is passed
    on or parked, or its agent's phone is lost, then it ends: each talk has files of its own, and the wait has none.
    Only a talk that is taken over goes on in its file, unless the supervisor is lost meanwhile. What is asked of a
    recording, the switch is told.
    """
    contact = happened.after
    if not isinstance(contact, Contact):
        return
    match happened.record.event:
        case ContactConnected() | OutsideConnected() as event:
            if begins(world, contact):
                yield start(contact, file_of(talk_of(contact), contact.files), ids)
        case ContactTransferred() | ContactParked() | AgentSegmentEnded() as event if (
            takes_apart(event) and not contact.carried
        ):
            # With the same id as for its RecordingEndAsked, but before the two are taken apart.
            if (file := written(world, happened.before)) and not is_of(file, talk_of(contact)):
                yield stop(contact, file, ids)
        case OfferClosed() if isinstance(happened.before, Contact) and happened.before.carried:
            if file := written(world, happened.before):
                yield TellContact(contact.contact_id, DropRecording(file=file))
        case RecordingBegun() as event:
            yield from _too_late(contact, event.file, ids)
        case recording.RecordingAsked() as event:
            yield start(contact, event.file, ids)
        case recording.RecordingEndAsked() as event:
            yield stop(contact, event.file, ids)
        case recording.MaskAsked() as event:
            yield mask(contact, event.file, ids)
        case recording.UnmaskAsked() as event:
            yield unmask(contact, event.file, ids)


def _too_late(contact: Contact, file: str, ids: Ids) -> Iterator[Do]:
    """A recording that began when it was to end already: its end overtook its beginning, and is told again. And one of
    which nobody knew when its caller was passed on or parked.
    """
    found = contact.recording
    if found is not None and found.file == file and found.ending:
        yield stop(contact, file, ids)
    elif (contact.transfer is not None or contact.was_parked) and not is_of(file, talk_of(contact)):
        yield TellContact(contact.contact_id, DropRecording(file=file))


def rule_for(world: World, contact: Contact) -> str:
    """Whether this contact's talk is recorded, by what is configured now: `always`, `on_demand` or `never`."""
    queue = world.queues.get(contact.queue_id)
    agent = world.agents.get(contact.segment.agent_id) if contact.segment is not None else None
    return rule_of(
        world.recordings.rule,
        queue.settings.record if queue is not None else AS_AGENT,
        agent.record if agent is not None else AS_QUEUE,
    )


def rule_with(world: World, queue: Queue, agent_id: str) -> str:
    """Whether a talk of this agent with a caller of the queue is recorded: `always`, `on_demand` or `never`."""
    agent = world.agents.get(agent_id)
    return rule_of(world.recordings.rule, queue.settings.record, agent.record if agent is not None else AS_QUEUE)


def begins(world: World, contact: Contact) -> bool:
    """Whether the talk that goes on is recorded by rule, and its recording has not been heard of."""
    return recording_of(contact) is None and rule_for(world, contact) == ALWAYS


def recording_of(contact: Contact) -> Recording | None:
    """The recording of the talk that goes on. One of an earlier talk, which is ending still, is none of it."""
    found = contact.recording
    return found if found is not None and is_of(found.file, talk_of(contact)) else None


def written(world: World, contact: Contact) -> str:
    """The file into which the talk that goes on is recorded, or about to be; empty where it is not."""
    found, talk_id = recording_of(contact), talk_of(contact)
    if found is not None:
        return "" if found.ending else found.file
    file = file_of(talk_id)
    # One that has ended is not begun again: the switch would write over it.
    return file if talk_id and file not in contact.files and begins(world, contact) else ""


def talk_of(contact: Contact) -> str:
    """The talk that goes on, with an agent or outside, by the name of its files; empty where there is none."""
    if contact.segment is not None:
        return contact.segment.taped_as
    return contact.outside.segment_id if contact.outside is not None else contact.carried


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


def told_again(world: World, contact: Contact, ids: Ids) -> Iterator[Do]:
    """What may never have reached the switch, since its link came up or since we are the active engine.

    A file that was begun goes on, masked where it was masked: the switch keeps that by itself. It is not begun again:
    where it has ended unheard, the switch would write over it. One of which the switch has not said that it began is:
    where it had begun unheard, nothing changes but that its answer says so.
    """
    found, file = contact.recording, written(world, contact)
    if found is not None and found.ending:
        yield stop(contact, found.file, ids)
    if file and file not in contact.files:
        yield start(contact, file, ids)
    if found is None or found.ending:
        return
    if found.wish == "mask":
        yield mask(contact, found.file, ids)
    elif found.wish == "unmask":
        yield unmask(contact, found.file, ids)
