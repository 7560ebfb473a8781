"""Guests of a conference: whoever comes to the three of a consultation (`consults`) who hear each other in one room.

               1              2                3
together ───▶ invited: rings ──▶ answered ───▶ in the room
                  │ 4              │ 4            │ 4 │ 5
                  └────────────────┴──────────────┘   └──▶ asked in the place of whoever was asked first (`consults`)
1 GuestInvited  2 GuestAnswered: they are told into the room  3 GuestJoined
4 GuestClosed, at the latest with the conference  5 GuestPromoted: who was asked first has left, or has the caller now

There are guests only while agent, caller and whoever was asked first hear each other together. Who leaves the other two
takes with them the guests who are not in the room yet: they were invited to a conference. The agent who leaves more
than two leaves the caller to the first of them who is an agent (RoomInherited), and nobody is taken out of the room.
"""

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts.consults import CONSULTING, TOGETHER, Consult, room_of
from orchestrator.domain.contacts.events import (
    OfferAcceptRequested,
    OfferDelivered,
    OfferRejectRequested,
    Reservation,
)
from orchestrator.domain.contacts.guest_events import (
    GuestAnswered,
    GuestClosed,
    GuestExtended,
    GuestInvited,
    GuestJoined,
    GuestPromoted,
    RoomInherited,
)
from orchestrator.domain.kernel import Event, Instant

if TYPE_CHECKING:
    from orchestrator.domain.contacts.contacts import Contact

# Caller, agent and whoever was asked first.
THE_FIRST_THREE: Final = 3


class Guest(Struct, frozen=True, kw_only=True):
    """Somebody who is invited, or in the room, beside the first three."""

    guest_id: str
    leg: str
    reservation: Reservation | None
    number: str
    show: str
    due: Instant
    """Until when they must have answered, or be in the room; 0 while nothing is waited for."""
    asked_at: Instant
    answered: bool = False
    joined: bool = False
    """Whether they are in the room, as the switch has said."""
    doubted: bool = False
    """The switch has been asked why they are not in the room yet."""
    delivered: bool = False
    """Whether the colleague's phone has rung."""
    accepting: bool = False
    rejecting: bool = False


# The events that concern a contact without guests.
_OF_NOBODY: Final = frozenset({GuestInvited, RoomInherited})


def are_together(contact: "Contact") -> bool:
    """Whether the first three hear each other, so that more may come to them."""
    consult = contact.consult
    return consult is not None and not consult.over and consult.hears == TOGETHER and not consult.wish


def persons(contact: "Contact") -> int:
    """How many are in the conference, or invited to it."""
    return THE_FIRST_THREE + len(contact.guests)


def guest_of_leg(contact: "Contact", leg: str) -> Guest | None:
    """The guest who has this leg, if any."""
    return next((guest for guest in contact.guests if guest.leg == leg), None)


def guest_of_shift(contact: "Contact", shift_id: str) -> Guest | None:
    """The guest for whom this shift is held, if any."""
    held = (guest for guest in contact.guests if guest.reservation is not None)
    return next((guest for guest in held if guest.reservation and guest.reservation.shift_id == shift_id), None)


def in_room(contact: "Contact") -> tuple[Guest, ...]:
    """The guests who are in the room."""
    return tuple(guest for guest in contact.guests if guest.joined)


def guests_due(contact: "Contact") -> Instant:
    """When the first of them must have answered, or be in the room; 0 while nothing is waited for."""
    return min((guest.due for guest in contact.guests if guest.due), default=Instant(0))


def heir(contact: "Contact") -> Reservation | None:
    """Who has the caller once the agent leaves a room in which more than two stay: the first who is an agent. None
    where two stay, whom a bridge joins, or no agent does.
    """
    consult = contact.consult
    if consult is None or not are_together(contact) or not in_room(contact):
        return None
    stay = (consult.reservation, *(guest.reservation for guest in in_room(contact)))
    return next((held for held in stay if held is not None), None)


