"""The library's own tools on our log, and what of it we replaced (event-store.md 1.4 to 1.7)."""

import threading

import psycopg
import pytest

from orchestrator.store.library import IntegrityError, ProgrammingError, StoredEvent, assert_cooperative
from orchestrator.store.mapper import LedgerMapper
from orchestrator.store.recorder import LedgerRecorder
from tests.store.kit import CATALOGUE, Kit, NoteWritten, calls, notes, record


def test_the_librarys_recorder_reads_our_log(kit: Kit) -> None:
    kit.desk.append_desk(notes("customer-1", 1, 2))
    kit.writer().append_live(calls("contact-1", 1))
    recorder = LedgerRecorder(kit.source)
    mapper = LedgerMapper(CATALOGUE)
    found = recorder.select_notifications(None, 10)
    assert [mapper.to_domain_event(each) for each in found] == list(kit.blind_log.history())
    assert recorder.max_notification_id() == kit.log.position()
    assert [each.originator_version for each in recorder.select_events("customer-1", gt=1)] == [2]


def test_the_librarys_subscription_reads_our_log_from_any_position(kit: Kit) -> None:
    """Only what is there already: news it may sleep through (pitfall 3), which is why `Log.follow` is our own."""
    kit.desk.append_desk(notes("customer-1", 1))
    first_position = kit.log.position()
    kit.desk.append_desk(notes("customer-1", 2, 3))
    mapper = LedgerMapper(CATALOGUE)
    with LedgerRecorder(kit.source).subscribe(gt=first_position) as subscription:
        read = [mapper.to_domain_event(next(subscription)) for _ in range(2)]
    assert read == list(kit.blind_log.history(after=first_position))


def test_the_librarys_tools_store_through_our_lock_and_hear_of_conflicts_in_their_words(kit: Kit) -> None:
    recorder = LedgerRecorder(kit.source)
    stored = LedgerMapper(CATALOGUE).to_stored_event(record("customer-1", 1, NoteWritten(text="x")))
    assert recorder.insert_events([stored]) == [1]
    with pytest.raises(IntegrityError):
        recorder.insert_events([stored])
    assert kit.logged() == [("customer-1", 1)]
    assert recorder.insert_events([]) == []


def test_an_append_does_not_wait_for_maintenance(kit: Kit) -> None:
    """The library's own lock would wait here for as long as a VACUUM or an ANALYZE runs."""
    with psycopg.connect(kit.database.owner) as maintenance:
        maintenance.execute("LOCK TABLE ringledger_events IN SHARE UPDATE EXCLUSIVE MODE")
        done = threading.Event()
        kit.writer().submit(calls("contact-1", 1), lambda _: done.set())
        assert done.wait(5)


def test_the_recorder_makes_no_tables(kit: Kit) -> None:
    with pytest.raises(ProgrammingError, match=r"schema\.create"):
        LedgerRecorder(kit.source).create_table()


def test_the_librarys_lock_is_ours(kit: Kit) -> None:
    """Whoever appends by the library's own path waits for the same lock as we do."""
    recorder = LedgerRecorder(kit.source)
    with psycopg.connect(kit.database.writer) as connection:
        recorder._lock_table(connection.cursor())
        row = connection.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()"
        ).fetchone()
        assert row == (1,)
        assert isinstance(StoredEvent("a", 1, "t", b""), StoredEvent)


def test_a_process_that_is_patched_in_the_right_order_or_not_at_all_passes_the_boot_check() -> None:
    assert_cooperative()
