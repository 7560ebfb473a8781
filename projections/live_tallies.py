"""What each signed-in agent has done since they took their seat: for the bar of the agent's own desk.

A fold of shift streams, known at once and exactly, also after a restart: the whole stream of an open shift is read. The
counts of the day, in which several shifts may lie, come from the read model `agent_workload`.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.kernel import Instant, Record
from orchestrator.domain.staff import shifts
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.world import Aggregate
from projections.agent_workload import MISSED

# The states of a shift whose time is counted, and where. A caller on hold is in a call: hold is of the contact.
_TIME_IN: Final = {"talking": "call_ms", "paused": "pause_ms"}


class Tally(Struct, frozen=True, kw_only=True):
    """Calls begun, offers not taken, and the time in calls and not ready, of states that have ended; `state` lasts
    since `since`.
    """

    calls: int = 0
    missed: int = 0
    call_ms: int = 0
    pause_ms: int = 0
    state: str = ""
    since: Instant = Instant(0)

    def running(self, state: str) -> Instant | None:
        """Since when the shift is in this state; None where it is in another one."""
        return self.since if self.state == state else None


NOTHING: Final = Tally()


class Tallies:
    """The tally of each agent who is signed in. `fold` after the record was applied to the world."""

    def __init__(self) -> None:
        self._of: dict[str, Tally] = {}

    def of(self, agent_id: str) -> Tally:
        """Nothing where the agent is not signed in."""
        return self._of.get(agent_id, NOTHING)

    def fold(self, record: Record, before: Aggregate, after: Aggregate) -> None:
        """Take in one record."""
        if not isinstance(after, Shift):
            if isinstance(before, Shift):
                self._of.pop(before.agent_id, None)
            return
        tally = self._of.get(after.agent_id, NOTHING) if isinstance(before, Shift) else NOTHING
        match record.event:
            case shifts.AgentConnected():
                tally = replace(tally, calls=tally.calls + 1)
            case shifts.AgentReleased(outcome=outcome) if outcome in MISSED:
                tally = replace(tally, missed=tally.missed + 1)
        if after.status != tally.state:
            tally = _entered(tally, after.status, record.about.at)
        self._of[after.agent_id] = tally


def _entered(tally: Tally, state: str, at: Instant) -> Tally:
    """The time in the state before is over, and this one's begins."""
    spent = _TIME_IN.get(tally.state)
    closed = {spent: getattr(tally, spent) + max(0, at - tally.since) // 1000} if spent else {}
    return replace(tally, state=state, since=at, **closed)
