"""What can happen in a shift. How it leads from state to state: `shifts`; what happens to its desk: `presence`."""

from orchestrator.domain.kernel import Event, Instant
from orchestrator.domain.staff.engagements import VOICE


class AgentSignedIn(Event, frozen=True, kw_only=True):
    """An agent took a seat at this extension; not ready yet."""

    agent_id: str
    extension: str


class AgentMadeReady(Event, frozen=True, kw_only=True):
    """The agent may be offered contacts."""


class AgentPaused(Event, frozen=True, kw_only=True):
    """Not ready, by the agent's own wish, with a reason."""

    reason: str


class AgentStoodDown(Event, frozen=True, kw_only=True):
    """Not ready, by the system: `ring_no_answer`, `phone_unreachable`, `desk_lost` (of no offer). The way back is to
    become ready again; after `desk_lost`, once the desk is back.
    """

    reason: str
    offer_id: str


class AgentReserved(Event, frozen=True, kw_only=True):
    """Held for one offer; `by_hand` where somebody chose the pair, also beside a conversation that is on hold."""

    offer_id: str
    contact_id: str
    channel: str = VOICE
    by_hand: bool = False


class AgentReleased(Event, frozen=True, kw_only=True):
    """The reservation is over without a conversation."""

    offer_id: str
    outcome: str


class AgentCooledDown(Event, frozen=True, kw_only=True):
    """Nothing is offered until `until`, so that a busy or rejecting phone is not rung in a fast loop."""

    until: Instant
    cause: str


class CoolDownEnded(Event, frozen=True, kw_only=True):
    """The agent may be offered contacts again."""


class AgentConnected(Event, frozen=True, kw_only=True):
    """Talking with the caller of this contact."""

    contact_id: str
    offer_id: str
    segment_id: str


class WrapUpStarted(Event, frozen=True, kw_only=True):
    """After-call work, until `until`, or until `at_most` where the agent asks for more time."""

    contact_id: str
    segment_id: str
    until: Instant
    at_most: Instant = Instant(0)


class WrapUpPostponed(Event, frozen=True, kw_only=True):
    """The conversation is over while the agent has another contact in hand, or the agent dials in the middle of its
    after-call work: what is to come of that work, this long and at most that long, begins once there is none.
    """

    contact_id: str
    segment_id: str
    wrap_up_ms: int
    most_ms: int


class WrapUpExtended(Event, frozen=True, kw_only=True):
    """The agent asked for more time: until `until` now."""

    until: Instant


class WrapUpEnded(Event, frozen=True, kw_only=True):
    """After-call work is over. `how`: agent, timer, signed_out, taken_up (its caller comes back). `code` is the agent's
    wrap-up reason.
    """

    how: str
    code: str = ""


class PauseRequested(Event, frozen=True, kw_only=True):
    """Not ready was asked for during a contact; it takes effect after it. An empty reason takes the wish back."""

    reason: str


class SignOutRequested(Event, frozen=True, kw_only=True):
    """Sign-out was asked for during a contact; it takes effect after it. An empty reason takes the wish back."""

    reason: str


class AgentSignedOut(Event, frozen=True, kw_only=True):
    """The shift is over; nothing follows."""

    reason: str
