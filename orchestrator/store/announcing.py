"""What an engine has decided lately, for screens of its machine: what they cannot read while the log is away.

      engine ──told──▶ the last records, in their order ──since──▶ sealed, over the command socket ──opened──▶ screens

A screen that has folded the log up to a position is told everything after it: the last that went to the log, and then
what went to the spool. Records are sealed as a whole under a key of the key file, which needs no database; who has no
vault reads nothing of it.
"""

import base64
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import Struct

from orchestrator.domain.catalogue import CATALOGUE, Entry
from orchestrator.domain.kernel import Record, Refused
from orchestrator.store.mapper import LedgerMapper
from orchestrator.store.spool import SPOOLED
from orchestrator.vault import Vault

SINCE: Final = "since"
"""The question at the command socket: `since <position> <epoch> <number>`."""
# Records that are remembered: some seconds of a busy site. Screens ask twenty times a second.
KEPT: Final = 10_000
_AT_ONCE: Final = 300
_NAME: Final = "announced"
_ROWS: Final = msgspec.json.Decoder(list[tuple[str, int, str, msgspec.Raw]])


class Announced(Struct, frozen=True):
    """An answer. `under_way`: whether the engine goes round the database now; `idle`: whether it does not, and all that
    it decided is in the log. `whole`: whether nothing is missing between what was asked after and `records`. `last`:
    the number to ask after next; `more`: at once.
    """

    epoch: int
    under_way: bool
    idle: bool
    whole: bool
    last: int
    more: bool
    records: tuple[Record, ...]


class Announcer:
    """The last records of one engine, numbered from 1."""

    def __init__(
        self, vault: Vault, epoch: int, position: int, *, kept: int = KEPT, catalogue: Mapping[str, Entry] = CATALOGUE
    ) -> None:
        """`position`: where the log stood when it began to decide."""
        self._vault = vault
        self._epoch = epoch
        self._mapper = LedgerMapper(catalogue)
        self._kept: deque[tuple[int, Record]] = deque()
        self._most = kept
        self._last = 0
        self._forgotten: int | None = position
        """The position up to which nothing is remembered; None where what is forgotten has no position."""

    def told(self, records: Sequence[Record], position: int) -> None:
        """These are durable: in the log, up to this position, or in the spool (`SPOOLED`)."""
        for record in records:
            self._kept.append((position, record))
        self._last += len(records)
        while len(self._kept) > self._most:
            oldest, _ = self._kept.popleft()
            self._forgotten = None if oldest == SPOOLED else oldest

    def in_log(self, position: int) -> None:
        """All that went to the spool is in the log, up to this position: whoever has read so far is told it no more."""
        if all(at != SPOOLED for at, _ in self._kept) and self._forgotten is not None:
            return
        self._kept = deque((position if at == SPOOLED else at, record) for at, record in self._kept)
        if self._forgotten is None:
            self._forgotten = position

    def since(self, asked: str, *, under_way: bool, idle: bool = False) -> dict[str, object]:
        """What came after `<position> <epoch> <number>`: after that number of that epoch, else after the position, as
        JSON for `Hearing`. Raises `Refused` for what cannot be read.
        """
        position, number = self._place(asked)
        if number:
            first = number - (self._last - len(self._kept))
            whole = first >= 0
        else:
            whole = self._forgotten is not None and position >= self._forgotten
            first = self._first_after(position)
        told = [record for _, record in islice(self._kept, first, first + _AT_ONCE)] if whole else []
        last = self._last - len(self._kept) + first + len(told) if whole else 0
        return {
            "epoch": self._epoch,
            "under_way": under_way,
            "idle": idle,
            "whole": whole,
            "last": last,
            "more": whole and last < self._last,
            "sealed": self._sealed(told) if told and (under_way or idle) else "",
        }

    def _first_after(self, position: int) -> int:
        """The place of the first record that came after this position. Looked for from the end: a screen that is
        abreast, as all are but a few, is answered by a look at the last one, and asks twice a second.
        """
        after = 0
        for at, _ in reversed(self._kept):
            if at != SPOOLED and at <= position:
                break
            after += 1
        return len(self._kept) - after

    def _place(self, asked: str) -> tuple[int, int]:
        numbers = [int(word) for word in asked.split() if word.isascii() and word.isdecimal()]
        if len(numbers) != 3:  # noqa: PLR2004 - a position, an epoch, a number
            raise Refused("bad_request", "Ask for what came since a position, an epoch and a number.")
        position, epoch, number = numbers
        return position, number if epoch == self._epoch and number <= self._last else 0

    def _sealed(self, records: Sequence[Record]) -> str:
        rows = [(each.stream, each.version, topic, msgspec.Raw(state)) for each, (topic, state) in self._plain(records)]
        return base64.b64encode(self._vault.seal_bytes(_NAME, msgspec.json.encode(rows))).decode()

    def _plain(self, records: Sequence[Record]) -> list[tuple[Record, tuple[str, bytes]]]:
        return [(each, self._mapper.plain(each)) for each in records]


class Hearing:
    """Opens the answers of an `Announcer`."""

    def __init__(self, vault: Vault, *, catalogue: Mapping[str, Entry] = CATALOGUE) -> None:
        self._vault = vault
        self._mapper = LedgerMapper(catalogue)

    def opened(self, answer: Mapping[str, Any]) -> Announced:
        """The answer. Raises `Tampered` where it was sealed by another key, `Corrupt` where a record is unreadable."""
        sealed = answer["sealed"]
        rows = _ROWS.decode(self._vault.open_bytes(_NAME, base64.b64decode(sealed))) if sealed else []
        return Announced(
            epoch=answer["epoch"],
            under_way=answer["under_way"],
            idle=answer["idle"],
            whole=answer["whole"],
            last=answer["last"],
            more=answer["more"],
            records=tuple(
                self._mapper.record(stream, version, topic, bytes(state)) for stream, version, topic, state in rows
            ),
        )
