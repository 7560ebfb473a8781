"""The database goes away in every way that it can, and nothing is lost, doubled or reordered (law 4)."""

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from orchestrator import cluster as clusters
from orchestrator.cluster import Cluster
from orchestrator.store import Away, Deposed, Unsure, WriterStopped, desk, schema
from tests.lab.patience import until
from tests.postgres import Database, make_reachable_directory, settings_for
from tests.store.kit import Heard, Kit, calls, notes, take_lease
from tests.store.proxy import Proxy


def test_a_commit_whose_answer_was_lost_is_found_by_its_event_ids_and_not_stored_again(kit: Kit, proxy: Proxy) -> None:
    heard = Heard()
    writer = kit.writer(heard=heard, source=kit.another_source(proxy.url))
    writer.append_live(calls("contact-a", 1))
    proxy.swallow_next_answer(b"CallTaken.v1")
    position = writer.append_live([*calls("contact-a", 2), *calls("contact-b", 1)])
    assert proxy.swallowed.is_set()
    assert kit.logged() == [("contact-a", 1), ("contact-a", 2), ("contact-b", 1)]
    assert position == kit.log.position()
    assert heard.failed == heard.deposed == []
    assert heard.away == [], "a cut connection that comes back at once is no absence"
    writer.append_live(calls("contact-a", 3))


def test_what_was_stored_before_a_take_over_is_told_as_stored_though_its_answer_was_lost(
    kit: Kit, proxy: Proxy
) -> None:
    """Found by its event ids before anything is sent again; sent again, the fence would call it refused."""
    writer = kit.writer(source=kit.another_source(proxy.url))
    writer.append_live(calls("contact-a", 1))
    proxy.swallow_next_answer(b"CallTaken.v1", then_shut=True)
    stored: list[int] = []
    lost: list[BaseException] = []
    writer.submit(calls("contact-a", 2), stored.append, lost.append)
    assert proxy.swallowed.wait(5)
    take_lease(kit.database.writer, epoch=2, holder="another")
    proxy.reopen()
    until(lambda: bool(stored or lost), "told")
    assert (stored, lost) == ([kit.log.position()], [])
    with pytest.raises(Deposed):
        writer.append_live(calls("contact-a", 3))
    assert kit.logged() == [("contact-a", 1), ("contact-a", 2)]


def test_a_connection_cut_before_the_batch_arrived_stores_it_once_on_the_next(kit: Kit, proxy: Proxy) -> None:
    writer = kit.writer(source=kit.another_source(proxy.url))
    for version in range(1, 30):
        proxy.cut()
        writer.append_live(calls("contact-a", version))
    assert kit.logged() == [("contact-a", version) for version in range(1, 30)]


def test_while_the_database_is_away_events_wait_and_are_stored_in_order_when_it_is_back(kit: Kit, proxy: Proxy) -> None:
    heard = Heard()
    writer = kit.writer(heard=heard, source=kit.another_source(proxy.url))
    writer.append_live(calls("contact-a", 1))
    proxy.cut(stay_shut=True)
    for version in range(2, 20):
        writer.submit(calls("contact-a", version))
    assert heard.gone_away.wait(5)
    assert writer.away
    assert writer.waiting == 18
    proxy.reopen()
    writer.append_live(calls("contact-a", 20))
    until(lambda: not writer.away, "the writer knows that it is back")
    assert (len(heard.away), len(heard.back)) == (1, 1)
    assert kit.logged() == [("contact-a", version) for version in range(1, 21)]


def test_a_writer_that_is_closed_while_the_database_is_away_tells_what_was_lost(kit: Kit, proxy: Proxy) -> None:
    heard = Heard()
    writer = kit.writer(heard=heard, source=kit.another_source(proxy.url))
    proxy.cut(stay_shut=True)
    lost: list[BaseException] = []
    writer.submit(calls("contact-a", 1), lambda _: None, lost.append)
    assert heard.gone_away.wait(5)
    assert not writer.close(timeout_s=0.2)
    until(lambda: bool(lost), "told")
    assert isinstance(lost[0], WriterStopped)
    assert kit.logged() == []


def test_a_desk_append_whose_answer_was_lost_is_found_and_not_reported_as_a_conflict(kit: Kit, proxy: Proxy) -> None:
    through = desk.DeskWriter(kit.another_source(proxy.url), kit.vault, catalogue=kit.entries)
    through.append_desk(notes("customer-1", 1))
    proxy.swallow_next_answer(b"NoteWritten.v1")
    position = through.append_desk(notes("customer-1", 2))
    assert proxy.swallowed.is_set()
    assert kit.logged() == [("customer-1", 1), ("customer-1", 2)]
    assert position == kit.log.position()


