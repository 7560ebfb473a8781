"""Make, start, find again and stop a PostgreSQL server that listens on a private Unix socket and nowhere else."""

import os
import pwd
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .binaries import Binaries
from .places import SOCKET_FILE, ClusterError, ServerUser, make_private

ADMIN: Final = "ringledger_admin"
_START_S: Final = 120  # a crash recovery may come first
_STOP_S: Final = 60
_PORT: Final = SOCKET_FILE.rpartition(".")[2]
# pg_ctl's exit status for "no server running" (its manual page, section "status").
_NOT_RUNNING: Final = 3
# Line of postmaster.pid that names the socket's directory, counted from 0 (LOCK_FILE_LINE_SOCKET_DIR in pidfile.h).
_PID_FILE_SOCKET_LINE: Final = 4
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

    def running_socket(self) -> Path | None:
        """The socket's directory of a server that runs on these data, whoever started it, or None."""
        status = self._pg_ctl("status")
        if status.returncode == _NOT_RUNNING:
            return None
        if status.returncode:
            raise ClusterError(f"The state of the server on {self.data} cannot be told:\n{status.stdout.strip()}")
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return None  # it went away between the two looks
        if len(lines) > _PID_FILE_SOCKET_LINE and lines[_PID_FILE_SOCKET_LINE]:
            return Path(lines[_PID_FILE_SOCKET_LINE])
        return None

    def start(self, socket: Path) -> None:
        """Start the server, in a session of its own so that it outlives us, and wait until it accepts connections.

        Raises ClusterError with the end of its log when it does not come up.
        """
        make_private(socket, self.user)
        make_private(self.log.parent, self.user)
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(socket),
            "unix_socket_permissions": "0700",
            "port": _PORT,
            "log_directory": str(self.log.parent),
        }
        # pg_ctl hands this text to a shell, hence the quoting.
        given = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in options.items())
        started = self._pg_ctl("start", "-w", "-t", str(_START_S), "-l", str(self.log), "-o", given)
        if started.returncode:
            raise ClusterError(
                f"The database server did not start; the data were left as they are. It said, in {self.log.parent}:\n"
                f"{self._end_of_logs() or started.stdout.strip()}"
            )

    def stop(self) -> None:
        """Stop the server cleanly (checkpoint, no recovery next time). Raises ClusterError when it will not stop."""
        stopped = self._pg_ctl("stop", "-w", "-m", "fast", "-t", str(_STOP_S))
        if stopped.returncode and self.running_socket() is not None:
            raise ClusterError(f"The database server did not stop within {_STOP_S} s:\n{stopped.stdout.strip()}")

    def _pg_ctl(self, action: str, *options: str) -> subprocess.CompletedProcess[str]:
        program = self.binaries.bin / "pg_ctl"
        return self.user.run(program, action, "-D", self.data, *options, timeout_s=_START_S + _STOP_S)

    def _end_of_logs(self) -> str:
        """The last lines of what it wrote before it had a log (start.log) and after."""
        newest = sorted(self.log.parent.glob("*.log"), key=lambda path: path.stat().st_mtime)
        lines = [line for path in newest for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
        return "\n".join(lines[-_LOG_TAIL_LINES:])


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
