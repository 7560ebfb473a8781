"""The light of the clocks: whether host and database agree on the time, as the active engine says itself (0120)."""

from typing import Any, Final

from flask_babel import lazy_gettext as _l
from msgspec import Struct, convert

from orchestrator.clock import MOST_OFF
from orchestrator.control import ControlError
from orchestrator.domain.kernel import SECOND, Refused
from web.parts import parts

RIGHT: Final = "right"
HOST_OFF: Final = "host_off"
DATABASE_OFF: Final = "database_off"

# What it is called, its sign and colour, and what it means for callers.
STATES: Final = {
    RIGHT: (_l("clocks agree"), "✔", "good", _l("the engine's host and the database agree within two seconds")),
    HOST_OFF: (
        _l("the host's clock is wrong"),
        "▲",
        "wait",
        _l("calls go by the database's clock and are decided rightly; set the clock of the engine's host right (NTP)"),
    ),
    DATABASE_OFF: (
        _l("the database's clock is wrong"),
        "✖",
        "bad",
        _l("calls go on, and their time follows that clock slowly; the runbook says what to do: “A clock is wrong”"),
    ),
}


class Clocks(Struct, frozen=True, kw_only=True):
    """By how much the host's clock is ahead of the database's, and the database's of the site's time (s)."""

    host_off_s: float
    database_off_s: float

    @property
    def states(self) -> tuple[str, ...]:
        """What is to be said; both clocks may be wrong."""
        offs = ((DATABASE_OFF, self.database_off_s), (HOST_OFF, self.host_off_s))
        return tuple(state for state, off_s in offs if abs(off_s) * SECOND > MOST_OFF) or (RIGHT,)


def clocks() -> Clocks | None:
    """What the active engine of this machine says of them; None where none answers, or one of an older version."""
    try:
        found: dict[str, Any] = parts().ask("status")
    except (ControlError, Refused):
        return None
    return convert(found["clock"], Clocks) if "clock" in found else None
