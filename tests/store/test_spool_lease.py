"""Who may spool, and who may take over from whom: no caller is ever decided upon twice (docs/decisions/0097)."""

import os
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from orchestrator.domain.engine import STREAM, EngineActivated
from orchestrator.domain.kernel import Refused
from orchestrator.domain.spools import SpoolGivenUp, SpoolPutAside
from orchestrator.engines import Roster, Standing
from orchestrator.leader import Leader, LeaderState, Lease, Taken, Timings, holder_name
from orchestrator.spools import GivingUp, Settling
from orchestrator.store import Fence, KeyShelf, LiveWriter, Log, Source, Spool, SpoolFailed
from orchestrator.store.spool import Entry, Found
from orchestrator.vault import Vault
from tests.lab.patience import until
from tests.postgres import Database
from tests.store.kit import SITE, record
from tests.store.proxy import Proxy

# Whoever stands by takes a lease as soon as nobody has moved it for a moment.
EAGER = Timings(renew_s=0.05, act_s=0.1, gone_s=0.2, stale_s=0.3)


class Machine:
    """An engine's leader on a machine of its own, and the spool that it sees there."""

    def __init__(self, place: "Place", url: str, folder: Path, *, always: bool) -> None:
        self.source = Source(url, name=holder_name())
        self.vault = place.vault
        self.log = place.log
        self.spool = Spool(folder, place.vault, ledger="this one", machine=folder.name, limit_mb=10)
        self.lease: Lease | None = None
        self.deposed = threading.Event()
        self.leader = Leader(
            self.source,
            SITE,
            on_active=self._active,
            on_deposed=lambda _: self.deposed.set(),
            timings=EAGER,
            host=str(folder),
            spool=self.spool,
            spool_always=always,
        ).start()

    def _active(self, lease: Lease) -> None:
        self.lease = lease

    def settle(self) -> Lease:
        """Wait until the lease is ours, and see to the spool as an engine does."""
        lease = until(lambda: self.lease, "it has the lease")
        assert Settling(self.spool, lease, self.source, self.vault, self.log).settle(lambda: False)
        return lease

    def close(self) -> None:
        self.leader.stop()
        self.spool.close()
        self.source.close()


