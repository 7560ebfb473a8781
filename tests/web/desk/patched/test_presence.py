"""A page in a browser makes a desk: opened, closed, lost, opened twice, and pressed twice."""

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote

import psycopg
import pytest

from orchestrator.runner import inputs
from orchestrator.runner.presence import LEASE
from tests.lab.patience import until
from tests.postgres import Database
from tests.web.conftest import Browser, Site
from tests.web.desk.patched.house import NUMBER, House, open_house

ONE, TWO = "page-one-1", "page-two-2"


@pytest.fixture
def house(site: Site, database: Database) -> Iterator[House]:
    with open_house(site, database) as house:
        yield house


@pytest.fixture
def ann(house: House) -> Browser:
    """Ann has signed in, at a page that is open as desk ONE, and is ready."""
    browser = house.site.sign_in("ann")
    browser.get("/desk/")
    for action in ("sign_in", "ready"):
        assert browser.submit(f"/desk/act/{action}", desk=ONE, key=action).status_code == 303
    return browser


def test_whoever_takes_the_seat_at_a_page_has_it_as_the_desk(house: House, ann: Browser) -> None:
    """Feature 4.1; desk presence."""
    assert house.desk() == (ONE, "attached")
    assert f'data-desk="{ONE}"' in ann.get("/desk/").text


def test_a_page_that_is_closed_is_a_desk_that_is_lost_and_a_reload_brings_it_back(house: House, ann: Browser) -> None:
    """Desk presence: the stream's end is told at once, its beginning too."""
    page = house.open(ann, ONE)
    page.await_text("event: desk")
    page.close()
    house.await_desk(ONE, "lost")
    house.open(ann, ONE)
    house.await_desk(ONE, "attached")
    assert house.story()[-2:] == ["DeskLost", "DeskReturned"]


def test_a_page_that_looks_at_queues_keeps_its_stream(house: House, ann: Browser) -> None:
    """Feature 4.3: at each sign of life it is asked whether the page may still look, at all that the page looks at."""
    (topics,) = re.findall(r'data-stream="/stream\?topics=([^"&]+)"', ann.get("/desk/").text)
    assert "queue:" in unquote(topics)
    house.hub.beat_s = 0.05
    page = house.open(ann, ONE, topics)
    until(lambda: page.text.count("event: beat") >= 4 or page.over, "three more signs of life", within_s=30)
    page.await_text("event: queue")
    assert not page.over
    assert "event: end" not in page.text


def test_two_streams_of_one_page_are_one_desk_until_the_last_one_ends(house: House, ann: Browser) -> None:
    """Desk presence: a reload opens the new stream before the old one is known to be gone."""
    old = house.open(ann, ONE)
    old.await_text("event: desk")
    new = house.open(ann, ONE)
    new.await_text("event: desk")
    old.close()
    beats = len(house.heard)
    until(lambda: len(house.heard) > beats + 3, "some more beats", within_s=30)
    assert house.desk() == (ONE, "attached")
    assert not any(isinstance(command, inputs.DeskGone) for command in house.heard)


def test_the_grace_ends_with_a_notice_on_the_page_and_a_click_brings_the_agent_back(house: House, ann: Browser) -> None:
    """Complaint 19; desk presence."""
    page = house.open(ann, ONE)
    page.await_text("event: desk")
    page.close()
    house.await_desk(ONE, "lost")
    house.wait_ms(15_000)
    assert house.desk() == (ONE, "absent")
    assert ann.submit("/desk/act/ready", desk=ONE, key="too soon").status_code == 409
    house.open(ann, ONE).await_text("This desk was not connected for too long")
    house.await_desk(ONE, "attached")
    assert ann.submit("/desk/act/ready", desk=ONE, key="back").status_code == 303
    shift = house.shift()
    assert shift is not None
    assert shift.status == "ready"


def test_a_second_page_takes_over_and_the_first_is_told_at_once(house: House, ann: Browser) -> None:
    """Two desks for one agent."""
    first = house.open(ann, ONE)
    first.await_text(f'data-desk="{ONE}"')
    second = house.open(ann, TWO)
    second.await_text(f'data-desk="{ONE}"')
    assert "You work at another desk" in ann.get("/desk/").text
    assert ann.submit("/desk/act/take_over", desk=TWO).status_code == 303
    assert house.desk() == (TWO, "attached")
    first.await_text(f'data-desk="{TWO}"')
    second.await_text(f'data-desk="{TWO}"')
    refused = ann.post(
        "/desk/act/pause", data={"csrf_token": ann.csrf_token, "reason": "break", "desk": ONE}, headers=_JSON
    )
    assert refused.status_code == 409
    assert refused.json is not None
    assert refused.json["code"] == "desk_elsewhere"
    first.close()
    assert house.desk() == (TWO, "attached")


def test_a_page_that_stepped_back_has_the_agent_again_when_the_other_stays_away(house: House, ann: Browser) -> None:
    """Two desks for one agent; complaint 19: nobody is kept out before an open page."""
    house.open(ann, ONE).await_text("event: desk")
    second = house.open(ann, TWO)
    second.await_text("event: desk")
    ann.submit("/desk/act/take_over", desk=TWO)
    second.close()
    house.await_desk(TWO, "lost")
    house.wait_ms(15_000)
    house.await_desk(ONE, "attached")


