"""Sizing: a day by half hours, and a plan from customers; what each formula asks for, and why they differ."""

import time
from math import isfinite
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict

from orchestrator.domain.kernel import Instant
from orchestrator.domain.sizing import seats as formulas
from orchestrator.domain.sizing.erlang import Served
from orchestrator.domain.sizing.seats import LIMITS, Plan, Terms
from projections import sizing
from projections.base import Site
from projections.sizing import Asked, Row
from web.api.forms import Ident, Ms, Query, Time, given, time_of
from web.parts import parts
from web.sizing import words


def _of(name: str, description: str) -> Any:  # noqa: ANN401 - what annotations are given
    low, high = LIMITS[name]
    return Meta(ge=low, le=high, description=description)


Level = Annotated[float, _of("level_percent", "So many of all who call are to be answered in time.")]
Within = Annotated[float, _of("within_s", "In time: within so many seconds.")]
Occupancy = Annotated[float, _of("occupancy_percent", "The highest load of the agents.")]
Shrinkage = Annotated[float, _of("shrinkage_percent", "So much of the time of whoever is employed is no work.")]
Patience = Annotated[float, _of("patience_s", "Callers' mean patience in seconds.")]
Blocking = Annotated[float, _of("blocking_percent", "So many callers may find no line free.")]
Share = Annotated[float | None, Meta(description="Percent; null where it cannot be told.")]


class SizingQuery(Query, frozen=True, kw_only=True):
    """A day, and on which terms it is sized. What is not given is the queue's own, the callers' own, or usual."""

    day: Annotated[str, Meta(max_length=10, description="Site-local, 2026-11-22; today where not given.")] = ""
    queue_id: Annotated[Ident, Meta(description="Empty: all queues together.")] = ""
    level_percent: Level | UnsetType = UNSET
    within_s: Within | UnsetType = UNSET
    occupancy_percent: Occupancy | UnsetType = UNSET
    shrinkage_percent: Shrinkage | UnsetType = UNSET
    patience_s: Patience | UnsetType = UNSET
    blocking_percent: Blocking | UnsetType = UNSET


class PlanQuery(Query, frozen=True, kw_only=True):
    """Customers, how they call, and on which terms the busy hour is sized."""

    customers: Annotated[float, _of("customers", "How many there are.")]
    daily_percent: Annotated[float, _of("daily_percent", "Of the customers, so many call on a day.")]
    busy_percent: Annotated[float, _of("busy_percent", "Of a day's calls, so many come in the busy hour.")]
    handling_s: Annotated[float, _of("handling_s", "Talk, hold and after-call work of one call, in seconds.")]
    level_percent: Level = Terms().level_percent
    within_s: Within = Terms().within_s
    occupancy_percent: Occupancy = Terms().occupancy_percent
    shrinkage_percent: Shrinkage = Terms().shrinkage_percent
    patience_s: Patience = Terms().patience_s
    blocking_percent: Blocking = Terms().blocking_percent


class SizingTerms(Struct, frozen=True, kw_only=True):
    """The terms on which it was sized. Times in seconds."""

    level_percent: float
    within_s: float
    occupancy_percent: float
    shrinkage_percent: float
    patience_s: float
    blocking_percent: float


class Expected(Struct, frozen=True, kw_only=True):
    """What a formula expects of so many agents. `mean_wait_ms`: of everybody; null where the queue never ends."""

    agents: int
    in_time_percent: float
    mean_wait_ms: Ms | None
    give_up_percent: float
    load_percent: float


class Seats(Struct, frozen=True, kw_only=True):
    """One formula's answer: agents at work, and positions with shrinkage. `decided_by`: `level` or `occupancy`, empty
    where there is no work.
    """

    agents: int
    positions: int
    decided_by: str
    expected: Expected | None


class Answers(Struct, frozen=True, kw_only=True):
    """Every formula's answer to the same calls; `lines` by Erlang B."""

    planning: Seats
    erlang_c: Seats
    erlang_a: Seats
    lines: int


