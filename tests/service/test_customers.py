"""Whoever calls for the first time becomes a customer, once; and can be forgotten for good."""

import threading

import psycopg
import pytest

from orchestrator.domain.contacts.events import ContactArrived, ContactIdentified
from orchestrator.domain.customers.people import CustomerCreated, CustomerProfileChanged
from orchestrator.domain.kernel import Instant, Provenance, Record
from orchestrator.service.customer_file import CustomerFile
from orchestrator.service.customers import INDEX, Caller, Customers, Whose, e164
from orchestrator.service.deciding import Who
from orchestrator.store import AlreadyHeld, Away, DeskWriter, KeyShelf, Log, Source
from orchestrator.vault import ERASED, Vault
from tests.store.kit import Kit, record

NUMBER = "+8613800138000"


def customers(kit: Kit) -> Customers:
    return Customers(kit.desk, kit.log, kit.vault, region="CN")


def made(kit: Kit) -> list[CustomerCreated]:
    return [record.event for record in kit.log.history() if isinstance(record.event, CustomerCreated)]


@pytest.mark.parametrize(
    ("raw", "number"),
    (
        ("+8613800138000", NUMBER),
        ("13800138000", NUMBER),
        ("013800138000", NUMBER),
        ("008613800138000", NUMBER),
        ("8613800138000", NUMBER),
        ("+86 138-0013-8000", NUMBER),
        ("021 6279 8000", "+862162798000"),
        ("+442079460018", "+442079460018"),
    ),
)
def test_a_number_is_known_however_the_network_writes_it(raw: str, number: str) -> None:
    """Feature 5.2: one customer a number, E.164 by the country of the site."""
    assert e164(raw, "CN") == number


NO_NUMBERS = (
    "",
    "anonymous",
    "Restricted",
    "unavailable",
    "1001",
    "*98",
    "+",
    "+999123456789",
    "13800138000;ext=5",
    "tel:+8613800138000",
    "sip:+8613800138000@evil",
    "1-800-FLOWERS",
    "13800138000\nUnique-ID: x",
    "%2B8613800138000",
    "١٣٨٠٠١٣٨٠٠٠",
    "1" * 2_000,
    "+86138001380001234567",
)


def test_what_is_no_number_makes_no_customer(kit: Kit) -> None:
    """Feature 5.2: a withheld, internal or forged number is nobody's."""
    service = customers(kit)
    assert {raw[:20]: service.identify(raw) for raw in NO_NUMBERS} == {raw[:20]: None for raw in NO_NUMBERS}
    assert kit.log.position() == 0


def test_a_first_call_makes_the_customer_and_the_second_finds_it(kit: Kit) -> None:
    """Feature 5.2: a record is created by itself on a first call; however the number is written the next time."""
    service = customers(kit)
    first = service.identify("13800138000")
    assert first is not None
    assert service.identify("+86 138 0013 8000") == first
    assert service.identify("+442079460018") != first
    assert [(event.number, event.region) for event in made(kit)] == [(NUMBER, "CN"), ("+442079460018", "GB")]


