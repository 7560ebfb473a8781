"""Agents as they are now, with their day, and one agent's desk."""

import time
from typing import Annotated

from flask import abort
from msgspec import Meta, Struct

from orchestrator.domain.kernel import Instant
from projections import agent_workload
from projections.base import Site
from web.access.sight import allowed
from web.access.visitor import me
from web.api.floor import READY_S, today
from web.api.forms import Items, Ms, Number, Time, number_of, time_of
from web.desk.picture import Desk, desk_of
from web.floor.picture import AgentRow, floor_of
from web.floor.topics import kept
from web.parts import parts
from web.push.present import live


class AgentDay(Struct, frozen=True, kw_only=True):
    """An agent's site-local day, up to now. `transfers`: callers whom the agent passed on. `missed`: offers that the
    agent did not take. `unserved`: by how they ended.
    """

    day: str
    sign_ins: int
    offers: int
    contacts: int
    transfers: int
    missed: int
    unserved: dict[str, int]
    signed_in_ms: Ms
    ready_ms: Ms
    ringing_ms: Ms
    talk_ms: Ms
    hold_ms: Ms
    wrap_up_ms: Ms
    pause_ms: Ms


class Agent(Struct, frozen=True, kw_only=True):
    """An agent now. `state`: signed_out, paused (see `reason`), ready, cooling_down, phone_busy, phone_gone, ringing,
    connecting, talking, held, wrapping_up. `phone`: registered, gone (nothing is offered until it is back), or unknown.
    """

    agent_id: str
    number: Annotated[str, Meta(description="Employee number.")]
    name: str
    team: str
    extension: str
    phone: str
    state: str
    reason: str
    since: Time | None
    queues: list[str]
    next_pause: str
    today: AgentDay


class Ring(Struct, frozen=True, kw_only=True):
    """A contact that is offered to this agent. `offer_id` is what accept and reject are about."""

    offer_id: str
    contact_id: str
    customer_id: str
    caller_number: Number
    queue: str
    queued_at: Time
    deadline: Time


class Seat(Struct, frozen=True, kw_only=True):
    """What one agent's desk shows. `about` is what commands mean now; `may` those that are possible; `contact_id` the
    contact that rings, talks or is wrapped up. `wrap_up_until`: when the after-call work ends by itself. `phone`:
    registered, gone (nothing is offered until it is back), or unknown.
    """

    agent_id: str
    number: str
    name: str
    extension: str
    phone: str
    state: str
    reason: str
    since: Time | None
    queues: list[str]
    rings: list[Ring]
    contact_id: str
    customer_id: str
    caller_number: Number
    wrap_up_until: Time | None
    about: str
    may: list[str]


def search() -> Items[Agent]:
    """Agents whom one sees as they are now, with their day"""
    live().view.wait_ready(READY_S)
    day, now = today(), Instant(time.time_ns() // 1000)
    site = Site(parts().settings.timezone)
    with parts().reading.reader.borrow() as connection:
        days = {agent.agent_id: row for agent, row in agent_workload.workload(connection, site, day, now)}
    found = floor_of(live().view, kept().counts, kept().levels, me().scope)
    rows = sorted(found.agents, key=lambda row: row.number)
    return Items([_agent(row, days.get(row.agent_id) or agent_workload.Day(row.agent_id, day)) for row in rows])


def seat(number: str) -> Seat:
    """One agent's desk: what rings, talks and is wrapped up, and what can be done"""
    found = desk_of(live().view, allowed(number))
    if found is None:
        abort(404)
    return _seat(found)


def _agent(row: AgentRow, day: agent_workload.Day) -> Agent:
    return Agent(
        agent_id=row.agent_id,
        number=row.number,
        name=row.name,
        team=row.team,
        extension=row.extension,
        phone=row.phone,
        state=row.state,
        reason=row.reason,
        since=time_of(row.since),
        queues=list(row.queues),
        next_pause=row.next_pause,
        today=AgentDay(
            day=day.day,
            sign_ins=day.sign_ins,
            offers=day.offers,
            contacts=day.contacts,
            transfers=day.transfers,
            missed=day.missed,
            unserved=day.unserved,
            signed_in_ms=day.signed_in_ms,
            ready_ms=day.ready_ms,
            ringing_ms=day.ringing_ms,
            talk_ms=day.talk_ms,
            hold_ms=day.hold_ms,
            wrap_up_ms=day.wrap_up_ms,
            pause_ms=day.pause_ms,
        ),
    )


def _seat(desk: Desk) -> Seat:
    hand = desk.talk or desk.wrap_up or next(iter(desk.rings), None)
    rings = [
        Ring(
            offer_id=ring.offer_id,
            contact_id=ring.contact_id,
            customer_id=ring.customer_id,
            caller_number=number_of(ring.number),
            queue=ring.queue,
            queued_at=time_of(ring.queued_at),
            deadline=time_of(ring.deadline),
        )
        for ring in desk.rings
    ]
    return Seat(
        agent_id=desk.agent.agent_id,
        number=desk.agent.number,
        name=desk.agent.name,
        extension=desk.extension,
        phone=desk.registration,
        state=desk.state,
        reason=desk.reason,
        since=time_of(desk.since),
        queues=list(desk.queues),
        rings=rings,
        contact_id=hand.contact_id if hand is not None else "",
        customer_id=hand.customer_id if hand is not None else "",
        caller_number=number_of(hand.number) if hand is not None else "",
        wrap_up_until=time_of(desk.wrap_up.until) if desk.wrap_up is not None else None,
        about=desk.about,
        may=sorted(desk.may),
    )
