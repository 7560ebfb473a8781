"""A question about a day, and its answer: the real day, the same day played with unchanged rules, and with others.

log ──read──▶ Day ──┬─ as it was, seed 1 … n ──▶ what playing makes of it: how far it can be believed
                    └─ as wanted, seed 1 … n ──▶ what would have been; the difference to the other, seed by seed
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from statistics import NormalDist, fmean, stdev
from typing import Final

from msgspec import Struct

from orchestrator.domain.kernel import Instant, Record, Refused, kind_of
from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.replay.snapshots import stood_at
from orchestrator.service.planning import SECTION_OF
from orchestrator.store import Log
from orchestrator.whatif.changes import Changes, Setting, Wanted
from orchestrator.whatif.day import Day, Taker
from orchestrator.whatif.measuring import FIGURES, HALF_HOUR, Measure, Measured
from orchestrator.whatif.playing import Play

VERSION: Final = 3
"""Of the way in which a day is played: an answer of another one is not comparable."""
MOST_DAYS: Final = 7
MOST_SEEDS: Final = 50
MOST_CALLS: Final = 400_000
"""Calls × seeds: about ten minutes of a processor's work, doubled where something is changed."""
SEEDS: Final = 10
"""Plays of a day where nobody says how many; fewer of a large one."""
_USUAL_CALLS: Final = 40_000
_FEWEST: Final = 3
CONFIGURED: Final = (*SECTION_OF, "config", "blacklist")

# Student's t for 95 %, by degrees of freedom from 1; beyond by the series of Cornish and Fisher, right to 0.0001.
_T: Final = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131)
_Z: Final = NormalDist().inv_cdf(0.975)


class Spread(Struct, frozen=True):
    """A figure over all seeds: its mean, where the mean lies with 95 % confidence, and where one day lies with as much.
    With a single seed nothing is known of the spread, and both are the figure itself.
    """

    mean: float
    low: float
    high: float
    least: float
    most: float


class Figure(Struct, frozen=True, kw_only=True):
    """One figure of the day. None where there is nothing to say."""

    real: float | None
    same: Spread | None
    wanted: Spread | None = None
    difference: Spread | None = None
    """Of `wanted` to `same`, seed by seed."""


class HalfHour(Struct, frozen=True, kw_only=True):
    """A half hour's figures, by name: of the real day, and the means of the played ones."""

    began: Instant
    real: dict[str, float | None]
    same: dict[str, float | None]
    wanted: dict[str, float | None]


class Told(Struct, frozen=True, kw_only=True):
    """How long callers would wait, as estimated and used."""

    told: bool
    callers: int
    gave_up: int
    median_s: float
    mean_s: float
    within: dict[str, float]
    """The share that has given up after so many seconds."""
    at_answer: int = 0
    """How many hung up in the moment in which an agent answered: they do so again, however long they waited."""
    at_ring: int = 0
    """How many gave up while a phone rang for them. They are played as if it was for the time that it took."""


class Answer(Struct, frozen=True, kw_only=True):
    """What would have been. `left_out`: what happened on the day and is not played again, by kind."""

    version: int = VERSION
    first: Instant
    last: Instant
    seeds: int
    calls: int
    agents: int
    changes: tuple[str, ...]
    more_agents: int
    queue_id: str
    patience: Told
    left_out: dict[str, int]
    figures: dict[str, Figure]
    queues: dict[str, dict[str, Figure]]
    half_hours: tuple[HalfHour, ...]

    @property
    def changed(self) -> bool:
        """Whether anything was to be another way."""
        return bool(self.changes) or bool(self.more_agents)


class Real(Struct, frozen=True):
    """A day of the log, what it came to, and within how many ms each queue wanted to answer."""

    day: Day
    measured: Measured
    targets: dict[str, int]


