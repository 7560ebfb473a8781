"""Contacts in order: one line for those of one queue who ask for the same, exact at any instant without re-sorting.

A contact's rank is its base and what waiting has added: points a minute, up to a cap. Of two who age alike, neither
passes the other by ageing, so those who still age keep their order, and so do those who have aged out; only between
the two groups does it matter what time it is. So a line has two heaps, and compares their heads. Points are compared
in parts of a minute: nobody's rank jumps.
"""

from heapq import heapify, heappop, heappush

from orchestrator.domain.kernel import Instant
from orchestrator.domain.routing.pools import SPARE, Order, Pool
from orchestrator.domain.routing.requirements import MINUTE, Requirement, rank_at

LaneKey = tuple[str, tuple[tuple[str, int], ...], tuple[str, ...], str, bool, int, int]
Place = tuple[int, int, int]
"""Where somebody stands at an instant: rank in parts of a point, since when, and order of queueing. Smaller first."""


class Wait:
    """One contact in a lane."""

    __slots__ = ("base", "ident", "lane", "out_at", "place", "since", "stamp", "widens")

    def __init__(self, ident: str, lane: "Lane", base: int, since: Instant, place: int, *, widens: bool) -> None:
        self.ident = ident
        self.lane = lane
        self.base = base
        self.since = since
        self.place = place
        self.stamp = 0
        self.widens = widens
        """Whether what it asks for has further steps."""
        self.out_at = lane.ages_out(since)
        """When it stops ageing."""

    def at(self, now: Instant) -> Place:
        """Where it stands now."""
        return (-rank_at(self.base, self.lane.per_min, self.lane.cap, self.since, now), self.since, self.place)


_Entry = tuple[Place, int, Wait]


class Lane:
    """The contacts of one queue with one requirement, who age alike."""

    __slots__ = ("_aged", "_ageing", "_turning", "cap", "key", "order", "per_min", "pool", "queue_id", "requirement",
                 "waiting", "widening")  # fmt: skip

    def __init__(self, key: LaneKey, requirement: Requirement, pool: Pool, order: Order) -> None:
        self.key = key
        self.queue_id, *_, self.per_min, self.cap = key
        self.requirement = requirement
        self.pool = pool
        self.order = order
        self.waiting: dict[str, Wait] = {}
        self.widening = 0
        """How many of them ask for something that has further steps."""
        self._ageing: list[_Entry] = []
        self._aged: list[_Entry] = []
        self._turning: list[tuple[Instant, int, Wait]] = []
        """Those who still age, in the order in which they stop."""

    def ages_out(self, since: Instant) -> Instant:
        """When somebody who waits since then stops ageing; 0: never began."""
        if not self.per_min or not self.cap:
            return Instant(0)
        return Instant(since + -(-self.cap * MINUTE // self.per_min))

    def add(self, wait: Wait, stamp: int) -> None:
        """Somebody waits."""
        self.waiting[wait.ident] = wait
        self.widening += wait.widens
        wait.stamp = stamp
        if wait.out_at:
            # The rank that it would have had at the beginning of time: what it adds since is the same for all who age.
            static = (-(wait.base * MINUTE - self.per_min * wait.since), int(wait.since), wait.place)
            heappush(self._ageing, (static, stamp, wait))
            heappush(self._turning, (wait.out_at, stamp, wait))
        else:
            heappush(self._aged, (wait.at(Instant(0)), stamp, wait))
        self._tidy()

    def remove(self, ident: str) -> None:
        """Somebody does not wait any more."""
        wait = self.waiting.pop(ident, None)
        if wait is not None:
            self.widening -= wait.widens

    def head(self, now: Instant) -> Wait | None:
        """Whoever is first now, None where nobody waits."""
        while self._turning and self._turning[0][0] <= now:
            out_at, stamp, wait = heappop(self._turning)
            if self._holds(wait, stamp):
                wait.out_at = Instant(0)
                heappush(self._aged, (wait.at(out_at), stamp, wait))
        ageing = self._top(self._ageing, ageing=True)
        aged = self._top(self._aged, ageing=False)
        if ageing is None or aged is None:
            return ageing or aged
        return min(ageing, aged, key=lambda wait: wait.at(now))

    def _holds(self, wait: Wait, stamp: int) -> bool:
        return self.waiting.get(wait.ident) is wait and wait.stamp == stamp

    def _top(self, heap: list[_Entry], *, ageing: bool) -> Wait | None:
        while heap:
            _, stamp, wait = heap[0]
            if self._holds(wait, stamp) and bool(wait.out_at) == ageing:
                return wait
            heappop(heap)
        return None

    def _tidy(self) -> None:
        if len(self._ageing) + len(self._aged) <= SPARE + 2 * len(self.waiting):
            return
        self._ageing = [entry for entry in self._ageing if self._holds(entry[2], entry[1]) and entry[2].out_at]
        self._aged = [entry for entry in self._aged if self._holds(entry[2], entry[1])]
        self._turning = [entry for entry in self._turning if self._holds(entry[2], entry[1])]
        heapify(self._ageing)
        heapify(self._aged)
        heapify(self._turning)


def lane_key(queue_id: str, requirement: Requirement, per_min: int, cap: int) -> LaneKey:
    """What makes contacts wait in one line."""
    skills = tuple(sorted(requirement.skills.items()))
    return (queue_id, skills, requirement.agents, requirement.branch, requirement.strongest, per_min, cap)
