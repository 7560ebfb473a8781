"""The process from which our commands are forked, its imports done: `python -m tests.lab.forks plain|patched FD`.

It is told over the socket FD what to run, and runs nothing itself. See `tests/lab/warm.py`.
"""

import os
import select
import sys

# Python's own, not gevent's: these would begin a hub here, which would not be whole in what is forked.
_poll, _fork, _waitpid = select.poll, os.fork, os.waitpid
if sys.argv[1:2] == ["patched"]:
    from gevent import monkey

    monkey.patch_all()

import _socket
import array
import atexit
import ctypes
import gc
import json
import runpy
import signal
import threading
from contextlib import suppress
from importlib import import_module
from typing import Any, Final, NoReturn

# What a command imports when it is called; whatever is not here it imports itself. Tables of places take longest.
_NEEDS: Final = {
    "engine": ("orchestrator.bootstrap",),
    "web": ("web.serve", "phonenumbers.geocoder"),
    "projections": ("projections.command", "phonenumbers.geocoder"),
    "config": ("orchestrator.service.configuration",),
}
_MOST_BYTES: Final = 1 << 20
_MOST_FILES: Final = 4_096
_PR_SET_PDEATHSIG: Final = 1


def serve(line: int) -> list[str]:
    """Fork what is asked for and tell how each ended, until nobody is there to ask. In what is forked: its words."""
    import_module("orchestrator.commandline")
    from orchestrator.domain.catalogue import CATALOGUE
    from orchestrator.store.mapper import LedgerMapper

    asking = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET, 0, line)
    watched = _poll()
    watched.register(line, select.POLLIN)
    running: dict[int, tuple[int, int]] = {}
    while True:
        for ready, _ in watched.poll():
            if ready != line:
                watched.unregister(ready)
                os.close(ready)
                _tell_end(*running.pop(ready))
                continue
            said, files, _, _ = asking.recvmsg(_MOST_BYTES, _socket.CMSG_SPACE(2 * array.array("i").itemsize))
            if not said:
                sys.exit()
            asked = json.loads(said)
            output, tells = array.array("i", files[0][2])
            for name in _NEEDS.get(asked["words"][0], ()):
                import_module(name)
            LedgerMapper(CATALOGUE)  # what of it is made once a process, is made here
            gc.collect()
            gc.freeze()  # whoever is forked need not look at it again, and so does not copy it
            pid = _fork()
            if pid == 0:
                asking.detach()
                become(asked, output)
                return list(asked["words"])
            os.close(output)
            ended = os.pidfd_open(pid)
            running[ended] = pid, tells
            watched.register(ended, select.POLLIN)
            asking.send(str(pid).encode())


def _tell_end(pid: int, tells: int) -> None:
    with suppress(BrokenPipeError):  # nobody waits for it
        os.write(tells, str(_waitpid(pid, 0)[1]).encode())
    os.close(tells)


def become(asked: dict[str, Any], output: int) -> None:
    """A process like any other, with a session, a folder, an environment and an output of its own, and no file of
    whoever forked it; with them it ends, as every child of the laboratory does.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.setsid()
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, _MOST_FILES)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])


def end(status: int) -> NoReturn:
    """End as Python does, but for taking all modules to pieces: whoever was forked would copy them only for that."""
    threading._shutdown()  # type: ignore[attr-defined]  # Python itself calls it first
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    sys.argv[1:] = serve(int(sys.argv[2]))
    try:
        runpy.run_module("orchestrator", run_name="__main__", alter_sys=True)
    except SystemExit as leaving:
        if not isinstance(leaving.code, int):
            raise
        end(leaving.code & 0xFF)
    end(0)
