"""The index against the plainest matcher there can be: look at everybody, each time, and sort."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.domain.contacts.contacts import Contact, Visit
from orchestrator.domain.kernel import SECOND, Event, Instant
from orchestrator.domain.routing.matching import Matching
from orchestrator.domain.routing.queues import Queue, QueueConfigured
from orchestrator.domain.routing.requirements import MINUTE, Requirement, Step, own
from orchestrator.domain.routing.rules import RULES, Standing
from orchestrator.domain.staff import events as s
from orchestrator.domain.staff.agents import Agent
from orchestrator.domain.staff.counters import HOUR, WINDOWS, Counters
from orchestrator.domain.staff.shifts import Shift

SKILLS = ("zh", "en", "fr")
# What is drawn has an order of its own inside the index, which `test_rules` looks at.
EXACT = tuple(name for name, rule in RULES.items() if "draw" not in rule.looks_at)


class Naive:
    """Everybody in dicts; O(n) of everything for every question."""

    def __init__(self, counters: Counters) -> None:
        self.counters = counters
        self.queues: dict[str, QueueConfigured] = {}
        self.agents: dict[str, Agent] = {}
        self.shifts: dict[str, Shift] = {}
        self.contacts: dict[str, Contact] = {}
        self.arrived: dict[str, int] = {}

    def asks(self, contact: Contact) -> Requirement:
        assert contact.visit is not None
        visit = contact.visit
        return visit.steps[visit.step].requirement if visit.steps else own(self.queues[visit.queue_id])

    def fits(self, agent: Agent, wanted: Requirement) -> bool:
        return (
            all(agent.skills.get(skill, 0) >= level for skill, level in wanted.skills.items())
            and (not wanted.agents or agent.agent_id in wanted.agents)
            and (not wanted.branch or agent.branch == wanted.branch)
        )

    def free(self) -> list[tuple[Shift, Agent]]:
        ready = [shift for shift in self.shifts.values() if shift.status == "ready"]
        return [(shift, self.agents[shift.agent_id]) for shift in ready if shift.agent_id in self.agents]

    def rank(self, contact: Contact, now: Instant) -> tuple[int, int, int]:
        visit = contact.visit
        assert visit is not None
        points = max(-1_000, min(1_000, visit.priority)) * MINUTE
        points += min(visit.age_per_min * (now - visit.queued_at), visit.age_cap * MINUTE)
        return (-points, visit.queued_at, self.arrived[contact.contact_id])

    def best_agents(self, contact: Contact, now: Instant) -> list[str]:
        wanted, settings_ = self.asks(contact), self.queues[contact.queue_id]
        rule = RULES[settings_.rule]
        able = []
        for shift, agent in self.free():
            if self.fits(agent, wanted):
                level = sum(agent.skills[skill] for skill in wanted.skills)
                counts = self.counters.of(agent.agent_id, settings_.count_window, settings_.day_begins_h, now)
                standing = Standing(
                    shift_id=shift.shift_id,
                    agent_id=agent.agent_id,
                    level=level,
                    idle_since=shift.idle_since,
                    skills=len(agent.skills),
                    order=agent.order,
                    weight=agent.weight,
                    calls=counts.calls,
                    talk_ms=counts.talk_ms,
                    offered_at=counts.offered_at,
                )
                by_level = -level if settings_.level_first or wanted.strongest else 0
                able.append((by_level, rule.key(standing), shift.idle_since, shift.shift_id, agent.agent_id))
        return [agent_id for *_, agent_id in sorted(able)]

    def waiting(self) -> list[Contact]:
        return [contact for contact in self.contacts.values() if contact.status == "waiting"]

    def best_contact(self, agent_id: str, now: Instant) -> str | None:
        agent = self.agents.get(agent_id)
        could = [c for c in self.waiting() if agent is not None and self.fits(agent, self.asks(c))]
        return min(could, key=lambda c: self.rank(c, now)).contact_id if could else None

    def first(self, queue_id: str, now: Instant) -> str | None:
        line = [c for c in self.waiting() if c.queue_id == queue_id]
        return min(line, key=lambda c: self.rank(c, now)).contact_id if line else None


class History:
    """One random day, told to both."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.counters = Counters()
        self.naive = Naive(self.counters)
        self.index = Matching(self.counters)
        self.now = Instant(500_000 * HOUR)
        self._number = 0
        for name in "pqr":
            self.configure_queue(name)
        for number in range(6):
            self.configure_agent(f"a{number}")

    def configure_queue(self, name: str) -> None:
        dice = self.dice
        settings_ = QueueConfigured(
            name=name,
            skill=dice.choice(SKILLS),
            min_level=dice.randint(1, 3),
            rule=dice.choice(EXACT),
            level_first=dice.random() < 0.5,
            count_window=dice.choice(WINDOWS),
            day_begins_h=dice.randrange(24),
        )
        self.naive.queues[name] = settings_
        self.index.configure_queue(Queue(queue_id=name, settings=settings_))

    def configure_agent(self, name: str) -> None:
        dice = self.dice
        if dice.random() < 0.1:
            self.naive.agents.pop(name, None)
            self.index.configure_agent(name, None)
            return
        skills = {skill: dice.randint(1, 4) for skill in SKILLS if dice.random() < 0.6}
        agent = Agent(
            agent_id=name, number=name, name=name, extension=name, skills=skills, branch=dice.choice(("", "sh", "bj")),
            order=dice.randrange(3), weight=dice.randint(1, 3),
        )  # fmt: skip
        self.naive.agents[name] = agent
        self.index.configure_agent(name, agent)

    def shift_moves(self, name: str) -> None:
        dice = self.dice
        status = dice.choice(("ready", "ready", "ready", "paused", "talking", "gone"))
        if status == "gone":
            self.naive.shifts.pop(name, None)
            self.index.remove_shift(name)
            return
        told: list[Event] = []
        if name not in self.naive.shifts:
            told.append(s.AgentSignedIn(agent_id=name, extension=name))
        elif dice.random() < 0.5:
            told += [s.AgentReserved(offer_id="o", contact_id="c"),
                     s.AgentConnected(contact_id="c", offer_id="o", segment_id="g")]  # fmt: skip
            self._place(name, "talking", told)
            self.now = Instant(self.now + dice.randint(1, 900) * SECOND)
            told = [s.WrapUpStarted(contact_id="c", segment_id="g", until=self.now)]
        self._place(name, status, told)

    def _place(self, name: str, status: str, told: list[Event]) -> None:
        for event in told:
            self.counters.note(name, event, self.now)
        shift = Shift(
            shift_id=name, agent_id=name, extension=name, status=status, reason="", since=self.now,
            signed_in_at=self.now, idle_since=self.now,
        )  # fmt: skip
        self.naive.shifts[name] = shift
        self.index.place_shift(shift, at=self.now)

    def contact_comes(self) -> None:
        dice = self.dice
        self._number += 1
        name, queue_id = f"c{self._number}", dice.choice("pqr")
        visit = Visit(
            visit_id=name,
            queue_id=queue_id,
            priority=dice.choice((0, 0, 0, 2, -5, 9_999)),
            queued_at=self.now,
            leave_by=Instant(self.now + 10**12),
            steps=tuple(self._step() for _ in range(dice.choice((0, 0, 1, 3)))),
            age_per_min=dice.choice((0, 1, 6)),
            age_cap=dice.choice((0, 2, 7)),
        )
        contact = Contact(
            contact_id=name, status="waiting", node="n", caller_leg=name, dialled="", arrived_at=self.now,
            queue_id=queue_id, visit=visit,
        )  # fmt: skip
        self.naive.arrived[name] = self._number
        self._tell(contact)

    def contact_moves(self) -> None:
        if not self.naive.contacts:
            return
        contact = self.naive.contacts[self.dice.choice(sorted(self.naive.contacts))]
        visit = contact.visit
        assert visit is not None
        match self.dice.randrange(4):
            case 0 if visit.step + 1 < len(visit.steps):
                self._tell(replace(contact, visit=replace(visit, step=visit.step + 1)))
            case 1:
                self._tell(replace(contact, visit=replace(visit, bonuses={}, priority=self.dice.choice((0, 4)))))
            case 2:
                status = "offered" if contact.status == "waiting" else "waiting"
                self._tell(replace(contact, status=status))
            case _:
                self.index.place_contact(replace(contact, status="leaving", visit=None), reachable=True)
                del self.naive.contacts[contact.contact_id]

    def _tell(self, contact: Contact) -> None:
        self.naive.contacts[contact.contact_id] = contact
        self.index.place_contact(contact, reachable=True)

    def _step(self) -> Step:
        dice = self.dice
        asked = {skill: dice.randint(1, 4) for skill in SKILLS if dice.random() < 0.4}
        agents = tuple(dice.sample([f"a{n}" for n in range(6)], 2)) if dice.random() < 0.2 else ()
        branch = dice.choice(("", "", "sh"))
        wanted = Requirement(skills=asked, agents=agents, branch=branch, strongest=dice.random() < 0.3)
        return Step(requirement=wanted, until_ms=1_000)

    def move(self) -> None:
        """Something happens, a little or a long while later."""
        self.now = Instant(self.now + self.dice.choice((0, 0, 1, 20, 50, 400, 4_000)) * SECOND)
        match self.dice.randrange(12):
            case 0:
                self.configure_queue(self.dice.choice("pqr"))
            case 1:
                self.configure_agent(f"a{self.dice.randrange(6)}")
            case 2 | 3 | 4 | 5:
                self.shift_moves(f"a{self.dice.randrange(6)}")
            case 6 | 7 | 8:
                self.contact_comes()
            case _:
                self.contact_moves()

    def compare(self) -> None:
        """Every question has the same answer, at this moment and later without anything happening."""
        index, naive = self.index, self.naive
        for later in (0, 90 * SECOND):
            now = self.now = Instant(self.now + later)  # time never goes back
            for name in "pqr":
                assert index.next_contact(name, now) == naive.first(name, now)
                assert index.waiting(name) == sum(c.queue_id == name for c in naive.waiting())
            for number in range(6):
                assert index.best_contact(f"a{number}", now) == naive.best_contact(f"a{number}", now)
            for contact in naive.contacts.values():
                choice = index.choose(contact, 100, now)
                assert choice is not None
                assert [standing.agent_id for standing in choice.best] == naive.best_agents(contact, now)
                there = {x.agent_id for x in naive.shifts.values() if x.status != "paused"} & naive.agents.keys()
                anybody = any(naive.fits(naive.agents[name], naive.asks(contact)) for name in there)
                assert index.anybody_for(contact.queue_id, naive.asks(contact)) == anybody
            for contact in naive.waiting():
                assert index.first_agent(contact.contact_id, now) == next(iter(naive.best_agents(contact, now)), None)
            served = [c for c in sorted(naive.waiting(), key=lambda c: naive.rank(c, now)) if naive.best_agents(c, now)]
            first = next(index.in_turn(now), None)
            assert first == (served[0].contact_id if served else None)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_the_index_says_what_looking_at_everybody_would_say(seed: int) -> None:
    """Features 3.1, 3.2, 3.3, 3.4; complaint 21: nobody passes an older equal, over random configurations and
    histories; ageing is exact at any instant, and the turn of a window leaves no old key behind (complaint 12).
    """
    history = History(seed)
    for _ in range(60):
        history.move()
        if history.dice.random() < 0.3:
            history.compare()
    history.compare()
