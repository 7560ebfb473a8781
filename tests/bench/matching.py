"""Who is offered whom, in a large centre: what an arrival and a free agent cost, on one core, without switch and log.

10 000 agents with 1 to 6 of 200 skills, 500 queues of which every fourth widens in steps, 5 000 callers waiting, some
for a named agent, with priorities and ageing. An arrival is everything from the caller's leg to the offer's records; a
round is an agent who comes free, is offered whoever comes first, and goes again when that one has left. Measured in
time on the processor, so that what else runs on the machine does not count.
"""

import gc
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

from orchestrator.domain.kernel import MILLISECOND, Event, Instant
from orchestrator.domain.routing.entries import EntryPointConfigured
from orchestrator.domain.routing.queues import QueueConfigured, StepSetting
from orchestrator.domain.routing.rules import RULES
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.domain.staff.counters import HOUR
from orchestrator.runner.inputs import Pause, Ready, SignIn
from tests.runner.scene import Scene

QUEUES: Final = 500
SKILLS: Final = 200
WAITING: Final = 5_000
ROUNDS: Final = 2_000
ARRIVALS: Final = 3_000
_SIZES: Final = (100, 10_000)
_LIMIT_MS: Final = 2.0


def run() -> Iterator[dict[str, Any]]:
    """The figures of the group."""
    for agents in _SIZES:
        centre = Centre(agents)
        gc.collect()
        gc.freeze()
        free = centre.agents_come_free()
        yield {
            "name": f"matching.p99_ms.{agents}",
            "value": round(percentile(free, 0.99), 3),
            "unit": "ms",
            "at_most": _LIMIT_MS,
            "p50": round(percentile(free, 0.5), 3),
            "most": round(max(free), 3),
            "what": "an agent comes free and is offered a contact: one step of the runner",
            "queues": QUEUES,
            "skills": SKILLS,
            "waiting": centre.waiting(),
        }
        gc.unfreeze()
        if agents == _SIZES[-1]:
            yield _arrivals(centre)
    yield _queue_changes()
    yield _window_turns()


def _arrivals(centre: "Centre") -> dict[str, Any]:
    gc.collect()
    gc.freeze()
    begun = time.thread_time()
    for _ in range(ARRIVALS):
        centre.arrive()
    spent = time.thread_time() - begun
    gc.unfreeze()
    return {
        "name": "matching.arrivals_per_s",
        "value": round(ARRIVALS / spent),
        "unit": "1/s",
        "at_least": 1_000,
        "what": "a leg parks, is queued, and is offered to an agent or waits: one step of the runner, one core",
        "agents": centre.agents,
        "waiting": centre.waiting(),
    }


def _queue_changes() -> dict[str, Any]:
    """What decision 0037 pays for lanes: whoever waits in a queue is put in place again when its settings change."""
    scene = Scene(agents=0, rule="longest_idle", age_per_min=1, max_wait_ms=3_600_000)
    for _ in range(WAITING):
        scene.now = Instant(scene.now + 10 * MILLISECOND)
        scene.park()
    matching = scene.world.matching
    took = _most(lambda _: matching.configure_queue(scene.world.queues["support"]))
    return {"name": "matching.queue_changes_ms", "value": took, "unit": "ms", "waiting": matching.waiting("support")}


def _window_turns() -> dict[str, Any]:
    """What decision 0038 pays for counters as questions: once a window all free agents are put in order anew."""
    agents = _SIZES[-1]
    scene = Scene(agents=agents, rule="fewest_calls", count_window="hour")
    scene.ready(*range(1, agents + 1))
    matching = scene.world.matching
    took = _most(lambda hour: matching.best_agents("support", 1, Instant(scene.now + hour * HOUR)))
    free = matching.states("support")["ready"]
    return {"name": "matching.window_turns_ms", "value": took, "unit": "ms", "free": free}


