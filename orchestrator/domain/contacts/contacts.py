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
  1 a caller's leg parks  2 ContactQueued (again: overflow)  3 OfferMade  4 OfferAccepted (a phone answered first)
  5 ContactTurnedAway (apology)  6 the offer closes without an agent: back to the same place in the queue
  7 ContactConnected (the switch says that both hear each other)  8 ContactHeld / ContactResumed
  9 ContactEnded, once every leg is closed
  Calls to the outside, callbacks among them, have states of their own beside these: `outward`. So has a contact that
  an agent begins by dialling a number (ContactDialled): `dials`.
  From connected or held, the agent may pass the caller on (ContactTransferred): `transfers`; from connected, consult
  somebody first (ConsultAsked): `consults`; and invite more to the three who then hear each other: `guests`. A
  supervisor may monitor the talk, and take it over: `monitors`.
  From connected or held, a caller whose agent's phone is lost with its switch waits again, where they were.
  From connected or held, the agent may park the caller at a place (ContactParked): `parks`.
  From waiting, somebody may pick it for an agent (ContactPicked, 3); from waiting or offered, move it to another queue
  (ContactMoved: it waits there) or change how urgent it is (ContactReprioritised): `moving`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts import (
    consults,
    dials,
    guests,
    monitors,
    outward,
    parks,
    recording,
    speaking,
    transfers,
)
from orchestrator.domain.contacts.announcing import prompts_for_place
from orchestrator.domain.contacts.asides import Aside, Hushed, forgotten, hushed_of, let_be_heard
from orchestrator.domain.contacts.consults import CONSULTING, Consult
from orchestrator.domain.contacts.dial_events import ContactDialled
from orchestrator.domain.contacts.dials import DIALLING, Dial
from orchestrator.domain.contacts.events import (
    NEVER,
    AgentSegmentEnded,
    AnswerRequested,
    CallerParked,
    Candidate,
    ContactArrived,
    ContactConnected,
    ContactEnded,
    ContactHeld,
    ContactIdentified,
    ContactMoved,
    ContactPicked,
    ContactQueued,
    ContactReprioritised,
    ContactResumed,
    ContactTurnedAway,
    Decision,
    EntryPointMissing,
    HangUpRequested,
    HoldFailed,
    HoldRequested,
    Hop,
    LegClosed,
    LegOverdue,
    NuisanceMarked,
    NumberAnnounced,
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
    OfferWidened,
    OfferWithdrawn,
    OverflowDeferred,
    PlaceDeferred,
    PlaceTold,
    QueueVisitEnded,
    RecordingBegun,
    RecordingFinished,
    Reservation,
    ResumeRequested,
    VisitRevised,
    VisitWidened,
)
from orchestrator.domain.contacts.guests import Guest
from orchestrator.domain.contacts.legs import doomed_legs, doubtful_legs
from orchestrator.domain.contacts.monitors import Monitor
from orchestrator.domain.contacts.outward import Callback, Outside, to_be_called
from orchestrator.domain.contacts.park_events import ContactParked, ParkEnded
from orchestrator.domain.contacts.parks import PARKED, Parked
from orchestrator.domain.contacts.recording import Recording
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.contacts.transfers import Transfer
from orchestrator.domain.kernel import MILLISECOND, SECOND, Event, Instant
from orchestrator.domain.routing.requirements import Requirement, Step, bounded, rank_at
from orchestrator.domain.switch.causes import lost_as

__all__ = [
    "HOLD_WITHIN",
    "LIVE",
    "NEVER",
    "AgentSegmentEnded",
    "AnswerRequested",
    "CallerParked",
    "Candidate",
    "Contact",
    "ContactArrived",
    "ContactConnected",
    "ContactEnded",
    "ContactHeld",
    "ContactIdentified",
    "ContactMoved",
    "ContactPicked",
    "ContactQueued",
    "ContactReprioritised",
    "ContactResumed",
    "ContactTransferred",
    "ContactTurnedAway",
    "Decision",
    "EntryPointMissing",
    "HangUpRequested",
    "HoldFailed",
    "HoldRequested",
    "Hop",
    "LegClosed",
    "LegOverdue",
    "NuisanceMarked",
    "NumberAnnounced",
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
    "OfferWidened",
    "OfferWithdrawn",
    "OverflowDeferred",
    "PlaceDeferred",
    "PlaceTold",
    "QueueVisitEnded",
    "RecordingBegun",
    "RecordingFinished",
    "Reservation",
    "ResumeRequested",
    "Segment",
    "Visit",
    "VisitRevised",
    "VisitWidened",
    "can_be_told",
    "doomed_legs",
    "doubtful_legs",
    "evolve",
    "extension_of",
    "reservation_of",
    "step_within",
    "told_to_hold",
]


