"""What pops up on the one screen whose phone rings: who calls, what is open for them, what was last.

Not a model of its own: it reads `customers`, `customer_timeline` and `work_orders`. Which agent's screen shows which
offer is the live state's (`live`): an offer pops once, for those who are reserved for it, and is known by its id; so
nothing here depends on the agent, and the same offer asked for again gives the same answer (complaint 23).
"""

from msgspec import Struct

from orchestrator.domain.work.ordertypes import OrderType
from orchestrator.service.customers import e164
from orchestrator.service.regions import region_of
from orchestrator.vault import Vault
from projections import customer_timeline, customers, work_orders
from projections.base import Connection
from projections.customer_timeline import Entry
from projections.customers import Customer
from projections.work_orders import Order

# What fits beside a ringing phone without scrolling.
ORDERS_SHOWN = 5
ENTRIES_SHOWN = 8


class ScreenPop(Struct, frozen=True, kw_only=True):
    """Who calls. `customer` is None where nobody has the number: then `number` and `region` are all that is known.

    `number` is E.164, or what the network sent where that is no number; `region` in the language asked for. Texts of
    the customer, the orders and the entries are sealed, as in their models.
    """

    number: str
    region: str
    customer: Customer | None
    orders: tuple[Order, ...] = ()
    more_orders: bool = False
    types: dict[str, OrderType] = {}
    entries: tuple[Entry, ...] = ()


def screen_pop(
    connection: Connection,
    vault: Vault,
    *,
    number: str,
    customer_id: str = "",
    country: str,
    language: str,
) -> ScreenPop:
    """The caller with this number, as the network sent it.

    `customer_id` is who the contact was identified as; where that has not happened yet, the one who has exactly this
    number in E.164 is looked up; nobody like it is guessed at. `country`: of numbers without a country code.
    """
    exact = e164(number, country)
    region = region_of(exact, language) if exact is not None else ""
    whose = customer_id or (customers.holder(connection, vault, exact) if exact is not None else None) or ""
    customer = customers.find(connection, whose) if whose else None
    if customer is None:
        return ScreenPop(number=exact or number, region=region, customer=None)
    open_orders = work_orders.search(connection, work_orders.Search(customer_id=whose, kind="open"), limit=ORDERS_SHOWN)
    last = customer_timeline.timeline(connection, whose, kinds=("contact", "order", "note"), limit=ENTRIES_SHOWN)
    return ScreenPop(
        number=exact or number,
        region=region,
        customer=customer,
        orders=tuple(open_orders.items),
        more_orders=bool(open_orders.next_cursor),
        types=work_orders.types(connection),
        entries=tuple(last.items),
    )
