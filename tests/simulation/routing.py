"""Queues, agents and callers drawn with everything that distribution knows: rules, steps, levels, branches, ageing.

Drawn by dice of their own, so that a seed whose queues are plain goes the way that it went before there was any of it.
"""

from random import Random

from msgspec.structs import replace

from orchestrator.domain.kernel import Event
from orchestrator.domain.routing.branches import BranchConfigured, BranchRemoved
from orchestrator.domain.routing.entries import EntryPointConfigured
from orchestrator.domain.routing.levels import LevelConfigured, LevelRemoved
from orchestrator.domain.routing.queues import QueueConfigured, StepSetting
from orchestrator.domain.routing.rules import RULES
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.domain.staff.counters import WINDOWS

SKILLS = ("zh", "sell", "en", "nobody-has-it")
NUMBERS = ("+86215550001", "+86215550002", "+86105550003", "0215550004", "+4930555", "anonymous", "")
LEVELS = ("", "", "vip", "gold", "level-that-is-gone")


class Routing:
    """What one seed draws."""

    def __init__(self, seed: int, agents: int) -> None:
        self.dice = Random(f"routing of {seed}")
        self._agents = [f"a{1001 + number}" for number in range(agents)]

    def places(self) -> list[tuple[str, Event]]:
        """Levels and branches."""
        dice = self.dice
        return [
            ("level-vip", LevelConfigured(name="VIP", bonus=dice.choice((0, 5, 2_000)), strongest=dice.random() < 0.5)),
            ("level-gold", LevelConfigured(name="Gold", bonus=dice.choice((-5, 1)))),
            ("branch-sh", BranchConfigured(name="Shanghai", prefixes=("+8621", "021"))),
            ("branch-bj", BranchConfigured(name="Beijing", prefixes=("+8610",))),
        ]

    def queue(self, plain: QueueConfigured) -> QueueConfigured:
        """The queue with a rule, steps and all the rest."""
        dice = self.dice
        return replace(
            plain,
            rule=dice.choice(sorted(RULES)),
            level_first=dice.random() < 0.6,
            count_window=dice.choice(WINDOWS),
            day_begins_h=dice.randrange(24),
            steps=tuple(self._step() for _ in range(dice.choice((0, 1, 1, 2, 3)))),
            named_agent_ms=dice.choice((0, 3_000, 30_000)),
            last_agent_ms=dice.choice((0, 2_000, 20_000)),
            known_within_ms=dice.choice((0, 300, 1_500)),
            priority=dice.choice((0, 0, 3, -2_000)),
            age_per_min=dice.choice((0, 0, 2, 30)),
            age_cap=dice.choice((0, 1, 10, 1_000)),
            ring_most=dice.randint(1, 5),
            ring_next_ms=dice.choice((1_000, 2_000, 5_000)),
        )

    def entry(self, plain: EntryPointConfigured) -> EntryPointConfigured:
        """The entry point, which may name an agent, also one who is gone."""
        agent_id = self.dice.choice(("", "", "nobody", *self._agents))
        return replace(plain, agent_id=agent_id, bonus=self.dice.choice((0, 0, 4)))

    def agent(self, plain: AgentConfigured) -> AgentConfigured:
        """The agent with other skills, a branch, a weight and an order."""
        dice = self.dice
        more = {"en": dice.randint(1, 5)} if dice.random() < 0.4 else {}
        return replace(
            plain,
            skills={**plain.skills, **more},
            branch=dice.choice(("", "sh", "bj")),
            weight=dice.randint(1, 3),
            order=dice.randrange(4),
        )

    def change(self, stream: str, queue: QueueConfigured) -> tuple[str, Event]:
        """What somebody changes while callers wait: a queue's rules, or what levels and branches are."""
        if self.dice.random() < 0.6:
            return stream, self.queue(queue)
        gone = (("level-vip", LevelRemoved()), ("branch-sh", BranchRemoved()))
        return self.dice.choice((*gone, *self.places()))

    def number(self) -> str:
        """Where somebody calls from."""
        return self.dice.choice(NUMBERS)

    def customer(self, number: str) -> tuple[int, str, str] | None:
        """In how many microseconds it is known who calls, as whom and of which level; None where it never is."""
        dice = self.dice
        if dice.random() < 0.2:
            return None
        took = int(dice.choice((dice.uniform(10, 250), dice.uniform(200, 5_000))) * 1_000)
        return took, f"customer-{number.removeprefix('+')}", dice.choice(LEVELS)

    def _step(self) -> StepSetting:
        dice = self.dice
        return StepSetting(
            for_ms=dice.choice((0, 2_000, 10_000, 10_000, 40_000)),
            min_level=dice.choice((0, 0, 4, 5, 9)),
            skills=dice.choice((None, None, None, {}, {"en": 2}, {"nobody-has-it": 1})),
            agents=dice.choice(((), (), (), (dice.choice(self._agents),), ("nobody", dice.choice(self._agents)))),
            branch=dice.choice(("", "", "local", "sh", "closed-long-ago")),
            strongest=dice.random() < 0.2,
        )
