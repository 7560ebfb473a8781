"""The player of a recording in a real browser: both sides' shapes, by keyboard, in ranges of the sealed file (8.2)."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.access.users import RecordingPlayed
from orchestrator.service.media import Media, label
from tests.postgres import Database
from tests.service.test_waveforms import wav
from tests.web.browser.conftest import OpenPage, Served, grave, grave_at_night
from tests.web.browser.test_by_hand import picture
from tests.web.day import Day, played
from tests.web.recordings.test_sending import follow, recorded, written

RATE = 8_000
LENGTH_S = 40


@pytest.fixture
def day(served: Served, database: Database) -> Iterator[Day]:
    served.site.parts.settings.recordings.mkdir(parents=True)
    with played(served.site, database) as day:
        yield day


def voices() -> bytes:
    """The two sides speak by turns, louder and softer, for so long."""
    frames = []
    for place in range(RATE * LENGTH_S):
        loud = int(20_000 * abs(math.sin(place / 1_500)) * math.sin(place / 3))
        speaks = place // (4 * RATE) % 2
        frames.append((loud * (1 - speaks), loud * speaks // 2))
    return wav(frames)


def test_one_whose_medium_is_away_is_seen_in_its_shape_and_says_where_it_lies(
    served: Served, day: Day, open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feature 8.2: archive to other media."""
    site = served.site
    written(site, "r1.wav", voices())
    contact_id = recorded(day, "r1.wav")
    medium = label(tmp_path, "archive-2026", kept=site.reading.recordings.kept)
    monkeypatch.setattr(site.reading.recordings, "media", Media((tmp_path,)))
    site.reading.recordings.keep(contact_id, "r1.wav", node="sw1")
    assert site.reading.recordings.archive("r1.wav") == medium
    follow(day)
    monkeypatch.setattr(site.reading.recordings, "media", Media())
    for language in ("zh", "en"):
        page = open_page(served, "auditor", path="/recordings/r1", language=language)
        page.wait_for_selector(".wave .agent[d]", state="attached")
        page.locator("[data-wave]").focus()
        page.keyboard.press(" ")
        page.wait_for_selector("[data-problem]:not([hidden])")
        assert medium in page.inner_text("[data-problem]")
        picture(page, "recording-away", language)
        assert grave(page) + grave_at_night(page) == []


def test_a_recording_is_moved_in_by_keyboard_and_each_side_is_seen_and_heard(
    served: Served, day: Day, open_page: OpenPage
) -> None:
    """Screens and safety 10, 19, 21: as a slider, in words, in both languages."""
    site = served.site
    written(site, "r1.wav", voices())
    contact_id = recorded(day, "r1.wav")
    site.reading.recordings.keep(contact_id, "r1.wav", node="sw1")
    follow(day)
    chinese = open_page(served, "auditor", path="/recordings/r1", language="zh")
    page = open_page(served, "auditor", path="/recordings/r1")
    for each, language in ((chinese, "zh"), (page, "en")):
        each.wait_for_selector(".wave .agent[d]", state="attached")
        assert each.evaluate("document.querySelector('.wave .caller').getAttribute('d').split('M').length") > 500
        picture(each, "recording", language)
    assert [r for r in site.reading.log.history() if isinstance(r.event, RecordingPlayed)] == [], "nobody listened yet"
    assert grave(page) == []
    assert grave_at_night(page) == []
    wave = page.locator("[data-wave]")
    wave.focus()
    for key, second in (("PageUp", 30), ("ArrowLeft", 25), ("PageUp", LENGTH_S), ("Home", 0), ("ArrowUp", 5)):
        page.keyboard.press(key)
        assert wave.get_attribute("aria-valuenow") == str(second), key
    page.keyboard.press(" ")
    page.wait_for_selector("[data-play][aria-pressed=true]")
    page.wait_for_selector("[data-wave][aria-valuenow='6']")
    page.locator("[data-side]").select_option("1")
    page.wait_for_selector("[data-wave][aria-valuenow='7']")
    wave.focus()
    page.keyboard.press(" ")
    page.wait_for_selector("[data-play][aria-pressed=false]")
    (heard,) = [r for r in site.reading.log.history() if isinstance(r.event, RecordingPlayed)]
    assert heard.about.actor == "user:auditor-1"
    follow(day)
    page = open_page(served, "auditor", path="/recordings/", language="zh")
    picture(page, "recordings", "zh")
    assert grave(page) == []
