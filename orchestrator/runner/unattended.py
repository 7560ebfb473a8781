"""Callers whom their switch serves by itself: it had not heard of us for too long (freeswitch/conf/dialplan.xml).

Such a call stays with its switch to its end (docs/decisions/0091): its contact, where it had one, ends here; nothing is
told to its leg, and none of it is adopted. What became of it comes later, from the switch's own record.
"""

from collections.abc import Iterator

from orchestrator.domain.contacts.commands import NoteLegGone
from orchestrator.domain.contacts.names import clean_dialled
from orchestrator.domain.contacts.unattended import ImportCall, UnattendedCallEnded, UnattendedCallLost
from orchestrator.domain.kernel import Instant, Refused, derived_id
from orchestrator.domain.switch import contexts
from orchestrator.domain.switch.causes import SERVED_BY_SWITCH
from orchestrator.domain.switch.facts import LegUnattended, SeenLeg
from orchestrator.domain.world import World
from orchestrator.policies.base import TellContact
from orchestrator.runner import inputs
from orchestrator.runner.memory import Memory


def contact_of(leg: str) -> str:
    """The id of the contact that a call is, by the switch's id of it."""
    return derived_id("unattended", leg)


def earlier_of(world: World, leg: str) -> str:
    """The contact as which this caller had been with us, empty where nobody knows. An engine that dies right after a
    caller is recorded has told the switch nothing of the contact, which may have ended since.
    """
    contact = world.contact_of_leg.get(leg, "")
    return contact if contact in world.contacts else world.ended_of_leg(leg)


def import_call(world: World, memory: Memory, command: inputs.ImportCall, now: Instant) -> Iterator[TellContact]:
    """The contact of a call that its switch served, once. The record of a caller who counts as one of ours still says
    that the switch took them, to the end, and nobody could hear of it. Refused as `not_over` for any other leg of ours.
    """
    contact_id = contact_of(command.leg)
    if contact_id in world.imported:
        return
    before = command.earlier or earlier_of(world, command.leg)
    earlier = world.contacts.get(world.contact_of_leg.get(command.leg, ""))
    if earlier is not None:
        if (earlier.node, earlier.caller_leg) != (command.node, command.leg):
            raise Refused("not_over", "This call is not over for the ledger; it is imported once it is.")
        yield from left_to_switch(world, memory, LegUnattended(node=command.node, leg=command.leg), now)
    imported = ImportCall(
        node=command.node,
        leg=command.leg,
        dialled=clean_dialled(command.dialled),
        caller_number=command.caller_number,
        caller_name=command.caller_name,
        from_number=world.admission.rewriting.caller(command.caller_number, ""),
        host=clean_dialled(command.host),
        customer_id=command.customer_id,
        cause=command.cause,
        call=_lost(command, before) if command.taken_at else _over(world, command, before),
        message=command.message,
        message_ms=command.message_ms,
    )
    yield TellContact(contact_id, imported)


def _lost(command: inputs.ImportCall, earlier: str) -> UnattendedCallLost:
    return UnattendedCallLost(
        arrived_at=command.arrived_at, taken_at=command.taken_at, earlier=earlier, clock_off=command.clock_off
    )


def _over(world: World, command: inputs.ImportCall, earlier: str) -> UnattendedCallEnded:
    agents = [ident for ident, agent in world.agents.items() if agent.extension == command.extension]
    return UnattendedCallEnded(
        arrived_at=command.arrived_at,
        joined_at=command.joined_at,
        ended_at=command.ended_at,
        extension=command.extension,
        agent_id=agents[0] if len(agents) == 1 and command.extension else "",
        earlier=earlier,
        clock_off=command.clock_off,
    )


def is_unattended(found: SeenLeg) -> bool:
    """Whether this caller is served by the switch."""
    return found.inbound and found.context == contexts.UNATTENDED


def left_to_switch(world: World, memory: Memory, found: SeenLeg | LegUnattended, now: Instant) -> Iterator[TellContact]:
    """What follows for the contact of a caller whom the switch serves by itself; news of the leg is no news then."""
    memory.bury(found.leg)
    contact = world.contacts.get(world.contact_of_leg.get(found.leg, ""))
    if contact is not None and found.leg == contact.caller_leg:
        command = NoteLegGone(leg=found.leg, cause=SERVED_BY_SWITCH, next_connect_by=now, repair="unattended", now=now)
        yield TellContact(contact.contact_id, command)
