"""Old recordings are moved to other media, found there again, held, deleted and erased there as here (feature 8.2)."""

import errno
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner

from orchestrator import commandline_recordings as commands
from orchestrator.domain.contacts import keeping as k
from orchestrator.domain.contacts.contacts import ContactIdentified
from orchestrator.domain.kernel import SECOND, Instant, Refused
from orchestrator.domain.routing.recording import RecordingsConfigured
from orchestrator.service import keeping, retention
from orchestrator.service import recordings as files_of
from orchestrator.service.deciding import Who
from orchestrator.service.fetching import Elsewhere, prover
from orchestrator.service.keeping import NIGHT_H, Keeper, Nights, check
from orchestrator.service.media import LABEL, Media, label, name_of
from orchestrator.service.recordings import Recordings
from orchestrator.service.sealed_files import HALF
from orchestrator.settings import SettingsError
from orchestrator.store import Away
from tests.postgres import settings_for
from tests.projections.kit import ZONE
from tests.service.recorder import FILE, SOUND, Keeping
from tests.service.test_fetching import opened

DAY = 86_400 * SECOND
ANN = Who(actor="user:ann")
NIGHT = datetime(2100, 3, 1, NIGHT_H, tzinfo=ZONE).timestamp()


class Archive:
    """A keeper with two folders for media, of which the first is one, and a sealed recording of the first day."""

    def __init__(self, kept: Keeping, folder: Path) -> None:
        self.kept = kept
        self.first, self.second = folder / "first", folder / "second"
        for each in (self.first, self.second):
            each.mkdir()
        self.name = label(self.first, "tape-7", kept=kept.recordings.kept)
        kept.recordings.media = Media((self.first, self.second))
        kept.configured(RecordingsConfigured(archive_days=30, keep_days=90))
        kept.sealed(at=1)

    def label(self, folder: Path, name: str) -> str:
        """Make this folder a medium; its whole name."""
        return label(folder, name, kept=self.kept.recordings.kept)

    def old(self, days: int) -> list[str]:
        return retention.find_old(self.kept.kit.log, self.kept.recordings, Instant(days * DAY))

    def moves(self, days: int = 31) -> list[str]:
        """What is moved on this day of the log's time."""
        return retention.archive(self.kept.recordings, self.old(days))

    def sweep(self, days: int) -> list[str]:
        """What is deleted on that day."""
        found = retention.find(self.kept.kit.log, self.kept.recordings, Instant(days * DAY))
        return [due.file for due in retention.retain(self.kept.recordings, found)]

    def here(self) -> list[str]:
        """What lies in the folder of the machine."""
        return sorted(path.name for path in self.kept.recordings.kept.glob("talk-*"))

    def there(self) -> list[str]:
        """What lies on the medium."""
        return sorted(path.name for path in self.first.glob("talk-*"))

    def away(self) -> Path:
        """The disk is taken out: an empty folder stands in its place."""
        disk = self.first.rename(self.first.with_name("unmounted"))
        self.first.mkdir()
        return disk

    def nights(self, stop: threading.Event | None = None, *, slice_s: float = 60.0) -> Nights:
        """The work of one night, in which what is old is archived and nothing is deleted."""
        self.kept.configured(RecordingsConfigured(archive_days=30))
        return Nights(self.kept.tools, ZONE, stop or threading.Event(), clock=lambda: NIGHT, slice_s=slice_s)

    def back(self, disk: Path) -> None:
        self.first.rmdir()
        disk.rename(self.first)


@pytest.fixture
def archive(kept: Keeping, tmp_path: Path) -> Archive:
    return Archive(kept, tmp_path)


# --- moved -----------------------------------------------------------------------------------------------------------
def test_what_is_old_enough_is_moved_once_and_heard_from_there_to_the_last_byte(archive: Archive) -> None:
    kept = archive.kept
    assert archive.moves(29) == []
    assert (archive.here(), archive.there()) == (["talk-1.peaks", "talk-1.sealed"], [])
    assert archive.moves() == [FILE]
    assert (archive.here(), archive.there()) == (["talk-1.peaks"], ["talk-1.sealed"])
    assert kept.told()[1:] == [k.RecordingArchived(contact_id="c1", file=FILE, medium=archive.name)]
    assert kept.heard() == SOUND
    assert SOUND[:64] not in (archive.first / "talk-1.sealed").read_bytes()
    assert kept.findings(digests=True) == []
    assert archive.moves(32) == []
    assert len(kept.told()) == 2


