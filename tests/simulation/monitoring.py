"""What must hold of supervisors who hear a talk."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from orchestrator.domain.kernel import SECOND, Instant
from orchestrator.domain.staff.engagements import by_offer
from orchestrator.domain.switch import instructions as i
from orchestrator.domain.world import World

# So long a mute of the agent may silence a supervisor, too, until they are let in behind it.
DROWNED = 3 * SECOND


class Ears(Protocol):
    """What the rules look at in a switch."""

    def heard_as(self, leg: str) -> str:
        """How this leg is heard in the talk that it hears: listen, whisper, barge; empty where it hears none."""

    def drowned_since(self, leg: str) -> int:
        """Since when the mute of the agent silences this leg, too; 0 where it does not."""

    def talks_with(self, leg: str) -> str:
        """The leg that this one hears; empty where it hears none."""


def broken(
    world: World, ears: Ears, told: Sequence[i.Instruction], now: Instant, slack: Instant, *, whole: bool
) -> Iterator[str]:
    """Each rule that does not hold now. `whole`: nothing is lost between switch and engine."""
    bridged = {leg for each in told if isinstance(each, i.BridgeLegs) for leg in (each.leg, each.other)}
    for contact in world.contacts.values():
        monitor, ident = contact.monitor, contact.contact_id
        if monitor is None:
            continue
        segment = contact.segment
        if segment is None or segment.segment_id != monitor.segment_id or contact.status == "leaving":
            yield f"the talk of {ident} is over, and somebody hears it still"
        shift = world.shifts.get(monitor.reservation.shift_id)
        if shift is None or by_offer(shift.engagements, monitor.monitor_id) is None:
            yield f"{ident} is heard by shift {monitor.reservation.shift_id}, which says otherwise"
        if monitor.leg in bridged or ears.talks_with(monitor.leg):
            yield f"whoever hears the talk of {ident} is joined with somebody, and has not taken it over"
        if (monitor.wish or not monitor.answered) and world.timers.due_of(("monitor", ident)) is None:
            yield f"the supervisor of {ident} is waited for without an end"
        if monitor.due and now > max(monitor.due, slack) + 5 * SECOND and world.in_step(contact.node):
            yield f"what is waited for of the supervisor of {ident} has not come"
        heard = ears.heard_as(monitor.leg)
        if whole and heard and monitor.mode and not monitor.wish and heard != monitor.mode:
            yield f"the supervisor of {ident} is heard as {heard}, and the log says {monitor.mode}"
        drowned = ears.drowned_since(monitor.leg)
        if whole and drowned and now > max(drowned, slack) + DROWNED and world.in_step(contact.node):
            yield f"the supervisor of {ident} is silenced by a mute of the agent"
