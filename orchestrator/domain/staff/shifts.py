"""One signed-in session of an agent.

Stream `shift-<sign-in id>`. Written by the runner only; read by everyone.

     AgentSignedIn
          │
          ▼    AgentMadeReady          AgentReserved          AgentConnected
        paused ─────────────▶ ready ─────────────▶ reserved ─────────────────▶ talking
          ▲ ▲                 ▲ │ ▲                 │    │                        │ WrapUpStarted
          │ └──AgentPaused────┼─┘ └──AgentReleased──┘    │ AgentStoodDown         ▼
          │                   │                          │                   wrapping_up
          └───────────────────┼──────────────────────────┘                        │
                              └────────────────WrapUpEnded────────────────────────┘
   AgentSignedOut ends the shift from paused, ready or wrapping_up; from the others it is asked for and comes after.
   A cool-down keeps a ready agent from being offered anything until it is over.
   Whether the agent's desk is there stands in `presence`: an agent whose desk is absent is never ready.
"""

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.kernel import MILLISECOND, Event, Instant, Refused
from orchestrator.domain.staff import presence
from orchestrator.domain.staff.events import (
    AgentConnected,
    AgentCooledDown,
    AgentMadeReady,
    AgentPaused,
    AgentReleased,
    AgentReserved,
    AgentSignedIn,
    AgentSignedOut,
    AgentStoodDown,
    CoolDownEnded,
    PauseRequested,
    SignOutRequested,
    WrapUpEnded,
    WrapUpExtended,
    WrapUpStarted,
)
from orchestrator.domain.staff.presence import Desk

__all__ = [
    "COOL_DOWN",
    "DESK_LOST",
    "ENGAGED",
    "STAND_DOWN",
    "AgentConnected",
    "AgentCooledDown",
    "AgentMadeReady",
    "AgentPaused",
    "AgentReleased",
    "AgentReserved",
    "AgentSignedIn",
    "AgentSignedOut",
    "AgentStoodDown",
    "Command",
    "Connect",
    "CoolDownEnded",
    "EndCoolDown",
    "EndWrapUp",
    "ExtendWrapUp",
    "MakeReady",
    "Pause",
    "PauseRequested",
    "Release",
    "Reserve",
    "Shift",
    "SignIn",
    "SignOut",
    "SignOutRequested",
    "StartWrapUp",
    "WrapUpEnded",
    "WrapUpExtended",
    "WrapUpStarted",
    "available",
    "decide",
    "evolve",
]

# --- state -----------------------------------------------------------------------------------------------------


class Shift(Struct, frozen=True, kw_only=True):
    """A shift as it stands after a number of events."""

    shift_id: str
    agent_id: str
    extension: str
    status: str
    reason: str
    since: Instant
    signed_in_at: Instant
    idle_since: Instant
    """Since when the agent has had no contact: the first key of `longest idle`."""
    contact_id: str = ""
    offer_id: str = ""
    cooling_until: Instant | None = None
    next_pause: str = ""
    next_sign_out: str = ""
    wrap_until: Instant = Instant(0)
    """While wrapping up: until when, and until when it can be extended."""
    wrap_at_most: Instant = Instant(0)
    last_offer: str = ""
    """The last offer that ended for this agent, and how: as `AgentReleased.outcome`, or connected."""
    last_outcome: str = ""
    last_contact: str = ""
    """The contact of the last conversation."""
    desk: Desk | None = None


ENGAGED = ("reserved", "talking")


def available(shift: Shift) -> bool:
    """Whether this agent may be offered a contact now."""
    return shift.status == "ready" and shift.cooling_until is None and not presence.absent(shift.desk)