def read(log: Log, first: Instant, last: Instant) -> Real:
    """A day, or a few, of the log. Raises `Refused` (`no_calls`), `Away`."""
    before, end = stood_at(log, Instant(first - 1)), stood_at(log, Instant(last - 1))
    configured = list(log.history(until=before, kinds=CONFIGURED)) if before else []
    names = log.open_streams(begun=("AgentSignedIn",), ended=("AgentSignedOut",), until=before) if before else []
    changed: list[Record] = []
    targets = _targets(configured)
    taker, measure = Taker(first, last), Measure(first, last, targets)
    for record in log.streams(names, until=before):
        taker.take(record)
        measure.take(record)
    for record in log.history(after=before, until=end, kinds=(*CONFIGURED, "contact", "shift", "node")):
        if kind_of(record.stream) in CONFIGURED:
            changed.append(record)
            targets.update(_targets([record]))
        else:
            taker.take(record)
            measure.take(record)
    day = taker.day(configured, changed)
    if not day.callers:
        raise Refused("no_calls", "Nobody called then; choose a day with calls.")
    return Real(day, measure.measured(), targets)


def taken(records: Sequence[Record], first: Instant, last: Instant) -> Real:
    """The same of records at hand."""
    configured = [each for each in records if each.about.at < first and kind_of(each.stream) in CONFIGURED]
    changed = [each for each in records if each.about.at >= first and kind_of(each.stream) in CONFIGURED]
    targets = _targets([*configured, *changed])
    taker, measure = Taker(first, last), Measure(first, last, targets)
    for record in records:
        taker.take(record)
        measure.take(record)
    return Real(taker.day(configured, changed), measure.measured(), targets)


def checked(days: int, seeds: int = 1) -> None:
    """Raises `Refused` (`bad_days`, `bad_seeds`) where more is asked for than is played."""
    if not 1 <= days <= MOST_DAYS:
        raise Refused("bad_days", f"From 1 to {MOST_DAYS} days are played together.")
    if not 1 <= seeds <= MOST_SEEDS:
        raise Refused("bad_seeds", f"A day is played with 1 to {MOST_SEEDS} seeds.")