class SizedHalfHour(Struct, frozen=True, kw_only=True):
    """One half hour: what was asked, what each formula asks for, what was, and what Erlang C and A expect of as many
    agents as were there.
    """

    began_at: Time
    calls: int
    handling_ms: Ms
    erlang: Annotated[float, Meta(description="The work: calls × handling time ÷ half an hour.")]
    needed: Answers
    agents_there: Annotated[float, Meta(description="On average.")]
    load_percent: Share
    in_time_percent: Annotated[float | None, Meta(description="Within the queue's own target; null: nobody called.")]
    gave_up_percent: Share
    erlang_c_expects: Expected | None
    erlang_a_expects: Expected | None


class SizedDay(Struct, frozen=True, kw_only=True):
    """A day. `patience_from`: given, told (by who gave up) or usual. `why`: about the half hour with the most work, in
    the language that Accept-Language asks for.
    """

    day: str
    queue_id: str
    terms: SizingTerms
    patience_from: str
    not_ready_percent: Share
    half_hours: list[SizedHalfHour]
    why: list[str]


class SizedPlan(Struct, frozen=True, kw_only=True):
    """A plan. `seats`: of the planning formula, not rounded up."""

    seats: float
    busy_hour_calls: float
    erlang: float
    needed: Answers
    why: list[str]


def day(query: SizingQuery) -> SizedDay:
    """Agents needed in each half hour of a day, by each formula, beside those who were there"""
    now = Instant(time.time_ns() // 1000)
    site = Site(parts().settings.timezone)
    asked = Asked(
        day=sizing.parse_day(query.day) if query.day else site.day(now),
        queue_id=query.queue_id,
        **{name: given(getattr(query, name)) for name in Terms.__struct_fields__},
    )
    with parts().reading.reader.borrow() as connection:
        found = sizing.sheet(connection, site, asked, now)
    busiest = found.busiest
    why = []
    if busiest is not None:
        why = [*words.reasons(busiest.demand, busiest.sizes, found.terms), *words.reality(busiest)]
    return SizedDay(
        day=found.day,
        queue_id=query.queue_id,
        terms=SizingTerms(**asdict(found.terms)),
        patience_from=found.patience,
        not_ready_percent=_percent(found.shrinkage),
        half_hours=[_half_hour(row) for row in found.rows],
        why=why,
    )


def plan(query: PlanQuery) -> SizedPlan:
    """Seats for so many customers, by the planning formula, Erlang C and Erlang A"""
    asked = Plan(**{name: getattr(query, name) for name in Plan.__struct_fields__})
    terms = Terms(**{name: getattr(query, name) for name in Terms.__struct_fields__})
    demand = asked.busy_hour
    sizes = formulas.sizes(demand, terms)
    return SizedPlan(
        seats=formulas.seats_for(asked, terms),
        busy_hour_calls=demand.calls,
        erlang=demand.traffic,
        needed=_answers(sizes),
        why=words.reasons(demand, sizes, terms),
    )


def _half_hour(row: Row) -> SizedHalfHour:
    return SizedHalfHour(
        began_at=time_of(row.began),
        calls=round(row.demand.calls),
        handling_ms=round(1000 * row.demand.handling_s),
        erlang=row.demand.traffic,
        needed=_answers(row.sizes),
        agents_there=row.there,
        load_percent=_percent(row.load),
        in_time_percent=_percent(row.reached),
        gave_up_percent=_percent(row.gave_up),
        erlang_c_expects=_expected(row.patient),
        erlang_a_expects=_expected(row.impatient),
    )


def _answers(sizes: formulas.Sizes) -> Answers:
    return Answers(
        planning=_seats(sizes.planning),
        erlang_c=_seats(sizes.erlang_c),
        erlang_a=_seats(sizes.erlang_a),
        lines=sizes.lines,
    )


def _seats(found: formulas.Seats) -> Seats:
    return Seats(
        agents=found.agents,
        positions=found.positions,
        decided_by=found.bound,
        expected=_expected(found.served),
    )


def _expected(found: Served | None) -> Expected | None:
    if found is None:
        return None
    return Expected(
        agents=found.agents,
        in_time_percent=100 * found.level,
        mean_wait_ms=round(1000 * found.wait_s) if isfinite(found.wait_s) else None,
        give_up_percent=100 * found.gives_up,
        load_percent=100 * found.occupancy,
    )


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
