"""`/healthz`: every component's state, without a secret in it; 200 where all is well, 503 where something is not."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Blueprint, Response, jsonify
from msgspec import to_builtins

from orchestrator.control import ControlError
from orchestrator.domain.kernel import Refused
from orchestrator.leader import LeaderState
from projections.catalogue import PROJECTIONS
from projections.reading import Away
from projections.status import standing
from web.access.needs import needs
from web.access.roles import PUBLIC
from web.ops import spool
from web.parts import parts
from web.push.present import live

blueprint = Blueprint("health", __name__)

# A read model that is further behind shows people the past.
MOST_LAG_MS: Final = 5_000


@blueprint.get("/healthz")
@needs(PUBLIC)
def healthz() -> Response:
    """Each component with `ok` and what there is to say of it. `ledger` tells the ledgers of one machine apart."""
    components = {name: _look(look) for name, look in COMPONENTS.items()}
    well = all(component["ok"] for component in components.values())
    response = jsonify(ok=well, ledger=parts().settings.mark, components=components)
    response.status_code = 200 if well else 503
    return response


def _look(component: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return component()
    except Away:
        return {"ok": False, "why": "database_away"}
    except Refused as refused:
        return {"ok": False, "why": refused.code}
    except ControlError:
        return {"ok": False, "why": "no_answer"}


def _database() -> dict[str, Any]:
    return {"ok": True, "position": parts().reading.log.position()}


def _engine() -> dict[str, Any]:
    status = parts().ask("status")
    nodes = {name: node["up"] for name, node in status["nodes"].items()}
    well = bool(status["active"]) and all(nodes.values())
    told = {"active": status["active"], "position": status["position"], "switches": nodes}
    if "clock" in status:  # an engine that was started before the web was upgraded says nothing of it
        told["clock"] = status["clock"]
    return {"ok": well, **told}


def _engines() -> dict[str, Any]:
    """How many engines of the site are in each state, on all machines; `ready`: could go on at once."""
    found = parts().engines()
    heard = Counter(each.standing.state.value for each in found if not each.silent)
    return {
        "ok": bool(heard[LeaderState.ACTIVE]),
        "ready": sum(each.may_follow for each in found),
        "states": {state.value: heard[state] for state in LeaderState},
        "silent": sum(each.silent for each in found),
        "faults": sum(each.standing.faults for each in found if not each.silent),
    }


def _projections() -> dict[str, Any]:
    reading = parts().reading
    models = {each.name: standing(reading.reader, reading.log, each) for each in PROJECTIONS.values()}
    return {
        "ok": all(model.state == "following" and model.lag_ms < MOST_LAG_MS for model in models.values()),
        "models": {
            name: {"state": model.state, "position": model.position, "behind": model.behind, "lag_ms": model.lag_ms}
            for name, model in models.items()
        },
    }


def _spool() -> dict[str, Any]:
    """Whether events wait for the database, and how many; and what people did at the web meanwhile."""
    found = spool.light()
    return {"ok": found.well, **to_builtins(found.now), "state": found.state, "deeds": found.deeds}


def _live() -> dict[str, Any]:
    try:
        now = live()
    except KeyError:
        return {"ok": False, "why": "not_started"}
    view = now.view
    well = view.ready and not view.standing
    return {
        "ok": well,
        "standing": view.standing or "true",
        "position": view.position,
        "streams": now.hub.count,
        "dropped": now.hub.dropped,
    }


COMPONENTS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    "database": _database,
    "engine": _engine,
    "engines": _engines,
    "spool": _spool,
    "projections": _projections,
    "live": _live,
}
