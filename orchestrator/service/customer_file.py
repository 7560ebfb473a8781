"""The file on a customer: made by hand, corrected, given more numbers and notes, erased.

`customers` finds or makes the customer of whoever calls; here is what people do. The same key from the same actor does
a thing once. Answers tell the log position, for which a reader may wait.
"""

import uuid
from collections.abc import Iterable

import phonenumbers

from orchestrator.domain.contacts.dial_events import ContactDialled
from orchestrator.domain.contacts.events import ContactArrived
from orchestrator.domain.customers import notes, people
from orchestrator.domain.customers.people import Customer
from orchestrator.domain.kernel import Event, Record, Refused, derived_id, ident_of, kind_of, stream
from orchestrator.service.customers import INDEX, e164
from orchestrator.service.deciding import Decide, Desk, Who, Written, checked_id
from orchestrator.store import AlreadyHeld, DeskWriter, Log
from orchestrator.vault import Vault


class NumberHeld(Refused):
    """The number belongs to another customer. `customer_id` is who."""

    def __init__(self, customer_id: str) -> None:
        super().__init__(
            "number_held",
            f"This number belongs to customer {customer_id} already. If both are one person, go on with that one; "
            "files cannot be merged yet.",
        )
        self.customer_id = customer_id


class CustomerFile:
    """Reads and writes the files of customers. Thread-safe. `log` must have the keys.

    Every method raises `Refused` with a code and a sentence, `Away` where the database is not there, `Unsure` where it
    went away in the middle: with a key, a repeat is safe.
    """

    def __init__(self, desk: DeskWriter, log: Log, vault: Vault, *, region: str) -> None:
        self._desk = Desk(desk, log)
        self._log = log
        self._vault = vault
        self._region = region

    # --- reading -----------------------------------------------------------------------------------------------------
    def customer(self, customer_id: str) -> Customer | None:
        """The customer in the clear, `‹erased›` where the key was destroyed; None where there is none."""
        return _fold(self._log.stream(stream("customer", checked_id(customer_id, "customer"))))

    def notes(self, contact_id: str) -> notes.Notes | None:
        """What was written down about this contact; None where nothing was."""
        found: notes.Notes | None = None
        for record in self._log.stream(stream("note", checked_id(contact_id, "contact"))):
            found = notes.evolve(found, record.event, contact_id)
        return found

    def find_by_number(self, raw: str) -> str | None:
        """The id of the customer who has this number, however it is written; None where nobody has, or it is none."""
        number = e164(raw, self._region)
        if number is None:
            return None
        holders = self._log.find_by_blind_index(self._vault.token(INDEX, number), INDEX)
        return next((ident_of(holder) for holder in holders if kind_of(holder) == "customer"), None)

    # --- writing -----------------------------------------------------------------------------------------------------
    def create(
        self,
        who: Who,
        profile: people.ChangeProfile,
        *,
        number: str = "",
        contact_id: str = "",
        source: str = "desk",
        key: str = "",
    ) -> Written:
        """A new customer; `Written.ident` is the id.

        Of a contact without `number` the caller's own number is taken, where it is one. `Refused`: `no_number`,
        `number_held` (`NumberHeld`), `no_such_contact`, `bad_text`, `bad_word`. The contact itself is told who calls by
        `orchestrator.control` (`IdentifyContact`), while it lasts.
        """
        held = self._e164(number) if number.strip() else self._caller_of(contact_id)
        customer_id = derived_id("customer", who.actor, key) if key else str(uuid.uuid4())
        create = people.Create(number=held, region=_country(held), source=source)

        def decide(before: Iterable[Record]) -> tuple[Event, ...]:
            customer = _fold(before)
            made = people.decide(customer, create)
            for event in made:
                customer = people.evolve(customer, event, customer_id)
            return (*made, *people.decide(customer, profile))

        return self._sole(customer_id, decide, who, key, held)

    def change(self, who: Who, customer_id: str, profile: people.ChangeProfile, *, key: str = "") -> Written:
        """Correct the file. `Refused`: `no_such_customer`, `customer_erased`, `bad_text`, `bad_word`."""
        return self._do(who, customer_id, profile, key)

    def add_number(self, who: Who, customer_id: str, raw: str, *, label: str = "", key: str = "") -> Written:
        """One more number. `Refused`: `no_number`, `number_held` (`NumberHeld`), and as `change`."""
        number = self._e164(raw)
        command = people.AddNumber(number=number, region=_country(number), label=label)
        customer_id = checked_id(customer_id, "customer")
        return self._sole(customer_id, lambda before: people.decide(_fold(before), command), who, key, number)

    def note(self, who: Who, customer_id: str, text: str, *, key: str = "") -> Written:
        """Write something down about the customer. `Refused`: `empty_note`, and as `change`."""
        return self._do(who, customer_id, people.AddNote(text=text), key)

    def note_contact(self, who: Who, contact_id: str, text: str, *, code: str = "", key: str = "") -> Written:
        """Write something down about a contact, whoever called. `Refused`: `no_such_contact`, `empty_note`, `bad_text`,
        `bad_word`.
        """
        self._begun(contact_id)
        events = notes.decide(contact_id, notes.NoteContact(text=text, code=code))
        return self._desk.write(
            stream("note", contact_id),
            lambda _: events,
            who=who,
            key=key,
            about=lambda _before, _events: stream("contact", contact_id),
        )

    def erase(self, who: Who, customer_id: str) -> Written:
        """Forget for ever who this is, with every contact, note and order of theirs. `Refused`: `no_such_customer`.

        First the event, then the key: where the process dies in between, a repeat destroys it.
        """
        written = self._do(who, customer_id, people.Erase(), "")
        self._desk.writer.erase(stream("customer", customer_id))
        return written

    # -----------------------------------------------------------------------------------------------------------------
    def _do(self, who: Who, customer_id: str, command: people.Command, key: str) -> Written:
        name = stream("customer", checked_id(customer_id, "customer"))
        return self._desk.write(name, lambda before: people.decide(_fold(before), command), who=who, key=key)

    def _sole(self, customer_id: str, decide: Decide, who: Who, key: str, number: str) -> Written:
        """Write what gives the customer this number, which nobody else may have."""
        sole = (INDEX, number) if number else None
        try:
            return self._desk.write(stream("customer", customer_id), decide, who=who, key=key, sole=sole)
        except AlreadyHeld as held:
            raise NumberHeld(ident_of(held.stream)) from None

    def _e164(self, raw: str) -> str:
        number = e164(raw, self._region)
        if number is None:
            raise Refused("no_number", "This is no telephone number; write it as +8613800138000.")
        return number

    def _caller_of(self, contact_id: str) -> str:
        return e164(self._begun(contact_id).caller_number, self._region) or "" if contact_id else ""

    def _begun(self, contact_id: str) -> ContactArrived | ContactDialled:
        name = stream("contact", checked_id(contact_id, "contact"))
        first = next(self._log.stream(name, batch=1), None)
        if first is None or not isinstance(first.event, ContactArrived | ContactDialled):
            raise Refused("no_such_contact", "There is no such contact.")
        return first.event


def _fold(records: Iterable[Record]) -> Customer | None:
    customer: Customer | None = None
    for record in records:
        customer = people.evolve(customer, record.event, ident_of(record.stream))
    return customer


def _country(number: str) -> str:
    """The ISO 3166 code of an E.164 number, empty where it has none (satellites) or there is no number."""
    return (phonenumbers.region_code_for_number(phonenumbers.parse(number)) or "") if number else ""
