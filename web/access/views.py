"""Sign-in and sign-out, the language, one's own sessions."""

from typing import Final

import structlog
from flask import abort, current_app, flash, g, redirect, render_template, request, session, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from orchestrator.domain.access.users import LANGUAGES, ChangeLanguage, SignInFailed, User
from orchestrator.service.meanwhile import Failed
from orchestrator.service.sessions import SignedIn
from projections.reading import LOST, Away
from web import language
from web.access import manage, password, reveal
from web.access.area import blueprint
from web.access.gate import hand_over
from web.access.needs import needs
from web.access.paths import own_path
from web.access.roles import PUBLIC, SIGNED_IN
from web.access.visitor import me
from web.navigation import Item
from web.parts import parts

log = structlog.get_logger(__name__)
__all__ = ["NAVIGATION", "blueprint", "manage", "password", "reveal"]

NAVIGATION: Final = (Item("access.people", lazy_gettext("Users"), order=90),)

_LONGEST_NAME: Final = 40


@blueprint.get("/sign-in")
@needs(PUBLIC)
def sign_in() -> Response | str:
    """The form."""
    if me().signed_in:
        return redirect(own_path(request.args.get("next", "")), 303)
    return _form(request.args.get("next", ""))


@blueprint.post("/sign-in")
@needs(PUBLIC)
def begin_session() -> Response | str | tuple[str, int]:
    """A session for whoever knows the password."""
    reading = parts().reading
    name = request.form.get("name", "").strip().lower()[:_LONGEST_NAME]
    given = request.form.get("password", "")
    address = request.remote_addr or ""
    if wait_s := reading.attempts.begin(name, address):
        error = TooManyRequests()
        error.retry_after = wait_s
        raise error
    try:
        user, away = reading.users.verified(name, given), False
    except (Away, LOST):
        if not reading.sessions.may_begin_away():
            raise
        user, away = reading.users.verified_as_known(name, given), True
    if user is None:
        _note_failure(name, address)
        problem = gettext("Name and password do not belong together. Look at both, and try again.")
        return _form(request.form.get("next", ""), name=name, problem=problem), 422
    reading.attempts.succeeded(name, address)
    if me().session_id:
        # Somebody else, perhaps, who left without signing out: nothing would ever use that session again but a thief.
        _end_own()
    signed_in = _begin(user, address, away=away)
    session.clear()  # forms of before are not forms of this session
    if signed_in.desk_only:
        flash(
            gettext(
                "The database is away: you were let in by what was known of you before. Your desk works; all else waits"
                " until it is back."
            ),
            "stale",
        )
    response = redirect(own_path(request.form.get("next", "")), 303)
    hand_over(response, signed_in.new_key)
    return response


def _begin(user: User, address: str, *, away: bool) -> SignedIn:
    sessions, browser = parts().reading.sessions, request.headers.get("User-Agent", "")
    if not away:
        try:
            return sessions.begin(user, address=address, browser=browser)
        except (Away, LOST):
            if not sessions.may_begin_away():
                raise
    return sessions.begin_away(user, address=address, browser=browser)


@blueprint.post("/sign-out")
@needs(SIGNED_IN)
def sign_out() -> Response:
    """The end of this session."""
    _end_own()
    session.clear()
    g.new_key = ""
    response = redirect(url_for("access.sign_in"), 303)
    hand_over(response, "")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _end_own() -> None:
    sessions = parts().reading.sessions
    try:
        sessions.end(me().session_id, reason="signed_out", actor=me().actor)
    except (Away, LOST):
        sessions.end_away(me().session_id, me().user_id)


@blueprint.post("/language")
@needs(PUBLIC)
def change_language() -> Response:
    """The same page in the other language."""
    wanted = request.form.get("language", "")
    if wanted not in LANGUAGES:
        abort(400)
    if me().user_id and not me().desk_only:
        parts().reading.users.change(me().user_id, ChangeLanguage(language=wanted), actor=me().actor)
    response = redirect(own_path(request.form.get("next", "")), 303)
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(
        language.COOKIE, wanted, max_age=language.YEAR_S, httponly=True, secure=secure, samesite="Strict"
    )
    return response


@blueprint.get("/sessions")
@needs(SIGNED_IN)
def my_sessions() -> str:
    """Where the visitor is signed in."""
    return render_template("access/sessions.html", sessions=parts().reading.sessions.open(me().user_id))


@blueprint.post("/sessions/<uuid:session_id>/end")
@needs(SIGNED_IN)
def end_session(session_id: str) -> Response:
    """End one of one's own sessions; an administrator may end anybody's."""
    admin = me().may("users.manage")
    ended = parts().reading.sessions.end(
        str(session_id),
        reason="ended_by_admin" if admin else "ended_by_user",
        actor=me().actor,
        of=None if admin else me().user_id,
    )
    if not ended:
        abort(404)
    flash(gettext("The session was ended."), "done")
    return redirect(own_path(request.form.get("next", "")), 303)


def _form(onward: str, *, name: str = "", problem: str = "") -> str:
    return render_template("access/sign_in.html", next=own_path(onward) if onward else "", name=name, problem=problem)


def _note_failure(name: str, address: str) -> None:
    """In the log where the account is known; else only in ours, without the name, which may be a password."""
    users = parts().reading.users
    try:
        user, away = users.get(name), False
    except (Away, LOST):
        user, away = users.recall(name), True
    if user is None:
        log.info("sign-in-failed", why="unknown_user")
        return
    reason = "disabled" if user.disabled else "wrong_password" if user.hash else "no_password"
    if not away:
        try:
            users.note(name, SignInFailed(reason=reason, address=address), actor="system")
        except (Away, LOST):
            away = True
    if away:
        parts().reading.meanwhile.keep(Failed(user_id=name, reason=reason, address=address))
