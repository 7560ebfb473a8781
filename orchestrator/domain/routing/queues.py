"""A queue as configured: which skill it asks for, by which rule, how long things may take, what callers hear.

Stream `queue-<id>`. Written by `config apply` (a desk stream); read by the runner and every screen.
"""

from msgspec import Struct

from orchestrator.domain.kernel import Event

# The prompt that says sorry where a queue has none of its own (freeswitch/prompts).
APOLOGY = "apology"


class QueueConfigured(Event, frozen=True, kw_only=True):
    """The queue is as described from now on. Durations in milliseconds."""

    name: str
    skill: str
    min_level: int = 1
    priority: int = 0
    rule: str = "longest_idle"
    ring_ms: int = 20_000
    wrap_up_ms: int = 30_000
    wrap_up_most_ms: int = 300_000
    """How long after-call work may take with all the extensions that the agent asks for."""
    max_wait_ms: int = 600_000
    cool_down_ms: int = 10_000
    ring_at_once: int = 1
    """How many phones one offer rings; the first to answer gets the contact."""
    music: str = "ringledger"
    apology: str = APOLOGY
    record: bool = True
    announce_agent: bool = True
    """Whether the caller is told the agent's employee number when both are joined."""
    desk_grace_ms: int = 15_000
    """How long the desk of an agent may be gone before the queue's contacts are kept from that agent."""
    answer_target_ms: int = 20_000
    """Whoever is answered within this counts as in time: the T of service levels."""
    short_abandon_ms: int = 5_000
    """Whoever leaves within this may not have meant to call: a short abandon."""


class QueueRemoved(Event, frozen=True, kw_only=True):
    """The queue takes no new contacts. Those that wait in it keep their place until they are served or time out."""


class Queue(Struct, frozen=True, kw_only=True):
    """A queue as configured now."""

    queue_id: str
    settings: QueueConfigured
    open: bool = True


def evolve(queue: Queue | None, event: Event, queue_id: str) -> Queue | None:
    """The queue after one more event. Never raises."""
    match event:
        case QueueConfigured():
            return Queue(queue_id=queue_id, settings=event)
        case QueueRemoved() if queue is not None:
            return Queue(queue_id=queue_id, settings=queue.settings, open=False)
    return queue
