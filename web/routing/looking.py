"""What a page of the configuration looks at: what is in force, or a draft over it; and the page of one thing."""

import time
from collections.abc import Mapping, Sequence

from flask import abort, render_template
from msgspec import Struct

from orchestrator.domain.kernel import Instant, Refused, ident_of, kind_of, stream
from orchestrator.domain.routing.drafts import Draft
from orchestrator.service import configuration
from orchestrator.service.drafts import WHOLE, Outlook, Table, tables_of
from orchestrator.service.planning import SECTION_OF, Current
from orchestrator.service.site_shapes import shapes_of
from web.access.visitor import me
from web.parts import parts
from web.routing.fields import Option, shown
from web.routing.labels import key_name, section_name
from web.routing.sayings import said
from web.shown import local
from web.writing import drafts, fresh_key


class Look(Struct, frozen=True):
    """What a page looks at: what is in force, or a draft over it."""

    now: Current
    tables: Mapping[str, Table]
    in_force: Mapping[str, Table]
    outlook: Outlook | None

    @property
    def draft(self) -> Draft | None:
        return self.outlook.draft if self.outlook is not None else None


def look(draft_id: str) -> Look:
    """Through a draft, where one is named. 404 for one that there is not, or that is somebody else's."""
    if not draft_id:
        now = configuration.current(parts().reading.log, parts().settings.site)
        tables = tables_of(now)
        return Look(now, tables, tables, None)
    if not me().may("routing.edit"):
        abort(403)
    outlook = drafts().outlook(known(draft_id))
    return Look(outlook.now, outlook.tables, tables_of(outlook.now), outlook)


def known(draft_id: str) -> Draft:
    """The draft that the visitor may work on; 404 where there is none."""
    try:
        return drafts().get(draft_id, me().actor)
    except Refused:
        abort(404)


def form_of(
    kind: str,
    ident: str,
    found: Look,
    *,
    table: Table | None = None,
    problem: str = "",
    others: Sequence[tuple[str, str, str]] = (),
) -> str:
    """The page of one thing. `table`: what was typed, where that is not what the draft has; `others`: the keys in which
    it differs from what somebody else put into the draft meanwhile.
    """
    name = stream(kind, ident)
    told = found.outlook.problems_of(name) if found.outlook is not None else {}
    wrong = {key: said(sentence) for key, sentence in told.items()}
    in_force = found.in_force.get(name)
    values = table if table is not None else found.tables.get(name, in_force or {})
    return render_template(
        "routing/thing.html",
        kind=kind,
        ident=ident,
        section=section_name(kind),
        title=str(values.get("name") or ident),
        look=found,
        fate=fate(found, name) if ident else "",
        fields=shown(shapes_of(SECTION_OF[kind]), values, in_force if found.draft else None, wrong, options(found)),
        problem=problem or wrong.get(WHOLE, ""),
        others=others,
        known_words=words_of(found),
        open_drafts=open_drafts() if found.draft is None else [],
        key_name=key_name,
        key=fresh_key(),
        today=today(),
    )


def options(found: Look) -> dict[str, list[Option]]:
    """The ids of every section with their names, to choose among."""
    known: dict[str, list[Option]] = {kind: [] for kind in SECTION_OF}
    for name, table in sorted(found.tables.items()):
        ident = ident_of(name)
        known[kind_of(name)].append(Option(ident, f"{table.get('name') or ident} ({ident})"))
    return known


def words_of(found: Look) -> dict[str, list[str]]:
    """Words that stand somewhere already, to be suggested: skills and teams."""
    agents = [table for name, table in found.tables.items() if kind_of(name) == "agent"]
    queues = [table for name, table in found.tables.items() if kind_of(name) == "queue"]
    known = {str(queue.get("skill", "")) for queue in queues}
    for agent in agents:
        if isinstance(given := agent.get("skills"), dict):
            known |= given.keys()
    teams = {str(agent.get("team", "")) for agent in agents}
    return {"skills": sorted(known - {""}), "team": sorted(teams - {""})}


def fate(found: Look, name: str) -> str:
    """What the draft does with a thing: added, changed, removed, or nothing."""
    if found.draft is None or name not in found.draft.edits:
        return ""
    if name not in found.tables:
        return "removed"
    return "changed" if name in found.in_force else "added"


def today() -> str:
    """The day, for the name of a draft that nobody has named."""
    return f"{local(Instant(time.time_ns() // 1000)):%Y-%m-%d}"


def open_drafts() -> list[Draft]:
    """The drafts that the visitor may work on."""
    return drafts().open(me().actor) if me().may("routing.edit") else []
