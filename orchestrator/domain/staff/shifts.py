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

   Several contacts may be in hand (`engagements`). The state is that of the furthest: talking while there is one
   conversation, whatever else rings or is on hold (which of them is the active one, the contacts say); reserved while
   something rings and nobody talks; wrapping_up once nothing is in hand and after-call work is left, one contact after
   another: first of the conversation that ended last, then those that were postponed (WrapUpPostponed), in their order.
   By hand an agent may be reserved from paused too, and is paused again afterwards. Whoever dials in the middle of
   after-call work does the rest of it afterwards.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.kernel import MILLISECOND, Event, Instant, Refused
from orchestrator.domain.staff import engagements as in_hand
from orchestrator.domain.staff import forcing, presence
from orchestrator.domain.staff.commands import (
    Command,
    Connect,
    EndCoolDown,
    EndWrapUp,
    ExtendWrapUp,
    MakeReady,
    Pause,
    Release,
    Reserve,
    SignIn,
    SignOut,
    StartWrapUp,
)
from orchestrator.domain.staff.engagements import VOICE, Engagement, Engagements, Postponed
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
    WrapUpPostponed,
    WrapUpStarted,
)
from orchestrator.domain.staff.forcing import FORCED, PAUSED, READY, AgentForced, Force, Forced
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
    "Force",
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
    "WrapUpPostponed",
    "WrapUpStarted",
    "available",
    "decide",
    "evolve",
    "why_not_by_hand",
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
    engagements: Engagements = ()
    """The contacts in hand, in the order in which they came."""
    postponed: tuple[Postponed, ...] = ()
    contact_id: str = ""
    """The contact that came into hand last, or whose after-call work goes on."""
    offer_id: str = ""
    """The offer that the agent is reserved for now."""
    cooling_until: Instant | None = None
    next_pause: str = ""
    next_sign_out: str = ""
    wrap_until: Instant = Instant(0)
    """While wrapping up: until when, and until when it can be extended."""
    wrap_at_most: Instant = Instant(0)
    wrap_segment: str = ""
    """Of which conversation."""
    last_offer: str = ""
    """The last offer that ended for this agent, and how: as `AgentReleased.outcome`, or connected."""
    last_outcome: str = ""
    last_contact: str = ""
    """The contact of the last conversation."""
    desk: Desk | None = None
    forced: Forced | None = None
    """What somebody else made of the agent, until the agent moves on."""


ENGAGED = ("reserved", "talking")


def available(shift: Shift, channel: str = VOICE, capacity: int = 1) -> bool:
    """Whether this agent, who may have `capacity` contacts of the channel at once, may be offered one now."""
    if shift.cooling_until is not None or presence.absent(shift.desk):
        return False
    if shift.status in ENGAGED:
        wants_out = shift.next_pause or shift.next_sign_out
        return not wants_out and in_hand.room_for_offer(shift.engagements, channel, capacity)
    return shift.status == "ready"


def why_not_by_hand(
    shift: Shift, channel: str = VOICE, capacity: int = 1, *, again: str = "", leaves_wrap_up: bool = False
) -> Refused | None:
    """Why this agent may not take a contact of the channel by hand now; None where they may, ready or not. That the
    conversations in hand are on hold, the contacts must say. `again`: the contact, where it may be the one whose
    after-call work goes on. `leaves_wrap_up`: as of `Reserve`.
    """
    if presence.absent(shift.desk):
        return Refused(DESK_LOST, "The desk is not connected; open it again first.")
    if shift.status == "wrapping_up" and not leaves_wrap_up and not _taken_up(shift, again):
        return Refused("wrapping_up", "The after-call work comes first; finish it.")
    if shift.offer_id:
        return Refused("being_offered", "A contact is being offered already; accept it, or refuse it.")
    if in_hand.load(shift.engagements, channel) >= capacity:
        return Refused("at_capacity", f"{capacity} at once is the most; end one first.")
    return None