class Visit(Struct, frozen=True, kw_only=True):
    """A stay in one queue."""

    visit_id: str
    queue_id: str
    priority: int
    queued_at: Instant
    leave_by: Instant
    bonuses: dict[str, int] = {}
    steps: tuple[Step, ...] = ()
    step: int = 0
    """Where in `steps` it is; -1 while it waits to know who calls."""
    step_until: Instant = Instant(0)
    """When this step is over; 0: never."""
    age_per_min: int = 0
    age_cap: int = 0
    waiting_since: Instant = Instant(0)
    """Since when it waits, in whatever queue it began."""
    overflow_at: Instant = Instant(0)
    """When the queue's overflow is looked at; 0: never."""
    declined: tuple[str, ...] = ()
    """The agents who did not take it, the last ones."""
    came_at: Instant = Instant(0)
    """When the caller had come, where they were found later and this is their first queue."""

    @property
    def began(self) -> Instant:
        """From when its wait is measured; what it leads to is due from `queued_at` on: nobody is sent on for what we
        did not hear.
        """
        return self.came_at or self.queued_at

    @property
    def base(self) -> int:
        """The rank that it has whatever the time, within bounds."""
        return bounded(self.priority + sum(self.bonuses.values()))

    @property
    def since(self) -> Instant:
        """Since when its waiting counts."""
        return self.waiting_since or self.queued_at

    def rank(self, now: Instant) -> tuple[int, Instant]:
        """Where it stands among all now: smaller comes first."""
        return (-rank_at(self.base, self.age_per_min, self.age_cap, self.since, now), self.since)

    @property
    def requirement(self) -> Requirement | None:
        """What it asks for now, None where only its queue says."""
        return self.steps[max(self.step, 0)].requirement if self.steps else None

    @property
    def last_step(self) -> bool:
        """Whether its requirement cannot widen any more."""
        return self.step >= len(self.steps) - 1


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
    again: int = 0
    """How often the phone is rung once more where it is busy."""
    after_ms: int = 0
    """How much later than it was made its phone is rung."""


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
    then: str = ""
    """With a wish for hold: the contact with which the agent talks again once this one is on hold."""
    wish_due: Instant = Instant(0)
    """When the switch is told of the wish."""
    announced: bool = False
    """Whether the caller was told the agent's number."""
    muted: bool = False
    """Whether nobody hears the agent, as the switch said it last."""
    mute_wish: str = ""
    """`mute` or `unmute` where the agent asked for it and the switch has not said that it is so."""
    mute_failed: bool = False
    """The switch did not do what was wished, or nobody knows."""
    waited: int = 0
    """How long (µs) the caller had waited for it."""
    tape: str = ""
    """The talk whose recording goes on in this one, where a supervisor took it over."""

    @property
    def taped_as(self) -> str:
        """The talk after which the files of its recording are named."""
        return self.tape or self.segment_id


