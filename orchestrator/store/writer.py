"""The single writer of live streams: everything waiting goes to the log in one transaction, again and again.

      submit ──▶ queue ──▶ seal ──▶ one call, one commit ──▶ on_stored(position), in the order of submission
                  ▲                    │
                  │                    ├─ the lease has a new epoch ──▶ on_deposed, and nothing more is ever written
                  │                    ├─ the database is away ──▶ to the spool, where the lease says so (spooling.py)
                  └── waits here ◀─────┴─ otherwise ──▶ the same batch again: first read back by event id

While one batch is being committed the next one gathers; under load batches grow by themselves and no timer is needed.
Works with threads and, in a process that gevent has patched, with greenlets. Never put a Timeout around it: a
statement timeout on the connection ends what hangs.
"""

import sys
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import psycopg
from msgspec import Struct

from orchestrator.domain.catalogue import CATALOGUE, Entry
from orchestrator.domain.kernel import LIVE_KINDS, Record
from orchestrator.store.batch import Sealer, first_versions
from orchestrator.store.connections import Connection, Kept, Source, is_passing
from orchestrator.store.errors import (
    Away,
    Deposed,
    QueueFull,
    SpoolFailed,
    StoreError,
    VersionConflict,
    WriterStopped,
    WrongKind,
)
from orchestrator.store.mapper import Draft, LedgerMapper
from orchestrator.store.recorder import Fence, KeyTaken, LedgerRecorder
from orchestrator.store.spool import SPOOLED, Spool
from orchestrator.store.spooling import Drain, Drained, Right, Spooler
from orchestrator.vault import Vault

if TYPE_CHECKING:
    from orchestrator.store.cooperative import Alarm

# A batch takes whole submissions until it has this many events: a bound on one transaction, and on how long the first
# of a flood waits for its answer. With 64 producers batches of 64 come by themselves.
BATCH: Final = 400
# With so many events waiting no more are taken: at 500 events/s twenty seconds. The loop holds news back well before.
# What is decided in one step is taken as a whole, however much it is: a switch that restarts ends every call at once.
QUEUE_LIMIT: Final = 10_000
# Streams whose last version is remembered; one that was forgotten is asked of the database in the append itself.
_REMEMBERED: Final = 200_000
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 1.0
# How often a writer with a spool is looked after.
_WATCH_S: Final = 1.0


def _nothing(*_: object) -> None:
    """What happens where nobody asked to be told."""


class Hooks(Struct, frozen=True):
    """What a writer tells, on its own thread (greenlet), one call at a time; none of them may block.

    After `on_deposed` or `on_failed` nothing is written any more and `submit` raises.
    """

    on_away: Callable[[Away], None] = _nothing
    """Once, when the database cannot be reached."""
    on_back: Callable[[], None] = _nothing
    """Once, when it answers again."""
    on_spooling: Callable[[Away], None] = _nothing
    """Once, instead of `on_away`: what is submitted goes to the spool, and is told as stored at `SPOOLED`."""
    on_drained: Callable[[Drained], None] = _nothing
    """Once, when all of it is in the log and the log is written again."""
    on_deposed: Callable[[Deposed], None] = _nothing
    """The lease has gone to another process."""
    on_failed: Callable[[BaseException], None] = _nothing
    """The writer gave up for any other reason: a bug, a conflict that cannot be."""


_NO_HOOKS: Final = Hooks()

# How long records that nobody waits for, or can tell, may wait for company: long enough to share a commit at
# 50 calls/s, far below what a person or a standby notices.
PATIENCE_S: Final = 0.01


class _Group(Struct, frozen=True):
    """One submission."""

    drafts: tuple[Draft, ...]
    unseen: tuple[tuple[str, int], ...]
    on_stored: Callable[[int], None]
    on_lost: Callable[[StoreError], None]
    patient: bool


