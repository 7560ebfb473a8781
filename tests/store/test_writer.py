"""The single writer of live streams."""

import threading
import time
from functools import partial

import psycopg
import pytest

from orchestrator.domain.kernel import Event
from orchestrator.store import Deposed, Fence, QueueFull, StoreError, VersionConflict, WriterStopped, WrongKind
from orchestrator.store import writer as writer_module
from orchestrator.store.schema import APPEND_LOCK
from tests.lab.patience import until
from tests.store.kit import CallTaken, Heard, Kit, NoteWritten, ShiftOpened, calls, record, take_lease


def test_what_was_submitted_is_read_back_as_it_was_in_order_and_with_positions(kit: Kit) -> None:
    writer = kit.writer()
    mine = [
        record("contact-a", 1, CallTaken(number="+8613800138000", name="Wang", note="first"), at=5),
        record("shift-s", 1, ShiftOpened(agent="7"), at=5),
        record("contact-a", 2, CallTaken(note="second"), at=6),
    ]
    position = writer.append_live(mine)
    read = list(kit.log.history())
    assert [(each.stream, each.version, each.event, each.event_id, each.about) for each in read] == [
        (each.stream, each.version, each.event, each.event_id, each.about) for each in mine
    ]
    assert [each.position for each in read] == [position - 2, position - 1, position]
    assert kit.log.position() == position


