"""An agent as configured: employee number, name, extension, skills with levels.

Stream `agent-<id>`. Written by `config apply` (a desk stream); read by the runner and every screen.
"""

from msgspec import Struct, field

from orchestrator.domain.kernel import Event, Personal
from orchestrator.domain.routing.recording import AS_QUEUE
from orchestrator.domain.staff.answering import AS_SITE


class AgentConfigured(Event, frozen=True, kw_only=True):
    """The agent is as described from now on."""

    number: str
    """Employee number, which the caller may hear; what the agent signs in with."""
    name: Personal
    extension: str
    skills: dict[str, int]
    """Skill to level, 1 (lowest) to 9."""
    team: str = ""
    """Whose leaders see this agent; empty for an agent whom only those see who see every team."""
    branch: str = ""
    """Where the agent works; empty: nowhere in particular."""
    order: int = 0
    """The agent's place where a rule goes from top to bottom: smaller first."""
    weight: int = 1
    """The agent's share where a rule weighs agents: one of weight 2 gets twice as many contacts as one of weight 1."""
    capacity: dict[str, int] = field(default_factory=dict)
    """How many contacts at once by channel; a channel that is not named has what is usual (`engagements.USUAL`)."""
    record: str = AS_QUEUE
    """Which of the agent's talks are recorded (`recording.OF_AGENTS`)."""
    answer: str = AS_SITE
    """How the agent answers (`answering.OF_AGENTS`)."""


class AgentRemoved(Event, frozen=True, kw_only=True):
    """The agent has left. A shift that is still open ends by sign-out."""


class Agent(Struct, frozen=True, kw_only=True):
    """An agent as configured now."""

    agent_id: str
    number: str
    name: str
    extension: str
    skills: dict[str, int]
    team: str = ""
    branch: str = ""
    order: int = 0
    weight: int = 1
    capacity: dict[str, int] = field(default_factory=dict)
    record: str = AS_QUEUE
    answer: str = AS_SITE


def evolve(agent: Agent | None, event: Event, agent_id: str) -> Agent | None:
    """The agent after one more event; None once removed. Never raises."""
    match event:
        case AgentConfigured():
            return Agent(
                agent_id=agent_id,
                number=event.number,
                name=event.name,
                extension=event.extension,
                skills=event.skills,
                team=event.team,
                branch=event.branch,
                order=event.order,
                weight=event.weight,
                capacity=event.capacity,
                record=event.record,
                answer=event.answer,
            )
        case AgentRemoved():
            return None
    return agent
