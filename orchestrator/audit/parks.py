"""The verifier's own idea of a parked caller: one at each place, for no longer than was said, and never lost there."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from orchestrator.audit.books import Books
from orchestrator.audit.open_contact import Contact
from orchestrator.domain.contacts import events as contact_events
from orchestrator.domain.contacts.park_events import ContactParked, ParkEnded
from orchestrator.domain.kernel import Event

# How a park ends after which the caller waits for somebody; by the others the contact ends.
_GOES_ON: Final = ("retrieved", "expired")


def handlers(books: Books) -> Mapping[type[Event], Callable[[Contact, Any], None]]:
    """What each event does to a contact."""
    parks = _Parks(books)
    return {ContactParked: parks.parked, ParkEnded: parks.ended}


def queued(books: Books, contact: Contact, event: contact_events.ContactQueued) -> None:
    """A visit begins: that of a caller who leaves a place is the one that was said."""
    if contact.parked is not None:
        books.complain("park", f"queued though it is parked at place {contact.parked.place}")
    if contact.parks_in and contact.parks_in != event.visit_id:
        books.complain("park", f"leaves its place for visit {contact.parks_in}, and waits in {event.visit_id}")
    contact.parks_in = ""


class _Parks:
    def __init__(self, books: Books) -> None:
        self._books = books
        self._at: dict[int, str] = {}
        """Who is at each place."""

    def parked(self, contact: Contact, event: ContactParked) -> None:
        books, segment = self._books, contact.segment
        books.counts.parks += 1
        if segment is None or (segment.segment_id, segment.shift_id) != (event.segment_id, event.shift_id):
            books.complain("park", "parked from a conversation that is not going on")
        if contact.parked is not None or contact.leaving:
            books.complain("park", "parked though it is so already, or leaving")
        if (other := self._at.get(event.place)) is not None:
            books.complain("park", f"parked at place {event.place}, where contact {other} is")
        if event.until <= books.record.about.at:
            books.complain("park", "parked for no time")
        self._at[event.place] = contact.ident
        contact.parked = event
        contact.parking = True

    def ended(self, contact: Contact, event: ParkEnded) -> None:
        books, parked = self._books, contact.parked
        if parked is None or parked.place != event.place:
            books.complain("park", f"leaves place {event.place}, where it is not")
            return
        if event.outcome == "expired" and books.record.about.at < parked.until:
            books.complain("park", "the time at its place is over before it was said to be")
        books.check_deadline(parked.until, "the end of the time at its place")
        if (event.outcome in _GOES_ON) != bool(event.visit_id) or (event.outcome in _GOES_ON and contact.leaving):
            books.complain("park", f"{event.outcome}, and a visit begins, or none does")
        if event.outcome == "retrieved" and not event.shift_id:
            books.complain("park", "retrieved by nobody")
        self._at.pop(event.place, None)
        contact.parked = None
        contact.parks_in = event.visit_id
