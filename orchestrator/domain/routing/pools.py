"""Agents in order: pools of those who have what is asked for, and in each the orders by which queues look at them.

A pool is skills with least levels, and a branch; it counts its signed-in agents by their state. An order of a pool is a
rule (level first or not, counting in a window) and keeps the free agents in a heap. Queues that ask for the same share
both, so what an agent's coming and going costs does not grow with queues that differ in name only. Entries that are no
longer true are recognised by their stamp and thrown away when they come to the top.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from hashlib import blake2b
from heapq import heapify, heappop, heappush
from math import log
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from orchestrator.domain.kernel import Instant
from orchestrator.domain.routing.requirements import Requirement
from orchestrator.domain.routing.rules import Rule, Standing
from orchestrator.domain.staff.agents import Agent
from orchestrator.domain.staff.counters import Counters, begin

if TYPE_CHECKING:
    from orchestrator.domain.routing.lines import Lane

READY: Final = "ready"
PAUSED: Final = "paused"
PHONE_GONE: Final = "phone_gone"

# States in which nobody is waited for.
OUT: Final = (PAUSED, PHONE_GONE)

# Entries of a heap that are no longer true are thrown out when there are more of them than true ones, and these.
SPARE: Final = 64
_FINE: Final = 1 << 32

PoolKey = tuple[tuple[tuple[str, int], ...], str]
OrderKey = tuple[str, bool, str, int]
_Entry = tuple[tuple[int | str, ...], int, Standing]


def pool_key(skills: Mapping[str, int], branch: str) -> PoolKey:
    """What makes a pool the same: levels below 1 ask for the skill all the same."""
    return tuple(sorted((skill, max(level, 1)) for skill, level in skills.items())), branch


class Pool:
    """The agents who have these skills from these levels, in this branch where one is asked for."""

    __slots__ = ("active", "branch", "key", "orders", "size", "skills", "states", "users")

    def __init__(self, key: PoolKey) -> None:
        self.key = key
        self.skills, self.branch = key
        self.states: Counter[str] = Counter()
        self.size = 0
        """How many of them are signed in."""
        self.orders: dict[OrderKey, Order] = {}
        self.active: dict[Lane, None] = {}
        """The lanes of waiting contacts that any of these agents could take."""
        self.users: set[str] = set()
        """The queues that look at it."""

    def level_of(self, agent: Agent) -> int | None:
        """The agent's levels for the asked skills, added; None where the agent is not of this pool."""
        if self.branch and agent.branch != self.branch:
            return None
        total = 0
        for skill, least in self.skills:
            level = agent.skills.get(skill, 0)
            if level < least:
                return None
            total += level
        return total

    @property
    def able(self) -> int:
        """How many are signed in, not paused, and have a phone: whoever waits for one of them may get one."""
        return self.size - sum(self.states[state] for state in OUT)

    def move(self, old: str, new: str) -> None:
        """One who was in one state, none where that is empty, is in another."""
        if old:
            self.states[old] -= 1
        else:
            self.size += 1
        self.states[new] += 1

    def count(self, label: str, by: int) -> None:
        """So many more (or fewer) are in this state."""
        self.states[label] += by
        self.size += by


