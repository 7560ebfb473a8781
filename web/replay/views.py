"""Replay: a window of the past on the components of the live floor, played, stepped and stopped (11.2, 11.3)."""

from typing import Any, Final

from flask import Blueprint, make_response, render_template, request
from flask_babel import lazy_gettext as _l
from msgspec.structs import replace
from werkzeug.wrappers import Response

from orchestrator.domain.kernel import Instant, Refused
from orchestrator.replay import stops
from web import refusals
from web.access.needs import needs
from web.desk.shown import SIGNS
from web.floor.topics import Pills
from web.navigation import Item
from web.parts import place
from web.past import past
from web.replay.moment import Moment, moment_after, moment_at, moment_of
from web.replay.window import TooLarge, instant, now, refuse_before, window
from web.words import chosen, code
from web.words import reason as reason_in_words

blueprint = Blueprint("replay", __name__, url_prefix="/replay")
NAVIGATION = (Item("replay.page", _l("Replay"), 70),)

SPEEDS: Final = ("0.1", "0.25", "0.5", "1", "2", "5", "10", "60", "100", "1000")
# Where a replay can be told to stop, beside the length of a queue.
EVENTS: Final = {
    "OfferRejected": _l("offer refused"),
    "OfferTimedOut": _l("offer not answered"),
    "OfferMade": _l("offer made"),
    "AgentStoodDown": _l("agent stood down"),
    "AgentPaused": _l("agent not ready"),
    "ConfigurationApplied": _l("configuration changed"),
    "NodeLost": _l("switch lost"),
    stops.UNKNOWN: _l("an event that this program does not know"),
}
_DIGITS: Final = 19


@blueprint.get("/")
@needs("replay.watch")
def page() -> Response:
    """The slider over a window of time, standing at `position`, at `at`, or at the window's end."""
    position, scrubber = _position("position"), past().scrubber
    found = moment_of(scrubber, position) if position else None
    at = found.at if found is not None else instant("at", now())
    try:
        seen = window(at, given=position > 0 or "at" in request.args)
    except TooLarge as large:
        shown = render_template("replay/too_large.html", words=refusals.words(large), large=large)
        return make_response(shown, 400)
    if found is None:
        found = moment_at(scrubber, Instant(min(max(at, seen.begins), seen.ends)))
    first = next(iter(scrubber.steps(0, 1)), None)
    return make_response(
        render_template(
            "replay/page.html",
            seen=seen,
            speeds=SPEEDS,
            events=EVENTS,
            first=first.about.at if first is not None else None,
            **_shown(found),
        )
    )


@blueprint.get("/moment")
@needs("replay.watch")
def moment() -> str:
    """One moment, as a piece of the page: `at` an instant, or just after the event at `position`. `shown`: the position
    that was shown before, from which the first `stop` on the way is looked for.
    """
    shown, position, scrubber = _position("shown"), _position("position"), past().scrubber
    wanted = stops.parse(request.args.getlist("stop"))
    at = instant("at", now())
    if position:
        found = moment_of(scrubber, position, shown=shown)
    elif wanted and shown:
        found = moment_after(scrubber, shown, at, wanted)
    else:
        found = moment_at(scrubber, at, shown=shown)
    return render_template("replay/moment.html", **_shown(found))


def _shown(found: Moment) -> dict[str, Any]:
    """What the templates of the floor are given, of then; `still`: no time in them goes on."""
    stopped, span = EVENTS.get(found.stopped, found.stopped), past().span
    if span is not None and found.previous_position < span.first_position:
        found = replace(found, previous_position=0)
    chosen.as_of(found.world.reasons)
    return {
        "found": found,
        "floor": found.floor(place().timezone),
        "now": found.at,
        "still": True,
        "stopped": str(stopped),
        "code": code,
        "reason": reason_in_words,
        "most_ms": chosen.most_ms,
        "signs": SIGNS,
        "pill": Pills(),
    }


def _position(name: str) -> int:
    """A position of the log from the query, 0 where none is given. Raises `Refused` (`bad_position`)."""
    text = request.args.get(name, "")
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS:
        raise Refused("bad_position", "A position is a whole number.")
    if int(text) > past().log.position():
        raise Refused("bad_position", "The log has not come to this position.")
    refuse_before(position=int(text))
    return int(text)
