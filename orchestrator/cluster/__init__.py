"""The ledger's PostgreSQL: our own under RINGLEDGER_HOME, or the one that RINGLEDGER_DATABASE_URL names.

Our own listens on a private Unix socket only, keeps fsync on, outlives a killed parent, and is stopped by the last
process that leaves it: everyone attached holds a shared lock, which the kernel gives back for those who die.

    RINGLEDGER_HOME/postgres/data, log, socket    the server's (mode 0700, of the server's user)
    RINGLEDGER_HOME/postgres-bin/<version>        a copy of the wheel's programs, where the venv is out of reach
    RINGLEDGER_HOME/keys/postgresql.json          the roles' passwords (mode 0600, ours)
"""

import fcntl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import Final
from urllib.parse import quote

from orchestrator.settings import Settings

from . import binaries, places, roles
from .places import ClusterError, Unreachable
from .roles import DATABASE, OWNER, PROJECTOR, READER, WRITER
from .server import ADMIN, Server

__all__ = [
    "DATABASE",
    "OWNER",
    "PROJECTOR",
    "READER",
    "WRITER",
    "Cluster",
    "ClusterError",
    "Unreachable",
    "ensure_running",
]

# Another process may be making the cluster or recovering it after a crash meanwhile.
_LOCK_S: Final = 180
_ATTACH_S: Final = 60
_PAUSE_S: Final = 0.1


@dataclass(slots=True)
class Cluster:
    """A PostgreSQL that can be used now, and the URL for each of the ledger's roles."""

    url_owner: str = field(repr=False)
    url_writer: str = field(repr=False)
    url_reader: str = field(repr=False)
    url_projector: str = field(repr=False)
    # Whoever may do most in the ledger's database, for making the schema: on our own server its administrator (no
    # password in the URL: the kernel vouches), on somebody else's the user of RINGLEDGER_DATABASE_URL.
    url_admin: str = field(repr=False)
    # One line for people: which server this is.
    description: str
    _server: Server | None = field(default=None, repr=False)
    _home: Path | None = field(default=None, repr=False)
    _attached: TextIOWrapper | None = field(default=None, repr=False)

    def is_running(self) -> bool:
        """Whether our own server's process is there; True for somebody else's, which is not ours to look after."""
        return self._server is None or self._server.running() is not None

    def stop(self) -> bool:
        """Leave the server; the last to leave stops it cleanly. Returns whether it was stopped.

        A second call, or one on somebody else's server, does nothing. Raises ClusterError when it will not stop.
        """
        if self._server is None or self._home is None or self._attached is None:
            return False
        attached, self._attached = self._attached, None
        with places.exclusive(_lock_file(self._home), _LOCK_S), attached:
            if not places.try_lock(attached.fileno(), fcntl.LOCK_EX):
                return False
            self._server.stop()
            return True


def ensure_running(settings: Settings, progress: Callable[[str], None], *, debian: Path = binaries.DEBIAN) -> Cluster:
    """A running PostgreSQL with the ledger's roles and database, made, started or found running as need be.

    `progress` is told each step that may take a while. Raises ClusterError with what to do; data of another major, of
    another user or of unknown kind are never touched. `debian` is where that distribution keeps its server programs.
    """
    if settings.database_url:
        return _somebody_elses(settings)
    home = settings.home
    data = home / "postgres" / "data"
    available = binaries.installed(debian)
    binaries.choose(available, data)
    user = places.server_user(data)
    places.make_home(home, user)
    with places.exclusive(_lock_file(home), _LOCK_S):
        # Judged again: another process may have made the data while we waited for the lock.
        programs = binaries.within_reach(binaries.choose(available, data), user, home)
        places.make_private(data.parent, user)
        server = Server(programs, user, data, log=data.parent / "log" / "start.log")
        if not data.exists():
            progress(f"making a database with {programs} in {data} …")
            server.initialise()
        socket = _bring_up(server, places.socket_directory(home, user), progress)
        return _attach(server, home, socket, roles.passwords(home, settings.keys))


def _bring_up(server: Server, socket: Path, progress: Callable[[str], None]) -> Path:
    """Start the server, or wait for one that already runs to be ready, and return where its socket is."""
    deadline = time.monotonic() + _ATTACH_S
    told = False
    while (found := server.running()) is None or not found.ready:
        if found is None:
            progress(f"starting {server.binaries} …")
            server.start(socket)
        elif time.monotonic() > deadline:
            raise Unreachable(
                f"A database server runs (process {found.pid}), but has not been ready for {_ATTACH_S} s; it may be "
                f"stopping, or recovering from a crash. Look into {server.log.parent}, and try again."
            )
        else:
            time.sleep(_PAUSE_S)
        told = True
    if not told:
        progress(f"found {server.binaries} running …")
    return found.socket


def _attach(server: Server, home: Path, socket: Path, passwords: dict[str, str]) -> Cluster:
    start = _url(socket, ADMIN, "postgres")
    roles.provide(start, passwords)
    admin = _url(socket, ADMIN, DATABASE)
    attached = places.open_lock(home / "postgres.attached")
    if not places.try_lock(attached.fileno(), fcntl.LOCK_SH):  # only the last one out wants more, and under our lock
        attached.close()
        raise ClusterError(f"{attached.name} is locked by something that is not Ringledger; find it with fuser.")
    owner, writer, reader, projector = (
        roles.url_for(admin, role, passwords[role]) for role in (OWNER, WRITER, READER, PROJECTOR)
    )
    description = f"{server.binaries} at {socket}"
    return Cluster(owner, writer, reader, projector, admin, description, server, home, attached)


def _somebody_elses(settings: Settings) -> Cluster:
    passwords = roles.passwords(settings.home, settings.keys)
    url = settings.database_url
    roles.provide_on(url, passwords)
    writer, reader, projector = (roles.url_for(url, role, passwords[role]) for role in (WRITER, READER, PROJECTOR))
    return Cluster(url, writer, reader, projector, url, "the PostgreSQL of RINGLEDGER_DATABASE_URL")


def _url(socket: Path, role: str, database: str) -> str:
    return f"postgresql://{role}@/{database}?host={quote(str(socket), safe='')}"


def _lock_file(home: Path) -> Path:
    return home / "postgres.lock"
