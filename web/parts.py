"""What the web is made of: given to `create_app`, found in every request as `parts()`."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, cast
from zoneinfo import ZoneInfo

from flask import current_app

from orchestrator.control import Client, ControlError
from orchestrator.domain.kernel import Refused
from orchestrator.engines import Roster, Seen
from orchestrator.runner.inputs import DeskCommand
from orchestrator.settings import Settings
from orchestrator.spools import OFF, READY, UNANNOUNCED
from projections.reading import Reading

KEY = "ringledger"
"""Where the parts stand in `app.extensions`."""
PLACE = "ringledger-place"
"""Where the place stands there: also in an app that has no parts, for there is a file and no ledger behind it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the site is: whose clock its people read, and whose numbers they dial without a country code."""

    timezone: ZoneInfo
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Made once by `web.serve` or a test."""

    settings: Settings
    reading: Reading
    """The log, the keys, the desk's writer, the read models' source, users and sessions."""
    control: Callable[[], Client]
    """A new connection to the orchestrator; it is cheap, and a broken one never meets a second request."""

    def engines(self) -> list[Seen]:
        """The engines of this site, on whatever machines, as each says of itself. Raises `Away`."""
        return Roster(self.reading.reader, self.settings.site).all()

    def do(self, command: DeskCommand) -> int:
        """Carry out a command; its log position. Raises `Refused` and `ControlError`."""
        with closing(self.control()) as client:
            return client.do(command)

    def ask(self, question: str) -> Any:  # noqa: ANN401 - JSON, whatever the question
        """The orchestrator's answer. Raises `Refused` and `ControlError`."""
        with closing(self.control()) as client:
            return client.ask(question)

    def spools(self) -> bool | None:
        """Whether this machine's engine has something in its spool; None where none says."""
        try:
            said = self.ask("status").get("spool")
        except (ControlError, Refused):
            return None
        return None if said is None else said["state"] not in {OFF, UNANNOUNCED, READY}


def place() -> Place:
    """The place of the app that serves the current request."""
    return cast("Place", current_app.extensions[PLACE])


def parts() -> Parts:
    """The parts of the app that serves the current request."""
    return cast("Parts", current_app.extensions[KEY])
