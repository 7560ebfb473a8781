"""How fast read models are folded: rebuilt from a log, together and each alone, beside the library's ProjectionRunner;
and how far behind they are while the log grows at 500 events/s.

On a PostgreSQL of its own (fsync on), over a log that the simulation made. Figures of rebuilding are medians of rounds
and include indexes and the switch.
"""

import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import psycopg

from orchestrator import cluster as clusters
from orchestrator.cluster import Cluster
from orchestrator.domain.kernel import Record
from orchestrator.store import DeskWriter, KeyShelf, LiveWriter, Log, Source, schema
from orchestrator.vault import Vault
from projections.base import Site
from projections.catalogue import PROJECTIONS
from projections.command import collect_rarely, rebuild_from
from tests.bench.projections_log import FENCE, fill, renamed
from tests.postgres import make_reachable_directory, settings_for

ROUNDS = 3
COPIES = 5
PACE = 500
PACED_S = 10
AT_ONCE = 5
"""Records of a commit while the lag is measured: what one decision makes."""
_LOOK_S = 0.003
_LIBRARY_S = 4
_READY_S = 60


def run() -> Iterator[dict[str, Any]]:
    """The figures of group `projections`, in about two minutes."""
    place = make_reachable_directory("rl-bench-")
    cluster = clusters.ensure_running(settings_for(place / "home"), lambda _: None)
    try:
        yield from _measured(cluster, place)
    finally:
        cluster.stop()
        socket = Path(parse_qs(urlsplit(cluster.url_writer).query)["host"][0])
        if socket.name.startswith("ringledger-"):
            shutil.rmtree(socket, ignore_errors=True)
        shutil.rmtree(place)


def _measured(cluster: Cluster, place: Path) -> Iterator[dict[str, Any]]:
    schema.create(cluster.url_owner, admin_url=cluster.url_admin)
    with psycopg.connect(cluster.url_writer) as connection:
        connection.execute("INSERT INTO ringledger_lease (site, holder, epoch) VALUES ('main', 'bench', 1)")
    with ExitStack() as stack:
        source, projector = Source(cluster.url_writer), Source(cluster.url_projector)
        stack.callback(source.close)
        stack.callback(projector.close)
        vault = Vault.unlock(place / "kek", KeyShelf(source))
        writer = LiveWriter(source, vault, FENCE).start()
        stack.callback(writer.close)
        records = fill(DeskWriter(source, vault), writer, COPIES)
        events = sum(1 for _ in Log(source).history())
        with psycopg.connect(cluster.url_admin, autocommit=True) as admin:
            admin.execute("VACUUM ANALYZE public.ringledger_events")
        site = Site(ZoneInfo("Asia/Shanghai"), Vault.unlock(place / "kek", KeyShelf(projector)), region="CN")
        yield from _rebuilds(cluster, projector, site, events)
        yield _lag(cluster, place, writer, records)


def _rebuilds(cluster: Cluster, projector: Source, site: Site, events: int) -> Iterator[dict[str, Any]]:
    together: list[float] = []
    alone: dict[str, list[float]] = {name: [] for name in PROJECTIONS}
    library: list[float] = []
    collect_rarely()
    busy: list[float] = []
    for _ in range(ROUNDS):
        cpu = time.process_time()
        together.append(events / _rebuilt(projector, site, tuple(PROJECTIONS)))
        busy.append((time.process_time() - cpu) / events * 1_000_000)
        for name, rates in alone.items():
            rates.append(events / _rebuilt(projector, site, (name,)))
        library.append(_library(cluster))
    peer = round(statistics.median(library))
    yield _line(
        "projections.rebuild.events_per_s",
        statistics.median(together),
        "events/s",
        at_least=25_000,
        models=len(PROJECTIONS),
        events=events,
        rounds=ROUNDS,
        our_cpu_us_per_event=round(statistics.median(busy), 1),
        peer=peer,
        peer_what="eventsourcing's ProjectionRunner, one model of one table, a transaction each event",
    )
    for name, rates in alone.items():
        yield _line(f"projections.rebuild.{name}.events_per_s", statistics.median(rates), "events/s", at_least=25_000)
    yield _line("projections.rebuild.vs_library", statistics.median(together) / peer, "ratio", models=len(PROJECTIONS))


