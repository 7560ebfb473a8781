"""A contact by voice: from first arrival until it ends exactly once.

Stream `contact-<id>`. Written by the runner only; read by everyone.

      ContactArrived
           │1
           ▼          2                   3                    4
        arrived ──────────▶ waiting ───────────▶ offered ───────────▶ connecting
           │                  ▲ │ ▲                │ │                    │ │
           │5                 │ │ └────────6───────┘ │          6         │ │7
           │                  │ │6      caller left  │ ◀──────────────────┘ ▼
           ▼                  │ ▼                    ▼                  connected ◀─8─▶ held
         leaving ◀────────────┴─┴────────────────────┴───────────────────────┴───────────┘
           │9
           ▼
         ended
  1 a caller's leg parks  2 ContactQueued  3 OfferMade  4 OfferAccepted (a phone answered first)
  5 ContactTurnedAway (apology)  6 the offer closes without an agent: back to the same place in the queue
  7 ContactConnected (the switch says that both hear each other)  8 ContactHeld / ContactResumed
  9 ContactEnded, once every leg is closed
  Calls to the outside, callbacks among them, have states of their own beside these: `outward`.
"""

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts import outward
from orchestrator.domain.contacts.events import (
    AgentSegmentEnded,
    Candidate,
    ContactArrived,
    ContactConnected,
    ContactEnded,
    ContactHeld,
    ContactIdentified,
    ContactQueued,
    ContactResumed,
    ContactTurnedAway,
    Decision,
    EntryPointMissing,
    HangUpRequested,
    HoldRequested,
    LegClosed,
    LegOverdue,
    OfferAccepted,
    OfferAcceptRequested,
    OfferAnswered,
    OfferClosed,
    OfferDeclined,
    OfferDelivered,
    OfferExtended,
    OfferFailed,
    OfferMade,
    OfferRejected,
    OfferRejectRequested,
    OfferTimedOut,
    OfferWithdrawn,
    QueueVisitEnded,
    RecordingBegun,
    RecordingFinished,
    Reservation,
    ResumeRequested,
)
from orchestrator.domain.contacts.outward import Callback, Outside, to_be_called
from orchestrator.domain.kernel import Event, Instant
from orchestrator.domain.switch.causes import SWITCH_RESTARTED

__all__ = [
    "LIVE",
    "AgentSegmentEnded",
    "Candidate",
    "Contact",
    "ContactArrived",
    "ContactConnected",
    "ContactEnded",
    "ContactHeld",
    "ContactIdentified",
    "ContactQueued",
    "ContactResumed",
    "ContactTurnedAway",
    "Decision",
    "EntryPointMissing",
    "HangUpRequested",
    "HoldRequested",
    "LegClosed",
    "LegOverdue",
    "Offer",
    "OfferAcceptRequested",
    "OfferAccepted",
    "OfferAnswered",
    "OfferClosed",
    "OfferDeclined",
    "OfferDelivered",
    "OfferExtended",
    "OfferFailed",
    "OfferMade",
    "OfferRejectRequested",
    "OfferRejected",
    "OfferTimedOut",
    "OfferWithdrawn",
    "QueueVisitEnded",
    "RecordingBegun",
    "RecordingFinished",
    "Reservation",
    "ResumeRequested",
    "Segment",
    "Visit",
    "doomed_legs",
    "evolve",
    "extension_of",
    "reservation_of",
]


class Visit(Struct, frozen=True, kw_only=True):
    """A stay in one queue."""

    visit_id: str
    queue_id: str
    priority: int
    queued_at: Instant
    leave_by: Instant


class Offer(Struct, frozen=True, kw_only=True):
    """A proposal that is open. `gone` are reservations that dropped out, `answered` legs in order of answering."""

    offer_id: str
    visit_id: str
    reservations: tuple[Reservation, ...]
    deadline: Instant
    made_at: Instant
    delivered: tuple[str, ...] = ()
    answered: tuple[str, ...] = ()
    accepted: str = ""
    accepting: tuple[str, ...] = ()
    """Legs whose agents have pressed accept."""
    rejecting: tuple[str, ...] = ()
    doubted: bool = False
    """The switch has been asked why the accepted leg is not joined yet."""


