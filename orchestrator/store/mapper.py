"""Events as bytes and back: names and versions from the catalogue, upcasting, and the places of personal text.

A stored state is one JSON object that a person with SQL can read,

    {"id": event id, "about": provenance, "event": body}

and its topic is `<name>.v<version>`, never a module path. A personal text in the body is stored as
`{"$sealed": "<base64>"}`: it tells by itself that it is sealed, so that a body of an old version, whose class is gone,
can still be opened before it is upcast. An empty one is the text of a person whose key was destroyed before.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

import msgspec
from msgspec import Struct

from orchestrator.domain.catalogue import Entry
from orchestrator.domain.kernel import Event, Happened, Moment, Provenance, Record, UnknownEvent
from orchestrator.domain.personal import PersonalText, Shape, collect, is_flat, shape_of
from orchestrator.store.errors import Corrupt, WrongKind
from orchestrator.store.library import JSONTranscoder, Mapper, StoredEvent
from orchestrator.vault import ERASED, SEALED, DataKey, Tampered, open_text

SEAL_MARK: Final = "$sealed"
# As the encoder writes it. Inside a JSON string the quotes would be escaped, so no caller's name can look like it.
_SEAL_BYTES: Final = b'{"$sealed":'
_SEALED_TEXT: Final = b":" + _SEAL_BYTES + b'"'

Opener: TypeAlias = Callable[[str, str, str], str]
"""(stream, field path, sealed base64) → the text, or a marker that stands for it."""

_E = TypeVar("_E")


class State(Struct, Generic[_E], frozen=True):
    """What the `state` column holds."""

    id: str
    about: Provenance
    event: _E


class _Told(Struct, Generic[_E], frozen=True):
    """What a fold looks at of a state."""

    about: Moment
    event: _E


class _Identity(Struct, frozen=True):
    id: str


class _Moment(Struct, frozen=True):
    at: int


class _Instant(Struct, frozen=True):
    about: _Moment


class Row(Struct, frozen=True):
    """A stored event as it lies in the table."""

    position: int
    stream: str
    version: int
    topic: str
    state: bytes


class Draft(Struct, frozen=True):
    """An event on its way to the log: all that can be done without keys is done and checked."""

    record: Record
    entry: Entry
    topic: str
    state: bytes
    """Final where there is no personal text in it."""
    body: Any
    texts: tuple[PersonalText, ...]


_encoder: Final = msgspec.json.Encoder()
_raw_state: Final = msgspec.json.Decoder(State[msgspec.Raw])
_loose_state: Final = msgspec.json.Decoder(State[Any])
_identity: Final = msgspec.json.Decoder(_Identity)
_instant: Final = msgspec.json.Decoder(_Instant)


def mask(_stream: str, _path: str, _sealed: str) -> str:
    """The opener of those who have no keys."""
    return SEALED


def opener_of(keys: Mapping[str, DataKey | None]) -> Opener:
    """Opens with these keys of streams; `‹erased›` where a stream's was destroyed, or a text was stored without one."""

    def open_one(stream: str, path: str, sealed: str) -> str:
        key = keys.get(stream)
        return ERASED if key is None or not sealed else open_text(key, stream, path, sealed)

    return open_one


def event_id_of(state: bytes) -> str:
    """The event id alone, without looking at the rest."""
    return _identity.decode(state).id


def instant_of(state: bytes) -> int:
    """`about.at` alone, in microseconds. Raises `Corrupt`."""
    try:
        return _instant.decode(state).about.at
    except (msgspec.DecodeError, RecursionError) as error:
        raise Corrupt(f"A stored event does not say when it was: {error}") from error


def is_sealed(state: bytes) -> bool:
    """Whether any text in it is sealed."""
    return _SEAL_BYTES in state


class _Shared(Struct, frozen=True):
    """What follows from a class of events alone, and takes long to make: every mapper of this process has the same."""

    shape: Shape | None
    flat: bool
    """All its personal texts are fields of the event itself, and so can be opened where they stand."""
    decoder: msgspec.json.Decoder[State[Any]]
    tell: Callable[[bytes], _Told[Any]] | None
    """Where its texts can be opened where they stand."""


