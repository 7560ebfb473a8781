"""Searching contacts, and one contact with everything that happened to it (features 11.6 small, 3.9, 11.2)."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from msgspec import Struct

from orchestrator.domain.contacts.events import OfferMade
from orchestrator.domain.kernel import Instant, Record, Refused, UnknownEvent
from orchestrator.replay import parse_time
from orchestrator.service.customers import INDEX, e164
from projections import contact_log
from projections.contact_log import Search
from web.access.needs import needs
from web.navigation import Item
from web.parts import parts
from web.push.present import live
from web.replay.moment import Decided, names_of
from web.words import Names, code, reasons, sentence

blueprint = Blueprint("history", __name__, url_prefix="/history")
NAVIGATION = (Item("history.search", _l("History"), 60),)

OUTCOMES: Final = ("completed", "abandoned", "turned_away", "switch_lost", "stopped", "demo_stopped")
_ID_LENGTH: Final = 64


class Step(Struct, frozen=True):
    """One event of a contact in words, and as it is stored."""

    record: Record
    name: str
    words: str
    after_ms: int
    """Since the contact arrived."""
    body: str
    decided: Decided | None


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
    names, agents, queues = _names()
    following = ""
    if found is not None and found.next_cursor:
        query: dict[str, Any] = {**asked, "cursor": found.next_cursor}
        following = url_for("history.search", **query)
    return render_template(
        "history/search.html",
        asked=asked,
        found=found,
        callers=_callers(found.items if found else []),
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
    records = list(parts().reading.sealed.stream(f"contact-{contact_id}"))
    if not records:
        abort(404)
    names, _, _ = _names()
    shifts = {
        held.shift_id: held.agent_id
        for record in records
        if isinstance(record.event, OfferMade)
        for held in record.event.reservations
    }
    names = Names(agents=names.agents, queues=names.queues, shifts=shifts)
    with parts().reading.reader.borrow() as connection:
        row = contact_log.find(connection, contact_id)
    begun = records[0].about.at
    return render_template(
        "history/contact.html",
        contact_id=contact_id,
        row=row,
        caller="" if row is None else _callers([row])[contact_id],
        code=code,
        names=names,
        steps=[_step(record, names, begun) for record in records],
    )


def _wanted(asked: dict[str, str]) -> tuple[Search | None, str]:
    """What the form asks for, or why it cannot be asked."""
    zone = parts().settings.timezone
    try:
        since = parse_time(asked["from"], zone) if asked["from"] else None
        until = parse_time(asked["to"], zone) if asked["to"] else None
        found = _streams_of(asked["number"]) if asked["number"] else None
    except Refused as refused:
        return None, refused.message
    return Search(
        agent_id=asked["agent"],
        queue_id=asked["queue"],
        outcome="" if asked["outcome"] == "live" else asked["outcome"],
        live=True if asked["outcome"] == "live" else None,
        since=since,
        until=until,
        found=found,
    ), ""


def _streams_of(raw: str) -> tuple[str, ...]:
    number = e164(raw, parts().settings.region)
    if number is None:
        raise Refused("bad_number", "This is no telephone number; write it as it is dialled, or with + and country.")
    reading = parts().reading
    return tuple(reading.log.find_by_blind_index(reading.vault.token(INDEX, number), INDEX))


def _callers(rows: Sequence[contact_log.Contact]) -> dict[str, str]:
    """The caller's number of each of these contacts."""
    sealed = [(f"contact-{row.contact_id}", "caller_number", row.caller_number) for row in rows]
    return dict(zip((row.contact_id for row in rows), parts().reading.opened(sealed), strict=True))


def _names() -> tuple[Names, list[tuple[str, str]], list[tuple[str, str]]]:
    """What ids are called now, and the agents and queues to choose from."""
    with live().view.still() as world:
        names = names_of(world)
    agents, queues = (sorted(each.items(), key=lambda item: item[1]) for each in (names.agents, names.queues))
    return names, agents, queues


def _step(record: Record, names: Names, begun: Instant) -> Step:
    event = record.event
    decided = None
    if isinstance(event, OfferMade):
        chosen = frozenset(held.agent_id for held in event.reservations)
        decided = Decided(*reasons(event.decision, chosen, names))
    if isinstance(event, UnknownEvent):
        name, body = event.name, event.body
    else:
        name, body = type(event).__name__, msgspec.json.encode(event)
    return Step(
        record=record,
        name=name,
        words=sentence(record, names),
        after_ms=(record.about.at - begun) // 1000,
        body=msgspec.json.format(body, indent=2).decode(errors="replace"),
        decided=decided,
    )
