"""A customer: a person who calls, made by itself on the first call.

Stream `customer-<id>`. A desk stream, written by the service that identifies callers.
"""

from msgspec import Struct

from orchestrator.domain.kernel import Event, PersonalNumber


class CustomerCreated(Event, frozen=True, kw_only=True):
    """A number that was new to us called. `number` is E.164; `region` an ISO 3166 code, empty where unknown."""

    number: PersonalNumber
    region: str = ""
    source: str = "first_call"


class Customer(Struct, frozen=True, kw_only=True):
    """A customer as known now."""

    customer_id: str
    number: str
    region: str = ""


def evolve(customer: Customer | None, event: Event, customer_id: str) -> Customer | None:
    """The customer after one more event. Never raises."""
    match event:
        case CustomerCreated():
            return Customer(customer_id=customer_id, number=event.number, region=event.region)
    return customer
