"""The library's recorder, made fit for one log with separate rights: our lock, our insert, our connections.

What differs from `PostgresApplicationRecorder` and why:

- the lock that keeps order is an advisory one: a role that may only insert cannot take the library's table lock, and
  that lock would make every append wait for a VACUUM or an ANALYZE;
- an append is one call of `ringledger_append` (schema.py): the lock, the lease's fence, keys and events in one round
  trip and one transaction;
- nothing is retried behind the caller's back: the library's retry of a lost COMMIT reports a conflict with itself;
- it makes no tables: the owner does, before anything runs.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice, starmap
from typing import Any, Final, cast

import psycopg
from msgspec import Struct
from psycopg.rows import dict_row, tuple_row
from psycopg.types.numeric import Int8

from orchestrator.domain.kernel import Record, kind_of
from orchestrator.store.arrays import (
    BYTEA_ARRAY,
    INT8,
    INT8_ARRAY,
    TEXT,
    TEXT_ARRAY,
    Array,
    BigintArray,
    ByteaArray,
    TextArray,
    bigint,
)
from orchestrator.store.batch import Batch
from orchestrator.store.connections import Connection, Source, is_passing
from orchestrator.store.errors import AlreadyHeld, Deposed, VersionConflict
from orchestrator.store.library import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    PostgresApplicationRecorder,
    PostgresDatastore,
    ProgrammingError,
    StoredEvent,
)
from orchestrator.store.mapper import Row, event_id_of
from orchestrator.store.prepared import Prepared
from orchestrator.store.schema import APPEND_LOCK, EVENTS

# SQLSTATEs that ringledger_append raises (sql/0001_log.sql).
_FENCED: Final = "RL001"
_NOT_EXPECTED: Final = "RL002"
_HELD: Final = "RL004"

_LEASE_TYPES: Final = (TEXT, INT8, TEXT)
_EVENT_TYPES: Final = (TEXT_ARRAY, INT8_ARRAY, TEXT_ARRAY, INT8_ARRAY, TEXT_ARRAY, BYTEA_ARRAY)
_KEY_TYPES: Final = (TEXT_ARRAY, TEXT_ARRAY, BYTEA_ARRAY) * 2 + (TEXT_ARRAY, BYTEA_ARRAY, TEXT_ARRAY)
_APPEND: Final = Prepared(
    "ringledger_append",
    "SELECT public.ringledger_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
    (*_LEASE_TYPES, *_EVENT_TYPES, *_KEY_TYPES),
)
# Most batches bring no key and no look-up row.
_APPEND_BARE: Final = Prepared(
    "ringledger_append_bare",
    "SELECT public.ringledger_append("
    "$1, $2, $3, $4, $5, $6, $7, $8, $9, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')",
    (*_LEASE_TYPES, *_EVENT_TYPES),
)
_APPEND_FIRST: Final = Prepared(
    "ringledger_append_first",
    "SELECT public.ringledger_append_first($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    (TEXT, BYTEA_ARRAY, *_EVENT_TYPES, *_KEY_TYPES),
)
_READ_BACK: Final = (
    "SELECT e.notification_id, e.originator_id, e.originator_version, e.state FROM public.ringledger_events AS e"
    " JOIN unnest(%b, %b) AS mine(stream, version)"
    " ON e.originator_id = mine.stream AND e.originator_version = mine.version"
)
_PAGE: Final = (
    "SELECT notification_id, originator_id, originator_version, topic, state FROM public.ringledger_events"
    " WHERE notification_id > %b AND notification_id <= %b ORDER BY notification_id LIMIT %b"
)
_PAGE_OF_KINDS: Final = _PAGE.replace(" ORDER BY", " AND split_part(originator_id, '-', 1) = ANY(%b) ORDER BY")
_PAGE_OF_SHARE: Final = _PAGE.replace(
    " ORDER BY",
    " AND CASE WHEN originator_id LIKE 'contact-%%'"
    ' THEN right(originator_id, 1) COLLATE "C" >= %b AND right(originator_id, 1) COLLATE "C" < %b'
    " WHEN originator_id LIKE 'shift-%%' THEN %b ELSE %b OR split_part(originator_id, '-', 1) = ANY(%b) END ORDER BY",
)
_STREAM: Final = (
    "SELECT notification_id, originator_id, originator_version, topic, state FROM public.ringledger_events"
    " WHERE originator_id = %b AND originator_version > %b ORDER BY originator_version LIMIT %b"
)
_STREAMS: Final = (
    "SELECT notification_id, originator_id, originator_version, topic, state FROM public.ringledger_events"
    " WHERE originator_id = ANY(%b) AND notification_id <= %b ORDER BY notification_id"
)
_OPEN_STREAMS: Final = (
    "SELECT originator_id FROM public.ringledger_events WHERE notification_id <= %b AND topic LIKE ANY(%b)"
    " EXCEPT SELECT originator_id FROM public.ringledger_events WHERE notification_id <= %b AND topic LIKE ANY(%b)"
)

END_OF_LOG: Final = 2**63 - 1
_DIGITS: Final = "0123456789abcdef"
_AFTER: Final = "\U0010ffff"
# So many rows and their events stay in a processor's own memory until they are folded; of a thousand they do not.
_AT_ONCE: Final = 100
_NO_TEXT: Final = TextArray(())
_NO_BYTES: Final = ByteaArray(())
_NO_NUMBERS: Final = BigintArray(())


class Share(Struct, frozen=True, kw_only=True):
    """Some of the log's streams: the contacts whose id ends with one of some hexadecimal digits that follow each other.
    The first share has shifts as well, and everything that no other one has. What is of `kinds` is in each.
    """

    first: bool
    begins: int
    ends: int
    """Of the digits: the first, and the one after the last."""
    kinds: tuple[str, ...]

    def has(self, stream: str) -> bool:
        """Whether this stream is one of them, as the database has it, too."""
        kind = kind_of(stream)
        if kind == "contact":
            low, high = self.bounds()
            return low <= stream[-1:] < high
        return self.first or kind in self.kinds

    def bounds(self) -> tuple[str, str]:
        """From which last character of an id on it has them, and up to which. The first share has what comes before
        all digits as well, and the last one what comes after them.
        """
        low = "" if self.first else _DIGITS[self.begins]
        return low, _DIGITS[self.ends] if self.ends < len(_DIGITS) else _AFTER


class Fence(Struct, frozen=True):
    """The right to write live streams: the lease of `site` is at `epoch` with `holder`."""

    site: str
    epoch: int
    holder: str


class LedgerDatastore(PostgresDatastore):
    """The library's datastore over our connections; its own pool is never opened."""

    def __init__(self, source: Source) -> None:
        super().__init__("", "", "", "", "", originator_id_type="text")
        self._source = source

    def register_type_adapters(self) -> None:
        """Nothing: our insert uses plain arrays, no composite type, and a recorder can be made with no database."""

    @contextmanager
    def get_connection(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        with _library_errors(), self._source.borrow() as plain:
            connection = cast("psycopg.Connection[Any]", plain)
            connection.row_factory = dict_row
            try:
                yield connection
            finally:
                connection.row_factory = tuple_row

    def close(self) -> None:
        """The source belongs to whoever made it."""


class LedgerRecorder(PostgresApplicationRecorder):
    """Reads and writes the rows of the log."""

    def __init__(self, source: Source) -> None:
        super().__init__(LedgerDatastore(source), events_table_name=EVENTS)
        self._source = source

    def create_table(self) -> None:
        """Refused: raises ProgrammingError."""
        raise ProgrammingError("The log's tables are made by orchestrator.store.schema.create, as the owner.")

    def _lock_table(self, curs: psycopg.Cursor[Any]) -> None:
        curs.execute("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,), prepare=True)

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: object) -> Sequence[int] | None:
        """For the library's own tools; raises the library's IntegrityError where a version is taken."""
        if not stored_events:
            return []
        events = (
            TextArray([str(each.originator_id) for each in stored_events]),
            BigintArray([each.originator_version for each in stored_events]),
            TextArray([each.topic for each in stored_events]),
            ByteaArray([each.state for each in stored_events]),
        )
        with _library_errors(), self._source.borrow() as connection:
            return _call(connection, None, (), events, Batch((), (), ()))

    def append(
        self,
        connection: Connection,
        batch: Batch,
        *,
        fence: Fence | None = None,
        expected: Sequence[tuple[str, int]] = (),
        sole: tuple[str, Sequence[bytes]] | None = None,
    ) -> list[int]:
        """Store the batch in one transaction of its own; the position of each record, in their order.

        `expected` names streams and the version that each must be at; `sole`, for desk appends, a blind index and
        tokens that no stream may hold yet. Raises `Deposed` where the fence has fallen, `VersionConflict` where an
        expectation fails or a version is taken, `AlreadyHeld` where a stream holds one of them, `KeyTaken` where
        somebody made one of the keys meanwhile, and psycopg's errors as they are for everything else.
        """
        events = (
            TextArray([record.stream for record in batch.records]),
            BigintArray([record.version for record in batch.records]),
            TextArray(batch.topics),
            ByteaArray(batch.states),
        )
        try:
            return _call(connection, fence, expected, events, batch, sole)
        except psycopg.errors.UniqueViolation as error:
            if error.diag.table_name == "ringledger_keys":
                raise KeyTaken from error
            raise VersionConflict("A version of one of the batch's streams is taken.") from error
        except psycopg.DatabaseError as error:
            if error.sqlstate == _FENCED:
                raise Deposed(str(error.diag.message_primary)) from error
            if error.sqlstate == _NOT_EXPECTED:
                late = (error.diag.message_detail or "",)
                raise VersionConflict(str(error.diag.message_primary), streams=late) from error
            if error.sqlstate == _HELD:
                raise AlreadyHeld(str(error.diag.message_primary), stream=error.diag.message_detail or "") from error
            raise

    def read_back(self, connection: Connection, records: Sequence[Record]) -> list[int] | None:
        """Positions of these very records, known by their event ids; None unless all of them are stored."""
        positions = self.stored_first(connection, records)
        return positions if len(positions) == len(records) else None

    def stored_first(self, connection: Connection, records: Sequence[Record]) -> list[int]:
        """Positions of the first of these very records, up to one that is not stored."""
        found = connection.execute(
            _READ_BACK,
            (TextArray([each.stream for each in records]), BigintArray([each.version for each in records])),
            binary=True,
        ).fetchall()
        there = {
            (str(stream), cast("int", version)): (cast("int", position), event_id_of(cast("bytes", state)))
            for position, stream, version, state in found
        }
        positions: list[int] = []
        for each in records:
            position, event_id = there.get((each.stream, each.version), (0, ""))
            if event_id != each.event_id:
                break
            positions.append(position)
        return positions

    def stands(self, connection: Connection, fence: Fence) -> bool:
        """Whether the lease is still the fence's."""
        row = connection.execute(
            "SELECT FROM public.ringledger_lease WHERE site = %s AND epoch = %s AND holder = %s",
            (fence.site, fence.epoch, fence.holder),
        ).fetchone()
        return row is not None

    def page(
        self, connection: Connection, *, after: int, until: int, kinds: Sequence[str] | None, limit: int
    ) -> list[Row]:
        """Up to `limit` rows with after < position ≤ until, in order."""
        if kinds is None:
            cursor = connection.execute(_PAGE, (_int8(after), _int8(until), _int8(limit)), binary=True)
        else:
            cursor = connection.execute(
                _PAGE_OF_KINDS, (_int8(after), _int8(until), TextArray(list(kinds)), _int8(limit)), binary=True
            )
        return _rows(cursor)

    def sent(
        self, connection: Connection, *, after: int, until: int, limit: int, share: Share | None = None
    ) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of `page` as they come, some at a time: the server sends while the caller works."""
        bounds = (_int8(after), _int8(until))
        with connection.cursor() as cursor:
            if share is None:
                rows = cursor.stream(_PAGE, (*bounds, _int8(limit)), binary=True, size=_AT_ONCE)
            else:
                what = (*share.bounds(), share.first, share.first, TextArray(list(share.kinds)))
                rows = cursor.stream(_PAGE_OF_SHARE, (*bounds, *what, _int8(limit)), binary=True, size=_AT_ONCE)
            while some := list(islice(rows, _AT_ONCE)):
                yield some

    def stream_page(self, connection: Connection, *, stream: str, after_version: int, limit: int) -> list[Row]:
        """Up to `limit` rows of one stream above a version, in order."""
        return _rows(connection.execute(_STREAM, (stream, _int8(after_version), _int8(limit)), binary=True))

    def streams(self, connection: Connection, *, names: Sequence[str], until: int) -> list[Row]:
        """All rows of these streams up to a position, in the order of the log."""
        return _rows(connection.execute(_STREAMS, (TextArray(list(names)), _int8(until)), binary=True))

    def open_streams(
        self, connection: Connection, *, begun: Sequence[str], ended: Sequence[str], until: int
    ) -> list[str]:
        """The streams that have an event of one of the names `begun` and none of `ended`. Looks at the whole log."""
        first, last = (TextArray([f"{name}.v%" for name in names]) for names in (begun, ended))
        found = connection.execute(_OPEN_STREAMS, (_int8(until), first, _int8(until), last), binary=True)
        return [str(row[0]) for row in found.fetchall()]


class KeyTaken(Exception):
    """A data key that the batch brings was made by somebody else first: take theirs and try again."""


def _call(
    connection: Connection,
    fence: Fence | None,
    expected: Sequence[tuple[str, int]],
    events: tuple[Array, ...],
    batch: Batch,
    sole: tuple[str, Sequence[bytes]] | None = None,
) -> list[int]:
    known: tuple[Array, ...] = (
        TextArray([stream for stream, _ in expected]) if expected else _NO_TEXT,
        BigintArray([version for _, version in expected]) if expected else _NO_NUMBERS,
    )
    keys: tuple[Array, ...] = ()
    statement = _APPEND
    first: tuple[bytes | None, ...] = (None, None, None)
    if sole is not None:
        statement, first = _APPEND_FIRST, (sole[0].encode(), ByteaArray(sole[1]).data)
    elif fence is not None:
        first = (fence.site.encode(), bigint(fence.epoch), fence.holder.encode())
    if batch.new_keys or batch.hung_keys or batch.index or sole is not None:
        keys = (*_key_arrays(batch.new_keys), *_key_arrays(batch.hung_keys), *_index_arrays(batch.index))
    else:
        statement = _APPEND_BARE
    return statement.ask(connection, [*first, *[each.data for each in (*known, *events, *keys)]])


def _key_arrays(keys: dict[str, Any]) -> tuple[TextArray, TextArray, ByteaArray]:
    if not keys:
        return _NO_TEXT, _NO_TEXT, _NO_BYTES
    rows = list(keys.values())
    return (
        TextArray([row.subject for row in rows]),
        TextArray([row.parent for row in rows]),
        ByteaArray([row.wrapped for row in rows]),
    )


def _index_arrays(index: list[tuple[str, bytes, str]]) -> tuple[TextArray, ByteaArray, TextArray]:
    if not index:
        return _NO_TEXT, _NO_BYTES, _NO_TEXT
    return (
        TextArray([name for name, _, _ in index]),
        ByteaArray([token for _, token, _ in index]),
        TextArray([stream for _, _, stream in index]),
    )


def _int8(number: int) -> Int8:
    """Always of the same type, so that the statement is prepared once and not once for each size of number."""
    return Int8(number)


def _rows(cursor: psycopg.Cursor[Any]) -> list[Row]:
    return list(starmap(Row, cursor.fetchall()))


@contextmanager
def _library_errors() -> Iterator[None]:
    """What psycopg raises, by the names that the library's callers know."""
    try:
        yield
    except psycopg.IntegrityError as error:
        raise IntegrityError(str(error)) from error
    except psycopg.InterfaceError as error:
        raise InterfaceError(str(error)) from error
    except psycopg.Error as error:
        raise (OperationalError if is_passing(error) else ProgrammingError)(str(error)) from error
