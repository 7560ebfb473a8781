"""Which machine this is, and processes of it, of which the kernel says for certain that they have ended.

A session of the database that ended proves little: the server may have ended it, and whoever held it goes on. That a
process is gone proves that it does nothing more.
"""

import hashlib
import os
import re
import secrets
import select
import socket
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final, Self

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PIDS = Path("/proc/self/ns/pid")
# machine-id(5), and where D-Bus kept it before; while an image is not set up, something else may stand there.
_IDS: Final = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_ID: Final = re.compile(r"(?!0{32})[0-9a-f]{32}")
_INSTALLATION: Final = "installation"


@cache
def machine() -> str:
    """Where a process number means what it means here: this host, since it was started, in this space of processes."""
    return f"{socket.gethostname()} {_BOOT.read_text().strip()} {_PIDS.stat().st_ino}"


def identity(home: Path, *, ids: Sequence[Path] = _IDS) -> str:
    """This machine and this installation on it: the same after a restart and under another host name, another one where
    its files were copied to. A container without an id of its own is known by its home alone, which outlives it.

    Of the machine's id a digest only: machine-id(5) asks for that. Raises OSError where the home cannot be written.
    """
    known = next(filter(None, map(_id_in, ids)), "")
    machine_part = hashlib.blake2b(known.encode(), digest_size=8, person=b"ringledger").hexdigest() if known else "none"
    return f"{machine_part}-{_installation(home)}"


def _id_in(file: Path) -> str:
    """The id that stands in this file; nothing where there is none."""
    try:
        text = file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
    return text if _ID.fullmatch(text) else ""


def _installation(home: Path) -> str:
    """The id of what lies in this home, made once, by whoever asks first."""
    file = home / _INSTALLATION
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        made = home / f".{_INSTALLATION}-{secrets.token_hex(4)}"
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, secrets.token_hex(8).encode())
            os.fsync(descriptor)
            with suppress(FileExistsError):  # somebody else was faster: theirs counts
                os.link(made, file)
        finally:
            os.close(descriptor)
            made.unlink()
    return file.read_text(encoding="ascii").strip()


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
