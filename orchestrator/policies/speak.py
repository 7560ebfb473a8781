"""Whenever an agent wants to be muted, or heard again, or one of the conference, then the switch is told."""

from collections.abc import Iterator

from orchestrator.domain.contacts.consult_events import ConsultSwitched
from orchestrator.domain.contacts.contacts import AgentSegmentEnded, Contact, Segment
from orchestrator.domain.contacts.guest_events import AsideAsked, MemberMuteAsked
from orchestrator.domain.contacts.speaking import MuteAsked, UnmuteAsked
from orchestrator.domain.switch.instructions import MuteLeg, UnmuteLeg
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, asked_about


@asked_about(MuteAsked, UnmuteAsked, MemberMuteAsked, ConsultSwitched, AsideAsked, AgentSegmentEnded)
def speak(_world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever an agent wants to be muted, or heard again, then the agent's leg is; so of one of a conference, who is
    heard again, too, once they are in it no more.
    """
    contact, before = happened.after, happened.before
    if not isinstance(contact, Contact):
        return
    match happened.record.event:
        case MuteAsked() | UnmuteAsked() if contact.segment is not None:
            yield from told_again(contact, contact.segment, ids)
        case MemberMuteAsked() as event:
            yield _muted(contact, event.leg, ids, on=event.on)
        case ConsultSwitched() | AsideAsked() | AgentSegmentEnded() if isinstance(before, Contact) and before.hushed:
            hushed = {each.leg for each in contact.hushed if each.wish != "unmute"}
            for each in before.hushed:
                if each.leg not in hushed and each.leg in contact.legs:
                    yield _muted(contact, each.leg, ids, on=False)


def told_again(contact: Contact, segment: Segment, ids: Ids) -> Iterator[MuteLeg | UnmuteLeg]:
    """What the agent wants, or has: nothing where the agent was always heard. Twice does what once does."""
    if segment.mute_wish != "unmute" and (segment.mute_wish or segment.muted):
        yield _muted(contact, segment.leg, ids, on=True)
    elif segment.mute_wish == "unmute":
        yield _muted(contact, segment.leg, ids, on=False)


def members_told_again(contact: Contact, ids: Ids) -> Iterator[MuteLeg | UnmuteLeg]:
    """The same for each of the conference who was ever muted."""
    for each in contact.hushed:
        yield _muted(contact, each.leg, ids, on=each.wish != "unmute")


def _muted(contact: Contact, leg: str, ids: Ids, *, on: bool) -> MuteLeg | UnmuteLeg:
    kind = MuteLeg if on else UnmuteLeg
    return kind(id=ids.of("mute" if on else "unmute", leg), node=contact.node, leg=leg, contact=contact.contact_id)
