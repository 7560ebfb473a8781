"""Recordings as files: sealed before the clear one goes, found again after every accident (features 8.1, 8.2)."""

import hashlib
import os
import struct
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from orchestrator.domain.contacts import keeping as k
from orchestrator.domain.contacts import unattended
from orchestrator.domain.contacts.events import ContactConnected, ContactEnded, RecordingBegun, RecordingFinished
from orchestrator.domain.contacts.unattended import ImportCall, UnattendedCallLost
from orchestrator.domain.kernel import SECOND, Instant, Refused
from orchestrator.domain.routing.recording import RecordingsConfigured
from orchestrator.service import keeping, sealed_files
from orchestrator.service.call_files import FIRST, SUFFIX, folder_beside, message_of
from orchestrator.service.keeping import EMPTY_WITHIN, QUIET_S, Keeper, check
from orchestrator.store import Away
from tests.service.recorder import FILE, SOUND, Keeping, unreadable


# --- keeping ---------------------------------------------------------------------------------------------------------
def test_a_finished_recording_is_sealed_its_digest_is_in_the_log_and_the_clear_file_is_gone(kept: Keeping) -> None:
    path = kept.recorded()
    assert kept.keeper().work() == 1
    assert not path.exists()
    (event,) = kept.told()
    assert isinstance(event, k.RecordingSealed)
    assert (event.digest, event.length) == (hashlib.sha256(SOUND).hexdigest(), len(SOUND))
    assert (event.contact_id, event.found) == ("c1", "finished")
    assert kept.heard() == SOUND
    assert SOUND[:64] not in b"".join(each.read_bytes() for each in kept.recordings.kept.glob("*.sealed"))
    (blind,) = kept.kit.blind_log.stream("recording-talk-1")
    assert event.key not in repr(blind.event), "who has no keys cannot hear it"
    assert kept.findings(digests=True) == []


def test_whoever_is_erased_cannot_be_heard_any_more(kept: Keeping) -> None:
    """Feature 5.8: the key of the file hangs under the contact's."""
    kept.recorded()
    kept.keeper().work()
    kept.kit.desk.erase("contact-c1")
    kept.kit.vault.forget()
    with pytest.raises(Refused) as refused:
        kept.heard()
    assert refused.value.code == "recording_erased"
    assert kept.findings(digests=True) == []


