"""What becomes of an offer: made, rung, answered, accepted, joined, or closed without an agent.

One offer holds one reservation, or with ring-all N. The first phone that answers is accepted; the others go on ringing
until the switch says that the caller hears the winner, so that nobody is lost if the winner dies first (complaint 9).
"""

from orchestrator.domain.contacts import calling, dialling, moving
from orchestrator.domain.contacts.commands import (
    AcceptAtDesk,
    Command,
    ExpireOffer,
    JoinAgain,
    MakeOffer,
    NoteAnswered,
    NoteBridged,
    NoteDelivered,
    NoteLegGone,
    Pick,
    RejectAtDesk,
    WidenOffer,
    WithdrawOffer,
)
from orchestrator.domain.contacts.contacts import (
    Contact,
    ContactConnected,
    Offer,
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
    QueueVisitEnded,
    Reservation,
    reservation_of,
)
from orchestrator.domain.contacts.dials import DIALLING, unreached
from orchestrator.domain.contacts.outward import IN_TURN, to_be_called
from orchestrator.domain.kernel import Event, Instant, Refused
from orchestrator.domain.switch.causes import (
    FOR_LOSERS,
    NEVER_MADE,
    NORMAL_TEMPORARY_FAILURE,
    NOT_PASSED,
    outcome_of,
)

Events = tuple[Event, ...]


def decide(contact: Contact, command: Command) -> Events:
    """The events that follow for the contact's offer. Raises `Refused` where an agent answers an offer that is gone."""
    if isinstance(command, MakeOffer):
        return _made(contact, command)
    offer = contact.offer
    if offer is None:
        if isinstance(command, AcceptAtDesk | RejectAtDesk):
            raise Refused("no_offer", "There is no offer to answer any more; the caller may have hung up.")
        return ()
    match command:
        case AcceptAtDesk() | RejectAtDesk():
            return _at_desk(contact, offer, command)
        case NoteDelivered():
            held = reservation_of(contact, command.leg)
            if held is None or command.leg in offer.delivered or command.leg in offer.answered:
                return ()
            return (OfferDelivered(offer_id=offer.offer_id, shift_id=held.shift_id, leg=held.leg),)
        case NoteAnswered():
            held = reservation_of(contact, command.leg)
            if held is None or command.leg in offer.answered or command.leg in offer.rejecting:
                return ()
            answered = OfferAnswered(offer_id=offer.offer_id, shift_id=held.shift_id, leg=held.leg)
            if offer.accepted:
                return (answered,)
            return (answered, _accepted(offer, held, command.connect_by))
        case NoteBridged():
            return _bridged(contact, offer, command)
        case ExpireOffer() if command.offer_id == offer.offer_id:
            callback = to_be_called(contact)
            if offer.accepted and callback is not None:
                return calling.not_answered(contact, callback, offer, command)
            if offer.accepted and unreached(contact) is not None:
                return dialling.not_answered(offer, command)
            if offer.accepted:
                return _not_joined(offer, command)
            if command.blameless:
                return (OfferWithdrawn(offer_id=offer.offer_id, cause=command.blameless),)
            return _timed_out(offer, command)
        case JoinAgain() if offer.accepted:
            return (OfferExtended(offer_id=offer.offer_id, until=command.connect_by, cause="joined_again"),)
        case WithdrawOffer():
            return _withdraw(offer, command)
        case WidenOffer() if command.offer_id == offer.offer_id and not offer.accepted:
            widened = OfferWidened(
                offer_id=offer.offer_id,
                reservations=command.reservations,
                deadline=command.deadline,
                next_at=command.next_at,
                decision=command.decision,
            )
            return (widened,)
    return ()


def reservation_gone(contact: Contact, offer: Offer, held: Reservation, command: NoteLegGone) -> Events:
    """A phone that was rung for this offer is gone: with the others the offer lives on, with the last one it closes; or
    it is rung once more, where its agent has just asked for this caller.
    """
    outcome = phone_outcome(offer, held.leg, command.cause)
    if len(offer.reservations) > 1:
        return _without(offer, held, outcome, command.cause, command.next_connect_by)
    closed: type[OfferClosed] = OfferFailed
    if outcome == "timed_out":
        closed = OfferTimedOut
    elif outcome in ("rejected", "busy"):
        closed = OfferRejected
    elif outcome == "withdrawn":
        closed = OfferWithdrawn
    over = closed(offer_id=offer.offer_id, cause="desk" if held.leg in offer.rejecting else command.cause)
    if outcome != "busy" or command.again is None:
        return (over,)
    return (over, *_rung_again(contact, offer, held, command.again))


