"""What is to be recorded once the database is back: a file of sealed entries, in order and durable.

    meanwhile/later.db    SQLite in WAL mode, every commit synced; made with the first entry

For processes that write desk streams; the engine has its spool. Entries are sealed under a key of the key file, which
needs no database, and bound to their ids.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import structlog
from msgspec import Struct

from orchestrator.store.spool_file import beside_the_loop
from orchestrator.vault import Tampered, Vault

log = structlog.get_logger(__name__)

_FILE: Final = "later.db"
_NAME: Final = "later"
_BUSY_S: Final = 5.0
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS entries"
    " (place INTEGER PRIMARY KEY AUTOINCREMENT, ident TEXT NOT NULL UNIQUE, sealed BLOB NOT NULL)"
)


class NotKept(Exception):
    """The file could not be written or read (a full disk, a disk that fails): nothing of what was given is kept."""


class Waiting(Struct, frozen=True):
    """An entry at its place."""

    place: int
    ident: str
    plain: bytes


class Later:
    """The file of one home; each process that uses it has its own of these. Thread-safe."""

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._path = folder / _FILE
        self._vault = vault
        self._unreadable: set[int] = set()

    def keep(self, ident: str, plain: bytes) -> None:
        """Keep this behind all others; one that is there already stays. Durable at return. Raises `NotKept`."""
        sealed = self._vault.seal_bytes(_NAME, plain, ident.encode())

        def write() -> None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._path.exists():
                os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600))
            with _opened(self._path) as connection:
                connection.execute(_SCHEMA)
                connection.execute("INSERT OR IGNORE INTO entries (ident, sealed) VALUES (?, ?)", (ident, sealed))

        try:
            beside_the_loop(write)
        except (OSError, sqlite3.Error) as error:
            raise NotKept(f"{self._path} cannot be written: {error}") from error

    def all(self) -> list[Waiting]:
        """All of them, in order. One that cannot be read is told, once, and left where it is. Raises `NotKept`."""
        found = []
        for place, ident, sealed in self._rows("SELECT place, ident, sealed FROM entries ORDER BY place"):
            try:
                plain = self._vault.open_bytes(_NAME, sealed, ident.encode())
            except Tampered:
                if place in self._unreadable:
                    continue
                self._unreadable.add(place)
                log.exception("later-unreadable", file=str(self._path), place=place, remedy="keep the file")
            else:
                found.append(Waiting(place, ident, plain))
        return found

    def drop(self, place: int) -> None:
        """Forget this one, which is recorded. Raises `NotKept`."""

        def write() -> None:
            with _opened(self._path) as connection:
                connection.execute("DELETE FROM entries WHERE place = ?", (place,))

        try:
            beside_the_loop(write)
        except sqlite3.Error as error:
            raise NotKept(f"{self._path} cannot be written: {error}") from error

    @property
    def count(self) -> int:
        """How many there are. Raises `NotKept`."""
        rows = self._rows("SELECT count(*) FROM entries")
        return int(rows[0][0]) if rows else 0

    def _rows(self, words: str) -> list[tuple[int, str, bytes]]:
        def read() -> list[tuple[int, str, bytes]]:
            if not self._path.exists():
                return []
            with _opened(self._path) as connection:
                connection.execute(_SCHEMA)
                return connection.execute(words).fetchall()

        try:
            return beside_the_loop(read)
        except (OSError, sqlite3.Error) as error:
            raise NotKept(f"{self._path} cannot be read: {error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        yield connection
