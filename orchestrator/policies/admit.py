"""Whenever a contact arrives, then it is queued where its dialled number leads, or turned away with an apology.

And whenever it waits, it hears music.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from orchestrator.domain.contacts.commands import Queue, TurnAway
from orchestrator.domain.contacts.contacts import (
    Contact,
    ContactArrived,
    ContactQueued,
    ContactTurnedAway,
    OfferClosed,
    OfferDeclined,
)
from orchestrator.domain.contacts.outward import farewell_leg
from orchestrator.domain.kernel import Instant
from orchestrator.domain.routing.entries import DEFAULT
from orchestrator.domain.switch.instructions import AnswerCaller, PlayApology, PlayWaiting
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, TellContact
from orchestrator.policies.widen import into_queue

NO_ENTRY_POINT = "no_entry_point"


def admit(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever a contact arrives, then queue it or turn it away; once that is decided, let the caller hear it."""
    contact = happened.after
    if not isinstance(contact, Contact):
        return
    match happened.record.event:
        case ContactArrived() as event:
            yield TellContact(contact.contact_id, _place(world, contact, event.dialled, happened.at, ids))
        case ContactQueued():
            yield answer_caller(contact, ids)
            yield play_waiting(contact, ids)
        case OfferClosed() | OfferDeclined() if _waits_again(happened.before, contact):
            yield play_waiting(contact, ids)
        case ContactTurnedAway():
            if happened.before is None or happened.before.visit is None:
                yield answer_caller(contact, ids)
            yield play_apology(contact, ids)


def _waits_again(before: object, contact: Contact) -> bool:
    """Whether the caller was about to be joined with an agent, which ended the music, and was not."""
    was_joining = isinstance(before, Contact) and before.offer is not None and bool(before.offer.accepted)
    return was_joining and contact.status in ("waiting", "offered")


def play_waiting(contact: Contact, ids: Ids) -> PlayWaiting:
    """Let the caller hear the queue's music."""
    return PlayWaiting(
        id=ids.of("music", contact.caller_leg),
        node=contact.node,
        leg=contact.caller_leg,
        contact=contact.contact_id,
        music=contact.music,
    )


def play_apology(contact: Contact, ids: Ids) -> PlayApology:
    """Let the caller hear why the call ends, and end it."""
    leg = farewell_leg(contact)
    return PlayApology(
        id=ids.of("apology", leg),
        node=contact.node,
        leg=leg,
        contact=contact.contact_id,
        prompt=contact.apology,
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


def _place(world: World, contact: Contact, dialled: str, now: Instant, ids: Ids) -> Queue | TurnAway:
    """Where a dialled number leads. A number that nobody configured is an alarm and takes the default entry point;
    without one the caller is told, never left in silence (feature 3.11).
    """
    entry_id = world.entry_of_number.get(dialled) or world.entry_of_number.get(DEFAULT)
    unknown = dialled not in world.entry_of_number
    entry = world.entries.get(entry_id) if entry_id else None
    queue = world.queues.get(entry.queue_id) if entry else None
    if entry is None or queue is None or not queue.open:
        return TurnAway(reason=NO_ENTRY_POINT, prompt=NO_ENTRY_POINT, unknown_number=unknown)
    command = into_queue(world, contact, queue, entry_id=entry.entry_id, visit_id=ids.new("visit"), now=now)
    return replace(command, unknown_number=unknown)
