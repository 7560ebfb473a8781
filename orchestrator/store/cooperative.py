"""Waiting as gevent does it best: a connection with one watcher for its whole life, and an alarm without a greenlet.

psycopg sees that gevent has patched the process and waits by `select.poll`, which gevent plays with a new poll object,
a new watcher, an entry in epoll and a timer at each turn: half of what a short statement costs (28 and 16 us of CPU).
"""

import math
import select
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar, cast

import gevent
import psycopg
import structlog
from gevent import get_hub
from gevent.monkey import get_original
from psycopg.abc import PQGen
from psycopg.waiting import READY_R, WAIT_R, Ready

from orchestrator.store.errors import Away

R = TypeVar("R")
log = structlog.get_logger(__name__)

SILENT_S: Final = 3.0
_BEAT_S: Final = 1.0
_TICK_S: Final = 0.25
# The kernel's own: it is asked about what is there, and nobody waits.
_poll = get_original("select", "poll")


class HubConnection(psycopg.Connection[Any]):
    """For the greenlets of one thread. Imported where gevent has patched the process, and nowhere else."""

    _reader: Any = None  # a watcher of gevent's loop, which has no types
    _writer: Any = None
    asked_at = 0.0
    """Since when the server is waited for, by the monotonic clock; 0: it is not."""
    patience_s = math.inf
    """After so long without an answer the server is not at work on what it was asked."""

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
                self.asked_at = time.monotonic()
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
        finally:
            self.asked_at = 0.0

    def close(self) -> None:
        """Close it; whoever waits on it is told so."""
        reader, self._reader = self._reader, None
        for watcher in (reader, self._writer):
            get_hub().cancel_wait(watcher, psycopg.OperationalError("the connection was closed"), True)
        super().close()

    def waits_in_vain(self, patience_s: float) -> bool:
        """Whether it has waited for longer than this, or than its own patience, and nothing has come. An answer that
        lies there since long, because we did not come to it, is one.
        """
        since = self.asked_at
        if not since or self.closed or time.monotonic() - since <= min(patience_s, self.patience_s):
            return False
        there = _poll()  # of any number of files, as select is not
        there.register(self.pgconn.socket, select.POLLIN)
        return not there.poll(0)

    def _wait_for_room(self, hub: Any, wanted: int) -> None:  # noqa: ANN401 - gevent has no types
        """Until more can be sent (or has come): a statement larger than the socket's buffer, once in a long while."""
        watcher = self._writer = hub.loop.io(self.pgconn.socket, int(wanted))
        try:
            hub.wait(watcher)
        finally:
            self._writer = None
            watcher.close()


class Felt(Protocol):
    """Where the log is (`connections.Source`), as far as its pulse is felt."""

    name: str
    silent: bool

    def reach(self) -> psycopg.Connection[Any]:
        """A new connection. Raises `Away`."""
        ...

    def connections(self) -> Sequence[psycopg.Connection[Any]]:
        """All that are open."""
        ...


class Pulse:
    """Feels whether a server still answers. One that was stopped, or whose storage hangs, closes no connection and ends
    no statement: after `SILENT_S` without an answer to the shortest of questions it counts as away. Whoever waits for
    it is told so, and whoever would ask it, at once, until it answers again.
    """

    def __init__(self, source: Felt, *, silent_s: float = SILENT_S) -> None:
        self._source = source
        self._silent_s = silent_s
        self._felt: HubConnection | None = None
        self._greenlets = [gevent.spawn(self._beat), gevent.spawn(self._look)]

    def stop(self) -> None:
        """Feel no more."""
        gevent.killall(self._greenlets)
        self._source.silent = False

    def _beat(self) -> None:
        while True:
            try:
                self._felt = cast("HubConnection", self._source.reach())
                self._ask(self._felt)
            except (Away, psycopg.Error) as error:
                log.debug("no-pulse", source=self._source.name, why=str(error))
            finally:
                felt, self._felt = self._felt, None
                if felt is not None:
                    felt.close()
            gevent.sleep(_BEAT_S)

    def _ask(self, connection: HubConnection) -> None:
        while True:
            connection.execute("SELECT 1")
            if self._source.silent:
                self._source.silent = False
                log.info("database-speaks", source=self._source.name)
            gevent.sleep(_BEAT_S)

    def _look(self) -> None:
        while True:
            gevent.sleep(_TICK_S)
            if not self._source.silent and self._felt is not None and self._felt.waits_in_vain(self._silent_s):
                self._source.silent = True
                log.warning("database-silent", source=self._source.name, remedy="it counts as away until it answers")
            patience_s = self._silent_s if self._source.silent else math.inf
            for connection in self._source.connections():
                if isinstance(connection, HubConnection) and connection.waits_in_vain(patience_s):
                    connection.close()


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
