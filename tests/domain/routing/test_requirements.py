"""What a contact asks for: the chain of steps from a queue's settings and what is known; ranks, bounds, regions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.contacts.contacts import Visit
from orchestrator.domain.kernel import MILLISECOND, SECOND, Instant
from orchestrator.domain.routing.queues import QueueConfigured, StepSetting
from orchestrator.domain.routing.requirements import (
    MINUTE,
    Known,
    Requirement,
    Step,
    aged,
    bounded,
    branch_of,
    chain,
    own,
    rank_at,
)


def queue(**more: object) -> QueueConfigured:
    return QueueConfigured(name="Q", skill="zh", min_level=2, **more)  # type: ignore[arg-type]  # a test's own words


def zh(level: int = 2, **more: object) -> Requirement:
    return Requirement(skills={"zh": level}, **more)  # type: ignore[arg-type]  # a test's own words


def test_a_plain_queue_needs_no_chain() -> None:
    """Feature 3.4: what it asks for is what it says by then, also after a change."""
    assert chain(queue()) == ()
    assert chain(queue(), Known(last_agent="ann", branch="sh")) == ()
    assert own(queue()) == zh()


def test_named_agent_then_last_agent_then_the_queues_steps_then_whoever_the_queue_asks_for() -> None:
    """Features 3.3, 3.4: one chain, whatever it is called."""
    settings = queue(
        named_agent_ms=3_000,
        last_agent_ms=4_000,
        steps=(StepSetting(for_ms=5_000, branch="local"), StepSetting(for_ms=6_000, min_level=7)),
    )
    assert chain(settings, Known(named_agent="ann", last_agent="bo", branch="sh")) == (
        Step(requirement=zh(agents=("ann",)), until_ms=3_000),
        Step(requirement=zh(agents=("bo",)), until_ms=4_000),
        Step(requirement=zh(branch="sh"), until_ms=5_000),
        Step(requirement=zh(7), until_ms=6_000),
        Step(requirement=zh()),
    )


def test_then_anyone() -> None:
    """Feature 3.4: a step without any skill asks for nothing; it is the last one, for it holds for good."""
    steps = (StepSetting(for_ms=5_000), StepSetting(skills={}), StepSetting(min_level=9))
    assert chain(queue(steps=steps)) == (Step(requirement=zh(), until_ms=5_000), Step(requirement=Requirement()))


def test_a_caller_of_no_known_region_does_not_wait_for_a_local_branch() -> None:
    """Feature 3.3."""
    assert chain(queue(steps=(StepSetting(for_ms=5_000, branch="local"),))) == ()


def test_a_customers_level_may_demand_the_strongest_agent_at_every_step() -> None:
    """Feature 3.3."""
    steps = chain(queue(steps=(StepSetting(for_ms=5_000, min_level=5),)), Known(strongest=True))
    assert [step.requirement.strongest for step in steps] == [True, True]
    assert chain(queue(), Known(strongest=True)) == (Step(requirement=zh(strongest=True)),)


@given(
    st.lists(
        st.builds(
            StepSetting,
            for_ms=st.sampled_from((0, 0, 1_000, 60_000)),
            min_level=st.integers(0, 9),
            skills=st.none() | st.dictionaries(st.sampled_from(("zh", "en")), st.integers(1, 9)),
            branch=st.sampled_from(("", "local", "sh")),
        ),
        max_size=6,
    ),
    st.builds(
        Known,
        named_agent=st.sampled_from(("", "ann")),
        last_agent=st.sampled_from(("", "bo")),
        branch=st.sampled_from(("", "sh")),
        strongest=st.booleans(),
    ),
    st.sampled_from((0, 10_000)),
)
def test_every_chain_has_an_end_that_holds_for_good_and_only_that_one(
    settings: list[StepSetting], known: Known, patience_ms: int
) -> None:
    """Feature 3.4; law 9: no step waits for ever but the last."""
    steps = chain(queue(steps=tuple(settings), last_agent_ms=patience_ms), known)
    assert [step.until_ms > 0 for step in steps] == [True] * (len(steps) - 1) + [False] * bool(steps)


# --- ranks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given_", "kept"), ((5, 5), (-1_000, -1_000), (1_001, 1_000), (-9_999, -1_000)))
def test_a_priority_that_is_out_of_range_is_brought_within(given_: int, kept: int) -> None:
    """Bad input: whatever an event of another time says."""
    assert bounded(given_) == kept
    visit = Visit(
        visit_id="v", queue_id="q", priority=given_, queued_at=Instant(0), leave_by=Instant(1), bonuses={"entry": 0}
    )
    assert visit.base == kept


def test_waiting_ages_into_the_rank_up_to_its_cap() -> None:
    """Feature 3.3: minutes waited, capped."""
    since = Instant(50 * SECOND)
    at = [aged(2, 5, since, Instant(since + minutes * MINUTE)) / MINUTE for minutes in (-1, 0, 0.5, 2, 2.5, 60)]  # type: ignore[arg-type]
    assert at == [0, 0, 1, 4, 5, 5]
    assert rank_at(7, 2, 5, since, Instant(since + MINUTE)) == 9 * MINUTE
    assert aged(0, 5, since, Instant(10**15)) == 0


# --- regions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "branch"),
    (
        ("+862155550001", "shanghai"),
        ("+86 21 5555-0001", "shanghai"),
        ("02155550001", "shanghai"),
        ("+862055550001", "china"),
        ("+8621", "shanghai"),
        ("+4930123", ""),
        ("anonymous", ""),
        ("", ""),
    ),
)
def test_a_callers_region_is_that_of_the_longest_prefix(number: str, branch: str) -> None:
    """Feature 3.3: local branch first."""
    assert branch_of(number, {"+86": "china", "+8621": "shanghai", "021": "shanghai"}) == branch


def test_until_is_counted_in_milliseconds_from_the_steps_own_beginning() -> None:
    assert MINUTE == 60_000 * MILLISECOND
