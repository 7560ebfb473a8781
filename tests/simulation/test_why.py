"""Why an agent got an offer or not, held against what happened: in simulated runs with every fault, for every agent.

The explanation is read off the index by which offers are made. Here everything that it says is worked out once more,
from the shifts alone and by plain sorting, so that the two cannot be wrong together.
"""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts.contacts import Contact, OfferMade, OfferWidened
from orchestrator.domain.contacts.outward import IN_TURN
from orchestrator.domain.kernel import Instant, Record, ident_of, kind_of
from orchestrator.domain.routing import explaining
from orchestrator.domain.routing.explaining import CHOSEN, OUT, RANKED, Obstacle, Reason
from orchestrator.domain.routing.requirements import Requirement, own, rank_at
from orchestrator.domain.routing.rules import RULES, Standing
from orchestrator.domain.staff.shifts import Shift, available
from orchestrator.domain.switch.nodes import DEAD
from orchestrator.domain.world import World
from orchestrator.replay import why
from orchestrator.replay.why import decision_of, late_after, told
from orchestrator.service.planning import SECTION_OF
from tests.simulation.comparing import fold
from tests.simulation.phones import is_gone
from tests.simulation.run import Run

SEEDS = 200
REASONS = (
    CHOSEN,
    RANKED,
    OUT,
    "skill_missing",
    "level_too_low",
    "signed_out",
    "paused",
    "reserved",
    "talking",
    "wrapping_up",
    "cooling_down",
    "desk_absent",
    "phone_busy",
    "phone_gone",
    "wrong_branch",
    "not_named",
    "rung_already",
    "declined",
)
# Some come up seldom: a phone that rings already while one more is to ring. Where they did the last time comes first.
MOST = 400
RICH = (35, 91)
_CHUNK = 25


def asked_of(world: World, contact: Contact) -> Requirement:
    """What the contact asks for now."""
    assert contact.visit is not None
    return contact.visit.requirement or own(world.queues[contact.queue_id].settings)


def is_asked(world: World, agent_id: str, wanted: Requirement) -> bool:
    """Whether the agent has what is asked for."""
    agent = world.agents.get(agent_id)
    if agent is None or (wanted.branch and agent.branch != wanted.branch):
        return False
    fits = all(agent.skills.get(skill, 0) >= max(level, 1) for skill, level in wanted.skills.items())
    return fits and (not wanted.agents or agent_id in wanted.agents)


def who_is_free(world: World, contact: Contact, *, strict: bool) -> set[str]:
    """Whoever could be offered it: free, with what is asked for; who declined it only where there is nobody else."""
    assert contact.visit is not None
    wanted = asked_of(world, contact)
    free = {
        shift.agent_id
        for shift in world.shifts.values()
        if available(shift) and shift.extension not in world.lines and is_asked(world, shift.agent_id, wanted)
        if not is_gone(world, shift.extension)
    }
    fresh = free - set(contact.visit.declined)
    return fresh if fresh or strict else free


def in_order(world: World, contact: Contact, agent_ids: set[str]) -> list[str] | None:
    """These agents sorted by hand, None where the order hangs on what cannot be seen: draws, and counts in a window."""
    settings, wanted = world.queues[contact.queue_id].settings, asked_of(world, contact)
    rule = RULES[settings.rule]
    if rule.counts or not {"draw", "offered_at"}.isdisjoint(rule.looks_at):
        return None
    rows = []
    for agent_id in agent_ids:
        agent, shift = world.agents[agent_id], world.shifts[world.shift_of_agent[agent_id]]
        level = sum(agent.skills[skill] for skill in wanted.skills)
        standing = Standing(
            shift_id=shift.shift_id,
            agent_id=agent_id,
            level=level,
            idle_since=shift.idle_since,
            skills=len(agent.skills),
            order=agent.order,
            weight=agent.weight,
        )
        first = -level if settings.level_first or wanted.strongest else 0
        rows.append(((first, *rule.key(standing), shift.idle_since, shift.shift_id), agent_id))
    return [agent_id for _, agent_id in sorted(rows)]


