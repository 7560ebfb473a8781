"""A queue as configured: which skill it asks for, by which rule, how long things may take, what callers hear.

Stream `queue-<id>`. Written by `config apply` (a desk stream); read by the runner and every screen.
"""

from msgspec import Struct

from orchestrator.domain.kernel import Event
from orchestrator.domain.routing.recording import ALWAYS

# The prompt that says sorry where a queue has none of its own (freeswitch/prompts).
APOLOGY = "apology"
# The prompt that says: hang up, you keep your place, we call you back.
CALLBACK_PROMPT = "callback_promised"

PICKS = ("skilled", "anyone", "nobody")


class StepSetting(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step of a queue as configured: what is not said is as the queue says it."""

    for_ms: int = 0
    """How long it holds; 0: for good."""
    min_level: int = 0
    """The least level for the queue's skill; 0: the queue's own."""
    skills: dict[str, int] | None = None
    """Other skills with their least levels instead of the queue's; none of them: anyone."""
    agents: tuple[str, ...] = ()
    """These agents alone."""
    branch: str = ""
    """This branch's agents alone; `local`: those of the caller's region."""
    strongest: bool = False
    """The agent's level counts first here, even where the queue does not say so."""


class Spill(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of a queue's overflow: under which condition callers go elsewhere, and where (`overflow`)."""

    when: str
    to: str
    """`queue:ID`, `entry:ID` or `apology:PROMPT`."""
    after_ms: int = 0
    """`wait`: for so long."""
    over: int = 0
    """`length`: so many wait already."""


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
    record: str = ALWAYS
    """Which of its talks are recorded (`recording.OF_QUEUES`), as far as its agents do not say otherwise."""
    announce_agent: bool = True
    """Whether the caller is told the agent's employee number when both are joined."""
    desk_grace_ms: int = 15_000
    """How long the desk of an agent may be gone before the queue's contacts are kept from that agent."""
    answer_target_ms: int = 20_000
    """Whoever is answered within this counts as in time: the T of service levels."""
    short_abandon_ms: int = 5_000
    """Whoever leaves within this may not have meant to call: a short abandon."""
    callback_tries: int = 3
    """How often a customer who asked to be called back is called in vain before it is given up."""
    callback_again_ms: int = 300_000
    """How long they are left in peace after each."""
    callback_most_wait_ms: int = 14_400_000
    """When it is given up at the latest, from when it was asked for."""
    callback_prompt: str = CALLBACK_PROMPT
    level_first: bool = True
    """Whether an agent's level for the asked skill counts before the rule."""
    count_window: str = "shift"
    """What the rule's counters count: this `shift`, this clock `hour`, or this `day`."""
    day_begins_h: int = 16
    """The full hour of UTC at which a day of the counters begins; 16 is midnight in China."""
    steps: tuple[StepSetting, ...] = ()
    """How the requirement widens; none: it stays as it is."""
    named_agent_ms: int = 30_000
    """How long a contact waits for the agent whom its entry point names."""
    last_agent_ms: int = 0
    """How long a contact waits for the agent who served this customer last."""
    known_within_ms: int = 300
    """How long a queue that needs to know who calls lets a contact wait for that before its first step begins."""
    age_per_min: int = 0
    """Points that each minute of waiting adds to the priority."""
    age_cap: int = 0
    """The most points that waiting adds."""
    ring_most: int = 5
    """How many phones one offer rings at most where the rule rings several."""
    ring_next_ms: int = 5_000
    """After how long a rule that rings progressively rings one more."""
    calendar: str = ""
    """When the queue takes callers; empty: always."""
    most_waiting: int = 0
    """So many may wait at once; 0: as many as come."""
    overflow: tuple[Spill, ...] = ()
    tell_place_every_ms: int = 0
    """How often whoever waits is told place and expected wait, the first time after so long; 0: never."""
    pick: str = "skilled"
    """Which agents may take a waiting contact by hand: skilled (whoever serves the queue), anyone, nobody."""
    park_ms: int = 180_000
    """How long a parked caller is left at their place before they come back."""
    show_listening: bool = False
    """Whether an agent is told of a supervisor who only listens; of one who speaks, they always are."""


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
