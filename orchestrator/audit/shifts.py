"""The verifier's own idea of a shift: one agent, one seat, as many contacts at a time as somebody chose by hand and the
configuration allows, a wrap-up with a start and an end for each, and no contact for an agent whose desk is gone.
"""

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.audit.books import Books
from orchestrator.audit.report import Live, problem
from orchestrator.domain.kernel import Event, Instant, Record, ident_of
from orchestrator.domain.staff import forcing, presence
from orchestrator.domain.staff import shifts as events

_ENGAGED = ("reserved", "talking", "wrapping_up")

# From which states an event may come.
_FROM: Mapping[type[Event], tuple[str, ...]] = {
    events.AgentMadeReady: ("paused",),
    events.AgentPaused: ("ready", "paused"),
    events.AgentStoodDown: ("ready",),
    events.AgentReserved: ("ready",),
    events.AgentReleased: ("reserved", "talking"),
    events.AgentCooledDown: ("ready",),
    events.CoolDownEnded: ("paused", "ready", "reserved", "talking", "wrapping_up"),
    events.AgentConnected: ("reserved", "talking"),
    events.WrapUpStarted: ("talking", "wrapping_up"),
    events.WrapUpPostponed: ("talking", "reserved"),
    events.WrapUpExtended: ("wrapping_up",),
    events.WrapUpEnded: ("wrapping_up",),
    events.PauseRequested: ("reserved", "talking", "wrapping_up"),
    events.SignOutRequested: ("reserved", "talking", "wrapping_up"),
    events.AgentSignedOut: ("paused", "ready"),
}
_RESERVED_BY_HAND_FROM = ("ready", "paused", "talking", "wrapping_up")
# From which states of its desk an event of the desk may come; "" where there is none yet.
_DESK_FROM: Mapping[type[Event], tuple[str, ...]] = {
    presence.DeskAttached: ("", "lost", "absent"),
    presence.DeskTakenOver: ("attached", "lost", "absent"),
    presence.DeskReturned: ("lost", "absent"),
    presence.DeskLost: ("attached",),
    presence.DeskGraceExtended: ("lost",),
    presence.DeskGraceEnded: ("lost",),
}


class _Shift:
    __slots__ = (
        "agent",
        "cooling",
        "desk",
        "desk_by",
        "desk_state",
        "extension",
        "ident",
        "last",
        "offers",
        "place",
        "postponed",
        "state",
        "talks",
        "wrap_at_most",
        "wrap_by",
        "wrapping",
    )

    def __init__(self, ident: str, signed_in: events.AgentSignedIn, record: Record, place: int) -> None:
        self.ident = ident
        self.agent = signed_in.agent_id
        self.extension = signed_in.extension
        self.state = "paused"
        self.offers: dict[str, str] = {}
        """Open offers, each with its contact."""
        self.talks: set[str] = set()
        self.postponed: dict[str, str] = {}
        """Segments whose wrap-up comes later, each with its contact."""
        self.wrapping = ""
        self.cooling: Instant | None = None
        self.wrap_by = self.wrap_at_most = Instant(0)
        self.desk = self.desk_state = ""
        self.desk_by = Instant(0)
        self.last = record
        self.place = place

    def settle(self) -> None:
        """The state that follows from what is in hand, once something came or went."""
        self.state = "ready"
        if self.talks:
            self.state = "talking"
        elif self.offers:
            self.state = "reserved"
        elif self.wrapping or self.postponed:
            self.state = "wrapping_up"


