"""Reading one's own writes: a page that follows a write waits, a little, until the read model has come that far."""

from typing import Final

from flask import flash, request
from flask_babel import gettext

from projections.status import Late, wait_for
from web.parts import parts

AFTER: Final = "after"
"""The query argument with the log position that a write answered with."""
WAIT_S: Final = 2.0
_LONGEST: Final = 19


def caught_up(*models: str) -> None:
    """Wait until these read models have come to `?after=`, if it is given; say so on the page where they have not."""
    text = request.args.get(AFTER, "")
    if not text.isascii() or not text.isdecimal() or len(text) > _LONGEST:
        return
    try:
        for model in models:
            wait_for(parts().reading.reader, model, int(text), WAIT_S)
    except Late:
        flash(gettext("What you did is kept, but this page does not show it yet. Load it again in a moment."), "stale")
