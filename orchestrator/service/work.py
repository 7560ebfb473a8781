"""Work orders: opened, assigned, noted, amended, moved on; each by what the type's data allows the role.

The same key from the same actor does a thing once. Answers tell the log position, for which a reader may wait.
"""

import re
import uuid
from collections.abc import Iterable, Sequence
from typing import Final

from orchestrator.domain.contacts.events import ContactIdentified
from orchestrator.domain.customers import people
from orchestrator.domain.kernel import Event, Record, Refused, UnknownEvent, derived_id, ident_of, stream
from orchestrator.domain.work import orders, ordertypes
from orchestrator.domain.work.orders import Order
from orchestrator.domain.work.ordertypes import Given, OrderType
from orchestrator.service.customers import e164
from orchestrator.service.deciding import Desk, Who, Written, checked_id
from orchestrator.store import DeskWriter, Log

_ASSIGNEE: Final = re.compile(r"(?:agent|user|role):[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")


class Work:
    """Writes orders. Thread-safe. `log` must have the keys.

    Every method raises `Refused` with a code and a sentence, `Away` where the database is not there, `Unsure` where it
    went away in the middle: with a key, a repeat is safe.
    """

    def __init__(self, desk: DeskWriter, log: Log, *, region: str) -> None:
        self._desk = Desk(desk, log)
        self._log = log
        self._region = region

    # --- reading -----------------------------------------------------------------------------------------------------
    def order(self, order_id: str) -> Order | None:
        """The order as it stands, with its personal fields in the clear; None where there is none."""
        return _fold(self._log.stream(stream("order", checked_id(order_id, "order"))))

    def type(self, type_id: str) -> OrderType | None:
        """The type as configured now; None where there never was one."""
        found: OrderType | None = None
        for record in self._log.stream(stream("ordertype", checked_id(type_id, "type"))):
            found = ordertypes.evolve(found, record.event, type_id)
        return found

    # --- writing -----------------------------------------------------------------------------------------------------
    def open(
        self,
        who: Who,
        type_id: str,
        fields: Given,
        *,
        contact_id: str = "",
        customer_id: str = "",
        key: str = "",
    ) -> Written:
        """Open an order; `Written.ident` is its id.

        Without a customer it is the contact's, where that one is identified already; else it becomes the order of
        whoever the contact turns out to be. `Refused`: `no_such_type`, `no_such_contact`, `no_such_customer`,
        `customer_erased`, `not_allowed`, `bad_fields`.
        """
        known = self.type(type_id)
        customer_id = self._whose(contact_id, customer_id)
        command = orders.Open(
            roles=who.roles,
            fields=self._dialable(known, fields),
            contact_id=contact_id,
            customer_id=customer_id,
        )
        order_id = derived_id("order", who.actor, key) if key else str(uuid.uuid4())
        return self._desk.write(
            stream("order", order_id),
            lambda before: orders.decide(_fold(before), command, known),
            who=who,
            key=key,
            about=_about,
        )

    def assign(self, who: Who, order_id: str, assignee: str, *, key: str = "") -> Written:
        """Give it to `agent:<id>`, `user:<id>` or a tray, `role:<role>`. `Refused`: `bad_assignee`, `no_such_order`,
        `not_allowed`, `order_closed`.
        """
        if not _ASSIGNEE.fullmatch(assignee):
            raise Refused("bad_assignee", "Assign it to agent:<id>, user:<id> or role:<role>.")
        return self._do(who, order_id, orders.Assign(roles=who.roles, assignee=assignee), key)

    def note(self, who: Who, order_id: str, text: str, *, key: str = "") -> Written:
        """Write something down. `Refused`: `empty_note`, `bad_text`, `no_such_order`, `not_allowed`."""
        return self._do(who, order_id, orders.Note(roles=who.roles, text=text), key)

    def amend(self, who: Who, order_id: str, fields: Given, *, key: str = "") -> Written:
        """Give fields other values. `Refused`: `bad_fields`, `no_such_order`, `not_allowed`, `order_closed`."""
        order = self.order(order_id)
        known = None if order is None else self.type(order.type_id)
        command = orders.Amend(roles=who.roles, fields=self._dialable(known, fields))
        return self._do(who, order_id, command, key)

    def act(self, who: Who, order_id: str, action: str, *, note: str = "", key: str = "") -> Written:
        """Carry out a move of the type. `Refused`: `not_now`, `not_allowed`, `bad_text`, `no_such_order`."""
        return self._do(who, order_id, orders.Act(roles=who.roles, action=action, note=note), key)

    def done(self, who: Who, order_id: str, *, note: str = "", key: str = "") -> Written:
        """The type's move `done`. Raises as `act`."""
        return self.act(who, order_id, "done", note=note, key=key)

    def reopen(self, who: Who, order_id: str, *, note: str = "", key: str = "") -> Written:
        """The type's move `reopen`. Raises as `act`."""
        return self.act(who, order_id, "reopen", note=note, key=key)

    def close(self, who: Who, order_id: str, *, note: str = "", key: str = "") -> Written:
        """The type's move `close`. Raises as `act`."""
        return self.act(who, order_id, "close", note=note, key=key)

    # -----------------------------------------------------------------------------------------------------------------
    def _do(self, who: Who, order_id: str, command: orders.Command, key: str) -> Written:
        def decide(before: Sequence[Record]) -> tuple[Event, ...]:
            order = _fold(before)
            return orders.decide(order, command, None if order is None else self.type(order.type_id))

        return self._desk.write(stream("order", checked_id(order_id, "order")), decide, who=who, key=key, about=_about)

    def _whose(self, contact_id: str, customer_id: str) -> str:
        """The customer's id; of the contact's customer where none is given; empty where nobody knows."""
        if contact_id:
            name = stream("contact", checked_id(contact_id, "contact"))
            records = list(self._log.stream(name))
            if not records:
                raise Refused("no_such_contact", "There is no such contact.")
            events = (record.event for record in records)
            found = next((event.customer_id for event in events if isinstance(event, ContactIdentified)), "")
            customer_id = customer_id or found
        if customer_id:
            customer: people.Customer | None = None
            for record in self._log.stream(stream("customer", checked_id(customer_id, "customer"))):
                customer = people.evolve(customer, record.event, customer_id)
            if customer is None:
                raise Refused("no_such_customer", "There is no such customer.")
            if customer.erased:
                raise Refused("customer_erased", "This customer's data was erased; make a new customer.")
        return customer_id

    def _dialable(self, known: OrderType | None, fields: Given) -> Given:
        """The fields with telephone numbers in E.164; what is none is left for the type to refuse."""
        if known is None:
            return fields
        phones = {field.id for field in known.settings.fields if field.kind == "phone"}
        return {
            name: e164(value, self._region) or value if name in phones and isinstance(value, str) else value
            for name, value in fields.items()
        }


def _about(before: Sequence[Record], events: tuple[Event, ...]) -> str:
    """Whose order it is, so that whoever shows the customer or the contact hears of it; empty for nobody's."""
    opened = before[0].event if before else events[0]
    if not isinstance(opened, orders.OrderOpened) or not (opened.customer_id or opened.contact_id):
        return ""
    return stream("customer", opened.customer_id) if opened.customer_id else stream("contact", opened.contact_id)


def _fold(records: Iterable[Record]) -> Order | None:
    order: Order | None = None
    for record in records:
        if isinstance(record.event, UnknownEvent):
            raise Refused(
                "newer_order",
                f"This order holds {record.event.name} version {record.event.version}, which this program does not "
                "know: a newer Ringledger wrote it. Use that one to change the order.",
            )
        order = orders.evolve(order, record.event, record.about.at, ident_of(record.stream))
    return order
