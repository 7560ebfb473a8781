"""The nightly proof, the snapshots of the past, the read models and their rebuilds (features 11.7 and 11.8)."""

from datetime import UTC, datetime, timedelta
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
from web.past import snapshots

blueprint = Blueprint("ops", __name__, url_prefix="/ops")
NAVIGATION = (Item("ops.page", _l("Operations"), 75),)

_NIGHTS: Final = 14
_HUNDRED: Final = 100
# A day, and what one night may take longer than the one before.
_PROOF_H: Final = 26

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
    proved = next(iter(walks(reading.reader, 1, with_result=True)), None)
    return render_template(
        "ops/page.html",
        end=end,
        reached=snapshots().reached(),
        models=[Model(each, None if each.building is None else _percent(each.building, end)) for each in found],
        states=STATES,
        nights=nights,
        proved=proved,
        late=_is_late(proved, nights),
        proof_h=_PROOF_H,
        going_on=next((night for night in nights if night.goes_on), None),
        percent=_percent,
    )


def _is_late(proved: Walk | None, nights: list[Walk]) -> bool:
    """Whether the last result is older than a night may leave it; of a site that had none yet, whether none comes."""
    if proved is None or proved.ended_at is None:
        return bool(nights) and not any(night.goes_on for night in nights)
    return proved.ended_at < datetime.now(UTC) - timedelta(hours=_PROOF_H)


def _percent(position: int, end: int) -> int:
    return min(_HUNDRED, _HUNDRED * position // max(1, end))
