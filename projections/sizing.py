"""A day by half hours, and sized: what each needed by each formula, beside who was there and what was reached.

Reads the model `half_hours`.
"""

from datetime import date
from typing import Final, LiteralString

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.kernel import MILLISECOND, Instant, Refused
from orchestrator.domain.sizing import seats
from orchestrator.domain.sizing.erlang import Served
from orchestrator.domain.sizing.seats import LIMITS, Blocked, Demand, Sizes, Terms
from projections.base import Connection, Site
from projections.half_hours import (
    AGENTS,
    EVERYBODY,
    HALF_HOUR,
    HALF_HOURS,
    QUEUES,
    STAFF,
    HalfHour,
    Queue,
    Staff,
    add,
    counted_for,
    spans,
    spend,
)

# With fewer callers who gave up than this, what is said of their patience is chance.
_TOLD: Final = 10
# Every zone has these, and their midnights.
_FIRST_DAY, _LAST_DAY = "1970-01-02", "2199-12-30"


class Load(Struct, frozen=True, kw_only=True):
    """A half hour of one queue, or of all: what it was asked, and the time of those who could do it."""

    asked: HalfHour
    there_ms: int
    away_ms: int

    @property
    def agents(self) -> float:
        """How many were there, on average."""
        return self.there_ms / (HALF_HOUR // MILLISECOND)


class Asked(Struct, frozen=True, kw_only=True):
    """What somebody wants to see. None: as the queue has it, as callers were, or what is usual."""

    day: str
    queue_id: str = ""
    level_percent: float | None = None
    within_s: float | None = None
    occupancy_percent: float | None = None
    shrinkage_percent: float | None = None
    patience_s: float | None = None
    blocking_percent: float | None = None


class Row(Struct, frozen=True, kw_only=True):
    """One half hour. What is None cannot be told: nobody called, or nobody was there.

    `there`: agents on average; `load`: the calls' work as a share of their time; `reached`: answered in target of
    offered. `patient`, `impatient`: what Erlang C and A expect of as many agents as were there.
    """

    began: Instant
    demand: Demand
    sizes: Sizes
    there: float
    load: float | None
    reached: float | None
    gave_up: float | None
    patient: Served | None
    impatient: Served | None


class Sheet(Struct, frozen=True, kw_only=True):
    """A day. `patience`: where the patience comes from: given, told (by those who gave up) or usual. `shrinkage`: the
    share of the time signed in that agents were not ready; None where nobody was signed in.
    """

    day: str
    queue: Queue | None
    terms: Terms
    patience: str
    shrinkage: float | None
    calls: int
    handling_s: float
    rows: list[Row]

    @property
    def busiest(self) -> Row | None:
        """The half hour with the most work; None where nobody called."""
        rows = [row for row in self.rows if row.demand.traffic]
        return max(rows, key=lambda row: row.demand.traffic, default=None)


def queues(connection: Connection) -> list[Queue]:
    """Every queue that there is or was, the open ones first."""
    return QUEUES.read(connection, "ORDER BY open DESC, name, queue_id")


def loads(connection: Connection, site: Site, day: str, now: Instant, queue: Queue | None = None) -> list[Load]:
    """The half hours of a site-local day, `2026-11-22`, that are over at `now` and in which anybody called or was
    there, in order; of one queue and those who have its skill, or of all. Who is still there counts until `now`.
    """
    first, last = site.bounds(day)
    last = min(last, site.half_hour(now))
    name = queue.queue_id if queue is not None else ""
    skill, level = (queue.skill, queue.min_level) if queue is not None else (EVERYBODY, 0)
    asked: dict[int, HalfHour] = {}
    words: LiteralString = "WHERE began >= %s AND began < %s AND (%s = '' OR queue_id = %s)"
    for row in HALF_HOURS.read(connection, words, (first, last, name, name)):
        add(asked.setdefault(row.began, HalfHour(name, row.began)), row)
    staff: dict[int, Staff] = {}
    words = "WHERE began >= %s AND began < %s AND skill = %s AND level >= %s"
    for each in STAFF.read(connection, words, (first, last, skill, level)):
        add(staff.setdefault(each.began, Staff(skill, level, each.began)), each)
    for agent in AGENTS.read(connection, "WHERE state <> ''"):
        if dict(counted_for(agent)).get(skill, -1) >= level:
            for began, spent_ms in spans(site, agent, now):
                if first <= began < last:
                    spend(staff.setdefault(began, Staff(skill, level, began)), agent.state, spent_ms)
    nobody = Staff(skill, level, 0)
    return [
        Load(
            asked=asked.get(began) or HalfHour(name, began),
            there_ms=staff.get(began, nobody).there_ms,
            away_ms=staff.get(began, nobody).away_ms,
        )
        for began in sorted({*asked, *staff})
    ]


def sheet(connection: Connection, site: Site, asked: Asked, now: Instant) -> Sheet:
    """The day as it was, sized on these terms. Raises `Refused`: bad_sizing, bad_queue."""
    queue = None
    if asked.queue_id:
        queue = next((each for each in queues(connection) if each.queue_id == asked.queue_id), None)
        if queue is None:
            raise Refused("bad_queue", f"There is no queue {asked.queue_id!r}.")
    found = loads(connection, site, asked.day, now, queue)
    whole = HalfHour("", 0)
    for load in found:
        add(whole, load.asked)
    patience_s, patience = _patience(whole)
    terms = Terms(patience_s=patience_s)
    if queue is not None:
        terms = replace(terms, within_s=queue.answer_target_ms / 1000)
    given = {name: value for name in Terms.__struct_fields__ if (value := getattr(asked, name)) is not None}
    terms = seats.checked(replace(terms, **given))
    handling_s = _handling_s(whole) or 0.0
    there, away = sum(load.there_ms for load in found), sum(load.away_ms for load in found)
    return Sheet(
        day=asked.day,
        queue=queue,
        terms=terms,
        patience="given" if asked.patience_s is not None else patience,
        shrinkage=away / (there + away) if there + away else None,
        calls=whole.offered,
        handling_s=handling_s,
        rows=[_row(load, terms, handling_s) for load in found],
    )


def _patience(whole: HalfHour) -> tuple[float, str]:
    """Mean patience of callers: all the time that anybody waited ÷ how many gave up. Whoever was served had more
    patience than the wait, how much more nobody knows: for exponential patience that cut-short wait counts above the
    line and not below (maximum likelihood with censoring; Brown, Gans, Mandelbaum and others, "Statistical analysis of
    a telephone call center", 2005, section 5).
    """
    if whole.abandoned < _TOLD:
        return Terms().patience_s, "usual"
    waited_ms = whole.answered_wait_ms + whole.abandoned_wait_ms + whole.left_wait_ms
    low, high = LIMITS["patience_s"]
    return min(max(waited_ms / 1000 / whole.abandoned, low), high), "told"


def _handling_s(asked: HalfHour) -> float | None:
    """Mean handling time of the conversations that are over: talk, hold and after-call work."""
    return (asked.talk_ms + asked.wrap_up_ms) / 1000 / asked.handled if asked.handled else None


def _row(load: Load, terms: Terms, usual_s: float) -> Row:
    asked = load.asked
    handling_s = _handling_s(asked) or usual_s
    # Before the first conversation is over nobody knows how much work a call is.
    calls = asked.offered if handling_s else 0
    wait_ms = asked.answered_wait_ms + asked.abandoned_wait_ms + asked.left_wait_ms
    line_s = (wait_ms + asked.talk_ms) / 1000 / asked.offered if asked.offered else 0.0
    demand = Demand(calls=calls, handling_s=handling_s, line_s=line_s)
    agents = round(load.agents)
    patient = impatient = None
    if demand.traffic and agents:
        blocked = Blocked(demand.traffic)
        patient = seats.expected_patient(demand, terms, agents, blocked)
        impatient = seats.expected_impatient(demand, terms, agents, blocked)
    return Row(
        began=Instant(asked.began),
        demand=demand,
        sizes=seats.sizes(demand, terms),
        there=load.agents,
        load=(asked.talk_ms + asked.wrap_up_ms) / load.there_ms if load.there_ms else None,
        reached=asked.answered_in_target / asked.offered if asked.offered else None,
        gave_up=asked.abandoned / asked.offered if asked.offered else None,
        patient=patient,
        impatient=impatient,
    )


def parse_day(text: str) -> str:
    """The day that somebody typed, `2026-11-22`. Raises `Refused` (bad_day)."""
    try:
        day = date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        day = ""
    if not _FIRST_DAY <= day <= _LAST_DAY:
        raise Refused("bad_day", "Write a day as 2026-11-30, from 1970 to 2199.")
    return day
