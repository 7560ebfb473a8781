"""Finding recordings, one recording with its player, who heard it, and what it is held for (feature 8.2)."""

from typing import Any, Final

from flask import flash, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from orchestrator.domain.kernel import Refused
from orchestrator.domain.work.orders import reference
from projections import recordings as model
from projections import recordings_found
from web import refusals
from web.access.needs import needs
from web.access.visitor import me
from web.fresh import AFTER, caught_up
from web.history.shown import names_now
from web.navigation import Item
from web.parts import parts
from web.recordings import sending, shown
from web.recordings.area import blueprint
from web.words import code
from web.writing import fresh_key, key, who

NAVIGATION = (Item("recordings.search", _l("Recordings"), 62),)

__all__ = ["NAVIGATION", "blueprint", "sending"]

_LONGEST: Final = 100


@blueprint.get("/")
@needs("recordings.hear")
def search() -> str:
    """By agent, caller, time, length, queue and order; the latest first, page by page."""
    caught_up(model.NAME)
    asked = {name: request.args.get(name, "").strip()[:_LONGEST] for name in shown.FIELDS}
    reading, found, problem, following = parts().reading, None, "", ""
    try:
        wanted = shown.wanted(asked)
        with reading.reader.borrow() as connection:
            found = recordings_found.search(connection, reading.vault, wanted, cursor=request.args.get("cursor", ""))
    except Refused as refused:
        problem = refusals.words(refused)
    rows = found.items if found is not None else []
    if found is not None and found.next_cursor:
        query: dict[str, Any] = {**asked, "cursor": found.next_cursor}
        following = url_for("recordings.search", **query)
    names, _, queues = names_now()
    return render_template(
        "recordings/search.html",
        asked=asked,
        found=found,
        rows=rows,
        callers=shown.callers(rows),
        people=shown.customers_of(rows),
        problem=problem,
        names=names,
        queues=queues,
        states=(*model.STATES, shown.PROBLEMS, shown.HELD),
        code=code,
        following=following,
    )


@blueprint.get("/<name>")
@needs("recordings.hear")
def show(name: str) -> str:
    """One recording: what is known of it, its player, who heard it, and the holds that stand."""
    caught_up(model.NAME)
    return _page(name)


@blueprint.post("/<name>/hold")
@needs("recordings.hold")
def hold(name: str) -> Response | tuple[str, int]:
    """Hold it for a case; the page again, with a word, where something will not do."""
    row = shown.in_sight(name)
    try:
        done = parts().reading.holds.place(
            who(), row.file, request.form.get("case", ""), request.form.get("reason", ""), key=key()
        )
    except Refused as refused:
        return _page(name, refusals.words(refused), request.form.get("case", "")), 422
    flash(gettext("The recording is held. It is deleted by nobody until the hold is lifted."), "done")
    return _to(name, done.position)


@blueprint.post("/<name>/lift")
@needs("recordings.hold")
def lift(name: str) -> Response | tuple[str, int]:
    """Lift one of its holds."""
    row = shown.in_sight(name)
    try:
        done = parts().reading.holds.lift(
            who(), row.file, request.form.get("hold", ""), request.form.get("reason", ""), key=key()
        )
    except Refused as refused:
        return _page(name, refusals.words(refused)), 422
    flash(gettext("The hold is lifted."), "done")
    return _to(name, done.position)


def _to(name: str, position: int) -> Response:
    after: dict[str, Any] = {AFTER: position}
    return redirect(url_for("recordings.show", name=name, **after), 303)


def _page(name: str, problem: str = "", case: str = "") -> str:
    row = shown.in_sight(name)
    reading = parts().reading
    kept = reading.recordings
    # One that was taken for lost may be there again.
    there = row.state in (model.FINISHED, model.KEPT) or (
        row.state == model.LOST and row.digest != "" and kept.has(row.file, row.node)
    )
    with reading.reader.borrow() as connection:
        uses = recordings_found.uses(connection, row.file)
        orders = recordings_found.orders_of(connection, row.contact_id) if row.contact_id else []
    return render_template(
        "recordings/recording.html",
        row=row,
        # Of a medium at another machine only that machine knows; whoever plays it is told.
        away=row.state == model.KEPT and not kept.is_elsewhere(row.node) and kept.is_away(row.medium),
        name=name,
        there=there,
        caller=shown.callers([row])[row.file],
        heard=shown.heard(uses.items),
        more=bool(uses.next_cursor),
        holds=shown.standing(kept.state(row.file)),
        orders=[(each, reference(each)) for each in orders] if me().may("work.see") else [],
        names=names_now()[0],
        code=code,
        key=fresh_key(),
        problem=problem,
        case=case,
    )
