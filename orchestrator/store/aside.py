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
from contextlib import closing, contextmanager
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
from orchestrator.store.spool import SWEPT, beside_the_loop, known, row_bound, seal_name
from orchestrator.vault import Tampered, Vault

Parents = Callable[[Sequence[Record]], Mapping[str, str]]
"""The first records of contacts that the log does not know → the subject under whose key each contact's hangs."""

PATTERN: Final = "aside-*.db"
_PAGE: Final = 50
_NEXT: Final = "SELECT place, stream, version, topic, sealed FROM entries WHERE place > ? ORDER BY place LIMIT ?"


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
        place = sealed = left = 0
        while rows := beside_the_loop(partial(_page, connection, place)):
            found: list[tuple[int, Draft]] = []
            for at, stream, version, topic, blob in rows:
                try:
                    state = self._vault.open_bytes(seal_name(spool), blob, row_bound(stream, version, topic))
                    if not is_sealed(state):
                        found.append((at, self._mapper.draft(self._mapper.record(stream, version, topic, state))))
                except (Tampered, Corrupt, WrongKind, TypeError):
                    left += 1
            changed = self._sealed(spool, found, parents)
            beside_the_loop(partial(_replace, connection, changed))
            sealed += len(changed)
            place = rows[-1][0]
            pause()
        beside_the_loop(partial(_finish, connection))
        return Swept(sealed, left)

    def _sealed(self, spool: str, found: Sequence[tuple[int, Draft]], parents: Parents) -> list[tuple[str, bytes, int]]:
        """Topic, bytes and place of those that have personal text, sealed anew; their keys are in the database."""
        found = [(place, draft) for place, draft in found if draft.texts or draft.entry.adopts_key_of is not None]
        if not found:
            return []
        batch = self._with_keys([draft for _, draft in found], parents)
        changed = []
        for (place, draft), state in zip(found, batch.states, strict=True):
            if draft.texts:
                bound = row_bound(draft.record.stream, draft.record.version, draft.topic)
                changed.append((draft.topic, self._vault.seal_bytes(seal_name(spool), state, bound), place))
        return changed

    def _with_keys(self, drafts: Sequence[Draft], parents: Parents) -> Batch:
        records = [draft.record for draft in drafts]
        # Of these the events say whose they are: whoever was erased is not made a customer again.
        told = {draft.record.stream for draft in drafts if _parent_of(draft) is not None}
        while True:
            streams = {each.stream for each in records}
            unknown = streams - set(self._vault.keys(streams)) - told
            under = parents([each for each in records if each.stream in unknown]) if unknown else {}
            batch = self._sealer.prepare(drafts, doubt_new=True, parents=under)
            try:
                self._shelf.add_all(batch.new_keys.values(), batch.hung_keys.values())
            except psycopg.errors.UniqueViolation:
                continue  # somebody made one of them just now: theirs counts
            self._sealer.stored(batch)
            return batch


def _parent_of(draft: Draft) -> str | None:
    adopts = draft.entry.adopts_key_of
    return None if adopts is None else adopts(draft.record.event)


def _page(connection: sqlite3.Connection, after: int) -> list[tuple[int, str, int, str, bytes]]:
    return connection.execute(_NEXT, (after, _PAGE)).fetchall()


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
