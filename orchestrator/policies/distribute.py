"""Whenever a contact waits or an agent is free, then the best pair becomes an offer."""

from collections.abc import Iterator

from orchestrator.domain.contacts.commands import ExpireVisit, MakeOffer
from orchestrator.domain.contacts.contacts import (
    Candidate,
    Contact,
    Decision,
    LegClosed,
    Reservation,
    Visit,
    extension_of,
)
from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.routing.queues import APOLOGY
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.switch.nodes import Node, NodeReconciled
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, TellContact

# How many candidates a decision record names; the others are counted by state, and replay derives the rest (law 14).
CANDIDATES_KEPT = 3


def distribute(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever a contact waits or an agent is free, then offer; a wait that is over ends instead."""
    match happened.after:
        case Contact(status="waiting" | "awaiting_callback", visit=visit) as contact if (
            visit is not None and world.in_step(contact.node)
        ):
            yield from _wait_on(world, contact, visit, happened.at, ids)
        case Shift() as shift:
            yield from _employ(world, shift.shift_id, happened.at, ids)
        case Node() as node if isinstance(happened.record.event, NodeReconciled):
            yield from _end_long_waits(world, node.node_id, happened.at)
            yield from _serve_all(world, happened.at, ids)
    match happened.record.event:
        case LegClosed() as event if isinstance(happened.before, Contact):
            # The phone is on the hook again: only now can it be rung for somebody else.
            shift_id = world.shift_at.get(extension_of(happened.before, event.leg))
            if shift_id is not None:
                yield from _employ(world, shift_id, happened.at, ids)
        case ConfigurationApplied():
            yield from _serve_all(world, happened.at, ids)


def _wait_on(world: World, contact: Contact, visit: Visit, now: Instant, ids: Ids) -> Iterator[Do]:
    if visit.leave_by <= now:
        yield TellContact(contact.contact_id, _over(world, contact, now))
    else:
        yield from _serve(world, visit.queue_id, now, ids)


def _employ(world: World, shift_id: str, now: Instant, ids: Ids) -> Iterator[Do]:
    if not world.matching.is_free(shift_id):
        return
    contact_id = world.matching.best_contact(world.shifts[shift_id].agent_id)
    if contact_id is not None:
        yield from _serve(world, world.contacts[contact_id].queue_id, now, ids)


def _end_long_waits(world: World, node_id: str, now: Instant) -> Iterator[Do]:
    """Waits that ended while the switch could not be told."""
    for contact in tuple(world.contacts.values()):
        if contact.node == node_id and contact.visit is not None and contact.visit.leave_by <= now:
            yield TellContact(contact.contact_id, _over(world, contact, now))


def _over(world: World, contact: Contact, now: Instant) -> ExpireVisit:
    queue = world.queues.get(contact.queue_id)
    return ExpireVisit(prompt=queue.settings.apology if queue is not None else APOLOGY, now=now)


def _serve(world: World, queue_id: str, now: Instant, ids: Ids) -> Iterator[Do]:
    """Offer from the head of the queue for as long as that gets anywhere. The runner carries each offer out before it
    asks for the next, so nobody is reserved twice.
    """
    last = None
    while (contact_id := world.matching.next_contact(queue_id)) not in (None, last):
        offer = _offer(world, queue_id, now, ids)
        if offer is None:
            return
        yield TellContact(contact_id, offer)
        last = contact_id


def _serve_all(world: World, now: Instant, ids: Ids) -> Iterator[Do]:
    """Serve every queue, whoever should be served first in all of them first."""
    hopeless: set[str] = set()
    while (queue_id := world.matching.first_queue(hopeless)) is not None:
        contact_id = world.matching.next_contact(queue_id)
        offer = _offer(world, queue_id, now, ids)
        if contact_id is not None and offer is not None:
            yield TellContact(contact_id, offer)
        if world.matching.next_contact(queue_id) == contact_id:
            hopeless.add(queue_id)


def _offer(world: World, queue_id: str, now: Instant, ids: Ids) -> MakeOffer | None:
    settings = world.queues[queue_id].settings
    best = world.matching.best_agents(queue_id, max(settings.ring_at_once, CANDIDATES_KEPT))
    chosen = best[: settings.ring_at_once]
    if not chosen:
        return None
    reservations = tuple(
        Reservation(
            shift_id=standing.shift_id,
            agent_id=standing.agent_id,
            extension=world.shifts[standing.shift_id].extension,
            leg=ids.new("leg"),
        )
        for standing in chosen
    )
    others = world.matching.states(queue_id)
    others.pop("ready", None)
    decision = Decision(
        rule=settings.rule,
        config_version=world.config_version,
        skill=settings.skill,
        min_level=settings.min_level,
        candidates=tuple(
            Candidate(agent_id=s.agent_id, level=s.level, idle_ms=(now - s.idle_since) // MILLISECOND)
            for s in best[:CANDIDATES_KEPT]
        ),
        others=others,
    )
    return MakeOffer(
        offer_id=ids.new("offer"),
        reservations=reservations,
        deadline=Instant(now + settings.ring_ms * MILLISECOND),
        decision=decision,
    )
