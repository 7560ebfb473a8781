"""A table's rows as structs: loaded by their keys, changed in Python, put back in one statement however many there are.

    class Row(Struct): ...                      mutable, not kw_only; its fields are the columns
    ROWS = Table("contact_log", Row, key=("contact_id",))

    rows = ROWS.load(batch.cursor, ids)         {id: Row} of those that are there
    ROWS.save(batch.cursor, rows.values())      one statement

Fields may be str, int, bool, each also `| None` (text, bigint, boolean); everything else is stored as jsonb. Instants
are bigint microseconds, as in the log.
"""

from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter
from types import UnionType
from typing import Any, Final, Generic, LiteralString, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from orchestrator.store.arrays import Array, BigintArray, BoolArray, TextArray
from projections.base import Connection, Cursor

R = TypeVar("R", bound=Struct)

_ARRAYS: Final[dict[type, tuple[type[Array], str]]] = {
    str: (TextArray, "text"),
    int: (BigintArray, "bigint"),
    bool: (BoolArray, "boolean"),
}


class Table(Generic[R]):
    """The rows of one table. Names come from our own classes, never from outside."""

    def __init__(self, name: str, row: type[R], *, key: tuple[str, ...]) -> None:
        self.name = name
        self.row = row
        self.columns = row.__struct_fields__
        self._key = key
        self._of_row = attrgetter(*self.columns)
        self._key_of_row = attrgetter(*key)
        hints = get_type_hints(row)
        plain = [_plain(hints[column]) for column in self.columns]
        self._arrays: list[type[Array] | None] = [_ARRAYS[kind][0] if kind else None for kind in plain]
        self._key_arrays = [_ARRAYS[hints[column]][0] for column in key]
        self._json = [(place, hints[column]) for place, column in enumerate(self.columns) if plain[place] is None]
        given = ", ".join(self.columns)
        taken = ", ".join(f"d.{c}" + ("" if plain[i] else "::jsonb") for i, c in enumerate(self.columns))
        places = ", ".join(["%b"] * len(self.columns))
        insert = f"INSERT INTO {name} ({given}) SELECT {taken} FROM unnest({places}) AS d({given})"
        rest = [column for column in self.columns if column not in key]
        change = ", ".join(f"{column} = excluded.{column}" for column in rest)
        conflict = f" ON CONFLICT ({', '.join(key)}) DO " + (f"UPDATE SET {change}" if rest else "NOTHING")
        self._from = f"SELECT {given} FROM {name} "
        self._from_read = f"SELECT {given} FROM read.{name} "
        self._insert = insert.encode()
        self._upsert = (insert + conflict).encode()
        if len(key) == 1:
            where = f"WHERE {key[0]} = ANY(%b)"
            self._select = f"SELECT {given} FROM {name} {where}".encode()
            self._delete = f"DELETE FROM {name} {where}".encode()
        else:
            keys = f"unnest({', '.join(['%b'] * len(key))}) AS k({', '.join(key)})"
            on = " AND ".join(f"t.{column} = k.{column}" for column in key)
            columns = ", ".join(f"t.{column}" for column in self.columns)
            self._select = f"SELECT {columns} FROM {keys} JOIN {name} AS t ON {on}".encode()
            self._delete = f"DELETE FROM {name} AS t USING {keys} WHERE {on}".encode()

    def load(self, cursor: Cursor, keys: Collection[Any]) -> dict[Any, R]:
        """The rows that are there, by key: a value where the key is one column, else a tuple."""
        if not keys:
            return {}
        found = cursor.execute(self._select, self._keys(keys), binary=True, prepare=True).fetchall()
        return {self._key_of_row(row): row for row in map(self._made, found)}

    def find(self, cursor: Cursor, words: LiteralString, values: Sequence[Any] = ()) -> list[R]:
        """For `apply`: the rows that meet these words, which begin with WHERE or ORDER BY."""
        found = cursor.execute((self._from + words).encode(), values, binary=True, prepare=True)
        return self.made(found.fetchall())

    def read(self, connection: Connection, words: LiteralString, values: Sequence[Any] = ()) -> list[R]:
        """For queries: the same of the live generation."""
        return self.made(connection.execute((self._from_read + words).encode(), values, binary=True).fetchall())

    def save(self, cursor: Cursor, rows: Collection[R]) -> None:
        """Insert these or replace what has their keys. No two may have the same."""
        if rows:
            cursor.execute(self._upsert, self._values(rows), prepare=True)

    def insert(self, cursor: Cursor, rows: Collection[R]) -> None:
        """Insert these; raises psycopg's UniqueViolation where a key is there already."""
        if rows:
            cursor.execute(self._insert, self._values(rows), prepare=True)

    def delete(self, cursor: Cursor, keys: Collection[Any]) -> None:
        """Delete the rows with these keys."""
        if keys:
            cursor.execute(self._delete, self._keys(keys), prepare=True)

    def made(self, found: Iterable[Sequence[Any]]) -> list[R]:
        """Rows of a query that selected `columns` in their order."""
        return [self._made(row) for row in found]

    def _made(self, values: Sequence[Any]) -> R:
        if self._json:
            changed = list(values)
            for place, kind in self._json:
                changed[place] = msgspec.convert(changed[place], kind)
            values = changed
        return self.row(*values)

    def _keys(self, keys: Collection[Any]) -> list[Array]:
        if len(self._key_arrays) == 1:
            return [_array(self._key_arrays[0], list(keys))]
        return [_array(kind, values) for kind, values in zip(self._key_arrays, zip(*keys, strict=True), strict=True)]

    def _values(self, rows: Collection[R]) -> list[Array]:
        if len(self.columns) == 1:
            columns: list[Sequence[Any]] = [[self._of_row(row) for row in rows]]
        else:
            columns = list(zip(*map(self._of_row, rows), strict=True))
        return [
            TextArray([msgspec.json.encode(value).decode() for value in values])
            if kind is None
            else _array(kind, values)
            for kind, values in zip(self._arrays, columns, strict=True)
        ]


def _array(kind: type[Array], values: Sequence[Any]) -> Array:
    return kind(values)


def _plain(hint: Any) -> type | None:  # noqa: ANN401 - a type of any kind
    """The type of a column that is no jsonb."""
    if get_origin(hint) in (UnionType, Union):
        hints = [each for each in get_args(hint) if each is not type(None)]
        return _plain(hints[0]) if len(hints) == 1 else None
    hint = getattr(hint, "__supertype__", hint)
    return hint if hint in _ARRAYS else None
