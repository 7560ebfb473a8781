"""What a switch's fact means for the contact whose leg it tells about.

News of legs that nobody knows is judged here too: a caller's leg that parks is a new contact; a leg of ours that has no
contact is a stray and is hung up on sight.
"""

from collections.abc import Iterator

from orchestrator.domain.contacts import commands
from orchestrator.domain.contacts.contacts import doomed_legs
from orchestrator.domain.contacts.names import clean_dialled
from orchestrator.domain.kernel import SECOND, Instant
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import CheckLeg, HangUpLeg, TakeSnapshot
from orchestrator.domain.switch.nodes import StrayLegClosed, StrayLegFound
from orchestrator.domain.world import World
from orchestrator.policies.base import Ids, TellContact
from orchestrator.runner.memory import Memory
from orchestrator.runner.telling import AppendNode, Tell

# From a phone's answer until the switch says that both hear each other. On a loaded switch of two cores this took
# under half a second; five leave room for a slow link.
CONNECT_WITHIN = 5 * SECOND

# The dialplan context in which callers arrive (freeswitch/conf). A leg that parks in another one is an agent's phone
# that dialled by itself.
INBOUND_CONTEXT = "ringledger-inbound"

# A name or number longer than this is cut before it is sealed: no network carries more, and a log is no dump.
RAW_LENGTH = 2_048


def on_fact(world: World, memory: Memory, fact: facts.Fact, now: Instant, ids: Ids) -> Iterator[Tell]:
    """What follows from one fact. News that changes nothing yields nothing."""
    match fact:
        case facts.LegBridged():
            yield from _bridged(world, fact, ids)
        case facts.RecordingStarted() | facts.RecordingStopped():
            yield from _recording(world, fact)
        case facts.LegFact():
            yield from _of_leg(world, fact, now, ids)
        case facts.JobDone() if not fact.ok and fact.job in world.contact_of_leg:
            yield from _never_parked(world, fact.job, fact.answer, now, ids)
        case facts.LegPresence():
            yield from _presence(world, fact, now, ids)
        case facts.InstructionSkipped() | facts.InstructionFailed():
            yield from _not_done(world, fact, now, ids)
        case facts.Heartbeat():
            yield from _heartbeat(world, memory, fact, ids)


def _of_leg(world: World, fact: facts.LegFact, now: Instant, ids: Ids) -> Iterator[Tell]:
    contact = world.contacts.get(world.contact_of_leg.get(fact.leg, ""))
    if contact is None:
        yield from _of_unknown_leg(world, fact, ids)
        return
    if isinstance(fact, facts.LegHungUp):
        yield _gone(world, fact.leg, fact.cause, now)
        return
    if fact.leg == contact.caller_leg:
        return
    if fact.leg in doomed_legs(contact):
        # The hang-up may have come before the leg was made; so every sign of life repeats it.
        yield _hang_up(contact.node, fact.leg, contact.contact_id, ids)
        return
    match fact:
        case facts.LegRinging():
            yield TellContact(contact.contact_id, commands.NoteDelivered(leg=fact.leg))
        case facts.LegParked():
            # Not at LegAnswered: until the leg parks, its originate still runs in the switch, and a bridge in that
            # moment makes it report ORIGINATOR_CANCEL for a leg that lives on (seen with a phone that answers at once).
            connect_by = Instant(now + CONNECT_WITHIN)
            yield TellContact(contact.contact_id, commands.NoteAnswered(leg=fact.leg, connect_by=connect_by))
        case facts.LegHeld():
            yield TellContact(contact.contact_id, commands.NoteHold(leg=fact.leg, on=True))
        case facts.LegResumed():
            yield TellContact(contact.contact_id, commands.NoteHold(leg=fact.leg, on=False))


def _of_unknown_leg(world: World, fact: facts.LegFact, ids: Ids) -> Iterator[Tell]:
    node = world.nodes.get(fact.node)
    known_stray = node is not None and fact.leg in node.strays
    match fact:
        case facts.LegHungUp() if known_stray:
            yield AppendNode(fact.node, (StrayLegClosed(leg=fact.leg, cause=fact.cause),))
        case facts.LegHungUp():
            return
        case facts.LegParked(inbound=True, context=context) if fact.leg not in world.closed_legs:
            if context == INBOUND_CONTEXT:
                yield receive(fact, "live", ids)
            elif not known_stray:
                yield from stray(fact.node, fact.leg, fact.contact, fact.offer, ids)
        case facts.LegCreated(inbound=False) | facts.LegRinging() | facts.LegAnswered() | facts.LegParked():
            if fact.contact and not known_stray:
                yield from stray(fact.node, fact.leg, fact.contact, fact.offer, ids)


