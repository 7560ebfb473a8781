"""How evenly each rule gives calls to agents: 10 000 calls through the runner, 20 agents of one level, half at work.

`fairness.RULE` is calls of the agent with most by those of the agent with fewest; of the rule that weighs agents, calls
by weight. Rules that go by an order, or by skills, are meant to be uneven: they have no limit.
"""

from collections import Counter
from collections.abc import Iterator
from heapq import heappop, heappush
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from orchestrator.domain.contacts.contacts import ContactConnected
from orchestrator.domain.kernel import MILLISECOND, Record
from orchestrator.domain.routing.rules import RULES
from orchestrator.runner.inputs import Ready, SignIn
from tests.runner.scene import Scene, agent

CALLS: Final = 10_000
AGENTS: Final = 20
# Calls differ in length, so only rules that count calls can be exact; a draw varies by chance (about 5 % each way).
_LIMITS: Final = {
    "longest_idle": 1.1,
    "round_robin": 1.1,
    "fewest_calls": 1.02,
    "weighted": 1.02,
    "least_talk_time": 1.3,
    "random": 1.3,
    "ring_all": 1.1,
    "ring_progressively": 1.1,
}


def run() -> Iterator[dict[str, Any]]:
    """The figures of the group."""
    for name in RULES:
        calls, talked = _day(name)
        figure = {
            "name": f"fairness.{name}",
            "value": round(max(calls.values()) / max(min(calls.values()), 1), 3),
            "unit": "max/min",
            "calls": CALLS,
            "agents": AGENTS,
            "talk": round(max(talked.values()) / max(min(talked.values()), 1), 3),
        }
        if name in _LIMITS:
            figure["at_most"] = _LIMITS[name]
        yield figure


def _day(rule: str) -> tuple[dict[str, float], Counter[str]]:
    """Each agent's calls (by weight where the rule weighs) and seconds of talk."""
    dice = Random(f"fairness of {rule}")
    scene = Scene(agents=0, rule=rule, wrap_up_ms=0, record="never", ring_most=3)
    weights = {f"a{n}": 1 + n % 3 if rule == "weighted" else 1 for n in range(AGENTS)}
    scene.configure(
        {
            f"agent-a{n}": replace(
                agent(n, zh=1, **{f"more{i}": 1 for i in range(n % 4)}),
                number=f"{n}",
                extension=f"{1_000 + n}",
                order=n,
                weight=weights[f"a{n}"],
            )
            for n in range(AGENTS)
        }
    )
    for n in range(AGENTS):
        scene.give(SignIn(agent=f"{n}"))
        scene.give(Ready(agent=f"{n}"))
    calls: Counter[str] = Counter(dict.fromkeys(weights, 0))
    talked: Counter[str] = Counter(dict.fromkeys(weights, 0))
    ends: list[tuple[int, str, str]] = []
    for _ in range(CALLS):
        scene.now = type(scene.now)(scene.now + 1_000 * MILLISECOND)
        while ends and ends[0][0] <= scene.now:
            _, caller, phone = heappop(ends)
            scene.hang_up(caller)
            scene.hang_up(phone)
        caller = scene.park()
        ring, *others = scene.rings_of(caller)
        scene.answer(ring)
        scene.bridge(caller, ring)
        for other in others:
            scene.hang_up(other.leg, "LOSE_RACE")
        served = _served_by(scene.records)
        seconds = dice.randint(4, 16)
        calls[served] += 1
        talked[served] += seconds
        heappush(ends, (scene.now + seconds * 1_000 * MILLISECOND, caller, ring.leg))
        scene.records.clear()
        scene.told.clear()
    return {name: count / weights[name] for name, count in calls.items()}, talked


def _served_by(records: list[Record]) -> str:
    return next(r.event.agent_id for r in reversed(records) if isinstance(r.event, ContactConnected))