class Contact(Struct, frozen=True, kw_only=True):
    """A contact as it stands after a number of events."""

    contact_id: str
    status: str
    node: str
    caller_leg: str
    dialled: str
    arrived_at: Instant
    came_at: Instant = Instant(0)
    """When the caller had come to the switch, where they were found later than that; 0: as they arrived."""
    caller_number: str = ""
    caller_name: str = ""
    entry_id: str = ""
    queue_id: str = ""
    """The queue that it is or was last in: its settings hold until the contact ends."""
    music: str = ""
    given: int = 0
    """Points that somebody gave it beside its queue's priority."""
    customer_id: str = ""
    level: str = ""
    """The customer's level."""
    last_agent: str = ""
    """Who served this customer last."""
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
    """Why we ended it, where we did, or what `causes.lost_as` calls it."""
    apology: str = ""
    """The prompt that a caller who is turned away hears; empty: none."""
    goodbye: str = "NORMAL_CLEARING"
    """What the network is told of a caller who is turned away."""
    served: bool = False
    phase: str = ""
    callback: Callback | None = None
    outside: Outside | None = None
    dial: Dial | None = None
    """How an agent began the contact by dialling a number; None where it arrived."""
    called: tuple[str, ...] = ()
    """The numbers outside that were called for the caller: each is called once."""
    farewell: str = ""
    """The leg of a customer who is to be called back, while it hears that."""
    trunk_id: str = ""
    to_number: str = ""
    """What was dialled, by the rewriting rules."""
    from_number: str = ""
    """Who calls, by the rewriting rules: E.164 where it has such a number; empty where it is withheld."""
    hops: tuple[Hop, ...] = ()
    """The queues by which it came where it is."""
    answer_at: Instant = Instant(0)
    answered: bool = False
    """Whether the caller was answered, or is about to be."""
    nuisance: bool = False
    """Whether an agent marked the caller."""
    transfer: Transfer | None = None
    """How an agent passed the caller on last."""
    parked: Parked | None = None
    """At which place the caller is parked, if at any."""
    was_parked: bool = False
    """Whether an agent parked the caller at any time."""
    consult: Consult | None = None
    guests: tuple[Guest, ...] = ()
    """Who else was invited to the talk, in the order in which they were."""
    aside: Aside | None = None
    """With which guest the agent speaks alone, if with any, or has just done so."""
    hushed: tuple[Hushed, ...] = ()
    """Whom of the conference, beside the agent, nobody hears."""
    monitor: Monitor | None = None
    carried: str = ""
    """The talk whose recording goes on while the supervisor who takes it over is being joined."""
    parking: str = ""
    """The caller's leg once it is to park, until the switch says that it is; `legs` asks after it."""
    told_place: tuple[str, ...] = ()
    """The prompts by which the caller was told the place in this queue last, and which may be heard still."""
    recording: Recording | None = None
    files: tuple[str, ...] = ()
    """The recordings that were begun of it, in their order; also those of which the switch has told the end alone."""
    finished: tuple[str, ...] = ()
    """Those of them that are complete."""


# Of those who did not take a contact, so many are remembered; whoever comes before them is asked again at worst.
_DECLINED_KEPT = 10

# The status words of a contact, in the order of the diagram.
LIVE = (
    "arrived", "waiting", "offered", "connecting", "connected", "held", CONSULTING, "leaving",
    *outward.CALLBACK, *outward.OUTSIDE, DIALLING, PARKED,
)  # fmt: skip


def can_be_told(contact: Contact) -> bool:
    """Whether a caller is on the line, answered, who waits and is not about to be joined with anybody."""
    waits = contact.visit is not None and contact.status in ("waiting", "offered")
    return waits and contact.answered and bool(contact.caller_leg)


def reservation_of(contact: Contact, leg: str) -> Reservation | None:
    """The reservation of the open offer whose phone this leg rings, if any."""
    if contact.offer is None:
        return None
    return next((r for r in contact.offer.reservations if r.leg == leg), None)


def extension_of(contact: Contact, leg: str) -> str:
    """The extension of this agent's leg, empty for the caller's leg and for legs that are gone."""
    for phone, extension in contact.phones:
        if phone == leg:
            return extension
    return ""


