"""What can happen while a supervisor monitors a talk. Events of stream `contact-<id>`; states: `monitors`."""

from orchestrator.domain.contacts.events import Reservation
from orchestrator.domain.kernel import Event, Instant


class MonitorAsked(Event, frozen=True, kw_only=True):
    """A supervisor wants to hear this talk: their own phone rings until `answer_by`, and they are held for it like for
    an offer. `mode`: listen, whisper (the agent alone hears them), barge (both do). `shown`: whether the agent is told
    of one who only listens; of one who speaks they always are.
    """

    monitor_id: str
    segment_id: str
    reservation: Reservation
    mode: str
    reason: str
    answer_by: Instant
    shown: bool = False


class MonitorDelivered(Event, frozen=True, kw_only=True):
    """The supervisor's phone rings; it is asked to answer by itself."""

    monitor_id: str


class MonitorAnswered(Event, frozen=True, kw_only=True):
    """The supervisor's phone answered; the switch is told to let them hear the talk, until `begin_by`."""

    monitor_id: str
    begin_by: Instant


class MonitorModeAsked(Event, frozen=True, kw_only=True):
    """The supervisor wants to be heard otherwise: by nobody, by the agent, by both."""

    monitor_id: str
    mode: str
    reason: str
    begin_by: Instant


class MonitorBegun(Event, frozen=True, kw_only=True):
    """The switch has taken it: the supervisor hears the talk and is heard as `mode` says."""

    monitor_id: str
    mode: str


class MonitorExtended(Event, frozen=True, kw_only=True):
    """More time, until `until`: the switch cannot be asked (node_down), or is told again (told_again)."""

    monitor_id: str
    until: Instant
    cause: str


class MonitorClosed(Event, frozen=True, kw_only=True):
    """Nobody monitors any more. `outcome`: missed (the phone was never answered), left (they hung up or signed out),
    cancelled (at the desk), talk_over, failed (the switch did not do it).
    """

    monitor_id: str
    outcome: str
    cause: str = ""


class TalkTakenOver(Event, frozen=True, kw_only=True):
    """The supervisor takes the caller from the agent: what follows in the same decision stands in `transferring`."""

    monitor_id: str
    segment_id: str
    shift_id: str
    agent_id: str
    """Who takes the caller over."""
    reason: str
    tape: str = ""
    """The talk whose recording goes on; empty where it ends, because the supervisor is never recorded."""
