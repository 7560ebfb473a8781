"""What a switch's fact means for the contact whose leg it tells about.

News of legs that nobody knows is judged here too: a caller's leg that parks is a new contact; a leg of ours that has no
contact is a stray and is hung up on sight.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from orchestrator.domain.contacts import commands
from orchestrator.domain.contacts.consults import consult_leg, hears_nobody
from orchestrator.domain.contacts.contacts import Contact, doomed_legs
from orchestrator.domain.contacts.dials import heard
from orchestrator.domain.contacts.guests import guest_of_leg
from orchestrator.domain.contacts.legs import PARK_GRACE, hears_music, parking_leg
from orchestrator.domain.contacts.monitor_commands import NoteMonitor
from orchestrator.domain.contacts.monitors import monitor_leg
from orchestrator.domain.contacts.names import clean_dialled
from orchestrator.domain.contacts.outward import called_at, outward_leg
from orchestrator.domain.contacts.recording import (
    AGAIN,
    NoteMask,
    NoteMaskFailed,
    NoteRecording,
    NoteRecordingFailed,
    Recording,
    file_of,
)
from orchestrator.domain.kernel import MILLISECOND, SECOND, Instant
from orchestrator.domain.switch import contexts, facts
from orchestrator.domain.switch.between import near_leg
from orchestrator.domain.switch.causes import SWITCH_DEAD, SWITCH_STOPPED
from orchestrator.domain.switch.instructions import CheckLeg, HangUpLeg, ParkLeg, TakeSnapshot
from orchestrator.domain.switch.nodes import (
    NodeOverloaded,
    NodeRelieved,
    PhoneRegistered,
    PhoneUnregistered,
    StrayLegClosed,
    StrayLegFound,
    UnknownTalkEnded,
)
from orchestrator.domain.world import World
from orchestrator.policies.admit import play_waiting
from orchestrator.policies.base import Ids, TellContact
from orchestrator.policies.pass_on import park_leg
from orchestrator.policies.record import recording_of, talk_of
from orchestrator.policies.talk import announce
from orchestrator.runner import consults, keypad, parking, phone_codes, unattended
from orchestrator.runner.memory import Memory
from orchestrator.runner.telling import AppendNode, Tell

# From a phone's answer until the switch says that both hear each other. On a loaded switch of two cores this took
# under half a second; five leave room for a slow link.
CONNECT_WITHIN = 5 * SECOND

# A leg that was asked for this recently may not be made, or not be listed, yet.
JUST_NOW = 2 * SECOND

# How often a node is looked at though nothing is in doubt. A look asks for each channel, on the second connection.
AUDIT_EVERY = 300 * SECOND

# How long a customer who was called back waits where the queue is not configured any more.
DEFAULT_WAIT_MS = 600_000

# What a switch tells of legs on their way through a call that goes as it should.
SIGNS_OF_LIFE = (facts.LegCreated, facts.LegAnswered, facts.LegUnbridged)

_JUST_CAME: Final = Instant(0)

# News that is of more than the life of one leg, and is looked at for itself.
_OF_MORE_THAN_A_LEG: Final = frozenset(
    {
        facts.LegBridged,
        facts.RecordingStarted,
        facts.RecordingStopped,
        facts.ConferenceChanged,
        facts.LegUnattended,
    }
)

# Answers to RingAgent after which the leg may live: nobody heard the end of the command.
UNCERTAIN = ("timeout", "link_down")

# A name or number longer than this is cut before it is sealed: no network carries more, and a log is no dump.
RAW_LENGTH = 2_048


def on_fact(world: World, memory: Memory, fact: facts.Fact, now: Instant, ids: Ids) -> Iterable[Tell]:
    """What follows from one fact. News that changes nothing yields nothing."""
    if fact.at is not None and type(fact) is not facts.LegParked:  # which is asked how late it is itself
        memory.hear(fact.node, fact.at, now)
    match fact:
        case facts.LegFact() if type(fact) not in _OF_MORE_THAN_A_LEG:  # first, for it is nearly all news
            return _of_leg(world, memory, fact, now, ids)
        case facts.LegBridged():
            return _bridged(world, fact, ids)
        case facts.RecordingStarted() | facts.RecordingStopped() | facts.RecordingSet() | facts.MaskSet():
            return _recording(world, fact)
        case facts.ConferenceChanged():
            return _in_room(world, fact, ids)
        case facts.MuteSet():
            return keypad.noted(world, fact)
        case facts.LegUnattended():
            return unattended.left_to_switch(world, memory, fact, now)
        case facts.EavesdropSet(leg=leg, mode=mode) if leg in world.contact_of_leg:
            return (TellContact(world.contact_of_leg[leg], NoteMonitor(leg=leg, mode=mode)),)
        case facts.JobDone() if not fact.ok and fact.job in world.contact_of_leg:
            return _never_parked(world, fact.job, fact.answer, now, ids)
        case facts.LegPresence():
            return _presence(world, memory, fact, now, ids)
        case facts.InstructionSkipped() | facts.InstructionFailed():
            return _not_done(world, memory, fact, now, ids)
        case facts.SwitchBehind() | facts.SwitchCaughtUp():
            return _pressed(world, fact)
        case facts.PhoneRegistered() | facts.PhoneGone():
            return _phone(world, fact)
        case facts.Heartbeat():
            return _heartbeat(world, memory, fact, now, ids)
    return ()


def is_no_news(world: World, memory: Memory, fact: facts.Fact) -> bool:
    """Whether nothing can follow from this (`on_fact`): a leg that is wanted and known to be there lives, or one that
    came to us is made. Two look-ups for four facts of each call.
    """
    if type(fact) not in SIGNS_OF_LIFE:
        return False
    leg = fact.leg  # type: ignore[attr-defined]  # all of these have one
    contact = world.contacts.get(world.contact_of_leg.get(leg, ""))
    if contact is not None and contact.dial is not None and heard(contact, leg):
        return False  # its answer is news of its own: it has parked before
    if contact is None:
        return (
            isinstance(fact, facts.LegCreated) and fact.inbound and leg not in world.closed_legs and not near_leg(leg)
        )
    return leg == contact.caller_leg or (memory.is_made(leg) and leg not in doomed_legs(contact))


def _of_leg(world: World, memory: Memory, fact: facts.LegFact, now: Instant, ids: Ids) -> Iterator[Tell]:
    contact = world.contacts.get(world.contact_of_leg.get(fact.leg, ""))
    if contact is None and (near := near_leg(fact.leg)) and world.far_legs.get(near) == fact.node:
        yield from _of_far_leg(world, memory, fact, near)
    elif contact is None:
        yield from _of_unknown_leg(world, memory, fact, now, ids)
    elif isinstance(fact, facts.LegHungUp):
        yield _gone(world, fact.leg, fact.cause, now, ids, by_far_end=fact.by_far_end, shut_down=fact.shut_down)
    elif fact.leg == contact.caller_leg:
        if isinstance(fact, facts.LegParked) and fact.leg == parking_leg(contact):
            yield TellContact(contact.contact_id, commands.NoteParked(leg=fact.leg))
        elif isinstance(fact, facts.LegParked) and hears_music(contact):
            # Parked anew, after a bridge that is over or came to nothing: there is silence on the line.
            yield play_waiting(contact, ids)
    elif fact.leg == contact.farewell:
        return  # it hears its last prompt and goes by itself
    elif fact.leg in doomed_legs(contact):
        # The hang-up may have come before the leg was made; so every sign of life repeats it.
        yield hang_up(contact.node, fact.leg, contact.contact_id, ids)
    else:
        if fact.leg not in world.far_legs:  # whether a phone was reached over a trunk, its own node says
            memory.note_made(fact.leg)
        yield from _of_our_leg(world, contact, fact, now, ids)


def _of_far_leg(world: World, memory: Memory, fact: facts.LegFact, near: str) -> Iterator[Tell]:
    """The half of an agent's leg that another node has. How it rings, answers and ends, the near one tells."""
    match fact:
        case facts.LegCreated():
            memory.note_made(near)
        case facts.LegHeld() | facts.LegResumed():
            held = commands.NoteHold(leg=near, on=isinstance(fact, facts.LegHeld))
            memory.note_held_afar(near, on=held.on)
            yield TellContact(world.contact_of_leg[near], held)


