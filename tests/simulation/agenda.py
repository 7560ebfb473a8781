"""Virtual time: what is to happen, in order; what falls on the same instant, in an order drawn by the seed."""

from collections.abc import Callable
from heapq import heappop, heappush
from random import Random

from orchestrator.domain.kernel import MILLISECOND, SECOND, Instant

# 2026-03-02, a Monday, 08:00 UTC. Any instant would do; a real one makes stories readable.
START = Instant(1_772_438_400 * SECOND)


class Agenda:
    """A heap of actions. Times are µs."""

    def __init__(self, dice: Random, now: Instant = START) -> None:
        self.now = now
        self._dice = dice
        self._heap: list[tuple[int, float, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, when: int, action: Callable[[], None]) -> None:
        """Do this then; never before now."""
        self._count += 1
        heappush(self._heap, (max(when, self.now), self._dice.random(), self._count, action))

    def after(self, microseconds: int, action: Callable[[], None]) -> None:
        """Do this so much later."""
        self.at(self.now + microseconds, action)

    def soon(self, least_ms: float, most_ms: float, action: Callable[[], None]) -> None:
        """Do this after a delay drawn evenly between the two."""
        self.after(int(self._dice.uniform(least_ms, most_ms) * MILLISECOND), action)

    def next_at(self) -> int | None:
        """When the next action is due."""
        return self._heap[0][0] if self._heap else None

    def step(self) -> bool:
        """Do the next action; whether there was one."""
        if not self._heap:
            return False
        when, _, _, action = heappop(self._heap)
        self.now = Instant(when)
        action()
        return True
