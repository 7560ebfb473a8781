"""Whenever a contact arrives, then it is queued where its dialled number leads, or turned away with an apology."""

from collections.abc import Iterator

from orchestrator.domain.contacts.commands import Queue, TurnAway
from orchestrator.domain.contacts.contacts import Contact, ContactArrived, ContactQueued, ContactTurnedAway
from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.routing.entries import DEFAULT
from orchestrator.domain.switch.instructions import AnswerCaller, PlayApology, PlayWaiting
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, TellContact

NO_ENTRY_POINT = "no_entry_point"


def admit(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever a contact arrives, then queue it or turn it away; once that is decided, let the caller hear it."""
    contact = happened.after
    if not isinstance(contact, Contact):
        return
    match happened.record.event:
        case ContactArrived() as event:
            yield TellContact(contact.contact_id, _place(world, event.dialled, happened.at, ids))
        case ContactQueued() as event:
            yield _answer(contact, ids)
            yield PlayWaiting(
                id=ids.of("music", contact.caller_leg),
                node=contact.node,
                leg=contact.caller_leg,
                contact=contact.contact_id,
                music=event.music,
            )
        case ContactTurnedAway() as event:
            if happened.before is None or happened.before.visit is None:
                yield _answer(contact, ids)
            yield PlayApology(
                id=ids.of("apology", contact.caller_leg),
                node=contact.node,
                leg=contact.caller_leg,
                contact=contact.contact_id,
                prompt=event.prompt,
            )


def _answer(contact: Contact, ids: Ids) -> AnswerCaller:
    return AnswerCaller(
        id=ids.of("answer", contact.caller_leg),
        node=contact.node,
        leg=contact.caller_leg,
        contact=contact.contact_id,
    )


def _place(world: World, dialled: str, now: Instant, ids: Ids) -> Queue | TurnAway:
    """Where a dialled number leads. A number that nobody configured is an alarm and takes the default entry point;
    without one the caller is told, never left in silence (feature 3.11).
    """
    entry_id = world.entry_of_number.get(dialled) or world.entry_of_number.get(DEFAULT)
    unknown = dialled not in world.entry_of_number
    entry = world.entries.get(entry_id) if entry_id else None
    queue = world.queues.get(entry.queue_id) if entry else None
    if entry is None or queue is None or not queue.open:
        return TurnAway(reason=NO_ENTRY_POINT, prompt=NO_ENTRY_POINT, unknown_number=unknown)
    settings = queue.settings
    return Queue(
        visit_id=ids.new("visit"),
        queue_id=queue.queue_id,
        entry_id=entry.entry_id,
        skill=settings.skill,
        min_level=settings.min_level,
        priority=settings.priority,
        music=settings.music,
        leave_by=Instant(now + settings.max_wait_ms * MILLISECOND),
        unknown_number=unknown,
    )
