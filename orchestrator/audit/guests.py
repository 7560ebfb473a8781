"""The verifier's own idea of a conference of more than three: who is in it is held for it, no longer than it lasts."""

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.audit.books import Books
from orchestrator.audit.open_contact import Apart, Consult, Contact
from orchestrator.audit.outward import let_go
from orchestrator.domain.contacts import guest_events as events
from orchestrator.domain.kernel import Event, Instant

_OfGuest = (
    events.GuestAnswered | events.GuestJoined | events.GuestExtended | events.GuestClosed | events.GuestPromoted
    | events.GuestHoldAsked | events.GuestHeld | events.GuestRecalled | events.PlacesSwapped
    | events.AsideIntended | events.AsideAsked
)  # fmt: skip
_OfAside = events.AsideBegun | events.AsideEnded | events.AsideExtended | events.AgentReturned
_OfMute = events.MemberMuteAsked | events.MemberMuted | events.MemberUnmuted | events.MemberMuteFailed


def handlers(books: Books) -> Mapping[type[Event], Callable[[Contact, Any], None]]:
    """What each event does to a contact."""
    guests = _Guests(books)
    return {
        events.GuestInvited: guests.invited,
        events.GuestAnswered: guests.answered,
        events.GuestJoined: guests.joined,
        events.GuestExtended: guests.extended,
        events.GuestClosed: guests.closed,
        events.GuestPromoted: guests.moved_up,
        events.RoomInherited: guests.passed_on,
        events.GuestHoldAsked: guests.hold_asked,
        events.GuestHeld: guests.held,
        events.GuestRecalled: guests.recalled,
        events.PlacesSwapped: guests.swapped,
        events.AsideIntended: guests.intended,
        events.AsideAsked: guests.aside_asked,
        events.AsideBegun: guests.aside_begun,
        events.AsideEnded: guests.aside_ended,
        events.AsideExtended: guests.aside_extended,
        events.AgentReturned: guests.returned,
        events.MemberMuteAsked: guests.muted,
        events.MemberMuted: guests.muted,
        events.MemberUnmuted: guests.muted,
        events.MemberMuteFailed: guests.muted,
    }