def _rung_again(contact: Contact, offer: Offer, held: Reservation, pick: Pick) -> Events:
    """The next ring of an agent who waits for this caller. Whoever has accepted at the desk need not do so again."""
    made = moving.picked(offer.visit_id, contact.queue_id, pick)
    if held.leg not in offer.accepting:
        return made
    again = pick.reservation
    return (*made, OfferAcceptRequested(offer_id=pick.offer_id, shift_id=again.shift_id, leg=again.leg))


def phone_outcome(offer: Offer, leg: str, cause: str) -> str:
    """What the end of a phone's leg means for its agent: timed_out, rejected, busy, unreachable, withdrawn, lost or
    failed.

    Only a phone that rang can miss a call; one that was never heard to ring in all that time is not there.
    """
    if leg in offer.answered:
        return "failed"  # whatever the cause says now, this was not a missed ring
    if leg in offer.rejecting:
        return "rejected"
    if cause in FOR_LOSERS:
        return (
            "failed"  # not we: an offer of ours is over before its legs are. It would be rung again at once, for ever
        )
    outcome = outcome_of(cause)
    if cause in NOT_PASSED and any(r.via for r in offer.reservations if r.leg == leg):
        return "failed"  # it may be the trunk to the phone's node, or that node, also where it rang until then
    never_there = outcome == "timed_out" or cause == NORMAL_TEMPORARY_FAILURE
    return "unreachable" if never_there and leg not in offer.delivered else outcome


def not_rung(offer: Offer, held: Reservation) -> bool:
    """Whether the phone waits for the desk to accept, so that there is no leg yet."""
    return held.at_desk and held.leg not in offer.accepting


def agent_outcome(offer: Offer, held: Reservation, closed: OfferClosed) -> str:
    """What the closing of an offer means for one of the agents whom it held: as `phone_outcome`."""
    match closed:
        case OfferWithdrawn():
            return "withdrawn"
        case OfferRejected():
            return "busy" if closed.cause == "USER_BUSY" else "rejected"
        case OfferFailed() if held.leg == offer.accepted:
            return "failed"
        case OfferTimedOut() if held.at_desk and held.leg not in offer.delivered:
            # The desk rang, and nobody took it there; or too late for the phone to be rung, which is nobody's fault.
            return "timed_out" if not_rung(offer, held) else "failed"
    return phone_outcome(offer, held.leg, closed.cause)


def _without(offer: Offer, held: Reservation, outcome: str, cause: str, connect_by: Instant) -> Events:
    """The offer goes on without this reservation; if it was the accepted one, the next who answered is."""
    declined = OfferDeclined(
        offer_id=offer.offer_id, shift_id=held.shift_id, leg=held.leg, outcome=outcome, cause=cause
    )
    left = {r.leg: r for r in offer.reservations if r.leg != held.leg}
    next_up = next((left[leg] for leg in offer.answered if leg in left), None)
    if offer.accepted == held.leg and next_up is not None:
        return (declined, _accepted(offer, next_up, connect_by))
    return (declined,)


def _timed_out(offer: Offer, command: ExpireOffer) -> Events:
    """Nobody answered. An agent whose leg the switch never made missed nothing, nor one of whose phone's switch nothing
    is heard: an overloaded switch, a slow database or a lost one must not stand anybody down.
    """
    rung = [r for r in offer.reservations if not not_rung(offer, r)]
    excused = {r.leg: ("failed", NEVER_MADE) for r in rung if r.leg in command.unmade}
    excused |= {r.leg: ("withdrawn", "node_down") for r in rung if r.leg in command.unheard}
    if len(excused) == len(offer.reservations):
        if ("withdrawn", "node_down") in excused.values():
            return (OfferWithdrawn(offer_id=offer.offer_id, cause="node_down"),)
        return (OfferFailed(offer_id=offer.offer_id, cause=NEVER_MADE),)
    declined = tuple(
        OfferDeclined(
            offer_id=offer.offer_id, shift_id=r.shift_id, leg=r.leg, outcome=excused[r.leg][0], cause=excused[r.leg][1]
        )
        for r in offer.reservations
        if r.leg in excused
    )
    return (*declined, OfferTimedOut(offer_id=offer.offer_id, cause="NO_ANSWER"))