class Place:
    """Machines over one database."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.source = Source(database.writer, name="ringledger test")
        self.vault = Vault.unlock(folder / "kek", KeyShelf(self.source))
        self.log = Log(self.source, vault=self.vault)
        self.giving = GivingUp(self.source, self.vault, self.log, SITE)
        self._machines: list[Machine] = []

    def machine(self, name: str, *, url: str | None = None, always: bool = False) -> Machine:
        self._machines.append(Machine(self, url or self.database.writer, self.folder / name, always=always))
        return self._machines[-1]

    def named(self) -> str:
        with psycopg.connect(self.database.writer) as connection:
            return str(connection.execute("SELECT spool FROM ringledger_lease").fetchall()[0][0])

    def tell(self, spool: str, state: LeaderState) -> None:
        """An engine of another machine says how it stands."""
        said = Standing(state=state, position=0, abreast=True, reached=(), missed=(), spool=spool)
        Roster(self.source, SITE).tell("elsewhere", said)

    def close(self) -> None:
        for each in self._machines:
            each.close()
        self.source.close()


@pytest.fixture
def place(database: Database, tmp_path: Path) -> Iterator[Place]:
    place = Place(database, tmp_path)
    yield place
    place.close()


def spooled(machine: Machine, lease: Lease, *, version: int = 1) -> None:
    """The database is away for this machine, and it decides something."""
    assert lease.begin_spooling()
    machine.spool.begin(lease.fence)
    said = EngineActivated(epoch=lease.epoch, why="decided in the dark", host="here")
    machine.spool.append(lease.fence, [record(STREAM, version, said)])


def test_a_holder_announces_its_spool_before_it_may_use_it_and_once_it_has_seen_to_it(place: Place) -> None:
    first = place.machine("one")
    lease = until(lambda: first.lease, "it has the lease")
    assert not lease.begin_spooling(), "nothing was announced yet"
    first.settle()
    until(lambda: bool(lease.announced), "it is announced")
    assert place.named() == lease.announced == first.spool.id
    assert lease.begin_spooling()


def test_while_an_engine_of_another_machine_stands_by_nothing_is_announced_unless_always(place: Place) -> None:
    """A machine that dies is followed in seconds then; the site chooses which of the two it wants."""
    first = place.machine("one")
    lease = first.settle()
    until(lambda: bool(lease.announced), "alone, it is announced")
    place.tell("of another machine", LeaderState.STANDBY)
    until(lambda: not lease.announced, "it is withdrawn")
    until(lambda: not place.named(), "and from the row")
    assert not lease.begin_spooling()
    place.tell("of another machine", LeaderState.STOPPED)
    until(lambda: bool(lease.announced), "alone again")
    first.close()
    place.tell("of another machine", LeaderState.STANDBY)
    second = place.machine("two", always=True)
    always = second.settle()
    until(lambda: bool(always.announced), "always")


def test_what_is_under_way_is_not_withdrawn(place: Place) -> None:
    first = place.machine("one")
    lease = first.settle()
    until(lambda: bool(lease.announced), "it is announced")
    assert lease.begin_spooling()
    assert not lease.withdraw()
    assert lease.announced == first.spool.id


def test_nobody_takes_a_lease_who_does_not_see_its_spool_and_who_does_brings_it_to_the_log_first(
    place: Place, proxy: Proxy
) -> None:
    """PostgreSQL is reached by the standby and not by the active engine: the spool decides, and so only one does."""
    first = place.machine("one", url=proxy.url)
    lease = first.settle()
    until(lambda: bool(lease.announced), "it is announced")
    proxy.cut(stay_shut=True)
    spooled(first, lease)
    far = place.machine("two")
    until(lambda: bool(far.leader.unseen_spool), "it waits for a spool that it does not see")
    assert far.leader.unseen_spool == first.spool.id
    near = place.machine("one")
    taken = near.settle()
    assert (taken.epoch, taken.taken, far.lease) == (2, Taken.STALE, None)
    assert [each.event.why for each in place.log.stream(STREAM)] == ["decided in the dark"]  # type: ignore[attr-defined]
    assert near.spool.waiting == 0
    assert not lease.extend(lambda: first.spool.stands(lease.fence)), "the old one may act no more"
    proxy.reopen()
    assert first.deposed.wait(30)


def test_a_spool_that_is_given_up_lets_another_engine_go_on_and_is_never_brought_to_the_log(
    place: Place, proxy: Proxy
) -> None:
    """On the record, with a reason; its machine comes back later, and keeps the file aside."""
    first = place.machine("one", url=proxy.url)
    lease = first.settle()
    until(lambda: bool(lease.announced), "it is announced")
    with pytest.raises(Refused, match="was heard of"):
        place.giving.give_up("impatience", actor="admin:ops", machine_is_off=True)
    proxy.cut(stay_shut=True)
    spooled(first, lease)
    lost = first.spool.id
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orchestrator.spools._LIVES_S", 0.0)
        with pytest.raises(Refused, match="Say why"):
            place.giving.give_up(" ", actor="admin:ops", machine_is_off=True)
        with pytest.raises(Refused, match="--machine-is-off") as refused:
            place.giving.give_up("the machine burnt", actor="admin:ops", machine_is_off=False)
        assert refused.value.code == "machine_may_live"
        assert (place.named(), list(place.log.stream(f"spool-{lost}"))) == (lost, []), "nothing was given up"
        place.giving.give_up("the machine burnt", actor="admin:ops", machine_is_off=True)
    (given,) = place.log.stream(f"spool-{lost}")
    assert given.event == SpoolGivenUp(epoch=1, reason="the machine burnt")
    assert given.about.actor == "admin:ops"
    second = place.machine("two")
    taken = second.settle()
    assert taken.epoch == 3
    writer = LiveWriter(second.source, place.vault, taken.fence).start()
    writer.append_live([record(STREAM, 1, EngineActivated(epoch=3, why="lease_free", host="two"))])
    writer.close()
    second.close()
    back = place.machine("one")
    back.settle()
    assert [type(each.event) for each in place.log.stream(f"spool-{lost}")] == [SpoolGivenUp, SpoolPutAside]
    assert back.spool.id != lost
    assert len(list((place.folder / "one").glob("aside-*.db"))) == 1
    assert len(list(place.log.stream(STREAM))) == 1
    elsewhere = GivingUp(place.source, place.vault, place.log, "elsewhere")
    with pytest.raises(Refused, match="no spool"):
        elsewhere.give_up("why not", actor="admin:ops", machine_is_off=True)


def test_a_lease_is_given_back_with_its_spool_named_as_long_as_something_is_in_it(place: Place) -> None:
    first = place.machine("one")
    lease = first.settle()
    until(lambda: bool(lease.announced), "it is announced")
    spooled(first, lease)
    name = first.spool.id
    first.close()
    assert place.named() == name
    assert "is free, and waits for spool" in place.giving.told()
    again = place.machine("one")
    again.settle()
    assert len(list(place.log.stream(STREAM))) == 1
    until(lambda: again.lease is not None and bool(again.lease.announced), "it is announced")
    again.close()
    assert place.named() == ""


def test_a_lease_given_back_by_whoever_has_not_seen_to_its_spool_goes_on_naming_it(place: Place) -> None:
    """Asked to stop while its disk was full: what is in the spool would count as given up."""
    first = place.machine("one")
    lease = first.settle()
    until(lambda: bool(lease.announced), "it is announced")
    spooled(first, lease)
    name = first.spool.id
    first.close()
    again = place.machine("one")
    until(lambda: again.lease, "it has the lease")
    again.leader.do_without_spool()
    again.close()
    assert place.named() == name
    third = place.machine("one")
    third.settle()
    assert len(list(place.log.stream(STREAM))) == 1


def test_a_spool_that_cannot_be_read_now_is_waited_for_and_not_put_aside(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock is no damage: what was decided in the dark goes to the log as soon as it can be read."""
    import sqlite3

    first = place.machine("one")
    lease = first.settle()
    until(lambda: bool(lease.announced), "it is announced")
    spooled(first, lease)
    name = first.spool.id
    first.close()
    monkeypatch.setattr("orchestrator.store.spool_file._BUSY_S", 0.0)
    again = place.machine("one")
    taken = until(lambda: again.lease, "it has the lease")
    settling = Settling(again.spool, taken, again.source, again.vault, again.log)
    again.spool._connection.execute("PRAGMA journal_mode = DELETE")
    other = sqlite3.connect(place.folder / "one" / "spool.db", isolation_level=None, check_same_thread=False)
    own, looks = again.spool.own, again.spool.first

    def own_and_lose_it(fence: Fence) -> Found:
        found = own(fence)
        other.execute("BEGIN EXCLUSIVE")
        return found

    def look(limit: int) -> list[Entry]:
        try:
            return looks(limit)
        except SpoolFailed:
            other.close()
            raise

    monkeypatch.setattr(again.spool, "own", own_and_lose_it)
    monkeypatch.setattr(again.spool, "first", look)
    assert settling.settle(lambda: False)
    assert len(list(place.log.stream(STREAM))) == 1
    assert (again.spool.id, list(place.log.stream(f"spool-{name}"))) == (name, [])


