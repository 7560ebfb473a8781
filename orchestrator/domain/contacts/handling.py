"""What may happen to a contact: one `decide` over all commands. What concerns its offer alone stands in `offers`.

Events: `events`; states and their diagram: `contacts`; commands: `commands`. A repeat yields `()`.
"""

from collections.abc import Callable
from typing import Any, Final, get_args

from msgspec.structs import replace

from orchestrator.domain.contacts import (
    apart,
    calling,
    consulting,
    dialling,
    guesting,
    legs,
    monitoring,
    moving,
    offers,
    parking,
    recording,
    speaking,
    transferring,
    unattended,
)
from orchestrator.domain.contacts.commands import (
    AcceptAtDesk,
    Announce,
    Answer,
    ByHand,
    Calling,
    CheckOverdue,
    Command,
    Consulting,
    DeferOverflow,
    DeferPlace,
    Dial,
    EndPark,
    ExpireVisit,
    HangUp,
    Hold,
    Identify,
    MarkNuisance,
    NoteAnswered,
    NoteBridged,
    NoteDelivered,
    NoteHeard,
    NoteHold,
    NoteHoldFailed,
    NoteLegGone,
    NoteParked,
    Park,
    Queue,
    Receive,
    RejectAtDesk,
    Resume,
    Revise,
    TakeOver,
    TellPlace,
    Transfer,
    TurnAway,
    Widen,
    WithdrawOffer,
)
from orchestrator.domain.contacts.consults import CALLER, CONSULTING, Consult
from orchestrator.domain.contacts.contacts import (
    HOLD_WITHIN,
    AgentSegmentEnded,
    AnswerRequested,
    Contact,
    ContactArrived,
    ContactEnded,
    ContactHeld,
    ContactIdentified,
    ContactResumed,
    ContactTurnedAway,
    EntryPointMissing,
    HangUpRequested,
    HoldFailed,
    HoldRequested,
    LegClosed,
    NuisanceMarked,
    NumberAnnounced,
    OfferWithdrawn,
    OverflowDeferred,
    PlaceDeferred,
    PlaceTold,
    QueueVisitEnded,
    ResumeRequested,
    Segment,
    Visit,
    VisitRevised,
    VisitWidened,
    can_be_told,
    reservation_of,
    step_within,
    told_to_hold,
)
from orchestrator.domain.contacts.guest_commands import Inviting
from orchestrator.domain.contacts.guests import guest_of_leg
from orchestrator.domain.contacts.monitor_commands import Monitoring
from orchestrator.domain.contacts.outward import outward_leg, to_be_called
from orchestrator.domain.contacts.outward_events import CallbackEnded, OutsideMissed
from orchestrator.domain.contacts.recording import RecordingCommand, Talk
from orchestrator.domain.contacts.unattended import ImportCall
from orchestrator.domain.kernel import MILLISECOND, Event, Instant, Refused
from orchestrator.domain.switch.causes import NORMAL_CLEARING, TAKEN_FROM_US, lost_as

Events = tuple[Event, ...]
_OfTheCaller = Queue | TurnAway | ExpireVisit | Identify | HangUp
_OfAdmission = DeferOverflow | Answer | MarkNuisance

# Between a bridge, a hold and a resume. A switch that is told sooner plays no music during the hold and then plays it
# over the talk: it reads ten frames of a new bridge, and five of a new hold, before it looks at what is to be played.
# On a real one harm was done up to 200 ms after a bridge and 150 ms after a hold; this is twice the longer of them.
SETTLE = 400 * MILLISECOND


def decide(contact: Contact | None, command: Command) -> Events:
    """The events that follow from a command, `()` where nothing does.

    Raises `Refused` where a person asked for something that the contact's state does not allow.
    """
    if contact is None:
        if isinstance(command, ImportCall):
            return unattended.decide(command)
        if isinstance(command, Dial):
            return dialling.begin(command)
        return _receive(command) if isinstance(command, Receive) else ()
    if contact.status == "ended":
        return ()
    events = monitoring.with_the_talk(contact, _decide(contact, command))
    return _closed(contact, dialling.with_the_end(contact, events))


