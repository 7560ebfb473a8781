"""Who can do what: agents by skills with levels, and which queues ask for each; edited as a grid in a draft."""

from collections.abc import Mapping, Sequence
from typing import Final

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from msgspec import Struct
from werkzeug.wrappers import Response

from orchestrator.domain.kernel import Refused, ident_of, kind_of
from orchestrator.service.drafts import Table
from orchestrator.service.site_shapes import Shape
from web import refusals
from web.access.needs import needs
from web.routing.area import blueprint
from web.routing.fields import from_text, to_text
from web.routing.looking import Look, look, open_drafts, words_of
from web.writing import drafts, who

# A form of some hundred fields is what a browser and we can carry at once.
_MOST_CELLS: Final = 400
_MOST_LEVEL: Final = 1_000
_LEVEL: Final = Shape(key="level", kind="whole")
_CELL: Final = "level."
_DIGITS: Final = 6


class Skill(Struct, frozen=True):
    """One skill: how many agents have it, the levels, and the queues that ask for it, with the level that they ask for.
    `lacking` are those queues that nobody can serve.
    """

    name: str
    agents: int
    levels: Sequence[int]
    queues: Sequence[tuple[str, int]]
    lacking: Sequence[str]


class Person(Struct, frozen=True):
    """One agent with the level in each skill shown."""

    ident: str
    name: str
    team: str
    levels: Mapping[str, str]


@blueprint.get("/skills")
@needs("routing.see")
def grid() -> str:
    """Skills with who asks for them, and agents by skills."""
    found = look(request.args.get("draft", ""))
    return _page(found, found.tables, request.args)


def _page(found: Look, tables: Mapping[str, Table], asked: Mapping[str, str], *, problem: str = "") -> str:
    team, wanted = asked.get("team", ""), asked.get("skill", "")
    people = [person for person in _people(tables) if not team or person.team == team]
    known = skills_of(tables)
    columns = [skill.name for skill in known if not wanted or skill.name == wanted][:_MOST_CELLS]
    size = max(1, _MOST_CELLS // max(1, len(columns)))
    number = asked.get("page", "")
    page = max(1, int(number)) if number.isascii() and number.isdecimal() and len(number) <= _DIGITS else 1
    return render_template(
        "routing/skills.html",
        look=found,
        skills=known,
        columns=columns,
        people=people[(page - 1) * size : page * size],
        page=page,
        pages=-(-len(people) // size),
        teams=words_of(found)["team"],
        asked={"team": team, "skill": wanted},
        open_drafts=open_drafts() if found.draft is None else [],
        problem=problem,
    )


@blueprint.post("/drafts/<draft_id>/skills")
@needs("routing.edit")
def save_skills(draft_id: str) -> Response | tuple[str, int]:
    """Keep in the draft the levels that were typed; an empty one takes the skill away."""
    found = look(draft_id)
    tables: dict[str, Table | None] = {}
    for name, text in request.form.items():
        agent, _, skill = name.removeprefix(_CELL).partition(".")
        thing = f"agent-{agent}"
        if not name.startswith(_CELL) or thing not in found.tables:
            continue
        table = tables.setdefault(thing, {**found.tables[thing], "skills": _levels(found.tables[thing])})
        if table is not None:
            value = from_text(_LEVEL, text)
            table["skills"] = {each: level for each, level in table["skills"].items() if each != skill}
            table["skills"] |= {} if value is None else {skill: value}
    changed = {thing: table for thing, table in tables.items() if table != found.tables[thing]}
    try:
        if changed:
            drafts().edit(who(), draft_id, changed, seen=request.form.get("seen", 0, type=int))
    except Refused as refused:
        typed = {**found.tables, **{thing: table for thing, table in changed.items() if table is not None}}
        return _page(found, typed, request.form, problem=refusals.words(refused)), 409
    flash(
        gettext("Kept in the draft; nothing has changed yet.") if changed else gettext("No level was changed."), "done"
    )
    return redirect(
        url_for(
            "routing.grid",
            draft=draft_id,
            team=request.form.get("team", ""),
            skill=request.form.get("skill", ""),
            page=request.form.get("page", ""),
        ),
        303,
    )


def skills_of(tables: Mapping[str, Table]) -> list[Skill]:
    """Every skill that an agent has or a queue asks for."""
    agents = [_levels(table) for name, table in tables.items() if kind_of(name) == "agent"]
    queues = {ident_of(name): _asked(table) for name, table in sorted(tables.items()) if kind_of(name) == "queue"}
    names = {skill for levels in agents for skill in levels} | {skill for asked in queues.values() for skill in asked}
    found = []
    for skill in sorted(names):
        levels = sorted(level for each in agents if isinstance(level := each.get(skill), int))
        asking = [(queue, asked[skill]) for queue, asked in queues.items() if skill in asked]
        lacking = [queue for queue, level in asking if not levels or levels[-1] < level]
        found.append(Skill(skill, len(levels), levels, asking, lacking))
    return found


def _asked(queue: Table) -> dict[str, int]:
    """The skills that a queue asks for, at first or at a later step, each with the least level that suffices."""
    least = _level(queue.get("min_level"), 1)
    asked = {str(queue.get("skill", "")): least}
    steps = queue.get("steps")
    for step in steps if isinstance(steps, list) else ():
        if not isinstance(step, dict):
            continue
        skills = step.get("skills")
        if not isinstance(skills, dict):
            skills = {str(queue.get("skill", "")): step.get("min_level")}
        for skill, level in skills.items():
            asked[skill] = min(asked.get(skill, _MOST_LEVEL), _level(level, least))
    return asked


def _level(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and value > 0 else otherwise


def _people(tables: Mapping[str, Table]) -> list[Person]:
    return [
        Person(
            ident_of(name),
            str(table.get("name", "")),
            str(table.get("team", "")),
            {skill: to_text(_LEVEL, level) for skill, level in _levels(table).items()},
        )
        for name, table in sorted(tables.items())
        if kind_of(name) == "agent"
    ]


def _levels(table: Table) -> dict[str, object]:
    given = table.get("skills")
    return given if isinstance(given, dict) else {}
