"""Going back and forth in time cheaply: the past from the nearest remembered state, not from the beginning.

    log  ──────────●──────────●──────────●─────▶        ● a remembered state, every `spacing` positions
                              └─fold──▶ t                 the state at t: unfold the one before it, fold the rest

A slider asks for many instants near each other, forwards and backwards; `as_of` would fold a whole stretch for each.
What is remembered are bytes in this process's own memory, made and read by nobody else; what was kept for all
(`snapshots`) is taken where nothing nearer is remembered.
"""

import math
import pickle
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from orchestrator.domain.kernel import Instant, Record
from orchestrator.domain.observed import Observed
from orchestrator.replay.past import Past, nearest
from orchestrator.replay.snapshots import INTERVAL, Snapshots
from orchestrator.store import Log

# Records folded at most for one look, about a tenth of a second's work.
SPACING: Final = 10_000
# A state of a few hundred kilobytes each: what is kept stays below some hundred megabytes.
KEPT: Final = 200
# And as long at most: whoever was erased meanwhile is not remembered for longer.
KEPT_S: Final = 600.0
# Rows read at once: while they are decoded, others in the same process wait.
_BATCH: Final = 1_000


class Scrubber:
    """The state at any instant, and the records after any position. Thread-safe."""

    def __init__(
        self,
        log: Log,
        *,
        snapshots: Snapshots | None = None,
        spacing: int = SPACING,
        kept: int = KEPT,
        kept_s: float = KEPT_S,
    ) -> None:
        self._log = log
        self._snapshots = snapshots
        self._spacing = spacing
        self._kept = kept
        self._kept_s = kept_s
        self._positions: list[int] = [0]
        self._states: dict[int, tuple[bytes, Instant, float]] = {0: (pickle.dumps(Observed()), Instant(0), math.inf)}
        self._lock = threading.Lock()

    def as_of(self, instant: Instant) -> Past:
        """What `replay.as_of` returns, from the nearest remembered state. Raises `Away`."""
        position = self.position_at(instant)
        world, highest = self.past_of(position)
        return Past(world, instant, position, highest)

    def position_at(self, instant: Instant) -> int:
        """The position that the log had come to at an instant. Raises `Away`."""
        if self._snapshots is None:
            return self._log.position_at(instant)
        return self._snapshots.position_at(self._log, instant)

    def at_position(self, position: int) -> Observed:
        """The state after the record at this position, the caller's to keep. Raises `Away`."""
        return self.past_of(position)[0]

    def past_of(self, position: int) -> tuple[Observed, Instant]:
        """The same with the latest time in it."""
        world, known, highest = self._nearest(position)
        if position == known:
            return world, highest
        since = 0
        for each in self._log.happened(after=known, until=position):
            world.apply(each)
            highest = Instant(max(highest, each.about.at))
            since += 1
            if since == self._spacing:
                self._remember(each.position, world, highest)
                since = 0
        return world, highest

    def steps(self, position: int, limit: int) -> list[Record]:
        """The next records after a position, at most `limit`, in order. Raises `Away`."""
        return self._log.page(position, limit)

    def between(self, position: int, until: int) -> Iterator[Record]:
        """The records after a position, up to another. Raises `Away`."""
        yield from self._log.history(after=position, until=until, batch=_BATCH)

    def _nearest(self, position: int) -> tuple[Observed, int, Instant]:
        with self._lock:
            self._forget_old()
            known = self._positions[bisect_right(self._positions, position) - 1]
            state, highest, _ = self._states[known]
        if position - known > INTERVAL and self._snapshots is not None:
            world, kept, latest = nearest(self._log, position, self._snapshots)
            if kept > known:
                self._remember(kept, world, latest)
                return world, kept, latest
        world = pickle.loads(state)  # noqa: S301 - our own bytes, never out of this process
        return world, known, highest

    def _remember(self, position: int, world: Observed, highest: Instant) -> None:
        state = pickle.dumps(world)
        with self._lock:
            if position in self._states:
                return
            if len(self._positions) >= self._kept:
                self._thin_out()
            self._states[position] = state, highest, time.monotonic() + self._kept_s
            self._positions.insert(bisect_right(self._positions, position), position)

    def _forget_old(self) -> None:
        now = time.monotonic()
        for position in [each for each in self._positions if self._states[each][2] < now]:
            del self._states[position]
            self._positions.remove(position)

    def _thin_out(self) -> None:
        """Forget every other state but the empty one: what is left is as even as before, twice as far apart."""
        for position in self._positions[1::2]:
            del self._states[position]
        self._positions = self._positions[::2]
