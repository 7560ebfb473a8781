"""A server whose processes are all stopped is away for whoever asks it, within seconds (feature 12.2)."""

import shutil
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import cast

import gevent
import pytest

from orchestrator.cluster import Cluster
from orchestrator.leader import Leader, LeaderState, holder_name
from orchestrator.store import SPOOLED, Away, KeyShelf, LiveWriter, Log, Source, Spool
from orchestrator.store.cooperative import SILENT_S, HubConnection
from orchestrator.vault import Vault
from tests.lab.patience import until
from tests.lab.still import still
from tests.store.kit import CATALOGUE, NUMBER, CallTaken, calls, places, record, take_lease
from tests.store.test_lost import own_cluster
from tests.store.test_spool import Heard, Right

__all__ = ["own_cluster"]

pytestmark = pytest.mark.slow
SOON_S = 15.0
"""Beyond what the server may take to answer on a busy machine, and far below what a statement may take."""


class Place:
    """One process's way to a server of its own."""

    def __init__(self, cluster: Cluster, home: Path, folder: Path) -> None:
        self.cluster = cluster
        self.postmaster = int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
        self.source = Source(cluster.url_writer, name=holder_name()).feel()
        self.vault = Vault.unlock(folder / "kek", KeyShelf(self.source), cache_s=0.0)
        self.log = Log(self.source, vault=self.vault, catalogue=CATALOGUE)

    def answers(self) -> bool:
        try:
            return self.source.run(lambda connection: connection.execute("SELECT 1").fetchone()) == (1,)
        except Away:
            return False


@pytest.fixture
def place(own_cluster: tuple[Cluster, Path], tmp_path: Path) -> Iterator[Place]:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    made = Place(*own_cluster, folder)
    yield made
    made.source.close()
    shutil.rmtree(folder)


def test_who_waits_is_told_that_it_is_away_and_who_comes_then_at_once(place: Place) -> None:
    assert place.answers()
    with still(place.postmaster):
        begun = time.monotonic()
        asked = [gevent.spawn(place.answers) for _ in range(20)]
        gevent.joinall(asked, timeout=SOON_S)
        assert [each.value for each in asked] == [False] * 20
        assert time.monotonic() - begun < SOON_S
        until(lambda: place.source.silent, "it to be known")
        begun = time.monotonic()
        assert not any(place.answers() for _ in range(100))
        assert time.monotonic() - begun < 1.0, "nobody waits for what is known to stand still"
    until(place.answers, "it to be asked again", within_s=SOON_S)


def test_a_statement_that_works_for_long_is_no_silence(place: Place) -> None:
    busy = gevent.spawn(place.source.run, lambda connection: connection.execute("SELECT pg_sleep(5), 7").fetchone())
    busy.join(30)
    assert busy.value == ("", 7)
    assert not place.source.silent


def test_a_process_that_was_busy_itself_takes_no_answer_for_silence(place: Place) -> None:
    """The loop stood still for longer than the server may: the answer has long been there."""
    connection = cast("HubConnection", place.source.connect())
    asked = gevent.spawn(connection.execute, "SELECT 1")
    gevent.sleep(0)
    assert connection.asked_at, "the statement is under way"
    deadline = time.monotonic() + SILENT_S + 1.0
    while time.monotonic() < deadline:
        pass
    assert connection.asked_at, "and nobody has come to its answer"
    assert not connection.waits_in_vain(SILENT_S)
    asked.join(SOON_S)
    assert asked.successful()
    connection.close()
    rows = place.source.run(lambda it: it.execute("SELECT clock_timestamp()").fetchall())
    resumed = cast("datetime", rows[0][0])
    until(lambda: _was_felt_since(place, resumed), "the pulse to be felt again", within_s=SOON_S)
    assert not place.source.silent


def _was_felt_since(place: Place, moment: datetime) -> bool:
    """Whether the pulse has asked after that moment, which it does once the look at what waits is behind it."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT 1' AND query_start > %s"
    return place.source.run(lambda it: it.execute(asked, (moment,)).fetchone()) != (0,)


def test_a_writer_goes_round_it_also_where_it_needs_a_key_and_comes_back_once(place: Place, tmp_path: Path) -> None:
    """The key of a contact that it knows is in the database; so is nothing of what it decides meanwhile."""
    heard, right = Heard(), Right()
    fence = take_lease(place.cluster.url_writer)
    spool = Spool(
        tmp_path / "spool", place.vault, ledger="this one", machine="this one", limit_mb=10, catalogue=CATALOGUE
    )
    spool.own(fence)
    writer = LiveWriter(
        place.source, place.vault, fence, catalogue=CATALOGUE, hooks=heard.hooks(), spool=(spool, right)
    ).start()
    writer.append_live([record("contact-a", 1, CallTaken(number=NUMBER))])
    with still(place.postmaster):
        place.vault.forget()
        told: list[int] = []
        writer.submit([record("contact-a", 2, CallTaken(number=NUMBER))], told.append)
        until(lambda: bool(told), "it to be decided on", within_s=SOON_S)
        assert told == [SPOOLED]
        begun = time.monotonic()
        for version in range(3, 30):
            assert writer.append_live(calls("contact-a", version)) == SPOOLED
        assert time.monotonic() - begun < SOON_S
        looks = right.looks
        until(lambda: right.looks > looks, "the right to act goes on by the spool")
    until(lambda: bool(heard.drained), "all of it to be in the log", within_s=60)
    writer.append_live(calls("contact-a", 30))
    assert places(place.log.history()) == [("contact-a", version) for version in range(1, 31)]
    assert (heard.ended, writer.spooling) == ([], False)
    writer.close()
    spool.close()


def test_the_leases_renewal_is_given_up_and_goes_on_where_it_was(place: Place) -> None:
    leases: list[int] = []
    leader = Leader(
        place.source, "main", on_active=lambda lease: leases.append(lease.epoch), on_deposed=lambda _: leases.append(0)
    ).start()
    until(lambda: bool(leases), "the lease")
    lease = leader.lease
    assert lease is not None
    with still(place.postmaster):
        until(lambda: not lease.may_write(), "the right to act to end")
        until(lambda: place.source.silent, "it to be known", within_s=SOON_S)
        assert leader.state is LeaderState.ACTIVE
    until(lease.may_write, "it to go on", within_s=SOON_S)
    assert leases == [1]
    assert leader.stop()
