"""What the rules count of each agent: contacts, talk time, the last offer. A fold of the shifts' events (complaint 12).

Nobody resets anything: a window is a question. `shift` counts since the agent signed in, `hour` since the clock's last
full hour, `day` since the hour of UTC at which the queue's day begins. A contact counts when its talk begins; its talk
time counts whole, when the talk is over.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from orchestrator.domain.kernel import MILLISECOND, SECOND, Event, Instant
from orchestrator.domain.staff.events import AgentConnected, AgentReserved, AgentSignedIn, WrapUpStarted

WINDOWS: Final = ("shift", "hour", "day")
HOUR: Final = 3_600 * SECOND
_DAY_H: Final = 24
# What is counted; most events of a shift are not.
COUNTED: Final = frozenset({AgentSignedIn, AgentReserved, AgentConnected, WrapUpStarted})


class Counts(Struct, frozen=True):
    """An agent's figures in one window, and when the agent was last offered something, in whatever window."""

    calls: int = 0
    talk_ms: int = 0
    offered_at: Instant = Instant(0)


class _Agent:
    """What is remembered of one agent: this shift, and the last day hour by hour."""

    __slots__ = ("hours", "offered_at", "shift", "talks_since")

    def __init__(self) -> None:
        self.shift = [0, 0]
        self.hours: dict[int, list[int]] = {}
        self.offered_at = Instant(0)
        self.talks_since = Instant(0)

    def cells(self, at: Instant) -> Iterator[list[int]]:
        """Where something that happens now is added."""
        hour = at // HOUR
        if hour not in self.hours:
            self.hours = {kept: cell for kept, cell in self.hours.items() if kept > hour - _DAY_H}
            self.hours[hour] = [0, 0]
        yield self.shift
        yield self.hours[hour]


class Counters:
    """The counters of all agents who ever signed in."""

    def __init__(self) -> None:
        self._agents: dict[str, _Agent] = {}

    def note(self, agent_id: str, event: Event, at: Instant) -> None:
        """Take one event of the agent's shift."""
        if type(event) not in COUNTED:
            return
        match event:
            case AgentSignedIn():
                agent = self._agents.setdefault(agent_id, _Agent())
                agent.shift = [0, 0]
                agent.talks_since = Instant(0)
            case AgentReserved() | AgentConnected() | WrapUpStarted() if agent_id in self._agents:
                self._count(self._agents[agent_id], event, at)

    def _count(self, agent: _Agent, event: Event, at: Instant) -> None:
        match event:
            case AgentReserved():
                agent.offered_at = at
            case AgentConnected():
                agent.talks_since = at
                for cell in agent.cells(at):
                    cell[0] += 1
            case WrapUpStarted() if agent.talks_since:
                for cell in agent.cells(at):
                    cell[1] += (at - agent.talks_since) // MILLISECOND
                agent.talks_since = Instant(0)

    def standing(self) -> dict[str, object]:
        """All that is counted, by agent: for comparing one fold with another."""
        return {
            agent_id: (each.shift, sorted(each.hours.items()), each.offered_at, each.talks_since)
            for agent_id, each in self._agents.items()
        }

    def of(self, agent_id: str, window: str, day_begins_h: int, at: Instant) -> Counts:
        """What the agent's counters say in the window in which this instant is."""
        agent = self._agents.get(agent_id)
        if agent is None:
            return Counts()
        if window == "shift":
            return Counts(agent.shift[0], agent.shift[1], agent.offered_at)
        first = begin(window, day_begins_h, at) // HOUR
        cells = [cell for hour, cell in agent.hours.items() if first <= hour <= at // HOUR]
        return Counts(sum(cell[0] for cell in cells), sum(cell[1] for cell in cells), agent.offered_at)


def begin(window: str, day_begins_h: int, at: Instant) -> int:
    """When the window began in which this instant is; always the same for `shift`, which has no clock."""
    if window == "shift":
        return 0
    if window == "hour":
        return at - at % HOUR
    shifted = at - day_begins_h * HOUR
    return at - shifted % (_DAY_H * HOUR)
