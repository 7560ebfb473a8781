"""How many agents some calls need: by the planning formula, Erlang C and Erlang A; and lines, by Erlang B.

All formulas keep the work below the highest load. The planning formula asks for nothing else; Erlang C and A ask for
the service level, too. Agents are those at work: with breaks, training and leave (shrinkage) more positions are needed.
"""

from collections.abc import Callable, Mapping
from math import ceil
from types import MappingProxyType
from typing import Final, TypeVar

from msgspec import Struct

from orchestrator.domain.kernel import Refused
from orchestrator.domain.sizing.erlang import Served, blockings, impatient, patient

T = TypeVar("T", bound=Struct)

HALF_HOUR_S: Final = 1_800

# What may be asked, by the field's name: beyond it a figure is a slip, or no computer's work for one page.
LIMITS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "level_percent": (1, 99.9),
        "within_s": (0, 3_600),
        "occupancy_percent": (10, 99.9),
        "shrinkage_percent": (0, 90),
        "patience_s": (1, 3_600),
        "blocking_percent": (0.01, 50),
        "calls": (0, 100_000),
        "span_s": (900, 3_600),
        "handling_s": (1, 7_200),
        "customers": (1, 10_000_000_000),
        "daily_percent": (0.0001, 1_000),
        "busy_percent": (1, 100),
    }
)
LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "level_percent": "Service level, percent",
        "within_s": "Answered within, seconds",
        "occupancy_percent": "Highest load, percent",
        "shrinkage_percent": "Shrinkage, percent",
        "patience_s": "Mean patience, seconds",
        "blocking_percent": "Calls without a free line, percent",
        "calls": "Calls",
        "span_s": "Interval, seconds",
        "handling_s": "Handling time, seconds",
        "customers": "Customers",
        "daily_percent": "Calls a day, percent of the customers",
        "busy_percent": "Busy hour, percent of the day",
    }
)
MOST: Final = 50_000
"""Erlang: more than any centre has, and what is sized in a moment."""
# Less than this above a whole number is the computer's rounding: 14 / 0.7 is 20.
_ROUNDING: Final = 1e-9


class Terms(Struct, frozen=True, kw_only=True):
    """What is asked of a centre. Percentages are 0 to 100, as people write them."""

    level_percent: float = 80.0
    """Of all who call, so many are to be answered …"""
    within_s: float = 20.0
    """… within this."""
    occupancy_percent: float = 85.0
    """The highest load: work may fill no more of the agents' time than this."""
    shrinkage_percent: float = 30.0
    """Of the time of whoever is employed, so much is no work: breaks, training, leave."""
    patience_s: float = 120.0
    """Mean patience of callers: after how long they give up, if nobody ever answered."""
    blocking_percent: float = 1.0
    """So many callers may find no line free."""


class Demand(Struct, frozen=True, kw_only=True):
    """Calls in an interval. `handling_s`: talk, hold and after-call work of one; `line_s`: wait, talk and hold, for so
    long does it hold a line.
    """

    calls: float
    handling_s: float
    span_s: float = HALF_HOUR_S
    line_s: float = 0.0

    @property
    def traffic(self) -> float:
        """The work in Erlang: agents who would be busy all the time with it."""
        return self.calls * self.handling_s / self.span_s

    @property
    def line_traffic(self) -> float:
        return self.calls * (self.line_s or self.handling_s) / self.span_s


class Seats(Struct, frozen=True, kw_only=True):
    """One formula's answer. `bound`: what decided, the `level` or the `occupancy`; empty where there is no work."""

    agents: int
    positions: int
    bound: str = ""
    served: Served | None = None


class Plan(Struct, frozen=True, kw_only=True):
    """What the planning formula is made of, customers first. Percentages are 0 to 100."""

    customers: float
    daily_percent: float
    """Of the customers, so many call on a day …"""
    busy_percent: float
    """… and of those calls, so many in the busy hour."""
    handling_s: float

    @property
    def busy_hour(self) -> Demand:
        """The calls of the busy hour."""
        calls = self.customers * self.daily_percent / 100 * self.busy_percent / 100
        return Demand(calls=calls, handling_s=self.handling_s, span_s=3_600)


class Sizes(Struct, frozen=True, kw_only=True):
    """All formulas' answers to the same demand."""

    planning: Seats
    erlang_c: Seats
    erlang_a: Seats
    lines: int


def check(name: str, value: float) -> float:
    """The value; raises `Refused` (bad_sizing) where it is none that can be asked."""
    low, high = LIMITS[name]
    if not low <= value <= high:
        raise _refused(name)
    return value


def read(name: str, text: str) -> float:
    """The same, of what somebody typed."""
    try:
        return check(name, float(text.strip().removesuffix("%") if name.endswith("_percent") else text))
    except ValueError:
        raise _refused(name) from None


def _refused(name: str) -> Refused:
    low, high = LIMITS[name]
    return Refused("bad_sizing", f"{LABELS[name]}: write a number from {_plain(low)} to {_plain(high)}.")


def _plain(limit: float) -> str:
    return f"{limit:f}".rstrip("0").rstrip(".")


