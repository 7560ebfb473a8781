"""How far off the estimated wait is: days of a centre in virtual time, through the runner itself.

Calls come at random, few in the morning and more than can be served at noon; handling times are drawn, agents take a
break each, some callers lose patience. Of everybody who was queued behind somebody and then served, what they were told
is held against how long they waited. Beside it stands what two other methods would have said of the same people.
"""

from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count
from random import Random
from statistics import fmean
from typing import Any, Final

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.kernel import MILLISECOND, SECOND, Instant, Provenance, Record
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.routing.entries import EntryPointConfigured
from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.domain.switch import facts
from orchestrator.domain.switch import instructions as i
from orchestrator.domain.world import World
from orchestrator.runner import Input, Runner, inputs
from orchestrator.runner.inputs import Body

DAYS: Final = 3
AGENTS: Final = 12
HOURS: Final = 10
# Calls an hour, hour by hour: a quiet morning, a rush before and after noon in which a queue stands, a quiet evening.
RATES: Final = (120, 180, 260, 300, 270, 210, 270, 290, 190, 100)
TALK_S: Final = 120
WRAP_UP_S: Final = 20
NODE: Final = "n1"
BEGINNING: Final = Instant(1_772_438_400 * SECOND)
# As many handling times as starts are remembered by the method itself.
HANDLED: Final = 50


def run() -> Iterator[dict[str, Any]]:
    """The figures of the group."""
    told: list[tuple[int, int, int, int]] = []
    for day in range(DAYS):
        told += _Day(day).played()
    waits = [wait for wait, *_ in told]
    about = {"served_after_a_wait": len(told), "mean_wait_s": round(fmean(waits), 1), "days": DAYS, "agents": AGENTS}
    names = ("estimate", "estimate.by_last_wait", "estimate.by_handling_time")
    for place, name in enumerate(names, 1):
        off = [abs(each[place] - each[0]) for each in told]
        bias = fmean(each[place] - each[0] for each in told)
        more = about if place == 1 else {}
        yield {
            "name": f"{name}.mean_error",
            "value": round(fmean(off), 1),
            "unit": "s",
            "bias_s": round(bias, 1),
            **more,
        }
        share = 100 * fmean(off) / fmean(waits)
        limit = {"at_most": 60} if place == 1 else {}
        yield {"name": f"{name}.mean_error_share", "value": round(share, 1), "unit": "%", **limit}


