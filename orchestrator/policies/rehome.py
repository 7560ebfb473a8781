"""Whenever a customer is to be called back over a switch that is drained or dead, then another one takes them."""

from collections.abc import Iterator

from orchestrator.domain.contacts.commands import Rehome
from orchestrator.domain.contacts.contacts import Contact, LegClosed
from orchestrator.domain.contacts.outward import to_be_called
from orchestrator.domain.switch.between import home_for
from orchestrator.domain.switch.nodes import DEAD, NodeDied, NodeDrained, NodeReconciled, NodeUndrained
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, TellContact, asked_about


@asked_about(NodeDied, NodeDrained, NodeReconciled, NodeUndrained, LegClosed)
def rehome(world: World, happened: Happened, _ids: Ids) -> Iterator[Do]:
    """Whenever nobody is on the line of such a customer, then they need no switch of their own: any will do."""
    about: tuple[Contact, ...]
    if isinstance(happened.record.event, LegClosed):
        about = (happened.after,) if isinstance(happened.after, Contact) else ()
    else:
        about = tuple(world.contacts.values())
    for contact in about:
        if not contact.legs and to_be_called(contact) is not None and _is_leaving(world, contact.node):
            home = home_for(world.nodes)
            if home:
                yield TellContact(contact.contact_id, Rehome(node=home))


def _is_leaving(world: World, node_id: str) -> bool:
    node = world.nodes.get(node_id)
    return node is not None and (node.status == DEAD or bool(node.drained))
