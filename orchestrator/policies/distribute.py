"""Whenever a contact waits or an agent is free, then the best pair becomes an offer."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from orchestrator.domain.contacts.commands import ExpireVisit, MakeOffer, WidenOffer
from orchestrator.domain.contacts.contacts import (
    Candidate,
    Contact,
    Decision,
    LegClosed,
    Offer,
    Reservation,
    Visit,
    VisitRevised,
    extension_of,
)
from orchestrator.domain.contacts.outward import IN_TURN
from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.routing.explaining import score_of
from orchestrator.domain.routing.matching import Choice
from orchestrator.domain.routing.queues import APOLOGY, QueueConfigured
from orchestrator.domain.routing.requirements import MINUTE, aged
from orchestrator.domain.routing.rules import ALL, ONE_BY_ONE, Rule, Standing
from orchestrator.domain.staff.answering import at_desk
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.switch.nodes import (
    Node,
    NodeConnected,
    NodeLost,
    NodeReconciled,
    PhoneRegistered,
    PhonesCompared,
    UnknownTalkEnded,
)
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, TellContact, asked_about
from orchestrator.policies.widen import RECONFIGURED

# How many candidates a decision record names; the others are counted by state, and replay derives the rest (law 14).
CANDIDATES_KEPT = 3


@asked_about("contact", "shift", "node", ConfigurationApplied)
def distribute(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever a contact waits or an agent is free, then offer; a wait that is over ends instead."""
    event, after = happened.record.event, happened.after
    if isinstance(after, Contact):  # first, for nearly all are
        if after.status not in IN_TURN and type(event) is not LegClosed:
            return
    elif isinstance(after, Shift):
        yield from _employ(world, after.shift_id, happened.at, ids)
        return
    if isinstance(event, VisitRevised) and event.reason == RECONFIGURED:
        return  # everybody is served once all are revised
    match happened.after:
        case Contact(visit=visit) as contact:
            if visit is not None and contact.status in IN_TURN and world.in_step(contact.node):
                yield from _wait_on(world, contact, visit, happened.at, ids)
        case Node() as node if isinstance(event, NodeReconciled):
            yield from _end_long_waits(world, node.node_id, happened.at)
            yield from _serve_all(world, happened.at, ids)
        case Node() if isinstance(event, PhonesCompared | NodeLost | NodeConnected):
            yield from _serve_all(world, happened.at, ids)  # phones that were gone by its word may not be any more
    match event:
        case LegClosed() if isinstance(happened.before, Contact):
            # The phone is on the hook again: only now can it be rung for somebody else.
            yield from _employ_at(world, extension_of(happened.before, event.leg), happened.at, ids)
        case PhoneRegistered(extension=extension):
            yield from _employ_at(world, extension, happened.at, ids)
        case UnknownTalkEnded() if isinstance(happened.before, Node):
            yield from _employ_at(world, happened.before.talks.get(event.leg, ""), happened.at, ids)
        case ConfigurationApplied():
            yield from _serve_all(world, happened.at, ids)


def _employ_at(world: World, extension: str, now: Instant, ids: Ids) -> Iterator[Do]:
    shift_id = world.shift_at.get(extension)
    if shift_id is not None:
        yield from _employ(world, shift_id, now, ids)


def _wait_on(world: World, contact: Contact, visit: Visit, now: Instant, ids: Ids) -> Iterator[Do]:
    if visit.leave_by <= now:
        yield TellContact(contact.contact_id, _over(world, contact, now))
    else:
        yield from _serve(world, contact.contact_id, now, ids)


def _employ(world: World, shift_id: str, now: Instant, ids: Ids) -> Iterator[Do]:
    """Give a free agent the contact that comes first of all that the agent could take."""
    last = None
    while world.matching.is_free(shift_id):
        contact_id = world.matching.best_contact(world.shifts[shift_id].agent_id, now)
        if contact_id is None or contact_id == last:
            return
        yield from _offer(world, contact_id, now, ids)
        last = contact_id


def _end_long_waits(world: World, node_id: str, now: Instant) -> Iterator[Do]:
    """Waits that ended while the switch could not be told."""
    for contact in tuple(world.contacts.values()):
        if contact.node == node_id and contact.visit is not None and contact.visit.leave_by <= now:
            yield TellContact(contact.contact_id, _over(world, contact, now))


def _over(world: World, contact: Contact, now: Instant) -> ExpireVisit:
    queue = world.queues.get(contact.queue_id)
    return ExpireVisit(prompt=queue.settings.apology if queue is not None else APOLOGY, now=now)


def _serve(world: World, contact_id: str, now: Instant, ids: Ids) -> Iterator[Do]:
    """Offer those who wait for the same as this contact, for as long as that gets anywhere. The runner carries each
    offer out before it asks for the next, so nobody is reserved twice.

    Where the agent who would be taken has somebody else to serve first, which can only be while one input changes
    several things, that one is served first.
    """
    last = None
    while (head := world.matching.next_beside(contact_id, now)) is not None:
        agent_id = world.matching.first_agent(head, now)
        if agent_id is None:
            return
        first = world.matching.best_contact(agent_id, now) or head
        if first == last:
            return
        yield from _offer(world, first, now, ids)
        last = first


