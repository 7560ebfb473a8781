"""A recording is heard by those who may, as it was recorded or not at all, and who heard it stands in the log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.contacts.events import RecordingBegun, RecordingFinished
from orchestrator.domain.contacts.keeping import RecordingEndangered
from orchestrator.domain.kernel import Provenance, Record
from projections.catalogue import PROJECTIONS
from tests.postgres import Database
from tests.web.conftest import Site
from tests.web.day import Day, played

SOUND = b"RIFF" + bytes(range(200)) * 1_000


@pytest.fixture
def day(site: Site, database: Database) -> Iterator[Day]:
    site.parts.settings.recordings.mkdir(parents=True)
    with played(site, database) as day:
        yield day


def recorded(day: Day, *names: str) -> str:
    """A contact with recordings of these names; its id."""
    contact_id = day.contacts[-1]
    stream = f"contact-{contact_id}"
    version = sum(record.stream == stream for record in day.centre.records)
    events = [
        event for name in names for event in (RecordingBegun(file=name), RecordingFinished(file=name, length_ms=4_000))
    ]
    day.reads.store(
        [
            Record(
                stream=stream, version=version + n, event=event, event_id=f"r{n}", about=Provenance(at=day.centre.now)
            )
            for n, event in enumerate(events, 1)
        ]
    )
    day.reads.keep_up(PROJECTIONS["contact_log"])
    return contact_id


def written(site: Site, name: str, sound: bytes = SOUND) -> Path:
    """The switch has written this file."""
    path = site.parts.settings.recordings / name
    path.write_bytes(sound)
    return path


def heard(site: Site) -> list[tuple[str, str]]:
    """Who listened to what, as the log has it."""
    found = [r for r in site.reading.log.history() if type(r.event).__name__ == "PersonalDataRevealed"]
    return [(record.event.field, record.about.actor) for record in found]  # type: ignore[attr-defined]


@pytest.mark.parametrize("sealed", (False, True))
def test_a_recording_is_heard_and_who_heard_it_is_recorded(site: Site, day: Day, *, sealed: bool) -> None:
    """Feature 8.2, simple; a browser that asks for the rest of the file does not hear it a second time. Whether it was
    encrypted meanwhile makes no difference.
    """
    path = written(site, "r1.wav")
    contact_id = recorded(day, "r1.wav")
    if sealed:
        assert site.reading.recordings.keep(contact_id, "r1.wav") == ""
        assert not path.exists()
    auditor = site.as_role("auditor")
    url = f"/history/contacts/{contact_id}/recording"
    assert f"{url}/0" in auditor.get(f"/history/contacts/{contact_id}").text
    whole = auditor.get(url, buffered=True)
    assert (whole.status_code, whole.data, whole.mimetype) == (200, SOUND, "audio/wav")
    rest = auditor.get(url, headers={"Range": "bytes=150000-"}, buffered=True)
    assert (rest.status_code, rest.data) == (206, SOUND[150_000:])
    assert rest.headers["Content-Range"] == f"bytes 150000-{len(SOUND) - 1}/{len(SOUND)}"
    part = auditor.get(url, headers={"Range": "bytes=65530-65540"}, buffered=True)
    assert part.data == SOUND[65_530:65_541]
    assert auditor.get(url, headers={"Range": "bytes=900000-"}).status_code == 416
    assert heard(site) == [("recording", "user:auditor-1")]


def test_each_recording_of_a_contact_has_its_own_place(site: Site, day: Day) -> None:
    """Feature 8.1: recorded on demand twice."""
    for name in ("r1.wav", "r1-2.wav"):
        written(site, name, SOUND + name.encode())
    contact_id = recorded(day, "r1.wav", "r1-2.wav")
    auditor = site.as_role("auditor")
    url = f"/history/contacts/{contact_id}/recording"
    assert [auditor.get(f"{url}/{place}", buffered=True).data[-6:] for place in (0, 1)] == [b"r1.wav", b"-2.wav"]
    assert auditor.get(f"{url}/2").status_code == 404
    assert auditor.get(f"/history/contacts/{contact_id}").text.count("<audio") == 2


def test_a_recording_that_was_changed_is_not_played(site: Site, day: Day) -> None:
    """Feature 8.2: its digest is in the log; who would hear it is told, and so is the log."""
    written(site, "r1.wav")
    contact_id = recorded(day, "r1.wav")
    site.reading.recordings.keep(contact_id, "r1.wav")
    (kept,) = site.parts.settings.kept.glob("*.sealed")
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    answer = site.as_role("auditor").get(f"/history/contacts/{contact_id}/recording")
    assert answer.status_code == 409
    assert "not what was recorded" in answer.text
    assert heard(site) == []
    (told,) = [r.event for r in site.reading.log.history() if isinstance(r.event, RecordingEndangered)]
    assert told.why == "damaged"


def test_who_may_not_hear_hears_nothing(site: Site, day: Day) -> None:
    """Feature 12.6."""
    written(site, "r1.wav")
    contact_id = recorded(day, "r1.wav")
    ops = site.as_role("ops")
    assert "audio" not in ops.get(f"/history/contacts/{contact_id}").text
    assert ops.get(f"/history/contacts/{contact_id}/recording").status_code == 403


@pytest.mark.parametrize(
    "name",
    (
        "elsewhere.wav",
        "../keys/kek",
        "/etc/passwd",
        "..",
        "",
        "a/../../b.wav",
        "r1.wav.txt",
        "-r.wav",
        "ä.wav",
        "r.mp3",
    ),
)
def test_a_name_that_leads_elsewhere_or_to_nothing_is_no_recording(site: Site, day: Day, name: str) -> None:
    """Bad input: path traversal on recordings, though the name has come by way of the switch."""
    written(site, "r1.wav")
    contact_id = recorded(day, name)
    assert site.as_role("auditor").get(f"/history/contacts/{contact_id}/recording").status_code == 404
