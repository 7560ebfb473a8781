"""A warm standby: the live state folded all day, so that whoever takes the lease has nothing left to read.

    fold ──log read to its end──▶ abreast: a look ten times a second ──lease is ours──▶ `finish`: the last few records

A look now and then, not at each wake-up: the active engine's appends wake every listener hundreds of times a second,
and what is not read yet when the lease is taken is read then, in milliseconds.
"""

import gc
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import gevent
import structlog

from orchestrator.control import ANSWERS_KEPT_S, Wishes
from orchestrator.domain.kernel import LIVE_KINDS, SECOND, Happened, Instant, Record, kind_of
from orchestrator.domain.world import World
from orchestrator.replay import together
from orchestrator.store import Away, Log

log = structlog.get_logger(__name__)

LOOK_S: Final = 0.1
# Abreast is whoever has read the log to its end so lately.
_LATELY_S: Final = 1.0
# So many records are folded between turns of others: a few milliseconds.
_AT_ONCE: Final = 200
# Allocations between looks at the youngest structures, and looks between those at older ones. Python's own are
# (700, 10, 10); a full look costs tens of milliseconds in which no call is served.
_COLLECT: Final = (20_000, 20, 50)


class Shadow:
    """The live state as the log has it. `heard(record)` is told of each record that comes after the first reading.
    `failed(error)`: the state may be half changed, and nobody may go on with it.
    """

    def __init__(self, history: Log, heard: Callable[[Record], None], *, failed: Callable[[Exception], None]) -> None:
        self.world = World()
        self.position = 0
        self.last_at = Instant(0)
        """The latest instant in the log, whoever said it."""
        self.decided_at = Instant(0)
        """The latest instant at which an engine decided anything; others append by the clocks of their hosts."""
        self.wishes = Wishes()
        """What was asked for lately, and is in the log."""
        self._history = history
        self._heard = heard
        self._failed = failed
        self._read_at: float | None = None
        self._follower: gevent.Greenlet | None = None

    @property
    def abreast(self) -> bool:
        """Whether the log was read to its end a moment ago."""
        return self._read_at is not None and time.monotonic() - self._read_at < _LATELY_S

    def begin(self) -> None:
        """Read the whole log, then keep up with it in the background. Raises `Away`."""
        until = self._history.position()
        if (found := together.folded(self._history, until, World, breathe=_breathe)) is not None:
            (self.world, self.last_at), self.position = found, until
            self.decided_at = self._history.last_of(LIVE_KINDS, until)
            self._note_wishes(until)
        self._read(self._history.happened(self.position))
        _settle_memory()
        self._follower = gevent.spawn(self._follow)

    def finish(self) -> None:
        """Read what is left, and follow no longer. Nobody else may append to live streams any more. Raises `Away`."""
        self.stop()
        self._read(self._history.happened(self.position))
        gc.freeze()

    def stop(self) -> None:
        """Follow no longer."""
        if self._follower is not None:
            self._follower.kill()
            self._follower = None

    def _follow(self) -> None:
        while True:
            gevent.sleep(LOOK_S)
            try:
                self._read(self._and_tell(self._history.history(after=self.position)))
            except Away as away:
                # Said by the process that asks for the lease as well; what is appended meanwhile is still there then.
                log.debug("standby-cannot-read", why=str(away))
            except Exception as error:  # noqa: BLE001 - told, not swallowed: the process ends
                self._failed(error)
                return

    def _and_tell(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            yield record
            self._heard(record)

    def _note_wishes(self, until: int) -> None:
        """Of a log that others have folded: what was asked for lately. Nothing personal is opened for it."""
        since = self._history.position_at(Instant(max(0, self.last_at - int(ANSWERS_KEPT_S) * SECOND)))
        for count, record in enumerate(Log(self._history.source).happened(since, until), 1):
            if record.about.wish:
                self.wishes.note(record)
            if count % _AT_ONCE == 0:
                gevent.sleep(0)

    def _read(self, records: Iterable[Happened]) -> None:
        for count, record in enumerate(records, 1):
            self.world.apply(record)
            self.position, self.last_at = record.position, max(self.last_at, record.about.at)
            if kind_of(record.stream) in LIVE_KINDS:
                self.decided_at = max(self.decided_at, record.about.at)
            if record.about.wish:
                self.wishes.note(record)
            if count % _AT_ONCE == 0:
                gevent.sleep(0)
        self.world.timers.next_due()  # what was only noted is looked up now, not at the take-over
        self._read_at = time.monotonic()


def _breathe() -> None:
    """Let others have their turn."""
    gevent.sleep(0)


def _settle_memory() -> None:
    """Take the folded state out of the collector's sight, and let it look less often: the loop makes thousands of short
    structures a second and no cycles among them, so most of its looks find nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)
