"""The spool: a file in which an active engine keeps its events while the database is away, in order and durable.

    spool/spool.db      SQLite in WAL mode, every commit synced
      meta              the spool's own name, the ledger, machine and installation that it belongs to
      owner             which lease may write: checked inside each transaction, as the log checks its fence
      entries           the events, sealed whole under a key derived from the key file, which needs no database; `more`
                        stands at each that is not the last of its step: no step goes to the log in parts

All engines of a machine share it. Whoever takes the lease over becomes its owner first: from then on nothing of the
owner before is taken any more (`Deposed`), and so nothing of it is done (docs/decisions/0097).
"""

import fcntl
import os
import secrets
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import zip_longest
from pathlib import Path
from socket import gethostname
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.catalogue import Entry as CatalogueEntry
from orchestrator.domain.kernel import Record
from orchestrator.store.errors import Corrupt, Deposed, SpoolFailed
from orchestrator.store.mapper import LedgerMapper, is_sealed, opener_of
from orchestrator.store.recorder import Fence
from orchestrator.vault import Tampered, Vault

T = TypeVar("T")

SPOOLED: Final = -1
"""The position of a record in the spool: it has none yet."""

SWEPT: Final = "texts"
"""What a spool's meta has once all texts in it are under keys of persons (`aside`)."""

_FORM: Final = "ringledger-spool-1"
_FILE: Final = "spool.db"
_MAGIC: Final = b"SQLite format 3\0"
_BUSY_S: Final = 2.0
_MB: Final = 1_000_000
# What says nothing of the file: a full disk, no file numbers or memory left, somebody else at it.
_NOT_NOW: Final = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)
# These say that a part of the file is gone.
_UNREADABLE: Final = frozenset(
    {
        sqlite3.SQLITE_IOERR_READ,
        sqlite3.SQLITE_IOERR_SHORT_READ,
        sqlite3.SQLITE_IOERR_DATA,
        sqlite3.SQLITE_IOERR_CORRUPTFS,
    }
)
# What is kept free for those who are being served already, once new callers are sent elsewhere.
_RESERVE: Final = 0.25
_SCHEMA: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE owner (
    one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL, holder TEXT NOT NULL,
    used INTEGER NOT NULL, drained INTEGER NOT NULL);
INSERT INTO owner VALUES (1, 0, '', 0, 0);
CREATE TABLE entries (
    place INTEGER PRIMARY KEY AUTOINCREMENT, epoch INTEGER NOT NULL, stream TEXT NOT NULL, version INTEGER NOT NULL,
    topic TEXT NOT NULL, sealed BLOB NOT NULL, more INTEGER NOT NULL DEFAULT 0);
