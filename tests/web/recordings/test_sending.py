"""A recording is heard and copied by those who may, as it was recorded or not at all, and who did stands in the log."""

from pathlib import Path

import pytest

from orchestrator.domain.access.users import RecordingExported, RecordingPlayed
from orchestrator.domain.contacts.events import RecordingBegun, RecordingFinished
from orchestrator.domain.contacts.keeping import RecordingEndangered
from orchestrator.domain.kernel import Provenance, Record
from orchestrator.service.fetching import Elsewhere
from orchestrator.service.media import Media, label
from orchestrator.settings import Address
from orchestrator.store import Away
from projections.catalogue import PROJECTIONS
from tests.service.recorder import unreadable
from tests.web.conftest import Site
from tests.web.day import Day

SOUND = b"RIFF" + bytes(range(200)) * 1_000


@pytest.fixture
def day(site: Site, day: Day) -> Day:
    site.parts.settings.recordings.mkdir(parents=True)
    return day


def recorded(day: Day, *names: str, contact_id: str = "", goes_on: bool = False) -> str:
    """This contact, or the last one, with recordings of these names; its id. `goes_on`: the switch writes them."""
    contact_id = contact_id or day.contacts[-1]
    stream = f"contact-{contact_id}"
    version = sum(record.stream == stream for record in day.centre.records)
    events = [
        event
        for name in names
        for event in (RecordingBegun(file=name), RecordingFinished(file=name, length_ms=4_000))[: 1 if goes_on else 2]
    ]
    day.reads.store(
        [
            Record(
                stream=stream, version=version + n, event=event, event_id=f"r{n}", about=Provenance(at=day.centre.now)
            )
            for n, event in enumerate(events, 1)
        ]
    )
    follow(day)
    return contact_id


def follow(day: Day) -> None:
    """The read models know what happened."""
    for name in ("contact_log", "recordings"):
        day.reads.keep_up(PROJECTIONS[name])


def written(site: Site, name: str, sound: bytes = SOUND) -> Path:
    """The switch has written this file."""
    path = site.parts.settings.recordings / name
    path.write_bytes(sound)
    return path


def heard(site: Site) -> list[tuple[str, str]]:
    """Who listened to what, as the log has it."""
    found = [(r, r.event) for r in site.reading.log.history() if isinstance(r.event, RecordingPlayed)]
    return [(event.file, record.about.actor) for record, event in found]


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
    url = "/recordings/r1/sound"
    assert url in auditor.get(f"/history/contacts/{contact_id}").text
    whole = auditor.get(url, buffered=True)
    assert (whole.status_code, whole.data, whole.mimetype) == (200, SOUND, "audio/wav")
    rest = auditor.get(url, headers={"Range": "bytes=150000-"}, buffered=True)
    assert (rest.status_code, rest.data) == (206, SOUND[150_000:])
    assert rest.headers["Content-Range"] == f"bytes 150000-{len(SOUND) - 1}/{len(SOUND)}"
    part = auditor.get(url, headers={"Range": "bytes=65530-65540"}, buffered=True)
    assert part.data == SOUND[65_530:65_541]
    assert auditor.get(url, headers={"Range": "bytes=900000-"}).status_code == 416
    assert heard(site) == [("r1.wav", "user:auditor-1")]
    site.as_role("leader").get(url, headers={"Range": "bytes=150000-"}, buffered=True)
    assert heard(site)[1:] == [("r1.wav", "user:leader-1")], "whoever skips the beginning hears it all the same"
    follow(day)
    page = auditor.get("/recordings/r1").text
    assert page.count("127.0.0.1") == 2