def stands_at(contact: Contact, at: Instant) -> tuple[int, Instant]:
    """Where a contact stands among all: smaller first."""
    visit = contact.visit
    assert visit is not None
    return -rank_at(visit.base, visit.age_per_min, visit.age_cap, visit.since, at), visit.since


def is_so(world: World, contact: Contact, agent_id: str, said: Obstacle, at: Instant) -> bool:
    """Whether an obstacle is what the state says."""
    wanted = asked_of(world, contact)
    agent = world.agents.get(agent_id)
    shift = next((each for each in world.shifts.values() if each.agent_id == agent_id), None)
    level = agent.skills.get(said.skill, 0) if agent is not None else 0
    match said.code:
        case "not_configured":
            return agent is None
        case "skill_missing":
            return said.skill in wanted.skills and level == 0
        case "level_too_low":
            return 0 < level == said.level < wanted.skills[said.skill] == said.asked
        case "wrong_branch":
            return agent is not None and agent.branch != wanted.branch == said.branch
        case "not_named":
            return bool(wanted.agents) and agent_id not in wanted.agents
        case "signed_out":
            return shift is None
        case "serves_first":
            other = world.contacts[said.contact_id]
            return other.status in IN_TURN and stands_at(other, at) <= stands_at(contact, at)
    return shift is not None and was_so(world, contact, shift, said)


def was_so(world: World, contact: Contact, shift: Shift, said: Obstacle) -> bool:
    """Whether an obstacle is what the agent was doing."""
    match said.code:
        case "paused":
            return (shift.status, shift.reason, shift.since) == ("paused", said.reason, said.since)
        case "reserved" | "talking" | "wrapping_up" as status:
            return (shift.status, shift.contact_id, shift.since) == (status, said.contact_id, said.since)
        case "rung_already":
            offer = contact.offer
            return offer is not None and shift.agent_id in {held.agent_id for held in offer.reservations}
        case "just_rung":
            open_id = contact.offer.offer_id if contact.offer is not None else ""
            return shift.contact_id == contact.contact_id and shift.offer_id != open_id
        case "cooling_down":
            return shift.cooling_until == said.until
        case "desk_absent":
            return shift.desk is not None and (shift.desk.state, shift.desk.since) == ("absent", said.since)
        case "phone_busy":
            return bool(world.lines.get(shift.extension))
        case "phone_gone":
            knew = [node for node in world.nodes.values() if shift.extension in node.phones]
            since = {node.phones[shift.extension].since for node in knew if node.in_step}
            since |= {node.since for node in knew if node.status == DEAD}
            return is_gone(world, shift.extension) and said.since in since
        case "declined":
            return contact.visit is not None and shift.agent_id in contact.visit.declined
    return False


def faults(world: World, record: Record, reasons: tuple[Reason, ...]) -> Iterator[str]:
    """What is not true of an explanation of this offer. `world` is the state before it."""
    offer, at = record.event, record.about.at
    assert isinstance(offer, OfferMade | OfferWidened)
    assert offer.decision is not None
    contact = world.contacts[ident_of(record.stream)]
    if isinstance(offer, OfferMade) and offer.by_hand:
        if {r.agent_id for r in reasons if r.verdict == CHOSEN} != {held.agent_id for held in offer.reservations}:
            yield "somebody else was chosen by hand"
        return
    by_verdict = {each: [r for r in reasons if r.verdict == each] for each in (CHOSEN, RANKED, OUT)}
    told = [reason.agent_id for reason in reasons if reason.place]
    if [reason.agent_id for reason in by_verdict[CHOSEN]] != [each.agent_id for each in offer.reservations]:
        yield "those who are told to be chosen were not"
    free = who_is_free(world, contact, strict=contact.offer is not None)
    if set(told) != free:
        yield f"others were free: {set(told) ^ free}"
    elif in_order(world, contact, free) not in (None, told):
        yield f"the order is another one: {told}"
    if {reason.agent_id for reason in reasons} != set(world.agents):
        yield "somebody is left out"
    for reason in by_verdict[OUT]:
        if not reason.obstacles:
            yield f"nothing kept {reason.agent_id} from it"
    for reason in reasons:
        for said in reason.obstacles:
            if not is_so(world, contact, reason.agent_id, said, at):
                yield f"{said} is not true of {reason.agent_id}"
    placed = [reason for reason in reasons if reason.place]
    for reason, candidate in zip(placed, offer.decision.candidates, strict=False):
        recorded = {"level": candidate.level, **candidate.score, "idle_ms": candidate.idle_ms}
        if (reason.agent_id, reason.parts) != (candidate.agent_id, recorded):
            yield f"the decision record says {candidate}"