def checked(asked: T) -> T:
    """The terms, or the plan; raises `Refused` (bad_sizing) for the first of them that cannot be asked."""
    for name in asked.__struct_fields__:
        check(name, getattr(asked, name))
    return asked


def seats_for(plan: Plan, terms: Terms) -> float:
    """Seats from the planning formula, not yet rounded up: target customers × daily call rate × busy hour's share ×
    mean handling time ÷ (3600 × highest load). The rule of thumb by which Chinese operators' centres are planned
    (feature 10.1): 20 000 000 × 0.003 × 0.2 × 150 ÷ (3600 × 0.75) = 666.67.
    """
    return plan.busy_hour.traffic / (terms.occupancy_percent / 100)


def whole(seats: float) -> int:
    """Rounded up to whole ones."""
    return ceil(seats - _ROUNDING)


def positions(agents: int, terms: Terms) -> int:
    """How many must be employed so that, without those who are away, so many are at work: agents / (1 - shrinkage)."""
    return whole(agents / (1 - terms.shrinkage_percent / 100))


def sizes(demand: Demand, terms: Terms) -> Sizes:
    """How many agents and lines this demand needs on these terms, by each formula. Raises `Refused` (bad_sizing)."""
    if max(demand.traffic, demand.line_traffic) > MOST:
        raise Refused("bad_sizing", f"This is work for {demand.traffic:.0f} agents; up to {MOST} are sized.")
    blocked = Blocked(demand.traffic)
    return Sizes(
        planning=planning(demand, terms),
        erlang_c=erlang_c(demand, terms, blocked),
        erlang_a=erlang_a(demand, terms, blocked),
        lines=lines(demand.line_traffic, terms),
    )


class Blocked:
    """Erlang B of one traffic by the number of agents; each is computed once, whoever asks."""

    def __init__(self, traffic: float) -> None:
        self._more = blockings(traffic)
        self._known: list[float] = []

    def __call__(self, agents: int) -> float:
        while len(self._known) <= agents:
            self._known.append(next(self._more)[1])
        return self._known[agents]


def planning(demand: Demand, terms: Terms) -> Seats:
    """Traffic ÷ highest load: the planning formula from the busy hour's calls on, for any interval. It knows nothing of
    waiting.
    """
    if not demand.traffic:
        return Seats(agents=0, positions=0)
    agents = whole(demand.traffic / (terms.occupancy_percent / 100))
    return Seats(agents=agents, positions=positions(agents, terms), bound="occupancy")


def erlang_c(demand: Demand, terms: Terms, blocked: Blocked) -> Seats:
    """The fewest agents with whom callers who never give up are answered in time, and the load is not too high."""
    return _fewest(demand, terms, lambda agents: expected_patient(demand, terms, agents, blocked))


def erlang_a(demand: Demand, terms: Terms, blocked: Blocked) -> Seats:
    """The same for callers who give up after a time of their own, with the patience of the terms as its mean."""
    return _fewest(demand, terms, lambda agents: expected_impatient(demand, terms, agents, blocked))


def expected_patient(demand: Demand, terms: Terms, agents: int, blocked: Blocked) -> Served:
    """What Erlang C expects of so many agents, 1 at least."""
    return patient(demand.traffic, agents, blocked(agents), handling_s=demand.handling_s, within_s=terms.within_s)


def expected_impatient(demand: Demand, terms: Terms, agents: int, blocked: Blocked) -> Served:
    """What Erlang A expects of so many agents, 1 at least."""
    return impatient(
        demand.traffic,
        agents,
        blocked(agents),
        handling_s=demand.handling_s,
        within_s=terms.within_s,
        patience_s=terms.patience_s,
    )


def lines(traffic: float, terms: Terms) -> int:
    """Erlang B: the fewest lines of which no more callers than the terms allow find none free."""
    return next(number for number, share in blockings(traffic) if 100 * share <= terms.blocking_percent or not traffic)


def _fewest(demand: Demand, terms: Terms, served: Callable[[int], Served]) -> Seats:
    """The fewest agents that meet the terms. The level grows with every agent, and the load falls, so it is enough to
    look ever further ahead and then between the last two.
    """
    if not demand.traffic:
        return Seats(agents=0, positions=0)

    def in_time(agents: int) -> bool:
        return 100 * served(agents).level >= terms.level_percent

    def meets(agents: int) -> bool:
        return 100 * served(agents).occupancy <= terms.occupancy_percent + _ROUNDING and in_time(agents)

    # Who is served in time is served at all, so there must be agents for these.
    least = max(whole(demand.traffic * terms.level_percent / 100), 1)
    step = 1
    while not meets(least + step - 1):
        step *= 2
    short, enough = least + step // 2 - 1, least + step - 1
    while enough - short > 1:
        middle = (short + enough) // 2
        short, enough = (short, middle) if meets(middle) else (middle, enough)
    bound = "occupancy" if enough > 1 and in_time(enough - 1) else "level"
    return Seats(agents=enough, positions=positions(enough, terms), bound=bound, served=served(enough))