def _decide(contact: Contact, command: Command) -> Events:
    match command:
        case NoteLegGone():
            return _leg_gone(contact, command)
        case _ if contact.monitor is not None and (its := monitoring.of_monitor(contact.monitor, command)) is not None:
            return its
        case _ if _is_apart(contact) and (aside := apart.heard_of(contact, command)) is not None:
            return aside
        case _ if contact.guests and (invited := guesting.of_guest(contact, command)) is not None:
            return invited
        case _ if contact.consult is not None and (found := _of_consult(contact, contact.consult, command)) is not None:
            return found
        case NoteDelivered() | NoteHeard() if command.leg == outward_leg(contact):
            return dialling.sounds(contact, command)
        case NoteAnswered() if command.leg == outward_leg(contact):
            return calling.answered(contact, command)
        case NoteBridged() if contact.outside is not None:
            return calling.bridged(contact, contact.outside, command)
    return _DECIDE.get(type(command), offers.decide)(contact, command)


def _is_apart(contact: Contact) -> bool:
    return contact.aside is not None or bool(contact.hushed)


def _of_consult(contact: Contact, consult: Consult, command: Command) -> Events | None:
    """The events, where the command concerns a consultation that goes on; None where it does not."""
    segment = contact.segment
    match command:
        case NoteDelivered():
            return consulting.delivered(consult, command)
        case NoteAnswered() if command.leg == consult.leg:
            return consulting.answered(consult, command)
        case NoteBridged() if segment is not None:
            return consulting.bridged(contact, segment, consult, command)
        case AcceptAtDesk() | RejectAtDesk():
            return consulting.at_desk(consult, command)
        case WithdrawOffer() if segment is not None:
            return consulting.withdrawn(contact, segment, consult, command)
        case Hold() | Resume() | Transfer() | Park():
            raise Refused("consulting", "You consult somebody about this caller; end that first.")
    return None


def _talk(contact: Contact) -> Talk:
    """What is to be known of the contact where its recording is decided on."""
    segment = contact.segment
    return Talk(
        recording=contact.recording,
        files=contact.files,
        finished=contact.finished,
        segment_id=segment.taped_as if segment is not None else contact.carried,
        shift_id=segment.shift_id if segment is not None else "",
    )


def _closed(contact: Contact, events: Events) -> Events:
    """The events, with the end of a contact that has no leg any more whose own end would bring it: of a customer who
    was to be called back.
    """
    if contact.legs:
        return events
    ending = next((event for event in events if isinstance(event, HangUpRequested | CallbackEnded)), None)
    if ending is None:
        return events
    return (*events, ContactEnded(reason=ending.reason, phase=contact.phase or contact.status))


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
            host=command.host,
            trunk_id=command.trunk_id,
            to_number=command.to_number,
            from_number=command.from_number,
            came_at=command.came_at,
        ),
    )


def _of_the_caller(contact: Contact, command: _OfTheCaller) -> Events:
    visit = contact.visit
    match command:
        case Queue() if _may_be_placed(contact, command.overflow):
            return (*_missing(contact, command), *_overflowed(visit, command.overflow), moving.queued(command))
        case TurnAway() if _may_be_placed(contact, command.overflow):
            turned_away = ContactTurnedAway(
                reason=command.reason,
                prompt=command.prompt,
                answered=command.answered,
                cause=command.cause,
                hops=command.hops,
            )
            return (*_missing(contact, command), turned_away, *_overflowed(visit, command.overflow))
        case ExpireVisit() if contact.status in ("awaiting_callback", "callback_later") and visit is not None:
            return calling.ended(contact, calling.FAILED) if visit.leave_by <= command.now else ()
        case ExpireVisit() if contact.status == "waiting" and visit is not None and visit.leave_by <= command.now:
            return (
                ContactTurnedAway(reason="no_agent_in_time", prompt=command.prompt, answered=contact.answered),
                _visit_ended(visit, "timed_out"),
            )
        case Identify() if not contact.customer_id:
            return (
                ContactIdentified(customer_id=command.customer_id, level=command.level, last_agent=command.last_agent),
            )
        case HangUp():
            return _hang_up(contact, command.reason)
    return ()


def _may_be_placed(contact: Contact, overflow: str) -> bool:
    """Whether it has just arrived; or, to leave its queue, waits without an offer."""
    return contact.status == ("waiting" if overflow else "arrived")