def explained(records: list[Record]) -> Iterator[tuple[World, Record, tuple[Reason, ...]]]:
    """Each offer of a log, explained for everybody, with the state of then."""
    placed = [replace(record, position=place) for place, record in enumerate(records, 1)]
    configured = [record for record in placed if kind_of(record.stream) in (*SECTION_OF, "config")]
    folded = World()
    for record in placed:
        decision = decision_of(record)
        if decision is not None:
            late = late_after(configured, record.position - 1, decision.config_version)
            world = folded if not late else fold([r for r in placed[: record.position - 1] if r.position not in late])
            yield world, record, told(world, record, 1).reasons
        folded.apply(record)


@pytest.mark.parametrize("first", range(0, SEEDS, _CHUNK))
def test_whatever_is_said_of_an_offer_is_what_happened(first: int) -> None:
    """Feature 3.9, complaint 25: for every offer of many runs, whoever was chosen is told to be chosen, in the order
    that was; whoever else was free comes behind; and of everybody else what is said to have kept them is so.
    """
    offers = 0
    for seed in range(first, first + _CHUNK):
        for world, record, reasons in explained(Run(seed).play().ledger.records()):
            offers += 1
            wrong = list(faults(world, record, reasons))
            assert not wrong, f"seed {seed}, {ident_of(record.stream)}: {wrong}"
    assert offers > 100


def test_the_runs_show_every_reason_that_there_is() -> None:
    """A reason that never comes up would prove nothing."""
    missing = set(REASONS)
    for seed in (*RICH, *range(MOST)):
        for _, _, reasons in explained(Run(seed).play().ledger.records()):
            missing -= {reason.verdict for reason in reasons}
            missing -= {said.code for reason in reasons for said in reason.obstacles}
        if not missing:
            return
    raise AssertionError(f"{sorted(missing)} never came up in {MOST} seeds")


@pytest.mark.parametrize("lie", ("nobody lacks a skill", "everybody has a pause", "the second is the first"))
def test_a_lie_is_found(monkeypatch: pytest.MonkeyPatch, lie: str) -> None:
    """The proof can fail."""
    if lie == "nobody lacks a skill":
        monkeypatch.setattr(explaining, "_lacking", lambda *_: iter(()))
    elif lie == "everybody has a pause":
        monkeypatch.setattr(explaining, "_busy", lambda *_: iter((Obstacle(code="paused", reason="break"),)))
    else:
        right = explaining.explain_all

        def swapped(*given: object) -> Iterator[Reason]:
            found = {reason.place: reason for reason in right(*given)}  # type: ignore[arg-type]  # what it is given
            for reason in right(*given):  # type: ignore[arg-type]  # the same
                other = found.get({1: 2, 2: 1}.get(reason.place, 0))
                yield (
                    reason
                    if other is None
                    else Reason(agent_id=reason.agent_id, verdict=other.verdict, place=other.place, parts=other.parts)
                )

        monkeypatch.setattr(why, "explain_all", swapped)
    found = [
        fault
        for seed in range(3)
        for world, record, reasons in explained(Run(seed).play().ledger.records())
        for fault in faults(world, record, reasons)
    ]
    assert found
