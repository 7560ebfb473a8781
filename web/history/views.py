"""Searching contacts, and one contact with everything that happened to it (features 11.6 small, 3.9, 11.2)."""

from typing import Any, Final

from flask import abort, render_template, request, url_for
from flask_babel import lazy_gettext as _l

from orchestrator.domain.contacts import dials
from orchestrator.domain.kernel import Refused
from orchestrator.replay import parse_time
from projections import contact_log, recordings_found
from projections.contact_log import Search
from web import refusals
from web.access.needs import needs
from web.access.sight import agents_in_sight
from web.access.visitor import me
from web.history import why
from web.history.area import blueprint
from web.history.shown import caller_of, callers, names_now, steps_of
from web.navigation import Item
from web.parts import parts
from web.words import code, origin

NAVIGATION = (Item("history.search", _l("History"), 60),)

__all__ = ["NAVIGATION", "blueprint", "why"]

OUTCOMES: Final = (
    "completed",
    "abandoned",
    "turned_away",
    "switch_lost",
    "unattended",
    "unattended_served",
    "unattended_message",
    "unattended_abandoned",
    "unattended_lost",
    "stopped",
    "demo_stopped",
    *dials.OUTCOMES,
)
_ID_LENGTH: Final = 64


@blueprint.get("/")
@needs("history.search")
def search() -> str:
    """Contacts by number, agent, queue, outcome and time; the latest first, page by page."""
    asked = {name: request.args.get(name, "").strip() for name in ("number", "agent", "queue", "outcome", "from", "to")}
    wanted, problem = _wanted(asked)
    found = None
    if wanted is not None:
        with parts().reading.reader.borrow() as connection:
            found = contact_log.search(connection, wanted, cursor=request.args.get("cursor", ""))
    names, agents, queues = names_now()
    if wanted is not None and wanted.agents is not None:
        agents = [each for each in agents if each[0] in wanted.agents]
    following = ""
    if found is not None and found.next_cursor:
        query: dict[str, Any] = {**asked, "cursor": found.next_cursor}
        following = url_for("history.search", **query)
    return render_template(
        "history/search.html",
        asked=asked,
        found=found,
        callers=callers(found.items if found else []),
        problem=problem,
        names=names,
        agents=agents,
        queues=queues,
        outcomes=OUTCOMES,
        code=code,
        following=following,
    )


@blueprint.get("/contacts/<contact_id>")
@needs("history.search")
def contact(contact_id: str) -> str:
    """One contact: what is known of it, every event in words and as stored, and why each offer went where it went."""
    if len(contact_id) > _ID_LENGTH:
        abort(404)
    agents = agents_in_sight()
    with parts().reading.reader.borrow() as connection:
        row = contact_log.find(connection, contact_id, agents=agents)
        hears = me().may("recordings.hear")
        recordings = recordings_found.of_contact(connection, contact_id, sight=agents) if hears else []
    if row is None and agents is not None:
        abort(404)
    records = list(parts().reading.sealed.stream(f"contact-{contact_id}"))
    if not records:
        abort(404)
    return render_template(
        "history/contact.html",
        contact_id=contact_id,
        row=row,
        caller="" if row is None else callers([row])[contact_id],
        code=code,
        origin=origin,
        names=names_now()[0],
        steps=steps_of(records),
        recordings=recordings,
    )


def _wanted(asked: dict[str, str]) -> tuple[Search | None, str]:
    """What the form asks for, or why it cannot be asked."""
    zone = parts().settings.timezone
    try:
        since = parse_time(asked["from"], zone) if asked["from"] else None
        until = parse_time(asked["to"], zone) if asked["to"] else None
        caller = caller_of(asked["number"]) if asked["number"] else None
    except Refused as refused:
        return None, refusals.words(refused)
    return Search(
        agents=agents_in_sight(),
        agent_id=asked["agent"],
        queue_id=asked["queue"],
        outcome="" if asked["outcome"] == "live" else asked["outcome"],
        live=True if asked["outcome"] == "live" else None,
        since=since,
        until=until,
        caller=caller,
    ), ""
