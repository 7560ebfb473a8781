"""A supervisor who monitors a talk: what is remembered of it, and what its events lead to.

             1              2              3          4
connected ───▶ asked: rings ──▶ answered ──▶ begun ◀──────▶ wishes another mode
held, …          │ 5              │ 5          │ 5 │ 6
                 └────────────────┴────────────┘   └──▶ connecting, with the supervisor as the offer (`transfers`)
1 MonitorAsked  2 MonitorAnswered  3 MonitorBegun: the switch has taken the mode  4 MonitorModeAsked, then MonitorBegun
5 MonitorClosed, at the latest with the talk  6 TalkTakenOver

The contact's own state stays what it is: whoever monitors has a leg of their own, which is joined with nobody; the
switch lets it hear the agent's leg, and speak into one of its directions, both or none. One supervisor at a time.
"""

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts.events import Reservation
from orchestrator.domain.contacts.monitor_events import (
    MonitorAnswered,
    MonitorAsked,
    MonitorBegun,
    MonitorClosed,
    MonitorDelivered,
    MonitorExtended,
    MonitorModeAsked,
    TalkTakenOver,
)
from orchestrator.domain.kernel import SECOND, Event, Instant

if TYPE_CHECKING:
    from orchestrator.domain.contacts.contacts import Contact

LISTEN: Final = "listen"
WHISPER: Final = "whisper"
BARGE: Final = "barge"
MODES: Final = (LISTEN, WHISPER, BARGE)
# Until the switch must have taken a mode, from when it is told.
BEGIN_WITHIN: Final = 5 * SECOND
# How a supervisor's offer by hand is called to whom a talk goes that they take over.
TAKEN_OVER: Final = "taken_over"


class Monitor(Struct, frozen=True, kw_only=True):
    """A supervisor who monitors, or whose phone rings for it."""

    monitor_id: str
    segment_id: str
    reservation: Reservation
    reason: str
    shown: bool
    due: Instant
    """Until when the phone must be answered, or the switch must have taken the mode; 0 while nothing is waited for."""
    asked_at: Instant
    delivered: bool = False
    answered: bool = False
    mode: str = ""
    """As the switch has taken it last; empty before it has taken any."""
    wish: str = ""
    """The mode that is wanted and not taken yet; empty where none is."""
    doubted: bool = False
    """The switch has been told a second time."""

    @property
    def leg(self) -> str:
        """The leg to the supervisor's phone."""
        return self.reservation.leg

    @property
    def wanted(self) -> str:
        """The mode that is wanted."""
        return self.wish or self.mode

    @property
    def seen(self) -> bool:
        """Whether the agent is told of them."""
        return self.shown or self.wanted != LISTEN or self.mode not in ("", LISTEN)


def monitor_leg(contact: "Contact") -> str:
    """The leg of whoever monitors; empty where nobody does."""
    return contact.monitor.leg if contact.monitor is not None else ""


def evolve(contact: "Contact", event: Event, at: Instant) -> "Contact":
    """The contact after one more event of being monitored; itself after any other."""
    monitor = contact.monitor
    if monitor is None and type(event) is not MonitorAsked:
        return contact
    match event:
        case MonitorAsked():
            held = event.reservation
            asked = Monitor(
                monitor_id=event.monitor_id,
                segment_id=event.segment_id,
                reservation=held,
                reason=event.reason,
                shown=event.shown,
                due=event.answer_by,
                asked_at=at,
                wish=event.mode,
            )
            phones = (*contact.phones, (held.leg, held.extension))
            return replace(contact, monitor=asked, legs=(*contact.legs, held.leg), phones=phones)
        case MonitorDelivered() if monitor is not None:
            return replace(contact, monitor=replace(monitor, delivered=True))
        case MonitorAnswered() if monitor is not None:
            return replace(contact, monitor=replace(monitor, answered=True, due=event.begin_by))
        case MonitorModeAsked() if monitor is not None:
            due = event.begin_by if monitor.answered else monitor.due
            return replace(contact, monitor=replace(monitor, wish=event.mode, due=due, doubted=False))
        case MonitorBegun() if monitor is not None:
            begun = replace(monitor, mode=event.mode, wish="", due=Instant(0), doubted=False)
            return replace(contact, monitor=begun)
        case MonitorExtended() if monitor is not None:
            doubted = monitor.doubted or event.cause == "told_again"
            return replace(contact, monitor=replace(monitor, due=event.until, doubted=doubted))
        case MonitorClosed():
            return replace(contact, monitor=None)
        case TalkTakenOver():
            return replace(contact, monitor=None, carried=event.tape)
    return contact
