"""Which talks are recorded: the site's word, the queue's and the agent's, and what follows from the three.

Stream `recordings-<id>`; there is one, `recordings-main`. Written by `config apply` (a desk stream); read by the
runner. Without it queues and agents decide. A queue's and an agent's own words stand in their own configuration.
"""

from typing import Final

from msgspec import Struct, field

from orchestrator.domain.kernel import Event

# The id of the one stream of the site's word.
THE_ONE: Final = "main"

ALWAYS: Final = "always"
ON_DEMAND: Final = "on_demand"
NEVER: Final = "never"
# A queue and an agent that say nothing leave it to the other; a site, to both.
AS_AGENT: Final = "as_agent"
AS_QUEUE: Final = "as_queue"

OF_QUEUES: Final = (ALWAYS, ON_DEMAND, AS_AGENT, NEVER)
OF_AGENTS: Final = (AS_QUEUE, ALWAYS, ON_DEMAND, NEVER)
OF_SITE: Final = (AS_QUEUE, ALWAYS, NEVER)

# How long a mask holds that nobody ends.
MASK_MOST_MS: Final = 180_000


class RecordingsConfigured(Event, frozen=True, kw_only=True):
    """The site records so from now on. `rule`: `as_queue` (queues and agents decide), always or never."""

    rule: str = AS_QUEUE
    mask_most_ms: int = MASK_MOST_MS
    """After that a mask ends by itself: what somebody forgot must not silence the rest of a talk."""
    keep_days: int = 0
    """For how long recordings are kept; 0: for good."""
    keep_days_of: dict[str, int] = field(default_factory=dict)
    """The same of single queues, by their ids; 0: for good."""
    least_ms: int = 0
    """What is shorter is not kept; 0: everything is."""
    archive_days: int = 0
    """After so many days a recording is moved to other media; 0: never."""


class RecordingsRemoved(Event, frozen=True, kw_only=True):
    """The site says nothing any more: queues and agents decide."""


class Recordings(Struct, frozen=True, kw_only=True):
    """The site's word as configured now."""

    rule: str = AS_QUEUE
    mask_most_ms: int = MASK_MOST_MS
    keep_days: int = 0
    keep_days_of: dict[str, int] = field(default_factory=dict)
    least_ms: int = 0
    archive_days: int = 0

    def days_of(self, queue_id: str) -> int:
        """For how many days a recording of this queue is kept; 0: for good."""
        return self.keep_days_of.get(queue_id, self.keep_days)


def evolve(recordings: Recordings, event: Event) -> Recordings:
    """The site's word after one more event. Never raises."""
    match event:
        case RecordingsConfigured():
            return Recordings(
                rule=event.rule,
                mask_most_ms=event.mask_most_ms,
                keep_days=event.keep_days,
                keep_days_of=event.keep_days_of,
                least_ms=event.least_ms,
                archive_days=event.archive_days,
            )
        case RecordingsRemoved():
            return Recordings()
    return recordings


def rule_of(site: str, queue: str, agent: str) -> str:
    """Whether a talk is recorded: `always`, `on_demand` (once the agent asks) or `never`.

    The site's word decides where it has one. Else whoever says never is heard first, so that nobody who was promised
    it is recorded all the same; then whoever says always. A talk of which nobody says anything is not recorded.
    """
    if site in (ALWAYS, NEVER):
        return site
    return next((rule for rule in (NEVER, ALWAYS, ON_DEMAND) if rule in (queue, agent)), NEVER)
