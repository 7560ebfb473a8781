"""Arrays as PostgreSQL's binary protocol wants them, built in one join.

psycopg's own dumper of lists calls a dumper for each element and guesses the element type (and for an empty list cannot
know it). A batch of 500 events has 2 000 elements; their type is known here.
"""

import struct
from collections.abc import Sequence
from typing import ClassVar, Final

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

# Object ids of built-in types never change: pg_type.dat in PostgreSQL's source.
_BYTEA, _INT8, _TEXT = 17, 20, 25
_BYTEA_ARRAY, _INT8_ARRAY, _TEXT_ARRAY = 1001, 1016, 1009
_HEAD: Final = struct.Struct("!iiIii")
_EMPTY: Final = struct.Struct("!iiI")
_LENGTH: Final = struct.Struct("!i")
_NULL: Final = _LENGTH.pack(-1)


class Array:
    """A one-dimensional array, already in binary form."""

    __slots__ = ("data",)
    element: ClassVar[int]

    def __init__(self, items: Sequence[bytes | None]) -> None:
        if not items:
            self.data = _EMPTY.pack(0, 0, self.element)
            return
        pieces = [_HEAD.pack(1, int(None in items), self.element, len(items), 1)]
        for item in items:
            if item is None:
                pieces.append(_NULL)
            else:
                pieces.append(_LENGTH.pack(len(item)))
                pieces.append(item)
        self.data = b"".join(pieces)


class ByteaArray(Array):
    """bytea[]"""

    __slots__ = ()
    element = _BYTEA


class TextArray(Array):
    """text[]"""

    __slots__ = ()
    element = _TEXT

    def __init__(self, items: Sequence[str | None]) -> None:
        super().__init__([None if item is None else item.encode() for item in items])


class BigintArray(Array):
    """bigint[]"""

    __slots__ = ()
    element = _INT8

    def __init__(self, items: Sequence[int]) -> None:
        super().__init__([item.to_bytes(8, "big", signed=True) for item in items])


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Array) -> Buffer:
        return obj.data


class _ByteaArrayDumper(_ArrayDumper):
    oid = _BYTEA_ARRAY


class _TextArrayDumper(_ArrayDumper):
    oid = _TEXT_ARRAY


class _BigintArrayDumper(_ArrayDumper):
    oid = _INT8_ARRAY


for _array, _dumper in (
    (ByteaArray, _ByteaArrayDumper),
    (TextArray, _TextArrayDumper),
    (BigintArray, _BigintArrayDumper),
):
    psycopg.adapters.register_dumper(_array, _dumper)
