"""Records and lines of the tape as the bytes of a bundle's parts, and back."""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from msgspec import Struct

from orchestrator.bundle.form import PART_BYTES, BadBundle
from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.kernel import Record
from orchestrator.esl.events import SwitchEvent
from orchestrator.store.filed import row_of
from orchestrator.store.mapper import LedgerMapper, Row
from orchestrator.tape.form import Hole, Recorded, decode, encode

_FRAME: Final = struct.Struct(">cI")
_LINE, _HOLE = b"L", b"H"


class _Row(Struct, frozen=True, kw_only=True):
    position: int
    stream: str
    version: int
    topic: str
    state: msgspec.Raw


_encoder: Final = msgspec.json.Encoder()
_row: Final = msgspec.json.Decoder(_Row)
_hole: Final = msgspec.msgpack.Decoder(Hole)


def events_parts(records: Iterable[Record]) -> Iterator[tuple[str, bytes]]:
    """Parts with these records, by their names."""
    mapper = LedgerMapper(CATALOGUE)
    lines = (_event_line(row_of(record, mapper)) for record in records)
    return _named("events/{:06}.jsonl", lines)


def tape_parts(items: Iterable[Recorded | Hole]) -> Iterator[tuple[str, bytes]]:
    """Parts with these lines and holes, by their names."""
    return _named("tape/{:06}.lines", (_framed(item) for item in items))


def rows(parts: Iterable[bytes]) -> Iterator[Row]:
    """The rows of the log. Raises `BadBundle`."""
    for part in parts:
        for line in part.splitlines():
            try:
                found = _row.decode(line)
            except (msgspec.DecodeError, RecursionError) as error:
                raise BadBundle("forged", f"A line of the events is no event: {error}") from None
            yield Row(found.position, found.stream, found.version, found.topic, bytes(found.state))


def lines(parts: Iterable[bytes]) -> Iterator[Recorded | Hole]:
    """The tape; a line that this version cannot read is a hole that says so. Raises `BadBundle`."""
    for part in parts:
        at = 0
        while at < len(part):
            try:
                kind, length = _FRAME.unpack_from(part, at)
            except struct.error:
                raise BadBundle("forged", "The tape ends inside a line.") from None
            at += _FRAME.size
            yield _line(kind, part[at : at + length])
            at += length


def _line(kind: bytes, data: bytes) -> Recorded | Hole:
    try:
        return decode(data) if kind == _LINE else _hole.decode(data)
    except (msgspec.DecodeError, ValueError, KeyError, TypeError, RecursionError) as error:
        return Hole(0, 0, 0, f"a line that this version cannot read: {error}")


def _event_line(row: Row) -> bytes:
    told = _Row(
        position=row.position,
        stream=row.stream,
        version=row.version,
        topic=row.topic,
        state=msgspec.Raw(row.state),
    )
    return _encoder.encode(told) + b"\n"


def _framed(item: Recorded | Hole) -> bytes:
    if isinstance(item, Hole):
        kind, data = _HOLE, msgspec.msgpack.encode(item)
    else:
        body = (item.node, item.body) if isinstance(item.body, SwitchEvent) else item.body
        kind, data = _LINE, encode(item.id, item.at, body)
    return _FRAME.pack(kind, len(data)) + data


def _named(pattern: str, pieces: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    number, size, waiting = 1, 0, []
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= PART_BYTES:
            yield pattern.format(number), b"".join(waiting)
            number, size, waiting = number + 1, 0, []
    if waiting:
        yield pattern.format(number), b"".join(waiting)
