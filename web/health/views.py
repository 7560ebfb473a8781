"""`/healthz`: every component's state, without a secret in it; 200 where all is well, 503 where something is not."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify

from orchestrator.control import ControlError
from orchestrator.domain.kernel import Refused
from projections.reading import Away
from web.access.needs import needs
from web.access.roles import PUBLIC
from web.parts import parts

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@needs(PUBLIC)
def healthz() -> Response:
    """Each component with `ok` and what there is to say of it."""
    components = {"database": _look(_database), "engine": _look(_engine)}
    well = all(component["ok"] for component in components.values())
    response = jsonify(ok=well, ledger=parts().settings.mark, components=components)
    response.status_code = 200 if well else 503
    return response


def _look(component: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return component()
    except Away:
        return {"ok": False, "why": "away"}
    except (ControlError, Refused) as error:
        return {"ok": False, "why": getattr(error, "code", "away")}


def _database() -> dict[str, Any]:
    return {"ok": True, "position": parts().reading.log.position()}


def _engine() -> dict[str, Any]:
    status = parts().ask("status")
    up = all(node["up"] for node in status["nodes"].values())
    return {"ok": bool(status["active"]) and up, **{key: status[key] for key in ("active", "epoch", "position")}}