def test_a_damaged_spool_is_brought_to_the_log_as_far_as_it_can_be_read_and_the_rest_is_kept(place: Place) -> None:
    import sqlite3

    first = place.machine("one")
    lease = first.settle()
    until(lambda: bool(lease.announced), "it is announced")
    spooled(first, lease)
    spooled(first, lease, version=2)
    name = first.spool.id
    first.close()
    by_hand = sqlite3.connect(place.folder / "one" / "spool.db")
    by_hand.execute("UPDATE entries SET sealed = x'00' WHERE place = 2")
    by_hand.commit()
    by_hand.close()
    again = place.machine("one")
    again.settle()
    (said,) = place.log.stream(f"spool-{name}")
    assert said.event == SpoolPutAside(why="damaged", stored=1, left=1)
    assert len(list(place.log.stream(STREAM))) == 1
    assert again.spool.id != name


PAGE = 4_096
MANY = 300


def darken(place: Place) -> tuple[str, Path]:
    """A machine decides much in the dark, and ends: the spool's name, and its file."""
    first = place.machine("one")
    lease = first.settle()
    until(lambda: bool(lease.announced), "it is announced")
    assert lease.begin_spooling()
    first.spool.begin(lease.fence)
    for version in range(1, MANY + 1):
        said = EngineActivated(epoch=lease.epoch, why="decided in the dark", host="here")
        first.spool.append(lease.fence, [record(STREAM, version, said)])
    first.close()
    return first.spool.id, place.folder / "one" / "spool.db"


def cut_short(file: Path) -> None:
    os.truncate(file, file.stat().st_size - PAGE)


