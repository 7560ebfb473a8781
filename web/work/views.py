"""The board of work orders, one order with its history, and everything its type allows (feature 6.1, simple)."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from orchestrator.domain.work.ordertypes import OrderType, label
from orchestrator.service.deciding import Written
from projections import customers, work_orders
from web import language
from web.access.needs import needs
from web.access.visitor import me
from web.customers.shown import people
from web.fresh import caught_up
from web.navigation import Item
from web.parts import parts
from web.words import code
from web.words.timeline import step
from web.work.moves import refuse_closing
from web.work.shown import steps_of, values_of
from web.writing import fresh_key, key, who, work

blueprint = Blueprint("work", __name__, url_prefix="/orders")
NAVIGATION = (Item("work.board", _l("Work orders"), 40),)

KINDS: Final = ("open", "done", "closed")
# What an order may be given to as a whole; the first who is free takes it.
TRAYS: Final = ("back_office", "service_point", "leader")
_FIELD: Final = "field."


@blueprint.get("/")
@needs("work.see")
def board() -> str:
    """Orders by state and type, by whose they are, the latest first; with how many there are of each."""
    caught_up(work_orders.NAME)
    kind = request.args.get("kind", "open")
    asked = {name: request.args.get(name, "") for name in ("type", "state", "whose", "reference")}
    wanted = work_orders.Search(
        type_id=asked["type"],
        state=asked["state"],
        kind=kind if kind in KINDS else "",
        assignees=mine() if asked["whose"] == "mine" else (),
        unassigned=asked["whose"] == "nobody",
        reference=asked["reference"],
    )
    with parts().reading.reader.borrow() as connection:
        page = work_orders.search(connection, wanted, cursor=request.args.get("cursor", ""))
        types = work_orders.types(connection)
        counts = work_orders.counts(connection)
        owners = customers.find_many(connection, [order.customer_id for order in page.items if order.customer_id])
    query: dict[str, Any] = {**asked, "kind": kind, "cursor": page.next_cursor}
    following = url_for("work.board", **query) if page.next_cursor else ""
    return render_template(
        "work/board.html",
        orders=page.items,
        names={person.customer_id: person.title for person in people(list(owners.values()))},
        types=types,
        counts=counts,
        asked=asked,
        kind=kind,
        kinds=KINDS,
        following=following,
        code=code,
    )


@blueprint.get("/new")
@needs("work.open")
def new() -> str:
    """The form of a type, for a contact or a customer; without a type, the types to choose from."""
    with parts().reading.reader.borrow() as connection:
        types = {ident: each for ident, each in work_orders.types(connection).items() if each.open}
    chosen = types.get(request.args.get("type", ""))
    return render_template(
        "work/new.html",
        types={ident: each for ident, each in types.items() if each.allows("open", me().roles)},
        chosen=chosen,
        label=_label,
        contact=request.args.get("contact", ""),
        customer=request.args.get("customer", ""),
        key=fresh_key(),
    )


@blueprint.post("/")
@needs("work.open")
def create() -> Response:
    """Open one; 409 with a sentence where a field will not do."""
    form = request.form
    written = work().open(
        who(),
        form.get("type", ""),
        _fields(),
        contact_id=form.get("contact", ""),
        customer_id=form.get("customer", ""),
        key=key(),
    )
    return _to(written)


@blueprint.get("/<order_id>")
@needs("work.see")
def show(order_id: str) -> str:
    """One order: fields, history, and what can be done with it now."""
    caught_up(work_orders.NAME)
    with parts().reading.reader.borrow() as connection:
        order = work_orders.find(connection, order_id)
        if order is None:
            abort(404)
        history = work_orders.history(connection, order_id, limit=500)
        known = work_orders.types(connection).get(order.type_id)
        owner = customers.find(connection, order.customer_id) if order.customer_id else None
    if known is None:
        abort(404)
    roles = me().roles
    handles = me().may("work.handle")
    return render_template(
        "work/order.html",
        order=order,
        known=known,
        owner=people([owner])[0] if owner is not None else None,
        values=values_of(order, known, language.current()),
        steps=steps_of(history.items, known, language.current()),
        moves=[move for move in known.moves_from(order.state) if _may_move(move.after, known, roles, move.roles)],
        may={action: handles and known.allows(action, roles) for action in ("assign", "note")},
        trays=TRAYS,
        step_words=lambda each: step(each.what),
        label=_label,
        code=code,
        key=fresh_key(),
    )


@blueprint.post("/<order_id>/assign")
@needs("work.handle")
def assign(order_id: str) -> Response:
    """Give it to somebody or to a tray."""
    to = request.form.get("assignee", "")
    return _to(work().assign(who(), order_id, me().actor if to == "me" else to, key=key()))


@blueprint.post("/<order_id>/notes")
@needs("work.handle")
def note(order_id: str) -> Response:
    """Write something down."""
    return _to(work().note(who(), order_id, request.form.get("text", ""), key=key()))


@blueprint.post("/<order_id>/moves")
@needs("work.handle")
def move(order_id: str) -> Response:
    """Carry out a move of the type; closing for good is for those who may."""
    action = request.form.get("action", "")
    refuse_closing(work(), order_id, action)
    return _to(work().act(who(), order_id, action, note=request.form.get("note", ""), key=key()))


@blueprint.app_template_global()
def type_name(types: Mapping[str, OrderType], type_id: str) -> str:
    """What a type is called in the reader's language."""
    return label(types[type_id].settings, language.current()) if type_id in types else type_id


@blueprint.app_template_global()
def state_name(types: Mapping[str, OrderType], type_id: str, state_id: str) -> str:
    """What a state of a type is called in the reader's language."""
    state = types[type_id].state(state_id) if type_id in types else None
    return state_id if state is None else label(state, language.current())


@blueprint.app_template_global()
def assignee_name(assignee: str) -> str:
    """Whose an order is: a person's id, or a tray."""
    kind, _, ident = assignee.partition(":")
    return code(ident) if kind == "role" else ident


def mine() -> tuple[str, ...]:
    """The visitor's own orders and their trays."""
    own = [me().actor, *(f"role:{role}" for role in me().roles)]
    return (*own, f"agent:{me().agent_id}") if me().agent_id else tuple(own)


def _may_move(after: str, known: OrderType, roles: tuple[str, ...], allowed: tuple[str, ...]) -> bool:
    if not me().may("work.handle") or (_closes(after, known) and not me().may("work.close")):
        return False
    return not set(roles).isdisjoint(allowed)


def _closes(state_id: str, known: OrderType) -> bool:
    state = known.state(state_id)
    return state is not None and state.kind == "closed"


def _label(thing: object) -> str:
    return label(thing, language.current())  # type: ignore[arg-type]  # whichever part of a type a template names


def _fields() -> dict[str, str]:
    return {name.removeprefix(_FIELD): value for name, value in request.form.items() if name.startswith(_FIELD)}


def _to(written: Written) -> Response:
    return redirect(url_for("work.show", order_id=written.ident, after=written.position), 303)
