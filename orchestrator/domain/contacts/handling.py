"""What may happen to a contact: commands and `decide`. Events, states and their diagram stand in `contacts`.

A command carries everything that a decision needs (time, ids, settings of the queue). A repeat yields `()`.
"""

from msgspec import Struct

from orchestrator.domain.contacts.contacts import (
    AgentSegmentEnded,
    Contact,
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
    Offer,
    OfferAccepted,
    OfferAcceptRequested,
    OfferAnswered,
    OfferClosed,
    OfferDeclined,
    OfferDelivered,
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
    doomed_legs,
    reservation_of,
)
from orchestrator.domain.kernel import Event, Instant, Refused
from orchestrator.domain.switch.causes import SWITCH_RESTARTED, outcome_of

Events = tuple[Event, ...]


class Receive(Struct, frozen=True, kw_only=True):
    """A caller's leg parked."""

    node: str
    leg: str
    dialled: str
    caller_number: str
    caller_name: str
    trunk: str = ""
    found: str = "live"


class Queue(Struct, frozen=True, kw_only=True):
    """Put the contact into a queue."""

    visit_id: str
    queue_id: str
    entry_id: str
    skill: str
    min_level: int
    priority: int
    music: str
    leave_by: Instant
    unknown_number: bool = False


class TurnAway(Struct, frozen=True, kw_only=True):
    """Apologise and end."""

    reason: str
    prompt: str
    unknown_number: bool = False


class Identify(Struct, frozen=True, kw_only=True):
    """The caller is known to be this customer."""

    customer_id: str


class MakeOffer(Struct, frozen=True, kw_only=True):
    """Propose the contact to these agents."""

    offer_id: str
    reservations: tuple[Reservation, ...]
    deadline: Instant
    decision: Decision


class NoteDelivered(Struct, frozen=True, kw_only=True):
    """An agent's phone rings."""

    leg: str


class NoteAnswered(Struct, frozen=True, kw_only=True):
    """An agent's phone answered."""

    leg: str
    connect_by: Instant


class NoteBridged(Struct, frozen=True, kw_only=True):
    """The switch joined two legs."""

    leg: str
    other: str
    segment_id: str


class NoteHold(Struct, frozen=True, kw_only=True):
    """The switch put a leg on hold (`on`) or took it off."""

    leg: str
    on: bool


class NoteLegGone(Struct, frozen=True, kw_only=True):
    """A leg is gone. `next_connect_by`: until when the next answered phone must be joined, if this was the winner."""

    leg: str
    cause: str
    next_connect_by: Instant
    repair: str = ""


class ExpireOffer(Struct, frozen=True, kw_only=True):
    """The offer's deadline (or that of joining the legs) has passed. `node_up`: whether the switch can hear us."""

    offer_id: str
    node_up: bool = True


class ExpireVisit(Struct, frozen=True, kw_only=True):
    """The longest wait is over."""

    prompt: str
    now: Instant


class WithdrawOffer(Struct, frozen=True, kw_only=True):
    """Take the open offer back, whole (`shift_id` empty) or one agent's reservation."""

    cause: str
    shift_id: str = ""


class AcceptAtDesk(Struct, frozen=True, kw_only=True):
    """The agent pressed accept."""

    shift_id: str


class RejectAtDesk(Struct, frozen=True, kw_only=True):
    """The agent pressed reject."""

    shift_id: str


class Hold(Struct, frozen=True, kw_only=True):
    """The agent pressed hold."""

    shift_id: str


class Resume(Struct, frozen=True, kw_only=True):
    """The agent pressed resume."""

    shift_id: str


class HangUp(Struct, frozen=True, kw_only=True):
    """End the call. `reason`: agent, signed_out, stopped, repair."""

    reason: str


class CheckOverdue(Struct, frozen=True, kw_only=True):
    """Ask after legs that should be gone."""

    again_at: Instant


class NoteRecording(Struct, frozen=True, kw_only=True):
    """The switch began (`length_ms` < 0) or finished a recording."""

    file: str
    length_ms: int = -1


