"""Several switches: over which one a phone is rung, and how the two halves of a leg are called.

A caller stays on the switch where the call arrived: it makes the agent's leg, joins the two, holds and records. Where
the phone is registered at another switch, that leg leads there over the trunk between the two, and the other switch
rings the phone by a leg of its own (freeswitch/conf/dialplan.xml, context ringledger-nodes):

    caller ── leg ─┐                        ┌─ phone
                   ├─ the caller's node ────┤  the phone's node: `far_leg(leg)`
       the agent's leg, named by (node, leg) over the trunk

The ledger counts the near half alone. Of the far one it is told what only it can know: that it was made, and that the
phone's own hold key was pressed; and it is told what only it can do: to answer by itself, and to end when the near half
died with its switch (docs/decisions/0072).
"""

from collections.abc import Mapping
from typing import Final

from orchestrator.domain.switch.nodes import Node

_FAR: Final = "-phone"

CONTEXT: Final = "ringledger-nodes"
"""Where calls of the other switches arrive (freeswitch/conf)."""


def far_leg(leg: str) -> str:
    """The leg to the phone itself, on the phone's node."""
    return leg + _FAR


def near_leg(leg: str) -> str:
    """The agent's leg on the caller's node of which this is the far half; empty where it is none."""
    return leg.removesuffix(_FAR) if leg.endswith(_FAR) else ""


def place_of(known: Mapping[str, Node], home: str, extension: str) -> str:
    """The node over which this phone is rung for a caller of `home`: that one itself where it has the phone, or nobody
    can say who has. Of several others one that is not drained, then the one at which the phone registered last.
    """
    there = [node for node in known.values() if node.in_step and _has(node, extension)]
    if not there or any(node.node_id == home for node in there):
        return home
    return max(there, key=lambda node: (not node.drained, node.phones[extension].since, node.node_id)).node_id


def home_for(known: Mapping[str, Node]) -> str:
    """A node that takes new work, the first by name; empty where there is none."""
    return min((node.node_id for node in known.values() if node.in_step and not node.drained), default="")


def _has(node: Node, extension: str) -> bool:
    phone = node.phones.get(extension)
    return phone is not None and phone.registered
