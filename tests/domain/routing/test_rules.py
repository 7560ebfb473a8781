"""Each rule by itself: a pure thing, from an agent's standing to a place."""

from collections import Counter

import pytest

from orchestrator.domain.kernel import Instant
from orchestrator.domain.routing.pools import Order, Pool, draw_of
from orchestrator.domain.routing.rules import RULES, Rule, Standing, rule_of
from orchestrator.domain.staff.counters import Counters


def standing(name: str = "a", **more: int) -> Standing:
    return Standing(shift_id=name, agent_id=name, level=1, idle_since=Instant(more.pop("idle_since", 0)), **more)  # type: ignore[arg-type]  # numbers only


@pytest.mark.parametrize(
    ("rule", "first", "second"),
    (
        ("longest_idle", {"idle_since": 1}, {"idle_since": 2}),
        ("round_robin", {"offered_at": 0, "idle_since": 9}, {"offered_at": 1}),
        ("round_robin", {"offered_at": 5, "idle_since": 9}, {"offered_at": 6}),
        ("fewest_calls", {"calls": 2, "idle_since": 9}, {"calls": 3}),
        ("least_talk_time", {"talk_ms": 2, "idle_since": 9}, {"talk_ms": 3}),
        ("most_skills_first", {"skills": 2, "idle_since": 9}, {"skills": 1}),
        ("fewest_skills_first", {"skills": 1, "idle_since": 9}, {"skills": 2}),
        ("top_down", {"order": 1, "idle_since": 9}, {"order": 2}),
        ("random", {"draw": 1, "idle_since": 9}, {"draw": 2}),
        ("weighted", {"calls": 5, "weight": 3, "idle_since": 9}, {"calls": 2, "weight": 1}),
        ("weighted", {"calls": 1, "weight": 1, "idle_since": 9}, {"calls": 6, "weight": 2}),
        ("ring_all", {"idle_since": 1}, {"idle_since": 2}),
        ("ring_progressively", {"idle_since": 1}, {"idle_since": 2}),
    ),
)
def test_a_rule_puts_one_agent_before_another(rule: str, first: dict[str, int], second: dict[str, int]) -> None:
    """Feature 3.2."""
    order = Order(Pool(((), "")), RULES[rule], (rule, True, "", 0), Counters())
    assert order.key(standing("z", **first)) < order.key(standing("a", **second))


@pytest.mark.parametrize("name", RULES)
def test_among_equals_of_any_rule_the_agent_who_has_been_idle_longest_comes_first(name: str) -> None:
    """Feature 3.2."""
    order = Order(Pool(((), "")), RULES[name], (name, False, "", 0), Counters())
    assert order.key(standing("z", idle_since=1)) < order.key(standing("a", idle_since=2))


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_says_what_it_does_in_both_languages_and_what_it_looks_at(rule: Rule) -> None:
    """Feature 3.9, complaint 25: documents, screens and decision records know a rule by its own file."""
    assert rule.says.endswith(".")
    assert set(rule.words) == {"en", "zh"}
    assert rule.words["zh"]
    assert all(hasattr(standing(), name) for name in rule.looks_at)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_looks_at_nothing_but_what_it_says(rule: Rule) -> None:
    """Complaint 25: whatever else is changed, the key is the same."""
    numbers = [
        name for name in ("skills", "order", "calls", "talk_ms", "offered_at", "draw") if name not in rule.looks_at
    ]
    looks = [standing(**dict.fromkeys(numbers, n)) for n in range(1, 5)]  # type: ignore[arg-type]  # numbers only
    assert len({rule.key(each) for each in looks}) == 1


def test_a_rule_of_the_log_that_is_gone_is_the_usual_one() -> None:
    """Feature 11.1: history is read whatever became of its rules."""
    assert rule_of("by_zodiac_sign").name == "longest_idle"


def test_draws_are_derived_and_every_agent_is_as_likely_as_any_other() -> None:
    """Feature 3.2 (random); law 3: 20 free agents, 10 000 picks, each back at once; nobody is starved."""
    assert draw_of("shift", 1) == draw_of("shift", 1) != draw_of("shift", 2)
    pool = Pool(((), ""))
    order = Order(pool, RULES["random"], ("random", True, "", 0), Counters())
    free: dict[str, int] = {}

    def comes(name: str, stamp: int) -> None:
        free[name] = stamp
        pool.states["ready"] = len(free)
        order.add(standing(name, draw=draw_of(name, stamp)), 1, stamp, free, Instant(0))

    for n in range(20):
        comes(f"a{n}", n)
    picked: Counter[str] = Counter()
    for n in range(10_000):
        (best,) = order.best(1, free, Instant(0))
        picked[best.agent_id] += 1
        order.chosen(best.shift_id)
        del free[best.shift_id]
        comes(best.agent_id, 100 + n)
    assert len(picked) == 20
    # 500 each are expected; of 10 000 fair draws nobody is further off than five standard deviations of 22.
    assert max(abs(count - 500) for count in picked.values()) < 110
    assert sum((count - 500) ** 2 / 500 for count in picked.values()) < 50  # chi square of 19, far beyond 99.9 %
