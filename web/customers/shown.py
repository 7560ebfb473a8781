"""Rows of the read models as screens show customers: opened, with their words."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from orchestrator.domain.work.ordertypes import OrderType, label
from projections.customer_timeline import Entry
from projections.customers import Customer
from web.parts import parts
from web.words import code
from web.words.timeline import words


class Number(Struct, frozen=True):
    """A telephone number in E.164."""

    text: str
    label: str


class Person(Struct, frozen=True, kw_only=True):
    """A customer in the clear; `‹erased›` where the key is destroyed."""

    customer_id: str
    name: str
    company: str
    address: str
    level: str
    numbers: tuple[Number, ...]
    contacts: int
    created_at: int
    seen_at: int
    erased: bool

    @property
    def title(self) -> str:
        """What to call them: name, company, or nothing."""
        return self.name or self.company


class Text(Struct, frozen=True):
    """What somebody wrote, or a number that called. A telephone number is masked for whoever may not see it whole."""

    name: str
    text: str
    is_number: bool


class Line(Struct, frozen=True):
    """One entry of a timeline."""

    entry: Entry
    words: str
    texts: tuple[Text, ...]


def people(rows: Sequence[Customer]) -> list[Person]:
    """These customers, opened all at once."""
    sealed = [
        (f"customer-{row.customer_id}", field, text)
        for row in rows
        for field, text in (
            ("name", row.name),
            ("company", row.company),
            ("address", row.address),
            *(("number", number.sealed) for number in row.numbers),
        )
    ]
    texts = iter(parts().reading.opened(sealed))
    return [
        Person(
            customer_id=row.customer_id,
            name=next(texts),
            company=next(texts),
            address=next(texts),
            level=row.level,
            numbers=tuple(Number(next(texts), number.label) for number in row.numbers),
            contacts=row.contacts,
            created_at=row.created_at,
            seen_at=row.seen_at,
            erased=row.erased,
        )
        for row in rows
    ]


def lines(entries: Sequence[Entry], types: Mapping[str, OrderType], language: str) -> list[Line]:
    """These entries in words, opened all at once."""
    sealed = [(entry.stream, path, text) for entry in entries for path, text in entry.sealed.items()]
    opened = iter(parts().reading.opened(sealed))
    return [
        Line(
            entry=entry,
            words=words(entry, types.get(entry.detail.type_id), language),
            texts=tuple(_text(path, next(opened), types.get(entry.detail.type_id), language) for path in entry.sealed),
        )
        for entry in entries
    ]


def _text(path: str, text: str, known: OrderType | None, language: str) -> Text:
    """A sealed field with what it is called; a note has no name, it speaks for itself."""
    name = path.removeprefix("personal.")
    if name == path:
        return Text("" if name in {"text", "note", "number"} else code(name), text, name in {"number", "caller_number"})
    found = next((field for field in known.settings.fields if field.id == name), None) if known else None
    if found is None:
        return Text(name, text, is_number=True)
    return Text(label(found, language), text, found.kind == "phone")
