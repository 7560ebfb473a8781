"""The log, read and decoded once for all read models that are at about the same place in it."""

import threading
from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from orchestrator.domain.kernel import Record
from orchestrator.store import Log

# Records that are kept for those a little behind: some megabytes.
KEPT: Final = 20_000
_POSITION: Final = attrgetter("position")


class Feed:
    """A window over the log's newest read part. Thread-safe; whoever lies before the window reads for itself."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._window: list[Record] = []
        self._from = self._to = 0

    def after(self, position: int, limit: int) -> Sequence[Record]:
        """Up to `limit` records after a position, in order; none where the log ends there. Raises `Away`."""
        with self._lock:
            if self._from <= position < self._to:
                first = bisect_right(self._window, position, key=_POSITION)
                return self._window[first : first + limit]
            if position >= self._to:
                return self._read_on(position, limit)
        return self._log.page(position, limit)

    def _read_on(self, position: int, limit: int) -> Sequence[Record]:
        records = self._log.page(position, limit)
        if not records:
            return ()
        if position > self._to or not self._window:
            self._window, self._from = [], position
        self._window += records
        self._to = records[-1].position
        if len(self._window) > KEPT + limit:
            del self._window[:-KEPT]
            self._from = self._window[0].position - 1
        return records
