"""Erlang B, C and A: known answers, what must hold of any figures, and a queue that is played call by call."""

from math import exp, inf, isfinite, log

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestrator.domain.sizing.erlang import Served, blocking, blockings, impatient, patient, waiting
from tests.domain.sizing.queueing import lost, play

# 100 calls in 30 minutes, 180 s each: 10 Erlang; P(wait), answered within 20 s, mean wait in s.
KNOWN = (
    (11, 0.682118, 0.389614, 122.781),
    (12, 0.449388, 0.640158, 40.445),
    (13, 0.285270, 0.795595, 17.116),
    (14, 0.174132, 0.888350, 7.836),
    (15, 0.102042, 0.941453, 3.674),
)
ANY = settings(deadline=None, derandomize=True, max_examples=150)
traffics = st.floats(0.001, 3_000)
handlings = st.floats(1, 3_600)
patiences = st.floats(1, 3_600)
within = st.floats(0, 600)


def with_patience(traffic: float, agents: int, handling_s: float, within_s: float, patience_s: float) -> Served:
    blocked = blocking(traffic, agents)
    return impatient(traffic, agents, blocked, handling_s=handling_s, within_s=within_s, patience_s=patience_s)


def for_ever(traffic: float, agents: int, handling_s: float, within_s: float) -> Served:
    return patient(traffic, agents, blocking(traffic, agents), handling_s=handling_s, within_s=within_s)


def chain(traffic: float, agents: int, handling_s: float, patience_s: float) -> tuple[float, float]:
    """P(wait) and P(gives up), by adding up the states of the birth-and-death chain one by one."""
    rate, ends, leaves = traffic / handling_s, 1 / handling_s, 1 / patience_s
    logs = [0.0]
    for state in range(1, 6_000):
        logs.append(logs[-1] + log(rate / (min(state, agents) * ends + max(state - agents, 0) * leaves)))
    top = max(logs)
    weights = [exp(each - top) for each in logs]
    whole = sum(weights)
    queue = sum((state - agents) * weight for state, weight in enumerate(weights) if state > agents) / whole
    return sum(weights[agents:]) / whole, queue * leaves / rate


@pytest.mark.parametrize(("agents", "waits", "level", "wait_s"), KNOWN)
def test_erlang_c_gives_the_known_answers(agents: int, waits: float, level: float, wait_s: float) -> None:
    """Feature 10.2: two published packages say the same."""
    found = for_ever(10, agents, 180, 20)
    assert found.waits == pytest.approx(waits, abs=5e-7)
    assert found.level == pytest.approx(level, abs=5e-7)
    assert found.wait_s == pytest.approx(wait_s, abs=5e-4)
    if agents == 14:
        assert found.occupancy == pytest.approx(0.714286, abs=5e-7)
        assert found.wait_s == pytest.approx(7.83593701177724, rel=1e-12)


@pytest.mark.parametrize(("traffic", "lines", "share"), ((1, 1, 1 / 2), (1, 2, 1 / 5), (2, 3, 4 / 19), (3, 2, 9 / 17)))
def test_erlang_b_is_what_one_gets_by_hand(traffic: float, lines: int, share: float) -> None:
    """Feature 10.2: A^n/n! over the sum of A^k/k!, small enough for fractions."""
    assert blocking(traffic, lines) == pytest.approx(share, rel=1e-14)


@pytest.mark.parametrize(("agents", "patience_s"), ((5, 120), (8, 120), (10, 30), (12, 600), (14, 3_600)))
def test_erlang_a_is_the_chain_of_its_states(agents: int, patience_s: float) -> None:
    """Feature 10.2."""
    waits, gives_up = chain(10, agents, 180, patience_s)
    found = with_patience(10, agents, 180, 20, patience_s)
    assert found.waits == pytest.approx(waits, rel=1e-9)
    assert found.gives_up == pytest.approx(gives_up, rel=1e-9)


@pytest.mark.parametrize("lines", (8, 14))
def test_a_system_that_turns_calls_away_turns_away_what_erlang_b_says(lines: int) -> None:
    assert lost(40_000, lines, traffic=10, seed=lines).agrees(blocking(10, lines))


@pytest.mark.parametrize(("agents", "seed"), ((12, 2), (14, 2)))
def test_a_queue_of_patient_callers_is_as_erlang_c_says(agents: int, seed: int) -> None:
    """Feature 10.2."""
    game = play(120_000, agents, traffic=10, handling_s=180, within_s=20, patience_s=None, seed=seed)
    found = for_ever(10, agents, 180, 20)
    for played, figure in ((game.waits, found.waits), (game.level, found.level), (game.wait_s, found.wait_s)):
        assert played.agrees(figure), (played, figure)
    assert not game.waits.agrees(for_ever(10, agents + 1, 180, 20).waits), "too coarse to tell anything"


@pytest.mark.parametrize(("agents", "patience_s", "within_s"), ((6, 60, 20), (10, 120, 20), (13, 240, 5)))
def test_a_queue_of_impatient_callers_is_as_erlang_a_says(agents: int, patience_s: float, within_s: float) -> None:
    """Feature 10.2."""
    game = play(120_000, agents, traffic=10, handling_s=180, within_s=within_s, patience_s=patience_s, seed=agents)
    found = with_patience(10, agents, 180, within_s, patience_s)
    for played, figure in (
        (game.waits, found.waits),
        (game.level, found.level),
        (game.wait_s, found.wait_s),
        (game.gives_up, found.gives_up),
    ):
        assert played.agrees(figure), (played, figure)
    assert not game.level.agrees(with_patience(10, agents + 1, 180, within_s, patience_s).level)