Command = (
    Receive | Queue | TurnAway | Identify | MakeOffer | NoteDelivered | NoteAnswered | NoteBridged | NoteHold
    | NoteLegGone | ExpireOffer | ExpireVisit | WithdrawOffer | AcceptAtDesk | RejectAtDesk | Hold | Resume | HangUp
    | CheckOverdue | NoteRecording
)  # fmt: skip


def decide(contact: Contact | None, command: Command) -> Events:
    """The events that follow from a command, `()` where nothing does.

    Raises `Refused` where a person asked for something that the contact's state does not allow.
    """
    if contact is None:
        return _receive(command) if isinstance(command, Receive) else ()
    if contact.status == "ended":
        return ()
    match command:
        case NoteLegGone():
            return _leg_gone(contact, command)
        case NoteBridged():
            return _bridged(contact, command)
        case Queue() | TurnAway() | ExpireVisit() | Identify() | HangUp() | CheckOverdue() | NoteRecording():
            return _of_the_caller(contact, command)
        case Hold() | Resume() | NoteHold():
            return _hold(contact, command)
        case Receive():
            return ()
    return _of_the_offer(contact, command)


def _receive(command: Receive) -> Events:
    return (
        ContactArrived(
            node=command.node,
            leg=command.leg,
            dialled=command.dialled,
            caller_number=command.caller_number,
            caller_name=command.caller_name,
            trunk=command.trunk,
            found=command.found,
        ),
    )


def _of_the_caller(
    contact: Contact, command: Queue | TurnAway | ExpireVisit | Identify | HangUp | CheckOverdue | NoteRecording
) -> Events:
    match command:
        case Queue() if contact.status == "arrived":
            missing = (EntryPointMissing(dialled=contact.dialled),) if command.unknown_number else ()
            queued = ContactQueued(
                visit_id=command.visit_id,
                queue_id=command.queue_id,
                entry_id=command.entry_id,
                skill=command.skill,
                min_level=command.min_level,
                priority=command.priority,
                music=command.music,
                leave_by=command.leave_by,
            )
            return (*missing, queued)
        case TurnAway() if contact.status == "arrived":
            missing = (EntryPointMissing(dialled=contact.dialled),) if command.unknown_number else ()
            return (*missing, ContactTurnedAway(reason=command.reason, prompt=command.prompt))
        case ExpireVisit() if contact.status == "waiting" and contact.visit and contact.visit.leave_by <= command.now:
            return (
                ContactTurnedAway(reason="no_agent_in_time", prompt=command.prompt),
                _visit_ended(contact, "timed_out"),
            )
        case Identify() if not contact.customer_id:
            return (ContactIdentified(customer_id=command.customer_id),)
        case HangUp():
            return _hang_up(contact, command.reason)
        case CheckOverdue() if doomed := doomed_legs(contact):
            return (LegOverdue(legs=doomed, again_at=command.again_at),)
        case NoteRecording() if command.length_ms < 0:
            return (RecordingBegun(file=command.file),)
        case NoteRecording():
            return (RecordingFinished(file=command.file, length_ms=command.length_ms),)
    return ()


def _hang_up(contact: Contact, reason: str) -> Events:
    if contact.status == "leaving" and contact.told not in ("", "turned_away"):
        return ()
    events: Events = (HangUpRequested(reason=reason),)
    if contact.offer is not None:
        events += (OfferWithdrawn(offer_id=contact.offer.offer_id, cause=reason),)
    if contact.visit is not None:
        events += (_visit_ended(contact, "stopped"),)
    return events


