"""The blacklist on a screen: who may not call, since when and why, and what was done with it (feature 5.5).

It is no part of a draft: whom one wants refused, one wants refused now.
"""

import time
from typing import Final

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from orchestrator.domain.customers.blacklist import FOR_EVER, NUISANCE
from orchestrator.domain.kernel import Instant, Refused
from orchestrator.replay import parse_time
from orchestrator.service.blacklist import KIND
from web.access.needs import needs
from web.customers.area import blueprint
from web.history.shown import names_now
from web.parts import parts
from web.words import code, sentence
from web.writing import blacklists, fresh_key, key, who

_LATEST: Final = 50


@blueprint.get("/blacklist")
@needs("blacklist.keep")
def blacklisted() -> str:
    """Every entry, a form for one more, and what was done lately."""
    return _page()


@blueprint.post("/blacklist")
@needs("blacklist.keep")
def refuse_number() -> Response | tuple[str, int]:
    """One more number whose calls are refused from now on."""
    form = request.form
    try:
        until = parse_time(form["until"], parts().settings.timezone) if form.get("until") else FOR_EVER
        blacklists().add(
            who(), form.get("number", ""), form.get("reason", ""), until=until, note=form.get("note", ""), key=key()
        )
    except Refused as refused:
        return _page(problem=refused.message), 409
    flash(gettext("Calls from this number are refused from now on."), "done")
    return redirect(url_for("customers.blacklisted"), 303)


@blueprint.post("/blacklist/<blacklisting_id>/lift")
@needs("blacklist.keep")
def lift_number(blacklisting_id: str) -> Response:
    """Take its calls again."""
    blacklists().lift(who(), blacklisting_id)
    flash(gettext("Calls from this number are taken again."), "done")
    return redirect(url_for("customers.blacklisted"), 303)


@blueprint.post("/blacklist/<blacklisting_id>/expire")
@needs("blacklist.keep")
def expire_number(blacklisting_id: str) -> Response:
    """Let it end now; it stays in the list as one that is over."""
    blacklists().expire(who(), blacklisting_id)
    flash(gettext("Calls from this number are taken again."), "done")
    return redirect(url_for("customers.blacklisted"), 303)


def _page(*, problem: str = "") -> str:
    done = list(parts().reading.sealed.history(kinds=(KIND,)))[-_LATEST:]
    names = names_now()[0]
    return render_template(
        "customers/blacklist.html",
        entries=blacklists().every(),
        now=Instant(time.time_ns() // 1000),
        done=[(record, sentence(record, names)) for record in reversed(done)],
        names=names,
        code=code,
        problem=problem,
        given=request.form,
        usual=NUISANCE,
        key=fresh_key(),
    )
