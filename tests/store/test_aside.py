"""An erasure reaches spools that were put aside, and what the web kept meanwhile (law 11)."""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import MappingProxyType

import pytest
from structlog.testing import capture_logs

from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.contacts.contacts import ContactArrived, ContactIdentified
from orchestrator.domain.kernel import Instant, Provenance, Record
from orchestrator.service.customers import Customers
from orchestrator.spools import Sweeping
from orchestrator.store import Aside, Drain, Spool, tidy
from orchestrator.store.aside import PATTERN
from orchestrator.store.spool import row_bound, seal_name
from orchestrator.vault import ERASED
from tests.postgres import Database
from tests.store.kit import NUMBER, Kit, take_lease

OTHER = "+8613800138999"
LEDGER = "this one"
NOBODY: Mapping[str, str] = MappingProxyType({})


def arrival(name: str, number: str, version: int = 1) -> Record:
    said = ContactArrived(
        leg=f"leg of {name}", node="fs1", dialled="4000", caller_number=number, caller_name="Wang", from_number=number
    )
    about = Provenance(at=Instant(1), causation=name)
    return Record(stream=f"contact-{name}", version=version, event=said, event_id=f"{name}/{version}", about=about)


class House:
    """A machine's spools, and the customers of its callers."""

    def __init__(self, kit: Kit, folder: Path) -> None:
        self.kit = kit
        self.folder = folder
        self.customers = Customers(kit.desk, kit.log, kit.vault, region="CN")
        self.fence = take_lease(kit.database.writer)

    def spool(self, *, machine: str = "here") -> Spool:
        return Spool(self.folder, self.kit.vault, ledger=LEDGER, machine=machine, limit_mb=10)

    def put_aside(self, records: Sequence[Record]) -> Path:
        with closing(self.spool()) as spool:
            spool.own(self.fence)
            spool.append(self.fence, records)
            return spool.set_aside("given_up")

    def sweeping(self) -> Sweeping:
        aside = Aside(self.kit.source, self.kit.vault, ledger=LEDGER)
        return Sweeping(self.folder, aside, self.customers.recognise_all)

    def sweep(self) -> None:
        self.sweeping().sweep()

    def customer(self, number: str) -> str:
        (customer_id,) = self.customers.identify_all([number])
        assert customer_id is not None
        return customer_id

    def erase(self, number: str) -> None:
        self.kit.desk.erase(f"customer-{self.customer(number)}")
        self.kit.vault.forget()

    def key_file_reads(self) -> bytes:
        """All that whoever has the key file and these files can read, without the database's keys."""
        found = b""
        for path in self.folder.glob(PATTERN):
            with closing(sqlite3.connect(path)) as connection:
                (spool,) = connection.execute("SELECT value FROM meta WHERE name = 'id'").fetchone()
                for stream, version, topic, blob in connection.execute(
                    "SELECT stream, version, topic, sealed FROM entries"
                ):
                    found += self.kit.vault.open_bytes(seal_name(spool), blob, row_bound(stream, version, topic))
        return found

    def all_reads(self, path: Path) -> list[Record]:
        """The records with whatever keys there are, as one reads them who puts the file back."""
        back = self.folder.parent / "back"
        back.mkdir()
        (back / "spool.db").write_bytes(path.read_bytes())
        with closing(Spool(back, self.kit.vault, ledger=LEDGER, machine="here", limit_mb=10)) as spool:
            assert spool.put_aside is None
            return spool.opened(spool.first(100))


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    kit = Kit(database, tmp_path / "kek", entries=CATALOGUE)
    yield House(kit, tmp_path / "spool")
    kit.close()


def number_of(record: Record) -> str:
    assert isinstance(record.event, ContactArrived)
    return record.event.caller_number


def bytes_of(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in folder.iterdir())


def blobs_of(path: Path) -> list[bytes]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT sealed FROM entries ORDER BY place")]


