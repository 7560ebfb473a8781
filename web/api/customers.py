"""Customers: found, made, corrected, given numbers and notes; their timelines."""

from typing import Annotated, Literal

from flask import abort
from msgspec import UNSET, Meta, Struct, UnsetType

from orchestrator.domain.customers.people import ChangeProfile
from projections import customer_timeline, customers, work_orders
from web import language
from web.api.forms import (
    Ident,
    Items,
    Line,
    Number,
    Paged,
    Position,
    Text,
    Time,
    Word,
    Written,
    given,
    items_of,
    number_of,
    time_of,
    written,
)
from web.customers.shown import Line as Shown
from web.customers.shown import Person, lines, people
from web.parts import parts
from web.writing import file, who

Level = Literal["", "vip", "gold", "silver"]
Kind = Literal["contact", "order", "note", "file"]


class CustomersQuery(Paged, frozen=True, kw_only=True):
    """Who is looked for: everybody where nothing is given."""

    q: Annotated[str, Meta(max_length=200, description="A number, however it is written, or a name or company.")] = ""
    level: Level = ""


class TimelineQuery(Paged, frozen=True, kw_only=True):
    """Which entries; all where no kind is given. `kind` may stand several times."""

    kind: tuple[Kind, ...] = ()


class PhoneNumber(Struct, frozen=True, kw_only=True):
    """One of a customer's numbers."""

    number: Number
    label: str


class Customer(Struct, frozen=True, kw_only=True):
    """One customer; texts are `‹erased›` where the data was erased. `seen_at`: the last contact, or when it was
    made.
    """

    customer_id: str
    name: str
    company: str
    address: str
    level: str
    numbers: list[PhoneNumber]
    contacts: int
    created_at: Time
    seen_at: Time
    erased: bool


class Words(Struct, frozen=True):
    """What somebody wrote; `name` is the field's, empty for a note."""

    name: str
    text: str


class Entry(Struct, frozen=True, kw_only=True):
    """One entry of a timeline. `what`: a contact's outcome, else the event's name."""

    at: Time
    position: Position
    kind: Kind
    what: str
    words: str
    texts: list[Words]
    contact_id: str
    order_id: str
    actor: str


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who it is. What is not given stays as it is, an empty text empties it."""

    name: Line | UnsetType = UNSET
    company: Line | UnsetType = UNSET
    address: Line | UnsetType = UNSET
    level: Level | UnsetType = UNSET


class NewCustomer(Profile, frozen=True, kw_only=True):
    """A customer made by hand: with a number, or with that of a contact's caller."""

    number: Annotated[Line, Meta(description="However it is written; nobody else may have it.")] = ""
    contact_id: Ident = ""


class NewNumber(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One more number."""

    number: Line
    label: Word = ""


class CustomerNote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something written down about a customer."""

    text: Text


def search(query: CustomersQuery) -> Items[Customer]:
    """Customers by number, name or company, the latest seen first"""
    reading = parts().reading
    with reading.reader.borrow() as connection:
        page = customers.search(
            connection,
            reading.vault,
            query.q,
            region=parts().settings.region,
            level=query.level,
            cursor=query.cursor,
            limit=query.limit,
        )
    return items_of(page, [_customer(person) for person in people(page.items)])


def create(body: NewCustomer, key: str) -> Written:
    """Make a customer"""
    done = file().create(who(), _profile(body), number=body.number, contact_id=body.contact_id, source="desk", key=key)
    return written(done)


def one(customer_id: str) -> Customer:
    """One customer"""
    with parts().reading.reader.borrow() as connection:
        row = customers.find(connection, customer_id)
    if row is None:
        abort(404)
    return _customer(people([row])[0])


def change(customer_id: str, body: Profile, key: str) -> Written:
    """Correct a customer's file"""
    return written(file().change(who(), customer_id, _profile(body), key=key))


def add_number(customer_id: str, body: NewNumber, key: str) -> Written:
    """Give a customer one more number"""
    return written(file().add_number(who(), customer_id, body.number, label=body.label, key=key))


def add_note(customer_id: str, body: CustomerNote, key: str) -> Written:
    """Write something down about a customer"""
    return written(file().note(who(), customer_id, body.text, key=key))


def timeline(customer_id: str, query: TimelineQuery) -> Items[Entry]:
    """A customer's timeline: contacts, orders, notes and changes of the file, the latest first"""
    with parts().reading.reader.borrow() as connection:
        if customers.find(connection, customer_id) is None:
            abort(404)
        page = customer_timeline.timeline(
            connection, customer_id, kinds=query.kind, cursor=query.cursor, limit=query.limit
        )
        types = work_orders.types(connection)
    return items_of(page, [_entry(line) for line in lines(page.items, types, language.current())])


def _profile(body: Profile) -> ChangeProfile:
    return ChangeProfile(
        name=given(body.name), company=given(body.company), address=given(body.address), level=given(body.level)
    )


def _customer(person: Person) -> Customer:
    return Customer(
        customer_id=person.customer_id,
        name=person.name,
        company=person.company,
        address=person.address,
        level=person.level,
        numbers=[PhoneNumber(number=number_of(each.text), label=each.label) for each in person.numbers if each.text],
        contacts=person.contacts,
        created_at=time_of(person.created_at),
        seen_at=time_of(person.seen_at),
        erased=person.erased,
    )


def _entry(line: Shown) -> Entry:
    row = line.entry
    return Entry(
        at=time_of(row.at),
        position=row.position,
        kind=row.kind,  # type: ignore[arg-type]  # the model has no other kinds
        what=row.what,
        words=line.words,
        texts=[
            Words(each.name, number_of(each.text) if each.is_number else each.text) for each in line.texts if each.text
        ],
        contact_id=row.contact_id,
        order_id=row.order_id,
        actor=row.actor,
    )
