"""Recordings go when their time is over, and stay while they are held (feature 8.2)."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.domain.contacts import keeping as k
from orchestrator.domain.contacts.contacts import ContactIdentified, ContactQueued
from orchestrator.domain.contacts.dial_events import ContactDialled
from orchestrator.domain.contacts.events import ContactEnded
from orchestrator.domain.kernel import SECOND, Instant, Refused
from orchestrator.domain.routing.recording import RecordingsConfigured
from orchestrator.service import retention
from orchestrator.service.deciding import Who
from orchestrator.service.keeping import NIGHT_H, Nights
from orchestrator.settings import SettingsError
from orchestrator.store import Away
from orchestrator.vault import ERASED
from tests.projections.kit import ZONE
from tests.service.recorder import FILE, SOUND, Keeping

DAY = 86_400 * SECOND
ANN = Who(actor="user:ann")
QUEUED = ContactQueued(
    visit_id="v",
    queue_id="orders",
    entry_id="main",
    skill="s",
    min_level=1,
    priority=0,
    music="m",
    leave_by=Instant(0),
)


def sweep(kept: Keeping, days: int) -> list[str]:
    """What goes on this day of the log's time."""
    found = retention.find(kept.kit.log, kept.recordings, Instant(days * DAY))
    return [due.file for due in retention.retain(kept.recordings, found)]


def files(kept: Keeping) -> list[str]:
    """What is kept."""
    return sorted(path.name for path in kept.recordings.kept.glob("talk-*"))


def test_a_recording_goes_on_the_day_on_which_its_time_is_over_and_the_log_keeps_its_digest(kept: Keeping) -> None:
    kept.sealed(at=1)
    assert sweep(kept, 10_000) == [], "without a word of the site it is kept for good"
    kept.configured(RecordingsConfigured(keep_days=90))
    assert sweep(kept, 90) == []
    assert files(kept) == ["talk-1.peaks", "talk-1.sealed"]
    assert sweep(kept, 91) == [FILE]
    assert files(kept) == []
    sealed, gone = kept.told()
    assert isinstance(sealed, k.RecordingSealed)
    assert gone == k.RecordingDeleted(contact_id="c1", file=FILE, days=90)
    with pytest.raises(Refused) as refused:
        kept.heard()
    assert refused.value.code == "recording_deleted"
    assert kept.findings(digests=True) == []
    assert sweep(kept, 92) == []


DIALLED = ContactDialled(
    node="sw1", shift_id="s", agent_id="ann", caller_number="+8613800138000", show="", queue_id="orders"
)


@pytest.mark.parametrize("begun", (QUEUED, DIALLED), ids=lambda event: type(event).__name__)
def test_a_queue_may_keep_longer_or_shorter_than_the_site_or_for_good(
    kept: Keeping, begun: ContactQueued | ContactDialled
) -> None:
    """Features 8.3, 1.2: also what is recorded of a call that an agent made."""
    kept.happened(begun)
    kept.sealed(at=1)
    kept.configured(RecordingsConfigured(keep_days=90, keep_days_of={"orders": 30}))
    assert [due.days for due in retention.find(kept.kit.log, kept.recordings, Instant(31 * DAY))] == [30]
    kept.configured(RecordingsConfigured(keep_days=30, keep_days_of={"orders": 3_650}))
    assert retention.find(kept.kit.log, kept.recordings, Instant(3_650 * DAY)) == []
    kept.configured(RecordingsConfigured(keep_days=90, keep_days_of={"orders": 0}))
    assert retention.find(kept.kit.log, kept.recordings, Instant(10_000 * DAY)) == []