def evolve(contact: "Contact", event: Event, at: Instant) -> "Contact":
    """The contact after one more event of its guests; itself after any other."""
    if not contact.guests and type(event) not in _OF_NOBODY:
        return contact
    match event:
        case GuestInvited():
            guest = Guest(
                guest_id=event.guest_id,
                leg=event.leg,
                reservation=event.reservation,
                number=event.number,
                show=event.show,
                due=event.answer_by,
                asked_at=at,
            )
            held = event.reservation
            phones = contact.phones if held is None else (*contact.phones, (held.leg, held.extension))
            guests = (*contact.guests, guest)
            return replace(contact, guests=guests, legs=(*contact.legs, event.leg), phones=phones)
        case GuestAnswered():
            return _changed(contact, event.guest_id, answered=True, due=event.connect_by)
        case GuestJoined():
            return _changed(contact, event.guest_id, joined=True, due=Instant(0), doubted=False)
        case GuestExtended():
            doubted = {"doubted": True} if event.cause == "not_connected_in_time" else {}
            return _changed(contact, event.guest_id, due=event.until, **doubted)
        case GuestClosed():
            return replace(contact, guests=tuple(each for each in contact.guests if each.guest_id != event.guest_id))
        case GuestPromoted():
            return _moved_up(contact, event)
        case RoomInherited() if contact.consult is not None:
            stay = (_as_guest(contact.consult), *contact.guests)
            return replace(contact, guests=tuple(each for each in stay if each.leg != event.leg), carried=event.tape)
        case OfferDelivered():
            return _changed(contact, event.offer_id, delivered=True)
        case OfferAcceptRequested():
            return _changed(contact, event.offer_id, accepting=True)
        case OfferRejectRequested():
            return _changed(contact, event.offer_id, rejecting=True)
    return contact


def _changed(contact: "Contact", guest_id: str, **fields: object) -> "Contact":
    if not any(guest.guest_id == guest_id for guest in contact.guests):
        return contact
    guests = (replace(guest, **fields) if guest.guest_id == guest_id else guest for guest in contact.guests)
    return replace(contact, guests=tuple(guests))


def _moved_up(contact: "Contact", event: GuestPromoted) -> "Contact":
    guest = next((each for each in contact.guests if each.guest_id == event.guest_id), None)
    if guest is None:
        return contact
    consult = Consult(
        consult_id=guest.guest_id,
        leg=guest.leg,
        reservation=guest.reservation,
        number=guest.number,
        show=guest.show,
        due=Instant(0),
        asked_at=guest.asked_at,
        answered=True,
        hears=TOGETHER,
        delivered=guest.delivered,
        accepting=guest.accepting,
        rejecting=guest.rejecting,
        room=event.room,
    )
    others = tuple(each for each in contact.guests if each is not guest)
    # The caller, who is in the room, is not on the way out of it, whatever became of the conversation.
    return replace(contact, status=CONSULTING, consult=consult, guests=others, parking="")


def _as_guest(consult: Consult) -> Guest:
    return Guest(
        guest_id=consult.consult_id,
        leg=consult.leg,
        reservation=consult.reservation,
        number=consult.number,
        show=consult.show,
        due=Instant(0),
        asked_at=consult.asked_at,
        answered=True,
        joined=True,
        delivered=consult.delivered,
        accepting=consult.accepting,
        rejecting=consult.rejecting,
    )


def members(contact: "Contact") -> tuple[str, ...]:
    """The legs that are in the room as the log has it; empty where the first three do not hear each other."""
    consult, segment = contact.consult, contact.segment
    if consult is None or segment is None or not are_together(contact):
        return ()
    return (contact.caller_leg, segment.leg, consult.leg, *(guest.leg for guest in in_room(contact)))


def room(contact: "Contact") -> str:
    """What the switch calls the room; empty where nobody is consulted."""
    return room_of(contact.consult) if contact.consult is not None else ""
