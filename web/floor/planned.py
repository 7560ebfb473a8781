"""Who is to be called back and how far it has come, and what a callback of somebody who waits would be like (3.10)."""

import time

from msgspec import Struct

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.outward import Callback, to_be_called
from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.world import World
from orchestrator.policies import outward
from orchestrator.runner.hands import in_line
from projections.live import LiveView
from web.desk.picture import number_of, queue_name


class Planned(Struct, frozen=True, kw_only=True):
    """A customer who is to be called back."""

    contact_id: str
    state: str
    """awaiting_callback, callback_later (not reached, until `again_at`), offered, connecting, calling_back."""
    number: str
    queue_id: str
    queue: str
    points: int
    since: Instant
    """It has the place of somebody who has waited since then."""
    place: int
    """1 is served first; 0 where it is not in its turn."""
    missed: int
    tries: int
    again_at: Instant
    give_up_at: Instant
    agent: str
    """Whose phone rings for it."""


class Plan(Struct, frozen=True, kw_only=True):
    """What somebody who waits can expect of a callback."""

    contact_id: str
    number: str
    place: int
    tries: int
    again_ms: int
    give_up_at: Instant
    why_not: str
    """Why there cannot be one at the number that the network showed, as a code; empty where there can."""


def plan_of(view: LiveView, contact_id: str) -> Plan | None:
    """What a callback of this contact would be like; None where nobody of this id waits on the line."""
    now = Instant(time.time_ns() // 1_000)
    with view.still() as world:
        contact = world.contacts.get(contact_id)
        queue = world.queues.get(contact.queue_id) if contact is not None else None
        if contact is None or queue is None or contact.status != "waiting":
            return None
        asked = outward.ask_callback(world, contact, now)
        settings = queue.settings
        return Plan(
            contact_id=contact_id,
            number=outward.number_of(world, contact),
            place=next(place for place, each in enumerate(in_line(world, contact.queue_id, now), 1) if each is contact),
            tries=settings.callback_tries,
            again_ms=settings.callback_again_ms,
            give_up_at=Instant(now + settings.callback_most_wait_ms * MILLISECOND),
            why_not=asked if isinstance(asked, str) else "",
        )


def planned(world: World, now: Instant, agents: set[str] | None = None, *, queue_id: str = "") -> tuple[Planned, ...]:
    """Who is to be called back as it stands at `now`, whoever waits longest first; with `queue_id`, from that queue.
    With `agents`: without those who ring at others only.
    """
    waiting = (contact_id for of_number in world.callbacks.values() for contact_id in of_number)
    contacts = [contact for contact in map(world.contacts.get, waiting) if contact is not None]
    places = {
        contact.contact_id: place
        for queue in {contact.queue_id for contact in contacts if contact.queue_id == queue_id or not queue_id}
        for place, contact in enumerate(in_line(world, queue, now), 1)
    }
    rows = [
        _planned(world, contact, callback, places.get(contact.contact_id, 0))
        for contact in contacts
        if (callback := to_be_called(contact)) is not None
        and (contact.queue_id == queue_id or not queue_id)
        and _is_for(contact, agents)
    ]
    return tuple(sorted(rows, key=lambda row: row.since))


def _is_for(contact: Contact, agents: set[str] | None) -> bool:
    if agents is None or contact.offer is None:
        return True
    return not agents.isdisjoint(held.agent_id for held in contact.offer.reservations)


def _planned(world: World, contact: Contact, callback: Callback, place: int) -> Planned:
    visit, offer = contact.visit, contact.offer
    ringing = [world.agents.get(held.agent_id) for held in offer.reservations] if offer is not None else []
    return Planned(
        contact_id=contact.contact_id,
        state=contact.status,
        number=number_of(contact),
        queue_id=contact.queue_id,
        queue=queue_name(world, contact.queue_id),
        points=contact.given,
        since=visit.since if visit is not None else contact.arrived_at,
        place=place,
        missed=callback.missed,
        tries=callback.tries,
        again_at=callback.again_at if contact.status == "callback_later" else Instant(0),
        give_up_at=visit.leave_by if visit is not None else Instant(0),
        agent=", ".join(agent.name for agent in ringing if agent is not None),
    )
