"""The process `ringledger projections run`: keeps each read model up to date, on a thread and connection of its own.

      log grows ──▶ news ──▶ keeper of each model: batch after batch, until there is no more
                              ├─ no generation of this program's shape: builds one beside the old, then goes on
                              ├─ its code raises: that model is `failed`, with why; tried again, ever more rarely;
                              │  the others go on
                              └─ database away: waits

A kill at any moment costs nothing: what was not committed is folded by the next one. Two such processes take turns.
"""

import threading
import time
from collections.abc import Iterable
from typing import Final

import psycopg
import structlog

from orchestrator.logs import redact
from orchestrator.store import Away, Log, Source
from orchestrator.store.connections import is_passing
from projections.base import BATCH, Connection, NotBuilt, Projection, Site, lock_key, run_batch
from projections.building import BeingBuilt, build
from projections.feed import Feed

log = structlog.get_logger(__name__)

# A batch may take this long before the server ends it: loading, folding and saving 5 000 records takes a fraction.
STATEMENT_TIMEOUT_MS: Final = 120_000
# Under load, how long records may gather before the next batch begins: fifty batches a second at most, each of six
# models, leave two cores to those who serve calls. The first record after a pause does not wait.
GATHER_S: Final = 0.02
# Looked at anyway after this long, should the wake-up be lost.
_POLL_S: Final = 1.0
_AWAY_PAUSE_S: Final = 0.5
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 60.0
_STOP_S: Final = 10.0
_ERROR_LENGTH: Final = 500


class News:
    """Counts the moments at which the log may have grown, and lets keepers wait for the next."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = threading.Condition()

    def tell(self) -> None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def wait_beyond(self, count: int, timeout_s: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self.count > count, timeout_s)


class Keeper:
    """Keeps one read model up to date until it is stopped."""

    def __init__(
        self, projection: Projection, source: Source, feed: Feed, site: Site, news: News, stop: threading.Event
    ) -> None:
        self.projection = projection
        self._source = source
        self._feed = feed
        self._site = site
        self._news = news
        self._stop = stop
        self._pause_s = _FIRST_PAUSE_S
        self.thread = threading.Thread(target=self._run, name=f"keep-{projection.name}", daemon=True)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with connect(self._source) as connection:
                    self._keep(connection)
            except (Away, psycopg.Error) as error:
                if isinstance(error, psycopg.Error) and not is_passing(error):
                    self._failed(error, None)
                else:
                    self._stop.wait(_AWAY_PAUSE_S)

    def _keep(self, connection: Connection) -> None:
        """Until told to stop. Raises `Away` or psycopg's errors where the connection is of no more use."""
        connection.execute("SELECT pg_advisory_lock_shared(%s)", (lock_key(self.projection.name, "follow"),))
        while not self._stop.is_set():
            try:
                self._follow(connection)
            except BeingBuilt:
                self._stop.wait(_POLL_S)
            except Away:
                raise
            except Exception as error:  # one model's bug must not stop the others, nor be silent
                if connection.closed or (isinstance(error, psycopg.Error) and is_passing(error)):
                    raise
                self._failed(error, connection)

    def _follow(self, connection: Connection) -> None:
        while not self._stop.is_set():
            seen, begun = self._news.count, time.monotonic()
            try:
                moved, _ = run_batch(connection, self.projection, self._feed, self._site)
            except NotBuilt:
                self._build(connection)
                continue
            self._pause_s = _FIRST_PAUSE_S
            if moved < BATCH:
                self._stop.wait(max(0.0, begun + GATHER_S - time.monotonic()))
                self._news.wait_beyond(seen, _POLL_S)

    def _build(self, connection: Connection) -> None:
        name = self.projection.name
        log.info("read-model-building", model=name, shape=self.projection.shape(self._site))
        position = build(connection, self.projection, self._feed, self._site)
        log.info("read-model-built", model=name, position=position)

    def _failed(self, error: Exception, connection: Connection | None) -> None:
        """Say so where status and operators see it, and try again later."""
        lines = str(error).strip().splitlines() or [""]
        what = redact(f"{type(error).__name__}: {lines[0]}")[:_ERROR_LENGTH]
        log.error("read-model-failed", model=self.projection.name, why=what, next_try_s=self._pause_s, exc_info=error)
        if connection is not None:
            connection.execute(
                "UPDATE read.projections SET state = 'failed', error = %s,"
                " since = CASE WHEN state = 'failed' THEN since ELSE clock_timestamp() END"
                " WHERE name = %s AND (live OR NOT EXISTS"
                " (SELECT FROM read.projections AS other WHERE other.name = %s AND other.live))",
                (what, self.projection.name, self.projection.name),
            )
        self._stop.wait(self._pause_s)
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)


def connect(source: Source) -> Connection:
    """A connection for batches, of its own. Raises `Away`."""
    connection = source.connect(statement_timeout_ms=STATEMENT_TIMEOUT_MS)
    connection.execute("SET synchronous_commit = off")
    return connection


class Follower:
    """All keepers of a process."""

    def __init__(self, source: Source, site: Site, projections: Iterable[Projection]) -> None:
        self._log = Log(source, sealed=True)
        self._stop = threading.Event()
        self._news = News()
        feed = Feed(self._log)
        self.keepers = [Keeper(each, source, feed, site, self._news, self._stop) for each in projections]
        self._listener = threading.Thread(target=self._listen, name="news", daemon=True)

    def start(self) -> "Follower":
        self._listener.start()
        for keeper in self.keepers:
            keeper.thread.start()
        return self

    def stop(self) -> None:
        """End after the batches that are being folded."""
        self._stop.set()
        self._news.tell()
        for thread in (self._listener, *(keeper.thread for keeper in self.keepers)):
            thread.join(_STOP_S)

    def _listen(self) -> None:
        for _ in self._log.news(self._stop, on_away=lambda away: log.warning("log-away", why=str(away))):
            self._news.tell()
