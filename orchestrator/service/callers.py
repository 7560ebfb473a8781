"""Callers whose customers are to be found, a few at a time, beside the ring path.

A look-up costs nearly as much for one caller as for ten: after one the next comes `GATHER_S` later, for all who came
meanwhile; who comes in a quiet hour waits only until the ring path is done with them. A queue that needs to know who
calls waits longer than either (`QueueConfigured.known_within_ms`).
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import gevent
import structlog
from gevent.event import Event

from orchestrator.service.customers import Caller
from orchestrator.store import StoreError

log = structlog.get_logger(__name__)

GATHER_S: Final = 0.1
RING_FIRST_S: Final = 0.02
"""How long a caller waits at least: finding an agent and ringing them takes a few ms of the same core."""
_AT_ONCE: Final = 100
# Who is further back than this in line stays unknown; at 60 calls/s that is nearly three minutes.
_MOST_WAITING: Final = 10_000

Identify = Callable[[Sequence[str]], Sequence[Caller | None]]
"""Who calls from each of these numbers, None for what is no number. Raises StoreError."""
Tell = Callable[[str, Caller], None]
"""(contact, who calls) → nothing."""


class Callers:
    """A line of callers to be identified. `tell` is called for each who is found, from a greenlet of ours."""

    def __init__(self, identify: Identify, tell: Tell) -> None:
        self._identify = identify
        self._tell = tell
        self._waiting: deque[tuple[str, str]] = deque(maxlen=_MOST_WAITING)
        self._came = Event()
        self._worker: gevent.Greenlet | None = None

    def start(self) -> None:
        """Begin to identify."""
        self._worker = gevent.spawn(self._work)

    def stop(self) -> None:
        """Identify nobody any more."""
        if self._worker is not None:
            self._worker.kill()

    def came(self, contact_id: str, number: str) -> None:
        """Take a caller with this number in line; never waits."""
        self._waiting.append((contact_id, number))
        self._came.set()

    def _work(self) -> None:
        earliest = 0.0
        while True:
            self._came.wait()
            self._came.clear()
            while self._waiting:
                gevent.sleep(max(RING_FIRST_S, earliest - time.monotonic()))
                earliest = time.monotonic() + GATHER_S
                self._next_few()

    def _next_few(self) -> None:
        few = [self._waiting.popleft() for _ in range(min(len(self._waiting), _AT_ONCE))]
        try:
            callers = self._identify([number for _, number in few])
        except StoreError as error:
            # The calls go on without a name; their numbers stay sealed under the contacts' own keys.
            log.warning("callers-not-identified", contacts=[contact for contact, _ in few], error=type(error).__name__)
        except Exception:
            # A fault of ours, and no reason to leave all later callers without a name.
            log.exception("callers-not-identified", contacts=[contact for contact, _ in few])
        else:
            for (contact, _), caller in zip(few, callers, strict=True):
                if caller is not None:
                    self._tell(contact, caller)
