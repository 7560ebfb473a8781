"""Whenever a supervisor monitors a talk, then their phone rings, they are held, and the switch lets them hear it."""

from collections.abc import Iterator

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.monitor_events import (
    MonitorAnswered,
    MonitorAsked,
    MonitorClosed,
    MonitorDelivered,
    MonitorExtended,
    MonitorModeAsked,
)
from orchestrator.domain.contacts.monitors import Monitor
from orchestrator.domain.contacts.names import shown_name, shown_number
from orchestrator.domain.contacts.speaking import AgentMuted
from orchestrator.domain.kernel import MILLISECOND
from orchestrator.domain.staff.engagements import VOICE, capacity_of
from orchestrator.domain.staff.shifts import Release, Reserve
from orchestrator.domain.switch.instructions import EavesdropLeg, ParkLeg, RingAgent, SteerEavesdrop
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, TellShift, asked_about
from orchestrator.policies.pass_on import park_leg
from orchestrator.policies.ring_out import SWITCH_RINGS_LONGER, answer_phone


@asked_about(
    MonitorAsked, MonitorDelivered, MonitorAnswered, MonitorModeAsked, MonitorExtended, MonitorClosed, AgentMuted
)
def monitor(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
    """Whenever monitoring moves, then shift and switch follow. A leg that is no longer wanted, `ring_out` hangs up."""
    contact = happened.after
    if not isinstance(contact, Contact):
        return
    event, its = happened.record.event, contact.monitor
    if isinstance(event, MonitorClosed):
        was = happened.before.monitor if isinstance(happened.before, Contact) else None
        if was is not None:
            yield TellShift(
                was.reservation.shift_id,
                Release(offer_id=event.monitor_id, outcome="withdrawn", cool_until=happened.at),
            )
    elif its is not None:
        yield from _move(world, happened, contact, its, ids)


def _move(world: World, happened: Happened, contact: Contact, its: Monitor, ids: Ids) -> Iterator[Do]:
    match happened.record.event:
        case MonitorAsked() as event:
            agent = world.agents.get(event.reservation.agent_id)
            capacity = capacity_of(agent.capacity if agent is not None else {}, VOICE)
            held = Reserve(offer_id=event.monitor_id, contact_id=contact.contact_id, capacity=capacity, by_hand=True)
            yield TellShift(event.reservation.shift_id, held)
            yield RingAgent(
                id=its.leg,
                node=contact.node,
                leg=its.leg,
                contact=contact.contact_id,
                offer=event.monitor_id,
                extension=event.reservation.extension,
                via=event.reservation.via,
                caller_number=shown_number(contact.caller_number),
                caller_name=shown_name(contact.caller_name),
                ring_ms=(event.answer_by - happened.at + SWITCH_RINGS_LONGER) // MILLISECOND,
                deadline=event.answer_by,
            )
        case MonitorDelivered() as event:
            # Whoever asked for it at the desk need not lift the handset, too; a phone that ignores it rings on.
            yield answer_phone(world, contact, its.leg, event.monitor_id, ids)
        case MonitorAnswered():
            yield from _eavesdrop(contact, its, ids)
        case MonitorExtended(cause="told_again"):
            # One that hears the talk already takes the second for nothing: it comes after the first has ended.
            yield from _eavesdrop(contact, its, ids)
            yield _steer(contact, its, ids)
        case MonitorModeAsked() if its.answered:
            yield _steer(contact, its, ids)
        case AgentMuted() if its.answered:
            yield from let_in_again(contact, its, ids)


def let_in_again(contact: Contact, its: Monitor, ids: Ids) -> Iterator[ParkLeg | EavesdropLeg]:
    """Let the supervisor in behind a mute. What the switch does to the agent's voice it does in the order in which it
    was told to: whoever was let in before the mute is silenced towards the caller with the agent (0083).
    """
    yield park_leg(contact, ids, leg=its.leg)
    yield from _eavesdrop(contact, its, ids)


def _eavesdrop(contact: Contact, its: Monitor, ids: Ids) -> Iterator[EavesdropLeg]:
    if contact.segment is not None:
        yield EavesdropLeg(
            id=ids.of("eavesdrop", its.leg),
            node=contact.node,
            leg=its.leg,
            contact=contact.contact_id,
            other=contact.segment.leg,
            mode=its.wanted,
        )


def _steer(contact: Contact, its: Monitor, ids: Ids) -> SteerEavesdrop:
    return SteerEavesdrop(
        id=ids.of("steer", its.leg),
        node=contact.node,
        leg=its.leg,
        contact=contact.contact_id,
        mode=its.wanted,
    )
