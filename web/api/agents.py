"""Agents as they are now with their day, and what they, or whoever directs them, may have them do."""

import time
from typing import Annotated

from flask import abort
from msgspec import Meta, Struct

from orchestrator.domain.kernel import Instant, Refused
from orchestrator.runner import inputs
from projections import agent_workload
from projections.base import Site
from web.access.visitor import me
from web.api.floor import READY_S, today
from web.api.forms import Done, Ident, Items, Ms, Number, Text, Time, Word, number_of, time_of
from web.api.writing import file, who
from web.desk.picture import Desk, desk_of
from web.desk.reasons import ALL
from web.floor.picture import AgentRow, floor_of
from web.floor.topics import kept
from web.parts import parts
from web.push.present import live

Reason = Annotated[Word, Meta(description=f"One of {', '.join(ALL)}.")]


class AgentDay(Struct, frozen=True, kw_only=True):
    """An agent's site-local day, up to now. `missed`: offers that the agent did not take. `unserved`: by how
    they ended.
    """

    day: str
    sign_ins: int
    offers: int
    contacts: int
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
    """An agent now. `state`: signed_out, paused (see `reason`), ready, cooling_down, phone_busy, ringing, connecting,
    talking, held, wrapping_up.
    """

    agent_id: str
    number: Annotated[str, Meta(description="Employee number.")]
    name: str
    team: str
    extension: str
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
    contact that rings, talks or is wrapped up. `wrap_up_until`: when the after-call work ends by itself.
    """

    agent_id: str
    number: str
    name: str
    extension: str
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


class SignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the agent takes a seat; without an extension, at the configured one."""

    extension: Ident = ""


class Pause(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the agent is not ready."""

    reason: Reason


class About(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The offer or contact that is meant. Where another has come in its place meanwhile, the command is refused."""

    about: Ident = ""


class Extend(About, frozen=True, kw_only=True):
    """How much more time the after-call work gets."""

    by_ms: Annotated[int, Meta(ge=1_000, le=600_000, description="Milliseconds.")] = 30_000


class WrapUp(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of the contact. A note is kept first, and stays where the time for it was up already."""

    code: Reason
    note: Text = ""
    about: Annotated[Ident, Meta(description="The contact.")] = ""


def search() -> Items[Agent]:
    """Agents of one's teams as they are now, with their day"""
    live().view.wait_ready(READY_S)
    day, now = today(), Instant(time.time_ns() // 1000)
    site = Site(parts().settings.timezone)
    with parts().reading.reader.borrow() as connection:
        days = {agent.agent_id: row for agent, row in agent_workload.workload(connection, site, day, now)}
    found = floor_of(live().view, kept().counts, kept().levels, me().teams)
    rows = sorted(found.agents, key=lambda row: row.number)
    return Items([_agent(row, days.get(row.agent_id) or agent_workload.Day(row.agent_id, day)) for row in rows])


def seat(number: str) -> Seat:
    """One agent's desk: what rings, talks and is wrapped up, and what can be done"""
    found = desk_of(live().view, _allowed(number))
    if found is None:
        abort(404)
    return _seat(found)


def sign_in(number: str, body: SignIn, key: str) -> Done:
    """Sign an agent in"""
    return _do(inputs.SignIn(agent=number, extension=body.extension, key=key))


def ready(number: str, body: About, key: str) -> Done:
    """Make an agent ready"""
    return _do(inputs.Ready(agent=number, about=body.about, key=key))


def pause(number: str, body: Pause, key: str) -> Done:
    """Make an agent not ready; during a contact, after it"""
    return _do(inputs.Pause(agent=number, reason=_known(body.reason), key=key))


def accept(number: str, body: About, key: str) -> Done:
    """Accept the offer"""
    return _do(inputs.Accept(agent=number, about=body.about, key=key))


def reject(number: str, body: About, key: str) -> Done:
    """Reject the offer"""
    return _do(inputs.Reject(agent=number, about=body.about, key=key))


def hold(number: str, body: About, key: str) -> Done:
    """Put the caller on hold"""
    return _do(inputs.Hold(agent=number, about=body.about, key=key))


def resume(number: str, body: About, key: str) -> Done:
    """Talk again with the caller on hold"""
    return _do(inputs.Resume(agent=number, about=body.about, key=key))


def hang_up(number: str, body: About, key: str) -> Done:
    """End the conversation"""
    return _do(inputs.HangUp(agent=number, about=body.about, key=key))


def wrap_up(number: str, body: WrapUp, key: str) -> Done:
    """Finish the after-call work with a reason and a note"""
    agent_id, code = _allowed(number), _known(body.code)
    desk = desk_of(live().view, agent_id)
    contact_id = body.about or (desk.wrap_up.contact_id if desk is not None and desk.wrap_up is not None else "")
    if body.note.strip():
        if live().view.calls.find(agent_id, contact_id) is None:
            raise Refused("no_such_contact", "The note is about no contact that this agent had in this shift.")
        file().note_contact(who(), contact_id, body.note, code=code, key=f"wrap-up-{contact_id}")
    return _do(inputs.WrapUp(agent=number, code=code, about=body.about, key=key))


def extend_wrap_up(number: str, body: Extend, key: str) -> Done:
    """Give the after-call work more time, up to the queue's limit"""
    return _do(inputs.ExtendWrapUp(agent=number, by_ms=body.by_ms, about=body.about, key=key))


def sign_out(number: str, body: About, key: str) -> Done:
    """Sign an agent out; during a contact, after it"""
    return _do(inputs.SignOut(agent=number, about=body.about, key=key))


def _do(command: inputs.AgentCommand) -> Done:
    _allowed(command.agent)
    return Done(position=parts().do(command))


def _allowed(number: str) -> str:
    """The id of the agent with this employee number, whom the visitor is or directs; 404 or 403 for any other."""
    live().view.wait_ready(READY_S)
    with live().view.still() as world:
        agent_id = world.agent_of_number.get(number, "")
        team = world.agents[agent_id].team if agent_id in world.agents else ""
    if not agent_id:
        abort(404)
    directs = me().may("floor.direct") and (not me().teams or team in me().teams)
    if not directs and not (me().may("desk.use") and me().agent_id == agent_id):
        abort(403)
    return agent_id


def _known(reason: str) -> str:
    if reason not in ALL:
        raise Refused("bad_reason", f"Choose one of {', '.join(ALL)}.")
    return reason


def _agent(row: AgentRow, day: agent_workload.Day) -> Agent:
    return Agent(
        agent_id=row.agent_id,
        number=row.number,
        name=row.name,
        team=row.team,
        extension=row.extension,
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
