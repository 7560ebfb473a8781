"""Who is offered whom: free agents and waiting contacts, kept in order queue by queue.

The index is a fold of the same events as everything else. Its cost is that of a heap: finding the best agent for a
contact, or the best contact for an agent, does not grow with waiting contacts times agents. Entries that are no longer
true are recognised by their stamp and thrown away when they come to the top.

Contacts: higher priority first, then who queued first. Agents: higher level for the asked skill first, then the
queue's rule (`rules`).
"""

from collections import Counter
from collections.abc import Iterator
from heapq import heapify, heappop, heappush

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.outward import IN_TURN
from orchestrator.domain.routing.queues import Queue, QueueConfigured
from orchestrator.domain.routing.rules import RULES, Key, Rule, Standing, longest_idle
from orchestrator.domain.staff.agents import Agent
from orchestrator.domain.staff.shifts import Shift

READY = "ready"
PHONE_BUSY = "phone_busy"

# Entries of a heap that are no longer true are thrown out when there are more of them than true ones, and these.
SPARE = 64

_Ready = tuple[tuple[Key, str], int, Standing]
_Waiting = tuple[tuple[int, int, int], int, str]


class _Lane:
    """One queue's two heaps."""

    __slots__ = ("min_level", "ready", "rule", "skill", "states", "waiting")

    def __init__(self, settings: QueueConfigured) -> None:
        self.ready: list[_Ready] = []
        self.waiting: list[_Waiting] = []
        self.states: Counter[str] = Counter()
        self.adopt(settings)

    def adopt(self, settings: QueueConfigured) -> None:
        self.skill = settings.skill
        self.min_level = settings.min_level
        self.rule: Rule = RULES.get(settings.rule, longest_idle)

    def level_of(self, skills: dict[str, int]) -> int | None:
        """The agent's level for this queue's skill, None where it does not suffice."""
        level = skills.get(self.skill, 0)
        return level if level >= max(self.min_level, 1) else None


