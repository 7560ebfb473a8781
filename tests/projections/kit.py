"""What tests of read models are built from: a log on a real PostgreSQL, and models folded from it as the product does.

kit.store(records)        append, through the writers               kit.tell(stream, event, at_s)   one event
    kit.build(PROJECTION)     a new generation, live                    kit.keep_up(PROJECTION)         as the follower
    kit.rows(PROJECTION)      every row of every table                  kit.read(query)                 as the reader
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.kernel import LIVE_KINDS, SECOND, Event, Instant, Provenance, Record, kind_of
from orchestrator.store import LiveWriter, Log, Source
from projections.base import Connection, Projection, Site, live_place, run_batch, schema_of
from projections.building import build
from projections.feed import Feed
from tests.postgres import Database
from tests.store.kit import Kit

T = TypeVar("T")

ZONE = ZoneInfo("Asia/Shanghai")
# 10:00 of that day there.
MORNING = Instant(1_767_232_800 * SECOND)


class ReadKit:
    """A log, and read models of it."""

    def __init__(self, kit: Kit, database: Database) -> None:
        self.kit = kit
        self.database = database
        self.projector = Source(database.projector, name="ringledger test projector")
        self.reader = Source(database.reader, name="ringledger test reader")
        self.log = Log(self.projector, sealed=True)
        self.site = Site(ZONE, kit.vault, region="CN")
        self.connection: Connection = self.projector.connect()
        self._versions: dict[str, int] = {}
        self._ids = itertools.count(1)
        self._writer: LiveWriter | None = None

    # --- writing -----------------------------------------------------------------------------------------------------
    def tell(self, stream: str, event: Event, at_s: float = 0.0, *, actor: str = "system", about: str = "") -> Record:
        """Append one event, so many seconds after the morning; the record."""
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        record = Record(
            stream=stream,
            version=version,
            event=event,
            event_id=f"told-{next(self._ids)}",
            about=Provenance(at=Instant(MORNING + round(at_s * SECOND)), actor=actor, correlation=about or stream),
        )
        self.store([record])
        return record

    def store(self, records: Iterable[Record]) -> int:
        """Append these in order, live ones through the live writer, others through the desk's; the last position."""
        if self._writer is None:
            self._writer = self.kit.writer()
        position = 0
        for is_live, group in groupby(records, lambda record: kind_of(record.stream) in LIVE_KINDS):
            some = list(group)
            for first in range(0, len(some), 300):
                part = some[first : first + 300]
                position = (self._writer.append_live if is_live else self.kit.desk.append_desk)(part)
        return position

    # --- folding -----------------------------------------------------------------------------------------------------
    def build(self, *projections: Projection) -> None:
        """A new generation of each from the whole log."""
        for projection in projections:
            build(self.connection, projection, Feed(self.log), self.site)

    def provide(self, *projections: Projection) -> None:
        """Each up to date: built where there is none yet, else moved on."""
        with self.connection.cursor() as cursor:
            made = [each for each in projections if live_place(cursor, each.name) is not None]
        for projection in projections:
            if projection in made:
                self.keep_up(projection)
            else:
                self.build(projection)

    def keep_up(self, projection: Projection, *, limit: int = 500) -> int:
        """Fold what is new, as the follower does; how many records that were."""
        feed = Feed(self.log)
        count = 0
        while moved := run_batch(self.connection, projection, feed, self.site, limit=limit)[0]:
            count += moved
        return count

    # --- looking -----------------------------------------------------------------------------------------------------
    def read(self, query: Callable[[Connection], T]) -> T:
        """What a query answers to the web's reader."""
        return self.reader.run(query)

    def rows(self, projection: Projection) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table of the live generation, in an order of its own."""
        with self.connection.cursor() as cursor:
            place = live_place(cursor, projection.name)
        assert place is not None
        return rows_of(self.database.projector, schema_of(projection.name, place.generation))

    def position(self, projection: Projection) -> int:
        with self.connection.cursor() as cursor:
            place = live_place(cursor, projection.name)
        assert place is not None
        return place.position

    def close(self) -> None:
        self.connection.close()
        self.projector.close()
        self.reader.close()


def rows_of(url: str, schema: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table in a schema."""
    with psycopg.connect(url) as connection:
        tables = [
            str(name)
            for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema,))
        ]
        found: dict[str, list[tuple[Any, ...]]] = {}
        for table in tables:
            query = sql.SQL("SELECT t::text FROM {} AS t ORDER BY 1").format(sql.Identifier(schema, table))
            found[table] = connection.execute(query).fetchall()
    return found


class Records:
    """A feed of records that are in no database, numbered by their places."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records

    def after(self, position: int, limit: int) -> Sequence[Record]:
        return self.records[position : position + limit]


__all__ = ["CATALOGUE", "MORNING", "ZONE", "ReadKit", "Records", "rows_of"]
