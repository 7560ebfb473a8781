"""What the runner's rooms may answer: all that a policy may, and events of a node's or the engine's own stream."""

from msgspec import Struct

from orchestrator.domain.kernel import Event, Record
from orchestrator.policies.base import Do


class AppendNode(Struct, frozen=True):
    """Events for a node's stream. A node decides nothing: it is told what was seen."""

    node_id: str
    events: tuple[Event, ...]


class AppendEngine(Struct, frozen=True):
    """Events for the engine's own stream."""

    events: tuple[Event, ...]


Tell = Do | AppendNode | AppendEngine | Record
