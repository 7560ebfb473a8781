"""How much one caller may ask for: a bucket of tokens each, that fills by itself.

In memory, for each web process: what is lost with it is only that somebody may ask a little more than they should. Who
tries passwords is counted elsewhere and kept (`service.attempts`); here every request counts, and must cost no query.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from typing import Final

# A program that pages through everything takes a few requests a second; a burst is a page of a program's own that asks
# for everything at once.
PER_S: Final = 50.0
BURST: Final = 200.0
_CALLERS: Final = 10_000


class Buckets:
    """One bucket for each caller, the latest ten thousand."""

    def __init__(self, per_s: float = PER_S, burst: float = BURST, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._burst = burst
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> int:
        """Take one; 0, or the whole seconds until there is one again."""
        now = self._clock()
        left, since = self._left.get(caller, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_s)
        allowed = left >= 1
        self._left[caller] = (left - 1 if allowed else left, now)
        self._left.move_to_end(caller)
        while len(self._left) > _CALLERS:
            self._left.popitem(last=False)
        return 0 if allowed else max(1, ceil((1 - left) / self._per_s))
