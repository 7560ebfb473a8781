"""Places for clusters, clusters that end with their test, and what to ask of them."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from orchestrator.cluster import Cluster, binaries, ensure_running
from orchestrator.settings import Settings
from tests.postgres import make_reachable_directory, settings_for

NO_DEBIAN = Path("/nonexistent")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

Start = Callable[..., Cluster]


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that the server's user can pass through, gone after the test."""
    path = make_reachable_directory("rl-cluster-")
    yield path
    shutil.rmtree(path)


@pytest.fixture
def home(place: Path) -> Path:
    """A RINGLEDGER_HOME that does not exist yet."""
    return place / "home"


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts clusters as `ensure_running` does, and leaves them all after the test."""
    started: list[Cluster] = []

    def ensure(home: Path | Settings, told: list[str] | None = None, *, debian: Path = binaries.DEBIAN) -> Cluster:
        settings = home if isinstance(home, Settings) else settings_for(home)
        cluster = ensure_running(settings, (told if told is not None else []).append, debian=debian)
        started.append(cluster)
        return cluster

    yield ensure
    for cluster in started:
        cluster.stop()
    for socket in {socket_of(cluster) for cluster in started}:
        if socket.name.startswith("ringledger-"):  # the short ones, outside the home
            shutil.rmtree(socket, ignore_errors=True)


def ask(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def everything_below(path: Path) -> dict[str, tuple[int, int, bytes]]:
    """Mode, modification time and content of each file: what "untouched" means."""
    return {
        str(each): (each.lstat().st_mode, each.lstat().st_mtime_ns, each.read_bytes() if each.is_file() else b"")
        for each in [path, *path.rglob("*")]
    }


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def socket_of(cluster: Cluster) -> Path:
    return Path(parse_qs(urlsplit(cluster.url_writer).query).get("host", [""])[0])