def test_submissions_of_many_threads_are_each_stored_whole_and_in_the_order_of_their_streams(kit: Kit) -> None:
    writer = kit.writer(batch=20)

    def produce(number: int) -> None:
        for version in range(1, 60, 3):
            writer.append_live(calls(f"contact-{number}", version, version + 1, version + 2))

    threads = [threading.Thread(target=produce, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    logged = kit.logged()
    assert len(logged) == 16 * 60
    for number in range(16):
        assert [version for stream, version in logged if stream == f"contact-{number}"] == list(range(1, 61))
    for place in range(0, len(logged), 3):  # three to a submission, never torn apart
        assert logged[place][0] == logged[place + 1][0] == logged[place + 2][0]


def test_submit_does_not_wait_and_tells_each_submission_its_position_in_order(kit: Kit) -> None:
    writer = kit.writer()
    told: list[tuple[int, int]] = []
    for number in range(200):
        writer.submit(calls(f"contact-{number}", 1), partial(_tell, told, number))
    assert writer.close()
    assert [number for number, _ in told] == list(range(200))
    assert [position for _, position in told] == [each.position for each in kit.log.history()]


def test_what_nobody_waits_for_goes_with_whoever_is_in_a_hurry(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "PATIENCE_S", 600.0)
    writer = kit.writer()
    told: list[tuple[int, int]] = []
    for number in range(3):
        writer.submit(calls(f"contact-{number}", 1), partial(_tell, told, number), patient=True)
    assert writer.waiting == 3
    assert told == []
    writer.append_live(calls("contact-3", 1))
    assert [number for number, _ in told] == [0, 1, 2]
    with psycopg.connect(kit.database.admin) as admin:
        assert admin.execute("SELECT count(DISTINCT xmin::text) FROM ringledger_events").fetchone() == (1,)


def test_what_nobody_waits_for_is_stored_by_itself_also_what_came_during_a_commit(kit: Kit) -> None:
    writer = kit.writer()
    told: list[tuple[int, int]] = []
    writer.submit(calls("contact-0", 1), partial(_tell, told, 0), patient=True)
    until(lambda: told, "the first, which nothing follows, to be stored")
    with psycopg.connect(kit.database.writer) as blocker:
        blocker.execute("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))
        writer.submit(calls("contact-1", 1), partial(_tell, told, 1))
        until(lambda: _waits_for_lock(kit), "the second to be under way")
        writer.submit(calls("contact-2", 1), partial(_tell, told, 2), patient=True)
    until(lambda: len(told) == 3, "the third to be stored")
    assert [number for number, _ in told] == [0, 1, 2]


def _waits_for_lock(kit: Kit) -> bool:
    with psycopg.connect(kit.database.admin) as admin:
        found = admin.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone()
        return found is not None and found[0] > 0


def _tell(told: list[tuple[int, int]], number: int, position: int) -> None:
    told.append((number, position))


@pytest.mark.parametrize(
    ("stream", "event"),
    (
        ("customer-1", NoteWritten()),
        ("contact-1", NoteWritten()),
        ("shift-1", CallTaken()),
        ("contact-1", Event()),
    ),
)
def test_the_writer_of_live_streams_refuses_desk_streams_and_events_that_do_not_belong(
    kit: Kit, stream: str, event: Event
) -> None:
    writer = kit.writer()
    with pytest.raises(WrongKind):
        writer.submit([record(stream, 1, event)])
    assert writer.close()
    assert kit.logged() == []


def test_a_gap_or_a_repeat_is_refused_in_memory_and_none_of_the_submission_is_taken(kit: Kit) -> None:
    writer = kit.writer()
    writer.append_live(calls("contact-a", 1, 2))
    for wrong in (calls("contact-a", 2), calls("contact-a", 4), calls("contact-a", 3, 5), calls("contact-b", 0)):
        with pytest.raises(VersionConflict):
            writer.submit([*calls("contact-other", 1), *wrong])
    writer.append_live(calls("contact-a", 3))
    assert kit.logged() == [("contact-a", 1), ("contact-a", 2), ("contact-a", 3)]


def test_a_stream_that_memory_has_forgotten_is_checked_by_the_database(kit: Kit) -> None:
    first = kit.writer()
    first.append_live(calls("contact-a", 1, 2))
    fence = take_lease(kit.database.writer, epoch=2)
    heard = Heard()
    second = kit.writer(fence, heard)
    second.append_live(calls("contact-a", 3))
    assert kit.logged()[-1] == ("contact-a", 3)
    with pytest.raises(WriterStopped, match="not 7"):
        second.append_live(calls("contact-b", 8))
    assert isinstance(heard.failed[0], VersionConflict)


def test_versions_read_from_the_log_are_checked_in_memory(kit: Kit) -> None:
    kit.writer().append_live(calls("contact-a", 1, 2))
    writer = kit.writer(take_lease(kit.database.writer, epoch=2))
    writer.know(kit.log.versions(["contact", "shift", "node"]))
    with pytest.raises(VersionConflict):
        writer.submit(calls("contact-a", 5))
    writer.append_live(calls("contact-a", 3))


@pytest.mark.parametrize("stream", ("contact-a", "contact-new"))
def test_a_raised_epoch_fences_every_live_append_also_one_to_a_new_stream(kit: Kit, stream: str) -> None:
    heard = Heard()
    writer = kit.writer(heard=heard)
    writer.append_live(calls("contact-a", 1))
    take_lease(kit.database.writer, epoch=2, holder="another")
    with pytest.raises(Deposed):
        writer.append_live(calls(stream, 2 if stream == "contact-a" else 1))
    with pytest.raises(Deposed):
        writer.submit(calls("contact-later", 1))
    assert heard.has_ended.wait(5)
    assert len(heard.deposed) == 1
    assert heard.failed == []
    assert kit.logged() == [("contact-a", 1)]


@pytest.mark.parametrize("fence", (Fence("main", 1, "somebody"), Fence("elsewhere", 1, "me"), Fence("main", 2, "me")))
def test_holder_site_and_epoch_must_all_be_those_of_the_lease(kit: Kit, fence: Fence) -> None:
    take_lease(kit.database.writer)
    with pytest.raises(Deposed):
        kit.writer(fence).append_live(calls("contact-a", 1))
    assert kit.logged() == []


def test_what_still_waits_when_the_lease_goes_is_told_that_it_is_lost(kit: Kit) -> None:
    writer = kit.writer(batch=1)
    lost: list[StoreError] = []
    stored: list[int] = []
    with psycopg.connect(kit.database.writer) as blocker:  # a take-over in progress: it holds the append lock
        blocker.execute("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))
        for number in range(5):
            writer.submit(calls(f"contact-{number}", 1), stored.append, lost.append)
        blocker.execute("UPDATE ringledger_lease SET epoch = epoch + 1, holder = 'another'")
    until(lambda: len(lost) == 5, "all five told")
    assert stored == []
    assert all(isinstance(error, Deposed) for error in lost)
    assert kit.logged() == []


def test_a_full_queue_refuses_and_says_what_to_do_and_takes_again_once_there_is_room(kit: Kit) -> None:
    writer = kit.writer(queue_limit=10)
    with psycopg.connect(kit.database.writer) as blocker:
        blocker.execute("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))
        for number in range(10):
            writer.submit(calls(f"contact-{number}", 1))
        with pytest.raises(QueueFull, match="refuse new work"):
            writer.submit(calls("contact-10", 1))
        assert writer.waiting == 10
    until(lambda: writer.waiting == 0, "the queue is empty")
    writer.append_live(calls("contact-10", 1))
    assert len(kit.logged()) == 11


def test_what_was_decided_in_one_step_is_taken_however_much_it_is(kit: Kit) -> None:
    """A switch with thousands of calls that restarts: they end in one step, or the engine could never start again."""
    writer = kit.writer(queue_limit=10)
    writer.append_live(calls("contact-1", *range(1, 51)))
    assert len(kit.logged()) == 50


def test_a_closed_writer_stores_what_waits_and_takes_no_more(kit: Kit) -> None:
    writer = kit.writer()
    for number in range(50):
        writer.submit(calls(f"contact-{number}", 1))
    assert writer.close()
    with pytest.raises(WriterStopped):
        writer.submit(calls("contact-z", 1))
    assert len(kit.logged()) == 50


def test_a_callback_that_raises_stops_the_writer_and_is_reported(kit: Kit) -> None:
    heard = Heard()
    writer = kit.writer(heard=heard)

    def broken(_: int) -> None:
        raise ZeroDivisionError

    writer.submit(calls("contact-a", 1), broken)
    assert heard.has_ended.wait(5)
    assert isinstance(heard.failed[0], ZeroDivisionError)
    with pytest.raises(WriterStopped):
        writer.submit(calls("contact-b", 1))
    assert kit.logged() == [("contact-a", 1)]


def test_text_that_is_no_unicode_is_refused_at_the_caller(kit: Kit) -> None:
    writer = kit.writer()
    for event in (CallTaken(note="\udc80"), CallTaken(name="\udc80")):
        with pytest.raises(ValueError, match=r"not Unicode|surrogates"):
            writer.submit([record("contact-a", 1, event)])
    writer.append_live(calls("contact-a", 1))


@pytest.mark.parametrize(
    "text", ("\x00", "'; DROP TABLE ringledger_events; --", '{"$sealed":"AAAA"}', "王小明 🎧", "x" * 200_000)
)
def test_hostile_and_large_texts_come_back_as_they_were(kit: Kit, text: str) -> None:
    mine = record("contact-a", 1, CallTaken(name=text, note=text))
    kit.writer().append_live([mine])
    assert [each.event for each in kit.log.history()] == [mine.event]


def test_one_commit_takes_all_submissions_that_wait(kit: Kit) -> None:
    writer = kit.writer()
    with psycopg.connect(kit.database.writer) as blocker:
        blocker.execute("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))
        for number in range(300):
            writer.submit(calls(f"contact-{number}", 1))
    assert writer.close()
    assert len(kit.logged()) == 300
    with psycopg.connect(kit.database.admin) as connection:  # each row remembers the transaction that wrote it
        row = connection.execute("SELECT count(DISTINCT xmin::text) FROM ringledger_events").fetchone()
    assert row is not None
    assert int(row[0]) <= 3


def test_closing_twice_does_no_harm(kit: Kit) -> None:
    writer = kit.writer()
    assert writer.close()
    assert writer.close()


def test_submitting_is_quick_while_the_database_is_slow(kit: Kit) -> None:
    writer = kit.writer()
    with psycopg.connect(kit.database.writer) as blocker:
        blocker.execute("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))
        begun = time.monotonic()
        for number in range(100):
            writer.submit(calls(f"contact-{number}", 1))
        assert time.monotonic() - begun < 5.0
        assert kit.logged() == []
    assert writer.close()
    assert len(kit.logged()) == 100
