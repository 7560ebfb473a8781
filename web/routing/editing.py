"""Drafts on screens: begun, edited, looked at as a difference, brought up to date, applied."""

from typing import Final

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from orchestrator.domain.kernel import Refused, ident_of, kind_of, stream
from orchestrator.domain.routing.drafts import Draft
from orchestrator.service import site_text
from orchestrator.service.configuration import BadConfiguration, ConfigurationChanged
from orchestrator.service.drafts import MINE, THEIRS, WHOLE, Table
from orchestrator.service.planning import SECTION_OF
from orchestrator.service.site_shapes import shapes_of
from web import refusals
from web.access.needs import needs
from web.access.paths import onward
from web.routing.area import blueprint
from web.routing.fields import typed
from web.routing.labels import as_read, key_name, section_name
from web.routing.looking import form_of, known, look
from web.routing.sayings import said
from web.writing import drafts, fresh_key, key, who

_DIGITS: Final = 9
_CHOICE: Final = "keep."


@blueprint.post("/drafts")
@needs("routing.edit")
def begin() -> Response:
    """Begin a draft, of what is in force or of an earlier version; then to the page that it was begun for."""
    form = request.form
    version = int(form["version"]) if _is_number(form.get("version", "")) else None
    written = drafts().begin(
        who(), form.get("name", ""), shared=form.get("shared") == "yes", version=version, key=key()
    )
    if form.get("next"):
        return redirect(f"{onward()}?draft={written.ident}", 303)
    return _to_draft(written.ident)


@blueprint.get("/drafts/<draft_id>")
@needs("routing.edit")
def draft(draft_id: str) -> str:
    """What the draft would change, against what is in force; what is wrong, what others changed, how to go on."""
    return _page(known(draft_id))


def _page(found: Draft, *, problem: str = "", reason: str = "") -> str:
    outlook = drafts().outlook(found)
    since = range(found.base + 1, outlook.now.version + 1)
    return render_template(
        "routing/draft.html",
        draft=found,
        outlook=outlook,
        since=[record for version in since if (record := outlook.now.history.get(version)) is not None],
        sections=list(SECTION_OF),
        section_name=section_name,
        key_name=key_name,
        as_read=as_read,
        said=said,
        kind_of=kind_of,
        ident_of=ident_of,
        problem=problem,
        reason=reason,
        whole=WHOLE,
        key=fresh_key(),
    )


@blueprint.post("/drafts/<draft_id>/things")
@needs("routing.edit")
def save_thing(draft_id: str) -> Response | tuple[str, int]:
    """Keep in the draft what was typed for a thing, right or wrong; or that it is to be removed, or to stay."""
    form, found = request.form, known(draft_id)
    kind, ident = form.get("kind", ""), form.get("ident", "").strip()
    if kind not in SECTION_OF:
        abort(400)
    name, seen = stream(kind, ident), _number(form.get("seen", ""))
    table = typed(shapes_of(SECTION_OF[kind]), form)
    try:
        match form.get("action", "save"):
            case "remove":
                drafts().edit(who(), found.draft_id, {name: None}, seen=seen)
            case "withdraw":
                drafts().withdraw(who(), found.draft_id, name, seen=seen)
            case _:
                _refuse_taken(draft_id, name)
                drafts().edit(who(), found.draft_id, {name: table}, seen=seen)
    except Refused as refused:
        if refused.code not in ("bad_thing", "draft_changed", "bad_text"):
            raise
        return _again(kind, ident, draft_id, table, refused), 409
    after = look(draft_id)
    if after.outlook is not None and after.outlook.problems_of(name):
        flash(gettext("Kept in the draft as it is, with something to put right."), "stale")
        return redirect(url_for("routing.thing", kind=kind, ident=ident, draft=draft_id), 303)
    flash(gettext("Kept in the draft; nothing has changed yet."), "done")
    return _to_draft(draft_id)


def _refuse_taken(draft_id: str, name: str) -> None:
    if request.form.get("new") and name in look(draft_id).tables:
        raise Refused("bad_thing", gettext("There is one with this id already; choose another."))


def _again(kind: str, ident: str, draft_id: str, table: Table, refused: Refused) -> str:
    """The form with what was typed; where somebody else was faster, with what differs from theirs."""
    now = look(draft_id)
    theirs = now.tables.get(stream(kind, ident), {})
    if refused.code == "bad_thing":
        return form_of(kind, "", now, table=table, problem=refusals.words(refused))
    others = [
        (key_name(name), _text(theirs.get(name)), _text(table.get(name)))
        for name in dict.fromkeys([*theirs, *table])
        if theirs.get(name) != table.get(name)
    ]
    return form_of(kind, ident, now, table=table, problem=refusals.words(refused), others=others)


@blueprint.post("/drafts/<draft_id>/share")
@needs("routing.edit")
def share(draft_id: str) -> Response:
    """Others may work on it, too."""
    drafts().share(who(), known(draft_id).draft_id)
    flash(gettext("Others may work on this draft, too."), "done")
    return _to_draft(draft_id)


@blueprint.post("/drafts/<draft_id>/discard")
@needs("routing.edit")
def discard(draft_id: str) -> Response:
    """Nobody wants it any more."""
    drafts().discard(who(), known(draft_id).draft_id)
    flash(gettext("The draft was discarded; nothing has changed."), "done")
    return redirect(url_for("routing.overview"), 303)


@blueprint.post("/drafts/<draft_id>/rebase")
@needs("routing.edit")
def rebase(draft_id: str) -> Response | tuple[str, int]:
    """Go on from what is in force now, with what was chosen where both sides changed the same."""
    found = known(draft_id)
    choices = {
        (thing, name): kept
        for field, kept in request.form.items()
        if field.startswith(_CHOICE) and kept in (MINE, THEIRS)
        for thing, _, name in (field.removeprefix(_CHOICE).partition("."),)
    }
    try:
        drafts().rebase(who(), found.draft_id, choices, seen=_number(request.form.get("seen", "")))
    except Refused as refused:
        return _page(known(draft_id), problem=refusals.words(refused)), 409
    flash(gettext("The draft goes on from what is in force now."), "done")
    return _to_draft(draft_id)


@blueprint.post("/drafts/<draft_id>/apply")
@needs("routing.apply")
def apply(draft_id: str) -> Response | tuple[str, int]:
    """Make it the configuration, in the visitor's name and with a reason."""
    found, reason = known(draft_id), request.form.get("reason", "").strip()
    if not reason:
        return _page(found, problem=gettext("Say in a few words why; it stands in the history.")), 409
    try:
        done = drafts().apply(who(), found.draft_id, reason=reason, seen=_number(request.form.get("seen", "")))
    except ConfigurationChanged:
        problem = gettext("Somebody else changed the configuration meanwhile. Nothing was applied; see below.")
        return _page(known(draft_id), problem=problem, reason=reason), 409
    except BadConfiguration:
        problem = gettext("Something is still wrong in this draft. Nothing was applied; see below.")
        return _page(found, problem=problem, reason=reason), 409
    except Refused as refused:
        return _page(known(draft_id), problem=refusals.words(refused), reason=reason), 409
    flash(gettext("Applied as version %(version)s; it holds from now on.", version=done.version), "done")
    return redirect(url_for("routing.version", number=done.version), 303)


def _text(value: object) -> str:
    return "" if value is None else site_text.lines(value)


def _to_draft(draft_id: str) -> Response:
    return redirect(url_for("routing.draft", draft_id=draft_id), 303)


def _number(text: str) -> int:
    return int(text) if _is_number(text) else 0


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS
