"""How many agents, positions and lines: by the planning formula, Erlang C, A and B, on terms that make sense."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.domain.kernel import Refused
from orchestrator.domain.sizing import seats
from orchestrator.domain.sizing.seats import LIMITS, MOST, Blocked, Demand, Plan, Terms

TWENTY_MILLION = Plan(customers=20_000_000, daily_percent=0.3, busy_percent=20, handling_s=150)
HUNDRED = Demand(calls=100, handling_s=180)
ANY = settings(deadline=None, derandomize=True, max_examples=80)
terms = st.builds(
    Terms,
    level_percent=st.floats(50, 99.5),
    within_s=st.floats(0, 120),
    occupancy_percent=st.floats(40, 99),
    shrinkage_percent=st.floats(0, 50),
    patience_s=st.floats(5, 1_800),
)
demands = st.builds(Demand, calls=st.floats(0.1, 5_000), handling_s=st.floats(10, 900))


def test_twenty_million_customers_need_667_seats() -> None:
    """Feature 10.1: the known answer."""
    found = seats.seats_for(TWENTY_MILLION, Terms(occupancy_percent=75))
    assert found == pytest.approx(666.67, abs=0.005)
    assert seats.whole(found) == 667


def test_the_planning_formula_is_the_same_from_the_busy_hours_calls_on() -> None:
    """Feature 10.1: one formula on the page by half hour and for a plan."""
    assert TWENTY_MILLION.busy_hour.calls == pytest.approx(12_000)
    assert seats.planning(TWENTY_MILLION.busy_hour, Terms(occupancy_percent=75)).agents == 667


def test_a_hundred_calls_in_half_an_hour_need_14_agents_and_20_positions() -> None:
    """Feature 10.2: the known answer, with shrinkage."""
    found = seats.sizes(HUNDRED, Terms()).erlang_c
    assert (found.agents, found.positions, found.bound) == (14, 20, "level")
    assert found.served is not None
    assert found.served.level == pytest.approx(0.888350, abs=5e-7)


def test_the_highest_load_decides_where_the_level_would_allow_fewer() -> None:
    found = seats.sizes(HUNDRED, Terms(occupancy_percent=60)).erlang_c
    assert (found.agents, found.bound) == (17, "occupancy")


def test_lines_are_for_calls_that_wait_and_talk() -> None:
    """Feature 10.2: Erlang B; 10 Erlang at 1 % is 18 lines in every printed table."""
    assert seats.sizes(HUNDRED, Terms()).lines == 18
    assert seats.sizes(replace(HUNDRED, line_s=90), Terms()).lines == 11


@ANY
@given(demand=demands, terms=terms)
def test_what_is_asked_is_met_and_with_one_agent_fewer_it_is_not(demand: Demand, terms: Terms) -> None:
    blocked = Blocked(demand.traffic)
    found = seats.sizes(demand, terms)
    for seat, expected in (
        (found.erlang_c, seats.expected_patient),
        (found.erlang_a, seats.expected_impatient),
    ):
        enough = expected(demand, terms, seat.agents, blocked)
        assert 100 * enough.level >= terms.level_percent
        assert 100 * enough.occupancy <= terms.occupancy_percent + 1e-6
        if seat.agents > 1:
            short = expected(demand, terms, seat.agents - 1, blocked)
            late = 100 * short.level < terms.level_percent
            assert late or 100 * short.occupancy > terms.occupancy_percent
            assert seat.bound == ("level" if late else "occupancy")
    assert found.planning.agents <= found.erlang_c.agents, "waiting can only ask for more"
    for seat in (found.planning, found.erlang_c, found.erlang_a):
        assert seat.positions * (1 - terms.shrinkage_percent / 100) >= seat.agents - 1e-6


@ANY
@given(demand=demands, terms=terms)
def test_who_asks_for_more_needs_no_fewer(demand: Demand, terms: Terms) -> None:
    found = seats.sizes(demand, terms)
    stricter = replace(terms, within_s=terms.within_s / 2, level_percent=(terms.level_percent + 99.5) / 2)
    more = seats.sizes(replace(demand, calls=demand.calls * 1.2), stricter)
    assert more.planning.agents >= found.planning.agents
    assert more.erlang_c.agents >= found.erlang_c.agents
    assert more.erlang_a.agents >= found.erlang_a.agents
    assert more.lines >= found.lines


def test_no_calls_need_nobody() -> None:
    found = seats.sizes(Demand(calls=0, handling_s=180), Terms())
    assert [each.agents for each in (found.planning, found.erlang_c, found.erlang_a)] == [0, 0, 0]
    assert found.lines == 0


def test_thousands_of_agents_are_found() -> None:
    found = seats.sizes(Demand(calls=40_000, handling_s=240), Terms(occupancy_percent=98))
    assert (found.planning.agents, found.erlang_c.agents) == (5_443, 5_443)
    assert 5_000 < found.erlang_a.agents <= 5_443


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("text", ("", "many", "nan", "inf", "-1", "1e400", "1_0 0", "0x10", "999999999999"))
def test_what_is_no_number_or_makes_no_sense_is_refused_with_what_to_write(name: str, text: str) -> None:
    with pytest.raises(Refused, match=r": write a number from [0-9.]+ to [0-9.]+\.") as refused:
        seats.read(name, text)
    assert refused.value.code == "bad_sizing"
    assert str(refused.value).startswith(seats.LABELS[name])


@pytest.mark.parametrize("name", LIMITS)
def test_the_limits_themselves_can_be_asked(name: str) -> None:
    low, high = LIMITS[name]
    assert seats.read(name, f" {low} ") == low
    assert seats.read(name, str(high)) == high
    with pytest.raises(Refused, match="write a number"):
        seats.check(name, high * 1.001)


def test_a_percentage_may_be_written_as_one_and_the_first_wrong_term_is_named() -> None:
    assert seats.read("level_percent", "80%") == 80
    with pytest.raises(Refused, match="Handling time, seconds"):
        seats.read("handling_s", "80%")
    with pytest.raises(Refused, match=r"Mean patience, seconds: write a number from 1 to 3600\."):
        seats.checked(Terms(patience_s=0))


def test_more_work_than_any_centre_has_is_refused_before_it_is_computed() -> None:
    with pytest.raises(Refused, match="This is work for 166667 agents; up to 50000 are sized") as refused:
        seats.sizes(replace(TWENTY_MILLION, customers=1e10, handling_s=100).busy_hour, Terms())
    assert refused.value.code == "bad_sizing"
    assert seats.sizes(Demand(calls=MOST, handling_s=1_800), Terms()).planning.agents > MOST
