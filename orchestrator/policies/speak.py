"""Whenever an agent wants to be muted, or heard again, then the switch is told."""

from collections.abc import Iterator

from orchestrator.domain.contacts.contacts import Contact, Segment
from orchestrator.domain.contacts.speaking import MuteAsked, UnmuteAsked
from orchestrator.domain.switch.instructions import MuteLeg, UnmuteLeg
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, asked_about


@asked_about(MuteAsked, UnmuteAsked)
def speak(_world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever an agent wants to be muted, or heard again, then the agent's leg is."""
    contact = happened.after
    if not isinstance(contact, Contact) or contact.segment is None:
        return
    match happened.record.event:
        case MuteAsked() | UnmuteAsked():
            yield from told_again(contact, contact.segment, ids)


def told_again(contact: Contact, segment: Segment, ids: Ids) -> Iterator[MuteLeg | UnmuteLeg]:
    """What the agent wants, or has: nothing where the agent was always heard. Twice does what once does."""
    if segment.mute_wish != "unmute" and (segment.mute_wish or segment.muted):
        yield MuteLeg(id=ids.of("mute", segment.leg), **_at(contact, segment))
    elif segment.mute_wish == "unmute":
        yield UnmuteLeg(id=ids.of("unmute", segment.leg), **_at(contact, segment))


def _at(contact: Contact, segment: Segment) -> dict[str, str]:
    return {"node": contact.node, "leg": segment.leg, "contact": contact.contact_id}
