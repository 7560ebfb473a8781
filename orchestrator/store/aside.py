"""Spools that were put aside: personal text in them goes from the key file's key under keys of those whom it is about.

      aside-….db ──opened with the key file──▶ texts sealed under their contact's key ──▶ its place in the same file
                                                 └── which hangs under its caller's: erasing that person closes them

A spool is sealed as a whole by a key that needs no database. What lies aside may lie long, and an erasure must reach
it. It stays a spool: one that is put back where it belongs goes to the log, without the texts of whoever was erased.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

import psycopg
from msgspec import Struct

from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.catalogue import Entry as CatalogueEntry
from orchestrator.domain.kernel import Record
from orchestrator.store.batch import Batch, Sealer
from orchestrator.store.connections import Source
from orchestrator.store.errors import Corrupt, WrongKind
from orchestrator.store.keys import KeyShelf
from orchestrator.store.mapper import Draft, LedgerMapper, is_sealed
from orchestrator.store.spool import SWEPT, row_bound, seal_name
from orchestrator.store.spool_file import beside_the_loop, known
from orchestrator.vault import Tampered, Vault

Parents = Callable[[Sequence[Record]], Mapping[str, str]]
"""The first records of contacts that the log does not know → the subject under whose key each contact's hangs."""

PATTERN: Final = "aside-*.db"
_UNREADABLE: Final = (Tampered, Corrupt, WrongKind, TypeError)
_PAGE: Final = 50
_ROWS: Final = "SELECT place, stream, version, topic, sealed FROM entries WHERE place > ?{} ORDER BY place LIMIT ?"

Row = tuple[int, str, int, str, bytes]


class Swept(Struct, frozen=True):
    """What became of a file. `sealed`: events whose texts are under keys of persons now; `left`: those that nobody can
    read, which stay as they are.
    """

    sealed: int
    left: int


class Aside:
    """Seals spools of this ledger that lie aside."""

    def __init__(
        self, source: Source, vault: Vault, *, ledger: str, catalogue: Mapping[str, CatalogueEntry] = CATALOGUE
    ) -> None:
        self._vault = vault
        self._shelf = KeyShelf(source)
        self._mapper = LedgerMapper(catalogue)
        self._sealer = Sealer(self._mapper, vault)
        self._ledger = ledger

    def seal(self, path: Path, parents: Parents, *, pause: Callable[[], object] = lambda: None) -> Swept | None:
        """Seal what is in this file and is not yet: nothing where it was done, or belongs to another ledger. None where
        another process is at one of these files. `pause` is called between pages.

        Raises `Away`; sqlite3.Error where the file cannot be read on. What was done until then stays done.
        """
        with _alone(path) as alone:
            if not alone:
                return None
            connection, meta = beside_the_loop(lambda: known(path))
            with closing(connection):
                if meta.get("ledger") != self._ledger or "id" not in meta or SWEPT in meta:
                    return Swept(0, 0)
                return self._all(connection, meta["id"], parents, pause)

    def _all(self, connection: sqlite3.Connection, spool: str, parents: Parents, pause: Callable[[], object]) -> Swept:
        told = self._told(connection, spool, pause)
        place = sealed = left = 0
        while rows := beside_the_loop(partial(_page, connection, place)):
            found: list[tuple[int, Draft]] = []
            for row in rows:
                try:
                    record, is_done = self._opened(spool, row)
                    if not is_done:
                        found.append((row[0], self._mapper.draft(record)))
                except _UNREADABLE:
                    left += 1
            changed = self._sealed(spool, found, told, parents)
            beside_the_loop(partial(_replace, connection, changed))
            sealed += len(changed)
            place = rows[-1][0]
            pause()
        beside_the_loop(partial(_finish, connection))
        return Swept(sealed, left)

    def _opened(self, spool: str, row: Row) -> tuple[Record, bool]:
        """The record of this row, and whether it was sealed anew already. Raises what is `_UNREADABLE`."""
        _, stream, version, topic, blob = row
        state = self._vault.open_bytes(seal_name(spool), blob, row_bound(stream, version, topic))
        return self._mapper.record(stream, version, topic, state), is_sealed(state)

    def _told(self, connection: sqlite3.Connection, spool: str, pause: Callable[[], object]) -> dict[str, str]:
        """Whose key that of each stream hangs under by what the events of the whole file say, which may be long after
        the stream began: whoever was erased is not made a customer again.
        """
        topics = self._mapper.adopting()
        told: dict[str, str] = {}
        place = 0
        while rows := beside_the_loop(partial(_page, connection, place, topics)):
            for row in rows:
                with suppress(*_UNREADABLE):
                    record, _ = self._opened(spool, row)
                    parent = _parent_of(self._mapper, record)
                    if parent is not None:
                        told[record.stream] = parent
            place = rows[-1][0]
            pause()
        return told

    def _sealed(
        self, spool: str, found: Sequence[tuple[int, Draft]], told: Mapping[str, str], parents: Parents
    ) -> list[tuple[str, bytes, int]]:
        """Topic, bytes and place of those that have personal text, sealed anew; their keys are in the database."""
        found = [(place, draft) for place, draft in found if draft.texts or draft.entry.adopts_key_of is not None]
        if not found:
            return []
        batch = self._with_keys([draft for _, draft in found], told, parents)
        changed = []
        for (place, draft), state in zip(found, batch.states, strict=True):
            if draft.texts:
                bound = row_bound(draft.record.stream, draft.record.version, draft.topic)
                changed.append((draft.topic, self._vault.seal_bytes(seal_name(spool), state, bound), place))
        return changed

    def _with_keys(self, drafts: Sequence[Draft], told: Mapping[str, str], parents: Parents) -> Batch:
        records = [draft.record for draft in drafts]
        while True:
            streams = {each.stream for each in records}
            unknown = streams - set(self._vault.keys(streams))
            under = {stream: told[stream] for stream in unknown if stream in told}
            asked = [each for each in records if each.stream in unknown and each.stream not in told]
            batch = self._sealer.prepare(drafts, doubt_new=True, parents={**under, **(parents(asked) if asked else {})})
            try:
                self._shelf.add_all(batch.new_keys.values(), batch.hung_keys.values())
            except psycopg.errors.UniqueViolation:
                continue  # somebody made one of them just now: theirs counts
            self._sealer.stored(batch)
            return batch


def _parent_of(mapper: LedgerMapper, record: Record) -> str | None:
    adopts = mapper.entry_of(record.event).adopts_key_of
    return None if adopts is None else adopts(record.event)


def _page(connection: sqlite3.Connection, after: int, topics: Sequence[str] = ()) -> list[Row]:
    """The next rows; of these topics alone, where any are given."""
    only = f" AND topic IN ({', '.join('?' * len(topics))})" if topics else ""
    return connection.execute(_ROWS.format(only), (after, *topics, _PAGE)).fetchall()


def _replace(connection: sqlite3.Connection, changed: Sequence[tuple[str, bytes, int]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany("UPDATE entries SET topic = ?, sealed = ? WHERE place = ?", changed)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _finish(connection: sqlite3.Connection) -> None:
    """Nothing of before is left beside the file either, and it says that it was done."""
    connection.execute("INSERT INTO meta VALUES (?, 'keys')", (SWEPT,))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Whether no other process is at this file, which none begins while this is held."""
    lock = os.open(path.parent / ".aside.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(lock)