def _missing(contact: Contact, command: Queue | TurnAway) -> Events:
    return (EntryPointMissing(dialled=contact.dialled),) if command.unknown_number else ()


def _overflowed(visit: Visit | None, why: str) -> Events:
    return () if visit is None else (_visit_ended(visit, "overflowed", why),)


def _of_admission(contact: Contact, command: _OfAdmission) -> Events:
    match command:
        case DeferOverflow() if contact.status == "waiting" and contact.visit is not None:
            return (OverflowDeferred(queue_id=contact.visit.queue_id, again_at=command.again_at),)
        case Answer() if contact.visit is not None and not contact.answered:
            return (AnswerRequested(),)
        case MarkNuisance():
            return _mark_nuisance(contact, command)
    return ()


def _mark_nuisance(contact: Contact, command: MarkNuisance) -> Events:
    if contact.segment is None or contact.segment.shift_id != command.shift_id:
        raise Refused("not_talking", "A caller is marked as a nuisance during the call.")
    if not contact.from_number:
        raise Refused("no_number", "This caller's number is withheld or no number; nothing can be refused by it.")
    return () if contact.nuisance else (NuisanceMarked(),)


def _hang_up(contact: Contact, reason: str) -> Events:
    if contact.status == "leaving" and contact.told != "turned_away":
        return ()
    consulted = consulting.dropped(contact, contact.consult, "ended") if contact.consult is not None else ()
    events: Events = (*consulted, HangUpRequested(reason=reason))
    if contact.offer is not None:
        events += (OfferWithdrawn(offer_id=contact.offer.offer_id, cause=reason),)
    if contact.outside is not None and not contact.outside.segment_id:
        events += (OutsideMissed(leg=contact.outside.leg, cause=reason),)
    if contact.visit is not None:
        events += (_visit_ended(contact.visit, "stopped"),)
    if contact.parked is not None:
        events += (parking.left(contact.parked, "stopped"),)
    return events


def _steps(contact: Contact, command: Widen | Revise) -> Events:
    """How the requirement of the open visit moves on."""
    visit = contact.visit
    if visit is None or visit.visit_id != command.visit_id:
        return ()
    if isinstance(command, Revise):
        if (command.steps, command.bonuses) == (visit.steps, visit.bonuses):
            return ()
        return (_revised(visit, command),)
    following = visit.step + 1
    begins = visit.step == -1  # a visit that waited to know who calls may have no steps at all
    if command.step != visit.step or (following >= len(visit.steps) and not begins):
        return ()
    until_ms = visit.steps[following].until_ms if visit.steps else 0
    until = Instant(command.now + until_ms * MILLISECOND) if until_ms else Instant(0)
    return (VisitWidened(visit_id=visit.visit_id, step=following, until=until, reason=command.reason),)


def _revised(visit: Visit, command: Revise) -> VisitRevised:
    """A step that has an end keeps it. One that had none, or is another now, gets the time that the new chain gives."""
    step = step_within(visit.step, command.steps)
    until = visit.step_until
    if step >= len(command.steps) - 1 and step >= 0:
        until = Instant(0)
    elif not until:
        until = Instant(command.now + command.steps[step].until_ms * MILLISECOND)
    return VisitRevised(
        visit_id=visit.visit_id, steps=command.steps, bonuses=command.bonuses, until=until, reason=command.reason
    )


def _announce(contact: Contact, command: Announce) -> Events:
    segment, consult = contact.segment, contact.consult
    in_turn = contact.status == CONSULTING and consult is not None and not consult.wish and consult.hears == CALLER
    if segment is None or segment.announced or not (in_turn or contact.status in ("connected", "held")):
        return ()
    return (NumberAnnounced(segment_id=segment.segment_id, number=command.number),)


def _tell_place(contact: Contact, command: TellPlace | DeferPlace) -> Events:
    if contact.visit is None:
        return ()
    queue_id = contact.visit.queue_id
    if isinstance(command, DeferPlace) or not can_be_told(contact):
        return (PlaceDeferred(queue_id=queue_id, again_at=command.again_at),)
    return (
        PlaceTold(
            queue_id=queue_id,
            position=command.position,
            estimate_ms=command.estimate_ms,
            again_at=command.again_at,
        ),
    )


