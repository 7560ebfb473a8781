"""Recordings found: by agent, caller, customer, time, length, queue and order, within what the asker may see; and who
heard one, and which orders were opened in its call.
"""

from typing import Final

from msgspec import Struct

from orchestrator.domain.kernel import Refused
from orchestrator.vault import Vault
from projections import contact_log, customers
from projections.base import Connection
from projections.pages import Condition, Page, page
from projections.recordings import FINISHED, KEPT, ORDERS, RECORDINGS, USES, Recording, Use


class Search(Struct, frozen=True, kw_only=True):
    """What is looked for; what is None or empty does not narrow. Instants: since ≤ begun_at < until.

    `agents`: these agents' only. `name`: the customer's name or company. `order`: an order's reference, `7F3A-21C9`, or
    its id. `caller`: who called from a number. `problems`: only those with which something is wrong. `held`: only those
    that are held. `sight`: the agents whose recordings may be seen at all; None: everybody's.
    """

    agents: tuple[str, ...] | None = None
    queue_id: str = ""
    contact_id: str = ""
    customer_id: str = ""
    name: str = ""
    order: str = ""
    caller: contact_log.Caller | None = None
    state: str = ""
    problems: bool = False
    held: bool = False
    since: int | None = None
    until: int | None = None
    least_ms: int | None = None
    most_ms: int | None = None
    sight: tuple[str, ...] | None = None


_KEY: Final = ("begun_at", "file")
_REFERENCE: Final = 8


def search(
    connection: Connection, vault: Vault, wanted: Search, *, cursor: str = "", limit: int = 50
) -> Page[Recording]:
    """Recordings, the latest first. Raises `Refused` (`bad_search`, `bad_order`) for what cannot be looked for, and for
    a cursor or limit that cannot be.
    """
    conditions: list[Condition] = [*_plain(wanted), *_in_sight(wanted.sight)]
    if wanted.name:
        conditions += [(_NAMED, token) for token in customers.tokens(vault, wanted.name)]
        conditions.append((_READABLE,))
    if wanted.order:
        conditions.append(_of_order(wanted.order))
    if wanted.caller is not None:
        conditions += [
            ("(caller_token = %s OR (customer_id = %s AND customer_id <> ''))", wanted.caller.token,
             wanted.caller.customer_id),
            (_READABLE,),
        ]  # fmt: skip
    return page(connection, RECORDINGS, conditions, key=_KEY, cursor=cursor, limit=limit)


def _plain(wanted: Search) -> list[Condition]:
    found: list[Condition] = []
    if wanted.agents is not None:
        found.append(("agent_id = ANY(%s)", list(wanted.agents)))
    if wanted.queue_id:
        found.append(("queue_id = %s", wanted.queue_id))
    if wanted.contact_id:
        found.append(("contact_id = %s", wanted.contact_id))
    if wanted.customer_id:
        found.append(("customer_id = %s", wanted.customer_id))
    if wanted.state:
        found.append(("state = %s", wanted.state))
    if wanted.problems:
        found.append(("problem <> ''",))
    if wanted.held:
        found.append(("holds > 0",))
    if wanted.since is not None:
        found.append(("begun_at >= %s", wanted.since))
    if wanted.until is not None:
        found.append(("begun_at < %s", wanted.until))
    if wanted.least_ms is not None:
        found.append(("length_ms >= %s", wanted.least_ms))
    if wanted.most_ms is not None:
        # 0 is what nobody could tell.
        found.append(("length_ms BETWEEN 1 AND %s", wanted.most_ms))
    return found


_NAMED: Final = (
    "EXISTS (SELECT FROM read.customers_words AS w WHERE w.customer_id = recordings.customer_id AND w.token = %s)"
)
# An erasure destroys the keys first of all; the model hears of it a little later.
_READABLE: Final = (
    "NOT EXISTS (SELECT FROM public.ringledger_keys AS k WHERE k.erased_at IS NOT NULL"
    " AND k.subject IN ('contact-' || contact_id, 'customer-' || customer_id) OFFSET 0)"
)


def _of_order(text: str) -> Condition:
    digits = text.replace("-", "").strip().lower()
    if len(digits) < _REFERENCE or not all(each in "0123456789abcdef" for each in digits):
        raise Refused("bad_order", "An order is called by eight digits and letters a to f, such as 7F3A-21C9.")
    return (
        "contact_id IN (SELECT contact_id FROM read.recordings_orders WHERE left(order_id, 8) = %s)",
        digits[:_REFERENCE],
    )


def find(connection: Connection, file: str, *, sight: tuple[str, ...] | None = None) -> Recording | None:
    """One recording, None where there is none of this name or, with `sight`, where it is another agent's."""
    found = page(connection, RECORDINGS, [("file = %s", file), *_in_sight(sight)], key=_KEY, limit=1)
    return found.items[0] if found.items else None


def of_contact(connection: Connection, contact_id: str, *, sight: tuple[str, ...] | None = None) -> list[Recording]:
    """The recordings of a contact of which there is something to hear, the first first."""
    conditions: list[Condition] = [
        ("contact_id = %s AND contact_id <> ''", contact_id),
        ("state = ANY(%s)", [FINISHED, KEPT]),
        *_in_sight(sight),
    ]
    return page(connection, RECORDINGS, conditions, key=_KEY, limit=100, descending=False).items


def uses(connection: Connection, file: str, *, cursor: str = "", limit: int = 50) -> Page[Use]:
    """Who listened to it or took a copy, the latest first."""
    return page(connection, USES, [("file = %s", file)], key=("position",), cursor=cursor, limit=limit)


def orders_of(connection: Connection, contact_id: str) -> list[str]:
    """The orders that were opened in this contact."""
    return [each.order_id for each in ORDERS.read(connection, "WHERE contact_id = %s ORDER BY order_id", (contact_id,))]


def _in_sight(sight: tuple[str, ...] | None) -> list[Condition]:
    return [] if sight is None else [("agent_id = ANY(%s)", list(sight))]
