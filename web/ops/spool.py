"""The spool's light: whether calls go on without the database, and how much waits for it (features 9.2 and 12.2)."""

from typing import Any, Final

import structlog
from flask_babel import lazy_gettext as _l
from msgspec import Struct, convert

from orchestrator.control import ControlError
from orchestrator.domain.kernel import Refused
from orchestrator.spools import DRAINING, FULL, IN_USE, OFF, READY, UNANNOUNCED, Spooled
from projections.reading import NotKept
from web.parts import parts

log = structlog.get_logger(__name__)

SILENT: Final = "silent"

# What it is called, its sign and colour, and what it means for callers.
STATES: Final = {
    OFF: (_l("off"), "▲", "wait", _l("while the database is away, callers wait with their music")),
    UNANNOUNCED: (
        _l("not used"),
        "▲",
        "wait",
        _l("while the database is away, callers wait: an engine of another machine stands by, and could not follow"),
    ),
    READY: (_l("ready for use"), "✔", "good", _l("while the database is away, calls go on, and events are kept here")),
    IN_USE: (_l("in use: the database is away"), "✖", "bad", _l("calls go on; what is decided waits here for the log")),
    DRAINING: (_l("being brought to the log"), "◔", "wait", _l("the database is back; read models follow")),
    FULL: (_l("full: the database is away"), "✖", "bad", _l("new callers are served by the switches alone")),
    SILENT: (_l("no engine answers"), "✖", "bad", _l("nobody decides on this machine")),
}


class Light(Struct, frozen=True, kw_only=True):
    """How it stands, and what people did meanwhile that is not recorded yet; None where that cannot be read."""

    state: str
    now: Spooled
    deeds: int | None

    @property
    def well(self) -> bool:
        """Whether nothing is kept from the log."""
        return self.state in {OFF, UNANNOUNCED, READY} and self.deeds == 0


def light() -> Light:
    """The spool of this machine's active engine, as that says itself: no database is asked."""
    deeds = _deeds()
    try:
        found: dict[str, Any] = parts().ask("status")
    except (ControlError, Refused):
        return Light(state=SILENT, now=Spooled(), deeds=deeds)
    now = convert(found["spool"], Spooled)
    return Light(state=now.state, now=now, deeds=deeds)


def _deeds() -> int | None:
    try:
        return parts().reading.meanwhile.count
    except NotKept as error:
        log.error("meanwhile-not-kept", why=str(error), remedy="see to the disk")  # noqa: TRY400 - the words say it
        return None