def test_without_a_word_of_the_site_everything_stays(archive: Archive) -> None:
    archive.kept.configured(RecordingsConfigured())
    assert archive.old(10_000) == []
    assert retention.find_old(archive.kept.kit.log, archive.kept.recordings, Instant(31 * DAY), 30) == [FILE]


def test_what_is_read_again_on_the_medium_is_compared_before_the_first_goes(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A medium that does not keep what is written on it."""

    def writes_badly(source: Path, target: Path) -> None:
        shutil.copy(source, target)
        target.write_bytes(target.read_bytes()[:-1] + b"x")

    monkeypatch.setattr(files_of, "_copy", writes_badly)
    with pytest.raises(OSError, match="not what is read again"):
        archive.kept.recordings.archive(FILE)
    assert archive.moves() == []
    assert (archive.here(), archive.there()) == (["talk-1.peaks", "talk-1.sealed"], [])
    assert len(archive.kept.told()) == 1
    assert archive.kept.heard() == SOUND


def test_what_is_damaged_here_is_not_moved_and_is_an_alarm(archive: Archive) -> None:
    path = archive.kept.recordings.kept / "talk-1.sealed"
    path.write_bytes(path.read_bytes()[:-5] + b"xxxxx")
    assert archive.moves() == []
    assert (archive.there(), archive.kept.alarms()) == ([], ["damaged"])


def test_a_medium_that_is_full_takes_the_rest_in_another_night(archive: Archive) -> None:
    archive.kept.sealed("talk-2.wav", at=2)
    (archive.first / f"talk-1.sealed{HALF}").symlink_to("/dev/full")
    assert archive.moves() == [], "nor is the next one tried"
    assert archive.there() == []
    assert archive.moves() == [FILE, "talk-2.wav"], "the oldest first"


@pytest.mark.parametrize("dies", ("event", "first"))
def test_whoever_dies_in_between_finds_what_was_done(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    """After the copy and before the log; after the log and before the first copy went."""

    def end(*_args: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        if dies == "event":
            dying.setattr(archive.kept.recordings, "_write", end)
        else:
            dying.setattr(Path, "unlink", lambda path, **_: end() if path.suffix == ".sealed" else None)
        with pytest.raises(KeyboardInterrupt):
            archive.moves()
    assert archive.there() == ["talk-1.sealed"]
    assert archive.kept.heard() == SOUND
    if dies == "event":
        assert archive.kept.findings() == []
        assert archive.moves() == [FILE]
    else:
        assert archive.kept.findings() == [("copied", FILE)]
        assert archive.kept.repaired() == []
    assert (archive.here(), archive.there()) == (["talk-1.peaks"], ["talk-1.sealed"])
    assert archive.kept.heard() == SOUND


def test_one_of_two_stays_where_the_one_on_the_medium_is_not_whole(archive: Archive) -> None:
    first = archive.kept.recordings.kept / "talk-1.sealed"
    copy = first.read_bytes()
    archive.moves()
    first.write_bytes(copy)
    (archive.first / "talk-1.sealed").write_bytes(b"spoilt")
    assert archive.kept.repaired() == ["copied"]
    assert archive.kept.heard() == SOUND


# --- away ------------------------------------------------------------------------------------------------------------
def test_while_the_medium_is_away_the_player_says_where_it_lies_and_nothing_is_taken_for_lost(archive: Archive) -> None:
    kept = archive.kept
    archive.moves()
    told = kept.told()
    disk = archive.away()
    with pytest.raises(Refused) as refused:
        kept.heard()
    assert (refused.value.code, f"the medium {archive.name}" in refused.value.message) == (
        "recording_medium_away",
        True,
    )
    kept.recordings.shape(FILE)  # lies here: nobody is refused who looks at it
    assert kept.findings(digests=True) == []
    assert kept.repaired() == []
    assert archive.sweep(91) == [], "what cannot be removed is not said to be"
    assert kept.told() == told
    archive.back(disk)
    assert kept.heard() == SOUND
    assert archive.sweep(91) == [FILE]
    assert (archive.here(), archive.there()) == ([], [])


def test_a_medium_is_known_by_its_name_wherever_it_is_mounted(archive: Archive) -> None:
    archive.moves()
    archive.second.rmdir()
    archive.first.rename(archive.second)
    archive.first.mkdir()
    assert archive.kept.heard() == SOUND
    archive.label(archive.first, "tape-8")
    archive.kept.sealed("talk-2.wav", at=2)
    assert archive.moves() == ["talk-2.wav"]
    assert archive.there() == ["talk-2.sealed"]
    assert archive.kept.heard() == SOUND


def test_nothing_is_moved_into_an_empty_mount_point(archive: Archive) -> None:
    archive.away()
    with pytest.raises(SettingsError, match=re.escape(str(archive.first))):
        archive.moves()
    assert list(archive.first.iterdir()) == []


def test_what_is_gone_from_a_medium_that_is_there_is_lost(archive: Archive) -> None:
    archive.moves()
    (archive.first / "talk-1.sealed").unlink()
    assert archive.kept.findings() == [("lost", FILE)]
    assert archive.kept.heard() == b""
    assert archive.kept.alarms() == ["lost"]


@pytest.mark.parametrize("name", ("", "a b", "../x", "-x", "x" * 41, "ä"))
def test_a_medium_has_a_plain_name_and_keeps_it(archive: Archive, name: str) -> None:
    with pytest.raises(SettingsError):
        archive.label(archive.second, name)
    assert archive.label(archive.first, "tape-7") == archive.name
    for other in ("tape-8", "tape"):
        with pytest.raises(SettingsError, match="tape-7"):
            archive.label(archive.first, other)
    assert (name_of(archive.first), name_of(archive.second)) == (archive.name, "")


def test_of_two_media_that_are_called_alike_each_has_its_own_name(archive: Archive) -> None:
    """What lies on the one that is away is not lost, and not said to be deleted."""
    archive.moves()
    assert archive.label(archive.second, "tape-7") != archive.name
    disk = archive.away()
    assert archive.kept.findings(digests=True) == []
    with pytest.raises(Refused, match="not there now"):
        archive.kept.heard()
    assert archive.sweep(91) == []
    archive.back(disk)
    assert archive.kept.heard() == SOUND


@pytest.mark.parametrize("gone", ("first", "second"))
def test_what_lies_on_a_copy_of_a_medium_only_is_found_there(archive: Archive, gone: str) -> None:
    """Of two that bear one name one is the first."""
    archive.moves()
    shutil.copytree(archive.first, archive.second, dirs_exist_ok=True)
    (archive.first.with_name(gone) / "talk-1.sealed").unlink()
    assert archive.kept.heard() == SOUND
    assert archive.kept.findings(digests=True) == []
    assert archive.sweep(91) == [FILE]
    assert [*archive.first.glob("talk-*"), *archive.second.glob("talk-*")] == []


def test_a_medium_that_is_mounted_while_log_and_folders_are_compared_has_lost_nothing(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody saw what lies on it."""
    archive.moves()
    disk, mounted, looks = archive.away(), Media.mounted, iter(range(100))

    def comes_late(media: Media) -> Iterator[tuple[str, Path]]:
        if next(looks) == 1:
            archive.back(disk)
        return mounted(media)

    monkeypatch.setattr(Media, "mounted", comes_late)
    assert archive.kept.findings() == []
    assert archive.kept.heard() == SOUND


def test_a_medium_that_goes_while_it_is_read_has_lost_nothing(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.moves()
    files = keeping._files

    def goes(folder: Path, ending: str) -> list[Path]:
        if folder == archive.first:
            archive.away()
        return files(folder, ending)

    monkeypatch.setattr(keeping, "_files", goes)
    assert archive.kept.findings() == []


def test_what_is_archived_while_log_and_folders_are_compared_is_not_lost(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log was read before, the folder afterwards."""
    history = archive.kept.kit.log.history

    def moved_meanwhile(*args: object, **named: object) -> Iterator[object]:
        yield from list(history(*args, **named))  # type: ignore[arg-type]
        monkeypatch.undo()
        assert archive.moves() == [FILE]

    monkeypatch.setattr(archive.kept.kit.log, "history", moved_meanwhile)
    assert check(archive.kept.kit.log, archive.kept.recordings, digests=True) == []
    assert archive.there() == ["talk-1.sealed"]


# --- what goes away while it is moved --------------------------------------------------------------------------------
@pytest.mark.parametrize("way", ("itself", "link", "label"))
def test_the_folder_of_sealed_files_is_no_medium_of_its_own(archive: Archive, way: str) -> None:
    """Whoever moved there would remove the only one. A label of the same name: it may be mounted twice."""
    kept = archive.kept.recordings.kept
    medium = {"itself": kept, "link": archive.second / "kept", "label": archive.first}[way]
    if way == "link":
        medium.symlink_to(kept)
    if way != "label":
        with pytest.raises(SettingsError, match="RINGLEDGER_KEPT"):
            archive.label(medium, "tape-9")
    shutil.copy(archive.first / LABEL, kept / LABEL)
    archive.kept.recordings.media = Media((medium,))
    with pytest.raises(SettingsError, match="RINGLEDGER_KEPT"):
        archive.moves()
    assert archive.here() == ["talk-1.peaks", "talk-1.sealed"]
    assert len(archive.kept.told()) == 1
    assert archive.kept.heard() == SOUND


def test_the_one_of_two_that_lies_on_the_folder_itself_is_not_removed(archive: Archive) -> None:
    """Its label came to be there after it had been archived."""
    archive.moves()
    kept = archive.kept.recordings.kept
    for name in ("talk-1.sealed", LABEL):
        shutil.move(archive.first / name, kept / name)
    archive.kept.recordings.media = Media((kept,))
    assert archive.kept.repaired() == ["copied"]
    assert archive.kept.heard() == SOUND


def test_a_folder_that_goes_between_two_files_ends_it_and_is_not_begun_anew_in_the_empty_mount_point(
    archive: Archive,
) -> None:
    archive.kept.sealed("talk-2.wav", at=2)
    folder = archive.kept.recordings.kept
    disk = folder.with_name("unmounted")

    def goes() -> bool:
        if not disk.exists():
            folder.rename(disk)
            folder.mkdir()
        return False

    move = retention.Move(archive.kept.recordings, archive.old(40))
    with pytest.raises(SettingsError, match="RINGLEDGER_KEPT"):
        move.go_on(goes)
    with pytest.raises(FileNotFoundError):
        archive.kept.recordings.archive("talk-2.wav")
    assert list(folder.iterdir()) == []
    folder.rmdir()
    disk.rename(folder)
    assert move.go_on(lambda: False) is False
    assert move.moved == [FILE, "talk-2.wav"]
    assert archive.kept.alarms("talk-2.wav") == []


def test_a_folder_that_goes_while_it_is_read_has_lost_nothing(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage_of, folder = files_of._damage_of, archive.kept.recordings.kept

    def goes(*args: object) -> str:
        folder.rename(folder.with_name("unmounted"))
        folder.mkdir()
        return damage_of(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(files_of, "_damage_of", goes)
    with pytest.raises(SettingsError, match="RINGLEDGER_KEPT"):
        archive.kept.recordings.archive(FILE)
    assert archive.kept.alarms() == []


@pytest.mark.parametrize("how", ("unmounted", "another disk"))
def test_a_medium_that_goes_after_it_was_read_again_has_nothing_of_it_in_the_log(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    damage_of, there = files_of._damage_of, archive.first / "talk-1.sealed"
    with TemporaryDirectory(dir="/dev/shm") as other:
        assert Path(other).stat().st_dev != archive.first.stat().st_dev

        def goes(place: Path, *args: object) -> str:
            why = damage_of(place, *args)  # type: ignore[arg-type]
            if place == there:
                disk = archive.away()
                if how == "another disk":
                    archive.first.rmdir()
                    archive.first.symlink_to(other)
                    shutil.copy(disk / LABEL, archive.first / LABEL)
            return why

        monkeypatch.setattr(files_of, "_damage_of", goes)
        with pytest.raises(OSError, match="went while it was written"):
            archive.kept.recordings.archive(FILE)
    assert archive.here() == ["talk-1.peaks", "talk-1.sealed"]
    assert len(archive.kept.told()) == 1


# --- held, deleted, erased -------------------------------------------------------------------------------------------
def test_a_hold_reaches_the_archive_and_so_does_the_end_of_its_time(archive: Archive) -> None:
    kept = archive.kept
    kept.holds.place(ANN, FILE, "2026/117-C", "Mr Li sues")
    assert archive.moves() == [FILE], "what is held is moved like the rest"
    assert archive.sweep(91) == []
    (hold,) = kept.recordings.state(FILE).holds
    kept.holds.place(ANN, FILE, "tax.9", "from the archive")
    for each in kept.recordings.state(FILE).holds:
        kept.holds.lift(ANN, FILE, each.hold_id, "closed")
    assert hold not in kept.recordings.state(FILE).holds
    assert archive.sweep(91) == [FILE]
    assert (archive.here(), archive.there()) == ([], [])
    assert kept.findings(digests=True) == []


def test_who_is_erased_is_heard_from_no_medium(archive: Archive) -> None:
    """Law 11: the key goes, wherever the file lies; a hold's copy keeps what is held."""
    kept = archive.kept
    kept.happened(ContactIdentified(customer_id="k1"))
    archive.moves()
    kept.holds.place(ANN, FILE, "case-1", "asked for")
    kept.kit.desk.erase("contact-c1")
    assert kept.heard() == SOUND
    (hold,) = kept.recordings.state(FILE).holds
    kept.holds.lift(ANN, FILE, hold.hold_id, "closed")
    with pytest.raises(Refused) as refused:
        kept.heard()
    assert refused.value.code == "recording_erased"
    assert archive.sweep(91) == [FILE]
    assert archive.there() == []


def test_who_was_erased_before_is_not_moved(archive: Archive) -> None:
    """Nobody could compare the copy, and nobody can hear it."""
    archive.kept.kit.desk.erase("contact-c1")
    assert archive.moves() == []
    assert archive.here() == ["talk-1.peaks", "talk-1.sealed"]


def test_who_was_erased_is_nothing_that_was_left_behind(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command ends well once all is moved that can be."""

    @contextmanager
    def over_this_log(*_args: object, **_named: object) -> Iterator[keeping.Tools]:
        yield archive.kept.tools

    monkeypatch.setattr(keeping, "opened", over_this_log)
    monkeypatch.setattr(commands, "load", lambda: settings_for(archive.first.parent / "home"))
    archive.kept.kit.desk.erase("contact-c1")
    for words in (("--dry-run",), ()):
        done = CliRunner().invoke(commands.archive, words)
        assert (done.exit_code, done.output.split(",")[0][:2]) == (0, "0 "), done.output


def test_a_medium_that_lets_nothing_go_keeps_back_only_what_lies_on_it(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A read-only one refuses even to remove what it does not have. The rest of the night is done each night."""
    kept, unlink = archive.kept, Path.unlink
    archive.moves()
    kept.sealed("talk-2.wav", at=2)
    kept.configured(RecordingsConfigured(keep_days=90))

    def refuses(path: Path, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002 - as pathlib has it
        if path.parent == archive.first:
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        unlink(path, missing_ok=missing_ok)

    now = NIGHT
    nights = Nights(kept.tools, ZONE, threading.Event(), clock=lambda: now)
    with monkeypatch.context() as read_only:
        read_only.setattr(Path, "unlink", refuses)
        assert nights.look() is True
        assert (archive.here(), archive.there()) == ([], ["talk-1.sealed"])
        assert [type(event) for event in kept.told("talk-2.wav")][1:] == [k.RecordingDeleted]
        assert kept.recordings.remove_deleted("talk-2.wav") is True
        kept.sealed("talk-3.wav", at=3)
        orphan = kept.recordings.clear / "talk-8.wav"
        orphan.write_bytes(SOUND)
        now += 86_400
        capsys.readouterr()
        assert nights.look() is True
        assert f"undeleted {FILE}" in capsys.readouterr().out
        assert (orphan.exists(), kept.recordings.state("talk-3.wav").deleted) == (False, True)
    now += 86_400
    assert nights.look() is True
    assert archive.there() == []


def test_a_part_of_the_night_that_a_disk_refuses_keeps_the_others_from_nothing(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It cannot be compared, and cannot be deleted; it is archived."""

    def refuses(*_args: object, **_named: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(keeping, "_of_clear", refuses)
    monkeypatch.setattr(retention, "retaining", refuses)
    (archive.kept.recordings.clear / "talk-8.wav").write_bytes(SOUND)
    assert archive.nights().look() is True
    assert archive.there() == ["talk-1.sealed"]
    out = capsys.readouterr().out
    assert [out.count("recordings-night-failed"), out.count("recordings-archived")] == [2, 1]


def test_what_died_between_the_log_and_the_medium_goes_with_the_next_repair(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.moves()

    def dies(*_args: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(Path, "unlink", dies)
        with pytest.raises(KeyboardInterrupt):
            archive.sweep(91)
    assert archive.kept.findings() == [("undeleted", FILE)]
    assert archive.kept.repaired() == []
    assert archive.there() == []


def test_whose_time_ends_while_it_is_copied_leaves_no_copy(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, copy = archive.kept, files_of._copy

    def copies_and_is_late(source: Path, target: Path) -> None:
        copy(source, target)
        data = target.read_bytes()
        assert kept.recordings.delete(FILE, 90)
        target.write_bytes(data)

    monkeypatch.setattr(files_of, "_copy", copies_and_is_late)
    assert archive.moves() == []
    assert (archive.here(), archive.there()) == ([], [])
    assert not any(isinstance(event, k.RecordingArchived) for event in kept.told())


# --- by night, and from other machines -------------------------------------------------------------------------------
def test_each_night_what_is_old_is_moved_and_a_medium_that_is_away_is_told(
    archive: Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = archive.kept
    kept.configured(RecordingsConfigured(archive_days=30))
    now = NIGHT
    nights = Nights(kept.tools, ZONE, threading.Event(), clock=lambda: now)
    disk = archive.away()
    assert nights.look() is True
    assert "recordings-not-archived" in capsys.readouterr().out
    archive.back(disk)
    now += 86_400
    assert nights.look() is True
    assert (archive.here(), archive.there()) == (["talk-1.peaks"], ["talk-1.sealed"])


def test_what_came_meanwhile_is_sealed_before_all_that_is_old_is_archived(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first night of archiving may take days."""
    kept, copy, stop = archive.kept, files_of._copy, threading.Event()
    names = [FILE, *(f"talk-{number}.wav" for number in (2, 3))]
    for name in names[1:]:
        kept.sealed(name, at=2)

    def comes_meanwhile(source: Path, target: Path) -> None:
        copy(source, target)
        if source.stem == "talk-1":
            kept.recorded("talk-9.wav", at=3)
        if source.stem == "talk-3":
            stop.set()

    monkeypatch.setattr(files_of, "_copy", comes_meanwhile)
    keeping.follow(kept.kit.log, Keeper(kept.recordings), stop, archive.nights(stop, slice_s=0.0))
    told = [record.event for record in kept.kit.log.history(kinds=("recording",))]
    order = [event.file for event in told if isinstance(event, k.RecordingSealed | k.RecordingArchived)]
    assert order == [*names, FILE, "talk-9.wav", *names[1:]]


def test_whoever_is_told_to_end_archives_no_further_file(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.kept.sealed("talk-2.wav", at=2)
    copy, stop = files_of._copy, threading.Event()

    def told_to_end(source: Path, target: Path) -> None:
        copy(source, target)
        stop.set()

    monkeypatch.setattr(files_of, "_copy", told_to_end)
    assert archive.nights(stop).look() is True
    assert archive.there() == ["talk-1.sealed"]


def test_a_database_that_goes_while_it_is_archived_loses_none_of_the_list(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object, **_named: object) -> int:
        raise Away("The database is away.")

    nights = archive.nights(slice_s=0.0)
    archive.kept.sealed("talk-2.wav", at=2)
    assert nights.look() is True
    with monkeypatch.context() as without:
        without.setattr(archive.kept.kit.desk, "append_desk", away)
        with pytest.raises(Away):
            nights.look()
    assert archive.there() == ["talk-1.sealed", "talk-2.sealed"]
    assert archive.kept.recordings.state("talk-2.wav").medium == ""
    assert nights.look() is False
    assert archive.kept.recordings.state("talk-2.wav").medium == archive.name
    assert "talk-2.sealed" not in archive.here()


def test_a_player_of_another_machine_is_handed_what_lies_on_the_medium_and_told_where_it_is(archive: Archive) -> None:
    kept = archive.kept
    archive.moves()
    prove = prover(kept.kit.vault)
    empty = kept.recordings.clear.parent / "player"
    with opened(kept.recordings.kept, prove, media=kept.recordings.media) as door:
        elsewhere = Elsewhere({"sw1": door.address}, prove)
        far = Recordings(kept.kit.desk, kept.kit.log, clear=empty, kept=empty, elsewhere=elsewhere)
        sound = far.sound(FILE, whole=True)
        assert sound is not None
        assert b"".join(sound.read(0, sound.length)) == SOUND
        archive.away()
        with pytest.raises(Refused) as refused:
            far.sound(FILE, whole=True)
        assert (refused.value.code, archive.name in refused.value.message) == ("recording_medium_away", True)
    assert kept.alarms() == []
