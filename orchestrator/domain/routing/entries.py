"""An entry point (VDN): which dialled numbers lead to which queue.

Stream `entry-<id>`. Written by `config apply` (a desk stream); read by the runner.
The entry point that lists the number `*` is the default for numbers that nobody configured.
"""

from msgspec import Struct

from orchestrator.domain.kernel import Event

DEFAULT = "*"


class EntryPointConfigured(Event, frozen=True, kw_only=True):
    """These numbers lead to this queue from now on."""

    name: str
    numbers: tuple[str, ...]
    queue_id: str
    agent_id: str = ""
    """The agent whom callers of these numbers want; empty: nobody in particular."""
    bonus: int = 0
    """Points beside the queue's priority for callers of these numbers."""


class EntryPointRemoved(Event, frozen=True, kw_only=True):
    """These numbers lead nowhere; callers reach the default entry point."""


class EntryPoint(Struct, frozen=True, kw_only=True):
    """An entry point as configured now."""

    entry_id: str
    name: str
    numbers: tuple[str, ...]
    queue_id: str
    agent_id: str = ""
    bonus: int = 0


def evolve(entry: EntryPoint | None, event: Event, entry_id: str) -> EntryPoint | None:
    """The entry point after one more event; None once removed. Never raises."""
    match event:
        case EntryPointConfigured():
            return EntryPoint(
                entry_id=entry_id,
                name=event.name,
                numbers=event.numbers,
                queue_id=event.queue_id,
                agent_id=event.agent_id,
                bonus=event.bonus,
            )
        case EntryPointRemoved():
            return None
    return entry