def _of_the_offer(contact: Contact, command: Command) -> Events:
    offer = contact.offer
    if isinstance(command, MakeOffer):
        if contact.status != "waiting" or contact.visit is None:
            return ()
        return (
            OfferMade(
                offer_id=command.offer_id,
                visit_id=contact.visit.visit_id,
                queue_id=contact.visit.queue_id,
                reservations=command.reservations,
                deadline=command.deadline,
                decision=command.decision,
            ),
        )
    if offer is None:
        if isinstance(command, AcceptAtDesk | RejectAtDesk):
            raise Refused("no_offer", "There is no offer to answer any more; the caller may have hung up.")
        return ()
    match command:
        case AcceptAtDesk() | RejectAtDesk():
            held = next((r for r in offer.reservations if r.shift_id == command.shift_id), None)
            if held is None or held.leg in offer.answered:
                raise Refused("no_offer", "This offer is not open for you any more.")
            if held.leg in offer.rejecting:
                return ()
            made = OfferAcceptRequested if isinstance(command, AcceptAtDesk) else OfferRejectRequested
            return (made(offer_id=offer.offer_id, shift_id=held.shift_id, leg=held.leg),)
        case NoteDelivered():
            held = reservation_of(contact, command.leg)
            if held is None or command.leg in offer.delivered or command.leg in offer.answered:
                return ()
            return (OfferDelivered(offer_id=offer.offer_id, shift_id=held.shift_id, leg=held.leg),)
        case NoteAnswered():
            held = reservation_of(contact, command.leg)
            if held is None or command.leg in offer.answered:
                return ()
            answered = OfferAnswered(offer_id=offer.offer_id, shift_id=held.shift_id, leg=held.leg)
            if offer.accepted:
                return (answered,)
            return (answered, _accepted(offer, held, command.connect_by))
        case ExpireOffer() if command.offer_id == offer.offer_id:
            if not command.node_up:
                return (OfferWithdrawn(offer_id=offer.offer_id, cause="node_down"),)
            if offer.accepted:
                return (OfferFailed(offer_id=offer.offer_id, cause="not_connected_in_time"),)
            return (OfferTimedOut(offer_id=offer.offer_id, cause="NO_ANSWER"),)
        case WithdrawOffer():
            return _withdraw(offer, command)
    return ()


def _withdraw(offer: Offer, command: WithdrawOffer) -> Events:
    if not command.shift_id:
        return (OfferWithdrawn(offer_id=offer.offer_id, cause=command.cause),)
    held = next((r for r in offer.reservations if r.shift_id == command.shift_id), None)
    if held is None:
        return ()
    if len(offer.reservations) == 1:
        return (OfferWithdrawn(offer_id=offer.offer_id, cause=command.cause),)
    return (
        OfferDeclined(
            offer_id=offer.offer_id, shift_id=held.shift_id, leg=held.leg, outcome="withdrawn", cause=command.cause
        ),
    )


def _accepted(offer: Offer, held: Reservation, connect_by: Instant) -> OfferAccepted:
    return OfferAccepted(offer_id=offer.offer_id, shift_id=held.shift_id, leg=held.leg, connect_by=connect_by)


def _visit_ended(contact: Contact, outcome: str) -> QueueVisitEnded:
    assert contact.visit is not None  # every caller of this function has just looked
    return QueueVisitEnded(visit_id=contact.visit.visit_id, queue_id=contact.visit.queue_id, outcome=outcome)


def _bridged(contact: Contact, command: NoteBridged) -> Events:
    offer = contact.offer
    pair = {command.leg, command.other}
    if offer is None or contact.status not in ("offered", "connecting") or contact.caller_leg not in pair:
        return ()
    winner = next((r for r in offer.reservations if r.leg in pair), None)
    if winner is None:
        return ()
    losers = tuple(
        OfferDeclined(
            offer_id=offer.offer_id, shift_id=r.shift_id, leg=r.leg, outcome="lost", cause="answered_elsewhere"
        )
        for r in offer.reservations
        if r.leg != winner.leg
    )
    connected = ContactConnected(
        segment_id=command.segment_id,
        offer_id=offer.offer_id,
        shift_id=winner.shift_id,
        agent_id=winner.agent_id,
        leg=winner.leg,
    )
    visit = (_visit_ended(contact, "answered"),) if contact.visit is not None else ()
    return (*losers, connected, *visit)


