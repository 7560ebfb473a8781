"""A customer's timeline: contacts with what became of them, orders with each step, notes, changes of the file.

Streams: contact, shift (wrap-up reasons), note, order, customer. Times by our own clock (`Provenance.at`). A contact
has one entry, at its arrival; of everything else each event has its own. Whose an entry is may be known only later:
what hangs on a contact becomes its customer's in the batch in which the contact is identified.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from msgspec import Struct, field

from orchestrator.domain.contacts import contacts
from orchestrator.domain.contacts.dial_events import ContactDialled
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.contacts.unattended import UnattendedCallEnded, UnattendedCallLost
from orchestrator.domain.customers import notes, people
from orchestrator.domain.kernel import Event, Record, ident_of
from orchestrator.domain.staff import shifts
from orchestrator.domain.work import orders
from projections.base import Batch, Connection
from projections.pages import Condition, Page, page
from projections.tables import Table

NAME: Final = "customer_timeline"
VERSION: Final = 1

TABLES: Final = """
CREATE TABLE customer_timeline (
    entry_id    text   PRIMARY KEY,
    customer_id text   NOT NULL,
    at          bigint NOT NULL,
    position    bigint NOT NULL,
    kind        text   NOT NULL,
    what        text   NOT NULL,
    stream      text   NOT NULL,
    contact_id  text   NOT NULL,
    order_id    text   NOT NULL,
    actor       text   NOT NULL,
    detail      jsonb  NOT NULL,
    sealed      jsonb  NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX ON customer_timeline (contact_id) WHERE contact_id <> '' AND customer_id = '' AND kind <> 'contact';
CREATE TABLE customer_timeline_orders (
    order_id    text PRIMARY KEY,
    type_id     text NOT NULL,
    customer_id text NOT NULL,
    contact_id  text NOT NULL
);
CREATE TABLE customer_timeline_wrap_ups (
    shift_id   text PRIMARY KEY,
    contact_id text NOT NULL
);
"""

INDEXES: Final = """
CREATE INDEX ON customer_timeline (customer_id, at, position) WHERE customer_id <> '';
"""


class Detail(Struct, kw_only=True, omit_defaults=True):
    """What an entry says beside its kind. Instants and durations as everywhere; what does not apply is empty.

    Of a contact: `dialled`, `outbound` (an agent called), `queue_id`, `agents` (in the order in which they talked),
    `connected_at`, `ended_at`, `talk_ms` (hold included), `transfers` (by an agent), `code` (the wrap-up reason). Of an
    order's step: `type_id`, `state`, `action`, `assignee`, `fields`. Of a note: `code`. Of the file: `changed` (which
    parts), `level`, `label`, `source`.
    """

    dialled: str = ""
    outbound: bool = False
    queue_id: str = ""
    agents: list[str] = field(default_factory=list)
    connected_at: int = 0
    ended_at: int = 0
    talk_since: int = 0
    talk_ms: int = 0
    transfers: int = 0
    code: str = ""
    type_id: str = ""
    state: str = ""
    action: str = ""
    assignee: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    level: str = ""
    label: str = ""
    source: str = ""


class Entry(Struct):
    """One entry. `kind`: contact, order, note, file. `what`: of a contact its outcome (`ContactEnded.reason`, empty
    while it lives), else the event's name. `sealed`: field path to sealed text, bound to `stream` and that path.
    """

    entry_id: str
    customer_id: str
    at: int
    position: int
    kind: str
    what: str
    stream: str
    contact_id: str = ""
    order_id: str = ""
    actor: str = ""
    detail: Detail = field(default_factory=Detail)
    sealed: dict[str, str] = field(default_factory=dict)


class Order(Struct):
    """Whose an order is, as its opening said."""

    order_id: str
    type_id: str
    customer_id: str
    contact_id: str


class WrapUp(Struct):
    """After-call work that goes on."""

    shift_id: str
    contact_id: str


ENTRIES: Final = Table(NAME, Entry, key=("entry_id",))
ORDERS: Final = Table(f"{NAME}_orders", Order, key=("order_id",))
WRAP_UPS: Final = Table(f"{NAME}_wrap_ups", WrapUp, key=("shift_id",))

# What hangs on contacts whose customer is known by now and was not, when it was written.
_RESOLVE: Final = b"""
UPDATE customer_timeline AS t SET customer_id = c.customer_id
  FROM customer_timeline AS c
 WHERE t.contact_id = ANY(%s) AND t.contact_id <> '' AND t.customer_id = '' AND t.kind <> 'contact'
   AND c.entry_id = 'contact-' || t.contact_id AND c.customer_id <> ''
