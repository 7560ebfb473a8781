"""One child process, its output kept, its end certain."""

import ctypes
import pwd
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.warm import Forked, Warmth

TAIL = 2_000
"""Characters of output that an error message quotes."""


# PR_SET_PDEATHSIG of prctl(2): whoever kills the tests themselves leaves no switch, caller or phone behind.
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_us() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


_warmth: Warmth | None = None


def keep_warm() -> None:
    """From now on, a child that runs a command of ours is forked where its imports are done already. Only tests do so:
    for a benchmark a start costs what it costs.
    """
    global _warmth
    _warmth = Warmth(_die_with_us)


def leave_cold() -> None:
    """No longer; what is still there ends."""
    global _warmth
    if _warmth is not None:
        _warmth.close()
    _warmth = None


class Child:
    """A running program. `with Child(...)`: it is gone when the block is left, politely or not."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        output: Path,
        folder: Path,
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`user` is who it shall run as, None for whoever we are; only root may choose. `environment` None: ours."""
        self.command = list(command)
        self.output = output
        with output.open("ab") as sink:
            self.popen = self._forked(sink.fileno(), folder, user, environment) or subprocess.Popen(
                self.command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                user=user,
                group=None if user is None else pwd.getpwnam(user).pw_gid,
                extra_groups=None if user is None else [],
                preexec_fn=_die_with_us,  # noqa: PLW1509 - one system call, before any thread is there
                start_new_session=True,  # Ctrl-C in the terminal reaches pytest, which then stops its children in order
            )

    def _forked(
        self, output: int, folder: Path, user: str | None, environment: Mapping[str, str] | None
    ) -> Forked | None:
        if _warmth is None or user is not None or environment is None:
            return None
        return _warmth.begin(self.command, output=output, folder=folder, environment=environment)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        return self.popen.poll() is None

    def signal(self, number: int) -> None:
        """Send a signal where the program still runs; nothing where it has ended."""
        if self.running:
            self.popen.send_signal(number)

    def stop(self, *, patience_s: float = 5.0) -> int:
        """End it: asked first, killed after `patience_s`. Returns its exit status (negative: by that signal)."""
        self.signal(signal.SIGTERM)
        try:
            return self.popen.wait(patience_s)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """End it at once, as a power failure would."""
        self.signal(signal.SIGKILL)
        return self.popen.wait(10)

    def wait(self, within_s: float) -> int:
        """Its exit status, once it has ended by itself; AssertionError with its last words after `within_s`."""
        try:
            return self.popen.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.command[0]} still runs after {within_s:g} s. {self.last_words()}") from None

    def last_words(self) -> str:
        """The end of what it printed."""
        return f"It printed: …{self.output.read_text(errors='replace')[-TAIL:]}"
