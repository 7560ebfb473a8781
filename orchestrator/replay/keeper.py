"""The process that keeps the past at hand: it makes snapshots as the log grows, and at night walks over all of it.

    at first  ──▶ fold what is there, as an engine would that starts
    log grows ──▶ fold ──▶ every `INTERVAL` records: frozen, and kept
    at night  ──▶ verify the whole log, and fold it beside: a snapshot that is not what the fold has, is made anew

A kill at any moment costs nothing: the next one goes on from the last snapshot. Two such processes make each other's
work superfluous and nothing else.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from orchestrator import cluster, logs
from orchestrator.domain.kernel import Happened, Instant
from orchestrator.domain.observed import Observed
from orchestrator.replay import snapshots as kept
from orchestrator.replay.frozen import Damaged, Marks, freeze, mark_of, thaw
from orchestrator.replay.night import DEAD_S, Night
from orchestrator.replay.snapshots import INTERVAL, Made, Snapshots
from orchestrator.settings import Settings
from orchestrator.store import Away, Log, Source, schema

log = structlog.get_logger(__name__)

# By the site's clock: when few call.
NIGHT_H: Final = 3
_LOOK_S: Final = 30.0
_AWAY_S: Final = 5.0
# Records folded between looks at whether to stop.
_BATCH: Final = 1_000
# Whoever serves calls comes first.
_NICE: Final = 10
_REMEDY: Final = (
    "the log is not proved until a walk comes to its end: put right what the error names (a full disk, a row that was "
    "damaged), then `ringledger past verify`, or wait for the next try"
)


class Gone(Exception):
    """The snapshot before the one that was to be kept is not there any more: other code threw it away."""


class Keeper:
    """Makes the snapshots of one ledger, one record after the other."""

    def __init__(self, source: Source, snapshots: Snapshots, *, interval: int = INTERVAL) -> None:
        self.position = 0
        self._world = Observed()
        self._after = self._since = 0
        self._lowest: Instant | None = None
        self._highest = Instant(0)
        self._source = source
        self._snapshots = snapshots
        self._interval = interval
        self._marks = Marks()
        self.log = Log(source, opener=self._marks.opener)
        """The log with marks in the place of personal text."""

    def begin(self) -> None:
        """Go on from the last snapshot, and throw away those of other code. Raises `Away`."""
        gone = self._source.run(lambda connection: kept.throw_away_others(connection, self._snapshots.shape))
        if gone:
            log.info("snapshots-of-other-code-thrown-away", count=gone)
        last = self._snapshots.reached()
        while last and (found := self._snapshots.before(last)) is not None:
            try:
                return self._begin_at(thaw(found.state, self._marks.opener), found.position, found.highest_at)
            except Damaged:
                log.exception("snapshot-unreadable", position=found.position)
                last = found.position - 1
        return self._begin_at(Observed(), 0, Instant(0))

    def catch_up(self, stop: threading.Event) -> None:
        """Fold in what the log holds by now, as quickly as can be. Raises as `take` does."""
        for after in range(self.position, self.log.position(), self._interval):
            if stop.is_set():
                return
            self.take(self.log.happened(after, after + self._interval))

    def take(self, records: Iterable[Happened]) -> None:
        """Fold these in, and keep a snapshot wherever one is due. Raises `Gone`, after which to `begin` anew, and
        `Away`.
        """
        for record in records:
            at = record.about.at
            self._world.apply(record)
            self._lowest = at if self._lowest is None else min(self._lowest, at)
            self._highest = max(self._highest, at)
            self.position = record.position
            self._since += 1
            if self._since >= self._interval:
                self._make()

    def _begin_at(self, world: Observed, position: int, highest: Instant) -> None:
        self._world = world
        self.position = self._after = position
        self._since = 0
        self._lowest = None
        self._highest = highest

    def _make(self) -> None:
        """Keep what is folded so far."""
        assert self._lowest is not None  # noqa: S101 - something was folded
        made = Made(
            position=self.position,
            lowest_at=self._lowest,
            highest_at=self._highest,
            state=freeze(self._world, self._marks),
            mark=mark_of(self._world),
        )
        there = self._source.run(
            lambda connection: kept.keep(connection, self._snapshots.shape, made, after=self._after)
        )
        if not there:
            raise Gone
        self._after, self._since, self._lowest = self.position, 0, None


def run(settings: Settings) -> int:
    """Keep snapshots, and verify at night, until SIGTERM or SIGINT; the exit code."""
    logs.configure(settings.log_level)
    os.nice(_NICE)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with opened(settings, "ringledger past") as source:
        keeper = Keeper(source, Snapshots(source))
        watching = threading.Thread(target=nights, args=(source, settings.timezone, stop), name="night", daemon=True)
        watching.start()
        follow(keeper, stop)
        watching.join(_AWAY_S)
    return 0


def follow(keeper: Keeper, stop: threading.Event) -> None:
    """Make snapshots as the log grows, until told to stop; waits while the database is away."""
    while not stop.is_set():
        try:
            keeper.begin()
            log.info("snapshots-from", position=keeper.position)
            keeper.catch_up(stop)
            for batch in keeper.log.follow(keeper.position, stop, batch=_BATCH):
                keeper.take(batch)
        except Gone:
            log.warning("snapshots-gone", remedy="they are made anew")
        except Away as away:
            log.warning("snapshots-wait", why=str(away))
            stop.wait(_AWAY_S)


def nights(source: Source, zone: ZoneInfo, stop: threading.Event) -> None:
    """Walk over the whole log every night, and at once where that was not done for a day; try again what fails."""
    night = Night(source, Snapshots(source), stop)
    while not stop.is_set():
        try:
            if night.is_due(last_night(datetime.now(zone))):
                night.walk()
        except Away as away:
            log.warning("night-waits", why=str(away))
        except Exception:
            # A row that cannot be read, a full disk: the next walk may come to an end, and nobody would begin it.
            log.exception("night-failed", again_in_s=DEAD_S, remedy=_REMEDY)
            stop.wait(DEAD_S)
        stop.wait(_LOOK_S)


def last_night(now: datetime) -> datetime:
    """When the night before this moment began."""
    began = now.replace(hour=NIGHT_H, minute=0, second=0, microsecond=0)
    return began if began <= now else began - timedelta(days=1)


@contextmanager
def opened(settings: Settings, name: str, say: Callable[[str], None] = lambda _: None) -> Iterator[Source]:
    """The ledger as its projector; our own database is started where it does not run."""
    database = cluster.ensure_running(settings, say)
    source = Source(database.url_projector, name=name)
    try:
        schema.check(source)
        yield source
    finally:
        source.close()
        database.stop()
