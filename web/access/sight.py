"""Whose contacts a visitor sees: those of their teams' agents, and those that no agent has had yet."""

from web.access.visitor import me
from web.push.present import live


def agents_in_sight() -> tuple[str, ...] | None:
    """The ids of the agents whose contacts the visitor sees, for the query; None where they see everybody's."""
    teams = me().teams
    if not teams:
        return None
    with live().view.still() as world:
        return tuple(sorted(agent.agent_id for agent in world.agents.values() if agent.team in teams))
