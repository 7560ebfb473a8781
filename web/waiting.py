"""What stands at the web's address while its database is not there yet: every page says so, and `/healthz` tells what
can be known without it. Nobody signs in here: who may come in stands in the log, and no hash lies anywhere else.
"""

from collections.abc import Callable
from typing import Any, Final

from flask import Flask, Response, current_app, jsonify, render_template
from flask_babel import gettext

from orchestrator.control import ControlError
from orchestrator.domain.kernel import Refused
from orchestrator.settings import Settings
from web import headers, language, statics
from web.access.gate import wants_page
from web.access.needs import check_all, needs
from web.access.roles import PUBLIC
from web.errors import AGAIN_S, problem

Ask = Callable[[str], Any]
"""Asks this machine's engine; raises `ControlError` where none answers, and `Refused`."""

LONGEST_BODY: Final = 64 * 1024
_KEY: Final = "ringledger-waiting"
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


def create_app(settings: Settings, ask: Ask, stuck: Callable[[], bool]) -> Flask:
    """The WSGI application of that time. `stuck`: whether the database does not come up by itself."""
    app = Flask("web", static_folder=None)
    app.config.update(
        SESSION_COOKIE_SECURE=settings.web_origin.startswith("https://"),
        MAX_CONTENT_LENGTH=LONGEST_BODY,
        TRUSTED_HOSTS=headers.trusted_hosts(settings),
    )
    app.extensions[_KEY] = settings.mark, ask, stuck
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    statics.install(app)
    language.install(app)
    headers.install(app, settings.web_connect)
    app.add_url_rule("/healthz", "healthz", _healthz, methods=["GET"])
    app.add_url_rule("/", "page", _page, methods=_METHODS)
    app.add_url_rule("/<path:_path>", "page", _page, methods=_METHODS)
    check_all(app)
    return app


@needs(PUBLIC)
def _page(_path: str = "") -> Response:
    title = gettext("The database is away")
    if wants_page():
        text = render_template(
            "errors/waiting.html", title=title, serves=_engine()["ok"], stuck=_is_stuck(), again_s=AGAIN_S
        )
        answer = Response(text, 503, mimetype="text/html")
    else:
        answer = problem(
            503, "database_away", title, gettext("Nothing was changed. Wait a few seconds, then try again.")
        )
    answer.headers["Retry-After"] = str(AGAIN_S)
    return answer


@needs(PUBLIC)
def _healthz() -> Response:
    mark, _, _ = current_app.extensions[_KEY]
    away = {"ok": False, "why": "database_not_started" if _is_stuck() else "database_away"}
    response = jsonify(ok=False, ledger=mark, components={"database": away, "engine": _engine()})
    response.status_code = 503
    return response


def _is_stuck() -> bool:
    _, _, stuck = current_app.extensions[_KEY]
    return bool(stuck())


def _engine() -> dict[str, Any]:
    """Whether this machine's engine serves calls, as it says itself."""
    _, ask, _ = current_app.extensions[_KEY]
    try:
        status = ask("status")
    except Refused as refused:
        return {"ok": False, "why": refused.code}
    except ControlError:
        return {"ok": False, "why": "no_answer"}
    nodes = {name: node["up"] for name, node in status["nodes"].items()}
    well = bool(status["active"]) and all(nodes.values())
    return {"ok": well, "active": status["active"], "position": status["position"], "switches": nodes}
