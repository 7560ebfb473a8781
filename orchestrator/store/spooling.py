"""Around the database while it is away: batches go to the spool, and from there to the log when it is back.

      writer ──batch──▶ spool ──oldest first──▶ log           until the spool is empty; then the writer goes to the log
                          ▲
          keeper ─────────┘ four times a second: is it still ours? Then the right to act goes on for a second

Nothing passes the spool: while anything is in it, what is decided goes behind it. What is in the log already, because
its answer was lost or the process died before it was dropped here, is known by its event id (law 4).
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import psycopg
import structlog
from msgspec import Struct

from orchestrator.domain.catalogue import CATALOGUE, Entry
from orchestrator.domain.kernel import Record
from orchestrator.store.batch import Sealer, first_versions
from orchestrator.store.connections import Connection, Kept, Source, is_passing
from orchestrator.store.errors import Away, Corrupt, Deposed, SpoolFailed, VersionConflict
from orchestrator.store.mapper import LedgerMapper
from orchestrator.store.recorder import Fence, KeyTaken, LedgerRecorder
from orchestrator.store.spool import Spool
from orchestrator.vault import Vault

log = structlog.get_logger(__name__)

LOOK_S: Final = 0.25
_BATCH: Final = 400
# So long the writer may wait at the end of the way back before it goes on into the spool; and if not even that can be,
# so long the right to act goes on by the spool: then switches serve their callers themselves.
_HELD_S: Final = 1.0
_STUCK_S: Final = 3.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 1.0


class Right(Protocol):
    """The lease, as far as a spool needs it."""

    def begin_spooling(self) -> bool:
        """Whether the lease's row in the database says that its holder may spool; then it stays so until the end."""
        ...

    def end_spooling(self) -> None:
        """The spool is empty and the log is written again."""
        ...

    def extend(self, stands: Callable[[], bool]) -> bool:
        """Act on for a while from before the question whether the spool is still ours, if it is; the answer."""
        ...


class Drained(Struct, frozen=True):
    """What went through the spool, and how long it took until the last of it was in the log."""

    events: int
    took_s: float
    position: int


class Drain:
    """Brings a spool's events into the log, in their order, each once, under a fence."""

    def __init__(
        self,
        spool: Spool,
        source: Source,
        vault: Vault,
        fence: Fence,
        *,
        catalogue: Mapping[str, Entry] = CATALOGUE,
    ) -> None:
        self.position = 0
        """Of the last one that was stored."""
        self._spool = spool
        self._fence = fence
        self._mapper = LedgerMapper(catalogue)
        self._sealer = Sealer(self._mapper, vault)
        self._recorder = LedgerRecorder(source)
        self._kept = Kept(source)
        # The first may be there: it was sent before, by us or by the writer, and its answer or the process was lost.
        self._doubtful = True

    def some(self) -> int:
        """Store a batch of whole steps; how many events are in the log now that were not, or not known to be.

        Raises `Away` and what passes where the database is away: try again. `Deposed`; `VersionConflict` where
        somebody else has decided about the same; `Damaged` where the spool cannot be read on; `SpoolFailed`.
        """
        entries = self._spool.first(_BATCH)
        if not entries:
            return 0
        try:
            records = self._spool.opened(entries)
            connection = self._kept.ask()
            stored = self._recorder.stored_first(connection, records) if self._doubtful else []
            if not stored:
                stored = self._append_or_find(connection, records)
            self._kept.answered()
        except (Away, psycopg.Error):
            self.close()
            raise
        records = records[: len(stored)]
        self.position = stored[-1]
        try:
            self._spool.drop(self._fence, entries[len(records) - 1].place)
        except SpoolFailed:
            self._doubtful = True
            raise
        return len(records)

    def _append_or_find(self, connection: Connection, records: Sequence[Record]) -> list[int]:
        """Store them. What was sent before its connection was cut may come to its end while we wait for our turn."""
        try:
            return self._append(connection, records)
        except VersionConflict:
            if stored := self._recorder.stored_first(connection, records):
                return stored
            raise

    def _append(self, connection: Connection, records: Sequence[Record]) -> list[int]:
        drafts = [self._mapper.draft(record) for record in records]
        doubt_new = False
        while True:
            batch = self._sealer.prepare(drafts, doubt_new=doubt_new)
            try:
                positions = self._recorder.append(
                    connection, batch, fence=self._fence, expected=first_versions(records)
                )
            except KeyTaken:
                doubt_new = True
            else:
                self._sealer.stored(batch)
                self._doubtful = False
                return positions

    def answers(self) -> bool:
        """Whether the database is there, asked on the connection that events go by. Raises `Deposed`."""
        try:
            stands = self._recorder.stands(self._kept.ask(), self._fence)
            self._kept.answered()
        except (Away, psycopg.Error):
            self.close()
            return False
        if not stands:
            raise Deposed(f"Epoch {self._fence.epoch} of site {self._fence.site} is over.")
        return True

    def close(self) -> None:
        """Close the connection. What comes next may have been sent before, by the writer, too."""
        self._doubtful = True
        self._kept.drop()

    def cut(self) -> None:
        """End the wait of whoever is at it, on another thread: that one is told that the database is away."""
        self._kept.cut()

    def cut_if_silent(self) -> None:
        """The same where the database has been silent for longer than any statement may take."""
        self._kept.cut_if_silent()