def test_of_many_who_make_the_same_customer_at_once_all_get_one(kit: Kit) -> None:
    """Feature 5.2: two calls of a new number at once, on different processes' connections, end with one customer."""
    racers = 8
    numbers = [f"+86138001380{index:02}" for index in range(6)]
    barrier = threading.Barrier(racers)
    found: list[list[str | None]] = []

    def race() -> None:
        source = Source(kit.database.writer, name="racer")
        vault = Vault.unlock(kit.kek, KeyShelf(source))
        service = Customers(DeskWriter(source, vault), Log(source, vault=vault), vault, region="CN")
        mine: list[str | None] = []
        for number in numbers:
            barrier.wait(20)
            mine.append(service.identify(number))
        found.append(mine)
        source.close()

    threads = [threading.Thread(target=race) for _ in range(racers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == racers
    assert all(each == found[0] for each in found)
    assert None not in found[0]
    assert sorted(event.number for event in made(kit)) == numbers


def test_whoever_calls_is_recognised_with_the_level_that_stands_in_the_file(kit: Kit) -> None:
    """Feature 3.3: routing needs no more of a file; whoever has no number, and whoever is new, has no level."""
    service = customers(kit)
    known = service.identify(NUMBER)
    assert known is not None
    for version, level in ((2, "gold"), (3, None), (4, "vip")):
        kit.desk.append_desk([record(f"customer-{known}", version, CustomerProfileChanged(name="Wang", level=level))])
    found = service.recognise_all([NUMBER, "anonymous", "+442079460018"])
    assert found[0] == Caller(known, "vip")
    assert found[1] is None
    assert found[2] is not None
    assert found[2].level == ""


def test_many_who_call_at_once_are_looked_up_together_and_each_gets_its_own(kit: Kit) -> None:
    """Feature 5.2: known, new, calling twice, and without a number, in one question."""
    service = customers(kit)
    known = service.identify(NUMBER)
    numbers = ["+442079460018", "13800138000", "anonymous", "+8613800138001", "+44 20 7946 0018"]
    found = service.identify_all(numbers)
    assert found[1:3] == [known, None]
    assert found[0] == found[4]
    assert len({found[0], found[1], found[3]} - {None}) == 3
    assert sorted(event.number for event in made(kit)) == ["+442079460018", NUMBER, "+8613800138001"]
    assert service.identify_all(numbers) == found
    assert service.identify_all([]) == []


def test_of_two_who_look_up_overlapping_callers_at_once_both_get_the_same_customers(kit: Kit) -> None:
    """Feature 5.2: of a batch one number may be made by somebody else between the look and the append."""
    racers = 6
    barrier = threading.Barrier(racers)
    found: list[dict[str, str | None]] = []

    def race(number: int) -> None:
        source = Source(kit.database.writer, name="racer")
        vault = Vault.unlock(kit.kek, KeyShelf(source))
        service = Customers(DeskWriter(source, vault), Log(source, vault=vault), vault, region="CN")
        mine: dict[str, str | None] = {}
        for turn in range(5):
            numbers = [f"+8613800138{turn}{(number + step) % racers}0" for step in range(4)]
            barrier.wait(20)
            mine |= dict(zip(numbers, service.identify_all(numbers), strict=True))
        found.append(mine)
        source.close()

    threads = [threading.Thread(target=race, args=(number,)) for number in range(racers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == racers
    everyone = {number: customer for mine in found for number, customer in mine.items()}
    assert all(mine[number] == everyone[number] for mine in found for number in mine)
    assert None not in everyone.values()
    assert sorted(event.number for event in made(kit)) == sorted(everyone)


def test_who_comes_second_is_told_of_the_first_though_it_saw_nobody_when_it_looked(kit: Kit) -> None:
    """Feature 5.2: the look and the append of two processes in the worst order."""
    first = customers(kit).identify(NUMBER)
    late = Record(
        stream="customer-late",
        version=1,
        event=CustomerCreated(number=NUMBER, region="CN"),
        event_id="late",
        about=Provenance(at=Instant(1)),
    )
    with pytest.raises(AlreadyHeld) as refused:
        kit.desk.append_desk([late], sole=(INDEX, NUMBER))
    assert refused.value.stream == f"customer-{first}"
    assert NUMBER not in str(refused.value)
    assert len(made(kit)) == 1


def test_an_erased_customer_is_forgotten_and_a_new_call_begins_anew(kit: Kit) -> None:
    """Feature 5.8: after the erasure neither number nor contact of the old customer can be read, nor found again."""
    service = customers(kit)
    old = service.identify(NUMBER)
    writer = kit.writer()
    writer.append_live(
        [
            _live(1, ContactArrived(node="sw1", leg="l1", dialled="4000", caller_number=NUMBER, caller_name="Wang")),
            _live(2, ContactIdentified(customer_id=str(old))),
        ]
    )
    kit.desk.erase(f"customer-{old}")
    new = service.identify(NUMBER)
    assert new is not None
    assert new != old
    assert [event.number for event in made(kit)] == [ERASED, NUMBER]
    (arrived, _) = kit.log.stream("contact-c1")
    assert isinstance(arrived.event, ContactArrived)
    assert (arrived.event.caller_number, arrived.event.caller_name) == (ERASED, ERASED)
    assert kit.log.find_by_blind_index(kit.vault.token(INDEX, NUMBER)) == [f"customer-{new}"]


def test_whose_a_contact_of_the_log_is_is_known_without_making_anybody(kit: Kit) -> None:
    """Law 11: also that its customer was erased, so that nobody makes them one again."""
    service = customers(kit)
    customer = str(service.identify(NUMBER))
    writer = kit.writer()
    writer.append_live([_live(1, ContactArrived(node="sw1", leg="l1", dialled="4000", caller_number=NUMBER))])
    assert service.whose(["c1", "c2"]) == {"c1": Whose()}
    writer.append_live([_live(2, ContactIdentified(customer_id=customer))])
    assert service.whose(["c1", "c2"]) == {"c1": Whose(customer)}
    assert customer != "None"
    CustomerFile(kit.desk, kit.log, kit.vault, region="CN").erase(Who(actor="desk:ann", roles=("agent",)), customer)
    assert service.whose(["c1"]) == {"c1": Whose(customer, erased=True)}
    assert len(made(kit)) == 1


def test_nothing_in_the_log_gives_the_number_away(kit: Kit) -> None:
    """Feature 5.8; no number, and nothing that follows from one alone, stands in the log in the clear."""
    customers(kit).identify(NUMBER)
    with psycopg.connect(kit.database.admin) as connection:
        rows = connection.execute("SELECT originator_id, state FROM ringledger_events").fetchall()
    token = kit.vault.token(INDEX, NUMBER)
    for stream, state in rows:
        for trace in (NUMBER.encode(), b"13800138000", token, token.hex().encode()):
            assert trace not in stream.encode() + state


def test_without_a_database_the_caller_stays_unknown_for_now(kit: Kit) -> None:
    gone = Source("postgresql://nobody@127.0.0.1:1/none")
    service = Customers(DeskWriter(gone, kit.vault), Log(gone, vault=kit.vault), kit.vault, region="CN")
    with pytest.raises(Away):
        service.identify(NUMBER)


def _live(version: int, event: ContactArrived | ContactIdentified) -> Record:
    return Record(
        stream="contact-c1", version=version, event=event, event_id=f"c{version}", about=Provenance(at=Instant(version))
    )