"""


# --- folding ---------------------------------------------------------------------------------------------------------
def apply(batch: Batch) -> None:
    """Load what this batch's events go on with, fold, put it back, and give what hangs on a contact to its customer."""
    news = [record for record in batch.records if type(record.event) in _FOLDS]
    if not news:
        return
    fold = _Fold(batch, news)
    for record in news:
        _FOLDS[type(record.event)](fold, record, record.event)
    fold.save(batch)


class _Fold:
    """The rows that a batch changes."""

    def __init__(self, batch: Batch, news: Iterable[Record]) -> None:
        touched: set[str] = set()
        begun: set[str] = set()
        wrapping: set[str] = set()
        ordered: set[str] = set()
        for record in news:
            match record.event:
                case contacts.ContactArrived() | ContactDialled():
                    begun.add(record.stream)
                case shifts.WrapUpStarted():
                    touched.add(f"contact-{record.event.contact_id}")
                case shifts.WrapUpEnded():
                    wrapping.add(ident_of(record.stream))
                case orders.OrderOpened() | people.CustomerCreated() | notes.ContactNoted():
                    pass
                case _ if record.stream.startswith("contact-"):
                    touched.add(record.stream)
                case _ if record.stream.startswith("order-"):
                    ordered.add(ident_of(record.stream))
        cursor = batch.cursor
        self.wrap_ups = WRAP_UPS.load(cursor, wrapping)
        touched |= {f"contact-{each.contact_id}" for each in self.wrap_ups.values()}
        self.entries = ENTRIES.load(cursor, touched - begun)
        self.orders = ORDERS.load(cursor, ordered)
        self.wrapped: set[str] = set()
        """Shifts whose wrap-up is over."""
        self.unowned: set[str] = set()
        """Contacts on which something hangs that may be their customer's."""

    def contact(self, record: Record) -> Entry | None:
        """The entry of the contact whose event this is."""
        return self.entries.get(record.stream)

    def add(self, record: Record, kind: str, customer_id: str, detail: Detail, sealed: dict[str, str]) -> Entry:
        """An entry of its own for an event."""
        entry = Entry(
            entry_id=f"{record.stream}/{record.version}",
            customer_id=customer_id,
            at=record.about.at,
            position=record.position,
            kind=kind,
            what=type(record.event).__name__,
            stream=record.stream,
            actor=record.about.actor,
            detail=detail,
            sealed={path: text for path, text in sealed.items() if text},
        )
        self.entries[entry.entry_id] = entry
        return entry

    def add_step(self, record: Record, detail: Detail, sealed: dict[str, str]) -> None:
        """An entry for a step of an order."""
        order = self.orders.get(ident_of(record.stream))
        if order is None:
            return
        detail.type_id = order.type_id
        entry = self.add(record, "order", order.customer_id, detail, sealed)
        entry.order_id, entry.contact_id = order.order_id, order.contact_id
        self._hang(entry)

    def add_note(self, record: Record, event: notes.ContactNoted) -> None:
        """An entry for a note on a contact."""
        entry = self.add(record, "note", "", Detail(code=event.code), {"text": event.text})
        entry.contact_id = event.contact_id
        self._hang(entry)

    def _hang(self, entry: Entry) -> None:
        if entry.contact_id and not entry.customer_id:
            self.unowned.add(entry.contact_id)

    def save(self, batch: Batch) -> None:
        """Put everything back."""
        ENTRIES.save(batch.cursor, self.entries.values())
        ORDERS.save(batch.cursor, self.orders.values())
        WRAP_UPS.delete(batch.cursor, self.wrapped)
        WRAP_UPS.save(batch.cursor, [each for each in self.wrap_ups.values() if each.shift_id not in self.wrapped])
        if self.unowned:
            batch.cursor.execute(_RESOLVE, (sorted(self.unowned),), prepare=True)


