"""A small vocabulary of its own, so that the store is tested as a store, and what its tests are built from."""

import itertools
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from msgspec import Struct

from orchestrator.domain.catalogue import Entry
from orchestrator.domain.kernel import Event, Instant, Personal, PersonalNumber, Provenance, Record
from orchestrator.store import DeskWriter, Fence, Hooks, KeyShelf, LiveWriter, Log, Source
from orchestrator.store.connections import STATEMENT_TIMEOUT_MS
from orchestrator.store.writer import BATCH, QUEUE_LIMIT
from orchestrator.vault import Vault
from tests.postgres import Database

SITE = "main"
NAME, NUMBER = "Wang Xiaoming", "+8613800138000"


class CallTaken(Event, frozen=True, kw_only=True):
    number: Personal = ""
    name: Personal = ""
    note: str = ""


class CallIdentified(Event, frozen=True, kw_only=True):
    customer_id: str


class ShiftOpened(Event, frozen=True, kw_only=True):
    agent: str


class Phone(Struct, frozen=True):
    number: PersonalNumber
    label: str = ""


class CustomerMade(Event, frozen=True, kw_only=True):
    name: Personal
    number: PersonalNumber = ""
    others: tuple[Phone, ...] = ()
    nick: Personal | None = None


class NoteWritten(Event, frozen=True, kw_only=True):
    text: str = ""


def _customer_of(event: Event) -> str | None:
    return f"customer-{event.customer_id}" if isinstance(event, CallIdentified) else None


def catalogue(*entries: Entry) -> Mapping[str, Entry]:
    return {entry.name: entry for entry in entries}


ENTRIES = (
    Entry(name="CallTaken", cls=CallTaken, kind="contact"),
    Entry(name="CallIdentified", cls=CallIdentified, kind="contact", adopts_key_of=_customer_of),
    Entry(name="ShiftOpened", cls=ShiftOpened, kind="shift"),
    Entry(name="CustomerMade", cls=CustomerMade, kind="customer"),
    Entry(name="NoteWritten", cls=NoteWritten, kind="customer"),
)
CATALOGUE = catalogue(*ENTRIES)

_ids = itertools.count(1)


def record(stream: str, version: int, event: Event, *, at: int = 0, event_id: str = "") -> Record:
    """A record with an id of its own, at a second of the log's time."""
    about = Provenance(at=Instant(at * 1_000_000))
    return Record(stream=stream, version=version, event=event, event_id=event_id or f"e{next(_ids)}", about=about)


def calls(stream: str, *versions: int) -> list[Record]:
    return [record(stream, version, CallTaken(note=f"{stream}/{version}")) for version in versions]


def notes(stream: str, *versions: int) -> list[Record]:
    return [record(stream, version, NoteWritten(text=f"{stream}/{version}")) for version in versions]


def places(records: Iterable[Record]) -> list[tuple[str, int]]:
    return [(each.stream, each.version) for each in records]


def take_lease(url: str, *, epoch: int = 1, holder: str = "me", site: str = SITE) -> Fence:
    """Put the lease into the database as a leader would leave it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO ringledger_lease (site, holder, epoch) VALUES (%s, %s, %s)"
            " ON CONFLICT (site) DO UPDATE SET holder = excluded.holder, epoch = excluded.epoch",
            (site, holder, epoch),
        )
    return Fence(site, epoch, holder)


@dataclass
class Heard:
    """What a writer told."""

    away: list[BaseException] = field(default_factory=list)
    back: list[bool] = field(default_factory=list)
    deposed: list[BaseException] = field(default_factory=list)
    failed: list[BaseException] = field(default_factory=list)
    gone_away: threading.Event = field(default_factory=threading.Event)
    has_ended: threading.Event = field(default_factory=threading.Event)

    def hooks(self) -> Hooks:
        return Hooks(
            on_away=self._on_away, on_back=self._on_back, on_deposed=self._on_deposed, on_failed=self._on_failed
        )

    def _on_away(self, error: BaseException) -> None:
        self.away.append(error)
        self.gone_away.set()

    def _on_back(self) -> None:
        self.back.append(True)

    def _on_deposed(self, error: BaseException) -> None:
        self.deposed.append(error)
        self.has_ended.set()

    def _on_failed(self, error: BaseException) -> None:
        self.failed.append(error)
        self.has_ended.set()


class Kit:
    """Everything of the store over one database, closed together."""

    def __init__(self, database: Database, kek: Path, *, entries: Mapping[str, Entry] = CATALOGUE) -> None:
        self.database = database
        self.kek = kek
        self.entries = entries
        self.source = Source(database.writer, name="ringledger test")
        self.vault = Vault.unlock(kek, KeyShelf(self.source))
        self.desk = DeskWriter(self.source, self.vault, catalogue=entries)
        self.log = Log(self.source, catalogue=entries, vault=self.vault)
        self.blind_log = Log(self.source, catalogue=entries)
        self._writers: list[LiveWriter] = []
        self._sources = [self.source]

    def another_source(self, url: str | None = None, *, statement_timeout_ms: int = STATEMENT_TIMEOUT_MS) -> Source:
        source = Source(
            url or self.database.writer, name="ringledger test 2", statement_timeout_ms=statement_timeout_ms
        )
        self._sources.append(source)
        return source

    def writer(
        self,
        fence: Fence | None = None,
        heard: Heard | None = None,
        source: Source | None = None,
        *,
        batch: int = BATCH,
        queue_limit: int = QUEUE_LIMIT,
    ) -> LiveWriter:
        """A started writer under this fence (by default one just taken)."""
        writer = LiveWriter(
            source or self.source,
            self.vault,
            fence or take_lease(self.database.writer),
            catalogue=self.entries,
            hooks=(heard or Heard()).hooks(),
            batch=batch,
            queue_limit=queue_limit,
        )
        self._writers.append(writer)
        return writer.start()

    def logged(self) -> list[tuple[str, int]]:
        return places(self.log.history())

    def close(self) -> None:
        for writer in self._writers:
            writer.close()
        for source in self._sources:
            source.close()