def lose_a_page(file: Path, page: int) -> None:
    with file.open("r+b") as raw:
        raw.seek(page * PAGE)
        raw.write(bytes(PAGE))


def page_in_the_middle(file: Path) -> int:
    return file.stat().st_size // PAGE // 2


@pytest.mark.parametrize("damage", ("cut short", "page lost", "owner lost", "sequence lost"))
def test_a_spool_with_a_part_of_its_file_gone_gives_what_comes_before_it_and_the_lease_goes_on(
    place: Place, damage: str
) -> None:
    """This only machine: nobody else could give back its lease."""
    import sqlite3

    name, file = darken(place)
    with closing(sqlite3.connect(file)) as by_hand:
        roots = dict(by_hand.execute("SELECT name, rootpage - 1 FROM sqlite_schema"))
    if damage == "cut short":
        cut_short(file)
    else:
        page = {"owner lost": roots["owner"], "sequence lost": roots["sqlite_sequence"]}.get(damage)
        lose_a_page(file, page_in_the_middle(file) if page is None else page)
    size = file.stat().st_size
    again = place.machine("one")
    lease = again.settle()
    stored = [each.version for each in place.log.stream(STREAM)]
    assert stored == list(range(1, len(stored) + 1)), "in order, and each once"
    assert len(stored) == MANY if page_is_of_no_event(damage) else MANY // 4 < len(stored) < MANY
    (said,) = place.log.stream(f"spool-{name}")
    left = MANY - len(stored)
    assert said.event == SpoolPutAside(why="damaged", stored=len(stored), left=left)
    (aside,) = file.parent.glob("aside-*.db")
    assert aside.stat().st_size == size, "it is kept as it was found"
    until(lambda: lease.announced == again.spool.id != name, "the new one is announced")
    spooled(again, lease, version=len(stored) + 1)


def page_is_of_no_event(damage: str) -> bool:
    return damage in {"owner lost", "sequence lost"}


def test_a_spool_of_which_nothing_can_be_read_is_told_of_in_the_log_and_the_lease_goes_on(place: Place) -> None:
    name, file = darken(place)
    lose_a_page(file, 0)
    again = place.machine("one")
    lease = again.settle()
    (said,) = place.log.stream(f"spool-{name}")
    assert said.event == SpoolPutAside(why="damaged", stored=0, left=0)
    until(lambda: lease.announced == again.spool.id != name, "the new one is announced")
    again.close()
    place.machine("one").settle()
    assert len(list(place.log.stream(f"spool-{name}"))) == 1, "told once"


@pytest.mark.parametrize("at", ("dropped", "noted", "moved"))
def test_an_engine_that_dies_while_it_saves_a_damaged_spool_is_followed(
    place: Place, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """The next one goes on from what is in the log: nothing twice, and the lease does not wait for what was moved."""

    class Died(BaseException):
        """The process ends here."""

    def die(*_given: object) -> None:
        raise Died

    name, file = darken(place)
    lose_a_page(file, page_in_the_middle(file))
    first = place.machine("one")
    until(lambda: first.lease, "it has the lease")
    where = {"dropped": "drop", "noted": "set_aside", "moved": "_make"}[at]
    with monkeypatch.context() as patch:
        patch.setattr(Spool, where, die)
        with pytest.raises(Died):
            first.settle()
    first.leader.stop(release=False)
    first.close()
    again = place.machine("one")
    lease = again.settle()
    stored = [each.version for each in place.log.stream(STREAM)]
    assert stored == list(range(1, len(stored) + 1))
    assert MANY // 4 < len(stored) < MANY
    assert len(list(place.log.stream(f"spool-{name}"))) == 1
    until(lambda: lease.announced == again.spool.id != name, "the new one is announced")


def test_a_damaged_spool_has_one_owner_as_any_other(place: Place) -> None:
    """Whoever had it open when it was damaged keeps nothing in it any more, and says so."""
    first = place.machine("one")
    lease = first.settle()
    until(lambda: bool(lease.announced), "it is announced")
    spooled(first, lease)
    first.spool.tidy()
    cut_short(place.folder / "one" / "spool.db")
    other = Spool(place.folder / "one", place.vault, ledger="this one", machine="one", limit_mb=10)
    assert other.damaged
    other.own(Fence(SITE, 2, "another"))
    assert other.stands(Fence(SITE, 2, "another"))
    assert not first.spool.stands(lease.fence)
    other.close()
