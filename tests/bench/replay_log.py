"""A log of any length, made by COPY: the story of a shift again and again, under other names and later each time.

What is stored of the story is read once and made into the bytes that COPY takes, with blanks of the same length in the
place of what differs between copies: the first eight digits of every id, and the first seven of every instant.
"""

import re
from typing import Final, LiteralString

import psycopg
from msgspec import Struct

from orchestrator.domain.kernel import Instant, Provenance, Record, derived_id
from orchestrator.domain.staff.shifts import AgentSignedOut

_IDS: Final = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")
_ID: Final = b"\x02" * 8
# The first seven of sixteen digits of an instant count thousands of seconds: each copy is one of them later.
_TIMES: Final = re.compile(rb"(?<![0-9a-f])(1[0-9]{6})([0-9]{9})(?![0-9a-f])")
_LATER: Final = 1_000_000_000
_HEAD: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END: Final = b"\xff\xff"
_READ: Final = (
    "SELECT originator_id, originator_version, topic, state FROM ringledger_events WHERE notification_id <= %s"
    " AND split_part(originator_id, '-', 1) IN ('contact', 'shift') ORDER BY notification_id"
)
_COUNT: Final = "SELECT count(*) FROM ringledger_events"
_PLACE: Final = "SELECT notification_id FROM ringledger_events ORDER BY notification_id OFFSET %s LIMIT 1"


class Story(Struct, frozen=True):
    """What is copied: the first records of a log, up to a position."""

    records: int
    until: int
    begins: Instant
    ends: Instant


class Copies:
    """The copies of a log's story, those that are there already among them."""

    def __init__(self, url: str, story: Story) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self.begins = story.begins
        found = self._connection.execute(_READ, (story.until,)).fetchall()
        rows = [(str(a), int(b), str(c), bytes(d)) for a, b, c, d in found]
        self._story = story.records
        self.size = len(rows)
        """Of one copy."""
        self.events = self._told(_COUNT)
        self._number = (self.events - story.records) // self.size
        self.ends = Instant(story.ends + self._number * _LATER)
        text = _IDS.sub(_ID + rb"\1", b"".join(_row(*row) for row in rows))
        self._thousands: dict[int, bytes] = {}
        self._text = _TIMES.sub(self._blank, text)

    def fill(self, events: int) -> None:
        """Copy until there are so many."""
        while self.events < events:
            self._number += 1
            text = self._text.replace(_ID, b"%08x" % self._number)
            for thousand, blank in self._thousands.items():
                text = text.replace(blank, b"%07d" % (thousand + self._number))
            words = (
                "COPY ringledger_events (originator_id, originator_version, topic, state) FROM STDIN (FORMAT binary)"
            )
            with self._connection.cursor().copy(words) as copy:
                copy.write(_HEAD + text + _END)
            self._connection.execute("NOTIFY ringledger_events")
            self.events += self.size
            self.ends = Instant(self.ends + _LATER)

    def whole(self, events: int) -> int:
        """The position at which the last copy ends that is needed for so many events."""
        copies = -(-(events - self._story) // self.size)
        return self._told(_PLACE, self._story + copies * self.size - 1)

    def _told(self, words: LiteralString, *values: int) -> int:
        row = self._connection.execute(words, values).fetchone()
        assert row is not None
        return int(row[0])

    def _blank(self, found: re.Match[bytes]) -> bytes:
        thousand = int(found[1])
        blank = self._thousands.setdefault(thousand, b"\x01" * 6 + bytes([0x40 + len(self._thousands)]))
        return blank + found[2]


def with_evening(records: list[Record]) -> list[Record]:
    """The story, and the end of each shift that it leaves open: the next copy's agents find their seats free."""
    last = {record.stream: record for record in records if record.stream.startswith("shift-")}
    at = max(record.about.at for record in records)
    ends = [
        Record(
            stream=stream,
            version=record.version + 1,
            event=AgentSignedOut(reason="evening"),
            event_id=derived_id("evening", record.event_id),
            about=Provenance(at=at),
        )
        for stream, record in last.items()
        if not isinstance(record.event, AgentSignedOut)
    ]
    return [*records, *ends]


def _row(stream: str, version: int, topic: str, state: bytes) -> bytes:
    """A row as COPY's binary form has it."""
    parts = (stream.encode(), version.to_bytes(8, "big"), topic.encode(), state)
    return (4).to_bytes(2, "big") + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
