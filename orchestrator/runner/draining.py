"""A switch that is to be worked on: it takes no new calls, finishes what it has, and is then free to be stopped.

The switch refuses new calls by itself (freeswitch/conf/dialplan.xml), so that the carrier tries the next one, also
while we are away; what comes through all the same is turned away here. Its contacts that only wait to be called move.
"""

from collections.abc import Iterator
from typing import NoReturn

from orchestrator.domain.kernel import Refused
from orchestrator.domain.switch.nodes import Node, NodeDrained, NodeUndrained
from orchestrator.domain.world import World
from orchestrator.policies.base import Ids
from orchestrator.runner import inputs, reconcile
from orchestrator.runner.telling import AppendNode, Tell


def drain(world: World, command: inputs.DrainNode, reason: str, ids: Ids) -> Iterator[Tell]:
    """Nothing where it is drained already. Raises `Refused`."""
    node = _node(world, command.node)
    if node.drained:
        return
    others = [other for other in world.nodes.values() if other.in_step and not other.drained and other is not node]
    if not others and not command.anyway:
        _refuse(
            "last_node",
            f"No other switch would take calls: with {node.node_id} drained, every caller is refused. Undrain or "
            "connect another first, or say that it is wanted (--anyway).",
        )
    yield AppendNode(node.node_id, (NodeDrained(reason=reason),))
    yield from _tell(world, node.node_id, ids)


def undrain(world: World, command: inputs.UndrainNode, ids: Ids) -> Iterator[Tell]:
    """Nothing where it is not drained. Raises `Refused`."""
    node = _node(world, command.node)
    if not node.drained:
        return
    yield AppendNode(node.node_id, (NodeUndrained(),))
    yield from _tell(world, node.node_id, ids)


def _tell(world: World, node_id: str, ids: Ids) -> Iterator[Tell]:
    """One that cannot be told now is told when it is connected again."""
    node = world.nodes[node_id]
    if node.status == "connected":
        yield reconcile.mark_drained(node, ids)


def _node(world: World, node_id: str) -> Node:
    node = world.nodes.get(node_id)
    if node is None:
        known = ", ".join(sorted(world.nodes)) or "none"
        _refuse("unknown_node", f"No switch is called {node_id[:40]!r}; there are: {known}.")
    return node


def _refuse(code: str, message: str) -> NoReturn:
    raise Refused(code, message)