def _arrived(fold: _Fold, record: Record, event: contacts.ContactArrived | ContactDialled) -> None:
    if isinstance(event, ContactDialled):
        detail = Detail(queue_id=event.queue_id, outbound=True)
    else:
        detail = Detail(dialled=event.dialled)
    ident = ident_of(record.stream)
    fold.entries[record.stream] = Entry(
        entry_id=record.stream,
        customer_id="",
        at=record.about.at,
        position=record.position,
        kind="contact",
        what="",
        stream=record.stream,
        contact_id=ident,
        detail=detail,
        sealed={"caller_number": event.caller_number} if event.caller_number else {},
    )


def _queued(fold: _Fold, record: Record, event: contacts.ContactQueued) -> None:
    if (entry := fold.contact(record)) is not None:
        entry.detail.queue_id = event.queue_id


def _identified(fold: _Fold, record: Record, event: contacts.ContactIdentified) -> None:
    if (entry := fold.contact(record)) is not None:
        entry.customer_id = event.customer_id
        fold.unowned.add(entry.contact_id)


def _connected(fold: _Fold, record: Record, event: contacts.ContactConnected) -> None:
    if (entry := fold.contact(record)) is not None:
        detail = entry.detail
        detail.agents.append(event.agent_id)
        detail.connected_at = detail.connected_at or record.about.at
        detail.talk_since = record.about.at


def _segment_ended(fold: _Fold, record: Record, _event: contacts.AgentSegmentEnded) -> None:
    if (entry := fold.contact(record)) is not None and entry.detail.talk_since:
        entry.detail.talk_ms += (record.about.at - entry.detail.talk_since) // 1000
        entry.detail.talk_since = 0


def _transferred(fold: _Fold, record: Record, event: ContactTransferred) -> None:
    if (entry := fold.contact(record)) is not None:
        entry.detail.transfers += not event.taken


def _served_by_switch(fold: _Fold, record: Record, event: UnattendedCallEnded) -> None:
    """Its switch served it alone: all its times are by the clock of the switch."""
    if (entry := fold.contact(record)) is not None:
        detail = entry.detail
        entry.at, detail.ended_at = event.arrived_at, event.ended_at
        detail.agents += [event.agent_id] if event.agent_id else []
        if event.joined_at:
            detail.connected_at, detail.talk_ms = event.joined_at, (event.ended_at - event.joined_at) // 1000


def _lost_with_switch(fold: _Fold, record: Record, event: UnattendedCallLost) -> None:
    """The last that is known of it stands for its end."""
    if (entry := fold.contact(record)) is not None:
        entry.at, entry.detail.ended_at = event.arrived_at, event.taken_at


def _ended(fold: _Fold, record: Record, event: contacts.ContactEnded) -> None:
    if (entry := fold.contact(record)) is not None:
        entry.what, entry.detail.ended_at = event.reason, entry.detail.ended_at or record.about.at


def _wrap_up_started(fold: _Fold, record: Record, event: shifts.WrapUpStarted) -> None:
    shift_id = ident_of(record.stream)
    fold.wrap_ups[shift_id] = WrapUp(shift_id, event.contact_id)
    fold.wrapped.discard(shift_id)


def _wrap_up_ended(fold: _Fold, record: Record, event: shifts.WrapUpEnded) -> None:
    shift_id = ident_of(record.stream)
    work = fold.wrap_ups.get(shift_id)
    fold.wrapped.add(shift_id)
    if work is not None and event.code and (entry := fold.entries.get(f"contact-{work.contact_id}")) is not None:
        entry.detail.code = event.code


def _contact_noted(fold: _Fold, record: Record, event: notes.ContactNoted) -> None:
    fold.add_note(record, event)


