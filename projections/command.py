"""What `ringledger projections …` does."""

import gc
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import structlog

from orchestrator import cluster, logs
from orchestrator.domain.kernel import Refused
from orchestrator.settings import Settings
from orchestrator.store import KeyShelf, Log, Source, schema
from orchestrator.vault import Vault
from projections.base import Projection, Site
from projections.building import BeingBuilt, build
from projections.catalogue import PROJECTIONS
from projections.feed import Feed
from projections.follower import Follower, connect
from projections.status import Standing, standing

log = structlog.get_logger(__name__)

Say = Callable[[str], None]

_TELL_EVERY_S: Final = 1.0
# Allocations between looks at the youngest objects, and looks between those at older ones. Python's own are
# (700, 10, 10); records come by the thousand, are kept for a moment and have no cycles, so most looks find nothing:
# with these a rebuild is a fifth faster.
_COLLECT: Final = (20_000, 20, 50)


def run(settings: Settings) -> int:
    """Keep all read models up to date until SIGTERM or SIGINT; the exit code."""
    logs.configure(settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    collect_rarely()
    with _projector(settings, lambda line: log.info("database", step=line)) as (source, site):
        follower = Follower(source, site, PROJECTIONS.values()).start()
        log.info("projections-following", models=list(PROJECTIONS))
        stop.wait()
        follower.stop()
    log.info("projections-stopped")
    return 0


def status(settings: Settings) -> list[Standing]:
    """Where each read model stands. Raises `Away`."""
    database = cluster.ensure_running(settings, lambda _: None)
    source = Source(database.url_reader, name="ringledger projections status")
    try:
        schema.check(source)
        return [standing(source, Log(source), each) for each in PROJECTIONS.values()]
    finally:
        source.close()
        database.stop()


def rebuild(settings: Settings, names: Sequence[str], say: Say) -> int:
    """Build new generations of these (all where none is named) beside the live ones, and switch; the exit code.

    Readers see the old ones meanwhile. Raises `Refused` for a name that is none.
    """
    for name in names:
        if name not in PROJECTIONS:
            raise Refused("unknown_projection", f"There is no read model {name!r}; there are {', '.join(PROJECTIONS)}.")
    collect_rarely()
    with _projector(settings, say) as (source, site):
        return int(not rebuild_from(source, site, names or tuple(PROJECTIONS), say))


def collect_rarely() -> None:
    """For a process that does nothing but fold records."""
    gc.set_threshold(*_COLLECT)


def rebuild_from(source: Source, site: Site, names: Sequence[str], say: Say) -> bool:
    """The same over a database that is known to run, as its projector; whether all of them were built."""
    reading = Log(source, sealed=True)
    end = reading.position()
    feed = Feed(reading)
    builders = [_Builder(PROJECTIONS[name], source, feed, site, end, say) for name in names]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    return not any(builder.failed for builder in builders)


class _Builder(threading.Thread):
    """Builds one model and tells how far it is."""

    def __init__(self, projection: Projection, source: Source, feed: Feed, site: Site, end: int, say: Say) -> None:
        super().__init__(name=f"build-{projection.name}", daemon=True)
        self.failed = False
        self._projection = projection
        self._source = source
        self._feed = feed
        self._site = site
        self._end = max(1, end)
        self._say = say
        self._told = time.monotonic()

    def run(self) -> None:
        name = self._projection.name
        begun = time.monotonic()
        try:
            with connect(self._source) as connection:
                position = build(connection, self._projection, self._feed, self._site, progress=self._progress)
        except BeingBuilt as error:
            self.failed = True
            self._say(str(error))
        except Exception as error:  # noqa: BLE001 - told, and the others go on
            self.failed = True
            lines = str(error).strip().splitlines() or [""]
            why = logs.redact(f"{type(error).__name__}: {lines[0]}")
            self._say(f"{name}: not rebuilt, readers see what they saw before. {why}")
        else:
            self._say(f"{name}: rebuilt to position {position} in {time.monotonic() - begun:.1f} s, and switched")

    def _progress(self, position: int) -> None:
        if time.monotonic() - self._told >= _TELL_EVERY_S:
            self._told = time.monotonic()
            self._say(f"{self._projection.name}: {min(100, 100 * position // self._end)} % ({position})")


@contextmanager
def _projector(settings: Settings, say: Say) -> Iterator[tuple[Source, Site]]:
    """The log as the projector, and the site; our own database is started where it does not run."""
    database = cluster.ensure_running(settings, say)
    source = Source(database.url_projector, name="ringledger projections")
    try:
        schema.check(source)
        shelf = KeyShelf(source)
        if shelf.check_value() is None:
            _make_first_key(settings, database.url_writer)
        yield source, Site(settings.timezone, Vault.unlock(settings.kek_file, shelf), region=settings.region)
    finally:
        source.close()
        database.stop()


def _make_first_key(settings: Settings, url_writer: str) -> None:
    """Before the first start of anything that writes: what is remembered of the key, the projector may not store."""
    writer = Source(url_writer, name="ringledger projections")
    try:
        Vault.unlock(settings.kek_file, KeyShelf(writer))
    finally:
        writer.close()
