"""Where the log stood at an instant, and the nearest state that was kept: what makes any moment of a long log quick.

    log  ────────────●────────────●────────────●──────▶     ● a kept state, every `INTERVAL` records
                     └─────── lowest, highest time of each stretch: so a clock that was put back hides no record

`past keep` makes them (`replay.keeper`). Everything here does without them, too, and then takes as long as the log is.
"""

import threading
from hashlib import blake2b
from typing import Final, cast

import structlog
from msgspec import Struct

from orchestrator.domain.kernel import Instant
from orchestrator.replay.frozen import shape
from orchestrator.store import Log, Source
from orchestrator.store.connections import Connection

log = structlog.get_logger(__name__)

# Records between kept states: folding so many takes a fifth of the second that a look may take.
INTERVAL: Final = 10_000
_BEFORE: Final = (
    "SELECT position, highest_at, state, digest FROM past.snapshots WHERE shape = %s AND position <= %s"
    " ORDER BY position DESC LIMIT 1"
)
_REACHED: Final = "SELECT max(position) FROM past.snapshots WHERE shape = %s"
# Times are the same whatever code kept them: right after an upgrade those of the version before tell them.
_FURTHEST: Final = "SELECT shape, max(position) FROM past.snapshots GROUP BY shape ORDER BY 2 DESC, 1 LIMIT 1"
_STRETCH: Final = (
    "SELECT position, coalesce((SELECT max(position) FROM past.snapshots AS one"
    " WHERE one.shape = it.shape AND one.position < it.position), 0)"
    " FROM past.snapshots AS it WHERE shape = %s AND lowest_at <= %s ORDER BY position DESC LIMIT 1"
)


class Snapshot(Struct, frozen=True):
    """A kept state: up to which position, the latest time in it, and the bytes that `frozen.thaw` takes."""

    position: int
    highest_at: Instant
    state: bytes


class Stretch(Struct):
    """How low times lie in the records after the last kept state, as far as they were looked at."""

    after: int
    until: int
    lowest: Instant | None


class Snapshots:
    """Kept states of this program's shape. Thread-safe. Every method raises `Away`."""

    def __init__(self, source: Source, *, of: str = "") -> None:
        """`of`: another shape than this program's, for tests."""
        self.shape = of or shape()
        self._source = source
        self._end = Stretch(0, 0, None)
        self._lock = threading.Lock()

    def before(self, position: int) -> Snapshot | None:
        """The last one that holds nothing after this position; None where there is none. One that is damaged is
        passed over.
        """
        while position > 0:
            row = self._source.run(
                lambda connection: connection.execute(_BEFORE, (self.shape, position), prepare=True).fetchone()  # noqa: B023 - run at once
            )
            if row is None:
                return None
            at, highest, state, digest = cast("tuple[int, int, bytes, bytes]", row)
            if digest_of(state) == digest:
                return Snapshot(at, Instant(highest), state)
            log.error("snapshot-damaged", position=at, remedy="the night makes it anew; the one before is taken")
            position = at - 1
        return None

    def reached(self) -> int:
        """The position of the last one, 0 where there is none."""
        row = self._source.run(
            lambda connection: connection.execute(_REACHED, (self.shape,), prepare=True).fetchone(),
        )
        return cast("int", row[0]) if row and row[0] is not None else 0

    def position_at(self, reading: Log, instant: Instant) -> int:
        """Where the log stood at `instant`: the last position whose `at` is not later, also where a clock was put back;
        0 where there is none. What no state was kept of is looked through by the server.
        """
        shape, reached = self._furthest()
        end = reading.position()
        if self._is_after(reading, instant, reached, end) and (found := reading.last_not_after(instant, reached, end)):
            return found
        row = self._source.run(
            lambda connection: connection.execute(_STRETCH, (shape, instant), prepare=True).fetchone()
        )
        if row is None:
            return 0
        until, after = cast("tuple[int, int]", row)
        return reading.last_not_after(instant, after, until)

    def _furthest(self) -> tuple[str, int]:
        """The code whose states reach furthest, and how far."""
        row = self._source.run(lambda connection: connection.execute(_FURTHEST, prepare=True).fetchone())
        return cast("tuple[str, int]", row) if row is not None else (self.shape, 0)

    def _is_after(self, reading: Log, instant: Instant, reached: int, end: int) -> bool:
        """Whether any record after the last kept state is not later than this. Each is looked at once."""
        with self._lock:
            if self._end.after != reached:
                self._end = Stretch(reached, reached, None)
            seen = self._end
        if end > seen.until:
            lowest = reading.lowest(seen.until, end)
            known = [each for each in (seen.lowest, lowest) if each is not None]
            seen = Stretch(reached, end, min(known, default=None))
            with self._lock:
                self._end = seen
        return seen.lowest is not None and seen.lowest <= instant


class Made(Struct, frozen=True, kw_only=True):
    """A state to be kept."""

    position: int
    lowest_at: Instant
    highest_at: Instant
    state: bytes
    mark: bytes


def keep(connection: Connection, shape: str, made: Made, *, after: int) -> bool:
    """Keep it, unless there is one of this place already; false where the one before it, at `after`, is not there (any
    more): the stretch between would be told by none.
    """
    values = (shape, made.position, made.lowest_at, made.highest_at, made.state, digest_of(made.state), made.mark)
    connection.execute(
        "INSERT INTO past.snapshots (shape, position, lowest_at, highest_at, state, digest, mark)"
        " SELECT %s, %s, %s, %s, %s, %s, %s"
        " WHERE %s = 0 OR EXISTS (SELECT FROM past.snapshots WHERE shape = %s AND position = %s)"
        " ON CONFLICT DO NOTHING",
        (*values, after, shape, after),
    )
    there = connection.execute(
        "SELECT EXISTS (SELECT FROM past.snapshots WHERE shape = %s AND position = %s)", (shape, made.position)
    ).fetchone()
    return there == (True,)


def throw_away_others(connection: Connection, shape: str) -> int:
    """Those of other code that reach no further than this one's and were made more than a day ago; how many they were.
    Two versions may run beside each other for a while, and the newer one begins with none.
    """
    return connection.execute(
        "DELETE FROM past.snapshots WHERE shape IN (SELECT shape FROM past.snapshots WHERE shape <> %s GROUP BY shape"
        " HAVING max(made_at) < clock_timestamp() - interval '1 day'"
        " AND max(position) <= (SELECT max(position) FROM past.snapshots WHERE shape = %s))",
        (shape, shape),
    ).rowcount


def stood_at(reading: Log, instant: Instant) -> int:
    """Where a log in a database stood at `instant`, exact: for whoever asks once. Raises `Away`."""
    return Snapshots(reading.source).position_at(reading, instant)


def digest_of(state: bytes) -> bytes:
    """What tells that bytes are as they were kept."""
    return blake2b(state, digest_size=16).digest()