def _of_our_leg(world: World, contact: Contact, fact: facts.LegFact, now: Instant, ids: Ids) -> Iterator[Tell]:
    match fact:
        case facts.LegRinging():
            yield TellContact(contact.contact_id, commands.NoteDelivered(leg=fact.leg))
        case facts.LegParked() if contact.offer is not None and fact.leg in contact.offer.rejecting:
            yield hang_up(contact.node, fact.leg, contact.contact_id, ids)
        case facts.LegParked() if hears_nobody(contact, fact.leg):
            yield play_waiting(contact, ids, leg=fact.leg)
        case facts.LegParked(early=True):
            yield TellContact(contact.contact_id, commands.NoteHeard(leg=fact.leg))
        case facts.LegAnswered() if heard(contact, fact.leg):
            yield TellContact(contact.contact_id, note_answered(world, contact, fact.leg, now))
        case facts.LegParked() if (guest := guest_of_leg(contact, fact.leg)) is not None and guest.held:
            yield TellContact(contact.contact_id, commands.NoteParked(leg=fact.leg))
            yield play_waiting(contact, ids, leg=fact.leg)
        case facts.LegParked() if contact.segment is not None and fact.leg == contact.segment.leg:
            parked = commands.NoteAgentParked(leg=fact.leg, connect_by=Instant(now + CONNECT_WITHIN))
            yield TellContact(contact.contact_id, parked)
        case facts.LegParked():
            # Not at LegAnswered: until the leg parks, its originate still runs in the switch, and a bridge in that
            # moment makes it report ORIGINATOR_CANCEL for a leg that lives on (seen with a phone that answers at once).
            yield TellContact(contact.contact_id, note_answered(world, contact, fact.leg, now))
        case facts.LegHeld():
            yield TellContact(contact.contact_id, commands.NoteHold(leg=fact.leg, on=True))
        case facts.LegResumed():
            yield TellContact(contact.contact_id, commands.NoteHold(leg=fact.leg, on=False))


