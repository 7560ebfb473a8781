"""A work order: from the wish of a customer until somebody has seen to it.

Stream `order-<id>`. A desk stream, written by `service.work`; read by the customer's timeline and the board of work.

      OrderOpened
          │              OrderMoved
          ▼  OrderAssigned ┌──┐
        open ──────────────┘  ▼
          ▲ ◀───────────── (states of kind open)
          │                   │ OrderDone
          │ OrderReopened     ▼
          ├───────────────── done
          │ OrderReopened     │ OrderClosed
          └─────────────── closed
   Which states there are, and which moves lead between them, is the type's data (`ordertypes`). The event that records
   a move follows from the kinds of the two states; it carries the state, so that history is read without the type.
"""

from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from orchestrator.domain import texts
from orchestrator.domain.kernel import Event, Instant, Personal, Refused
from orchestrator.domain.work import ordertypes
from orchestrator.domain.work.ordertypes import Given, Move, OrderType

# --- events ------------------------------------------------------------------------------------------------------


class OrderOpened(Event, frozen=True, kw_only=True):
    """Somebody wants something done. `contact_id` is the contact in which it was said, where there was one."""

    type_id: str
    state: str
    contact_id: str = ""
    customer_id: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    personal: dict[str, Personal] = field(default_factory=dict)
    """The fields that the type marks as personal."""


class OrderAssigned(Event, frozen=True, kw_only=True):
    """This one sees to it from now on: `agent:<id>`, `user:<id>`, or a tray such as `role:back_office`."""

    assignee: str
    state: str


class OrderNoted(Event, frozen=True, kw_only=True):
    """Somebody wrote something down."""

    text: Personal


class OrderAmended(Event, frozen=True, kw_only=True):
    """Fields have other values; an empty one has none any more."""

    fields: dict[str, str] = field(default_factory=dict)
    personal: dict[str, Personal] = field(default_factory=dict)


class OrderMoved(Event, frozen=True, kw_only=True):
    """It went from one state to another, and there is still something to do."""

    action: str
    state: str
    note: Personal = ""


class OrderDone(Event, frozen=True, kw_only=True):
    """What was wanted is done."""

    action: str
    state: str
    note: Personal = ""


class OrderReopened(Event, frozen=True, kw_only=True):
    """There is something to do again."""

    action: str
    state: str
    note: Personal = ""


class OrderClosed(Event, frozen=True, kw_only=True):
    """Nothing more is to come."""

    action: str
    state: str
    note: Personal = ""


MOVES: Final = (OrderMoved, OrderDone, OrderReopened, OrderClosed)


# --- state -------------------------------------------------------------------------------------------------------


class Order(Struct, frozen=True, kw_only=True):
    """An order as it stands."""

    order_id: str
    type_id: str
    state: str
    kind: str
    """`open`, `done` or `closed`."""
    opened_at: Instant
    since: Instant
    contact_id: str = ""
    customer_id: str = ""
    assignee: str = ""
    fields: dict[str, str] = {}
    personal: dict[str, str] = {}


def evolve(order: Order | None, event: Event, at: Instant, order_id: str) -> Order | None:
    """The order after one more event. Never raises; an event that it does not know changes nothing."""
    if order is None:
        if not isinstance(event, OrderOpened):
            return None
        return Order(
            order_id=order_id,
            type_id=event.type_id,
            state=event.state,
            kind="open",
            opened_at=at,
            since=at,
            contact_id=event.contact_id,
            customer_id=event.customer_id,
            fields=event.fields,
            personal=event.personal,
        )
    match event:
        case OrderAssigned():
            since = order.since if event.state == order.state else at
            return replace(order, assignee=event.assignee, state=event.state, since=since)
        case OrderAmended():
            return replace(
                order,
                fields=_merged(order.fields, event.fields),
                personal=_merged(order.personal, event.personal),
            )
        case OrderMoved() | OrderReopened():
            return replace(order, state=event.state, kind="open", since=at)
        case OrderDone():
            return replace(order, state=event.state, kind="done", since=at)
        case OrderClosed():
            return replace(order, state=event.state, kind="closed", since=at)
    return order


def _merged(now: dict[str, str], changed: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in {**now, **changed}.items() if value}


def reference(order_id: str) -> str:
    """What people call an order by: the first eight hexadecimal digits of its id, `7F3A-21C9`."""
    digits = order_id.replace("-", "")[:8].upper()
    return f"{digits[:4]}-{digits[4:]}"


# --- commands ----------------------------------------------------------------------------------------------------


class Open(Struct, frozen=True, kw_only=True):
    """Open an order of this type."""

    roles: tuple[str, ...]
    fields: Given
    contact_id: str = ""
    customer_id: str = ""


class Assign(Struct, frozen=True, kw_only=True):
    """Give it to somebody."""

    roles: tuple[str, ...]
    assignee: str