def ask(
    log: Log,
    when: tuple[Instant, Instant],
    wanted: Wanted,
    *,
    seeds: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _plays: None,
) -> Answer:
    """Read the day and play it; 0 seeds: as many as its calls leave time for. Raises what `read` and `answer` raise."""
    checked(1, seeds or 1)
    real = read(log, *when)
    usual = max(_FEWEST, min(SEEDS, _USUAL_CALLS // len(real.day.callers)))
    return answer(real, wanted, seeds=seeds or usual, today=datetime.now(UTC).date(), progress=progress)


def answer(
    real: Real,
    wanted: Wanted,
    *,
    seeds: int,
    today: date,
    progress: Callable[[int, int], None] = lambda _done, _plays: None,
) -> Answer:
    """Play the day. `progress` is told how many plays are done, of how many. Raises `Refused` as `Changes` does, and
    `too_many_calls`.
    """
    day = real.day
    if len(day.callers) * seeds > MOST_CALLS:
        most = MOST_CALLS // len(day.callers)
        advice = f"with {most} seeds at most" if most else "for fewer days"
        raise Refused("too_many_calls", f"{len(day.callers)} calls are too many for {seeds} seeds; ask {advice}.")
    changes = Changes(day, wanted, today)
    unchanged = Changes(day, Wanted(region=wanted.region), today)
    plays = seeds * (1 if wanted.nothing else 2)
    same: list[Measured] = []
    other: list[Measured] = []
    for seed in range(1, seeds + 1):
        same.append(play(real, unchanged.of(seed), seed))
        progress(len(same) + len(other), plays)
        if not wanted.nothing:
            other.append(play(real, changes.of(seed), seed))
            progress(len(same) + len(other), plays)
    queues = sorted({queue_id for each in (real.measured, *same, *other) for queue_id in each.queues()})
    return Answer(
        first=day.first,
        last=day.last,
        seeds=seeds,
        calls=len(day.callers),
        agents=len(day.agents),
        changes=tuple(changes.told),
        more_agents=wanted.agents,
        queue_id=wanted.queue_id,
        patience=_told(day),
        left_out={kind: count for kind, count in sorted(day.left_out.items()) if count},
        figures=_compared(real.measured, same, other, ""),
        queues={queue_id: _compared(real.measured, same, other, queue_id) for queue_id in queues},
        half_hours=_half_hours(real.measured, same, other, day.first),
    )


def play(real: Real, setting: Setting, seed: int) -> Measured:
    """One day, once."""
    measure = Measure(real.day.first, real.day.last, real.targets)
    Play(real.day, setting.configured, setting.changed, setting.staff, seed, measure.take).run()
    return measure.measured()


def _targets(records: Sequence[Record]) -> dict[str, int]:
    return {
        record.stream.removeprefix("queue-"): record.event.answer_target_ms
        for record in records
        if isinstance(record.event, QueueConfigured)
    }


def _told(day: Day) -> Told:
    patience = day.patience
    return Told(
        told=patience.told,
        callers=patience.callers,
        gave_up=patience.gave_up,
        median_s=patience.median_s(),
        mean_s=patience.mean_s,
        within={str(seconds): 1 - patience.share(1000 * seconds) for seconds in (10, 20, 30, 60, 120, 300)},
        at_answer=sum(caller.at_answer >= 0 for caller in day.callers),
        at_ring=sum(caller.at_ring for caller in day.callers),
    )


# --- over many seeds -------------------------------------------------------------------------------------------------
def spread(values: Sequence[float]) -> Spread:
    """Mean and intervals by Student's t: of the mean with s/√n, of one more day with s √(1 + 1/n)."""
    mean, count = fmean(values), len(values)
    if count == 1:
        return Spread(mean, mean, mean, mean, mean)
    t, deviation = _student(count - 1), stdev(values)
    near, far = t * deviation / count**0.5, t * deviation * (1 + 1 / count) ** 0.5
    return Spread(mean, mean - near, mean + near, mean - far, mean + far)


def _student(freedom: int) -> float:
    """Student's t for 95 %, both sides."""
    if freedom <= len(_T):
        return _T[freedom - 1]
    z, v = _Z, 4 * freedom
    return (
        z
        + (z**3 + z) / v
        + (5 * z**5 + 16 * z**3 + 3 * z) / (6 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (6 * v**3)
    )


def _compared(real: Measured, same: list[Measured], other: list[Measured], queue_id: str) -> dict[str, Figure]:
    was = real.of_queue(queue_id)
    base, wanted = [each.of_queue(queue_id) for each in same], [each.of_queue(queue_id) for each in other]
    found = {}
    for name in FIGURES:
        pairs = zip((each[name] for each in base), (each[name] for each in wanted), strict=bool(wanted))
        found[name] = Figure(
            real=was[name],
            same=_spread_of([each[name] for each in base]),
            wanted=_spread_of([each[name] for each in wanted]),
            difference=_spread_of([b - a for a, b in pairs if a is not None and b is not None]),
        )
    return found


def _spread_of(values: Sequence[float | None]) -> Spread | None:
    known = [value for value in values if value is not None]
    return spread(known) if known else None


def _half_hours(real: Measured, same: list[Measured], other: list[Measured], first: Instant) -> tuple[HalfHour, ...]:
    was = real.of_half_hours()
    base, wanted = [each.of_half_hours() for each in same], [each.of_half_hours() for each in other]
    return tuple(
        HalfHour(
            began=Instant(first + number * HALF_HOUR),
            real=each,
            same=_means([seed[number] for seed in base]),
            wanted=_means([seed[number] for seed in wanted]),
        )
        for number, each in enumerate(was)
    )


def _means(found: Sequence[dict[str, float | None]]) -> dict[str, float | None]:
    means: dict[str, float | None] = {}
    for name in FIGURES if found else ():
        known = [value for each in found if (value := each[name]) is not None]
        means[name] = fmean(known) if known else None
    return means