def evolve(contact: Contact | None, event: Event, at: Instant, contact_id: str) -> Contact | None:
    """The contact after one more event. Never raises; an event that it does not know changes nothing."""
    if contact is None:
        if isinstance(event, ContactDialled):
            return _dialled(event, at, contact_id)
        if not isinstance(event, ContactArrived):
            return None
        return Contact(
            contact_id=contact_id,
            status="arrived",
            node=event.node,
            caller_leg=event.leg,
            dialled=event.dialled,
            arrived_at=at,
            came_at=event.came_at,
            caller_number=event.caller_number,
            caller_name=event.caller_name,
            legs=(event.leg,),
            trunk_id=event.trunk_id,
            to_number=event.to_number or event.dialled,
            from_number=event.from_number,
        )
    kind = type(event)
    common = _COMMON.get(kind)
    if common is not None:
        return common(contact, event, at)
    of_offer = _OF_OFFER.get(kind)
    if of_offer is not None and contact.offer is not None and event.offer_id == contact.offer.offer_id:  # type: ignore[attr-defined]  # each of the table's has one
        offer = of_offer(contact.offer, event)
        if type(event) is OfferAcceptRequested:
            contact = _rung_at_last(contact, contact.offer, event)
        return _evolve_offered(contact, offer)
    match event:
        case HoldRequested() | ResumeRequested() | HoldFailed() | ContactHeld() | ContactResumed():
            return _evolve_hold(contact, event, at)
        case AnswerRequested():
            return replace(contact, answered=True)
        case NuisanceMarked():
            return replace(contact, nuisance=True)
        case OverflowDeferred() if contact.visit is not None:
            return replace(contact, visit=replace(contact.visit, overflow_at=event.again_at))
        case PlaceTold():
            return replace(contact, told_place=prompts_for_place(event.position, event.estimate_ms))
        case VisitWidened() | VisitRevised():
            return _evolve_visit(contact, event)
        case ContactReprioritised():
            return _evolve_given(contact, event.given)
        case ContactTransferred():
            return transfers.evolve(contact, event)
        case HangUpRequested():
            phase = contact.phase or contact.status
            return replace(contact, status="leaving", consult=None, aside=None, told=event.reason, phase=phase)
        case CallerParked():
            return _in_time(replace(contact, parking=""))
        case LegOverdue():
            return replace(contact, reminders=contact.reminders + 1)
        case OfferWidened() if contact.offer is not None and contact.offer.offer_id == event.offer_id:
            return _evolve_widened(contact, contact.offer, event)
        case OfferDeclined():
            contact = replace(contact, visit=_declined(contact, event))
            if contact.offer is not None and event.offer_id == contact.offer.offer_id:
                return _evolve_offered(contact, _without(contact.offer, event.leg))
    if contact.segment is not None and type(event) in speaking.OF_VOICE:
        return replace(contact, segment=speaking.evolve(contact.segment, event))
    invited = guests.evolve(contact, event, at)
    if invited is not contact:
        return invited
    consulted = consults.evolve(contact, event, at)
    if consulted is not contact:
        return consulted
    monitored = monitors.evolve(contact, event, at)
    if monitored is not contact:
        return monitored
    taped = recording.evolve(contact.recording, event)
    if isinstance(event, RecordingBegun | RecordingFinished):
        files = tuple(dict.fromkeys((*contact.files, event.file)))
        over = (event.file,) if isinstance(event, RecordingFinished) and event.file not in contact.finished else ()
        return replace(contact, recording=taped, files=files, finished=(*contact.finished, *over))
    if taped is not contact.recording:
        return replace(contact, recording=taped)
    if isinstance(event, ContactParked | ParkEnded):
        return parks.evolve(contact, event, at)
    if contact.dial is not None and (dialled := dials.evolve(contact, event, at)) is not contact:
        return dialled
    return outward.evolve(contact, event, at)


def _dialled(event: ContactDialled, at: Instant, contact_id: str) -> Contact:
    """A contact that an agent begins: there is nobody on the line yet, and no queue."""
    return Contact(
        contact_id=contact_id,
        status="arrived",
        node=event.node,
        caller_leg="",
        dialled="",
        arrived_at=at,
        caller_number=event.caller_number,
        from_number=event.caller_number,
        queue_id=event.queue_id,
        music=event.music,
        answered=True,
        dial=dials.begun(event),
    )


def _identified(contact: Contact, event: ContactIdentified, _at: Instant) -> Contact:
    return replace(contact, customer_id=event.customer_id, level=event.level, last_agent=event.last_agent)


def wait_began(event: ContactQueued, at: Instant) -> Instant:
    """From when the wait of this visit, which was queued `at`, is measured: a caller whom nobody heard of for a while
    has waited through it.
    """
    return event.came_at or at