def note_answered(world: World, contact: Contact, leg: str, now: Instant) -> commands.NoteAnswered:
    """The command for a leg of ours that has parked: an agent's, or one to the outside."""
    queue = world.queues.get(contact.queue_id)
    most_wait_ms = queue.settings.max_wait_ms if queue is not None else DEFAULT_WAIT_MS
    return commands.NoteAnswered(
        leg=leg,
        connect_by=Instant(now + CONNECT_WITHIN),
        leave_by=Instant(now + most_wait_ms * MILLISECOND),
    )


def _of_unknown_leg(world: World, memory: Memory, fact: facts.LegFact, now: Instant, ids: Ids) -> Iterator[Tell]:
    node = world.nodes.get(fact.node)
    known_stray = node is not None and fact.leg in node.strays
    match fact:
        case facts.LegHungUp() if node is not None and (known_stray or fact.leg in node.talks):
            memory.bury(fact.leg)  # a code that it dialled, told late once more, is not dialled twice
            if known_stray:
                yield AppendNode(fact.node, (StrayLegClosed(leg=fact.leg, cause=fact.cause),))
            if fact.leg in node.talks:
                yield AppendNode(fact.node, (UnknownTalkEnded(leg=fact.leg),))
        case facts.LegHungUp():
            if fact.leg not in world.closed_legs:
                memory.bury(fact.leg)
        case facts.LegCreated() | facts.LegRinging() | facts.LegAnswered() | facts.LegParked() if (
            fact.leg in world.closed_legs
        ):
            # Late news, most likely; but a leg that we closed unheard may have been made after all.
            yield CheckLeg(id=ids.of("check", fact.leg), node=fact.node, leg=fact.leg)
        case facts.LegParked(inbound=True) if known_stray or memory.is_buried(fact.leg):
            return
        case facts.LegParked(inbound=True, context=context):
            if context == contexts.INBOUND:
                yield receive(world, fact, "live", ids)
            elif context == contexts.AGENTS and (wish := phone_codes.read(fact.dialled)) is not None:
                yield from phone_codes.dialled(world, memory, fact, wish, now, ids)
            else:
                yield from stray(fact.node, fact.leg, fact.contact, fact.offer, ids)
        case facts.LegCreated(inbound=False) | facts.LegRinging() | facts.LegAnswered() | facts.LegParked():
            if fact.contact and not known_stray and not memory.is_buried(fact.leg):
                yield from stray(fact.node, fact.leg, fact.contact, fact.offer, ids)


