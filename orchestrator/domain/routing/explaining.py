"""Why an agent did, or did not, get the offer of a contact: read off the state in which it was decided.

    explain(world, contact, agent) ──▶ Reason: chosen · ranked N-th · out, with everything that stood in the way

Pure, and made of the same index by which offers are made (`matching`); whoever has the state just before an offer
(`replay.why`) can ask it of any agent, long afterwards. Words for it are the screens' matter.
"""

from collections.abc import Iterator

from msgspec import Struct

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.routing.rules import Standing
from orchestrator.domain.staff import presence
from orchestrator.domain.staff.shifts import ENGAGED, Shift
from orchestrator.domain.world import World

CHOSEN, RANKED, OUT = "chosen", "ranked", "out"


class Obstacle(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that kept an agent from an offer. `code` says which of the others are told:

    not_configured; skill_missing (skill, asked), level_too_low (skill, level, asked); signed_out; paused (reason,
    since), wrapping_up (contact_id, since, until), reserved and talking (contact_id, queue_id, since, before),
    cooling_down (until), desk_absent (since), phone_busy. And what kept the contact from everybody: switch_away, behind
    (contact_id of the one at the head of its queue).
    """

    code: str
    reason: str = ""
    since: Instant | None = None
    until: Instant | None = None
    contact_id: str = ""
    queue_id: str = ""
    before: str = ""
    """Of another contact that the agent was reserved for: why it was served first (higher, older), where it still
    stood in a queue."""
    skill: str = ""
    level: int = 0
    asked: int = 0


class Reason(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer for one agent. `place`: among those who were free, from 1; 0 for those who were out."""

    agent_id: str
    verdict: str
    place: int = 0
    parts: dict[str, int] = {}
    """What counted, in the order in which it counts: level, idle_ms."""
    obstacles: tuple[Obstacle, ...] = ()


def explain(world: World, contact: Contact, agent_id: str, at: Instant) -> Reason:
    """Why this agent is, or is not, the one to whom this contact, which waits, is offered at `at`."""
    return next(explain_all(world, contact, (agent_id,), at))


def explain_all(world: World, contact: Contact, agent_ids: tuple[str, ...], at: Instant) -> Iterator[Reason]:
    """The same for several agents; the order of those who are free is found once."""
    settings = world.queues[contact.queue_id].settings
    free = world.matching.best_agents(contact.queue_id, len(world.shifts))
    places = {standing.agent_id: place for place, standing in enumerate(free, 1)}
    nobody = tuple(_for_nobody(world, contact))
    for agent_id in agent_ids:
        place = places.get(agent_id)
        if place is None:
            obstacles = (*nobody, *_obstacles(world, contact, agent_id))
            yield Reason(agent_id=agent_id, verdict=OUT, obstacles=obstacles)
        else:
            verdict = OUT if nobody else CHOSEN if place <= settings.ring_at_once else RANKED
            parts = _parts(free[place - 1], at)
            yield Reason(agent_id=agent_id, verdict=verdict, place=place, parts=parts, obstacles=nobody)


def _for_nobody(world: World, contact: Contact) -> Iterator[Obstacle]:
    """What keeps the contact from being offered to anybody at all."""
    if not world.in_step(contact.node):
        yield Obstacle(code="switch_away")
        return
    head = world.matching.next_contact(contact.queue_id)
    if head is not None and head != contact.contact_id:
        yield Obstacle(code="behind", contact_id=head)


def _parts(standing: Standing, at: Instant) -> dict[str, int]:
    return {"level": standing.level, "idle_ms": (at - standing.idle_since) // MILLISECOND}


def _obstacles(world: World, contact: Contact, agent_id: str) -> Iterator[Obstacle]:
    """What stands in the way: first what the contact asks for, then what the agent is doing."""
    agent = world.agents.get(agent_id)
    if agent is None:
        yield Obstacle(code="not_configured")
    else:
        yield from _lacking(world, contact, agent.skills)
    shift = world.shifts.get(world.shift_of_agent.get(agent_id, ""))
    if shift is None:
        yield Obstacle(code="signed_out")
    else:
        yield from _busy(world, contact, shift)


def _lacking(world: World, contact: Contact, skills: dict[str, int]) -> Iterator[Obstacle]:
    settings = world.queues[contact.queue_id].settings
    level, asked = skills.get(settings.skill, 0), max(settings.min_level, 1)
    if level == 0:
        yield Obstacle(code="skill_missing", skill=settings.skill, asked=asked)
    elif level < asked:
        yield Obstacle(code="level_too_low", skill=settings.skill, level=level, asked=asked)


def _busy(world: World, contact: Contact, shift: Shift) -> Iterator[Obstacle]:
    match shift.status:
        case "ready":
            pass
        case "paused":
            yield Obstacle(code="paused", reason=shift.reason, since=shift.since)
        case "wrapping_up":
            until = shift.wrap_until
            yield Obstacle(code="wrapping_up", contact_id=shift.contact_id, since=shift.since, until=until)
        case status if status in ENGAGED:
            other = world.contacts.get(shift.contact_id)
            yield Obstacle(
                code=status,
                contact_id=shift.contact_id,
                queue_id=other.queue_id if other is not None else "",
                since=shift.since,
                before=_before(other, contact),
            )
        case status:
            yield Obstacle(code=status, since=shift.since)
    if shift.cooling_until is not None:
        yield Obstacle(code="cooling_down", until=shift.cooling_until)
    if presence.absent(shift.desk) and shift.desk is not None:
        yield Obstacle(code="desk_absent", since=shift.desk.since)
    if shift.status == "ready" and shift.extension in world.lines:
        yield Obstacle(code="phone_busy")


def _before(other: Contact | None, contact: Contact) -> str:
    """Why the other contact was served first, where both stand in queues: higher, older; else nothing."""
    if other is None or other.visit is None or contact.visit is None:
        return ""
    if other.visit.priority != contact.visit.priority:
        return "higher" if other.visit.priority > contact.visit.priority else ""
    return "older" if other.visit.queued_at < contact.visit.queued_at else ""
