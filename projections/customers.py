"""Customers as a list: found by number, by name or company, the latest seen first; and one with what is known.

Streams: customer, contact (when each was seen last). Times by our own clock (`Provenance.at`).

Names are sealed, and found again by look-up tokens of their words and of pairs of neighbouring Chinese characters:
keyed hashes, which the database cannot read. They go when the customer is erased; and whoever's key is destroyed is not
found even where they are still there.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from msgspec import Struct, field

from orchestrator.domain.contacts.events import ContactIdentified
from orchestrator.domain.customers.people import (
    CustomerCreated,
    CustomerErased,
    CustomerNoted,
    CustomerNumberAdded,
    CustomerProfileChanged,
)
from orchestrator.domain.kernel import Event, Record, Refused, ident_of, kind_of, stream
from orchestrator.service.customers import INDEX, e164
from orchestrator.vault import ERASED, Vault
from projections.base import Batch, Connection, Site
from projections.pages import Condition, Page, page
from projections.tables import Table

NAME: Final = "customers"
VERSION: Final = 1

TABLES: Final = """
CREATE TABLE customers (
    customer_id text    PRIMARY KEY,
    created_at  bigint  NOT NULL,
    source      text    NOT NULL,
    region      text    NOT NULL,
    level       text    NOT NULL,
    name        text    NOT NULL,
    company     text    NOT NULL,
    address     text    NOT NULL,
    numbers     jsonb   NOT NULL,
    contacts    bigint  NOT NULL,
    seen_at     bigint  NOT NULL,
    erased      boolean NOT NULL,
    version     bigint  NOT NULL,
    position    bigint  NOT NULL
) WITH (fillfactor = 80);
CREATE TABLE customers_words (
    customer_id text NOT NULL,
    part        text NOT NULL,
    token       text NOT NULL,
    PRIMARY KEY (customer_id, part, token)
);
"""

INDEXES: Final = """
CREATE INDEX ON customers (seen_at, customer_id);
CREATE INDEX ON customers (level, seen_at, customer_id);
CREATE INDEX ON customers_words (token, customer_id);
"""

WORDS: Final = "customer word"
"""The name under which look-up tokens of words are made (`Vault.token`)."""
# A token is 32 bytes; half of it tells two words apart among any number of customers.
_TOKEN_BYTES: Final = 16
# Whoever types the beginning of a word finds it from this many letters on.
_SHORTEST: Final = 3
_LONGEST: Final = 12
_MOST_TOKENS: Final = 12
# Han characters, kana and hangul: scripts whose names are written without spaces, or in syllables.
_WIDE: Final = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0002fa1f]+")
_WORD: Final = re.compile(r"\w+")


class Number(Struct):
    """A telephone number: sealed, bound to stream customer-<id> and field `number`."""

    sealed: str
    region: str
    label: str


class Customer(Struct):
    """One customer. `name`, `company`, `address` are sealed, bound to stream customer-<id> and these field names.

    `contacts`: how many contacts were theirs. `seen_at`: when the last of them was identified, or the file made.
    """

    customer_id: str
    created_at: int
    seen_at: int
    source: str = ""
    region: str = ""
    level: str = ""
    name: str = ""
    company: str = ""
    address: str = ""
    numbers: list[Number] = field(default_factory=list)
    contacts: int = 0
    erased: bool = False
    version: int = 0
    position: int = 0


class Word(Struct, frozen=True):
    """A look-up token of a customer's name or company."""

    customer_id: str
    part: str
    token: str


CUSTOMERS: Final = Table(NAME, Customer, key=("customer_id",))
WORD_ROWS: Final = Table(f"{NAME}_words", Word, key=("customer_id", "part", "token"))
_FOUND_BY: Final = ("name", "company")


