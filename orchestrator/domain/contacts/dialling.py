"""What becomes of a contact that an agent begins by dialling a number. States and their diagram: `dials`."""

from typing import Final

from orchestrator.domain.contacts.commands import (
    Dial,
    DialCustomer,
    ExpireOffer,
    MissCustomer,
    NoteAnswered,
    NoteDelivered,
    NoteHeard,
    NoteLegGone,
)
from orchestrator.domain.contacts.contacts import (
    Contact,
    HangUpRequested,
    LegClosed,
    Offer,
    OfferAcceptRequested,
    OfferClosed,
    OfferExtended,
    OfferMade,
    OfferRejected,
    OfferTimedOut,
    OfferWithdrawn,
)
from orchestrator.domain.contacts.dial_events import (
    BranchNumberMissing,
    ContactDialled,
    DialEnded,
    NumberAnswered,
    NumberDelivered,
    NumberDialled,
    NumberSounded,
)
from orchestrator.domain.contacts.dials import (
    AGENT_NO_ANSWER,
    AGENT_UNREACHABLE,
    BARRED,
    BUSY,
    CANCELLED,
    DIALLING,
    FAILED,
    HUNG_UP,
    NO_ANSWER,
    WRONG,
    under_way,
    unreached,
)
from orchestrator.domain.kernel import Event
from orchestrator.domain.routing.outside import NOT_ALLOWED, NOT_CONFIGURED, WITHHELD
from orchestrator.domain.switch.causes import NORMAL_CLEARING, WITH_THE_SWITCH, outcome_of

Events = tuple[Event, ...]

# The offer is taken back because the number was not reached: the agent is not to blame.
NOT_REACHED: Final = "number_not_reached"
DIALLED: Final = "dialled"
"""The rule of the decision record: an agent chose themselves."""
# Ours: the time is over.
_TIME_OVER: Final = "NO_ANSWER"
_AT_THE_DESK: Final = "desk"
# Of an agent's phone that was off the hook: by its own hand, not because something broke.
_PUT_DOWN: Final = (NORMAL_CLEARING, _AT_THE_DESK)

# What a network, a phone, or a rule of ours says of a number that was not reached. Everything else is a failure.
_OF_NUMBERS: Final = {
    "USER_BUSY": BUSY,
    "NO_ANSWER": NO_ANSWER,
    "NO_USER_RESPONSE": NO_ANSWER,
    "ALLOTTED_TIMEOUT": NO_ANSWER,
    "SUBSCRIBER_ABSENT": NO_ANSWER,
    "UNALLOCATED_NUMBER": WRONG,
    "NO_ROUTE_DESTINATION": WRONG,
    "INVALID_NUMBER_FORMAT": WRONG,
    "NUMBER_CHANGED": WRONG,
    "CALL_REJECTED": BARRED,
    "OUTGOING_CALL_BARRED": BARRED,
    "INCOMING_CALL_BARRED": BARRED,
    NOT_ALLOWED: BARRED,
    NOT_CONFIGURED: BARRED,
    WITHHELD: BARRED,
}


def begin(command: Dial) -> Events:
    """The contact begins, and the agent's own phone is rung for it."""
    held, missing = command.reservation, command.branch_missing
    dialled = ContactDialled(
        node=command.node,
        shift_id=held.shift_id,
        agent_id=held.agent_id,
        caller_number=command.number,
        show=command.show,
        queue_id=command.queue_id,
        music=command.music,
        branch="" if missing else command.branch,
    )
    made = OfferMade(
        offer_id=command.offer_id,
        visit_id="",
        queue_id=command.queue_id,
        reservations=(held,),
        deadline=command.deadline,
        decision=command.decision,
        by_hand=True,
    )
    alarm = (BranchNumberMissing(branch=command.branch),) if missing else ()
    # Whoever answers at the desk has accepted by dialling: the phone need not wait for it.
    accepted = OfferAcceptRequested(offer_id=command.offer_id, shift_id=held.shift_id, leg=held.leg)
    return (dialled, *alarm, made, *((accepted,) if held.at_desk else ()))


def decide(contact: Contact, command: DialCustomer | MissCustomer) -> Events:
    """The agent's phone is off the hook: the number is called, or may not be called any more."""
    offer = contact.offer
    if unreached(contact) is None or offer is None or not offer.accepted:
        return ()
    if isinstance(command, MissCustomer):
        return missed(offer, command.cause)
    return (
        NumberDialled(
            offer_id=offer.offer_id,
            leg=command.leg,
            number=command.number,
            show=command.show,
            answer_by=command.answer_by,
        ),
    )


