"""Timers in memory, and the table that says which event sets which: so a fold of the log sets them again by itself.

| timer     | of      | set by                                                  | cancelled by                       |
|-----------|---------|---------------------------------------------------------|------------------------------------|
| offer     | contact | OfferMade, OfferAccepted, OfferExtended, accepted fails,| the offer closes, ContactConnected |
|           |         | CallbackDialled, CallbackAnswered, NumberDialled,       |                                    |
|           |         | NumberAnswered                                          |                                    |
| ring_next | contact | OfferMade, OfferWidened, of rules that ring one by one  | it is accepted or closes           |
| visit     | contact | ContactQueued, CallbackAsked, CallbackAnswered          | QueueVisitEnded                    |
| overflow  | contact | ContactQueued, OverflowDeferred with a time             | QueueVisitEnded, looked at         |
| answer    | contact | ContactQueued with a time for the answer                | AnswerRequested, QueueVisitEnded   |
| place     | contact | ContactQueued with a time for it, PlaceTold,            | QueueVisitEnded, CallbackAsked     |
|           |         | PlaceDeferred                                           |                                    |
| widen     | contact | ContactQueued, VisitWidened, VisitRevised: a step ends  | QueueVisitEnded                    |
| wish      | contact | HoldRequested, ResumeRequested that must wait           | taken back, held, resumed, it ends |
| hold      | contact | HoldRequested, ResumeRequested: told, and not heard of  | taken back, HoldFailed, as of wish |
| legs      | contact | a leg lost its reason, or is to park; LegOverdue        | none such is left                  |
| callback  | contact | CallbackMissed                                          | CallbackResumed, CallbackEnded     |
| outside   | contact | OutsideDialled, OutsideAnswered, OutsideExtended        | missed, OutsideConnected           |
| park      | contact | ContactParked                                           | ParkEnded                          |
| consult   | contact | ConsultAsked, ConsultAnswered, ConsultSwitched,         | ConsultJoined, ContactRejoined,    |
|           |         | ConsultExtended, ConsultClosed with the caller there    | ConsultClosed, AgentSegmentEnded   |
| monitor   | contact | MonitorAsked, MonitorAnswered, MonitorModeAsked,        | MonitorBegun, MonitorClosed,       |
|           |         | MonitorExtended                                         | TalkTakenOver                      |
| guests    | contact | GuestInvited, GuestAnswered, GuestExtended,             | GuestJoined, GuestHeld,            |
|           |         | GuestHoldAsked, GuestRecalled, AsideAsked, AsideEnded,  | AsideBegun, AgentReturned,         |
|           |         | AsideExtended                                           | GuestClosed                        |
| mask      | contact | MaskAsked; MaskFailed that is tried again               | it is over, the recording ends     |
| wrap_up   | shift   | WrapUpStarted, WrapUpExtended                           | WrapUpEnded, WrapUpPostponed       |
| cool_down | shift   | AgentCooledDown                                         | CoolDownEnded                      |
| desk      | shift   | DeskLost, DeskGraceExtended                             | any other event of the desk        |
| strays    | node    | StrayLegFound, StrayLegOverdue                          | no stray is left                   |
| dead      | node    | NodeLost with a time for it                             | NodeConnected, NodeDied            |

What each means when it is due stands in `runner.timing`.
"""

from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from typing import Final

from orchestrator.domain.contacts import consult_events, contacts, dial_events, outward_events, park_events
from orchestrator.domain.contacts.contacts import HOLD_WITHIN, Contact
from orchestrator.domain.contacts.guests import guests_due
from orchestrator.domain.contacts.legs import LEG_GRACE, doubtful_legs, grace, parking_leg
from orchestrator.domain.contacts.outward import farewell_leg
from orchestrator.domain.contacts.recording import (
    MaskAsked,
    MaskFailed,
    RecordingAsked,
    RecordingMasked,
    RecordingUnmasked,
    UnmaskAsked,
    mask_due,
)
from orchestrator.domain.kernel import SECOND, Event, Instant
from orchestrator.domain.staff import presence, shifts
from orchestrator.domain.switch import nodes
from orchestrator.domain.switch.nodes import Node

Key = tuple[str, str]

