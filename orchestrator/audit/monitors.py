"""The verifier's own idea of a supervisor who monitors a talk: held for it, never longer than it lasts."""

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.audit.books import Books
from orchestrator.audit.open_contact import Contact, Monitor
from orchestrator.audit.outward import let_go
from orchestrator.domain.contacts import monitor_events as events
from orchestrator.domain.contacts.monitors import MODES
from orchestrator.domain.kernel import Event, Instant

_OfMonitor = (
    events.MonitorDelivered | events.MonitorAnswered | events.MonitorModeAsked | events.MonitorBegun
    | events.MonitorExtended | events.MonitorClosed | events.TalkTakenOver
)  # fmt: skip


def handlers(books: Books) -> Mapping[type[Event], Callable[[Contact, Any], None]]:
    """What each event does to a contact."""
    monitors = _Monitors(books)
    return {
        events.MonitorAsked: monitors.asked,
        events.MonitorDelivered: monitors.delivered,
        events.MonitorAnswered: monitors.answered,
        events.MonitorModeAsked: monitors.mode_asked,
        events.MonitorBegun: monitors.begun,
        events.MonitorExtended: monitors.extended,
        events.MonitorClosed: monitors.closed,
        events.TalkTakenOver: monitors.taken_over,
    }


class _Monitors:
    def __init__(self, books: Books) -> None:
        self._books = books

    def asked(self, contact: Contact, event: events.MonitorAsked) -> None:
        books, segment, held = self._books, contact.segment, event.reservation
        books.counts.monitors += 1
        if segment is None or segment.segment_id != event.segment_id or contact.leaving:
            books.complain("monitor", "a talk is monitored that is not going on")
        elif segment.shift_id == held.shift_id:
            books.complain("monitor", "an agent monitors their own talk")
        if contact.monitor is not None:
            books.complain("monitor", f"monitored while {contact.monitor.monitor_id} goes on")
        if event.mode not in MODES or not event.reason:
            books.complain("monitor", "monitored in no known mode, or for no reason")
        if held.leg in contact.legs:
            books.complain("leg", f"leg {held.leg} is used twice")
        contact.legs.add(held.leg)
        books.counts.legs += 1
        contact.monitor = Monitor(event)
        books.hold(held.shift_id, contact.ident, event.monitor_id)
        books.owe(held.shift_id, "reservation", event.monitor_id)

    def of_monitor(self, contact: Contact, event: _OfMonitor) -> Monitor | None:
        """The one that is open, which must be that of the event."""
        monitor = contact.monitor
        if monitor is None or monitor.monitor_id != event.monitor_id:
            self._books.complain("monitor", f"{type(event).__name__} of {event.monitor_id}, which is not open")
            return None
        if monitor.due:
            self._books.check_deadline(monitor.due, "what was waited for while a talk was monitored")
        return monitor

    def delivered(self, contact: Contact, event: events.MonitorDelivered) -> None:
        self.of_monitor(contact, event)

    def answered(self, contact: Contact, event: events.MonitorAnswered) -> None:
        if (monitor := self.of_monitor(contact, event)) is not None:
            if monitor.answered:
                self._books.complain("monitor", "whoever monitors answers a second time")
            monitor.answered, monitor.due = True, event.begin_by

    def mode_asked(self, contact: Contact, event: events.MonitorModeAsked) -> None:
        monitor = self.of_monitor(contact, event)
        if event.mode not in MODES or not event.reason:
            self._books.complain("monitor", "monitored in no known mode, or for no reason")
        if monitor is not None and monitor.answered:
            monitor.due = event.begin_by

    def begun(self, contact: Contact, event: events.MonitorBegun) -> None:
        if (monitor := self.of_monitor(contact, event)) is not None:
            if not monitor.answered:
                self._books.complain("monitor", "a talk is heard by somebody who has not answered")
            monitor.due = Instant(0)

    def extended(self, contact: Contact, event: events.MonitorExtended) -> None:
        if (monitor := self.of_monitor(contact, event)) is not None:
            monitor.due = event.until

    def closed(self, contact: Contact, event: events.MonitorClosed) -> None:
        monitor = self.of_monitor(contact, event)
        contact.monitor = None
        if monitor is None:
            return
        let_go(contact, monitor.leg, self._books.record.about.at)
        self._books.let_go(monitor.shift_id, contact.ident)
        self._books.owe(monitor.shift_id, "release", monitor.monitor_id)

    def taken_over(self, contact: Contact, event: events.TalkTakenOver) -> None:
        books, segment = self._books, contact.segment
        monitor = self.of_monitor(contact, event)
        if segment is None or segment.segment_id != event.segment_id or contact.consult is not None:
            books.complain("monitor", "a talk is taken over that is not going on")
        if monitor is not None and not monitor.answered:
            books.complain("monitor", "a talk is taken over by somebody who has not answered")
        if not event.reason:
            books.complain("monitor", "a talk is taken over for no reason")
        contact.monitor, contact.taken_by = None, monitor
