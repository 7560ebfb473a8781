"""Work orders: searched, opened, given to somebody, noted, corrected, moved on by what their type allows."""

from typing import Annotated, Literal

from flask import abort
from msgspec import UNSET, Meta, Struct, UnsetType

from orchestrator.domain.work.orders import reference
from orchestrator.domain.work.ordertypes import OrderType
from projections import work_orders
from web.api.forms import (
    Ident,
    Items,
    Paged,
    Position,
    Text,
    Time,
    Word,
    Written,
    instant_of,
    items_of,
    number_of,
    time_of,
    written,
)
from web.parts import parts
from web.words.timeline import step as step_words
from web.work.moves import refuse_closing
from web.writing import who, work

_PERSONAL = "personal."

Kind = Literal["open", "done", "closed"]
Values = Annotated[
    dict[str, Annotated[str, Meta(max_length=4_000)] | int | float | bool | None],
    Meta(max_length=100, description="Values by the ids of the type's fields."),
]


class OrdersQuery(Paged, frozen=True, kw_only=True):
    """What is looked for; what is not given does not narrow. `assignee` may stand several times."""

    type_id: Ident = ""
    state: Ident = ""
    kind: Literal["", "open", "done", "closed"] = ""
    assignee: Annotated[tuple[Word, ...], Meta(description="agent:<id>, user:<id> or role:<role>.")] = ()
    unassigned: bool = False
    customer_id: Ident = ""
    contact_id: Ident = ""
    reference: Annotated[Ident, Meta(description="As people call it, 7F3A-21C9.")] = ""
    since: Annotated[Time | UnsetType, Meta(description="Opened at this instant or later.")] = UNSET
    until: Annotated[Time | UnsetType, Meta(description="Opened before this instant.")] = UNSET
    oldest_first: bool = False


class Order(Struct, frozen=True, kw_only=True):
    """One order. `kind` is what `state` counts as; `since`: when it came to it. `notes`: how many there are."""

    order_id: str
    reference: str
    type_id: str
    state: str
    kind: Kind
    opened_at: Time
    since: Time
    changed_at: Time
    opened_by: str
    assignee: str
    contact_id: str
    customer_id: str
    notes: int
    fields: Annotated[dict[str, str], Meta(description="Values by the ids of the type's fields.")]
    version: int
    position: Position


class Step(Struct, frozen=True, kw_only=True):
    """One event of an order. `text`: what somebody wrote with it."""

    version: int
    at: Time
    position: Position
    actor: str
    what: str
    words: str
    state: str
    action: str
    assignee: str
    text: str


class NewOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order of a type, for a contact, a customer or nobody."""

    type_id: Ident
    fields: Values = {}
    contact_id: Ident = ""
    customer_id: Ident = ""


class Assign(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose it is to be: `agent:<id>`, `user:<id>` or a tray, `role:<role>`."""

    assignee: Word


class OrderNote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something written down."""

    text: Text


class Amend(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other values; a field that is not given stays as it is, an empty one is emptied."""

    fields: Values


class NewMove(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A move of the type: done, reopen, close, …"""

    action: Ident
    note: Text = ""


def search(query: OrdersQuery) -> Items[Order]:
    """Work orders, the latest opened first"""
    wanted = work_orders.Search(
        type_id=query.type_id,
        state=query.state,
        kind=query.kind,
        assignees=query.assignee,
        unassigned=query.unassigned,
        customer_id=query.customer_id,
        contact_id=query.contact_id,
        reference=query.reference,
        since=instant_of(query.since),
        until=instant_of(query.until),
    )
    with parts().reading.reader.borrow() as connection:
        page = work_orders.search(
            connection, wanted, cursor=query.cursor, limit=query.limit, oldest_first=query.oldest_first
        )
        types = work_orders.types(connection)
    return items_of(page, _orders(page.items, types))


def create(body: NewOrder, key: str) -> Written:
    """Open a work order"""
    done = work().open(
        who(), body.type_id, body.fields, contact_id=body.contact_id, customer_id=body.customer_id, key=key
    )
    return written(done)


def one(order_id: str) -> Order:
    """One work order"""
    with parts().reading.reader.borrow() as connection:
        row = work_orders.find(connection, order_id)
        types = work_orders.types(connection)
    if row is None:
        abort(404)
    return _orders([row], types)[0]


def history(order_id: str, query: Paged) -> Items[Step]:
    """What happened to a work order, the first event first"""
    with parts().reading.reader.borrow() as connection:
        if work_orders.find(connection, order_id) is None:
            abort(404)
        page = work_orders.history(connection, order_id, cursor=query.cursor, limit=query.limit)
    wrote = [next((path for path in ("text", "note") if path in row.sealed), "") for row in page.items]
    sealed = [
        (f"order-{order_id}", path, row.sealed.get(path, "")) for row, path in zip(page.items, wrote, strict=True)
    ]
    texts = parts().reading.opened(sealed)
    return items_of(page, [_step(row, text) for row, text in zip(page.items, texts, strict=True)])


def assign(order_id: str, body: Assign, key: str) -> Written:
    """Give a work order to somebody or to a tray"""
    return written(work().assign(who(), order_id, body.assignee, key=key))


def note(order_id: str, body: OrderNote, key: str) -> Written:
    """Write something down about a work order"""
    return written(work().note(who(), order_id, body.text, key=key))


def amend(order_id: str, body: Amend, key: str) -> Written:
    """Give fields of a work order other values"""
    return written(work().amend(who(), order_id, body.fields, key=key))


def move(order_id: str, body: NewMove, key: str) -> Written:
    """Move a work order on; closing it for good needs work.close"""
    refuse_closing(work(), order_id, body.action)
    return written(work().act(who(), order_id, body.action, note=body.note, key=key))


def _orders(rows: list[work_orders.Order], types: dict[str, OrderType]) -> list[Order]:
    """These, opened all at once; telephone numbers as the visitor may see them."""
    paths = [(row, path) for row in rows for path in row.sealed if path.startswith(_PERSONAL)]
    texts = parts().reading.opened([(f"order-{row.order_id}", path, row.sealed[path]) for row, path in paths])
    opened: dict[str, dict[str, str]] = {}
    for (row, path), text in zip(paths, texts, strict=True):
        opened.setdefault(row.order_id, {})[path.removeprefix(_PERSONAL)] = text
    return [_order(row, opened.get(row.order_id, {}), types.get(row.type_id)) for row in rows]


def _order(row: work_orders.Order, personal: dict[str, str], known: OrderType | None) -> Order:
    phones = {field.id for field in known.settings.fields if field.kind == "phone"} if known is not None else set()
    shown = {name: number_of(text) if name in phones else text for name, text in personal.items()}
    return Order(
        order_id=row.order_id,
        reference=reference(row.order_id),
        type_id=row.type_id,
        state=row.state,
        kind=row.kind,  # type: ignore[arg-type]  # the model has no other kinds
        opened_at=time_of(row.opened_at),
        since=time_of(row.since),
        changed_at=time_of(row.changed_at),
        opened_by=row.opened_by,
        assignee=row.assignee,
        contact_id=row.contact_id,
        customer_id=row.customer_id,
        notes=row.notes,
        fields={**row.fields, **shown},
        version=row.version,
        position=row.position,
    )


def _step(row: work_orders.Step, text: str) -> Step:
    return Step(
        version=row.version,
        at=time_of(row.at),
        position=row.position,
        actor=row.actor,
        what=row.what,
        words=step_words(row.what),
        state=row.state,
        action=row.action,
        assignee=row.assignee,
        text=text,
    )
