"""Whenever a contact arrives, then it is queued where its call leads, or turned away with an apology.

And whenever it waits, it hears a notice, where there is one, and music, and is told its place.
"""

from collections.abc import Iterator

from orchestrator.domain.contacts.contacts import (
    AnswerRequested,
    CallerParked,
    Contact,
    ContactArrived,
    ContactQueued,
    ContactTurnedAway,
    OfferClosed,
    OfferDeclined,
    PlaceTold,
)
from orchestrator.domain.contacts.outward import farewell_leg
from orchestrator.domain.switch.instructions import (
    AnswerCaller,
    ClaimCaller,
    HangUpLeg,
    PlayApology,
    PlayNotice,
    PlayWaiting,
)
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, TellContact, asked_about
from orchestrator.policies.placing import place_arrival
from orchestrator.policies.tell_place import hush, say_place


@asked_about(
    ContactArrived,
    ContactQueued,
    AnswerRequested,
    CallerParked,
    OfferClosed,
    OfferDeclined,
    PlaceTold,
    ContactTurnedAway,
)
def admit(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever a contact arrives, then queue it or turn it away; once that is decided, let the caller hear it."""
    contact = happened.after
    if not isinstance(contact, Contact):
        return
    match happened.record.event:
        case ContactArrived() as event if contact.status == "arrived":
            yield TellContact(contact.contact_id, place_arrival(world, contact, event, happened.at, ids))
        case ContactQueued() as event:
            yield from hush(happened.before, ids)
            if not _has_waited(happened.before):
                yield answer_caller(contact, ids) if contact.answered else claim_caller(contact, ids)
                yield from _notices(contact, event, ids)
            if contact.caller_leg and not _talked(happened.before):
                yield play_waiting(contact, ids)
        case AnswerRequested():
            yield answer_caller(contact, ids)
        case CallerParked():
            yield play_waiting(contact, ids)
        case OfferClosed() | OfferDeclined() if _waits_again(happened.before, contact):
            yield play_waiting(contact, ids)
        case PlaceTold():
            yield say_place(contact, ids)
        case ContactTurnedAway():
            yield from hush(contact, ids)
            if contact.answered and not (isinstance(happened.before, Contact) and happened.before.answered):
                yield answer_caller(contact, ids)
            yield say_goodbye(contact, ids)


def _has_waited(before: object) -> bool:
    return isinstance(before, Contact) and bool(before.queue_id)


def _talked(before: object) -> bool:
    """Whether the caller was passed on or parked: the music begins once the leg is parked, goes on as it was at
    a place or while somebody was consulted, or is not to be: right before a bridge it would be played over the talk.
    """
    return isinstance(before, Contact) and (before.segment is not None or before.parked is not None)


def _notices(contact: Contact, event: ContactQueued, ids: Ids) -> Iterator[PlayNotice]:
    for place, prompt in enumerate(event.notices):
        yield PlayNotice(
            id=ids.of(f"notice-{place}", contact.caller_leg),
            node=contact.node,
            leg=contact.caller_leg,
            contact=contact.contact_id,
            prompt=prompt,
        )


def _waits_again(before: object, contact: Contact) -> bool:
    """Whether the caller was about to be joined with an agent, which ended the music, and was not."""
    was_joining = isinstance(before, Contact) and before.offer is not None and bool(before.offer.accepted)
    return was_joining and contact.status in ("waiting", "offered")


def play_waiting(contact: Contact, ids: Ids, leg: str = "") -> PlayWaiting:
    """Let the caller (or this leg of whoever is consulted) hear the queue's music."""
    leg = leg or contact.caller_leg
    return PlayWaiting(
        id=ids.of("music", leg),
        node=contact.node,
        leg=leg,
        contact=contact.contact_id,
        music=contact.music,
    )


def say_goodbye(contact: Contact, ids: Ids) -> PlayApology | HangUpLeg:
    """Let the caller hear why the call ends, where anything is to be said, and end it."""
    leg = farewell_leg(contact)
    if not contact.apology:
        return HangUpLeg(
            id=ids.of("hang_up", leg), node=contact.node, leg=leg, contact=contact.contact_id, cause=contact.goodbye
        )
    return PlayApology(
        id=ids.of("apology", leg),
        node=contact.node,
        leg=leg,
        contact=contact.contact_id,
        prompt=contact.apology,
        cause=contact.goodbye,
    )


def answer_caller(contact: Contact, ids: Ids, leg: str = "") -> AnswerCaller:
    """Answer the caller's leg (or this one that was), so that it can hear something."""
    leg = leg or contact.caller_leg
    return AnswerCaller(
        id=ids.of("answer", leg),
        node=contact.node,
        leg=leg,
        contact=contact.contact_id,
    )


def claim_caller(contact: Contact, ids: Ids) -> ClaimCaller:
    """Write on the caller's leg whose it is, without answering it."""
    return ClaimCaller(
        id=ids.of("claim", contact.caller_leg),
        node=contact.node,
        leg=contact.caller_leg,
        contact=contact.contact_id,
    )
