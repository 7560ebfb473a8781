"""Numbers whose calls are refused: found, added, changed, let expire, taken off, with their history (feature 5.5)."""

import time
from collections.abc import Mapping
from typing import Final

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _l
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from orchestrator.domain.customers.blacklist import FOR_EVER, NUISANCE, Blacklisting
from orchestrator.domain.kernel import Instant, Record, Refused
from orchestrator.replay import parse_time
from orchestrator.service.deciding import Written
from projections import blacklist
from projections.blacklist import HOLDS, STATES
from web import refusals
from web.access.needs import needs
from web.blacklist.shown import deeds, entries, state_of
from web.fresh import AFTER, caught_up
from web.history.shown import names_if_any
from web.navigation import Item
from web.parts import parts
from web.shown import field_time
from web.words import reason
from web.writing import blacklists, fresh_key, key, who

blueprint = Blueprint("blacklist", __name__, url_prefix="/blacklist")
NAVIGATION = (Item("blacklist.listed", _l("Blacklist"), 45),)

_NOTHING: Final[Mapping[str, str]] = {}
_PROBLEMS: Final[Mapping[str, tuple[str, LazyString]]] = {
    "no_number": ("number", _l("This is no telephone number; write it as +8613800138000.")),
    "already_blacklisted": ("number", _l("This number is on the list already. Search for it, and change that entry.")),
    "bad_reason": ("reason", _l("A reason is a code of up to 40 small letters, digits, - and _.")),
    "bad_time": ("until", _l("This end cannot be used: it must be a time that is still to come, or empty.")),
    "bad_text": ("note", _l("The note is too long, or holds signs that cannot be shown.")),
}
"""What may be wrong with a form: the field at which it is said, and the words."""


@blueprint.get("/")
@needs("blacklist.see")
def listed() -> str:
    """The list, the latest entry first, page by page; or the entries of one number. With a form for one more."""
    return _list()


@blueprint.post("/")
@needs("blacklist.keep")
def add() -> Response | tuple[str, int]:
    """Refuse a number's calls from now on; the form again, with a word at the field, where something will not do."""
    form = request.form
    try:
        written = blacklists().add(
            who(),
            form.get("number", ""),
            form.get("reason", ""),
            until=_end(form.get("until", "")),
            note=form.get("note", ""),
            key=key(),
        )
    except Refused as refused:
        return _list(_problem(refused), form), 422
    flash(gettext("The number is on the blacklist. Its calls are refused from now on."), "done")
    return _to(written)


@blueprint.get("/<blacklisting_id>")
@needs("blacklist.see")
def show(blacklisting_id: str) -> str:
    """One entry as it is now, with everything that became of it, and what can be done with it."""
    return _entry(blacklisting_id)


@blueprint.post("/<blacklisting_id>/change")
@needs("blacklist.keep")
def change(blacklisting_id: str) -> Response | tuple[str, int]:
    """Another reason, end or note. An end that stands in the form as it was shown is not touched."""
    form = request.form
    entry, _ = _known(blacklisting_id)
    until = form.get("until", "")
    try:
        written = blacklists().change(
            who(),
            blacklisting_id,
            reason=form.get("reason", ""),
            until=None if until == _end_text(entry.until) else _end(until),
            note=form.get("note", ""),
            seen=_seen(),
            key=key(),
        )
    except Refused as refused:
        return _entry(blacklisting_id, _problem(refused), form), 422
    flash(gettext("The entry is changed."), "done")
    return _to(written)


@blueprint.post("/<blacklisting_id>/expire")
@needs("blacklist.keep")
def expire(blacklisting_id: str) -> Response:
    """Let it end now; it stays in the list as one that is over."""
    written = blacklists().expire(who(), blacklisting_id, key=key())
    flash(gettext("The entry is over. Its number may call again."), "done")
    return _to(written)


@blueprint.post("/<blacklisting_id>/lift")
@needs("blacklist.keep")
def lift(blacklisting_id: str) -> Response:
    """Take it off the list; its history stays."""
    written = blacklists().lift(who(), blacklisting_id, key=key())
    flash(gettext("The number is off the blacklist. It may call again."), "done")
    return _to(written)


def _list(problem: Mapping[str, LazyString | str] = _NOTHING, given: Mapping[str, str] = _NOTHING) -> str:
    caught_up(blacklist.NAME)
    text, state = request.args.get("q", "").strip(), request.args.get("state", HOLDS)
    number, unknown, now = "", "", _now()
    if text:
        try:
            number = blacklists().canonical(text)
        except Refused as refused:
            unknown = str(_PROBLEMS[refused.code][1])
    reading, found, following = parts().reading, [], ""
    with reading.reader.borrow() as connection:
        reasons = blacklist.reasons(connection)
        if not unknown:
            page = blacklist.search(
                connection,
                reading.vault,
                now=now,
                state=state if state in STATES else "",
                number=number,
                cursor=request.args.get("cursor", ""),
            )
            found = entries(page.items, now, names_if_any())
            if page.next_cursor:
                following = url_for("blacklist.listed", q=text, state=state, cursor=page.next_cursor)
    return render_template(
        "blacklist/list.html",
        found=found,
        text=text,
        state=state,
        states=STATES,
        unknown=unknown,
        following=following,
        reasons=sorted({NUISANCE, *reasons}),
        reason=reason,
        problem=problem,
        given={"reason": NUISANCE, **given},
        key=fresh_key(),
    )


def _entry(ident: str, problem: Mapping[str, LazyString | str] = _NOTHING, given: Mapping[str, str] = _NOTHING) -> str:
    entry, history = _known(ident)
    with parts().reading.reader.borrow() as connection:
        reasons = blacklist.reasons(connection)
    return render_template(
        "blacklist/entry.html",
        entry=entry,
        state=state_of(entry, _now()),
        deeds=deeds(history, names_if_any()),
        version=history[-1].version,
        after={AFTER: history[-1].position},
        reasons=sorted({NUISANCE, *reasons}),
        reason=reason,
        problem=problem,
        given={"reason": entry.reason, "until": _end_text(entry.until), "note": entry.note, **given},
        key=fresh_key(),
    )


def _known(ident: str) -> tuple[Blacklisting, list[Record]]:
    try:
        found = blacklists().one(ident)
    except Refused:
        found = None
    if found is None:
        abort(404)
    return found


def _problem(refused: Refused) -> dict[str, LazyString | str]:
    """Where it is said, and what. What is no matter of a field stands above the form (``)."""
    field, words = _PROBLEMS.get(refused.code, ("", refusals.words(refused)))
    if refused.code == "changed_meanwhile":
        words = gettext("Somebody else changed it meanwhile. Load the page again, and repeat what still applies.")
    return {field: words}


def _end(text: str) -> Instant:
    """The instant of a field, which may be empty: never. Raises `Refused` (`bad_time`)."""
    return parse_time(text, parts().settings.timezone) if text.strip() else FOR_EVER


def _end_text(until: Instant) -> str:
    return field_time(until) if until else ""


def _seen() -> int | None:
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None  # noqa: PLR2004 - digits


def _now() -> Instant:
    return Instant(time.time_ns() // 1000)


def _to(written: Written) -> Response:
    return redirect(url_for("blacklist.show", blacklisting_id=written.ident), 303)