def _rebuilt(projector: Source, site: Site, names: Sequence[str]) -> float:
    """Seconds that a rebuild of these takes."""
    said: list[str] = []
    begun = time.perf_counter()
    if not rebuild_from(projector, site, names, said.append):
        raise RuntimeError("\n".join(said))
    return time.perf_counter() - begun


def _library(cluster: Cluster) -> float:
    """Events a second of the library's own runner, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.projections_library", cluster.url_owner, str(_LIBRARY_S)],
        capture_output=True,
        text=True,
        check=True,
        timeout=_READY_S,
    )
    return float(done.stdout)


# --- lag -------------------------------------------------------------------------------------------------------------
def _lag(cluster: Cluster, place: Path, writer: LiveWriter, records: list[Record]) -> dict[str, Any]:
    """From the commit of an event until every model has it, in the process that keeps them."""
    follower = subprocess.Popen(
        [sys.executable, "-m", "tests.projections.child", "follow", cluster.url_projector, str(place / "kek")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        with psycopg.connect(cluster.url_reader, autocommit=True) as reader:
            told = list(renamed(records, 10_000))
            _until_followed(reader, writer.append_live(told[:AT_ONCE]))
            before = _cpu_s(follower.pid)
            figure = _paced(reader, writer, told[AT_ONCE:])
            return {**figure, "follower_cpu_percent": round((_cpu_s(follower.pid) - before) / PACED_S * 100)}
    finally:
        follower.communicate(timeout=_READY_S)


def _cpu_s(pid: int) -> float:
    """Processor time that a process has used, without that of its database sessions."""
    # "pid (name) state ppid …", utime and stime are fields 14 and 15; proc(5).
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _paced(reader: psycopg.Connection[Any], writer: LiveWriter, records: list[Record]) -> dict[str, Any]:
    committed: list[tuple[int, float]] = []
    ended = threading.Event()

    def append() -> None:
        begun = time.perf_counter()
        for number in range(PACE * PACED_S // AT_ONCE):
            due = begun + number * AT_ONCE / PACE
            time.sleep(max(0.0, due - time.perf_counter()))
            position = writer.append_live(records[number * AT_ONCE : (number + 1) * AT_ONCE])
            committed.append((position, time.perf_counter()))
        ended.set()

    thread = threading.Thread(target=append)
    thread.start()
    lags: list[float] = []
    seen = 0
    while not ended.is_set() or seen < len(committed):
        at = _slowest(reader)
        now = time.perf_counter()
        while seen < len(committed) and committed[seen][0] <= at:
            lags.append(max(0.0, now - committed[seen][1]) * 1000)
            seen += 1
        time.sleep(_LOOK_S)
    thread.join()
    lags.sort()
    return _line(
        "projections.lag.p99_ms",
        lags[int(len(lags) * 0.99)],
        "ms",
        at_most=100,
        p50_ms=round(statistics.median(lags), 1),
        longest_ms=round(lags[-1], 1),
        events_per_s=PACE,
        models=len(PROJECTIONS),
        what="from the commit until the slowest of all models has it",
    )


def _slowest(reader: psycopg.Connection[Any]) -> int:
    row = reader.execute("SELECT coalesce(min(position), 0) FROM read.projections WHERE live", prepare=True).fetchone()
    assert row is not None
    return int(row[0])


def _until_followed(reader: psycopg.Connection[Any], position: int) -> None:
    deadline = time.monotonic() + _READY_S
    while _slowest(reader) < position:
        if time.monotonic() > deadline:
            raise TimeoutError("the follower did not catch up")
        time.sleep(_LOOK_S)


def _line(name: str, value: float, unit: str, **more: object) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, **more}
