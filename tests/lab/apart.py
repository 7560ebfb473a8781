"""Two hosts of our own making, with a cable between them: network namespaces, which nobody but a test has anything in.

    near (10.231.7.1) ──── cable ──── far (10.231.7.2)

Pulled out, nothing that one sends arrives at the other, and neither is told: frames go to an address that nobody has.
"""

import ctypes
import itertools
import os
import socket
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

NEAR: Final = "10.231.7.1"
FAR: Final = "10.231.7.2"
_NOBODY: Final = "02:00:00:00:00:99"
_CLONE_NEWNET: Final = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count(1)


def why_not() -> str:
    """Why there can be no such hosts here; empty where there can."""
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    probe = f"ringledger-probe-{os.getpid()}"
    try:
        for words in (("netns", "add", probe), ("link", "add", "probe", "netns", probe, "type", "veth")):
            _ip(*words)
    except (OSError, subprocess.SubprocessError) as error:
        return f"no network namespaces here ({getattr(error, 'stderr', '') or error})"
    finally:
        subprocess.run(("ip", "netns", "del", probe), check=False, capture_output=True)
    return ""


class Apart:
    """Both hosts, and what leads from one to the other; in use inside its block."""

    def __init__(self) -> None:
        self._name = f"ringledger-{os.getpid()}-{next(_numbers)}"

    def __enter__(self) -> Self:
        try:
            for host in ("near", "far"):
                _ip("netns", "add", self._space(host))
            near_end = ("link", "add", "near", "netns", self._space("near"), "type", "veth")
            _ip(*near_end, "peer", "name", "far", "netns", self._space("far"))
            for host, address in (("near", NEAR), ("far", FAR)):
                _ip("-n", self._space(host), "addr", "add", f"{address}/30", "dev", host)
                _ip("-n", self._space(host), "link", "set", host, "up")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for host in ("near", "far"):
            subprocess.run(("ip", "netns", "del", self._space(host)), check=False, capture_output=True)

    @property
    def on_far(self) -> tuple[str, ...]:
        """How a command begins that is to run on the far host."""
        return ("ip", "netns", "exec", self._space("far"))

    def listen(self) -> socket.socket:
        """A listener on the near host, which the far one reaches."""
        made: list[socket.socket] = []

        def listen() -> None:
            # A thread's network is its own; this one ends with it.
            with Path(f"/run/netns/{self._space('near')}").open("rb") as space:
                if _libc.setns(space.fileno(), _CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "a namespace cannot be entered")
            made.append(socket.create_server((NEAR, 0)))

        thread = threading.Thread(target=listen)
        thread.start()
        thread.join()
        return made[0]

    def pull_out(self) -> None:
        """From now on nothing comes through, in neither direction."""
        for host, other in (("near", FAR), ("far", NEAR)):
            self._lead(host, other, _NOBODY)

    def put_in(self) -> None:
        """What is sent from now on comes through."""
        for host, other, there in (("near", FAR, "far"), ("far", NEAR, "near")):
            self._lead(host, other, _ip("-n", self._space(there), "-br", "link", "show", there).split()[2])

    def _lead(self, host: str, other: str, to: str) -> None:
        found = ("neigh", "replace", other, "lladdr", to, "nud", "permanent", "dev", host)
        _ip("-n", self._space(host), *found)

    def _space(self, host: str) -> str:
        return f"{self._name}-{host}"


def _ip(*words: str) -> str:
    return subprocess.run(("ip", *words), check=True, capture_output=True, text=True, timeout=30).stdout
