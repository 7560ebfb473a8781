"""The nightly proof: one walk over the whole log for the verifier and for the snapshots, and its result kept.

How far it is, and what it found, stands in `past.verifications` for whoever looks (the ops page, `past status`).
"""

import threading
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, cast

import msgspec
import structlog
from msgspec import Struct

from orchestrator.audit.report import Report
from orchestrator.audit.verify import verify
from orchestrator.domain.kernel import Instant, Record
from orchestrator.domain.observed import Observed
from orchestrator.logs import redact
from orchestrator.replay.frozen import Damaged, Marks, freeze, mark_of, thaw
from orchestrator.replay.snapshots import Made, Snapshots, digest_of, keep
from orchestrator.store import Log, Source
from orchestrator.store.connections import Connection

log = structlog.get_logger(__name__)

_TELL_EVERY: Final = 20_000
# Results that are kept: more than a year of nights.
_KEPT: Final = 400
_ERROR_LENGTH: Final = 500
# Later than any time.
_LAST: Final = Instant(2**63 - 1)
# A walk that has not moved for so long died or failed on the way; another begins.
DEAD_S: Final = 600


class Walk(Struct, frozen=True, kw_only=True):
    """One walk: how far it is (`position` of `until`), and once it is over what it found."""

    begun_at: datetime
    ended_at: datetime | None
    position: int
    until: int
    snapshots: int
    """Kept states that were compared with the fold from the beginning."""
    thrown_away: int
    """Those of them that were not the same, and were made anew."""
    goes_on: bool
    """It has not ended, and moved a short while ago."""
    ok: bool | None
    """None while it goes on, and where it came to no end."""
    report: Report | None
    error: str


class Stopped(Exception):
    """The process is to end before the walk does."""