def receive(
    world: World,
    fact: facts.LegParked | facts.SeenLeg,
    found: str,
    ids: Ids,
    node: str = "",
    came_at: Instant = _JUST_CAME,
) -> TellContact:
    """The command that makes a contact of a caller's leg. `came_at`: when it came, where that was not just now."""
    dialled, trunk, host = clean_dialled(fact.dialled), clean_dialled(fact.trunk), clean_dialled(fact.host)
    group = world.admission.trunks.group_of(host, trunk)
    return TellContact(
        ids.new("contact"),
        commands.Receive(
            node=fact.node if isinstance(fact, facts.LegParked) else node,
            leg=fact.leg,
            dialled=dialled,
            caller_number=fact.caller_number[:RAW_LENGTH],
            caller_name=fact.caller_name[:RAW_LENGTH],
            trunk=trunk,
            found=found,
            came_at=came_at,
            host=host,
            trunk_id=group,
            to_number=world.admission.rewriting.dialled(dialled, group),
            from_number=world.admission.rewriting.caller(fact.caller_number, group),
        ),
    )


def stray(node: str, leg: str, contact: str, offer: str, ids: Ids) -> Iterator[Tell]:
    """Record a leg that nobody wants, and hang it up."""
    yield AppendNode(node, (StrayLegFound(leg=leg, contact_id=clean_dialled(contact), offer_id=clean_dialled(offer)),))
    yield hang_up(node, leg, "", ids)


def hang_up(node: str, leg: str, contact_id: str, ids: Ids) -> HangUpLeg:
    """The instruction that ends a leg which nobody wants."""
    return HangUpLeg(id=ids.of("hang_up", leg), node=node, leg=leg, contact=contact_id)


def _gone(
    world: World,
    leg: str,
    cause: str,
    now: Instant,
    ids: Ids,
    repair: str = "",
    *,
    by_far_end: bool = False,
    shut_down: bool = False,
) -> TellContact:
    lost = _lost_with_its_switch(world, leg, shut_down=shut_down)
    command = commands.NoteLegGone(
        leg=leg,
        cause=cause or "UNSPECIFIED",
        next_connect_by=Instant(now + CONNECT_WITHIN),
        repair=repair,
        by_far_end=by_far_end,
        now=now,
        handover=_handover(world, leg, now, ids, phone_lost=lost),
        again=parking.ring_again(world, world.contacts[world.contact_of_leg[leg]], leg, cause, now, ids),
        phone_lost=lost,
    )
    return TellContact(world.contact_of_leg[leg], command)


def phone_lost(world: World, leg: str, cause: str, now: Instant, ids: Ids) -> TellContact:
    """The command for a leg of ours whose phone is gone with its switch, while the leg itself is there."""
    gone = commands.NoteLegGone(
        leg=leg,
        cause=cause,
        next_connect_by=Instant(now + CONNECT_WITHIN),
        now=now,
        handover=_handover(world, leg, now, ids, phone_lost=cause),
        phone_lost=cause,
        open=True,
    )
    return TellContact(world.contact_of_leg[leg], gone)


def _lost_with_its_switch(world: World, leg: str, *, shut_down: bool) -> str:
    """Why the phone of this leg counts as gone with its switch: it is another than the contact's, and cannot be heard,
    so nobody saw who hung up; or its BYE says that it shuts down, which may be here before its own word. Empty for
    every other leg.
    """
    via = world.nodes.get(world.far_legs.get(leg, ""))
    if via is not None and shut_down:
        return SWITCH_STOPPED
    return SWITCH_DEAD if via is not None and via.status != "connected" else ""


def _handover(world: World, leg: str, now: Instant, ids: Ids, *, phone_lost: str) -> commands.CompleteConsult | None:
    """Of an agent who consulted somebody, or has lost the phone, how the caller goes on without them."""
    contact = world.contacts[world.contact_of_leg[leg]]
    if contact.segment is None or leg != contact.segment.leg or not (contact.consult is not None or phone_lost):
        return None
    return consults.handover(world, contact, contact.segment, now, ids)


