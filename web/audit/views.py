"""Every event, filtered, and each one as it is stored (features 11.1 and 11.5 in their simple form)."""

from typing import Any, Final

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import lazy_gettext as _l

from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.kernel import Refused, ident_of, kind_of
from orchestrator.replay import parse_time
from projections import audit_trail
from projections.audit_trail import Filter
from web import refusals
from web.access.needs import needs
from web.audit.shown import stored
from web.fresh import caught_up
from web.history.shown import names_now
from web.navigation import Item
from web.parts import parts
from web.words import origin, sentence

blueprint = Blueprint("audit", __name__, url_prefix="/audit")
NAVIGATION = (Item("audit.trail", _l("Audit"), 80),)

_LONGEST: Final = 100
# PostgreSQL's bigint, which positions are.
_LAST: Final = 2**63 - 1


@blueprint.get("/")
@needs("audit.see")
def trail() -> str:
    """The trail, the latest first, page by page."""
    caught_up(audit_trail.NAME)
    fields = ("about", "stream", "actor", "name", "from", "to", "unknown")
    asked = {name: request.args.get(name, "").strip()[:_LONGEST] for name in fields}
    found, problem, following = None, "", ""
    try:
        wanted = _wanted(asked)
    except Refused as refused:
        problem = refusals.words(refused)
    else:
        with parts().reading.reader.borrow() as connection:
            found = audit_trail.trail(connection, wanted, cursor=request.args.get("cursor", ""))
        if found.next_cursor:
            query: dict[str, Any] = {**asked, "cursor": found.next_cursor}
            following = url_for("audit.trail", **query)
    return render_template(
        "audit/trail.html",
        asked=asked,
        found=found,
        problem=problem,
        following=following,
        events=sorted(CATALOGUE),
        names=names_now()[0],
        origin=origin,
        page_of=_page_of,
    )


@blueprint.get("/<int:position>")
@needs("audit.see")
def event(position: int) -> str:
    """One event: in words, as it is stored, and what came before and after it in its stream."""
    if not 0 < position <= _LAST:
        abort(404)
    record = next(iter(parts().reading.sealed.history(after=position - 1, until=position)), None)
    if record is None:
        abort(404)
    name, body = stored(record)
    with parts().reading.reader.borrow() as connection:
        stream = audit_trail.trail(connection, Filter(stream=record.stream), limit=500, oldest_first=True)
        looked = audit_trail.looked_at(connection, record.stream)
    names = names_now()[0]
    return render_template(
        "audit/event.html",
        record=record,
        name=name,
        body=body,
        words=sentence(record, names),
        stream=stream.items,
        looked=looked.items,
        names=names,
        origin=origin,
        page_of=_page_of,
    )


def _wanted(asked: dict[str, str]) -> Filter:
    zone = parts().settings.timezone
    return Filter(
        about=asked["about"],
        stream=asked["stream"],
        actor=asked["actor"],
        names=(asked["name"],) if asked["name"] else (),
        since=parse_time(asked["from"], zone) if asked["from"] else None,
        until=parse_time(asked["to"], zone) if asked["to"] else None,
        unknown=bool(asked["unknown"]),
    )


def _page_of(stream: str) -> str:
    """The page on what a stream is about, empty where there is none."""
    ident = ident_of(stream)
    match kind_of(stream):
        case "contact":
            return url_for("history.contact", contact_id=ident)
        case "customer":
            return url_for("customers.show", customer_id=ident)
        case "order":
            return url_for("work.show", order_id=ident)
    return ""
