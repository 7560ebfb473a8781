"""The past and its proof: how long a look at any instant of a long log takes, how fast a log is folded and verified.

On a PostgreSQL of its own. The log is what the production step recorded of simulated callers, stored once through the
writers and then copied under other names, each copy later than the one before, until it has the size asked for; the
keeper makes its snapshots beside it, as it does in life. A look is cold: connections, snapshots and keys are as of a
process that has just begun. What the server's memory holds of its files is left alone.

A million events by default. `--size 20m` goes on to 2, 5, 10 and 20 million: that takes a quarter of an hour or more
and 16 GB under the folder for temporary files, and is given up after `LONGEST_S`. `--keep DIR` leaves log and snapshots
there; the next run with it takes them up and measures again, or lets them grow. Snapshots of other code are made anew.
"""

import os
import random
import shutil
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import psycopg

from orchestrator import cluster as clusters
from orchestrator.audit import verify
from orchestrator.cluster import Cluster
from orchestrator.domain.kernel import Instant
from orchestrator.domain.world import World
from orchestrator.replay import picture_at
from orchestrator.replay.keeper import Keeper
from orchestrator.replay.moments import iso
from orchestrator.replay.past import at_position
from orchestrator.replay.snapshots import INTERVAL, Snapshots
from orchestrator.store import DeskWriter, KeyShelf, LiveWriter, Log, Source, schema
from orchestrator.vault import Vault
from projections.command import collect_rarely
from tests.bench.processes import awake
from tests.bench.projections_log import FENCE, append, simulated
from tests.bench.replay_log import Copies, Story, with_evening
from tests.postgres import make_reachable_directory, settings_for

SIZES: Final = {
    "100k": 100_000,
    "1m": 1_000_000,
    "2m": 2_000_000,
    "5m": 5_000_000,
    "10m": 10_000_000,
    "20m": 20_000_000,
}
USUAL: Final = "1m"
LONGEST_S: Final = 3_600.0
# Copied ahead of the keeper.
_AHEAD: Final = 1_000_000
LOOKS: Final = 12
# Of how many events the rates of folding are taken, and how often.
FOLDED: Final = 1_000_000
ROUNDS: Final = 5
# Of how many events one process alone is measured, beside.
_ALONE: Final = 200_000
_ZONE: Final = ZoneInfo("Asia/Shanghai")


def run(size: str = USUAL, keep: Path | None = None) -> Iterator[dict[str, Any]]:
    """The figures of group `replay`, in about two minutes; of a log of `size`, or of what is kept in a directory."""
    place = make_reachable_directory("rl-bench-") if keep is None else keep.absolute()
    place.mkdir(mode=0o711, parents=True, exist_ok=True)
    cluster = clusters.ensure_running(settings_for(place / "home"), lambda _: None)
    try:
        with ExitStack() as stack:
            stack.enter_context(awake())
            yield from _measured(cluster, place, SIZES[size], stack)
    finally:
        cluster.stop()
        if keep is None:
            shutil.rmtree(place)


def _measured(cluster: Cluster, place: Path, most: int, stack: ExitStack) -> Iterator[dict[str, Any]]:
    schema.create(cluster.url_owner, admin_url=cluster.url_admin)
    kek, note = place / "kek", place / "story.json"
    if not note.exists():
        note.write_bytes(msgspec.json.encode(_told(cluster, kek)))
    reading, projecting = Source(cluster.url_reader), Source(cluster.url_projector)
    for source in (reading, projecting):
        stack.callback(source.close)
    collect_rarely()
    copies = Copies(cluster.url_owner, msgspec.json.decode(note.read_bytes(), type=Story))
    steps = {name: size for name, size in SIZES.items() if size <= most and copies.events < size + copies.size}
    if not steps:
        raise ValueError(f"{place} holds {copies.events} events, more than were asked for: ask for more, or elsewhere.")
    keeper = Keeper(projecting, Snapshots(projecting))
    keeper.begin()
    until = time.monotonic() + LONGEST_S
    rated = False
    for name, size in steps.items():
        begun, kept = time.monotonic(), keeper.position
        _fill(copies, keeper, size, until)
        made, took = keeper.position - kept, time.monotonic() - begun
        print(f"{copies.events} events; copies and snapshots of the last {made}: {took:.0f} s", file=sys.stderr)
        yield _cold(cluster, kek, name, copies, size)
        if size >= SIZES[USUAL] and not rated:
            yield from _rates(reading, cluster, copies.whole(SIZES[USUAL]))
            rated = True
    yield _sizes(cluster, copies)


def _told(cluster: Cluster, kek: Path) -> Story:
    """The story, stored as the product stores it."""
    with psycopg.connect(cluster.url_writer) as connection:
        connection.execute("INSERT INTO ringledger_lease (site, holder, epoch) VALUES ('main', 'bench', 1)")
    writing = Source(cluster.url_writer)
    try:
        vault = Vault.unlock(kek, KeyShelf(writing))
        writer = LiveWriter(writing, vault, FENCE).start()
        records = with_evening(simulated())
        append(DeskWriter(writing, vault), writer, records)
        writer.close()
        times = [record.about.at for record in records]
        return Story(len(records), Log(writing).position(), min(times), max(times))
    finally:
        writing.close()