class Night:
    """Walks over the log of one ledger."""

    def __init__(self, source: Source, snapshots: Snapshots, stop: threading.Event) -> None:
        self._source = source
        self._snapshots = snapshots
        self._stop = stop
        self._marks = Marks()
        self._log = Log(source, opener=self._marks.opener)
        self._compared = self._thrown = 0

    def is_due(self, since: datetime) -> bool:
        """Whether no walk has begun since then that came to a result, still goes on or just failed. Raises `Away`."""
        row = self._source.run(
            lambda connection: connection.execute(
                "SELECT count(*) FROM past.verifications WHERE begun_at >= %s AND (ok IS NOT NULL"
                " OR moved_at > clock_timestamp() - make_interval(secs => %s))",
                (since, DEAD_S),
            ).fetchone()
        )
        return row == (0,)

    def walk(self) -> Walk:
        """Verify everything up to where the log stands now, and compare each snapshot on the way; what was found.

        Raises `Away` where the database goes away, and what the log's rows raise that cannot be read; that it ended so
        is kept as far as it can be.
        """
        until = self._log.position()
        number = self._run("INSERT INTO past.verifications (until) VALUES (%s) RETURNING verification_id", (until,))
        self._compared = self._thrown = 0
        begun = time.monotonic()
        try:
            report = verify(self._records(number, until), expect_contacts=0)
        except Stopped:
            self._end(number, None, "the process was stopped before the end")
        except Exception as error:
            lines = str(error).strip().splitlines() or [""]
            self._end(number, None, redact(f"{type(error).__name__}: {lines[0]}")[:_ERROR_LENGTH])
            raise
        else:
            self._end(number, report, "")
            say = log.info if report.ok and not self._thrown else log.error
            say(
                "log-verified",
                ok=report.ok,
                events=report.counts.events,
                problems=report.problem_count,
                snapshots=self._compared,
                thrown_away=self._thrown,
                seconds=round(time.monotonic() - begun, 1),
            )
        return walks(self._source, 1)[0]

    def _records(self, number: int, until: int) -> Iterator[Record]:
        """Every record; folded as well, to be compared with the snapshots that are passed."""
        places = set(self._places(until))
        world, lowest, highest = Observed(), _LAST, Instant(0)
        for count, record in enumerate(self._log.history(until=until), 1):
            yield record
            world.apply(record)
            lowest, highest = min(lowest, record.about.at), max(highest, record.about.at)
            if record.position in places:
                places.discard(record.position)
                self._compare(record.position, world, lowest, highest)
                lowest = _LAST
            if count % _TELL_EVERY == 0:
                if self._stop.is_set():
                    raise Stopped
                self._move(number, record.position)
        for position in places:
            self._throw_away(position, "there is no such place in the log", None)
        self._move(number, until)

    def _places(self, until: int) -> list[int]:
        def read(connection: Connection) -> list[int]:
            rows = connection.execute(
                "SELECT position FROM past.snapshots WHERE shape = %s AND position <= %s",
                (self._snapshots.shape, until),
            )
            return [cast("int", position) for (position,) in rows.fetchall()]

        return self._source.run(read)

    def _compare(self, position: int, world: Observed, lowest: Instant, highest: Instant) -> None:
        """Whether what is kept is what the fold has, as it was told and as it is taken up again."""
        row = self._source.run(
            lambda connection: connection.execute(
                "SELECT lowest_at, highest_at, mark, state, digest FROM past.snapshots"
                " WHERE shape = %s AND position = %s",
                (self._snapshots.shape, position),
            ).fetchone()
        )
        if row is None:
            return  # somebody was faster
        self._compared += 1
        mark = mark_of(world)
        if why := self._why_not(row, lowest, highest, mark):
            state = freeze(world, self._marks)
            right = Made(position=position, lowest_at=lowest, highest_at=highest, state=state, mark=mark)
            self._throw_away(position, why, right)

    def _why_not(self, row: tuple[object, ...], lowest: Instant, highest: Instant, mark: bytes) -> str:
        """Why the snapshot in this row is not to be used; empty where it is."""
        *times, kept, state, digest = row
        assert isinstance(state, bytes)  # noqa: S101 - as the table has it
        if digest_of(state) != digest:
            return "its bytes are damaged"
        if times != [lowest, highest]:
            return "its times are not those of the log"
        try:
            same = kept == mark == mark_of(thaw(state, self._marks.opener))
        except Damaged as damaged:
            return str(damaged)
        return "" if same else "it is not what the fold from the beginning has"

    def _throw_away(self, position: int, why: str, right: Made | None) -> None:
        """Be rid of it; with what the fold has in its place, for the times of its stretch must not be lost."""
        log.error("snapshot-thrown-away", position=position, why=why)
        self._thrown += 1

        def change(connection: Connection) -> None:
            with connection.transaction():
                connection.execute(
                    "DELETE FROM past.snapshots WHERE shape = %s AND position = %s", (self._snapshots.shape, position)
                )
                if right is not None:
                    keep(connection, self._snapshots.shape, right, after=0)

        self._source.run(change)

    def _move(self, number: int, position: int) -> None:
        self._run(
            "UPDATE past.verifications SET position = %s, moved_at = clock_timestamp(), snapshots = %s,"
            " thrown_away = %s WHERE verification_id = %s RETURNING 1",
            (position, self._compared, self._thrown, number),
        )

    def _end(self, number: int, report: Report | None, error: str) -> None:
        self._run(
            "UPDATE past.verifications SET ended_at = clock_timestamp(), moved_at = clock_timestamp(),"
            " snapshots = %s, thrown_away = %s, ok = %s,"
            " report = %s::jsonb, error = %s WHERE verification_id = %s RETURNING 1",
            (
                self._compared,
                self._thrown,
                report.ok if report is not None else None,
                msgspec.json.encode(report).decode() if report is not None else None,
                error,
                number,
            ),
        )
        self._run(
            "DELETE FROM past.verifications WHERE verification_id <= %s RETURNING verification_id", (number - _KEPT,)
        )

    def _run(self, words: str, values: tuple[Any, ...]) -> int:
        """Carry out a statement that tells one number; 0 where it told none."""

        def work(connection: Connection) -> int:
            row = connection.execute(words.encode(), values).fetchone()
            return int(str(row[0])) if row else 0

        return self._source.run(work)


def walks(source: Source, last: int = 10, *, with_result: bool = False) -> list[Walk]:
    """The last walks, the newest first; only those `with_result`, where that is wanted. Raises `Away`."""

    def read(connection: Connection) -> list[Walk]:
        rows = connection.execute(
            "SELECT begun_at, ended_at, position, until, snapshots, thrown_away,"
            " ended_at IS NULL AND moved_at > clock_timestamp() - make_interval(secs => %s), ok, report, error"
            " FROM past.verifications WHERE ok IS NOT NULL OR NOT %s ORDER BY verification_id DESC LIMIT %s",
            (DEAD_S, with_result, last),
        ).fetchall()
        return [msgspec.convert(dict(zip(Walk.__struct_fields__, row, strict=True)), Walk) for row in rows]

    return source.run(read)
