"""A caller's place, told and hushed: for policies that let callers hear something, and for the timer.

The sentence is heard in the place of the music. Whatever else the caller is to hear, an agent above all, would be
drowned by it; so it is ended first.
"""

from collections.abc import Iterator
from zlib import crc32

from orchestrator.domain.contacts.commands import DeferPlace, TellPlace
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.routing.requirements import own
from orchestrator.domain.switch.instructions import HushPlace, SayPlace
from orchestrator.domain.world import World
from orchestrator.policies.base import Ids, TellContact


def say_place(contact: Contact, ids: Ids) -> SayPlace:
    """Let the caller hear the place."""
    return SayPlace(
        id=ids.of("place", contact.caller_leg),
        node=contact.node,
        leg=contact.caller_leg,
        contact=contact.contact_id,
        prompts=contact.told_place,
    )


def hush(contact: object, ids: Ids) -> Iterator[HushPlace]:
    """Let a caller who was told the place, and is to hear something else now, hear nothing more of it."""
    if isinstance(contact, Contact) and contact.told_place:
        yield HushPlace(
            id=ids.of("hush", contact.caller_leg),
            node=contact.node,
            leg=contact.caller_leg,
            contact=contact.contact_id,
            prompts=contact.told_place,
        )


def tell(world: World, contact: Contact, now: Instant, *, late: bool) -> Iterator[TellContact]:
    """Tell this contact's caller the place as it is now. Where we were away when it was due, so were we for everybody:
    then they are told one after the other, within the time in which each is told once.
    """
    queue = world.queues.get(contact.queue_id)
    every_ms = queue.settings.tell_place_every_ms if queue is not None else 0
    if queue is None or not every_ms:
        return
    if late:
        again_at = Instant(now + (1 + crc32(contact.contact_id.encode()) % every_ms) * MILLISECOND)
        yield TellContact(contact.contact_id, DeferPlace(again_at=again_at))
        return
    again_at = Instant(now + every_ms * MILLISECOND)
    able = world.matching.anybody_for(queue.queue_id, own(queue.settings))
    wait = world.waits.standing(contact.contact_id, now, able=able) if world.in_step(contact.node) else None
    if wait is None:
        yield TellContact(contact.contact_id, DeferPlace(again_at=again_at))
    else:
        command = TellPlace(position=wait.position, estimate_ms=wait.estimate_ms, again_at=again_at)
        yield TellContact(contact.contact_id, command)