class Shifts:
    """Follows every shift of the log; forgets it when it ends."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._live: dict[str, _Shift] = {}
        self._of_agent: dict[str, str] = {}
        self._at_extension: dict[str, str] = {}
        self.handlers: Mapping[type[Event], Callable[[_Shift, Any], None]] = {
            events.AgentMadeReady: self._made_ready,
            events.AgentPaused: self._to("paused"),
            events.AgentStoodDown: self._stood_down,
            events.AgentReserved: self._reserved,
            events.AgentReleased: self._released,
            events.AgentCooledDown: self._cooled_down,
            events.CoolDownEnded: self._cool_down_ended,
            events.AgentConnected: self._connected,
            events.WrapUpStarted: self._wrap_up_started,
            events.WrapUpPostponed: self._wrap_up_postponed,
            events.WrapUpExtended: self._wrap_up_extended,
            events.WrapUpEnded: self._wrap_up_ended,
            events.PauseRequested: self._wish,
            events.SignOutRequested: self._wish,
            events.AgentSignedOut: self._signed_out,
            forcing.AgentForced: self._forced,
            **dict.fromkeys(_DESK_FROM, self._desk),
        }

    def see(self, record: Record) -> None:
        """Follow one event of a shift's stream."""
        ident = ident_of(record.stream)
        event = record.event
        shift = self._live.get(ident)
        if shift is None:
            if isinstance(event, events.AgentSignedIn):
                self._signed_in(ident, event, record)
            else:
                self._books.complain("beginning", f"{type(event).__name__} of a shift that never began")
            return
        shift.last = record
        shift.place = self._books.place
        handler = self.handlers.get(type(event))
        if handler is None:
            if isinstance(event, events.AgentSignedIn):
                self._books.complain("shift", "the same shift begins a second time")
            return
        by_hand = isinstance(event, events.AgentReserved) and event.by_hand
        allowed = _RESERVED_BY_HAND_FROM if by_hand else _FROM.get(type(event))
        if allowed is not None and shift.state not in allowed:
            self._books.complain("shift", f"{type(event).__name__} while {shift.state}")
        handler(shift, event)

    def _signed_in(self, ident: str, event: events.AgentSignedIn, record: Record) -> None:
        books = self._books
        books.counts.shifts += 1
        if other := self._of_agent.get(event.agent_id):
            books.complain("one_seat", f"agent {event.agent_id} is signed in already, in shift {other}")
        if other := self._at_extension.get(event.extension):
            books.complain("one_seat", f"extension {event.extension} is taken by shift {other}")
        self._live[ident] = _Shift(ident, event, record, books.place)
        self._of_agent[event.agent_id] = ident
        self._at_extension[event.extension] = ident
        books.agent_of[ident] = event.agent_id

    def _to(self, state: str) -> Callable[[_Shift, Any], None]:
        def change(shift: _Shift, _event: Event) -> None:
            shift.state = state

        return change

    def _wish(self, _shift: _Shift, _event: Event) -> None:
        """Asked for during a contact; changes nothing yet."""

    def _forced(self, _shift: _Shift, event: forcing.AgentForced) -> None:
        if not event.reason or not event.by or event.to not in forcing.STATES:
            self._books.complain("shift", "an agent is made something by nobody, for no reason, or that is none")

    def _made_ready(self, shift: _Shift, _event: events.AgentMadeReady) -> None:
        if shift.desk_state == "absent":
            self._books.complain("desk", "ready without the desk that is missed")
        shift.state = "ready"

    def _stood_down(self, shift: _Shift, event: events.AgentStoodDown) -> None:
        if (event.reason == events.DESK_LOST) != (not event.offer_id) or (
            event.reason == events.DESK_LOST and shift.desk_state != "absent"
        ):
            self._books.complain("desk", f"stood down for {event.reason} with the desk {shift.desk_state or 'none'}")
        shift.state = "paused"

    def _desk(self, shift: _Shift, event: Any) -> None:  # noqa: ANN401 - one of six, told apart here
        books = self._books
        kind = type(event)
        if shift.desk_state not in _DESK_FROM[kind]:
            books.complain("desk", f"{kind.__name__} while the desk is {shift.desk_state or 'none'}")
        taken = isinstance(event, presence.DeskTakenOver)
        if not taken and not isinstance(event, presence.DeskAttached) and event.desk_id != shift.desk:
            books.complain(
                "desk", f"{kind.__name__} of desk {event.desk_id}, but the agent's is {shift.desk or 'none'}"
            )
        if taken and event.earlier != shift.desk:
            books.complain("desk", f"taken over from {event.earlier}, but the agent's is {shift.desk or 'none'}")
        shift.desk = event.desk_id
        match event:
            case presence.DeskLost() | presence.DeskGraceExtended():
                shift.desk_state, shift.desk_by = "lost", event.until
            case presence.DeskGraceEnded():
                books.check_deadline(shift.desk_by, "the end of the desk's grace")
                shift.desk_state = "absent"
            case _:
                shift.desk_state = "attached"

    def _reserved(self, shift: _Shift, event: events.AgentReserved) -> None:
        books = self._books
        if shift.cooling is not None and not event.by_hand:
            books.complain("cool_down", "offered a contact during the cool-down")
        if shift.offers:
            books.complain("shift", f"reserved while offer {next(iter(shift.offers))} is open")
        if shift.desk_state == "absent":
            books.complain("desk", "offered a contact though the desk is gone")
        if books.held.get(shift.ident, {}).get(event.contact_id) != event.offer_id:
            books.complain("capacity", f"reserved for contact {event.contact_id}, which does not hold this shift")
        books.pay(shift.ident, "reservation", event.offer_id)
        shift.offers[event.offer_id] = event.contact_id
        shift.settle()

    def _nothing_wraps_up(self, shift: _Shift) -> None:
        """Whoever is reserved in the middle of after-call work has had its rest postponed."""
        if shift.wrapping:
            self._books.complain("wrap_up", f"wrap-up of {shift.wrapping} while another contact is in hand")

    def _released(self, shift: _Shift, event: events.AgentReleased) -> None:
        self._nothing_wraps_up(shift)
        if shift.offers.pop(event.offer_id, None) is None:
            open_one = next(iter(shift.offers), "none")
            self._books.complain("shift", f"released from offer {event.offer_id}, but held by {open_one}")
        self._books.pay(shift.ident, "release", event.offer_id)
        shift.settle()

    def _cooled_down(self, shift: _Shift, event: events.AgentCooledDown) -> None:
        shift.cooling = event.until

    def _cool_down_ended(self, shift: _Shift, _event: events.CoolDownEnded) -> None:
        if shift.cooling is None:
            self._books.complain("cool_down", "the end of a cool-down that never began")
        else:
            self._books.check_deadline(shift.cooling, "the end of the cool-down")
        shift.cooling = None

    def _connected(self, shift: _Shift, event: events.AgentConnected) -> None:
        self._nothing_wraps_up(shift)
        if shift.offers.pop(event.offer_id, "") != event.contact_id:
            self._books.complain(
                "shift", f"connected by offer {event.offer_id} with {event.contact_id}, which did not reserve it"
            )
        self._books.pay(shift.ident, "connection", event.offer_id)
        shift.talks.add(event.contact_id)
        shift.settle()

    def _wrap_up_started(self, shift: _Shift, event: events.WrapUpStarted) -> None:
        self._books.counts.wrap_ups_started += 1
        if shift.wrapping:
            self._books.complain("wrap_up", f"wrap-up of {event.contact_id} while that of {shift.wrapping} goes on")
        if shift.postponed.pop(event.segment_id, "") != event.contact_id:
            self._end_talk(shift, event.contact_id, event.segment_id)
        if shift.talks or shift.offers:
            self._books.complain("wrap_up", f"wrap-up of {event.contact_id} with another contact in hand")
        shift.wrapping = event.contact_id
        shift.settle()
        shift.wrap_by = event.until
        shift.wrap_at_most = max(event.at_most, event.until)

    def _wrap_up_postponed(self, shift: _Shift, event: events.WrapUpPostponed) -> None:
        if shift.wrapping and shift.wrapping == event.contact_id:
            shift.wrapping = ""  # the agent dials, and does the rest of it afterwards
        else:
            self._end_talk(shift, event.contact_id, event.segment_id)
        if not shift.talks and not shift.offers:
            self._books.complain("wrap_up", f"wrap-up of {event.contact_id} is postponed with nothing else in hand")
        shift.postponed[event.segment_id] = event.contact_id
        shift.settle()

    def _end_talk(self, shift: _Shift, contact: str, segment: str) -> None:
        if contact not in shift.talks:
            self._books.complain("wrap_up", f"wrap-up of {contact}, with whom there was no talk")
        shift.talks.discard(contact)
        self._books.pay(shift.ident, "wrap-up", segment)

    def _wrap_up_extended(self, shift: _Shift, event: events.WrapUpExtended) -> None:
        if not shift.wrap_by < event.until <= shift.wrap_at_most:
            self._books.complain("wrap_up", "extended backwards, or beyond its limit")
        shift.wrap_by = event.until

    def _wrap_up_ended(self, shift: _Shift, _event: events.WrapUpEnded) -> None:
        self._books.counts.wrap_ups_ended += 1
        if shift.wrapping:
            self._books.check_deadline(shift.wrap_by, "the end of wrap-up")
        shift.wrapping = ""
        shift.settle()

    def _signed_out(self, shift: _Shift, _event: events.AgentSignedOut) -> None:
        self._books.counts.shifts_ended += 1
        if holders := self._books.held.get(shift.ident):
            self._books.complain("shift", f"signed out while {', '.join(sorted(holders))} holds the agent")
        if shift.postponed:
            self._books.complain("wrap_up", f"signed out with {len(shift.postponed)} wrap-ups that never began")
        del self._live[shift.ident]
        self._books.agent_of.pop(shift.ident, None)
        if self._of_agent.get(shift.agent) == shift.ident:
            del self._of_agent[shift.agent]
        if self._at_extension.get(shift.extension) == shift.ident:
            del self._at_extension[shift.extension]
        self._books.end_stream()

    def finish(self, clock: Instant, live: Live, *, settled: bool) -> None:
        """The log is over: count what is open; an agent who is stuck in something that is over is a problem."""
        for shift in self._live.values():
            live.shifts += 1
            if shift.desk_state == "lost" and clock > shift.desk_by + self._books.slack:
                self._note(shift, "overdue", "the grace of the desk has not ended though its time is over")
            if shift.state not in _ENGAGED:
                continue
            live.engaged_shifts += 1
            held = self._books.held.get(shift.ident, {})
            for contact in sorted({*shift.talks, *shift.offers.values()} - held.keys()):
                self._note(shift, "stuck", f"{shift.state} for contact {contact}, which does not hold this shift")
            if shift.state == "wrapping_up" and not shift.wrapping:
                self._note(shift, "stuck", "a wrap-up was postponed and does not begin though nothing is in hand")
            if shift.wrapping and clock > shift.wrap_by + self._books.slack:
                self._note(shift, "overdue", "wrap-up has not ended though its time is over")
            if settled:
                self._note(shift, "unsettled", f"the shift is still {shift.state}")

    def _note(self, shift: _Shift, rule: str, text: str) -> None:
        self._books.note(problem(rule, shift.last, shift.place, text))
