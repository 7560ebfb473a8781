"""A throw-away PostgreSQL for the tests, made by the same code that makes the real one, and a fresh database for each.

One server serves all workers of a run (pytest-xdist): the first to need it makes it, the last to leave stops and
removes it. The schema is made once, in a template; each test gets a clone of that, or of one whose read models are made
and empty already, which takes longer to copy, and much longer to make.
"""

import atexit
import contextlib
import functools
import itertools
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from orchestrator import cluster as clusters
from orchestrator import settings
from orchestrator.cluster import Cluster, places, roles

_PREFIX = "ringledger-test-"
_TEMPLATE = "ringledger_template"
_TEMPLATE_WITH_MODELS = "ringledger_template_with_models"
_LOCK_S = 300
# Homes of runs that were killed are swept once no run can still be in them.
_STALE_S = 2 * 3600
# No test takes the machine's power away: what is killed, process or server, loses nothing that the kernel was given.
_HASTY = "fsync = off"
_numbers = itertools.count(1)
# A database is some hundred files, and a test's home a thousand and a half: what making them costs, memory does not.
_MEMORY = Path("/dev/shm")  # noqa: S108 - Linux' own place for files that need not outlive the machine
_ROOM = 4 * 1024**3
"""Bytes that are to be free there, and in the machine's memory as a whole; four workers use less than one of these."""
_place_of_tests: Path | None = None


@dataclass(frozen=True, slots=True)
class Database:
    """One test's own database, as each of the ledger's roles sees it."""

    name: str
    owner: str
    writer: str
    reader: str
    admin: str
    projector: str


def settings_for(home: Path, **variables: str) -> settings.Settings:
    """Settings with that home and nothing from this machine's environment."""
    return settings.load({"RINGLEDGER_HOME": str(home), **variables})


def use_memory() -> None:
    """From now on, directories are made in memory where there is room: tests do so, and benchmarks, which are to find
    out what a disk costs, do not.
    """
    global _place_of_tests
    if not os.access(_MEMORY, os.W_OK | os.X_OK):
        return
    there = os.statvfs(_MEMORY)
    available = re.search(r"^MemAvailable: +(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
    if available and min(there.f_bavail * there.f_frsize, int(available[1]) * 1024) >= _ROOM:
        _place_of_tests = _MEMORY


def _place_of_directories() -> Path:
    return _place_of_tests or Path(tempfile.gettempdir())


def make_reachable_directory(prefix: str = _PREFIX) -> Path:
    """A new directory that the server's unprivileged user can pass through; pytest's own is closed to all but root."""
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=_place_of_directories()))
    path.chmod(0o711)
    return path


def provide_made(home: Path, *, models: bool = False) -> None:
    """A PostgreSQL with the ledger's schema in this new home, as `ensure_running` and `schema.create` make it, but
    copied: not running, hasty, and with passwords that others have as well. With `models`, all read models are there,
    empty, as `projections run` makes them.
    """
    _copy(_made_with_models() if models else _made(), home)


def _copy(made: Path, home: Path) -> None:
    shutil.copytree(made / "keys", home / "keys")
    command = ("cp", "--archive", "--reflink=auto", str(made / "postgres"), str(home))
    subprocess.run(command, check=True, timeout=_LOCK_S)


@functools.cache
def _made() -> Path:
    """The home that is copied, made once a process and gone with it."""
    from orchestrator.store import schema

    home = _place()
    running = clusters.ensure_running(settings_for(home), lambda _: None)
    schema.create(running.url_owner, admin_url=running.url_admin)
    _hash_briefly(running)
    assert running.stop()
    with (home / "postgres" / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(f"{_HASTY}\n")
    return home


def _hash_briefly(running: Cluster) -> None:
    """Let who signs in hash their password once, and not 4 096 times: a third of what a connection costs."""
    with psycopg.connect(running.url_admin, autocommit=True) as connection:
        for url in (running.url_owner, running.url_writer, running.url_reader, running.url_projector):
            parts = urlsplit(url)
            assert parts.username is not None
            assert parts.password is not None
            kept = sql.Literal(roles.kept_of(parts.password, salt=b"salt", iterations=1))
            role = sql.Identifier(parts.username)
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, kept))


@functools.cache
def _made_with_models() -> Path:
    """The same, with read models."""
    home = _place()
    _copy(_made(), home)
    running = clusters.ensure_running(settings_for(home), lambda _: None)
    try:
        _make_models(running.url_projector)
    finally:
        assert running.stop()
    return home


def _place() -> Path:
    folder = make_reachable_directory()
    atexit.register(shutil.rmtree, folder)
    return folder / "home"


