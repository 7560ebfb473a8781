"""What every domain file is made of: events, records, refusals, time and personal fields.

Time is an `Instant`: whole microseconds since 1970-01-01 UTC. Durations are whole milliseconds and end in `_ms`.
"""

from hashlib import blake2b
from typing import Annotated, NewType, TypeAlias

from msgspec import Meta as FieldMeta
from msgspec import Struct

Instant = NewType("Instant", int)

SECOND = 1_000_000
MILLISECOND = 1_000

# A field of this type is sealed under its subject's key before it leaves the process (law 11). `vault` finds the
# mark in the annotation; nothing else in the product needs to know which fields are personal.
Personal: TypeAlias = Annotated[str, FieldMeta(extra={"personal": True})]

# Sealed in the same way, and found again by a blind index over the exact text, which must therefore be E.164.
PersonalNumber: TypeAlias = Annotated[str, FieldMeta(extra={"personal": True, "index": "number"})]


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened. Subclasses are named noun + past participle and listed in `domain.catalogue`."""


class Moment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a fold looks at of an event's provenance."""

    at: Instant
    """Our clock when the event was decided."""
    actor: str = "system"
    """`system`, `agent:<id>`, `admin:<name>`: whose wish it was."""
    wish: str = ""
    """What was asked for, and a digest of the key that it was asked for with (`runner.inputs.wish_of`): sent again, be
    it to another engine, it is known.
    """


class Provenance(Moment, frozen=True, kw_only=True, omit_defaults=True):
    """Who and what stands behind an event; stored beside it, never inside it."""

    origin: str = ""
    """The kind of input that led here: `switch`, `command`, `timer`, `policy`, `config`, `recovery`, `engine`."""
    node: str = ""
    """The switch whose news led here, where one did."""
    switch_at: Instant | None = None
    """The switch's own timestamp of that news."""
    causation: str = ""
    """Id of the runner's input (or desk command) that caused it."""
    correlation: str = ""
    """What ties events of several streams together; the contact's stream for live work."""
    trace: str = ""
    """W3C traceparent of the request, where one came with it."""


class Happened(Struct, frozen=True, kw_only=True):
    """One event at its place in one stream, as far as a fold looks at it."""

    stream: str
    version: int
    """1 for the first event of the stream; no number is ever missing."""
    event: Event
    about: Moment
    position: int = 0
    """Its place in the whole log, 0 until it is stored."""


class Record(Happened, frozen=True, kw_only=True):
    """One event at its place in one stream, with all that is stored of it."""

    event_id: str
    about: Provenance


class Place(Struct):
    """How far somebody has come in the log: told once to many who want to know."""

    position: int = 0


class UnknownEvent(Event, frozen=True, kw_only=True):
    """A stored event whose name or version this code does not know: kept and shown, never dropped."""

    name: str
    version: int
    body: bytes


class Refused(Exception):
    """A command that the rules do not allow. Carries a stable code for programs and a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def derived_id(*parts: str | int) -> str:
    """A UUID-shaped id that is the same whenever the same parts are given (law 3: a re-drive makes the same ids)."""
    digest = blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def stream(kind: str, ident: str) -> str:
    """The name of a stream, `contact-…`. The id is ours or a clean configuration id, never a caller's string."""
    return f"{kind}-{ident}"


def kind_of(stream_name: str) -> str:
    """The kind before the first dash of a stream's name."""
    return stream_name.partition("-")[0]


def ident_of(stream_name: str) -> str:
    """The id after the first dash of a stream's name."""
    return stream_name.partition("-")[2]


# Streams that only the active orchestrator may write, fenced by the lease epoch (law 4). All others are desk streams,
# guarded by their version alone.
LIVE_KINDS = frozenset({"contact", "shift", "node", "engine"})
