"""One page's stream: a bounded queue between the hub, which never waits, and a socket, which may."""

import secrets
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import gevent
import structlog
from gevent.queue import Empty, Full, Queue

from web.push import frames
from web.push.frames import Audience

if TYPE_CHECKING:
    from web.push.hub import Hub

# Events a page may be behind before it is let go; what it missed it gets when it comes back.
DEPTH: Final = 64
# A page answers each sign of life. Behind a proxy this alone tells that its network is away: the proxy takes what we
# send, and closes nothing for as long as its own kernel hopes.
ANSWER_S: Final = 10.0
# Where we come to look so much later than we meant to, we could not hear answers either.
_LATE_S: Final = 1.0

log = structlog.get_logger(__name__)


class Stream:
    """Iterated by the server for the bytes of one response; ended by either side."""

    def __init__(
        self,
        hub: "Hub",
        *,
        user: str,
        topics: frozenset[str],
        audience: Audience,
        alive: Callable[[], bool],
        page: str = "",
    ) -> None:
        self.user = user
        self.page = page
        self.topics = topics
        self.audience = audience
        self._hub = hub
        self._alive = alive
        self._queue: Any = Queue(maxsize=DEPTH)
        self._writing: Any = None
        self._check = False
        self._ended = False
        self._answers = False
        self._asked_at: float | None = None

    def answered(self) -> None:
        """The page has had a sign of life: it is there, and one that answers."""
        self._answers = True
        self._asked_at = None

    def put(self, ready: bytes, position: int | None = None) -> bool:
        """Take an event to be sent; False where the page is too far behind to be told anything more."""
        try:
            self._queue.put_nowait(ready if position is None else frames.with_id(position, ready))
        except Full:
            return False
        return True

    def check_soon(self) -> None:
        """Ask again whether this page may still look, before anything more is sent."""
        self._check = True
        self.put(b"")

    def drop(self) -> None:
        """End it at once, also where its greenlet hangs in a socket that nobody reads from: that is closed with it."""
        self._ended = True
        if self._writing is not None and not self._writing.dead:
            self._writing.kill(block=False)

    def end(self) -> None:
        """End it once the page has what is on its way."""
        self._ended = True
        self.put(b"")

    def __iter__(self) -> Iterator[bytes]:
        self._writing = gevent.getcurrent()
        try:
            yield frames.opening(secrets.randbelow(frames.RETRY_MS))
            # The first one sooner, each stream at a time of its own: all desks come at once after a restart, and if
            # their sessions were looked up together every fifteen seconds, everybody's ring would wait for it.
            first_s = self._hub.beat_s * secrets.randbelow(1_000) / 1_000
            yield self._beat(first_s)
            yield from self._events(time.monotonic() + first_s)
        finally:
            self._writing = None
            self._hub.leave(self)

    def _events(self, beat_at: float) -> Iterator[bytes]:
        while not self._ended and not self._is_unheard():
            due = time.monotonic() >= beat_at
            if (due or self._check) and not self._may_go_on():
                yield frames.END
                return
            if due:
                beat_at = time.monotonic() + self._hub.beat_s
                if self._answers and self._asked_at is None:
                    self._asked_at = time.monotonic()
                yield self._beat(self._hub.beat_s)
            look_at = beat_at if self._asked_at is None else min(beat_at, self._asked_at + self._hub.answer_s)
            try:
                ready = self._queue.get(timeout=max(0.0, look_at - time.monotonic()))
            except Empty:
                continue
            # What was taken is told or the stream ends: a page is never told what came before and after it alone.
            if self._check and not self._may_go_on():
                yield frames.END
                return
            if ready:
                yield ready

    def _may_go_on(self) -> bool:
        self._check = False
        return self._alive()

    def _is_unheard(self) -> bool:
        """Whether the page has not answered in time, though we were there to hear it."""
        if self._asked_at is None:
            return False
        over_s = time.monotonic() - self._asked_at - self._hub.answer_s
        if over_s > _LATE_S:
            self._asked_at = time.monotonic()
            return False
        if over_s >= 0:
            log.info("page-unheard", user=self.user, page=self.page)
        return over_s >= 0

    def _beat(self, next_s: float) -> bytes:
        """The sign of life. A page that knows when the next one should come says that it may be old before its stream
        is given up here for want of an answer.
        """
        return frames.beat(time.time_ns() // 1_000_000, stale=self._hub.standing(), next_ms=round(next_s * 1_000))
