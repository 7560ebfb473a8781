"""What becomes of a consultation. Whatever does, the caller is with the agent again, or passed on: `consults`."""

from orchestrator.domain.contacts import guesting, transferring
from orchestrator.domain.contacts.commands import (
    AcceptAtDesk,
    CompleteConsult,
    Confer,
    Consult,
    Consulting,
    EndConsult,
    ExpireConsult,
    JoinConsultAgain,
    NoteAgentParked,
    NoteAnswered,
    NoteBridged,
    NoteDelivered,
    NoteLegGone,
    NoteMember,
    RejectAtDesk,
    SwitchConsult,
    WithdrawOffer,
)
from orchestrator.domain.contacts.consult_events import (
    ConsultAnswered,
    ConsultAsked,
    ConsultClosed,
    ConsultExtended,
    ConsultJoined,
    ConsultSwitched,
    ContactRejoined,
    MemberJoined,
)
from orchestrator.domain.contacts.consults import (
    CALLER,
    CONSULTED,
    CONSULTING,
    PARKED_ALONE,
    TAKEN_AWAY,
    TOGETHER,
    all_three,
    consult_leg,
    room_of,
)
from orchestrator.domain.contacts.consults import Consult as State
from orchestrator.domain.contacts.contacts import (
    Contact,
    OfferAcceptRequested,
    OfferDelivered,
    OfferRejectRequested,
    Segment,
)
from orchestrator.domain.contacts.guests import heir
from orchestrator.domain.kernel import Event, Instant, Refused
from orchestrator.domain.switch.causes import WITH_THE_SWITCH

Events = tuple[Event, ...]

NO_ANSWER = "NO_ANSWER"


def decide(contact: Contact, command: Consulting) -> Events:
    """The events that follow. Raises `Refused`: not_talking, on_hold, consulting, not_consulting, in_conference."""
    if isinstance(command, Consult):
        return _asked(contact, command)
    consult, segment = contact.consult, contact.segment
    if consult is None or segment is None:
        if isinstance(command, SwitchConsult | Confer | CompleteConsult | EndConsult):
            raise Refused("not_consulting", "Nobody is consulted about this caller any more.")
        return ()
    match command:
        case SwitchConsult() | Confer():
            return _switched(contact, consult, command)
        case NoteMember():
            return _member(contact, consult, command)
        case CompleteConsult():
            _refuse_unless_there(consult)
            return _handed_over(contact, segment, consult, command)
        case EndConsult():
            _refuse_unless_there(consult)
            return closed(contact, segment, consult, "cancelled", command.rejoin_by)
        case JoinConsultAgain() if consult.wish:
            return (ConsultExtended(consult_id=consult.consult_id, until=command.connect_by, cause="joined_again"),)
        case NoteAgentParked() if command.leg == segment.leg:
            return _parked(consult, command)
        case ExpireConsult() if consult.due and consult.due <= command.now:
            return _late(contact, segment, consult, command)
    return ()


def _parked(consult: State, command: NoteAgentParked) -> Events:
    """The agent's leg parks. First as it is taken from the caller: only then is it joined with whoever answers. Later
    while it is to be joined with them, or was: now it can be with the caller, or with all.
    """
    if consult.cut_short and (consult.over or consult.wish == TOGETHER):
        return (ConsultExtended(consult_id=consult.consult_id, until=command.connect_by, cause=PARKED_ALONE),)
    if consult.over or consult.alone:
        return ()
    if not consult.away:
        return (ConsultExtended(consult_id=consult.consult_id, until=consult.due, cause=TAKEN_AWAY),)
    if not (consult.answered and consult.wish == CONSULTED):
        return ()
    return (ConsultExtended(consult_id=consult.consult_id, until=consult.due, cause=PARKED_ALONE),)


