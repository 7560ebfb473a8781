"""Where each read model stands, and waiting until one has come to a position."""

import time
from typing import Any, Final

from msgspec import Struct

from orchestrator.domain.kernel import Instant
from orchestrator.store import Log, Source
from projections.base import Connection, Projection, lock_key

_FIRST_LOOK_S, _LONGEST_LOOK_S = 0.004, 0.05

_PLACES: Final = """
SELECT generation, shape, live, position, state, error, (extract(epoch FROM since) * 1000000)::bigint
  FROM read.projections WHERE name = %s ORDER BY live DESC, generation DESC
"""
# An advisory lock of one bigint stands in pg_locks as two halves, with objsubid 1 (PostgreSQL, "pg_locks").
_HELD: Final = """
SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND classid::bigint = %s AND objid::bigint = %s)
"""
_HALF: Final = 2**32


class Standing(Struct, frozen=True, kw_only=True):
    """One read model.

    `state`: following; stopped (nobody keeps it up to date; `ringledger run` starts who does); failed (its code
    raised: see `error`; readers see it as of `position`); building (there is none to be seen yet); missing.
    `behind`: positions of the log after its own, an upper bound of records. `lag_ms`: the age of the first of them.
    `building`: position of a generation that will replace it, else None.
    """

    name: str
    state: str
    generation: int = 0
    version: int = 0
    position: int = 0
    behind: int = 0
    lag_ms: int = 0
    error: str = ""
    since: Instant | None = None
    building: int | None = None


class Late(Exception):
    """A read model had not come to the position in time; what it shows is of an earlier moment."""

    def __init__(self, name: str, position: int, wanted: int) -> None:
        super().__init__(f"{name} is at {position} and has not come to {wanted} yet; try again in a moment.")
        self.name = name
        self.position = position
        self.wanted = wanted


def standing(source: Source, log: Log, projection: Projection) -> Standing:
    """How it is now. Raises `Away`."""
    name = projection.name
    places = source.run(lambda connection: _places(connection, name))
    end = log.position()
    live = next((place for place in places if place[2]), None)
    built = next((place for place in places if not place[2]), None)
    if live is None:
        if built is None:
            return Standing(name=name, state="missing", version=projection.version, behind=end)
        state = "failed" if built[4] == "failed" else "building"
        return _standing(name, state, built, end, log, building=built[3])
    if live[4] == "failed":
        state = "failed"
    else:
        state = "following" if source.run(lambda connection: _is_held(connection, name)) else "stopped"
    return _standing(name, state, live, end, log, building=None if built is None else built[3])


def _places(connection: Connection, name: str) -> list[tuple[Any, ...]]:
    return connection.execute(_PLACES, (name,)).fetchall()


def _standing(name: str, state: str, place: tuple[Any, ...], end: int, log: Log, building: int | None) -> Standing:
    generation, shape, _, position, _, error, since = place
    behind = max(0, end - position)
    lag_ms = 0
    if behind and (first := log.page(position, 1)):
        lag_ms = max(0, time.time_ns() // 1_000_000 - first[0].about.at // 1000)
    return Standing(
        name=name,
        state=state,
        generation=generation,
        version=int(shape.partition(" ")[0]),
        position=position,
        behind=behind,
        lag_ms=lag_ms,
        error=error,
        since=Instant(since),
        building=building,
    )


def _is_held(connection: Connection, name: str) -> bool:
    high, low = divmod(lock_key(name, "follow") % 2**64, _HALF)
    return connection.execute(_HELD, (high, low)).fetchone() == (True,)


def position_of(source: Source, name: str) -> int:
    """The position that readers of this model see, 0 where there is none yet. Raises `Away`."""

    def read(connection: Connection) -> int:
        row = connection.execute("SELECT position FROM read.projections WHERE name = %s AND live", (name,)).fetchone()
        return 0 if row is None else int(row[0])

    return source.run(read)


def wait_for(source: Source, name: str, position: int, timeout_s: float = 2.0) -> int:
    """Wait until readers of this model see everything up to `position`; where it is then.

    Looks again every few milliseconds: a NOTIFY at each batch would make appends to the log wait for those of read
    models. Raises `Late` after `timeout_s`, and `Away`.
    """
    deadline = time.monotonic() + timeout_s
    pause_s = _FIRST_LOOK_S
    while (now_at := position_of(source, name)) < position:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Late(name, now_at, position)
        time.sleep(min(pause_s, left))
        pause_s = min(2 * pause_s, _LONGEST_LOOK_S)
    return now_at
