"""What desks and floor show of a talk that a supervisor hears."""

from msgspec import Struct

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.world import World
from orchestrator.runner.monitors import monitored_by


class Hearing(Struct, frozen=True, kw_only=True):
    """The talk that a supervisor hears, or whose phone rings for it."""

    contact_id: str
    agent: str
    """Whose talk it is."""
    mode: str
    begun: bool
    """Whether the switch has taken the mode."""


def hearing_of(world: World, shift: Shift | None) -> Hearing | None:
    """What this agent hears as a supervisor; None where that is nothing."""
    contact = monitored_by(world, shift.shift_id) if shift is not None else None
    if contact is None or contact.monitor is None:
        return None
    segment = contact.segment
    agent = world.agents.get(segment.agent_id) if segment is not None else None
    return Hearing(
        contact_id=contact.contact_id,
        agent=(agent.name or agent.number) if agent is not None else "",
        mode=contact.monitor.wanted,
        begun=bool(contact.monitor.mode) and not contact.monitor.wish,
    )


def supervisor_of(world: World, contact: Contact) -> str:
    """The name of the supervisor who hears this talk; empty where nobody does."""
    monitor = contact.monitor
    agent = world.agents.get(monitor.reservation.agent_id) if monitor is not None else None
    return (agent.name or agent.number) if agent is not None else ""


def seen_by_agent(world: World, contact: Contact) -> tuple[str, str]:
    """The name of the supervisor who hears this talk, and how they are heard in it, where its agent is to be told."""
    monitor = contact.monitor
    if monitor is None or not monitor.answered or not monitor.seen:
        return "", ""
    return supervisor_of(world, contact), monitor.wanted
