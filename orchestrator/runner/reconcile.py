"""Ledger and switch brought together: after every connect, restart or doubt (law 5).

The ledger is what we believe, a snapshot is what the switch says it has. Legs that it does not list are asked after one
by one before they are closed, because its list lags behind.
"""

from collections.abc import Iterator
from typing import Final

from orchestrator.domain.contacts import commands
from orchestrator.domain.contacts.consults import (
    CALLER,
    Consult,
    all_three,
    consult_leg,
    hears_nobody,
)
from orchestrator.domain.contacts.contacts import Contact, Offer, Segment, doomed_legs
from orchestrator.domain.contacts.dials import heard, under_way, unreached
from orchestrator.domain.contacts.guest_commands import JoinGuestsAgain
from orchestrator.domain.contacts.guests import room
from orchestrator.domain.contacts.legs import parking_leg
from orchestrator.domain.contacts.monitor_commands import MonitorAgain
from orchestrator.domain.contacts.monitors import Monitor
from orchestrator.domain.contacts.names import clean_dialled
from orchestrator.domain.contacts.outward import farewell_leg, outward_leg
from orchestrator.domain.contacts.parks import PARKED
from orchestrator.domain.kernel import MILLISECOND, SECOND, Instant
from orchestrator.domain.switch import contexts, facts
from orchestrator.domain.switch.between import far_leg, near_leg
from orchestrator.domain.switch.causes import SWITCH_DEAD, SWITCH_RESTARTED, SWITCH_STOPPED
from orchestrator.domain.switch.instructions import CheckLeg, MarkDrained
from orchestrator.domain.switch.nodes import (
    DEAD,
    Node,
    NodeConnected,
    NodeDied,
    NodeLost,
    NodeReconciled,
    NodeRepaired,
    SnapshotFailed,
    UnknownTalkEnded,
    UnknownTalkFound,
    compare,
)
from orchestrator.domain.world import World
from orchestrator.policies.admit import answer_caller, claim_caller, play_waiting, say_goodbye
from orchestrator.policies.base import Ids, TellContact
from orchestrator.policies.call_out import let_hear
from orchestrator.policies.consult import keep_leg
from orchestrator.policies.dismiss import sign_out
from orchestrator.policies.monitor import let_in_again
from orchestrator.policies.pass_on import park_leg
from orchestrator.policies.record import told_again
from orchestrator.policies.speak import members_told_again
from orchestrator.policies.speak import told_again as mute_told_again
from orchestrator.policies.talk import hold_leg, resume_leg
from orchestrator.runner import sensing, unattended
from orchestrator.runner.memory import Memory
from orchestrator.runner.telling import AppendNode, Tell

ORIGIN = "recovery"

# How long a switch may be silent before it counts as dead. Its calls may live meanwhile, and its callers keep their
# places; after that their agents should serve others. A switch that was only restarted says so by another run id as
# soon as it can be reached. Chosen, not measured.
DEAD_AFTER: Final = 60 * SECOND

# Nobody waits for longer; a caller who seems to have come before that came to a switch whose clock is wrong.
LONGEST_UNHEARD: Final = 4 * 3_600 * SECOND

# Where a caller hears the queue's music, but while being joined.
_HEAR_MUSIC = ("waiting", "offered", "connecting", "sent_outside", PARKED)


def repairs(fact: facts.Fact) -> bool:
    """Whether what follows from this fact is repair rather than news."""
    return isinstance(fact, facts.Snapshot | facts.LegPresence)


def on_start(world: World, now: Instant) -> Iterator[Tell]:
    """A new active orchestrator: no switch can be heard before its link is up, and each has its full time for that.
    Whoever was removed while nobody decided, or just before that, is signed out.
    """
    for node in tuple(world.nodes.values()):
        if node.status != DEAD:
            yield lost(node.node_id, "engine_started", now)
    for shift in tuple(world.shifts.values()):
        if shift.agent_id not in world.agents and not shift.next_sign_out:
            yield sign_out(shift.shift_id)


