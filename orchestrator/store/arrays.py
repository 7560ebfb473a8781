"""Arrays as PostgreSQL's binary protocol wants them, built in one join.

psycopg's own dumper of lists calls a dumper for each element and guesses the element type (and for an empty list cannot
know it). A batch of 500 events has 2 000 elements; their type is known here.
"""

import struct
from collections.abc import Sequence
from typing import Any, ClassVar, Final

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

# Object ids of built-in types never change: pg_type.dat in PostgreSQL's source.
_BOOL, _BYTEA, INT8, TEXT = 16, 17, 20, 25
_BOOL_ARRAY, BYTEA_ARRAY, INT8_ARRAY, TEXT_ARRAY = 1000, 1001, 1016, 1009
_HEAD: Final = struct.Struct("!iiIii")
_EMPTY: Final = struct.Struct("!iiI")
_LENGTH: Final = struct.Struct("!i")
_BIGINT: Final = struct.Struct("!q")
_NULL: Final = _LENGTH.pack(-1)
# Almost every element is shorter than this, and looking its length up is several times quicker than packing it.
_LENGTHS: Final = tuple(_LENGTH.pack(length) for length in range(1_024))


def bigint(number: int) -> bytes:
    """A bigint in binary form."""
    return _BIGINT.pack(number)


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
                length = len(item)
                pieces += (_LENGTHS[length] if length < len(_LENGTHS) else _LENGTH.pack(length), item)
        self.data = b"".join(pieces)


class ByteaArray(Array):
    """bytea[]"""

    __slots__ = ()
    element = _BYTEA


class TextArray(Array):
    """text[]"""

    __slots__ = ()
    element = TEXT

    def __init__(self, items: Sequence[str | None]) -> None:
        super().__init__([None if item is None else item.encode() for item in items])


class BigintArray(Array):
    """bigint[]"""

    __slots__ = ()
    element = INT8

    def __init__(self, items: Sequence[int | None]) -> None:
        count = len(items)
        if not count:
            super().__init__(())
            return
        if None in items:
            super().__init__([None if item is None else _BIGINT.pack(item) for item in items])
            return
        # Each element is its length, always 8, and its value.
        pairs: list[Any] = [8] * (2 * count)
        pairs[1::2] = items
        self.data = _HEAD.pack(1, 0, self.element, count, 1) + struct.pack("!" + "iq" * count, *pairs)


class BoolArray(Array):
    """boolean[]"""

    __slots__ = ()
    element = _BOOL

    def __init__(self, items: Sequence[bool | None]) -> None:
        super().__init__([None if item is None else b"\x01" if item else b"\x00" for item in items])


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Array) -> Buffer:
        return obj.data


class _ByteaArrayDumper(_ArrayDumper):
    oid = BYTEA_ARRAY


class _TextArrayDumper(_ArrayDumper):
    oid = TEXT_ARRAY


class _BigintArrayDumper(_ArrayDumper):
    oid = INT8_ARRAY


class _BoolArrayDumper(_ArrayDumper):
    oid = _BOOL_ARRAY


for _array, _dumper in (
    (BoolArray, _BoolArrayDumper),
    (ByteaArray, _ByteaArrayDumper),
    (TextArray, _TextArrayDumper),
    (BigintArray, _BigintArrayDumper),
):
    psycopg.adapters.register_dumper(_array, _dumper)
