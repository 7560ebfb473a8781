"""Whose the server is, which directories it may use, and how locks keep two starts apart.

Nothing here widens a permission: a directory is either made by us, narrow from the start, or left as it was found.
"""

import fcntl
import hashlib
import os
import pwd
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final

# sizeof(sockaddr_un.sun_path) is 108 on Linux (unix(7)), its closing zero included.
LONGEST_SOCKET_PATH: Final = 107
SOCKET_FILE: Final = ".s.PGSQL.5432"
# A user of our own, made where root starts us and no `postgres` user exists.
OWN_USER: Final = "ringledger"
_LOCK_PAUSE_S: Final = 0.05
# What a child of ours may know of our environment: nothing that could redirect a PostgreSQL program (PGDATA, PGHOST).
CHILD_ENVIRONMENT: Final = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


class ClusterError(Exception):
    """The database cannot be had; the message says what was found, that nothing was harmed, and what to do."""


class Unreachable(ClusterError):
    """The server is not there, or not ready: it may well be later."""


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The account that the server runs under: ourselves, or an unprivileged one where we are root."""

    name: str
    uid: int
    gid: int

    @property
    def run_as(self) -> dict[str, Any]:
        """Arguments for `subprocess.run` that make the child this user."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def run(
        self, *command: str | Path, timeout_s: float = 120, own_session: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as this user, in a directory it can be in, and return what it said.

        Raises `Unreachable` when it hangs; a program that fails is returned, for the caller to judge.
        """
        arguments = [str(part) for part in command]
        try:
            return subprocess.run(
                arguments,
                check=False,
                cwd="/",
                env=CHILD_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=timeout_s,
                start_new_session=own_session,
                **self.run_as,
            )
        except subprocess.TimeoutExpired:
            raise Unreachable(
                f"{arguments[0]} did not end within {timeout_s:.0f} s; the disk may be overloaded."
            ) from None

    def can_read(self, path: Path) -> bool:
        """Whether this user can read that file or enter that directory: the kernel's word, not the mode bits'."""
        wish = "-x" if path.is_dir() else "-r"
        return self.run("test", wish, path).returncode == 0


def server_user(data: Path) -> ServerUser:
    """Who runs the server on this data directory: its owner if it exists, else ourselves, else (root) an account.

    Raises ClusterError where the owner is somebody we cannot be, or where no account can be made.
    """
    if exists(data):
        return _owner_of(data)
    if os.geteuid() != 0:
        return _account(os.geteuid())
    for name in ("postgres", OWN_USER):
        try:
            return _account(pwd.getpwnam(name).pw_uid)
        except KeyError:
            continue
    return _make_account()


def _account(uid: int) -> ServerUser:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise ClusterError(
            f"User id {uid} has no name on this machine, and PostgreSQL does not run for a nameless user; "
            "give it a line in /etc/passwd, or run as another user."
        ) from None
    return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _owner_of(data: Path) -> ServerUser:
    owner = data.stat().st_uid
    if owner == 0:
        raise ClusterError(
            f"{data} belongs to root, and PostgreSQL refuses to run as root. Nothing was touched. "
            f"Give it to an unprivileged user (chown -R postgres {data}), or set RINGLEDGER_HOME to another place."
        )
    if os.geteuid() not in {0, owner}:
        raise ClusterError(
            f"{data} belongs to {_account(owner).name}, and you are {_account(os.geteuid()).name}. "
            "Nothing was touched. Run as its owner or as root, or set RINGLEDGER_HOME to a place of your own."
        )
    return _account(owner)


def _make_account() -> ServerUser:
    useradd = shutil.which("useradd", path=CHILD_ENVIRONMENT["PATH"])
    advice = f"make one (useradd --system {OWN_USER}) or install Debian's server (apt-get install postgresql)."
    if useradd is None:
        raise ClusterError(
            f"PostgreSQL refuses to run as root, and there is no useradd to make an account with; {advice}"
        )
    made = subprocess.run(
        [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", OWN_USER],
        check=False,
        capture_output=True,
        text=True,
        env=CHILD_ENVIRONMENT,
    )
    if made.returncode:
        raise ClusterError(f"The account {OWN_USER!r} could not be made ({made.stderr.strip()}); {advice}")
    return _account(pwd.getpwnam(OWN_USER).pw_uid)


def exists(path: Path) -> bool:
    """Whether it is there. Raises ClusterError where we may not even look."""
    try:
        return path.exists()
    except PermissionError as error:
        raise ClusterError(
            f"{path} cannot be looked at: a directory on the way is closed to {_account(os.geteuid()).name}. "
            "Run as its owner or as root, or set RINGLEDGER_HOME to a place of your own."
        ) from error


def give_to_owner_of(home: Path, descriptor: int) -> None:
    """Let the home's owner have a file that root made there for him; nothing to do for anyone else."""
    owner = home.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def make_home(home: Path, user: ServerUser) -> None:
    """Make RINGLEDGER_HOME if it is not there: ours alone, or (root) one that the server's user may pass through.

    Raises ClusterError when the server's user cannot come there; a directory that exists keeps its permissions.
    """
    try:
        home.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        if not home.is_dir():
            raise ClusterError(f"RINGLEDGER_HOME {home} is no directory; remove it or choose another place.") from None
    except OSError as error:
        raise ClusterError(
            f"RINGLEDGER_HOME {home} cannot be made ({error.strerror}); choose a place you can write to."
        ) from error
    else:
        if user.run_as:
            home.chmod(0o711)  # just made, by us: passable, not readable
    if not user.can_read(home):
        raise ClusterError(
            f"The server runs as {user.name}, who cannot reach {home}: a directory on the way is closed to others. "
            "Its permissions were left as they are; set RINGLEDGER_HOME to a place such as /var/lib/ringledger."
        )