def test_a_web_process_that_falls_silent_loses_its_desks(house: House, ann: Browser) -> None:
    """Desk presence; law 9: it is dead, and cannot say that its pages are gone."""
    house.open(ann, ONE).await_text("event: desk")
    until(lambda: any(isinstance(command, inputs.DeskBeat) for command in house.heard), "a beat", within_s=30)
    house.attendance.stop()
    house.wait_ms(LEASE // 1_000 + 1)
    assert house.desk() == (ONE, "lost")
    house.attendance.start()
    house.await_desk(ONE, "attached")


def test_a_page_that_was_open_before_its_agent_took_the_seat_elsewhere_is_the_desk(house: House) -> None:
    """Desk presence: signed in over the command line, with the page open."""
    browser = house.site.sign_in("ann")
    house.open(browser, ONE).await_text("event: desk")
    house.command(inputs.SignIn(agent=NUMBER))
    house.await_desk(ONE, "attached")


def test_a_page_that_says_it_is_there_learns_whether_its_stream_is(house: House, ann: Browser) -> None:
    """Bad input of issue 3: after a minute without network a page may believe in a stream that is none any more."""
    said = {"csrf_token": ann.csrf_token, "page": ONE}
    assert ann.post("/stream/here", data=said, headers=_JSON).get_json() == {"open": False}
    house.open(ann, ONE).await_text("event: desk")
    assert ann.post("/stream/here", data=said, headers=_JSON).get_json() == {"open": True}
    assert ann.post("/stream/here", data={**said, "page": "x"}, headers=_JSON).get_json() == {"open": False}
    assert house.site.as_role("leader").post("/stream/here", data=said, headers=_JSON).status_code == 419


def test_a_page_by_itself_keeps_nobody_signed_in(house: House, ann: Browser, database: Database) -> None:
    """Law 10: whoever walked away from an open page is signed out for doing nothing."""
    said = {"csrf_token": ann.csrf_token, "page": ONE}
    with psycopg.connect(database.writer, autocommit=True) as connection:
        connection.execute("UPDATE web.sessions SET seen_at = seen_at - interval '30 minutes'")
        before = connection.execute("SELECT seen_at FROM web.sessions").fetchall()
        assert ann.post("/stream/here", data=said, headers=_JSON).status_code == 200
        assert connection.execute("SELECT seen_at FROM web.sessions").fetchall() == before
        ann.get("/desk/")
        assert connection.execute("SELECT seen_at FROM web.sessions").fetchall() != before


def test_a_button_that_comes_after_its_time_is_not_pressed(house: House, ann: Browser) -> None:
    """Bad input of issue 3: network away for a minute."""
    before = house.story()
    press = {"csrf_token": ann.csrf_token, "reason": "break", "desk": ONE, "key": "late", "good_until": "1000"}
    refused = ann.post("/desk/act/pause", data=press, headers=_JSON)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "too_late")
    assert house.story() == before
    for nonsense in ("x", "-1", "1e3", "9" * 40, "１２"):
        assert ann.post("/desk/act/pause", data={**press, "good_until": nonsense}, headers=_JSON).status_code == 400


def test_a_button_that_is_pressed_twice_is_pressed_once(house: House, ann: Browser) -> None:
    """Bad input: replayed POST; network away for a minute: no double action."""
    before = house.story().count("AgentPaused")
    for _ in range(2):
        ann.submit("/desk/act/pause", reason="break", desk=ONE, key="k1")
        ann.submit("/desk/act/ready", desk=ONE, key="k2")
    assert house.story().count("AgentPaused") == before + 1
    shift = house.shift()
    assert shift is not None
    assert shift.status == "ready"


@pytest.mark.parametrize("desk", ("", "a b", "<script>", "ü" * 9))
def test_what_is_no_desk_takes_nothing_over_and_is_no_desk(house: House, ann: Browser, desk: str) -> None:
    """Bad input."""
    assert ann.submit("/desk/act/take_over", desk=desk).status_code == 400
    house.open(ann, quote(desk)).await_text("event: desk")
    assert house.attendance.open == frozenset()
    assert house.desk() == (ONE, "attached")


def test_nobody_else_is_an_agents_desk(house: House) -> None:
    """Bad input: a leader who looks at the floor, with a forged desk."""
    house.command(inputs.SignIn(agent=NUMBER))
    leader = house.site.as_role("leader")
    house.site.add_user("mallory", "agent", agent_id="nobody")
    for browser, topics in ((leader, "floor"), (house.site.sign_in("mallory"), "desk:nobody")):
        assert browser.get(f"/stream?topics={topics}&page=page-nine-9").status_code in (200, 403)
    assert house.attendance.open == frozenset()
    assert house.desk() == ("", "")


_JSON = {"Accept": "application/json", "X-Requested-With": "fetch"}