class LiveWriter:
    """Appends to live streams for as long as its fence stands. One for each epoch: after a take-over make a new one."""

    def __init__(
        self,
        source: Source,
        vault: Vault,
        fence: Fence,
        *,
        catalogue: Mapping[str, Entry] = CATALOGUE,
        hooks: Hooks = _NO_HOOKS,
        batch: int = BATCH,
        queue_limit: int = QUEUE_LIMIT,
        spool: tuple[Spool, Right] | None = None,
    ) -> None:
        self.away = False
        """Whether the database is away; events submitted meanwhile wait."""
        self._fence = fence
        self._mapper = LedgerMapper(catalogue)
        self._recorder = LedgerRecorder(source)
        self._sealer = Sealer(self._mapper, vault)
        self._hooks = hooks
        self._batch = batch
        self._queue_limit = queue_limit
        self._lock = threading.Lock()
        # Rung (released) for a writer that has nothing to do. A Condition would do, but under gevent its notify() looks
        # whether the lock is held by trying to take it, which lets other greenlets run while it is.
        self._bell = threading.Lock()
        self._bell.acquire()
        self._idle = False
        self._queue: deque[_Group] = deque()
        self._hurried = False
        """Whether somebody in the queue waits to act on what is stored."""
        self._due = 0.0
        self._alarm = _alarm(PATIENCE_S, self._hurry)
        self._waiting = 0
        self._versions: OrderedDict[str, int] = OrderedDict()
        self._closing = False
        self._stopped: StoreError | None = None
        self._kept = Kept(source)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._spooler: Spooler | None = None
        if spool is not None:
            drain = Drain(spool[0], source, vault, fence, catalogue=catalogue)
            self._spooler = Spooler(
                *spool, fence, drain, begun=hooks.on_spooling, drained=hooks.on_drained, ended=self._spool_ended
            )

    def start(self) -> "LiveWriter":
        """Begin to write. The database need not be there yet."""
        self._thread.start()
        if self._spooler is not None:
            threading.Thread(target=self._watch, name="ledger-watch", daemon=True).start()
        return self

    def know(self, versions: Mapping[str, int]) -> None:
        """Tell the last version of streams that were read from the log, so that the next ones are checked in memory."""
        with self._lock:
            self._versions.update(versions)
            self._forget_oldest()

    @property
    def spooling(self) -> bool:
        """Whether the database is away and events go to the spool."""
        return self._spooler is not None and self._spooler.under_way

    @property
    def draining(self) -> bool:
        """Whether the database is back, and what is in the spool goes there."""
        return self.spooling and self._spooler is not None and self._spooler.draining

    @property
    def waiting(self) -> int:
        """Events submitted and not stored yet."""
        return self._waiting

    def submit(
        self,
        records: Sequence[Record],
        on_stored: Callable[[int], None] = _nothing,
        on_lost: Callable[[StoreError], None] = _nothing,
        *,
        patient: bool = False,
    ) -> None:
        """Take these records, to be stored together; never waits. `on_stored(position of the last)` when durable.

        `patient`: nobody notices if what follows comes some ms later: they may share a commit with what comes by then.

        `on_lost(error)` instead where the writer stops first. Raises, with none of them taken: `WrongKind` for a
        desk stream or an event that does not belong there, `VersionConflict` where a version is no successor of the
        stream's last, `QueueFull`, `WriterStopped` or `Deposed` once the writer has ended.
        """
        if not records:
            raise ValueError("A submission needs at least one record.")
        before = first_versions(records)
        drafts = tuple(map(self._checked, records))
        with self._lock:
            if self._stopped is not None:
                raise self._stopped
            if self._waiting >= self._queue_limit:
                raise QueueFull(
                    f"{self._waiting} events wait for the database already, and {self._queue_limit} is the limit. "
                    "Nothing of this was taken: refuse new work until the database is back."
                )
            unseen = self._check_versions(before)
            for record in records:
                self._versions[record.stream] = record.version
                self._versions.move_to_end(record.stream)
            self._forget_oldest()
            if not self._queue:
                self._due = time.monotonic() + PATIENCE_S
            self._queue.append(_Group(drafts, unseen, on_stored, on_lost, patient))
            self._waiting += len(drafts)
            self._hurried = self._hurried or not patient or self._waiting >= self._batch
            # A writer that waits for company already needs to know only of somebody in a hurry.
            if self._hurried:
                self._ring()
            elif self._alarm is not None:
                self._alarm.set()
            elif len(self._queue) == 1:
                self._ring()

    def append_live(self, records: Sequence[Record]) -> int:
        """`submit`, then wait until all of it is durable; the position of the last record. Raises what `submit` does,
        and `Deposed` or `WriterStopped` where the writer ends meanwhile. Waits as long as the database is away.
        """
        # A bare lock, taken here and released there: an Event costs five times as much, and this is the hot path.
        done = threading.Lock()
        outcome: list[int | StoreError] = []

        def settle(result: int | StoreError) -> None:
            outcome.append(result)
            done.release()

        done.acquire()
        self.submit(records, settle, settle)
        done.acquire()
        result = outcome[0]
        if isinstance(result, StoreError):
            raise result
        return result

    def close(self, timeout_s: float = 10.0) -> bool:
        """Store what waits, then end; whether that was done in time. What could not be stored is told to `on_lost`."""
        with self._lock:
            if self._stopped is None and not self._thread.ident:
                self._stopped = WriterStopped("The writer was closed before it was started.")
                return True
            self._closing = True
            self._ring()
        self._thread.join(timeout_s)
        finished = not self._thread.is_alive() and self._waiting == 0
        if self._spooler is not None:
            self._spooler.stop()
        with self._lock:
            # A writer that is still looking for its database sees this and ends.
            self._stopped = self._stopped or WriterStopped("The writer was closed.")
        return finished

    # --- at the caller -----------------------------------------------------------------------------------------------
    def _checked(self, record: Record) -> Draft:
        draft = self._mapper.draft(record)
        if draft.entry.kind not in LIVE_KINDS:
            raise WrongKind(f"{record.stream} is a desk stream: append it with a DeskWriter.")
        return draft

    def _check_versions(self, before: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
        """Compare with what is known; the streams that the database must be asked about."""
        unseen: list[tuple[str, int]] = []
        for stream, version in before:
            known = self._versions.get(stream)
            if known is None:
                # A new stream needs no question: the primary key refuses a second version 1.
                if version:
                    unseen.append((stream, version))
            elif known != version:
                raise VersionConflict(
                    f"{stream} is at version {known}; {version + 1} does not follow.", streams=(stream,)
                )
        return tuple(unseen)

    def _ring(self) -> None:
        """Wake the writer if it waits; under the lock, so that the bell is rung once only."""
        if self._idle:
            self._idle = False
            self._bell.release()

    def _hurry(self) -> None:
        """Whoever waited for company has waited long enough."""
        self._hurried = bool(self._queue)
        if self._hurried:
            self._ring()

    def _forget_oldest(self) -> None:
        while len(self._versions) > _REMEMBERED:
            self._versions.popitem(last=False)

    # --- on the writer's thread --------------------------------------------------------------------------------------
    def _run(self) -> None:
        groups: list[_Group] = []
        try:
            while groups := self._take():
                self._tell(groups, self._store(groups))
        except Deposed as error:
            self._end(error, groups)
            self._hooks.on_deposed(error)
        except WriterStopped as error:
            self._end(error, groups)
        except BaseException as error:  # noqa: BLE001 - told, not swallowed: whoever waits on this thread must hear that it ended
            stopped = WriterStopped(f"The writer gave up: {error}")
            stopped.__cause__ = error
            self._end(stopped, groups)
            self._hooks.on_failed(error)
        else:
            self._end(WriterStopped("The writer was closed."), [])
        finally:
            self._drop_connection()
            self._ended.set()

    def _watch(self) -> None:
        """A database that stands still says nothing: whoever may go round it is not to wait for it for ever."""
        while not self._ended.wait(_WATCH_S):
            self._kept.cut_if_silent()

    def _take(self) -> list[_Group]:
        """Wait for work; as many whole submissions as make a batch. Nothing once the writer is closed and done."""
        while True:
            with self._lock:
                wait_s = self._wait_s()
                self._idle = wait_s != 0
                if not self._idle:
                    return self._next_batch()
            self._bell.acquire(timeout=wait_s)

    def _wait_s(self) -> float:
        """How long there is nothing to do: 0 when there is, -1 (what a lock takes for ever) when nobody knows."""
        if self._closing or self._hurried:
            return 0
        if not self._queue:
            return -1
        if self._alarm is None:
            return max(0.0, self._due - time.monotonic())
        self._alarm.set()
        return -1

    def _next_batch(self) -> list[_Group]:
        groups: list[_Group] = []
        size = 0
        while self._queue and (not groups or size + len(self._queue[0].drafts) <= self._batch):
            group = self._queue.popleft()
            size += len(group.drafts)
            groups.append(group)
        self._hurried = bool(self._queue) and any(not group.patient for group in self._queue)
        if self._alarm is not None:
            self._alarm.clear()
        return groups

    def _store(self, groups: Sequence[_Group]) -> list[int]:
        """The position of each record of the batch, however long the database takes to have them."""
        drafts = [draft for group in groups for draft in group.drafts]
        records = [draft.record for draft in drafts]
        unseen = [each for group in groups for each in group.unseen]
        doubtful = doubt_new = False
        pause_s = 0.0
        while True:
            sent = False
            try:
                if self._goes_round(records):
                    self._is_back()
                    return [SPOOLED] * len(records)
                connection = self._connected()
                if doubtful and (found := self._recorder.read_back(connection, records)):
                    self._is_back()
                    return found
                batch = self._sealer.prepare(drafts, doubt_new=doubt_new)
                sent = True
                positions = self._recorder.append(connection, batch, fence=self._fence, expected=unseen)
            except KeyTaken:
                doubt_new = True
            except VersionConflict as conflict:
                return self._judge(conflict, records)
            except SpoolFailed as failure:
                pause_s = self._lost(Away(str(failure)), pause_s or _FIRST_PAUSE_S)
            except (Away, psycopg.Error) as error:
                doubtful = doubtful or sent
                if not (pause_s and _is_absence(error) and self._begin_to_spool(error)):
                    pause_s = self._lost(error, pause_s)
            else:
                self._sealer.stored(batch)
                self._is_back()
                return positions

    def _goes_round(self, records: Sequence[Record]) -> bool:
        """Whether these are in the spool now, because what was decided before them is, too."""
        return self._spooler is not None and self._spooler.under_way and self._spooler.take(records)

    def _begin_to_spool(self, error: Away | psycopg.Error) -> bool:
        self._drop_connection()
        return self._spooler is not None and self._spooler.begin(_as_away(error))

    def _spool_ended(self, error: BaseException) -> None:
        """What is in the spool cannot go to the log from here: nothing is written any more."""
        with self._lock:
            self._stopped = error if isinstance(error, StoreError) else WriterStopped(f"The spool ended: {error}")
            self._closing = True
            self._ring()
        if isinstance(error, Deposed):
            self._hooks.on_deposed(error)
        else:
            self._hooks.on_failed(error)

    def _judge(self, conflict: VersionConflict, records: Sequence[Record]) -> list[int]:
        """A version is taken: by an attempt of ours whose answer was lost (their positions), by the process that has
        the lease now (`Deposed`), or, which must not be, by somebody beside the lease (the conflict).
        """
        pause_s = 0.0
        while True:
            try:
                connection = self._connected()
                if not self._recorder.stands(connection, self._fence):
                    raise Deposed(f"Epoch {self._fence.epoch} of site {self._fence.site} is over.") from conflict
                found = self._recorder.read_back(connection, records)
                if found is None:
                    raise conflict
            except (Away, psycopg.Error) as error:
                pause_s = self._lost(error, pause_s)
            else:
                self._is_back()
                return found

    def _connected(self) -> Connection:
        return self._kept.ask()

    def _lost(self, error: Away | psycopg.Error, pause_s: float) -> float:
        """After an error: raise it where waiting does not help, else wait; how long to wait the next time.

        The first attempt to connect again is made at once and in silence: a cut connection is no absence.
        """
        if isinstance(error, psycopg.Error) and not is_passing(error):
            raise error
        self._drop_connection()
        if pause_s == 0.0:
            return _FIRST_PAUSE_S
        if not self.away:
            self.away = True
            self._hooks.on_away(_as_away(error))
        with self._lock:
            if self._stopped is not None:
                raise self._stopped
        time.sleep(pause_s)
        return min(2 * pause_s, _LONGEST_PAUSE_S)

    def _is_back(self) -> None:
        self._kept.answered()
        if self.away:
            self.away = False
            self._hooks.on_back()

    def _drop_connection(self) -> None:
        self._kept.drop()

    def _tell(self, groups: list[_Group], positions: Sequence[int]) -> None:
        """Tell each group, taking it off the list first: should a callback raise, only the untold are told a loss."""
        with self._lock:
            self._waiting -= len(positions)
        place = 0
        groups.reverse()
        while groups:
            group = groups.pop()
            place += len(group.drafts)
            group.on_stored(positions[place - 1])

    def _end(self, error: StoreError, groups: Sequence[_Group]) -> None:
        with self._lock:
            self._stopped = self._stopped or error
            lost = [*groups, *self._queue]
            self._queue.clear()
        for group in lost:
            group.on_lost(self._stopped)


def _alarm(after_s: float, call: Callable[[], None]) -> "Alarm | None":
    """What watches the time in the place of a waiting writer, where gevent has patched this process."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return None
    from orchestrator.store.cooperative import Alarm

    return Alarm(after_s, call)


def _as_away(error: Away | psycopg.Error) -> Away:
    return error if isinstance(error, Away) else Away(f"The database went away: {error}")


def _is_absence(error: Away | psycopg.Error) -> bool:
    return isinstance(error, Away) or is_passing(error)
