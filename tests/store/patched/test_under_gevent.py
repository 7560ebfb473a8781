"""The store in a process that gevent has patched: the same tests, and that nobody is blocked meanwhile."""

import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial

import gevent
import psycopg
import pytest
from psycopg import waiting
from psycopg.pq import TransactionStatus

from orchestrator.store.cooperative import HubConnection
from orchestrator.store.library import assert_cooperative
from orchestrator.store.schema import APPEND_LOCK
from tests.lab.patience import until
from tests.store.kit import Kit, calls
from tests.store.test_desk import test_eight_processes_write_at_once_and_a_reader_that_follows_misses_nothing
from tests.store.test_follow import (
    followers,
    test_a_listener_whose_connection_is_terminated_makes_a_new_one_and_misses_nothing,
    test_a_wake_up_that_never_comes_is_made_good_by_looking_once_a_second,
    test_news_comes_by_notification_and_not_by_the_next_poll,
)
from tests.store.test_leader import (
    process,
    stand,
    test_a_holder_that_was_cut_off_long_enough_is_deposed_when_it_comes_back,
    test_a_stopped_process_that_wakes_up_finds_itself_deposed_before_it_acts_or_appends,
    test_the_first_of_two_becomes_active_and_the_second_stands_by_until_the_lease_is_given_back,
    test_while_the_database_is_away_nothing_may_be_written_to_a_switch_and_afterwards_it_may_again,
)
from tests.store.test_library import test_the_librarys_subscription_reads_our_log_from_any_position
from tests.store.test_lost import (
    own_cluster,
    test_a_commit_whose_answer_was_lost_is_found_by_its_event_ids_and_not_stored_again,
    test_a_server_killed_and_restarted_in_mid_stream_loses_and_doubles_nothing,
    test_while_the_database_is_away_events_wait_and_are_stored_in_order_when_it_is_back,
)
from tests.store.test_reads import (
    test_a_fold_goes_on_where_its_connection_is_lost,
    test_a_fold_is_told_what_history_tells,
)
from tests.store.test_spool import (
    spooled,
    test_a_database_that_stands_still_at_the_end_of_the_way_back_keeps_no_caller_waiting,
    test_a_writer_goes_round_a_database_that_stands_still,
    test_what_was_cut_off_and_comes_to_its_end_later_is_found_by_whoever_sends_it_again,
)
from tests.store.test_writer import (
    test_a_full_queue_refuses_and_says_what_to_do_and_takes_again_once_there_is_room,
    test_a_raised_epoch_fences_every_live_append_also_one_to_a_new_stream,
    test_submissions_of_many_threads_are_each_stored_whole_and_in_the_order_of_their_streams,
    test_what_nobody_waits_for_goes_with_whoever_is_in_a_hurry,
    test_what_nobody_waits_for_is_stored_by_itself_also_what_came_during_a_commit,
)

__all__ = [
    "followers",
    "own_cluster",
    "process",
    "spooled",
    "stand",
    "test_a_commit_whose_answer_was_lost_is_found_by_its_event_ids_and_not_stored_again",
    "test_a_database_that_stands_still_at_the_end_of_the_way_back_keeps_no_caller_waiting",
    "test_a_fold_goes_on_where_its_connection_is_lost",
    "test_a_fold_is_told_what_history_tells",
    "test_a_full_queue_refuses_and_says_what_to_do_and_takes_again_once_there_is_room",
    "test_a_holder_that_was_cut_off_long_enough_is_deposed_when_it_comes_back",
    "test_a_listener_whose_connection_is_terminated_makes_a_new_one_and_misses_nothing",
    "test_a_raised_epoch_fences_every_live_append_also_one_to_a_new_stream",
    "test_a_server_killed_and_restarted_in_mid_stream_loses_and_doubles_nothing",
    "test_a_stopped_process_that_wakes_up_finds_itself_deposed_before_it_acts_or_appends",
    "test_a_wake_up_that_never_comes_is_made_good_by_looking_once_a_second",
    "test_a_writer_goes_round_a_database_that_stands_still",
    "test_eight_processes_write_at_once_and_a_reader_that_follows_misses_nothing",
    "test_news_comes_by_notification_and_not_by_the_next_poll",
    "test_submissions_of_many_threads_are_each_stored_whole_and_in_the_order_of_their_streams",
    "test_the_first_of_two_becomes_active_and_the_second_stands_by_until_the_lease_is_given_back",
    "test_the_librarys_subscription_reads_our_log_from_any_position",
    "test_what_nobody_waits_for_goes_with_whoever_is_in_a_hurry",
    "test_what_nobody_waits_for_is_stored_by_itself_also_what_came_during_a_commit",
    "test_what_was_cut_off_and_comes_to_its_end_later_is_found_by_whoever_sends_it_again",
    "test_while_the_database_is_away_events_wait_and_are_stored_in_order_when_it_is_back",
    "test_while_the_database_is_away_nothing_may_be_written_to_a_switch_and_afterwards_it_may_again",
]


