"""Make, start, find again and stop a PostgreSQL server that listens on a private Unix socket and nowhere else."""

import os
import pwd
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .binaries import Binaries
from .places import SOCKET_FILE, ClusterError, ServerUser, Unreachable, make_private

ADMIN: Final = "ringledger_admin"
_START_S: Final = 120  # a crash recovery may come first
_STOP_S: Final = 60
_CRASH_S: Final = 10
_PAUSE_S: Final = 0.02
_PORT: Final = SOCKET_FILE.rpartition(".")[2]
# Lines of postmaster.pid, counted from 0 (LOCK_FILE_LINE_* in PostgreSQL's src/include/utils/pidfile.h).
_SOCKET_LINE: Final = 4
_STATUS_LINE: Final = 7
_PID_FILE_LINES: Final = 8
_LOG_TAIL_LINES: Final = 12
# Appended to initdb's postgresql.conf, where an operator may change them; fsync keeps its default, on.
_SETTINGS: Final = """
# Ringledger
logging_collector = on
log_filename = 'postgresql-%a.log'   # a week of logs, then over themselves
log_truncate_on_rotation = on
log_rotation_age = 1d
log_rotation_size = 0
log_error_verbosity = terse          # no row values, and so no numbers of people, in logs
log_timezone = 'GMT'                 # the one zone that is there without tzdata
timezone = 'GMT'
jit = off                            # our queries are short; compiling them would cost more than it saves
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A server process, where its socket is, and whether it accepts connections yet."""

    pid: int
    socket: Path
    ready: bool


@dataclass(frozen=True, slots=True)
class Server:
    """One data directory with the programs and the user that serve it."""

    binaries: Binaries
    user: ServerUser
    data: Path
    log: Path

    def initialise(self) -> None:
        """Make the data directory, whole or not at all. Raises ClusterError with what initdb said."""
        making = self.data.with_name("data.making")
        shutil.rmtree(making, ignore_errors=True)  # an earlier attempt that was killed half-way
        make_private(making, self.user)
        made = self.user.run(
            self.binaries.bin / "initdb",
            f"--pgdata={making}",
            f"--username={ADMIN}",
            "--encoding=UTF8",
            "--locale=C.UTF-8",  # code point order: no upgrade of libc or ICU can ever re-sort an index
            "--data-checksums",
            "--auth-local=peer",
            "--auth-host=reject",
            "--no-instructions",
            timeout_s=_START_S,
        )
        if made.returncode:
            raise ClusterError(f"initdb could not make {self.data}:\n{made.stdout.strip()}")
        self._write(making / "pg_hba.conf", _access_rules())
        self._write(making / "pg_ident.conf", _identity_map(self.user))
        with (making / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(_SETTINGS)
        making.rename(self.data)

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")  # initdb made it: owner and mode stay as they are

    def running(self) -> Running | None:
        """The server that runs on these data, whoever started it, or None. An unreadable file reads as none yet."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return None
        if len(lines) < _PID_FILE_LINES or not lines[0].isdecimal() or not _is_alive(int(lines[0])):
            return None  # left by a crash, or being written this moment
        return Running(int(lines[0]), Path(lines[_SOCKET_LINE]), ready=lines[_STATUS_LINE].strip() == "ready")

    def start(self, socket: Path) -> None:
        """Start the server, in a session of its own so that it outlives us, and wait until it accepts connections.

        Raises ClusterError with the end of its log when it does not come up, `Unreachable` where it takes long.
        """
        make_private(socket, self.user)
        make_private(self.log.parent, self.user)
        crashed = (self.data / "postmaster.pid").exists()
        # After a crash the old server's children need a moment to notice, and PostgreSQL rightly refuses meanwhile.
        patience = time.monotonic() + (_CRASH_S if crashed else 0)
        while not self._comes_up(self._spawn(socket)):
            if time.monotonic() > patience:
                raise ClusterError(
                    "The database server did not start; the data were left as they are. "
                    f"It said, in {self.log.parent}:\n{self._end_of_logs()}"
                )
            time.sleep(_PAUSE_S)

    def _spawn(self, socket: Path) -> int:
        """Begin to run the server and return its process id."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(socket),
            "unix_socket_permissions": "0700",
            "port": _PORT,
            "log_directory": str(self.log.parent),
        }
        given = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        # The shell is there to leave the server an orphan, which init reaps, not us; names reach it as arguments and
        # are never read as its language.
        script = 'exec "$@" </dev/null >>"$0" 2>&1 & echo $!'
        command: list[str | Path] = [
            "sh",
            "-c",
            script,
            self.log,
            self.binaries.bin / "postgres",
            "-D",
            self.data,
            *given,
        ]
        spawned = self.user.run(*command, own_session=True)
        if not spawned.stdout.strip().isdecimal():
            raise ClusterError(f"The database server could not be run: {spawned.stdout.strip()}")
        return int(spawned.stdout)

    def _comes_up(self, pid: int) -> bool:
        """Wait until that process accepts connections (True) or is gone (False)."""
        deadline = time.monotonic() + _START_S
        while _is_alive(pid):
            found = self.running()
            if found is not None and found.pid == pid and found.ready:
                return True
            if time.monotonic() > deadline:
                raise Unreachable(
                    f"The database server has been starting for {_START_S} s and goes on (process {pid}); "
                    f"a recovery after a crash can take longer. Look into {self.log.parent}, and run this again."
                )
            time.sleep(_PAUSE_S)
        return False

    def stop(self) -> None:
        """Stop the server cleanly (checkpoint, no recovery next time). Raises ClusterError when it will not stop."""
        program = self.binaries.bin / "pg_ctl"
        options = ("-w", "-m", "fast", "-t", str(_STOP_S))
        stopped = self.user.run(program, "stop", "-D", self.data, *options, timeout_s=2 * _STOP_S)
        if stopped.returncode and self.running() is not None:
            raise ClusterError(f"The database server did not stop within {_STOP_S} s:\n{stopped.stdout.strip()}")

    def _end_of_logs(self) -> str:
        """The last lines of what it wrote before it had a log (start.log) and after."""
        newest = sorted(self.log.parent.glob("*.log"), key=lambda path: path.stat().st_mtime)
        lines = [line for path in newest for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
        return "\n".join(lines[-_LOG_TAIL_LINES:])


def _is_alive(pid: int) -> bool:
    """Whether that process is a PostgreSQL server: neither gone, nor dead and unreaped, nor another with its old id."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    # "pid (name) state …", proc(5); a shell that is about to become the server is one too.
    name, _, rest = status.partition("(")[2].rpartition(")")
    return name in {"postgres", "sh"} and not rest.lstrip().startswith(("Z", "X"))


def _access_rules() -> str:
    return f"""\
# The socket's directory is open to one user only. On top of that the administrator is whoever the kernel says he is,
# and everyone else has a password of his own.
local  all  {ADMIN}  peer map=ringledger
local  all  all  scram-sha-256
"""


def _identity_map(user: ServerUser) -> str:
    names = dict.fromkeys([pwd.getpwuid(0).pw_name, user.name, pwd.getpwuid(os.geteuid()).pw_name])
    return "".join(f'ringledger  "{name}"  {ADMIN}\n' for name in names)
