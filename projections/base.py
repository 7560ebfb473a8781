"""What every read model is made of: a projection, the batch that it is given, and the one way in which it moves.

      lock ──▶ position ──▶ records after it ──▶ apply: rows ──▶ position moved ──▶ commit
       └───────────────── one transaction; a kill anywhere in it leaves nothing ─────┘

The lock makes followers of one model take turns, and the position is read under it, so of two who do the same work the
second finds it done. Commits do not wait for the disk: what a crash of the server takes back, rows and position alike,
is folded again.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Protocol, TypeAlias
from zoneinfo import ZoneInfo

import psycopg
from msgspec import Struct

from orchestrator.domain.kernel import SECOND, Instant, Record
from orchestrator.vault import ERASED, Vault, open_text

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]
Cursor: TypeAlias = psycopg.Cursor[tuple[Any, ...]]

# Records folded in one transaction, at most. Larger ones share more loads and upserts among their records, and are
# further from what a kill may cost and from what others may wait.
BATCH: Final = 5_000

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Every zone's offset of today is a multiple of this, so all instants within one have the same local day.
_QUARTER: Final = 15 * 60 * SECOND
_DAYS_KEPT: Final = 100_000


class Site:
    """What folding needs of the place where it happens: the zone of its days, the keys of personal text, and the
    country (ISO 3166) whose numbers come without a country code.
    """

    def __init__(self, zone: ZoneInfo, vault: Vault | None = None, *, region: str = "") -> None:
        self.zone = zone
        self.region = region
        self._vault = vault
        self._days: dict[int, str] = {}
        self._half_hours: dict[int, Instant] = {}

    def day(self, at: Instant) -> str:
        """The site-local day of an instant, `2026-11-22`."""
        quarter = at // _QUARTER
        day = self._days.get(quarter)
        if day is None:
            if len(self._days) > _DAYS_KEPT:
                self._days.clear()
            day = self._days[quarter] = self._local(at).date().isoformat()
        return day

    def days(self, since: Instant, until: Instant) -> list[tuple[str, int]]:
        """The milliseconds from `since` to `until` that fall on each site-local day. A part of one is cut off, once."""
        if until <= since:
            return []
        if self.day(since) == self.day(until):
            return [(self.day(since), (until - since) // 1000)]
        found = []
        done = 0
        start = since
        while start < until:
            midnight = self._next_midnight(start)
            # Counted from the beginning, so that the parts add up to the whole.
            upto = (min(midnight, until) - since) // 1000
            found.append((self.day(start), upto - done))
            done, start = upto, midnight
        return found

    def half_hour(self, at: Instant) -> Instant:
        """When the half hour of an instant began, by the site's clock."""
        quarter = at // _QUARTER
        began = self._half_hours.get(quarter)
        if began is None:
            if len(self._half_hours) > _DAYS_KEPT:
                self._half_hours.clear()
            second = self._local(Instant(quarter * _QUARTER)).minute % 30 >= 15  # noqa: PLR2004
            began = self._half_hours[quarter] = Instant((quarter - second) * _QUARTER)
        return began

    def bounds(self, day: str) -> tuple[Instant, Instant]:
        """When a site-local day, `2026-11-22`, begins, and when the next one does."""
        found = date.fromisoformat(day)
        return self._midnight(found), self._midnight(found + timedelta(days=1))

    def unlock(self, streams: Collection[str]) -> None:
        """Fetch the keys of these streams at once, for whoever is about to open texts of many."""
        if self._vault is not None:
            self._vault.keys(streams)

    def open(self, stream: str, field: str, sealed: str) -> str:
        """Personal text of a record as a person may read it; `‹erased›` once its key is destroyed.

        Only for what has to be computed from the text itself, such as look-up tokens. It is never put into a table.
        """
        if not sealed or sealed == ERASED or self._vault is None:
            return sealed and ERASED
        key = self._vault.keys([stream]).get(stream)
        return ERASED if key is None else open_text(key, stream, field, sealed)

    def token(self, index: str, value: str) -> bytes:
        """The blind-index token of a value: can be compared, cannot be read. Raises RuntimeError without keys."""
        if self._vault is None:
            raise RuntimeError("This read model computes look-up tokens and needs the vault.")
        return self._vault.token(index, value)

    def _local(self, at: Instant) -> datetime:
        return (_EPOCH + timedelta(microseconds=at)).astimezone(self.zone)

    def _next_midnight(self, at: Instant) -> Instant:
        return self._midnight(self._local(at).date() + timedelta(days=1))

    def _midnight(self, day: date) -> Instant:
        local = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        return Instant((local.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1))


