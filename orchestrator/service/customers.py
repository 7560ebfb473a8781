"""Who is calling: the customer of a number, found or made on the first call.

Runs beside the ring path: a call is offered and answered whether or not its caller is known yet.

A customer's id is random. Were it derived from the number, whoever has the keys could try all numbers and so know an
erased customer again by the id in their contacts. That two first calls at once make one customer is seen to by the
store, which looks into the (erasable) blind index under the append lock.
"""

import re
import time
import uuid
from typing import Final

import phonenumbers

from orchestrator.domain.customers.people import CustomerCreated
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
    number = _parsed(raw, region)
    return None if number is None else phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class Customers:
    """Finds and makes customers. Thread-safe."""

    def __init__(self, desk: DeskWriter, log: Log, vault: Vault, *, region: str) -> None:
        self._desk = desk
        self._log = log
        self._vault = vault
        self._region = region

    def identify(self, raw_number: str) -> str | None:
        """The id of the customer who calls from this number, made where there is none; None where it is no number.

        Raises `Away` where the database is not there, `Unsure` where it went away in the middle: asking again finds
        what was made.
        """
        number = _parsed(raw_number, self._region)
        if number is None:
            return None
        text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return self._find(text) or self._make(text, phonenumbers.region_code_for_number(number) or "")

    def _find(self, number: str) -> str | None:
        holders = self._log.find_by_blind_index(self._vault.token(INDEX, number), INDEX)
        return next((ident_of(holder) for holder in holders if kind_of(holder) == "customer"), None)

    def _make(self, number: str, region: str) -> str:
        customer_id = str(uuid.uuid4())
        record = Record(
            stream=stream("customer", customer_id),
            version=1,
            event=CustomerCreated(number=number, region=region),
            event_id=str(uuid.uuid4()),
            about=Provenance(
                at=Instant(time.time_ns() // 1000),
                origin="command",
                causation=f"identify-{customer_id}",
                correlation=stream("customer", customer_id),
            ),
        )
        try:
            self._desk.append_desk([record], sole=(INDEX, number))
        except AlreadyHeld as held:
            return ident_of(held.stream)
        return customer_id


def _parsed(raw: str, region: str) -> phonenumbers.PhoneNumber | None:
    text = raw.strip()
    if not _LIKE_A_NUMBER.fullmatch(text):
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None
