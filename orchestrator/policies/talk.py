"""Whenever caller and agent talk, then announcement, hold and resume follow what was decided.

And of several callers of one agent one is active, the others are on hold: whoever the agent talked with last.
"""

from collections.abc import Iterator

from orchestrator.domain.contacts import contacts
from orchestrator.domain.contacts.announcing import digits_of, prompts_for
from orchestrator.domain.contacts.commands import Announce, Hold, Resume
from orchestrator.domain.contacts.consult_events import ConsultJoined, ContactRejoined
from orchestrator.domain.contacts.consults import CALLER
from orchestrator.domain.contacts.contacts import Contact, Segment
from orchestrator.domain.contacts.recording import is_of
from orchestrator.domain.switch.instructions import AnnounceNumber, HoldLeg, ResumeLeg
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, TellContact, asked_about
from orchestrator.policies.record import begins


@asked_about(
    contacts.ContactConnected,
    contacts.ContactHeld,
    contacts.ContactResumed,
    contacts.AgentSegmentEnded,
    contacts.HoldRequested,
    contacts.ResumeRequested,
    contacts.RecordingBegun,
    contacts.NumberAnnounced,
    ContactRejoined,
    ConsultJoined,
)
def talk(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever a conversation begins, is held or resumed, then the switch does so."""
    contact = happened.after
    if not isinstance(contact, Contact):
        return
    match happened.record.event:
        case contacts.ContactHeld() | contacts.AgentSegmentEnded():
            yield from _talk_then(world, happened)
    if contact.segment is None:
        return
    segment = contact.segment
    match happened.record.event:
        case contacts.HoldRequested() | contacts.ResumeRequested() if segment.wish_due <= happened.at:
            yield from grant(contact, segment, ids)
        case contacts.ContactConnected():
            # The number is spoken once the recording has begun: a recording does not hear what was laid over later.
            if not begins(world, contact):
                yield from announce(world, contact)
            yield from _hold_others(world, contact, segment, happened)
        case ConsultJoined(hears=hears) if hears == CALLER:
            # Of an agent who consulted before it could be spoken, and talks with the caller in turn.
            if not begins(world, contact):
                yield from announce(world, contact)
        case ContactRejoined():
            # Of an agent who got the caller in a conference: nobody talks over those who are in it.
            if not begins(world, contact):
                yield from announce(world, contact)
        case contacts.ContactResumed():
            yield from _hold_others(world, contact, segment, happened)
        case contacts.RecordingBegun() as event if is_of(event.file, segment.taped_as):
            yield from announce(world, contact)
        case contacts.NumberAnnounced() as event:
            yield AnnounceNumber(
                id=ids.of("announce", segment.segment_id),
                node=contact.node,
                leg=contact.caller_leg,
                contact=contact.contact_id,
                other=segment.leg,
                prompts=prompts_for(event.number),
            )


def _hold_others(world: World, contact: Contact, segment: Segment, happened: Happened) -> Iterator[TellContact]:
    for other in conversations(world, segment.shift_id):
        if other.contact_id != contact.contact_id and other.status == "connected":
            yield TellContact(other.contact_id, Hold(shift_id=segment.shift_id, now=happened.at))


def _talk_then(world: World, happened: Happened) -> Iterator[TellContact]:
    """The one conversation is on hold, or over: on with the one that was asked for, where that is still on hold."""
    before = happened.before.segment if isinstance(happened.before, Contact) else None
    wanted = world.contacts.get(before.then) if before is not None else None
    if before is None or wanted is None or wanted.segment is None:
        return
    if wanted.status == "held" and wanted.segment.shift_id == before.shift_id:
        yield TellContact(wanted.contact_id, Resume(shift_id=before.shift_id, now=happened.at))


def conversations(world: World, shift_id: str) -> list[Contact]:
    """The contacts with which this agent is in conversation, active or on hold, in the order in which they began. Not
    one about which a colleague asks the agent.
    """
    shift = world.shifts.get(shift_id)
    found = (world.contacts.get(each.contact_id) for each in (shift.engagements if shift is not None else ()))
    return [
        contact
        for contact in found
        if contact is not None and contact.segment is not None and contact.segment.shift_id == shift_id
    ]


def grant(contact: Contact, segment: Segment, ids: Ids) -> Iterator[HoldLeg | ResumeLeg]:
    """Tell the switch what the agent wants, where it is not so already. What may not be told yet is told by a timer."""
    if segment.wish == "hold" and contact.status == "connected":
        yield hold_leg(contact, segment, ids)
    elif segment.wish == "resume":
        yield resume_leg(contact, segment, ids)


def hold_leg(contact: Contact, segment: Segment, ids: Ids) -> HoldLeg:
    """Put the agent's leg on hold."""
    return HoldLeg(id=ids.of("hold", segment.leg), node=contact.node, leg=segment.leg, contact=contact.contact_id)


def resume_leg(contact: Contact, segment: Segment, ids: Ids) -> ResumeLeg:
    """Take the agent's leg off hold."""
    return ResumeLeg(id=ids.of("resume", segment.leg), node=contact.node, leg=segment.leg, contact=contact.contact_id)


def announce(world: World, contact: Contact) -> Iterator[TellContact]:
    """Say who serves the caller, where the queue wants it and the employee number has digits to be spoken."""
    queue = world.queues.get(contact.queue_id)
    agent = world.agents.get(contact.segment.agent_id) if contact.segment is not None else None
    if queue is None or not queue.settings.announce_agent or agent is None:
        return
    if number := digits_of(agent.number):
        yield TellContact(contact.contact_id, Announce(number=number))