def _hold(contact: Contact, command: Hold | Resume | NoteHold) -> Events:
    segment = contact.segment
    if isinstance(command, NoteHold):
        if segment is None or command.leg != segment.leg:
            return ()
        if command.on and contact.status == "connected":
            return (ContactHeld(segment_id=segment.segment_id),)
        if not command.on and contact.status == "held":
            return (ContactResumed(segment_id=segment.segment_id),)
        return ()
    if segment is None or segment.shift_id != command.shift_id or contact.status not in ("connected", "held"):
        raise Refused("not_talking", "Hold and resume need a call that you are in.")
    if isinstance(command, Hold):
        if contact.status == "held":
            raise Refused("already_held", "The caller is already on hold.")
        return (HoldRequested(segment_id=segment.segment_id),)
    if contact.status == "connected":
        raise Refused("not_held", "The caller is not on hold.")
    return (ResumeRequested(segment_id=segment.segment_id),)


def _leg_gone(contact: Contact, command: NoteLegGone) -> Events:
    if command.leg not in contact.legs:
        return ()
    events: Events = (LegClosed(leg=command.leg, cause=command.cause, repair=command.repair),)
    if command.leg == contact.caller_leg:
        events += _caller_left(contact, command.cause)
    elif contact.segment is not None and command.leg == contact.segment.leg:
        ended_by = "system" if contact.told not in ("", "agent") else "agent"
        events += (_segment_ended(contact, ended_by, command.cause),)
    elif (held := reservation_of(contact, command.leg)) is not None:
        events += _reservation_gone(contact, held, command)
    if len(contact.legs) == 1:
        events += (_ended(contact, command.cause),)
    return events


def _caller_left(contact: Contact, cause: str) -> Events:
    events: Events = ()
    if contact.offer is not None:
        events += (OfferWithdrawn(offer_id=contact.offer.offer_id, cause="caller_left"),)
    if contact.visit is not None:
        outcome = "switch_lost" if cause == SWITCH_RESTARTED else "abandoned"
        events += (_visit_ended(contact, outcome),)
    if contact.segment is not None:
        ended_by = contact.told if contact.told == "agent" else "system" if contact.told else "caller"
        events += (_segment_ended(contact, ended_by, cause),)
    return events


def _segment_ended(contact: Contact, ended_by: str, cause: str) -> AgentSegmentEnded:
    assert contact.segment is not None  # every caller of this function has just looked
    return AgentSegmentEnded(
        segment_id=contact.segment.segment_id, shift_id=contact.segment.shift_id, ended_by=ended_by, cause=cause
    )


def _reservation_gone(contact: Contact, held: Reservation, command: NoteLegGone) -> Events:
    offer = contact.offer
    assert offer is not None  # reservation_of found `held` in it
    outcome = "rejected" if held.leg in offer.rejecting else outcome_of(command.cause)
    if held.leg in offer.answered:
        outcome = "failed"  # it had answered: whatever the cause says now, this was not a missed ring
    if len(offer.reservations) > 1:
        declined = OfferDeclined(
            offer_id=offer.offer_id, shift_id=held.shift_id, leg=held.leg, outcome=outcome, cause=command.cause
        )
        next_up = next((r for r in offer.reservations if r.leg in offer.answered and r.leg != held.leg), None)
        if offer.accepted == held.leg and next_up is not None:
            return (declined, _accepted(offer, next_up, command.next_connect_by))
        return (declined,)
    closed: type[OfferClosed] = OfferFailed
    if outcome == "timed_out":
        closed = OfferTimedOut
    elif outcome in ("rejected", "busy"):
        closed = OfferRejected
    elif outcome == "withdrawn":
        closed = OfferWithdrawn
    return (closed(offer_id=offer.offer_id, cause="desk" if held.leg in offer.rejecting else command.cause),)


def _ended(contact: Contact, cause: str) -> ContactEnded:
    if contact.told not in ("", "agent", "signed_out"):
        reason = contact.told
    elif cause == SWITCH_RESTARTED:
        reason = "switch_lost"
    else:
        reason = "completed" if contact.served else "abandoned"
    return ContactEnded(reason=reason, phase=contact.phase or contact.status)