def _bridged(world: World, fact: facts.LegBridged, ids: Ids) -> Iterator[Tell]:
    contact_id = world.contact_of_leg.get(fact.leg) or world.contact_of_leg.get(fact.other)
    if contact_id is not None:
        command = commands.NoteBridged(leg=fact.leg, other=fact.other, segment_id=ids.new("segment"))
        yield TellContact(contact_id, command)


def _in_room(world: World, fact: facts.ConferenceChanged, ids: Ids) -> Iterator[Tell]:
    contact = world.contacts.get(world.contact_of_leg.get(fact.leg, ""))
    if contact is None or fact.action != "add-member":
        return
    if fact.leg == contact.caller_leg and hears_music(contact):
        # The switch was told late, after it had parked them: they are alone there, and it is silent.
        yield park_leg(contact, ids)
    else:
        yield TellContact(contact.contact_id, commands.NoteMember(leg=fact.leg, room=fact.conference))


def _recording(
    world: World, fact: facts.RecordingStarted | facts.RecordingStopped | facts.RecordingSet | facts.MaskSet
) -> Iterator[Tell]:
    contact_id = world.contact_of_leg.get(fact.leg)
    if contact_id is None:
        return
    match fact:
        case facts.RecordingStarted():
            yield TellContact(contact_id, NoteRecording(file=clean_file(fact.path)))
        case facts.RecordingStopped():
            file, cause = clean_file(fact.path), clean_file(fact.cause)
            yield TellContact(contact_id, NoteRecording(file=file, length_ms=fact.length_ms, cause=cause))
        case facts.RecordingSet():
            yield TellContact(contact_id, NoteRecording(file=fact.file))
        case facts.MaskSet():
            yield TellContact(contact_id, NoteMask(file=fact.file, on=fact.on))


def clean_file(path: str) -> str:
    """The last part of a path, reduced to characters that our own file names have."""
    return "".join(c for c in path.rpartition("/")[2][:100] if c.isascii() and (c.isalnum() or c in "-_."))


def _presence(world: World, memory: Memory, fact: facts.LegPresence, now: Instant, ids: Ids) -> Iterator[Tell]:
    contact = world.contacts.get(world.contact_of_leg.get(fact.leg, ""))
    if contact is None:
        yield from _presence_of_unknown_leg(world, fact, ids)
    elif fact.exists:
        if fact.leg in doomed_legs(contact):
            yield hang_up(contact.node, fact.leg, contact.contact_id, ids)
        elif fact.leg == parking_leg(contact):
            yield from _look_before_parking(memory, contact, fact.leg, now, ids)
    elif not just_asked_for(contact, fact.leg, now):
        yield _gone(world, fact.leg, "UNKNOWN", now, ids, repair="absent")


def _look_before_parking(
    memory: Memory, contact: Contact, leg: str, now: Instant, ids: Ids
) -> Iterator[TakeSnapshot | ParkLeg]:
    """A leg that lives, and is to park. It may not have been told, or it is parked and only its news is lost; a second
    park would end the music that is told once the first is heard of. So the switch is looked at; where the look does
    not show the leg, which its list may do late, it is parked anew as soon as it is asked after again.
    """
    since = memory.park_doubted_at(leg)
    if since is None:
        memory.doubt_park(leg, now)
        yield TakeSnapshot(id=ids.new("snapshot"), node=contact.node, leg="")
    elif now - since >= PARK_GRACE:
        memory.end_park_doubt(leg)
        yield park_leg(contact, ids)


def _presence_of_unknown_leg(world: World, fact: facts.LegPresence, ids: Ids) -> Iterator[Tell]:
    node = world.nodes.get(fact.node)
    if node is not None and fact.leg in node.strays:
        if fact.exists:
            yield hang_up(fact.node, fact.leg, "", ids)
        else:
            yield AppendNode(fact.node, (StrayLegClosed(leg=fact.leg, cause="UNKNOWN"),))
    elif fact.exists and fact.leg in world.closed_legs:
        yield from stray(fact.node, fact.leg, world.closed_legs[fact.leg], "", ids)