def _taken_up(shift: Shift, contact_id: str) -> bool:
    """Whether the after-call work that goes on is this contact's, and the last there is: it is over when the contact
    comes back.
    """
    return bool(contact_id) and shift.contact_id == contact_id and not shift.postponed


def evolve(shift: Shift | None, event: Event, at: Instant, shift_id: str) -> Shift | None:
    """The shift after one more event. Never raises; an event that it does not know changes nothing."""
    if shift is not None and (common := _COMMON.get(type(event))) is not None:
        after: Shift | None = common(shift, event, at)
    else:
        after = _moved(shift, event, at, shift_id)
    if after is None or (after.forced is None and type(event) is not AgentForced):
        return after
    forced = forcing.evolve(after.forced, event, at)
    return after if forced is after.forced else replace(after, forced=forced)


def _moved(shift: Shift | None, event: Event, at: Instant, shift_id: str) -> Shift | None:
    if shift is None:
        if not isinstance(event, AgentSignedIn):
            return None
        return Shift(
            shift_id=shift_id,
            agent_id=event.agent_id,
            extension=event.extension,
            status="paused",
            reason=NOT_READY_YET,
            since=at,
            signed_in_at=at,
            idle_since=at,
        )
    match event:
        case AgentPaused() | AgentStoodDown():
            return replace(
                shift, status="paused", reason=event.reason, since=at, offer_id="", contact_id="", next_pause=""
            )
        case PauseRequested():
            return replace(shift, next_pause=event.reason)
        case SignOutRequested():
            return replace(shift, next_sign_out=event.reason)
        case AgentSignedOut():
            return replace(shift, status="signed_out", since=at, contact_id="", offer_id="", desk=None)
    desk = presence.evolve(shift.desk, event, at)
    return shift if desk is shift.desk else replace(shift, desk=desk)


def _made_ready(shift: Shift, _event: AgentMadeReady, at: Instant) -> Shift:
    # Coming back from a pause does not jump the line of those who stayed ready.
    return replace(shift, status="ready", reason="", since=at, idle_since=at, next_pause="")


def _cooled_down(shift: Shift, event: AgentCooledDown, _at: Instant) -> Shift:
    return replace(shift, cooling_until=event.until)


def _cool_down_ended(shift: Shift, _event: CoolDownEnded, _at: Instant) -> Shift:
    return replace(shift, cooling_until=None)


def _wrap_up_started(shift: Shift, event: WrapUpStarted, at: Instant) -> Shift:
    return replace(
        shift,
        status="wrapping_up",
        since=at,
        contact_id=event.contact_id,
        engagements=in_hand.without(shift.engagements, event.contact_id),
        postponed=tuple([each for each in shift.postponed if each.segment_id != event.segment_id]),
        wrap_until=event.until,
        wrap_at_most=max(event.at_most, event.until),
        wrap_segment=event.segment_id,
    )


def _wrap_up_extended(shift: Shift, event: WrapUpExtended, _at: Instant) -> Shift:
    return replace(shift, wrap_until=event.until)


def _wrap_up_ended(shift: Shift, _event: WrapUpEnded, at: Instant) -> Shift:
    status = "wrapping_up" if shift.postponed else "ready"
    return replace(shift, status=status, reason="", since=at, idle_since=at, contact_id="")


def _reserved(shift: Shift, event: AgentReserved, at: Instant) -> Shift:
    one = Engagement(contact_id=event.contact_id, channel=event.channel, offer_id=event.offer_id)
    return _with(shift, (*in_hand.without(shift.engagements, event.contact_id), one), at, offer_id=event.offer_id)


def _released(shift: Shift, event: AgentReleased, at: Instant) -> Shift:
    left = tuple([each for each in shift.engagements if each.segment_id or each.offer_id != event.offer_id])
    return _with(shift, left, at, offer_id="", last_offer=event.offer_id, last_outcome=event.outcome)


