"""Events of a time without the database: kept in order, durable, each in the log once, and decided by one only."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count, groupby
from operator import itemgetter
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.domain.kernel import Record
from orchestrator.store import SPOOLED, Deposed, Drain, Drained, Fence, Hooks, LiveWriter, Spool, SpoolFailed
from orchestrator.store.connections import STATEMENT_TIMEOUT_MS
from orchestrator.store.schema import APPEND_LOCK
from orchestrator.store.spool import Damaged
from orchestrator.store.spooling import LOOK_S
from tests.lab.patience import until
from tests.store.kit import NAME, NUMBER, CallTaken, Kit, calls, places, record, take_lease
from tests.store.proxy import Proxy

ME, YOU = Fence("main", 1, "me"), Fence("main", 2, "you")


class Right:
    """A lease that was announced, or was not."""

    def __init__(self, *, announced: bool = True) -> None:
        self.announced = announced
        self.looks = 0
        self.looked_at = time.monotonic()

    def begin_spooling(self) -> bool:
        return self.announced

    def end_spooling(self) -> None: ...

    def extend(self, stands: Callable[[], bool]) -> bool:
        self.looks += 1
        self.looked_at = time.monotonic()
        return stands()


class Spools:
    """Spools of one test over one folder."""

    def __init__(self, kit: Kit, folder: Path) -> None:
        self.kit = kit
        self.folder = folder
        self._opened: list[Spool] = []

    def open(
        self,
        *,
        ledger: str = "this one",
        machine: str = "this one",
        limit_mb: int = 10,
        folder: Path | None = None,
    ) -> Spool:
        spool = Spool(
            folder or self.folder,
            self.kit.vault,
            ledger=ledger,
            machine=machine,
            limit_mb=limit_mb,
            catalogue=self.kit.entries,
        )
        self._opened.append(spool)
        return spool

    def drain(self, spool: Spool, fence: Fence) -> Drain:
        return Drain(spool, self.kit.source, self.kit.vault, fence, catalogue=self.kit.entries)

    def close(self) -> None:
        for each in self._opened:
            each.close()


@pytest.fixture
def spooled(kit: Kit, tmp_path: Path) -> Iterator[Spools]:
    made = Spools(kit, tmp_path / "spool")
    yield made
    made.close()


def step(name: str, records: Sequence[Record]) -> list[Record]:
    """These, decided together."""
    return [replace(each, about=replace(each.about, causation=name)) for each in records]


def steps_of(kit: Kit) -> list[list[tuple[str, int]]]:
    """What of the log was stored in one transaction each, in the order of the log."""
    with psycopg.connect(kit.database.reader) as connection:
        rows = connection.execute(
            "SELECT xmin::text, originator_id, originator_version FROM ringledger_events ORDER BY notification_id"
        ).fetchall()
    return [[(stream, version) for _, stream, version in each] for _, each in groupby(rows, key=itemgetter(0))]


def empty(drain: Drain) -> int:
    """Bring all of it to the log; how many."""
    count = 0
    try:
        while stored := drain.some():
            count += stored
    finally:
        drain.close()
    return count


# --- the file --------------------------------------------------------------------------------------------------------
def test_what_is_kept_is_there_after_the_process_has_died_in_its_order(spooled: Spools) -> None:
    spool = spooled.open()
    spool.own(ME)
    kept = [*calls("contact-a", 1, 2), *calls("contact-b", 1), *calls("contact-a", 3)]
    spool.append(ME, kept[:3])
    spool.append(ME, kept[3:])
    again = spooled.open()
    assert again.id == spool.id
    assert [each.record for each in again.first(10)] == kept
    assert [each.epoch for each in again.first(10)] == [1, 1, 1, 1]


def test_personal_text_stands_in_it_sealed_only(spooled: Spools) -> None:
    """Law 11."""
    spool = spooled.open()
    spool.own(ME)
    spool.append(ME, [record("contact-a", 1, CallTaken(number=NUMBER, name=NAME))])
    content = b"".join(file.read_bytes() for file in spooled.folder.iterdir())
    assert NUMBER.encode() not in content
    assert NAME.encode() not in content
    assert spool.first(1)[0].record.event == CallTaken(number=NUMBER, name=NAME)
    assert {file.stat().st_mode & 0o077 for file in spooled.folder.iterdir()} == {0}


def test_only_its_owner_may_write_and_whoever_owned_it_before_is_told(spooled: Spools) -> None:
    """Split brain: the new owner has to do nothing else, and the old one cannot keep a decision any more."""
    old, new = spooled.open(), spooled.open()
    old.own(ME)
    old.begin(ME)
    old.append(ME, calls("contact-a", 1))
    found = new.own(YOU)
    assert (found.waiting, found.used) == (1, True)
    assert not old.stands(ME)
    for forbidden in (lambda: old.append(ME, calls("contact-a", 2)), lambda: old.begin(ME), lambda: old.drop(ME, 1)):
        with pytest.raises(Deposed):
            forbidden()
    assert len(new.first(10)) == 1


def test_a_spool_of_another_ledger_or_machine_is_put_aside_whole(spooled: Spools) -> None:
    mine = spooled.open(ledger="another one")
    mine.own(ME)
    mine.append(ME, calls("contact-a", 1))
    mine.close()
    ours = spooled.open()
    assert ours.put_aside is not None
    aside, why = ours.put_aside
    assert "another ledger" in why
    assert ours.id != mine.id
    assert sqlite3.connect(aside).execute("SELECT count(*) FROM entries").fetchone() == (1,)
    moved = spooled.open(machine="elsewhere")
    assert moved.put_aside is not None
    assert "another machine" in moved.put_aside[1]


def test_a_machine_with_another_name_finds_its_spool_again(spooled: Spools, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container has a new host name each time; what was decided before it was made anew must not be lost."""
    spool = spooled.open()
    spool.own(ME)
    spool.append(ME, calls("contact-a", 1))
    monkeypatch.setattr("orchestrator.store.spool.gethostname", lambda: "made-anew")
    again = spooled.open()
    assert (again.put_aside, again.id, again.waiting) == (None, spool.id, 1)


