"""Following the log: news at once, none missed, through every kind of lost connection."""

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from orchestrator.store import Away, Log, log
from orchestrator.store.log import POLL_S
from tests.lab.patience import until
from tests.store.kit import Kit, calls, notes
from tests.store.proxy import Proxy


class Follower:
    """Follows on a thread of its own."""

    def __init__(self, kit: Kit, *, after: int = 0, url: str = "") -> None:
        self._log = Log(kit.another_source(url), catalogue=kit.entries) if url else kit.blind_log
        self._stop = threading.Event()
        self._after = after
        self.seen: list[tuple[str, int]] = []
        self.away: list[Away] = []
        self.rests = 0
        """How often in a row there was nothing: at the second time it waits for news, or for as long as a poll."""
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        for batch in self._log.follow(self._after, self._stop, on_away=self.away.append):
            self.seen.extend((each.stream, each.version) for each in batch)
            self.rests = 0 if batch else self.rests + 1

    def has(self, count: int, within_s: float = 30.0) -> None:
        until(lambda: len(self.seen) >= count, f"{count} records came", within_s=within_s)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        assert not self._thread.is_alive()


@pytest.fixture
def followers() -> Iterator[list[Follower]]:
    started: list[Follower] = []
    yield started
    for each in started:
        each.close()


def test_what_is_there_comes_first_and_then_what_happens(kit: Kit, followers: list[Follower]) -> None:
    kit.desk.append_desk(notes("customer-a", 1, 2))
    followers.append(Follower(kit))
    followers[0].has(2)
    kit.desk.append_desk(notes("customer-a", 3))
    followers[0].has(3)
    assert followers[0].seen == [("customer-a", 1), ("customer-a", 2), ("customer-a", 3)]


def test_it_begins_after_the_position_it_was_given(kit: Kit, followers: list[Follower]) -> None:
    position = kit.desk.append_desk(notes("customer-a", 1, 2))
    kit.desk.append_desk(notes("customer-a", 3))
    followers.append(Follower(kit, after=position))
    followers[0].has(1)
    assert followers[0].seen == [("customer-a", 3)]


def test_news_comes_by_notification_and_not_by_the_next_poll(
    kit: Kit, followers: list[Follower], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the wake-ups themselves a busy server may lose one; a poll that comes late enough tells them apart."""
    monkeypatch.setattr(log, "POLL_S", 20.0)
    kit.desk.append_desk(notes("customer-a", 1))
    followers.append(Follower(kit))
    slow = 0
    for version in range(2, 22):
        until(lambda: followers[0].rests >= 2, "it to wait for news")
        begun = time.monotonic()
        kit.desk.append_desk(notes("customer-a", version))
        followers[0].has(version)
        slow += time.monotonic() - begun > log.POLL_S / 2
    assert slow <= 2, f"{slow} of 20 took as long as a poll"


def test_a_wake_up_that_never_comes_is_made_good_by_looking_once_a_second(kit: Kit, followers: list[Follower]) -> None:
    """Pitfall 3: an event committed with nobody told is still delivered."""
    followers.append(Follower(kit))
    kit.desk.append_desk(notes("customer-a", 1))
    followers[0].has(1)
    with psycopg.connect(kit.database.writer) as silent:
        silent.execute(
            "INSERT INTO ringledger_events (originator_id, originator_version, topic, state)"
            " SELECT originator_id, 2, topic, state FROM ringledger_events"
        )
    followers[0].has(2, within_s=15 * POLL_S)


def test_a_listener_whose_connection_is_terminated_makes_a_new_one_and_misses_nothing(
    kit: Kit, followers: list[Follower]
) -> None:
    """Pitfall 4: the library's own subscription dies for good."""
    followers.append(Follower(kit))
    with psycopg.connect(kit.database.admin, autocommit=True) as admin:
        for version in range(1, 16):
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND usename = 'ringledger_writer'",
                (kit.database.name,),
            )
            kit.desk.append_desk(notes("customer-a", version))
            if version % 5 == 0:
                followers[0].has(version)
    followers[0].has(15)
    assert followers[0].seen == [("customer-a", version) for version in range(1, 16)]


def test_each_time_that_all_has_been_read_an_empty_batch_says_so(kit: Kit) -> None:
    """Complaint 24: whoever shows what was read can tell a log in which nothing happens from one that is silent."""
    kit.desk.append_desk(notes("customer-a", 1, 2, 3))
    stop = threading.Event()
    following = kit.blind_log.follow(0, stop, batch=2)
    assert [len(next(following)) for _ in range(5)] == [2, 1, 0, 0, 0]
    stop.set()
    assert list(following) == []


def test_it_waits_for_an_absent_database_and_says_so(kit: Kit, followers: list[Follower], proxy: Proxy) -> None:
    proxy.cut(stay_shut=True)
    followers.append(Follower(kit, url=proxy.url))
    kit.desk.append_desk(notes("customer-a", 1))
    until(lambda: bool(followers[0].away), "told that it is away")
    proxy.reopen()
    followers[0].has(1)


def test_stopping_is_quick_though_nothing_happens(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "POLL_S", 600.0)
    follower = Follower(kit)
    kit.desk.append_desk(notes("customer-a", 1))
    follower.has(1)
    begun = time.monotonic()
    follower.close()
    assert time.monotonic() - begun < 10.0


def test_waiting_for_a_position_ends_when_it_is_there_and_gives_up_in_time(kit: Kit) -> None:
    writer = kit.writer()
    first = writer.append_live(calls("contact-a", 1))
    assert kit.log.wait_for(first) == first
    with pytest.raises(TimeoutError, match=f"not at {first + 1}"):
        kit.log.wait_for(first + 1, timeout_s=0.2)
    later = threading.Timer(0.1, writer.append_live, [calls("contact-a", 2)])
    later.start()
    assert kit.log.wait_for(first + 1) == first + 1
    later.join()