# A caller who is hearing an apology has time to hear it out before anybody asks whether the leg is gone.
APOLOGY_GRACE = 60 * SECOND

# The timers that a contact may have.
OF_CONTACT = (
    "offer", "ring_next", "visit", "widen", "overflow", "answer", "place", "wish", "hold", "legs", "callback",
    "outside", "mask", "consult", "guests", "monitor", "park",
)  # fmt: skip

# Events of nearly every contact that no row above names: they are not looked up in the table, one row after another.
_SET_NONE: Final = frozenset(
    {
        contacts.ContactArrived,
        contacts.ContactIdentified,
        contacts.OfferDelivered,
        contacts.OfferAnswered,
        contacts.OfferAcceptRequested,
        contacts.OfferRejectRequested,
        contacts.NumberAnnounced,
        contacts.ContactTurnedAway,
        contacts.EntryPointMissing,
        contacts.HangUpRequested,
        RecordingAsked,
        contacts.RecordingBegun,
        contacts.LegClosed,
    }
)

# The same of a shift's events.
SET_NONE_OF_SHIFT: Final = frozenset(
    {
        shifts.AgentSignedIn,
        shifts.AgentMadeReady,
        shifts.AgentPaused,
        shifts.AgentReserved,
        shifts.AgentReleased,
        shifts.AgentConnected,
        shifts.AgentStoodDown,
    }
)

# Entries of a heap that are no longer true are thrown out when there are more of them than true ones, and these.
SPARE = 64

# So much of one contact is noted before it is looked up: some wait for days.
_NOTED = 32

_Told = tuple[Contact | None, Contact, Event, Instant]
"""A contact before and after an event, the event, and when it was."""


class Timers:
    """A heap of due instants; a timer set again replaces itself.

    What contacts' events do to their timers is noted, and done once somebody asks: whoever has ended by then never had
    any. A fold of the past asks at its end.
    """

    def __init__(self) -> None:
        self._due: dict[Key, Instant] = {}
        self._heap: list[tuple[Instant, Key]] = []
        self._noted: dict[str, list[_Told]] = {}
        """Of each contact what was not looked at in the table yet."""
        self._timed: set[str] = set()
        """Whatever has had a timer."""

    def __getstate__(self) -> dict[str, object]:
        self._settle()
        return vars(self)

    def note(self, before: Contact | None, contact: Contact, event: Event, at: Instant) -> None:
        """Take one more event of a contact, with the contact before and after it."""
        ident = contact.contact_id
        if type(event) is contacts.ContactEnded:
            self._noted.pop(ident, None)
            set_for_contact(self, before, contact, event, at)
        elif (noted := self._noted.get(ident)) is None:
            self._noted[ident] = [(before, contact, event, at)]
        else:
            noted.append((before, contact, event, at))
            if len(noted) > _NOTED:
                self._settle_one(ident)

    def _settle(self) -> None:
        """Look in the table for what was only noted."""
        for ident in tuple(self._noted):
            self._settle_one(ident)

    def _settle_one(self, ident: str) -> None:
        """The same of one contact, before anybody asks for one of its timers or sets it."""
        for each in self._noted.pop(ident, ()):
            set_for_contact(self, *each)

    def set(self, key: Key, due: Instant) -> None:
        """Set or move a timer."""
        self._settle_one(key[1])
        self._timed.add(key[1])
        self._due[key] = due
        heappush(self._heap, (due, key))
        if len(self._heap) > SPARE + 2 * len(self._due):
            self._heap = [(due, key) for key, due in self._due.items()]
            heapify(self._heap)

    def cancel(self, key: Key) -> None:
        """Forget a timer; one that is not set is no error."""
        self._settle_one(key[1])
        self._due.pop(key, None)

    def cancel_all(self, names: Iterable[str], ident: str) -> None:
        """Forget all these of one thing."""
        self._settle_one(ident)
        if ident in self._timed:
            for name in names:
                self._due.pop((name, ident), None)

    def forget(self, names: Iterable[str], ident: str) -> None:
        """The same of one thing that is over, which has none but these."""
        self.cancel_all(names, ident)
        self._timed.discard(ident)

    def due_of(self, key: Key) -> Instant | None:
        """When this timer is due, None where it is not set."""
        self._settle_one(key[1])
        return self._due.get(key)

    def next_due(self) -> Instant | None:
        """When the first timer is due, None where none is set."""
        self._settle()
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: Instant) -> tuple[Key, Instant] | None:
        """Take out and return the first timer that is due with the instant it was set for, None where none is."""
        due = self.next_due()
        if due is None or due > now:
            return None
        _, key = heappop(self._heap)
        del self._due[key]
        return key, due

    def __iter__(self) -> Iterator[tuple[Key, Instant]]:
        self._settle()
        return iter(sorted(self._due.items()))


