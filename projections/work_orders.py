"""Work orders: the board and the list of back office, and one order with its history.

Streams: order, ordertype, contact (who the caller of an order's contact turned out to be). Times by our own clock
(`Provenance.at`).
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from msgspec import Struct, field

from orchestrator.domain.contacts import contacts
from orchestrator.domain.kernel import Event, Record, ident_of
from orchestrator.domain.work import orders, ordertypes
from orchestrator.domain.work.ordertypes import OrderType, OrderTypeConfigured
from projections.base import Batch, Connection
from projections.pages import Condition, Page, page
from projections.tables import Table

NAME: Final = "work_orders"
VERSION: Final = 1

TABLES: Final = """
CREATE TABLE work_orders (
    order_id    text   PRIMARY KEY,
    type_id     text   NOT NULL,
    state       text   NOT NULL,
    kind        text   NOT NULL,
    assignee    text   NOT NULL,
    contact_id  text   NOT NULL,
    customer_id text   NOT NULL,
    opened_at   bigint NOT NULL,
    opened_by   text   NOT NULL,
    since       bigint NOT NULL,
    changed_at  bigint NOT NULL,
    notes       bigint NOT NULL,
    fields      jsonb  NOT NULL,
    sealed      jsonb  NOT NULL,
    version     bigint NOT NULL,
    position    bigint NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX ON work_orders (contact_id) WHERE contact_id <> '' AND customer_id = '';
CREATE TABLE work_orders_steps (
    order_id text   NOT NULL,
    version  bigint NOT NULL,
    at       bigint NOT NULL,
    position bigint NOT NULL,
    actor    text   NOT NULL,
    what     text   NOT NULL,
    state    text   NOT NULL,
    action   text   NOT NULL,
    assignee text   NOT NULL,
    fields   jsonb  NOT NULL,
    sealed   jsonb  NOT NULL,
    PRIMARY KEY (order_id, version)
);
CREATE TABLE work_orders_types (
    type_id  text    PRIMARY KEY,
    open     boolean NOT NULL,
    settings jsonb   NOT NULL
);
CREATE TABLE work_orders_callers (
    contact_id  text PRIMARY KEY,
    customer_id text NOT NULL
);
"""

INDEXES: Final = """
CREATE INDEX ON work_orders (opened_at, order_id);
CREATE INDEX ON work_orders (kind, opened_at, order_id);
CREATE INDEX ON work_orders (type_id, state, opened_at, order_id);
CREATE INDEX ON work_orders (assignee, kind, opened_at, order_id);
CREATE INDEX ON work_orders (customer_id, opened_at, order_id);
CREATE INDEX ON work_orders (contact_id) WHERE contact_id <> '';
CREATE INDEX ON work_orders (left(order_id, 8));
"""


class Order(Struct):
    """One order as it stands. `kind`: open, done, closed. `since`: when it came to `state`. `sealed`: field path
    (`personal.address`) to sealed text, bound to stream order-<id> and that path. `customer_id` is empty while nobody
    knows whose it is.
    """

    order_id: str
    type_id: str
    state: str
    opened_at: int
    since: int
    changed_at: int
    version: int
    position: int
    kind: str = "open"
    assignee: str = ""
    contact_id: str = ""
    customer_id: str = ""
    opened_by: str = ""
    notes: int = 0
    fields: dict[str, str] = field(default_factory=dict)
    sealed: dict[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """What people call it by."""
        return orders.reference(self.order_id)


class Step(Struct):
    """One event of an order. `what` is its name. `sealed` as in `Order`, with `text` and `note` of what was written."""

    order_id: str
    version: int
    at: int
    position: int
    actor: str
    what: str
    state: str = ""
    action: str = ""
    assignee: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    sealed: dict[str, str] = field(default_factory=dict)


class Type(Struct):
    """A type of order as configured now."""

    type_id: str
    open: bool
    settings: OrderTypeConfigured


class Caller(Struct):
    """Who called, while the contact lives: an order may just then be opened by somebody who did not know yet."""

    contact_id: str
    customer_id: str


ORDERS: Final = Table(NAME, Order, key=("order_id",))
STEPS: Final = Table(f"{NAME}_steps", Step, key=("order_id", "version"))
TYPES: Final = Table(f"{NAME}_types", Type, key=("type_id",))
CALLERS: Final = Table(f"{NAME}_callers", Caller, key=("contact_id",))

_UNOWNED: Final = b"""
SELECT order_id FROM work_orders WHERE contact_id = ANY(%s) AND contact_id <> '' AND customer_id = ''
"""


# --- folding ---------------------------------------------------------------------------------------------------------
def apply(batch: Batch) -> None:
    """Load the orders of this batch and those of callers who were identified, fold, and put them back."""
    news = [record for record in batch.records if type(record.event) in _KNOWN]
    if not news:
        return
    fold = _Fold(batch, news)
    for record in news:
        fold.see(record)
    fold.save(batch)


class _Fold:
    """The rows that a batch changes."""

    def __init__(self, batch: Batch, news: Iterable[Record]) -> None:
        cursor = batch.cursor
        touched: set[str] = set()
        types: set[str] = set()
        asked: set[str] = set()
        identified: set[str] = set()
        for record in news:
            match record.event:
                case contacts.ContactIdentified():
                    identified.add(ident_of(record.stream))
                case orders.OrderOpened() if record.event.contact_id and not record.event.customer_id:
                    asked.add(record.event.contact_id)
                case ordertypes.OrderTypeRemoved():
                    types.add(ident_of(record.stream))
                case _ if type(record.event) in _CHANGES:
                    touched.add(ident_of(record.stream))
        self.callers = CALLERS.load(cursor, asked)
        self.types = TYPES.load(cursor, types)
        if identified:
            found = cursor.execute(_UNOWNED, (sorted(identified),), prepare=True).fetchall()
            touched |= {str(order_id) for (order_id,) in found}
        self.orders = ORDERS.load(cursor, touched)
        self.steps: list[Step] = []
        self.ended: set[str] = set()
        self.unowned: dict[str, set[str]] = {}
        """Orders that wait for their contact's customer, by contact."""
        for order in self.orders.values():
            self._wait_for_owner(order)

    def see(self, record: Record) -> None:
        event, ident = record.event, ident_of(record.stream)
        match event:
            case contacts.ContactIdentified():
                self.callers[ident] = Caller(ident, event.customer_id)
                for order_id in self.unowned.pop(ident, ()):
                    self.orders[order_id].customer_id = event.customer_id
            case contacts.ContactEnded():
                self.ended.add(ident)
            case ordertypes.OrderTypeConfigured():
                self.types[ident] = Type(ident, open=True, settings=event)
            case ordertypes.OrderTypeRemoved() if ident in self.types:
                self.types[ident].open = False
            case orders.OrderOpened():
                self._open(ident, record, event)
            case _ if (order := self.orders.get(ident)) is not None:
                step = _step(record)
                _CHANGES[type(event)](order, step, event, record.about.at)
                self._note(order, step, record)

    def _open(self, ident: str, record: Record, event: orders.OrderOpened) -> None:
        caller = self.callers.get(event.contact_id)
        order = Order(
            order_id=ident,
            type_id=event.type_id,
            state=event.state,
            contact_id=event.contact_id,
            customer_id=event.customer_id or (caller.customer_id if caller is not None else ""),
            opened_at=record.about.at,
            opened_by=record.about.actor,
            since=record.about.at,
            changed_at=record.about.at,
            fields=event.fields,
            sealed=_personal(event.personal),
            version=record.version,
            position=record.position,
        )
        self.orders[ident] = order
        self._wait_for_owner(order)
        step = _step(record)
        step.state, step.fields, step.sealed = event.state, event.fields, _personal(event.personal)
        self._note(order, step, record)

    def _wait_for_owner(self, order: Order) -> None:
        if order.contact_id and not order.customer_id:
            self.unowned.setdefault(order.contact_id, set()).add(order.order_id)

    def _note(self, order: Order, step: Step, record: Record) -> None:
        order.changed_at, order.version, order.position = record.about.at, record.version, record.position
        step.state = step.state or order.state
        step.sealed = {path: text for path, text in step.sealed.items() if text}
        self.steps.append(step)

    def save(self, batch: Batch) -> None:
        """Put everything back."""
        ORDERS.save(batch.cursor, self.orders.values())
        STEPS.insert(batch.cursor, self.steps)
        TYPES.save(batch.cursor, self.types.values())
        CALLERS.delete(batch.cursor, self.ended)
        CALLERS.save(batch.cursor, [each for each in self.callers.values() if each.contact_id not in self.ended])


def _step(record: Record) -> Step:
    return Step(
        order_id=ident_of(record.stream),
        version=record.version,
        at=record.about.at,
        position=record.position,
        actor=record.about.actor,
        what=type(record.event).__name__,
    )


def _personal(sealed: dict[str, str]) -> dict[str, str]:
    return {f"personal.{name}": text for name, text in sealed.items() if text}


def _assigned(order: Order, step: Step, event: orders.OrderAssigned, at: int) -> None:
    if event.state != order.state:
        order.since = at
    order.assignee, order.state = event.assignee, event.state
    step.assignee, step.state = event.assignee, event.state


def _noted(order: Order, step: Step, event: orders.OrderNoted, _at: int) -> None:
    order.notes += 1
    step.sealed = {"text": event.text}


def _amended(order: Order, step: Step, event: orders.OrderAmended, _at: int) -> None:
    changed = {f"personal.{name}": text for name, text in event.personal.items()}
    order.fields = {name: value for name, value in {**order.fields, **event.fields}.items() if value}
    order.sealed = {path: text for path, text in {**order.sealed, **changed}.items() if text}
    step.fields, step.sealed = event.fields, changed


_Move = orders.OrderMoved | orders.OrderDone | orders.OrderReopened | orders.OrderClosed
_KIND_AFTER: Final[dict[type[Event], str]] = {orders.OrderDone: "done", orders.OrderClosed: "closed"}


def _moved(order: Order, step: Step, event: _Move, at: int) -> None:
    order.state, order.kind, order.since = event.state, _KIND_AFTER.get(type(event), "open"), at
    step.state, step.action, step.sealed = event.state, event.action, {"note": event.note}


_CHANGES: Final[dict[type[Event], Callable[[Order, Step, Any, int], None]]] = {
    orders.OrderAssigned: _assigned,
    orders.OrderNoted: _noted,
    orders.OrderAmended: _amended,
    orders.OrderMoved: _moved,
    orders.OrderDone: _moved,
    orders.OrderReopened: _moved,
    orders.OrderClosed: _moved,
}
_KNOWN: Final = {
    *_CHANGES,
    orders.OrderOpened,
    ordertypes.OrderTypeConfigured,
    ordertypes.OrderTypeRemoved,
    contacts.ContactIdentified,
    contacts.ContactEnded,
}


# --- queries ---------------------------------------------------------------------------------------------------------
class Search(Struct, frozen=True, kw_only=True):
    """What is looked for; what is empty or None does not narrow. Instants: since ≤ opened_at < until.

    `assignees`: any of these (one's own and one's trays). `reference`: as people call it, `7F3A-21C9`.
    """

    type_id: str = ""
    state: str = ""
    kind: str = ""
    assignees: tuple[str, ...] = ()
    unassigned: bool = False
    customer_id: str = ""
    contact_id: str = ""
    reference: str = ""
    since: int | None = None
    until: int | None = None


class Count(Struct, frozen=True):
    """How many orders of a type are in a state: a column of the board."""

    type_id: str
    state: str
    kind: str
    orders: int


def search(
    connection: Connection, wanted: Search, *, cursor: str = "", limit: int = 50, oldest_first: bool = False
) -> Page[Order]:
    """Orders, the latest opened first, or the oldest. Raises `Refused` for a cursor or limit that cannot be."""
    conditions: list[Condition] = []
    if wanted.type_id:
        conditions.append(("type_id = %s", wanted.type_id))
    if wanted.state:
        conditions.append(("state = %s", wanted.state))
    if wanted.kind:
        conditions.append(("kind = %s", wanted.kind))
    if wanted.assignees:
        conditions.append(("assignee = ANY(%s)", list(wanted.assignees)))
    if wanted.unassigned:
        conditions.append(("assignee = ''",))
    if wanted.customer_id:
        conditions.append(("customer_id = %s", wanted.customer_id))
    if wanted.contact_id:
        conditions.append(("contact_id = %s AND contact_id <> ''", wanted.contact_id))
    if wanted.reference:
        conditions.append(("left(order_id, 8) = %s", wanted.reference.replace("-", "").strip().lower()[:8]))
    if wanted.since is not None:
        conditions.append(("opened_at >= %s", wanted.since))
    if wanted.until is not None:
        conditions.append(("opened_at < %s", wanted.until))
    key = ("opened_at", "order_id")
    return page(connection, ORDERS, conditions, key=key, cursor=cursor, limit=limit, descending=not oldest_first)


def find(connection: Connection, order_id: str) -> Order | None:
    """One order, None where there is none of this id."""
    found = page(connection, ORDERS, [("order_id = %s", order_id)], key=("order_id",), limit=1)
    return found.items[0] if found.items else None


def history(connection: Connection, order_id: str, *, cursor: str = "", limit: int = 100) -> Page[Step]:
    """What happened to an order, the first event first. Raises `Refused` for a cursor or limit that cannot be."""
    conditions: list[Condition] = [("order_id = %s", order_id)]
    return page(connection, STEPS, conditions, key=("version",), cursor=cursor, limit=limit, descending=False)


def counts(connection: Connection, *, kinds: tuple[str, ...] = ("open",)) -> list[Count]:
    """How many orders there are of each type and state, of these kinds."""
    rows = connection.execute(
        "SELECT type_id, state, kind, count(*) FROM read.work_orders WHERE kind = ANY(%s)"
        " GROUP BY type_id, state, kind ORDER BY type_id, state",
        (list(kinds),),
    ).fetchall()
    return [Count(*row) for row in rows]


def types(connection: Connection) -> dict[str, OrderType]:
    """The types of orders by id, those that were removed too (`open` is false): their orders are still there."""
    rows = connection.execute(
        "SELECT type_id, open, settings FROM read.work_orders_types ORDER BY type_id", binary=True
    ).fetchall()
    return {
        row.type_id: OrderType(type_id=row.type_id, settings=row.settings, open=row.open) for row in TYPES.made(rows)
    }
