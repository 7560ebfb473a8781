"""One side of group `store` in a process of its own: `python -m tests.bench.store_worker ROLE …`.

Each line that it reads is a turn, and is answered by a line of JSON; so all sides can take short turns in succession.
`ours` is patched by gevent, as the orchestrator is; the peers run unpatched, as their authors test them.
"""

import sys

if sys.argv[1:2] == ["ours"]:
    from gevent import monkey

    monkey.patch_all()

import json
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from orchestrator.domain.catalogue import Entry
from orchestrator.domain.kernel import Event, Instant, Personal, Provenance, Record
from orchestrator.leader import Leader, Lease, holder_name
from orchestrator.store import KeyShelf, LiveWriter, Source
from orchestrator.store.mapper import LedgerMapper
from orchestrator.vault import Vault

CONTACT_EVENTS = 12
"""Events of a served call, of which the first carries the caller's number and name."""
PRODUCERS = 64
PACE_S = 0.002  # 500 events/s
SEALED_BYTES = 420  # the state of a first event, its two personal texts sealed


class Arrived(Event, frozen=True, kw_only=True):
    node: str
    leg: str
    dialled: str
    caller_number: Personal
    caller_name: Personal


class Progressed(Event, frozen=True, kw_only=True):
    offer_id: str
    shift_id: str
    agent_id: str
    leg: str
    reason: str


ENTRIES = {
    "Arrived": Entry(name="Arrived", cls=Arrived, kind="contact"),
    "Progressed": Entry(name="Progressed", cls=Progressed, kind="contact"),
}
LEG = "0b2f7d0e-8a1c-4c53-9f0a-5f6f3f1c2d3e"


def event(stream: str, version: int) -> Event:
    if version == 1:
        return Arrived(node="fs1", leg=LEG, dialled="4001", caller_number="+8613800138000", caller_name="Wang Xiaoming")
    return Progressed(offer_id=f"{stream}-{version}", shift_id=LEG, agent_id="agent-17", leg=LEG, reason="accepted")


