"""What may be asked of a shift. A command carries all that a decision needs: time, ids, settings of the queue."""

from msgspec import Struct

from orchestrator.domain.kernel import Instant
from orchestrator.domain.staff import presence
from orchestrator.domain.staff.engagements import VOICE
from orchestrator.domain.staff.forcing import Force


class SignIn(Struct, frozen=True, kw_only=True):
    """Take a seat, at this desk where there is one."""

    agent_id: str
    extension: str
    desk_id: str = ""


class MakeReady(Struct, frozen=True, kw_only=True):
    """Become ready; also the way back from a stand-down and from wrap-up."""


class Pause(Struct, frozen=True, kw_only=True):
    """Become not ready."""

    reason: str


class Reserve(Struct, frozen=True, kw_only=True):
    """Hold the agent, who may have `capacity` contacts of the channel, for an offer; `by_hand`: for this very one."""

    offer_id: str
    contact_id: str
    channel: str = VOICE
    capacity: int = 1
    by_hand: bool = False
    leaves_wrap_up: bool = False
    """Whether after-call work may be left for it: the rest of it, from `now` on, comes afterwards."""
    now: Instant = Instant(0)


class Release(Struct, frozen=True, kw_only=True):
    """The offer is over for this agent. `cool_until`: when a cool-down would end, where the outcome asks for one."""

    offer_id: str
    outcome: str
    cool_until: Instant


class Connect(Struct, frozen=True, kw_only=True):
    """The caller and this agent were joined."""

    contact_id: str
    offer_id: str
    segment_id: str


class StartWrapUp(Struct, frozen=True, kw_only=True):
    """The conversation is over, or the turn of its after-call work has come. `wrap_up_ms`, `most_ms`: how long it
    takes, and at most, where it has to wait for something else in hand.
    """

    contact_id: str
    segment_id: str
    until: Instant
    at_most: Instant = Instant(0)
    wrap_up_ms: int = 0
    most_ms: int = 0


class ExtendWrapUp(Struct, frozen=True, kw_only=True):
    """More time for the after-call work."""

    by_ms: int


class EndWrapUp(Struct, frozen=True, kw_only=True):
    """The after-call work is over."""

    how: str
    code: str = ""


class EndCoolDown(Struct, frozen=True, kw_only=True):
    """The cool-down's time is over."""


class SignOut(Struct, frozen=True, kw_only=True):
    """Leave the seat."""

    reason: str


Command = (
    SignIn | MakeReady | Pause | Reserve | Release | Connect | StartWrapUp | ExtendWrapUp | EndWrapUp | EndCoolDown
    | SignOut | Force | presence.Command
)  # fmt: skip