def test_the_clear_file_stays_until_the_log_has_said_that_it_may_go(
    kept: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is away after the file was sealed: everything is begun anew once it is back."""
    path = kept.recorded()
    keeper = kept.keeper()

    def away(*_args: object, **_named: object) -> int:
        raise Away("The database is away.")

    with monkeypatch.context() as without:
        without.setattr(kept.kit.desk, "append_desk", away)
        with pytest.raises(Away):
            keeper.work()
    assert path.read_bytes() == SOUND
    assert kept.told() == []
    assert keeper.position < kept.kit.log.position()
    assert keeper.work() == 1
    assert not path.exists()
    assert kept.heard() == SOUND


def test_a_keeper_that_died_between_the_log_and_the_clear_file_removes_it_when_it_is_back(
    kept: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = kept.recorded()

    def dies(*_args: object, **_named: object) -> None:
        raise KeyboardInterrupt

    keeper = kept.keeper()
    with monkeypatch.context() as dying:
        dying.setattr(Path, "unlink", dies)
        with pytest.raises(KeyboardInterrupt):
            keeper.work()
    path.write_bytes(SOUND)
    (kept.recordings.kept / "position").unlink(missing_ok=True)
    assert kept.keeper().work() == 1
    assert not path.exists()
    assert [type(event) for event in kept.told()][:1] == [k.RecordingSealed]
    assert kept.heard() == SOUND


def test_the_next_keeper_goes_on_where_the_last_one_stopped(kept: Keeping) -> None:
    kept.recorded()
    keeper = kept.keeper()
    keeper.work()
    assert Keeper(kept.recordings).position == keeper.position == kept.kit.log.position() - 1
    kept.recorded("talk-2.wav")
    assert kept.keeper().work() == 1


def test_a_keeper_of_one_switch_leaves_the_files_of_others_alone(kept: Keeping) -> None:
    """The file is on the node that has it."""
    path = kept.recorded()
    assert kept.keeper(node="sw2").work() == 0
    assert path.exists()
    assert kept.keeper(node="sw1").work() == 1


def test_what_the_switch_threw_away_is_not_waited_for(kept: Keeping) -> None:
    """Discarded short files."""
    for cause in ("empty-file", "input-too-short"):
        kept.happened(RecordingFinished(file=FILE, length_ms=0, cause=cause))
    keeper = kept.keeper()
    keeper.work()
    assert keeper.position == kept.kit.log.position()
    assert kept.told() == []
    assert kept.findings() == []


def test_what_is_shorter_than_the_site_wants_goes_with_an_event(kept: Keeping) -> None:
    """Issue 5: discarded short files. What was sealed already stays, whatever is configured since."""
    kept.recorded("talk-0.wav")
    kept.keeper().work()
    kept.configured(RecordingsConfigured(least_ms=1_001))
    short = kept.recorded()
    kept.keeper().work()
    assert not short.exists()
    assert kept.told() == [k.RecordingDiscarded(contact_id="c1", file=FILE, length_ms=1_000, least_ms=1_001)]
    assert (kept.heard(), kept.heard("talk-0.wav")) == (b"", SOUND)
    assert kept.findings(digests=True) == []
    short.write_bytes(SOUND)
    assert kept.repaired() == []
    assert not short.exists(), "it died between the log and the file"


def test_the_process_keeps_what_is_told_while_it_runs(kept: Keeping) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=keeping.follow, args=(kept.kit.log, Keeper(kept.recordings), stop))
    thread.start()
    try:
        path = kept.recorded()
        kept.kit.log.wait_for(kept.kit.log.position() + 1)
    finally:
        stop.set()
        thread.join(10)
    assert not path.exists()
    assert kept.heard() == SOUND


# --- accidents -------------------------------------------------------------------------------------------------------
def test_a_full_disk_is_an_alarm_once_and_is_tried_again(kept: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    path = kept.recorded()
    keeper = kept.keeper()

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as without_room:
        without_room.setattr(sealed_files, "_write", full)
        for _ in range(3):
            keeper.work()
            kept.now += keeping.AGAIN_S
        assert kept.alarms() == ["no_room"]
        assert path.read_bytes() == SOUND
    assert list(kept.recordings.kept.glob("*.half")) == []
    assert keeper.work() == 1
    assert kept.heard() == SOUND


@pytest.mark.parametrize("mount_point", ("empty", "none"))
def test_where_the_disk_is_not_mounted_no_position_is_kept_in_its_place(kept: Keeping, mount_point: str) -> None:
    kept.sealed()
    keeper, place = kept.keeper(), kept.recordings.kept
    stood = (place / "position").read_text(encoding="ascii")
    disk = place.rename(place.with_name("unmounted"))
    if mount_point == "empty":
        place.mkdir()
    kept.happened(ContactEnded(reason="completed", phase="connected"))
    keeper.take(kept.kit.log.history(after=keeper.position))
    with capture_logs() as told:
        keeper.work()
        keeper.work()
    assert [each["event"] for each in told] == ["recordings-position-not-kept"], "once for a while"
    assert "Mount the disk that has it" in told[0]["why"]
    assert list(place.parent.glob("kept/*")) == []
    if mount_point == "empty":
        place.rmdir()
    disk.rename(place)
    kept.now += keeping.AGAIN_S
    keeper.work()
    assert int((place / "position").read_text(encoding="ascii")) == kept.kit.log.position() > int(stood)


def test_a_disk_that_does_not_take_the_position_ends_no_keeper(kept: Keeping) -> None:
    keeper = kept.keeper()
    refused = kept.recordings.kept / "position.half"
    refused.mkdir(parents=True)
    with capture_logs() as told:
        keeper.work()
    assert [each["event"] for each in told] == ["recordings-position-not-kept"]
    refused.rmdir()
    kept.now += keeping.AGAIN_S
    keeper.work()
    assert kept.keeper().position == kept.kit.log.position()


def test_a_disk_that_answers_with_an_error_is_told_and_nothing_is_taken_for_lost(kept: Keeping) -> None:
    kept.sealed()
    sealed, shape = kept.recordings.kept / "talk-1.sealed", kept.recordings.kept / "talk-1.peaks"
    kept.recordings.shape(FILE)
    with unreadable(sealed), unreadable(shape), capture_logs() as told:
        for listen in (kept.heard, lambda: kept.recordings.shape(FILE)):
            with pytest.raises(Refused, match="have that disk looked at") as refused:
                listen()
            assert refused.value.code == "recording_unreadable"
    assert [each["why"] for each in told if each["event"] == "recording-unreadable"] == [
        "[Errno 5] Input/output error"
    ] * 2
    assert kept.alarms() == []
    assert kept.heard() == SOUND


def test_an_event_without_a_file_is_an_alarm_after_a_while(kept: Keeping) -> None:
    """A shared folder may show a file late."""
    path = kept.recorded()
    away = path.rename(path.with_name("elsewhere"))
    keeper = kept.keeper()
    keeper.work()
    assert kept.alarms() == []
    kept.now += keeping.MISSING_S
    keeper.work()
    assert kept.alarms() == ["missing"]
    assert keeper.position == kept.kit.log.position() - 1
    assert kept.findings() == [("missing", FILE)]
    assert kept.repaired() == ["missing"], "nobody can bring it back"
    assert kept.alarms() == ["missing"]
    away.rename(path)
    assert kept.findings() == [("unsealed", FILE)]
    assert kept.repaired() == []
    assert kept.heard() == SOUND


def test_a_file_without_its_event_is_found_once_it_is_quiet_and_kept(kept: Keeping) -> None:
    """RECORD_STOP was lost: of an ended contact, or of a leg that nobody knew."""
    begun, orphan = kept.recordings.clear / "talk-7.wav", kept.recordings.clear / "talk-8.wav"
    for path in (begun, orphan):
        path.write_bytes(SOUND)
    kept.happened(RecordingBegun(file=begun.name))
    assert [each.what for each in check(kept.kit.log, kept.recordings)] == [], "both may still be written"
    assert kept.findings() == [("orphan", orphan.name)], "the contact goes on, and its recording with it"
    kept.happened(ContactEnded(reason="completed", phase="connected"))
    assert kept.findings() == [("orphan", orphan.name), ("unfinished", begun.name)]
    assert kept.repaired() == []
    assert (kept.heard(begun.name), kept.heard(orphan.name)) == (SOUND, SOUND)
    found = {event.file: event.found for name in (begun.name, orphan.name) for event in kept.told(name)}  # type: ignore[attr-defined]
    assert found == {begun.name: "unfinished", orphan.name: "orphan"}
    assert kept.findings(digests=True) == []


def test_a_file_of_which_nobody_heard_anything_is_its_talks_by_its_name(kept: Keeping) -> None:
    """Complaint 16; law 11: the switch was killed before it had said that it recorded. An erasure finds the file."""
    talk = ContactConnected(segment_id="talk-9", offer_id="o1", shift_id="s1", agent_id="a1", leg="l1")
    kept.happened(talk)
    first, later = kept.recordings.clear / "talk-9.wav", kept.recordings.clear / "talk-9-2.wav"
    for path in (first, later):
        path.write_bytes(SOUND)
    assert kept.findings() == [], "the contact goes on, and its recording with it"
    kept.happened(ContactEnded(reason="switch_lost", phase="connected"))
    assert kept.findings() == [("unfinished", later.name), ("unfinished", first.name)]
    assert kept.repaired() == []
    sealed = [kept.recordings.state(path.name).sealed for path in (first, later)]
    assert [(each.contact_id, each.found) for each in sealed if each] == [("c1", "unfinished")] * 2


def test_how_long_a_recording_is_is_told_by_what_the_file_holds(kept: Keeping) -> None:
    """Feature 8.2: its head was written at the beginning, and says another length; nobody heard its end."""
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36, b"WAVE", b"fmt ", 16, 1, 2, 8_000, 32_000, 4, 16, b"data", 0)
    kept.sealed(sound=head + bytes(32_000 * 3))
    kept.sealed(file="talk-2.wav", sound=SOUND)
    assert [event.length_ms for event in kept.told() if isinstance(event, k.RecordingSealed)] == [3_000]
    other = kept.recordings.state("talk-2.wav").sealed
    assert other is not None
    assert other.length_ms == -1, "no sound of a kind that is known"


def test_a_file_whose_end_was_never_heard_is_sealed_once_its_contact_is_over_and_it_is_quiet(kept: Keeping) -> None:
    """RECORD_STOP was lost: the voice does not lie in the clear until the night. The next keeper knows it, too."""
    path = kept.recordings.clear / FILE
    path.write_bytes(SOUND)
    kept.happened(RecordingBegun(file=FILE))
    keeper = kept.keeper()
    assert keeper.work() == 0
    assert keeper.position < kept.kit.log.position(), "the next one has to know of what is being written"
    kept.happened(ContactEnded(reason="completed", phase="connected"))
    for each in (keeper, kept.keeper()):
        each.take(kept.kit.log.history(after=each.position))
        assert each.work() == 0
    assert path.read_bytes() == SOUND, "its last words may still be on their way to the disk"
    long_ago = path.stat().st_mtime - QUIET_S
    os.utime(path, (long_ago, long_ago))
    keeper = kept.keeper()
    assert keeper.work() == 1
    assert not path.exists()
    assert kept.heard() == SOUND
    assert [event.found for event in kept.told() if isinstance(event, k.RecordingSealed)] == ["unfinished"]
    assert kept.keeper().work() == 0
    assert keeper.position == kept.kit.log.position() - 1
    assert kept.findings(digests=True) == []


def test_a_file_that_the_switch_threw_away_unheard_is_no_alarm(kept: Keeping) -> None:
    kept.happened(RecordingBegun(file=FILE), ContactEnded(reason="completed", phase="connected"))
    keeper = kept.keeper()
    assert keeper.work() == 0
    assert keeper.position == kept.kit.log.position()
    assert kept.told() == []


def test_a_file_that_went_with_its_switch_is_an_alarm_though_nobody_heard_its_end(kept: Keeping) -> None:
    """Complaint 16: the switch was killed with its disk as a talk was over; who looks for it finds out why."""
    kept.happened(RecordingBegun(file=FILE), at=SECOND)
    kept.happened(ContactEnded(reason="completed", phase="connected"), at=SECOND + EMPTY_WITHIN)
    keeper = kept.keeper()
    assert keeper.work() == 0
    assert kept.alarms() == [], "a shared folder may show it late"
    kept.now += keeping.MISSING_S
    assert keeper.work() == 0
    assert kept.alarms() == ["missing"]
    assert keeper.position == kept.kit.log.position() - 1


def test_a_file_that_is_kept_already_and_whose_end_nobody_heard_is_no_alarm(kept: Keeping) -> None:
    """A keeper that starts again looks at more than it has to."""
    path = kept.recordings.clear / FILE
    path.write_bytes(SOUND)
    kept.happened(RecordingBegun(file=FILE), at=SECOND)
    kept.happened(ContactEnded(reason="completed", phase="connected"), at=2 * SECOND)
    kept.now += keeping.MISSING_S
    os.utime(path, (path.stat().st_mtime - QUIET_S,) * 2)
    again = kept.keeper()
    assert kept.keeper().work() == 1
    kept.now += keeping.MISSING_S
    again.work()
    assert kept.alarms() == []


@pytest.mark.parametrize("kind", (SUFFIX, FIRST))
def test_a_message_whose_call_is_still_to_be_imported_is_nobodys_orphan(kept: Keeping, kind: str) -> None:
    """Complaint 2: it waits over the night for an engine, and is then its contact's."""
    message = kept.recordings.clear / message_of("leg-7")
    message.write_bytes(SOUND)
    waiting = folder_beside(kept.recordings.clear) / f"leg-7{kind}"
    waiting.parent.mkdir()
    waiting.write_bytes(b"{}")
    assert kept.findings() == []
    assert message.exists()
    waiting.unlink()
    assert kept.findings() == [("orphan", message.name)]


def test_a_message_with_which_its_switch_died_is_sealed_as_its_callers_and_goes_with_them(kept: Keeping) -> None:
    """Law 11: an erasure finds it; complaint 2: it is heard."""
    message = kept.recordings.clear / message_of("leg-7")
    message.write_bytes(SOUND)
    call = UnattendedCallLost(arrived_at=Instant(1), taken_at=Instant(2))
    command = ImportCall(
        node="sw1", leg="leg-7", dialled="4001", cause="SWITCH_RESTARTED", call=call, message=message.name
    )
    kept.happened(*unattended.decide(command)[1:])
    assert kept.findings() == [("unfinished", message.name)]
    assert kept.repaired() == []
    (sealed,) = kept.told(message.name)
    assert isinstance(sealed, k.RecordingSealed)
    assert (sealed.contact_id, sealed.found) == ("c1", "unfinished")
    assert kept.heard(message.name) == SOUND
    assert not message.exists()
    kept.kit.desk.erase("contact-c1")
    kept.kit.vault.forget()
    with pytest.raises(Refused) as refused:
        kept.heard(message.name)
    assert refused.value.code == "recording_erased"


def test_a_second_file_of_the_same_name_takes_nobodys_place_and_is_kept_under_a_name_of_its_own(kept: Keeping) -> None:
    """A path that exists: an alarm; then both are kept, and neither voice lies in the clear."""
    kept.recorded()
    kept.keeper().work()
    other = kept.recorded(FILE, b"RIFF other sound")
    kept.keeper().work()
    assert kept.alarms() == ["twice"]
    assert other.read_bytes() == b"RIFF other sound"
    assert kept.heard() == SOUND
    assert kept.findings() == [("left", FILE)]
    assert kept.repaired() == []
    assert not other.exists()
    second = f"talk-1-second-{hashlib.sha256(b'RIFF other sound').hexdigest()[:8]}.wav"
    assert (kept.heard(), kept.heard(second)) == (SOUND, b"RIFF other sound")
    (event,) = kept.told(second)
    assert isinstance(event, k.RecordingSealed)
    assert (event.contact_id, event.found) == ("c1", "second")
    assert kept.findings(digests=True) == []
    assert kept.alarms() == ["twice"]


def test_what_is_damaged_or_gone_is_told_and_never_played(kept: Keeping) -> None:
    kept.recorded()
    kept.keeper().work()
    (sealed,) = kept.recordings.kept.glob("*.sealed")
    whole = sealed.read_bytes()
    sealed.write_bytes(whole[:-5] + b"xxxxx")
    assert kept.findings() == [], "only who reads it all sees it"
    assert kept.findings(digests=True) == [("damaged", FILE)]
    with pytest.raises(Refused) as refused:
        kept.heard()
    assert refused.value.code == "recording_damaged"
    assert kept.alarms() == ["damaged"]
    sealed.unlink()
    assert kept.findings() == [("lost", FILE)]
    assert kept.heard() == b""
    assert kept.alarms() == ["damaged", "lost"]


def test_a_sealed_file_that_the_log_does_not_know_goes_where_it_can_be_made_anew(kept: Keeping) -> None:
    """It died between the file and the log."""
    path = kept.recorded()
    kept.recordings.kept.mkdir()
    stray = kept.recordings.kept / "talk-1.sealed"
    stray.write_bytes(b"half a life")
    assert kept.findings() == [("stray", FILE), ("unsealed", FILE)]
    assert kept.repaired() == []
    assert not path.exists()
    assert kept.heard() == SOUND
    alone = kept.recordings.kept / "talk-9.sealed"
    alone.write_bytes(b"who knows")
    assert kept.repaired() == ["stray"]
    assert alone.exists(), "what nobody can make anew nobody throws away"


@pytest.mark.parametrize("file", ("../keys/kek", "/etc/passwd", "a.wav/..", "", "a b.wav", "-r.wav", "a.mp3"))
def test_a_name_that_leads_elsewhere_is_none(kept: Keeping, file: str) -> None:
    """Law 10: the name has come by way of the switch."""
    kept.happened(RecordingFinished(file=file, length_ms=1))
    keeper = kept.keeper()
    keeper.work()
    assert keeper.position == kept.kit.log.position()
    assert kept.recordings.sound(file, whole=True) is None
    assert kept.findings() == []
    with pytest.raises(Refused):
        kept.recordings.keep("c1", file)


def test_a_link_is_not_followed(kept: Keeping) -> None:
    secret = kept.recordings.clear.parent / "secret"
    secret.write_bytes(b"secret")
    (kept.recordings.clear / FILE).symlink_to(secret)
    assert kept.recordings.keep("c1", FILE) == "missing"
    assert kept.heard() == b""
