"""A leader who makes an agent ready, not ready, or signs them out. Part of the stream `shift-<id>`.

What is forced is what the agent could ask for, with the same consequences: during a contact it comes after it. That
somebody else asked is an event of its own, which says who and why, and the agent's desk shows it until the agent moves
on.
"""

from typing import Final

from msgspec import Struct

from orchestrator.domain.kernel import Event, Instant
from orchestrator.domain.staff.events import AgentMadeReady, AgentPaused

READY: Final = "ready"
PAUSED: Final = "paused"
SIGNED_OUT: Final = "signed_out"
STATES: Final = (READY, PAUSED, SIGNED_OUT)
# How a shift ends that somebody else ended (`AgentSignedOut.reason`).
FORCED: Final = "forced"


class AgentForced(Event, frozen=True, kw_only=True):
    """Somebody else made the agent so: `to` ready, paused (`reason` is that of the pause) or signed_out. What came of
    it follows in the same decision. `by`: who, as an actor.
    """

    to: str
    reason: str
    by: str


class Force(Struct, frozen=True, kw_only=True):
    """Make the agent so, in somebody else's name."""

    to: str
    reason: str
    by: str


class Forced(Struct, frozen=True, kw_only=True):
    """What the agent is to be told."""

    to: str
    reason: str
    by: str
    at: Instant


def evolve(forced: Forced | None, event: Event, at: Instant) -> Forced | None:
    """What the agent is still to be told after one more event of the shift. Never raises."""
    if isinstance(event, AgentForced):
        return Forced(to=event.to, reason=event.reason, by=event.by, at=at)
    if forced is None or forced.at == at:
        return forced
    match event:
        case AgentMadeReady():
            return None
        case AgentPaused() if forced.to != PAUSED:
            return None
    return forced