class Order:
    """The free agents of a pool, by one rule."""

    __slots__ = ("_clocks", "_drawn", "_turned", "by_level", "counters", "day_begins_h", "draws", "pool", "ready",
                 "rule", "users", "window")  # fmt: skip

    def __init__(self, pool: Pool, rule: Rule, key: OrderKey, counters: Counters) -> None:
        _, self.by_level, self.window, self.day_begins_h = key
        self.pool = pool
        self.rule = rule
        self.draws = "draw" in rule.looks_at
        self.counters = counters
        self.ready: list[_Entry] = []
        self.users: set[str] = set()
        self._turned = Instant(0)
        """When the window began by which everybody is in order."""
        self._clocks: dict[int, int] = {}
        self._drawn: dict[str, tuple[int, int]] = {}

    def standing(self, base: Standing, level: int, at: Instant) -> Standing:
        """How the agent stands in this order now."""
        more: dict[str, int] = {"level": level}
        if self.rule.counts:
            counts = self.counters.of(base.agent_id, self.window, self.day_begins_h, at)
            more |= {"calls": counts.calls, "talk_ms": counts.talk_ms}
        if self.draws:
            more["draw"] = self._clocks.get(self._clock_of(level), 0) + base.draw
        return replace(base, **more)

    def _clock_of(self, level: int) -> int:
        """Those of one level draw by one clock: a lower level's does not move while a higher one's agents are taken."""
        return level if self.by_level else 0

    def key(self, standing: Standing) -> tuple[int | str, ...]:
        """Smaller comes first."""
        level = -standing.level if self.by_level else 0
        return (level, *self.rule.key(standing), standing.idle_since, standing.shift_id)

    def add(self, base: Standing, level: int, stamp: int, free: Mapping[str, int], at: Instant) -> None:
        """The agent is free."""
        if self.rule.counts:
            self.turn(free, at)
        standing = self.standing(base, level, max(at, self._turned))
        if self.draws:
            self._drawn[base.shift_id] = (self._clock_of(level), standing.draw)
        heappush(self.ready, (self.key(standing), stamp, standing))
        if len(self.ready) > SPARE + 2 * self.pool.states[READY]:
            self.ready = [entry for entry in self.ready if free.get(entry[2].shift_id) == entry[1]]
            heapify(self.ready)

    def turn(self, free: Mapping[str, int], now: Instant) -> None:
        """Where a new window has begun, everybody's counters begin anew: put all in order again, once a window."""
        if not self.rule.counts or self.window == "shift":
            return
        began = begin(self.window, self.day_begins_h, now)
        if began <= self._turned:
            return
        self._turned = Instant(began)
        true = [entry for entry in self.ready if free.get(entry[2].shift_id) == entry[1]]
        fresh = ((self.standing(old, old.level, now), stamp) for _, stamp, old in true)
        self.ready = [(self.key(standing), stamp, standing) for standing, stamp in fresh]
        heapify(self.ready)

    def best(self, count: int, free: Mapping[str, int], now: Instant, avoid: Collection[str] = ()) -> list[Standing]:
        """Up to `count` free agents, best first; those of `avoid` only where there are no others."""
        self.turn(free, now)
        found: list[_Entry] = []
        avoided: list[_Entry] = []
        while self.ready and len(found) < count:
            entry = heappop(self.ready)
            if free.get(entry[2].shift_id) == entry[1]:
                (avoided if entry[2].agent_id in avoid else found).append(entry)
        for entry in (*found, *avoided):
            heappush(self.ready, entry)
        return [entry[2] for entry in found or avoided[:count]]

    def chosen(self, shift_id: str) -> None:
        """This agent was taken by this order. Where it draws, its clock has come to that agent's draw: whoever is still
        free was not drawn so far, and by the nature of such draws stands no better or worse than whoever comes now.
        """
        drawn = self._drawn.pop(shift_id, None)
        if drawn is not None:
            clock, draw = drawn
            self._clocks[clock] = max(self._clocks.get(clock, 0), draw)


def draw_of(*parts: str | int) -> int:
    """A draw from the exponential distribution, derived from these parts and so always the same for them."""
    digest = blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    share = (int.from_bytes(digest, "big") + 1) / (1 << 64)
    return round(-log(share) * _FINE)


def widths(requirement: Requirement) -> tuple[PoolKey, PoolKey, PoolKey]:
    """The pools that tell why somebody is out: all who have the skills, those whose levels suffice, those of the
    branch.
    """
    skills, branch = pool_key(requirement.skills, requirement.branch)
    return (tuple((skill, 1) for skill, _ in skills), ""), (skills, ""), (skills, branch)
