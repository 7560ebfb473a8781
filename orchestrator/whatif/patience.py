"""How long callers are willing to wait, from a day on which most were served before anybody could see.

Whoever gave up has told their patience. Whoever was served, or left otherwise, has told that it is longer than the wait
(censored). E. L. Kaplan and P. Meier, "Nonparametric estimation from incomplete observations" (1958): at each
time at which d of the n who still wait give up, the share that stays is multiplied by 1 - d/n.

Beyond the last who gave up nothing is known. There patience goes on as exponential, with the likeliest mean of the day:
all waiting time ÷ how many gave up, as sizing has it (`projections.sizing`).
"""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import groupby
from math import exp, log
from typing import Final

from msgspec import Struct

USUAL_S: Final = 120.0
"""The mean patience of callers of whom too few gave up to tell."""
ENOUGH: Final = 10
"""With fewer who gave up, a curve is chance."""

Wait = tuple[int, bool]
"""How long somebody waited (ms), and whether they gave up then."""


class Patience(Struct, frozen=True, kw_only=True):
    """The estimate. `told`: from who gave up; otherwise it is what is usual, exponential with `mean_s`."""

    told: bool
    callers: int
    gave_up: int
    mean_s: float
    """Of the exponential beyond the curve."""
    times_ms: tuple[int, ...] = ()
    """When anybody gave up, ascending, …"""
    staying: tuple[float, ...] = ()
    """… and the share of callers whose patience is longer than that."""

    def share(self, after_ms: float) -> float:
        """The share of callers who would wait longer than this."""
        place = bisect_right(self.times_ms, after_ms)
        if place < len(self.times_ms):
            return self.staying[place - 1] if place else 1.0
        last_ms, left = self._end()
        return left * exp(-(after_ms - last_ms) / (1000 * self.mean_s))

    def draw(self, chance: float, waited_ms: float = 0.0) -> float:
        """The patience (ms) of somebody who has waited so long already; `chance`: above 0, up to 1."""
        last_ms, left = self._end()
        upto = chance * self.share(waited_ms)
        if upto < left or last_ms <= waited_ms:
            begins = max(last_ms, waited_ms)
            left = self.share(begins)
            return begins - 1000 * self.mean_s * log(upto / left if left else chance)
        low, high = 0, len(self.staying) - 1
        while low < high:
            middle = (low + high) // 2
            if self.staying[middle] < upto:
                high = middle
            else:
                low = middle + 1
        return float(max(self.times_ms[low], waited_ms))

    def median_s(self) -> float:
        """The patience that half of the callers have."""
        return self.draw(0.5) / 1000

    def _end(self) -> tuple[int, float]:
        """Where the curve ends, and the share that is left there."""
        return (self.times_ms[-1], self.staying[-1]) if self.times_ms else (0, 1.0)


def estimate(waits: Iterable[Wait]) -> Patience:
    """The patience of these callers, or with too few who gave up the usual one."""
    known = sorted(waits)
    gave_up = sum(over for _, over in known)
    if gave_up < ENOUGH:
        return Patience(told=False, callers=len(known), gave_up=gave_up, mean_s=USUAL_S)
    waiting, share = len(known), 1.0
    times: list[int] = []
    staying: list[float] = []
    for waited_ms, group in groupby(known, key=lambda wait: wait[0]):
        over = [gave for _, gave in group]
        lost = sum(over)
        if lost:
            share *= 1 - lost / waiting
            times.append(waited_ms)
            staying.append(share)
        waiting -= len(over)
    mean_s = max(sum(waited_ms for waited_ms, _ in known) / gave_up / 1000, 0.001)
    return Patience(
        told=True,
        callers=len(known),
        gave_up=gave_up,
        mean_s=mean_s,
        times_ms=tuple(times),
        staying=tuple(staying),
    )