class _Guests:
    def __init__(self, books: Books) -> None:
        self._books = books

    def invited(self, contact: Contact, event: events.GuestInvited) -> None:
        books, segment = self._books, contact.segment
        books.counts.guests += 1
        if segment is None or segment.segment_id != event.segment_id or contact.leaving:
            books.complain("guest", "somebody is invited to a talk that is not going on")
        if contact.consult is None or not contact.consult.together:
            books.complain("guest", "somebody is invited where three do not hear each other")
        if contact.node not in books.in_step:
            books.complain("guest", f"invited though nobody has looked who is still on {contact.node}")
        if event.answer_by <= books.record.about.at:
            books.complain("guest", "invited without time to answer")
        if event.leg in contact.legs:
            books.complain("leg", f"leg {event.leg} is used twice")
        contact.legs.add(event.leg)
        books.counts.legs += 1
        guest = contact.guests[event.guest_id] = Consult(event.guest_id, event)
        if guest.shift_id:
            books.hold(guest.shift_id, contact.ident, event.guest_id)
            books.owe(guest.shift_id, "reservation", event.guest_id)

    def _open(self, contact: Contact, event: _OfGuest) -> Consult | None:
        guest = contact.guests.get(event.guest_id)
        if guest is None:
            self._books.complain("guest", f"{type(event).__name__} of {event.guest_id}, who is no guest")
        elif guest.due:
            self._books.check_deadline(guest.due, "what was waited for of a guest")
        return guest

    def answered(self, contact: Contact, event: events.GuestAnswered) -> None:
        if (guest := self._open(contact, event)) is not None:
            if guest.answered:
                self._books.complain("guest", "a guest answers a second time")
            guest.answered, guest.due = True, event.connect_by

    def joined(self, contact: Contact, event: events.GuestJoined) -> None:
        if (guest := self._open(contact, event)) is not None:
            if not guest.answered or guest.together or guest.held or _is_alone(contact, event.guest_id):
                self._books.complain("guest", "a guest is in the room who has not answered, or was in it before")
            guest.together, guest.due = True, Instant(0)

    def extended(self, contact: Contact, event: events.GuestExtended) -> None:
        if (guest := self._open(contact, event)) is not None:
            guest.due = event.until

    def closed(self, contact: Contact, event: events.GuestClosed) -> None:
        guest = self._open(contact, event)
        if guest is None:
            return
        del contact.guests[event.guest_id]
        let_go(contact, guest.leg, self._books.record.about.at)
        if guest.shift_id:
            self._books.let_go(guest.shift_id, contact.ident)
            self._books.owe(guest.shift_id, "release", event.guest_id)

    def moved_up(self, contact: Contact, event: events.GuestPromoted) -> None:
        guest = self._open(contact, event)
        if guest is None:
            return
        comes = guest.answered and guest.due
        if not (guest.together or guest.held or _is_alone(contact, event.guest_id) or comes):
            self._books.complain("guest", "somebody takes the place of who was asked first, and is not in the room")
        if not guest.together:
            self._left_with(contact, guest, event.agent_by)
        elif event.agent_by:
            guest.together, guest.due, guest.inside = False, event.agent_by, {contact.caller, guest.leg}
        if contact.segment is None or (contact.consult is not None and not contact.consult.over):
            self._books.complain("guest", "somebody takes a place that is not free")
        del contact.guests[event.guest_id]
        contact.consult = guest

    def passed_on(self, contact: Contact, event: events.RoomInherited) -> None:
        """Whoever has the caller from now on is as the one who was asked first, and everybody else a guest."""
        books, segment, first = self._books, contact.segment, contact.consult
        if segment is None or segment.segment_id != event.segment_id or first is None or not first.together:
            books.complain("guest", "a room is passed on in which nobody talks")
            return
        stay = {first.consult_id: first, **contact.guests}
        heir = next((each for each in stay.values() if each.leg == event.leg), None)
        if heir is None or not heir.together or heir.shift_id != event.shift_id:
            books.complain("guest", "a room is passed on to somebody who is not in it")
            return
        if not all(each.together for each in stay.values()):
            books.complain("guest", "a room is passed on, and somebody is still invited to it")
        contact.guests = {ident: each for ident, each in stay.items() if each is not heir}
        contact.consult, contact.room_kept = heir, True

    def _left_with(self, contact: Contact, guest: Consult, agent_by: Instant) -> None:
        """The room is over: of a guest who was on hold, or alone with the agent, it becomes a consultation again; one
        who is on the way in makes three of caller and agent, and others who are come, too. An agent who speaks with
        one alone meanwhile goes on doing so.
        """
        apart = contact.apart
        alone = apart.guest_id if apart is not None and not apart.over else ""
        comes = not guest.held and guest.consult_id != alone
        others = [each for each in contact.guests.values() if each is not guest and each.consult_id != alone]
        if any(not comes or not each.answered or each.held or not each.due for each in others):
            self._books.complain("guest", "a conference is over, and somebody is still invited to it")
        if comes and alone:
            apart = None
        elif apart is not None:
            guest.due, contact.apart = max(guest.due, apart.due), None
        guest.due = max(guest.due, agent_by)
        if apart is not None and not apart.over:
            contact.parking = True
        elif not guest.held and contact.segment is not None:
            awaited = apart is not None or agent_by
            guest.inside = {contact.caller} if awaited else {contact.caller, contact.segment.leg}

    # --- one of them apart -------------------------------------------------------------------------------------------
    def hold_asked(self, contact: Contact, event: events.GuestHoldAsked) -> None:
        if (guest := self._open(contact, event)) is not None:
            left = contact.apart is not None and contact.apart.over and contact.apart.guest_id == event.guest_id
            if guest.held or not (guest.together or left):
                self._books.complain("guest", "a guest is put on hold who is not there, or is on hold")
            guest.held, guest.together, guest.due = True, False, event.park_by

    def held(self, contact: Contact, event: events.GuestHeld) -> None:
        if (guest := self._open(contact, event)) is not None:
            if not guest.held:
                self._books.complain("guest", "a guest hears music whom nobody put on hold")
            guest.due = Instant(0)

    def recalled(self, contact: Contact, event: events.GuestRecalled) -> None:
        if (guest := self._open(contact, event)) is not None:
            if guest.together or not guest.answered or _is_alone(contact, event.guest_id):
                self._books.complain("guest", "a guest is brought in who is there, or was not asked to wait")
            guest.held, guest.due = False, event.connect_by

    def swapped(self, contact: Contact, event: events.PlacesSwapped) -> None:
        guest, first = self._open(contact, event), contact.consult
        if guest is None:
            return
        if first is None or first.consult_id != event.consult_id or not (first.together and guest.together):
            self._books.complain("guest", "two change places who are not both in the room")
            return
        del contact.guests[event.guest_id]
        contact.guests = {event.consult_id: first, **contact.guests}
        contact.consult = guest

    def intended(self, contact: Contact, event: events.AsideIntended) -> None:
        guest = self._open(contact, event)
        if guest is not None and guest.answered:
            self._books.complain("guest", "somebody is to be spoken with alone first, and is there already")

    def aside_asked(self, contact: Contact, event: events.AsideAsked) -> None:
        guest = self._open(contact, event)
        if guest is None:
            return
        if contact.apart is not None or not guest.answered:
            self._books.complain("guest", "an agent speaks with two alone, or with somebody who is not there")
        guest.together, guest.held, guest.due = False, False, Instant(0)
        contact.apart = Apart(event)

    def _aside(self, contact: Contact, event: _OfAside, *, over: bool) -> Apart | None:
        apart = contact.apart
        if apart is None or apart.guest_id != event.guest_id or apart.over != over:
            self._books.complain("guest", f"{type(event).__name__} of {event.guest_id}, with whom nobody is alone")
            return None
        if apart.due:
            self._books.check_deadline(apart.due, "what was waited for of an agent who speaks with one alone")
        return apart

    def aside_begun(self, contact: Contact, event: events.AsideBegun) -> None:
        if (apart := self._aside(contact, event, over=False)) is not None:
            apart.due = Instant(0)

    def aside_ended(self, contact: Contact, event: events.AsideEnded) -> None:
        if (apart := self._aside(contact, event, over=False)) is not None:
            apart.over, apart.due = True, event.return_by

    def aside_extended(self, contact: Contact, event: events.AsideExtended) -> None:
        over = contact.apart is not None and contact.apart.over
        if (apart := self._aside(contact, event, over=over)) is not None:
            apart.due = event.until

    def returned(self, contact: Contact, event: events.AgentReturned) -> None:
        if self._aside(contact, event, over=True) is not None:
            contact.apart = None

    def muted(self, contact: Contact, event: _OfMute) -> None:
        others = {each.leg for each in (contact.consult, *contact.guests.values()) if each is not None}
        # What the switch answers may come once they have the caller.
        answers = not isinstance(event, events.MemberMuteAsked) and event.leg in contact.legs
        if event.leg not in others and not answers:
            self._books.complain(
                "guest", f"{type(event).__name__} of leg {event.leg}, which is of nobody who was asked"
            )


def _is_alone(contact: Contact, guest_id: str) -> bool:
    return contact.apart is not None and not contact.apart.over and contact.apart.guest_id == guest_id
