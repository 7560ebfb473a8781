"""A log in memory: rows that came out of a file. It is read like the log of a database, and there is no database."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, islice

import msgspec

from orchestrator.domain.catalogue import CATALOGUE, Entry
from orchestrator.domain.kernel import Instant, Record, UnknownEvent, kind_of
from orchestrator.store.connections import Connection, Source
from orchestrator.store.errors import Away
from orchestrator.store.log import Log
from orchestrator.store.mapper import LedgerMapper, Row, State, instant_of
from orchestrator.store.recorder import Share

_encoder = msgspec.json.Encoder()


class _Nowhere(Source):
    """Where no database is."""

    def __init__(self) -> None:
        super().__init__("", name="a file")

    def connect(self, *, statement_timeout_ms: int | None = None) -> Connection:  # noqa: ARG002 - there is none
        raise Away("What is read is a file: there is no database behind it, and nothing to follow or to look up there.")


class FiledLog(Log):
    """These rows, in the order of their positions. What would need a database raises `Away`."""

    def __init__(self, rows: Iterable[Row], *, catalogue: Mapping[str, Entry] = CATALOGUE) -> None:
        super().__init__(_Nowhere(), catalogue=catalogue)
        self._rows = sorted(rows, key=lambda row: row.position)
        self._places = [row.position for row in self._rows]
        self._of_stream: dict[str, list[Row]] = {}
        for row in self._rows:
            self._of_stream.setdefault(row.stream, []).append(row)

    def position(self) -> int:
        return self._places[-1] if self._places else 0

    def position_at(self, instant: Instant) -> int:
        """Exact, whatever clocks did: the rows are here, so the earliest time of all from each one on is kept."""
        place = bisect_right(self._lowest, instant)
        return self._places[place - 1] if place else 0

    def density(self, begins: Instant, ends: Instant, parts: int, *, after: int, until: int) -> list[int]:
        counted = [0] * parts
        for place in self._between(after, until):
            at = self._times[place]
            if begins <= at < ends:
                counted[(at - begins) * parts // (ends - begins)] += 1
        return counted

    def happened(
        self, after: int = 0, until: int | None = None, batch: int = 10_000, share: Share | None = None
    ) -> Iterator[Record]:
        """As `history`: a fold that looks at less gains nothing here, where no server reads on meanwhile."""
        records = self.history(after=after, until=until, batch=batch)
        return records if share is None else (record for record in records if share.has(record.stream))

    def versions(self, kinds: Sequence[str]) -> dict[str, int]:
        return {name: rows[-1].version for name, rows in self._of_stream.items() if kind_of(name) in kinds}

    def _page(self, after: int, until: int, kinds: Sequence[str] | None, limit: int) -> list[Row]:
        within = (self._rows[place] for place in self._between(after, until))
        return list(islice((row for row in within if kinds is None or kind_of(row.stream) in kinds), limit))

    def _between(self, after: int, until: int) -> range:
        return range(bisect_right(self._places, after), bisect_right(self._places, until))

    @cached_property
    def _times(self) -> list[int]:
        return [instant_of(row.state) for row in self._rows]

    @cached_property
    def _lowest(self) -> list[int]:
        """The earliest time from each row on."""
        return list(accumulate(reversed(self._times), min))[::-1]

    def _stream_page(self, name: str, after_version: int, limit: int) -> list[Row]:
        rows = self._of_stream.get(name, [])
        return rows[bisect_left(rows, after_version + 1, key=lambda row: row.version) :][:limit]


def row_of(record: Record, mapper: LedgerMapper) -> Row:
    """A record as a row of such a log, its personal text as it stands in the record. An event that this code does not
    know keeps every byte.
    """
    event = record.event
    if isinstance(event, UnknownEvent):
        topic, body = f"{event.name}.v{event.version}", msgspec.Raw(event.body)
    else:
        entry = mapper.entry_of(event)
        topic, body = f"{entry.name}.v{entry.version}", msgspec.Raw(_encoder.encode(event))
    state = _encoder.encode(State(record.event_id, record.about, body))
    return Row(record.position, record.stream, record.version, topic, state)
