"""Processes of this machine, of which the kernel says for certain that they have ended.

A session of the database that ended proves little: the server may have ended it, and whoever held it goes on. That a
process is gone proves that it does nothing more.
"""

import os
import select
import socket
from functools import cache
from pathlib import Path
from typing import Self

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PIDS = Path("/proc/self/ns/pid")


@cache
def machine() -> str:
    """Where a process number means what it means here: this host, since it was started, in this space of processes."""
    return f"{socket.gethostname()} {_BOOT.read_text().strip()} {_PIDS.stat().st_ino}"


class Neighbour:
    """A process of this machine by its number. One that has taken the number of another since is not told from it: it
    is alive, so nothing is concluded.
    """

    def __init__(self, pid: int) -> None:
        self._fd = -1
        self._gone = False
        try:
            self._fd = os.pidfd_open(pid)
        except ProcessLookupError:
            self._gone = True
        except OSError:
            return  # forbidden, or no number of files left: nobody can say

    def has_ended(self) -> bool:
        """Whether it is certain that it has ended; also where nobody has collected its exit code yet."""
        if not self._gone and self._fd >= 0:
            looking = select.poll()
            looking.register(self._fd, select.POLLIN)
            self._gone = bool(looking.poll(0))
        return self._gone

    def close(self) -> None:
        """Watch it no longer."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
