"""The simulator's own time: a heap of what happens next, and threads of the switch written as generators.

All times are whole microseconds since 1970-01-01 UTC; whether they pass by a wall clock or by a test's is the caller's
business. Nothing here reads a clock.
"""

from collections.abc import Callable, Generator
from heapq import heappop, heappush
from typing import Final, TypeAlias, TypeVar

MILLISECOND: Final = 1_000
SECOND: Final = 1_000_000

FOREVER: Final = -1
"""What a thread yields to sleep until somebody wakes it."""

T = TypeVar("T")

Steps: TypeAlias = Generator[int, None, T]
"""A thread of the switch: it yields how long it sleeps at most, in µs, and returns when it is over."""


class Task:
    """Something that will be done at `due`, unless it is cancelled before."""

    __slots__ = ("act", "due")

    def __init__(self, due: int, act: Callable[[], None]) -> None:
        self.due = due
        self.act: Callable[[], None] | None = act

    def cancel(self) -> None:
        self.act = None


class Timeline:
    """What happens when. Things due at the same instant happen in the order in which they were planned."""

    def __init__(self, now: int) -> None:
        self.now = now
        self._heap: list[tuple[int, int, Task]] = []
        self._planned = 0

    def at(self, due: int, act: Callable[[], None]) -> Task:
        task = Task(max(due, self.now), act)
        self._planned += 1
        heappush(self._heap, (task.due, self._planned, task))
        return task

    def after(self, delay: int, act: Callable[[], None]) -> Task:
        return self.at(self.now + delay, act)

    def next_due(self) -> int | None:
        """When the next thing happens, None when nothing is planned."""
        heap = self._heap
        while heap and heap[0][2].act is None:
            heappop(heap)
        return heap[0][0] if heap else None

    def run(self, now: int) -> None:
        """Let everything happen that is due by `now`, each at its own instant. Time never runs backwards."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            due, _, task = heappop(heap)
            act = task.act
            if act is not None:
                task.act = None
                self.now = max(self.now, due)
                act()
        self.now = max(self.now, now)

    def clear(self) -> None:
        """Forget all plans, as a machine that lost its power does."""
        self._heap.clear()


class Thread:
    """One thread of the switch. It notices what others did to it only at its next tick, as one reading media does."""

    __slots__ = ("_next", "_phase", "_running", "_steps", "_tick", "_timeline", "finished")

    def __init__(self, timeline: Timeline, steps: Steps[None], *, tick: int, phase: int) -> None:
        self._timeline = timeline
        self._steps = steps
        self._tick = tick
        self._phase = phase
        self._running = False
        self._next: Task | None = None
        self.finished = False

    def start(self, delay: int = 0) -> None:
        self._next = self._timeline.after(delay, self._resume)

    def begin(self) -> None:
        """Start at once, in the caller's own turn."""
        self._resume()

    def wake(self) -> None:
        """End the thread's sleep at its next tick. Waking a thread that runs or is over changes nothing."""
        if self._running or self.finished:
            return
        due = self._timeline.now + (self._phase - self._timeline.now) % self._tick
        if self._next is not None and self._next.act is not None:
            if self._next.due <= due:
                return
            self._next.cancel()
        self._next = self._timeline.at(due, self._resume)

    def abandon(self) -> None:
        """The thread never runs again and leaves no trace."""
        self.finished = True
        if self._next is not None:
            self._next.cancel()

    def _resume(self) -> None:
        if self.finished:
            return
        self._running = True
        try:
            sleep = next(self._steps)
        except StopIteration:
            self.finished = True
            return
        finally:
            self._running = False
        self._next = None if sleep == FOREVER else self._timeline.after(sleep, self._resume)


def pause(timeline: Timeline, duration: int) -> Steps[None]:
    """Sleep for `duration` µs whoever may call."""
    until = timeline.now + duration
    while timeline.now < until:
        yield until - timeline.now
