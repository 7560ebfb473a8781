"""The nightly proof, the snapshots of the past, the read models and their rebuilds (features 11.7 and 11.8)."""

from typing import Final

from flask import Blueprint, render_template
from flask_babel import lazy_gettext as _l
from msgspec import Struct

from orchestrator.replay.night import Walk, walks
from projections.catalogue import PROJECTIONS
from projections.status import Standing, standing
from web.access.needs import needs
from web.navigation import Item
from web.parts import parts
from web.replay.views import snapshots

blueprint = Blueprint("ops", __name__, url_prefix="/ops")
NAVIGATION = (Item("ops.page", _l("Operations"), 75),)

_NIGHTS: Final = 14
_HUNDRED: Final = 100

STATES: Final = {
    "following": _l("keeps up"),
    "stopped": _l("stopped: nobody keeps it up to date"),
    "building": _l("being built"),
    "failed": _l("failed"),
    "missing": _l("not built yet"),
}


class Model(Struct, frozen=True):
    """A read model; `percent`: how far a new generation is that is built beside it, None where none is."""

    standing: Standing
    percent: int | None


@blueprint.get("/")
@needs("ops.see")
def page() -> str:
    """All of it, as it is now."""
    reading = parts().reading
    end = reading.log.position()
    found = [standing(reading.reader, reading.log, each) for each in PROJECTIONS.values()]
    nights = walks(reading.reader, _NIGHTS)
    return render_template(
        "ops/page.html",
        end=end,
        reached=snapshots().reached(),
        models=[Model(each, None if each.building is None else _percent(each.building, end)) for each in found],
        states=STATES,
        nights=nights,
        proved=next((night for night in nights if night.ok is not None), None),
        going_on=_going_on(nights),
        percent=_percent,
    )


def _going_on(nights: list[Walk]) -> Walk | None:
    return nights[0] if nights and nights[0].ended_at is None else None


def _percent(position: int, end: int) -> int:
    return min(_HUNDRED, _HUNDRED * position // max(1, end))