def evolve(shift: Shift | None, event: Event, at: Instant, shift_id: str) -> Shift | None:
    """The shift after one more event. Never raises; an event that it does not know changes nothing."""
    if shift is None:
        if not isinstance(event, AgentSignedIn):
            return None
        return Shift(
            shift_id=shift_id,
            agent_id=event.agent_id,
            extension=event.extension,
            status="paused",
            reason="signed_in",
            since=at,
            signed_in_at=at,
            idle_since=at,
        )
    match event:
        case AgentMadeReady():
            # Coming back from a pause does not jump the line of those who stayed ready.
            return replace(shift, status="ready", reason="", since=at, idle_since=at, next_pause="")
        case AgentPaused() | AgentStoodDown():
            return replace(
                shift, status="paused", reason=event.reason, since=at, offer_id="", contact_id="", next_pause=""
            )
        case AgentReserved():
            return replace(shift, status="reserved", since=at, offer_id=event.offer_id, contact_id=event.contact_id)
        case AgentReleased():
            last = {"last_offer": event.offer_id, "last_outcome": event.outcome}
            return replace(shift, status="ready", since=at, offer_id="", contact_id="", **last)
        case AgentCooledDown():
            return replace(shift, cooling_until=event.until)
        case CoolDownEnded():
            return replace(shift, cooling_until=None)
        case AgentConnected():
            return replace(
                shift,
                status="talking",
                since=at,
                contact_id=event.contact_id,
                offer_id="",
                last_offer=event.offer_id,
                last_outcome="connected",
                last_contact=event.contact_id,
            )
        case WrapUpStarted():
            at_most = max(event.at_most, event.until)
            return replace(shift, status="wrapping_up", since=at, wrap_until=event.until, wrap_at_most=at_most)
        case WrapUpExtended():
            return replace(shift, wrap_until=event.until)
        case WrapUpEnded():
            return replace(shift, status="ready", reason="", since=at, idle_since=at, contact_id="")
        case PauseRequested():
            return replace(shift, next_pause=event.reason)
        case SignOutRequested():
            return replace(shift, next_sign_out=event.reason)
        case AgentSignedOut():
            return replace(shift, status="signed_out", since=at, contact_id="", offer_id="", desk=None)
    desk = presence.evolve(shift.desk, event, at)
    return shift if desk is shift.desk else replace(shift, desk=desk)


# --- commands --------------------------------------------------------------------------------------------------


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
    """Hold the agent for an offer."""

    offer_id: str
    contact_id: str


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
    """The conversation is over."""

    contact_id: str
    segment_id: str
    until: Instant
    at_most: Instant = Instant(0)


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
    | SignOut | presence.Command
)  # fmt: skip

# What an offer's outcome means for the agent who had it. A missed ring and a dead phone stand the agent down with a
# reason; a busy or rejecting phone is left alone for a while (complaint 10); the rest is not the agent's doing.
STAND_DOWN = {"timed_out": "ring_no_answer", "unreachable": "phone_unreachable"}
COOL_DOWN = ("busy", "rejected", "failed")
DESK_LOST = "desk_lost"


def decide(shift: Shift | None, command: Command) -> tuple[Event, ...]:
    """The events that follow from a command, `()` where nothing does.

    Raises `Refused` where a person asked for something that the shift's state does not allow.
    """
    if shift is None:
        if isinstance(command, SignIn):
            desk = (presence.DeskAttached(desk_id=command.desk_id),) if command.desk_id else ()
            return (AgentSignedIn(agent_id=command.agent_id, extension=command.extension), *desk)
        return ()
    if shift.status == "signed_out":
        return ()
    match command:
        case MakeReady():
            return _make_ready(shift)
        case Pause():
            return _pause(shift, command.reason)
        case SignOut():
            if shift.status in ENGAGED:
                return () if shift.next_sign_out else (SignOutRequested(reason=command.reason),)
            wrapping = (WrapUpEnded(how="signed_out"),) if shift.status == "wrapping_up" else ()
            return (*wrapping, AgentSignedOut(reason=command.reason))
        case Reserve() if available(shift):
            return (AgentReserved(offer_id=command.offer_id, contact_id=command.contact_id),)
        case Release() if shift.status == "reserved" and shift.offer_id == command.offer_id:
            return _release(shift, command)
        case Connect() if shift.status == "reserved" and shift.offer_id == command.offer_id:
            return (
                AgentConnected(contact_id=command.contact_id, offer_id=command.offer_id, segment_id=command.segment_id),
            )
        case StartWrapUp() if shift.status == "talking" and shift.contact_id == command.contact_id:
            return (
                WrapUpStarted(
                    contact_id=command.contact_id,
                    segment_id=command.segment_id,
                    until=command.until,
                    at_most=command.at_most,
                ),
            )
        case ExtendWrapUp():
            return _extend_wrap_up(shift, command.by_ms)
        case EndWrapUp() if shift.status == "wrapping_up":
            return (WrapUpEnded(how=command.how, code=command.code), *_afterwards(shift))
        case EndWrapUp() if command.how == "agent":
            raise Refused("not_wrapping_up", "There is no after-call work to finish.")
        case EndCoolDown() if shift.cooling_until is not None:
            return (CoolDownEnded(),)
        case presence.EndGrace():
            ended = presence.decide(shift.desk, command)
            down = shift.status == "ready" and any(isinstance(event, presence.DeskGraceEnded) for event in ended)
            return (*ended, AgentStoodDown(reason=DESK_LOST, offer_id="")) if down else ended
        case presence.SeeDesk() | presence.LoseDesk():
            return presence.decide(shift.desk, command)
    return ()


