"""Why an agent got an offer or not, held against what happened: in simulated runs with every fault, for every agent.

The explanation is read off the index by which offers are made. Here everything that it says is worked out once more,
from the shifts alone and by plain sorting, so that the two cannot be wrong together.
"""

from collections import Counter
from collections.abc import Iterator

import pytest

from orchestrator.domain.contacts.contacts import OfferMade
from orchestrator.domain.kernel import Record, ident_of
from orchestrator.domain.routing import explaining
from orchestrator.domain.routing.explaining import CHOSEN, OUT, RANKED, Obstacle, Reason
from orchestrator.domain.staff.shifts import available
from orchestrator.domain.world import World
from orchestrator.replay import why
from orchestrator.replay.why import Retelling, told
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
)
_CHUNK = 25


def free_in_order(world: World, queue_id: str) -> list[str]:
    """Whoever is free for this queue, best first."""
    settings = world.queues[queue_id].settings
    found = []
    for shift in world.shifts.values():
        agent = world.agents.get(shift.agent_id)
        level = agent.skills.get(settings.skill, 0) if agent is not None else 0
        if available(shift) and shift.extension not in world.lines and level >= max(settings.min_level, 1):
            found.append((-level, shift.idle_since, shift.shift_id, shift.agent_id))
    return [row[-1] for row in sorted(found)]


def is_so(world: World, agent_id: str, queue_id: str, said: Obstacle) -> bool:
    """Whether an obstacle is what the state says."""
    settings = world.queues[queue_id].settings
    agent = world.agents.get(agent_id)
    shift = next((each for each in world.shifts.values() if each.agent_id == agent_id), None)
    level = agent.skills.get(settings.skill) if agent is not None else None
    match said.code:
        case "not_configured":
            return agent is None
        case "skill_missing":
            return level is None
        case "level_too_low":
            return level == said.level and level < settings.min_level == said.asked
        case "signed_out":
            return shift is None
    if shift is None:
        return False
    match said.code:
        case "paused":
            return (shift.status, shift.reason, shift.since) == ("paused", said.reason, said.since)
        case "reserved" | "talking" | "wrapping_up" as status:
            return (shift.status, shift.contact_id, shift.since) == (status, said.contact_id, said.since)
        case "cooling_down":
            return shift.cooling_until == said.until
        case "desk_absent":
            return shift.desk is not None and (shift.desk.state, shift.desk.since) == ("absent", said.since)
        case "phone_busy":
            return bool(world.lines.get(shift.extension))
    return False


def faults(world: World, record: Record, reasons: tuple[Reason, ...]) -> Iterator[str]:
    """What is not true of an explanation of this offer. `world` is the state before it."""
    offer = record.event
    assert isinstance(offer, OfferMade)
    held = [each.agent_id for each in offer.reservations]
    free = free_in_order(world, offer.queue_id)
    by_verdict = {each: [r for r in reasons if r.verdict == each] for each in (CHOSEN, RANKED, OUT)}
    if [reason.agent_id for reason in by_verdict[CHOSEN]] != held:
        yield "those who are told to be chosen were not"
    if [reason.agent_id for reason in by_verdict[CHOSEN] + by_verdict[RANKED]] != free:
        yield "the order is another one"
    if {reason.agent_id for reason in reasons} != set(world.agents):
        yield "somebody is left out"
    for reason in by_verdict[OUT]:
        if not reason.obstacles:
            yield f"nothing kept {reason.agent_id} from it"
        for said in reason.obstacles:
            if not is_so(world, reason.agent_id, offer.queue_id, said):
                yield f"{said} is not true of {reason.agent_id}"
    for reason, candidate in zip(by_verdict[CHOSEN] + by_verdict[RANKED], offer.decision.candidates, strict=False):
        recorded = (candidate.agent_id, candidate.level, candidate.idle_ms)
        if (reason.agent_id, reason.parts["level"], reason.parts["idle_ms"]) != recorded:
            yield f"the decision record says {recorded}"


def explained(records: list[Record]) -> Iterator[tuple[World, Record, tuple[Reason, ...]]]:
    """Each offer of a log, explained for everybody, with the state of then."""
    retelling = Retelling()
    for record in records:
        if isinstance(record.event, OfferMade):
            found = told(retelling, record, 1)
            with retelling.configured(record.event.decision.config_version) as world:
                yield world, record, found.reasons
        retelling.apply(record)


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
    seen: Counter[str] = Counter()
    for seed in range(40):
        for _, _, reasons in explained(Run(seed).play().ledger.records()):
            seen.update(said.code for reason in reasons for said in reason.obstacles)
            seen.update(reason.verdict for reason in reasons)
    missing = [reason for reason in REASONS if not seen[reason]]
    assert not missing


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
