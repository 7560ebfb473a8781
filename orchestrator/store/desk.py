"""The desk's append: customers, configuration, users; by expected version only, on a transaction of its own (law 4)."""

import time
from collections.abc import Mapping, Sequence
from typing import Final

import psycopg

from orchestrator.domain.catalogue import CATALOGUE, Entry
from orchestrator.domain.kernel import LIVE_KINDS, Record, kind_of
from orchestrator.store.batch import Sealer, first_versions
from orchestrator.store.connections import Source, is_passing
from orchestrator.store.errors import AlreadyHeld, Away, Unsure, VersionConflict, WrongKind
from orchestrator.store.keys import KeyShelf
from orchestrator.store.mapper import Draft, LedgerMapper
from orchestrator.store.recorder import KeyTaken, LedgerRecorder
from orchestrator.vault import Vault

# How long an append whose answer was lost looks for the database before it says that it does not know.
RESOLVE_S: Final = 5.0
_PAUSE_S: Final = 0.1


class DeskWriter:
    """Appends to desk streams from any number of threads and processes."""

    def __init__(self, source: Source, vault: Vault, *, catalogue: Mapping[str, Entry] = CATALOGUE) -> None:
        self._source = source
        self._vault = vault
        self._mapper = LedgerMapper(catalogue)
        self._recorder = LedgerRecorder(source)
        self._sealer = Sealer(self._mapper, vault)
        self._shelf = KeyShelf(source)

    def append_desk(self, records: Sequence[Record], *, sole: tuple[str, str | Sequence[str]] | None = None) -> int:
        """Store all of these or none; the position of the last one, once it is durable.

        Versions must follow on what is stored: raises `VersionConflict` where somebody was faster (load, decide
        again, retry) and `WrongKind` for a live stream. `Away`: nothing was stored. `Unsure`: the database went away
        before it said. A repeat of the same records (same event ids) is always safe: what is stored already is found
        and its position returned.

        `sole` names a blind index and a value, or several: `AlreadyHeld` where a stream of the same kind holds one
        of them, so that of two who make the same thing at once, under ids of their own, one is told of the other's.
        """
        if not records:
            raise ValueError("An append needs at least one record.")
        drafts = [self._checked(record) for record in records]
        expected = first_versions(records)
        claim = None if sole is None else (sole[0], self._tokens(*sole))
        deadline = time.monotonic() + RESOLVE_S
        sent = doubt_new = False
        while True:
            try:
                with self._source.borrow() as connection:
                    if sent and (found := self._recorder.read_back(connection, records)):
                        return found[-1]
                    batch = self._sealer.prepare(drafts, doubt_new=doubt_new)
                    sent = True
                    positions = self._recorder.append(connection, batch, expected=expected, sole=claim)
                    self._sealer.stored(batch)
                    return positions[-1]
            except KeyTaken:
                doubt_new = True
            except (VersionConflict, AlreadyHeld):
                # Perhaps with ourselves: an earlier attempt, or an earlier call, whose answer was lost.
                if found := self._source.run(lambda connection: self._recorder.read_back(connection, records)):
                    return found[-1]
                raise
            except (Away, psycopg.Error) as error:
                self._wait_or_give_up(error, sent=sent, deadline=deadline)

    def erase(self, subject: str) -> list[str]:
        """Destroy the key of a subject and of all below it: their personal text reads `‹erased›` from then on.

        Returns the streams that were hit. The log is unchanged. Other processes may hold the key open for up to a
        minute (`Vault.cache_s`). Safe to repeat.
        """
        hit = self._shelf.destroy(subject)
        self._vault.forget(hit)
        return hit

    def _tokens(self, index: str, values: str | Sequence[str]) -> list[bytes]:
        return [self._vault.token(index, value) for value in ([values] if isinstance(values, str) else values)]

    def _checked(self, record: Record) -> Draft:
        if kind_of(record.stream) in LIVE_KINDS:
            raise WrongKind(f"{record.stream} is a live stream: only the active orchestrator's writer appends to it.")
        return self._mapper.draft(record)

    def _wait_or_give_up(self, error: Exception, *, sent: bool, deadline: float) -> None:
        if isinstance(error, psycopg.Error) and not is_passing(error):
            raise error
        self._source.forget_idle()
        if not sent:
            raise error if isinstance(error, Away) else Away(f"The database went away: {error}")
        if time.monotonic() > deadline:
            raise Unsure("The database went away before it answered; what was appended may be stored.") from error
        time.sleep(_PAUSE_S)