class Matching:
    """The order of free agents and waiting contacts in every queue."""

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}
        self._lanes_of_skill: dict[str, dict[str, None]] = {}
        self._skills: dict[str, dict[str, int]] = {}
        self._shifts: dict[str, Shift] = {}
        self._shifts_of_agent: dict[str, dict[str, None]] = {}
        self._labels: dict[str, str] = {}
        self._free: dict[str, int] = {}
        self._waits: dict[str, int] = {}
        self._places: dict[str, int] = {}
        self._stamp = 0

    # --- keeping the index true ---------------------------------------------------------------------------------

    def configure_queue(self, queue: Queue) -> None:
        """Take over a queue's settings. Costs a look at every shift; configuration changes are rare."""
        lane = self._lanes.get(queue.queue_id)
        if lane is None:
            lane = self._lanes[queue.queue_id] = _Lane(queue.settings)
        else:
            self._lanes_of_skill.get(lane.skill, {}).pop(queue.queue_id, None)
            lane.adopt(queue.settings)
        self._lanes_of_skill.setdefault(lane.skill, {})[queue.queue_id] = None
        lane.ready.clear()
        lane.states.clear()
        for shift in self._shifts.values():
            if lane.level_of(self._skills.get(shift.agent_id, {})) is not None:
                lane.states[self._labels[shift.shift_id]] += 1
                self._offer_to_lane(lane, shift)

    def configure_agent(self, agent_id: str, agent: Agent | None) -> None:
        """Take over an agent's skills; None once the agent is removed."""
        affected = [self._shifts[shift_id] for shift_id in self._shifts_of_agent.get(agent_id, ())]
        labels = {shift.shift_id: self._labels[shift.shift_id] for shift in affected}
        for shift in affected:
            self.remove_shift(shift.shift_id)
        self._skills.pop(agent_id, None)
        if agent is not None:
            self._skills[agent_id] = agent.skills
        for shift in affected:
            self.place_shift(shift, on_hook=labels[shift.shift_id] != PHONE_BUSY)

    def place_shift(self, shift: Shift, *, on_hook: bool) -> None:
        """Note where this shift stands now. `on_hook`: no leg of ours to its phone is open any more."""
        before = self._shifts.get(shift.shift_id)
        old, new = self._labels.get(shift.shift_id, ""), _label(shift, on_hook=on_hook)
        self._shifts[shift.shift_id] = shift
        self._shifts_of_agent.setdefault(shift.agent_id, {})[shift.shift_id] = None
        if before is not None and old == new and before.idle_since == shift.idle_since:
            return
        self._labels[shift.shift_id] = new
        self._free.pop(shift.shift_id, None)
        free = new == READY
        if free:
            self._stamp += 1
            self._free[shift.shift_id] = self._stamp
        for lane in self._lanes_for(shift.agent_id):
            if old:
                lane.states[old] -= 1
            lane.states[new] += 1
            if free:
                self._offer_to_lane(lane, shift)

    def remove_shift(self, shift_id: str) -> None:
        """Forget a shift that ended."""
        shift = self._shifts.pop(shift_id, None)
        label = self._labels.pop(shift_id, "")
        self._free.pop(shift_id, None)
        if shift is not None:
            own = self._shifts_of_agent[shift.agent_id]
            del own[shift_id]
            if not own:
                del self._shifts_of_agent[shift.agent_id]
            for lane in self._lanes_for(shift.agent_id):
                lane.states[label] -= 1

    def place_contact(self, contact: Contact, *, reachable: bool) -> None:
        """Note whether this contact waits, and where. Only one whose switch is `reachable` can be served; another keeps
        its place.
        """
        ident, visit = contact.contact_id, contact.visit
        if visit is None:
            self._waits.pop(ident, None)
            self._places.pop(ident, None)
            return
        self._stamp += 1
        place = self._places.setdefault(ident, self._stamp)
        if contact.status not in IN_TURN or not reachable:
            self._waits.pop(ident, None)
            return
        lane = self._lanes.get(visit.queue_id)
        if lane is None or ident in self._waits:
            return
        self._waits[ident] = self._stamp
        heappush(lane.waiting, ((-visit.priority, visit.queued_at, place), self._stamp, ident))
        if len(lane.waiting) > SPARE + 2 * len(self._waits):
            lane.waiting = [entry for entry in lane.waiting if self._waits.get(entry[2]) == entry[1]]
            heapify(lane.waiting)

    def _offer_to_lane(self, lane: _Lane, shift: Shift) -> None:
        stamp = self._free.get(shift.shift_id)
        level = lane.level_of(self._skills.get(shift.agent_id, {}))
        if stamp is None or level is None:
            return
        standing = Standing(shift_id=shift.shift_id, agent_id=shift.agent_id, level=level, idle_since=shift.idle_since)
        heappush(lane.ready, (((-level, *lane.rule(standing)), shift.shift_id), stamp, standing))
        if len(lane.ready) > SPARE + 2 * len(self._free):
            lane.ready = [entry for entry in lane.ready if self._free.get(entry[2].shift_id) == entry[1]]
            heapify(lane.ready)

    def _lanes_for(self, agent_id: str) -> Iterator[_Lane]:
        for skill, level in self._skills.get(agent_id, {}).items():
            for queue_id in self._lanes_of_skill.get(skill, ()):
                lane = self._lanes[queue_id]
                if level >= max(lane.min_level, 1):
                    yield lane

    # --- asking -------------------------------------------------------------------------------------------------

    def best_agents(self, queue_id: str, count: int) -> list[Standing]:
        """Up to `count` free agents for the queue, best first. They stay in the index until their shift changes."""
        lane = self._lanes.get(queue_id)
        if lane is None:
            return []
        found: list[_Ready] = []
        while lane.ready and len(found) < count:
            entry = heappop(lane.ready)
            if self._free.get(entry[2].shift_id) == entry[1]:
                found.append(entry)
        for entry in found:
            heappush(lane.ready, entry)
        return [entry[2] for entry in found]

    def best_contact(self, agent_id: str) -> str | None:
        """The waiting contact that this agent should have: highest priority, then queued first, over all queues that
        the agent serves. None where nobody waits.
        """
        heads = [head for lane in self._lanes_for(agent_id) if (head := self._head(lane)) is not None]
        return min(heads)[2] if heads else None

    def first_queue(self, leave_out: set[str]) -> str | None:
        """The queue whose head should be served first among those that have a free agent. Costs a look at every queue:
        for the rare moments when everything has to be looked at.
        """
        heads = [
            (head[0], queue_id)
            for queue_id, lane in self._lanes.items()
            if queue_id not in leave_out and (head := self._head(lane)) is not None and self.best_agents(queue_id, 1)
        ]
        return min(heads)[1] if heads else None

    def next_contact(self, queue_id: str) -> str | None:
        """The contact at the head of this queue, None where nobody waits."""
        lane = self._lanes.get(queue_id)
        head = self._head(lane) if lane is not None else None
        return head[2] if head is not None else None

    def _head(self, lane: _Lane) -> _Waiting | None:
        while lane.waiting:
            head = lane.waiting[0]
            if self._waits.get(head[2]) == head[1]:
                return head
            heappop(lane.waiting)
        return None

    def is_free(self, shift_id: str) -> bool:
        """Whether this shift may be offered a contact now."""
        return shift_id in self._free

    def states(self, queue_id: str) -> dict[str, int]:
        """How many signed-in agents with the queue's skill are in which state; only those above zero."""
        lane = self._lanes.get(queue_id)
        return {state: count for state, count in sorted(lane.states.items()) if count > 0} if lane else {}

    def waiting(self, queue_id: str) -> int:
        """How many contacts wait in this queue. Costs a walk over the queue: for people, not for decisions."""
        lane = self._lanes.get(queue_id)
        return sum(1 for _, stamp, contact in lane.waiting if self._waits.get(contact) == stamp) if lane else 0


def _label(shift: Shift, *, on_hook: bool) -> str:
    if shift.status != READY:
        return shift.status
    if shift.cooling_until is not None:
        return "cooling_down"
    return READY if on_hook else PHONE_BUSY
