"""One's own password: whoever knows the present one chooses another, and every other session of theirs is over."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from orchestrator.domain.access.users import SignInFailed
from orchestrator.domain.kernel import Refused
from orchestrator.service.passwords import LONGEST, SHORTEST
from web.access.area import blueprint
from web.access.needs import needs
from web.access.roles import SIGNED_IN
from web.access.visitor import me
from web.parts import parts


@blueprint.get("/password")
@needs(SIGNED_IN)
def own_password() -> str:
    """The form."""
    return _form()


@blueprint.post("/password")
@needs(SIGNED_IN)
def change_own_password() -> Response | tuple[str, int]:
    """Another password. An open session that somebody else found is no reason to give it to them: the present password
    is asked for, and tries count as those of a sign-in do.
    """
    reading, user_id, address = parts().reading, me().user_id, request.remote_addr or ""
    present, wanted = request.form.get("present", ""), request.form.get("wanted", "")
    if wait_s := reading.attempts.begin(user_id, address):
        error = TooManyRequests()
        error.retry_after = wait_s
        raise error
    if reading.users.verified(user_id, present) is None:
        reading.users.note(user_id, SignInFailed(reason="wrong_password", address=address), actor=me().actor)
        return _form(gettext("This is not your present password."), "present"), 422
    reading.attempts.succeeded(user_id, address)
    if wanted != request.form.get("again", ""):
        return _form(gettext("The two new passwords are not the same."), "again"), 422
    if wanted == present:
        return _form(gettext("The new password is the present one; choose another."), "wanted"), 422
    try:
        reading.users.change_password(user_id, wanted, actor=me().actor)
    except Refused as refused:
        problem = _advice(refused.code)
        if not problem:
            raise
        return _form(problem, "wanted"), 422
    ended = reading.sessions.end_all(user_id, reason="password_changed", actor=me().actor, but=me().session_id)
    flash(gettext("Your password was changed."), "done")
    if ended:
        flash(gettext("Your other sessions were ended: %(count)s.", count=ended), "done")
    return redirect(url_for("access.my_sessions"), 303)


def _advice(code: str) -> str:
    """Why a password is not taken; empty for what has nothing to do with it."""
    words: dict[str, str] = {
        "short_password": gettext(
            "A password has at least %(count)s characters; a few words make one.", count=SHORTEST
        ),
        "long_password": gettext("A password has at most %(count)s characters.", count=LONGEST),
        "easy_password": gettext("The password is little more than the sign-in name; choose another."),
    }
    return words.get(code, "")


def _form(problem: str = "", where: str = "") -> str:
    return render_template(
        "access/password.html", problem=problem, where=where, shortest=SHORTEST, longest=LONGEST, user_id=me().user_id
    )
