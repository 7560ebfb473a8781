"""What a time without the database costs: a commit into the spool, the way back into the log, and how many bytes a call
takes; beside the log's own append and a bare fsync, in the same minute on the same disk. The events are those of
simulated days, a commit what is decided in one step.
"""

from gevent import monkey

if __name__ == "__main__":
    monkey.patch_all()

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle, groupby
from pathlib import Path
from threading import Event
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from msgspec.structs import replace

from orchestrator import cluster as clusters
from orchestrator.domain.contacts.contacts import ContactArrived
from orchestrator.domain.kernel import Record, ident_of, kind_of, stream
from orchestrator.leader import holder_name
from orchestrator.store import Away, Drain, Drained, Fence, KeyShelf, LiveWriter, Source, Spool, schema
from orchestrator.store.spooling import Spooler
from orchestrator.vault import Vault
from tests.bench.store_worker import fsync
from tests.postgres import make_reachable_directory, settings_for
from tests.simulation.run import Run

CALLS_PER_S: Final = 50
CALLS: Final = 600
OUTAGE_S: Final = 30 * 60
LIMIT_MB: Final = 2_048
_FSYNC_S: Final = 2.0
_END_S: Final = 30.0


def run() -> Iterator[dict[str, Any]]:
    """The figures, from a process that is patched as the engine is."""
    command = [sys.executable, "-m", "tests.bench.spool"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=180)
    yield from map(json.loads, told.stdout.splitlines())


def _measured() -> Iterator[dict[str, Any]]:
    place = make_reachable_directory("rl-bench-")
    cluster = clusters.ensure_running(settings_for(place / "home"), lambda _: None)
    try:
        schema.create(cluster.url_owner, admin_url=cluster.url_admin)
        source = Source(cluster.url_writer, name=holder_name())
        vault = Vault.unlock(place / "kek", KeyShelf(source))
        yield from _figures(source, vault, place)
        source.close()
    finally:
        cluster.stop()
        socket = Path(parse_qs(urlsplit(cluster.url_writer).query)["host"][0])
        if socket.name.startswith("ringledger-"):
            shutil.rmtree(socket, ignore_errors=True)
        shutil.rmtree(place)


def _figures(source: Source, vault: Vault, place: Path) -> Iterator[dict[str, Any]]:
    fence = Fence("main", 1, source.name)
    source.run(
        lambda c: c.execute("INSERT INTO ringledger_lease VALUES ('main', %s, '', 0, 1)", (source.name,)).close()
    )
    disk = fsync(str(place), _FSYNC_S)
    writer = LiveWriter(source, vault, fence).start()
    plain = _p99_ms([_took(partial(writer.append_live, step)) for step in _steps("plain", CALLS // 6)])
    writer.close()
    spool = Spool(place / "spool", vault, ledger="bench", machine="bench", limit_mb=LIMIT_MB)
    spool.own(fence)
    empty = spool.size
    steps = list(_steps("spooled", CALLS))
    took = [_took(partial(spool.append, fence, step)) for step in steps]
    calls = sum(isinstance(record.event, ContactArrived) for step in steps for record in step)
    per_call = (spool.size - empty) / calls
    spooled = spool.waiting
    drain = Drain(spool, source, vault, fence)
    begun = time.monotonic()
    while drain.some():
        pass
    rate = spooled / (time.monotonic() - begun)
    if spool.waiting:
        raise RuntimeError(f"{spool.waiting} events are left in the spool")
    drain.close()
    beside_live, beside_took = _caught_up_beside(spool, source, vault, fence)
    spool.close()
    beside = {"append_p99_ms": plain, "fsync_p99_ms": round(disk["p99_ms"], 2)}
    yield {"name": "spool.write.p99_ms", "value": _p99_ms(took), "unit": "ms", **beside}
    yield {"name": "spool.write.p50_ms", "value": round(statistics.median(took) * 1_000, 2), "unit": "ms"}
    yield {"name": "spool.catch_up.events_per_s", "value": round(rate), "unit": "events/s", "at_least": 1_200}
    need = round(per_call * CALLS_PER_S * OUTAGE_S / 1_000_000)
    yield {"name": "spool.bytes_per_call", "value": round(per_call), "unit": "bytes"}
    yield {"name": "spool.half_an_hour_mb", "value": need, "unit": "MB", "at_most": LIMIT_MB}
    half_an_hour = spooled / calls * CALLS_PER_S * OUTAGE_S
    yield {"name": "spool.beside_live.events_per_s", "value": round(beside_live), "unit": "events/s", "at_least": 1_200}
    yield {"name": "spool.beside_live.write_p99_ms", "value": _p99_ms(beside_took), "unit": "ms"}
    took_s = round(half_an_hour / beside_live)
    yield {"name": "spool.half_an_hour_caught_up_s", "value": took_s, "unit": "s", "at_most": OUTAGE_S}


class _Always:
    """A lease that is never over."""

    def begin_spooling(self) -> bool:
        return True

    def end_spooling(self) -> None: ...

    def extend(self, stands: Callable[[], bool]) -> bool:
        return stands()


def _caught_up_beside(spool: Spool, source: Source, vault: Vault, fence: Fence) -> tuple[float, list[float]]:
    """How many events a second the spool gets shorter by while calls go on, 50 a second, until it is empty; and how
    long each of their steps took to be kept.
    """
    for step in _steps("waiting", CALLS):
        spool.append(fence, step)
    live = list(_steps("live", CALLS // 3))
    calls = sum(isinstance(record.event, ContactArrived) for step in live for record in step)
    pause_s = calls / CALLS_PER_S / len(live)
    ended = Event()
    told: list[Drained | BaseException] = []

    def over(what: Drained | BaseException) -> None:
        told.append(what)
        ended.set()

    drain = Drain(spool, source, vault, fence)
    spooler = Spooler(spool, _Always(), fence, drain, begun=lambda _: None, drained=over, ended=over)
    waited = spool.waiting
    begun = time.monotonic()
    spooler.begin(Away("the bench"))
    took: list[float] = []
    for number, step in enumerate(cycle(live)):
        renamed = [_renamed(record, str(number // len(live))) for record in step]
        if ended.wait(max(0.0, begun + number * pause_s - time.monotonic())):
            break
        took.append(_took(partial(spooler.take, renamed)))
    ended.wait(_END_S)
    if not told or not isinstance(told[0], Drained):
        raise RuntimeError(f"the spool was not emptied: {told}")
    return waited / told[0].took_s, took


def _steps(name: str, calls: int) -> Iterator[Sequence[Record]]:
    """What is decided in each step about at least so many calls, and about those who take them."""
    seed = 0
    while calls > 0:
        records = [each for each in Run(seed).play().ledger.records() if kind_of(each.stream) in {"contact", "shift"}]
        for _, step in groupby(records, key=lambda each: each.about.causation):
            yield [_renamed(each, f"{name}-{seed}") for each in step]
        calls -= sum(isinstance(each.event, ContactArrived) for each in records)
        seed += 1


def _renamed(record: Record, by: str) -> Record:
    """Days of simulation give the same names to their streams."""
    name = stream(kind_of(record.stream), f"{by}-{ident_of(record.stream)}")
    return replace(record, stream=name, event_id=f"{by}-{record.event_id}")


def _took(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def _p99_ms(took: Sequence[float]) -> float:
    return round(statistics.quantiles(took, n=100)[98] * 1_000, 2)


if __name__ == "__main__":
    for figure in _measured():
        sys.stdout.write(json.dumps(figure) + "\n")
