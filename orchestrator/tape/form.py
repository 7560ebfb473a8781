"""What stands on the tape and how: a header in the clear, then blocks, each compressed, sealed and numbered.

    segment   RINGTAPE1 <u32 length> header                 JSON: format, epoch, serial, began, removed, dictionary
    block     <u32 length> <sealed bytes>                   sealed under the segment's key, bound to its place in it
      inside  <u64 number of the first line> zlib( lines)   each line a msgpack array [id, at, node, kind, body]

A line is an input, or what a step told the switches (`Told`, after its input, under the id of the step). Lines are
numbered from 1 within an epoch, so whatever is missing shows. The dictionary primes the compressor: a block of a quiet
second has one event in it, most of which are the names of its headers. Format 1 had no lines of what was told.
"""

import base64
import json
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar, Union

import msgspec
from msgspec import Struct

from orchestrator.domain.catalogue import BY_CLASS, CATALOGUE
from orchestrator.domain.kernel import Instant, Provenance, Record, UnknownEvent
from orchestrator.domain.switch import instructions
from orchestrator.domain.switch.facts import Fact
from orchestrator.domain.switch.instructions import Instruction
from orchestrator.esl.events import HEADERS, SwitchEvent
from orchestrator.runner import inputs
from orchestrator.runner.inputs import (
    DatabaseAway,
    DatabaseBack,
    DeskCommand,
    Followed,
    SendDigits,
    Started,
    TimerFired,
)

MAGIC: Final = b"RINGTAPE1\n"
FORMAT: Final = 2
READ: Final = (1, 2)
SUFFIX: Final = ".tape"
LENGTH: Final = struct.Struct(">I")
FIRST: Final = struct.Struct(">Q")
_NAME: Final = re.compile(r"([0-9]{10})-([0-9]{8})\.tape")
# Of zlib. On the captures: level 1 takes 1.4 us and 43 bytes an event in full blocks, level 6 takes 2.7 us and 34.
_LEVEL: Final = 1


class Sealer(Protocol):
    """What the tape needs of the vault."""

    def seal_bytes(self, name: str, plain: bytes, bound_to: bytes = b"") -> bytes:
        """`plain` under the key of this name."""

    def open_bytes(self, name: str, sealed: bytes, bound_to: bytes = b"") -> bytes:
        """What `seal_bytes` was given."""


class Told(Struct, frozen=True, array_like=True):
    """What one step told the switches, in its order."""

    instructions: tuple[Instruction, ...]


class Recorded(Struct, frozen=True):
    """One line: an input as it came, or what its step told. `node` is the switch of an event, otherwise empty."""

    id: str
    at: Instant
    node: str
    body: "SwitchEvent | inputs.Body | Told"


class Hole(Struct, frozen=True):
    """Lines that are not there. `first` to `last` are their numbers in `epoch`; `last` 0 where it cannot be known."""

    epoch: int
    first: int
    last: int
    why: str


class Header(Struct, frozen=True, kw_only=True):
    """What a segment says of itself, in the clear. Nothing in it is personal."""

    format: int
    epoch: int
    serial: int
    began: Instant
    removed: tuple[str, ...] = ()
    """Segments that were removed, when this one was begun, to keep within the bound."""
    dictionary: str = ""
    """The compressor's, base64: a reader years later must not depend on today's code."""


class _Followed(Struct, frozen=True, array_like=True):
    """A record, its event under its catalogue name."""

    stream: str
    record_version: int
    event_id: str
    about: Provenance
    position: int
    name: str
    version: int
    event: msgspec.Raw


# Whatever a switch can be told, also what is added later.
_Keys = TypeVar("_Keys", SendDigits, instructions.SendDigits)
_AnyInstruction: Any = Union[tuple(Instruction.__subclasses__())]  # noqa: UP007 - made of a list

