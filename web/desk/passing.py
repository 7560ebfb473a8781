"""To whom an agent may pass the caller on: colleagues, queues, and whether anybody outside (features 4.3, 4.4)."""

from typing import Final

from msgspec import Struct

from orchestrator.runner.passing import obstacle
from projections.live import LiveView
from web.desk.picture import Desk, Talk

# What is known of a colleague who cannot be rung now comes after those who can; beyond so many nobody looks.
SHOWN: Final = 200


class Colleague(Struct, frozen=True, kw_only=True):
    """A signed-in agent. `why_not`: the code for which a transfer is refused now; empty where it is not."""

    number: str
    name: str
    why_not: str


class Line(Struct, frozen=True, kw_only=True):
    """An open queue, and what waits for the caller there."""

    queue_id: str
    name: str
    waiting: int
    free: int
    """Agents who are signed in and could be offered somebody of it at once."""


class Targets(Struct, frozen=True, kw_only=True):
    """Everything that the dialog offers for one caller."""

    talk: Talk
    colleagues: tuple[Colleague, ...]
    lines: tuple[Line, ...]
    outside: bool
    """Whether any number outside may be called."""


def targets_of(view: LiveView, desk: Desk, contact_id: str) -> Targets | None:
    """What the agent of this desk may choose for this caller; None where they do not talk."""
    talks = ([desk.talk] if desk.talk is not None else []) + list(desk.others)
    talk = next((each for each in talks if each.contact_id == contact_id), None)
    if talk is None:
        return None
    with view.still() as world:
        signed_in = {
            agent_id: obstacle(world, world.shifts[shift_id])
            for agent_id, shift_id in world.shift_of_agent.items()
            if agent_id != desk.agent.agent_id and agent_id in world.agents
        }
        agents = {agent_id: world.agents[agent_id] for agent_id in signed_in}
        colleagues = [
            Colleague(number=agents[agent_id].number, name=agents[agent_id].name, why_not=why_not)
            for agent_id, why_not in signed_in.items()
        ]
        free = [agents[agent_id] for agent_id, why_not in signed_in.items() if not why_not]
        lines = tuple(
            Line(
                queue_id=queue.queue_id,
                name=queue.settings.name,
                waiting=world.admission.visits(queue.queue_id),
                free=sum(
                    agent.skills.get(queue.settings.skill, 0) >= max(queue.settings.min_level, 1) for agent in free
                ),
            )
            for queue in sorted(world.queues.values(), key=lambda queue: queue.settings.name)
            if queue.open
        )
        outside = world.outside is not None
    colleagues.sort(key=lambda each: (bool(each.why_not), each.name, each.number))
    return Targets(talk=talk, colleagues=tuple(colleagues[:SHOWN]), lines=lines, outside=outside)