def _asked(contact: Contact, command: Consult) -> Events:
    segment = contact.segment
    if segment is None or segment.shift_id != command.shift_id:
        raise Refused("not_talking", "Somebody is consulted about a caller with whom you talk; this call is over.")
    if contact.status == CONSULTING:
        raise Refused("consulting", "You consult somebody about this caller; end that first.")
    if contact.status != "connected" or segment.wish:
        raise Refused("on_hold", "Talk with the caller again first; then consult somebody.")
    return (
        ConsultAsked(
            consult_id=command.consult_id,
            segment_id=segment.segment_id,
            leg=command.leg,
            answer_by=command.answer_by,
            reservation=command.reservation,
            number=command.number,
            show=command.show,
        ),
    )


def _refuse_unless_there(consult: State) -> None:
    if consult.over:
        raise Refused("not_consulting", "Nobody is consulted about this caller any more.")


def _switched(contact: Contact, consult: State, command: SwitchConsult | Confer) -> Events:
    _refuse_unless_there(consult)
    if contact.guests and isinstance(command, SwitchConsult):
        raise Refused("in_conference", "More than three hear each other; let the others go first.")
    if not consult.answered or not consult.hears:
        raise Refused("not_answered", "Nobody has answered yet whom you could talk with in turn.")
    to = CONSULTED if consult.hears == CALLER else CALLER
    if isinstance(command, Confer):
        to = TOGETHER
    if consult.wish or consult.hears == to:
        return ()
    return (ConsultSwitched(consult_id=consult.consult_id, to=to, connect_by=command.connect_by),)


def _member(contact: Contact, consult: State, command: NoteMember) -> Events:
    """One more is in the room. Once all are, they hear each other."""
    meant = all_three(contact)
    if consult.wish != TOGETHER or command.room != room_of(consult):
        return ()
    if command.leg not in meant or command.leg in consult.inside:
        return ()
    events: Events = (MemberJoined(consult_id=consult.consult_id, leg=command.leg),)
    if {*consult.inside, command.leg} == set(meant):
        events += (ConsultJoined(consult_id=consult.consult_id, hears=TOGETHER),)
    return events


def delivered(consult: State, command: NoteDelivered) -> Events:
    """The colleague's phone rings: missed later, after the caller was left to it, it was no phone out of reach."""
    held = consult.reservation
    if held is None or command.leg != held.leg or consult.delivered or consult.answered or consult.over:
        return ()
    return (OfferDelivered(offer_id=consult.consult_id, shift_id=held.shift_id, leg=held.leg),)


def answered(consult: State, command: NoteAnswered) -> Events:
    """The leg of whoever is asked has parked: they are there, once."""
    if consult.answered or consult.rejecting or consult.over:
        return ()
    return (ConsultAnswered(consult_id=consult.consult_id, connect_by=command.connect_by),)


def bridged(contact: Contact, segment: Segment, consult: State, command: NoteBridged) -> Events:
    """The switch joined two legs. Whom the agent hears counts, whichever was wished for."""
    pair = {command.leg, command.other}
    if pair == {segment.leg, contact.caller_leg}:
        if consult.over:
            return (ContactRejoined(consult_id=consult.consult_id, segment_id=segment.segment_id),)
        hears = CALLER
    elif pair == {segment.leg, consult_leg(contact)}:
        hears = CONSULTED
    else:
        return ()
    if consult.hears == TOGETHER and not consult.wish:
        return ()  # late news of a bridge out of which they were brought together
    if not consult.answered or (consult.hears == hears and not consult.wish) or consult.wish not in ("", hears):
        return ()
    return (ConsultJoined(consult_id=consult.consult_id, hears=hears),)


def leg_gone(contact: Contact, segment: Segment, consult: State, command: NoteLegGone) -> Events:
    """The agent is gone, or whoever is consulted."""
    if command.leg == segment.leg:
        if command.handover is None:
            return ()  # with the whole switch: the end of the caller's leg, which comes too, ends it all
        if consult.over and command.phone_lost:
            return transferring.lost_phone(contact, segment, command.phone_lost, command.handover)
        if consult.over:
            return transferring.fell_back(contact, segment, command.handover)
        return _handed_over(contact, segment, consult, command.handover)
    with_all = command.cause in WITH_THE_SWITCH and not command.phone_lost
    if command.leg != consult_leg(contact) or with_all:
        return ()
    outcome = "left" if consult.answered else "missed"
    return closed(contact, segment, consult, outcome, command.next_connect_by, command.cause)


