"""A switch as the ledger knows it: connected, lost, restarted, repaired.

Stream `node-<id>`. Written by the runner only; read by ops.

   lost ──NodeConnected──▶ connected ──NodeReconciled──▶ connected and in step ──NodeLost──▶ lost

Only the contacts of a node that is in step are offered to agents: before that we do not know who still waits there.
"""

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.kernel import Event, Instant

# --- events ----------------------------------------------------------------------------------------------------


class NodeConnected(Event, frozen=True, kw_only=True):
    """The event socket delivers. `core` is the switch's run id: a new one means that it was restarted."""

    core: str
    restarted: bool = False


class NodeLost(Event, frozen=True, kw_only=True):
    """The event socket is gone; calls may live on."""

    why: str


class NodeReconciled(Event, frozen=True, kw_only=True):
    """After a connect, ledger and switch were compared: contacts of this node are served (again)."""


class NodeRepaired(Event, frozen=True, kw_only=True):
    """Ledger and switch disagreed after a snapshot, and what was done about it (law 5)."""

    why: str
    adopted: int = 0
    """Callers that the switch had and we did not know."""
    doubted: int = 0
    """Legs that we believe in and the switch did not list; each is asked after before it is closed."""
    corrected: int = 0
    """Legs whose state was moved on to what the switch said."""
    strays: int = 0
    """Agents' legs without a contact, hung up."""


class SnapshotFailed(Event, frozen=True, kw_only=True):
    """Asked `failures` times in a row, the switch did not say in a readable way which channels it has. Nobody knows
    what it has, and where it has just been connected its contacts are not served, until a snapshot succeeds.
    """

    failures: int


class StrayLegFound(Event, frozen=True, kw_only=True):
    """A leg of ours lives without a contact that wants it; it is hung up on sight."""

    leg: str
    contact_id: str
    offer_id: str


class StrayLegClosed(Event, frozen=True, kw_only=True):
    """The stray leg is gone."""

    leg: str
    cause: str


class StrayLegOverdue(Event, frozen=True, kw_only=True):
    """Stray legs that should be gone by now are asked after (law 9). Asked again at `again_at`."""

    legs: tuple[str, ...]
    again_at: Instant


# --- state -----------------------------------------------------------------------------------------------------


class Node(Struct, frozen=True, kw_only=True):
    """A switch as it stands after a number of events."""

    node_id: str
    status: str = "lost"
    core: str = ""
    since: Instant = Instant(0)
    in_step: bool = False
    """Whether ledger and switch have been compared since the last connect."""
    strays: tuple[str, ...] = ()
    reminders: int = 0
    """How often the switch was asked in vain after the strays."""


def evolve(node: Node | None, event: Event, at: Instant, node_id: str) -> Node:
    """The node after one more event. Never raises; an event that it does not know changes nothing."""
    node = node or Node(node_id=node_id)
    match event:
        case NodeConnected():
            strays = () if event.restarted else node.strays
            return replace(node, status="connected", in_step=False, core=event.core, since=at, strays=strays)
        case NodeReconciled():
            return replace(node, in_step=True)
        case NodeLost():
            return replace(node, status="lost", in_step=False, since=at)
        case StrayLegFound():
            return replace(node, strays=(*node.strays, event.leg))
        case StrayLegOverdue():
            return replace(node, reminders=node.reminders + 1)
        case StrayLegClosed():
            return replace(node, strays=tuple(leg for leg in node.strays if leg != event.leg), reminders=0)
    return node
