"""A recording is heard by those who may, from its own folder only, and who heard it stands in the log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.contacts.events import RecordingFinished
from orchestrator.domain.kernel import Provenance, Record
from projections.catalogue import PROJECTIONS
from tests.postgres import Database
from tests.web.conftest import Site
from tests.web.day import Day, played
from web.history.recordings import path_of

SOUND = b"RIFF" + bytes(1_000)


@pytest.fixture
def day(site: Site, database: Database) -> Iterator[Day]:
    with played(site, database) as day:
        yield day


def recorded(day: Day, name: str) -> str:
    """A contact whose recording has this name; its id."""
    contact_id = day.contacts[-1]
    stream = f"contact-{contact_id}"
    version = sum(record.stream == stream for record in day.centre.records)
    about = Provenance(at=day.centre.now)
    finished = RecordingFinished(file=name, length_ms=4_000)
    day.reads.store([Record(stream=stream, version=version + 1, event=finished, event_id="recorded", about=about)])
    day.reads.keep_up(PROJECTIONS["contact_log"])
    return contact_id


def test_a_recording_is_heard_and_who_heard_it_is_recorded(site: Site, day: Day) -> None:
    """Feature 8.2, simple; a browser that asks for the rest of the file does not hear it a second time."""
    folder = site.parts.settings.recordings
    folder.mkdir(parents=True)
    (folder / "r1.wav").write_bytes(SOUND)
    contact_id = recorded(day, "r1.wav")
    auditor = site.as_role("auditor")
    path = f"/history/contacts/{contact_id}/recording"
    assert path in auditor.get(f"/history/contacts/{contact_id}").text
    whole = auditor.get(path, buffered=True)
    assert (whole.status_code, whole.data, whole.mimetype) == (200, SOUND, "audio/wav")
    rest = auditor.get(path, headers={"Range": "bytes=500-"}, buffered=True)
    assert (rest.status_code, rest.data) == (206, SOUND[500:])
    heard = [r for r in site.reading.log.history() if type(r.event).__name__ == "PersonalDataRevealed"]
    assert [(record.event.field, record.about.actor) for record in heard] == [("recording", "user:auditor-1")]  # type: ignore[attr-defined]


def test_who_may_not_hear_hears_nothing(site: Site, day: Day) -> None:
    """Feature 12.6."""
    folder = site.parts.settings.recordings
    folder.mkdir(parents=True)
    (folder / "r1.wav").write_bytes(SOUND)
    contact_id = recorded(day, "r1.wav")
    ops = site.as_role("ops")
    assert "audio" not in ops.get(f"/history/contacts/{contact_id}").text
    assert ops.get(f"/history/contacts/{contact_id}/recording").status_code == 403


def test_a_contact_without_a_file_here_has_no_recording(site: Site, day: Day) -> None:
    contact_id = recorded(day, "elsewhere.wav")
    assert site.as_role("auditor").get(f"/history/contacts/{contact_id}/recording").status_code == 404


@pytest.mark.parametrize(
    "name",
    ("../keys/kek", "/etc/passwd", "..", "", "a/../../b.wav", "x.wav/..", "r1.wav\0.txt", "-r.wav", "ä.wav", "r1.mp3"),
)
def test_a_name_that_leads_elsewhere_is_no_recording(tmp_path: Path, name: str) -> None:
    """Bad input: path traversal on recordings, though the name has come by way of the switch."""
    (tmp_path / "r1.wav").write_bytes(SOUND)
    assert path_of(name, tmp_path) is None


def test_a_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (tmp_path / "r2.wav").symlink_to(secret)
    assert path_of("r2.wav", tmp_path) is None
    (tmp_path / "r3.wav").write_bytes(SOUND)
    assert path_of("r3.wav", tmp_path) == tmp_path / "r3.wav"
    assert path_of(str(tmp_path / "r3.wav"), tmp_path) == tmp_path / "r3.wav"