def _opened(fold: _Fold, record: Record, event: orders.OrderOpened) -> None:
    ident = ident_of(record.stream)
    fold.orders[ident] = Order(ident, event.type_id, event.customer_id, event.contact_id)
    fold.add_step(record, Detail(state=event.state, fields=event.fields), _personal(event.personal))


def _assigned(fold: _Fold, record: Record, event: orders.OrderAssigned) -> None:
    fold.add_step(record, Detail(state=event.state, assignee=event.assignee), {})


def _order_noted(fold: _Fold, record: Record, event: orders.OrderNoted) -> None:
    fold.add_step(record, Detail(), {"text": event.text})


def _amended(fold: _Fold, record: Record, event: orders.OrderAmended) -> None:
    changed = sorted((*event.fields, *event.personal))
    fold.add_step(record, Detail(fields=event.fields, changed=changed), _personal(event.personal))


def _moved(
    fold: _Fold,
    record: Record,
    event: orders.OrderMoved | orders.OrderDone | orders.OrderReopened | orders.OrderClosed,
) -> None:
    fold.add_step(record, Detail(state=event.state, action=event.action), {"note": event.note})


def _personal(sealed: dict[str, str]) -> dict[str, str]:
    return {f"personal.{name}": text for name, text in sealed.items()}


def _created(fold: _Fold, record: Record, event: people.CustomerCreated) -> None:
    fold.add(record, "file", ident_of(record.stream), Detail(source=event.source), {"number": event.number})


def _profile_changed(fold: _Fold, record: Record, event: people.CustomerProfileChanged) -> None:
    changed = [part for part in people.PROFILE if getattr(event, part) is not None]
    fold.add(record, "file", ident_of(record.stream), Detail(changed=changed, level=event.level or ""), {})


def _number_added(fold: _Fold, record: Record, event: people.CustomerNumberAdded) -> None:
    fold.add(record, "file", ident_of(record.stream), Detail(label=event.label), {"number": event.number})


def _customer_noted(fold: _Fold, record: Record, event: people.CustomerNoted) -> None:
    fold.add(record, "note", ident_of(record.stream), Detail(), {"text": event.text})


def _erased(fold: _Fold, record: Record, _event: people.CustomerErased) -> None:
    fold.add(record, "file", ident_of(record.stream), Detail(), {})


_FOLDS: Final[dict[type[Event], Callable[[_Fold, Record, Any], None]]] = {
    contacts.ContactArrived: _arrived,
    ContactDialled: _arrived,
    contacts.ContactQueued: _queued,
    contacts.ContactIdentified: _identified,
    contacts.ContactConnected: _connected,
    contacts.AgentSegmentEnded: _segment_ended,
    ContactTransferred: _transferred,
    UnattendedCallEnded: _served_by_switch,
    UnattendedCallLost: _lost_with_switch,
    contacts.ContactEnded: _ended,
    shifts.WrapUpStarted: _wrap_up_started,
    shifts.WrapUpEnded: _wrap_up_ended,
    notes.ContactNoted: _contact_noted,
    orders.OrderOpened: _opened,
    orders.OrderAssigned: _assigned,
    orders.OrderNoted: _order_noted,
    orders.OrderAmended: _amended,
    orders.OrderMoved: _moved,
    orders.OrderDone: _moved,
    orders.OrderReopened: _moved,
    orders.OrderClosed: _moved,
    people.CustomerCreated: _created,
    people.CustomerProfileChanged: _profile_changed,
    people.CustomerNumberAdded: _number_added,
    people.CustomerNoted: _customer_noted,
    people.CustomerErased: _erased,
}


# --- queries ---------------------------------------------------------------------------------------------------------
def timeline(
    connection: Connection, customer_id: str, *, kinds: tuple[str, ...] = (), cursor: str = "", limit: int = 50
) -> Page[Entry]:
    """A customer's entries, the latest first; only these kinds where any are named. Raises `Refused` for a cursor or
    limit that cannot be.
    """
    conditions: list[Condition] = [("customer_id = %s AND customer_id <> ''", customer_id)]
    if kinds:
        conditions.append(("kind = ANY(%s)", list(kinds)))
    return page(connection, ENTRIES, conditions, key=("at", "position"), cursor=cursor, limit=limit)
