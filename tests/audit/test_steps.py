"""The verifier knows how a requirement widens and an offer grows, by itself."""

import pytest
from msgspec.structs import replace

from orchestrator.audit import verify
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.kernel import Event, Record
from orchestrator.domain.routing.queues import StepSetting
from tests.runner.scene import Scene, agent


def day() -> list[Record]:
    """A caller who goes through two steps, and for whom phones ring one by one."""
    steps = (StepSetting(for_ms=5_000, min_level=4), StepSetting(for_ms=6_000, min_level=4))
    scene = Scene(agents=0, rule="ring_progressively", ring_next_ms=4_000, wrap_up_ms=0, steps=steps)
    scene.configure({"agent-a1": agent(1, zh=1), "agent-a2": agent(2, zh=1), "agent-a3": agent(3, zh=9)})
    scene.ready(1, 2, 3)
    busy, ring = scene.talk(3)
    caller = scene.park()
    scene.wait(11_000)
    scene.wait(4_000)
    first, second = scene.rings_of(caller)
    scene.answer(second)
    scene.bridge(caller, second)
    for leg in (first.leg, caller, second.leg, busy, ring.leg):
        scene.hang_up(leg)
    return scene.records


def test_a_day_of_steps_and_phones_that_ring_one_by_one_is_in_order() -> None:
    """Features 3.4, 11.3."""
    records = day()
    assert [type(r.event) for r in records if isinstance(r.event, c.VisitWidened | c.OfferWidened)] == [
        c.VisitWidened,
        c.VisitWidened,
        c.OfferWidened,
    ]
    report = verify(records)
    assert report.ok, report.problems


def spoilt(records: list[Record], kind: type[Event], place: int = 0, **changes: object) -> list[Record]:
    at = [n for n, record in enumerate(records) if isinstance(record.event, kind)][place]
    event = replace(records[at].event, **changes)
    return [*records[:at], replace(records[at], event=event), *records[at + 1 :]]


@pytest.mark.parametrize(
    ("kind", "place", "changes", "rule"),
    (
        (c.VisitWidened, 0, {"step": 2}, "visit"),
        (c.VisitWidened, 1, {"step": 7}, "visit"),
        (c.VisitWidened, 0, {"visit_id": "another"}, "visit"),
        (c.OfferWidened, 0, {"offer_id": "another"}, "offer"),
        (c.OfferWidened, 0, {"reservations": ()}, "unfounded"),
    ),
)
def test_what_does_not_follow_is_found(kind: type[Event], place: int, changes: dict[str, object], rule: str) -> None:
    """Feature 11.3: each spoilt in one place."""
    report = verify(spoilt(day(), kind, place, **changes))
    assert rule in {problem.rule for problem in report.problems}


def test_a_step_that_outlives_its_time_is_overdue() -> None:
    """Law 9; complaint 6."""
    records = day()
    widened = [n for n, record in enumerate(records) if isinstance(record.event, c.VisitWidened)]
    stuck = records[: widened[0]]
    late = replace(records[-1].about, at=records[widened[0]].about.at + 60_000_000)
    other = next(r for r in reversed(stuck) if r.stream == "config-main")
    stuck.append(replace(other, version=other.version + 1, event_id="late", about=late))
    problems = [problem.text for problem in verify(stuck).problems if problem.rule == "overdue"]
    assert any("step 0 of visit" in text for text in problems), problems