def test_of_a_person_who_was_erased_nothing_can_be_read_in_a_spool_that_was_put_aside(house: House) -> None:
    """Neither with the key file nor with the keys that are left; of everybody else what was there is there."""
    house.customer(NUMBER)
    path = house.put_aside([arrival("a", NUMBER), arrival("b", OTHER), arrival("b", OTHER, 2)])
    assert NUMBER.encode() in house.key_file_reads(), "that is what is to be mended"
    before = blobs_of(path)
    house.sweep()
    for number in (NUMBER, OTHER):
        assert number.encode() not in house.key_file_reads(), "the key file alone reads nobody"
    assert not any(blob in bytes_of(house.folder) for blob in before), "nor is the old form left anywhere"
    house.erase(NUMBER)
    assert [number_of(each) for each in house.all_reads(path)] == [ERASED, OTHER, OTHER]


def test_a_caller_who_first_called_while_the_database_was_away_is_reached_too(house: House) -> None:
    """Nobody could be asked who called. The log would have made a customer of that number."""
    path = house.put_aside([arrival("a", NUMBER)])
    house.sweep()
    assert [number_of(each) for each in house.kit.log.history() if isinstance(each.event, ContactArrived)] == []
    house.erase(NUMBER)
    assert [number_of(each) for each in house.all_reads(path)] == [ERASED]


def test_a_contact_that_the_log_knows_is_sealed_under_the_key_that_it_has(house: House) -> None:
    customer = house.customer(NUMBER)
    writer = house.kit.writer(house.fence)
    named = ContactIdentified(customer_id=customer)
    first = arrival("a", NUMBER)
    writer.append_live(
        [first, Record(stream=first.stream, version=2, event=named, event_id="named", about=first.about)]
    )
    path = house.put_aside([arrival("a", NUMBER, 3)])
    house.sweep()
    house.erase(NUMBER)
    assert [number_of(each) for each in house.all_reads(path)] == [ERASED]


def test_a_person_who_was_erased_before_their_spool_was_put_aside_is_not_sealed_anew(house: House) -> None:
    customer = house.customer(NUMBER)
    house.kit.desk.erase(f"customer-{customer}")
    house.kit.vault.forget()
    first = arrival("a", NUMBER)
    named = ContactIdentified(customer_id=customer)
    path = house.put_aside(
        [first, Record(stream=first.stream, version=2, event=named, event_id="named", about=first.about)]
    )
    house.sweep()
    customers = {each.stream for each in house.kit.log.history(kinds=("customer",))}
    assert customers == {f"customer-{customer}"}, "nor made a customer again"
    arrived, then = house.all_reads(path)
    assert then.event == named
    assert number_of(arrived) == ERASED


def test_it_does_not_matter_how_long_after_the_call_its_spool_says_who_called(house: House) -> None:
    """Arrival and name lie on different pages: in between, others called."""
    customer, other = house.customer(NUMBER), house.customer(OTHER)
    house.kit.desk.erase(f"customer-{customer}")
    house.kit.vault.forget()
    first = arrival("a", NUMBER)
    named = ContactIdentified(customer_id=customer)
    late = Record(stream=first.stream, version=2, event=named, event_id="named", about=first.about)
    path = house.put_aside([first, *(arrival(f"c{count}", OTHER) for count in range(120)), late])
    house.sweep()
    customers = {each.stream for each in house.kit.log.history(kinds=("customer",))}
    assert customers == {f"customer-{customer}", f"customer-{other}"}, "nobody was made a customer again"
    assert NUMBER.encode() not in house.key_file_reads()
    read = house.all_reads(path)[:100]
    assert [number_of(each) for each in read[:2]] == [ERASED, OTHER]


def test_a_spool_that_is_put_back_where_it_belongs_goes_to_the_log_without_whoever_was_erased(house: House) -> None:
    """One of another machine: its calls matter, and are stored once it is back."""
    with closing(house.spool(machine="elsewhere")) as theirs:
        theirs.own(house.fence)
        theirs.append(house.fence, [arrival("a", NUMBER), arrival("b", OTHER)])
    with closing(house.spool()) as ours:
        assert ours.put_aside is not None
        path, why = ours.put_aside
        assert "another machine" in why
    house.sweep()
    house.erase(NUMBER)
    (house.folder / "spool.db").unlink()
    path.rename(house.folder / "spool.db")
    with closing(house.spool(machine="elsewhere")) as back:
        assert back.put_aside is None
        back.own(house.fence)
        drain = Drain(back, house.kit.source, house.kit.vault, house.fence)
        assert drain.some() == 2
        drain.close()
    arrived = [each for each in house.kit.log.history() if isinstance(each.event, ContactArrived)]
    assert [number_of(each) for each in arrived] == [ERASED, OTHER]


