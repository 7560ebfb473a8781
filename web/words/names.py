"""What ids and lengths of time are called on screens."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from web.words.codes import code


@dataclass(frozen=True)
class Names:
    """What ids are called: agents and queues by their own ids, and the agent of each shift."""

    agents: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, str] = field(default_factory=dict)
    shifts: Mapping[str, str] = field(default_factory=dict)

    def agent(self, agent_id: str) -> str:
        """The agent's name, the id where it is not known."""
        return self.agents.get(agent_id, agent_id)

    def queue(self, queue_id: str) -> str:
        """The queue's name, the id where it is not known."""
        return self.queues.get(queue_id, queue_id)

    def actor(self, actor: str) -> str:
        """Who did it: an agent by name, a user or program by id, the system in words."""
        kind, _, ident = actor.partition(":")
        if kind == "agent":
            return self.agents.get(ident) or next((n for n in self.agents.values() if n.endswith(f"({ident})")), ident)
        return ident or code(kind)

    def of_shift(self, shift_id: str) -> str:
        """The name of the agent whose shift this is."""
        agent_id = self.shifts.get(shift_id)
        return shift_id[:8] if agent_id is None else self.agent(agent_id)


def duration(milliseconds: int) -> str:
    """`mm:ss`, from an hour on `h:mm:ss`."""
    seconds = milliseconds // 1000
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60:02}:{rest % 60:02}"