class Batch(Struct, frozen=True):
    """What `apply` is given: a cursor inside the transaction, in whose search path the model's own tables are, and
    records of all streams in the order of the log. Personal text in them is sealed, as it is stored.
    """

    cursor: Cursor
    records: Sequence[Record]
    site: Site


class Projection(Struct, frozen=True, kw_only=True):
    """A read model: its tables and how a batch changes them.

    `tables` creates them, with their keys; `indexes` what only readers need, made once a rebuild has filled the tables.
    Both name tables without a schema. Each table's name begins with the model's. `apply` raises for a bug only.
    """

    name: str
    version: int
    tables: str
    indexes: str
    apply: Callable[[Batch], None]
    regional: bool = False
    """Whether it reads telephone numbers, which mean another one in another country."""

    def shape(self, site: Site) -> str:
        """What the rows depend on besides the log; where it differs, the model is built anew."""
        shape = f"{self.version} {site.zone.key}"
        return f"{shape} {site.region}" if self.regional else shape


class Feed(Protocol):
    """Where records come from (`feed.Feed`; a list in tests)."""

    def after(self, position: int, limit: int) -> Sequence[Record]:
        """Up to `limit` records after a position, in order; none only where there are none yet."""
        ...


class Place(Struct, frozen=True):
    """A generation of a read model, and how far it has come."""

    generation: int
    position: int
    shape: str


class NotBuilt(Exception):
    """There is no generation of this model that this program may read or continue; one is being built, or will be."""


def lock_key(*words: object) -> int:
    """The key of an advisory lock: a signed 64-bit number that stands for these words."""
    digest = hashlib.blake2b("/".join(["ringledger-read", *map(str, words)]).encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def schema_of(name: str, generation: int) -> str:
    """The schema in which a generation's tables are."""
    return f"read_{name}_{generation}"


def run_batch(
    connection: Connection, projection: Projection, feed: Feed, site: Site, *, limit: int = BATCH
) -> tuple[int, int]:
    """Fold the next records into the live generation; how many there were, and its position now.

    Raises `NotBuilt` where the live generation is of another shape, and whatever `apply` or the database raises, with
    nothing changed.
    """
    with connection.transaction(), connection.cursor() as cursor:
        take_turns(cursor, projection.name)
        place = live_place(cursor, projection.name)
        if place is None or place.shape != projection.shape(site):
            raise NotBuilt(f"{projection.name} has no generation of this program's shape yet.")
        return fold(cursor, projection, place, feed, site, limit=limit)


def fold(
    cursor: Cursor, projection: Projection, place: Place, feed: Feed, site: Site, *, limit: int = BATCH
) -> tuple[int, int]:
    """The heart of a batch, inside the caller's transaction and under the caller's lock."""
    records = feed.after(place.position, limit)
    if not records:
        return 0, place.position
    cursor.execute(
        "SELECT set_config('search_path', %s, true)", (schema_of(projection.name, place.generation),), prepare=True
    )
    projection.apply(Batch(cursor, records, site))
    position = records[-1].position
    cursor.execute(
        "UPDATE read.projections SET position = %s, error = '',"
        " state = CASE WHEN live THEN 'following' ELSE state END WHERE generation = %s",
        (position, place.generation),
        prepare=True,
    )
    return len(records), position


def take_turns(cursor: Cursor, *words: object) -> None:
    """Wait for the lock that these words name; held until the transaction is over."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key(*words),), prepare=True)


def live_place(cursor: Cursor, name: str) -> Place | None:
    """Where the live generation of this model stands, None before the first one."""
    found = cursor.execute(
        "SELECT generation, position, shape FROM read.projections WHERE name = %s AND live", (name,), prepare=True
    ).fetchone()
    return None if found is None else Place(*found)
