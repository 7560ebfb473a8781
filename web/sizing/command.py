"""What `ringledger size …` prints: the same figures and words as the page, on the command line."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from math import isfinite

import msgspec

from orchestrator.domain.kernel import SECOND, Instant
from orchestrator.domain.sizing import seats
from orchestrator.domain.sizing.seats import Demand, Plan, Seats, Sizes, Terms
from orchestrator.settings import Settings
from orchestrator.whatif.asking import Answer, Figure
from projections import sizing
from projections.base import Connection, Site
from projections.sizing import Asked
from web.sizing import beside, words

Row = tuple[str, ...]
_HEAD = ("formula", "agents", "positions", "decided by", "in time", "mean wait", "give up", "load")
_DAY_HEAD = (
    *("from", "calls", "handling", "Erlang", "planning", "Erlang C", "Erlang A", "lines"),
    *("there", "load", "in time", "gave up", "C expects", "A expects"),
)


class Told(msgspec.Struct, frozen=True):
    """An answer: lines before the table, the table with its head, and lines after it."""

    before: Sequence[str]
    rows: Sequence[Row]
    after: Sequence[str]
    data: object = None
    """The same for programs."""


def of_calls(demand: Demand, terms: Terms) -> Told:
    """So many calls in an interval. Raises `Refused`."""
    sizes = seats.sizes(demand, seats.checked(terms))
    return _told([], demand, sizes, terms)


def of_plan(plan: Plan, terms: Terms) -> Told:
    """So many customers. Raises `Refused`."""
    demand = seats.checked(plan).busy_hour
    sizes = seats.sizes(demand, seats.checked(terms))
    exact = seats.seats_for(plan, terms)
    seats_so = f"{exact:.2f} seats by the planning formula, so {sizes.planning.agents}"
    return _told([f"{demand.calls:.0f} calls in the busy hour; {seats_so}"], demand, sizes, terms, exact=exact)


def of_day(connection: Connection, settings: Settings, asked: Asked, answer: Answer | None = None) -> Told:
    """A day as it was, and (`answer`) as it was when played again. Raises `Refused`."""
    site, now = Site(settings.timezone), Instant(time.time_ns() // 1000)
    asked = msgspec.structs.replace(asked, day=sizing.parse_day(asked.day) if asked.day else site.day(now))
    found = sizing.sheet(connection, site, asked, now)
    if not found.rows:
        return Told([f"{asked.day}: nobody called and nobody was there in any half hour that is over."], (), (), found)
    rows = [
        (
            datetime.fromtimestamp(row.began / SECOND, settings.timezone).strftime("%H:%M"),
            f"{row.demand.calls:.0f}",
            f"{row.demand.handling_s:.0f} s" if row.demand.traffic else "",
            f"{row.demand.traffic:.1f}",
            *(str(each.agents) for each in (row.sizes.planning, row.sizes.erlang_c, row.sizes.erlang_a)),
            str(row.sizes.lines),
            f"{row.there:.1f}",
            *(_share(each) for each in (row.load, row.reached, row.gave_up)),
            *(_share(each.level if each else None) for each in (row.patient, row.impatient)),
        )
        for row in found.rows
    ]
    busiest, why = found.busiest, []
    if busiest is not None:
        at = datetime.fromtimestamp(busiest.began / SECOND, settings.timezone)
        why = [*words.reasons(busiest.demand, busiest.sizes, found.terms), *words.reality(busiest)]
        why = ["", f"Why they differ, at {at:%H:%M}, the busiest half hour:", *_listed(why)]
    queue = found.queue.name if found.queue is not None else "all queues"
    before = [f"{found.day}, {queue}: {found.calls} calls; {_terms(found.terms)} ({found.patience})"]
    played = _played(answer, asked)
    said = beside.beside(found, played)
    day = ["", "The whole day, with those who were there:", *map(_said, said)]
    day += _listed(beside.reasons(found, played))
    data = {"day": found, "beside": said, "why": [*why[2:], *beside.reasons(found, played)]}
    return Told(before, (_DAY_HEAD, *rows), [*why, *day], data)


def _played(answer: Answer | None, asked: Asked) -> Mapping[str, Figure] | None:
    if answer is None:
        return None
    return answer.queues.get(asked.queue_id) if asked.queue_id else answer.figures


def _said(said: beside.Said) -> str:
    told = [
        f"{said.hours:.1f} hours of agents" if said.hours is not None else "",
        f"{_share(said.level)} in time" if said.level is not None else "",
        f"{_share(said.gives_up)} give up" if said.gives_up is not None else "",
        f"mean wait {_wait(said.wait_s)}" if said.wait_s is not None else "",
        f"load {_share(said.load)}" if said.load is not None else "",
    ]
    return f"  {said.name}: {', '.join(filter(None, told))}"


def _told(before: Sequence[str], demand: Demand, sizes: Sizes, terms: Terms, *, exact: float | None = None) -> Told:
    rows = [
        _row(name, each)
        for name, each in (
            ("planning", sizes.planning),
            ("Erlang C", sizes.erlang_c),
            ("Erlang A", sizes.erlang_a),
        )
    ]
    work = f"{demand.traffic:.2f} Erlang; {_terms(terms)}"
    reasons = words.reasons(demand, sizes, terms) if demand.traffic else []
    why = ["", "Why they differ:", *_listed(reasons)] if reasons else []
    data: dict[str, object] = {"demand": demand, "traffic": demand.traffic, "terms": terms, "sizes": sizes}
    data |= {"why": reasons} if exact is None else {"why": reasons, "exact_seats": exact}
    return Told([*before, work], (_HEAD, *rows), [f"{sizes.lines} lines by Erlang B", *why], data)


def _row(name: str, found: Seats) -> Row:
    bound = {"level": "service level", "occupancy": "highest load", "": ""}[found.bound]
    row = (name, str(found.agents), str(found.positions), bound)
    if found.served is None:
        return (*row, "", "", "", "")
    wait = _wait(found.served.wait_s)
    shares = (found.served.gives_up, found.served.occupancy)
    return (*row, _share(found.served.level), wait, *map(_share, shares))


def _wait(seconds: float) -> str:
    return f"{seconds:.1f} s" if isfinite(seconds) else "endless"


def _terms(terms: Terms) -> str:
    return (
        f"{terms.level_percent:g} % within {terms.within_s:g} s, load up to {terms.occupancy_percent:g} %,"
        f" shrinkage {terms.shrinkage_percent:g} %, patience {terms.patience_s:.0f} s"
    )


def _listed(sentences: Sequence[str]) -> Iterator[str]:
    yield from (f"- {sentence}" for sentence in sentences)


def _share(share: float | None) -> str:
    return "" if share is None else f"{words.percent(share)} %"