# --- inputs as bytes -------------------------------------------------------------------------------------------------
_encoder: Final = msgspec.msgpack.Encoder()
_line: Final = msgspec.msgpack.Decoder(tuple[str, int, str, str, msgspec.Raw])
_bodies: Final[Mapping[str, msgspec.msgpack.Decoder[Any]]] = {
    "event": msgspec.msgpack.Decoder(SwitchEvent),
    "fact": msgspec.msgpack.Decoder(inputs.Fact),
    "command": msgspec.msgpack.Decoder(inputs.Command),
    "timer": msgspec.msgpack.Decoder(TimerFired),
    "started": msgspec.msgpack.Decoder(Started),
    "database": msgspec.msgpack.Decoder(DatabaseBack),
    "away": msgspec.msgpack.Decoder(DatabaseAway),
    "followed": msgspec.msgpack.Decoder(_Followed),
    "told": msgspec.msgpack.Decoder(tuple[tuple[_AnyInstruction, ...]]),
}
_builtins: Final = msgspec.msgpack.Decoder()


_AS_IT_IS: Final = frozenset({"event", "fact", "timer", "started", "database", "away"})


def encode(input_id: str, at: Instant, body: object) -> bytes:
    """One line. `body` is one of the runner's, (node, SwitchEvent), or `Told`. Raises TypeError for anything else."""
    node = ""
    if isinstance(body, tuple):
        node, body = body
    kind = _kind(body)
    return _encoder.encode((input_id, at, node, kind, body if kind in _AS_IT_IS else _as_written(body)))


def _kind(body: object) -> str:
    match body:
        case SwitchEvent():
            return "event"
        case Told():
            return "told"
        case Fact():
            return "fact"
        case TimerFired():
            return "timer"
        case DeskCommand():
            return "command"
        case Followed():
            return "followed"
        case Started():
            return "started"
        case DatabaseBack():
            return "database"
        case DatabaseAway():
            return "away"
    raise TypeError(f"{type(body).__name__} is no input of the runner and cannot stand on the tape")


def _as_written(body: object) -> object:
    if isinstance(body, SendDigits):
        return _starred(body)
    if isinstance(body, Told):
        told = body.instructions
        return Told(tuple(_starred(each) if isinstance(each, instructions.SendDigits) else each for each in told))
    if not isinstance(body, Followed):
        return body
    record = body.record
    if isinstance(record.event, UnknownEvent):
        name, version, raw = record.event.name, record.event.version, _encoder.encode(record.event.body)
    else:
        entry = BY_CLASS[type(record.event)]
        name, version, raw = entry.name, entry.version, _encoder.encode(record.event)
    return _Followed(
        record.stream,
        record.version,
        record.event_id,
        record.about,
        record.position,
        name,
        version,
        msgspec.Raw(raw),
    )


def _starred(keys: _Keys) -> _Keys:
    """Keys are secrets of whoever typed them. As many stars decide the same; a star is a key, too."""
    return msgspec.structs.replace(keys, digits="*" * len(keys.digits))


def decode(line: bytes) -> Recorded:
    """One line back. Raises msgspec.DecodeError (also for a shape that this code no longer knows)."""
    input_id, at, node, kind, raw = _line.decode(line)
    decoder = _bodies.get(kind)
    if decoder is None:
        raise msgspec.DecodeError(f"an input of a kind that is not known: {kind!r}")
    body = decoder.decode(raw)
    if kind == "told":
        body = Told(*body)
    return Recorded(input_id, Instant(at), node, _record(body) if isinstance(body, _Followed) else body)


def _record(written: _Followed) -> Followed:
    entry = CATALOGUE.get(written.name)
    if entry is None or written.version > entry.version:
        # One that was not known either when it was taped is on it as the bytes of the log.
        body = _builtins.decode(written.event)
        kept = body if isinstance(body, bytes) else bytes(written.event)
        event: Any = UnknownEvent(name=written.name, version=written.version, body=kept)
    else:
        body = _builtins.decode(written.event)
        for upcast in entry.upcasters[written.version - 1 :]:
            body = upcast(body)
        event = msgspec.convert(body, entry.cls)
    return Followed(
        record=Record(
            stream=written.stream,
            version=written.record_version,
            event=event,
            event_id=written.event_id,
            about=written.about,
            position=written.position,
        )
    )