"""
_OLDEST: Final = "SELECT place, epoch, stream, version, topic, sealed, more FROM entries ORDER BY place"
# Spools of before it was said where a step ends.
_ADD_ENDS: Final = "ALTER TABLE entries ADD COLUMN more INTEGER NOT NULL DEFAULT 0"


class Entry(Struct, frozen=True):
    """An event at its place in the spool, and the epoch under which it was decided. `closed`: topic and state of one
    whose texts went under keys of persons while the spool lay aside (`aside`); `record` has them masked.
    """

    place: int
    epoch: int
    record: Record
    closed: tuple[str, bytes] | None = None


class Found(Struct, frozen=True):
    """What a new owner finds. `used`: the owner before it went to the spool at some time, so that its right to act may
    have come from there.
    """

    waiting: int
    used: bool


class Damaged(Corrupt):
    """The spool cannot be read beyond what was read before."""


class Spool:
    """One open spool. Safe to use from several threads; in a process that gevent has patched the disk is waited for
    beside the loop.
    """

    def __init__(
        self,
        folder: Path,
        vault: Vault,
        *,
        ledger: str,
        machine: str,
        limit_mb: int,
        catalogue: Mapping[str, CatalogueEntry] = CATALOGUE,
    ) -> None:
        """Open the spool of this folder, or make it. One that belongs to another ledger or machine (`machine`:
        `neighbour.identity`), or is none, is put aside, and `put_aside` says where and why.
        """
        self.put_aside: tuple[Path, str] | None = None
        self._folder = folder
        self._vault = vault
        self._mapper = LedgerMapper(catalogue)
        self._ledger = ledger
        self._machine = machine
        self._limit = limit_mb * _MB
        self._lock = threading.Lock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(folder):
            self._connection, self.id = self._open()
            self._file = self._in_place()
        self.waiting = self._count()
        """Events in it, as far as this process knows."""
        self.size = self._run(_size)
        """Bytes in use."""

    # --- who may write ----------------------------------------------------------------------------------------------
    def own(self, fence: Fence) -> Found:
        """Become its owner. Raises `SpoolFailed` where another process is in the middle of writing and stands still."""

        def write(connection: sqlite3.Connection) -> Found:
            (used,) = connection.execute("SELECT used FROM owner").fetchone()
            (waiting,) = connection.execute("SELECT count(*) FROM entries").fetchone()
            connection.execute("UPDATE owner SET epoch = ?, holder = ?, used = 0", (fence.epoch, fence.holder))
            return Found(waiting, bool(used))

        found = self._write(write)
        self.waiting = found.waiting
        return found

    def begin(self, fence: Fence) -> None:
        """From now on the owner's events come here. Raises `Deposed`, `SpoolFailed`."""

        def write(connection: sqlite3.Connection) -> None:
            _check(connection, fence)
            connection.execute("UPDATE owner SET used = 1")

        self._write(write)

    def stands(self, fence: Fence) -> bool:
        """Whether it is still the owner's. Raises `SpoolFailed` where nobody can say now."""

        def read(connection: sqlite3.Connection) -> bool:
            return _is_owner(connection, fence)

        return self._read(read)

    # --- events ------------------------------------------------------------------------------------------------------
    def append(self, fence: Fence, records: Sequence[Record]) -> None:
        """Keep these behind all others, in one synced commit: whole steps. Raises `Deposed`; `SpoolFailed` where the
        disk or the spool is full or fails: none of them is kept then.
        """
        rows = [self._row(fence.epoch, record, more=more) for record, more in _with_ends(records)]
        if self.size + sum(len(sealed) for *_, sealed, _ in rows) > self._limit * (1 + _RESERVE):
            raise SpoolFailed(f"The spool is full: {self.size // _MB} MB are in use, and the reserve is too.")

        def write(connection: sqlite3.Connection) -> int:
            _check(connection, fence)
            connection.executemany(
                "INSERT INTO entries (epoch, stream, version, topic, sealed, more) VALUES (?, ?, ?, ?, ?, ?)", rows
            )
            return _size(connection)

        size = self._write(write)  # first: others drop while it waits
        self.waiting += len(rows)
        self.size = size

    def first(self, limit: int) -> list[Entry]:
        """The oldest of them, in order: so many, and then to the end of a step. Raises `Damaged` where some should be
        there and the oldest step cannot be read; `SpoolFailed` where it cannot be read now.
        """

        def read(connection: sqlite3.Connection) -> list[Entry]:
            found: list[Entry] = []
            whole = 0
            try:
                place, last = _bounds(connection)
                with closing(connection.execute(_OLDEST)) as rows:
                    for *row, more in rows:
                        place += 1
                        found.append(self._entry(place, *row))
                        whole = whole if more else len(found)
                        if whole >= limit:
                            return found
                if place < last or whole < len(found):
                    raise Damaged(f"{max(1, last - place)} events from place {place + 1} on are missing.")
            except (sqlite3.DatabaseError, Tampered, Corrupt, TypeError) as error:
                if isinstance(error, sqlite3.DatabaseError) and is_not_now(error):
                    raise
                if not whole:
                    raise Damaged(f"The spool cannot be read on from here: {error}") from error
            return found[:whole]

        return self._read(read)

    def opened(self, entries: Sequence[Entry]) -> list[Record]:
        """The records of these, with all their texts. Raises `Away` where keys are needed that the database has."""
        streams = {entry.record.stream for entry in entries if entry.closed}
        opener = opener_of(self._vault.keys(streams) if streams else {})
        return [
            self._mapper.record(entry.record.stream, entry.record.version, *entry.closed, opener=opener)
            if entry.closed
            else entry.record
            for entry in entries
        ]

    def drop(self, fence: Fence, until: int) -> int:
        """Forget those up to this place, which are in the log; how many are left. Raises `Deposed`, `SpoolFailed`."""

        def write(connection: sqlite3.Connection) -> tuple[int, int]:
            _check(connection, fence)
            connection.execute("UPDATE owner SET drained = ?", (until,))
            dropped = connection.execute("DELETE FROM entries WHERE place <= ?", (until,)).rowcount
            return dropped, _size(connection)

        dropped, size = self._write(write)  # first: others append while it waits
        self.waiting = max(0, self.waiting - dropped)
        self.size = size
        return self.waiting

    def tidy(self) -> None:
        """Leave nothing of what was dropped in the file beside it, which SQLite would overwrite some day. Raises
        `SpoolFailed`; what another process reads just now stays until the next time.
        """
        self._read(lambda connection: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())

    @property
    def full(self) -> bool:
        """Whether no new callers should be let in: what is left is for those who are being served."""
        return self.size > self._limit

    @property
    def limit(self) -> int:
        """Bytes that it may come to before new callers are sent elsewhere."""
        return self._limit

    @property
    def share(self) -> float:
        """How much of the limit is in use."""
        return self.size / self._limit

    # --- the file ----------------------------------------------------------------------------------------------------
    def set_aside(self, why: str) -> Path:
        """Keep this file under another name and begin a new spool under a new name of its own; where it is now."""
        with self._lock, _alone(self._folder):
            self._connection.close()
            aside = self._move(why)
            self._connection, self.id = self._open()
            self._file = self._in_place()
        self.waiting, self.size = 0, self._run(_size)
        return aside

    def catch_up(self) -> None:
        """Of whoever stands by: where another process has put this file aside, open the one that it began instead."""
        if self._in_place() == self._file:
            return
        with self._lock, _alone(self._folder):
            former = self._connection
            self._connection, self.id = self._open()
            self._file = self._in_place()
            former.close()
        self.waiting, self.size = self._count(), self._run(_size)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _in_place(self) -> int:
        """The file that lies in the spool's place, by its number; 0 where none does."""
        path = self._folder / _FILE
        return path.stat().st_ino if path.exists() else 0

    def _open(self) -> tuple[sqlite3.Connection, str]:
        path = self._folder / _FILE
        if path.exists():
            why = ""
            try:
                connection, meta = known(path)
                why = self._why_not(meta)
                if not why:
                    self._bring_up(connection, meta)
                    return connection, meta["id"]
                connection.close()
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NOT_NOW:
                    raise  # the lease may name it: whoever starts again finds it here
                why = f"it cannot be read ({error})"
            self._move(why)
        return self._make(path)

    def _why_not(self, meta: dict[str, str]) -> str:
        """Why the spool that was found cannot be ours; nothing where it is."""
        if meta.get("form") != _FORM or not meta.get("id"):
            return "it is no spool of this program"
        if meta.get("ledger") != self._ledger:
            return "it belongs to another ledger"
        # One of before machines were told apart by more than their name.
        theirs, ours = (meta["machine"], self._machine) if "machine" in meta else (meta.get("host"), gethostname())
        return "" if theirs == ours else f"it belongs to another machine or installation ({meta.get('host')})"

    def _bring_up(self, connection: sqlite3.Connection, meta: dict[str, str]) -> None:
        """Add what spools of before do not have; what comes into one that was put back is under the key file's key."""
        if SWEPT in meta:
            connection.execute("DELETE FROM meta WHERE name = ?", (SWEPT,))
        if "machine" not in meta:
            connection.execute("INSERT INTO meta VALUES ('machine', ?)", (self._machine,))
        if "more" not in {column for _, column, *_ in connection.execute("PRAGMA table_info(entries)")}:
            connection.execute(_ADD_ENDS)

    def _make(self, path: Path) -> tuple[sqlite3.Connection, str]:
        """Make it whole beside its place, so that no crash leaves half of one there."""
        name = secrets.token_hex(8)
        half = path.with_name(f".{name}.half")
        os.close(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        making = sqlite3.connect(half)
        try:
            making.executescript(_SCHEMA)
            host = gethostname()  # for people: it may change
            meta = {"form": _FORM, "id": name, "ledger": self._ledger, "machine": self._machine, "host": host}
            making.executemany("INSERT INTO meta VALUES (?, ?)", list(meta.items()))
            making.commit()
        finally:
            making.close()
        half.rename(path)
        _sync(self._folder)
        return _connect(path), name

    def _move(self, why: str) -> Path:
        """Out of the way, with what SQLite keeps beside it."""
        aside = self._folder / f"aside-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(2)}.db"
        for end in ("", "-wal", "-shm"):
            part = self._folder / f"{_FILE}{end}"
            if part.exists():
                part.rename(f"{aside}{end}")
        _sync(self._folder)
        self.put_aside = aside, why
        return aside

    def _row(self, epoch: int, record: Record, *, more: bool) -> tuple[int, str, int, str, bytes, bool]:
        topic, state = self._mapper.plain(record)
        sealed = self._vault.seal_bytes(seal_name(self.id), state, row_bound(record.stream, record.version, topic))
        return epoch, record.stream, record.version, topic, sealed, more

    def _entry(
        self, expected: int, place: int, epoch: int, stream: str, version: int, topic: str, sealed: bytes
    ) -> Entry:
        if place != expected:
            raise Damaged(f"Place {expected} is missing.")
        state = self._vault.open_bytes(seal_name(self.id), sealed, row_bound(stream, version, topic))
        closed = (topic, state) if is_sealed(state) else None
        return Entry(place, epoch, self._mapper.record(stream, version, topic, state), closed)

    def _count(self) -> int:
        return int(self._run(lambda connection: connection.execute("SELECT count(*) FROM entries").fetchone()[0]))

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return self._run(work)
        except sqlite3.DatabaseError as error:
            if is_not_now(error):
                raise SpoolFailed(f"The spool cannot be read now: {error}") from error
            raise

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """In one transaction, which holds the file's write lock from its beginning."""

        def transact(connection: sqlite3.Connection) -> T:
            try:
                connection.execute("BEGIN IMMEDIATE")
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise SpoolFailed(f"The spool cannot be written: {error}") from error
                raise
            return result

        return self._run(transact)

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            return beside_the_loop(lambda: work(self._connection))


def beside_the_loop(work: Callable[[], T]) -> T:
    """What `work` returns; in a process that gevent has patched other greenlets run while the disk is waited for."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return work()
    from gevent import get_hub

    result: T = get_hub().threadpool.apply(work)
    return result


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # What was sealed for a while is not left lying in free pages.
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def known(path: Path) -> tuple[sqlite3.Connection, dict[str, str]]:
    """A spool that was made before, and what it says of itself. SQLite would take an empty file for a new one."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise sqlite3.DatabaseError("it does not begin as a database does")
    connection = _connect(path)
    try:
        return connection, dict(connection.execute("SELECT name, value FROM meta"))
    except sqlite3.DatabaseError:
        connection.close()
        raise


def _is_owner(connection: sqlite3.Connection, fence: Fence) -> bool:
    return bool(connection.execute("SELECT epoch, holder FROM owner").fetchone() == (fence.epoch, fence.holder))


def _check(connection: sqlite3.Connection, fence: Fence) -> None:
    if not _is_owner(connection, fence):
        raise Deposed(f"The spool has another owner than epoch {fence.epoch}.")


def _bounds(connection: sqlite3.Connection) -> tuple[int, int]:
    """The last place that went to the log, and the last one that was ever taken."""
    (drained,) = connection.execute("SELECT drained FROM owner").fetchone()
    taken = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entries'").fetchone()
    return int(drained), int(taken[0]) if taken is not None else 0


def _size(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _with_ends(records: Sequence[Record]) -> Iterator[tuple[Record, bool]]:
    """Each with whether the next one is of the same step: of the same input, which each input has once."""
    for record, following in zip_longest(records, records[1:]):
        more = following is not None and record.about.causation == following.about.causation != ""
        yield record, more


def is_not_now(error: sqlite3.Error) -> bool:
    """Whether this says nothing of the file."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in _NOT_NOW and code not in _UNREADABLE


def seal_name(spool: str) -> str:
    """The name of the key under which a spool's events are sealed."""
    return f"spool {spool}"


def row_bound(stream: str, version: int, topic: str) -> bytes:
    """What a sealed event is bound to."""
    return msgspec.json.encode((stream, version, topic))


def _sync(folder: Path) -> None:
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While this is held no other process opens, makes or moves the spool of this folder."""
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
