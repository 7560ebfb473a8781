"""Commands that need to know what may be called, and who waits: for policies, for people, and for whoever arrives."""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from orchestrator.domain.contacts.commands import AskCallback, Queue, SendOutside
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.routing import outside, overflow
from orchestrator.domain.routing.overflow import Target
from orchestrator.domain.routing.requirements import bounded, own
from orchestrator.domain.routing.spelling import spellings
from orchestrator.domain.routing.waits import Wait
from orchestrator.domain.world import World
from orchestrator.policies.base import Ids, TellContact

OWN_NUMBER: Final = "own_number"


def number_of(world: World, contact: Contact) -> str:
    """The number at which the customer can be called, as the rewriting rules have it; "" for none."""
    return outside.meant(world.outside, contact.from_number or contact.caller_number)


def why_not(world: World, number: str, calling: int) -> str:
    """As `outside.why_not`, and `own_number` where it leads back to this house: a call that has itself for a caller."""
    if number and not spellings(number, _home(world)).isdisjoint(_own_numbers(world)):
        return OWN_NUMBER
    return outside.why_not(world.outside, number, calling)


def _home(world: World) -> str:
    return world.outside.settings.region if world.outside is not None else ""


def _own_numbers(world: World) -> set[str]:
    """The numbers that lead here, or that are shown as ours."""
    own = {number for entry in world.entries.values() for number in entry.numbers}
    if world.outside is not None:
        settings = world.outside.settings
        own |= {settings.show, *settings.show_for.values(), *settings.show_at.values()}
    return own


def may_go(world: World, contact: Contact, target: Target) -> bool:
    """Whether this contact's caller may be called back, or sent to this number, by an overflow: once for each."""
    if target.kind == overflow.CALLBACK:
        return contact.callback is None and not why_not(world, number_of(world, contact), calling=0)
    number = outside.meant(world.outside, target.name)
    return number not in contact.called and not why_not(world, number, len(world.outside_legs))


def go(world: World, contact: Contact, target: Target, now: Instant, ids: Ids) -> Iterator[TellContact]:
    """Call the caller of this waiting contact back, or this number for the caller; nothing where that may not be."""
    command = (
        ask_callback(world, contact, now)
        if target.kind == overflow.CALLBACK
        else send_outside(world, contact, target.name, now, ids)
    )
    if not isinstance(command, str):
        yield TellContact(contact.contact_id, command)


def ask_callback(world: World, contact: Contact, now: Instant, number: str = "") -> AskCallback | str:
    """The command by which this contact's caller is called back in turn, by the queue's plan and at the number that the
    network showed where none is given; or, as a code, why that is not possible: withheld, not_allowed, no_outside,
    own_number.
    """
    cleaned = outside.meant(world.outside, number) if number else number_of(world, contact)
    # A full line now says nothing about the moment when the turn comes.
    why = why_not(world, cleaned, calling=0)
    queue = world.queues.get(contact.queue_id)
    if why or queue is None:
        return why or "not_waiting"
    settings = queue.settings
    return AskCallback(
        number=cleaned,
        prompt=settings.callback_prompt,
        leave_by=Instant(now + settings.callback_most_wait_ms * MILLISECOND),
        tries=settings.callback_tries,
        again_ms=settings.callback_again_ms,
    )


def send_outside(
    world: World, contact: Contact, number: str, now: Instant, ids: Ids, region: str = ""
) -> SendOutside | str:
    """The command by which this number, as typed in a region, is called for the waiting caller; or, as a code, why that
    is not possible: withheld (no number), not_allowed, outside_full, no_outside, own_number.
    """
    cleaned = outside.meant(world.outside, number, region)
    why = why_not(world, cleaned, len(world.outside_legs))
    if why or world.outside is None:
        return why
    settings = world.outside.settings
    return SendOutside(
        leg=ids.new("leg"),
        number=cleaned,
        show=outside.shown(settings, contact.entry_id),
        answer_by=Instant(now + settings.ring_ms * MILLISECOND),
    )


def expected_wait(world: World, queue_id: str, base: int, now: Instant) -> Wait:
    """What somebody who is queued now, with these points, can expect."""
    queue = world.queues.get(queue_id)
    free = bool(world.matching.best_agents(queue_id, 1, now))
    able = queue is not None and world.matching.anybody_for(queue_id, own(queue.settings))
    return world.waits.expected(queue_id, base, free=free, able=able)


def place(world: World, contact: Contact, command: Queue, now: Instant) -> Queue:
    """The command with what the customer can expect; and with the place of the same customer's callback, if one waits
    for this queue: whoever calls again goes on waiting where they were, and is not called as well.
    """
    base = bounded(command.priority + sum(command.bonuses.values()))
    expected = expected_wait(world, command.queue_id, base, now)
    for other in map(world.contacts.get, _callbacks(world, contact) if world.callbacks else ()):
        if other is None or other.contact_id == contact.contact_id:
            continue
        if other.visit is not None and other.visit.queue_id == command.queue_id:
            return replace(
                command,
                priority=other.visit.priority,
                bonuses=other.visit.bonuses,
                waiting_since=other.visit.since,
                takes_up=other.contact_id,
                position=expected.position,
                estimate_ms=expected.estimate_ms,
            )
    return replace(command, position=expected.position, estimate_ms=expected.estimate_ms)


def _callbacks(world: World, contact: Contact) -> Iterator[str]:
    """The contacts that wait to call this one's number, also as rules of before a region kept it: as typed."""
    region = world.outside.settings.region if world.outside is not None else ""
    for number in sorted(spellings(number_of(world, contact), region)):
        yield from world.callbacks.get(number, ())