def test_each_recording_of_a_contact_has_its_own_place(site: Site, day: Day) -> None:
    """Feature 8.1: recorded on demand twice."""
    for name in ("r1.wav", "r1-2.wav"):
        written(site, name, SOUND + name.encode())
    contact_id = recorded(day, "r1.wav", "r1-2.wav")
    auditor = site.as_role("auditor")
    told = [auditor.get(f"/recordings/{name}/sound", buffered=True).data[-6:] for name in ("r1", "r1-2")]
    assert told == [b"r1.wav", b"-2.wav"]
    assert auditor.get("/recordings/r1-3/sound").status_code == 404
    assert auditor.get(f"/history/contacts/{contact_id}").text.count("<audio") == 2


def test_a_recording_that_was_changed_is_not_played(site: Site, day: Day) -> None:
    """Feature 8.2: its digest is in the log; who would hear it is told, and so is the log."""
    written(site, "r1.wav")
    contact_id = recorded(day, "r1.wav")
    site.reading.recordings.keep(contact_id, "r1.wav")
    (kept,) = site.parts.settings.kept.glob("*.sealed")
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    auditor = site.as_role("auditor")
    for asked in ({}, {"Range": "bytes=1-60000"}, {"Range": "bytes=-9"}):
        answer = auditor.get("/recordings/r1/sound", headers=asked)
        assert answer.status_code == 409, f"whoever was refused has not begun: {asked}"
        assert "not what was recorded" in answer.text
    assert heard(site) == []
    (told,) = [r.event for r in site.reading.log.history() if isinstance(r.event, RecordingEndangered)]
    assert told.why == "damaged"


def test_the_beginning_is_the_beginning_however_it_is_asked_for(site: Site, day: Day) -> None:
    """Feature 8.2: the last bytes of a file, as many as it has, are all of it; a range that there is not is nothing."""
    written(site, "r1.wav")
    recorded(day, "r1.wav")
    auditor, url = site.as_role("auditor"), "/recordings/r1/sound"
    assert auditor.get(url, headers={"Range": "bytes=900000-"}).status_code == 416
    assert heard(site) == []
    for times, asked in enumerate((f"bytes=-{len(SOUND)}", "bytes=0-"), 1):
        answer = auditor.get(url, headers={"Range": asked}, buffered=True)
        assert (answer.status_code, answer.data) == (206, SOUND)
        assert len(heard(site)) == times, asked
    assert auditor.get(url, headers={"Range": "bytes=-9"}, buffered=True).data == SOUND[-9:]
    assert len(heard(site)) == 2