def set_for_contact(timers: Timers, before: Contact | None, contact: Contact, event: Event, at: Instant) -> None:
    """Apply the table's contact rows after `event` has led from `before` to `contact`."""
    ident = contact.contact_id
    if type(event) is contacts.ContactEnded:
        timers.forget(OF_CONTACT, ident)
        return
    if type(event) not in _SET_NONE:
        _set_by_event(timers, contact, event, at)
    if contact.consult is not None or (before is not None and before.consult is not None):
        _set_or_cancel(timers, ("consult", ident), contact.consult.due if contact.consult is not None else Instant(0))
    if contact.guests or contact.aside or (before is not None and (before.guests or before.aside)):
        _set_or_cancel(timers, ("guests", ident), guests_due(contact))
    if contact.monitor is not None or (before is not None and before.monitor is not None):
        _set_or_cancel(timers, ("monitor", ident), contact.monitor.due if contact.monitor is not None else Instant(0))
    if not doubtful_legs(contact):
        timers.cancel(("legs", ident))
    elif timers.due_of(("legs", ident)) is None:
        hears_out = farewell_leg(contact) and contact.apology
        timers.set(("legs", ident), Instant(at + (APOLOGY_GRACE if hears_out else grace(contact))))


def _set_by_event(timers: Timers, contact: Contact, event: Event, at: Instant) -> None:
    ident = contact.contact_id
    match event:  # first what nearly every contact has
        case contacts.OfferMade() | contacts.OfferWidened():
            timers.set(("offer", ident), event.deadline)
            _set_or_cancel(timers, ("ring_next", ident), event.next_at)
        case contacts.OfferClosed() | contacts.ContactConnected():
            timers.cancel(("offer", ident))
            timers.cancel(("ring_next", ident))
        case contacts.QueueVisitEnded():
            timers.cancel_all(("visit", "widen", "overflow", "answer", "place"), ident)
        case contacts.ContactHeld() | contacts.ContactResumed() | contacts.HoldFailed() | contacts.AgentSegmentEnded():
            if contact.segment is None or not contact.segment.wish:
                timers.cancel_all(("wish", "hold"), ident)
        case contacts.OfferAccepted():
            timers.cancel(("ring_next", ident))
            timers.set(("offer", ident), event.connect_by)
        case contacts.OfferExtended():
            timers.set(("offer", ident), event.until)
        case contacts.OfferDeclined() if contact.offer is not None and not contact.offer.accepted:
            timers.set(("offer", ident), contact.offer.deadline)
        case contacts.ContactQueued() if contact.visit is not None:
            timers.set(("visit", ident), event.leave_by)
            _set_or_cancel(timers, ("widen", ident), contact.visit.step_until)
            _set_or_cancel(timers, ("overflow", ident), event.overflow_at)
            _set_or_cancel(timers, ("place", ident), event.tell_at)
            if parking_leg(contact):
                timers.set(("legs", ident), Instant(at + grace(contact)))
            if not contact.answered and event.answer_at != contacts.NEVER:
                timers.set(("answer", ident), event.answer_at)
        case consult_events.ConsultAsked() | consult_events.ConsultSwitched() if parking_leg(contact):
            timers.set(("legs", ident), Instant(at + grace(contact)))
        case contacts.VisitWidened() | contacts.VisitRevised() if contact.visit is not None:
            _set_or_cancel(timers, ("widen", ident), contact.visit.step_until)
        case contacts.OverflowDeferred():
            _set_or_cancel(timers, ("overflow", ident), event.again_at)
        case contacts.PlaceTold() | contacts.PlaceDeferred():
            _set_or_cancel(timers, ("place", ident), event.again_at)
        case contacts.AnswerRequested():
            timers.cancel(("answer", ident))
        case contacts.HoldRequested() | contacts.ResumeRequested():
            wished = contact.segment is not None and contact.segment.wish
            _set_or_cancel(
                timers, ("wish", ident), event.not_before if wished and event.not_before > at else Instant(0)
            )
            told_at = max(at, event.not_before)
            _set_or_cancel(timers, ("hold", ident), Instant(told_at + HOLD_WITHIN) if wished else Instant(0))
        case contacts.LegOverdue():
            timers.set(("legs", ident), event.again_at)
        case (
            contacts.RecordingFinished()
            | MaskAsked()
            | RecordingMasked()
            | MaskFailed()
            | UnmaskAsked()
            | RecordingUnmasked()
        ):
            _set_or_cancel(timers, ("mask", ident), mask_due(contact.recording))
        case park_events.ContactParked():
            timers.set(("park", ident), event.until)
        case park_events.ParkEnded():
            timers.cancel(("park", ident))
        case _:
            _set_for_calls_outside(timers, ident, event)