def _queued(contact: Contact, event: ContactQueued, at: Instant) -> Contact:
    visit = Visit(
        visit_id=event.visit_id,
        queue_id=event.queue_id,
        priority=event.priority,
        queued_at=at,
        came_at=event.came_at,
        leave_by=event.leave_by,
        bonuses=event.bonuses,
        steps=event.steps,
        step=-1 if event.known_by else 0,
        step_until=event.known_by or (_until(event.steps[0], at) if event.steps else Instant(0)),
        age_per_min=event.age_per_min,
        age_cap=event.age_cap,
        waiting_since=event.waiting_since or at,
        overflow_at=event.overflow_at,
    )
    return replace(
        contact,
        # Whoever is to be called back is so in another queue, too.
        status=contact.status if contact.status in ("awaiting_callback", "callback_later") else "waiting",
        visit=visit,
        entry_id=event.entry_id,
        queue_id=event.queue_id,
        music=event.music,
        hops=event.hops,
        answer_at=event.answer_at,
        answered=contact.answered or event.answer_at == 0,
        told_place=(),
    )


def _offered(contact: Contact, event: OfferMade, at: Instant) -> Contact:
    offer = Offer(
        offer_id=event.offer_id,
        visit_id=event.visit_id,
        reservations=event.reservations,
        deadline=event.deadline,
        made_at=at,
        again=event.again,
        after_ms=event.after_ms,
    )
    # Not one who was consulted before, and not a phone that is rung once the desk has accepted.
    made = [r for r in event.reservations if r.leg not in contact.legs and not r.at_desk]
    legs = (*contact.legs, *[r.leg for r in made])
    phones = (*contact.phones, *[(r.leg, r.extension) for r in made])
    return replace(contact, status="offered", offer=offer, legs=legs, phones=phones)


def _offer_closed(contact: Contact, event: OfferClosed, _at: Instant) -> Contact:
    status = contact.status
    if status in ("offered", "connecting", "calling_back") and dials.under_way(contact) is None:
        status = "awaiting_callback" if to_be_called(contact) is not None else "waiting"
    return replace(contact, offer=None, status=status, visit=_declined(contact, event), carried="")


def _connected(contact: Contact, event: ContactConnected, at: Instant) -> Contact:
    segment = Segment(
        segment_id=event.segment_id,
        shift_id=event.shift_id,
        agent_id=event.agent_id,
        leg=event.leg,
        since=at,
        changed_at=at,
        waited=at - contact.visit.since if contact.visit is not None else 0,
        tape=contact.carried,
    )
    if (known := hushed_of(contact, event.leg)) is not None:
        # Muted by whoever had the caller before, and to be heard: their own to take off from now on.
        segment = replace(segment, muted=known.muted, mute_wish="unmute", mute_failed=known.failed)
        contact = forgotten(contact, event.leg)
    dial = dials.joined(contact.dial)
    return replace(contact, status="connected", offer=None, segment=segment, served=True, carried="", dial=dial)


def _visit_ended(contact: Contact, _event: QueueVisitEnded, _at: Instant) -> Contact:
    return replace(contact, visit=None)


def _announced(contact: Contact, _event: NumberAnnounced, _at: Instant) -> Contact:
    return contact if contact.segment is None else replace(contact, segment=replace(contact.segment, announced=True))


def _segment_ended(contact: Contact, event: AgentSegmentEnded, _at: Instant) -> Contact:
    if event.ended_by == transfers.TRANSFER:
        # The visit begins in the same decision. Where more than two stay in their room, who is muted stays so.
        heard = contact if contact.guests else let_be_heard(contact)
        return replace(heard, segment=None, consult=None, aside=None, status="arrived")
    if event.ended_by == transfers.PHONE_LOST:
        return transfers.without_agent(contact)
    if event.ended_by == parks.PARKED:
        return replace(contact, segment=None, status=PARKED)
    phase = contact.phase or contact.status
    return replace(contact, segment=None, consult=None, aside=None, status="leaving", phase=phase)


def _ended(contact: Contact, _event: ContactEnded, _at: Instant) -> Contact:
    return replace(contact, status="ended", offer=None, segment=None, visit=None)


