"""Ledger and switch brought together: after every connect, restart or doubt (law 5).

The ledger is what we believe, a snapshot is what the switch says it has. Legs that it does not list are asked after one
by one before they are closed, because its list lags behind.
"""

from collections.abc import Iterator

from orchestrator.domain.contacts import commands
from orchestrator.domain.contacts.contacts import Contact, Offer, doomed_legs
from orchestrator.domain.kernel import SECOND, Instant
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.causes import SWITCH_RESTARTED
from orchestrator.domain.switch.instructions import AnswerCaller, CheckLeg, HangUpLeg, PlayWaiting
from orchestrator.domain.switch.nodes import NodeConnected, NodeLost, NodeRepaired, StrayLegClosed
from orchestrator.domain.world import World
from orchestrator.policies.base import Ids, TellContact
from orchestrator.runner import sensing
from orchestrator.runner.memory import Memory
from orchestrator.runner.telling import AppendNode, Tell

ORIGIN = "recovery"

# A leg that was asked for this recently may simply not be listed yet.
JUST_NOW = 2 * SECOND


def repairs(fact: facts.Fact) -> bool:
    """Whether what follows from this fact is repair rather than news."""
    return isinstance(fact, facts.Snapshot | facts.LegPresence)


def on_node(
    world: World, memory: Memory, fact: facts.LinkUp | facts.LinkDown | facts.Snapshot, now: Instant, ids: Ids
) -> Iterator[Tell]:
    """What follows from a link that came or went, or from a snapshot."""
    match fact:
        case facts.LinkUp():
            yield from _link_up(world, fact, now)
        case facts.LinkDown():
            node = world.nodes.get(fact.node)
            if node is None or node.status == "connected":
                yield AppendNode(fact.node, (NodeLost(why=fact.why[:200]),))
        case facts.Snapshot():
            yield from _snapshot(world, memory, fact, now, ids)


def _link_up(world: World, fact: facts.LinkUp, now: Instant) -> Iterator[Tell]:
    node = world.nodes.get(fact.node)
    restarted = node is not None and bool(node.core) and node.core != fact.core
    if node is None or node.status != "connected" or restarted:
        yield AppendNode(fact.node, (NodeConnected(core=fact.core, restarted=restarted),))
    if restarted:
        yield from _all_gone(world, fact.node, now)


def _all_gone(world: World, node: str, now: Instant) -> Iterator[Tell]:
    for contact in tuple(world.contacts.values()):
        if contact.node != node:
            continue
        for leg in contact.legs:
            command = commands.NoteLegGone(
                leg=leg, cause=SWITCH_RESTARTED, next_connect_by=now, repair="switch_restarted"
            )
            yield TellContact(contact.contact_id, command)


def _snapshot(world: World, memory: Memory, fact: facts.Snapshot, now: Instant, ids: Ids) -> Iterator[Tell]:
    first = memory.first_snapshot(fact.node)
    seen = {leg.leg: leg for leg in fact.legs}
    doubted = corrected = 0
    # Longest wait first, so that offers made again keep the order of the queue.
    mine = sorted(
        (c for c in world.contacts.values() if c.node == fact.node), key=lambda c: (c.arrived_at, c.contact_id)
    )
    for contact in mine:
        missing = tuple(leg for leg in contact.legs if leg not in seen and not _just_asked_for(contact, leg, now))
        doubted += len(missing)
        for leg in missing:
            yield CheckLeg(id=ids.of("check", leg), node=fact.node, leg=leg, contact=contact.contact_id)
        for tell in _corrections(contact, seen, now, ids, first=first):
            corrected += isinstance(tell, TellContact)
            yield tell
    yield from _gone_strays(world, fact, seen)
    adopted = strays = 0
    for found in fact.legs:
        if found.leg in world.contact_of_leg:
            continue
        if (
            found.inbound
            and found.parked
            and found.context == sensing.INBOUND_CONTEXT
            and found.leg not in world.closed_legs
        ):
            adopted += 1
            yield sensing.receive(found, "resync", ids, node=fact.node)
        elif found.contact and found.leg not in _strays(world, fact.node):
            strays += 1
            yield from sensing.stray(fact.node, found.leg, found.contact, found.offer, ids)
    if adopted or doubted or corrected or strays:
        why = "start" if first else "resync"
        repaired = NodeRepaired(why=why, adopted=adopted, doubted=doubted, corrected=corrected, strays=strays)
        yield AppendNode(fact.node, (repaired,))


def _strays(world: World, node_id: str) -> tuple[str, ...]:
    node = world.nodes.get(node_id)
    return node.strays if node is not None else ()


def _gone_strays(world: World, fact: facts.Snapshot, seen: dict[str, facts.SeenLeg]) -> Iterator[Tell]:
    gone = tuple(StrayLegClosed(leg=leg, cause="UNKNOWN") for leg in _strays(world, fact.node) if leg not in seen)
    if gone:
        yield AppendNode(fact.node, gone)


def _just_asked_for(contact: Contact, leg: str, now: Instant) -> bool:
    offer = contact.offer
    if offer is None or leg == contact.caller_leg or leg in offer.delivered or leg in offer.answered:
        return False
    return now - offer.made_at < JUST_NOW


def _corrections(
    contact: Contact, seen: dict[str, facts.SeenLeg], now: Instant, ids: Ids, *, first: bool
) -> Iterator[Tell]:
    caller = seen.get(contact.caller_leg)
    for leg in doomed_legs(contact):
        if leg in seen and not (contact.told == "turned_away" and leg == contact.caller_leg and not first):
            yield HangUpLeg(id=ids.of("hang_up", leg), node=contact.node, leg=leg, contact=contact.contact_id)
    if contact.offer is not None:
        yield from _offer_corrections(contact, contact.offer, seen, now, ids, first=first)
    elif contact.status == "waiting" and first and caller is not None and not caller.answered:
        # Committed, then the process died before it could say so: the caller has heard nothing yet.
        music = contact.music or "ringledger"
        yield AnswerCaller(
            id=ids.of("answer", caller.leg), node=contact.node, leg=caller.leg, contact=contact.contact_id
        )
        yield PlayWaiting(
            id=ids.of("music", caller.leg), node=contact.node, leg=caller.leg, contact=contact.contact_id, music=music
        )


def _offer_corrections(
    contact: Contact, offer: Offer, seen: dict[str, facts.SeenLeg], now: Instant, ids: Ids, *, first: bool
) -> Iterator[Tell]:
    caller = seen.get(contact.caller_leg)
    legs = {held.leg for held in offer.reservations}
    if caller is not None and caller.bridged_to in legs:
        yield TellContact(
            contact.contact_id,
            commands.NoteBridged(leg=caller.leg, other=caller.bridged_to, segment_id=ids.new("segment")),
        )
    elif first:
        yield TellContact(contact.contact_id, commands.WithdrawOffer(cause="engine_restarted"))
    else:
        for leg in sorted(legs & seen.keys()):
            if seen[leg].answered and leg not in offer.answered:
                connect_by = Instant(now + sensing.CONNECT_WITHIN)
                yield TellContact(contact.contact_id, commands.NoteAnswered(leg=leg, connect_by=connect_by))
