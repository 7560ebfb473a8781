"""What callers hear before the music: which notices are on, since when and by whom; on and off (feature 2.6)."""

from typing import Final

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from orchestrator.service import notices
from orchestrator.service.configuration import switch_notice
from web.access.needs import needs
from web.access.visitor import me
from web.history.shown import names_if_any
from web.navigation import Item
from web.parts import parts
from web.words import sentence

blueprint = Blueprint("notices", __name__, url_prefix="/notices")
NAVIGATION = (Item("notices.every", _l("Notices"), 46),)

_WISHES: Final = {"on": True, "off": False}
_MOST_DIGITS: Final = 9


@blueprint.get("/")
@needs("notices.switch")
def every() -> str:
    """Each notice of the configuration, whether callers hear it, and everything that was done with it."""
    return render_template(
        "notices/list.html", notices=notices.every(parts().reading.log), names=names_if_any(), sentence=sentence
    )


@blueprint.post("/<notice_id>/switch")
@needs("notices.switch")
def switch(notice_id: str) -> Response:
    """On or off, as the form says; a form that was sent twice, or is out of date, undoes nothing."""
    on, seen = _WISHES.get(request.form.get("to", "")), request.form.get("version", "")
    if on is None or not (seen.isascii() and seen.isdecimal() and len(seen) <= _MOST_DIGITS):
        abort(400)
    reading, site = parts().reading, parts().settings.site
    switch_notice(reading.log, reading.desk, site, notice_id, on=on, actor=me().actor, seen=int(seen))
    flash(
        gettext("Callers hear the notice from now on.") if on else gettext("Callers hear the notice no more."), "done"
    )
    return redirect(url_for("notices.every"), 303)