def _turned_away(contact: Contact, event: ContactTurnedAway, _at: Instant) -> Contact:
    return replace(
        contact,
        status="leaving",
        told="turned_away",
        apology=event.prompt,
        goodbye=event.cause,
        phase=contact.phase or contact.status,
        hops=event.hops or contact.hops,
        answered=contact.answered or event.answered,
    )


def _evolve_offered(contact: Contact, offer: Offer) -> Contact:
    status = "connecting" if offer.accepted else "offered"
    # Joining the legs answers a caller who was not answered yet.
    answered = contact.answered or bool(offer.accepted)
    if contact.status in ("calling_back", DIALLING) and offer.accepted:
        status = contact.status
    status = status if contact.status != "leaving" else contact.status
    return replace(contact, offer=offer, status=status, answered=answered)


def _rung_at_last(contact: Contact, offer: Offer, event: OfferAcceptRequested) -> Contact:
    """With the leg of a phone that waited for the desk to accept."""
    held = next((r for r in offer.reservations if r.leg == event.leg and r.at_desk), None)
    if held is None or held.leg in offer.accepting:
        return contact
    phones = (*contact.phones, (held.leg, held.extension))
    return replace(contact, legs=(*contact.legs, held.leg), phones=phones)


def _until(step: Step, at: Instant) -> Instant:
    return Instant(at + step.until_ms * MILLISECOND) if step.until_ms else Instant(0)


def step_within(step: int, steps: tuple[Step, ...]) -> int:
    """Where a visit at this step is in another chain: at the same place, or at its end."""
    return step if step < 0 else max(min(step, len(steps) - 1), 0)


def _evolve_given(contact: Contact, given: int) -> Contact:
    visit = contact.visit
    if visit is None:
        return replace(contact, given=given)
    points = {**visit.bonuses, "given": given}
    bonuses = {what: count for what, count in points.items() if count}
    return replace(contact, given=given, visit=replace(visit, bonuses=bonuses))


def _evolve_visit(contact: Contact, event: VisitWidened | VisitRevised) -> Contact:
    visit = contact.visit
    if visit is None or visit.visit_id != event.visit_id:
        return contact
    if isinstance(event, VisitWidened):
        return replace(contact, visit=replace(visit, step=event.step, step_until=event.until))
    step = step_within(visit.step, event.steps)
    revised = replace(visit, steps=event.steps, bonuses=event.bonuses, step=step, step_until=event.until)
    return replace(contact, visit=revised)


def _evolve_widened(contact: Contact, offer: Offer, event: OfferWidened) -> Contact:
    made = tuple(r for r in event.reservations if not r.at_desk)
    return replace(
        contact,
        offer=replace(offer, reservations=(*offer.reservations, *event.reservations), deadline=event.deadline),
        legs=contact.legs + tuple(r.leg for r in made),
        phones=contact.phones + tuple((r.leg, r.extension) for r in made),
    )


def _declined(contact: Contact, event: OfferClosed | OfferDeclined) -> Visit | None:
    """The visit, knowing who did not take it. Whom we took it back from did nothing."""
    visit, offer = contact.visit, contact.offer
    if visit is None or offer is None or isinstance(event, OfferWithdrawn):
        return visit
    if isinstance(event, OfferDeclined):
        if event.outcome in ("withdrawn", "lost"):
            return visit
        who = [r.agent_id for r in offer.reservations if r.leg == event.leg]
    else:
        who = [r.agent_id for r in offer.reservations]
    others = [agent_id for agent_id in visit.declined if agent_id not in who]
    return replace(visit, declined=(*others, *who)[-_DECLINED_KEPT:])


# From a switch's being told of a hold, or of its end, until it has said so. A loaded one of two cores took under half a
# second for it; after ten times that it is looked at.
HOLD_WITHIN = 5 * SECOND


def told_to_hold(segment: Segment, at: Instant) -> bool:
    """Whether the switch was told to put the caller on hold, and has not said that it did."""
    return segment.wish == "hold" and segment.wish_due <= at