class Segment(Struct, frozen=True, kw_only=True):
    """A conversation with one agent."""

    segment_id: str
    shift_id: str
    agent_id: str
    leg: str
    since: Instant
    changed_at: Instant = Instant(0)
    """Since when they talk, or the caller is on hold, as the switch said it last."""
    wish: str = ""
    """`hold` or `resume` where the agent asked for it and the switch has not said that it is so."""
    wish_due: Instant = Instant(0)
    """When the switch is to be told of the wish, at the earliest."""


class Contact(Struct, frozen=True, kw_only=True):
    """A contact as it stands after a number of events."""

    contact_id: str
    status: str
    node: str
    caller_leg: str
    dialled: str
    arrived_at: Instant
    caller_number: str = ""
    caller_name: str = ""
    entry_id: str = ""
    queue_id: str = ""
    """The queue that it is or was last in: its settings hold until the contact ends."""
    music: str = ""
    customer_id: str = ""
    visit: Visit | None = None
    offer: Offer | None = None
    segment: Segment | None = None
    legs: tuple[str, ...] = ()
    """Open legs. An agent's leg counts from the moment its offer is committed."""
    phones: tuple[tuple[str, str], ...] = ()
    """The extension that each open agent's leg rings or has on the line: (leg, extension)."""
    reminders: int = 0
    """How often the switch was asked in vain after legs that should be gone."""
    told: str = ""
    """Why we ended it, where we did, or switch_lost."""
    apology: str = ""
    """The prompt that a caller who is turned away hears."""
    served: bool = False
    phase: str = ""
    callback: Callback | None = None
    outside: Outside | None = None
    farewell: str = ""
    """The leg of a customer who is to be called back, while it hears that."""


# The status words of a contact, in the order of the diagram.
LIVE = (
    "arrived", "waiting", "offered", "connecting", "connected", "held", "leaving", *outward.CALLBACK, *outward.OUTSIDE
)  # fmt: skip


def doomed_legs(contact: Contact) -> tuple[str, ...]:
    """Open legs that have no reason to live any more."""
    if contact.status in ("leaving", "ended"):
        return contact.legs
    wanted = {contact.caller_leg, outward.outward_leg(contact)}
    if contact.offer is not None:
        wanted.update(r.leg for r in contact.offer.reservations)
    if contact.segment is not None:
        wanted.add(contact.segment.leg)
    return tuple(leg for leg in contact.legs if leg not in wanted)


def reservation_of(contact: Contact, leg: str) -> Reservation | None:
    """The reservation of the open offer whose phone this leg rings, if any."""
    if contact.offer is None:
        return None
    return next((r for r in contact.offer.reservations if r.leg == leg), None)


def extension_of(contact: Contact, leg: str) -> str:
    """The extension of this agent's leg, empty for the caller's leg and for legs that are gone."""
    return next((extension for phone, extension in contact.phones if phone == leg), "")


