"""Waiting as gevent does it best: a connection with one watcher for its whole life, and an alarm without a greenlet.

psycopg sees that gevent has patched the process and waits by `select.poll`, which gevent plays with a new poll object,
a new watcher, an entry in epoll and a timer at each turn: half of what a short statement costs (28 and 16 us of CPU).
"""

from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from gevent import get_hub
from psycopg.abc import PQGen
from psycopg.waiting import READY_R, WAIT_R, Ready

R = TypeVar("R")


class HubConnection(psycopg.Connection[Any]):
    """For the greenlets of one thread. Imported where gevent has patched the process, and nowhere else."""

    _reader: Any = None  # a watcher of gevent's loop, which has no types

    def wait(self, gen: PQGen[R], interval: float = 0.1, timeout: float | None = None) -> R:
        """What the generator returns; other greenlets run meanwhile.

        Without an end unless `timeout` s are given: a statement that takes too long is ended by the server, and a
        server that is gone by the kernel (`connections.py`). Raises what the generator does.
        """
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        hub = get_hub()
        try:
            wanted = next(gen)
            while True:
                if wanted == WAIT_R:
                    if self._reader is None:
                        self._reader = hub.loop.io(self.pgconn.socket, int(WAIT_R))
                    hub.wait(self._reader)
                    wanted = gen.send(READY_R)
                else:
                    self._wait_for_room(hub, wanted)
                    # libpq does not block: it may try either direction though only one of them is ready.
                    wanted = gen.send(Ready(wanted))
        except StopIteration as end:
            result: R = end.value
            return result

    def close(self) -> None:
        """Close it; whoever waits on it is told so."""
        reader, self._reader = self._reader, None
        get_hub().cancel_wait(reader, psycopg.OperationalError("the connection was closed"), True)
        super().close()

    def _wait_for_room(self, hub: Any, wanted: int) -> None:  # noqa: ANN401 - gevent has no types
        """Until more can be sent (or has come): a statement larger than the socket's buffer, once in a long while."""
        watcher = hub.loop.io(self.pgconn.socket, int(wanted))
        try:
            hub.wait(watcher)
        finally:
            watcher.close()


class Alarm:
    """Calls something `after_s` after it was set. A wait that times out costs a greenlet's turn at both of its ends."""

    def __init__(self, after_s: float, call: Callable[[], None]) -> None:
        """`call()` runs in the hub itself, where nothing may wait."""
        self._timer: Any = get_hub().loop.timer(after_s, after_s)
        self._call = call

    def set(self) -> None:
        """Call it in a while; one that is set already goes on."""
        if not self._timer.active:
            self._timer.again(self._go_off, update=False)

    def clear(self) -> None:
        """Do not call it."""
        self._timer.stop()

    def _go_off(self) -> None:
        self._timer.stop()
        self._call()
