"""A bundle on the replay screen of a machine that has nothing but the file."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace
from werkzeug.test import Cookie

from orchestrator.bundle import opened
from orchestrator.domain.contacts.contacts import OfferMade
from orchestrator.domain.kernel import SECOND, Instant, Record
from orchestrator.domain.personal import texts_of
from orchestrator.domain.staff.reasons import PauseReason, PauseReasonsConfigured
from orchestrator.domain.staff.shifts import AgentPaused, AgentSignedIn
from orchestrator.tape import Hole
from tests.bundle.kit import window, write
from tests.redrive.taped import TapedRun
from web.bundle.app import create_app

TOKEN: Final = "printed-when-it-began"


@pytest.fixture(scope="module")
def run() -> TapedRun:
    return TapedRun(7).play()


@contextmanager
def looking(file: Path) -> Iterator[FlaskClient]:
    """A browser that was led to the page by the printed address."""
    with opened(file) as found:
        app = create_app(found, file.name, TOKEN)
        app.testing = True
        browser = app.test_client()
        led = browser.get(f"/open/{TOKEN}")
        assert (led.status_code, led.location) == (303, "/replay/")
        yield browser


def cookies(browser: FlaskClient) -> list[Cookie]:
    """What a browser keeps for this machine, whatever the port."""
    return list((browser._cookies or {}).values())


@pytest.fixture
def file(run: TapedRun, tmp_path: Path) -> Path:
    path = tmp_path / "night.bundle"
    write(path, window(run))
    return path


def test_the_window_of_a_file_is_looked_at_stepped_through_and_explained(run: TapedRun, file: Path) -> None:
    """Feature 11.3: slider, density, counts, steps, stops and reasons, as on the ledger's own screen."""
    with looking(file) as browser:
        page = browser.get("/replay/").text
        assert f"{len([r for r in run.log() if r.about.at < run.tape()[-1].at])} events in this window" in page
        assert page.count("<rect ") >= 5
        assert "Service level" in page
        offer = next(record for record in run.log() if isinstance(record.event, OfferMade))
        moment = browser.get(f"/replay/moment?position={offer.position}").text
        assert "Why this agent" in moment
        previous = int(re.findall(r'data-previous="(\d+)"', moment)[0])
        stepped = browser.get(f"/replay/moment?position={previous}&shown={offer.position}").text
        assert "What changed since the last step" in stepped
        end = run.log()[-1].about.at
        stopped = browser.get(f"/replay/moment?at={end}&shown={previous}&stop=event:OfferMade").text
        assert "Stopped: offer made" in stopped
        assert f'data-position="{offer.position}"' in stopped


def test_it_says_that_it_is_a_file_and_whether_of_real_people(run: TapedRun, file: Path, tmp_path: Path) -> None:
    """Feature 11.3, in both languages; numbers are masked, whoever has the key."""
    sealed = tmp_path / "real.bundle"
    what = window(run)
    begins = what.begins
    write(sealed, replace(what, items=[*what.items[:50], Hole(1, 51, 60, "lost"), *what.items[60:]]), sealed=True)
    with looking(file) as browser:
        page = browser.get("/replay/").text
        assert "Pseudonymised: numbers, names and notes are not the real ones." in page
        browser.set_cookie("ringledger-language", "zh")
        assert "已做假名处理" in browser.get("/replay/").text
    numbers = {text.text for record in run.log() for text in texts_of(record.event) if text.text.isdigit()}
    with looking(sealed) as browser:
        page = browser.get("/replay/").text
        assert "Not pseudonymised" in page
        assert "Its tape has 1 hole" in page
        for step in range(0, 600, 30):
            shown = browser.get(f"/replay/moment?at={begins + step * SECOND}").text
            assert not any(number in shown for number in numbers)


def test_whoever_has_not_the_printed_address_sees_nothing_and_there_is_nothing_else(file: Path) -> None:
    """Law 10: loopback has other users, and other programs."""
    with looking(file) as browser:
        app = browser.application
        stranger = app.test_client()
        for path in ("/replay/", "/replay/moment", "/open/other", "/open/"):
            answer = stranger.get(path)
            assert answer.status_code in (403, 404)
            assert "data-position" not in answer.text
        (name,) = {cookie.key for cookie in cookies(browser) if cookie.value == TOKEN}
        stranger.set_cookie(name, "other")
        assert stranger.get("/replay/").status_code == 403
        assert stranger.post("/language", data={"language": "zh"}).status_code in (400, 403, 419)
        assert browser.get("/replay/", headers={"Host": "elsewhere.example"}).status_code == 400
        assert {rule.endpoint for rule in app.url_map.iter_rules()} == {
            "static", "replay.page", "replay.moment", "bundle.enter", "bundle.change_language",
        }  # fmt: skip
        assert browser.get("/").status_code == 404