def sounds(contact: Contact, command: NoteDelivered | NoteHeard) -> Events:
    """The number rings, or its far end sends sound: once each, and no ringing tone over that sound."""
    dial, offer = unreached(contact), contact.offer
    if dial is None or offer is None or dial.leg != command.leg or contact.status != DIALLING or dial.heard:
        return ()
    if isinstance(command, NoteHeard):
        return (NumberSounded(offer_id=offer.offer_id, leg=command.leg),)
    return () if dial.rings else (NumberDelivered(offer_id=offer.offer_id, leg=command.leg),)


def answered(offer: Offer, command: NoteAnswered) -> Events:
    """The leg to the number has parked: somebody answered."""
    return (NumberAnswered(offer_id=offer.offer_id, leg=command.leg, connect_by=command.connect_by),)


def not_answered(offer: Offer, command: ExpireOffer) -> Events:
    """The number has rung for long enough. A switch that cannot be asked may have had an answer."""
    if command.blameless == "node_down":
        return (OfferExtended(offer_id=offer.offer_id, until=command.again_at, cause="node_down"),)
    return missed(offer, _TIME_OVER)


def missed(offer: Offer, cause: str) -> Events:
    """The number is not reached: the agent is released."""
    outcome = "switch_lost" if cause in WITH_THE_SWITCH else _OF_NUMBERS.get(cause, FAILED)
    return (OfferWithdrawn(offer_id=offer.offer_id, cause=NOT_REACHED), DialEnded(outcome=outcome, cause=cause))


def put_down(contact: Contact, command: NoteLegGone) -> Events:
    """The agent puts the phone down, or has it put down at the desk, before the two talk: nothing is missed by it, as
    by the key that hangs up. Where the far end is heard before it answers, the switch ends the agent's leg with it, and
    for its cause: then that is the number's. Nothing here for any other end of it.
    """
    offer, dial = contact.offer, under_way(contact)
    if offer is None or offer.accepted != command.leg or dial is None:
        return ()
    with_it = dial.heard and not dial.reached and not command.by_far_end and command.leg not in offer.rejecting
    if with_it and command.cause not in WITH_THE_SWITCH:
        return missed(offer, command.cause)
    cause = _AT_THE_DESK if command.leg in offer.rejecting else command.cause
    return (OfferWithdrawn(offer_id=offer.offer_id, cause=cause),) if cause in _PUT_DOWN else ()


def with_the_end(contact: Contact, events: Events) -> Events:
    """The events, with the end of the dialling where its offer closes: nobody else is offered it."""
    if contact.offer is None or under_way(contact) is None:
        return events
    closed = next((event for event in events if isinstance(event, OfferClosed)), None)
    if closed is None:
        return events
    if any(isinstance(event, DialEnded) for event in events):
        return events
    return (*events, DialEnded(outcome=_outcome(contact.offer, closed, events), cause=closed.cause))


def end_of(events: Events) -> str:
    """How the dialling ends with these events; empty where it does not."""
    return next((event.outcome for event in events if isinstance(event, DialEnded)), "")


def _outcome(offer: Offer, closed: OfferClosed, events: Events) -> str:
    for event in events:
        if isinstance(event, HangUpRequested):
            return CANCELLED if event.reason == "agent" else event.reason
        if isinstance(event, LegClosed) and event.cause in WITH_THE_SWITCH:
            return "switch_lost"
    if closed.cause in WITH_THE_SWITCH:
        return "switch_lost"
    if closed.cause == "caller_left":
        return HUNG_UP
    if offer.accepted:
        # The agent's phone was off the hook, and was put down; or the two could not be joined.
        return CANCELLED if closed.cause in _PUT_DOWN else FAILED
    match closed:
        case OfferTimedOut():
            return AGENT_NO_ANSWER
        case OfferRejected():
            return AGENT_NO_ANSWER if closed.cause == "USER_BUSY" else CANCELLED
        case OfferWithdrawn():
            return CANCELLED if closed.cause == "agent_signed_out" else FAILED
    return AGENT_UNREACHABLE if outcome_of(closed.cause) in ("unreachable", "timed_out") else FAILED