def _hold(contact: Contact, command: Hold | Resume | NoteHold | NoteHoldFailed) -> Events:
    segment = contact.segment
    if isinstance(command, NoteHoldFailed):
        if segment is None or command.leg != segment.leg or not segment.wish:
            return ()
        return (HoldFailed(segment_id=segment.segment_id, on=segment.wish == "hold", cause=command.cause[:100]),)
    if isinstance(command, NoteHold):
        if segment is None or command.leg != segment.leg:
            return ()
        if command.on and contact.status == "connected":
            return (ContactHeld(segment_id=segment.segment_id),)
        if not command.on and (contact.status == "held" or segment.wish == "resume"):
            return (ContactResumed(segment_id=segment.segment_id),)
        return ()
    if segment is None or segment.shift_id != command.shift_id or contact.status not in ("connected", "held"):
        raise Refused("not_talking", "Hold and resume need a call that you are in.")
    return _wish(contact, segment, command)


def _wish(contact: Contact, segment: Segment, command: Hold | Resume) -> Events:
    """What the agent wants, and when the switch can bear to be told; until then another press takes it back. A hold of
    which it was told long ago and has said nothing is ended like any other: the caller may hear the music. One that it
    is just told of is not: music that is ended before it has begun is played over the talk.
    """
    pending = bool(segment.wish) and command.now < segment.wish_due
    wanted = "hold" if isinstance(command, Hold) else "resume"
    then = command.then if isinstance(command, Hold) else ""
    if pending and segment.wish == wanted and then in ("", segment.then):
        return ()
    not_before = Instant(segment.changed_at + SETTLE)
    if isinstance(command, Hold):
        if contact.status == "held" and not pending:
            raise Refused("already_held", "The caller is already on hold.")
        return (HoldRequested(segment_id=segment.segment_id, not_before=not_before, then=then),)
    if told_to_hold(segment, Instant(command.now - HOLD_WITHIN)):
        not_before = Instant(command.now + SETTLE)
    elif contact.status == "connected" and segment.wish == "resume":
        return ()
    elif contact.status == "connected" and not pending:
        raise Refused("not_held", "The caller is not on hold.")
    return (ResumeRequested(segment_id=segment.segment_id, not_before=not_before),)


def _leg_gone(contact: Contact, command: NoteLegGone) -> Events:
    if command.leg not in contact.legs:
        return ()
    events: Events = ()
    if not command.open:
        events = (LegClosed(leg=command.leg, cause=command.cause, repair=command.repair),)
    if command.phone_lost:
        command = replace(command, cause=command.phone_lost)
    if command.leg == contact.caller_leg:
        events += (*recording.leg_gone(contact.recording), *_caller_left(contact, command.cause))
    elif contact.monitor is not None and command.leg == contact.monitor.leg:
        events += monitoring.leg_gone(contact.monitor, command)
    elif (guest := guest_of_leg(contact, command.leg)) is not None:
        events += guesting.leg_gone(contact, guest, command)
    elif contact.consult is not None and contact.segment is not None and contact.status != "leaving":
        events += consulting.leg_gone(contact, contact.segment, contact.consult, command)
    elif command.leg == outward_leg(contact):
        events += calling.leg_gone(contact, command)
    elif contact.segment is not None and command.leg == contact.segment.leg:
        events += _without_agent(contact, contact.segment, command)
    elif contact.offer is not None and (held := reservation_of(contact, command.leg)) is not None:
        events += dialling.put_down(contact, command) or offers.reservation_gone(contact, contact.offer, held, command)
    events = dialling.with_the_end(contact, events)
    if len(contact.legs) == 1 and not command.open and not _lives_on(contact, events):
        events += (_ended(contact, command.cause, told=dialling.end_of(events)),)
    return events


def _lives_on(contact: Contact, events: Events) -> bool:
    """Whether the customer is still to be called, so that the contact needs no leg."""
    over = contact.status == "leaving" or any(isinstance(event, CallbackEnded) for event in events)
    return to_be_called(contact) is not None and not over


