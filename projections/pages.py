"""Lists by the page: the next one begins after the last row of this one, however many rows were added meanwhile.

No offset is ever counted, so page 1 000 costs what page 1 costs.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, Final, Generic, LiteralString, TypeVar, get_type_hints

import msgspec
from msgspec import Meta, Struct
from psycopg import sql

from orchestrator.domain.kernel import Refused
from projections.base import Connection
from projections.tables import Table

R = TypeVar("R", bound=Struct)

LONGEST: Final = 500
"""Rows a page may have."""

# What a key's column can hold: texts without NUL, and bigints.
_Text = Annotated[str, Meta(pattern=r"^[^\x00]*$", max_length=200)]
_Number = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]

Condition = tuple[LiteralString, *tuple[Any, ...]]
"""A piece of WHERE with a `%s` for each value, and the values."""


class Page(Struct, Generic[R], frozen=True):
    """Rows in order; `next_cursor` is empty where there are no more."""

    items: list[R]
    next_cursor: str


def page(
    connection: Connection,
    table: Table[R],
    conditions: Sequence[Condition],
    *,
    key: Sequence[str],
    cursor: str = "",
    limit: int = 50,
    descending: bool = True,
) -> Page[R]:
    """A page of the live generation's rows that meet all conditions, ordered by `key`, whose columns are never null and
    together unique. Raises `Refused` (bad_cursor, bad_limit) for what a page's sender never was given.
    """
    if not 1 <= limit <= LONGEST:
        raise Refused("bad_limit", f"A page has 1 to {LONGEST} rows.")
    where: list[sql.Composable] = [sql.SQL(words) for words, *_ in conditions]
    values = [value for _, *given in conditions for value in given]
    columns = sql.SQL(", ").join(map(sql.Identifier, key))
    if cursor:
        places = sql.SQL(", ").join([sql.Placeholder()] * len(key))
        where.append(sql.SQL("({}) {} ({})").format(columns, sql.SQL("<" if descending else ">"), places))
        values += _read_cursor(cursor, table, key)
    direction = sql.SQL(" DESC" if descending else " ASC")
    query = sql.SQL("SELECT {} FROM read.{} {} ORDER BY {} LIMIT {}").format(
        sql.SQL(", ").join(map(sql.Identifier, table.columns)),
        sql.Identifier(table.name),
        sql.SQL("WHERE {}").format(sql.SQL(" AND ").join(where)) if where else sql.SQL(""),
        sql.SQL(", ").join(sql.SQL("{}{}").format(sql.Identifier(column), direction) for column in key),
        sql.Placeholder(),
    )
    rows = table.made(connection.execute(query, [*values, limit + 1], binary=True).fetchall())
    items = rows[:limit]
    more = len(rows) > limit
    return Page(items, _write_cursor([getattr(items[-1], column) for column in key]) if more else "")


def _write_cursor(values: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def _read_cursor(cursor: str, table: Table[R], key: Sequence[str]) -> list[Any]:
    hints = get_type_hints(table.row)
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        given = msgspec.json.decode(raw, type=list[_Text | _Number])
        return [msgspec.convert(value, hints[column]) for value, column in zip(given, key, strict=True)]
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise Refused("bad_cursor", "This is no cursor of this list; take next_cursor as it came.") from None
