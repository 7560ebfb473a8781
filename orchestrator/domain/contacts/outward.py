"""A contact's calls to the outside: what is remembered of them, and what their events lead to.

callback, from waiting:                                    number outside, from waiting:

1                   2             3                         7                     8
waiting ──▶ awaiting_callback ──▶ offered ──▶ calling_back    waiting ──▶ sent_outside ───────▶ talking_outside
▲ ▲        │ ▲         │          │   │  │          ▲          │                    │
│ │        │ └────4────┘          │   │  │5         └────9─────┘                    ▼
6│ └────────┼──────────4───────────┘   │  ▼                                       leaving
│          │10                        │ connecting, and on as every caller
callback_later ◀──────────5 not reached───┘
│10        ▼
└─────▶ leaving, ended
1 CallbackAsked (the caller's leg hears a prompt and goes)  2 OfferMade  3 CallbackDialled, once the agent's leg has
parked: no agent, no call (complaint 18)  4 the offer closes: back to the same place  5 CallbackAnswered, or
CallbackMissed  6 CallbackResumed  7 OutsideDialled  8 OutsideConnected  9 OutsideMissed: back to the same place
10 CallbackEnded; a contact that has no leg any more ends in the same moment
"""

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts.dials import DIALLING, unreached
from orchestrator.domain.contacts.outward_events import (
    CallbackAnswered,
    CallbackAsked,
    CallbackDialled,
    CallbackEnded,
    CallbackMissed,
    CallbackMoved,
    CallbackResumed,
    OutsideAnswered,
    OutsideConnected,
    OutsideDialled,
    OutsideExtended,
    OutsideMissed,
    OutsideSegmentEnded,
)
from orchestrator.domain.kernel import Event, Instant

if TYPE_CHECKING:
    from orchestrator.domain.contacts.contacts import Contact

# The status words of a contact whose customer is to be called, or whose caller talks to a number outside.
CALLBACK = ("awaiting_callback", "callback_later", "calling_back")
OUTSIDE = ("sent_outside", "talking_outside")
# Who waits for an agent, with a line of their own or without.
IN_TURN = ("waiting", "awaiting_callback")


class Callback(Struct, frozen=True, kw_only=True):
    """A customer to be called."""

    number: str
    asked_at: Instant
    tries: int
    again_ms: int
    missed: int = 0
    """How often the customer was called in vain."""
    leg: str = ""
    """The customer's leg while it is called, and since when."""
    called_at: Instant = Instant(0)
    again_at: Instant = Instant(0)
    reached: bool = False
    """The customer answered: from now on a caller like any other."""


class Outside(Struct, frozen=True, kw_only=True):
    """A number outside that is called, or talked to."""

    leg: str
    number: str
    due: Instant
    """Until when it must answer, and then until when the legs must be joined."""
    called_at: Instant
    answered: bool = False
    doubted: bool = False
    """The switch has been asked why the legs are not joined yet."""
    segment_id: str = ""
    since: Instant = Instant(0)


def to_be_called(contact: "Contact") -> Callback | None:
    """The callback that this contact waits for, None where its customer is on the line."""
    callback = contact.callback
    return callback if callback is not None and not callback.reached else None


def outward_leg(contact: "Contact") -> str:
    """The leg to the outside that this contact needs now; empty where it needs none."""
    if contact.outside is not None:
        return contact.outside.leg
    if (dial := unreached(contact)) is not None:
        return dial.leg if contact.status == DIALLING else ""
    callback = to_be_called(contact)
    return callback.leg if callback is not None and contact.status == "calling_back" else ""


def called_at(contact: "Contact") -> Instant:
    """Since when the leg to the outside has been asked for; 0 where it has answered, or there is none."""
    if contact.outside is not None:
        return Instant(0) if contact.outside.answered else contact.outside.called_at
    if (dial := unreached(contact)) is not None:
        return dial.called_at
    callback = to_be_called(contact)
    return callback.called_at if callback is not None else Instant(0)


def farewell_leg(contact: "Contact") -> str:
    """The leg that hears a last prompt and then goes by itself; empty where there is none."""
    return contact.caller_leg if contact.told == "turned_away" else contact.farewell


def evolve(contact: "Contact", event: Event, at: Instant) -> "Contact":
    """The contact after one more event about the outside; itself after any other."""
    match event:
        case CallbackAsked():
            callback = Callback(number=event.number, asked_at=at, tries=event.tries, again_ms=event.again_ms)
            visit = contact.visit
            if visit is not None:
                # Whoever is called back is where overflow leads to: it sends them nowhere else.
                visit = replace(visit, leave_by=event.leave_by, overflow_at=Instant(0))
            return replace(
                contact,
                status="awaiting_callback",
                answered=True,
                callback=callback,
                visit=visit,
                farewell=contact.caller_leg,
                apology=event.prompt,
                caller_leg="",
                told_place=(),
            )
        case CallbackDialled() | CallbackAnswered() | CallbackMissed() | CallbackResumed() if (
            contact.callback is not None
        ):
            return _called_back(contact, contact.callback, event, at)
        case CallbackMoved():
            return replace(contact, node=event.node)
        case CallbackEnded():
            return replace(
                contact, status="leaving", told=event.reason, offer=None, phase=contact.phase or contact.status
            )
        case OutsideDialled():
            outside = Outside(leg=event.leg, number=event.number, due=event.answer_by, called_at=at)
            return replace(
                contact,
                status="sent_outside",
                outside=outside,
                legs=contact.legs if event.leg in contact.legs else (*contact.legs, event.leg),
                called=(*contact.called, event.number),
            )
        case OutsideMissed():
            status = "waiting" if contact.status == "sent_outside" else contact.status
            return replace(contact, status=status, outside=None)
        case OutsideAnswered() | OutsideExtended() | OutsideConnected() if contact.outside is not None:
            return _outside(contact, contact.outside, event, at)
        case OutsideSegmentEnded():
            return replace(contact, status="leaving", outside=None, phase=contact.phase or contact.status)
    return contact


def _called_back(contact: "Contact", callback: Callback, event: Event, at: Instant) -> "Contact":
    match event:
        case CallbackDialled():
            called = replace(callback, leg=event.leg, called_at=at)
            return replace(contact, status="calling_back", callback=called, legs=(*contact.legs, event.leg))
        case CallbackAnswered():
            reached = replace(callback, reached=True, leg="")
            visit = replace(contact.visit, leave_by=event.leave_by) if contact.visit is not None else None
            return replace(contact, status="connecting", callback=reached, caller_leg=event.leg, visit=visit)
        case CallbackMissed():
            missed = callback.missed + event.counted
            after = replace(callback, leg="", missed=missed, again_at=event.again_at)
            return replace(contact, status="callback_later", callback=after)
    return replace(contact, status="awaiting_callback")


def _outside(contact: "Contact", outside: Outside, event: Event, at: Instant) -> "Contact":
    match event:
        case OutsideAnswered():
            return replace(contact, outside=replace(outside, answered=True, due=event.connect_by))
        case OutsideExtended():
            doubted = outside.doubted or event.cause == "not_connected_in_time"
            return replace(contact, outside=replace(outside, due=event.until, doubted=doubted))
        case OutsideConnected():
            talking = replace(outside, segment_id=event.segment_id, since=at)
            return replace(contact, status="talking_outside", outside=talking, served=True)
    return contact
