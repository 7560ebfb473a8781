"""Writing to the event socket without ever blocking whoever writes.

A command goes out at once, in the same breath as the checks before it, unless the peer has stopped reading. Then it
waits in order, its `still` is asked again just before it is written, and a peer that reads nothing for too long is
lost. Commands that follow from one event go out together, at the end of the same breath: each packet on its own wakes
both sides, which costs more than what is in it.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import gevent
from gevent.event import Event
from gevent.socket import socket, wait_write

# A peer on this or a near machine empties a socket buffer in milliseconds; one that takes none for this long is stuck.
STUCK_S = 5.0


class Letter(NamedTuple):
    """One command: its bytes, whether it may still be written, and who is told where it may not."""

    data: bytes
    still: Callable[[], bool] | None = None
    dropped: Callable[[], None] | None = None


class Outbox:
    """The bytes on their way to one socket. `lost(why)` is called at most once."""

    def __init__(self, sock: socket, lost: Callable[[str], None]) -> None:
        self._fd = sock.fileno()
        self._lost = lost
        self._waiting: deque[Letter] = deque()
        self._rest = b""  # of a command whose beginning is written: nothing may come between
        self._gathering = False
        self._wake = Event()
        self._closed = False
        self._writer = gevent.spawn(self._write_on)

    def idle(self) -> bool:
        """Whether all that was given has been handed to the network."""
        return not self._rest and not self._waiting

    def write(self, letter: Letter) -> None:
        """Send these bytes whole, in order. `still` was true a moment ago; it is asked again if they had to wait."""
        if self._closed:
            return
        at_once = self.idle() and not self._gathering
        self._waiting.append(letter)
        if at_once:
            self._write_together()

    def poke(self) -> None:
        """Send a lone line feed, unless something else is on its way."""
        if self.idle() and not self._gathering and not self._closed:
            self._attempt(b"\n")

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written inside goes out in one packet at the end. Nothing inside may give way to another greenlet."""
        # Behind others that wait for the peer there is nothing to gather: they go one by one, each asked again.
        self._gathering = self.idle()
        try:
            yield
        finally:
            gathered, self._gathering = self._gathering, False
            if gathered and self._waiting:
                self._write_together()

    def close(self) -> None:
        self._closed = True
        self._waiting.clear()
        self._rest = b""
        if gevent.getcurrent() is not self._writer:
            self._writer.kill(block=False)

    def _write_together(self) -> None:
        """Write what waits, all of it just given; what the socket does not take now stays in line."""
        data = b"".join(letter.data for letter in self._waiting)
        sent = len(data) - len(self._attempt(data))
        while self._waiting and sent > 0:
            letter = self._waiting.popleft()
            self._rest = letter.data[sent:]
            sent -= len(letter.data)
        if not self.idle():
            self._wake.set()

    def _attempt(self, data: bytes) -> bytes:
        """What is left of the bytes after as many were written as the socket takes now."""
        try:
            return data[os.write(self._fd, data) :]
        except BlockingIOError:
            return data
        except OSError as error:
            self._fail(f"writing to it failed: {error.strerror or error}")
            return b""

    def _write_on(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while not self.idle():
                try:
                    wait_write(self._fd, timeout=STUCK_S, timeout_exc=TimeoutError())
                except (TimeoutError, OSError, ValueError):
                    self._fail(f"it has read nothing for {STUCK_S:g} s")
                    return
                self._write_some()

    def _write_some(self) -> None:
        if not self._rest:
            letter = self._waiting.popleft()
            if letter.still is not None and not letter.still():
                if letter.dropped is not None:
                    letter.dropped()
                return
            self._rest = letter.data
        self._rest = self._attempt(self._rest)

    def _fail(self, why: str) -> None:
        if not self._closed:
            self.close()
            self._lost(why)
