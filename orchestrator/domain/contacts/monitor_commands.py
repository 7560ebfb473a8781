"""What may be asked of a talk that a supervisor monitors, and what is heard of it."""

from msgspec import Struct

from orchestrator.domain.contacts.events import Reservation
from orchestrator.domain.kernel import Instant


class Monitor(Struct, frozen=True, kw_only=True):
    """Let this supervisor hear the talk; or be heard otherwise, where they hear it already."""

    monitor_id: str
    reservation: Reservation
    mode: str
    reason: str
    answer_by: Instant
    begin_by: Instant
    shown: bool


class EndMonitor(Struct, frozen=True, kw_only=True):
    """Let the supervisor of this shift go."""

    shift_id: str


class NoteMonitor(Struct, frozen=True, kw_only=True):
    """The switch has taken the mode for this leg; or has not, for this `cause`."""

    leg: str
    mode: str = ""
    cause: str = ""


class ExpireMonitor(Struct, frozen=True, kw_only=True):
    """The phone has not been answered in time, or the mode not been taken. As of `ExpireOffer`."""

    now: Instant
    again_at: Instant
    blameless: str = ""


class MonitorAgain(Struct, frozen=True, kw_only=True):
    """The switch may never have been told of the mode."""

    begin_by: Instant


Monitoring = Monitor | EndMonitor | NoteMonitor | ExpireMonitor | MonitorAgain
