"""What agents ask for who park a caller, or fetch one from a place; and what follows once a park has lasted too long.

What becomes of it then, the contact decides (`domain.contacts.parking`).
"""

from collections.abc import Iterator
from typing import Final, NoReturn

from msgspec.structs import replace

from orchestrator.domain.contacts import commands
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.parks import EXPIRED, PLACES, RETRIEVED, Parked
from orchestrator.domain.kernel import MILLISECOND, Instant, Refused
from orchestrator.domain.routing.overflow import next_look
from orchestrator.domain.staff import presence
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.switch.nodes import GONE
from orchestrator.domain.world import World
from orchestrator.policies.base import Ids, TellContact
from orchestrator.policies.record import written
from orchestrator.policies.widen import into_queue, wants
from orchestrator.runner import hands, inputs, passing

# The reasons of the offers that follow by hand.
FETCHED = "retrieved"
CAME_BACK = "park_expired"

# A phone that is slow to put down is busy for a moment: how often whoever fetches a caller is rung once more, and after
# how long each time. The switch was told to end the phone's own call, or the talk before, so that is soon over.
RINGS_AGAIN: Final = 3
PAUSE_MS: Final = 1_000
_BUSY: Final = "USER_BUSY"


def is_done(world: World, shift: Shift, command: inputs.AgentCommand) -> bool:
    """Whether this agent has parked just this caller, who is still there: the same wish, sent again."""
    if not isinstance(command, inputs.Park):
        return False
    contact = world.contacts.get(command.about)
    parked = contact.parked if contact is not None else None
    return parked is not None and parked.shift_id == shift.shift_id and command.place in (0, parked.place)


def park(world: World, shift: Shift, command: inputs.Park, now: Instant) -> TellContact:
    """Leave the caller at the place, or at the first that is free. Raises `Refused`."""
    contact = hands.conversation(world, shift, command.about)
    if not world.in_step(contact.node):
        _refuse("switch_away", "The switch of this caller cannot be reached now; try again in a moment.")
    settings = world.queues[contact.queue_id].settings
    asked = commands.Park(
        shift_id=shift.shift_id,
        place=_free(world, command.place),
        until=Instant(now + settings.park_ms * MILLISECOND),
        recorded=written(world, contact),
    )
    return TellContact(contact.contact_id, asked)


def retrieve(world: World, shift: Shift, command: inputs.Retrieve, now: Instant, ids: Ids) -> TellContact:
    """Ring this agent's phone for the caller at the place. Raises `Refused`."""
    _refuse_no_place(command.place)
    contact = at_place(world, command.place)
    if contact is None or contact.parked is None:
        _refuse("place_empty", f"Nobody is parked at place {command.place}; look at the list again.")
    hands.refuse_unless_free(world, shift, again=contact.contact_id)
    queue = world.queues[contact.queue_id]
    if contact.parked.agent_id != shift.agent_id:
        hands.refuse_unless_open(queue, hands.level_of(world, shift, queue), given=bool(command.by))
    if not world.in_step(contact.node):
        _refuse("switch_away", "The switch of this caller cannot be reached now; try again in a moment.")
    visit = _visit(world, contact, contact.parked, now, ids)
    then = hands.picked(world, contact.node, shift, queue, visit, FETCHED, now, ids)
    then = replace(then, again=RINGS_AGAIN)
    return TellContact(contact.contact_id, commands.EndPark(outcome=RETRIEVED, queue=visit, then=then))


def ring_again(world: World, contact: Contact, leg: str, cause: str, now: Instant, ids: Ids) -> commands.Pick | None:
    """Of a phone that is busy though its agent has just fetched this caller: the next try, unless somebody else is to
    have the caller by now.
    """
    offer = contact.offer
    if cause != _BUSY or offer is None or not offer.again or [held.leg for held in offer.reservations] != [leg]:
        return None
    shift, queue = world.shifts.get(offer.reservations[0].shift_id), world.queues.get(contact.queue_id)
    if shift is None or queue is None or not _is_still_there(world, shift) or not world.in_step(contact.node):
        return None
    once_more = hands.picked_again(world, contact, shift, queue, now, ids)
    # A phone that was rung at once, as its desk was not open, is so again: nobody has accepted there.
    held = once_more.reservation
    if leg not in offer.accepting:
        held = replace(held, at_desk=False)
    until = Instant(once_more.deadline + PAUSE_MS * MILLISECOND)
    left = offer.again - 1
    return replace(once_more, reservation=held, deadline=until, reason=FETCHED, again=left, after_ms=PAUSE_MS)


def _is_still_there(world: World, shift: Shift) -> bool:
    """Whether this agent can be rung again for the one contact that they have in hand."""
    alone = len(shift.engagements) == 1 and not shift.postponed
    leaves = bool(shift.next_sign_out) or presence.absent(shift.desk) or world.phone(shift.extension) == GONE
    return alone and not leaves and shift.agent_id in world.agents


def expire(world: World, contact: Contact, now: Instant, ids: Ids) -> Iterator[TellContact]:
    """The caller was left at the place for long enough: back to whoever parked them, if they can take somebody now; or
    to whoever serves their queue.
    """
    parked = contact.parked
    if parked is None:
        return
    visit = _visit(world, contact, parked, now, ids)
    shift = world.shifts.get(parked.shift_id)
    then = None
    if shift is not None and world.in_step(contact.node) and not passing.obstacle(world, shift):
        then = hands.picked(world, contact.node, shift, world.queues[contact.queue_id], visit, CAME_BACK, now, ids)
    yield TellContact(contact.contact_id, commands.EndPark(outcome=EXPIRED, queue=visit, then=then))


def at_place(world: World, place: int) -> Contact | None:
    """Who is parked at this place."""
    found = (each for each in world.contacts.values() if each.parked is not None and each.parked.place == place)
    return next(found, None)


def parked_now(world: World) -> list[tuple[Parked, Contact]]:
    """Everybody who is parked, by their places."""
    found = [(each.parked, each) for each in world.contacts.values() if each.parked is not None]
    return sorted(found, key=lambda pair: pair[0].place)


def _free(world: World, wanted: int) -> int:
    """The place that is wanted, or the first one where nobody is. Raises `Refused` where somebody is."""
    taken = {parked.place for parked, _ in parked_now(world)}
    if wanted:
        _refuse_no_place(wanted)
        if wanted in taken:
            _refuse("place_taken", f"Somebody is parked at place {wanted}; choose another, or none.")
        return wanted
    found = next((place for place in PLACES if place not in taken), None)
    if found is None:
        _refuse("places_full", "Somebody is parked at every place; retrieve one first, or pass the caller on.")
    return found


def _visit(world: World, contact: Contact, parked: Parked, now: Instant, ids: Ids) -> commands.Queue:
    """The visit in which the caller goes on: the time at the place counts as waiting, the talk before it does not."""
    queue = world.queues[contact.queue_id]
    return replace(
        into_queue(world, contact, queue, entry_id=contact.entry_id, visit_id=ids.new("visit"), now=now),
        priority=queue.settings.priority,
        bonuses=wants(world, contact, queue, contact.entry_id)[1],
        waiting_since=parked.waiting_since,
        overflow_at=next_look(queue.settings.overflow, now, now),
        answer_at=contact.answer_at,
    )


def _refuse_no_place(place: int) -> None:
    if place not in PLACES:
        _refuse("no_such_place", f"Places are the whole numbers from {PLACES[0]} to {PLACES[-1]}.")


def _refuse(code: str, message: str) -> NoReturn:
    raise Refused(code, message)
