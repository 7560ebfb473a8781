"""Whenever a step of a visit is over, or more is known of who waits, then what is asked of agents moves on.

Here, too, is what a contact asks for when it enters a queue: the chain is made anew by the same functions whenever
something that it rests on changes.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.commands import Queue, Revise, Widen
from orchestrator.domain.contacts.contacts import Contact, Visit
from orchestrator.domain.contacts.outward import IN_TURN
from orchestrator.domain.contacts.outward_events import CallbackMoved, CallbackResumed, OutsideMissed
from orchestrator.domain.kernel import MILLISECOND, Instant, ident_of, kind_of
from orchestrator.domain.routing import queues
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.routing.requirements import Known, Step, branch_of, chain
from orchestrator.domain.staff.agents import AgentRemoved
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.switch.nodes import (
    NodeConnected,
    NodeDied,
    NodeLost,
    NodeReconciled,
    PhonesCompared,
    PhoneUnregistered,
)
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, TellContact, asked_about
from orchestrator.policies.outward import place

# What a visit's chain and points rest on, beside what is known of its caller.
_RESTS_ON = ("queue", "entry", "level", "branch")
RECONFIGURED = "reconfigured"


@asked_about(
    c.ContactIdentified,
    c.ContactQueued,
    c.VisitWidened,
    c.VisitRevised,
    c.OfferClosed,
    OutsideMissed,
    CallbackResumed,
    CallbackMoved,
    AgentRemoved,
    ConfigurationApplied,
    NodeReconciled,
    PhonesCompared,
    NodeLost,
    NodeDied,
    NodeConnected,
    PhoneUnregistered,
    "shift",
)
def widen(world: World, happened: Happened, _ids: Ids) -> Iterator[Do]:
    """Whenever a step is over, or could never be satisfied, or rests on what has changed, then move the visit on."""
    if isinstance(happened.after, Shift):
        yield from _left_alone(world, happened.after, happened.at)
        return
    match happened.record.event:
        case c.ContactIdentified() if isinstance(happened.after, Contact):
            yield from _identified(world, happened.after, happened.at)
        case c.ContactQueued() | c.VisitWidened() | c.VisitRevised() if isinstance(happened.after, Contact):
            yield from _skip(world, happened.after, happened.at)
        case c.OfferClosed() | OutsideMissed() | CallbackResumed() | CallbackMoved() if _in_turn_again(happened.after):
            # Whom it waited for may have left meanwhile; and by hand it may have been offered to somebody whom its step
            # does not name.
            yield from _skip(world, happened.after, happened.at)
        case AgentRemoved():
            # Before whoever the agent was rung for is offered anew: older ones may have waited for the same agent.
            yield from _skip_all(world, _in_order(world, happened.at), happened.at)
        case ConfigurationApplied() as event:
            yield from _reconfigured(world, event, happened.at)
        case NodeReconciled() | PhonesCompared() | NodeLost() | NodeDied() | NodeConnected():
            # Whoever left meanwhile was not missed by callers whom nobody could serve; and with what this switch says
            # of phones, or does not say any more, some may be gone that callers of another one wait for.
            reached = (ident for ident in _in_order(world, happened.at) if world.in_step(world.contacts[ident].node))
            yield from _skip_all(world, tuple(reached), happened.at)
        case PhoneUnregistered(extension=extension):
            yield from _left_alone(world, world.shifts.get(world.shift_at.get(extension, "")), happened.at)


def _left_alone(world: World, shift: Shift | None, now: Instant) -> Iterator[Do]:
    """Where nobody waits for this agent any more, those for whom nobody is left go on."""
    if shift is not None and world.matching.is_out(shift.shift_id):
        left = tuple(world.matching.left_alone(shift.agent_id, now))
        yield from _skip_all(world, left, now)


def _in_turn_again(after: object) -> bool:
    return isinstance(after, Contact) and after.status in IN_TURN


def into_queue(
    world: World, contact: Contact, queue: queues.Queue, *, entry_id: str, visit_id: str, now: Instant
) -> Queue:
    """The command that puts this contact into this queue now, with all that it asks for there."""
    settings = queue.settings
    steps, bonuses = wants(world, contact, queue, entry_id)
    command = Queue(
        visit_id=visit_id,
        queue_id=queue.queue_id,
        entry_id=entry_id,
        skill=settings.skill,
        min_level=settings.min_level,
        priority=settings.priority,
        music=settings.music,
        leave_by=Instant(now + settings.max_wait_ms * MILLISECOND),
        bonuses=bonuses,
        steps=steps,
        known_by=Instant(now + settings.known_within_ms * MILLISECOND) if _asks(world, contact, queue) else Instant(0),
        age_per_min=settings.age_per_min,
        age_cap=settings.age_cap,
        tell_at=_tell_at(contact, settings, now),
    )
    return place(world, contact, command, now)


def _tell_at(contact: Contact, settings: queues.QueueConfigured, now: Instant) -> Instant:
    """When the caller is first told the place; whoever is to be called back hears nothing."""
    every_ms = settings.tell_place_every_ms if contact.caller_leg else 0
    return Instant(now + every_ms * MILLISECOND) if every_ms else Instant(0)


def wants(
    world: World, contact: Contact, queue: queues.Queue, entry_id: str
) -> tuple[tuple[Step, ...], dict[str, int]]:
    """The chain of requirements of this contact in this queue, and its points beside the queue's priority."""
    entry, level = world.entries.get(entry_id), world.levels.get(contact.level)
    known = Known(
        named_agent=entry.agent_id if entry is not None else "",
        last_agent=contact.last_agent,
        branch=branch_of(contact.from_number or contact.caller_number, world.branch_of_prefix),
        strongest=level is not None and level.strongest,
    )
    bonuses = {
        "entry": entry.bonus if entry is not None else 0,
        "level": level.bonus if level is not None else 0,
        "given": contact.given,
    }
    return chain(queue.settings, known), {what: points for what, points in bonuses.items() if points}