def test_a_desk_append_says_away_when_nothing_was_sent_and_unsure_when_it_cannot_know(
    kit: Kit, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "RESOLVE_S", 0.3)
    through = desk.DeskWriter(kit.another_source(proxy.url), kit.vault, catalogue=kit.entries)
    mine = notes("customer-1", 1)
    proxy.swallow_next_answer(b"NoteWritten.v1", then_shut=True)
    with pytest.raises(Unsure):
        through.append_desk(mine)
    with pytest.raises(Away) as nothing_sent:
        through.append_desk(notes("customer-2", 1))
    assert not isinstance(nothing_sent.value, Unsure)
    proxy.reopen()
    assert through.append_desk(mine) == kit.log.position(), "a repeat finds itself"
    assert kit.logged() == [("customer-1", 1)]


def test_a_terminated_backend_costs_nothing_but_a_new_connection(kit: Kit) -> None:
    writer = kit.writer()
    with psycopg.connect(kit.database.admin, autocommit=True) as admin:
        for version in range(1, 40):
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name LIKE 'ringledger test%%' AND datname = %s",
                (kit.database.name,),
            )
            writer.append_live(calls("contact-a", version))
    assert kit.logged() == [("contact-a", version) for version in range(1, 40)]


def test_an_append_that_hangs_in_the_database_is_ended_there_and_done_again(kit: Kit) -> None:
    heard = Heard()
    writer = kit.writer(heard=heard, source=kit.another_source(statement_timeout_ms=100))
    with psycopg.connect(kit.database.writer) as blocker:
        blocker.execute("SELECT pg_advisory_xact_lock(%s)", (schema.APPEND_LOCK,))
        writer.submit(calls("contact-a", 1))
        assert heard.gone_away.wait(5)
        assert "timeout" in str(heard.away[0])
    writer.append_live(calls("contact-a", 2))
    assert kit.logged() == [("contact-a", 1), ("contact-a", 2)]


@pytest.fixture
def own_cluster() -> Iterator[tuple[Cluster, Path]]:
    """A server for this test alone, since it will be killed."""
    place = make_reachable_directory("rl-store-")
    cluster = clusters.ensure_running(settings_for(place / "home"), lambda _: None)
    schema.create(cluster.url_owner, admin_url=cluster.url_admin)
    yield cluster, place / "home"
    cluster.stop()
    socket = Path(parse_qs(urlsplit(cluster.url_writer).query)["host"][0])
    if socket.name.startswith("ringledger-"):
        shutil.rmtree(socket, ignore_errors=True)
    shutil.rmtree(place)


@pytest.mark.slow
def test_a_server_killed_and_restarted_in_mid_stream_loses_and_doubles_nothing(
    own_cluster: tuple[Cluster, Path], tmp_path: Path
) -> None:
    cluster, home = own_cluster
    admin = str(cluster.url_admin).replace("/postgres?", "/ringledger?")
    urls = (cluster.url_owner, cluster.url_writer, cluster.url_reader, admin, cluster.url_projector)
    kit = Kit(Database("ringledger", *urls), tmp_path / "k" / "kek")
    heard = Heard()
    writer = kit.writer(heard=heard)
    stop = threading.Event()
    followed: list[tuple[str, int]] = []
    follower = threading.Thread(
        target=lambda: followed.extend(
            (each.stream, each.version) for batch in kit.log.follow(0, stop) for each in batch
        )
    )
    follower.start()
    stored: dict[str, list[int]] = {f"contact-{number}": [] for number in range(8)}
    enough = threading.Event()

    def produce(stream: str) -> None:
        version = 0
        while not enough.is_set():
            version += 1
            writer.append_live(calls(stream, version))
            stored[stream].append(version)

    producers = [threading.Thread(target=produce, args=(stream,)) for stream in stored]
    for producer in producers:
        producer.start()

    def await_more(events: int) -> None:
        wanted = sum(map(len, stored.values())) + events
        until(lambda: sum(map(len, stored.values())) > wanted, "events flow", within_s=30)

    for _ in range(2):
        await_more(200)
        pid = int((home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])
        heard.gone_away.clear()
        os.kill(pid, signal.SIGKILL)
        assert heard.gone_away.wait(10)
        clusters.ensure_running(settings_for(home), lambda _: None).stop()  # attached twice: starts it, stops nothing
    await_more(200)
    enough.set()
    for producer in producers:
        producer.join(20)
    logged = kit.logged()
    for stream, versions in stored.items():
        assert [version for name, version in logged if name == stream] == versions == list(range(1, len(versions) + 1))
    until(lambda: len(followed) == len(logged), "the follower has all", within_s=30)
    stop.set()
    follower.join(5)
    assert followed == logged
    assert heard.failed == heard.deposed == []
    assert len(heard.away) == len(heard.back) >= 2
    kit.close()
