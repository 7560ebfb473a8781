"""Why an agent did, or did not, get the offer of a contact: read off the state in which it was decided.

    explain(world, contact, agent) ──▶ Reason: chosen · ranked N-th · out, with everything that stood in the way

Pure, and made of the same index by which offers are made (`matching`); whoever has the state just before an offer
(`replay.why`) can ask it of any agent, long afterwards. Words for it are the screens' matter.
"""

from collections.abc import Container, Iterator

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.outward import to_be_called
from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.routing.matching import Choice
from orchestrator.domain.routing.requirements import Requirement, rank_at
from orchestrator.domain.routing.rules import ALL, Rule, Standing
from orchestrator.domain.staff import presence
from orchestrator.domain.staff.agents import Agent
from orchestrator.domain.staff.shifts import ENGAGED, Shift
from orchestrator.domain.world import World

CHOSEN, RANKED, OUT = "chosen", "ranked", "out"


class Obstacle(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that kept an agent from an offer. `code` says which of the others are told.

    What the contact asks for: not_configured; skill_missing (skill, asked), level_too_low (skill, level, asked),
    wrong_branch (branch), not_named. What the agent did: signed_out; paused (reason, since), wrapping_up (contact_id,
    since, until), reserved and talking (contact_id, queue_id, since, before), rung_already, just_rung (not yet let go
    from the contact's offer before), cooling_down (until), desk_absent (since), phone_busy, phone_gone (since);
    declined (did not take this contact just now). Who came first: serves_first (contact_id, queue_id, before). What
    kept the contact from everybody: switch_away, not_known_yet (until), picked (somebody chose another agent by hand).
    """

    code: str
    reason: str = ""
    since: Instant | None = None
    until: Instant | None = None
    contact_id: str = ""
    queue_id: str = ""
    before: str = ""
    """Of another contact: why it comes first (higher, older), where it still stands in a queue."""
    skill: str = ""
    level: int = 0
    asked: int = 0
    branch: str = ""


class Reason(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer for one agent. `place`: among those who were free and had not declined, from 1; 0 for others."""

    agent_id: str
    verdict: str
    place: int = 0
    parts: dict[str, int] = {}
    """What counted, in the order in which it counts: level, what the rule looks at, idle_ms."""
    obstacles: tuple[Obstacle, ...] = ()
    by_hand: bool = False
    """Whether somebody chose this agent for the contact; then nothing else counted."""


def chosen_by_hand(reason: Reason, picked: Container[str]) -> Reason:
    """The answer where somebody chose who gets the contact: these agents, whoever else would have come first."""
    if reason.agent_id in picked:
        return replace(reason, verdict=CHOSEN, obstacles=(), by_hand=True)
    return replace(reason, verdict=OUT, obstacles=(*reason.obstacles, Obstacle(code="picked")))


def explain(world: World, contact: Contact, agent_id: str, at: Instant) -> Reason:
    """Why this agent is, or is not, one of those to whom this contact is offered at `at`: it waits, or it is offered
    and one more phone is to ring.
    """
    return next(explain_all(world, contact, (agent_id,), at))


def explain_all(world: World, contact: Contact, agent_ids: tuple[str, ...], at: Instant) -> Iterator[Reason]:
    """The same for several agents; the order of those who are free is found once."""
    nobody = tuple(_for_nobody(world, contact))
    open_offer = contact.offer is not None
    choice = world.matching.choose(contact, max(len(world.shifts), 1), at, strict=open_offer)
    free = {standing.agent_id: (place, standing) for place, standing in enumerate(choice.best, 1)} if choice else {}
    for agent_id in agent_ids:
        if agent_id not in free or choice is None:
            obstacles = (*nobody, *_obstacles(world, contact, choice, agent_id))
            yield Reason(agent_id=agent_id, verdict=OUT, obstacles=obstacles)
            continue
        place, standing = free[agent_id]
        verdict, obstacles = RANKED, nobody
        if place <= _rung(world, contact, choice):
            first = None if open_offer else world.matching.best_contact(agent_id, at)
            if first not in (None, contact.contact_id):
                obstacles = (*nobody, _comes_first(world, contact, str(first), at))
            verdict = CHOSEN
        parts = {
            "level": standing.level,
            **score_of(choice.order.rule, standing, at),
            "idle_ms": (at - standing.idle_since) // MILLISECOND,
        }
        yield Reason(
            agent_id=agent_id, verdict=OUT if obstacles else verdict, place=place, parts=parts, obstacles=obstacles
        )


def score_of(rule: Rule, standing: Standing, now: Instant) -> dict[str, int]:
    """What a rule looked at, without what says nothing to people: of a draw only that there was one is told, by the
    rule. `offered_ms` is how long ago something was offered last, -1: never.
    """
    score = {name: int(getattr(standing, name)) for name in rule.looks_at if name != "draw"}
    if "offered_at" in score:
        offered_at = score.pop("offered_at")
        score["offered_ms"] = (now - offered_at) // MILLISECOND if offered_at else -1
    return score


def _rung(world: World, contact: Contact, choice: Choice) -> int:
    """How many phones ring for it now, at most."""
    settings = world.queues[contact.queue_id].settings
    if contact.offer is not None or to_be_called(contact) is not None:
        return 1
    return settings.ring_most if choice.order.rule.rings == ALL else settings.ring_at_once


def _for_nobody(world: World, contact: Contact) -> Iterator[Obstacle]:
    """What keeps the contact from being offered to anybody at all."""
    if not world.in_step(contact.node):
        yield Obstacle(code="switch_away")
    if contact.visit is not None and contact.visit.step < 0:
        yield Obstacle(code="not_known_yet", until=contact.visit.step_until)


def _obstacles(world: World, contact: Contact, choice: Choice | None, agent_id: str) -> Iterator[Obstacle]:
    """What stands in the way: first what the contact asks for, then what the agent is doing."""
    agent = world.agents.get(agent_id)
    if agent is None:
        yield Obstacle(code="not_configured")
    elif choice is not None:
        yield from _lacking(choice.requirement, agent)
    shift = world.shifts.get(world.shift_of_agent.get(agent_id, ""))
    if shift is None:
        yield Obstacle(code="signed_out")
        return
    yield from _busy(world, contact, shift)
    if contact.visit is not None and agent_id in contact.visit.declined and world.matching.is_free(shift.shift_id):
        yield Obstacle(code="declined")


def _lacking(wanted: Requirement, agent: Agent) -> Iterator[Obstacle]:
    for skill, least in wanted.skills.items():
        level, asked = agent.skills.get(skill, 0), max(least, 1)
        if level == 0:
            yield Obstacle(code="skill_missing", skill=skill, asked=asked)
        elif level < asked:
            yield Obstacle(code="level_too_low", skill=skill, level=level, asked=asked)
    if wanted.branch and agent.branch != wanted.branch:
        yield Obstacle(code="wrong_branch", branch=wanted.branch)
    if wanted.agents and agent.agent_id not in wanted.agents:
        yield Obstacle(code="not_named")


def _busy(world: World, contact: Contact, shift: Shift) -> Iterator[Obstacle]:
    match shift.status:
        case "ready":
            pass
        case "paused":
            yield Obstacle(code="paused", reason=shift.reason, since=shift.since)
        case "wrapping_up":
            until = shift.wrap_until
            yield Obstacle(code="wrapping_up", contact_id=shift.contact_id, since=shift.since, until=until)
        case "reserved" if shift.contact_id == contact.contact_id:
            open_one = contact.offer is not None and shift.offer_id == contact.offer.offer_id
            yield Obstacle(code="rung_already" if open_one else "just_rung", since=shift.since)
        case status if status in ENGAGED:
            other = world.contacts.get(shift.contact_id)
            yield Obstacle(
                code=status,
                contact_id=shift.contact_id,
                queue_id=other.queue_id if other is not None else "",
                since=shift.since,
                before=_before(other, contact, shift.since),
            )
        case status:
            yield Obstacle(code=status, since=shift.since)
    if shift.cooling_until is not None:
        yield Obstacle(code="cooling_down", until=shift.cooling_until)
    if presence.absent(shift.desk) and shift.desk is not None:
        yield Obstacle(code="desk_absent", since=shift.desk.since)
    if shift.status == "ready" and shift.extension in world.lines:
        yield Obstacle(code="phone_busy")
    phone = world.registration(shift.extension)
    if phone is not None and not phone.registered:
        yield Obstacle(code="phone_gone", since=phone.since)


def _comes_first(world: World, contact: Contact, first: str, at: Instant) -> Obstacle:
    other = world.contacts.get(first)
    queue_id = other.queue_id if other is not None else ""
    return Obstacle(code="serves_first", contact_id=first, queue_id=queue_id, before=_before(other, contact, at))


def _before(other: Contact | None, contact: Contact, at: Instant) -> str:
    """Why the other contact came first at that instant, where both stood in queues: higher, older; else nothing."""
    if other is None or other.visit is None or contact.visit is None:
        return ""
    theirs, ours = (
        rank_at(visit.base, visit.age_per_min, visit.age_cap, visit.since, at) for visit in (other.visit, contact.visit)
    )
    if theirs != ours:
        return "higher" if theirs > ours else ""
    return "older" if other.visit.since < contact.visit.since else ""
