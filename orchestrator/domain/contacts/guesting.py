"""What becomes of the guests of a conference. Whatever does, the others go on hearing each other: `guests`."""

from msgspec.structs import replace

from orchestrator.domain.contacts import apart, transferring
from orchestrator.domain.contacts.asides import BEING_PARKED, alone_with
from orchestrator.domain.contacts.commands import (
    AcceptAtDesk,
    Command,
    CompleteConsult,
    NoteAnswered,
    NoteDelivered,
    NoteLegGone,
    NoteMember,
    NoteParked,
    RejectAtDesk,
    WithdrawOffer,
)
from orchestrator.domain.contacts.consult_events import ConsultClosed, ConsultSwitched
from orchestrator.domain.contacts.consults import CALLER, TOGETHER, Consult, room_of
from orchestrator.domain.contacts.contacts import (
    Contact,
    OfferAcceptRequested,
    OfferDelivered,
    OfferRejectRequested,
    Segment,
)
from orchestrator.domain.contacts.events import Reservation
from orchestrator.domain.contacts.guest_commands import (
    ExpireGuests,
    HoldMember,
    Invite,
    Inviting,
    JoinGuestsAgain,
    LetGo,
    MuteMember,
    Recall,
    SpeakAlone,
)
from orchestrator.domain.contacts.guest_events import (
    AsideAsked,
    AsideEnded,
    AsideIntended,
    GuestAnswered,
    GuestClosed,
    GuestExtended,
    GuestHeld,
    GuestInvited,
    GuestJoined,
    GuestPromoted,
    RoomInherited,
)
from orchestrator.domain.contacts.guests import (
    Guest,
    are_together,
    guest_of_leg,
    guest_of_shift,
    in_room,
    on_the_way_in,
    persons,
)
from orchestrator.domain.kernel import Event, Instant, Refused

Events = tuple[Event, ...]

NO_ANSWER = "NO_ANSWER"
NEVER = Instant(0)


def decide(contact: Contact, command: Inviting) -> Events:
    """The events that follow. Raises `Refused`: not_talking, not_together, conference_full, no_such_guest, aside,
    last_one, not_in_room.
    """
    match command:
        case Invite():
            return _invited(contact, command)
        case LetGo():
            guest = next((each for each in contact.guests if each.guest_id == command.guest_id), None)
            if guest is None:
                raise Refused("no_such_guest", "Whoever that was is not in the conference any more.")
            return closed(contact, guest, "cancelled", return_by=command.return_by)
        case HoldMember() | Recall() | SpeakAlone() | MuteMember():
            return apart.decide(contact, command)
        case ExpireGuests():
            late = (guest for guest in contact.guests if guest.due and guest.due <= command.now)
            aside = apart.late(contact, command)
            if any(isinstance(event, ConsultClosed) for event in aside):
                return aside  # the conference is over, with all who were waited for
            return (*(event for guest in late for event in _late(contact, guest, command)), *aside)
        case JoinGuestsAgain():
            return (
                *(
                    GuestExtended(guest_id=guest.guest_id, until=command.connect_by, cause="joined_again")
                    for guest in contact.guests
                    if guest.answered and not guest.joined and guest.due and guest.leg not in command.told
                ),
                *apart.again(contact, command),
            )


def _invited(contact: Contact, command: Invite) -> Events:
    segment = contact.segment
    if segment is None or segment.shift_id != command.shift_id:
        raise Refused("not_talking", "Somebody is invited to a call in which you talk; this one is over.")
    if not are_together(contact):
        raise Refused("not_together", "Bring the caller and whoever you asked together first; then invite more.")
    if contact.aside is not None or any(guest.alone for guest in contact.guests):
        raise Refused("aside", "You speak with one of them alone, or are about to; go back to the others first.")
    if persons(contact) >= command.most:
        raise Refused("conference_full", f"In a conference are {command.most} at most; let somebody go first.")
    intended = (AsideIntended(guest_id=command.guest_id),) if command.alone else ()
    return (
        GuestInvited(
            guest_id=command.guest_id,
            segment_id=segment.segment_id,
            leg=command.leg,
            answer_by=command.answer_by,
            reservation=command.reservation,
            number=command.number,
            show=command.show,
        ),
        *intended,
    )


def of_guest(contact: Contact, command: Command) -> Events | None:
    """The events, where the command concerns a guest; None where it does not."""
    match command:
        case NoteDelivered(leg=leg) if (guest := guest_of_leg(contact, leg)) is not None:
            held = guest.reservation
            if held is None or guest.delivered or guest.answered:
                return ()
            return (OfferDelivered(offer_id=guest.guest_id, shift_id=held.shift_id, leg=held.leg),)
        case NoteAnswered(leg=leg) if (guest := guest_of_leg(contact, leg)) is not None:
            if guest.answered or guest.rejecting:
                return ()
            shift_id = guest.reservation.shift_id if guest.reservation is not None else ""
            there = GuestAnswered(guest_id=guest.guest_id, connect_by=command.connect_by, shift_id=shift_id)
            return (
                (there, AsideAsked(guest_id=guest.guest_id, connect_by=command.connect_by)) if guest.alone else (there,)
            )
        case NoteMember(leg=leg) if (guest := guest_of_leg(contact, leg)) is not None:
            meant = contact.consult is not None and command.room == room_of(contact.consult)
            awaited = guest.answered and not guest.joined and not guest.held and alone_with(contact) != leg
            return (GuestJoined(guest_id=guest.guest_id),) if meant and awaited else ()
        case NoteParked(leg=leg) if (guest := guest_of_leg(contact, leg)) is not None:
            return (GuestHeld(guest_id=guest.guest_id),) if guest.held == BEING_PARKED else ()
        case AcceptAtDesk() | RejectAtDesk() if (guest := guest_of_shift(contact, command.shift_id)) is not None:
            return _at_desk(guest, command)
        case WithdrawOffer() if (guest := guest_of_shift(contact, command.shift_id)) is not None:
            return () if guest.answered else closed(contact, guest, "missed", command.cause)
    return None


