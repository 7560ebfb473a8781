"""Before every request: who is it, may they, and did their own page send it.

1. A program's bearer token (only under /api), a browser's session key, or the token of a screen on a wall (only for
   what that may see) says who it is.
2. The route's permission says whether they may.
3. What changes something needs the form's CSRF token, unless a bearer token came, which no browser adds by itself.
"""

from collections.abc import Callable
from typing import Final

from flask import Flask, Response, abort, current_app, g, redirect, request, url_for
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response as AnyResponse

from orchestrator.domain.access.tokens import WALLBOARD, Token
from projections.reading import Away
from web.access.needs import permission_for
from web.access.roles import AT_DESK, BOARD, GRANTS, PUBLIC, permissions_of
from web.access.visitor import NOBODY, Visitor, me
from web.parts import Parts, parts

_SAFE: Final = ("GET", "HEAD", "OPTIONS")
API: Final = "/api/"
# Asked often, the same for everybody.
_UNSEEN: Final = frozenset({"static", "health.healthz"})
# What pages send without their person: nobody stays signed in by it.
_BY_ITSELF: Final = frozenset({"push.here"})
_WAYS_IN: Final = frozenset({"access.sign_in", "access.begin_session", "access.change_language"})
_csrf = CSRFProtect()


def install(app: Flask) -> None:
    """Put the gate before every route of the app."""
    _csrf.init_app(app)
    app.before_request(_enter)
    app.after_request(_hand_over_key)


def key_cookie() -> str:
    """The name of the cookie with the session's key. The prefix makes browsers refuse it from anywhere but us."""
    return "__Host-ringledger" if current_app.config["SESSION_COOKIE_SECURE"] else "ringledger"


def visitor_of(found: Parts, key: str, *, touch: bool) -> tuple[Visitor, str] | None:
    """Who holds this session key, and the new key to hand over if any; None where the session is over."""
    signed_in = found.reading.sessions.check(key, touch=touch)
    if signed_in is None:
        return None
    user = signed_in.user
    permissions = permissions_of(user.roles, user.scope)
    visitor = Visitor(
        actor=f"user:{user.user_id}",
        user_id=user.user_id,
        name=user.name,
        roles=user.roles,
        scope=user.scope,
        agent_id=user.agent_id,
        session_id=signed_in.session_id,
        language=user.language,
        permissions=permissions & AT_DESK if signed_in.desk_only else permissions,
        desk_only=signed_in.desk_only,
    )
    return visitor, signed_in.new_key


def wall_cookie() -> str:
    """The name of the cookie with the token of a screen on a wall."""
    return f"{key_cookie()}-wall"


def wall_of(found: Parts, text: str) -> Token | None:
    """The token of a screen on a wall; None for what is none, or is good for nothing any more."""
    token = found.reading.tokens.check(text) if text else None
    return token if token is not None and token.role == WALLBOARD else None


def who_is_it_still() -> Callable[[], Visitor | None]:
    """How to ask, later and outside of this request, who its visitor is by then; None once they may look no more."""
    found, visitor = parts(), me()
    key, wall = request.cookies.get(key_cookie(), ""), request.cookies.get(wall_cookie(), "")
    if visitor.session_id:
        return lambda: seen[0] if (seen := visitor_of(found, key, touch=False)) is not None else None

    def by_wall() -> Visitor | None:
        try:
            return visitor if wall_of(found, wall) is not None else None
        except Away:
            return visitor  # figures and nobody's name, which the screen says are old

    return by_wall


def _enter() -> AnyResponse | None:
    g.visitor = NOBODY
    if request.endpoint in _UNSEEN:
        return None
    by_token = _take_token()
    if not by_token:
        _take_session()
    if request.endpoint is None:
        return None  # the router's own 404 or 405
    permission = permission_for(current_app, request.endpoint)
    if permission is None:
        abort(403)
    if not me().signed_in and permission in GRANTS[WALLBOARD] - {PUBLIC}:
        _take_wall()
    if not me().may(permission):
        return _turn_away(permission)
    _refuse_what_is_no_text()
    if request.method not in _SAFE and not by_token:
        _refuse_other_sites()
        _csrf.protect()
    return None


def _take_token() -> bool:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not request.path.startswith(API):
        return False
    token = parts().reading.tokens.check(text.strip())
    if token is None:
        abort(401)
    parts().reading.tokens.used(token, request.remote_addr or "")
    g.visitor = _visitor_by(token)
    return True


def _take_wall() -> None:
    token = wall_of(parts(), request.cookies.get(wall_cookie(), ""))
    if token is not None:
        parts().reading.tokens.used(token, request.remote_addr or "")
        g.visitor = _visitor_by(token)


def _visitor_by(token: Token) -> Visitor:
    return Visitor(
        actor=f"token:{token.token_id}",
        name=token.note,
        roles=(token.role,),
        scope=token.scope,
        permissions=permissions_of((token.role,), token.scope),
    )


def _take_session() -> None:
    key = request.cookies.get(key_cookie(), "")
    if not key:
        return
    try:
        found = visitor_of(parts(), key, touch=request.endpoint not in _BY_ITSELF)
    except Away:
        if request.endpoint not in _WAYS_IN:
            raise
        found = None  # a key of long ago keeps nobody from signing in
    if found is not None:
        g.visitor, g.new_key = found


def _turn_away(permission: str) -> AnyResponse:
    if me().desk_only and permission not in AT_DESK:
        raise Away("Nobody can be asked for now whether they (still) may do this.")
    if me().signed_in:
        abort(403)
    if request.method != "GET" or not wants_page():
        abort(401)
    if permission == BOARD and request.cookies.get(wall_cookie()):
        return redirect(url_for("floor.wall"), 303)
    here = request.full_path.rstrip("?")
    return redirect(url_for("access.sign_in", next=here if here != "/" else None), 303)


def wants_page() -> bool:
    """Whether a person's browser asks, which wants words, or a program or script, which wants codes."""
    accepted = request.accept_mimetypes
    by_script = request.path.startswith(API) or request.headers.get("X-Requested-With") == "fetch"
    return not by_script and (not accepted or accepted.accept_html)


def _refuse_what_is_no_text() -> None:
    """No id, name or note holds a NUL; the database would refuse it later, and in worse words. The API tells programs
    itself where there is one.
    """
    if "\x00" in request.path:
        abort(404)
    if request.path.startswith(API):
        return
    given = [request.args] if request.method in _SAFE else [request.args, request.form]
    if any("\x00" in value for each in given for _, value in each.items(multi=True)):
        abort(400)


def _refuse_other_sites() -> None:
    """A second lock beside the CSRF token: browsers say which site a request comes from."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in {"same-origin", "none"}:
        abort(403)
    origin = request.headers.get("Origin")
    # Compared whole: what only begins or ends like ours, and what is no URL at all, is another site.
    if origin and origin.partition("://")[2] != request.host:
        abort(403)


def hand_over(response: AnyResponse, key: str) -> None:
    """Give the browser its session key; an empty one takes it away."""
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    if key:
        response.set_cookie(key_cookie(), key, httponly=True, secure=secure, samesite="Strict", path="/")
    else:
        response.delete_cookie(key_cookie(), httponly=True, secure=secure, samesite="Strict", path="/")


def _hand_over_key(response: Response) -> Response:
    if g.get("new_key"):
        hand_over(response, g.new_key)
    return response
