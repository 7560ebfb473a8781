"""The application over a bundle: the replay screen of the ledger's own web, and nothing else of it.

Whoever holds the token that was printed is let in, as somebody who may watch replays and see no whole number; their
browser then has it as a cookie. Nothing here changes anything but the language.
"""

import hmac
import secrets
from hashlib import blake2b
from typing import Final

from flask import Blueprint, Flask, Response, abort, current_app, g, redirect, request, url_for
from flask_babel import gettext
from flask_wtf.csrf import CSRFProtect
from msgspec import Struct
from werkzeug.wrappers import Response as AnyResponse

from orchestrator.bundle import Opened
from orchestrator.domain.access.users import LANGUAGES
from orchestrator.domain.kernel import Instant
from orchestrator.replay import Scrubber
from web import errors, headers, language, navigation, past, shown, statics
from web.access.needs import check_all, needs, permission_for
from web.access.roles import PUBLIC
from web.access.visitor import NOBODY, Visitor, me
from web.parts import PLACE, Place
from web.replay import views as replay

LONGEST_BODY: Final = 4 * 1024
HOSTS: Final = ("localhost", "127.0.0.1")
# Where the token and the name of its cookie stand.
_TOKEN: Final = "ringledger-bundle-token"  # noqa: S105
_COOKIE: Final = "ringledger-bundle-cookie"
_WATCHER: Final = Visitor(actor="bundle", permissions=frozenset({PUBLIC, "replay.watch"}))

blueprint = Blueprint("bundle", __name__)


class Told(Struct, frozen=True, kw_only=True):
    """What the pages say of the file."""

    name: str
    site: str
    begins: Instant
    ends: Instant
    fingerprint: str
    pseudonymous: bool
    erased: int
    whole: bool
    holes: int
    unknown: int


def create_app(found: Opened, name: str, token: str) -> Flask:
    """The WSGI application over an opened bundle of this name."""
    app = Flask("web", static_folder=None)
    # Cookies know no ports: of two bundles that are looked at side by side, one would shut the other out.
    own = blake2b(token.encode(), digest_size=4).hexdigest()
    app.config.update(
        SECRET_KEY=secrets.token_bytes(),
        SESSION_COOKIE_NAME=f"ringledger-bundle-form-{own}",
        SESSION_COOKIE_SECURE=False,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        MAX_CONTENT_LENGTH=LONGEST_BODY,
        TRUSTED_HOSTS=list(HOSTS),
    )
    app.extensions[_TOKEN] = token
    app.extensions[_COOKIE] = f"ringledger-bundle-{own}"
    app.extensions[PLACE] = Place(found.timezone, "")
    manifest = found.manifest
    first = 0 if manifest.whole else manifest.first_position
    span = past.Span(begins=manifest.begins, ends=manifest.ends, first_position=first)
    past.install(app, past.Past(log=found.log, scrubber=Scrubber(found.log), span=span))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["bundle"] = _told(found, name)
    statics.install(app)
    language.install(app)
    headers.install(app)
    errors.install(app)
    app.before_request(_enter)
    CSRFProtect(app)
    shown.install(app)
    navigation.install(app)
    app.register_blueprint(blueprint)
    app.register_blueprint(replay.blueprint)
    check_all(app)
    return app


@blueprint.get("/open/<token>")
@needs(PUBLIC)
def enter(token: str) -> AnyResponse:
    """Where the printed address leads: the browser has the token from now on, and the address has it no more."""
    if not _is_ours(token):
        return _turned_away()
    response = redirect(url_for("replay.page"), 303)
    response.set_cookie(_cookie(), token, httponly=True, samesite="Strict", path="/")
    return response


@blueprint.post("/language")
@needs("replay.watch")
def change_language() -> AnyResponse:
    """The replay screen in the other language."""
    wanted = request.form.get("language", "")
    if wanted not in LANGUAGES:
        abort(400)
    back = request.form.get("next", "")
    response = redirect(back if back.startswith("/replay/") else url_for("replay.page"), 303)
    response.set_cookie(language.COOKIE, wanted, max_age=language.YEAR_S, httponly=True, samesite="Lax", path="/")
    return response


def _enter() -> AnyResponse | None:
    g.visitor = _WATCHER if _is_ours(request.cookies.get(_cookie(), "")) else NOBODY
    if request.endpoint is None:
        return None  # the router's own 404 or 405
    return None if me().may(permission_for(current_app, request.endpoint) or "") else _turned_away()


def _cookie() -> str:
    return str(current_app.extensions[_COOKIE])


def _is_ours(token: str) -> bool:
    return hmac.compare_digest(token.encode(), str(current_app.extensions[_TOKEN]).encode())


def _turned_away() -> Response:
    return errors.answer(
        403,
        "no_token",
        gettext("This is not the address that was printed"),
        gettext("Open the whole address that `ringledger bundle open --web` printed when it began."),
    )


def _told(found: Opened, name: str) -> Told:
    manifest = found.manifest
    return Told(
        name=name,
        site=found.site,
        begins=manifest.begins,
        ends=manifest.ends,
        fingerprint=found.fingerprint,
        pseudonymous=manifest.pseudonymous,
        erased=manifest.erased,
        whole=manifest.whole,
        holes=len(found.holes),
        unknown=len(found.unknown()),
    )