def _at_desk(guest: Guest, command: AcceptAtDesk | RejectAtDesk) -> Events:
    """The colleague presses accept while their phone rings, or reject, also later: then they leave."""
    held, accepts = guest.reservation, isinstance(command, AcceptAtDesk)
    if held is None or (guest.answered and accepts):
        raise Refused("no_offer", "There is no offer to answer any more; the caller may have hung up.")
    if guest.rejecting or (guest.accepting and accepts):
        return ()
    made = OfferAcceptRequested if accepts else OfferRejectRequested
    return (made(offer_id=guest.guest_id, shift_id=held.shift_id, leg=held.leg),)


def leg_gone(contact: Contact, guest: Guest, command: NoteLegGone) -> Events:
    """A guest has hung up, or never picked up: the others stay as they are."""
    outcome = "left" if guest.answered else "missed"
    return closed(contact, guest, outcome, command.cause, return_by=command.next_connect_by)


def closed(contact: Contact, guest: Guest, outcome: str, cause: str = "", *, return_by: Instant = NEVER) -> Events:
    """The guest is in the conference no more. An agent who spoke with them alone goes back to the others, where they
    have until `return_by` for it; without such a time the conference ends, or the agent leaves it.
    """
    events: Events = (GuestClosed(guest_id=guest.guest_id, outcome=outcome, cause=cause),)
    if not return_by or alone_with(contact) != guest.leg:
        return events
    told = "cancelled" if outcome == "cancelled" else "left"
    return (*events, AsideEnded(guest_id=guest.guest_id, outcome=told, return_by=return_by))


def dropped(contact: Contact, outcome: str) -> Events:
    """All guests go: the call is over, or the conference."""
    return tuple(GuestClosed(guest_id=guest.guest_id, outcome=outcome) for guest in contact.guests)


def moved_up(contact: Contact, consult: Consult, connect_by: Instant) -> Events:
    """The first guest who is in the room is asked in the place of whoever was asked first. Where none is, the first who
    is on the way in, and comes to the caller and the agent, with whoever else is on the way; an agent who speaks with
    one alone goes on doing so. Else the one with whom the agent speaks alone is consulted from now on, while the caller
    waits; else the first who is on hold, while the agent goes to the caller. Nobody, where there is none of these.
    """
    segment, gathering = contact.segment, consult.wish == TOGETHER and not consult.over
    awaited = gathering and segment is not None and segment.leg not in consult.inside
    promoted = GuestPromoted(
        guest_id="",
        room=room_of(consult),
        agent_by=consult.due if awaited else NEVER,
        agent_cut_short=awaited and consult.cut_short,
    )
    if stay := in_room(contact):
        return (replace(promoted, guest_id=stay[0].guest_id),)
    alone = alone_with(contact)
    coming = [guest for guest in contact.guests if on_the_way_in(contact, guest)]
    elsewhere = [guest for guest in contact.guests if (guest.leg == alone if alone else guest.held)]
    found = next(iter((*coming, *elsewhere)), None)
    if found is None:
        return ()
    kept = [*coming, *(each for each in elsewhere if alone)] if coming else [found]
    gone = (each for each in contact.guests if each not in kept)
    ended = (event for guest in gone for event in closed(contact, guest, "ended"))
    events: Events = (*ended, replace(promoted, guest_id=found.guest_id))
    if not found.held:
        return events
    return (*events, ConsultSwitched(consult_id=found.guest_id, to=CALLER, connect_by=connect_by))


def passed_on(
    contact: Contact, segment: Segment, consult: Consult, held: Reservation, command: CompleteConsult
) -> Events:
    """The agent leaves a room in which more than two stay: this one of them has the caller, whom they hear already."""
    stay = [
        (consult.consult_id, consult.leg),
        *((guest.guest_id, guest.leg) for guest in in_room(contact)),
    ]
    offer_id = next(ident for ident, leg in stay if leg == held.leg)
    others = [ident for ident, leg in stay if leg != held.leg]
    outside = (guest for guest in contact.guests if not guest.joined)
    gone = tuple(event for guest in outside for event in closed(contact, guest, "ended"))
    passed = RoomInherited(
        consult_id=consult.consult_id,
        segment_id=segment.segment_id,
        shift_id=held.shift_id,
        agent_id=held.agent_id,
        leg=held.leg,
        tape=segment.taped_as if command.keeps_tape else "",
    )
    return (
        *gone,
        passed,
        *transferring.handed_on_in_room(contact, segment, offer_id, held, command),
        GuestPromoted(guest_id=others[0], room=room_of(consult)),
    )


def _late(contact: Contact, guest: Guest, command: ExpireGuests) -> Events:
    """Not answered, not in the room, or not on hold, in time. A switch that cannot be asked may have done it all the
    same.
    """
    if command.blameless == "node_down":
        return (GuestExtended(guest_id=guest.guest_id, until=command.again_at, cause="node_down"),)
    if not guest.answered:
        return closed(contact, guest, "missed", NO_ANSWER)
    if not guest.doubted:
        return (GuestExtended(guest_id=guest.guest_id, until=command.again_at, cause="not_connected_in_time"),)
    return closed(contact, guest, "left", "not_connected_in_time", return_by=command.again_at)
