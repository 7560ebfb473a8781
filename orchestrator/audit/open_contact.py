"""What the verifier remembers of a contact while it is open."""

from orchestrator.domain.contacts import (
    consult_events,
    dial_events,
    events,
    guest_events,
    monitor_events,
    outward_events,
    park_events,
    transfer_events,
)
from orchestrator.domain.contacts.unattended import IMPORT
from orchestrator.domain.kernel import Instant, Record


class Offer:
    """An offer that is open: its phones, and when it must be over."""

    __slots__ = ("accepted", "deadline", "due", "offer_id", "reservations", "unrung")

    def __init__(self, made: events.OfferMade) -> None:
        self.offer_id = made.offer_id
        self.accepted = ""
        self.due = self.deadline = made.deadline
        self.reservations = {held.leg: held.shift_id for held in made.reservations}
        self.unrung: set[str] = set()
        """Legs that there are once the desk has accepted."""


class Segment:
    """A conversation that goes on."""

    __slots__ = ("announced", "leg", "segment_id", "shift_id")

    def __init__(self, connected: events.ContactConnected) -> None:
        self.segment_id = connected.segment_id
        self.shift_id = connected.shift_id
        self.leg = connected.leg
        self.announced = False


class Callback:
    """A customer to be called: no leg of theirs is needed until they answer."""

    __slots__ = ("again_at", "leg", "missed", "tries")

    def __init__(self, asked: outward_events.CallbackAsked) -> None:
        self.tries = asked.tries
        self.missed = 0
        self.again_at = Instant(0)
        self.leg = ""


class Dial:
    """A number that an agent dials: whose the contact is, until the two talk."""

    __slots__ = ("leg", "reached", "shift_id")

    def __init__(self, dialled: dial_events.ContactDialled) -> None:
        self.shift_id = dialled.shift_id
        self.leg = ""
        self.reached = False


class Outside:
    """A number outside that is called for the caller, or talked to."""

    __slots__ = ("due", "leg", "segment_id")

    def __init__(self, dialled: outward_events.OutsideDialled) -> None:
        self.leg = dialled.leg
        self.due = dialled.answer_by
        self.segment_id = ""


class Consult:
    """Somebody who is consulted, or was, and caller and agent are not joined again yet; or a guest of a conference."""

    __slots__ = ("answered", "consult_id", "due", "held", "inside", "leg", "over", "shift_id", "together")

    def __init__(self, ident: str, asked: consult_events.ConsultAsked | guest_events.GuestInvited) -> None:
        self.consult_id = ident
        self.leg = asked.leg
        self.shift_id = asked.reservation.shift_id if asked.reservation is not None else ""
        self.due = asked.answer_by
        """When what is waited for must have come; 0 while nothing is."""
        self.answered = self.over = False
        self.held = False
        """Whether they, a guest, hear music while the others go on."""
        self.together = False
        """Whether they are in one room with caller and agent."""
        self.inside: set[str] = set()
        """The legs that are in the room of all three, or were on their way there."""


class Apart:
    """The agent of a conference, who speaks with one guest alone, or comes back from it."""

    __slots__ = ("due", "guest_id", "over")

    def __init__(self, asked: guest_events.AsideAsked) -> None:
        self.guest_id = asked.guest_id
        self.due = asked.connect_by
        """When what is waited for must have come; 0 while they talk."""
        self.over = False


class Monitor:
    """A supervisor who monitors a talk, or took it over and is not offered yet."""

    __slots__ = ("answered", "due", "leg", "monitor_id", "shift_id")

    def __init__(self, asked: monitor_events.MonitorAsked) -> None:
        self.monitor_id = asked.monitor_id
        self.leg = asked.reservation.leg
        self.shift_id = asked.reservation.shift_id
        self.due = asked.answer_by
        """When what is waited for must have come; 0 while nothing is."""
        self.answered = False


class Contact:
    """A contact that has not ended."""

    __slots__ = (
        "apart",
        "callback",
        "caller",
        "caller_gone",
        "came_at",
        "consult",
        "dial",
        "finished",
        "given",
        "guests",
        "handed_to",
        "ident",
        "identified",
        "last",
        "leaving",
        "legs",
        "masked",
        "monitor",
        "moved_to",
        "node",
        "offer",
        "outside",
        "overflowed",
        "parked",
        "parking",
        "parks_in",
        "passed_on",
        "picked_for",
        "place",
        "queued",
        "room_kept",
        "segment",
        "step",
        "step_due",
        "steps",
        "taken_by",
        "unattended",
        "unmasking",
        "unwanted",
        "visit",
        "visit_due",
        "waiting_since",
        "waits_again",
    )  # fmt: skip

    def __init__(
        self, ident: str, begun: events.ContactArrived | dial_events.ContactDialled, record: Record, place: int
    ) -> None:
        arrived = begun if isinstance(begun, events.ContactArrived) else None
        self.ident = ident
        self.node = begun.node
        self.caller = arrived.leg if arrived is not None else ""
        self.unattended = arrived is not None and arrived.found == IMPORT
        """Whether its switch served it alone."""
        self.legs = {arrived.leg} if arrived is not None else set()
        self.dial = Dial(begun) if isinstance(begun, dial_events.ContactDialled) else None
        """Until the two talk."""
        self.unwanted: dict[str, Instant] = {}
        self.visit = ""
        self.visit_due = self.waiting_since = Instant(0)
        self.came_at = arrived.came_at if arrived is not None else Instant(0)
        self.moved_to = ""
        self.picked_for = self.dial.shift_id if self.dial is not None else ""
        self.given = 0
        self.steps = self.step = 0
        self.step_due = Instant(0)
        """When the step of the visit is over; 0: never."""
        self.offer: Offer | None = None
        self.segment: Segment | None = None
        self.callback: Callback | None = None
        self.outside: Outside | None = None
        self.finished: set[str] = set()
        """The files of which the switch has said that they are complete."""
        self.masked = ""
        """The one that is masked."""
        self.unmasking = False
        self.queued = self.identified = self.leaving = self.caller_gone = False
        self.passed_on: transfer_events.ContactTransferred | None = None
        """A transfer whose caller is not where it leads yet."""
        self.consult: Consult | None = None
        self.guests: dict[str, Consult] = {}
        """Guests of a conference, by their ids."""
        self.apart: Apart | None = None
        """An agent who speaks with a guest alone, or comes back from it."""
        self.room_kept = False
        """Whether the conversation that ends goes on with somebody else of the room."""
        self.handed_to: Consult | None = None
        """Whoever was consulted, to whom the caller goes, and is not offered yet."""
        self.monitor: Monitor | None = None
        self.taken_by: Monitor | None = None
        """Whoever takes the caller over, and is not offered yet."""
        self.parked: park_events.ContactParked | None = None
        self.parks_in = ""
        """The visit for which the caller leaves a place, and which has not begun yet."""
        self.parking = False
        self.waits_again = False
        """Its agent's phone was lost, and it is not queued yet."""
        """Whether the caller's leg was taken out of a conversation, and is not parked yet."""
        self.overflowed = False
        """Left a queue for another place, and has not come there yet."""
        self.last = record
        self.place = place
