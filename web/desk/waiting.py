"""Who waits in a queue, for those who may take somebody from it by hand (features 3.7, 3.8)."""

import time
from typing import Final

from msgspec import Struct

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.kernel import Instant
from orchestrator.domain.routing.queues import Queue
from orchestrator.domain.staff.agents import Agent
from orchestrator.domain.world import World
from orchestrator.runner.hands import in_line
from projections.live import LiveView
from projections.live_calls import name_of
from web.desk.parked import AtPlace, in_queue
from web.desk.picture import number_of, queue_name
from web.floor.planned import Planned, planned

# So many of a queue are shown one by one at a desk; the others are counted.
SHOWN: Final = 6


class Waiter(Struct, frozen=True, kw_only=True):
    """Somebody who waits. `points`: what a leader gave; `place`: 1 is served first."""

    contact_id: str
    queue_id: str
    number: str
    name: str
    customer_id: str
    since: Instant
    points: int
    place: int
    callback: Planned | None = None
    """How far their callback has come, where they are not on the line any more."""


class Waiting(Struct, frozen=True, kw_only=True):
    """A queue and who waits in it, whoever is served first at the head."""

    queue_id: str
    name: str
    count: int
    longest_since: Instant | None
    first: tuple[Waiter, ...]
    later: tuple[Planned, ...]
    """The first of those who are called back later, as they were not reached."""
    parked: tuple[AtPlace, ...]
    """Who is parked of those who came by it."""
    taken_by_hand: bool
    """Whether agents may take them before their turn."""


def waiting_in(view: LiveView, queue_id: str) -> Waiting:
    """Who waits in this queue now."""
    with view.still() as world:
        now = _now()
        line = in_line(world, queue_id, now)
        queue = world.queues.get(queue_id)
        callbacks = {each.contact_id: each for each in planned(world, now, queue_id=queue_id)}
        later = [each for each in callbacks.values() if each.state == "callback_later"]
        return Waiting(
            queue_id=queue_id,
            name=queue_name(world, queue_id),
            count=len(line),
            longest_since=min((_since(contact) for contact in line), default=None),
            first=tuple(
                _waiter(contact, place, callbacks.get(contact.contact_id))
                for place, contact in enumerate(line[:SHOWN], 1)
            ),
            later=tuple(later[:SHOWN]),
            parked=in_queue(world, queue_id),
            taken_by_hand=queue is not None and queue.settings.pick != "nobody",
        )


def everybody(world: World, queue_ids: frozenset[str]) -> list[Waiter]:
    """Everybody who waits in these queues, queue by queue."""
    now = _now()
    return [
        _waiter(contact, place)
        for queue_id in sorted(queue_ids)
        for place, contact in enumerate(in_line(world, queue_id, now), 1)
    ]


def may_take_from(world: World, agent: Agent) -> frozenset[str]:
    """The queues whose waiting callers this agent sees: those that they serve, and those from which anyone may take."""
    return frozenset(queue.queue_id for queue in world.queues.values() if _sees(queue, agent))


def _sees(queue: Queue, agent: Agent) -> bool:
    settings = queue.settings
    return settings.pick == "anyone" or agent.skills.get(settings.skill, 0) >= max(settings.min_level, 1)


def _waiter(contact: Contact, place: int, callback: Planned | None = None) -> Waiter:
    return Waiter(
        contact_id=contact.contact_id,
        queue_id=contact.queue_id,
        number=number_of(contact),
        name=name_of(contact),
        customer_id=contact.customer_id,
        since=_since(contact),
        points=contact.given,
        place=place,
        callback=callback,
    )


def _since(contact: Contact) -> Instant:
    return contact.visit.since if contact.visit is not None else contact.arrived_at


def _now() -> Instant:
    return Instant(time.time_ns() // 1_000)