def just_asked_for(contact: Contact, leg: str, now: Instant) -> bool:
    """Whether this phone was asked for so recently that the switch may not have made its leg yet."""
    if leg == consult_leg(contact) and contact.consult is not None:
        return not contact.consult.answered and now - contact.consult.asked_at < JUST_NOW
    if (guest := guest_of_leg(contact, leg)) is not None:
        return not guest.answered and now - guest.asked_at < JUST_NOW
    if leg == monitor_leg(contact) and contact.monitor is not None:
        return not contact.monitor.answered and now - contact.monitor.asked_at < JUST_NOW
    if leg == outward_leg(contact):
        return now - called_at(contact) < JUST_NOW
    offer = contact.offer
    if offer is None or leg == contact.caller_leg or leg in offer.delivered or leg in offer.answered:
        return False
    return now - offer.made_at < JUST_NOW


def _never_parked(world: World, leg: str, cause: str, now: Instant, ids: Ids) -> Iterator[Tell]:
    """The switch says that a phone could not be had. One that never rang has no hang-up of its own, so this is its end;
    one that has answered all the same, or of which nobody can tell, is asked after.
    """
    contact = world.contacts[world.contact_of_leg[leg]]
    answered = contact.offer is not None and leg in contact.offer.answered
    answered |= contact.outside is not None and contact.outside.leg == leg and contact.outside.answered
    answered |= contact.consult is not None and contact.consult.leg == leg and contact.consult.answered
    answered |= (guest := guest_of_leg(contact, leg)) is not None and guest.answered
    answered |= contact.monitor is not None and contact.monitor.leg == leg and contact.monitor.answered
    if answered or leg == contact.caller_leg or cause in UNCERTAIN:
        yield CheckLeg(id=ids.of("check", leg), node=contact.node, leg=leg, contact=contact.contact_id)
    else:
        yield _gone(world, leg, cause, now, ids)


def _not_done(
    world: World, memory: Memory, fact: facts.InstructionSkipped | facts.InstructionFailed, now: Instant, ids: Ids
) -> Iterator[Tell]:
    contact = world.contacts.get(world.contact_of_leg.get(fact.leg, ""))
    if contact is None:
        return
    match fact.kind:
        case "RingAgent" | "DialOutside":
            cause = fact.answer if isinstance(fact, facts.InstructionFailed) else "NEVER_RUNG"
            yield from _never_parked(world, fact.leg, cause, now, ids)
        case (
            "BridgeLegs"
            | "ParkLeg"
            | "ConferLeg"
            | "AnswerCaller"
            | "ClaimCaller"
            | "PlayNotice"
            | "PlayWaiting"
            | "PlayRinging"
            | "PlayApology"
        ) if isinstance(fact, facts.InstructionFailed):
            if fact.kind == "BridgeLegs" and contact.segment is not None and fact.leg == contact.segment.leg:
                by = Instant(now + CONNECT_WITHIN)
                yield TellContact(contact.contact_id, commands.NoteAgentParked(leg=fact.leg, connect_by=by))
            # Only legs that have been there: one that was just asked for may not be made yet, and is not gone.
            joining = contact.offer.accepted if fact.kind == "BridgeLegs" and contact.offer is not None else ""
            joining = joining or (outward_leg(contact) if fact.kind == "BridgeLegs" else "")
            asked = [fact.leg, joining]
            if contact.consult is not None and contact.segment is not None:
                consulted = consult_leg(contact) if contact.consult.answered else ""
                invited = guest_of_leg(contact, fact.leg)
                guest_leg = invited.leg if invited is not None and invited.answered else ""
                asked = [contact.caller_leg, contact.segment.leg, consulted, guest_leg]
            for leg in filter(None, asked):
                yield CheckLeg(id=ids.of("check", leg), node=contact.node, leg=leg, contact=contact.contact_id)
        case "EavesdropLeg" | "SteerEavesdrop" if isinstance(fact, facts.InstructionFailed):
            if fact.answer not in UNCERTAIN:  # otherwise its time is over before long, and it is told again
                yield TellContact(contact.contact_id, NoteMonitor(leg=fact.leg, cause=fact.answer))
        case "HoldLeg" | "ResumeLeg" if contact.segment is not None and fact.leg == contact.segment.leg:
            # It may be so already, as of one that was told twice; so the switch is looked at.
            cause = fact.answer if isinstance(fact, facts.InstructionFailed) else fact.why
            if contact.segment.wish and cause != "repeat":
                memory.doubt_hold(fact.leg, cause)
                yield TakeSnapshot(id=ids.new("snapshot"), node=contact.node, leg="")
        case "MuteLeg" | "UnmuteLeg":
            yield keypad.not_done(fact, contact.contact_id)
        case "StartRecording":
            yield from _not_recorded(world, contact, fact)
        case "MaskRecording" | "UnmaskRecording" if contact.recording is not None:
            yield TellContact(contact.contact_id, _mask_failed(contact.recording, fact, now))


