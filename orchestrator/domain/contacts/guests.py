"""Guests of a conference: whoever comes to the three of a consultation (`consults`) who hear each other in one room.

               1              2                3
together ───▶ invited: rings ──▶ answered ───▶ in the room
                  │ 4              │ 4            │ 4 │ 5
                  └────────────────┴──────────────┘   └──▶ asked in the place of whoever was asked first (`consults`)
1 GuestInvited  2 GuestAnswered: they are told into the room  3 GuestJoined
4 GuestClosed, at the latest with the conference  5 GuestPromoted: who was asked first has left, or has the caller now;
  where nobody else is in the room, whoever is on the way there, and the three are together once they are

A guest who is on hold, or speaks with the agent alone, is not in the room meanwhile: `asides`.

There are guests only while agent, caller and whoever was asked first hear each other together, or are brought together
since one of the guests is asked in the first one's place. Who leaves the other two takes with them the guests who are
not on their way into the room yet: they were invited to a conference. The agent who
leaves more than two leaves the caller to the first of them who is an agent (RoomInherited), and nobody is taken out of
the room.
"""

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts.asides import BEING_PARKED, OF_ASIDES, ON_HOLD, alone_with
from orchestrator.domain.contacts.asides import evolve as evolve_aside
from orchestrator.domain.contacts.consults import CALLER, CONSULTED, CONSULTING, TOGETHER, Consult, room_of
from orchestrator.domain.contacts.events import (
    OfferAcceptRequested,
    OfferDelivered,
    OfferRejectRequested,
    Reservation,
)
from orchestrator.domain.contacts.guest_events import (
    AsideAsked,
    AsideIntended,
    GuestAnswered,
    GuestClosed,
    GuestExtended,
    GuestHeld,
    GuestHoldAsked,
    GuestInvited,
    GuestJoined,
    GuestPromoted,
    GuestRecalled,
    PlacesSwapped,
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
    """The switch has been asked why they are not in the room, or not on hold, yet."""
    alone: bool = False
    """Whether the agent speaks with them alone first, once they have answered."""
    held: str = ""
    """Of one on hold: `asked` until the switch says so, then `held`."""
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


def on_the_way_in(contact: "Contact", guest: Guest) -> bool:
    """Whether this guest is being brought into the room: from a talk alone, from a hold, or as they have answered."""
    there = guest.joined or guest.held or alone_with(contact) == guest.leg
    return guest.answered and not there and not guest.rejecting


def guests_due(contact: "Contact") -> Instant:
    """When the first of them must have answered, be in the room, or on hold, or the agent with them or back; 0 while
    nothing is waited for.
    """
    aside = contact.aside.due if contact.aside is not None else Instant(0)
    return min((due for due in (aside, *(guest.due for guest in contact.guests)) if due), default=Instant(0))


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
    if type(event) in OF_ASIDES and (
        contact.guests or contact.hushed or contact.aside is not None or contact.consult is not None
    ):
        contact = evolve_aside(contact, event)
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
        case GuestHoldAsked():
            asked = {"held": BEING_PARKED, "joined": False, "due": event.park_by, "doubted": False}
            return _changed(contact, event.guest_id, **asked)
        case GuestHeld():
            return _changed(contact, event.guest_id, held=ON_HOLD, due=Instant(0), doubted=False)
        case GuestRecalled():
            return _changed(contact, event.guest_id, held="", due=event.connect_by, doubted=False)
        case AsideIntended():
            return _changed(contact, event.guest_id, alone=True)
        case AsideAsked():
            return _changed(contact, event.guest_id, alone=False, joined=False, held="", due=Instant(0), doubted=False)
        case PlacesSwapped() if contact.consult is not None:
            first = _as_guest(contact.consult)
            swapped = _moved_up(contact, GuestPromoted(guest_id=event.guest_id, room=event.room))
            return replace(swapped, guests=(first, *swapped.guests))
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
        away=True,
    )
    others = tuple(each for each in contact.guests if each is not guest)
    aside = contact.aside
    if aside is not None and aside.guest_id == guest.guest_id and not aside.over:
        # Alone with the agent already, which is what a consultation is: the caller goes out of the room and waits.
        how = {"hears": CONSULTED} if aside.talking else {"hears": "", "wish": CONSULTED, "due": aside.due}
        asked = replace(consult, **how)
        parking = {"parking": contact.caller_leg, "reminders": 0}
        return replace(contact, status=CONSULTING, consult=asked, guests=others, aside=None, **parking)
    comes = on_the_way_in(contact, guest)
    if (comes or event.agent_by) and contact.segment is not None:
        # They, and an agent who spoke with one alone, have been told into the room, in which the caller is. An agent
        # who still speaks with one alone is there as far as the others are concerned.
        back = aside if aside is not None and aside.over else None
        due = max(guest.due, event.agent_by, back.due if back is not None else Instant(0))
        agent = () if back is not None or event.agent_by else (contact.segment.leg,)
        inside = (contact.caller_leg, *agent, *(() if comes else (guest.leg,)))
        cut_short = event.agent_cut_short or (back is not None and back.cut_short)
        consult = replace(consult, hears=CALLER, wish=TOGETHER, due=due, inside=inside, cut_short=cut_short)
        stays = None if back is not None else aside
        return replace(contact, status=CONSULTING, consult=consult, guests=others, aside=stays, parking="")
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
    # An agent who speaks with one of them alone is elsewhere.
    agent = () if contact.aside is not None else (segment.leg,)
    return (contact.caller_leg, *agent, consult.leg, *(guest.leg for guest in in_room(contact)))


def room(contact: "Contact") -> str:
    """What the switch calls the room; empty where nobody is consulted."""
    return room_of(contact.consult) if contact.consult is not None else ""