# --- words -----------------------------------------------------------------------------------------------------------
def words(text: str) -> Iterator[str]:
    """What a name is found by: each character and each pair of neighbours of what is written without spaces; each other
    word, and its beginnings from three letters on.
    """
    for word, wide in _split(text):
        if wide:
            yield from word
            yield from (word[place : place + 2] for place in range(len(word) - 1))
        else:
            yield from (word[:length] for length in range(min(_SHORTEST, len(word)), min(len(word), _LONGEST) + 1))
            yield word


def asked(text: str) -> list[str]:
    """What a person who types this looks for; all of it must be there. Empty where it holds no letter or digit."""
    found: list[str] = []
    for word, wide in _split(text):
        if wide and len(word) > 1:
            found += (word[place : place + 2] for place in range(len(word) - 1))
        else:
            found.append(word)
    return list(dict.fromkeys(found))[:_MOST_TOKENS]


def _split(text: str) -> Iterator[tuple[str, bool]]:
    """Words, folded so that width, case and accents make no difference, and whether they are wide characters."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    bare = unicodedata.normalize("NFC", "".join(each for each in folded if not unicodedata.combining(each)))
    for part in _WORD.findall(bare):
        after = 0
        for wide in _WIDE.finditer(part):
            if wide.start() > after:
                yield part[after : wide.start()], False
            yield wide.group(), True
            after = wide.end()
        if after < len(part):
            yield part[after:], False


def _token(made: bytes) -> str:
    return made[:_TOKEN_BYTES].hex()


# --- folding ---------------------------------------------------------------------------------------------------------
_NEWS: Final[tuple[type[Event], ...]] = (
    ContactIdentified,
    CustomerCreated,
    CustomerProfileChanged,
    CustomerNumberAdded,
    CustomerNoted,
    CustomerErased,
)
_DROP: Final = b"""
DELETE FROM customers_words AS w USING unnest(%s::text[], %s::text[]) AS k(customer_id, part)
 WHERE w.customer_id = k.customer_id AND w.part = k.part
