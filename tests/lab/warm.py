"""Commands of ours in processes that need not import first: each is forked from one that has (decision 0107).

What is forked is `python -m orchestrator …` from its first line to its end, with a process id, a session, an
environment, an output and an exit status of its own. Only the imports, most of what a start costs, are shared.

    pytest ──socket pair──▶ python -m tests.lab.forks ──fork──▶ ringledger engine | web | projections run | …
"""

import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

OURS: Final = (sys.executable, "-m", "orchestrator")
# Those that gevent patches before anything else is imported (`orchestrator/__main__.py`).
_PATCHED: Final = ("engine", "web")
# Whoever starts all others begins as their user begins it.
_COLD: Final = ("run",)
_ROOT: Final = Path(__file__).parents[2]
_NUMBER_BYTES: Final = 32
_END_S: Final = 30


class Forked:
    """What `subprocess.Popen` is for others: a process of ours that was forked elsewhere."""

    def __init__(self, words: Sequence[str], pid: int, told: int) -> None:
        """`told` is where its wait status will stand; read once, and closed then."""
        self.args = [*OURS, *words]
        self.pid = pid
        self.returncode: int | None = None
        self._told = told

    def poll(self) -> int | None:
        """Its exit status (negative: by that signal), None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The same, once it has ended; TimeoutExpired after so many seconds."""
        if self.returncode is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            told = os.read(self._told, _NUMBER_BYTES)
            os.close(self._told)
            assert told, "whoever forked it has ended, and it with them"
            self.returncode = os.waitstatus_to_exitcode(int(told))
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal where it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)


class Warm:
    """A process that has done the imports, seen from here: it begins when it is asked first."""

    def __init__(self, kind: str, before: Callable[[], None]) -> None:
        """`kind` is "plain" or "patched"; `before` is called in it before anything else."""
        self._kind = kind
        self._before = before
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None

    def fork(self, words: Sequence[str], *, output: int, folder: Path, environment: Mapping[str, str]) -> Forked:
        """Run this command in that folder; `output` is the open file that takes what it prints."""
        asked = {"words": list(words), "folder": str(folder), "environment": dict(environment)}
        told, tells = os.pipe()
        try:
            with self._lock:
                line = self._line or self._begin()
                socket.send_fds(line, [json.dumps(asked).encode()], [output, tells])
                answer = line.recv(_NUMBER_BYTES)
        finally:
            os.close(tells)
        assert answer, f"the {self._kind} process from which our commands are forked has ended"
        return Forked(words, int(answer), told)

    def _begin(self) -> socket.socket:
        line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.lab.forks", self._kind, str(theirs.fileno())],
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                preexec_fn=self._before,  # noqa: PLW1509 - one system call, before any thread is there
                start_new_session=True,
            )
        self._line = line
        return line

    def close(self) -> None:
        """End it, and with it whatever it forked that still runs."""
        if self._line is not None and self._process is not None:
            self._line.close()
            self._process.wait(_END_S)
            self._line = self._process = None


class Warmth:
    """Both kinds, while tests run; `begin` says None for whatever has to begin cold."""

    def __init__(self, before: Callable[[], None]) -> None:
        self._plain = Warm("plain", before)
        self._patched = Warm("patched", before)

    def begin(
        self, command: Sequence[str], *, output: int, folder: Path, environment: Mapping[str, str]
    ) -> Forked | None:
        """A process that runs this command; None where it is none of ours, or is for a Python that begins otherwise."""
        if tuple(command[: len(OURS)]) != OURS or _of_python(environment) != _of_python(os.environ):
            return None
        words = command[len(OURS) :]
        if words[0] in _COLD:
            return None
        warm = self._patched if words[0] in _PATCHED else self._plain
        return warm.fork(words, output=output, folder=folder, environment=environment)

    def close(self) -> None:
        self._plain.close()
        self._patched.close()


def _of_python(environment: Mapping[str, str]) -> dict[str, str]:
    """What Python and gevent look at when they begin."""
    return {name: value for name, value in environment.items() if name.startswith(("PYTHON", "GEVENT"))}
