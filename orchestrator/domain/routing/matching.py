"""Who is offered whom: free agents and waiting contacts, kept in order.

The index is a fold of the same events as everything else. Its cost is that of a heap: finding the best agent for a
contact, or the best contact for an agent, does not grow with waiting contacts times agents. What contacts ask for is a
requirement at a time; those of one queue who ask for the same stand in one lane (`lines`), and look at the agents of
one pool by one order (`pools`). Lanes of named agents look at those agents alone.

Whoever comes and goes between two questions is never put in order: what moved is noted, and put where it belongs once
somebody asks (`_settle`). A fold of the past asks at its end. Where agents are drawn, it counts who was drawn before:
there everybody is put in order at once.

Contacts: higher rank first, then who has waited longest, then who queued first. Agents: higher level first, unless the
queue says otherwise and the requirement does not ask for the strongest; then the queue's rule (`rules`).
"""

from collections.abc import Collection, Iterator
from heapq import heapify, heappop, heappush

from msgspec import Struct

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.outward import IN_TURN
from orchestrator.domain.kernel import Instant
from orchestrator.domain.routing.lines import Lane, LaneKey, Wait, lane_key
from orchestrator.domain.routing.pools import (
    OUT,
    PAUSED,
    PHONE_GONE,
    READY,
    Order,
    OrderKey,
    Pool,
    PoolKey,
    draw_of,
    pool_key,
    widths,
)
from orchestrator.domain.routing.queues import Queue, QueueConfigured
from orchestrator.domain.routing.requirements import Requirement, own
from orchestrator.domain.routing.rules import Standing, rule_of
from orchestrator.domain.staff.agents import Agent
from orchestrator.domain.staff.counters import Counters
from orchestrator.domain.staff.shifts import Shift

PHONE_BUSY = "phone_busy"


class Choice(Struct, frozen=True):
    """The best free agents for a contact, and why the other signed-in agents with the skills are out."""

    requirement: Requirement
    order: Order
    best: list[Standing]
    others: dict[str, int]