def _connected(shift: Shift, event: AgentConnected, at: Instant) -> Shift:
    before = in_hand.with_contact(shift.engagements, event.contact_id)
    one = Engagement(
        contact_id=event.contact_id,
        channel=before.channel if before is not None else VOICE,
        offer_id=event.offer_id,
        segment_id=event.segment_id,
    )
    in_all = (*in_hand.without(shift.engagements, event.contact_id), one)
    last = {"last_offer": event.offer_id, "last_outcome": "connected", "last_contact": event.contact_id}
    return _with(shift, in_all, at, offer_id="", **last)


def _wrap_up_postponed(shift: Shift, event: WrapUpPostponed, at: Instant) -> Shift:
    later = Postponed(
        contact_id=event.contact_id,
        segment_id=event.segment_id,
        wrap_up_ms=event.wrap_up_ms,
        most_ms=event.most_ms,
    )
    shift = replace(shift, postponed=(*shift.postponed, later))
    return _with(shift, in_hand.without(shift.engagements, event.contact_id), at)


# What nearly every shift has: looked up, for a `case` that does not fit is dear.
_COMMON: Final[Mapping[type[Event], Callable[[Shift, Any, Instant], Shift]]] = MappingProxyType(
    {
        AgentReserved: _reserved,
        AgentReleased: _released,
        AgentConnected: _connected,
        WrapUpPostponed: _wrap_up_postponed,
        AgentMadeReady: _made_ready,
        AgentCooledDown: _cooled_down,
        CoolDownEnded: _cool_down_ended,
        WrapUpStarted: _wrap_up_started,
        WrapUpExtended: _wrap_up_extended,
        WrapUpEnded: _wrap_up_ended,
    }
)


def _with(shift: Shift, engagements: Engagements, at: Instant, **more: str) -> Shift:
    """The shift with this in hand, in the state that follows."""
    status = "wrapping_up" if shift.postponed else "ready"
    if engagements:
        status = "reserved"
        for each in engagements:
            if each.segment_id:
                status = "talking"
    since = shift.since if status == shift.status else at
    contact_id = engagements[-1].contact_id if engagements else ""
    return replace(shift, status=status, since=since, engagements=engagements, contact_id=contact_id, **more)


# --- deciding --------------------------------------------------------------------------------------------------

# What an offer's outcome means for the agent who had it. A missed ring and a dead phone stand the agent down with a
# reason; a busy or rejecting phone is left alone for a while (complaint 10); the rest is not the agent's doing.
STAND_DOWN = {"timed_out": "ring_no_answer", "unreachable": "phone_unreachable"}
COOL_DOWN = ("busy", "rejected", "failed")
DESK_LOST = "desk_lost"
# How after-call work ends whose caller comes back to the agent.
TAKEN_UP = "taken_up"
NOT_READY_YET = "signed_in"
_STOOD_DOWN = (*STAND_DOWN.values(), DESK_LOST)


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
    match command:  # first what nearly every call has
        case Reserve():
            return _reserve(shift, command)
        case Release() if in_hand.by_offer(shift.engagements, command.offer_id) is not None:
            return _release(shift, command)
        case Connect() if in_hand.by_offer(shift.engagements, command.offer_id) is not None:
            return (
                AgentConnected(contact_id=command.contact_id, offer_id=command.offer_id, segment_id=command.segment_id),
            )
        case StartWrapUp():
            return _start_wrap_up(shift, command)
        case EndWrapUp() if shift.status == "wrapping_up":
            afterwards = () if shift.postponed else _afterwards(shift)
            return (WrapUpEnded(how=command.how, code=command.code), *afterwards)
        case MakeReady():
            return _make_ready(shift)
        case Pause():
            return _pause(shift, command.reason)
        case SignOut():
            if shift.status in ENGAGED:
                return () if shift.next_sign_out else (SignOutRequested(reason=command.reason),)
            wrapping = (WrapUpEnded(how="signed_out"),) if shift.status == "wrapping_up" else ()
            if shift.postponed:
                return (SignOutRequested(reason=command.reason), *wrapping)
            return (*wrapping, AgentSignedOut(reason=command.reason))
        case Force():
            return _force(shift, command)
        case ExtendWrapUp():
            return _extend_wrap_up(shift, command.by_ms)
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


