"""Callers whom their switch serves by itself, because it had not heard of us for too long (freeswitch/conf/dialplan.xml).

Such a call stays with its switch to its end (docs/decisions/0091): its contact, where it had one, ends here; nothing is told to
its leg, and none of it is adopted. What became of it comes later, from the switch's own record.
"""

from collections.abc import Iterator

from orchestrator.domain.contacts.commands import NoteLegGone
from orchestrator.domain.kernel import Instant
from orchestrator.domain.switch.causes import SERVED_BY_SWITCH
from orchestrator.domain.switch.facts import LegUnattended, SeenLeg
from orchestrator.domain.world import World
from orchestrator.policies.base import TellContact
from orchestrator.runner.memory import Memory

CONTEXT = "ringledger-unattended"
"""The dialplan context in which a switch serves callers by itself."""


def is_unattended(found: SeenLeg) -> bool:
    """Whether this caller is served by the switch."""
    return found.inbound and found.context == CONTEXT


def left_to_switch(
    world: World, memory: Memory, found: SeenLeg | LegUnattended, now: Instant
) -> Iterator[TellContact]:
    """What follows for the contact of a caller whom the switch serves by itself; news of the leg leads to nothing more."""
    memory.bury(found.leg)
    contact = world.contacts.get(world.contact_of_leg.get(found.leg, ""))
    if contact is not None and found.leg == contact.caller_leg:
        command = NoteLegGone(leg=found.leg, cause=SERVED_BY_SWITCH, next_connect_by=now, repair="unattended", now=now)
        yield TellContact(contact.contact_id, command)
