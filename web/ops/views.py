"""The switches and engines (features 9.2, 12.5), the nightly proof, snapshots, read models (11.7 and 11.8)."""

from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from msgspec import Struct
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from orchestrator.engines import Seen
from orchestrator.replay.night import Walk, walks
from orchestrator.runner import inputs
from projections.catalogue import PROJECTIONS
from projections.reading import LOST, Away
from projections.status import Standing, standing
from web.access.needs import needs
from web.access.visitor import me
from web.navigation import Item
from web.ops import nodes, spool
from web.ops.clocks import STATES as CLOCK_STATES
from web.ops.clocks import clocks
from web.parts import parts
from web.past import snapshots
from web.push.present import live, view_if_any
from web.words import code
from web.writing import fresh_key

log = structlog.get_logger(__name__)

blueprint = Blueprint("ops", __name__, url_prefix="/ops")
NAVIGATION = (Item("ops.page", _l("Operations"), 75),)

_NIGHTS: Final = 14
_HUNDRED: Final = 100
# A day, and what one night may take longer than the one before.
_PROOF_H: Final = 26
# How long a page waits for what its visitor has just done (s).
_SEEN_S: Final = 2.0
_LONGEST: Final = 64

STATES: Final = {
    "following": _l("keeps up"),
    "stopped": _l("stopped: nobody keeps it up to date"),
    "building": _l("being built"),
    "failed": _l("failed"),
    "missing": _l("not built yet"),
}


# What an engine is, with its light: a mark and a tone.
LIGHTS: Final = {
    "active": (_l("active: decides"), "✔", "good"),
    "ready": (_l("standby: ready to go on at once"), "✔", "good"),
    "standby": (_l("standby: not ready yet"), "◔", "wait"),
    "starting": (_l("starting: reads the log"), "◔", "wait"),
    "stopped": (_l("stopped"), "■", "wait"),
    "silent": (_l("not heard of any more"), "✖", "bad"),
}


class Model(Struct, frozen=True):
    """A read model; `percent`: how far a new generation is that is built beside it, None where none is."""

    standing: Standing
    percent: int | None


@blueprint.get("/")
@needs("ops.see")
def page() -> str:
    """All of it, as it is now."""
    here = {
        "switches": _switches(),
        "node_states": nodes.STATES,
        "code": code,
        "key": fresh_key(),
        "spool": spool.light(),
        "spool_states": spool.STATES,
        "clocks": clocks(),
        "clock_states": CLOCK_STATES,
    }
    try:
        known = _known()
    except (Away, LOST) as away:
        log.info("ops-without-database", why=str(away))
        return render_template("ops/page.html", away=True, **here)
    return render_template("ops/page.html", away=False, **here, **known)


def _known() -> dict[str, object]:
    """What the database tells. Raises `Away`."""
    reading, engines = parts().reading, parts().engines()
    end = reading.log.position()
    found = [standing(reading.reader, reading.log, each) for each in PROJECTIONS.values()]
    nights = walks(reading.reader, _NIGHTS)
    proved = next(iter(walks(reading.reader, 1, with_result=True)), None)
    return {
        "end": end,
        "reached": snapshots().reached(),
        "models": [Model(each, None if each.building is None else _percent(each.building, end)) for each in found],
        "states": STATES,
        "nights": nights,
        "proved": proved,
        "late": _is_late(proved, nights),
        "proof_h": _PROOF_H,
        "going_on": next((night for night in nights if night.goes_on), None),
        "percent": _percent,
        "engines": [(each, LIGHTS[_light(each)]) for each in engines],
        "ready": any(each.may_follow for each in engines),
    }


@blueprint.post("/nodes/<node>/drain")
@needs("nodes.drain")
def drain(node: str) -> Response:
    """Let a switch finish what it has and take no new calls."""
    form = request.form
    _do(
        inputs.DrainNode(
            node=node,
            reason=form.get("reason", "")[:_LONGEST],
            anyway="anyway" in form,
            by=me().actor,
            key=form.get("key", "")[:_LONGEST],
        )
    )
    flash(gettext("%(node)s takes no new calls from now on, and finishes what it has.", node=node), "done")
    return redirect(url_for("ops.page"), 303)


@blueprint.post("/nodes/<node>/undrain")
@needs("nodes.drain")
def undrain(node: str) -> Response:
    """Let a switch take new calls again."""
    _do(inputs.UndrainNode(node=node, by=me().actor, key=request.form.get("key", "")[:_LONGEST]))
    flash(gettext("%(node)s takes calls again.", node=node), "done")
    return redirect(url_for("ops.page"), 303)


def _do(wish: inputs.DrainNode | inputs.UndrainNode) -> None:
    live().view.wait_for(parts().do(wish), _SEEN_S)


def _switches() -> list[nodes.Switch] | None:
    """None where the live state is not known (yet): the rest of the page does not need it."""
    view = view_if_any()
    if view is None or not view.ready:
        return None
    with view.still() as world:
        return nodes.switches_of(world, parts().settings)


def _light(engine: Seen) -> str:
    if engine.silent:
        return "silent"
    return "ready" if engine.may_follow else engine.standing.state.value


def _is_late(proved: Walk | None, nights: list[Walk]) -> bool:
    """Whether the last result is older than a night may leave it; of a site that had none yet, whether none comes."""
    if proved is None or proved.ended_at is None:
        return bool(nights) and not any(night.goes_on for night in nights)
    return proved.ended_at < datetime.now(UTC) - timedelta(hours=_PROOF_H)


def _percent(position: int, end: int) -> int:
    return min(_HUNDRED, _HUNDRED * position // max(1, end))