def records(producer: int) -> Iterator[Record]:
    """Contact after contact, event by event."""
    number = 0
    while True:
        number += 1
        stream = f"contact-{producer}-{number}-{os.getpid()}"
        for version in range(1, CONTACT_EVENTS + 1):
            about = Provenance(at=Instant(time.time_ns() // 1_000), origin="switch", node="fs1", correlation=stream)
            yield Record(
                stream=stream,
                version=version,
                event=event(stream, version),
                event_id=f"{LEG}-{number}-{version}",
                about=about,
            )


class Ours:
    """The store as the orchestrator has it: lease renewed and checked, personal text sealed, one batching writer."""

    def __init__(self, url: str, kek: str) -> None:
        self._source = Source(url, name=holder_name())
        held: list[Lease] = []
        has_it = threading.Event()

        def active(lease: Lease) -> None:
            held.append(lease)
            has_it.set()

        Leader(self._source, "bench", on_active=active, on_deposed=_must_not).start()
        if not has_it.wait(10):
            raise TimeoutError("the bench got no lease")
        vault = Vault.unlock(Path(kek), KeyShelf(self._source))
        self._writer = LiveWriter(self._source, vault, held[0].fence, catalogue=ENTRIES).start()
        self._streams = [records(number) for number in range(PRODUCERS)]

    def turn(self, way: str, seconds: float) -> dict[str, Any]:
        match way:
            case "submit":
                return self._checked(self._submit, seconds)
            case "append_live":
                return self._checked(self._append_live, seconds)
            case "paced":
                return self._paced(seconds)
        raise SystemExit(f"no such way: {way}")

    def _checked(self, way: Callable[[float], int], seconds: float) -> dict[str, Any]:
        """Rate and mean batch of 64 producers; what was called durable is counted in the table."""
        before = self._counted()
        begun = time.monotonic()
        count = way(seconds)
        took = time.monotonic() - begun
        events, commits = (now - then for now, then in zip(self._counted(), before, strict=True))
        if events != count:
            raise RuntimeError(f"{count} were called durable, {events} are stored")
        return {"rate": count / took, "batch": events / commits}

    def _counted(self) -> tuple[int, int]:
        with self._source.borrow() as connection:
            row = connection.execute("SELECT count(*), count(DISTINCT xmin::text) FROM ringledger_events").fetchone()
        assert row is not None
        return int(str(row[0])), int(str(row[1]))

    def _submit(self, seconds: float) -> int:
        """As the loop does it: each producer makes its next event when it is told that its last one is durable."""
        end = time.monotonic() + seconds
        count = 0
        busy = PRODUCERS
        all_done = threading.Event()

        def produce(stream: Iterator[Record], _: int = 0) -> None:
            nonlocal busy, count
            if time.monotonic() < end:
                count += 1
                self._writer.submit([next(stream)], partial(produce, stream))
                return
            busy -= 1
            if not busy:
                all_done.set()

        for stream in self._streams:
            produce(stream)
        all_done.wait()
        return count

    def _append_live(self, seconds: float) -> int:
        """A greenlet for each producer, which waits until its event is durable."""
        end = time.monotonic() + seconds
        counts = [0] * PRODUCERS

        def produce(number: int) -> None:
            while time.monotonic() < end:
                self._writer.append_live([next(self._streams[number])])
                counts[number] += 1

        _together([threading.Thread(target=produce, args=(number,)) for number in range(PRODUCERS)])
        return sum(counts)

    def _paced(self, seconds: float) -> dict[str, Any]:
        """500 events a second by the clock, whatever the answers do; ms from submission to durable."""
        took: list[float] = []
        begun = time.monotonic()
        count = int(seconds / PACE_S)
        for number in range(count):
            if (wait := begun + number * PACE_S - time.monotonic()) > 0:
                time.sleep(wait)
            stream = self._streams[number % PRODUCERS]
            self._writer.submit([next(stream)], partial(_stored, took, time.monotonic()))
        rate = count / (time.monotonic() - begun)
        while self._writer.waiting:
            time.sleep(PACE_S)
        return {"rate": rate, **_percentiles(took)}


def _stored(took: list[float], submitted: float, _: int) -> None:
    took.append(time.monotonic() - submitted)


def _must_not(lease: Lease) -> None:
    raise RuntimeError(f"deposed at epoch {lease.epoch}")


def _percentiles(took: list[float]) -> dict[str, float]:
    took.sort()
    return {"p50_ms": 1e3 * statistics.median(took), "p99_ms": 1e3 * took[int(0.99 * len(took))]}


class Library:
    """eventsourcing's Application, one event a save: its own recorder, its own JSON, no encryption, no lease."""

    def __init__(self, url: str) -> None:
        from eventsourcing.application import Application
        from eventsourcing.domain import Aggregate

        where = psycopg.conninfo.conninfo_to_dict(url)
        self._settings = {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_POOL_SIZE": "8",
            "POSTGRES_MAX_OVERFLOW": "0",
        }

        class Contact(Aggregate):
            class Progressed(Aggregate.Event):
                body: dict[str, str]

        class Theirs(Application[Any]):
            name = "theirs"

        self._contact = Contact
        self._app = Theirs(
            env={
                **self._settings,
                "POSTGRES_DBNAME": str(where["dbname"]),
                "POSTGRES_HOST": str(where["host"]),
                "POSTGRES_PORT": "5432",
                "POSTGRES_USER": str(where["user"]),
                "POSTGRES_PASSWORD": str(where.get("password", "")),
            }
        )
        like = msgspec.to_builtins(event("contact-1", 2))
        self._body = {name: str(value) for name, value in like.items()}

    def turn(self, threads: int, seconds: float) -> dict[str, Any]:
        counts = [0] * threads
        end = time.monotonic() + seconds

        def produce(number: int) -> None:
            contact, made = self._contact(), 0
            while time.monotonic() < end:
                if made:
                    contact.trigger_event(self._contact.Progressed, body=self._body)
                self._app.save(contact)
                counts[number] += 1
                made += 1
                if made == CONTACT_EVENTS:
                    contact, made = self._contact(), 0

        begun = time.monotonic()
        _together([threading.Thread(target=produce, args=(number,)) for number in range(threads)])
        return {"rate": sum(counts) / (time.monotonic() - begun), "settings": {**self._settings, "transcoder": "JSON"}}


class Bare:
    """Plain psycopg: the same rows into the same kind of table, one INSERT … unnest and one commit a batch."""

    def __init__(self, url: str) -> None:
        mapper = LedgerMapper(ENTRIES)
        drafts = [mapper.draft(record) for _, record in zip(range(100 * CONTACT_EVENTS), records(0), strict=False)]
        self._topics = [draft.topic for draft in drafts]
        self._states = [draft.state or b"x" * SEALED_BYTES for draft in drafts]
        self._count = 0
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("CREATE TABLE bench_raw (LIKE ringledger_events INCLUDING ALL)")
        self._connection.execute("CREATE SEQUENCE bench_raw_id")
        self._connection.execute("ALTER TABLE bench_raw ALTER notification_id SET DEFAULT nextval('bench_raw_id')")

    def paced(self, seconds: float) -> dict[str, Any]:
        """One row and one commit every 2 ms."""
        took: list[float] = []
        begun = time.monotonic()
        for number in range(int(seconds / PACE_S)):
            if (wait := begun + number * PACE_S - time.monotonic()) > 0:
                time.sleep(wait)
            sent = time.monotonic()
            self._insert(1)
            took.append(time.monotonic() - sent)
        return _percentiles(took)

    def turn(self, batch: int, seconds: float) -> dict[str, Any]:
        begun, first = time.monotonic(), self._count
        while time.monotonic() - begun < seconds:
            self._insert(batch)
        return {"rate": (self._count - first) / (time.monotonic() - begun)}

    def _insert(self, batch: int) -> None:
        place = self._count % (len(self._states) - batch + 1)
        numbers = range(self._count, self._count + batch)
        self._connection.execute(
            "INSERT INTO bench_raw (originator_id, originator_version, topic, state)"
            " SELECT * FROM unnest(%b::text[], %b::bigint[], %b::text[], %b::bytea[]) RETURNING notification_id",
            (
                [f"contact-{number // CONTACT_EVENTS}-{LEG}" for number in numbers],
                [number % CONTACT_EVENTS + 1 for number in numbers],
                self._topics[place : place + batch],
                self._states[place : place + batch],
            ),
            prepare=True,
            binary=True,
        ).fetchall()
        self._count += batch


def fsync(directory: str, seconds: float) -> dict[str, Any]:
    """What a durable write of 8 kB costs on the disk of the data, as pg_test_fsync does it."""
    path = Path(directory, "fsync.bench")
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    block = os.urandom(8_192)
    took: list[float] = []
    try:
        os.pwrite(file, block * 64, 0)
        os.fsync(file)
        end = time.monotonic() + seconds
        while (begun := time.monotonic()) < end:
            os.pwrite(file, block, 8_192 * (len(took) % 64))
            os.fdatasync(file)
            took.append(time.monotonic() - begun)
    finally:
        os.close(file)
        path.unlink()
    return _percentiles(took)


def _together(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _lines() -> Iterator[list[str]]:
    """Words of each line of standard input; waited for on a native thread, so that greenlets live on meanwhile."""
    read: Callable[[], str] = sys.stdin.readline
    if "gevent" in sys.modules and sys.argv[1] == "ours":
        from gevent import get_hub

        pool = get_hub().threadpool
        read = partial(pool.apply, sys.stdin.readline)
    while line := read():
        yield line.split()


def main() -> None:
    """Take turns until standard input ends."""
    turn: Callable[[list[str]], dict[str, Any]]
    match sys.argv[1:]:
        case ["ours", url, kek]:
            ours = Ours(url, kek)
            turn = lambda words: ours.turn(words[0], float(words[1]))  # noqa: E731
        case ["library", url]:
            library = Library(url)
            turn = lambda words: library.turn(int(words[0]), float(words[1]))  # noqa: E731
        case ["bare", url]:
            bare = Bare(url)
            turn = lambda words: (  # noqa: E731
                bare.paced(float(words[1])) if words[0] == "paced" else bare.turn(int(words[0]), float(words[1]))
            )
        case ["fsync", directory]:
            turn = lambda words: fsync(directory, float(words[0]))  # noqa: E731
        case words:
            raise SystemExit(f"not understood: {words}")
    for words in _lines():
        print(json.dumps(turn(words)), flush=True)
    os._exit(0)  # nothing here is worth an orderly end: the database is thrown away


if __name__ == "__main__":
    main()