def _make_models(projector: str) -> None:
    """All read models over this log, in which nothing is."""
    from orchestrator.store import Log, Source
    from projections.base import Site
    from projections.building import build
    from projections.catalogue import PROJECTIONS
    from projections.feed import Feed

    source = Source(projector, name="ringledger test template")
    try:
        plain = settings_for(Path("/nowhere"))
        feed, site = Feed(Log(source, sealed=True)), Site(plain.timezone, region=plain.region)
        with source.connect() as connection:
            for projection in PROJECTIONS.values():
                build(connection, projection, feed, site)
    finally:
        source.close()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running server, shared by all workers of this run."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    lock, note = shared / "postgres.lock", shared / "postgres.home"
    with places.exclusive(lock, _LOCK_S):
        if not note.exists():
            _sweep()
            note.write_text(str(make_reachable_directory()))
        home = Path(note.read_text())
        if not (home / "home").exists():
            provide_made(home / "home")
        running = clusters.ensure_running(settings_for(home / "home"), lambda _: None)
    yield running
    with places.exclusive(lock, _LOCK_S):
        if running.stop():
            shutil.rmtree(home)
            note.unlink()


def _sweep() -> None:
    """Stop and remove what runs that were killed left behind."""
    for path in _place_of_directories().glob(f"{_PREFIX}*"):
        with contextlib.suppress(FileNotFoundError, places.ClusterError):  # another run may be sweeping too
            ours = path.stat().st_uid == os.geteuid()
            if ours and time.time() - path.stat().st_mtime > _STALE_S:
                if (path / "home" / "postgres" / "data").exists():
                    left = clusters.ensure_running(settings_for(path / "home"), lambda _: None)
                    if not left.stop():
                        continue  # somebody is still in it
                shutil.rmtree(path)


@pytest.fixture(scope="session")
def template(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with the ledger's schema and nothing else, made once a run."""
    from orchestrator.store import schema

    def make(made: Database) -> None:
        schema.create(made.owner, admin_url=made.admin)

    provide_template(cluster, tmp_path_factory, _TEMPLATE, "template1", make)
    return _TEMPLATE


@pytest.fixture(scope="session")
def template_with_models(cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of the same with all read models, empty, made once a run."""

    def make(made: Database) -> None:
        _make_models(made.projector)

    provide_template(cluster, tmp_path_factory, _TEMPLATE_WITH_MODELS, template, make)
    return _TEMPLATE_WITH_MODELS


def provide_template(
    cluster: Cluster, places_of: pytest.TempPathFactory, name: str, begin_with: str, make: Callable[[Database], None]
) -> None:
    """A database of this name to be cloned, made once a run by whichever worker needs it first: a clone of another, of
    which `make` makes what it is to be. Nobody may be connected to it when that is done.
    """
    lock = places_of.getbasetemp().parent / f"{name}.lock"
    with places.exclusive(lock, _LOCK_S), psycopg.connect(cluster.url_admin, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            # Named as the template only once it is one: another worker must not clone what a failure left half-made.
            making = f"{name}_making"
            _drop(connection, making)
            roles.provide_database(connection, making, begin_with)
            make(_database(cluster, making))
            names = (sql.Identifier(making), sql.Identifier(name))
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))


@pytest.fixture
def empty_database(cluster: Cluster) -> Iterator[Database]:
    """A database without any schema, gone after the test."""
    with _clone(cluster, "template1") as database:
        yield database


@pytest.fixture
def database(cluster: Cluster, template: str) -> Iterator[Database]:
    """A database with the ledger's schema and no events, gone after the test."""
    with _clone(cluster, template) as database:
        yield database


@contextlib.contextmanager
def _clone(cluster: Cluster, template: str) -> Iterator[Database]:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(cluster.url_admin, autocommit=True) as connection:
        roles.provide_database(connection, name, template)
    yield _database(cluster, name)
    with psycopg.connect(cluster.url_admin, autocommit=True) as connection:
        _drop(connection, name)


def _drop(connection: psycopg.Connection[Any], name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _database(cluster: Cluster, name: str) -> Database:
    return Database(
        name,
        owner=_elsewhere(cluster.url_owner, name),
        writer=_elsewhere(cluster.url_writer, name),
        reader=_elsewhere(cluster.url_reader, name),
        admin=_elsewhere(cluster.url_admin, name),
        projector=_elsewhere(cluster.url_projector, name),
    )


def _elsewhere(url: str, database: str) -> str:
    """The same role's URL for another database of the same server."""
    before, mark, query = url.partition("?")
    return f"{before.rpartition('/')[0]}/{database}{mark}{query}"
