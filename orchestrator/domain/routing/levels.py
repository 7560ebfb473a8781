"""A customer's level as configured: what it is worth in a queue.

Stream `level-<id>`. Written by `config apply` (a desk stream); read by the runner. The id is the word that stands in
the customer's file.
"""

from msgspec import Struct

from orchestrator.domain.kernel import Event


class LevelConfigured(Event, frozen=True, kw_only=True):
    """Customers of this level are worth so much from now on."""

    name: str
    bonus: int = 0
    """Points beside the queue's priority."""
    strongest: bool = False
    """Whether they get the strongest agent who is free, even where the queue does not look at levels."""


class LevelRemoved(Event, frozen=True, kw_only=True):
    """Customers of this level are served like any other."""


class Level(Struct, frozen=True, kw_only=True):
    """A level as configured now."""

    level_id: str
    name: str
    bonus: int = 0
    strongest: bool = False


def evolve(level: Level | None, event: Event, level_id: str) -> Level | None:
    """The level after one more event; None once removed. Never raises."""
    match event:
        case LevelConfigured():
            return Level(level_id=level_id, name=event.name, bonus=event.bonus, strongest=event.strongest)
        case LevelRemoved():
            return None
    return level
