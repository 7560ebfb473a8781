"""Two worlds compared: the live one, and one folded from the records."""

from typing import Any

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.kernel import Instant, Record
from orchestrator.domain.routing.matching import Matching
from orchestrator.domain.staff.counters import WINDOWS
from orchestrator.domain.world import World


def fold(records: list[Record]) -> World:
    """The world after these records."""
    world = World()
    for record in records:
        world.apply(record)
    return world


def picture(world: World, now: Instant) -> dict[str, Any]:
    """Everything in a world that a decision may rest on. A timer that is due may have been taken out already."""
    matching = world.matching
    return {
        "contacts": world.contacts,
        "shifts": world.shifts,
        "nodes": world.nodes,
        "agents": world.agents,
        "queues": world.queues,
        "entries": world.entries,
        "versions": world.versions,
        "contact_of_leg": world.contact_of_leg,
        "open_offers": world.open_offers,
        "outside": world.outside,
        "recordings": world.recordings,
        "desks": world.desks,
        "outside_legs": list(world.outside_legs),
        "callbacks": world.callbacks,
        "waits": {queue: world.waits.expected(queue, 0, free=False) for queue in world.queues},
        "closed_legs": list(world.closed_legs.items()),
        "shift_at": world.shift_at,
        "lines": world.lines,
        "shift_of_agent": world.shift_of_agent,
        "agent_of_number": world.agent_of_number,
        "admission": world.admission.standing(),
        "levels": world.levels,
        "branches": world.branches,
        "branch_of_prefix": world.branch_of_prefix,
        "last_agents": list(world.last_agents.items()),
        "counts": {
            (agent, window): world.counters.of(agent, window, 0, now) for agent in world.agents for window in WINDOWS
        },
        "best_for": {ident: best_for(matching, contact, now) for ident, contact in sorted(world.contacts.items())},
        "best_contact": {agent: matching.best_contact(agent, now) for agent in world.agents},
        "config_version": world.config_version,
        "timers": [(key, due) for key, due in world.timers if due > now],
        "best": {queue: [x.shift_id for x in matching.best_agents(queue, 1_000, now)] for queue in world.queues},
        "next": {queue: matching.next_contact(queue, now) for queue in world.queues},
        "waiting": {queue: matching.waiting(queue) for queue in world.queues},
        "states": {queue: matching.states(queue) for queue in world.queues},
    }


def best_for(matching: Matching, contact: Contact, now: Instant) -> list[str]:
    """The agents who could take a contact now, best first."""
    choice = matching.choose(contact, 1_000, now)
    return [standing.shift_id for standing in choice.best] if choice is not None else []


def difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """The first part in which two pictures differ, with both sides; empty where they are equal."""
    for name, value in one.items():
        if value != other[name]:
            return f"{name}: {value!r}\n  against {other[name]!r}"
    return ""
