"""Where a contact is put, in a queue or out of the house: the commands that admitting and overflow share."""

from typing import Final

from msgspec.structs import replace

from orchestrator.domain.contacts.commands import Queue, TurnAway
from orchestrator.domain.contacts.contacts import NEVER, Contact, ContactArrived
from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.routing import overflow
from orchestrator.domain.routing.admission import OVERLOADED, SERVED
from orchestrator.domain.routing.entries import AT_ONCE, WHEN_CONNECTED, EntryPointConfigured
from orchestrator.domain.routing.overflow import NO_ENTRY_POINT, House, Settled, Sight
from orchestrator.domain.switch.causes import CALL_REJECTED, CIRCUIT_CONGESTION, SWITCH_CONGESTION
from orchestrator.domain.world import World
from orchestrator.policies.base import Ids
from orchestrator.policies.outward import may_go
from orchestrator.policies.widen import into_queue

BLACKLISTED: Final = "blacklisted"
DRAINED: Final = "drained"
TRUNK_FULL: Final = "trunk_full"
CLOSED: Final = "closed"


def house(world: World, now: Instant, contact: Contact) -> House:
    """How overflow looks at what is there."""

    def sight(queue_id: str) -> Sight | None:
        queue = world.queues.get(queue_id)
        if queue is None:
            return None
        return Sight(
            queue=queue,
            closed=bool(queue.settings.calendar) and not calendars.is_open(queue.settings.calendar, now),
            waiting=world.admission.visits(queue_id),
            nobody=nobody_serves(world, queue_id),
        )

    calendars = world.admission.calendars
    return House(
        sight,
        world.entries.get,
        lambda calendar_id: calendars.is_open(calendar_id, now),
        lambda target: may_go(world, contact, target),
    )


def nobody_serves(world: World, queue_id: str) -> bool:
    """Whether nobody is signed in who could take anybody of this queue."""
    return not world.matching.states(queue_id)


def place_arrival(world: World, contact: Contact, event: ContactArrived, now: Instant, ids: Ids) -> Queue | TurnAway:
    """Where a call leads. One that nobody configured is an alarm and takes the default entry point; without one the
    caller is told, never left in silence (feature 3.11). Whoever is not let in costs no agent a ring.
    """
    admission, found = world.admission, world.admission.find_entry(contact, now)
    if admission.blacklist.holds(contact.from_number, now):
        prompt = found.entry.settings.blacklisted if found.entry is not None else ""
        return TurnAway(reason=BLACKLISTED, prompt=prompt, answered=False, cause=CALL_REJECTED)
    if event.found == "live" and world.is_drained(contact.node):
        # The switch refuses by itself; this one was on its way. Unanswered, its carrier tries another switch.
        return TurnAway(reason=DRAINED, prompt="", answered=False, cause=SWITCH_CONGESTION)
    # Whoever was found by asking the switch has been on its lines for a while: it bears them already.
    if event.found == "live" and not _bears_one_more(world, contact.node, now):
        prompt = OVERLOADED if admission.may_tell(contact.node, now) else ""
        return TurnAway(reason=OVERLOADED, prompt=prompt, answered=False, cause=SWITCH_CONGESTION)
    if admission.trunk_is_full(contact.trunk_id):
        return TurnAway(reason=TRUNK_FULL, prompt=OVERLOADED, answered=False, cause=CIRCUIT_CONGESTION)
    if found.entry is None:
        reason = CLOSED if found.closed else NO_ENTRY_POINT
        return TurnAway(reason=reason, prompt=reason, unknown_number=found.unknown)
    settled = overflow.enter(found.entry, (), house(world, now, contact))
    return put(world, contact, settled, now, ids, unknown=found.unknown)


def _bears_one_more(world: World, node: str, now: Instant) -> bool:
    """Its configured limit says so; of a switch without one, whether it keeps up with what it is told."""
    limits = world.admission.limits
    return not world.is_behind(node) if limits.of(node) is None else limits.room(SERVED, node, now)


def put(
    world: World, contact: Contact, settled: Settled, now: Instant, ids: Ids, *, unknown: bool = False, why: str = ""
) -> Queue | TurnAway:
    """The command that puts a contact where overflow says. `why`: for what it leaves the queue in which it waits."""
    entry = world.entries.get(settled.entry_id or contact.entry_id)
    settings = entry.settings if entry is not None else None
    queue = world.queues.get(settled.target.name) if settled.target.kind == overflow.QUEUE else None
    goes_on = settled.target.kind in (overflow.CALLBACK, overflow.OUTSIDE) and bool(settled.hops)
    if goes_on:
        # Their place is in the queue in which there was none to wait.
        queue = world.queues.get(settled.hops[-1].queue_id)
    if queue is None:
        return TurnAway(
            reason=overflow.REASONS.get(settled.why, settled.why),
            prompt=settled.target.name,
            unknown_number=unknown,
            answered=settings is None or settings.answer == AT_ONCE,
            hops=settled.hops,
            overflow=why,
        )
    first = not contact.queue_id
    came_at = contact.came_at if first else Instant(0)
    entry_id = entry.entry_id if entry is not None else contact.entry_id
    command = into_queue(world, contact, queue, entry_id=entry_id, visit_id=ids.new("visit"), now=now)
    return replace(
        command,
        unknown_number=unknown,
        waiting_since=(command.waiting_since or came_at) if contact.visit is None else contact.visit.since,
        came_at=came_at,
        goes_on=f"{settled.target.kind}:{settled.target.name}" if goes_on else "",
        hops=settled.hops[:-1] if goes_on else settled.hops,
        overflow_at=overflow.next_look(queue.settings.overflow, now, now),
        answer_at=_answer_at(settings, now) if first else contact.answer_at,
        notices=world.admission.notices.prompts(entry.entry_id) if first and entry is not None else (),
        overflow=why,
    )


def _answer_at(settings: EntryPointConfigured | None, now: Instant) -> Instant:
    if settings is None or settings.answer == AT_ONCE:
        return Instant(0)
    return NEVER if settings.answer == WHEN_CONNECTED else Instant(now + settings.answer_after_ms * MILLISECOND)
