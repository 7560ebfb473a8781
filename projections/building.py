"""A new generation of a read model, filled beside the live one and then put in its place.

    begin     row and schema of a generation that nobody sees       one transaction
    fill      batches, as the follower's                            one transaction each
    index     what readers need                                     one transaction
    switch    under the model's own lock: the last records, then    one transaction
              the views of `read` lead to the new tables
    drop      the old tables                                        one transaction

A kill anywhere leaves the live generation as it was, or the new one in its place, and perhaps a schema that nobody
sees: whoever builds next drops it first.
"""

import time
from collections.abc import Callable
from typing import Final

import psycopg
from psycopg import sql

from orchestrator.store.schema import READER, WRITER
from projections.base import (
    BATCH,
    Connection,
    Cursor,
    Feed,
    Place,
    Projection,
    Site,
    fold,
    live_place,
    lock_key,
    schema_of,
    take_turns,
)

# How long a switch lets readers queue up behind it before it steps back for those who still read the old tables.
_SWITCH_LOCK: Final = "500ms"
_SWITCH_PAUSE_S: Final = 0.2
_SWITCH_TRIES: Final = 50

Progress = Callable[[int], None]
"""Told the position that the building generation has come to."""


class BeingBuilt(Exception):
    """Somebody else is building this model now."""


def build(
    connection: Connection,
    projection: Projection,
    feed: Feed,
    site: Site,
    *,
    progress: Progress = lambda _: None,
    limit: int = BATCH,
) -> int:
    """A new generation from the beginning of the log, and live; its position.

    `connection` is a projector's, in autocommit mode, and used for nothing else. Raises `BeingBuilt` where another
    session is at it, and whatever `apply` or the database raises; the live generation is then as it was.
    """
    lock = lock_key(projection.name, "build")
    if connection.execute("SELECT pg_try_advisory_lock(%s)", (lock,)).fetchone() != (True,):
        raise BeingBuilt(f"{projection.name} is being rebuilt by somebody else; `ringledger projections status` tells.")
    try:
        sweep(connection, projection.name)
        generation = _begin(connection, projection, site)
        _fill(connection, projection, generation, feed, site, progress, limit)
        _index(connection, projection, generation)
        position = _switch(connection, projection, generation, feed, site, limit)
        progress(position)
        sweep(connection, projection.name)
        return position
    finally:
        if not connection.closed and not connection.broken:
            connection.execute("SELECT pg_advisory_unlock(%s)", (lock,))


def sweep(connection: Connection, name: str) -> None:
    """Drop every generation of this model that is not live. Only for whoever holds its build lock."""
    rows = connection.execute("SELECT generation FROM read.projections WHERE name = %s AND NOT live", (name,))
    for (generation,) in rows.fetchall():
        with connection.transaction():
            connection.execute("SET LOCAL client_min_messages = 'warning'")
            schema = sql.Identifier(schema_of(name, generation))
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))
            connection.execute("DELETE FROM read.projections WHERE generation = %s", (generation,))


def _begin(connection: Connection, projection: Projection, site: Site) -> int:
    with connection.transaction(), connection.cursor() as cursor:
        row = cursor.execute(
            "INSERT INTO read.projections (name, shape, state) VALUES (%s, %s, 'building') RETURNING generation",
            (projection.name, projection.shape(site)),
        ).fetchone()
        assert row is not None  # noqa: S101 - an INSERT that returns
        generation = int(row[0])
        schema = schema_of(projection.name, generation)
        cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        cursor.execute("SELECT set_config('search_path', %s, true)", (schema,))
        cursor.execute(projection.tables.encode())
    return generation


def _fill(
    connection: Connection,
    projection: Projection,
    generation: int,
    feed: Feed,
    site: Site,
    progress: Progress,
    limit: int,
) -> None:
    """Fold until less than a batch is left."""
    while True:
        with connection.transaction(), connection.cursor() as cursor:
            moved, position = _fold_built(cursor, projection, generation, feed, site, limit)
        progress(position)
        if moved < limit:
            return


def _fold_built(
    cursor: Cursor, projection: Projection, generation: int, feed: Feed, site: Site, limit: int
) -> tuple[int, int]:
    row = cursor.execute(
        "SELECT generation, position, shape FROM read.projections WHERE generation = %s", (generation,), prepare=True
    ).fetchone()
    if row is None:
        raise BeingBuilt(f"Generation {generation} of {projection.name} was swept away while it was being built.")
    return fold(cursor, projection, Place(*row), feed, site, limit=limit)


def _index(connection: Connection, projection: Projection, generation: int) -> None:
    """Make what readers need, and let the server count, so that its first plans are not made of guesses."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('search_path', %s, true)", (schema_of(projection.name, generation),))
        cursor.execute("SET LOCAL statement_timeout = 0")  # an index over ten million rows takes its time
        if projection.indexes.strip():
            cursor.execute(projection.indexes.encode())
        for table in _tables(cursor, projection.name, generation):
            cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))


def _switch(connection: Connection, projection: Projection, generation: int, feed: Feed, site: Site, limit: int) -> int:
    """Make it the live one, not behind the one before it. Steps back while a long query holds the old tables."""
    for _ in range(_SWITCH_TRIES):
        _fill(connection, projection, generation, feed, site, lambda _: None, limit)
        try:
            with connection.transaction(), connection.cursor() as cursor:
                return _switch_now(cursor, projection, generation, feed, site, limit)
        except psycopg.errors.LockNotAvailable:
            time.sleep(_SWITCH_PAUSE_S)
    raise TimeoutError(
        f"{projection.name} is built, but somebody has been reading the old tables all the time; end that query "
        f"(pg_stat_activity shows it) and rebuild again."
    )


def _switch_now(cursor: Cursor, projection: Projection, generation: int, feed: Feed, site: Site, limit: int) -> int:
    take_turns(cursor, projection.name)
    before = live_place(cursor, projection.name)
    moved, position = _fold_built(cursor, projection, generation, feed, site, limit)
    while moved and (moved == limit or (before is not None and position < before.position)):
        moved, position = _fold_built(cursor, projection, generation, feed, site, limit)
    cursor.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(_SWITCH_LOCK)))
    if before is not None:
        for table in _tables(cursor, projection.name, before.generation):
            cursor.execute(sql.SQL("DROP VIEW IF EXISTS read.{}").format(sql.Identifier(table)))
        cursor.execute(
            "UPDATE read.projections SET live = false, state = 'building' WHERE generation = %s", (before.generation,)
        )
    schema = schema_of(projection.name, generation)
    readers = sql.SQL(", ").join(map(sql.Identifier, (READER, WRITER)))
    for table in _tables(cursor, projection.name, generation):
        view = sql.Identifier(table)
        source = sql.Identifier(schema, table)
        cursor.execute(sql.SQL("CREATE VIEW read.{} AS SELECT * FROM {}").format(view, source))
        cursor.execute(sql.SQL("GRANT SELECT ON read.{} TO {}").format(view, readers))
    cursor.execute(
        "UPDATE read.projections SET live = true, state = 'following', since = clock_timestamp() WHERE generation = %s",
        (generation,),
    )
    return position


def _tables(cursor: Cursor, name: str, generation: int) -> list[str]:
    rows = cursor.execute(
        "SELECT tablename::text FROM pg_tables WHERE schemaname = %s ORDER BY 1", (schema_of(name, generation),)
    )
    return [str(table) for (table,) in rows.fetchall()]