def receive(fact: facts.LegParked | facts.SeenLeg, found: str, ids: Ids, node: str = "") -> TellContact:
    """The command that makes a contact of a caller's leg."""
    return TellContact(
        ids.new("contact"),
        commands.Receive(
            node=fact.node if isinstance(fact, facts.LegParked) else node,
            leg=fact.leg,
            dialled=clean_dialled(fact.dialled),
            caller_number=fact.caller_number[:RAW_LENGTH],
            caller_name=fact.caller_name[:RAW_LENGTH],
            trunk=clean_dialled(fact.trunk),
            found=found,
        ),
    )


def stray(node: str, leg: str, contact: str, offer: str, ids: Ids) -> Iterator[Tell]:
    """Record a leg that nobody wants, and hang it up."""
    yield AppendNode(node, (StrayLegFound(leg=leg, contact_id=clean_dialled(contact), offer_id=clean_dialled(offer)),))
    yield _hang_up(node, leg, "", ids)


def _hang_up(node: str, leg: str, contact_id: str, ids: Ids) -> HangUpLeg:
    return HangUpLeg(id=ids.of("hang_up", leg), node=node, leg=leg, contact=contact_id)


def _gone(world: World, leg: str, cause: str, now: Instant, repair: str = "") -> TellContact:
    command = commands.NoteLegGone(
        leg=leg, cause=cause or "UNSPECIFIED", next_connect_by=Instant(now + CONNECT_WITHIN), repair=repair
    )
    return TellContact(world.contact_of_leg[leg], command)


def _bridged(world: World, fact: facts.LegBridged, ids: Ids) -> Iterator[Tell]:
    contact_id = world.contact_of_leg.get(fact.leg) or world.contact_of_leg.get(fact.other)
    if contact_id is not None:
        command = commands.NoteBridged(leg=fact.leg, other=fact.other, segment_id=ids.new("segment"))
        yield TellContact(contact_id, command)


def _recording(world: World, fact: facts.RecordingStarted | facts.RecordingStopped) -> Iterator[Tell]:
    contact_id = world.contact_of_leg.get(fact.leg)
    if contact_id is not None:
        file = clean_file(fact.path)
        length = fact.length_ms if isinstance(fact, facts.RecordingStopped) else -1
        yield TellContact(contact_id, commands.NoteRecording(file=file, length_ms=length))


def clean_file(path: str) -> str:
    """The last part of a path, reduced to characters that our own file names have."""
    return "".join(c for c in path.rpartition("/")[2][:100] if c.isascii() and (c.isalnum() or c in "-_."))


def _presence(world: World, fact: facts.LegPresence, now: Instant, ids: Ids) -> Iterator[Tell]:
    contact = world.contacts.get(world.contact_of_leg.get(fact.leg, ""))
    if contact is None:
        return
    if not fact.exists:
        yield _gone(world, fact.leg, "UNKNOWN", now, repair="absent")
    elif fact.leg in doomed_legs(contact):
        yield _hang_up(contact.node, fact.leg, contact.contact_id, ids)


def _never_parked(world: World, leg: str, cause: str, now: Instant, ids: Ids) -> Iterator[Tell]:
    """The switch says that a phone could not be had. One that never rang has no hang-up of its own, so this is its end;
    one that has answered all the same is asked after."""
    contact = world.contacts[world.contact_of_leg[leg]]
    if contact.offer is not None and leg in contact.offer.answered:
        yield CheckLeg(id=ids.of("check", leg), node=contact.node, leg=leg, contact=contact.contact_id)
    else:
        yield _gone(world, leg, cause, now)


def _not_done(
    world: World, fact: facts.InstructionSkipped | facts.InstructionFailed, now: Instant, ids: Ids
) -> Iterator[Tell]:
    contact = world.contacts.get(world.contact_of_leg.get(fact.leg, ""))
    if contact is None:
        return
    match fact.kind:
        case "RingAgent":
            cause = fact.answer if isinstance(fact, facts.InstructionFailed) else "NEVER_RUNG"
            yield from _never_parked(world, fact.leg, cause, now, ids)
        case "BridgeLegs" | "AnswerCaller" | "PlayWaiting" | "PlayApology" if isinstance(fact, facts.InstructionFailed):
            for leg in contact.legs:
                yield CheckLeg(id=ids.of("check", leg), node=contact.node, leg=leg, contact=contact.contact_id)


def _heartbeat(world: World, memory: Memory, fact: facts.Heartbeat, ids: Ids) -> Iterator[Tell]:
    """The switch counts its channels; two beats in a row that disagree with the ledger are worth a snapshot. One alone
    is not: a call may just be coming or going.
    """
    node = world.nodes.get(fact.node)
    ours = sum(1 for contact_id in world.contact_of_leg.values() if world.contacts[contact_id].node == fact.node)
    ours += len(node.strays) if node is not None else 0
    if memory.disagreed(fact.node, now=ours != fact.sessions):
        yield TakeSnapshot(id=ids.new("snapshot"), node=fact.node, leg="")
