"""Entries of the blacklist as screens show them: opened, with their words."""

from collections.abc import Sequence

from msgspec import Struct

from orchestrator.domain.customers.blacklist import Blacklisting, BlacklistingChanged, NumberBlacklisted
from orchestrator.domain.kernel import Instant, Record
from projections.blacklist import HOLDS, LIFTED, OVER, Listed
from web.parts import parts
from web.words import Names, sentence


class Entry(Struct, frozen=True, kw_only=True):
    """A row of the list in the clear; `‹erased›` where the key is destroyed. `state`: one of the read model's."""

    blacklisting_id: str
    number: str
    reason: str
    note: str
    until: int
    state: str
    by: str
    since: int


class Deed(Struct, frozen=True, kw_only=True):
    """What became of an entry once. `settled`: whether it says an end and a note, which are those from then on."""

    at: Instant
    by: str
    words: str
    settled: bool
    until: int = 0
    note: str = ""


def entries(rows: Sequence[Listed], now: Instant, names: Names | None = None) -> list[Entry]:
    """These rows, opened all at once; without `names`, who listed them stands as events name them."""
    sealed = [
        (f"blacklist-{row.blacklisting_id}", field, text)
        for row in rows
        for field, text in (("number", row.number), ("note", row.note))
    ]
    texts = iter(parts().reading.opened(sealed))
    return [
        Entry(
            blacklisting_id=row.blacklisting_id,
            number=next(texts),
            note=next(texts),
            reason=row.reason,
            until=row.until,
            state=row.state(now),
            by=row.listed_by if names is None else names.actor(row.listed_by),
            since=row.listed_at,
        )
        for row in rows
    ]


def deeds(history: Sequence[Record], names: Names) -> list[Deed]:
    """What became of an entry, the latest first, in words."""
    return [_deed(record, names) for record in reversed(history)]


def state_of(entry: Blacklisting, now: Instant) -> str:
    """The state of an entry at this moment, as the list names it."""
    if entry.lifted:
        return LIFTED
    return HOLDS if entry.holds(now) else OVER


def _deed(record: Record, names: Names) -> Deed:
    event = record.event
    by, words = names.actor(record.about.actor), sentence(record, names)
    if isinstance(event, NumberBlacklisted | BlacklistingChanged):
        return Deed(at=record.about.at, by=by, words=words, settled=True, until=event.until, note=event.note)
    return Deed(at=record.about.at, by=by, words=words, settled=False)
