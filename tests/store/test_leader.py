"""One process acts at a time, whatever is stopped, killed or cut."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO

import psycopg
import pytest

from orchestrator.clock import elapsed
from orchestrator.leader import Leader, LeaderState, Lease, LeaseRow, Taken, Timings, holder_name
from orchestrator.store import Deposed, Source
from orchestrator.store.schema import APPEND_LOCK
from tests.conftest import PATCHED
from tests.lab.patience import until
from tests.postgres import Database
from tests.store.kit import SITE, Kit, calls
from tests.store.proxy import Proxy

# Of one who stands by: the lease of another one is not taken because it is old, within any test.
NEVER_STALE = Timings(gone_s=600.0, stale_s=600.0)
# A machine on which the numbers of this one's processes mean nothing.
ELSEWHERE = "elsewhere"


class Process:
    """A leader in a process of its own (tests.store.child)."""

    def __init__(self, kit: Kit) -> None:
        words = [sys.executable, "-m", "tests.store.child", *(["patched"] if PATCHED else []), "lead"]
        self._child = subprocess.Popen([*words, kit.database.writer, str(kit.kek)], stdout=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, args=(self._child.stdout,), daemon=True)
        self._reader.start()

    def _read(self, stdout: IO[str]) -> None:
        for line in stdout:
            self.lines.append(line.strip())

    def said(self, word: str) -> list[str]:
        return [line for line in list(self.lines) if line.split()[0] == word]

    def await_word(self, word: str) -> str:
        return until(lambda: self.said(word) or None, f"the process says {word}", within_s=30)[0]

    def signal(self, number: signal.Signals) -> None:
        os.kill(self._child.pid, number)

    def close(self) -> None:
        self._child.kill()
        self._child.wait()
        self._reader.join(5)
        assert self._child.stdout is not None
        self._child.stdout.close()


class Stand:
    """Leaders in this process."""

    def __init__(self, database: Database) -> None:
        self._url = database.writer
        self._leaders: list[Leader] = []
        self._sources: list[Source] = []
        self.told: queue.Queue[tuple[str, int, int]] = queue.Queue()

    def leader(
        self,
        *,
        url: str | None = None,
        timings: Timings | None = None,
        host: str | None = None,
        is_fit: Callable[[], bool] | None = None,
        hear: Callable[[int, int, int], None] = lambda *_: None,
    ) -> Leader:
        source = Source(url or self._url, name=holder_name())
        number = len(self._leaders)
        leader = Leader(
            source,
            SITE,
            on_active=partial(self._tell, "active", number),
            on_deposed=partial(self._tell, "deposed", number),
            timings=timings,
            host=host,
            is_fit=is_fit,
            hear=hear,
        )
        self._sources.append(source)
        self._leaders.append(leader)
        return leader.start()

    def hand(self, number: int, to: Leader) -> bool:
        return self._leaders[number].hand_to(to.holder)

    def _tell(self, word: str, number: int, lease: Lease) -> None:
        self.told.put((word, number, lease.epoch))

    def next(self, within_s: float = 30.0) -> tuple[str, int, int]:
        return self.told.get(timeout=within_s)

    def close(self) -> None:
        for leader in self._leaders:
            leader.stop()
        for source in self._sources:
            source.close()


@pytest.fixture
def stand(database: Database) -> Iterator[Stand]:
    stand = Stand(database)
    yield stand
    stand.close()


@pytest.fixture
def process(kit: Kit) -> Iterator[Callable[[], Process]]:
    started: list[Process] = []

    def start() -> Process:
        started.append(Process(kit))
        return started[-1]

    yield start
    for each in started:
        each.close()


def boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def lease_of(leader: Leader) -> Lease:
    return until(lambda: leader.lease, "the lease is held")


def test_the_first_of_two_becomes_active_and_the_second_stands_by_until_the_lease_is_given_back(stand: Stand) -> None:
    first = stand.leader()
    assert stand.next() == ("active", 0, 1)
    second = stand.leader(timings=NEVER_STALE)
    until(lambda: second.state is LeaderState.STANDBY, "the second stands by")
    assert lease_of(first).may_write()
    assert first.stop()
    assert stand.next() == ("active", 1, 2), "a lease that was given back is not waited out"
    assert first.state is LeaderState.STOPPED


def test_whoever_stands_by_and_whoever_is_active_hears_what_the_databases_clock_says(kit: Kit, stand: Stand) -> None:
    """Issue 6, clocks an hour apart: the clock that all engines of a site have in common."""
    heard: dict[str, list[tuple[int, int, int]]] = {"active": [], "standby": []}
    stand.leader(hear=lambda *said: heard["active"].append(said))
    stand.next()
    stand.leader(hear=lambda *said: heard["standby"].append(said), timings=NEVER_STALE)
    until(lambda: all(len(said) > 3 for said in heard.values()), "both heard it again and again")
    with psycopg.connect(kit.database.writer) as connection:
        asked = elapsed()
        row = connection.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").fetchone()
        answered = elapsed()
    assert row is not None
    begins = row[0] - answered  # Unix µs where `elapsed` is 0, at the earliest
    for said, before, after in heard["active"] + heard["standby"]:
        assert begins + before <= said + 1_000
        assert said - 1_000 <= begins + after + (answered - asked)


def test_of_many_that_start_at_once_exactly_one_is_active(stand: Stand) -> None:
    leaders = [stand.leader() for _ in range(6)]
    stand.next()
    until(lambda: all(each.state in {LeaderState.STANDBY, LeaderState.ACTIVE} for each in leaders), "all are up")
    assert [each.state for each in leaders].count(LeaderState.ACTIVE) == 1
    assert stand.told.empty()


def test_an_active_leader_that_renews_is_not_taken_over(stand: Stand) -> None:
    first = stand.leader()
    stand.next()
    lease = lease_of(first)
    second = stand.leader()
    until(lambda: second.state is LeaderState.STANDBY, "the second stands by")
    watched_until = time.monotonic() + 2 * Timings().stale_s
    until(lambda: not lease.may_write() or time.monotonic() > watched_until, "time passed", within_s=10)
    assert lease.may_write()
    assert stand.told.empty()


def test_a_killed_holder_is_taken_over_once_its_lease_is_stale(
    kit: Kit, stand: Stand, process: Callable[[], Process]
) -> None:
    child = process()
    until(lambda: len(child.said("acted")) > 2, "it acts and appends")
    child.signal(signal.SIGKILL)
    begun = time.monotonic()
    leader = stand.leader(host=ELSEWHERE)
    assert stand.next() == ("active", 0, 2)
    assert 1.0 <= time.monotonic() - begun < 10.0
    # Its session may still have been there at the first look.
    assert lease_of(leader).taken in {Taken.STALE, Taken.GONE}
    assert kit.logged(), "the killed one had been appending"


def test_a_killed_holder_of_the_same_machine_is_taken_over_without_waiting(
    stand: Stand, process: Callable[[], Process]
) -> None:
    """Feature 12.1: the kernel says that it is gone, though nobody has collected its exit code yet."""
    child = process()
    child.await_word("acted")
    leader = stand.leader(timings=NEVER_STALE)
    until(lambda: leader.state is LeaderState.STANDBY, "it stands by")
    child.signal(signal.SIGKILL)
    assert stand.next() == ("active", 0, 2)
    assert lease_of(leader).taken is Taken.ENDED


def test_a_holder_of_another_machine_whose_session_ended_is_taken_over_once_it_cannot_act_any_more(
    stand: Stand, process: Callable[[], Process]
) -> None:
    child = process()
    child.await_word("acted")
    leader = stand.leader(host=ELSEWHERE, timings=Timings(stale_s=600.0))
    until(lambda: leader.state is LeaderState.STANDBY, "it stands by")
    seen = len(child.said("acted"))
    until(lambda: len(child.said("acted")) > seen + 100, "its session was seen")
    child.signal(signal.SIGKILL)
    assert stand.next() == ("active", 0, 2)
    assert lease_of(leader).taken is Taken.GONE
    # Its last line may have been cut by the kill.
    acted = next(words[1] for words in map(str.split, reversed(child.said("acted"))) if len(words) > 1)
    assert boottime() - float(acted) >= Timings().act_s - Timings().renew_s


def test_a_holder_whose_session_was_ended_by_the_server_comes_back_and_stays(kit: Kit, stand: Stand) -> None:
    leader = stand.leader()
    stand.next()
    other = stand.leader(host=ELSEWHERE)
    until(lambda: other.state is LeaderState.STANDBY, "it stands by")
    with psycopg.connect(kit.database.admin, autocommit=True) as admin:

        def session() -> object:
            return admin.execute("SELECT backend_pid FROM ringledger_lease").fetchone()

        before = session()
        admin.execute("SELECT pg_terminate_backend(backend_pid) FROM ringledger_lease")
        until(lambda: session() != before, "it renews on another connection")
        watched_until = time.monotonic() + 2 * Timings().stale_s
        until(lambda: time.monotonic() > watched_until, "time passed", within_s=10)
    assert lease_of(leader).may_write()
    assert stand.told.empty()


def test_a_lease_is_handed_to_one_of_those_who_stand_by_and_its_holder_stands_by_itself(stand: Stand) -> None:
    """Feature 12.1: a planned change of who is active."""
    first = stand.leader()
    assert stand.next() == ("active", 0, 1)
    lease = lease_of(first)
    _, second = (stand.leader(timings=NEVER_STALE) for _ in range(2))
    until(lambda: second.state is LeaderState.STANDBY, "they stand by")
    second.expect(2.0)
    assert first.hand_to(second.holder)
    assert not lease.may_write()
    assert stand.next() == ("active", 2, 2)
    assert lease_of(second).taken is Taken.HANDED
    until(lambda: first.state is LeaderState.STANDBY, "it stands by")
    assert stand.told.empty()
    assert second.stop()
    first.seek()
    assert stand.next()[2] == 3, "and takes it again like any other"


def test_a_lease_handed_to_one_who_is_gone_is_taken_by_another(stand: Stand) -> None:
    first = stand.leader()
    stand.next()
    assert first.hand_to("ringledger elsewhere 1 00000000")
    second = stand.leader()
    assert stand.next() == ("active", 1, 2)
    assert lease_of(second).taken is Taken.STALE


def test_whoever_handed_over_seeks_the_lease_again_only_once_it_is_warm(stand: Stand) -> None:
    """It would hold the lease, and have the whole log to read before it decides anything."""
    first = stand.leader()
    stand.next()
    assert first.hand_to("ringledger elsewhere 1 00000000")
    watched_until = time.monotonic() + 2 * Timings().stale_s
    until(lambda: time.monotonic() > watched_until, "time passed", within_s=10)
    assert stand.told.empty()
    first.seek()
    assert stand.next() == ("active", 0, 2)


def test_a_lease_is_not_taken_by_one_who_is_not_fit_unless_it_is_handed_over(stand: Stand) -> None:
    """Feature 12.1: an engine that reaches no switch leaves it to another one that does."""
    fit = threading.Event()
    stand.leader(is_fit=fit.is_set)
    second = stand.leader()
    assert stand.next() == ("active", 1, 1)
    assert second.stop()
    third = stand.leader()
    assert stand.next() == ("active", 2, 2)
    assert third.stop()
    fit.set()
    assert stand.next() == ("active", 0, 3)
    fit.clear()
    fourth = stand.leader(is_fit=fit.is_set)
    until(lambda: fourth.state is LeaderState.STANDBY, "it stands by")
    assert stand.hand(0, fourth)
    assert stand.next() == ("active", 3, 4)


def test_a_stopped_process_that_wakes_up_finds_itself_deposed_before_it_acts_or_appends(
    kit: Kit, stand: Stand, process: Callable[[], Process]
) -> None:
    child = process()
    child.await_word("acted")
    until(lambda: len(child.said("acted")) > 20, "it acts and appends")
    child.signal(signal.SIGSTOP)
    leader = stand.leader()
    assert stand.next() == ("active", 0, 2)
    taken = boottime()
    kit.writer(lease_of(leader).fence).append_live(calls("contact-2", 1, 2, 3))
    at_take_over = kit.log.position()
    assert lease_of(leader).taken is Taken.STALE, "who is stopped is not gone"
    child.signal(signal.SIGCONT)
    child.await_word("refused")
    child.await_word("deposed")
    assert child.said("refused") == ["refused Deposed"]
    assert all(float(line.split()[1]) < taken for line in child.said("acted"))
    assert kit.log.position() == at_take_over
    kit.writer(lease_of(leader).fence).append_live(calls("contact-2", 4))
    assert kit.logged()[-1] == ("contact-2", 4)


def test_a_holder_stopped_inside_an_append_does_not_keep_the_next_one_from_writing(kit: Kit, stand: Stand) -> None:
    """A backend of the old holder that holds the append lock is ended by the take-over."""
    old = holder_name()
    with psycopg.connect(kit.database.writer, application_name=old, autocommit=True) as stuck:
        stuck.execute("INSERT INTO ringledger_lease (site, holder, epoch) VALUES (%s, %s, 5)", (SITE, old))
        stuck.execute("BEGIN")
        stuck.execute("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))
        leader = stand.leader()
        assert stand.next() == ("active", 0, 6)
        kit.writer(lease_of(leader).fence).append_live(calls("contact-1", 1))
        with pytest.raises(psycopg.OperationalError):
            stuck.execute("SELECT 1")


def test_while_the_database_is_away_nothing_may_be_written_to_a_switch_and_afterwards_it_may_again(
    stand: Stand, proxy: Proxy
) -> None:
    leader = stand.leader(url=proxy.url)
    assert stand.next() == ("active", 0, 1)
    lease = lease_of(leader)
    assert lease.may_write()
    proxy.cut(stay_shut=True)
    shut = asked = time.monotonic()
    while lease.may_write():
        assert asked - shut <= Timings().act_s
        asked = time.monotonic()
    assert leader.state is LeaderState.ACTIVE
    proxy.reopen()
    until(lease.may_write, "renewed under the same epoch")
    assert stand.told.empty()
    assert leader.lease is lease


def test_a_holder_that_was_cut_off_long_enough_is_deposed_when_it_comes_back(
    kit: Kit, stand: Stand, proxy: Proxy
) -> None:
    cut_off = stand.leader(url=proxy.url)
    assert stand.next() == ("active", 0, 1)
    lease = lease_of(cut_off)
    writer = kit.writer(lease.fence)
    proxy.cut(stay_shut=True)
    stand.leader()
    assert stand.next() == ("active", 1, 2)
    assert not lease.may_write()
    with pytest.raises(Deposed):
        writer.append_live(calls("contact-1", 1))
    proxy.reopen()
    assert stand.next() == ("deposed", 0, 1)
    until(lambda: cut_off.state is LeaderState.STANDBY, "it stands by")
    assert kit.logged() == []


def test_a_host_that_falls_silent_without_a_word_is_taken_over_and_deposed_when_it_is_heard_of_again(
    kit: Kit, stand: Stand, proxy: Proxy
) -> None:
    """Feature 12.1: nothing of it is closed, nothing comes through; within ten seconds somebody else decides."""
    silent = stand.leader(url=proxy.url)
    assert stand.next() == ("active", 0, 1)
    lease = lease_of(silent)
    other = stand.leader(host=ELSEWHERE)
    until(lambda: other.state is LeaderState.STANDBY, "the other one stands by")
    proxy.go_silent()
    begun = time.monotonic()
    assert stand.next() == ("active", 1, 2)
    assert time.monotonic() - begun < 10.0
    assert not lease.may_write()
    kit.writer(lease_of(other).fence).append_live(calls("contact-1", 1))
    proxy.speak()
    assert stand.next() == ("deposed", 0, 1)


def test_a_stopped_leader_may_write_no_more_at_once(stand: Stand) -> None:
    leader = stand.leader()
    stand.next()
    lease = lease_of(leader)
    assert leader.stop()
    assert not lease.may_write()
    lease.renewed(boottime() + 100)
    assert not lease.may_write(), "over is over"


def test_a_lease_that_could_be_taken_before_it_ends_is_refused() -> None:
    source = Source("postgresql:///nowhere", name=holder_name())
    for wrong in (Timings(act_s=2.0), Timings(renew_s=1.2)):
        with pytest.raises(ValueError, match="end before it can be taken"):
            Leader(source, SITE, on_active=lambda _: None, on_deposed=lambda _: None, timings=wrong)


def test_a_lease_is_not_held_under_a_name_that_others_may_have() -> None:
    with pytest.raises(ValueError, match="holder_name"):
        Leader(Source("postgresql:///nowhere"), SITE, on_active=lambda _: None, on_deposed=lambda _: None)
    assert len({holder_name() for _ in range(50)}) == 50
    assert all(len(holder_name().encode()) <= 63 for _ in range(5))


def test_a_lease_that_we_took_without_hearing_so_does_not_count_as_handed_over() -> None:
    """Its former holder may act for a while yet, by its spool."""
    leader = Leader(
        Source("postgresql:///nowhere", name=holder_name()), SITE, on_active=lambda _: None, on_deposed=lambda _: None
    )
    handed = LeaseRow(leader.holder, epoch=2, renewed_at=None, host="", spool="")
    assert leader._why_now(handed, 0.0, left=False) is Taken.HANDED
    taken = LeaseRow(leader.holder, epoch=2, renewed_at=None, host="here", spool="")
    assert leader._why_now(taken, 0.0, left=False) is Taken.STALE


def test_a_leader_that_cannot_go_on_says_so_and_does_not_merely_end() -> None:
    """An engine whose leader has ended in silence would look alive, and never act again."""
    failed: queue.Queue[Exception] = queue.Queue()
    leader = Leader(
        Source("nothing that can be read", name=holder_name()),
        SITE,
        on_active=lambda _: None,
        on_deposed=lambda _: None,
        on_failed=failed.put,
    ).start()
    assert isinstance(failed.get(timeout=30), psycopg.ProgrammingError)
    assert leader.state is LeaderState.STOPPED
    assert leader.stop()


def test_a_leader_started_before_its_database_waits_for_it(stand: Stand, proxy: Proxy) -> None:
    proxy.cut(stay_shut=True)
    leader = stand.leader(url=proxy.url)
    assert leader.state is LeaderState.STARTING
    proxy.reopen()
    assert stand.next() == ("active", 0, 1)


def test_a_voluntary_end_of_a_process_hands_over_at_once(
    kit: Kit, stand: Stand, process: Callable[[], Process]
) -> None:
    child = process()
    child.await_word("acted")
    stand.leader(timings=NEVER_STALE)
    child.signal(signal.SIGTERM)
    child.await_word("stopped")
    assert stand.next() == ("active", 0, 2)
