"""The verifier's own idea of calls to the outside: nobody is called whom nobody waits for, and each call ends."""

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.audit.books import Books
from orchestrator.audit.open_contact import Callback, Contact, Outside
from orchestrator.domain.contacts import outward_events as events
from orchestrator.domain.contacts.transfers import OUTSIDE
from orchestrator.domain.kernel import Event, Instant

Handler = Callable[[Contact, Any], None]

_OfOutside = events.OutsideAnswered | events.OutsideExtended | events.OutsideMissed | events.OutsideConnected


def let_go(contact: Contact, leg: str, at: Instant) -> None:
    """This leg has lost its reason, if it is open."""
    if leg in contact.legs:
        contact.unwanted.setdefault(leg, at)


def handlers(books: Books, leave: Callable[[Contact], None]) -> Mapping[type[Event], Handler]:
    """What each event does to a contact; `leave` marks one that goes."""
    calls = _Calls(books, leave)
    return {
        events.CallbackAsked: calls.asked,
        events.CallbackDialled: calls.dialled,
        events.CallbackAnswered: calls.answered,
        events.CallbackMissed: calls.missed,
        events.CallbackMoved: calls.moved,
        events.CallbackResumed: calls.resumed,
        events.CallbackEnded: calls.ended,
        events.OutsideDialled: calls.sent,
        events.OutsideAnswered: calls.outside_answered,
        events.OutsideExtended: calls.extended,
        events.OutsideMissed: calls.outside_missed,
        events.OutsideConnected: calls.connected,
        events.OutsideSegmentEnded: calls.talk_ended,
    }


class _Calls:
    def __init__(self, books: Books, leave: Callable[[Contact], None]) -> None:
        self._books = books
        self._leave = leave

    # --- customers who are called back -------------------------------------------------------------------------------
    def asked(self, contact: Contact, event: events.CallbackAsked) -> None:
        self._books.counts.callbacks += 1
        if contact.visit != event.visit_id or contact.offer is not None or contact.leaving:
            self._books.complain("callback", "asked for by somebody who does not wait")
        contact.callback = Callback(event)
        contact.visit_due = event.leave_by
        let_go(contact, contact.caller, self._books.record.about.at)
        contact.caller = ""

    def _open(self, contact: Contact, event: Event) -> Callback | None:
        if contact.callback is None:
            self._books.complain("callback", f"{type(event).__name__} of a customer who is not to be called")
        return contact.callback

    def dialled(self, contact: Contact, event: events.CallbackDialled) -> None:
        callback = self._open(contact, event)
        if callback is None:
            return
        offer = contact.offer
        if offer is None or offer.offer_id != event.offer_id or not offer.accepted:
            self._books.complain("callback", "the customer is called, and no agent is on the line")
        else:
            offer.due = event.answer_by
        if callback.again_at > self._books.record.about.at or callback.missed >= callback.tries:
            self._books.complain("callback", "the customer is called sooner or oftener than the plan says")
        self._new_leg(contact, event.leg)
        callback.leg = event.leg

    def answered(self, contact: Contact, event: events.CallbackAnswered) -> None:
        callback = self._open(contact, event)
        if callback is None:
            return
        if callback.leg != event.leg:
            self._books.complain("callback", f"leg {event.leg} answers, which was not called")
        if contact.offer is not None:
            self._books.check_deadline(contact.offer.due, "the customer's answer")
            contact.offer.due = event.connect_by
        contact.callback = None
        contact.caller = event.leg
        contact.visit_due = event.leave_by

    def missed(self, contact: Contact, event: events.CallbackMissed) -> None:
        callback = self._open(contact, event)
        if callback is None:
            return
        let_go(contact, callback.leg, self._books.record.about.at)
        callback.leg = ""
        callback.missed += event.counted
        callback.again_at = event.again_at

    def resumed(self, contact: Contact, event: events.CallbackResumed) -> None:
        callback = self._open(contact, event)
        if callback is not None:
            self._books.check_deadline(callback.again_at, "the end of the customer's peace")
            callback.again_at = Instant(0)

    def moved(self, contact: Contact, event: events.CallbackMoved) -> None:
        self._open(contact, event)
        if contact.legs:
            self._books.complain("callback", f"moved to {event.node}, and has open legs on {contact.node}")
        contact.node = event.node

    def ended(self, contact: Contact, event: events.CallbackEnded) -> None:
        self._open(contact, event)
        self._leave(contact)

    # --- numbers outside ---------------------------------------------------------------------------------------------
    def sent(self, contact: Contact, event: events.OutsideDialled) -> None:
        if contact.visit != event.visit_id or contact.offer is not None or contact.outside or contact.leaving:
            self._books.complain("outside", "a number outside is called for somebody who does not wait")
        if contact.passed_on is not None and contact.passed_on.to != OUTSIDE:
            self._books.complain("transfer", f"passed on to {contact.passed_on.to}, and a number outside is called")
        contact.passed_on = None
        self._new_leg(contact, event.leg)
        contact.outside = Outside(event)

    def _of(self, contact: Contact, event: _OfOutside) -> Outside | None:
        outside = contact.outside
        if outside is None or outside.leg != event.leg or outside.segment_id:
            self._books.complain("outside", f"{type(event).__name__} of a number that is not being called")
            return None
        self._books.check_deadline(outside.due, "the call to a number outside")
        return outside

    def outside_answered(self, contact: Contact, event: events.OutsideAnswered) -> None:
        if (outside := self._of(contact, event)) is not None:
            outside.due = event.connect_by

    def extended(self, contact: Contact, event: events.OutsideExtended) -> None:
        if (outside := self._of(contact, event)) is not None:
            outside.due = event.until

    def outside_missed(self, contact: Contact, event: events.OutsideMissed) -> None:
        self._of(contact, event)
        contact.outside = None
        at = self._books.record.about.at
        # A wait that is over while a number outside rings ends when it does not ring any more.
        contact.visit_due = max(contact.visit_due, at)
        let_go(contact, event.leg, at)

    def connected(self, contact: Contact, event: events.OutsideConnected) -> None:
        self._books.counts.outside_segments += 1
        if (outside := self._of(contact, event)) is not None:
            outside.segment_id = event.segment_id

    def talk_ended(self, contact: Contact, event: events.OutsideSegmentEnded) -> None:
        if contact.outside is None or contact.outside.segment_id != event.segment_id:
            self._books.complain("outside", "a talk with a number outside ends, which is not going on")
        contact.outside = None
        self._leave(contact)

    def _new_leg(self, contact: Contact, leg: str) -> None:
        if contact.handed_to is not None and contact.handed_to.leg == leg:
            contact.handed_to = None  # whoever was consulted before
            return
        if leg in contact.legs:
            self._books.complain("leg", f"leg {leg} is used twice")
        contact.legs.add(leg)
        self._books.counts.legs += 1