def _serve_all(world: World, now: Instant, ids: Ids) -> Iterator[Do]:
    """Serve everybody for whom an agent is free, whoever should be served first of all first."""
    for contact_id in world.matching.in_turn(now):
        yield from _offer(world, contact_id, now, ids)


# --- one offer -----------------------------------------------------------------------------------------------------
def _offer(world: World, contact_id: str, now: Instant, ids: Ids) -> Iterator[Do]:
    contact = world.contacts[contact_id]
    settings = world.queues[contact.queue_id].settings
    choice = world.matching.choose(contact, max(_at_once(settings), CANDIDATES_KEPT), now)
    if choice is None or not choice.best or contact.visit is None:
        return
    rule = choice.order.rule
    many = settings.ring_most if rule.rings == ALL else settings.ring_at_once
    first, *others = choice.best[:many]
    # Whoever else is rung at the same time has nobody to serve before this one either.
    beside = [s for s in others if world.matching.best_contact(s.agent_id, now) == contact_id]
    goes_on = rule.rings == ONE_BY_ONE and len(beside) + 1 < settings.ring_most
    made = MakeOffer(
        offer_id=ids.new("offer"),
        reservations=_reserve(world, contact.node, (first, *beside), ids),
        deadline=Instant(now + settings.ring_ms * MILLISECOND),
        decision=_decision(world, contact.visit, settings, choice, now),
        next_at=Instant(now + settings.ring_next_ms * MILLISECOND) if goes_on else Instant(0),
    )
    yield TellContact(contact_id, made)


def ring_next(world: World, contact: Contact, offer: Offer, now: Instant, ids: Ids) -> Iterator[Do]:
    """One more phone for an offer that nobody has answered yet: that of the best agent who is free and has not declined
    this contact. Nobody, for now, where there is none, or where the switch cannot be told.
    """
    queue = world.queues.get(contact.queue_id)
    visit = contact.visit
    if queue is None or visit is None:
        return
    settings = queue.settings
    choice = world.matching.choose(contact, CANDIDATES_KEPT, now, strict=True)
    if choice is None:
        return
    rung = choice.best[:1] if world.in_step(contact.node) else []
    goes_on = choice.order.rule.rings == ONE_BY_ONE and len(offer.reservations) + len(rung) < settings.ring_most
    until = Instant(now + settings.ring_ms * MILLISECOND)
    widened = WidenOffer(
        offer_id=offer.offer_id,
        reservations=_reserve(world, contact.node, rung, ids),
        # Whoever is rung later has the full time to answer; phones that have had theirs fall silent by themselves.
        deadline=max(offer.deadline, until) if rung else offer.deadline,
        next_at=Instant(now + settings.ring_next_ms * MILLISECOND) if goes_on else Instant(0),
        decision=_decision(world, visit, settings, choice, now) if rung else None,
    )
    yield TellContact(contact.contact_id, widened)


def _at_once(settings: QueueConfigured) -> int:
    return max(settings.ring_at_once, settings.ring_most)


def _reserve(world: World, node: str, chosen: Sequence[Standing], ids: Ids) -> tuple[Reservation, ...]:
    return tuple(offered(world, node, world.shifts[standing.shift_id], ids) for standing in chosen)


def offered(world: World, node: str, shift: Shift, ids: Ids) -> Reservation:
    """The same for an offer, which an agent may have to accept at the desk before the phone is rung."""
    held = reservation(world, node, shift, ids)
    agent = world.agents.get(shift.agent_id)
    first = agent is not None and at_desk(world.desks, agent.answer, shift.desk)
    return replace(held, at_desk=True) if first else held


def reservation(world: World, node: str, shift: Shift, ids: Ids) -> Reservation:
    """This agent held for a contact of `node`, with a new leg to the phone, wherever that is registered."""
    return Reservation(
        shift_id=shift.shift_id,
        agent_id=shift.agent_id,
        extension=shift.extension,
        leg=ids.new("leg"),
        via=world.via(node, shift.extension),
    )


# --- why -----------------------------------------------------------------------------------------------------------
def _decision(world: World, visit: Visit, settings: QueueConfigured, choice: Choice, now: Instant) -> Decision:
    rule = choice.order.rule
    return Decision(
        rule=rule.name,
        config_version=world.config_version,
        skill=settings.skill,
        min_level=settings.min_level,
        candidates=tuple(_candidate(rule, standing, now) for standing in choice.best[:CANDIDATES_KEPT]),
        others=choice.others,
        requirement=choice.requirement if visit.steps else None,
        step=max(visit.step, 0),
        level_first=choice.order.by_level,
        window=choice.order.window,
        rank=rank_parts(visit, now),
    )


def _candidate(rule: Rule, standing: Standing, now: Instant) -> Candidate:
    return Candidate(
        agent_id=standing.agent_id,
        level=standing.level,
        idle_ms=(now - standing.idle_since) // MILLISECOND,
        score=score_of(rule, standing, now),
    )


def rank_parts(visit: Visit, now: Instant) -> dict[str, int]:
    """The parts of a contact's rank now; those that are 0 are left out."""
    parts = {
        "priority": visit.priority,
        **visit.bonuses,
        "aged": aged(visit.age_per_min, visit.age_cap, visit.since, now) // MINUTE,
    }
    return {what: points for what, points in parts.items() if points}
