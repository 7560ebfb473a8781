"""The time slider (features 11.2 and 11.3 in their simple form)."""

import time
from typing import Final, cast

from flask import Blueprint, current_app, render_template, request
from flask_babel import lazy_gettext as _l

from orchestrator.domain.kernel import SECOND, Instant, Refused
from orchestrator.replay import Scrubber, Snapshots, parse_time
from web.access.needs import needs
from web.navigation import Item
from web.parts import parts
from web.replay.moment import in_calendar, moment_at, moment_of
from web.words import code, reason

blueprint = Blueprint("replay", __name__, url_prefix="/replay")
NAVIGATION = (Item("replay.page", _l("Replay"), 70),)

SPEEDS: Final = ("0.5", "1", "2", "5", "10", "60")
# How much of the past the slider spans where nobody says otherwise.
_SCRUBBER: Final = "ringledger-scrubber"
_SNAPSHOTS: Final = "ringledger-snapshots"
WINDOW: Final = 15 * 60 * SECOND
_DIGITS: Final = 19
LONGEST_WINDOW: Final = 31 * 24 * 3600 * SECOND


@blueprint.get("/")
@needs("replay.watch")
def page() -> str:
    """The slider over a window of time, standing at `at` or at the window's end."""
    now = _now()
    at = _instant("at", now)
    begins = _instant("from", Instant(at - WINDOW))
    ends = max(_instant("to", Instant(min(now, begins + WINDOW))), at if "at" in request.args else begins)
    if not begins < ends <= begins + LONGEST_WINDOW:
        raise Refused("bad_window", "The window must begin before it ends and be no longer than 31 days.")
    found = moment_at(scrubber(), Instant(min(max(at, begins), ends)))
    return render_template(
        "replay/page.html",
        found=found,
        names=found.names,
        code=code,
        reason=reason,
        begins=begins,
        ends=ends,
        speeds=SPEEDS,
    )


@blueprint.get("/moment")
@needs("replay.watch")
def moment() -> str:
    """One moment, as a piece of the page: `at` an instant, or just after the event at `position`."""
    position = request.args.get("position", "")
    if position:
        if not position.isascii() or not position.isdigit() or len(position) > _DIGITS:
            raise Refused("bad_position", "A position is a whole number.")
        if int(position) > parts().reading.log.position():
            raise Refused("bad_position", "The log has not come to this position.")
        found = moment_of(scrubber(), int(position))
    else:
        found = moment_at(scrubber(), _instant("at", _now()))
    return render_template("replay/moment.html", found=found, names=found.names, code=code, reason=reason)


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


def _instant(name: str, otherwise: Instant) -> Instant:
    """An instant from the query: microseconds, or a time as people write it. Raises `BadTime`."""
    text = request.args.get(name, "")
    if not text:
        return otherwise
    if text.isascii() and text.isdigit() and len(text) == len(str(otherwise)):
        return Instant(int(text))
    return in_calendar(parse_time(text, parts().settings.timezone))


def _now() -> Instant:
    return Instant(time.time_ns() // 1000)