def _asks(world: World, contact: Contact, queue: queues.Queue) -> bool:
    """Whether it matters in this queue who calls, and may still become known."""
    if contact.customer_id or not any(map(str.isdigit, contact.caller_number)):
        return False
    matters = queue.settings.last_agent_ms > 0 or bool(world.levels)
    return matters and queue.settings.known_within_ms > 0


def _identified(world: World, contact: Contact, now: Instant) -> Iterator[Do]:
    """Whoever is known in time goes through the whole chain. Whoever becomes known later keeps the step: a preferred
    agent who was not waited for is not waited for any more, but points and strength count from now on.
    """
    visit, queue = contact.visit, world.queues.get(contact.queue_id)
    if visit is None or queue is None:
        return
    if visit.step == -1:
        yield _revise(world, contact, visit, queue, "identified", now)
        yield TellContact(contact.contact_id, Widen(visit_id=visit.visit_id, step=-1, reason="identified", now=now))
    else:
        late = Revise(
            visit_id=visit.visit_id,
            steps=_as_strong(visit.steps, world, contact, queue),
            bonuses=wants(world, contact, queue, contact.entry_id)[1],
            reason="identified",
            now=now,
        )
        yield TellContact(contact.contact_id, late)


def _as_strong(steps: tuple[Step, ...], world: World, contact: Contact, queue: queues.Queue) -> tuple[Step, ...]:
    level = world.levels.get(contact.level)
    if level is None or not level.strongest:
        return steps
    if not steps:
        return chain(queue.settings, Known(strongest=True))
    return tuple(Step(requirement=replace(step.requirement, strongest=True), until_ms=step.until_ms) for step in steps)


def _revise(
    world: World, contact: Contact, visit: Visit, queue: queues.Queue, reason: str, now: Instant
) -> TellContact:
    steps, bonuses = wants(world, contact, queue, contact.entry_id)
    return TellContact(
        contact.contact_id, Revise(visit_id=visit.visit_id, steps=steps, bonuses=bonuses, reason=reason, now=now)
    )


def _reconfigured(world: World, event: ConfigurationApplied, now: Instant) -> Iterator[Do]:
    """Who waits is served by the rules that hold now. A chain that became shorter is at its last step."""
    changed = [name for name in event.changed if kind_of(name) in _RESTS_ON]
    alone = {ident_of(name) for name in changed if kind_of(name) == "queue"}
    in_order = _in_order(world, now)
    for ident in in_order if changed else ():
        contact = world.contacts[ident]
        queue = world.queues.get(contact.queue_id)
        if contact.visit is not None and queue is not None and (len(alone) < len(changed) or queue.queue_id in alone):
            yield _revise(world, contact, contact.visit, queue, RECONFIGURED, now)
    yield from _skip_all(world, in_order, now)


def _in_order(world: World, now: Instant) -> tuple[str, ...]:
    """All who are in a queue, in the order of their ranks."""
    visits = [
        (contact.visit.rank(now), ident) for ident, contact in world.contacts.items() if contact.visit is not None
    ]
    return tuple(ident for _, ident in sorted(visits, key=lambda each: each[0]))


def _skip_all(world: World, contact_ids: tuple[str, ...], now: Instant) -> Iterator[Do]:
    for contact_id in contact_ids:
        contact = world.contacts.get(contact_id)
        if contact is not None:
            yield from _skip(world, contact, now)


def _skip(world: World, contact: Contact, now: Instant) -> Iterator[Do]:
    """A step that nobody could ever satisfy is over at once: an absent agent halts nobody (complaint 6)."""
    visit = contact.visit
    if visit is None or visit.step < 0 or visit.last_step or visit.requirement is None:
        return
    if not world.matching.anybody_for(visit.queue_id, visit.requirement):
        over = Widen(visit_id=visit.visit_id, step=visit.step, reason="nobody_could", now=now)
        yield TellContact(contact.contact_id, over)
