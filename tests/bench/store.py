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
        _Side("unnest", cluster.url_owner) as unnest,
        _Side("fsync", str(place)) as disk,
    ):
        figure, settings = _rounds(ours, library, unnest, disk)
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
    yield _line("store.commit.p99_ms", figure["commit_p99"], "ms", at_most=round(3 + 2 * figure["fsync_p99"], 3))


def _rounds(ours: _Side, library: _Side, unnest: _Side, disk: _Side) -> tuple[dict[str, float], dict[str, Any]]:
    """The median of each figure, and the library's settings."""
    seen: dict[str, list[float]] = defaultdict(list)
    settings: dict[str, Any] = {}
    for round_ in range(-1, ROUNDS):
        length = TURN_S if round_ >= 0 else TURN_S / 4  # the first round warms up
        mine = ours.turn("submit", length)
        raw = unnest.turn(round(mine["batch"]), length)
        waiting = ours.turn("append_live", length)
        one, many = library.turn(1, length), library.turn(64, length)
        written = disk.turn(length)
        paced = ours.turn("paced", 2 * length)
        if round_ < 0:
            continue
        settings = one["settings"]
        theirs = max(one["rate"], many["rate"])
        for name, value in (
            ("ours", mine["rate"]),
            ("batch", mine["batch"]),
            ("waiting", waiting["rate"]),
            ("library", theirs),
            ("library_1", one["rate"]),
            ("library_64", many["rate"]),
            ("unnest", raw["rate"]),
            ("vs_library", mine["rate"] / theirs),
            ("vs_unnest", mine["rate"] / raw["rate"]),
            ("fsync_p50", written["p50_ms"]),
            ("fsync_p99", written["p99_ms"]),
            ("commit_p50", paced["p50_ms"]),
            ("commit_p99", paced["p99_ms"]),
            ("paced", paced["rate"]),
        ):
            seen[name].append(value)
    return {name: statistics.median(values) for name, values in seen.items()}, settings


def _line(name: str, value: float, unit: str, **more: object) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, **more}
