"""What the floor shows, from the live state and the day's counts: plain data that templates write down."""

import time
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.dials import DIALLING
from orchestrator.domain.contacts.outward import IN_TURN, to_be_called
from orchestrator.domain.kernel import Instant
from orchestrator.domain.switch.nodes import GONE
from orchestrator.domain.world import World
from orchestrator.policies.outward import expected_wait
from projections.live import LiveView
from web.desk.gathered import Member, members_of
from web.desk.hearing import supervisor_of
from web.desk.picture import contact_in_hand, number_of, queue_name, state_of
from web.floor.counts import NOTHING, Counts, Today
from web.floor.levels import SCALES, Levels, of_target
from web.floor.planned import Planned, planned

# In this order are agents listed, and within a state those who have been in it longest come first.
ORDER: Final = (
    "ringing", "calling", "connecting", "consulted", "monitoring", "talking", "held", "wrapping_up", "ready",
    "cooling_down", "phone_busy", "phone_gone", "paused", "signed_out",
)  # fmt: skip
_TALKING: Final = ("connected", "held", "consulting", "talking_outside")
# What a tile counts of agents, and the states that belong to each.
GROUPS: Final = {
    "ready": ("ready",),
    "talking": ("reserved", "talking"),
    "wrapping_up": ("wrapping_up",),
    "paused": ("paused", "cooling_down", "phone_busy", "phone_gone"),
}


class Tile(Struct, frozen=True, kw_only=True):
    """One queue."""

    queue_id: str
    name: str
    waiting: int
    callbacks: int
    """Those of them, and others, who wait to be called back."""
    expected_ms: int
    """How long somebody who calls now is expected to wait; -1 where nobody can say."""
    longest_since: Instant | None
    ringing: int
    talking: int
    parked: int
    today: Today
    target_s: int
    agents: dict[str, int]
    levels: dict[str, str]
    """Of `waiting`, `longest`, `service_level`, `abandoned`: calm, warn, alarm."""

    @property
    def level(self) -> str:
        """The gravest of them."""
        return max(self.levels.values(), key=("calm", "warn", "alarm").index, default="calm")


class AgentRow(Struct, frozen=True, kw_only=True):
    """One agent."""

    agent_id: str
    number: str
    name: str
    extension: str
    phone: str
    """Whether a switch can reach it: registered, gone, or unknown."""
    team: str
    state: str
    reason: str
    since: Instant | None
    queue: str
    in_hand: int
    """How many contacts they have at once."""
    queues: tuple[str, ...]
    next_pause: str


class CallRow(Struct, frozen=True, kw_only=True):
    """One call in progress."""

    contact_id: str
    state: str
    queue: str
    queue_id: str
    points: int
    """What a leader gave it."""
    number: str
    agent: str
    since: Instant
    """Since when it waits or they talk."""
    gathered: tuple[Member, ...] = ()
    """Who is in the conference beside agent and caller."""
    place: int = 0
    """The place at which the caller is parked, by `agent`; 0 where they are not."""
    with_agent: bool = False
    """Whether an agent talks with it."""
    heard_by: str = ""
    """The name of the supervisor who hears the talk, and how they are heard there."""
    heard_as: str = ""


class Floor(Struct, frozen=True, kw_only=True):
    """Everything."""

    tiles: tuple[Tile, ...]
    agents: tuple[AgentRow, ...]
    calls: tuple[CallRow, ...]
    callbacks: tuple[Planned, ...]
    whole: Today
    states: dict[str, int]
    counted: bool = True
    """Whether the day's counts are known: of a moment that is long over they may not be."""