class _Day:
    """One day: people and phones by the dice, decisions by the runner."""

    def __init__(self, day: int) -> None:
        self._dice = Random(f"estimate {day}")
        self._runner = Runner(World())
        self._agenda: list[tuple[int, int, Body]] = []
        self._order = count()
        self._now = BEGINNING
        self._queued: dict[str, tuple[int, int, int, int]] = {}
        """Of who was queued: when, and what each method says in s."""
        self._talks: dict[str, str] = {}
        self._last_wait = 0.0
        self._handled: deque[float] = deque(maxlen=HANDLED)
        self._told: list[tuple[int, int, int, int]] = []

    def played(self) -> list[tuple[int, int, int, int]]:
        """Of everybody who waited and was served: the wait, and what was told by each method, in s."""
        self._configure()
        self._give(facts.LinkUp(node=NODE, core="core"))
        self._give(facts.Snapshot(node=NODE, core="core", legs=()))
        for number in range(AGENTS):
            self._give(inputs.SignIn(agent=str(1_001 + number)))
            self._give(inputs.Ready(agent=str(1_001 + number)))
            pause = BEGINNING + int(self._dice.uniform(2, 8) * 3_600) * SECOND
            self._at(pause, inputs.Pause(agent=str(1_001 + number), reason="break"))
            self._at(pause + 1_800 * SECOND, inputs.Ready(agent=str(1_001 + number)))
        self._callers()
        while self._agenda or self._runner.next_due() is not None:
            due = self._runner.next_due()
            if due is not None and (not self._agenda or due <= self._agenda[0][0]):
                self._now = max(self._now, due)
                fired = self._runner.due(self._now)
                if fired is not None:
                    self._give(fired)
                continue
            at, _, body = heappop(self._agenda)
            self._now = Instant(at)
            self._give(body)
        return self._told

    def _callers(self) -> None:
        for hour, rate in enumerate(RATES):
            at = 0.0
            while (at := at + self._dice.expovariate(rate / 3_600)) < 3_600:
                leg = f"caller-{next(self._order)}"
                when = BEGINNING + int((hour * 3_600 + at) * SECOND)
                parked = facts.LegParked(node=NODE, leg=leg, inbound=True, dialled="4001", context="ringledger-inbound")
                self._at(when, parked)
                patience = int(self._dice.expovariate(1 / 600) * SECOND)
                self._at(when + patience, facts.LegHungUp(node=NODE, leg=leg, cause="NORMAL_CLEARING", inbound=True))

    def _configure(self) -> None:
        queue = QueueConfigured(
            name="Queue", skill="zh", wrap_up_ms=WRAP_UP_S * 1_000, max_wait_ms=3_600_000, record="never"
        )
        changes = {
            "queue-q": queue,
            "entry-e": EntryPointConfigured(name="Entry", numbers=("4001",), queue_id="q"),
            **{
                f"agent-a{number}": AgentConfigured(
                    number=str(1_001 + number), name="", extension=str(1_001 + number), skills={"zh": 3}
                )
                for number in range(AGENTS)
            },
            "config-main": ConfigurationApplied(digest="", changed=()),
        }
        for stream, event in changes.items():
            record = Record(
                stream=stream, version=1, event=event, event_id=stream, about=Provenance(at=BEGINNING, origin="config")
            )
            self._give(inputs.Followed(record=record))

    # --- the world around the runner ---------------------------------------------------------------------------------
    def _at(self, when: int, body: Body) -> None:
        heappush(self._agenda, (when, next(self._order), body))

    def _give(self, body: Body) -> None:
        ready = self._ready()
        outcome = self._runner.step(Input(id=str(next(self._order)), at=self._now, body=body))
        for record in outcome.records:
            self._note(record, ready)
        for told in outcome.instructions:
            self._perform(told)

    def _perform(self, told: i.Instruction) -> None:
        match told:
            case i.RingAgent():
                after = self._now + int(self._dice.uniform(1, 6) * SECOND)
                self._at(after, facts.LegParked(node=NODE, leg=told.leg, contact=told.contact, offer=told.offer))
            case i.BridgeLegs():
                self._at(self._now + 20_000, facts.LegBridged(node=NODE, leg=told.leg, other=told.other))
                talk = self._dice.lognormvariate(4.5, 0.7)
                self._handled.append(talk + WRAP_UP_S + 3)
                end = self._now + int(talk * SECOND)
                self._at(end, facts.LegHungUp(node=NODE, leg=told.leg, cause="NORMAL_CLEARING", inbound=True))
            case i.HangUpLeg():
                self._at(self._now + 10_000, facts.LegHungUp(node=NODE, leg=told.leg, cause="NORMAL_CLEARING"))

    def _ready(self) -> int:
        states = self._runner.world.matching.states("q")
        return sum(states.values()) - states.get("paused", 0)

    def _note(self, record: Record, able: int) -> None:
        match record.event:
            case c.ContactQueued() as event if event.position > 1 and event.estimate_ms >= 0:
                handling = event.position * fmean(self._handled or (TALK_S,)) / max(able, 1)
                said = (event.estimate_ms // 1_000, int(self._last_wait), int(handling))
                self._queued[record.stream] = (record.about.at, *said)
            case c.ContactQueued():
                self._queued.pop(record.stream, None)
            case c.QueueVisitEnded(outcome="answered"):
                found = self._queued.pop(record.stream, None)
                if found is not None:
                    wait = (record.about.at - found[0]) // MILLISECOND // 1_000
                    self._last_wait = wait
                    self._told.append((wait, *found[1:]))