@cache
def _shared(cls: type[Event]) -> _Shared:
    shape = shape_of(cls)
    flat = shape is not None and is_flat(shape)
    tell = msgspec.json.Decoder(_Told[cls]).decode if shape is None or flat else None  # type: ignore[valid-type]
    return _Shared(shape, flat, msgspec.json.Decoder(State[cls]), tell)  # type: ignore[valid-type]


class _Tables:
    """All that a mapper looks up, which follows from its catalogue alone."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.by_class: dict[type[Event], Entry] = {}
        self.topic_of: dict[type[Event], str] = {}
        self.ways: dict[type[Event], tuple[Entry, str, str, Shape | None]] = {}
        """Of each class: its entry, how the names of its streams begin, its topic, and where personal text is in it."""
        self.topics: dict[str, tuple[Entry, int]] = {}
        self.decoders: dict[str, msgspec.json.Decoder[State[Any]]] = {}
        self.tellers: dict[str, tuple[Callable[[bytes], _Told[Any]], bool]] = {}
        """By topic, for today's versions whose texts can be opened where they stand: what decodes them, and whether
        personal text may be in it.
        """
        self.readers: dict[str, tuple[Callable[[bytes], State[Any]], bool]] = {}
        """The same of whole records."""
        self.flat: set[type[Event]] = set()
        """Those whose personal texts all are fields of the event itself, and so can be opened where they stand."""
        for entry in entries:
            self._add(entry)

    def _add(self, entry: Entry) -> None:
        if len(entry.upcasters) != entry.version - 1:
            raise ValueError(f"{entry.name} is at version {entry.version} with {len(entry.upcasters)} upcasters")
        shared, topic = _shared(entry.cls), _topic(entry.name, entry.version)
        self.by_class[entry.cls], self.topic_of[entry.cls] = entry, topic
        self.ways[entry.cls] = (entry, f"{entry.kind}-", topic, shared.shape)
        if shared.flat:
            self.flat.add(entry.cls)
        self.decoders[entry.name] = shared.decoder
        if shared.tell is not None:
            self.tellers[topic] = (shared.tell, shared.shape is not None)
            self.readers[topic] = (shared.decoder.decode, shared.shape is not None)
        for version in range(1, entry.version + 1):
            self.topics[_topic(entry.name, version)] = (entry, version)


@lru_cache(maxsize=8)
def _tables_of(*entries: Entry) -> _Tables:
    """Those of this catalogue, made once a process: nobody writes to them."""
    return _Tables(entries)


class LedgerMapper(Mapper[str]):
    """The library's mapper over our records. Made from a catalogue once; safe to share between threads."""

    def __init__(self, catalogue: Mapping[str, Entry]) -> None:
        super().__init__(JSONTranscoder())
        tables = _tables_of(*catalogue.values())
        self._by_class, self._topic_of = tables.by_class, tables.topic_of
        self._ways, self._topics, self._flat = tables.ways, tables.topics, tables.flat
        self._decoders, self._tellers, self._readers = tables.decoders, tables.tellers, tables.readers

    def topics(self, cls: type[Event]) -> frozenset[str]:
        """Under which topics an event of this class lies in the log, of any version."""
        name = self._by_class[cls].name
        return frozenset(topic for topic, (entry, _) in self._topics.items() if entry.name == name)

    def entry_of(self, event: Event) -> Entry:
        """The catalogue's entry; raises `WrongKind` for an event that is not listed and so cannot be stored."""
        entry = self._by_class.get(type(event))
        if entry is None:
            raise _unlisted(event)
        return entry

    def adopting(self) -> list[str]:
        """The topics, of every version, of events that hang their stream's key under somebody's."""
        return [topic for topic, (entry, _) in self._topics.items() if entry.adopts_key_of is not None]

    def draft(self, record: Record) -> Draft:
        """Check and encode. Raises `WrongKind`, or ValueError for text that is no Unicode (a lone surrogate)."""
        way = self._ways.get(type(record.event))
        if way is None:
            raise _unlisted(record.event)
        entry, beginning, topic, shape = way
        if not record.stream.startswith(beginning):
            raise WrongKind(f"{entry.name} lives in {entry.kind}-… streams, not in {record.stream}.")
        if shape is not None:
            body = msgspec.to_builtins(record.event)
            texts: list[PersonalText] = []
            collect(shape, body, "", texts)
            if texts:
                for each in texts:
                    each.text.encode()  # raises here, at the caller, and not later at the writer
                return Draft(record, entry, topic, b"", body, tuple(texts))
        return Draft(record, entry, topic, _encode(record, record.event), None, ())

    def finish(self, draft: Draft, seal: Callable[[PersonalText], str]) -> bytes:
        """The state with each personal text replaced by what `seal` makes of it. May be done again for a retry."""
        if not draft.texts:
            return draft.state
        for each in draft.texts:
            each.holder[each.key] = {SEAL_MARK: seal(each)}
        return _encode(draft.record, draft.body)

    def plain(self, record: Record) -> tuple[str, bytes]:
        """Topic and state with nothing sealed in it, for whoever seals it as a whole; `record` reads it again."""
        return self._topic_of[self.entry_of(record.event).cls], _encode(record, record.event)

    def to_stored_event(self, domain_event: Record) -> StoredEvent:  # type: ignore[override]
        """For the library's own tools. Personal text needs keys, which only the writers have: raises `WrongKind`."""
        draft = self.draft(domain_event)
        if draft.texts:
            raise WrongKind(f"{draft.entry.name} carries personal text: append it through a writer, which seals it.")
        return StoredEvent(domain_event.stream, domain_event.version, draft.topic, draft.state)

    def to_domain_event(self, stored_event: StoredEvent) -> Record:  # type: ignore[override]
        """For the library's own tools: the record, with personal text masked."""
        return self.record(
            str(stored_event.originator_id),
            stored_event.originator_version,
            stored_event.topic,
            stored_event.state,
            position=int(getattr(stored_event, "id", 0)),
        )

    def record(
        self, stream: str, version: int, topic: str, state: bytes, *, position: int = 0, opener: Opener = mask
    ) -> Record:
        """A stored row as a record of today's classes.

        A name or version that this code does not know comes as `UnknownEvent`. Raises `Corrupt` for a row that is
        damaged, or that its upcasters cannot bring to today's shape.
        """
        reader = self._readers.get(topic)
        if reader is not None:
            decode, personal = reader
            try:
                found = decode(_opened(stream, state, opener) if personal and _SEAL_BYTES in state else state)
            except (msgspec.MsgspecError, Tampered, ValueError):  # the whole way says what is wrong with it
                found = self._state(stream, version, topic, state, position, opener)
        else:
            found = self._state(stream, version, topic, state, position, opener)
        return Record(
            stream=stream,
            version=version,
            event=cast("Event", found.event),
            event_id=found.id,
            about=found.about,
            position=position,
        )

    def records(self, rows: Iterable[Row], opener: Opener = mask) -> Iterator[Record]:
        """The same of many rows, as they are asked for."""
        readers = self._readers
        for row in rows:
            stream, topic, state = row.stream, row.topic, row.state
            reader = readers.get(topic)
            try:
                if reader is None:
                    yield self.record(stream, row.version, topic, state, position=row.position, opener=opener)
                    continue
                decode, personal = reader
                found = decode(_opened(stream, state, opener) if personal and _SEAL_BYTES in state else state)
            except (msgspec.MsgspecError, Tampered, ValueError):  # the whole way says what is wrong with it
                yield self.record(stream, row.version, topic, state, position=row.position, opener=opener)
                continue
            yield Record(
                stream=stream,
                version=row.version,
                event=found.event,
                event_id=found.id,
                about=found.about,
                position=row.position,
            )

    def _state(self, stream: str, version: int, topic: str, state: bytes, position: int, opener: Opener) -> State[Any]:
        """What the state holds, whatever its name and version. Raises `Corrupt`."""
        known = self._topics.get(topic)
        try:
            if known is None:
                return self._unknown(topic, state)
            entry, stored_version = known
            if stored_version == entry.version and entry.cls in self._flat and is_sealed(state):
                state = _opened(stream, state, opener)
            if is_sealed(state) or stored_version != entry.version:
                return self._modern(stream, state, entry, stored_version, opener)
            return self._decoders[entry.name].decode(state)
        except (msgspec.MsgspecError, Tampered, LookupError, TypeError, ValueError, AttributeError) as error:
            raise Corrupt(
                f"{topic} at {stream} version {version}, position {position}, is unreadable: {error}"
            ) from error

    def told(self, rows: Iterable[tuple[int, str, int, str, bytes]], opener: Opener = mask) -> list[Happened]:
        """The same of many rows, each with its position first, as far as a fold looks at it: at half the cost."""
        found: list[Happened] = []
        tellers, keep = self._tellers, found.append
        for position, stream, version, topic, state in rows:
            teller = tellers.get(topic)
            try:
                if teller is None:
                    keep(self.record(stream, version, topic, state, position=position, opener=opener))
                    continue
                decode, personal = teller
                told = decode(_opened(stream, state, opener) if personal and _SEAL_BYTES in state else state)
            except (msgspec.MsgspecError, Tampered, ValueError):  # the whole way says what is wrong with it
                keep(self.record(stream, version, topic, state, position=position, opener=opener))
            else:
                keep(Happened(stream=stream, version=version, event=told.event, about=told.about, position=position))
        return found

    def _modern(self, stream: str, state: bytes, entry: Entry, version: int, opener: Opener) -> State[Any]:
        """The state with sealed text opened and the body brought from `version` to the entry's."""
        loose = _loose_state.decode(state)
        body = _open(loose.event, "", lambda path, sealed: opener(stream, path, sealed))
        for upcast in entry.upcasters[version - 1 :]:
            body = upcast(body)
        return State(loose.id, loose.about, msgspec.convert(body, entry.cls, str_keys=True))

    def _unknown(self, topic: str, state: bytes) -> State[Any]:
        raw = _raw_state.decode(state)
        name, _, number = topic.rpartition(".v")
        event = UnknownEvent(name=name or topic, version=int(number) if number.isdigit() else 0, body=bytes(raw.event))
        return State(raw.id, raw.about, event)


