"""The past as all areas look into it: the states that are kept, and one scrubber over them."""

from typing import Final, cast

from flask import current_app

from orchestrator.replay import Scrubber, Snapshots
from web.parts import parts

_SCRUBBER: Final = "ringledger-scrubber"
_SNAPSHOTS: Final = "ringledger-snapshots"


def scrubber() -> Scrubber:
    """One for all who look: what one has dragged over, the next need not fold again."""
    found = current_app.extensions.get(_SCRUBBER) or Scrubber(parts().reading.log, snapshots=snapshots())
    current_app.extensions[_SCRUBBER] = found
    return cast("Scrubber", found)


def snapshots() -> Snapshots:
    """The states that are kept for all."""
    found = current_app.extensions.get(_SNAPSHOTS) or Snapshots(parts().reading.reader)
    current_app.extensions[_SNAPSHOTS] = found
    return cast("Snapshots", found)