@pytest.mark.parametrize("host", ("its own", "another"))
def test_a_spool_of_an_earlier_version_is_gone_on_with_by_the_machine_that_made_it(
    spooled: Spools, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """It knew its machine by name, and did not say where a step ends."""
    monkeypatch.setattr("orchestrator.store.spool.gethostname", lambda: "its own")
    spool = spooled.open()
    spool.own(ME)
    spool.append(ME, calls("contact-a", 1, 2))
    spool._connection.execute("ALTER TABLE entries DROP COLUMN more")
    spool._connection.execute("DELETE FROM meta WHERE name = 'machine'")
    spool.close()
    monkeypatch.setattr("orchestrator.store.spool.gethostname", lambda: host)
    again = spooled.open()
    if host == "another":
        assert again.put_aside is not None
        return
    assert again.put_aside is None
    again.append(ME, step("1-1", calls("contact-b", 1, 2)))
    assert len(again.first(1)) == 1
    again.drop(ME, 2)
    assert len(again.first(1)) == 2
    monkeypatch.setattr("orchestrator.store.spool.gethostname", lambda: "renamed")
    assert spooled.open().put_aside is None, "from now on it is known by more than that"


def test_whoever_stands_by_sees_the_spool_that_was_begun_after_another_was_put_aside(spooled: Spools) -> None:
    """Otherwise it would count as an engine of another machine: nothing would be announced, nor could it follow."""
    active, standby = spooled.open(), spooled.open()
    active.own(ME)
    active.append(ME, calls("contact-a", 1))
    active.set_aside("conflict")
    active.own(ME)
    active.append(ME, calls("contact-b", 1, 2))
    standby.catch_up()
    assert standby.id == active.id
    assert standby.own(YOU).waiting == standby.waiting == 2
    assert places(each.record for each in standby.first(10)) == [("contact-b", 1), ("contact-b", 2)]
    seen = standby._connection
    standby.catch_up()
    assert standby._connection is seen, "nothing was moved since"


@pytest.mark.parametrize("left", (0, 1, 4_000))
def test_a_file_that_is_no_spool_any_more_is_put_aside_and_nothing_is_deleted(spooled: Spools, left: int) -> None:
    spool = spooled.open()
    spool.own(ME)
    for number in range(200):
        spool.append(ME, calls(f"contact-{number}", 1))
    spool.close()
    file = spooled.folder / "spool.db"
    os.truncate(file, left)
    for part in ("-wal", "-shm"):
        file.with_name(f"spool.db{part}").unlink(missing_ok=True)
    fresh = spooled.open()
    assert fresh.put_aside is not None
    assert fresh.put_aside[0].stat().st_size == left
    assert (fresh.waiting, fresh.id == spool.id) == (0, False), "under its old name nothing may be announced"


def test_a_spool_that_cannot_be_opened_now_stays_where_it_is(spooled: Spools, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, no file numbers left, somebody else at it: whoever starts again finds what the lease names."""
    monkeypatch.setattr("orchestrator.store.spool_file._BUSY_S", 0.0)
    spool = spooled.open()
    spool.own(ME)
    spool.append(ME, calls("contact-a", 1))
    spool.close()
    in_the_way = sqlite3.connect(spooled.folder / "spool.db", isolation_level=None)
    in_the_way.execute("PRAGMA locking_mode = EXCLUSIVE")
    in_the_way.execute("BEGIN EXCLUSIVE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        spooled.open()
    in_the_way.close()
    again = spooled.open()
    assert (again.id, again.waiting, again.put_aside) == (spool.id, 1, None)


def test_of_a_damaged_spool_what_comes_before_the_damage_is_read_and_nothing_after_it(spooled: Spools) -> None:
    spool = spooled.open()
    spool.own(ME)
    spool.append(ME, calls("contact-a", 1, 2, 3, 4))
    by_hand = sqlite3.connect(spooled.folder / "spool.db")
    by_hand.execute("UPDATE entries SET sealed = x'00' || sealed WHERE place = 3")
    by_hand.commit()
    assert places(each.record for each in spool.first(10)) == [("contact-a", 1), ("contact-a", 2)]
    spool.drop(ME, 2)
    with pytest.raises(Damaged):
        spool.first(10)
    by_hand.execute("DELETE FROM entries WHERE place = 3")
    by_hand.commit()
    with pytest.raises(Damaged, match="Place 3 is missing"):
        spool.first(10)
    by_hand.execute("DELETE FROM entries")
    by_hand.commit()
    with pytest.raises(Damaged, match="2 events from place 3 on are missing"):
        spool.first(10)
    by_hand.close()


@pytest.mark.parametrize("damage", ("altered", "lost"))
def test_of_a_step_that_is_damaged_nothing_is_read(spooled: Spools, damage: str) -> None:
    """Half a step would be a state that nobody ever decided: an agent reserved for nobody."""
    spool = spooled.open()
    spool.own(ME)
    spool.append(ME, [*step("1-1", calls("contact-a", 1, 2)), *step("1-2", calls("contact-b", 1, 2, 3))])
    by_hand = sqlite3.connect(spooled.folder / "spool.db", isolation_level=None)
    if damage == "altered":
        by_hand.execute("UPDATE entries SET sealed = x'00' || sealed WHERE place = 4")
    else:
        by_hand.execute("DELETE FROM entries WHERE place > 3")
    by_hand.close()
    assert places(each.record for each in spool.first(10)) == [("contact-a", 1), ("contact-a", 2)]
    spool.drop(ME, 2)
    with pytest.raises(Damaged):
        spool.first(10)


def test_a_spool_that_somebody_else_is_at_is_not_damaged(spooled: Spools, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes over would put it aside, and nothing of it would ever be in the log."""
    monkeypatch.setattr("orchestrator.store.spool_file._BUSY_S", 0.0)
    spool = spooled.open()
    spool.own(ME)
    spool.append(ME, calls("contact-a", 1))
    # Where no WAL can be had, as on some network disks, a reader waits for a writer.
    spool._connection.execute("PRAGMA journal_mode = DELETE")
    other = sqlite3.connect(spooled.folder / "spool.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    for look in (lambda: spool.first(10), lambda: spool.stands(ME)):
        with pytest.raises(SpoolFailed, match="locked"):
            look()
    other.close()
    assert len(spool.first(10)) == 1
    assert spool.stands(ME)


def test_past_its_limit_it_says_so_and_past_its_reserve_it_takes_nothing_more(spooled: Spools) -> None:
    spool = spooled.open(limit_mb=1)
    spool.own(ME)
    text = "x" * 50_000
    version = 0
    while not spool.full:
        version += 1
        spool.append(ME, [record("contact-a", version, CallTaken(note=text))])
    assert 1 < spool.share < 1.1
    spool.append(ME, [record("contact-a", version + 1, CallTaken(note=text))])  # for those who are inside
    with pytest.raises(SpoolFailed, match="full"):
        spool.append(ME, [record("contact-a", version + 2 + each, CallTaken(note=text)) for each in range(10)])
    assert spool.waiting == version + 1


def test_what_is_kept_while_something_is_dropped_is_counted(spooled: Spools, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease that is given back goes on naming its spool as long as something waits in it."""
    spool = spooled.open()
    spool.own(ME)
    spool.append(ME, calls("contact-a", 1))
    at_the_lock = threading.Event()

    class Lock:
        """Says when somebody comes to it."""

        def __init__(self, lock: threading.Lock) -> None:
            self._lock = lock

        def __enter__(self) -> None:
            at_the_lock.set()
            self._lock.acquire()

        def __exit__(self, *_: object) -> None:
            self._lock.release()

    monkeypatch.setattr(spool, "_lock", Lock(spool._lock))
    dropping = threading.Thread(target=spool.drop, args=(ME, 1))

    def begin_to_drop(statement: str) -> None:
        if statement == "COMMIT":
            spool._connection.set_trace_callback(None)
            at_the_lock.clear()
            dropping.start()
            at_the_lock.wait(10)

    spool._connection.set_trace_callback(begin_to_drop)
    spool.append(ME, calls("contact-a", 2, 3))
    dropping.join(10)
    assert spool.waiting == len(spool.first(10)) == 2


def test_a_disk_that_is_full_loses_nothing_that_was_kept(spooled: Spools) -> None:
    spool = spooled.open()
    spool.own(ME)
    spool.append(ME, calls("contact-a", 1))
    spool._connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(SpoolFailed, match="full"):
        spool.append(ME, [record("contact-a", 2, CallTaken(note="x" * 100_000))])
    assert places(each.record for each in spool.first(10)) == [("contact-a", 1)]


# --- to the log ------------------------------------------------------------------------------------------------------
def test_what_was_sealed_in_the_spool_is_sealed_in_the_log_as_ever(spooled: Spools) -> None:
    spool = spooled.open()
    fence = take_lease(spooled.kit.database.writer)
    spool.own(fence)
    kept = record("contact-a", 1, CallTaken(number=NUMBER, name=NAME))
    spool.append(fence, [kept])
    assert empty(spooled.drain(spool, fence)) == 1
    (stored,) = spooled.kit.log.history()
    assert (stored.event, stored.event_id, stored.about) == (kept.event, kept.event_id, kept.about)
    (blind,) = spooled.kit.blind_log.history()
    assert blind.event != kept.event
    assert spool.waiting == 0


@pytest.mark.parametrize("batch", (1, 2, 4, 400))
def test_a_step_goes_to_the_log_whole_however_much_is_in_the_spool(
    spooled: Spools, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads the log, or takes over in the middle of it, finds no state that nobody decided."""
    from orchestrator.store import spooling

    monkeypatch.setattr(spooling, "_BATCH", batch)
    fence = take_lease(spooled.kit.database.writer)
    spool = spooled.open()
    spool.own(fence)
    kept = [step(f"1-{number}", calls(f"contact-{number}", 1, 2, 3)) for number in range(4)]
    spool.append(fence, [each for together in kept[:3] for each in together])
    spool.append(fence, kept[3])
    empty(spooled.drain(spool, fence))
    assert spooled.kit.logged() == places(each for together in kept for each in together)
    for stored in steps_of(spooled.kit):
        assert len(stored) % 3 == 0, "a transaction holds whole steps"
    assert len(steps_of(spooled.kit)) == {1: 4, 2: 4, 4: 2, 400: 1}[batch]


@pytest.mark.parametrize("died", ("before the log", "before it was dropped", "in the middle"))
def test_a_drain_that_died_at_any_step_is_gone_on_with_and_each_event_is_stored_once(
    spooled: Spools, died: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 4: by event ids, whatever the batches were."""
    from orchestrator.store import spooling

    fence = take_lease(spooled.kit.database.writer)
    spool = spooled.open()
    spool.own(fence)
    kept = [*calls("contact-a", 1, 2), *calls("contact-b", 1, 2), *calls("contact-c", 1)]
    spool.append(fence, kept)
    monkeypatch.setattr(spooling, "_BATCH", 3)
    if died != "before the log":
        with monkeypatch.context() as patch:
            patch.setattr(spool, "drop", lambda *_: 0)  # the process ends between the two commits
            dying = spooled.drain(spool, fence)
            dying.some()
            dying.close()
    if died == "in the middle":
        monkeypatch.setattr(spooling, "_BATCH", 4)
    again = spooled.open()
    empty(spooled.drain(again, fence))
    assert spooled.kit.logged() == places(kept)
    assert again.waiting == 0


def test_what_is_in_the_log_and_could_not_be_dropped_is_gone_on_with(spooled: Spools) -> None:
    """Law 4: a disk that was full for a moment is no conflict, which would put the rest aside."""
    fence = take_lease(spooled.kit.database.writer)
    spool = spooled.open()
    spool.own(fence)
    kept = calls("contact-a", 1, 2)
    spool.append(fence, kept)
    drain = spooled.drain(spool, fence)
    spool._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(SpoolFailed):
        drain.some()
    spool._connection.execute("PRAGMA query_only = OFF")
    assert empty(drain) == 2
    assert spooled.kit.logged() == places(kept)
    assert spool.waiting == 0


def test_at_each_outage_the_first_may_be_in_the_log_already(spooled: Spools) -> None:
    """Law 4: the answer to what was sent when the database went away may be lost at the second time, too."""
    fence = take_lease(spooled.kit.database.writer)
    spool = spooled.open()
    spool.own(fence)
    first, second = calls("contact-a", 1), calls("contact-b", 1)
    drain = spooled.drain(spool, fence)
    spool.append(fence, first)
    assert empty(drain) == 1
    spooled.kit.writer(fence).append_live(second)
    spool.append(fence, second)
    assert empty(drain) == 1
    assert spooled.kit.logged() == places([*first, *second])


def test_what_was_cut_off_and_comes_to_its_end_later_is_found_by_whoever_sends_it_again(spooled: Spools) -> None:
    """Law 4: the server knows nothing of a client that is gone, and stores what it had begun with, behind our look."""
    fence = take_lease(spooled.kit.database.writer)
    spool = spooled.open()
    spool.own(fence)
    kept = calls("contact-a", 1, 2)
    spool.append(fence, kept)
    drain = spooled.drain(spool, fence)
    outcome: list[object] = []

    def send() -> None:
        try:
            outcome.append(drain.some())
        except psycopg.Error as error:
            outcome.append(type(error))

    def waiting(many: int) -> bool:
        with psycopg.connect(spooled.kit.database.writer) as connection:
            asked = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"
            )
            return connection.execute(asked).fetchall() == [(many,)]

    with psycopg.connect(spooled.kit.database.writer) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))
        first, second = threading.Thread(target=send, daemon=True), threading.Thread(target=send, daemon=True)
        first.start()
        until(lambda: waiting(1), "it is at the server")
        drain.cut()
        until(lambda: outcome == [psycopg.OperationalError], "whoever sent it is told", within_s=5)
        second.start()
        until(lambda: waiting(2), "it was looked for in vain, and is sent again")
    second.join(10)
    assert outcome[1:] == [2]
    assert spooled.kit.logged() == places(kept)
    assert spool.waiting == 0
    drain.close()


def test_a_spool_that_somebody_else_has_decided_against_is_refused_and_kept(spooled: Spools) -> None:
    from orchestrator.store import VersionConflict

    fence = take_lease(spooled.kit.database.writer)
    spool = spooled.open()
    spool.own(fence)
    spool.append(fence, [*calls("contact-a", 1), *calls("contact-b", 1)])
    writer = spooled.kit.writer(fence)
    writer.append_live(calls("contact-b", 1))
    with pytest.raises(VersionConflict):
        empty(spooled.drain(spool, fence))
    assert spool.waiting == 2
    assert spooled.kit.logged() == [("contact-b", 1)]


def test_a_lease_that_is_over_drains_nothing(spooled: Spools) -> None:
    """Right is who the row names, and no time of anybody's is compared."""
    fence = take_lease(spooled.kit.database.writer)
    spool = spooled.open()
    spool.own(fence)
    spool.append(fence, calls("contact-a", 1))
    take_lease(spooled.kit.database.writer, epoch=2, holder="another")
    with pytest.raises(Deposed):
        empty(spooled.drain(spool, fence))
    assert spool.waiting == 1
    assert spooled.kit.logged() == []


KILLED = """
import os, sys
from pathlib import Path
from orchestrator.store import Fence, Spool
from orchestrator.vault import Vault
from tests.store.kit import CATALOGUE, calls

class Shelf:
    def check_value(self): return None
    def remember_check_value(self, value): return value

folder, kek, batches, inside = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
known = {"ledger": "this one", "machine": "this one"}
spool = Spool(folder, Vault.unlock(kek, Shelf()), **known, limit_mb=10, catalogue=CATALOGUE)
fence = Fence("main", 1, "me")
spool.own(fence)
for number in range(batches):
    spool.append(fence, calls("contact-a", 2 * number + 1, 2 * number + 2))
    print(number, flush=True)
spool._connection.execute("BEGIN IMMEDIATE")
for place in range(inside):
    spool._connection.execute("DELETE FROM entries WHERE place = (SELECT max(place) FROM entries)")
os.kill(os.getpid(), 9)
"""


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.integers(1, 12), inside=st.integers(0, 3))
def test_a_process_killed_anywhere_leaves_what_it_was_told_is_kept(
    kit: Kit, tmp_path_factory: pytest.TempPathFactory, batches: int, inside: int
) -> None:
    """Also in the middle of a commit: it counts whole or not at all."""
    folder = tmp_path_factory.mktemp("killed")
    words = [str(folder), str(kit.kek), str(batches), str(inside)]
    told = subprocess.run([sys.executable, "-c", KILLED, *words], capture_output=True, text=True, check=False)
    assert told.stdout.split() == [str(number) for number in range(batches)], told.stderr
    known = {"ledger": "this one", "machine": "this one"}
    spool = Spool(folder, kit.vault, **known, limit_mb=10, catalogue=kit.entries)
    assert [each.record.version for each in spool.first(100)] == list(range(1, 2 * batches + 1))
    spool.close()
    shutil.rmtree(folder)


# --- around the writer -----------------------------------------------------------------------------------------------
class Heard:
    """What a writer with a spool told."""

    def __init__(self) -> None:
        self.away: list[object] = []
        self.spooling: list[object] = []
        self.drained: list[Drained] = []
        self.ended: list[BaseException] = []

    def hooks(self) -> Hooks:
        return Hooks(
            on_away=self.away.append,
            on_spooling=self.spooling.append,
            on_drained=self.drained.append,
            on_deposed=self.ended.append,
            on_failed=self.ended.append,
        )


def writing(
    spooled: Spools,
    proxy: Proxy,
    heard: Heard,
    spool: Spool,
    right: Right,
    *,
    statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
) -> LiveWriter:
    fence = take_lease(spooled.kit.database.writer)
    spool.own(fence)
    url = f"{proxy.url}&connect_timeout=2"
    source = spooled.kit.another_source(url, statement_timeout_ms=statement_timeout_ms)
    return LiveWriter(
        source,
        spooled.kit.vault,
        fence,
        catalogue=spooled.kit.entries,
        hooks=heard.hooks(),
        spool=(spool, right),
    ).start()


def test_a_writer_goes_round_a_database_that_is_away_and_back_to_the_log_behind_all_of_it(
    spooled: Spools, proxy: Proxy
) -> None:
    """Feature 12.2. A commit whose answer was lost as the database went is in both, and stored once."""
    heard, spool, right = Heard(), spooled.open(), Right()
    writer = writing(spooled, proxy, heard, spool, right)
    writer.append_live(calls("contact-a", 1))
    proxy.swallow_next_answer(b"CallTaken.v1", then_shut=True)
    assert writer.append_live(calls("contact-a", 2)) == SPOOLED
    assert writer.spooling
    assert not writer.away
    for version in range(3, 30):
        assert writer.append_live(calls("contact-a", version)) == SPOOLED
    until(lambda: right.looks > 1, "the right to act goes on by the spool")
    proxy.reopen()
    until(lambda: bool(heard.drained), "all of it is in the log")
    assert heard.drained[0].events == 28
    assert writer.append_live(calls("contact-a", 30)) == spooled.kit.log.position()
    assert spooled.kit.logged() == [("contact-a", version) for version in range(1, 31)]
    assert (heard.away, heard.ended, len(heard.spooling)) == ([], [], 1)
    writer.close()


def test_a_spool_is_emptied_though_events_go_on_coming(spooled: Spools, proxy: Proxy) -> None:
    """Half an hour of calls is caught up with beside live traffic, which never pauses for it."""
    heard, spool = Heard(), spooled.open(limit_mb=100)
    writer = writing(spooled, proxy, heard, spool, Right())
    proxy.cut(stay_shut=True)
    writer.append_live(calls("contact-first", 1))
    stop = threading.Event()
    last: dict[str, int] = {}

    def go_on(stream: str) -> None:
        for version in count(1):
            writer.append_live(step(f"{stream}-{version}", calls(stream, version)))
            last[stream] = version
            if stop.is_set():
                return

    callers = [threading.Thread(target=go_on, args=(f"contact-{number}",)) for number in range(4)]
    for each in callers:
        each.start()
    until(lambda: spool.waiting > 1_000, "an outage that takes more than one batch to catch up with")
    proxy.reopen()
    until(lambda: bool(heard.drained), "all of it is in the log, beside live traffic", within_s=20)
    before = dict(last)
    until(lambda: all(last[stream] > before[stream] + 10 for stream in before), "and traffic goes on")
    stop.set()
    for each in callers:
        each.join(10)
    assert heard.ended == []
    assert not writer.spooling
    logged = spooled.kit.logged()
    for stream, versions in last.items():
        assert [version for name, version in logged if name == stream] == list(range(1, versions + 1))
    writer.close()


def test_a_database_that_stands_still_at_the_end_of_the_way_back_keeps_no_caller_waiting(
    spooled: Spools, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feature 12.2. It ends no statement then, and the right to act goes on: nobody else would serve them either."""
    heard, spool, right = Heard(), spooled.open(), Right()
    writer = writing(spooled, proxy, heard, spool, right)
    proxy.cut(stay_shut=True)
    assert writer.append_live(calls("contact-a", 1)) == SPOOLED
    spooler = writer._spooler
    assert spooler is not None
    drain, stalled = spooler._drain, threading.Event()
    some, fence = drain.some, spooler._fence

    def some_and_stand_still() -> int:
        if spooler._gate.locked() and not stalled.is_set():
            spool.append(fence, calls("contact-b", 1))  # came since the last batch
            proxy.go_silent()
            stalled.set()
        return some()

    monkeypatch.setattr(drain, "some", some_and_stand_still)
    proxy.reopen()
    assert stalled.wait(20)
    told: list[int] = []
    writer.submit(calls("contact-a", 2), told.append)
    until(lambda: bool(told), "it is decided on", within_s=8)
    assert told == [SPOOLED]
    looks = right.looks
    until(lambda: right.looks > looks, "the right to act goes on")
    proxy.speak()
    until(lambda: bool(heard.drained), "all of it is in the log")
    writer.append_live(calls("contact-a", 3))
    assert sorted(spooled.kit.logged()) == [("contact-a", 1), ("contact-a", 2), ("contact-a", 3), ("contact-b", 1)]
    assert heard.ended == []
    writer.close()


def test_who_holds_the_writer_for_long_does_not_prolong_the_right_to_act(
    spooled: Spools, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is that stands still: then switches serve their callers themselves."""
    heard, spool, right = Heard(), spooled.open(), Right()
    writer = writing(spooled, proxy, heard, spool, right)
    proxy.cut(stay_shut=True)
    assert writer.append_live(calls("contact-a", 1)) == SPOOLED
    spooler = writer._spooler
    assert spooler is not None
    monkeypatch.setattr("orchestrator.store.spooling._STUCK_S", 0.2)
    go_on, stuck = threading.Event(), threading.Event()
    some = spooler._drain.some

    def some_later() -> int:
        if spooler._gate.locked():
            stuck.set()
            go_on.wait(30)
        return some()

    monkeypatch.setattr(spooler._drain, "some", some_later)
    proxy.reopen()
    assert stuck.wait(20)

    until(lambda: time.monotonic() - right.looked_at > 4 * LOOK_S, "the right to act ends", within_s=10)
    go_on.set()
    until(lambda: bool(heard.drained), "all of it is in the log")
    writer.close()


def test_a_writer_goes_round_a_database_that_stands_still(
    spooled: Spools, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feature 12.2: a server that was stopped, or whose storage hangs, ends no statement and closes no connection."""
    monkeypatch.setattr("orchestrator.store.connections._GRACE_S", 0.3, raising=False)
    heard, spool = Heard(), spooled.open()
    writer = writing(spooled, proxy, heard, spool, Right(), statement_timeout_ms=500)
    writer.append_live(calls("contact-a", 1))
    proxy.go_silent()
    told: list[int] = []
    writer.submit(calls("contact-a", 2), told.append)
    until(lambda: bool(told), "it is decided on", within_s=15)
    assert told == [SPOOLED]
    proxy.speak()
    until(lambda: bool(heard.drained), "all of it is in the log")
    writer.append_live(calls("contact-a", 3))
    assert spooled.kit.logged() == [("contact-a", 1), ("contact-a", 2), ("contact-a", 3)]
    assert (heard.away, heard.ended) == ([], [])
    writer.close()


def test_without_a_word_in_the_lease_a_writer_waits_as_before(spooled: Spools, proxy: Proxy) -> None:
    heard, spool = Heard(), spooled.open()
    writer = writing(spooled, proxy, heard, spool, Right(announced=False))
    proxy.cut(stay_shut=True)
    writer.submit(calls("contact-a", 1))
    until(lambda: bool(heard.away), "it is away")
    assert (writer.spooling, spool.waiting) == (False, 0)
    proxy.reopen()
    writer.append_live(calls("contact-a", 2))
    assert spooled.kit.logged() == [("contact-a", 1), ("contact-a", 2)]
    writer.close()


def test_a_writer_whose_spool_is_full_waits_and_what_it_kept_comes_first(spooled: Spools, proxy: Proxy) -> None:
    heard, spool = Heard(), spooled.open(limit_mb=1)
    writer = writing(spooled, proxy, heard, spool, Right())
    proxy.cut(stay_shut=True)
    versions = range(1, 41)
    for version in versions:
        keep = writer.append_live if version <= 15 else writer.submit
        keep([record("contact-a", version, CallTaken(note="x" * 50_000))])
    until(lambda: bool(heard.away), "it says that nothing more is kept")
    assert writer.waiting > 0
    proxy.reopen()
    until(lambda: bool(heard.drained), "the spool is empty")
    writer.append_live(calls("contact-a", 41))
    assert spooled.kit.logged() == [("contact-a", version) for version in range(1, 42)]
    writer.close()


def test_a_writer_whose_spool_is_taken_from_it_ends_and_nothing_of_it_is_done(spooled: Spools, proxy: Proxy) -> None:
    """Split brain: a standby of this machine reaches the database, and this engine does not."""
    heard, spool = Heard(), spooled.open()
    writer = writing(spooled, proxy, heard, spool, Right())
    proxy.cut(stay_shut=True)
    assert writer.append_live(calls("contact-a", 1)) == SPOOLED
    other = spooled.open()
    fence = take_lease(spooled.kit.database.writer, epoch=2, holder="you")
    other.own(fence)
    lost: list[BaseException] = []
    told: list[int] = []
    until(lambda: bool(heard.ended), "it is deposed")
    assert isinstance(heard.ended[0], Deposed)
    try:
        writer.submit(calls("contact-a", 2), told.append, lost.append)
    except Deposed as error:
        lost.append(error)
    until(lambda: bool(lost), "told")
    assert told == []
    empty(spooled.drain(other, fence))
    assert spooled.kit.logged() == [("contact-a", 1)]
    writer.close()


def test_a_writer_that_is_closed_leaves_what_waits_in_the_spool(spooled: Spools, proxy: Proxy) -> None:
    spool = spooled.open()
    writer = writing(spooled, proxy, Heard(), spool, Right())
    proxy.cut(stay_shut=True)
    for version in range(1, 20):
        writer.submit(calls("contact-a", version))
    assert writer.close()
    kept: list[Record] = [each.record for each in spooled.open().first(100)]
    assert places(kept) == [("contact-a", version) for version in range(1, 20)]
