"""Finding customers, one customer with the timeline, and what people write down (features 5.1, 5.2 and 5.3, simple)."""

from typing import Final

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from orchestrator.domain.customers.people import ChangeProfile
from orchestrator.domain.kernel import Refused
from orchestrator.domain.work.ordertypes import OrderType
from orchestrator.service.deciding import Written
from orchestrator.service.regions import region_of
from projections import customer_timeline, customers, work_orders
from web import language, refusals
from web.access.needs import needs
from web.customers.shown import Line, Person, lines, people
from web.fresh import caught_up
from web.navigation import Item
from web.parts import parts
from web.words import code
from web.writing import file, fresh_key, key, who

blueprint = Blueprint("customers", __name__, url_prefix="/customers")
NAVIGATION = (Item("customers.search", _l("Customers"), 30),)

LEVELS: Final = ("vip", "gold", "silver")
KINDS: Final = ("contact", "order", "note", "file")


@blueprint.get("/")
@needs("customers.see")
def search() -> str:
    """By number, name or company; everybody, the latest seen first, where nothing is asked."""
    caught_up(customers.NAME)
    text, level = request.args.get("q", "").strip(), request.args.get("level", "")
    found: list[Person] = []
    problem = following = ""
    settings, reading = parts().settings, parts().reading
    try:
        with reading.reader.borrow() as connection:
            page = customers.search(
                connection,
                reading.vault,
                text,
                region=settings.region,
                level=level if level in LEVELS else "",
                cursor=request.args.get("cursor", ""),
            )
    except Refused as refused:
        problem = refusals.words(refused)
    else:
        found = people(page.items)
        if page.next_cursor:
            following = url_for("customers.search", q=text, level=level, cursor=page.next_cursor)
    return render_template(
        "customers/search.html",
        text=text,
        level=level,
        levels=LEVELS,
        found=found,
        problem=problem,
        following=following,
    )


@blueprint.get("/new")
@needs("customers.edit")
def new() -> str:
    """The form for a customer whom nobody called about yet."""
    return render_template("customers/new.html", number=request.args.get("number", ""), levels=LEVELS, key=fresh_key())


@blueprint.post("/")
@needs("customers.edit")
def create() -> Response:
    """Make one; 409 where somebody has the number."""
    written = file().create(who(), _profile(), number=request.form.get("number", ""), key=key())
    return _to(written)


@blueprint.get("/<customer_id>")
@needs("customers.see")
def show(customer_id: str) -> str:
    """One customer: who it is, what is open, and the timeline."""
    caught_up(customers.NAME, customer_timeline.NAME, work_orders.NAME)
    kind = request.args.get("kind", "")
    kinds = (kind,) if kind in KINDS else ()
    with parts().reading.reader.borrow() as connection:
        row = customers.find(connection, customer_id)
        if row is None:
            abort(404)
        page = customer_timeline.timeline(connection, customer_id, kinds=kinds, cursor=request.args.get("cursor", ""))
        wanted = work_orders.Search(customer_id=customer_id, kind="open")
        orders = work_orders.search(connection, wanted)
        types = work_orders.types(connection)
    following = ""
    if page.next_cursor:
        following = url_for("customers.show", customer_id=customer_id, kind=kind, cursor=page.next_cursor)
    person = people([row])[0]
    return render_template(
        "customers/customer.html",
        person=person,
        regions={number.text: region_of(number.text, language.current()) for number in person.numbers},
        orders=orders.items,
        types=types,
        lines=_lines(page.items, types),
        kind=kind,
        kinds=KINDS,
        levels=LEVELS,
        following=following,
        code=code,
        key=fresh_key(),
        language=language.current,
    )


@blueprint.post("/<customer_id>/profile")
@needs("customers.edit")
def change(customer_id: str) -> Response:
    """Correct the file."""
    return _to(file().change(who(), customer_id, _profile(), key=key()))


@blueprint.post("/<customer_id>/numbers")
@needs("customers.edit")
def add_number(customer_id: str) -> Response:
    """One more number; 409 where somebody else has it."""
    raw, label = request.form.get("number", ""), request.form.get("label", "")
    return _to(file().add_number(who(), customer_id, raw, label=label, key=key()))


@blueprint.post("/<customer_id>/notes")
@needs("customers.edit")
def add_note(customer_id: str) -> Response:
    """Write something down."""
    return _to(file().note(who(), customer_id, request.form.get("text", ""), key=key()))


def _lines(entries: list[customer_timeline.Entry], types: dict[str, OrderType]) -> list[Line]:
    return lines(entries, types, language.current())


def _profile() -> ChangeProfile:
    form = request.form
    level = form.get("level")
    if level and level not in LEVELS:
        raise Refused("bad_level", f"A level is one of {', '.join(LEVELS)}, or none.")
    return ChangeProfile(name=form.get("name"), company=form.get("company"), address=form.get("address"), level=level)


def _to(written: Written) -> Response:
    return redirect(url_for("customers.show", customer_id=written.ident, after=written.position), 303)
