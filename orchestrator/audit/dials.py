"""The verifier's own idea of what agents dial: the agent first, then the number once, and no queue before they talk."""

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.audit.books import Books
from orchestrator.audit.open_contact import Contact, Dial
from orchestrator.domain.contacts import dial_events as events
from orchestrator.domain.kernel import Event

Handler = Callable[[Contact, Any], None]


def handlers(books: Books, leave: Callable[[Contact], None]) -> Mapping[type[Event], Handler]:
    """What each event does to a contact; `leave` marks one that goes."""
    dials = _Dials(books, leave)
    return {
        events.BranchNumberMissing: dials.number_missing,
        events.NumberDialled: dials.dialled,
        events.NumberDelivered: dials.heard,
        events.NumberSounded: dials.heard,
        events.NumberAnswered: dials.answered,
        events.DialEnded: dials.ended,
    }


def queued(books: Books, contact: Contact) -> None:
    """A queue visit begins."""
    if contact.dial is not None:
        books.complain("dial", "queued though an agent dialled it, and the two have not talked")


def connected(books: Books, contact: Contact) -> None:
    """A conversation begins: from now on it is a contact like any other."""
    dial, contact.dial = contact.dial, None
    if dial is not None and not dial.reached:
        books.complain("dial", "connected though nobody has answered the number")


class _Dials:
    def __init__(self, books: Books, leave: Callable[[Contact], None]) -> None:
        self._books = books
        self._leave = leave

    def _open(self, contact: Contact, event: Event) -> Dial | None:
        if contact.dial is None:
            self._books.complain("dial", f"{type(event).__name__} of a contact that no agent is dialling")
        return contact.dial

    def number_missing(self, contact: Contact, event: events.BranchNumberMissing) -> None:
        self._books.counts.alarms += 1
        self._open(contact, event)

    def dialled(self, contact: Contact, event: events.NumberDialled) -> None:
        dial = self._open(contact, event)
        if dial is None:
            return
        offer = contact.offer
        if offer is None or offer.offer_id != event.offer_id or not offer.accepted:
            self._books.complain("dial", "the number is called, and the agent is not on the line")
        else:
            offer.due = event.answer_by
        if dial.leg or dial.reached:
            self._books.complain("dial", "the number is called a second time")
        if event.leg in contact.legs:
            self._books.complain("leg", f"leg {event.leg} is used twice")
        contact.legs.add(event.leg)
        self._books.counts.legs += 1
        dial.leg = event.leg

    def heard(self, contact: Contact, event: events.NumberDelivered | events.NumberSounded) -> None:
        dial = self._open(contact, event)
        if dial is None:
            return
        if dial.leg != event.leg:
            self._books.complain("dial", f"leg {event.leg} is heard, which was not called")
        if dial.reached:
            self._books.complain("dial", f"{type(event).__name__} of a number that has answered")

    def answered(self, contact: Contact, event: events.NumberAnswered) -> None:
        dial = self._open(contact, event)
        if dial is None:
            return
        if dial.leg != event.leg:
            self._books.complain("dial", f"leg {event.leg} answers, which was not called")
        if contact.offer is not None:
            self._books.check_deadline(contact.offer.due, "the answer of the number")
            contact.offer.due = event.connect_by
        contact.caller = event.leg
        dial.reached = True

    def ended(self, contact: Contact, event: events.DialEnded) -> None:
        self._open(contact, event)
        if contact.offer is not None:
            self._books.complain("dial", "it ends, and the agent's phone is still rung for it")
        contact.dial = None
        self._leave(contact)
