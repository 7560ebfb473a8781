"""The verifier's own idea of a consultation: whoever is consulted is held for it, and the caller is never forgotten."""

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.audit.books import Books
from orchestrator.audit.open_contact import Consult, Contact
from orchestrator.audit.outward import let_go
from orchestrator.domain.contacts import consult_events as events
from orchestrator.domain.contacts.consults import CONSULTED, TOGETHER
from orchestrator.domain.kernel import Event, Instant

_OfConsult = (
    events.ConsultAnswered | events.ConsultSwitched | events.MemberJoined | events.ConsultJoined
    | events.ConsultExtended
    | events.ConsultClosed | events.ContactRejoined
)  # fmt: skip


_ALL_THREE = 3


def handlers(books: Books) -> Mapping[type[Event], Callable[[Contact, Any], None]]:
    """What each event does to a contact."""
    consults = _Consults(books)
    return {
        events.ConsultAsked: consults.asked,
        events.ConsultAnswered: consults.answered,
        events.ConsultSwitched: consults.switched,
        events.MemberJoined: consults.member,
        events.ConsultJoined: consults.joined,
        events.ConsultExtended: consults.extended,
        events.ConsultClosed: consults.closed,
        events.ContactRejoined: consults.rejoined,
    }


class _Consults:
    def __init__(self, books: Books) -> None:
        self._books = books

    def asked(self, contact: Contact, event: events.ConsultAsked) -> None:
        books, segment = self._books, contact.segment
        books.counts.consults += 1
        if segment is None or segment.segment_id != event.segment_id or contact.leaving:
            books.complain("consult", "somebody is consulted about a caller with whom nobody talks")
        if contact.consult is not None:
            books.complain("consult", f"consulted while consultation {contact.consult.consult_id} goes on")
        if contact.node not in books.in_step:
            books.complain("consult", f"consulted though nobody has looked who is still on {contact.node}")
        if event.answer_by <= books.record.about.at:
            books.complain("consult", "consulted without time to answer")
        if event.leg in contact.legs:
            books.complain("leg", f"leg {event.leg} is used twice")
        contact.legs.add(event.leg)
        books.counts.legs += 1
        contact.consult, contact.parking = Consult(event.consult_id, event), True
        if contact.consult.shift_id:
            books.hold(contact.consult.shift_id, contact.ident, event.consult_id)
            books.owe(contact.consult.shift_id, "reservation", event.consult_id)

    def _open(self, contact: Contact, event: _OfConsult, *, over: bool = False) -> Consult | None:
        consult = contact.consult
        if consult is None or consult.consult_id != event.consult_id or consult.over != over:
            name = type(event).__name__
            self._books.complain("consult", f"{name} of consultation {event.consult_id}, which is not going on")
            return None
        if consult.due:
            self._books.check_deadline(consult.due, "what was waited for in a consultation")
        return consult

    def answered(self, contact: Contact, event: events.ConsultAnswered) -> None:
        if (consult := self._open(contact, event)) is not None:
            if consult.answered:
                self._books.complain("consult", "whoever is consulted answers a second time")
            consult.answered, consult.due = True, event.connect_by

    def switched(self, contact: Contact, event: events.ConsultSwitched) -> None:
        if (consult := self._open(contact, event)) is not None:
            self._needs_answer(consult, event)
            if contact.guests:
                self._books.complain("guest", "somebody leaves a conference of more than three to talk alone")
            consult.due, consult.inside, consult.together = event.connect_by, set(), False
            contact.apart = None
            contact.parking = contact.parking or event.to == CONSULTED

    def member(self, contact: Contact, event: events.MemberJoined) -> None:
        if (consult := self._open(contact, event)) is not None:
            if event.leg not in contact.legs or event.leg in consult.inside:
                self._books.complain("consult", f"leg {event.leg} is in the room twice, or no leg of the contact")
            consult.inside.add(event.leg)

    def joined(self, contact: Contact, event: events.ConsultJoined) -> None:
        if (consult := self._open(contact, event)) is not None:
            self._needs_answer(consult, event)
            if event.hears == TOGETHER and len(consult.inside) != _ALL_THREE:
                self._books.complain("consult", f"three hear each other, and {len(consult.inside)} are in the room")
            consult.due, consult.together = Instant(0), event.hears == TOGETHER

    def _needs_answer(self, consult: Consult, event: _OfConsult) -> None:
        if not consult.answered:
            self._books.complain("consult", f"{type(event).__name__} though nobody has answered")

    def extended(self, contact: Contact, event: events.ConsultExtended) -> None:
        consult = contact.consult
        if (consult := self._open(contact, event, over=consult is not None and consult.over)) is not None:
            consult.due = event.until

    def closed(self, contact: Contact, event: events.ConsultClosed) -> None:
        consult = self._open(contact, event)
        if consult is None:
            return
        consult.over, consult.due = True, event.rejoin_by
        if event.rejoin_by:
            contact.apart = None
        let_go(contact, consult.leg, self._books.record.about.at)
        if consult.shift_id:
            self._books.let_go(consult.shift_id, contact.ident)
            self._books.owe(consult.shift_id, "release", event.consult_id)

    def rejoined(self, contact: Contact, event: events.ContactRejoined) -> None:
        if self._open(contact, event, over=True) is not None:
            contact.consult = None