def floor_of(view: LiveView, counts: Counts, levels: Levels, teams: tuple[str, ...] = ()) -> Floor:
    """The floor as those see it who see these teams' agents; none means all."""
    with view.still() as world:
        now = Instant(time.time_ns() // 1000)
        return floor_at(world, now, levels, counts.of_queue, whole=counts.whole, teams=teams)


def floor_at(
    world: World,
    now: Instant,
    levels: Levels,
    days: Mapping[str, Today] | None,
    *,
    whole: Today = NOTHING,
    teams: tuple[str, ...] = (),
) -> Floor:
    """The same of any state, as it was seen at `now`; `days`: each queue's day so far, None where it is not known."""
    agents = _agents(world, teams)
    seen = {row.agent_id for row in agents} if teams else None
    states: dict[str, int] = {}
    for row in agents:
        states[row.state] = states.get(row.state, 0) + 1
    return Floor(
        tiles=tuple(_tiles(world, now, days or {}, levels)),
        agents=tuple(agents),
        calls=tuple(_calls(world, seen)),
        callbacks=planned(world, now, seen),
        whole=whole,
        states=states,
        counted=days is not None,
    )


def _tiles(world: World, now: Instant, days: Mapping[str, Today], levels: Levels) -> list[Tile]:
    of_queue: dict[str, list[Contact]] = {}
    for contact in world.contacts.values():
        of_queue.setdefault(contact.queue_id, []).append(contact)
    tiles = []
    for queue in sorted(world.queues.values(), key=lambda queue: queue.settings.name):
        contacts = of_queue.get(queue.queue_id, [])
        if not queue.open and not contacts:
            continue
        waits = [contact.visit.queued_at for contact in contacts if contact.visit is not None]
        waiting = sum(contact.status in IN_TURN for contact in contacts)
        expected = expected_wait(world, queue.queue_id, queue.settings.priority, now)
        longest = min(waits, default=None)
        today = days.get(queue.queue_id, NOTHING)
        states = world.matching.states(queue.queue_id)
        key, target_ms = queue.queue_id, queue.settings.answer_target_ms
        wait_ms = None if longest is None else (now - longest) / 1000
        tiles.append(
            Tile(
                queue_id=queue.queue_id,
                name=queue.settings.name,
                waiting=waiting,
                callbacks=sum(to_be_called(contact) is not None for contact in contacts),
                expected_ms=expected.estimate_ms,
                longest_since=longest,
                ringing=sum(
                    contact.status in ("offered", "calling_back", DIALLING, "connecting") for contact in contacts
                ),
                parked=sum(contact.parked is not None for contact in contacts),
                talking=sum(contact.status in _TALKING for contact in contacts),
                today=today,
                target_s=target_ms // 1000,
                agents={name: sum(states.get(each, 0) for each in group) for name, group in GROUPS.items()},
                levels={
                    "waiting": levels.judge(f"{key}/waiting", waiting, SCALES["waiting"]),
                    "longest": levels.judge(f"{key}/longest", wait_ms, of_target(target_ms)),
                    "service_level": levels.judge(f"{key}/level", today.service_level, SCALES["service_level"]),
                    "abandoned": levels.judge(f"{key}/abandoned", today.abandoned_share, SCALES["abandoned"]),
                },
            )
        )
    return tiles


def _agents(world: World, teams: tuple[str, ...]) -> list[AgentRow]:
    rows = []
    for agent in world.agents.values():
        team = str(getattr(agent, "team", ""))
        if teams and team not in teams:
            continue
        shift = world.shifts.get(world.shift_of_agent.get(agent.agent_id, ""))
        contact = contact_in_hand(world, shift)
        state = state_of(world, shift)
        extension = shift.extension if shift is not None else agent.extension
        phone = world.phone(extension)
        if state == "ready" and phone == GONE:
            state = "phone_gone"
        elif state == "ready" and extension in world.lines:
            state = "phone_busy"
        rows.append(
            AgentRow(
                agent_id=agent.agent_id,
                number=agent.number,
                name=agent.name,
                extension=extension,
                phone=phone,
                team=team,
                state=state,
                reason=shift.reason if shift is not None and shift.status == "paused" else "",
                since=shift.since if shift is not None else None,
                queue=queue_name(world, contact.queue_id) if contact is not None else "",
                in_hand=len(shift.engagements) if shift is not None else 0,
                queues=_queues(world, agent.skills),
                next_pause=shift.next_pause if shift is not None else "",
            )
        )
    order = {state: place for place, state in enumerate(ORDER)}
    return sorted(rows, key=lambda row: (order.get(row.state, len(order)), row.since or 0, row.number))


def _queues(world: World, skills: dict[str, int]) -> tuple[str, ...]:
    return tuple(
        sorted(
            queue.queue_id
            for queue in world.queues.values()
            if queue.open and skills.get(queue.settings.skill, 0) >= max(queue.settings.min_level, 1)
        )
    )


def _calls(world: World, agents: set[str] | None) -> list[CallRow]:
    """The longest first. With `agents`: those in which one of them talks or is rung, and those who wait for anybody."""
    rows = []
    for contact in sorted(world.contacts.values(), key=lambda contact: contact.arrived_at):
        with_agents = agents_with(contact)
        if to_be_called(contact) is not None and contact.status != "leaving":
            continue  # nobody is on the line: it stands among the callbacks
        if agents is not None and with_agents and agents.isdisjoint(with_agents):
            continue
        since = contact.arrived_at
        if contact.segment is not None:
            since = contact.segment.since
        elif contact.outside is not None and contact.outside.segment_id:
            since = contact.outside.since
        elif contact.parked is not None:
            since = contact.parked.since
        elif contact.visit is not None:
            since = contact.visit.since
        names = [world.agents[agent_id].name for agent_id in with_agents if agent_id in world.agents]
        rows.append(
            CallRow(
                contact_id=contact.contact_id,
                state=contact.status,
                queue=queue_name(world, contact.queue_id),
                number=number_of(contact),
                queue_id=contact.queue_id,
                points=contact.given,
                agent=", ".join(names),
                gathered=tuple(each for each in members_of(world, contact) if each.state == "in"),
                since=since,
                place=contact.parked.place if contact.parked is not None else 0,
                with_agent=contact.segment is not None and contact.status != "leaving",
                heard_by=supervisor_of(world, contact),
                heard_as=contact.monitor.wanted if contact.monitor is not None else "",
            )
        )
    return rows


def agents_with(contact: Contact) -> list[str]:
    """The ids of the agents who talk with this contact, parked it, or are rung for it."""
    if contact.parked is not None:
        return [contact.parked.agent_id]
    if contact.segment is not None:
        return [contact.segment.agent_id]
    return [held.agent_id for held in contact.offer.reservations] if contact.offer is not None else []