def make_private(path: Path, user: ServerUser) -> None:
    """Make a directory for the server's user alone (mode 0700); one that exists must already be that.

    Raises ClusterError for a symbolic link, another's directory, or one that others may write to.
    """
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != user.uid or found.st_mode & 0o022:
            raise ClusterError(
                f"{path} exists and is not a directory of {user.name}'s alone; somebody else may have put it there. "
                "Look at it, and remove it if it is nobody's."
            ) from None
    except OSError as error:
        raise ClusterError(f"{path} cannot be made ({error.strerror}).") from error
    else:
        if user.run_as:
            os.chown(path, user.uid, user.gid)


def socket_directory(home: Path, user: ServerUser) -> Path:
    """The directory of the server's socket: under home, or a short one in /tmp where the path would be too long.

    A path with unusual characters counts as too long: `unix_socket_directories` is a list with a syntax of its own.
    """
    inside = home / "postgres" / "socket"
    if len(os.fsencode(inside / SOCKET_FILE)) <= LONGEST_SOCKET_PATH and re.fullmatch(
        r"[\w./+-]+", str(inside), re.ASCII
    ):
        return inside
    digest = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]
    return Path(f"/tmp/ringledger-{user.uid}-{digest}")  # noqa: S108 - the one short place there is; make_private guards it


def open_lock(path: Path) -> TextIOWrapper:
    """The lock file, made if need be. Raises ClusterError where it cannot be written."""
    try:
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        raise ClusterError(
            f"{path} cannot be opened ({error.strerror}); run as the owner of {path.parent}, or choose another home."
        ) from error
    give_to_owner_of(path.parent, file.fileno())
    return file


@contextmanager
def exclusive(path: Path, timeout_s: float) -> Iterator[None]:
    """Hold the lock file for the duration of the block. Raises Unreachable when another holds it for too long."""
    with open_lock(path) as file:
        deadline = time.monotonic() + timeout_s
        while not try_lock(file.fileno(), fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise Unreachable(
                    f"Another process has been starting or stopping this database for {timeout_s:.0f} s "
                    f"(it holds {path}); wait for it, or end it, and try again."
                )
            time.sleep(_LOCK_PAUSE_S)  # not a blocking flock: that would stop every greenlet of a patched process
        yield


def try_lock(descriptor: int, kind: int) -> bool:
    """Take a lock of that kind (`fcntl.LOCK_EX` or `LOCK_SH`) if it can be had now, and say whether it was."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
