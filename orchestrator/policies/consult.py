"""Whenever an agent consults somebody, then the caller is parked, somebody rings, and two of the three are joined."""

from collections.abc import Iterator

from orchestrator.domain.contacts.consult_events import (
    ConsultAnswered,
    ConsultAsked,
    ConsultClosed,
    ConsultExtended,
    ConsultSwitched,
)
from orchestrator.domain.contacts.consults import CALLER, TOGETHER, Consult, all_three, consult_leg, room_of
from orchestrator.domain.contacts.contacts import Contact, Segment
from orchestrator.domain.contacts.guest_events import GuestInvited
from orchestrator.domain.contacts.names import shown_name, shown_number
from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.routing import outside
from orchestrator.domain.switch.instructions import BridgeLegs, ConferLeg, DialOutside, KeepLeg, RingAgent, TakeSnapshot
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, asked_about
from orchestrator.policies.pass_on import park_leg
from orchestrator.policies.ring_out import SWITCH_RINGS_LONGER


@asked_about(ConsultAsked, ConsultAnswered, ConsultSwitched, ConsultExtended, ConsultClosed)
def consult(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever a consultation moves, then the switch is told what its legs have to do."""
    contact = happened.after
    if not isinstance(contact, Contact) or contact.consult is None or contact.segment is None:
        return
    match happened.record.event:
        case ConsultAsked() as event:
            # First the agent's leg is told to stay: it would go with whoever leaves it.
            yield keep_leg(contact, contact.segment, ids)
            yield park_leg(contact, ids)
            yield ring(world, contact, event.consult_id, event, happened.at)
        case ConsultSwitched() | ConsultExtended(cause="joined_again") if contact.consult.wish == TOGETHER:
            for leg in all_three(contact):
                if leg not in contact.consult.inside:
                    yield confer_leg(contact, room_of(contact.consult), leg, ids)
        case ConsultExtended(cause="agent_parked") if contact.consult.wish == TOGETHER:
            # Out of a bridge that came to nothing, and out of the room with it.
            yield confer_leg(contact, room_of(contact.consult), contact.segment.leg, ids)
        case ConsultExtended(cause="agent_parked") if not contact.consult.over:
            return  # whoever is consulted is about to be heard of
        case ConsultAnswered() if not contact.consult.away:
            return  # the agent's leg is about to say that it has left the caller
        case ConsultExtended(cause="agent_away") if not contact.consult.answered:
            return
        case (
            ConsultAnswered()
            | ConsultSwitched()
            | ConsultExtended(cause="joined_again" | "agent_away" | "agent_parked")
        ):
            if _were_together(happened.before):
                yield park_leg(contact, ids, leg=consult_leg(contact))  # alone in the room, it would hear nothing
            yield join(contact, contact.segment, contact.consult, ids)
        case ConsultClosed() if contact.consult.over and not contact.consult.cut_short:
            yield join(contact, contact.segment, contact.consult, ids)
        case ConsultExtended(cause="not_connected_in_time"):
            if contact.consult.over:
                # Told to join caller and agent while another bridge of the agent's was being cancelled, the switch
                # parks the agent, and the caller waits for nobody.
                yield join(contact, contact.segment, contact.consult, ids)
            yield TakeSnapshot(id=ids.of("snapshot", contact.node), node=contact.node, leg="")


def _were_together(before: object) -> bool:
    consult = before.consult if isinstance(before, Contact) else None
    return consult is not None and consult.hears == TOGETHER and not consult.wish


def confer_leg(contact: Contact, room: str, leg: str, ids: Ids) -> ConferLeg:
    """Bring this leg to the others in their room."""
    return ConferLeg(id=ids.of("confer", leg), node=contact.node, leg=leg, contact=contact.contact_id, room=room)


def keep_leg(contact: Contact, segment: Segment, ids: Ids) -> KeepLeg:
    """Let the agent's leg stay whoever leaves it."""
    return KeepLeg(id=ids.of("keep", segment.leg), node=contact.node, leg=segment.leg, contact=contact.contact_id)


def ring(
    world: World, contact: Contact, offer: str, event: ConsultAsked | GuestInvited, now: Instant
) -> RingAgent | DialOutside:
    """Let the phone ring, or call the number, of whoever is asked; their leg stays whoever leaves it."""
    ring_ms = (event.answer_by - now + SWITCH_RINGS_LONGER) // MILLISECOND
    if event.reservation is None:
        return DialOutside(
            id=event.leg,
            node=contact.node,
            leg=event.leg,
            contact=contact.contact_id,
            offer=event.leg,
            number=outside.dialled(world.outside, event.number),
            show=event.show,
            trunk=outside.trunk_of(world.outside),
            ring_ms=ring_ms,
            deadline=event.answer_by,
        )
    return RingAgent(
        id=event.leg,
        node=contact.node,
        leg=event.leg,
        contact=contact.contact_id,
        offer=offer,
        extension=event.reservation.extension,
        via=event.reservation.via,
        caller_number=shown_number(contact.callback.number if contact.callback else contact.caller_number),
        caller_name=shown_name(contact.caller_name),
        ring_ms=ring_ms,
        deadline=event.answer_by,
        stays=True,
    )


def join(contact: Contact, segment: Segment, consult: Consult, ids: Ids) -> BridgeLegs:
    """Let the agent hear the one with whom they are to talk."""
    with_caller = consult.wish == CALLER
    return BridgeLegs(
        id=ids.of("bridge", contact.caller_leg if with_caller else consult.leg),
        node=contact.node,
        leg=contact.caller_leg if with_caller else segment.leg,
        contact=contact.contact_id,
        other=segment.leg if with_caller else consult.leg,
    )
