"""A PostgreSQL server that stands still: postmaster and backends are stopped, as by a storage that hangs. Connections
stay open, new ones are taken by the kernel, and nothing is answered.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.lab.patience import until


@contextmanager
def still(postmaster: int) -> Iterator[None]:
    """For the length of the block, the server with this process id and all its children."""
    stopped: list[int] = []
    try:
        # The postmaster first: then no more of them begin.
        for pid in (postmaster, *_children(postmaster)):
            stopped.append(pid)
            _tell(pid, signal.SIGSTOP)
        until(lambda: all(_is_still(pid) for pid in stopped), "all of it to be stopped")
        yield
    finally:
        for pid in reversed(stopped):
            _tell(pid, signal.SIGCONT)


def _children(parent: int) -> list[int]:
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    return [int(pid) for pid in text.split()]


def _tell(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _is_still(pid: int) -> bool:
    """Stopped, or gone (proc(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] in "TZX"
    except (FileNotFoundError, ProcessLookupError):
        return True
