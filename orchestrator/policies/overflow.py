"""Whenever somebody has waited for long enough, or nobody is left who could serve, then they go where overflow says."""

from collections.abc import Iterator

from orchestrator.domain.contacts.commands import DeferOverflow
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.routing import overflow as rules
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.staff.shifts import AgentSignedOut
from orchestrator.domain.switch.nodes import Node, NodeReconciled
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, TellContact, asked_about
from orchestrator.policies.outward import go
from orchestrator.policies.placing import house, nobody_serves, put


@asked_about(AgentSignedOut, ConfigurationApplied, NodeReconciled, "contact")
def overflow(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever a wait is over that a queue's overflow ends, or the last agent of a queue leaves, then look where its
    callers may go. What falls due while a phone rings, or while the switch cannot be told, is looked at afterwards.
    """
    after = happened.after
    if isinstance(after, Contact):  # first, for nearly all are
        if after.status == "waiting" and _is_due(after, happened.at) and world.in_step(after.node):
            yield from look(world, after, happened.at, ids)
        return
    match happened.record.event, after:
        case AgentSignedOut() | ConfigurationApplied(), _:
            yield from _look_at_deserted(world, happened.at, ids)
        case NodeReconciled(), Node(node_id=node):
            for contact in tuple(world.contacts.values()):
                if contact.node == node and _is_due(contact, happened.at):
                    yield from look(world, contact, happened.at, ids)


def look(world: World, contact: Contact, now: Instant, ids: Ids) -> Iterator[Do]:
    """Send this contact on, where it waits and may go somewhere; otherwise say when it is looked at again."""
    visit = contact.visit
    if contact.status != "waiting" or visit is None:
        return
    queue = world.queues[visit.queue_id]
    waited_ms = (now - visit.queued_at) // MILLISECOND
    nobody = nobody_serves(world, visit.queue_id)
    settled = rules.leave(queue, waited_ms, contact.hops, house(world, now, contact), nobody=nobody)
    if settled is not None and settled.target.kind in (rules.CALLBACK, rules.OUTSIDE):
        yield from go(world, contact, settled.target, now, ids)
    elif settled is not None:
        why = settled.hops[len(contact.hops)].when
        yield TellContact(contact.contact_id, put(world, contact, settled, now, ids, why=why))
    elif _is_due(contact, now):
        again_at = rules.next_look(queue.settings.overflow, visit.queued_at, now)
        yield TellContact(contact.contact_id, DeferOverflow(again_at=again_at))


def _is_due(contact: Contact, now: Instant) -> bool:
    return contact.visit is not None and 0 < contact.visit.overflow_at <= now


def _look_at_deserted(world: World, now: Instant, ids: Ids) -> Iterator[Do]:
    deserted = {
        queue_id
        for queue_id, queue in world.queues.items()
        if any(row.when == "nobody" for row in queue.settings.overflow) and nobody_serves(world, queue_id)
    }
    for contact in tuple(world.contacts.values()) if deserted else ():
        visit = contact.visit
        if visit is not None and visit.queue_id in deserted and world.in_step(contact.node):
            yield from look(world, contact, now, ids)
