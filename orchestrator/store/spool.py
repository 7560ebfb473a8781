"""The spool: a file in which an active engine keeps its events while the database is away, in order and durable.

    spool/spool.db      SQLite in WAL mode, every commit synced
      meta              the spool's own name, the ledger, machine and installation that it belongs to
      owner             which lease may write: checked inside each transaction, as the log checks its fence
      entries           the events, sealed whole under a key derived from the key file, which needs no database; `more`
                        stands at each that is not the last of its step: no step goes to the log in parts

    spool/spool.name    the spool's own name once more, for when nothing can be read of the file
    spool/spool.going   the name of the one that is just being put aside
    spool/spool.owner   of a spool that is damaged: its owner, and how much of it is in the log (nothing is written into
                        the damaged file)

All engines of a machine share it. Whoever takes the lease over becomes its owner first: from then on nothing of the
owner before is taken any more (`Deposed`), and so nothing of it is done (docs/decisions/0097).
"""

import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from itertools import zip_longest
from pathlib import Path
from socket import gethostname
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.catalogue import Entry as CatalogueEntry
from orchestrator.domain.kernel import Record
from orchestrator.durable import replace, sync_folder
from orchestrator.store.errors import Corrupt, Deposed, SpoolFailed
from orchestrator.store.mapper import LedgerMapper, is_sealed, opener_of
from orchestrator.store.recorder import Fence
from orchestrator.store.spool_file import (
    alone,
    beside_the_loop,
    connect,
    if_readable,
    is_damage,
    is_not_now,
    known,
    remains,
)
from orchestrator.vault import Tampered, Vault

T = TypeVar("T")

SPOOLED: Final = -1
"""The position of a record in the spool: it has none yet."""

SWEPT: Final = "texts"
"""What a spool's meta has once all texts in it are under keys of persons (`aside`)."""

_FORM: Final = "ringledger-spool-1"
_FILE: Final = "spool.db"
_NAME: Final = "spool.name"
_OWNER: Final = "spool.owner"
_GOING: Final = "spool.going"
FORMER: Final = "former"
"""What a spool's meta has of the one that was put aside before it was begun: that one's name."""
_MB: Final = 1_000_000
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
_OLDEST: Final = "SELECT place, epoch, stream, version, topic, sealed, more FROM entries WHERE place > ? ORDER BY place"
# Every page but those of long events.
_TOUCH: Final = (
    "SELECT count(*) FROM entries UNION ALL SELECT count(*) FROM owner UNION ALL SELECT count(*) FROM sqlite_sequence"
)
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


class Broken(SpoolFailed):
    """The file itself is damaged: nothing is written into it any more."""


class Beside(Struct, frozen=True):
    """Whose a damaged spool is, and up to which place it is in the log; 0 where only the file may say."""

    id: str
    epoch: int
    holder: str
    drained: int


