"""Work that goes on beside the calls for as long as the process lives, and never ends in silence.

An error that nobody foresaw is logged with its traceback and counted (`ringledger_faults`), and the work is begun
again, after a pause that grows while it goes on failing. That is for work that holds nothing which may be half changed:
figures, signs of life, looks at a folder. Where the live state may be, the process ends (`loop.Engine`,
`standby.Shadow`).
"""

import time
from collections.abc import Callable
from typing import Final

import gevent
import structlog
from prometheus_client import Counter

log = structlog.get_logger(__name__)

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0

Work = Callable[[], None]
Spawn = Callable[[str, Work], gevent.Greenlet]


class Steady:
    """Begins such work, and counts its faults."""

    def __init__(self, counter: Counter, *, first_pause_s: float = FIRST_PAUSE_S) -> None:
        """`counter` has the work's name as its one label."""
        self.faults = 0
        """Errors that nobody foresaw, of any of it, since the start."""
        self._counter = counter
        self._first_pause_s = first_pause_s

    def spawn(self, name: str, work: Work) -> gevent.Greenlet:
        """Do this work until it is killed or returns; begin it again where it fails."""
        self._counter.labels(name)  # there from the start, as a nought
        return gevent.spawn(self._keep, name, work)

    def _keep(self, name: str, work: Work) -> None:
        pause_s = self._first_pause_s
        while True:
            begun = time.monotonic()
            try:
                return work()
            except Exception:
                if time.monotonic() - begun > LONGEST_PAUSE_S:
                    pause_s = self._first_pause_s
                self.faults += 1
                self._counter.labels(name).inc()
                log.exception("work-failed", work=name, again_in_s=round(pause_s, 1))
            gevent.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