def _set_for_calls_outside(timers: Timers, ident: str, event: Event) -> None:
    match event:
        case outward_events.CallbackAsked():
            timers.set(("visit", ident), event.leave_by)
            timers.cancel(("overflow", ident))
            timers.cancel(("place", ident))
        case outward_events.CallbackDialled() | dial_events.NumberDialled():
            timers.set(("offer", ident), event.answer_by)
        case dial_events.NumberAnswered():
            timers.set(("offer", ident), event.connect_by)
        case outward_events.CallbackAnswered():
            timers.set(("offer", ident), event.connect_by)
            timers.set(("visit", ident), event.leave_by)
        case outward_events.CallbackMissed():
            timers.set(("callback", ident), event.again_at)
        case outward_events.CallbackResumed() | outward_events.CallbackEnded():
            timers.cancel(("callback", ident))
        case outward_events.OutsideDialled():
            timers.set(("outside", ident), event.answer_by)
        case outward_events.OutsideAnswered():
            timers.set(("outside", ident), event.connect_by)
        case outward_events.OutsideExtended():
            timers.set(("outside", ident), event.until)
        case outward_events.OutsideMissed() | outward_events.OutsideConnected():
            timers.cancel(("outside", ident))


def _set_or_cancel(timers: Timers, key: Key, due: Instant) -> None:
    if due:
        timers.set(key, due)
    else:
        timers.cancel(key)


def set_for_shift(timers: Timers, shift_id: str, event: Event) -> None:
    """Apply the table's shift rows."""
    if type(event) in SET_NONE_OF_SHIFT:
        return
    match event:
        case shifts.WrapUpStarted() | shifts.WrapUpExtended():
            timers.set(("wrap_up", shift_id), event.until)
        case shifts.WrapUpEnded() | shifts.WrapUpPostponed():
            timers.cancel(("wrap_up", shift_id))
        case shifts.AgentCooledDown():
            timers.set(("cool_down", shift_id), event.until)
        case shifts.CoolDownEnded():
            timers.cancel(("cool_down", shift_id))
        case presence.DeskLost() | presence.DeskGraceExtended():
            timers.set(("desk", shift_id), event.until)
        case presence.DeskAttached() | presence.DeskReturned() | presence.DeskGraceEnded() | presence.DeskTakenOver():
            timers.cancel(("desk", shift_id))
        case shifts.AgentSignedOut():
            timers.forget(("wrap_up", "cool_down", "desk"), shift_id)


def set_for_node(timers: Timers, node: Node, event: Event, at: Instant) -> None:
    """Apply the table's node rows."""
    key = ("strays", node.node_id)
    match event:
        case nodes.StrayLegOverdue():
            timers.set(key, event.again_at)
        case nodes.NodeLost():
            _set_or_cancel(timers, ("dead", node.node_id), event.dead_at)
        case nodes.NodeConnected() | nodes.NodeDied():
            timers.cancel(("dead", node.node_id))
    if not node.strays:
        timers.cancel(key)
    elif timers.due_of(key) is None:
        timers.set(key, Instant(at + LEG_GRACE))