@ANY
@given(traffic=traffics, agents=st.integers(1, 4_000))
def test_whoever_waits_is_no_fewer_than_who_would_be_turned_away(traffic: float, agents: int) -> None:
    """B ≤ C, both are shares, and each falls with every agent more."""
    blocked, more = blocking(traffic, agents), blocking(traffic, agents + 1)
    assert 0 <= more <= blocked <= 1
    assert waiting(traffic, agents + 1, more) <= waiting(traffic, agents, blocked) * (1 + 1e-12)
    assert blocked * (1 - 1e-12) <= waiting(traffic, agents, blocked) <= 1


@ANY
@given(traffic=traffics, more=st.integers(1, 300), handling_s=handlings, within_s=within)
def test_with_an_agent_more_no_patient_caller_is_worse_off(
    traffic: float, more: int, handling_s: float, within_s: float
) -> None:
    agents = int(traffic) + more
    found, better = for_ever(traffic, agents, handling_s, within_s), for_ever(traffic, agents + 1, handling_s, within_s)
    assert 0 <= found.level <= better.level + 1e-12 <= 1 + 1e-12
    assert better.wait_s <= found.wait_s
    assert better.occupancy < found.occupancy


@ANY
@given(traffic=traffics, agents=st.integers(1, 4_000), handling_s=handlings, within_s=within, patience_s=patiences)
def test_with_an_agent_more_no_impatient_caller_is_worse_off(
    traffic: float, agents: int, handling_s: float, within_s: float, patience_s: float
) -> None:
    """However many are too few: Erlang A has an answer for every overload."""
    found = with_patience(traffic, agents, handling_s, within_s, patience_s)
    better = with_patience(traffic, agents + 1, handling_s, within_s, patience_s)
    assert all(isfinite(each) for each in (found.waits, found.level, found.wait_s, found.occupancy, found.gives_up))
    for share in (found.waits, found.level, found.occupancy, found.gives_up):
        assert 0 <= share <= 1
    assert better.level >= found.level - 1e-9
    assert better.gives_up <= found.gives_up + 1e-9
    assert better.occupancy <= found.occupancy + 1e-9
    assert found.gives_up >= 1 - agents / traffic - 1e-9, "agents can do no more than their time"
    assert found.level <= 1 - found.gives_up + 1e-9, "who gave up was not answered"
    assert found.gives_up <= found.waits + 1e-12


@ANY
@given(traffic=st.floats(0.1, 800), agents=st.integers(1, 900), handling_s=handlings, patience_s=st.floats(1, 1_800))
def test_the_more_patient_the_callers_the_fewer_give_up_and_the_more_wait(
    traffic: float, agents: int, handling_s: float, patience_s: float
) -> None:
    hasty = with_patience(traffic, agents, handling_s, 20, patience_s)
    calm = with_patience(traffic, agents, handling_s, 20, 2 * patience_s)
    assert calm.gives_up <= hasty.gives_up + 1e-9
    assert calm.waits >= hasty.waits - 1e-9
    assert blocking(traffic, agents) - 1e-9 <= hasty.waits <= waiting(traffic, agents, blocking(traffic, agents)) + 1e-9


@ANY
@given(traffic=st.floats(1, 200), more=st.integers(1, 40), handling_s=handlings, within_s=within)
def test_callers_who_never_give_up_are_erlang_cs(traffic: float, more: int, handling_s: float, within_s: float) -> None:
    """A goes to C as patience goes to infinity."""
    agents = int(traffic) + more
    assume(agents - traffic > 0.5)
    limit = for_ever(traffic, agents, handling_s, within_s)
    found = with_patience(traffic, agents, handling_s, within_s, 1e9 * handling_s)
    assert found.waits == pytest.approx(limit.waits, abs=1e-5)
    assert found.level == pytest.approx(limit.level, abs=1e-5)
    assert found.wait_s == pytest.approx(limit.wait_s, rel=1e-3, abs=1e-3 * handling_s)
    assert found.gives_up < 1e-4


def test_callers_without_any_patience_are_erlang_bs() -> None:
    found = with_patience(10, 12, 180, 20, 1e-7)
    assert found.gives_up == pytest.approx(blocking(10, 12), rel=1e-6)


def test_tens_of_thousands_of_agents_are_no_overflow() -> None:
    """Feature 10.2, for large systems: known limits instead of figures that nobody can check by hand."""
    assert blocking(30_000, 20_000) == pytest.approx(1 / 3, abs=1e-4), "what is over the capacity is lost"
    assert blocking(1e-300, 50_000) == 0
    few = with_patience(30_000, 20_000, 180, 20, 3_600)
    assert (few.waits, few.gives_up, few.occupancy) == pytest.approx((1, 1 / 3, 1), abs=1e-6)
    assert few.wait_s == pytest.approx(1_200, rel=1e-6), "patience × who gives up"
    many = for_ever(30_000, 30_500, 180, 20)
    assert many.level > 0.999
    assert for_ever(30_000, 30_000, 180, 20).wait_s == inf


def test_a_list_of_erlang_b_is_the_same_as_each_by_itself() -> None:
    known = blockings(10)
    for _ in range(30):
        number, share = next(known)
        assert share == blocking(10, number)
