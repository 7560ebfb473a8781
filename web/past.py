"""The past as all areas look into it: the log, the states that are kept, and one scrubber over them.

Of a ledger it reaches to now. Of a file (`web.bundle`) it reaches as far as the file does.
"""

from dataclasses import dataclass
from typing import Final, cast

from flask import Flask, current_app

from orchestrator.domain.kernel import Instant
from orchestrator.replay import Scrubber, Snapshots
from projections.reading import Log
from web.parts import parts

_PAST: Final = "ringledger-past"
_SNAPSHOTS: Final = "ringledger-snapshots"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From when to when a file reaches."""

    begins: Instant
    ends: Instant
    first_position: int
    """Before this event it knows the state by half, and shows none; 0 where it knows all of the log before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is looked back into."""

    log: Log
    scrubber: Scrubber
    """One for all who look: what one has dragged over, the next need not fold again."""
    span: Span | None = None
    """None: the past of a ledger, from its beginning to now."""


def install(app: Flask, found: Past) -> None:
    """Let the app look into this one, instead of into its ledger."""
    app.extensions[_PAST] = found


def past() -> Past:
    """The past of the app that serves the current request."""
    if _PAST not in current_app.extensions:
        log = parts().reading.log
        current_app.extensions[_PAST] = Past(log=log, scrubber=Scrubber(log, snapshots=snapshots()))
    return cast("Past", current_app.extensions[_PAST])


def snapshots() -> Snapshots:
    """The states that are kept for all who look into the ledger."""
    found = current_app.extensions.get(_SNAPSHOTS) or Snapshots(parts().reading.reader)
    current_app.extensions[_SNAPSHOTS] = found
    return cast("Snapshots", found)
