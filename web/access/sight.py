"""Whose contacts a visitor sees, and for which agents they may act: those of their teams and branches, and they
themselves.
"""

from typing import Final

from flask import abort

from web.access.visitor import me
from web.push.present import live

_READY_S: Final = 2.0


def agents_in_sight() -> tuple[str, ...] | None:
    """The ids of the agents whose contacts the visitor sees, for the query; None where they see everybody's."""
    scope = me().scope
    if not scope.limited:
        return None
    with live().view.still() as world:
        return tuple(sorted(agent.agent_id for agent in world.agents.values() if scope.holds(agent)))


def allowed(number: str) -> str:
    """The id of the agent with this employee number, whom the visitor is or directs; 404 or 403 for any other."""
    live().view.wait_ready(_READY_S)
    with live().view.still() as world:
        agent_id = world.agent_of_number.get(number, "")
        agent = world.agents.get(agent_id)
    if agent is None:
        abort(404)
    directs = me().may("floor.direct") and me().scope.holds(agent)
    if not directs and not (me().may("desk.use") and me().agent_id == agent_id):
        abort(403)
    return agent_id
