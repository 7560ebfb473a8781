"""Queues, entry points, agents and everything else that the site's file holds: as it is in force, and in a draft."""

from collections.abc import Sequence
from typing import Final

from flask import abort, render_template, request
from flask_babel import lazy_gettext as _l
from msgspec import Struct

from orchestrator.domain.kernel import ident_of, kind_of, stream
from orchestrator.service.planning import SECTION_OF
from orchestrator.service.site_shapes import shapes_of
from web.access.needs import needs
from web.navigation import Item
from web.routing import editing, history, skills
from web.routing.area import blueprint
from web.routing.fields import to_text
from web.routing.labels import key_name, section_name
from web.routing.looking import fate, form_of, look, open_drafts, today
from web.writing import fresh_key

NAVIGATION = (Item("routing.overview", _l("Configuration"), 80),)

__all__ = ["NAVIGATION", "blueprint", "editing", "history", "skills"]

# Keys that fit into a list beside the name.
_COLUMNS: Final = 4
_LONGEST_CELL: Final = 60
_PAGE: Final = 200


class Row(Struct, frozen=True):
    """One thing in a list. `fate`: added, changed or removed by the draft."""

    ident: str
    name: str
    cells: Sequence[str]
    fate: str
    wrong: bool


@blueprint.get("/")
@needs("routing.see")
def overview() -> str:
    """The sections with how much is in each, and the drafts that the visitor may work on."""
    found = look("")
    counts = {kind: sum(kind_of(name) == kind for name in found.tables) for kind in SECTION_OF}
    return render_template(
        "routing/overview.html",
        now=found.now,
        counts=counts,
        last=found.now.history.get(found.now.version),
        open_drafts=open_drafts(),
        section_name=section_name,
        key=fresh_key(),
        today=today(),
    )


@blueprint.get("/things/<kind>")
@needs("routing.see")
def things(kind: str) -> str:
    """Everything of one section."""
    section = SECTION_OF.get(kind)
    if section is None:
        abort(404)
    found = look(request.args.get("draft", ""))
    shapes = {shape.key: shape for shape in shapes_of(section)}
    columns = [key for key, shape in shapes.items() if key not in ("name", "names") and shape.kind != "rows"][:_COLUMNS]
    after = stream(kind, request.args.get("after", ""))
    names = sorted(each for each in found.tables.keys() | found.in_force.keys() if kind_of(each) == kind)
    names = [each for each in names if each > after]
    rows = []
    for name in names[:_PAGE]:
        table = found.tables.get(name, found.in_force.get(name, {}))
        cells = [cell(to_text(shapes[key], table.get(key))) for key in columns]
        wrong = found.outlook is not None and bool(found.outlook.problems_of(name))
        rows.append(Row(ident_of(name), str(table.get("name", "")), cells, fate(found, name), wrong))
    return render_template(
        "routing/things.html",
        kind=kind,
        section=section_name(kind),
        columns=[key_name(key) for key in columns],
        rows=rows,
        following=rows[-1].ident if len(names) > _PAGE else "",
        look=found,
    )


@blueprint.get("/things/<kind>/+new")
@needs("routing.edit")
def new_thing(kind: str) -> str:
    """The empty form of a section."""
    found = look(request.args.get("draft", ""))
    if kind not in SECTION_OF or found.draft is None:
        abort(404)
    return form_of(kind, "", found, table={})


@blueprint.get("/things/<kind>/<ident>")
@needs("routing.see")
def thing(kind: str, ident: str) -> str:
    """One thing with all its keys; in a draft they can be changed."""
    if kind not in SECTION_OF:
        abort(404)
    found = look(request.args.get("draft", ""))
    name = stream(kind, ident)
    if name not in found.tables and name not in found.in_force:
        abort(404)
    return form_of(kind, ident, found)


def cell(text: str) -> str:
    """A value in a list: on one line, and not too long."""
    line = ", ".join(text.split("\n"))
    return line if len(line) <= _LONGEST_CELL else f"{line[: _LONGEST_CELL - 1]}…"