def _not_joined(offer: Offer, command: ExpireOffer) -> Events:
    """The accepted leg is not joined in time. A switch that cannot be asked may have joined it all the same, and the
    news may be lost: so it is asked before two people who may be talking are parted.
    """
    if command.blameless == "node_down":
        return (OfferExtended(offer_id=offer.offer_id, until=command.again_at, cause="node_down"),)
    if not offer.doubted:
        return (OfferExtended(offer_id=offer.offer_id, until=command.again_at, cause="not_connected_in_time"),)
    held = next((r for r in offer.reservations if r.leg == offer.accepted), None)
    if held is None or len(offer.reservations) == 1:
        return (OfferFailed(offer_id=offer.offer_id, cause="not_connected_in_time"),)
    return _without(offer, held, "failed", "not_connected_in_time", command.again_at)


def _made(contact: Contact, command: MakeOffer) -> Events:
    if contact.status not in IN_TURN or contact.visit is None:
        return ()
    # Nobody else has to stand by while the phone of a customer rings who is called back.
    alone = to_be_called(contact) is not None
    return (
        OfferMade(
            offer_id=command.offer_id,
            visit_id=contact.visit.visit_id,
            queue_id=contact.visit.queue_id,
            reservations=command.reservations[:1] if alone else command.reservations,
            deadline=command.deadline,
            decision=command.decision,
            next_at=Instant(0) if alone else command.next_at,
        ),
    )


def _at_desk(contact: Contact, offer: Offer, command: AcceptAtDesk | RejectAtDesk) -> Events:
    held = next((r for r in offer.reservations if r.shift_id == command.shift_id), None)
    again = held is not None and (held.leg in offer.accepting or held.leg in (offer.accepted, *offer.answered))
    if held is not None and again and isinstance(command, AcceptAtDesk) and offer.accepted in ("", held.leg):
        return ()  # asked for already, or done
    calls = contact.status in ("calling_back", DIALLING) and isinstance(command, RejectAtDesk)
    if held is None or (held.leg in offer.answered and not calls):
        raise Refused("no_offer", "This offer is not open for you any more.")
    if isinstance(command, AcceptAtDesk) and (offer.accepted or held.leg in offer.rejecting):
        raise Refused("no_offer", "This offer is not open for you any more.")
    if held.leg in offer.rejecting:
        return ()
    if isinstance(command, RejectAtDesk) and not_rung(offer, held):
        if len(offer.reservations) > 1:
            return _without(offer, held, "rejected", "desk", Instant(0))
        return (OfferRejected(offer_id=offer.offer_id, cause="desk"),)
    made = OfferAcceptRequested if isinstance(command, AcceptAtDesk) else OfferRejectRequested
    return (made(offer_id=offer.offer_id, shift_id=held.shift_id, leg=held.leg),)


def _withdraw(offer: Offer, command: WithdrawOffer) -> Events:
    if not command.shift_id:
        return (OfferWithdrawn(offer_id=offer.offer_id, cause=command.cause),)
    held = next((r for r in offer.reservations if r.shift_id == command.shift_id), None)
    if held is None or held.leg == offer.accepted:
        return ()  # whoever is being joined with the caller has the contact; the wish waits until it is over
    if len(offer.reservations) == 1:
        return (OfferWithdrawn(offer_id=offer.offer_id, cause=command.cause),)
    return (
        OfferDeclined(
            offer_id=offer.offer_id, shift_id=held.shift_id, leg=held.leg, outcome="withdrawn", cause=command.cause
        ),
    )


def _bridged(contact: Contact, offer: Offer, command: NoteBridged) -> Events:
    pair = {command.leg, command.other}
    if contact.status not in ("offered", "connecting") or contact.caller_leg not in pair:
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
    visit = contact.visit
    ended = (
        ()
        if visit is None
        else (QueueVisitEnded(visit_id=visit.visit_id, queue_id=visit.queue_id, outcome="answered"),)
    )
    return (*losers, connected, *ended)


def _accepted(offer: Offer, held: Reservation, connect_by: Instant) -> OfferAccepted:
    return OfferAccepted(offer_id=offer.offer_id, shift_id=held.shift_id, leg=held.leg, connect_by=connect_by)
