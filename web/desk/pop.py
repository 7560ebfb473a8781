"""Who is calling, for the one desk that has the call: the file, what is open, what was last (features 4.5, 5.2)."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from msgspec import Struct

from orchestrator.domain.customers.people import Customer
from orchestrator.domain.kernel import Instant
from orchestrator.domain.work import ordertypes
from orchestrator.domain.work.orders import reference
from projections.customer_timeline import Entry
from projections.live_calls import Call
from projections.screen_pop import ScreenPop, screen_pop
from projections.status import Late, wait_for
from web import language
from web.parts import parts
from web.push.present import live
from web.words import code, reason
from web.writing import file

# The models that the pane is read from, and how long it waits for what the desk itself has just written (s).
_MODELS: Final = ("customers", "customer_timeline", "work_orders")
WAIT_S: Final = 1.0


class OpenOrder(Struct, frozen=True):
    """An order that is not finished."""

    order_id: str
    reference: str
    type: str
    state: str
    opened_at: Instant


class Line(Struct, frozen=True):
    """One line of the timeline."""

    at: Instant
    kind: str
    words: str
    text: str = ""


class Pop(Struct, frozen=True):
    """The pane."""

    call: Call
    customer: Customer | None
    region: str
    orders: Sequence[OpenOrder]
    more_orders: bool
    lines: Sequence[Line]

    @property
    def unknown(self) -> bool:
        """Whether nobody knows more than the number."""
        return self.customer is None or not (self.customer.name or self.customer.company)


def pop_of(call: Call) -> Pop:
    """The pane for this call. Raises `Away`."""
    found, reading = parts(), parts().reading
    _wait(live().view.last_change(f"customer:{call.customer_id}") if call.customer_id else 0)
    with reading.reader.borrow() as connection:
        seen = screen_pop(
            connection,
            reading.vault,
            number=call.number,
            customer_id=call.customer_id,
            country=found.settings.region,
            language=language.current(),
        )
    known = call.customer_id or (seen.customer.customer_id if seen.customer is not None else "")
    return Pop(
        call=call,
        customer=file().customer(known) if known else None,
        region=seen.region,
        orders=_orders(seen),
        more_orders=seen.more_orders,
        lines=_lines(seen),
    )


def _wait(position: int) -> None:
    """Until the read models have what the live state has; where they are late, the pane shows what they have."""
    for name in _MODELS:
        with suppress(Late):
            wait_for(parts().reading.reader, name, position, WAIT_S)


def _orders(seen: ScreenPop) -> list[OpenOrder]:
    shown = []
    for order in seen.orders:
        kind = seen.types.get(order.type_id)
        state = kind.state(order.state) if kind is not None else None
        shown.append(
            OpenOrder(
                order_id=order.order_id,
                reference=reference(order.order_id),
                type=ordertypes.label(kind.settings, language.current()) if kind is not None else order.type_id,
                state=ordertypes.label(state, language.current()) if state is not None else order.state,
                opened_at=Instant(order.opened_at),
            )
        )
    return shown


def _lines(seen: ScreenPop) -> list[Line]:
    sealed = [(entry.stream, "text", entry.sealed.get("text", "")) for entry in seen.entries]
    texts = parts().reading.opened(sealed)
    return [_line(entry, text, seen) for entry, text in zip(seen.entries, texts, strict=True)]


def _line(entry: Entry, text: str, seen: ScreenPop) -> Line:
    words = code(entry.what or "live") if entry.kind == "contact" else ""
    if entry.kind == "contact" and entry.detail.code:
        words = f"{words} · {reason(entry.detail.code)}"
    if entry.kind == "note":
        words = reason(entry.detail.code)
    if entry.kind == "order":
        kind = seen.types.get(entry.detail.type_id)
        state = kind.state(entry.detail.state) if kind is not None else None
        name = ordertypes.label(kind.settings, language.current()) if kind is not None else entry.detail.type_id
        now = ordertypes.label(state, language.current()) if state is not None else entry.detail.state
        words = f"{name} {reference(entry.order_id)} · {now}" if now else f"{name} {reference(entry.order_id)}"
    return Line(at=Instant(entry.at), kind=entry.kind, words=words, text=text)
