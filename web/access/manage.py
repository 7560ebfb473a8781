"""Users, for administrators: who there is, adding, roles, keeping out, ending sessions."""

import secrets
from typing import Final

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from orchestrator.domain.access.users import ROLES, Create, Disable, Enable, Grant, User
from orchestrator.domain.kernel import Refused
from web import refusals
from web.access.area import blueprint
from web.access.needs import needs
from web.access.people import grant, keep_out, let_in
from web.access.visitor import me
from web.parts import parts

_PASSWORD_BYTES: Final = 12


@blueprint.get("/users")
@needs("users.manage")
def people() -> str:
    """Everybody, with a form for one more."""
    return _list()


@blueprint.post("/users")
@needs("users.manage")
def add_person() -> tuple[str, int] | str:
    """One more; their first password is shown this once."""
    reading, form = parts().reading, request.form
    user_id, password = form.get("user_id", "").strip(), secrets.token_urlsafe(_PASSWORD_BYTES)
    wish = Create(name=form.get("name", ""), agent_id=form.get("agent_id", "").strip())
    try:
        reading.users.add(user_id, wish, _wanted(), password, actor=me().actor)
    except Refused as refused:
        return _list(problem=refusals.words(refused)), 422
    return _list(made=(user_id, password))


@blueprint.get("/users/<user_id>")
@needs("users.manage")
def person(user_id: str) -> str:
    """One user: roles, teams, branches, sessions."""
    user = _known(user_id)
    return render_template(
        "access/person.html", user=user, roles=ROLES, sessions=parts().reading.sessions.open(user.user_id)
    )


@blueprint.post("/users/<user_id>/roles")
@needs("users.manage")
def change_roles(user_id: str) -> Response:
    """These roles, teams and branches and no others. Nobody takes the administrator's role from themselves: the last
    one would be locked out.
    """
    wanted = _wanted()
    if user_id == me().user_id and "admin" not in wanted.roles:
        raise Refused("own_role", gettext("You cannot take the administrator's role from yourself; another one can."))
    grant(parts().reading, _known(user_id).user_id, wanted, actor=me().actor)
    flash(gettext("Roles, teams and branches were changed. It holds for their next click."), "done")
    return redirect(url_for("access.person", user_id=user_id), 303)


@blueprint.post("/users/<user_id>/disable")
@needs("users.manage")
def disable(user_id: str) -> Response:
    """No sign-in any more; their sessions are over."""
    if user_id == me().user_id:
        raise Refused("own_account", gettext("You cannot lock yourself out; another administrator can."))
    reason = request.form.get("reason", "").strip()[:200]
    keep_out(parts().reading, _known(user_id).user_id, Disable(reason=reason), actor=me().actor)
    flash(gettext("The user may not sign in any more."), "done")
    return redirect(url_for("access.person", user_id=user_id), 303)


@blueprint.post("/users/<user_id>/enable")
@needs("users.manage")
def enable(user_id: str) -> Response:
    """May sign in again."""
    let_in(parts().reading, _known(user_id).user_id, Enable(), actor=me().actor)
    flash(gettext("The user may sign in again."), "done")
    return redirect(url_for("access.person", user_id=user_id), 303)


@blueprint.post("/users/<user_id>/password")
@needs("users.manage")
def new_password(user_id: str) -> str:
    """A new random password, shown this once; their sessions are over."""
    reading, user = parts().reading, _known(user_id)
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    reading.users.change_password(user.user_id, password, actor=me().actor)
    but = me().session_id if user_id == me().user_id else None
    reading.sessions.end_all(user.user_id, reason="password_changed", actor=me().actor, but=but)
    return render_template(
        "access/person.html", user=user, roles=ROLES, sessions=reading.sessions.open(user.user_id), made=password
    )


def _list(*, problem: str = "", made: tuple[str, str] | None = None) -> str:
    everybody = parts().reading.users.everybody()
    return render_template(
        "access/people.html", everybody=everybody, roles=ROLES, problem=problem, made=made, given=request.form
    )


def _known(user_id: str) -> User:
    user = parts().reading.users.get(user_id)
    if user is None:
        abort(404)
    return user


def _wanted() -> Grant:
    teams, branches = (tuple(request.form.get(name, "").replace(",", " ").split()) for name in ("teams", "branches"))
    return Grant(roles=tuple(request.form.getlist("roles")), teams=teams, branches=branches)