class Spooler:
    """A writer's way around the database. `ended(error)` is told why it gave up, on a thread of its own."""

    def __init__(
        self,
        spool: Spool,
        right: Right,
        fence: Fence,
        drain: Drain,
        *,
        begun: Callable[[Away], None],
        drained: Callable[[Drained], None],
        ended: Callable[[BaseException], None],
    ) -> None:
        self.under_way = False
        """Whether events go to the spool, and none past it."""
        self.draining = False
        """Whether the database is back, and is brought what is in it."""
        self._spool = spool
        self._right = right
        self._fence = fence
        self._drain = drain
        self._begun = begun
        self._drained = drained
        self._ended = ended
        self._gate = threading.Lock()
        self._held_since = 0.0
        """When the end of the way back began, at which the writer has to wait; 0 at other times."""
        self._over = threading.Event()
        self._stop = threading.Event()
        self._taken = 0
        self._threads: list[threading.Thread] = []

    def begin(self, error: Away) -> bool:
        """Go round the database from now on, if that was announced to it; whether it is so. Raises `Deposed`."""
        if self.under_way:
            return True
        if not self._right.begin_spooling():
            return False
        try:
            self._spool.begin(self._fence)
        except SpoolFailed:
            log.exception("spool-failed", remedy="news waits for the database")
            self._right.end_spooling()
            return False
        self._taken = 0
        self.draining = False
        self._over.clear()
        self.under_way = True
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), name=name, daemon=True)
            for name, work in (("spool-keeper", self._keep), ("spool-drain", self._empty))
        ]
        for thread in self._threads:
            thread.start()
        self._begun(error)
        return True

    def take(self, records: Sequence[Record]) -> bool:
        """Keep these, durably; False once nothing goes round any more. Raises `Deposed`, `SpoolFailed`."""
        with self._gate:
            if self.under_way:
                self._spool.append(self._fence, records)
                self._taken += len(records)
            return self.under_way

    def stop(self) -> None:
        """Drain no more. What is in the spool stays there."""
        self._stop.set()
        self._over.set()
        for thread in self._threads:
            thread.join(_LONGEST_PAUSE_S)

    # --- on threads of its own ---------------------------------------------------------------------------------------
    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told: nobody else looks at this thread
            self._over.set()
            self._ended(error)

    def _keep(self) -> None:
        while not self._over.is_set():
            if self._hurry_drain() < _STUCK_S:
                self._extend()
            self._over.wait(LOOK_S)

    def _extend(self) -> None:
        try:
            stands = self._right.extend(lambda: self._spool.stands(self._fence))
        except SpoolFailed as error:
            log.warning("spool-not-looked-at", why=str(error))  # the right to act ends by itself
        else:
            if not stands:
                raise Deposed(f"The spool has another owner than epoch {self._fence.epoch}.")

    def _hurry_drain(self) -> float:
        """Cut what keeps the writer waiting, or the drain for ever; how long the writer has had to wait (s)."""
        self._drain.cut_if_silent()
        since = self._held_since
        held_s = time.monotonic() - since if since else 0.0
        if held_s > _HELD_S:
            log.warning("spool-goes-on", why="the database took too long at the end of the way back")
            self._drain.cut()
        return held_s

    def _empty(self) -> None:
        begun = 0.0
        pause_s = _FIRST_PAUSE_S
        self._over.wait(pause_s)
        while not self._stop.is_set():
            try:
                stored = self._drain.some()
                begun = begun or time.monotonic()
                pause_s = _FIRST_PAUSE_S
                if stored and self._spool.waiting > _BATCH:
                    self.draining = True
                    continue
                if stored or self._drain.answers():
                    self._finish()
                    self._drain.close()
                    tidy(self._spool)
                    self._drained(Drained(self._taken, time.monotonic() - begun, self._drain.position))
                    return
            except (Away, SpoolFailed) as error:
                log.debug("spool-waits", why=str(error))
            except psycopg.Error as error:
                if not is_passing(error):
                    raise
            self.draining = False
            self._over.wait(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _finish(self) -> None:
        """End it: what came since the last batch goes to the log while nothing more is taken. The writer waits for some
        milliseconds, as for a commit of its own; without that, under load something would be left each time. Where it
        takes longer than `_HELD_S` the keeper cuts it: raises as `Drain.some`, and the writer goes on into the spool.
        """
        with self._gate:
            self._held_since = time.monotonic()
            try:
                while self._drain.some():
                    pass
            finally:
                self._held_since = 0.0
            self.under_way = False
            self._over.set()
            self._right.end_spooling()


def tidy(spool: Spool) -> None:
    """What was dropped leaves nothing beside the file: an erasure that comes later does not reach it there."""
    try:
        spool.tidy()
    except (SpoolFailed, sqlite3.Error) as error:
        # Everything is in the log: a file that is damaged by now ends nobody.
        log.warning("spool-not-tidied", why=str(error))


def is_refused(error: BaseException) -> bool:
    """Whether a drain ended because the spool does not fit the log, or cannot be read: for good."""
    return isinstance(error, VersionConflict | Corrupt)
