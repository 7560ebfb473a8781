"""New legs no faster than a switch can set them up. Past that point it must be protected, or served calls fall."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

import gevent

# On 2 cores a real switch sets up 50 to 60 calls/s with bridging, each of two legs; we make one leg a call.
LEGS_PER_S: Final = 60.0
BURST: Final = 20
_GLANCE_S: Final = 0.005


class Pace:
    """A bucket of tokens for one switch: `burst` at once, `per_s` in the long run, the rest waits in order."""

    def __init__(self, per_s: float = LEGS_PER_S, burst: int = BURST) -> None:
        if per_s <= 0 or burst < 1:
            raise ValueError(f"a pace of {per_s} legs/s with bursts of {burst} would never ring anybody")
        self._per_s = per_s
        self._burst = burst
        self._tokens = float(burst)
        self._counted = time.monotonic()
        self._waiting: deque[Callable[[], bool]] = deque()
        self._worker: gevent.Greenlet | None = None

    @property
    def waiting(self) -> int:
        """Legs that are held back at this moment."""
        return len(self._waiting)

    def go(self, write: Callable[[], bool]) -> None:
        """Call `write` now, or when its turn comes. One that returns False wrote nothing and costs nothing."""
        self._refill()
        if not self._waiting and self._tokens >= 1:
            self._spend(write)
            return
        self._waiting.append(write)
        if self._worker is None or self._worker.dead:
            self._worker = gevent.spawn(self._work)

    def stop(self) -> None:
        """Drop what waits."""
        self._waiting.clear()
        if self._worker is not None:
            self._worker.kill()

    def _work(self) -> None:
        while self._waiting:
            self._refill()
            if self._tokens >= 1:
                self._spend(self._waiting.popleft())
            else:
                gevent.sleep(max(_GLANCE_S, (1 - self._tokens) / self._per_s))

    def _spend(self, write: Callable[[], bool]) -> None:
        if write():
            self._tokens -= 1

    def _refill(self) -> None:
        now = time.monotonic()
        self._tokens = min(float(self._burst), self._tokens + (now - self._counted) * self._per_s)
        self._counted = now
