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
"""

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.kernel import Event, Instant, Personal

# --- events ----------------------------------------------------------------------------------------------------


class Reservation(Struct, frozen=True, kw_only=True):
    """One agent held for one offer, with the leg that rings the phone."""

    shift_id: str
    agent_id: str
    extension: str
    leg: str


class Candidate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One agent who could have had the contact, with the parts of the score in the order in which they count."""

    agent_id: str
    level: int
    idle_ms: int


class Decision(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why this agent: rule, configuration, the best few candidates, and how many others were out and for what."""

    rule: str
    config_version: int
    skill: str
    min_level: int
    candidates: tuple[Candidate, ...]
    others: dict[str, int]
    """Agents who have the skill but were not free, counted by their state."""


class ContactArrived(Event, frozen=True, kw_only=True):
    """A caller's leg parked with us. Name and number are as the network sent them."""

    node: str
    leg: str
    dialled: str
    caller_number: Personal = ""
    caller_name: Personal = ""
    trunk: str = ""
    found: str = "live"
    """`live`, or `resync` where the call was found by asking the switch."""


class EntryPointMissing(Event, frozen=True, kw_only=True):
    """No entry point serves the dialled number: an alarm, and the default entry point where there is one."""

    dialled: str


class ContactQueued(Event, frozen=True, kw_only=True):
    """A queue visit begins."""

    visit_id: str
    queue_id: str
    entry_id: str
    skill: str
    min_level: int
    priority: int
    music: str
    leave_by: Instant
    """When the visit ends without an agent, at the latest (law 9)."""


class ContactTurnedAway(Event, frozen=True, kw_only=True):
    """The caller hears an apology and the call ends. `reason`: no_entry_point, no_agent_in_time."""

    reason: str
    prompt: str


class QueueVisitEnded(Event, frozen=True, kw_only=True):
    """The wait is over. `outcome`: answered, abandoned, timed_out, stopped, switch_lost."""

    visit_id: str
    queue_id: str
    outcome: str


class ContactIdentified(Event, frozen=True, kw_only=True):
    """The caller is this customer."""

    customer_id: str


class OfferMade(Event, frozen=True, kw_only=True):
    """The contact is proposed to one agent, or to several at once."""

    offer_id: str
    visit_id: str
    queue_id: str
    reservations: tuple[Reservation, ...]
    deadline: Instant
    decision: Decision


class OfferDelivered(Event, frozen=True, kw_only=True):
    """The agent's phone rings."""

    offer_id: str
    shift_id: str
    leg: str


class OfferAcceptRequested(Event, frozen=True, kw_only=True):
    """The agent accepted at the desk: the phone is asked to answer by itself."""

    offer_id: str
    shift_id: str
    leg: str


class OfferRejectRequested(Event, frozen=True, kw_only=True):
    """The agent rejected at the desk: the ringing stops."""

    offer_id: str
    shift_id: str
    leg: str


class OfferAnswered(Event, frozen=True, kw_only=True):
    """A reserved agent's phone answered."""

    offer_id: str
    shift_id: str
    leg: str


class OfferAccepted(Event, frozen=True, kw_only=True):
    """This agent gets the contact; the legs are being joined until `connect_by`."""

    offer_id: str
    shift_id: str
    leg: str
    connect_by: Instant


class OfferDeclined(Event, frozen=True, kw_only=True):
    """One reservation dropped out while the offer lives on with the others."""

    offer_id: str
    shift_id: str
    leg: str
    outcome: str
    cause: str


class OfferClosed(Event, frozen=True, kw_only=True):
    """What the four ways of closing an offer without an agent have in common."""

    offer_id: str
    cause: str


class OfferRejected(OfferClosed, frozen=True, kw_only=True):
    """The (last) agent rejected or was busy."""


class OfferTimedOut(OfferClosed, frozen=True, kw_only=True):
    """Nobody answered by the deadline."""


class OfferWithdrawn(OfferClosed, frozen=True, kw_only=True):
    """We took it back: the caller left, the agent signed out, or the engine was restarted."""


class OfferFailed(OfferClosed, frozen=True, kw_only=True):
    """The phone could not be reached, or the legs could not be joined."""


class ContactConnected(Event, frozen=True, kw_only=True):
    """Caller and agent hear each other: an agent segment begins and the offer is fulfilled."""

    segment_id: str
    offer_id: str
    shift_id: str
    agent_id: str
    leg: str


class HoldRequested(Event, frozen=True, kw_only=True):
    """The agent asked for hold."""

    segment_id: str


class ResumeRequested(Event, frozen=True, kw_only=True):
    """The agent asked to go on."""

    segment_id: str


class ContactHeld(Event, frozen=True, kw_only=True):
    """The switch says that the caller is on hold."""

    segment_id: str


class ContactResumed(Event, frozen=True, kw_only=True):
    """The switch says that they talk again."""

    segment_id: str


class HangUpRequested(Event, frozen=True, kw_only=True):
    """Somebody on our side wants the call to end. `reason`: agent, signed_out, stopped, repair."""

    reason: str


class AgentSegmentEnded(Event, frozen=True, kw_only=True):
    """The conversation with this agent is over. `ended_by`: caller, agent, system."""

    segment_id: str
    shift_id: str
    ended_by: str
    cause: str


class RecordingBegun(Event, frozen=True, kw_only=True):
    """The switch writes a stereo file of the caller's leg."""

    file: str


class RecordingFinished(Event, frozen=True, kw_only=True):
    """The file is complete."""

    file: str
    length_ms: int


class LegClosed(Event, frozen=True, kw_only=True):
    """A leg is gone. `repair` says how we know, where the switch did not tell us in time."""

    leg: str
    cause: str
    repair: str = ""


class LegOverdue(Event, frozen=True, kw_only=True):
    """A leg that should be gone by now is asked after (law 9). Asked again at `again_at`."""

    legs: tuple[str, ...]
    again_at: Instant


class ContactEnded(Event, frozen=True, kw_only=True):
    """The contact is over; nothing follows. `reason`: completed, abandoned, turned_away, switch_lost, or why we ended
    it (`HangUpRequested.reason`, such as stopped).
    """

    reason: str
    phase: str
    """Where the caller was when it was decided: arrived, waiting, offered, connecting, connected, held, leaving."""


# --- state -----------------------------------------------------------------------------------------------------


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
    rejecting: tuple[str, ...] = ()


class Segment(Struct, frozen=True, kw_only=True):
    """A conversation with one agent."""

    segment_id: str
    shift_id: str
    agent_id: str
    leg: str
    since: Instant


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
    told: str = ""
    """Why we ended it, where we did."""
    served: bool = False
    phase: str = ""


# The status words of a contact, in the order of the diagram.
LIVE = ("arrived", "waiting", "offered", "connecting", "connected", "held", "leaving")


def doomed_legs(contact: Contact) -> tuple[str, ...]:
    """Open legs that have no reason to live any more."""
    if contact.status in ("leaving", "ended"):
        return contact.legs
    wanted = {contact.caller_leg}
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
                queued_at=at,
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
            return replace(contact, status="leaving", told="turned_away", phase=contact.phase or contact.status)
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
            return replace(contact, status="offered", offer=offer, legs=legs)
        case ContactConnected():
            segment = Segment(
                segment_id=event.segment_id,
                shift_id=event.shift_id,
                agent_id=event.agent_id,
                leg=event.leg,
                since=at,
            )
            return replace(contact, status="connected", offer=None, segment=segment, served=True)
        case ContactHeld():
            return replace(contact, status="held") if contact.status == "connected" else contact
        case ContactResumed():
            return replace(contact, status="connected") if contact.status == "held" else contact
        case AgentSegmentEnded():
            return replace(contact, segment=None, status="leaving", phase=contact.phase or contact.status)
        case HangUpRequested():
            told = contact.told or event.reason
            return replace(contact, status="leaving", told=told, phase=contact.phase or contact.status)
        case LegClosed():
            legs = tuple(leg for leg in contact.legs if leg != event.leg)
            if event.leg == contact.caller_leg and contact.status != "leaving":
                return replace(contact, legs=legs, status="leaving", phase=contact.status)
            return replace(contact, legs=legs)
        case ContactEnded():
            return replace(contact, status="ended", offer=None, segment=None, visit=None)
        case OfferClosed():
            status = "waiting" if contact.status in ("offered", "connecting") else contact.status
            return replace(contact, offer=None, status=status)
    if contact.offer is not None and getattr(event, "offer_id", "") == contact.offer.offer_id:
        offer = _evolve_offer(contact.offer, event)
        status = "connecting" if offer.accepted else "offered"
        return replace(contact, offer=offer, status=status if contact.status != "leaving" else contact.status)
    return contact


def _evolve_offer(offer: Offer, event: Event) -> Offer:
    match event:
        case OfferDelivered():
            return replace(offer, delivered=(*offer.delivered, event.leg))
        case OfferRejectRequested():
            return replace(offer, rejecting=(*offer.rejecting, event.leg))
        case OfferAnswered():
            return replace(offer, answered=(*offer.answered, event.leg))
        case OfferAccepted():
            return replace(offer, accepted=event.leg)
        case OfferDeclined():
            return replace(
                offer,
                reservations=tuple(r for r in offer.reservations if r.leg != event.leg),
                answered=tuple(leg for leg in offer.answered if leg != event.leg),
                accepted="" if offer.accepted == event.leg else offer.accepted,
            )
    return offer