class Note(Struct, frozen=True, kw_only=True):
    """Write something down."""

    roles: tuple[str, ...]
    text: str


class Amend(Struct, frozen=True, kw_only=True):
    """Change fields."""

    roles: tuple[str, ...]
    fields: Given


class Act(Struct, frozen=True, kw_only=True):
    """Carry out one of the type's moves: `done`, `reopen`, `close`, or the type's own."""

    roles: tuple[str, ...]
    action: str
    note: str = ""


Command = Open | Assign | Note | Amend | Act


# --- decide ------------------------------------------------------------------------------------------------------


def decide(order: Order | None, command: Command, known: OrderType | None) -> tuple[Event, ...]:
    """The events that follow from a command, `()` where it has come true already.

    Raises `Refused`: `no_such_type`, `no_such_order`, `not_allowed` (the role), `not_now` (the state), `order_closed`,
    `bad_fields`, `bad_text`, `empty_note`.
    """
    if isinstance(command, Open):
        return _open(order, command, known)
    if order is None:
        raise Refused("no_such_order", "There is no such order.")
    if known is None:
        raise Refused("no_such_type", f"The type {order.type_id} of this order is unknown; ask an administrator.")
    match command:
        case Assign():
            return _assign(order, command, known)
        case Note():
            _check("note", command.roles, known)
            text = texts.lines(command.text, "Note")
            if not text:
                raise Refused("empty_note", "Write something into the note.")
            return (OrderNoted(text=text),)
        case Amend():
            return _amend(order, command, known)
    return _act(order, command, known)


def _check(action: str, roles: tuple[str, ...], known: OrderType) -> None:
    if not known.allows(action, roles):
        raise Refused("not_allowed", f"Your role may not {action} orders of the type {known.settings.name}.")


def _open(order: Order | None, command: Open, known: OrderType | None) -> tuple[Event, ...]:
    if known is None or (order is None and not known.open):
        raise Refused("no_such_type", "There is no such type of order.")
    _check("open", command.roles, known)
    plain, personal = ordertypes.fit(known, command.fields)
    if order is not None:
        return ()
    opened = OrderOpened(
        type_id=known.type_id,
        state=known.settings.first,
        contact_id=command.contact_id,
        customer_id=command.customer_id,
        fields=plain,
        personal=personal,
    )
    return (opened,)


def _assign(order: Order, command: Assign, known: OrderType) -> tuple[Event, ...]:
    _check("assign", command.roles, known)
    if order.kind == "closed":
        raise Refused("order_closed", "The order is closed; reopen it first.")
    here = known.state(order.state)
    state = (here.on_assign if here is not None else "") or order.state
    if (order.assignee, order.state) == (command.assignee, state):
        return ()
    return (OrderAssigned(assignee=command.assignee, state=state),)


def _amend(order: Order, command: Amend, known: OrderType) -> tuple[Event, ...]:
    _check("amend", command.roles, known)
    if order.kind == "closed":
        raise Refused("order_closed", "The order is closed; reopen it first.")
    plain, personal = ordertypes.fit(known, command.fields, partly=True)
    plain = {name: value for name, value in plain.items() if order.fields.get(name, "") != value}
    personal = {name: value for name, value in personal.items() if order.personal.get(name, "") != value}
    return (OrderAmended(fields=plain, personal=personal),) if plain or personal else ()


def _act(order: Order, command: Act, known: OrderType) -> tuple[Event, ...]:
    moves = known.moves_from(order.state)
    move = next((each for each in moves if each.action == command.action), None)
    if move is None:
        named = [each for each in known.settings.moves if each.action == command.action]
        if any(each.after == order.state for each in named):
            return ()
        can = ", ".join(each.action for each in moves) or "nothing"
        raise Refused(
            "not_now", f"{command.action[:40]} is not possible while the order is {order.state}; possible is: {can}."
        )
    if set(command.roles).isdisjoint(move.roles):
        raise Refused("not_allowed", f"Your role may not do this ({move.name}) with the type {known.settings.name}.")
    return (_moved(order, move, known, texts.lines(command.note, "Note")),)


def _moved(order: Order, move: Move, known: OrderType, note: str) -> Event:
    after = known.state(move.after)
    kind = after.kind if after is not None else "open"
    match order.kind, kind:
        case _, "closed":
            return OrderClosed(action=move.action, state=move.after, note=note)
        case _, "done":
            return OrderDone(action=move.action, state=move.after, note=note)
        case "open", "open":
            return OrderMoved(action=move.action, state=move.after, note=note)
    return OrderReopened(action=move.action, state=move.after, note=note)


def possible(order: Order, known: OrderType, roles: tuple[str, ...]) -> tuple[Move, ...]:
    """The moves that whoever has these roles can make now, in the order of the type: the buttons of a screen."""
    return tuple(move for move in known.moves_from(order.state) if not set(roles).isdisjoint(move.roles))
