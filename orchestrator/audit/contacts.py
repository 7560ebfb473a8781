"""The verifier's own idea of a contact: what may follow what, and what must be closed when it ends."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from orchestrator.audit import consults, dials, guests, masks, monitors, outward, parks
from orchestrator.audit.books import Books
from orchestrator.audit.open_contact import Contact, Offer, Segment
from orchestrator.audit.report import Live, problem
from orchestrator.domain.contacts import events, speaking, transfer_events
from orchestrator.domain.contacts.dial_events import ContactDialled
from orchestrator.domain.contacts.parks import PARKED
from orchestrator.domain.contacts.transfers import PHONE_LOST, QUEUE, TRANSFER
from orchestrator.domain.contacts.unattended import UnattendedCallEnded, UnattendedCallLost
from orchestrator.domain.kernel import MILLISECOND, SECOND, Event, Instant, Record, ident_of
from orchestrator.domain.switch.causes import WITH_THE_SWITCH

# How long a leg may outlive its reason: an apology to the end (60 s at most) and the rounds of asking after it. A
# switch that was away meanwhile is given the time from its return.
LEG_LIMIT = 120 * SECOND

# A caller is sent on so often at most; the last resort may name one queue more.
MOST_HOPS = 5
# Reasons that keep somebody out: whoever was let in is not turned away for them.
_AT_THE_DOOR = ("blacklisted", "drained", "overloaded", "trunk_full")

_OfLeg = (
    events.OfferDelivered | events.OfferAcceptRequested | events.OfferRejectRequested | events.OfferAnswered
    | events.OfferAccepted | events.OfferDeclined
)  # fmt: skip
_OfOffer = _OfLeg | events.OfferExtended | events.OfferWidened | events.OfferClosed | events.ContactConnected
_OfSegment = (
    events.HoldRequested | events.ResumeRequested | events.HoldFailed | events.ContactHeld | events.ContactResumed
    | events.AgentSegmentEnded | events.NumberAnnounced
)  # fmt: skip


_OUTCOMES: Mapping[type[Event], str] = {
    events.OfferRejected: "rejected",
    events.OfferTimedOut: "timed_out",
    events.OfferWithdrawn: "withdrawn",
    events.OfferFailed: "failed",
}


class Contacts:
    """Follows every contact of the log; forgets it when it ends."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._live: dict[str, Contact] = {}
        self._touched: dict[str, Contact] = {}
        closed = self._offer_closed
        self.handlers: Mapping[type[Event], Callable[[Contact, Any], None]] = {
            events.ContactQueued: self._queued,
            events.EntryPointMissing: self._entry_point_missing,
            events.ContactTurnedAway: self._turned_away,
            events.QueueVisitEnded: self._visit_ended,
            events.ContactIdentified: self._identified,
            events.VisitWidened: self._visit_widened,
            events.VisitRevised: self._visit_revised,
            events.OfferMade: self._offer_made,
            events.OfferWidened: self._offer_widened,
            **dict.fromkeys(
                (events.OfferDelivered, events.OfferAcceptRequested, events.OfferRejectRequested),
                self._of_offer_or_consult,
            ),
            events.OfferAnswered: self._of_offer,
            events.OfferAccepted: self._offer_accepted,
            events.OfferExtended: self._offer_extended,
            events.OfferDeclined: self._offer_declined,
            events.OfferRejected: closed,
            events.OfferTimedOut: closed,
            events.OfferWithdrawn: closed,
            events.OfferFailed: closed,
            events.ContactConnected: self._connected,
            events.NumberAnnounced: self._announced,
            events.HoldRequested: self._of_segment,
            events.ResumeRequested: self._of_segment,
            events.HoldFailed: self._of_segment,
            events.ContactHeld: self._of_segment,
            events.ContactResumed: self._of_segment,
            events.HangUpRequested: self._hang_up_requested,
            events.AgentSegmentEnded: self._segment_ended,
            events.CallerParked: self._parked,
            events.LegClosed: self._leg_closed,
            events.LegOverdue: self._leg_overdue,
            events.ContactEnded: self._ended,
            UnattendedCallEnded: self._served_by_switch,
            UnattendedCallLost: self._lost_with_switch,
            **outward.handlers(books, self._leave),
            **dials.handlers(books, self._leave),
            **consults.handlers(books),
            **guests.handlers(books),
            **monitors.handlers(books),
            **masks.handlers(books),
            **parks.handlers(books),
            **dict.fromkeys(speaking.OF_VOICE, self._of_segment),
            events.ContactPicked: self._picked,
            events.ContactMoved: self._moved,
            events.ContactReprioritised: self._reprioritised,
            transfer_events.ContactTransferred: self._transferred,
            events.OverflowDeferred: self._overflow_deferred,
            events.PlaceTold: self._place_told,
            events.PlaceDeferred: self._place_deferred,
            events.AnswerRequested: self._answer_requested,
            events.NuisanceMarked: self._nuisance_marked,
        }

    def see(self, record: Record) -> None:
        """Follow one event of a contact's stream."""
        ident = ident_of(record.stream)
        event = record.event
        contact = self._live.get(ident)
        if contact is None:
            if isinstance(event, events.ContactArrived | ContactDialled):
                self._books.counts.contacts += 1
                self._books.counts.legs += isinstance(event, events.ContactArrived)
                self._books.counts.dialled += isinstance(event, ContactDialled)
                contact = self._live[ident] = Contact(ident, event, record, self._books.place)
                self._touched[ident] = contact
            else:
                self._books.complain("beginning", f"{type(event).__name__} of a contact that never arrived")
            return
        contact.last = record
        contact.place = self._books.place
        handler = self.handlers.get(type(event))
        if handler is not None:
            handler(contact, event)
            self._touched[ident] = contact
        elif isinstance(event, events.ContactArrived | ContactDialled):
            self._books.complain("ends_once", "the contact begins a second time")

    # --- the queue ------------------------------------------------------------------------------------------------
    def _queued(self, contact: Contact, event: events.ContactQueued) -> None:
        if contact.visit:
            self._books.complain("visit", f"queued again while visit {contact.visit} is open")
        if contact.leaving:
            self._books.complain("visit", "queued though it is leaving")
        parks.queued(self._books, contact, event)
        dials.queued(self._books, contact)
        if event.came_at and (contact.queued or event.came_at != contact.came_at):
            self._books.complain("visit", "its wait is measured from when the caller had not come, or a second time")
        if not contact.queued:
            contact.queued = True
            self._books.counts.queued_contacts += 1
        if contact.moved_to and (event.queue_id, event.waiting_since) != (contact.moved_to, contact.waiting_since):
            self._books.complain("by_hand", f"moved to {contact.moved_to}, but waits in {event.queue_id}, or anew")
        contact.moved_to = ""
        contact.waits_again = False
        transfer = contact.passed_on
        if transfer is not None and (transfer.visit_id, transfer.queue_id) != (event.visit_id, event.queue_id):
            self._books.complain("transfer", f"passed on into {transfer.queue_id}, and waits in {event.queue_id}")
        if transfer is not None and transfer.to == QUEUE:
            contact.passed_on = None
        contact.visit = event.visit_id
        contact.visit_due = event.leave_by
        contact.waiting_since = event.waiting_since or self._books.record.about.at
        contact.overflowed = False
        self._check_hops(event.hops)
        if any(hop.queue_id == event.queue_id for hop in event.hops):
            self._books.complain("overflow", f"comes back to {event.queue_id}, where it was or could not enter")
        contact.steps = len(event.steps)
        contact.step = -1 if event.known_by else 0
        contact.step_due = event.known_by or Instant(0)
        if not event.known_by and event.steps and event.steps[0].until_ms:
            contact.step_due = Instant(self._books.record.about.at + event.steps[0].until_ms * MILLISECOND)

    def _visit_widened(self, contact: Contact, event: events.VisitWidened) -> None:
        if contact.visit != event.visit_id:
            self._books.complain("visit", f"visit {event.visit_id} widens, but {contact.visit or 'none'} is open")
        elif event.step != contact.step + 1:
            self._books.complain("visit", f"step {event.step} begins after step {contact.step}")
        elif event.step and event.step >= contact.steps:
            self._books.complain("visit", f"step {event.step} begins, and there are {contact.steps} in all")
        contact.step = event.step
        contact.step_due = event.until

    def _visit_revised(self, contact: Contact, event: events.VisitRevised) -> None:
        if contact.visit != event.visit_id:
            self._books.complain("visit", f"visit {event.visit_id} is revised, but {contact.visit or 'none'} is open")
        contact.steps = len(event.steps)
        contact.step = min(contact.step, max(contact.steps - 1, 0))
        contact.step_due = event.until

    def _visit_ended(self, contact: Contact, event: events.QueueVisitEnded) -> None:
        if contact.visit != event.visit_id:
            self._books.complain("visit", f"visit {event.visit_id} ends, but {contact.visit or 'none'} is open")
        elif event.outcome == "timed_out":
            self._books.check_deadline(contact.visit_due, "the end of the wait")
        elif event.outcome == "overflowed":
            self._books.counts.overflows += 1
            contact.overflowed = not contact.leaving and contact.outside is None
        contact.visit = ""

    def _entry_point_missing(self, _contact: Contact, _event: events.EntryPointMissing) -> None:
        self._books.counts.alarms += 1

    def _turned_away(self, contact: Contact, event: events.ContactTurnedAway) -> None:
        books = self._books
        counted = books.counts.turned_away_by_reason
        counted[event.reason] = counted.get(event.reason, 0) + 1
        if event.reason in _AT_THE_DOOR and contact.queued:
            books.complain("admission", f"turned away as {event.reason} though it was let in")
        self._check_hops(event.hops)
        contact.overflowed = False
        self._leave(contact)

    def _check_hops(self, hops: tuple[events.Hop, ...]) -> None:
        if len(hops) > MOST_HOPS + 1:
            self._books.complain("overflow", f"sent on {len(hops)} times; {MOST_HOPS} are the most")
        if len({hop.queue_id for hop in hops}) < len(hops):
            self._books.complain("overflow", "sent to the same queue twice")

    def _overflow_deferred(self, contact: Contact, event: events.OverflowDeferred) -> None:
        if not contact.visit:
            self._books.complain("overflow", "looked at for overflow though it waits in no queue")
        if 0 < event.again_at <= self._books.record.about.at:
            self._books.complain("overflow", "to be looked at again at a time that is over")

    def _place_told(self, contact: Contact, event: events.PlaceTold) -> None:
        books = self._books
        if not contact.visit or contact.leaving:
            books.complain("place_told", "told a place though it waits in no queue")
        if contact.callback is not None or contact.outside is not None:
            books.complain("place_told", "told a place though nobody is on the line, or a number outside is called")
        if contact.offer is not None and contact.offer.accepted:
            books.complain("place_told", "told a place though an agent has picked up")
        if contact.node not in books.in_step:
            books.complain("place_told", f"told a place though nobody has looked who is still on {contact.node}")
        if event.position < 1:
            books.complain("place_told", f"told place {event.position}; the first one is 1")
        self._place_deferred(contact, event)

    def _place_deferred(self, contact: Contact, event: events.PlaceTold | events.PlaceDeferred) -> None:
        if not contact.visit:
            self._books.complain("place_told", "to be told a place though it waits in no queue")
        if 0 < event.again_at <= self._books.record.about.at:
            self._books.complain("place_told", "to be told its place again at a time that is over")

    def _answer_requested(self, contact: Contact, _event: events.AnswerRequested) -> None:
        if not contact.visit:
            self._books.complain("answer", "to be answered though it waits in no queue")

    def _nuisance_marked(self, contact: Contact, _event: events.NuisanceMarked) -> None:
        if contact.segment is None:
            self._books.complain("segment", "marked as a nuisance by nobody who talks with it")

    def _identified(self, contact: Contact, _event: events.ContactIdentified) -> None:
        if contact.identified:
            self._books.complain("identified", "identified a second time")
        contact.identified = True

    # --- the offer ------------------------------------------------------------------------------------------------
    def _offer_made(self, contact: Contact, event: events.OfferMade) -> None:
        books = self._books
        books.counts.offers += 1
        if contact.offer is not None:
            books.complain("offer", f"offered again while offer {contact.offer.offer_id} is open")
        if contact.segment is not None:
            books.complain("offer", "offered while it talks with an agent")
        if contact.outside is not None:
            books.complain("offer", "offered while a number outside is called for it")
        if contact.callback is not None and contact.callback.again_at:
            books.complain("callback", "offered while its customer is to be left in peace")
        if contact.leaving:
            books.complain("offer", "offered though the caller is leaving or gone")
        if contact.node not in books.in_step and contact.handed_to is None and contact.taken_by is None:
            books.complain("offer", f"offered though nobody has looked who is still on {contact.node}")
        if contact.visit != event.visit_id:
            books.complain("offer", f"offered in visit {event.visit_id}, but {contact.visit or 'none'} is open")
        if not event.reservations:
            books.complain("offer", "an offer to nobody")
        if event.deadline <= books.record.about.at:
            books.complain("offer", "an offer without time to answer it")
        if (contact.picked_for or "") != (event.reservations[0].shift_id if event.by_hand else ""):
            books.complain("by_hand", f"picked for {contact.picked_for or 'nobody'}, and offered otherwise")
        contact.picked_for = ""
        if contact.passed_on is not None:
            if event.reservations and event.reservations[0].agent_id != contact.passed_on.to_agent:
                books.complain("transfer", "passed on to one agent, and offered to another")
            contact.passed_on = None
        contact.offer = Offer(event)
        self._ring(contact, event)

    def _ring(self, contact: Contact, event: events.OfferMade | events.OfferWidened) -> None:
        books = self._books
        by_hand = isinstance(event, events.OfferMade) and event.by_hand
        for held in event.reservations:
            if contact.handed_to is not None and contact.handed_to.leg == held.leg:
                if contact.handed_to.consult_id != event.offer_id:
                    books.complain("consult", f"consulted as {contact.handed_to.consult_id}, and offered otherwise")
                contact.handed_to = None
                continue
            if contact.taken_by is not None and contact.taken_by.leg == held.leg:
                if contact.taken_by.monitor_id != event.offer_id:
                    books.complain("monitor", f"monitored as {contact.taken_by.monitor_id}, and offered otherwise")
                contact.taken_by = None
                continue
            if not by_hand and (others := sorted(books.held.get(held.shift_id, ()))):
                books.complain("capacity", f"shift {held.shift_id} is offered one more though it has {others[0]}")
            if held.leg in contact.legs:
                books.complain("leg", f"leg {held.leg} is used twice")
            if held.at_desk and contact.offer is not None:
                contact.offer.unrung.add(held.leg)
            else:
                contact.legs.add(held.leg)
                books.counts.legs += 1
            books.hold(held.shift_id, contact.ident, event.offer_id)
            books.owe(held.shift_id, "reservation", event.offer_id)

    # --- by hand --------------------------------------------------------------------------------------------------
    def _picked(self, contact: Contact, event: events.ContactPicked) -> None:
        if not contact.visit or contact.offer is not None:
            self._books.complain("by_hand", "picked though it does not wait for an offer")
        contact.picked_for = event.shift_id

    def _moved(self, contact: Contact, event: events.ContactMoved) -> None:
        if contact.visit or contact.offer is not None or contact.leaving:
            self._books.complain("by_hand", "moved before it left its queue, or though it is leaving")
        if event.from_queue == event.to_queue:
            self._books.complain("by_hand", f"moved from {event.from_queue} to where it was")
        contact.moved_to = event.to_queue

    def _reprioritised(self, contact: Contact, event: events.ContactReprioritised) -> None:
        if contact.visit != event.visit_id:
            self._books.complain("by_hand", "made more or less urgent though it does not wait")
        if contact.given != event.was:
            self._books.complain("by_hand", f"had {contact.given} points, not {event.was}")
        contact.given = event.given

    def _offer_widened(self, contact: Contact, event: events.OfferWidened) -> None:
        offer = self._open_offer(contact, event)
        if offer is None:
            return
        if offer.accepted:
            self._books.complain("offer", "one more phone rings though somebody has answered")
        self._books.check_deadline(offer.due, "one more phone for the offer")
        offer.deadline = offer.due = event.deadline
        offer.reservations |= {held.leg: held.shift_id for held in event.reservations}
        self._ring(contact, event)

    def _open_offer(self, contact: Contact, event: _OfOffer) -> Offer | None:
        offer = contact.offer
        if offer is None or offer.offer_id != event.offer_id:
            open_one = offer.offer_id if offer is not None else "none"
            name = type(event).__name__
            self._books.complain("offer", f"{name} of offer {event.offer_id}, but {open_one} is open")
            return None
        return offer

    def _of_offer_or_consult(
        self,
        contact: Contact,
        event: events.OfferDelivered | events.OfferAcceptRequested | events.OfferRejectRequested,
    ) -> None:
        consult = contact.guests.get(event.offer_id, contact.consult)
        if consult is None or (consult.consult_id, consult.leg) != (event.offer_id, event.leg):
            self._of_offer(contact, event)
            if isinstance(event, events.OfferAcceptRequested):
                self._rung_at_last(contact, event.leg)
        elif consult.over or consult.shift_id != event.shift_id:
            self._books.complain("consult", f"{type(event).__name__} of somebody who is not consulted")

    def _rung_at_last(self, contact: Contact, leg: str) -> None:
        if contact.offer is not None and leg in contact.offer.unrung:
            contact.offer.unrung.remove(leg)
            contact.legs.add(leg)
            self._books.counts.legs += 1

    def _of_offer(self, contact: Contact, event: _OfLeg) -> None:
        offer = self._open_offer(contact, event)
        if offer is not None and offer.reservations.get(event.leg) != event.shift_id:
            self._books.complain("offer", f"{type(event).__name__} of leg {event.leg}, which the offer does not ring")

    def _offer_accepted(self, contact: Contact, event: events.OfferAccepted) -> None:
        self._of_offer(contact, event)
        if contact.offer is not None:
            self._books.check_deadline(contact.offer.due, "the answer to the offer")
            contact.offer.due = event.connect_by
            contact.offer.accepted = event.leg

    def _offer_extended(self, contact: Contact, event: events.OfferExtended) -> None:
        offer = self._open_offer(contact, event)
        if offer is not None:
            self._books.check_deadline(offer.due, "more time for the offer")
            offer.due = event.until

    def _offer_declined(self, contact: Contact, event: events.OfferDeclined) -> None:
        self._of_offer(contact, event)
        self._books.counts.declined_reservations += 1
        if contact.offer is not None and contact.offer.reservations.pop(event.leg, None) is not None:
            self._release(contact, event.leg, event.shift_id, event.offer_id)
            if event.leg == contact.offer.accepted:
                # The others have the time that they had; if it is over, the offer closes now.
                contact.offer.accepted = ""
                contact.offer.due = max(contact.offer.deadline, self._books.record.about.at)

    def _offer_closed(self, contact: Contact, event: events.OfferClosed) -> None:
        outcome = _OUTCOMES[type(event)]
        counted = self._books.counts.offers_by_outcome
        counted[outcome] = counted.get(outcome, 0) + 1
        offer = self._open_offer(contact, event)
        if offer is None:
            return
        self._books.check_deadline(offer.due, "the end of the offer")
        contact.offer = None
        if contact.callback is not None:
            outward.let_go(contact, contact.callback.leg, self._books.record.about.at)
        # A wait that is over while somebody's phone rings ends when nobody's does.
        contact.visit_due = max(contact.visit_due, self._books.record.about.at)
        for leg, shift in offer.reservations.items():
            self._release(contact, leg, shift, offer.offer_id)

    def _release(self, contact: Contact, leg: str, shift: str, offer_id: str) -> None:
        self._books.let_go(shift, contact.ident)
        self._books.owe(shift, "release", offer_id)
        if leg in contact.legs:
            contact.unwanted.setdefault(leg, self._books.record.about.at)

    # --- the conversation -----------------------------------------------------------------------------------------
    def _connected(self, contact: Contact, event: events.ContactConnected) -> None:
        books = self._books
        counted = books.counts.offers_by_outcome
        counted["connected"] = counted.get("connected", 0) + 1
        books.counts.segments += 1
        offer = self._open_offer(contact, event)
        if offer is not None:
            if offer.reservations.get(event.leg) != event.shift_id:
                books.complain("offer", f"connected to leg {event.leg}, which the offer does not ring")
            books.check_deadline(offer.due, "the connection")
            if others := sorted(offer.reservations.keys() - {event.leg}):
                books.complain("offer", f"connected while the phones of {', '.join(others)} still belong to the offer")
        if contact.segment is not None:
            books.complain("segment", "connected to a second agent")
        if contact.callback is not None:
            books.complain("callback", "connected though the customer has not answered")
        dials.connected(books, contact)
        if contact.leaving:
            books.complain("segment", "connected though the caller is leaving or gone")
        contact.offer = None
        contact.segment = Segment(event)
        books.hold(event.shift_id, contact.ident, event.segment_id)
        books.owe(event.shift_id, "connection", event.offer_id)

    def _of_segment(self, contact: Contact, event: _OfSegment) -> None:
        if contact.segment is None or contact.segment.segment_id != event.segment_id:
            self._books.complain("segment", f"{type(event).__name__} of a conversation that is not going on")

    def _announced(self, contact: Contact, event: events.NumberAnnounced) -> None:
        self._of_segment(contact, event)
        if contact.segment is not None:
            if contact.segment.announced:
                self._books.complain("announced", "the caller is told the agent's number a second time")
            contact.segment.announced = True

    def _segment_ended(self, contact: Contact, event: events.AgentSegmentEnded) -> None:
        self._of_segment(contact, event)
        segment = contact.segment
        contact.segment = None
        if (event.ended_by == TRANSFER) != (contact.passed_on is not None):
            self._books.complain("transfer", f"a conversation ends by {event.ended_by} and is passed on, or neither")
        if contact.monitor is not None:
            self._books.complain("monitor", "a conversation ends, and somebody monitors it still")
        consult, contact.consult = contact.consult, None
        if consult is not None and not consult.over:
            contact.handed_to = consult
        if (event.ended_by == PARKED) != (contact.parked is not None):
            self._books.complain("park", f"a conversation ends by {event.ended_by} and is parked, or neither")
        if contact.guests and not contact.room_kept:
            self._books.complain("guest", "a conversation ends, and somebody is still in conference about it")
        contact.room_kept, contact.apart = False, None
        if event.ended_by == PHONE_LOST:
            if event.cause not in WITH_THE_SWITCH:
                self._books.complain("phone_lost", f"a phone is lost with its switch, by {event.cause}")
            contact.waits_again = contact.parking = True
        if event.ended_by not in (TRANSFER, PARKED, PHONE_LOST):
            self._leave(contact)
        elif segment is not None:
            outward.let_go(contact, segment.leg, self._books.record.about.at)
        if segment is not None:
            self._books.let_go(segment.shift_id, contact.ident)
            self._books.owe(segment.shift_id, "wrap-up", segment.segment_id)

    def _transferred(self, contact: Contact, event: transfer_events.ContactTransferred) -> None:
        books, segment = self._books, contact.segment
        books.counts.transfers += 1
        if segment is None or (segment.segment_id, segment.shift_id) != (event.segment_id, event.shift_id):
            books.complain("transfer", "passed on from a conversation that is not going on")
        if event.taken != (contact.taken_by is not None):
            books.complain("monitor", "a caller is taken over by nobody who monitored the talk, or passed on by them")
        contact.passed_on = event
        contact.parking = True

    def _parked(self, contact: Contact, event: events.CallerParked) -> None:
        if event.leg != contact.caller or not contact.parking:
            self._books.complain("leg", f"leg {event.leg} is parked anew, which nobody told to")
        contact.parking = False

    # --- the end --------------------------------------------------------------------------------------------------
    def _hang_up_requested(self, contact: Contact, _event: events.HangUpRequested) -> None:
        self._leave(contact)

    def _leave(self, contact: Contact) -> None:
        contact.leaving = True
        contact.callback = None
        for leg in contact.legs:
            contact.unwanted.setdefault(leg, self._books.record.about.at)

    def _leg_closed(self, contact: Contact, event: events.LegClosed) -> None:
        self._books.counts.legs_closed += 1
        if event.repair:
            self._books.counts.legs_closed_by_repair += 1
        if event.repair == "switch_dead" and contact.node in self._books.node_up_since:
            self._books.complain("leg", f"leg {event.leg} closes with its switch, and {contact.node} is connected")
        if event.leg not in contact.legs:
            self._books.complain("leg", f"leg {event.leg} closes, which is not open")
            return
        contact.legs.remove(event.leg)
        since = contact.unwanted.pop(event.leg, None)
        if since is not None:
            up_since = self._books.node_up_since.get(contact.node, self._books.record.about.at)
            self._books.check_deadline(Instant(max(since, up_since) + LEG_LIMIT), f"the end of leg {event.leg}")
        if event.leg == contact.caller:
            contact.caller_gone = True
            self._leave(contact)

    def _leg_overdue(self, contact: Contact, event: events.LegOverdue) -> None:
        if strange := sorted(set(event.legs) - contact.legs):
            self._books.complain("leg", f"asked after {', '.join(strange)}, which are not open")

    def _served_by_switch(self, contact: Contact, event: UnattendedCallEnded) -> None:
        if not contact.unattended:
            self._books.complain("unattended", "served by its switch though it was decided about here")
        if not event.arrived_at <= (event.joined_at or event.ended_at) <= event.ended_at:
            self._books.complain("unattended", "it ended before it began")
        self._books.counts.unattended += 1

    def _lost_with_switch(self, contact: Contact, event: UnattendedCallLost) -> None:
        if not contact.unattended:
            self._books.complain("unattended", "taken by its switch though it was decided about here")
        if event.arrived_at > event.taken_at:
            self._books.complain("unattended", "it was taken before it arrived")
        self._books.counts.unattended += 1
        self._books.counts.unattended_lost += 1

    def _anything(self, _contact: Contact, _event: Event) -> None:
        """Allowed at any time before the end."""

    def _ended(self, contact: Contact, event: events.ContactEnded) -> None:
        books = self._books
        counts = books.counts
        counts.ended_contacts += 1
        counts.ended_queued_contacts += contact.queued
        counts.ended_by_reason[event.reason] = counts.ended_by_reason.get(event.reason, 0) + 1
        for text in self._left_open(contact, legs=True):
            books.complain("open_at_end", f"ended with {text}")
        for shift in contact.offer.reservations.values() if contact.offer is not None else ():
            books.let_go(shift, contact.ident)
        if contact.segment is not None:
            books.let_go(contact.segment.shift_id, contact.ident)
        if contact.consult is not None and contact.consult.shift_id:
            books.let_go(contact.consult.shift_id, contact.ident)
        for guest in contact.guests.values():
            books.let_go(guest.shift_id, contact.ident)
        del self._live[contact.ident]
        books.end_stream()

    def _left_open(self, contact: Contact, *, legs: bool) -> Iterator[str]:
        if legs and contact.legs:
            yield f"legs {', '.join(sorted(contact.legs))} open"
        if contact.visit:
            yield f"queue visit {contact.visit} open"
        if contact.offer is not None:
            yield f"offer {contact.offer.offer_id} open"
        if contact.segment is not None:
            yield f"conversation {contact.segment.segment_id} open"
        if contact.consult is not None and not contact.consult.over:
            yield f"consultation {contact.consult.consult_id} open"
        for ident in contact.guests:
            yield f"guest {ident} in conference"
        if contact.monitor is not None:
            yield f"monitoring {contact.monitor.monitor_id} open"
        if contact.parked is not None:
            yield f"parked at place {contact.parked.place}"
        if contact.outside is not None:
            yield f"{'conversation' if contact.outside.segment_id else 'call'} outside open"
        if legs and contact.masked:
            yield f"{contact.masked} masked"

    def end_step(self) -> None:
        """A decision is over. A caller who is gone is in no queue, offer or conversation; one whom we send away is in
        no queue or offer.
        """
        for contact in self._touched.values():
            if contact.ident not in self._live:
                continue
            if contact.moved_to or contact.picked_for:
                self._note(contact, "half_done", "picked or moved by hand, and neither offered nor queued")
                contact.moved_to = contact.picked_for = ""
            if contact.parks_in:
                self._note(contact, "half_done", "not at its place any more, and came nowhere")
                contact.parks_in = ""
            if contact.passed_on is not None:
                self._note(contact, "half_done", "passed on by its agent, and came nowhere")
                contact.passed_on = None
            if contact.waits_again:
                self._note(contact, "half_done", "without its agent, whose phone was lost, and came nowhere")
                contact.waits_again = False
            if contact.handed_to is not None:
                self._note(contact, "half_done", "left to whoever was consulted, and is not offered to them")
                contact.handed_to = None
            if contact.taken_by is not None:
                self._note(contact, "half_done", "taken over by a supervisor, and not offered to them")
                contact.taken_by = None
            if contact.consult is not None and contact.consult.over and not contact.consult.due and not contact.leaving:
                self._note(contact, "half_done", "nobody is consulted any more, and the caller is left alone")
            if contact.guests and (contact.consult is None or contact.consult.over):
                self._note(contact, "half_done", "guests of a conference that is over")
            if contact.overflowed:
                self._note(contact, "half_done", "it left a queue for another place and came nowhere")
            if contact.dial is not None and contact.offer is None and not contact.leaving:
                self._note(contact, "half_done", "dialled by an agent whose phone is not rung, and it goes on")
            if not contact.leaving:
                continue
            for text in self._left_open(contact, legs=False):
                if contact.caller_gone or not text.startswith("conversation"):
                    self._note(contact, "half_done", f"the caller is leaving or gone, but there is {text}")
        self._touched.clear()

    def finish(self, clock: Instant, live: Live, *, settled: bool) -> None:
        """The log is over: count what is open; what is overdue, or open though all should be settled, is a problem."""
        slack = self._books.slack
        for contact in self._live.values():
            live.contacts += 1
            live.queued_contacts += contact.queued
            live.legs += len(contact.legs)
            live.segments += contact.segment is not None
            if contact.offer is not None:
                live.offers += 1
                self._if_late(contact, contact.offer.due, clock, f"offer {contact.offer.offer_id}")
            elif contact.outside is not None and not contact.outside.segment_id:
                self._if_late(contact, contact.outside.due, clock, "the call to a number outside")
            elif contact.visit and (contact.node in self._books.in_step or contact.callback is not None):
                self._if_late(contact, contact.visit_due, clock, f"queue visit {contact.visit}")
                if contact.step_due:
                    self._if_late(contact, contact.step_due, clock, f"step {contact.step} of visit {contact.visit}")
            if contact.parked is not None:
                self._if_late(contact, contact.parked.until, clock, f"parked at place {contact.parked.place}")
            if contact.consult is not None and contact.consult.due:
                self._if_late(contact, contact.consult.due, clock, f"consultation {contact.consult.consult_id}")
            for ident, guest in contact.guests.items():
                if guest.due:
                    self._if_late(contact, guest.due, clock, f"guest {ident}")
            if contact.apart is not None and contact.apart.due:
                self._if_late(contact, contact.apart.due, clock, f"the agent alone with guest {contact.apart.guest_id}")
            if contact.monitor is not None and contact.monitor.due:
                self._if_late(contact, contact.monitor.due, clock, f"monitoring {contact.monitor.monitor_id}")
            if contact.callback is not None and contact.callback.again_at:
                self._if_late(contact, contact.callback.again_at, clock, "the peace after a try")
            up_since = self._books.node_up_since.get(contact.node)
            for leg, since in contact.unwanted.items():
                if up_since is not None and clock > max(since, up_since) + LEG_LIMIT + slack:
                    self._note(contact, "overdue", f"leg {leg} is open though its reason went {_ms(clock - since)} ago")
            if settled:
                self._note(contact, "unsettled", "the contact has not ended")

    def _if_late(self, contact: Contact, due: Instant, clock: Instant, what: str) -> None:
        if clock > due + self._books.slack:
            self._note(contact, "overdue", f"{what} is still open {_ms(clock - due)} after its time")

    def _note(self, contact: Contact, rule: str, text: str) -> None:
        self._books.note(problem(rule, contact.last, contact.place, text))


def _ms(duration: int) -> str:
    return f"{duration // MILLISECOND} ms"
