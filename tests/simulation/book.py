"""What the records of a log say, kept from its first to its last, and the rules that need nothing else."""

from orchestrator.domain.contacts import consult_events as e
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import dial_events as d
from orchestrator.domain.contacts import monitor_events as m
from orchestrator.domain.contacts import outward_events as o
from orchestrator.domain.contacts.guest_events import GuestInvited
from orchestrator.domain.contacts.park_events import ContactParked, ParkEnded
from orchestrator.domain.contacts.transfers import PHONE_LOST
from orchestrator.domain.kernel import MILLISECOND, Event, Record, ident_of, kind_of
from orchestrator.domain.staff import presence as p
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.switch import nodes as n
from orchestrator.domain.switch.causes import LOSE_RACE, ORIGINATOR_CANCEL
from tests.simulation.phones import Heard
from tests.simulation.rules import Broken

# So often may an agent be rung for one contact within one cool-down: offers are taken back where a switch or an engine
# is lost, a phone moves, or the caller is put through to another queue.
_RINGS_AT_ONCE = 6


class Book:
    """What the records alone say: kept from the first to the last record of a log."""

    def __init__(self, *, cool_down_ms: int, lines: int) -> None:
        self._cool_down = cool_down_ms * MILLISECOND
        self._lines = lines
        self._versions: dict[str, int] = {}
        self._caller_legs: dict[str, str] = {}
        self._legs: dict[str, dict[str, None]] = {}
        self._home: dict[str, str] = {}
        """The switch of each contact."""
        self._drained: dict[str, None] = {}
        self._kept_out: dict[str, None] = {}
        """Contacts that came in though their switch is drained."""
        self._visits: dict[str, str] = {}
        self._unrung: set[str] = set()
        """Legs that there are once the desk has accepted."""
        self._offers: dict[str, str] = {}
        self._ended: dict[str, str] = {}
        self._in_hand: dict[str, dict[str, str]] = {}
        """Of each shift: its contacts, each with the offer that brought it."""
        self._owed: dict[str, str] = {}
        """Segments that ended or go on, each with its shift, until their wrap-up has begun."""
        self._picked: dict[str, str] = {}
        self._cooling: dict[str, int] = {}
        self._refused: set[tuple[str, str]] = set()
        """Offers, each with a shift whose phone refused it, or none where it was the last."""
        self._rung: dict[tuple[str, str], list[int]] = {}
        """When each shift was reserved for a contact, as long ago as a cool-down lasts."""
        self._wrapping: dict[str, int] = {}
        self._deadlines: dict[str, int] = {}
        self._peace: dict[str, int] = {}
        self._missed: dict[str, int] = {}
        self._tries: dict[str, int] = {}
        self._dialled: dict[str, str] = {}
        """What became of each contact that an agent dials: called, or how it ended; until the two talk."""
        self.heard = Heard()
        self.last_contact: dict[str, str] = {}
        """The contact with which each shift last talked."""
        self.desk_due: dict[str, int] = {}
        """When the grace of a lost desk is over, of every shift whose desk is lost or absent."""
        self.places: dict[str, int] = {}
        """The order of queueing."""
        self.since: dict[str, int] = {}
        """Since when whoever queues has waited, by the log."""
        self._queued = 0
        self.come_back: set[str] = set()
        """Visits of callers who were let in before, and parked meanwhile."""
        self.waits_since: dict[str, int] = {}
        """Since when each contact waits, or waits again after its offer got nowhere."""
        self.phone_lost_at: dict[str, int] = {}
        """When each caller lost the agent with the phone's switch."""
        self.talks_since: dict[str, int] = {}
        """Since when each caller talks with the agent, by the log, or talks again after a consultation."""
        self.place_due: dict[str, int] = {}
        """When each contact is to be told its place."""
        self.ring_due: dict[str, int] = {}
        """When one more phone is to be rung for the open offer of each contact."""
        self.offer_due: dict[str, int] = {}
        """When the open offer of each contact must have moved on."""

    def note(self, record: Record) -> None:
        """Take one more record. Raises `Broken`."""
        stream, event = record.stream, record.event
        if stream in self._ended:
            raise Broken("ends_once", f"{type(event).__name__} follows the end of {stream}")
        expected = self._versions.get(stream, 0) + 1
        if record.version != expected:
            raise Broken("versions", f"{stream} is at {expected - 1} and got version {record.version}")
        self._versions[stream] = record.version
        match kind_of(stream):
            case "contact":
                self._contact(stream, record)
            case "shift":
                self._shift(ident_of(stream), record)
            case "node":
                if not self.heard.note(ident_of(stream), event):
                    raise Broken("phones_told", f"{event} tells nothing new")
                if isinstance(event, n.NodeDrained):
                    self._drained[ident_of(stream)] = None
                elif isinstance(event, n.NodeUndrained):
                    self._drained.pop(ident_of(stream), None)

    def finish(self) -> None:
        """The log is complete: every contact has ended."""
        for stream in (*self.places, *self._dialled):
            if stream not in self._ended:
                raise Broken("ends_once", f"{stream} was queued or dialled, and has not ended")

    def _contact(self, stream: str, record: Record) -> None:
        if isinstance(
            record.event, c.ContactQueued | c.OfferClosed | c.OfferDeclined | o.OutsideMissed | ContactParked
        ):
            self.waits_since[stream] = record.about.at
        if isinstance(record.event, c.AgentSegmentEnded) and record.event.ended_by == PHONE_LOST:
            self.phone_lost_at[stream] = record.about.at
        if isinstance(record.event, c.ContactConnected | e.ConsultJoined | e.ContactRejoined):
            self.talks_since[stream] = record.about.at
        self._tell_place(stream, record.event)
        match record.event:
            case ParkEnded() as event:
                self.come_back.add(event.visit_id)
            case c.ContactArrived() as event:
                if event.leg in self._caller_legs:
                    raise Broken("one_contact_per_call", f"{event.leg} is {self._caller_legs[event.leg]} and {stream}")
                self._caller_legs[event.leg] = stream
                self._home[stream] = event.node
                if event.node in self._drained and event.found == "live":
                    self._kept_out[stream] = None
                self._legs[stream] = {event.leg: None}
            case d.ContactDialled() as event:
                self._home[stream] = event.node
                self._legs[stream] = {}
                self._picked[stream] = event.shift_id
                self._dialled[stream] = ""
            case d.NumberDialled() as event:
                if self._dialled[stream]:
                    raise Broken("dialled", f"{stream} is called a second time, after {self._dialled[stream]}")
                self._dialled[stream] = "called"
                self._legs[stream][event.leg] = None
                self.offer_due[stream] = event.answer_by
            case d.NumberAnswered() as event:
                self.offer_due[stream] = event.connect_by
            case d.DialEnded() as event:
                self._dialled[stream] = event.outcome
            case c.ContactQueued() if stream in self._dialled:
                raise Broken("dialled", f"{stream} is queued, and the two have not talked")
            case c.ContactQueued() as event:
                if stream in self._kept_out:
                    raise Broken("door", f"{stream} is let in by a switch that is drained")
                self._queued += 1
                self.places[stream] = self._queued
                self.since[stream] = event.waiting_since or record.about.at
                if stream in self._visits:
                    raise Broken("ends_once", f"{stream} is queued twice")
                self._visits[stream] = event.visit_id
            case o.CallbackMoved() as event:
                self._home[stream] = event.node
            case c.QueueVisitEnded() as event:
                if self._visits.pop(stream, "") != event.visit_id:
                    raise Broken("ends_once", f"{stream} ends a visit that is not open")
            case c.ContactPicked() as event:
                self._picked[stream] = event.shift_id
            case c.ContactConnected() as event:
                self._owed[event.segment_id] = event.shift_id
                self._close_offer(stream, event.offer_id)
                self._dialled.pop(stream, None)
            case c.OfferMade() as event:
                if self._picked.pop(stream, "") != (event.reservations[0].shift_id if event.by_hand else ""):
                    raise Broken("by_hand", f"{stream} is offered otherwise than it was picked")
                if stream in self._offers:
                    raise Broken("reservations", f"{stream} is offered while an offer is open")
                self._offers[stream] = event.offer_id
                self.offer_due[stream] = self._deadlines[stream] = event.deadline
                self._ring(stream, event)
            case c.OfferWidened() as event:
                if self._offers.get(stream) != event.offer_id:
                    raise Broken("reservations", f"{stream} widens an offer that is not open")
                self.offer_due[stream] = self._deadlines[stream] = event.deadline
                self._ring(stream, event)
            case c.OfferAcceptRequested() as event if event.leg in self._unrung:
                self._unrung.remove(event.leg)
                self._legs[stream][event.leg] = None
            case c.OfferAccepted() as event:
                self.ring_due.pop(stream, None)
                self.offer_due[stream] = event.connect_by
            case c.OfferExtended() as event:
                self.offer_due[stream] = event.until
            case c.OfferDeclined() as event:
                self._note_refusal(event)
                self.offer_due[stream] = max(self.offer_due[stream], self._deadlines[stream])
            case c.OfferClosed() as event:
                self._note_refusal(event)
                self._close_offer(stream, event.offer_id)
            case o.CallbackAsked() as event:
                self._tries[stream], self._missed[stream] = event.tries, 0
            case o.CallbackDialled() as event:
                self._legs[stream][event.leg] = None
                self.offer_due[stream] = event.answer_by
                if record.about.at < self._peace.get(stream, 0):
                    raise Broken(
                        "left_in_peace", f"{stream} is called {self._peace[stream] - record.about.at} µs early"
                    )
                if self._missed.get(stream, 0) >= self._tries[stream]:
                    raise Broken("left_in_peace", f"{stream} was called in vain {self._missed[stream]} times already")
            case o.CallbackMissed() as event:
                self._peace[stream] = event.again_at
                self._missed[stream] = self._missed.get(stream, 0) + event.counted
            case o.CallbackAnswered() as event:
                self.offer_due[stream] = event.connect_by
            case o.OutsideDialled() | e.ConsultAsked() | GuestInvited() as event:
                self._legs[stream][event.leg] = None
            case m.MonitorAsked() as event:
                self._legs[stream][event.reservation.leg] = None
            case c.LegClosed() as event:
                if event.leg not in self._legs[stream]:
                    raise Broken("leg_after_contact", f"{stream} closes {event.leg}, which is not open")
                del self._legs[stream][event.leg]
            case c.ContactEnded() as event:
                if self._dialled.get(stream, event.reason) != event.reason:
                    raise Broken("dialled", f"{stream} ends as {event.reason} after {self._dialled[stream]}")
                if self._legs[stream] or stream in self._offers or stream in self._visits:
                    raise Broken("leg_after_contact", f"{stream} ends with something open: {self._legs[stream]}")
                self._ended[stream] = ""

    def _tell_place(self, stream: str, event: Event) -> None:
        match event:
            case c.ContactQueued() if event.tell_at:
                self.place_due[stream] = event.tell_at
            case c.PlaceTold() | c.PlaceDeferred():
                self.place_due[stream] = event.again_at
            case c.QueueVisitEnded() | o.CallbackAsked():
                self.place_due.pop(stream, None)

    def _close_offer(self, stream: str, offer_id: str) -> None:
        self.offer_due.pop(stream, None)
        self.ring_due.pop(stream, None)
        if self._offers.pop(stream, "") != offer_id:
            raise Broken("reservations", f"{stream} closes an offer that is not open")

    def _note_refusal(self, event: c.OfferClosed | c.OfferDeclined) -> None:
        """A phone may refuse in words in which we end the legs of offers that are over: theirs is not."""
        if event.cause in (ORIGINATOR_CANCEL, LOSE_RACE):
            self._refused.add((event.offer_id, event.shift_id if isinstance(event, c.OfferDeclined) else ""))

    def _ring(self, stream: str, event: c.OfferMade | c.OfferWidened) -> None:
        for held in event.reservations:
            elsewhere = held.via or self._home[stream]
            new = held.leg not in self._legs[stream]
            if new and self.heard.anywhere(held.extension) and not self.heard.has(elsewhere, held.extension):
                raise Broken("phone_is_there", f"{stream} rings {held.extension} at {elsewhere}, which has it not")
            if new and self.heard.gone(held.extension):
                raise Broken("phone_is_there", f"{stream} is offered to {held.extension}, which is gone")
            if held.at_desk:
                self._unrung.add(held.leg)
            else:
                self._legs[stream][held.leg] = None
        if event.next_at:
            self.ring_due[stream] = event.next_at
        else:
            self.ring_due.pop(stream, None)

    def _shift(self, shift: str, record: Record) -> None:
        at = record.about.at
        in_hand = self._in_hand.setdefault(shift, {})
        match record.event:
            case s.AgentReserved() as event:
                if len(in_hand) >= (self._lines if event.by_hand else 1):
                    raise Broken("capacity", f"shift {shift} is reserved for one more than it may")
                if at < self._cooling.get(shift, 0) and not event.by_hand:
                    raise Broken(
                        "cool_down", f"shift {shift} is offered again {self._cooling[shift] - at} µs too early"
                    )
                if shift in self._wrapping and not event.by_hand:
                    raise Broken("wrap_up", f"shift {shift} is offered a contact while it wraps up")
                in_hand[event.contact_id] = event.offer_id
                lately = [then for then in self._rung.get((shift, event.contact_id), ()) if then > at - self._cool_down]
                self._rung[shift, event.contact_id] = [*lately, at]
                if len(lately) >= _RINGS_AT_ONCE and not event.by_hand:
                    raise Broken("ring_loop", f"shift {shift} is rung for {event.contact_id} over and over")
            case s.AgentReleased() | s.AgentConnected() if shift in self._wrapping:
                raise Broken("wrap_up", f"shift {shift} wraps up and has something else in hand")
            case s.AgentReleased() as event:
                contact_id = next((key for key, offer in in_hand.items() if offer == event.offer_id), "")
                if in_hand.pop(contact_id, None) is None:
                    raise Broken("capacity", f"shift {shift} is released from what it was not reserved for")
                alone = not in_hand and shift not in self._owed.values()
                refused = not {(event.offer_id, shift), (event.offer_id, "")}.isdisjoint(self._refused)
                if alone and (refused or event.outcome in ("busy", "rejected", "failed")):
                    self._cooling[shift] = at + self._cool_down
            case s.AgentConnected() as event:
                if in_hand.get(event.contact_id) != event.offer_id:
                    raise Broken("capacity", f"shift {shift} is connected to what it was not reserved for")
            case s.WrapUpPostponed() as event if self._wrapping.pop(shift, None) is not None:
                # Whoever dials in the middle of it does the rest afterwards: it is owed again.
                if not in_hand or event.contact_id != self.last_contact.get(shift):
                    raise Broken("wrap_up_each", f"shift {shift} leaves a wrap-up for nothing, or another one's")
                self._owed[event.segment_id] = shift
            case s.WrapUpPostponed() as event:
                if in_hand.pop(event.contact_id, None) is None or not in_hand:
                    raise Broken("wrap_up_each", f"shift {shift} postpones a wrap-up with nothing else in hand")
            case s.WrapUpStarted() as event:
                in_hand.pop(event.contact_id, None)
                if in_hand:
                    raise Broken("wrap_up_each", f"shift {shift} wraps up while it has {', '.join(in_hand)}")
                if self._owed.pop(event.segment_id, "") != shift:
                    raise Broken("wrap_up_each", f"shift {shift} wraps up {event.segment_id} a second time")
                self.last_contact[shift] = event.contact_id
                self._wrapping[shift] = event.until
            case s.WrapUpExtended() as event:
                self._wrapping[shift] = event.until
            case s.AgentStoodDown(reason=s.DESK_LOST):
                if at < self.desk_due.get(shift, at + 1):
                    raise Broken("desk_is_known", f"shift {shift} is stood down for a desk that is there")
            case p.DeskLost() | p.DeskGraceExtended() as event:
                self.desk_due[shift] = event.until
            case s.AgentSignedOut() if shift in self._owed.values():
                raise Broken("wrap_up_each", f"shift {shift} signs out before the wrap-up of each conversation")
            case p.DeskAttached() | p.DeskReturned() | p.DeskTakenOver() | s.AgentSignedOut():
                self.desk_due.pop(shift, None)
            case s.WrapUpEnded() as event:
                if event.how == "timer" and at < self._wrapping.get(shift, 0):
                    raise Broken("wrap_up", f"the wrap-up of shift {shift} is cut short")
                self._wrapping.pop(shift, None)