_beside: Final = msgspec.json.Decoder(Beside)


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
        self.damaged = False
        """Whether a part of the file is gone: it is only read from then on, and put aside at the end."""
        self.former = ""
        """The spool of this machine that was put aside when this one was begun."""
        self._folder = folder
        self._vault = vault
        self._mapper = LedgerMapper(catalogue)
        self._ledger = ledger
        self._machine = machine
        self._limit = limit_mb * _MB
        self._lock = threading.Lock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with alone(folder):
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
            _taken(connection)  # where that is gone, nobody could say whether the last ones are there
            (used,) = connection.execute("SELECT used FROM owner").fetchone()
            (waiting,) = connection.execute("SELECT count(*) FROM entries").fetchone()
            connection.execute("UPDATE owner SET epoch = ?, holder = ?, used = 0", (fence.epoch, fence.holder))
            return Found(waiting, bool(used))

        try:
            found = self._write(write)
        except Broken:
            self._own_beside(fence)
            found = Found(max(1, self._count()), used=True)
        self.waiting = found.waiting
        return found

    def begin(self, fence: Fence) -> None:
        """From now on the owner's events come here. Raises `Deposed`, `SpoolFailed`."""

        def write(connection: sqlite3.Connection) -> None:
            self._check(connection, fence)
            connection.execute("UPDATE owner SET used = 1")

        self._write(write)

    def stands(self, fence: Fence) -> bool:
        """Whether it is still the owner's. Raises `SpoolFailed` where nobody can say now."""

        def read(connection: sqlite3.Connection) -> bool:
            return self._is_owner(connection, fence)

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
            self._check(connection, fence)
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
                drained, last = self._bounds(connection)
                with closing(connection.execute(_OLDEST, (drained or 0,))) as rows:
                    place = drained or 0
                    for *row, more in rows:
                        # Where nothing says up to where it is in the log, what is there is taken from its beginning.
                        place = row[0] if drained is None and not found else place + 1
                        found.append(self._entry(place, *row))
                        whole = whole if more else len(found)
                        if whole >= limit:
                            return found
                if self.damaged and not found:
                    raise Damaged("Nothing more is there.")
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
            self._check(connection, fence)
            connection.execute("UPDATE owner SET drained = ?", (until,))
            dropped = connection.execute("DELETE FROM entries WHERE place <= ?", (until,)).rowcount
            return dropped, _size(connection)

        try:
            dropped, size = self._write(write)  # first: others append while it waits
        except Broken:
            self._drop_beside(fence, until)
            self.waiting = self._count()
        else:
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
        with self._lock, alone(self._folder):
            self._connection.close()
            aside = self._move(why, self.id)
            self._connection, self.id = self._make(self._folder / _FILE)
            self._file = self._in_place()
        self.waiting, self.size = 0, self._run(_size)
        return aside

    def catch_up(self) -> None:
        """Of whoever stands by: where another process has put this file aside, open the one that it began instead."""
        if self._in_place() == self._file:
            return
        with self._lock, alone(self._folder):
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
            why = name = ""
            try:
                connection, meta, damaged = self._known(path)
                why = self._why_not(meta)
                if not why:
                    self.damaged = damaged
                    if not damaged:
                        self._bring_up(connection, meta)
                    self.former = meta.get(FORMER, "")
                    (self._folder / _GOING).unlink(missing_ok=True)
                    self._say_name(meta["id"])
                    return connection, meta["id"]
                connection.close()
            except sqlite3.DatabaseError as error:
                if is_not_now(error):
                    raise  # the lease may name it: whoever starts again finds it here
                why = f"it cannot be read ({error})"
                name = self._said(_NAME)
            self._move(why, name)
        return self._make(path)

    def _known(self, path: Path) -> tuple[sqlite3.Connection, dict[str, str], bool]:
        """The spool that lies there, what it says of itself, and whether it is damaged: to be read alone."""
        if (self._folder / _OWNER).exists():
            return *remains(path), True
        try:
            connection, meta = known(path)
        except sqlite3.DatabaseError as error:
            if is_not_now(error):
                raise
            return *remains(path), True
        try:
            connection.execute(_TOUCH).fetchall()
        except sqlite3.DatabaseError as error:
            connection.close()
            if is_not_now(error):
                raise
            return *remains(path), True
        return connection, meta, False

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
        name, former = secrets.token_hex(8), self._said(_GOING)
        half = path.with_name(f".{name}.half")
        os.close(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        making = sqlite3.connect(half)
        try:
            making.executescript(_SCHEMA)
            host = gethostname()  # for people: it may change
            meta = {"form": _FORM, "id": name, "ledger": self._ledger, "machine": self._machine, "host": host}
            if former:
                meta[FORMER] = former
            making.executemany("INSERT INTO meta VALUES (?, ?)", list(meta.items()))
            making.commit()
        finally:
            making.close()
        half.rename(path)
        sync_folder(self._folder)
        (self._folder / _OWNER).unlink(missing_ok=True)
        (self._folder / _GOING).unlink(missing_ok=True)
        self._say_name(name)
        self.damaged, self.former = False, former
        return connect(path), name

    def _say_name(self, name: str) -> None:
        if self._said(_NAME) != name:
            replace(self._folder / _NAME, name.encode())

    def _said(self, file: str) -> str:
        """What stands in this file beside the spool; nothing where there is none."""
        path = self._folder / file
        return path.read_text("ascii", "replace") if path.exists() else ""

    def _said_beside(self) -> Beside | None:
        """Whose this spool is, where it is damaged and somebody has become its owner since."""
        path = self._folder / _OWNER
        if not path.exists():
            return None
        try:
            said = _beside.decode(path.read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        return said if said.id == self.id else None

    def _own_beside(self, fence: Fence) -> None:
        said = self._said_beside()
        self._say_beside(Beside(self.id, fence.epoch, fence.holder, said.drained if said is not None else 0))

    def _drop_beside(self, fence: Fence, until: int) -> None:
        ours = self._run(partial(if_readable, partial(self._is_owner, fence=fence)))
        if ours is not None and not ours:
            raise Deposed(f"The spool has another owner than epoch {fence.epoch}.")
        self._say_beside(Beside(self.id, fence.epoch, fence.holder, until))

    def _say_beside(self, said: Beside) -> None:
        try:
            replace(self._folder / _OWNER, msgspec.json.encode(said))
        except OSError as error:
            raise SpoolFailed(f"Beside the spool nothing can be written: {error}") from error
        self.damaged = True

    def _is_owner(self, connection: sqlite3.Connection, fence: Fence) -> bool:
        said = self._said_beside()
        if said is not None:
            return (said.epoch, said.holder) == (fence.epoch, fence.holder)
        return _is_owner(connection, fence)

    def _check(self, connection: sqlite3.Connection, fence: Fence) -> None:
        if not self._is_owner(connection, fence):
            raise Deposed(f"The spool has another owner than epoch {fence.epoch}.")

    def _bounds(self, connection: sqlite3.Connection) -> tuple[int | None, int]:
        """The last place that went to the log, and the last one that was ever taken; of a damaged spool None and 0
        where that is gone.
        """
        if not self.damaged:
            return _drained(connection), _taken(connection)
        said = self._said_beside()
        drained = said.drained if said is not None and said.drained else if_readable(_drained, connection)
        return drained, if_readable(_taken, connection) or 0

    def _move(self, why: str, name: str) -> Path:
        """Out of the way, with what SQLite keeps beside it. `name`: of the spool, where it is known and was ours."""
        if name:
            replace(self._folder / _GOING, name.encode())
        aside = self._folder / f"aside-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(2)}.db"
        for end in ("", "-wal", "-shm"):
            part = self._folder / f"{_FILE}{end}"
            if part.exists():
                part.rename(f"{aside}{end}")
        sync_folder(self._folder)
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
        """Events in it; of a damaged one as many as should be."""

        def read(connection: sqlite3.Connection) -> int:
            if self.damaged:
                drained, last = self._bounds(connection)
                return max(0, last - (drained or 0))
            return int(connection.execute("SELECT count(*) FROM entries").fetchone()[0])

        return self._run(read)

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return self._run(work)
        except sqlite3.DatabaseError as error:
            if is_not_now(error):
                raise SpoolFailed(f"The spool cannot be read now: {error}") from error
            raise

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """In one transaction, which holds the file's write lock from its beginning. Raises `Broken`, `SpoolFailed`."""

        def transact(connection: sqlite3.Connection) -> T:
            if self.damaged:
                raise Broken("The spool is damaged: nothing is written into it any more.")
            try:
                connection.execute("BEGIN IMMEDIATE")
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.DatabaseError) and is_damage(error):
                    raise Broken(f"The spool is damaged: {error}") from error
                if isinstance(error, sqlite3.Error):
                    raise SpoolFailed(f"The spool cannot be written: {error}") from error
                raise
            return result

        return self._run(transact)

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            return beside_the_loop(lambda: work(self._connection))


def _is_owner(connection: sqlite3.Connection, fence: Fence) -> bool:
    return bool(connection.execute("SELECT epoch, holder FROM owner").fetchone() == (fence.epoch, fence.holder))


def _drained(connection: sqlite3.Connection) -> int:
    """The last place that went to the log."""
    return int(connection.execute("SELECT drained FROM owner").fetchone()[0])


def _taken(connection: sqlite3.Connection) -> int:
    """The last place that was ever taken."""
    taken = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entries'").fetchone()
    return int(taken[0]) if taken is not None else 0


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


def seal_name(spool: str) -> str:
    """The name of the key under which a spool's events are sealed."""
    return f"spool {spool}"


def row_bound(stream: str, version: int, topic: str) -> bytes:
    """What a sealed event is bound to."""
    return msgspec.json.encode((stream, version, topic))