def evolve(contact: Contact | None, event: Event, at: Instant, contact_id: str) -> Contact | None:
    """The contact after one more event. Never raises; an event that it does not know changes nothing."""
    if contact is None:
        if not isinstance(event, ContactArrived):
            return None
        return Contact(
            contact_id=contact_id,
            status="arrived",
            node=event.node,
            caller_leg=event.leg,
            dialled=event.dialled,
            arrived_at=at,
            caller_number=event.caller_number,
            caller_name=event.caller_name,
            legs=(event.leg,),
        )
    match event:
        case ContactQueued():
            visit = Visit(
                visit_id=event.visit_id,
                queue_id=event.queue_id,
                priority=event.priority,
                queued_at=event.waiting_since or at,
                leave_by=event.leave_by,
            )
            return replace(
                contact,
                status="waiting",
                visit=visit,
                entry_id=event.entry_id,
                queue_id=event.queue_id,
                music=event.music,
            )
        case ContactTurnedAway():
            phase = contact.phase or contact.status
            return replace(contact, status="leaving", told="turned_away", apology=event.prompt, phase=phase)
        case QueueVisitEnded():
            return replace(contact, visit=None)
        case ContactIdentified():
            return replace(contact, customer_id=event.customer_id)
        case OfferMade():
            offer = Offer(
                offer_id=event.offer_id,
                visit_id=event.visit_id,
                reservations=event.reservations,
                deadline=event.deadline,
                made_at=at,
            )
            legs = contact.legs + tuple(r.leg for r in event.reservations)
            phones = contact.phones + tuple((r.leg, r.extension) for r in event.reservations)
            return replace(contact, status="offered", offer=offer, legs=legs, phones=phones)
        case ContactConnected():
            segment = Segment(
                segment_id=event.segment_id,
                shift_id=event.shift_id,
                agent_id=event.agent_id,
                leg=event.leg,
                since=at,
                changed_at=at,
            )
            return replace(contact, status="connected", offer=None, segment=segment, served=True)
        case HoldRequested() | ResumeRequested() | ContactHeld() | ContactResumed():
            return _evolve_hold(contact, event, at)
        case AgentSegmentEnded():
            return replace(contact, segment=None, status="leaving", phase=contact.phase or contact.status)
        case HangUpRequested():
            return replace(contact, status="leaving", told=event.reason, phase=contact.phase or contact.status)
        case LegOverdue():
            return replace(contact, reminders=contact.reminders + 1)
        case LegClosed():
            return _evolve_leg_closed(contact, event)
        case ContactEnded():
            return replace(contact, status="ended", offer=None, segment=None, visit=None)
        case OfferClosed():
            status = contact.status
            if status in ("offered", "connecting", "calling_back"):
                status = "awaiting_callback" if to_be_called(contact) is not None else "waiting"
            return replace(contact, offer=None, status=status)
    called = outward.evolve(contact, event, at)
    if called is contact and contact.offer is not None and getattr(event, "offer_id", "") == contact.offer.offer_id:
        offer = _evolve_offer(contact.offer, event)
        status = "connecting" if offer.accepted else "offered"
        if contact.status == "calling_back" and offer.accepted:
            status = "calling_back"
        return replace(contact, offer=offer, status=status if contact.status != "leaving" else contact.status)
    return called


def _evolve_hold(contact: Contact, event: Event, at: Instant) -> Contact:
    segment = contact.segment
    if segment is None:
        return contact
    match event:
        case HoldRequested():
            # On a caller who is on hold it takes back a resume.
            wish = "" if contact.status == "held" else "hold"
            return replace(contact, segment=replace(segment, wish=wish, wish_due=event.not_before))
        case ResumeRequested():
            wish = "" if contact.status == "connected" else "resume"
            return replace(contact, segment=replace(segment, wish=wish, wish_due=event.not_before))
        case ContactHeld() if contact.status == "connected":
            return replace(contact, status="held", segment=replace(segment, wish="", changed_at=at))
        case ContactResumed() if contact.status == "held":
            return replace(contact, status="connected", segment=replace(segment, wish="", changed_at=at))
    return contact


def _evolve_leg_closed(contact: Contact, event: LegClosed) -> Contact:
    after = replace(
        contact,
        legs=tuple(leg for leg in contact.legs if leg != event.leg),
        phones=tuple((leg, extension) for leg, extension in contact.phones if leg != event.leg),
    )
    if event.leg == contact.farewell:
        after = replace(after, farewell="")
    if event.leg == contact.caller_leg and contact.status != "leaving":
        told = "switch_lost" if event.cause == SWITCH_RESTARTED else contact.told
        after = replace(after, status="leaving", phase=contact.status, told=told)
    return after if doomed_legs(after) else replace(after, reminders=0)


def _evolve_offer(offer: Offer, event: Event) -> Offer:
    match event:
        case OfferDelivered():
            return replace(offer, delivered=(*offer.delivered, event.leg))
        case OfferAcceptRequested():
            return replace(offer, accepting=(*offer.accepting, event.leg))
        case OfferRejectRequested():
            return replace(offer, rejecting=(*offer.rejecting, event.leg))
        case OfferAnswered():
            return replace(offer, answered=(*offer.answered, event.leg))
        case OfferAccepted():
            return replace(offer, accepted=event.leg, doubted=False)
        case OfferExtended():
            return replace(offer, doubted=offer.doubted or event.cause == "not_connected_in_time")
        case OfferDeclined():
            return replace(
                offer,
                reservations=tuple(r for r in offer.reservations if r.leg != event.leg),
                answered=tuple(leg for leg in offer.answered if leg != event.leg),
                accepted="" if offer.accepted == event.leg else offer.accepted,
            )
    return offer