def _unlisted(event: Event) -> WrongKind:
    return WrongKind(f"{type(event).__name__} is not in the catalogue of events and cannot be stored.")


def _topic(name: str, version: int) -> str:
    return f"{name}.v{version}"


def _encode(record: Record, body: object) -> bytes:
    try:
        return _encoder.encode(State(record.event_id, record.about, body))
    except UnicodeEncodeError as error:
        raise ValueError(f"A text of {type(record.event).__name__} at {record.stream} is not Unicode.") from error


def _opened(stream: str, state: bytes, opener: Opener) -> bytes:
    """The state with the sealed fields of its event opened where they stand."""
    before, *after = state.split(_SEALED_TEXT)
    parts = [before]
    for each in after:
        field = before[before.rindex(b'"', 0, -1) + 1 : -1].decode()
        sealed, _, before = each.partition(b'"}')
        parts += (b":", _encoder.encode(opener(stream, field, sealed.decode())), before)
    return b"".join(parts)


def _open(value: Any, path: str, opener: Callable[[str, str], str]) -> Any:  # noqa: ANN401 - plain data
    if isinstance(value, dict):
        if len(value) == 1 and isinstance(sealed := value.get(SEAL_MARK), str):
            return opener(path.removesuffix("."), sealed)
        return {key: _open(part, f"{path}{key}.", opener) for key, part in value.items()}
    if isinstance(value, list):
        return [_open(part, f"{path}{place}.", opener) for place, part in enumerate(value)]
    return value