def _fill(copies: Copies, keeper: Keeper, size: int, until: float) -> None:
    """Copy until it is enough or time is up; the keeper follows, so that it need not read from the disk again."""
    never = threading.Event()
    keeper.catch_up(never)
    while copies.events < size and time.monotonic() < until:
        copies.fill(min(size, copies.events + _AHEAD))
        keeper.catch_up(never)


def _cold(cluster: Cluster, kek: Path, name: str, copies: Copies, size: int) -> dict[str, Any]:
    """The slowest of some looks at instants drawn from the whole log."""
    dice = random.Random(name)
    took: list[float] = []
    used: list[float] = []
    for _ in range(LOOKS):
        instant = Instant(dice.randint(copies.begins, copies.ends))
        begun, cpu = time.perf_counter(), time.process_time()
        source = Source(cluster.url_reader)
        try:
            log = Log(source, vault=Vault.unlock(kek, KeyShelf(source)))
            found = picture_at(log, iso(instant), _ZONE, now=copies.ends, personal=True, snapshots=Snapshots(source))
        finally:
            source.close()
        took.append(time.perf_counter() - begun)
        used.append(time.process_time() - cpu)
        assert found["position"], "the log had begun"
    return {
        "name": f"asof.cold_s.{name}",
        "value": round(max(took), 3),
        "unit": "s",
        "at_most": 1.0,
        "median": round(statistics.median(took), 3),
        "our_cpu_s": round(max(used), 3),
        "looks": LOOKS,
        "events": copies.events,
        "what": "the slowest look at a random instant, keys opened"
        + ("" if copies.events >= size else "; as large a log as fits into the time of a run"),
    }


def _rates(reading: Source, cluster: Cluster, until: int) -> Iterator[dict[str, Any]]:
    log = Log(reading)
    folds: list[tuple[float, float]] = []
    copies: list[float] = []
    for _ in range(ROUNDS):
        # In turn, so that both meet whatever else the machine does.
        folds.append(_folded(log))
        copies.append(_copied(cluster))
    folded, cpu_us = statistics.median(each for each, _ in folds), min(each for _, each in folds)
    raw = statistics.median(copies)
    alone, alone_us = _folded_alone(log)
    yield {
        "name": "fold.events_per_s",
        "value": round(folded),
        "unit": "events/s",
        "events": FOLDED,
        "our_cpu_us_per_event": round(cpu_us, 1),
        "alone": round(alone),
        "alone_cpu_us_per_event": round(alone_us, 1),
        "peer": round(raw),
        "peer_what": "COPY of the same rows to this process",
    }
    yield {"name": "fold.vs_copy", "value": round(folded / raw, 3), "unit": "ratio", "at_least": 0.2}
    cpu = time.process_time()
    report = verify(log.history(until=until))
    used = time.process_time() - cpu
    yield {
        "name": "verify.events_per_s",
        "value": round(report.counts.events / used),
        "unit": "events/s a core",
        "at_least": 50_000,
        "events": report.counts.events,
    }
    # The log is one of the production step: what is found here is a fault of the verifier or of the copying.
    yield {"name": "verify.problems", "value": report.problem_count, "unit": "problems", "at_most": 0}


def _folded(log: Log) -> tuple[float, float]:
    """Events a second, and the processor's microseconds for each of them in this process and those that it started.

    As a look folds into a past of which nothing is kept, with what is counted of the day.
    """
    begun, cpu = time.perf_counter(), _used_s()
    world, _ = at_position(log, FOLDED)
    took, used = time.perf_counter() - begun, _used_s() - cpu
    assert world.queues, "the log has queues"
    return FOLDED / took, used / FOLDED * 1e6


def _used_s() -> float:
    told = os.times()
    return told.user + told.system + told.children_user + told.children_system


def _folded_alone(log: Log) -> tuple[float, float]:
    """The same of fewer events in this process alone, as an engine folds what comes."""
    world = World()
    begun, cpu = time.perf_counter(), time.process_time()
    for each in log.happened(until=_ALONE):
        world.apply(each)
    return _ALONE / (time.perf_counter() - begun), (time.process_time() - cpu) / _ALONE * 1e6


def _copied(cluster: Cluster) -> float:
    """Rows a second, of the same rows with all that a fold asks for."""
    begun = time.perf_counter()
    copied = 0
    words = (
        "COPY (SELECT notification_id, originator_id, originator_version, topic, state FROM ringledger_events"
        f" WHERE notification_id <= {FOLDED} ORDER BY notification_id) TO STDOUT (FORMAT binary)"
    )
    with psycopg.connect(cluster.url_reader) as connection, connection.cursor() as cursor, cursor.copy(words) as copy:
        for part in copy:
            copied += len(part)
    assert copied
    return FOLDED / (time.perf_counter() - begun)


def _sizes(cluster: Cluster, copies: Copies) -> dict[str, Any]:
    with psycopg.connect(cluster.url_owner) as connection:
        row = connection.execute(
            "SELECT pg_total_relation_size('ringledger_events'), pg_total_relation_size('past.snapshots'),"
            " (SELECT count(*) FROM past.snapshots)"
        ).fetchone()
    assert row is not None
    log, snapshots, count = row
    return {
        "name": "bytes_per_event",
        "value": round(log / copies.events),
        "unit": "B",
        "events": copies.events,
        "of_snapshots": round(snapshots / copies.events, 1),
        "snapshots": count,
        "interval": INTERVAL,
    }
