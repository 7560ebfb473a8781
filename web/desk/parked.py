"""Callers who are parked, for those who parked them and those who may fetch them (feature 4.3)."""

from collections.abc import Callable

from msgspec import Struct

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.parks import Parked
from orchestrator.domain.kernel import Instant
from orchestrator.domain.staff.agents import Agent
from orchestrator.domain.world import World
from orchestrator.runner.parking import parked_now
from projections.live_calls import name_of


class AtPlace(Struct, frozen=True, kw_only=True):
    """Somebody who is parked."""

    place: int
    contact_id: str
    queue_id: str
    number: str
    name: str
    customer_id: str
    agent_id: str
    by: str
    """The name of the agent who parked them."""
    by_number: str
    since: Instant
    until: Instant


def parked(world: World, wanted: Callable[[AtPlace], bool]) -> tuple[AtPlace, ...]:
    """Those who are wanted of all that are parked, by their places."""
    return tuple(each for each in (_at_place(world, *found) for found in parked_now(world)) if wanted(each))


def in_queue(world: World, queue_id: str) -> tuple[AtPlace, ...]:
    """Who is parked of those who came by this queue."""
    return parked(world, lambda each: each.queue_id == queue_id)


def by_agent(world: World, agent: Agent) -> tuple[AtPlace, ...]:
    """Whom this agent parked."""
    return parked(world, lambda each: each.agent_id == agent.agent_id)


def _at_place(world: World, park: Parked, contact: Contact) -> AtPlace:
    agent = world.agents.get(park.agent_id)
    return AtPlace(
        place=park.place,
        contact_id=contact.contact_id,
        queue_id=contact.queue_id,
        number=contact.caller_number,
        name=name_of(contact),
        customer_id=contact.customer_id,
        agent_id=park.agent_id,
        by=(agent.name or agent.number) if agent is not None else "",
        by_number=agent.number if agent is not None else "",
        since=park.since,
        until=park.until,
    )
