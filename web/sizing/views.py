"""A day by half hour, sized by every formula beside who was there; and a plan from customers (features 10.1, 10.2)."""

import time
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import lazy_gettext as _l
from msgspec.structs import asdict

from orchestrator.domain.kernel import Instant, Refused
from orchestrator.domain.sizing import seats
from orchestrator.domain.sizing.seats import Terms
from projections import half_hours, sizing
from projections.base import Site
from projections.sizing import Sheet
from web import refusals
from web.access.needs import needs
from web.fresh import caught_up
from web.navigation import Item
from web.parts import parts
from web.sizing import asked, beside, words
from web.whatif.jobs import jobs

blueprint = Blueprint("sizing", __name__, url_prefix="/sizing")
NAVIGATION = (Item("sizing.day", _l("Sizing"), 65),)

_EXAMPLE = {
    "customers": "20000000",
    "daily_percent": "0.3",
    "busy_percent": "20",
    "handling_s": "150",
    "occupancy_percent": "75",
}


@blueprint.get("/")
@needs("sizing.see")
def day() -> str:
    """The half hours of a day; with what cannot be asked, the form and what to write instead."""
    caught_up(half_hours.NAME)
    now = Instant(time.time_ns() // 1000)
    site = Site(parts().settings.timezone)
    found, problem = None, ""
    with parts().reading.reader.borrow() as connection:
        queues = sizing.queues(connection)
        try:
            found = sizing.sheet(connection, site, asked.of_day(request.args, site.day(now)), now)
        except Refused as refused:
            problem = refusals.words(refused)
    busiest = found.busiest if found is not None else None
    why = []
    if found is not None and busiest is not None:
        why = [*words.reasons(busiest.demand, busiest.sizes, found.terms), *words.reality(busiest)]
    shown = asdict(found.terms if found is not None else Terms())
    return _page(
        "sizing/day.html",
        problem,
        shown=shown,
        found=found,
        queues=queues,
        today=site.day(now),
        busiest=busiest,
        why=why,
        **_beside(found if busiest is not None else None, site),
    )


def _beside(found: Sheet | None, site: Site) -> dict[str, object]:
    """The whole day side by side, with what it came to when it was played, where it was."""
    if found is None:
        return {}
    bounds = site.bounds(found.day)
    answer = next((each for _, each in jobs().last() if (each.first, each.last) == bounds), None)
    played = None
    if answer is not None:
        played = answer.figures if found.queue is None else answer.queues.get(found.queue.queue_id)
    return {
        "beside": beside.beside(found, played),
        "day_why": beside.reasons(found, played),
        "played": played is not None,
    }


@blueprint.get("/plan")
@needs("sizing.see")
def plan() -> str:
    """Seats for so many customers; nothing but the form where nobody asked yet."""
    plan, terms, sizes, problem = None, Terms(), None, ""
    if request.args:
        try:
            plan, terms = asked.of_plan(request.args)
            sizes = seats.sizes(plan.busy_hour, terms)
        except Refused as refused:
            problem = refusals.words(refused)
    if plan is None or sizes is None:
        return _page("sizing/plan.html", problem, shown=asdict(Terms()), sizes=None, example=_EXAMPLE)
    return _page(
        "sizing/plan.html",
        problem,
        shown=asdict(terms),
        sizes=sizes,
        demand=plan.busy_hour,
        exact=seats.seats_for(plan, terms),
        why=words.reasons(plan.busy_hour, sizes, terms),
        example=_EXAMPLE,
    )


def _page(name: str, problem: str, **given: Any) -> str:  # noqa: ANN401 - what the template shows
    return render_template(name, problem=problem, labels=asked.labels(), terms=asked.TERMS, plan=asked.PLAN, **given)