def _evolve_hold(contact: Contact, event: Event, at: Instant) -> Contact:
    segment = contact.segment
    if segment is None:
        return contact
    match event:
        case HoldRequested():
            # On a caller who is on hold it takes back a resume.
            wish = "" if contact.status == "held" else "hold"
            changed = replace(segment, wish=wish, wish_due=max(at, event.not_before), then=event.then)
            return replace(contact, segment=changed)
        case ResumeRequested():
            # On a caller who is not on hold it takes back a hold, unless the switch was told of that.
            wish = "resume" if contact.status == "held" or told_to_hold(segment, at) else ""
            changed = replace(segment, wish=wish, wish_due=max(at, event.not_before), then="")
            return replace(contact, segment=changed)
        case HoldFailed():
            return replace(contact, segment=replace(segment, wish="", then=""))
        case ContactHeld() if contact.status == "connected":
            wish = "resume" if segment.wish == "resume" else ""  # of a hold that was carried out late
            return replace(contact, status="held", segment=replace(segment, wish=wish, then="", changed_at=at))
        case ContactResumed() if contact.status == "held" or segment.wish == "resume":
            return replace(contact, status="connected", segment=replace(segment, wish="", changed_at=at))
    return contact


def _leg_closed(contact: Contact, event: LegClosed, _at: Instant) -> Contact:
    closed = event.leg
    contact = forgotten(contact, closed) if contact.hushed else contact
    legs = tuple([leg for leg in contact.legs if leg != closed])
    phones = tuple([phone for phone in contact.phones if phone[0] != closed]) if contact.phones else ()
    farewell = "" if closed == contact.farewell else contact.farewell
    if closed != contact.caller_leg or contact.status == "leaving":
        return _in_time(replace(contact, legs=legs, phones=phones, farewell=farewell))
    told = lost_as(event.cause) or contact.told
    left = {"status": "leaving", "phase": contact.status, "told": told}
    return _in_time(replace(contact, legs=legs, phones=phones, farewell=farewell, **left))


def _in_time(contact: Contact) -> Contact:
    """Whoever is asked after next is asked after as soon as the first time."""
    return contact if not contact.reminders or doubtful_legs(contact) else replace(contact, reminders=0)


def _without(offer: Offer, leg: str) -> Offer:
    return replace(
        offer,
        reservations=tuple(r for r in offer.reservations if r.leg != leg),
        answered=tuple(each for each in offer.answered if each != leg),
        accepted="" if offer.accepted == leg else offer.accepted,
    )


def _extended(offer: Offer, event: OfferExtended) -> Offer:
    return replace(offer, doubted=offer.doubted or event.cause == "not_connected_in_time")


# The steps of an open offer: looked up, for most contacts have several of each, and a `case` that does not fit is dear.
_OF_OFFER: Final[Mapping[type[Event], Callable[[Offer, Any], Offer]]] = MappingProxyType(
    {
        OfferDelivered: lambda offer, event: replace(offer, delivered=(*offer.delivered, event.leg)),
        OfferAcceptRequested: lambda offer, event: replace(offer, accepting=(*offer.accepting, event.leg)),
        OfferRejectRequested: lambda offer, event: replace(offer, rejecting=(*offer.rejecting, event.leg)),
        OfferAnswered: lambda offer, event: replace(offer, answered=(*offer.answered, event.leg)),
        OfferAccepted: lambda offer, event: replace(offer, accepted=event.leg, doubted=False),
        OfferExtended: _extended,
    }
)

# What nearly every contact has, for the same reason.
_COMMON: Final[Mapping[type[Event], Callable[[Contact, Any, Instant], Contact]]] = MappingProxyType(
    {
        LegClosed: _leg_closed,
        ContactIdentified: _identified,
        ContactQueued: _queued,
        OfferMade: _offered,
        OfferRejected: _offer_closed,
        OfferTimedOut: _offer_closed,
        OfferWithdrawn: _offer_closed,
        OfferFailed: _offer_closed,
        ContactConnected: _connected,
        QueueVisitEnded: _visit_ended,
        NumberAnnounced: _announced,
        AgentSegmentEnded: _segment_ended,
        ContactEnded: _ended,
        ContactTurnedAway: _turned_away,
        EntryPointMissing: lambda contact, _event, _at: contact,
    }
)
