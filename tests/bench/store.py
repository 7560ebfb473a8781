"""How fast the log is: our batching writer against the library's own save and against a bare INSERT, in the same run.

On a PostgreSQL of its own (fsync on, synchronous_commit on), in rounds in which everybody has a turn, so that a busy
moment of the machine hits all alike; each figure is the median of the rounds.
"""

import json
import shutil
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import psycopg

from orchestrator import cluster as clusters
from orchestrator.cluster import Cluster
from orchestrator.store import schema
from tests.postgres import make_reachable_directory, settings_for

ROUNDS = 6
TURN_S = 0.7
_CHILD_S = 60


class _Side:
    """One side of the comparison, in a process of its own that takes its turns when told to."""

    def __init__(self, *words: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.store_worker", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def turn(self, *words: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a side of the comparison ended in its turn")
        found: dict[str, Any] = json.loads(line)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=_CHILD_S)


def run() -> Iterator[dict[str, Any]]:
    """The figures of group `store`, in about forty seconds."""
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
    with (
        _Side("ours", cluster.url_writer, str(place / "kek")) as ours,
        _Side("library", cluster.url_owner) as library,
        _Side("bare", cluster.url_owner) as bare,
        _Side("fsync", str(place)) as disk,
    ):
        figure, settings = _rounds(ours, library, bare, disk)
    with psycopg.connect(cluster.url_writer) as connection:
        server = {
            name: connection.execute("SELECT current_setting(%s)", (name,)).fetchone()[0]  # type: ignore[index]
            for name in ("server_version", "fsync", "synchronous_commit", "commit_delay")
        }
    yield _line("fsync.p50_ms", figure["fsync_p50"], "ms")
    yield _line("fsync.p99_ms", figure["fsync_p99"], "ms", what="8 kB, pwrite and fdatasync, on the data's disk")
    yield _line(
        "store.append.events_per_s",
        figure["ours"],
        "events/s",
        producers=64,
        rounds=ROUNDS,
        events_per_commit=round(figure["batch"], 1),
        also="lease checked, personal text sealed",
        **server,
    )
    yield _line(
        "store.append_live.events_per_s", figure["waiting"], "events/s", producers=64, what="a waiting greenlet each"
    )
    yield _line(
        "store.append.vs_library",
        figure["vs_library"],
        "ratio",
        at_least=6,
        aim=8,
        peer=round(figure["library"]),
        peer_one_writer=round(figure["library_1"]),
        peer_64_writers=round(figure["library_64"]),
        peer_settings=settings,
    )
    yield _line(
        "store.append.vs_unnest",
        figure["vs_unnest"],
        "ratio",
        at_least=0.5,
        peer=round(figure["unnest"]),
        peer_batch=round(figure["batch"]),
    )
    yield _line("store.commit.p50_ms", figure["commit_p50"], "ms", events_per_s=round(figure["paced"]))
    yield _line(
        "store.commit.p99_ms",
        figure["commit_p99"],
        "ms",
        at_most=round(3 + 2 * figure["fsync_p99"], 3),
        peer=round(figure["bare_p99"], 3),
        peer_what="a bare INSERT and its commit at the same pace",
    )


def _rounds(ours: _Side, library: _Side, bare: _Side, disk: _Side) -> tuple[dict[str, float], dict[str, Any]]:
    """The median of each figure, and the library's settings."""
    seen: dict[str, list[float]] = defaultdict(list)

    def note(**values: float) -> None:
        for name, value in values.items():
            seen[name].append(value)

    # Latency first, before floods of rows leave vacuums and full segments behind; disk and commits side by side.
    ours.turn("paced", TURN_S)  # warms up
    for _ in range(ROUNDS):
        disk_before, paced = disk.turn(TURN_S / 2), ours.turn("paced", 2 * TURN_S)
        disk_after, alone = disk.turn(TURN_S / 2), bare.turn("paced", TURN_S)
        note(
            fsync_p50=(disk_before["p50_ms"] + disk_after["p50_ms"]) / 2,
            fsync_p99=(disk_before["p99_ms"] + disk_after["p99_ms"]) / 2,
            commit_p50=paced["p50_ms"],
            commit_p99=paced["p99_ms"],
            paced=paced["rate"],
            bare_p99=alone["p99_ms"],
        )
    library.turn(1, TURN_S / 4)  # warms up
    settings: dict[str, Any] = {}
    for _ in range(ROUNDS):
        mine = ours.turn("submit", TURN_S)
        raw = bare.turn(round(mine["batch"]), TURN_S)
        waiting = ours.turn("append_live", TURN_S)
        one, many = library.turn(1, TURN_S), library.turn(64, TURN_S)
        theirs = max(one["rate"], many["rate"])
        settings = one["settings"]
        note(
            ours=mine["rate"],
            batch=mine["batch"],
            waiting=waiting["rate"],
            library=theirs,
            library_1=one["rate"],
            library_64=many["rate"],
            unnest=raw["rate"],
            vs_library=mine["rate"] / theirs,
            vs_unnest=mine["rate"] / raw["rate"],
        )
    return {name: statistics.median(values) for name, values in seen.items()}, settings


def _line(name: str, value: float, unit: str, **more: object) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, **more}