def _force(shift: Shift, command: Force) -> tuple[Event, ...]:
    """What the agent could have asked for, in somebody else's name."""
    if command.to == READY and presence.absent(shift.desk):
        raise Refused("agent_desk_lost", "The agent's desk is not connected, so nobody would see an offer there.")
    if command.to == READY and shift.status in ENGAGED and not _wishes_taken_back(shift):
        raise Refused("agent_in_contact", "The agent is in a contact, and ready again after it.")
    if command.to == READY:
        wanted = _make_ready(shift)
    elif command.to == PAUSED:
        wanted = _pause(shift, command.reason)
    else:
        wanted = decide(shift, SignOut(reason=FORCED))
    if not wanted:
        raise Refused("already_so", "The agent is so already, or will be after the contact.")
    return (AgentForced(to=command.to, reason=command.reason, by=command.by), *wanted)


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
    if shift.status == "wrapping_up" and shift.postponed:
        return (PauseRequested(reason=reason), WrapUpEnded(how="agent"))
    if shift.status == "wrapping_up":
        return (*_wishes_taken_back(shift), WrapUpEnded(how="agent"), AgentPaused(reason=reason))
    return (AgentPaused(reason=reason),)


def _reserve(shift: Shift, command: Reserve) -> tuple[Event, ...]:
    may = (
        why_not_by_hand(
            shift,
            command.channel,
            command.capacity,
            again=command.contact_id,
            leaves_wrap_up=command.leaves_wrap_up,
        )
        is None
    )
    if not (may if command.by_hand else available(shift, command.channel, command.capacity)):
        return ()
    reserved = AgentReserved(
        offer_id=command.offer_id, contact_id=command.contact_id, channel=command.channel, by_hand=command.by_hand
    )
    if shift.status == "wrapping_up" and command.leaves_wrap_up:
        return (reserved, _rest_of_wrap_up(shift, command.now))
    if shift.status == "wrapping_up":
        return (WrapUpEnded(how=TAKEN_UP), reserved)
    if shift.status != "paused":
        return (reserved,)
    # Whoever takes one while not ready is as not ready afterwards; who was stood down has shown to be there.
    return (reserved, PauseRequested(reason=NOT_READY_YET if shift.reason in _STOOD_DOWN else shift.reason))


def _rest_of_wrap_up(shift: Shift, now: Instant) -> WrapUpPostponed:
    """The clock of the after-call work that goes on is stopped."""
    return WrapUpPostponed(
        contact_id=shift.contact_id,
        segment_id=shift.wrap_segment,
        wrap_up_ms=max(0, shift.wrap_until - now) // MILLISECOND,
        most_ms=max(0, shift.wrap_at_most - now) // MILLISECOND,
    )


def _start_wrap_up(shift: Shift, command: StartWrapUp) -> tuple[Event, ...]:
    one = in_hand.with_contact(shift.engagements, command.contact_id)
    talked = one is not None and bool(one.segment_id)
    its_turn = shift.status == "wrapping_up" and not shift.contact_id
    if not talked and not (its_turn and any(each.segment_id == command.segment_id for each in shift.postponed)):
        return ()
    if len(shift.engagements) > talked:
        return (
            WrapUpPostponed(
                contact_id=command.contact_id,
                segment_id=command.segment_id,
                wrap_up_ms=command.wrap_up_ms,
                most_ms=command.most_ms,
            ),
        )
    return (
        WrapUpStarted(
            contact_id=command.contact_id,
            segment_id=command.segment_id,
            until=command.until,
            at_most=command.at_most,
        ),
    )


def _release(shift: Shift, command: Release) -> tuple[Event, ...]:
    released = AgentReleased(offer_id=command.offer_id, outcome=command.outcome)
    if len(shift.engagements) > 1 or shift.postponed:
        return (released,)  # whoever has another contact in hand is there, whatever became of this one
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
