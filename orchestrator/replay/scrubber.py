"""Going back and forth in time cheaply: the past from the nearest remembered state, not from the beginning.

    log  ──────────●──────────●──────────●─────▶        ● a remembered state, every `spacing` positions
                              └─fold──▶ t                 the state at t: unfold the one before it, fold the rest

A slider asks for many instants near each other, forwards and backwards; `as_of` would fold the whole log for each. What
is remembered are bytes in this process's own memory, made and read by nobody else.
"""

import pickle
import threading
from bisect import bisect_right
from typing import Final

from orchestrator.domain.kernel import Instant, Record
from orchestrator.domain.world import World
from orchestrator.replay.past import Past
from orchestrator.store import Log

# Records folded at most for one look, about a tenth of a second's work.
SPACING: Final = 10_000
# A state of a few hundred kilobytes each: what is kept stays below some hundred megabytes.
KEPT: Final = 200


class Scrubber:
    """The state at any instant, and the records after any position. Thread-safe."""

    def __init__(self, log: Log, *, spacing: int = SPACING, kept: int = KEPT) -> None:
        self._log = log
        self._spacing = spacing
        self._kept = kept
        self._positions: list[int] = [0]
        self._states: dict[int, bytes] = {0: pickle.dumps(World())}
        self._lock = threading.Lock()

    def as_of(self, instant: Instant) -> Past:
        """What `replay.as_of` returns, from the nearest remembered state. Raises `Away`."""
        return Past(self.at_position(position := self._log.position_at(instant)), instant, position)

    def at_position(self, position: int) -> World:
        """The state after the record at this position, the caller's to keep. Raises `Away`."""
        with self._lock:
            known, state = self._nearest(position)
        world: World = pickle.loads(state)  # noqa: S301 - our own bytes, never out of this process
        if position == known:
            return world
        since = 0
        for record in self._log.history(after=known, until=position):
            world.apply(record)
            since += 1
            if since == self._spacing:
                self._remember(record.position, world)
                since = 0
        return world

    def steps(self, position: int, limit: int) -> list[Record]:
        """The next records after a position, at most `limit`, in order. Raises `Away`."""
        found = []
        for record in self._log.history(after=position, batch=limit):
            found.append(record)
            if len(found) == limit:
                break
        return found

    def _nearest(self, position: int) -> tuple[int, bytes]:
        known = self._positions[bisect_right(self._positions, position) - 1]
        return known, self._states[known]

    def _remember(self, position: int, world: World) -> None:
        state = pickle.dumps(world)
        with self._lock:
            if position in self._states:
                return
            if len(self._positions) >= self._kept:
                self._thin_out()
            self._states[position] = state
            self._positions.insert(bisect_right(self._positions, position), position)

    def _thin_out(self) -> None:
        """Forget every other state but the empty one: what is left is as even as before, twice as far apart."""
        for position in self._positions[1::2]:
            del self._states[position]
        self._positions = self._positions[::2]
