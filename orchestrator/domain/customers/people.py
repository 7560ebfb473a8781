"""A customer: a person who calls, made by itself on the first call or by hand, and known better from then on.

Stream `customer-<id>`. A desk stream, written by the services that identify callers and keep the customers' files.

     CustomerCreated ──▶ known ──CustomerErased──▶ erased
                          │ ▲
                          └─┘ CustomerProfileChanged, CustomerNumberAdded, CustomerNoted

Who a person is, is sealed under the stream's key; that of the person's contacts and orders hangs under it. Destroying
it erases all of them (law 11). `CustomerErased` says that it was, so that read models drop what they derived.
"""

import re
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain import texts
from orchestrator.domain.kernel import Event, Personal, PersonalNumber, Refused

# --- events ------------------------------------------------------------------------------------------------------


class CustomerCreated(Event, frozen=True, kw_only=True):
    """Somebody new. `number` is E.164, empty where none is known; `region` an ISO 3166 code, empty where unknown.

    `source`: `first_call` where a call from a new number made it, `desk` where a person did, `demo`.
    """

    number: PersonalNumber
    region: str = ""
    source: str = "first_call"


class CustomerProfileChanged(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Who it is. None leaves something as it was, an empty text empties it."""

    name: Personal | None = None
    company: Personal | None = None
    address: Personal | None = None
    level: str | None = None
    """A word such as `vip` or `gold`; it says nothing of the person, and so is not sealed."""


class CustomerNumberAdded(Event, frozen=True, kw_only=True):
    """One more number is this customer's. E.164."""

    number: PersonalNumber
    region: str = ""
    label: str = ""
    """`mobile`, `work`, …: a word."""


class CustomerNoted(Event, frozen=True, kw_only=True):
    """Somebody wrote something down about the customer, outside of any contact."""

    text: Personal


class CustomerErased(Event, frozen=True, kw_only=True):
    """All that is personal is destroyed: the key goes right after this is stored."""


# --- state -------------------------------------------------------------------------------------------------------


class Number(Struct, frozen=True, kw_only=True):
    """A customer's telephone number, E.164."""

    number: str
    region: str = ""
    label: str = ""


class Customer(Struct, frozen=True, kw_only=True):
    """A customer as known now."""

    customer_id: str
    number: str
    region: str = ""
    others: tuple[Number, ...] = ()
    name: str = ""
    company: str = ""
    address: str = ""
    level: str = ""
    erased: bool = False

    @property
    def numbers(self) -> tuple[Number, ...]:
        """All numbers, the first one first."""
        first = (Number(number=self.number, region=self.region),) if self.number else ()
        return (*first, *self.others)


def evolve(customer: Customer | None, event: Event, customer_id: str) -> Customer | None:
    """The customer after one more event. Never raises."""
    if isinstance(event, CustomerCreated):
        return Customer(customer_id=customer_id, number=event.number, region=event.region)
    if customer is None:
        return None
    match event:
        case CustomerProfileChanged():
            changed = {key: value for key in PROFILE if (value := getattr(event, key)) is not None}
            return replace(customer, **changed)
        case CustomerNumberAdded():
            added = Number(number=event.number, region=event.region, label=event.label)
            return replace(customer, others=(*customer.others, added))
        case CustomerErased():
            return replace(customer, erased=True)
    return customer


PROFILE: Final = ("name", "company", "address", "level")
_WORD: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


# --- commands ----------------------------------------------------------------------------------------------------


class Create(Struct, frozen=True, kw_only=True):
    """Make a customer by hand. `number` is E.164 or empty."""

    number: str = ""
    region: str = ""
    source: str = "desk"


class ChangeProfile(Struct, frozen=True, kw_only=True):
    """Say who it is; None leaves something as it is."""

    name: str | None = None
    company: str | None = None
    address: str | None = None
    level: str | None = None


class AddNumber(Struct, frozen=True, kw_only=True):
    """One more number, E.164."""

    number: str
    region: str = ""
    label: str = ""


class AddNote(Struct, frozen=True, kw_only=True):
    """Write something down."""

    text: str


class Erase(Struct, frozen=True, kw_only=True):
    """Forget who it is, for ever."""


Command = Create | ChangeProfile | AddNumber | AddNote | Erase


# --- decide ------------------------------------------------------------------------------------------------------


def decide(customer: Customer | None, command: Command) -> tuple[Event, ...]:
    """The events that follow from a command, `()` where it has come true already.

    Raises `Refused`: `no_such_customer`, `customer_erased`, `bad_text`, `bad_word`, `empty_note`.
    """
    if isinstance(command, Create):
        if customer is not None:
            return ()
        return (CustomerCreated(number=command.number, region=command.region, source=command.source),)
    if customer is None:
        raise Refused("no_such_customer", "There is no such customer.")
    if customer.erased:
        if isinstance(command, Erase):
            return ()
        raise Refused("customer_erased", "This customer's data was erased; make a new customer.")
    match command:
        case ChangeProfile():
            return _change_profile(customer, command)
        case AddNumber():
            if any(held.number == command.number for held in customer.numbers):
                return ()
            label = _word(command.label, "Label")
            return (CustomerNumberAdded(number=command.number, region=command.region, label=label),)
        case AddNote():
            text = texts.lines(command.text, "Note")
            if not text:
                raise Refused("empty_note", "Write something into the note.")
            return (CustomerNoted(text=text),)
    return (CustomerErased(),)


def _change_profile(customer: Customer, command: ChangeProfile) -> tuple[Event, ...]:
    given = {
        "name": None if command.name is None else texts.one_line(command.name, "Name"),
        "company": None if command.company is None else texts.one_line(command.company, "Company", texts.LINE),
        "address": None if command.address is None else texts.lines(command.address, "Address", texts.LINE),
        "level": None if command.level is None else _word(command.level, "Level"),
    }
    changed = {key: value for key, value in given.items() if value not in (None, getattr(customer, key))}
    return (CustomerProfileChanged(**changed),) if changed else ()


def _word(text: str, what: str) -> str:
    word = text.strip().lower()
    if word and not _WORD.fullmatch(word):
        raise Refused("bad_word", f"{what}: write a word of up to 40 small letters a-z, digits, - and _.")
    return word
