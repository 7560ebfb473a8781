"""One of a conference apart from the others: on hold, muted, or alone with the agent. What is remembered of it.

                    1                    2                    3
    in the room ────────▶ being parked ────────▶ on hold ──────────▶ on the way back ──▶ in the room (`guests`)
         │ 4                                        │ 4                      ▲
         └──────────▶ agent and guest on the way ◀──┘                        │ 3 with AsideEnded
                                 │ 5                                         │
                                 └───▶ alone with the agent ──6──▶ the agent is on the way back ──7──▶ all as before
  1 GuestHoldAsked  2 GuestHeld  3 GuestRecalled  4 AsideAsked; also as somebody picks up who was invited so
  5 AsideBegun  6 AsideEnded: the guest is brought in, on hold, or gone  7 AgentReturned

Caller and whoever was asked first never leave the room by it, so nobody is ever left alone there. Where it is the one
who was asked first, they and a guest in the room change places in the log first (PlacesSwapped).

A mute is of a leg: it goes with it wherever its place is, through holds, and ends when the conference does, or when the
muted one is spoken with alone or has the caller. That it has ended says the switch: until then it is remembered, as a
wish, and with whoever has the caller by then it is the wish of their conversation (`speaking`).
"""

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts.guest_events import (
    AgentReturned,
    AsideAsked,
    AsideBegun,
    AsideEnded,
    AsideExtended,
    GuestClosed,
    MemberMuteAsked,
    MemberMuted,
    MemberMuteFailed,
    MemberUnmuted,
    RoomInherited,
)
from orchestrator.domain.kernel import Event, Instant

if TYPE_CHECKING:
    from orchestrator.domain.contacts.contacts import Contact

# Of a guest on hold: the switch is told, and has said so.
BEING_PARKED: Final = "asked"
ON_HOLD: Final = "held"


class Aside(Struct, frozen=True, kw_only=True):
    """The agent speaks with one guest alone, or is on the way to them, or back."""

    guest_id: str
    leg: str
    due: Instant
    """Until when the two must be joined, or the agent back; 0 while they talk."""
    talking: bool = False
    """Whether the switch has said that they hear each other."""
    over: bool = False
    """The agent is on the way back into the room."""
    cut_short: bool = False
    """It was over before the two were joined: as `Consult.cut_short`."""
    doubted: bool = False
    """The switch has been asked why it has not come to pass."""


class Hushed(Struct, frozen=True, kw_only=True):
    """One of the conference whom nobody hears, or who is to be heard by nobody."""

    leg: str
    muted: bool = False
    """As the switch said last."""
    wish: str = ""
    """`mute` or `unmute` where the switch has not said that it is so."""
    failed: bool = False


OF_ASIDES: Final[frozenset[type[Event]]] = frozenset(
    {
        AsideAsked,
        AsideBegun,
        AsideEnded,
        AsideExtended,
        AgentReturned,
        RoomInherited,
        GuestClosed,
        MemberMuteAsked,
        MemberMuted,
        MemberUnmuted,
        MemberMuteFailed,
    }
)
"""The events that change what is remembered here."""


def alone_with(contact: "Contact") -> str:
    """The guest's leg with whom the agent speaks alone, or is on the way to do so; empty where with none."""
    aside = contact.aside
    return aside.leg if aside is not None and not aside.over else ""


def hushed_of(contact: "Contact", leg: str) -> Hushed | None:
    """What is to be known of this leg's mute, where it was ever muted in this conference."""
    return next((each for each in contact.hushed if each.leg == leg), None)


def let_be_heard(contact: "Contact", *legs: str) -> "Contact":
    """The contact with the wish that these legs be heard, until the switch says that they are; all, where none is
    named.
    """
    hushed = tuple(
        replace(each, wish="unmute", failed=False) if not legs or each.leg in legs else each for each in contact.hushed
    )
    return contact if hushed == contact.hushed else replace(contact, hushed=hushed)


def forgotten(contact: "Contact", leg: str) -> "Contact":
    """The contact without the mute of this leg, which is gone, or about to be."""
    stay = tuple(each for each in contact.hushed if each.leg != leg)
    return contact if stay == contact.hushed else replace(contact, hushed=stay)


def evolve(contact: "Contact", event: Event) -> "Contact":
    """The contact after one more event of `OF_ASIDES`. Never raises."""
    aside = contact.aside
    match event:
        case AsideAsked():
            leg = next((each.leg for each in contact.guests if each.guest_id == event.guest_id), "")
            begun = Aside(guest_id=event.guest_id, leg=leg, due=event.connect_by)
            return let_be_heard(replace(contact, aside=begun), leg)
        case AsideBegun() if aside is not None:
            return replace(contact, aside=replace(aside, talking=True, due=Instant(0), doubted=False))
        case AsideEnded() if aside is not None:
            back = replace(aside, over=True, talking=False, due=event.return_by, doubted=False)
            return replace(contact, aside=replace(back, cut_short=not aside.talking))
        case AsideExtended() if aside is not None:
            doubted = aside.doubted or event.cause == "not_connected_in_time"
            cut_short = aside.cut_short and event.cause != "agent_parked"
            extended = replace(aside, due=event.until, doubted=doubted, cut_short=cut_short)
            return replace(contact, aside=extended)
        case AgentReturned():
            return replace(contact, aside=None)
        case GuestClosed():
            gone = next((each.leg for each in contact.guests if each.guest_id == event.guest_id), "")
            return forgotten(contact, gone)
        case RoomInherited():
            return let_be_heard(contact, event.leg)
        case MemberMuteAsked():
            asked = hushed_of(contact, event.leg) or Hushed(leg=event.leg)
            return _with(contact, replace(asked, wish="mute" if event.on else "unmute", failed=False))
        case MemberMuted() | MemberUnmuted() if (known := hushed_of(contact, event.leg)) is not None:
            on = isinstance(event, MemberMuted)
            # One that is to be the other way by now is told so behind it.
            wish = "" if known.wish == ("mute" if on else "unmute") else known.wish
            return _with(contact, replace(known, muted=on, wish=wish, failed=False))
        case MemberMuteFailed() if (known := hushed_of(contact, event.leg)) is not None:
            return _with(contact, replace(known, failed=True))
    return contact


def _with(contact: "Contact", changed: Hushed) -> "Contact":
    others = tuple(each for each in contact.hushed if each.leg != changed.leg)
    heard = not (changed.muted or changed.wish)
    return replace(contact, hushed=others if heard else (*others, changed))