def test_nothing_is_heard_of_which_the_log_could_not_be_told(
    site: Site, day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Record, then do: whoever comes again after the database was away begins anew."""
    written(site, "r1.wav")
    recorded(day, "r1.wav")
    auditor, rest = site.as_role("auditor"), {"Range": "bytes=1-60000"}
    with monkeypatch.context() as broken:

        def away(*_: object, **__: object) -> None:
            raise Away("the database is away")

        broken.setattr(site.reading.users, "note", away)
        assert auditor.get("/recordings/r1/sound", headers=rest).status_code == 503
    assert heard(site) == []
    assert auditor.get("/recordings/r1/sound", headers=rest, buffered=True).data == SOUND[1:60_001]
    assert heard(site) == [("r1.wav", "user:auditor-1")]


def test_who_may_not_hear_hears_nothing(site: Site, day: Day) -> None:
    """Feature 12.6."""
    written(site, "r1.wav")
    contact_id = recorded(day, "r1.wav")
    ops = site.as_role("ops")
    assert "audio" not in ops.get(f"/history/contacts/{contact_id}").text
    for path in ("sound", "shape"):
        assert ops.get(f"/recordings/r1/{path}").status_code == 403
    quality = site.as_role("qa")
    quality.get("/recordings/r1")
    for path in ("copy", "hold", "lift"):
        assert quality.submit(f"/recordings/r1/{path}", reason="x", case="c").status_code == 403


def test_a_talk_that_goes_on_is_not_heard_by_way_of_its_recording(site: Site, day: Day) -> None:
    """Feature 8.2: whoever may hear recordings may not listen in for all that (`talks.listen`)."""
    written(site, "r1.wav")
    recorded(day, "r1.wav", goes_on=True)
    auditor = site.as_role("auditor")
    auditor.get("/recordings/r1")
    for path in ("sound", "shape"):
        answer = auditor.get(f"/recordings/r1/{path}", buffered=True)
        assert (answer.status_code, "not sealed yet" in answer.text) == (409, True), path
    assert auditor.submit("/recordings/r1/copy", reason="for the police").status_code == 409
    assert heard(site) == []


def test_a_copy_is_taken_with_a_reason_which_is_recorded_first(site: Site, day: Day) -> None:
    """Screens and safety 16: export with reason and audit."""
    written(site, "r1.wav")
    recorded(day, "r1.wav")
    auditor = site.as_role("auditor")
    auditor.get("/recordings/r1")
    assert auditor.submit("/recordings/r1/copy", reason="  ").status_code == 409
    copy = auditor.submit("/recordings/r1/copy", reason="for the police")
    assert (copy.status_code, copy.data) == (200, SOUND)
    assert copy.headers["Content-Disposition"].startswith("attachment")
    (told,) = [r.event for r in site.reading.log.history() if isinstance(r.event, RecordingExported)]
    assert (told.file, told.reason, told.address) == ("r1.wav", "for the police", "127.0.0.1")
    (blind,) = [r.event for r in site.reading.sealed.history() if isinstance(r.event, RecordingExported)]
    assert "police" not in repr(blind)
    follow(day)
    assert "for the police" in auditor.get("/recordings/r1").text
    assert heard(site) == []


def test_a_recording_is_held_and_released_on_its_page(site: Site, day: Day) -> None:
    """Legal hold: by right, with case and reason."""
    written(site, "r1.wav")
    contact_id = recorded(day, "r1.wav")
    site.reading.recordings.keep(contact_id, "r1.wav")
    follow(day)
    auditor = site.as_role("auditor")
    page = auditor.get("/recordings/r1")
    assert 'name="case"' in page.text
    wrong = auditor.submit("/recordings/r1/hold", case="a long story", reason="why", key="k1")
    assert (wrong.status_code, "Write what the case is called" in wrong.text) == (422, True)
    for _ in range(2):
        assert (
            auditor.submit("/recordings/r1/hold", case="2026/117-C", reason="Mr Li sues", key="k1").status_code == 303
        )
    follow(day)
    page = auditor.get("/recordings/r1")
    assert "Held for 2026/117-C" in page.text
    assert "Mr Li sues" in page.text
    (hold,) = site.reading.recordings.state("r1.wav").holds
    assert auditor.submit("/recordings/r1/lift", hold=hold.hold_id, reason="settled", key="k2").status_code == 303
    follow(day)
    assert "Held for" not in auditor.get("/recordings/r1").text
    assert site.reading.recordings.state("r1.wav").holds == ()


def test_one_that_was_taken_for_lost_and_is_there_again_is_heard_and_held(site: Site, day: Day) -> None:
    written(site, "r1.wav")
    contact_id = recorded(day, "r1.wav")
    kept = site.reading.recordings
    kept.keep(contact_id, "r1.wav")
    kept.alarm(contact_id, "r1.wav", "lost")
    follow(day)
    auditor = site.as_role("auditor")
    page = auditor.get("/recordings/r1").text
    assert ("<audio" in page, 'name="case"' in page) == (True, True)
    assert auditor.get("/recordings/r1/sound", buffered=True).data == SOUND
    (sealed,) = site.parts.settings.kept.glob("*.sealed")
    sealed.unlink()
    page = auditor.get("/recordings/r1").text
    assert ("<audio" in page, 'name="case"' in page) == (False, False)


def test_the_page_and_the_player_say_on_which_medium_it_lies_while_that_is_away(
    site: Site, day: Day, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feature 8.2: archive to other media. In the reader's language; nothing is taken for lost."""
    written(site, "r1.wav")
    contact_id = recorded(day, "r1.wav")
    medium = label(tmp_path, "tape-7", kept=site.reading.recordings.kept)
    monkeypatch.setattr(site.reading.recordings, "media", Media((tmp_path,)))
    site.reading.recordings.keep(contact_id, "r1.wav")
    assert site.reading.recordings.archive("r1.wav") == medium
    follow(day)
    auditor = site.as_role("auditor")
    page = auditor.get("/recordings/r1").text
    assert (medium in page, "not there now" in page, "<audio" in page) == (True, False, True)
    assert auditor.get("/recordings/r1/sound", buffered=True).data == SOUND
    monkeypatch.setattr(site.reading.recordings, "media", Media((tmp_path / "unmounted",)))
    page = auditor.get("/recordings/r1").text
    assert (f"lies on the medium {medium}, which is not there now" in page, "<audio" in page) == (True, True)
    answer = auditor.get("/recordings/r1/sound", headers={"Accept-Language": "zh-CN", "Range": "bytes=0-9"})
    assert (answer.status_code, f"介质 {medium}" in answer.text) == (409, True)
    assert len(heard(site)) == 1
    assert not [r.event for r in site.reading.log.history() if isinstance(r.event, RecordingEndangered)]


def test_a_disk_that_answers_with_an_error_is_no_failure_of_ours_and_says_what_to_do(site: Site, day: Day) -> None:
    """Before anything is sent, also to one who listens already; in the reader's language."""
    written(site, "r1.wav")
    site.reading.recordings.keep(recorded(day, "r1.wav"), "r1.wav")
    follow(day)
    (sealed,) = site.parts.settings.kept.glob("*.sealed")
    auditor, url = site.as_role("auditor"), "/recordings/r1/sound"
    for listens in (False, True):
        if listens:
            assert auditor.get(url, buffered=True).data == SOUND
        with unreadable(sealed):
            for language, words in (("en", "have that disk looked at"), ("zh-CN", "请让人检查该磁盘")):
                asked = {"Accept-Language": language, "Range": "bytes=70000-"}
                answer = auditor.get(url, headers=asked, buffered=True)
                assert (answer.status_code, words in answer.text) == (503, True)
                assert answer.headers["Retry-After"]
    assert len(heard(site)) == 1
    assert not [r.event for r in site.reading.log.history() if isinstance(r.event, RecordingEndangered)]


def test_a_machine_that_is_away_is_named(site: Site, day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    """The player is told which machine has it, in the reader's language."""
    written(site, "r1.wav")
    contact_id = recorded(day, "r1.wav")
    site.reading.recordings.keep(contact_id, "r1.wav", node="sw9")
    follow(day)
    for path in site.parts.settings.kept.glob("r1.*"):
        path.unlink()
    elsewhere = Elsewhere({"sw9": Address("127.0.0.1", 9)}, lambda _: "proof", timeout_s=1)
    monkeypatch.setattr(site.reading.recordings, "_elsewhere", elsewhere)
    answer = site.as_role("auditor").get("/recordings/r1/sound", headers={"Accept-Language": "zh-CN"})
    assert answer.status_code == 409
    assert "交换机 sw9" in answer.text
    assert heard(site) == []


def test_a_name_that_leads_elsewhere_or_to_nothing_is_no_recording(site: Site, day: Day) -> None:
    """Bad input: path traversal on recordings, though the name has come by way of the switch."""
    names = ("elsewhere.wav", "../keys/kek", "/etc/passwd", "..", "", "a/../../b.wav", "r1.wav.txt", "-r.wav", "ä.wav")
    written(site, "r1.wav")
    recorded(day, *names)
    auditor = site.as_role("auditor")
    for name in names:
        assert auditor.get(f"/recordings/{name.removesuffix('.wav')}/sound").status_code in (404, 308), name
    assert heard(site) == []
