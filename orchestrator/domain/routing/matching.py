"""Who is offered whom: free agents and waiting contacts, kept in order queue by queue.

The index is a fold of the same events as everything else. Its cost is that of a heap: finding the best agent for a
contact, or the best contact for an agent, does not grow with waiting contacts times agents. Entries that are no longer
true are recognised by their stamp and thrown away when they come to the top.

Contacts: higher priority first, then who queued first. Agents: higher level for the asked skill first, then the
queue's rule (`rules`).
"""

from collections import Counter
from collections.abc import Iterator
from heapq import heappop, heappush

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.routing.queues import Queue, QueueConfigured
from orchestrator.domain.routing.rules import RULES, Key, Rule, Standing, longest_idle
from orchestrator.domain.staff.agents import Agent
from orchestrator.domain.staff.shifts import Shift, available

_Ready = tuple[tuple[Key, str], int, Standing]
_Waiting = tuple[tuple[int, int, str], int, str]


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
        return level if level >= self.min_level else None


class Matching:
    """The order of free agents and waiting contacts in every queue."""

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}
        self._lanes_of_skill: dict[str, dict[str, None]] = {}
        self._skills: dict[str, dict[str, int]] = {}
        self._shifts: dict[str, Shift] = {}
        self._free: dict[str, int] = {}
        self._waits: dict[str, int] = {}
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
                lane.states[_label(shift)] += 1
                self._offer_to_lane(lane, shift)

    def configure_agent(self, agent_id: str, agent: Agent | None) -> None:
        """Take over an agent's skills; None once the agent is removed."""
        affected = [shift for shift in self._shifts.values() if shift.agent_id == agent_id]
        for shift in affected:
            self.remove_shift(shift.shift_id)
        self._skills.pop(agent_id, None)
        if agent is not None:
            self._skills[agent_id] = agent.skills
        for shift in affected:
            self.place_shift(shift)

    def place_shift(self, shift: Shift) -> None:
        """Note where this shift stands now."""
        before = self._shifts.get(shift.shift_id)
        old, new = _label(before) if before else "", _label(shift)
        if before is not None and old == new and before.idle_since == shift.idle_since:
            self._shifts[shift.shift_id] = shift
            return
        self._shifts[shift.shift_id] = shift
        self._free.pop(shift.shift_id, None)
        free = available(shift)
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
        self._free.pop(shift_id, None)
        if shift is not None:
            for lane in self._lanes_for(shift.agent_id):
                lane.states[_label(shift)] -= 1

    def place_contact(self, contact: Contact) -> None:
        """Note whether this contact waits, and where."""
        if contact.status != "waiting" or contact.visit is None:
            self._waits.pop(contact.contact_id, None)
            return
        lane = self._lanes.get(contact.visit.queue_id)
        if lane is None or contact.contact_id in self._waits:
            return
        self._stamp += 1
        self._waits[contact.contact_id] = self._stamp
        key = (-contact.visit.priority, contact.visit.queued_at, contact.visit.visit_id)
        heappush(lane.waiting, (key, self._stamp, contact.contact_id))

    def _offer_to_lane(self, lane: _Lane, shift: Shift) -> None:
        stamp = self._free.get(shift.shift_id)
        level = lane.level_of(self._skills.get(shift.agent_id, {}))
        if stamp is None or level is None:
            return
        standing = Standing(shift_id=shift.shift_id, agent_id=shift.agent_id, level=level, idle_since=shift.idle_since)
        heappush(lane.ready, (((-level, *lane.rule(standing)), shift.shift_id), stamp, standing))

    def _lanes_for(self, agent_id: str) -> Iterator[_Lane]:
        for _, lane in self._named_lanes_for(agent_id):
            yield lane

    def _named_lanes_for(self, agent_id: str) -> Iterator[tuple[str, _Lane]]:
        for skill, level in self._skills.get(agent_id, {}).items():
            for queue_id in self._lanes_of_skill.get(skill, ()):
                lane = self._lanes[queue_id]
                if level >= lane.min_level:
                    yield queue_id, lane

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


def _label(shift: Shift) -> str:
    return "cooling_down" if shift.status == "ready" and shift.cooling_until is not None else shift.status