def test_two_bundles_are_looked_at_side_by_side_in_one_browser(file: Path) -> None:
    """An incident is compared with another: both are on loopback, and a browser keeps cookies by host, not by port."""
    with looking(file) as browser, opened(file) as found:
        browser.get("/replay/")
        other = create_app(found, "other.bundle", "printed-by-another").test_client()
        other.get("/open/printed-by-another")
        assert other.get("/replay/").status_code == 200
        for cookie in cookies(other):
            browser.set_cookie(cookie.key, cookie.value)
        page = browser.get("/replay/")
        assert page.status_code == 200
        token = re.findall(r'name="csrf-token" content="([^"]+)"', page.text)[0]
        assert browser.post("/language", data={"language": "zh", "csrf_token": token}).status_code == 303


def test_the_language_is_changed_on_the_page_and_only_by_it(file: Path) -> None:
    with looking(file) as browser:
        page = browser.get("/replay/").text
        assert browser.post("/language", data={"language": "zh"}).status_code == 419
        token = re.findall(r'name="csrf-token" content="([^"]+)"', page)[0]
        form = {"language": "zh", "csrf_token": token, "next": "//elsewhere.example"}
        answer = browser.post("/language", data=form)
        assert (answer.status_code, answer.location) == (303, "/replay/")
        assert '<html lang="zh-Hans">' in browser.get("/replay/").text


def test_why_an_agent_was_not_ready_reads_as_the_site_named_it_then(run: TapedRun, tmp_path: Path) -> None:
    """Feature 11.3: also where the site has renamed it since, or there is no site."""
    path, log = tmp_path / "named.bundle", run.log()
    last = log[-1]
    shift = next(record.stream for record in reversed(log) if isinstance(record.event, AgentSignedIn))
    version = max(record.version for record in log if record.stream == shift)
    tea, coffee = (
        PauseReasonsConfigured(reasons=(PauseReason(id="tea", name=name),)) for name in ("Tea at four", "Coffee")
    )
    after = (("pauses-main", 1, tea), (shift, version + 1, AgentPaused(reason="tea")), ("pauses-main", 2, coffee))
    more = [
        Record(
            stream=stream,
            version=version,
            event=event,
            event_id=f"more-{place}",
            about=last.about,
            position=last.position + place,
        )
        for place, (stream, version, event) in enumerate(after, 1)
    ]
    write(path, replace(window(run), records=[*log, *more]))
    with looking(path) as browser:
        then, now = (browser.get(f"/replay/moment?position={last.position + place}").text for place in (2, 3))
        assert "Tea at four" in then
        assert "Tea at four" not in now
        assert "Coffee" in now


def test_of_a_file_that_does_not_reach_back_nothing_is_shown_by_half(run: TapedRun, tmp_path: Path) -> None:
    """Bad input of issue 7: an instant before the beginning, and one after the end."""
    path = tmp_path / "late.bundle"
    begins = run.log()[300].about.at
    late = replace(window(run, since=begins), whole=False)
    write(path, late)
    first = next(record.position for record in run.log() if record.about.at >= begins)
    with looking(path) as browser:
        for asked in (f"at={begins - 1}", f"position={first - 1}"):
            answer = browser.get(f"/replay/moment?{asked}")
            assert answer.status_code == 400
            assert "The bundle begins at" in answer.text
        page = browser.get(f"/replay/moment?position={first}").text
        assert 'data-previous="0"' in page
        later = browser.get(f"/replay/moment?at={late.ends + 3600 * SECOND}").text
        assert int(re.findall(r'data-at="(\d+)"', later)[0]) <= late.ends


def test_a_clock_that_was_put_back_hides_no_event_of_a_file(run: TapedRun, tmp_path: Path) -> None:
    """Bad input of issue 7: the moment is its second time, and says so."""
    records = run.log()
    half = len(records) // 2
    back = [replace(r, about=replace(r.about, at=Instant(r.about.at - 60 * SECOND))) for r in records[half:]]
    path = tmp_path / "back.bundle"
    write(path, replace(window(run), records=[*records[:half], *back]))
    with opened(path) as found:
        times = [(record.position, record.about.at) for record in found.records()]
        for _, at in times[:: len(times) // 50]:
            assert found.log.position_at(at) == max(position for position, then in times if then <= at)
    with looking(path) as browser:
        assert "this time was there twice" in browser.get(f"/replay/moment?position={back[5].position}").text