# --- blocks ----------------------------------------------------------------------------------------------------------
# The end of a zlib dictionary is what it finds cheapest, so the commonest comes last.
DICTIONARY: Final = (
    "LegCreatedLegRingingLegAnsweredLegBridgedLegUnbridgedLegHeldLegResumedRecordingStartedRecordingStoppedJobDone"
    "PhoneRegisteredPhoneGoneSnapshotLegPresenceInstructionSkippedInstructionFailedcommandstartedfollowed"
    "timerwhatidentfacttypeBACKGROUND_JOBHEARTBEATCUSTOMsofia::registerRECORD_STARTRECORD_STOPNORMAL_CLEARING"
    "CHANNEL_HOLDCHANNEL_UNHOLDCHANNEL_PROGRESS_MEDIACHANNEL_UNBRIDGECHANNEL_BRIDGECHANNEL_HANGUP_COMPLETE"
    "CHANNEL_PARKCHANNEL_CREATECHANNEL_ANSWERringledger-inboundringledger-agentsinternaltrunkoutboundinbound"
    + "".join(HEADERS.values())
).encode()


def pack(first: int, lines: list[bytes], dictionary: bytes) -> bytes:
    """Lines, the first of which has this number, as the inside of a block."""
    squeezer = zlib.compressobj(_LEVEL, zdict=dictionary)
    parts = (LENGTH.pack(len(line)) + line for line in lines)
    return FIRST.pack(first) + squeezer.compress(b"".join(parts)) + squeezer.flush()


def unpack(block: bytes, dictionary: bytes) -> tuple[int, list[bytes]]:
    """The number of the first line, and the lines. Raises zlib.error or struct.error for what is no block."""
    (first,) = FIRST.unpack_from(block)
    data = zlib.decompressobj(zdict=dictionary).decompress(block[FIRST.size :])
    return first, list(_lines(data))


def _lines(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        (length,) = LENGTH.unpack_from(data, at)
        at += LENGTH.size
        yield data[at : at + length]
        at += length


# --- segments --------------------------------------------------------------------------------------------------------
def segment_name(epoch: int, serial: int) -> str:
    """The file name of a segment; names sort as the tape runs."""
    return f"{epoch:010d}-{serial:08d}{SUFFIX}"


def place_of(path: Path) -> tuple[int, int] | None:
    """(epoch, serial) of a segment by its name; None for any other file."""
    found = _NAME.fullmatch(path.name)
    return (int(found[1]), int(found[2])) if found else None


def key_name(epoch: int, serial: int) -> str:
    """The name of a segment's key in the vault."""
    return f"tape {epoch} {serial}"


def bound_to(index: int) -> bytes:
    """What the seal of the block at this index (0 the first) is bound to, so that none can be moved."""
    return LENGTH.pack(index)


def header_bytes(header: Header) -> bytes:
    """The beginning of a segment."""
    text = msgspec.json.encode(header)
    return MAGIC + LENGTH.pack(len(text)) + text


def dictionary_of(header: Header) -> bytes:
    """The compressor's dictionary of a segment."""
    return base64.b64decode(header.dictionary)


def header_for(epoch: int, serial: int, began: Instant, removed: tuple[str, ...]) -> Header:
    """The header of a new segment."""
    return Header(
        format=FORMAT,
        epoch=epoch,
        serial=serial,
        began=began,
        removed=removed,
        dictionary=base64.b64encode(DICTIONARY).decode(),
    )


def read_header(data: bytes) -> tuple[Header, int]:
    """The header at the beginning of a segment, and where its blocks begin. Raises ValueError for anything else."""
    start = len(MAGIC) + LENGTH.size
    if not data.startswith(MAGIC) or len(data) < start:
        raise ValueError("it does not begin as a tape does")
    (length,) = LENGTH.unpack_from(data, len(MAGIC))
    try:
        header = msgspec.json.decode(data[start : start + length], type=Header)
    except (msgspec.DecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"its header cannot be read: {error}") from None
    if header.format not in READ:
        raise ValueError(f"it has format {header.format}; this version reads {' and '.join(map(str, READ))}")
    return header, start + length