def test_what_came_into_a_spool_after_it_was_put_back_is_swept_when_it_lies_aside_again(house: House) -> None:
    path = house.put_aside([arrival("a", OTHER)])
    house.sweep()
    (house.folder / "spool.db").unlink()
    path.rename(house.folder / "spool.db")
    house.put_aside([arrival("b", NUMBER)])
    assert NUMBER.encode() in house.key_file_reads(), "that is what is to be mended"
    house.sweep()
    assert NUMBER.encode() not in house.key_file_reads()


def test_a_sweep_that_died_is_gone_on_with_and_one_that_is_over_is_not_begun_again(house: House) -> None:
    path = house.put_aside([arrival(f"c{count}", NUMBER) for count in range(120)])
    aside = Aside(house.kit.source, house.kit.vault, ledger=LEDGER)
    pages = 0

    def die() -> None:
        nonlocal pages
        pages += 1
        if pages == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        aside.seal(path, lambda _: NOBODY, pause=die)
    half = aside.seal(path, lambda _: NOBODY)
    assert half is not None
    assert (half.sealed, half.left) == (20, 0)
    done = aside.seal(path, lambda _: NOBODY)
    assert done is not None
    assert (done.sealed, done.left) == (0, 0)
    assert NUMBER.encode() not in house.key_file_reads()


def test_what_nobody_can_read_is_left_and_counted_and_the_rest_sealed(house: House) -> None:
    path = house.put_aside([arrival("a", NUMBER), arrival("b", OTHER)])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE entries SET sealed = x'00' WHERE place = 1")
    swept = Aside(house.kit.source, house.kit.vault, ledger=LEDGER).seal(path, lambda _: NOBODY)
    assert swept is not None
    assert (swept.sealed, swept.left) == (1, 1)


def test_a_spool_of_another_ledger_is_left_as_it_is(house: House) -> None:
    path = house.put_aside([arrival("a", NUMBER)])
    before = blobs_of(path)
    swept = Aside(house.kit.source, house.kit.vault, ledger="another one").seal(path, lambda _: NOBODY)
    assert swept is not None
    assert swept.sealed == 0
    assert blobs_of(path) == before


def test_what_went_to_the_log_leaves_nothing_beside_the_spool(house: House) -> None:
    """SQLite keeps what it wrote last in a file of its own until it writes there again."""
    spool = house.spool()
    spool.own(house.fence)
    spool.append(house.fence, [arrival("a", NUMBER)])
    with closing(sqlite3.connect(house.folder / "spool.db")) as connection:
        (blob,) = connection.execute("SELECT sealed FROM entries").fetchone()
    drain = Drain(spool, house.kit.source, house.kit.vault, house.fence)
    assert drain.some() == 1
    drain.close()
    assert blob in bytes_of(house.folder), "that is what is to be mended"
    tidy(spool)
    assert blob not in bytes_of(house.folder)
    spool.close()


def test_a_file_that_is_damaged_once_everything_is_in_the_log_ends_nobody(house: House) -> None:
    with closing(house.spool()) as spool:
        spool.own(house.fence)
        spool.append(house.fence, [arrival("a", NUMBER)])
        drain = Drain(spool, house.kit.source, house.kit.vault, house.fence)
        assert drain.some() == 1
        drain.close()
        os.truncate(house.folder / "spool.db-wal", 0)
        with pytest.raises(sqlite3.Error):
            spool.tidy()
        with capture_logs() as said:
            tidy(spool)
        assert [each["event"] for each in said] == ["spool-not-tidied"]


def test_a_file_that_cannot_be_opened_keeps_no_other_waiting_and_is_told_of_once(house: House) -> None:
    house.put_aside([arrival("a", NUMBER)])
    (house.folder / "aside-1.db").mkdir()
    sweeping = house.sweeping()
    with capture_logs() as said:
        sweeping.sweep()
        sweeping.sweep()
    assert [each["event"] for each in said] == ["spool-aside-waits", "spool-aside-sealed"]
    (house.folder / "aside-1.db").rmdir()
    assert NUMBER.encode() not in house.key_file_reads()