def test_what_died_between_the_log_and_the_file_goes_with_the_next_repair(
    kept: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.sealed(at=1)
    kept.configured(RecordingsConfigured(keep_days=1))

    def dies(*_args: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(Path, "unlink", dies)
        with pytest.raises(KeyboardInterrupt):
            sweep(kept, 3)
    assert kept.findings() == [("undeleted", FILE)]
    assert kept.repaired() == []
    assert files(kept) == []


def test_what_is_held_stays_until_every_hold_is_lifted(kept: Keeping) -> None:
    """Legal hold: placed and lifted by whom, for what and why, stands in the log."""
    kept.sealed(at=1)
    kept.configured(RecordingsConfigured(keep_days=1))
    kept.holds.place(ANN, FILE, "2026/117-C", "Mr Li sues")
    kept.holds.place(ANN, FILE, "tax.9", "asked for by the office")
    assert kept.holds.place(ANN, FILE, "tax.9", "again").changed is False
    first, second = kept.recordings.state(FILE).holds
    assert (first.case, first.reason, second.case) == ("2026/117-C", "Mr Li sues", "tax.9")
    assert sweep(kept, 10) == []
    kept.holds.lift(ANN, FILE, first.hold_id, "settled")
    assert sweep(kept, 10) == []
    kept.holds.lift(ANN, FILE, second.hold_id, "closed")
    assert kept.holds.lift(ANN, FILE, second.hold_id, "closed").changed is False
    assert sweep(kept, 10) == [FILE]
    actors = [record.about.actor for record in kept.kit.log.stream("recording-talk-1")]
    assert actors == ["system", *["user:ann"] * 4, "system"]
    (blind,) = [
        each.event
        for each in kept.kit.blind_log.stream("recording-talk-1")
        if isinstance(each.event, k.RecordingHeld) and each.event.case == "2026/117-C"
    ]
    assert "sues" not in repr(blind)


def test_a_hold_that_is_placed_while_the_sweep_runs_is_seen(kept: Keeping) -> None:
    """Found as due, then held: what is decided on the recording's own stream counts."""
    kept.sealed(at=1)
    kept.configured(RecordingsConfigured(keep_days=1))
    found = retention.find(kept.kit.log, kept.recordings, Instant(10 * DAY))
    kept.holds.place(ANN, FILE, "c1", "just in time")
    assert [due.held for due in found] == [False]
    assert retention.retain(kept.recordings, found) == []
    assert kept.heard() == SOUND


def test_an_erased_person_is_heard_in_what_is_held_and_nowhere_once_the_hold_is_lifted(kept: Keeping) -> None:
    """Feature 5.8 against 8.2: the erasure takes everything else at once, and this when the hold ends."""
    kept.happened(ContactIdentified(customer_id="7"))
    for file in (FILE, "talk-2.wav"):
        kept.sealed(file)
    kept.holds.place(ANN, FILE, "c1", "why Mr Li sues")
    kept.kit.desk.erase("customer-7")
    kept.kit.vault.forget()
    with pytest.raises(Refused) as refused:
        kept.heard("talk-2.wav")
    assert refused.value.code == "recording_erased"
    assert kept.heard() == SOUND
    (hold,) = kept.recordings.state(FILE).holds
    assert (hold.case, hold.reason) == ("c1", ERASED)
    kept.holds.lift(ANN, FILE, hold.hold_id, "over")
    kept.kit.vault.forget()
    with pytest.raises(Refused) as refused:
        kept.heard()
    assert refused.value.code == "recording_erased"
    with pytest.raises(Refused, match="erased"):
        kept.holds.place(ANN, FILE, "c2", "too late")


def test_the_copy_of_a_key_that_outlived_its_hold_is_destroyed_at_night(
    kept: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.sealed()
    kept.holds.place(ANN, FILE, "c1", "why")
    (hold,) = kept.recordings.state(FILE).holds
    with monkeypatch.context() as dying:
        dying.setattr(kept.kit.desk, "erase", lambda _subject: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            kept.holds.lift(ANN, FILE, hold.hold_id, "over")
    assert (kept.holds.settle(), kept.holds.settle()) == (1, 0)
    (copy,) = [record.event for record in kept.kit.log.stream(f"hold-{hold.hold_id}")]
    assert isinstance(copy, k.RecordingKeyCopied)
    assert copy.key == ERASED


def test_a_hold_says_its_case_and_why_and_is_of_something_that_there_is(kept: Keeping) -> None:
    kept.sealed()
    wrong = (
        (FILE, "", "why", "bad_case"),
        (FILE, "a story of many words", "why", "bad_case"),
        (FILE, "c" * 41, "why", "bad_case"),
        (FILE, "c1", " ", "no_reason"),
        (FILE, "c1", "x" * 301, "bad_text"),
        (FILE, "c1", "a\u202eb", "bad_text"),
        ("talk-9.wav", "c1", "why", "no_such_recording"),
        ("../kek", "c1", "why", "no_such_recording"),
    )
    for file, case, reason, code in wrong:
        with pytest.raises(Refused) as refused:
            kept.holds.place(ANN, file, case, reason)
        assert refused.value.code == code, (file, case, reason)
    assert len(kept.told()) == 1


def test_what_is_gone_cannot_be_held(kept: Keeping) -> None:
    kept.sealed(at=1)
    kept.configured(RecordingsConfigured(keep_days=1))
    sweep(kept, 5)
    with pytest.raises(Refused) as refused:
        kept.holds.place(ANN, FILE, "c1", "why")
    assert refused.value.code == "recording_deleted"


def test_once_a_night_everything_is_compared_repaired_and_swept(kept: Keeping) -> None:
    """An orphan is sealed, an old recording goes, and the day's second look does nothing."""
    kept.sealed(at=1)
    kept.happened(ContactEnded(reason="completed", phase="connected"))
    kept.configured(RecordingsConfigured(keep_days=30_000))
    orphan = kept.recordings.clear / "talk-8.wav"
    orphan.write_bytes(SOUND)
    night = datetime(2100, 3, 1, NIGHT_H, tzinfo=ZONE)
    now = night.timestamp()
    nights = Nights(kept.tools, ZONE, threading.Event(), clock=lambda: now)
    now = night.timestamp() - 1
    assert nights.look() is False
    now = night.timestamp()
    assert nights.look() is True
    assert (orphan.exists(), files(kept)) == (False, ["talk-8.peaks", "talk-8.sealed"])
    assert nights.look() is False
    assert Nights(kept.tools, ZONE, threading.Event(), clock=lambda: now).look() is False, (
        "another process knows it, too"
    )
    now += 86_400
    assert datetime.fromtimestamp(now, UTC).day == 1
    assert nights.look() is True


def _three_are_over(kept: Keeping) -> None:
    """Three recordings whose time is over."""
    for number in (1, 2, 3):
        kept.sealed(f"talk-{number}.wav", at=number)
    kept.happened(ContactEnded(reason="completed", phase="connected"))
    kept.configured(RecordingsConfigured(keep_days=1))


def test_a_long_night_is_done_in_slices(kept: Keeping) -> None:
    _three_are_over(kept)
    now = datetime(2100, 3, 1, NIGHT_H, tzinfo=ZONE).timestamp()
    nights = Nights(kept.tools, ZONE, threading.Event(), clock=lambda: now, slice_s=0)
    left = []
    for _ in range(3):
        assert nights.look() is False
        left.append(len([name for name in files(kept) if name.endswith(".sealed")]))
    assert left == [2, 1, 0], "one of them in each"
    assert Nights(kept.tools, ZONE, threading.Event(), clock=lambda: now, slice_s=0).look() is True, (
        "another process would begin it anew, and finds nothing"
    )
    assert nights.look() is True
    assert nights.look() is False


def test_a_disk_that_goes_between_two_slices_of_a_night_loses_nothing(
    kept: Keeping, capsys: pytest.CaptureFixture[str]
) -> None:
    _three_are_over(kept)
    now = datetime(2100, 3, 1, NIGHT_H, tzinfo=ZONE).timestamp()
    nights = Nights(kept.tools, ZONE, threading.Event(), clock=lambda: now, slice_s=0)
    assert nights.look() is False
    folder = kept.recordings.kept
    disk = folder.rename(folder.with_name("unmounted"))
    folder.mkdir()
    assert nights.look() is True
    assert "recordings-night-failed" in capsys.readouterr().out
    assert [kept.recordings.state(f"talk-{number}.wav").deleted for number in (1, 2, 3)] == [True, False, False]
    folder.rmdir()  # nothing was written there
    disk.rename(folder)
    now += 86_400
    while not nights.look():
        pass
    assert [name for name in files(kept) if name.endswith(".sealed")] == []


def test_a_database_that_goes_within_a_night_lets_it_begin_anew(kept: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    _three_are_over(kept)
    now = datetime(2100, 3, 1, NIGHT_H, tzinfo=ZONE).timestamp()
    nights = Nights(kept.tools, ZONE, threading.Event(), clock=lambda: now, slice_s=0)
    assert nights.look() is False

    def away(*_args: object, **_named: object) -> int:
        raise Away("The database is away.")

    with monkeypatch.context() as without:
        without.setattr(kept.kit.desk, "append_desk", away)
        with pytest.raises(Away):
            nights.look()
    while not nights.look():
        pass
    assert [name for name in files(kept) if name.endswith(".sealed")] == []


def test_a_night_without_the_folder_loses_nothing_and_seals_nothing_in_its_place(
    kept: Keeping, capsys: pytest.CaptureFixture[str]
) -> None:
    """The disk is not mounted: an empty folder stands where it was, or none."""
    kept.sealed(at=1)
    kept.configured(RecordingsConfigured(keep_days=1))
    folder = kept.recordings.kept
    disk = folder.rename(folder.with_name("unmounted"))
    told = kept.told()
    now = datetime(2100, 3, 1, NIGHT_H, tzinfo=ZONE).timestamp()
    nights = Nights(kept.tools, ZONE, threading.Event(), clock=lambda: now)
    for mounted in (False, True):
        if mounted:
            folder.mkdir()
        assert nights.look() is True
        assert "recordings-night-refused" in capsys.readouterr().out
        now += 86_400
        for work in (kept.repaired, lambda: sweep(kept, 10_000)):
            with pytest.raises(SettingsError, match="RINGLEDGER_KEPT"):
                work()
    clear = kept.recorded("talk-2.wav")
    assert kept.recordings.keep("c1", "talk-2.wav") == k.UNREADABLE
    assert kept.recordings.keep("c1", FILE) == "", "what is sealed is not sealed anew"
    assert (clear.exists(), list(folder.iterdir())) == (True, [])
    folder.rmdir()
    disk.rename(folder)
    assert kept.told() == told, "the log was told of no loss"
    assert kept.heard() == SOUND
    assert kept.recordings.keep("c1", "talk-2.wav") == ""
