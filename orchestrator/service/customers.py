"""Who is calling: the customer of a number, found or made on the first call.

Runs beside the ring path: a call is offered and answered whether or not its caller is known yet.

A customer's id is random. Were it derived from the number, whoever has the keys could try all numbers and so know an
erased customer again by the id in their contacts. That two first calls at once make one customer is seen to by the
store, which looks into the (erasable) blind index under the append lock.
"""

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import phonenumbers
from msgspec import Struct

from orchestrator.clock import Clock, wall_clock
from orchestrator.domain.contacts.events import ContactIdentified
from orchestrator.domain.customers.people import CustomerCreated, CustomerErased, CustomerProfileChanged
from orchestrator.domain.kernel import Instant, Provenance, Record, ident_of, kind_of, stream
from orchestrator.store import AlreadyHeld, DeskWriter, Log
from orchestrator.vault import Vault

INDEX: Final = "number"
"""The blind index of `PersonalNumber`."""

# What networks send as a number; everything else (names, `anonymous`, SIP addresses) is none. phonenumbers itself would
# take letters for digits and read extensions and parameters.
_LIKE_A_NUMBER: Final = re.compile(r"\+?[0-9][0-9 ().-]{1,39}")


def e164(raw: str, region: str) -> str | None:
    """The number in E.164, `+8613800138000`; None for what is no valid number, withheld or internal.

    `region` (ISO 3166) is the country whose numbers come without a country code.
    """
    known = _parsed(raw, region)
    return None if known is None else known[0]


class Caller(Struct, frozen=True):
    """Who calls: the customer, and the level that stands in the customer's file, empty where there is none."""

    customer_id: str
    level: str = ""


class Whose(Struct, frozen=True):
    """Whose a contact of the log is: empty where nobody knows; `erased`: that customer was."""

    customer_id: str = ""
    erased: bool = False


class Customers:
    """Finds and makes customers. Thread-safe."""

    def __init__(self, desk: DeskWriter, log: Log, vault: Vault, *, region: str, clock: Clock = wall_clock) -> None:
        self._desk = desk
        self._log = log
        self._vault = vault
        self._region = region
        self._clock = clock

    def identify(self, raw_number: str) -> str | None:
        """The id of the customer who calls from this number, made where there is none; None where it is no number.

        Raises `Away` where the database is not there, `Unsure` where it went away in the middle: asking again finds
        what was made.
        """
        (customer_id,) = self.identify_all([raw_number])
        return customer_id

    def identify_all(self, raw_numbers: Sequence[str]) -> list[str | None]:
        """`identify` for each of these numbers, in one question and, where there are new ones, one append."""
        return self._identified(raw_numbers)[0]

    def recognise_all(self, raw_numbers: Sequence[str]) -> list[Caller | None]:
        """`identify_all` with what the customers' files say of them, as far as routing needs it."""
        customers, new = self._identified(raw_numbers)
        levels = self._levels_of({customer for customer in customers if customer is not None} - new)
        return [None if customer is None else Caller(customer, levels.get(customer, "")) for customer in customers]

    def whose(self, contact_ids: Sequence[str]) -> dict[str, Whose]:
        """Whose each of these contacts is, of those of which the log tells. Makes nobody. Raises `Away`."""
        found: dict[str, str] = {}
        for record in self._log.streams(stream("contact", each) for each in contact_ids):
            contact = ident_of(record.stream)
            found.setdefault(contact, "")
            if isinstance(record.event, ContactIdentified):
                found[contact] = record.event.customer_id
        theirs = self._log.streams(stream("customer", each) for each in set(found.values()) - {""})
        erased = {ident_of(record.stream) for record in theirs if isinstance(record.event, CustomerErased)}
        return {contact: Whose(customer, customer in erased) for contact, customer in found.items()}

    def _identified(self, raw_numbers: Sequence[str]) -> tuple[list[str | None], set[str]]:
        """The customer of each number, and which of them were made just now: their files say nothing yet."""
        parsed = [_parsed(raw, self._region) for raw in raw_numbers]
        regions = dict(filter(None, parsed))
        known = self._find(list(regions))
        made: dict[str, str] = {}
        while new := {number: region for number, region in regions.items() if number not in known}:
            try:
                made = self._make(new)
                known |= made
            except AlreadyHeld:
                # Somebody made one of them since we looked: now it is found, or has been erased again.
                known |= self._find(list(new))
        return [None if each is None else known[each[0]] for each in parsed], set(made.values())

    def _levels_of(self, customers: Collection[str]) -> dict[str, str]:
        """The level in the file of each of these customers who has one."""
        levels: dict[str, str] = {}
        for record in self._log.streams(stream("customer", customer) for customer in customers):
            if isinstance(record.event, CustomerProfileChanged) and record.event.level is not None:
                levels[ident_of(record.stream)] = record.event.level
        return levels

    def _find(self, numbers: Sequence[str]) -> dict[str, str]:
        """The customers that there are, by their numbers."""
        if not numbers:
            return {}
        tokens = {self._vault.token(INDEX, number): number for number in numbers}
        found: dict[str, str] = {}
        for token, holders in self._log.find_all_by_blind_index(list(tokens), INDEX).items():
            customer = next((ident_of(holder) for holder in holders if kind_of(holder) == "customer"), None)
            if customer is not None:
                found[tokens[token]] = customer
        return found

    def _make(self, regions: Mapping[str, str]) -> dict[str, str]:
        """New customers of these numbers, all or none. Raises `AlreadyHeld` where one of them has a customer."""
        made = {number: str(uuid.uuid4()) for number in regions}
        records = [_created(made[number], number, region, self._clock()) for number, region in regions.items()]
        self._desk.append_desk(records, sole=(INDEX, list(regions)))
        return made


def _created(customer_id: str, number: str, region: str, now: Instant) -> Record:
    return Record(
        stream=stream("customer", customer_id),
        version=1,
        event=CustomerCreated(number=number, region=region),
        event_id=str(uuid.uuid4()),
        about=Provenance(
            at=now,
            origin="command",
            causation=f"identify-{customer_id}",
            correlation=stream("customer", customer_id),
        ),
    )


def _parsed(raw: str, region: str) -> tuple[str, str] | None:
    """The number in E.164 and the region that it belongs to; None for what is no valid number."""
    text = raw.strip()
    if not _LIKE_A_NUMBER.fullmatch(text):
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    # As `is_valid_number` does, which would keep the region for itself.
    its = phonenumbers.region_code_for_number(number)
    if its is None or not phonenumbers.is_valid_number_for_region(number, its):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), its