def _make_ready(shift: Shift) -> tuple[Event, ...]:
    if presence.absent(shift.desk):
        raise Refused(
            DESK_LOST, "Your desk is not connected; open it again, then become ready. To work without, sign in anew."
        )
    match shift.status:
        case "paused":
            return (AgentMadeReady(),)
        case "wrapping_up":
            return (*_wishes_taken_back(shift), WrapUpEnded(how="agent"))
        case "reserved" | "talking":
            taken_back = _wishes_taken_back(shift)
            if not taken_back:
                raise Refused("in_contact", "You are in a contact; you are ready again after it.")
            return taken_back
    return ()


def _wishes_taken_back(shift: Shift) -> tuple[Event, ...]:
    """Whoever asks to be ready wants neither the pause nor the sign-out that they asked for before."""
    pause = (PauseRequested(reason=""),) if shift.next_pause else ()
    sign_out = (SignOutRequested(reason=""),) if shift.next_sign_out else ()
    return (*pause, *sign_out)


def _pause(shift: Shift, reason: str) -> tuple[Event, ...]:
    if shift.status in ENGAGED:
        return () if shift.next_pause == reason else (PauseRequested(reason=reason),)
    if shift.status == "paused" and shift.reason == reason:
        return ()
    if shift.status == "wrapping_up":
        return (*_wishes_taken_back(shift), WrapUpEnded(how="agent"), AgentPaused(reason=reason))
    return (AgentPaused(reason=reason),)


def _release(shift: Shift, command: Release) -> tuple[Event, ...]:
    released = AgentReleased(offer_id=command.offer_id, outcome=command.outcome)
    if command.outcome in STAND_DOWN:
        down = AgentStoodDown(reason=STAND_DOWN[command.outcome], offer_id=command.offer_id)
        leaving = (AgentSignedOut(reason=shift.next_sign_out),) if shift.next_sign_out else ()
        return (released, down, *leaving)
    cooling = (
        (AgentCooledDown(until=command.cool_until, cause=command.outcome),) if command.outcome in COOL_DOWN else ()
    )
    return (released, *cooling, *_afterwards(shift))


def _afterwards(shift: Shift) -> tuple[Event, ...]:
    """What was asked for during the contact, now that it is over."""
    if shift.next_sign_out:
        return (AgentSignedOut(reason=shift.next_sign_out),)
    if shift.next_pause:
        return (AgentPaused(reason=shift.next_pause),)
    if presence.absent(shift.desk):
        return (AgentStoodDown(reason=DESK_LOST, offer_id=""),)
    return ()


def _extend_wrap_up(shift: Shift, by_ms: int) -> tuple[Event, ...]:
    if shift.status != "wrapping_up":
        raise Refused("not_wrapping_up", "There is no after-call work to extend.")
    until = min(Instant(shift.wrap_until + by_ms * MILLISECOND), shift.wrap_at_most)
    if until <= shift.wrap_until:
        raise Refused("wrap_up_limit", "Your after-call work cannot be extended any further; finish it, or pause.")
    return (WrapUpExtended(until=until),)
