"""A screen on a wall: shown the board for as long as its token lives, without anybody's session.

    /floor/wall#rl_…  ──script──▶  POST /floor/wall  ──cookie──▶  /floor/board

What stands behind # is sent to no server and stands in no log; the page's script hands it over once, in a form, and
takes it out of the address. The cookie is for scripts as unreadable as a session's, and ends with the token.
"""

from datetime import UTC, datetime
from typing import Any, Final

from flask import current_app, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from web.access.gate import wall_cookie, wall_of
from web.access.needs import needs
from web.access.roles import PUBLIC
from web.floor.area import blueprint
from web.parts import parts

_LONGEST: Final = 100
_TURNING: Final = {"tiles": range(1, 101), "every": range(1, 601)}


@blueprint.get("/wall")
@needs(PUBLIC)
def wall() -> str:
    """Where a screen hands over its token; also where it comes once that is good for nothing any more. With a good one
    the page's script leads on: a redirect would take along what stands behind #.
    """
    text = request.cookies.get(wall_cookie(), "")
    good = wall_of(parts(), text) is not None
    stale = bool(text) and not good
    return _page(gettext("The token of this screen has expired or was revoked.") if stale else "", good=good)


@blueprint.post("/wall")
@needs(PUBLIC)
def begin_wall() -> Response | tuple[str, int]:
    """The board from now on, whoever signs in or out."""
    text = request.form.get("token", "").strip()[:_LONGEST]
    token = wall_of(parts(), text)
    if token is None:
        return _page(gettext("This is no token of a wallboard, or it has expired or was revoked.")), 422
    response = redirect(url_for("floor.board", **turning()), 303)
    response.set_cookie(
        wall_cookie(),
        text,
        expires=datetime.fromtimestamp(token.expires_at / 1_000_000, UTC),
        httponly=True,
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
        samesite="Strict",
        path="/",
    )
    return response


def turning() -> dict[str, Any]:
    """How the board is asked to turn its pages: at most so many tiles on each, and a page for so many seconds."""
    found = {name: request.args.get(name, type=int) for name in _TURNING}
    return {name: value for name, value in found.items() if value is not None and value in _TURNING[name]}


def _page(problem: str, *, good: bool = False) -> str:
    return render_template("floor/wall.html", problem=problem, good=good, turning=turning())