"""


def apply(batch: Batch) -> None:
    """Load the customers of this batch, fold, put them back; and new tokens where names changed."""
    news = [(_whose(record), record) for record in batch.records if isinstance(record.event, _NEWS)]
    if not news:
        return
    rows = CUSTOMERS.load(batch.cursor, {customer_id for customer_id, _ in news})
    renamed: dict[tuple[str, str], str] = {}
    for customer_id, record in news:
        if isinstance(record.event, CustomerCreated):
            rows[customer_id] = _created(customer_id, record, record.event)
        elif (row := rows.get(customer_id)) is not None:
            _fold(row, record, renamed)
    CUSTOMERS.save(batch.cursor, rows.values())
    _save_words(batch, renamed)


def _whose(record: Record) -> str:
    return record.event.customer_id if isinstance(record.event, ContactIdentified) else ident_of(record.stream)


def _created(customer_id: str, record: Record, event: CustomerCreated) -> Customer:
    return Customer(
        customer_id=customer_id,
        created_at=record.about.at,
        source=event.source,
        region=event.region,
        numbers=[Number(event.number, event.region, "")] if event.number else [],
        seen_at=record.about.at,
        version=record.version,
        position=record.position,
    )


def _fold(row: Customer, record: Record, renamed: dict[tuple[str, str], str]) -> None:
    event = record.event
    row.position = record.position
    if isinstance(event, ContactIdentified):
        row.contacts += 1
        row.seen_at = record.about.at
        return
    row.version = record.version
    match event:
        case CustomerProfileChanged():
            for part in ("name", "company", "address"):
                given = getattr(event, part)
                if given is not None:
                    setattr(row, part, given)
                    if part in _FOUND_BY:
                        renamed[row.customer_id, part] = given
            if event.level is not None:
                row.level = event.level
        case CustomerNumberAdded():
            row.numbers.append(Number(event.number, event.region, event.label))
        case CustomerErased():
            row.erased = True
            for part in _FOUND_BY:
                renamed[row.customer_id, part] = ""


def _save_words(batch: Batch, renamed: dict[tuple[str, str], str]) -> None:
    """Replace the tokens of what changed. A name whose key is destroyed by now has none."""
    if not renamed:
        return
    whose, parts = zip(*renamed, strict=True)
    batch.cursor.execute(_DROP, (list(whose), list(parts)), prepare=True)
    batch.site.unlock({stream("customer", each) for each in whose})
    rows = [
        Word(customer_id, part, token)
        for (customer_id, part), sealed in renamed.items()
        for token in _tokens(batch.site, stream("customer", customer_id), part, sealed)
    ]
    WORD_ROWS.insert(batch.cursor, rows)


def _tokens(site: Site, name: str, part: str, sealed: str) -> set[str]:
    text = site.open(name, part, sealed)
    return set() if text in ("", ERASED) else {_token(site.token(WORDS, word)) for word in words(text)}


# --- queries ---------------------------------------------------------------------------------------------------------
# An erasure destroys the key first of all; the model hears of it a little later.
_READABLE: Final = (
    "NOT EXISTS (SELECT FROM public.ringledger_keys AS k"
    " WHERE k.subject = 'customer-' || customer_id AND k.erased_at IS NOT NULL)"
)
# Once for each token: of a frequent one the database goes through the customers until a page is full, of a rare one
# through those who have it.
_HAS: Final = (
    "EXISTS (SELECT FROM read.customers_words AS w WHERE w.customer_id = customers.customer_id AND w.token = %s)"
)
_KEY: Final = ("seen_at", "customer_id")


def search(
    connection: Connection,
    vault: Vault,
    text: str,
    *,
    region: str,
    level: str = "",
    cursor: str = "",
    limit: int = 50,
) -> Page[Customer]:
    """The customers who have this number, however it is written, or this name or company; all where `text` is empty.

    `region` is the country of numbers without a country code. The latest seen first. Raises `Refused` (`bad_search`)
    where there is nothing to look for in the text, and for a cursor or limit that cannot be.
    """
    conditions: list[Condition] = [(_READABLE,)]
    if level:
        conditions.append(("level = %s", level))
    if text.strip():
        number = e164(text, region)
        conditions += _by_words(vault, text) if number is None else [_by_number(connection, vault, number)]
    return page(connection, CUSTOMERS, conditions, key=_KEY, cursor=cursor, limit=limit)


def find(connection: Connection, customer_id: str) -> Customer | None:
    """One customer, erased or not; None where there is none of this id."""
    found = page(connection, CUSTOMERS, [("customer_id = %s", customer_id)], key=_KEY, limit=1)
    return found.items[0] if found.items else None


def find_many(connection: Connection, ids: list[str]) -> dict[str, Customer]:
    """Those of these customers that there are, by id: the names for a list of something else."""
    found = page(connection, CUSTOMERS, [("customer_id = ANY(%s)", ids)], key=_KEY, limit=max(1, len(ids)))
    return {each.customer_id: each for each in found.items}


def holder(connection: Connection, vault: Vault, number: str) -> str | None:
    """The id of the customer who has this E.164 number; None where nobody has."""
    rows = connection.execute(
        "SELECT stream FROM public.ringledger_blind_index WHERE name = %s AND token = %s ORDER BY stream",
        (INDEX, vault.token(INDEX, number)),
    ).fetchall()
    return next((ident_of(str(name)) for (name,) in rows if kind_of(str(name)) == "customer"), None)


def _by_number(connection: Connection, vault: Vault, number: str) -> Condition:
    return ("customer_id = %s", holder(connection, vault, number) or "")


def tokens(vault: Vault, text: str) -> list[str]:
    """The look-up tokens of a name or company that somebody types; whoever has it has all of them. Raises `Refused`
    (`bad_search`) where there is nothing to look for.
    """
    found = asked(text)
    if not found:
        raise Refused("bad_search", "Write a name, a company or a telephone number.")
    return [_token(vault.token(WORDS, word)) for word in found]


def _by_words(vault: Vault, text: str) -> list[Condition]:
    return [(_HAS, token) for token in tokens(vault, text)]