class Matching:
    """The order of free agents and waiting contacts in every queue."""

    def __init__(self, counters: Counters | None = None) -> None:
        self._counters = counters or Counters()
        self._queues: dict[str, QueueConfigured] = {}
        self._own: dict[str, Requirement] = {}
        """What each queue asks for of itself."""
        self._own_orders: dict[str, Order] = {}
        """By which order it looks at the agents for that, once it has."""
        self._agents: dict[str, Agent] = {}
        self._pools: dict[PoolKey, Pool] = {}
        self._pools_of: dict[str, list[tuple[Pool, int]]] = {}
        self._shifts: dict[str, Shift] = {}
        self._shifts_of_agent: dict[str, dict[str, None]] = {}
        self._labels: dict[str, str] = {}
        self._counted: dict[str, str] = {}
        """By which label the pools count each shift."""
        self._free: dict[str, int] = {}
        self._moved: dict[str, Instant] = {}
        """Shifts that are to be put in order, and when they moved last."""
        self._lanes: dict[LaneKey, Lane] = {}
        self._lanes_of_queue: dict[str, dict[LaneKey, Lane]] = {}
        self._named: dict[str, dict[LaneKey, Lane]] = {}
        """The lanes that wait for each named agent."""
        self._waits: dict[str, Wait] = {}
        self._waiting: dict[str, Contact] = {}
        self._came: dict[str, tuple[Contact, bool]] = {}
        """Contacts that are to be put in line, and whether they can be served."""
        self._places: dict[str, int] = {}
        self._stamp = 0
        self._draws = False
        """Whether any queue's rule draws."""

    # --- keeping the index true: configuration ----------------------------------------------------------------------

    def configure_queue(self, queue: Queue) -> None:
        """Take over a queue's settings. Costs a look at whoever waits there; configuration changes are rare."""
        self._settle()
        queue_id = queue.queue_id
        again = [
            self._waiting[ident] for lane in self._lanes_of_queue.get(queue_id, {}).values() for ident in lane.waiting
        ]
        for contact in again:
            self._leave(contact.contact_id)
        self._own_orders.clear()
        for pool in self._pools.values():
            pool.users.discard(queue_id)
            for order in pool.orders.values():
                order.users.discard(queue_id)
        self._queues[queue_id] = queue.settings
        self._draws = any("draw" in rule_of(settings.rule).looks_at for settings in self._queues.values())
        self._own[queue_id] = own(queue.settings)
        self._order(queue_id, self._own[queue_id])
        for contact in again:
            self.place_contact(contact, reachable=True)
        self._settle()
        self._forget_unused()

    def configure_agent(self, agent_id: str, agent: Agent | None) -> None:
        """Take over an agent's skills and branch; None once the agent is removed."""
        self._settle()
        affected = [self._shifts[shift_id] for shift_id in self._shifts_of_agent.get(agent_id, ())]
        labels = {shift.shift_id: self._labels[shift.shift_id] for shift in affected}
        for shift in affected:
            self.remove_shift(shift.shift_id)
        self._pools_of.pop(agent_id, None)
        self._agents.pop(agent_id, None)
        if agent is not None:
            self._agents[agent_id] = agent
        for shift in affected:
            label = labels[shift.shift_id]
            self.place_shift(shift, phone=label if label in (PHONE_BUSY, PHONE_GONE) else "")

    def _order(self, queue_id: str, requirement: Requirement) -> Order:
        """The order by which a queue looks at the agents for this requirement."""
        is_own = requirement is self._own[queue_id]
        if is_own and queue_id in self._own_orders:
            return self._own_orders[queue_id]
        wide, fit, pool = (self._pool(key) for key in widths(requirement))
        for each in (wide, fit, pool):
            each.users.add(queue_id)
        settings = self._queues[queue_id]
        rule = rule_of(settings.rule)
        window, day = (settings.count_window, settings.day_begins_h) if rule.counts else ("", 0)
        key: OrderKey = (rule.name, settings.level_first or requirement.strongest, window, day)
        order = pool.orders.get(key)
        if order is None:
            order = pool.orders[key] = Order(pool, rule, key, self._counters)
            for shift_id, stamp in self._free.items():
                shift = self._shifts[shift_id]
                level = self._level_in(pool, shift.agent_id)
                if level is not None:
                    order.add(self._base(shift), level, stamp, self._free, shift.since)
        order.users.add(queue_id)
        if is_own:
            self._own_orders[queue_id] = order
        return order

    def _pool(self, key: PoolKey) -> Pool:
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = Pool(key)
            for agent_id, known in self._pools_of.items():
                agent = self._agents.get(agent_id)
                level = pool.level_of(agent) if agent is not None else None
                if level is not None:
                    known.append((pool, level))
                    for shift_id in self._shifts_of_agent.get(agent_id, ()):
                        if counted := self._counted.get(shift_id):
                            pool.count(counted, 1)
        return pool

    def _forget_unused(self) -> None:
        """Pools and orders at which no queue looks any more cost nothing from now on."""
        for pool in self._pools.values():
            pool.orders = {key: order for key, order in pool.orders.items() if order.users}
        unused = [key for key, pool in self._pools.items() if not pool.users]
        for key in unused:
            del self._pools[key]
        if unused:
            for agent_id, known in self._pools_of.items():
                self._pools_of[agent_id] = [(pool, level) for pool, level in known if pool.users]

    def _pools_with(self, agent_id: str) -> list[tuple[Pool, int]]:
        known = self._pools_of.get(agent_id)
        if known is None:
            agent = self._agents.get(agent_id)
            all_of_them = self._pools.values() if agent is not None else ()
            known = [(pool, level) for pool in all_of_them if agent and (level := pool.level_of(agent)) is not None]
            self._pools_of[agent_id] = known
        return known

    def _level_in(self, pool: Pool, agent_id: str) -> int | None:
        agent = self._agents.get(agent_id)
        return pool.level_of(agent) if agent is not None else None

    # --- keeping the index true: agents -----------------------------------------------------------------------------

    def place_shift(self, shift: Shift, *, phone: str = "", at: Instant | None = None) -> None:
        """Note where this shift stands now. `phone`: what keeps its phone from being rung: `PHONE_BUSY`, while a leg of
        ours to it is open, or `PHONE_GONE`; empty where nothing does.
        """
        ident = shift.shift_id
        before, label = self._shifts.get(ident), _label(shift, phone)
        self._shifts[ident] = shift
        if before is None:
            self._shifts_of_agent.setdefault(shift.agent_id, {})[ident] = None
        elif self._labels[ident] == label and before.idle_since == shift.idle_since:
            return
        self._labels[ident] = label
        self._free.pop(ident, None)
        self._moved[ident] = at or shift.since
        if self._draws:
            self._settle()

    def _settle(self) -> None:
        """Put in order whatever moved since somebody asked last."""
        if self._moved:
            moved, self._moved = self._moved, {}
            for shift_id, at in moved.items():
                self._put(self._shifts[shift_id], self._labels[shift_id], at)
        if self._came:
            came, self._came = self._came, {}
            for contact, reachable in came.values():
                self._line_up(contact, reachable=reachable)

    def _put(self, shift: Shift, label: str, at: Instant) -> None:
        """Count the shift where it is now, and put a free one in order."""
        pools = self._pools_with(shift.agent_id)
        counted = self._counted.get(shift.shift_id, "")
        if counted != label:
            self._counted[shift.shift_id] = label
            for pool, _ in pools:
                pool.move(counted, label)
        if label == READY:
            self._stamp += 1
            self._free[shift.shift_id] = self._stamp
            orders = [(order, level) for pool, level in pools for order in pool.orders.values()]
            base = self._base(shift, draws=any(order.draws for order, _ in orders))
            for order, level in orders:
                order.add(base, level, self._stamp, self._free, at)

    def remove_shift(self, shift_id: str) -> None:
        """Forget a shift that ended."""
        shift = self._shifts.pop(shift_id, None)
        self._labels.pop(shift_id, None)
        self._free.pop(shift_id, None)
        self._moved.pop(shift_id, None)
        counted = self._counted.pop(shift_id, "")
        if shift is not None:
            own_shifts = self._shifts_of_agent[shift.agent_id]
            del own_shifts[shift_id]
            if not own_shifts:
                del self._shifts_of_agent[shift.agent_id]
            if counted:
                for pool, _ in self._pools_with(shift.agent_id):
                    pool.count(counted, -1)

    def _base(self, shift: Shift, *, draws: bool = True) -> Standing:
        """What every rule may look at, but for what depends on pool and window. `draws`: whether one of them draws."""
        agent = self._agents.get(shift.agent_id)
        counts = self._counters.of(shift.agent_id, "shift", 0, shift.since)
        return Standing(
            shift_id=shift.shift_id,
            agent_id=shift.agent_id,
            level=0,
            idle_since=shift.idle_since,
            skills=len(agent.skills) if agent is not None else 0,
            order=agent.order if agent is not None else 0,
            weight=agent.weight if agent is not None else 1,
            offered_at=counts.offered_at,
            draw=draw_of(shift.shift_id, shift.since, shift.last_offer) if draws else 0,
        )

    # --- keeping the index true: contacts ---------------------------------------------------------------------------

    def place_contact(self, contact: Contact, *, reachable: bool) -> None:
        """Note whether this contact waits, and where. Only one whose switch is `reachable` can be served; another keeps
        its place. One that waits to know who calls does not wait for agents yet.
        """
        ident = contact.contact_id
        if contact.visit is None:
            self._came.pop(ident, None)
            self._leave(ident)
            self._places.pop(ident, None)
            return
        if ident not in self._places:
            self._stamp += 1
            self._places[ident] = self._stamp
        self._came[ident] = (contact, reachable)
        if self._draws:
            self._settle()

    def _line_up(self, contact: Contact, *, reachable: bool) -> None:
        """Put a contact with a visit where it waits, or take it from there."""
        ident, visit = contact.contact_id, contact.visit
        served = visit is not None and contact.status in IN_TURN and reachable
        if visit is None or not served or visit.step < 0 or visit.queue_id not in self._own:
            self._leave(ident)
            return
        before = self._waits.get(ident)
        if before is not None and self._waiting[ident].visit is visit:
            self._waiting[ident] = contact
            return
        requirement = visit.requirement or self._own[visit.queue_id]
        key = lane_key(visit.queue_id, requirement, visit.age_per_min, visit.age_cap)
        widens = not visit.last_step
        if before is not None:
            self._waiting[ident] = contact
            same = (before.lane.key, before.base, before.since, before.widens)
            if same == (key, visit.base, visit.since, widens):
                return
            self._leave(ident)
        lane = self._lanes.get(key) or self._open_lane(key, requirement)
        place = self._places[ident]
        wait = self._waits[ident] = Wait(ident, lane, visit.base, visit.since, place, widens=widens)
        self._waiting[ident] = contact
        self._stamp += 1
        lane.add(wait, self._stamp)

    def _open_lane(self, key: LaneKey, requirement: Requirement) -> Lane:
        queue_id = key[0]
        order = self._order(queue_id, requirement)
        lane = self._lanes[key] = Lane(key, requirement, order.pool, order)
        self._lanes_of_queue.setdefault(queue_id, {})[key] = lane
        if requirement.agents:
            for agent_id in requirement.agents:
                self._named.setdefault(agent_id, {})[key] = lane
        else:
            order.pool.active[lane] = None
        return lane

    def _leave(self, ident: str) -> None:
        wait = self._waits.pop(ident, None)
        self._waiting.pop(ident, None)
        if wait is None:
            return
        lane = wait.lane
        lane.remove(ident)
        if lane.waiting:
            return
        del self._lanes[lane.key]
        self._lanes_of_queue[lane.queue_id].pop(lane.key)
        lane.pool.active.pop(lane, None)
        for agent_id in lane.requirement.agents:
            self._named[agent_id].pop(lane.key, None)
            if not self._named[agent_id]:
                del self._named[agent_id]

    def note_chosen(self, contact_id: str, shift_ids: Collection[str]) -> None:
        """These agents were taken for a contact that still waits: what matters where they were drawn."""
        if not self._draws:
            return
        wait = self._waits.get(contact_id)
        if wait is not None and not wait.lane.requirement.agents:
            for shift_id in shift_ids:
                wait.lane.order.chosen(shift_id)

    # --- asking: agents ---------------------------------------------------------------------------------------------

    def choose(self, contact: Contact, count: int, now: Instant, *, strict: bool = False) -> Choice | None:
        """Up to `count` of the best free agents for a contact, whether it waits or is being offered. Whoever did not
        take it just now comes only where there is nobody else, and not at all where it is `strict`. None where its
        queue is not configured. They stay in the index until their shifts change.
        """
        self._settle()
        visit = contact.visit
        if visit is None or visit.queue_id not in self._own:
            return None
        requirement = visit.requirement or self._own[visit.queue_id]
        order = self._order(visit.queue_id, requirement)
        best = self._best(order, requirement, count, now, visit.declined)
        again = bool(best) and best[0].agent_id in visit.declined
        if strict and again:
            best = []
        return Choice(requirement, order, best, self._others(requirement, visit.declined, chosen_again=again))

    def first_agent(self, contact_id: str, now: Instant) -> str | None:
        """The agent whom `choose` would take for a contact that waits, without saying why; None where there is none."""
        self._settle()
        wait = self._waits.get(contact_id)
        visit = self._waiting[contact_id].visit if wait is not None else None
        if wait is None or visit is None:
            return None
        best = self._best(wait.lane.order, wait.lane.requirement, 1, now, visit.declined)
        return best[0].agent_id if best else None

    def best_agents(self, queue_id: str, count: int, now: Instant) -> list[Standing]:
        """Up to `count` free agents for what the queue asks for of itself, best first."""
        self._settle()
        requirement = self._own.get(queue_id)
        return self._order(queue_id, requirement).best(count, self._free, now) if requirement is not None else []

    def _best(
        self, order: Order, requirement: Requirement, count: int, now: Instant, avoid: Collection[str]
    ) -> list[Standing]:
        if not requirement.agents:
            return order.best(count, self._free, now, avoid)
        named = [
            order.standing(self._base(self._shifts[shift_id]), level, now)
            for agent_id in requirement.agents
            if (level := self._level_in(order.pool, agent_id)) is not None
            for shift_id in self._shifts_of_agent.get(agent_id, ())
            if shift_id in self._free
        ]
        named.sort(key=order.key)
        fresh = [standing for standing in named if standing.agent_id not in avoid]
        return (fresh or named)[:count]

    def _others(self, requirement: Requirement, declined: Collection[str], *, chosen_again: bool) -> dict[str, int]:
        """The signed-in agents with the skills who are out, by why; only those above zero."""
        wide, fit, pool = (self._pool(key) for key in widths(requirement))
        out = {"level_too_low": wide.size - fit.size, "wrong_branch": fit.size - pool.size}
        if requirement.agents:
            labels = [
                self._labels[shift_id]
                for agent_id in requirement.agents
                if self._level_in(pool, agent_id) is not None
                for shift_id in self._shifts_of_agent.get(agent_id, ())
            ]
            out["not_named"] = pool.size - len(labels)
            for label in labels:
                out[label] = out.get(label, 0) + 1
        else:
            out |= pool.states
        out.pop(READY, None)
        if not chosen_again:
            out["declined"] = sum(
                shift_id in self._free
                for agent_id in declined
                if self._level_in(pool, agent_id) is not None
                for shift_id in self._shifts_of_agent.get(agent_id, ())
            )
        return {why: count for why, count in sorted(out.items()) if count > 0}

    def anybody_for(self, queue_id: str, requirement: Requirement) -> bool:
        """Whether anybody who is signed in, not paused, and has a phone could take what asks for this, now or later."""
        self._settle()
        if queue_id not in self._queues:
            return False
        pool = self._pool(widths(requirement)[-1])
        if not requirement.agents:
            return pool.able > 0
        return any(
            self._labels[shift_id] not in OUT
            for agent_id in requirement.agents
            if self._level_in(pool, agent_id) is not None
            for shift_id in self._shifts_of_agent.get(agent_id, ())
        )

    def is_out(self, shift_id: str) -> bool:
        """Whether nobody waits for this shift: it is over, on a pause, or its phone is gone."""
        return self._labels.get(shift_id, PAUSED) in OUT

    def is_free(self, shift_id: str) -> bool:
        """Whether this shift may be offered a contact now."""
        self._settle()
        return shift_id in self._free

    def states(self, queue_id: str) -> dict[str, int]:
        """How many signed-in agents who could serve the queue are in which state; only those above zero."""
        self._settle()
        requirement = self._own.get(queue_id)
        if requirement is None:
            return {}
        pool = self._pool(pool_key(requirement.skills, requirement.branch))
        return {state: count for state, count in sorted(pool.states.items()) if count > 0}

    # --- asking: contacts -------------------------------------------------------------------------------------------

    def best_contact(self, agent_id: str, now: Instant) -> str | None:
        """The waiting contact that this agent should have: highest rank, then longest wait, over all queues that the
        agent serves. None where nobody waits.
        """
        self._settle()
        heads = [(wait.at(now), wait.ident) for lane in self._lanes_for(agent_id) if (wait := lane.head(now))]
        return min(heads)[1] if heads else None

    def next_contact(self, queue_id: str, now: Instant) -> str | None:
        """The contact that is first of all in this queue, None where nobody waits."""
        self._settle()
        heads = [
            (w.at(now), w.ident) for lane in self._lanes_of_queue.get(queue_id, {}).values() if (w := lane.head(now))
        ]
        return min(heads)[1] if heads else None

    def next_beside(self, contact_id: str, now: Instant) -> str | None:
        """The first of those who wait for the same as this contact, itself among them; None where it does not wait."""
        self._settle()
        wait = self._waits.get(contact_id)
        head = wait.lane.head(now) if wait is not None else None
        return head.ident if head is not None else None

    def in_turn(self, now: Instant) -> Iterator[str]:
        """Contacts for whom an agent is free, whoever should be served first of all first. What becomes of one is known
        when the next is asked for. For the rare moments when everything has to be looked at.
        """
        self._settle()
        heads = [(wait.at(now), lane.key) for lane in self._lanes.values() if (wait := lane.head(now)) is not None]
        heapify(heads)
        while heads:
            place, key = heappop(heads)
            lane = self._lanes.get(key)
            wait = lane.head(now) if lane is not None else None
            if lane is None or wait is None:
                continue
            if wait.at(now) != place:
                heappush(heads, (wait.at(now), key))
            elif self._best(lane.order, lane.requirement, 1, now, ()):
                yield wait.ident
                self._settle()
                follows = self._lanes.get(key)
                following = follows.head(now) if follows is not None else None
                if following is not None and following is not wait:
                    heappush(heads, (following.at(now), key))

    def left_alone(self, agent_id: str, now: Instant) -> Iterator[str]:
        """Those who wait where this agent was the last one who could take them, in the order of their ranks."""
        self._settle()
        lanes = [lane for pool, _ in self._pools_with(agent_id) if not pool.able for lane in pool.active]
        lanes += self._named.get(agent_id, {}).values()
        waits = [wait for lane in lanes if lane.widening for wait in lane.waiting.values() if wait.widens]
        return (wait.ident for wait in sorted(waits, key=lambda wait: wait.at(now)))

    def waiting(self, queue_id: str) -> int:
        """How many contacts wait in this queue."""
        self._settle()
        return sum(len(lane.waiting) for lane in self._lanes_of_queue.get(queue_id, {}).values())

    def _lanes_for(self, agent_id: str) -> Iterator[Lane]:
        for pool, _ in self._pools_with(agent_id):
            yield from pool.active
        pools = {pool.key for pool, _ in self._pools_with(agent_id)} if agent_id in self._named else ()
        for lane in self._named.get(agent_id, {}).values():
            if lane.pool.key in pools:
                yield lane


def _label(shift: Shift, phone: str) -> str:
    if shift.status != READY:
        return shift.status
    if shift.cooling_until is not None:
        return "cooling_down"
    return phone or READY