def _without_agent(contact: Contact, segment: Segment, command: NoteLegGone) -> Events:
    """The agent's leg has ended, and the talk with it: the caller's end follows, unless only the phone is lost."""
    there = contact.status in ("connected", "held") and contact.caller_leg in contact.legs
    if there and command.phone_lost and command.handover is not None:
        return transferring.lost_phone(contact, segment, command.phone_lost, command.handover)
    return (_segment_ended(segment, _who_ended(contact, command), command.cause),)


def _who_ended(contact: Contact, command: NoteLegGone) -> str:
    """Who ended the conversation, when it is the agent's leg whose end is heard of first.

    When a caller hangs up, the switch ends the agent's leg because of it, and often tells of that one first.
    """
    if contact.told or command.cause in TAKEN_FROM_US:
        return "agent" if contact.told == "agent" else "system"
    return "caller" if not command.by_far_end and command.cause == NORMAL_CLEARING else "agent"


def _caller_left(contact: Contact, cause: str) -> Events:
    events: Events = ()
    if contact.offer is not None:
        events += (OfferWithdrawn(offer_id=contact.offer.offer_id, cause="caller_left"),)
    if contact.visit is not None:
        events += (_visit_ended(contact.visit, lost_as(cause) or "abandoned"),)
    if contact.parked is not None:
        events += (parking.left(contact.parked, lost_as(cause) or "abandoned"),)
    if contact.consult is not None:
        events += consulting.dropped(contact, contact.consult, "caller_left")
    if contact.segment is not None:
        ended_by = "caller"
        if contact.told or cause in TAKEN_FROM_US:
            ended_by = "agent" if contact.told == "agent" else "system"
        events += (_segment_ended(contact.segment, ended_by, cause),)
    if contact.outside is not None:
        events += calling.caller_left(contact.outside, told=contact.told, cause=cause)
    return events


def _segment_ended(segment: Segment, ended_by: str, cause: str) -> AgentSegmentEnded:
    return AgentSegmentEnded(segment_id=segment.segment_id, shift_id=segment.shift_id, ended_by=ended_by, cause=cause)


def _visit_ended(visit: Visit, outcome: str, cause: str = "") -> QueueVisitEnded:
    return QueueVisitEnded(visit_id=visit.visit_id, queue_id=visit.queue_id, outcome=outcome, cause=cause)


def _ended(contact: Contact, cause: str, *, told: str = "") -> ContactEnded:
    if told:
        reason = told
    elif contact.told not in ("", "agent", "signed_out"):
        reason = contact.told
    elif (lost := lost_as(cause)) and contact.status != "leaving":
        reason = lost
    else:
        reason = "completed" if contact.served else "abandoned"
    return ContactEnded(reason=reason, phase=contact.phase or contact.status)


def _of_recording(contact: Contact, command: RecordingCommand) -> Events:
    return recording.decide(_talk(contact), command)


# Who decides on which command, by its class: a table, for a call has ten commands and most are of the offer, which
# would be asked after all others. Any that is not here concerns the offer.
_DECIDE: Final[dict[type, Callable[[Contact, Any], Events]]] = {
    **dict.fromkeys(get_args(Consulting), consulting.decide),
    **dict.fromkeys(get_args(Inviting), guesting.decide),
    **dict.fromkeys((*get_args(Monitoring), TakeOver), monitoring.decide),
    **dict.fromkeys((Widen, Revise), _steps),
    **dict.fromkeys(get_args(_OfTheCaller), _of_the_caller),
    **dict.fromkeys((CheckOverdue, NoteParked), legs.decide),
    **dict.fromkeys((Hold, Resume, NoteHold, NoteHoldFailed), _hold),
    **dict.fromkeys(get_args(ByHand), moving.decide),
    Transfer: transferring.decide,
    **dict.fromkeys((Park, EndPark), parking.decide),
    **dict.fromkeys(get_args(_OfAdmission), _of_admission),
    Announce: _announce,
    **dict.fromkeys((TellPlace, DeferPlace), _tell_place),
    **dict.fromkeys((Receive, Dial), lambda _contact, _command: ()),
    **dict.fromkeys(get_args(Calling), calling.decide),
    **dict.fromkeys(get_args(RecordingCommand), _of_recording),
    **dict.fromkeys(get_args(speaking.Speaking), speaking.decide),
}