def closed(
    contact: Contact, segment: Segment, consult: State, outcome: str, rejoin_by: Instant, cause: str = ""
) -> Events:
    """Nobody is consulted any more; the agent goes back to the caller, or is there already. Where a guest is in the
    room, that is who is asked from now on, and the others leave it not at all.
    """
    if next_up := guesting.moved_up(contact, consult, rejoin_by):
        return (ConsultClosed(consult_id=consult.consult_id, outcome=outcome, cause=cause), *next_up)
    events: Events = (
        *guesting.dropped(contact, "ended"),
        ConsultClosed(consult_id=consult.consult_id, outcome=outcome, cause=cause, rejoin_by=rejoin_by),
    )
    if consult.hears == CALLER and not consult.wish and contact.caller_leg:
        events += (ContactRejoined(consult_id=consult.consult_id, segment_id=segment.segment_id),)
    return events


def dropped(contact: Contact, consult: State, outcome: str) -> Events:
    """The consultation ends with the call, and a conference that it has become."""
    guests = guesting.dropped(contact, outcome)
    return guests if consult.over else (*guests, ConsultClosed(consult_id=consult.consult_id, outcome=outcome))


def _handed_over(contact: Contact, segment: Segment, consult: State, command: CompleteConsult) -> Events:
    """The agent leaves the caller to whoever is consulted, or to the first agent of a room in which more than two stay.
    Where two stay, or none of them is an agent, whoever else was invited goes.
    """
    held = heir(contact)
    if held is not None:
        return guesting.passed_on(contact, segment, consult, held, command)
    return (*guesting.dropped(contact, "ended"), *transferring.handed_over(contact, segment, consult, command))


def at_desk(consult: State, command: AcceptAtDesk | RejectAtDesk) -> Events:
    """The colleague presses accept while their phone rings, or reject, also later: then they are asked no more."""
    held = consult.reservation
    there = consult.answered and isinstance(command, AcceptAtDesk)
    if held is None or held.shift_id != command.shift_id or consult.over or there:
        raise Refused("no_offer", "There is no offer to answer any more; the caller may have hung up.")
    if consult.rejecting or (consult.accepting and isinstance(command, AcceptAtDesk)):
        return ()
    made = OfferAcceptRequested if isinstance(command, AcceptAtDesk) else OfferRejectRequested
    return (made(offer_id=consult.consult_id, shift_id=held.shift_id, leg=held.leg),)


def withdrawn(contact: Contact, segment: Segment, consult: State, command: WithdrawOffer) -> Events:
    """The colleague signs out while their phone rings."""
    held = consult.reservation
    if held is None or held.shift_id != command.shift_id or consult.over or consult.answered:
        return ()
    return closed(contact, segment, consult, "missed", command.rejoin_by, command.cause)


def _late(contact: Contact, segment: Segment, consult: State, command: ExpireConsult) -> Events:
    """Not answered, or not joined, in time. A switch that cannot be asked may have done it all the same."""
    if command.blameless == "node_down":
        return (ConsultExtended(consult_id=consult.consult_id, until=command.again_at, cause="node_down"),)
    if not consult.answered and not consult.over:
        return closed(contact, segment, consult, "missed", command.again_at, NO_ANSWER)
    if not consult.doubted:
        return (ConsultExtended(consult_id=consult.consult_id, until=command.again_at, cause="not_connected_in_time"),)
    if not consult.over:
        return closed(contact, segment, consult, "left", command.again_at, "not_connected_in_time")
    # Caller and agent cannot be joined again: somebody else is to have the caller.
    return transferring.fell_back(contact, segment, command)
