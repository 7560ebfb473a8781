"""Whose contacts a visitor sees, and for which agents they may act: those of their teams, and they themselves."""

from typing import Final

from flask import abort

from web.access.visitor import me
from web.push.present import live

_READY_S: Final = 2.0


def agents_in_sight() -> tuple[str, ...] | None:
    """The ids of the agents whose contacts the visitor sees, for the query; None where they see everybody's."""
    teams = me().teams
    if not teams:
        return None
    with live().view.still() as world:
        return tuple(sorted(agent.agent_id for agent in world.agents.values() if agent.team in teams))


def allowed(number: str) -> str:
    """The id of the agent with this employee number, whom the visitor is or directs; 404 or 403 for any other."""
    live().view.wait_ready(_READY_S)
    with live().view.still() as world:
        agent_id = world.agent_of_number.get(number, "")
        team = world.agents[agent_id].team if agent_id in world.agents else ""
    if not agent_id:
        abort(404)
    directs = me().may("floor.direct") and (not me().teams or team in me().teams)
    if not directs and not (me().may("desk.use") and me().agent_id == agent_id):
        abort(403)
    return agent_id