def on_node(
    world: World,
    memory: Memory,
    fact: facts.LinkUp | facts.LinkDown | facts.Snapshot | facts.SnapshotMissing | facts.SwitchStopping,
    now: Instant,
    ids: Ids,
) -> Iterator[Tell]:
    """What follows from a link that came or went, a snapshot that came or did not, or a switch that shuts down."""
    match fact:
        case facts.LinkUp():
            memory.link_up(fact.node)
            yield from _link_up(world, fact, now, ids)
        case facts.LinkDown():
            node = world.nodes.get(fact.node)
            if node is None or node.status == "connected":
                yield lost(fact.node, fact.why[:200], now)
        case facts.SwitchStopping():
            yield from _stopping(world, fact.node, now, ids)
        case facts.SnapshotMissing():
            yield AppendNode(fact.node, (SnapshotFailed(failures=fact.failures),))
        case facts.Snapshot():
            yield from _snapshot(world, memory, fact, now, ids)


def lost(node: str, why: str, now: Instant) -> AppendNode:
    """This switch cannot be heard from now on; unless it can be again soon, it is dead."""
    return AppendNode(node, (NodeLost(why=why, dead_at=Instant(now + DEAD_AFTER)),))


def on_silence(world: World, node_id: str, now: Instant, ids: Ids, *, late: bool) -> Iterator[Tell]:
    """Nothing was heard of this switch for `DEAD_AFTER`; where we were `late` to notice, it gets that time again."""
    node = world.nodes.get(node_id)
    if node is None or node.status != "lost":
        return
    if late:
        yield lost(node_id, "engine_late", now)
        return
    yield AppendNode(node_id, (NodeDied(silent_ms=(now - node.since) // MILLISECOND),))
    yield from _all_gone(world, node_id, now, ids, cause=SWITCH_DEAD, repair="switch_dead")
    yield from _phones_gone(world, node_id, now, ids, cause=SWITCH_DEAD)


def _link_up(world: World, fact: facts.LinkUp, now: Instant, ids: Ids) -> Iterator[Tell]:
    node = world.nodes.get(fact.node)
    restarted = node is not None and bool(node.core) and node.core != fact.core
    if node is None or node.status != "connected" or restarted:
        yield AppendNode(fact.node, (NodeConnected(core=fact.core, restarted=restarted),))
    if restarted:
        yield from _all_gone(world, fact.node, now, ids, cause=SWITCH_RESTARTED, repair="switch_restarted")
        yield from _phones_gone(world, fact.node, now, ids, cause=SWITCH_RESTARTED)


def _stopping(world: World, node_id: str, now: Instant, ids: Ids) -> Iterator[Tell]:
    """It hangs up on everybody, and takes nobody any more: lost at once, so that nobody is called over it meanwhile."""
    node = world.nodes.get(node_id)
    if node is None or node.status != "connected":
        return
    yield lost(node_id, "it shuts down", now)
    yield from _all_gone(world, node_id, now, ids, cause=SWITCH_STOPPED, repair="switch_stopped")
    yield from _phones_gone(world, node_id, now, ids, cause=SWITCH_STOPPED)


def _all_gone(world: World, node: str, now: Instant, ids: Ids, *, cause: str, repair: str) -> Iterator[Tell]:
    """Every leg of this switch is gone, and nobody will ever report it. Phones of other switches are told to put down:
    their callers are not there any more.
    """
    ringing = [
        (leg, via) for leg, via in world.far_legs.items() if world.contacts[world.contact_of_leg[leg]].node == node
    ]
    for contact_id in [contact.contact_id for contact in world.contacts.values() if contact.node == node]:
        # A customer who is to be called back may be moved, and somebody rung there, as soon as the last leg is closed.
        while (contact := world.contacts.get(contact_id)) is not None and contact.node == node and contact.legs:
            command = commands.NoteLegGone(
                # The caller's first, wherever it stands: with it the call ends, and why.
                leg=contact.caller_leg if contact.caller_leg in contact.legs else contact.legs[0],
                cause=cause,
                next_connect_by=now,
                repair=repair,
                now=now,
            )
            yield TellContact(contact_id, command)
    for leg, via in ringing:
        yield sensing.hang_up(via, far_leg(leg), "", ids)


def _phones_gone(world: World, node: str, now: Instant, ids: Ids, *, cause: str) -> Iterator[Tell]:
    """The phones of this switch have lost their calls: the near halves, on other switches, have nobody to talk to.
    Whoever is asked about a caller goes before the agent who asked: nobody is left to one whose phone is lost.
    """
    lost = [leg for leg, via in world.far_legs.items() if via == node]
    for leg in sorted(lost, key=lambda leg: _is_of_a_talk(world, leg)):
        # The far half of a leg that was closed with its own switch is no leg of anybody any more.
        if leg in world.far_legs:
            yield sensing.phone_lost(world, leg, cause, now, ids)


def _is_of_a_talk(world: World, leg: str) -> bool:
    segment = world.contacts[world.contact_of_leg[leg]].segment
    return segment is not None and segment.leg == leg


def _snapshot(world: World, memory: Memory, fact: facts.Snapshot, now: Instant, ids: Ids) -> Iterator[Tell]:
    node = world.nodes.get(fact.node)
    if node is None or node.status != "connected":
        return  # it was made over a connection that is lost by now
    first = memory.first_snapshot(fact.node)
    for found in fact.legs:
        if found.leg not in world.far_legs:
            memory.note_made(near_leg(found.leg) or found.leg)
        if near := near_leg(found.leg):
            memory.note_held_afar(near, on=found.held)
    for found in fact.legs:
        if unattended.is_unattended(found):
            yield from unattended.left_to_switch(world, memory, found, now)
    sight = _Sight(fact, now, ids, memory, first=first, entering=not node.in_step)
    adopted = doubted = corrected = strays = 0
    for contact in [contact for contact in world.contacts.values() if contact.node == fact.node]:
        for leg in contact.legs:
            if leg not in sight.seen and not sensing.just_asked_for(contact, leg, now):
                doubted += 1
                yield CheckLeg(id=ids.of("check", leg), node=fact.node, leg=leg, contact=contact.contact_id)
        for tell in _corrections(world, contact, sight):
            corrected += isinstance(tell, TellContact)
            yield tell
    for leg in node.strays:
        if now < memory.spoken_until(leg):
            continue
        if leg in sight.seen:
            yield sensing.hang_up(fact.node, leg, "", ids)
        else:
            yield CheckLeg(id=ids.of("check", leg), node=fact.node, leg=leg)
    for leg in node.talks:
        if leg not in sight.seen:
            yield AppendNode(fact.node, (UnknownTalkEnded(leg=leg),))
    # Whoever came first is queued first.
    for found in sorted(fact.legs, key=lambda leg: (leg.created or 0, leg.leg)):
        if found.leg in world.contact_of_leg or found.leg in node.strays or memory.is_buried(found.leg):
            continue
        if found.leg in world.closed_legs:
            yield CheckLeg(id=ids.of("check", found.leg), node=fact.node, leg=found.leg)
        elif found.inbound and found.context == contexts.INBOUND:
            if found.parked:
                adopted += 1
                came_at = memory.ours(fact.node, found.created, now) if found.created is not None else now
                yield sensing.receive(world, found, "resync", ids, node=fact.node, came_at=_believed(came_at, now))
        elif _talks(world, found, sight):
            if found.leg not in node.talks:
                talk = UnknownTalkFound(leg=found.leg, extension=found.phone, contact_id=clean_dialled(found.contact))
                yield AppendNode(fact.node, (talk,))
        elif found.contact or found.parked or _is_orphan(world, found.leg):
            strays += 1
            yield from sensing.stray(fact.node, found.leg, found.contact, found.offer, ids)
    if adopted or doubted or corrected or strays:
        why = "start" if first else "resync"
        repaired = NodeRepaired(why=why, adopted=adopted, doubted=doubted, corrected=corrected, strays=strays)
        yield AppendNode(fact.node, (repaired,))
    # Read anew: every word of this snapshot may have moved the node on.
    phones = compare(world.nodes[fact.node], fact.phones, entering=sight.entering)
    if phones:
        yield AppendNode(fact.node, phones)
    memory.listed(fact.node)
    if sight.entering:
        yield AppendNode(fact.node, (NodeReconciled(),))
        if node.marked or node.drained:
            yield mark_drained(world.nodes[fact.node], ids)


def _believed(came_at: Instant, now: Instant) -> Instant:
    """Since when a caller waits whom nobody had heard of; 0, since now, where a clock must be wrong."""
    return came_at if now - LONGEST_UNHEARD < came_at < now else Instant(0)


def mark_drained(node: Node, ids: Ids) -> MarkDrained:
    """Let the switch know whether it takes new calls."""
    return MarkDrained(id=ids.of("drained", node.node_id), node=node.node_id, leg="", on=bool(node.drained))


def _talks(world: World, found: facts.SeenLeg, sight: "_Sight") -> bool:
    """Whether this phone talks with a caller of whom the log knows nothing, as after a spool that was put aside: they
    go on, and each leg is looked at when it parks.
    """
    other = sight.seen.get(found.bridged_to)
    known = found.bridged_to in world.contact_of_leg or found.bridged_to in world.closed_legs
    return other is not None and other.inbound and other.context == contexts.INBOUND and not known


def _is_orphan(world: World, leg: str) -> bool:
    """Whether this rings or holds a phone for a leg of another switch that no contact has any more."""
    near = near_leg(leg)
    return bool(near) and near not in world.far_legs


class _Sight:
    """A snapshot with what is to be kept in mind while looking at it."""

    def __init__(
        self, fact: facts.Snapshot, now: Instant, ids: Ids, memory: Memory, *, first: bool, entering: bool
    ) -> None:
        self.memory = memory
        self.node = fact.node
        self.seen = {leg.leg: leg for leg in fact.legs}
        self.now = now
        self.ids = ids
        self.first = first
        """The first one since this process became active: whatever was committed may not have been performed."""
        self.entering = entering
        """The first one since the link came up: whatever was told before that may not have arrived."""

    def is_told(self, leg: str, heard: str) -> bool:
        """Whether the switch was told over this very link to let this leg hear that one, or that room: to be told again
        would part them.
        """
        return self.memory.is_told(self.node, leg, heard)

    def are_told(self, leg: str, other: str) -> bool:
        """Whether it was told over this link to join these two."""
        return self.is_told(leg, other) and self.is_told(other, leg)

    def answered(self, leg: str) -> bool:
        """Whether this leg of ours has answered, and waits to be joined with the caller."""
        found = self.seen.get(leg)
        return found is not None and found.answered and found.parked


def _corrections(world: World, contact: Contact, sight: _Sight) -> Iterator[Tell]:
    caller = sight.seen.get(contact.caller_leg)
    parting = farewell_leg(contact) if contact.apology else ""
    if parting in sight.seen and sight.entering:
        if contact.farewell:
            yield answer_caller(contact, sight.ids, leg=parting)
        yield say_goodbye(contact, sight.ids)
    for leg in doomed_legs(contact):
        if leg in sight.seen and leg != parting and not _is_being_left(contact, sight.seen[leg]):
            yield sensing.hang_up(contact.node, leg, contact.contact_id, sight.ids)
    if contact.status in _HEAR_MUSIC and caller is not None and sight.entering:
        yield answer_caller(contact, sight.ids) if contact.answered else claim_caller(contact, sight.ids)
        if caller.bridged_to and caller.bridged_to in doomed_legs(contact):
            yield park_leg(contact, sight.ids)  # passed on, and the switch was not told of it
        elif not _is_joining(contact, sight):
            yield play_waiting(contact, sight.ids)
    if caller is not None and parking_leg(contact):
        doubted = sight.memory.end_park_doubt(caller.leg)
        if caller.parked:
            yield TellContact(contact.contact_id, commands.NoteParked(leg=caller.leg))
        elif doubted and not sight.entering:
            yield park_leg(contact, sight.ids)  # it was not told, or did not come to it
    if contact.consult is not None and contact.segment is not None:
        yield from _consult_corrections(world, contact, contact.segment, contact.consult, sight)
    if contact.guests or contact.aside is not None:
        yield from _guest_corrections(world, contact, sight)
    if contact.monitor is not None:
        yield from _monitor_corrections(world, contact, contact.monitor, sight)
    if outward_leg(contact):
        yield from _outward_corrections(world, contact, sight)
    if contact.segment is not None and contact.segment.leg in sight.seen and sight.entering:
        yield from mute_told_again(contact, contact.segment, sight.ids)
    if contact.hushed and sight.entering:
        yield from (told for told in members_told_again(contact, sight.ids) if told.leg in sight.seen)
    if contact.offer is not None:
        yield from _offer_corrections(contact, contact.offer, sight)
    elif contact.segment is not None:
        yield from _segment_corrections(world, contact, contact.segment, sight)
    if caller is not None and sight.entering:
        yield from told_again(world, contact, sight.ids)


def _consult_corrections(
    world: World, contact: Contact, segment: Segment, consult: Consult, sight: _Sight
) -> Iterator[Tell]:
    """Who hears whom in a consultation, as the switch has it; whoever hears nobody hears music again."""
    agent = sight.seen.get(segment.leg)
    if agent is None:
        # Asked after. Whoever is consulted and has picked up has the caller, if the agent is gone; they missed no call.
        if sight.answered(consult_leg(contact)) and not consult.answered:
            yield TellContact(
                contact.contact_id, sensing.note_answered(world, contact, consult_leg(contact), sight.now)
            )
        # Until it is known what becomes of the caller, and if they wait on then, they hear music.
        caller = sight.seen.get(contact.caller_leg)
        alone = caller is not None and caller.parked and hears_nobody(contact, caller.leg)
        if sight.entering and alone:
            yield play_waiting(contact, sight.ids)
        return
    if agent.bridged_to:
        bridged = commands.NoteBridged(leg=agent.leg, other=agent.bridged_to, segment_id=sight.ids.new("segment"))
        yield TellContact(contact.contact_id, bridged)
    for leg in all_three(contact):
        if leg in sight.seen and sight.seen[leg].room:
            yield TellContact(contact.contact_id, commands.NoteMember(leg=leg, room=sight.seen[leg].room))
    if sight.answered(consult_leg(contact)) and not consult.answered:
        yield TellContact(contact.contact_id, sensing.note_answered(world, contact, consult_leg(contact), sight.now))
    if not sight.entering and agent.parked and not agent.bridged_to and not consult.away:
        parked = commands.NoteAgentParked(leg=agent.leg, connect_by=Instant(sight.now + sensing.CONNECT_WITHIN))
        yield TellContact(contact.contact_id, parked)  # that it left the caller was not heard
    now = world.contacts.get(contact.contact_id)
    if not sight.entering or now is None or now.consult is None:
        return
    yield keep_leg(contact, segment, sight.ids)
    for leg in (contact.caller_leg, consult_leg(contact)):
        if leg in sight.seen and sight.seen[leg].room and hears_nobody(now, leg):
            yield park_leg(contact, sight.ids, leg=leg)
        elif leg in sight.seen and not sight.seen[leg].bridged_to and hears_nobody(now, leg):
            yield play_waiting(contact, sight.ids, leg=leg)
    if now.consult.wish:
        # All three are brought together from the desk alone, which waits until the channels are known.
        other = contact.caller_leg if now.consult.wish == CALLER else consult_leg(contact)
        if not sight.are_told(segment.leg, other):
            connect_by = Instant(sight.now + sensing.CONNECT_WITHIN)
            yield TellContact(contact.contact_id, commands.JoinConsultAgain(connect_by=connect_by))
    elif not now.consult.hears and agent.bridged_to == contact.caller_leg:
        yield park_leg(contact, sight.ids)  # the switch was not told that somebody is consulted


def _guest_corrections(world: World, contact: Contact, sight: _Sight) -> Iterator[Tell]:
    """Who of a conference is in the room, as the switch has it; whoever should be is brought in."""
    for guest in contact.guests:
        found = sight.seen.get(guest.leg)
        if found is None:
            continue
        if guest.held and found.parked:
            yield TellContact(contact.contact_id, commands.NoteParked(leg=guest.leg))
            if sight.entering:
                yield play_waiting(contact, sight.ids, leg=guest.leg)
        elif guest.held:
            yield park_leg(contact, sight.ids, leg=guest.leg)  # the switch was not told, or has not said so
        elif found.room:
            yield TellContact(contact.contact_id, commands.NoteMember(leg=guest.leg, room=found.room))
        elif found.answered and found.parked and not guest.answered:
            yield TellContact(contact.contact_id, sensing.note_answered(world, contact, guest.leg, sight.now))
    if sight.entering:
        connect_by = Instant(sight.now + sensing.CONNECT_WITHIN)
        yield TellContact(
            contact.contact_id, JoinGuestsAgain(connect_by=connect_by, told=tuple(_guests_told(contact, sight)))
        )


def _guests_told(contact: Contact, sight: _Sight) -> Iterator[str]:
    """The legs of the guests, and the agent's, that were told over this link where to be."""
    for guest in contact.guests:
        if not guest.held and sight.is_told(guest.leg, room(contact)):
            yield guest.leg
    aside, segment = contact.aside, contact.segment
    if aside is not None and segment is not None:
        back = aside.over and sight.is_told(segment.leg, room(contact))
        if back or (not aside.over and sight.are_told(segment.leg, aside.leg)):
            yield segment.leg


def _monitor_corrections(world: World, contact: Contact, monitor: Monitor, sight: _Sight) -> Iterator[Tell]:
    """Whoever monitors, as the switch has their leg; of the mode it says nothing, so what is not confirmed is told
    again.
    """
    found = sight.seen.get(monitor.leg)
    if found is None:
        return
    if found.answered and found.parked and not monitor.answered:
        yield TellContact(contact.contact_id, sensing.note_answered(world, contact, monitor.leg, sight.now))
    elif sight.entering and not (contact.segment is not None and sight.is_told(monitor.leg, contact.segment.leg)):
        if monitor.answered and contact.segment is not None and contact.segment.muted:
            yield from let_in_again(contact, monitor, sight.ids)  # whether they are behind the mute, nobody can tell
        begin_by = Instant(sight.now + sensing.CONNECT_WITHIN)
        yield TellContact(contact.contact_id, MonitorAgain(begin_by=begin_by))


def _is_being_left(contact: Contact, found: facts.SeenLeg) -> bool:
    """Whether the caller, who is taken over, is about to be taken from this leg, which then goes by itself (0078)."""
    taken = contact.transfer is not None and contact.transfer.taken
    return taken and contact.status == "connecting" and found.bridged_to == contact.caller_leg


def _is_joining(contact: Contact, sight: _Sight) -> bool:
    """Whether the caller is being joined with somebody, or is about to be, by what is seen: music told right before the
    bridge would be played over the talk.
    """
    if contact.outside is not None:
        return contact.outside.answered or sight.answered(outward_leg(contact))
    offer = contact.offer
    return offer is not None and (bool(offer.accepted) or any(sight.answered(held.leg) for held in offer.reservations))


def _outward_corrections(world: World, contact: Contact, sight: _Sight) -> Iterator[Tell]:
    """A leg to the outside as the switch has it. One that was never made, or is gone, is asked after like every leg
    that is not listed, and counts as not reached.
    """
    outside, caller = contact.outside, sight.seen.get(contact.caller_leg)
    found = sight.seen.get(outward_leg(contact))
    if found is None or (outside is not None and outside.segment_id):
        return
    if outside is not None and caller is not None and caller.bridged_to == found.leg:
        bridged = commands.NoteBridged(leg=caller.leg, other=found.leg, segment_id=sight.ids.new("segment"))
        yield TellContact(contact.contact_id, bridged)
    elif outside is not None and outside.answered:
        if sight.entering and caller is not None and not sight.are_told(caller.leg, found.leg):
            connect_by = Instant(sight.now + sensing.CONNECT_WITHIN)
            yield TellContact(contact.contact_id, commands.JoinOutsideAgain(connect_by=connect_by))
    elif sight.answered(found.leg) or (found.answered and heard(contact, found.leg)):
        yield TellContact(contact.contact_id, sensing.note_answered(world, contact, found.leg, sight.now))
    elif found.parked and not found.answered and (dial := unreached(contact)) is not None and not dial.heard:
        # Its far end sends sound already, which nobody has told: its answer, from now on, comes without a park.
        yield TellContact(contact.contact_id, commands.NoteHeard(leg=found.leg))
    elif sight.entering and (dial := unreached(contact)) is not None and not found.bridged_to:
        yield from let_hear(contact, dial, sight.ids)


def _offer_corrections(contact: Contact, offer: Offer, sight: _Sight) -> Iterator[Tell]:
    caller = sight.seen.get(contact.caller_leg)
    legs = [held.leg for held in offer.reservations]
    connect_by = Instant(sight.now + sensing.CONNECT_WITHIN)
    if caller is not None and caller.bridged_to in legs:
        bridged = commands.NoteBridged(leg=caller.leg, other=caller.bridged_to, segment_id=sight.ids.new("segment"))
        yield TellContact(contact.contact_id, bridged)
        return
    if offer.accepted:
        told = sight.are_told(contact.caller_leg, offer.accepted)
        if sight.entering and offer.accepted in sight.seen and caller is not None and not told:
            yield TellContact(contact.contact_id, commands.JoinAgain(connect_by=connect_by))
        return
    for leg in legs:
        if sight.answered(leg):
            yield TellContact(contact.contact_id, commands.NoteAnswered(leg=leg, connect_by=connect_by))
            return
        found = sight.seen.get(leg)
        if found is not None and found.ringing:  # nobody is to be blamed for a phone that could not be reached
            yield TellContact(contact.contact_id, commands.NoteDelivered(leg=leg))
    if sight.first and under_way(contact) is None:  # one who dialled is offered to nobody else: the phone rings on
        yield TellContact(contact.contact_id, commands.WithdrawOffer(cause="engine_restarted"))


def _is_held(world: World, agent: facts.SeenLeg, sight: _Sight) -> bool | None:
    """Whether the agent's leg is on hold; None where nobody can say: a hold by the key of a phone of another switch is
    known to that switch alone (0072).
    """
    if agent.held or agent.leg not in world.far_legs:
        return agent.held
    return sight.memory.held_afar(agent.leg)


def _segment_corrections(world: World, contact: Contact, segment: Segment, sight: _Sight) -> Iterator[Tell]:
    agent = sight.seen.get(segment.leg)
    if agent is None or contact.status not in ("connected", "held"):
        return
    held = _is_held(world, agent, sight)
    wished = segment.wish and held is (segment.wish == "hold")
    if held is not None and (wished or held != (contact.status == "held")):
        yield TellContact(contact.contact_id, commands.NoteHold(leg=segment.leg, on=held))
    doubted = sight.memory.hold_looked_at(segment.leg)
    if not sight.entering:
        if doubted:
            yield TellContact(contact.contact_id, commands.NoteHoldFailed(leg=segment.leg, cause=doubted))
        return
    if segment.wish_due <= sight.now:
        # One that is not due yet has its timer, which the fold of the log set again.
        if segment.wish == "hold" and not agent.held:
            yield hold_leg(contact, segment, sight.ids)
        if segment.wish == "resume" and agent.held:
            yield resume_leg(contact, segment, sight.ids)