def _most(work: Callable[[int], object], times: int = 5) -> float:
    """The longest of some times that it takes (ms)."""
    spent = []
    for count in range(1, times + 1):
        begun = time.thread_time()
        work(count)
        spent.append(1_000 * (time.thread_time() - begun))
    return round(max(spent), 1)


class Centre:
    """A large centre in a scene: everybody signed in and busy, and `WAITING` callers in the queues."""

    def __init__(self, agents: int) -> None:
        self.dice = Random(f"matching of {agents}")
        self.scene = Scene(agents=0)
        self.scene.told = _Forgetful()
        self.scene.records = _Forgetful()
        self.agents = agents
        self.scene.configure(self._configuration())
        for number in range(agents):
            self.scene.give(SignIn(agent=str(number)))
        for _ in range(WAITING):
            self.arrive()

    def arrive(self) -> str:
        """Somebody calls."""
        self.scene.now = Instant(self.scene.now + 10 * MILLISECOND)
        return self.scene.park(f"7{self.dice.randrange(QUEUES):04}")

    def waiting(self) -> int:
        """How many wait now."""
        return sum(self.scene.world.matching.waiting(f"q{n}") for n in range(QUEUES))

    def agents_come_free(self) -> list[float]:
        """The milliseconds of each step in which an agent became ready and was offered somebody. Whoever was served is
        followed by a new caller, so that as many wait all the time.
        """
        scene, spent = self.scene, []
        for _ in range(ROUNDS):
            number = str(self.dice.randrange(self.agents))
            scene.now = Instant(scene.now + 10 * MILLISECOND)
            begun = time.thread_time()
            scene.give(Ready(agent=number))
            took = 1_000 * (time.thread_time() - begun)
            shift = scene.world.shifts[scene.world.shift_of_agent[f"a{number}"]]
            if shift.status == "reserved":
                spent.append(took)
                scene.give(Pause(agent=number, reason="break"))
                self._leaves(shift.contact_id)
                self.arrive()
            else:
                scene.give(Pause(agent=number, reason="break"))
        return spent

    def _leaves(self, contact_id: str) -> None:
        contact = self.scene.world.contacts[contact_id]
        for leg in contact.legs:
            self.scene.hang_up(leg)

    def _configuration(self) -> dict[str, Event]:
        dice = self.dice
        changes: dict[str, Event] = {}
        for n in range(QUEUES):
            least = dice.choice((1, 1, 1, 3))
            steps = (StepSetting(for_ms=20_000, min_level=6), StepSetting(for_ms=40_000, min_level=4), StepSetting())
            changes[f"queue-q{n}"] = QueueConfigured(
                name=f"Queue {n}",
                skill=f"s{dice.randrange(SKILLS)}",
                min_level=least,
                priority=dice.choice((0, 0, 0, 10)),
                rule=dice.choice([name for name, rule in RULES.items() if rule.rings == "some"]),
                level_first=dice.random() < 0.7,
                steps=steps if n % 4 == 0 else (),
                age_per_min=dice.choice((0, 1, 5)),
                age_cap=20,
                max_wait_ms=3_600_000,
            )
            named = f"a{dice.randrange(self.agents)}" if n % 10 == 0 else ""
            changes[f"entry-e{n}"] = EntryPointConfigured(
                name=f"Entry {n}", numbers=(f"7{n:04}",), queue_id=f"q{n}", agent_id=named
            )
        for n in range(self.agents):
            known = dice.sample(range(SKILLS), dice.randint(1, 6))
            changes[f"agent-a{n}"] = AgentConfigured(
                number=str(n),
                name="An Agent",
                extension=str(20_000 + n),
                skills={f"s{skill}": dice.randint(1, 9) for skill in known},
                weight=dice.randint(1, 5),
                order=n,
            )
        return changes


class _Forgetful(list[Any]):
    """What a scene would keep of a whole day is of no use here."""

    def extend(self, _more: object) -> None:
        """Forget."""

    def append(self, _one: object) -> None:
        """Forget."""


def percentile(values: list[float], share: float) -> float:
    """The value below which this share lies."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]