def _not_recorded(
    world: World, contact: Contact, fact: facts.InstructionSkipped | facts.InstructionFailed
) -> Iterator[Tell]:
    found, talk_id = recording_of(contact), talk_of(contact)
    if isinstance(fact, facts.InstructionFailed) and fact.answer not in UNCERTAIN and talk_id:
        file = found.file if found is not None else file_of(talk_id)
        yield TellContact(contact.contact_id, NoteRecordingFailed(file=file, cause=fact.answer))
    if contact.segment is not None:
        yield from announce(world, contact)  # which waited for the recording to begin


def _mask_failed(
    recording: Recording, fact: facts.InstructionSkipped | facts.InstructionFailed, now: Instant
) -> NoteMaskFailed:
    """The switch is told again, unless it has said that there is no recording in which it could write silence."""
    on = fact.kind == "MaskRecording"
    cause = fact.answer if isinstance(fact, facts.InstructionFailed) else fact.why
    refused = isinstance(fact, facts.InstructionFailed) and cause not in UNCERTAIN
    again_at = Instant(0) if on and refused else Instant(now + AGAIN)
    return NoteMaskFailed(file=recording.file, on=on, cause=cause, again_at=again_at)


def _phone(world: World, fact: facts.PhoneRegistered | facts.PhoneGone) -> Iterator[Tell]:
    """A phone that refreshes its registration, as each does all day, is no event."""
    node = world.nodes.get(fact.node)
    if node is None or node.status != "connected":
        return  # it came over a connection that is lost by now
    known = node.phones.get(fact.extension)
    if known is not None and known.registered == isinstance(fact, facts.PhoneRegistered):
        return
    if isinstance(fact, facts.PhoneRegistered):
        yield AppendNode(fact.node, (PhoneRegistered(extension=fact.extension),))
    else:
        why = "expired" if fact.expired else "unregistered"
        yield AppendNode(fact.node, (PhoneUnregistered(extension=fact.extension, why=why),))


def _pressed(world: World, fact: facts.SwitchBehind | facts.SwitchCaughtUp) -> Iterator[Tell]:
    node = world.nodes.get(fact.node)
    if node is None or node.status != "connected":
        return
    match fact:
        case facts.SwitchBehind(behind_ms=behind_ms) if not node.behind:
            yield AppendNode(fact.node, (NodeOverloaded(behind_ms=behind_ms),))
        case facts.SwitchCaughtUp() if node.behind:
            yield AppendNode(fact.node, (NodeRelieved(),))


def _heartbeat(world: World, memory: Memory, fact: facts.Heartbeat, now: Instant, ids: Ids) -> Iterator[Tell]:
    """The switch counts its channels; two beats in a row that disagree with the ledger are worth a snapshot. One alone
    is not: a call may just be coming or going. Where they agree, a slow audit looks all the same: a hold by a phone's
    own key, or a bridge, changes no count. The nodes are looked at one after another, not all at once.
    """
    node = world.nodes.get(fact.node)
    if node is None or not node.in_step:
        return
    ours = sum(1 for contact_id in world.contact_of_leg.values() if world.contacts[contact_id].node == fact.node)
    # A talk of which the log knows nothing has the caller's channel and the phone's, which may be a stray by now.
    ours += len({*node.strays, *node.talks}) + len(node.talks)
    # Two channels carry each leg that comes over a trunk: the one from there, and the one to the phone.
    ours += 2 * sum(1 for via in world.far_legs.values() if via == fact.node)
    disagreed = memory.disagreed(fact.node, now=ours != fact.sessions)
    names = sorted(world.nodes)
    offset = AUDIT_EVERY * names.index(fact.node) // len(names)
    if memory.audit_due(fact.node, now, AUDIT_EVERY, offset) or disagreed:
        yield TakeSnapshot(id=ids.new("snapshot"), node=fact.node, leg="")
