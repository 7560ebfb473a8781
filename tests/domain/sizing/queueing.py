"""A queue played call by call, by nothing but the dice: what the formulas are held against.

Calls come at random, each takes the agent who comes free first, in the order of their coming; whoever is not served
when their patience ends is gone. No formula stands in here.
"""

from heapq import heappop, heappush, heapreplace
from math import sqrt
from random import Random
from statistics import fmean, stdev

from msgspec import Struct

_BATCHES = 20


class Played(Struct, frozen=True):
    """A figure of the game, and its standard error, from twenty stretches of it."""

    mean: float
    error: float

    def agrees(self, figure: float) -> bool:
        """Within four standard errors: one right figure in some ten thousand is refused."""
        return abs(self.mean - figure) <= 4 * self.error + 1e-12


class Game(Struct, frozen=True):
    """What became of the callers."""

    waits: Played
    level: Played
    wait_s: Played
    gives_up: Played


def play(
    calls: int, agents: int, *, traffic: float, handling_s: float, within_s: float, patience_s: float | None, seed: int
) -> Game:
    """So many calls. `patience_s`: mean; None: nobody gives up."""
    dice = Random(seed)
    free_at = [0.0] * agents
    now = 0.0
    told: list[tuple[float, float, float, float]] = []
    for _ in range(calls):
        now += dice.expovariate(traffic / handling_s)
        wait = max(free_at[0] - now, 0.0)
        patience = dice.expovariate(1 / patience_s) if patience_s else float("inf")
        if wait <= patience:
            heapreplace(free_at, now + wait + dice.expovariate(1 / handling_s))
        served = wait <= patience
        told.append((wait > 0, served and wait <= within_s, min(wait, patience), not served))
    # What it was before the queue had settled is left out.
    return Game(*map(_played, zip(*told[calls // 10 :], strict=True)))


def lost(calls: int, lines: int, *, traffic: float, seed: int) -> Played:
    """The share of calls that find all lines busy and go away at once."""
    dice = Random(seed)
    busy: list[float] = []
    now = 0.0
    found: list[float] = []
    for _ in range(calls):
        now += dice.expovariate(traffic)
        while busy and busy[0] <= now:
            heappop(busy)
        found.append(len(busy) >= lines)
        if len(busy) < lines:
            heappush(busy, now + dice.expovariate(1.0))
    return _played(found[calls // 10 :])


def _played(values: "tuple[float, ...] | list[float]") -> Played:
    size = len(values) // _BATCHES
    means = [fmean(values[place * size : (place + 1) * size]) for place in range(_BATCHES)]
    return Played(fmean(means), stdev(means) / sqrt(_BATCHES))
