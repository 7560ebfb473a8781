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
"""

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.kernel import Event, Instant, Refused

# --- events ----------------------------------------------------------------------------------------------------


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
    """Not ready, by the system: `ring_no_answer`, `phone_unreachable`. The way back is to become ready again."""

    reason: str
    offer_id: str


class AgentReserved(Event, frozen=True, kw_only=True):
    """Held for one offer."""

    offer_id: str
    contact_id: str


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
    """After-call work, until `until` at the latest."""

    contact_id: str
    segment_id: str
    until: Instant


class WrapUpEnded(Event, frozen=True, kw_only=True):
    """After-call work is over. `how`: agent, timer, signed_out. `code` is the agent's wrap-up reason."""

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


ENGAGED = ("reserved", "talking")


def available(shift: Shift) -> bool:
    """Whether this agent may be offered a contact now."""
    return shift.status == "ready" and shift.cooling_until is None


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
            return replace(shift, status="ready", since=at, offer_id="", contact_id="")
        case AgentCooledDown():
            return replace(shift, cooling_until=event.until)
        case CoolDownEnded():
            return replace(shift, cooling_until=None)
        case AgentConnected():
            return replace(shift, status="talking", since=at, contact_id=event.contact_id, offer_id="")
        case WrapUpStarted():
            return replace(shift, status="wrapping_up", since=at)
        case WrapUpEnded():
            return replace(shift, status="ready", reason="", since=at, idle_since=at, contact_id="")
        case PauseRequested():
            return replace(shift, next_pause=event.reason)
        case SignOutRequested():
            return replace(shift, next_sign_out=event.reason)
        case AgentSignedOut():
            return replace(shift, status="signed_out", since=at, contact_id="", offer_id="")
    return shift


# --- commands --------------------------------------------------------------------------------------------------


class SignIn(Struct, frozen=True, kw_only=True):
    """Take a seat."""

    agent_id: str
    extension: str


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


class EndWrapUp(Struct, frozen=True, kw_only=True):
    """The after-call work is over."""

    how: str
    code: str = ""


class EndCoolDown(Struct, frozen=True, kw_only=True):
    """The cool-down's time is over."""


class SignOut(Struct, frozen=True, kw_only=True):
    """Leave the seat."""

    reason: str


Command = SignIn | MakeReady | Pause | Reserve | Release | Connect | StartWrapUp | EndWrapUp | EndCoolDown | SignOut

# What an offer's outcome means for the agent who had it. A missed ring and a dead phone stand the agent down with a
# reason; a busy or rejecting phone is left alone for a while (complaint 10); the rest is not the agent's doing.
STAND_DOWN = {"timed_out": "ring_no_answer", "unreachable": "phone_unreachable"}
COOL_DOWN = ("busy", "rejected", "failed")


def decide(shift: Shift | None, command: Command) -> tuple[Event, ...]:
    """The events that follow from a command, `()` where nothing does.

    Raises `Refused` where a person asked for something that the shift's state does not allow.
    """
    if shift is None:
        if isinstance(command, SignIn):
            return (AgentSignedIn(agent_id=command.agent_id, extension=command.extension),)
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
            return (WrapUpStarted(contact_id=command.contact_id, segment_id=command.segment_id, until=command.until),)
        case EndWrapUp() if shift.status == "wrapping_up":
            return (WrapUpEnded(how=command.how, code=command.code), *_afterwards(shift))
        case EndWrapUp() if command.how == "agent":
            raise Refused("not_wrapping_up", "There is no after-call work to finish.")
        case EndCoolDown() if shift.cooling_until is not None:
            return (CoolDownEnded(),)
    return ()


def _make_ready(shift: Shift) -> tuple[Event, ...]:
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
    return ()