def test_the_driver_gives_way() -> None:
    assert getattr(waiting.wait, "__name__", "") != "wait_c"
    assert_cooperative()


def test_a_statement_larger_than_any_buffer_goes_out_and_its_answer_comes_back(kit: Kit) -> None:
    text = "wide" * 4_000_000
    assert kit.source.run(lambda c: c.execute("SELECT %s", (text,)).fetchone()) == (text,)


def test_who_waits_on_a_connection_that_is_closed_or_ended_is_told_so(kit: Kit) -> None:
    def terminate(connection: HubConnection) -> None:
        with psycopg.connect(kit.database.admin) as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))

    for end in (terminate, HubConnection.close):
        connection = kit.source.connect()
        assert isinstance(connection, HubConnection)
        waiting_one = gevent.spawn(connection.execute, "SELECT pg_sleep(60)")
        until(partial(_is_sent, connection), "the statement is sent")
        end(connection)
        waiting_one.join(10)
        assert isinstance(waiting_one.exception, psycopg.OperationalError), end.__name__
        connection.close()


def _is_sent(connection: HubConnection) -> bool:
    return connection.info.transaction_status == TransactionStatus.ACTIVE


def test_a_connection_serves_one_statement_after_another_and_tells_news_in_between(kit: Kit) -> None:
    """The kept watcher is the same for all of them; news comes by the driver's own wait."""
    connection = kit.source.connect()
    connection.execute("LISTEN news")
    for number in range(5):
        assert connection.execute("SELECT pg_sleep(0.001), %s::int", (number,)).fetchone() == ("", number)
        with psycopg.connect(kit.database.admin) as other:
            other.execute("SELECT pg_notify('news', %s)", (str(number),))
        assert [news.payload for news in connection.notifies(timeout=30, stop_after=1)] == [str(number)]
    connection.close()


@pytest.fixture
def gaps() -> Iterator[list[float]]:
    """Seconds between the ticks of a greenlet that wants to run every 10 ms."""
    measured: list[float] = []

    def tick() -> None:
        last = time.monotonic()
        while True:
            gevent.sleep(0.01)
            now = time.monotonic()
            measured.append(now - last)
            last = now

    ticker = gevent.spawn(tick)
    yield measured
    ticker.kill()


def test_twenty_waiting_queries_take_as_long_as_one_and_the_hub_ticks_on(kit: Kit, gaps: list[float]) -> None:
    begun = time.monotonic()
    waits = [gevent.spawn(kit.source.run, lambda c: c.execute("SELECT pg_sleep(2)").fetchone()) for _ in range(20)]
    gevent.joinall(waits, raise_error=True)
    assert time.monotonic() - begun < 10.0, "one after another they would take 40 s"
    assert max(gaps) < 1.5


def test_the_hub_ticks_on_while_many_append(kit: Kit, gaps: list[float]) -> None:
    writer = kit.writer()

    def produce(number: int) -> None:
        for version in range(1, 101):
            writer.append_live(calls(f"contact-{number}", version))

    gevent.joinall([gevent.spawn(produce, number) for number in range(16)], raise_error=True)
    assert len(kit.logged()) == 1_600
    assert len(gaps) > 5
    assert max(gaps) < 0.4


def test_a_process_that_imports_the_driver_before_the_patch_is_told_so_at_boot() -> None:
    script = (
        "import psycopg; from gevent import monkey; monkey.patch_all();"
        "from orchestrator.store import assert_cooperative; assert_cooperative()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "before gevent's monkey patch" in done.stderr


def test_a_greenlet_that_dies_while_it_waits_for_its_append_does_not_touch_the_append(kit: Kit) -> None:
    """Pitfall of event-store.md 1.6: the library's save, killed in the middle, conflicts with itself."""
    writer = kit.writer()
    with psycopg.connect(kit.database.writer) as blocker:
        blocker.execute("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))
        waiting_ones = [gevent.spawn(writer.append_live, calls("contact-1", version)) for version in range(1, 6)]
        until(lambda: writer.waiting == 5, "all wait")
        gevent.killall(waiting_ones)
    writer.append_live(calls("contact-1", 6))
    assert kit.logged() == [("contact-1", version) for version in range(1, 7)]
