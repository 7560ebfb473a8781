"""The floor's pages over a busy day: figures as counted, nobody's number, and on the wall nobody's name."""

import re
from datetime import UTC, datetime

import pytest

from projections import queue_state
from tests.audit.centre import CALLER
from tests.web.conftest import Site
from tests.web.day import Day
from tests.web.desk.conftest import plain
from web.floor.counts import Counts
from web.floor.levels import Levels
from web.floor.picture import floor_of
from web.push.present import Live

DIGITS = CALLER.removeprefix("+86")


def live_of(site: Site) -> Live:
    found: Live = site.app.extensions["ringledger-live"]
    return found


def test_the_floor_shows_queues_agents_and_calls(site: Site, day: Day) -> None:
    """Feature 9.1: waiting, longest wait, answered, abandoned, service level, agents' states, calls in progress."""
    page = site.as_role("leader").get("/floor/")
    words = plain(page.text)
    assert page.status_code == 200
    for label in ("Sales", "Waiting", "Longest wait", "Service level", "Answered", "Abandoned", "Calls in progress"):
        assert label in words
    world = day.centre.world
    waiting = sum(contact.status == "waiting" for contact in world.contacts.values())
    assert waiting > 0
    tiles = floor_of(live_of(site).view, _counts(site), Levels()).tiles
    assert [tile.waiting for tile in tiles] == [waiting]
    for agent in world.agents.values():
        assert agent.name in words


def test_numbers_are_masked_on_the_floor(site: Site, day: Day) -> None:
    """Issue 3: numbers masked by role; the leader's floor has none that is whole."""
    page = site.as_role("leader").get("/floor/").text
    assert f"{DIGITS[:3]}****{DIGITS[-4:]}" in page
    assert DIGITS not in page


def test_the_wall_knows_no_person(site: Site, day: Day) -> None:
    """Feature 9.1: read-only, without personal data: no agent's name, no caller's number, not even who looks."""
    site.add_user("chen", "leader", name="Chen Jing")
    page = site.sign_in("chen").get("/floor/board").text
    assert "Longest wait" in page
    for agent in day.centre.world.agents.values():
        assert agent.name not in page
        assert agent.number not in plain(page)
    assert DIGITS[-4:] not in page
    assert "Chen" not in page
    assert "<form" not in page


def test_counts_are_those_of_the_read_model(site: Site, day: Day) -> None:
    """Complaint 24: one count, wherever it is shown."""
    counts = _counts(site)
    today = datetime.now(UTC).astimezone(site.parts.settings.timezone).date().isoformat()
    with site.reading.reader.borrow() as connection:
        days = queue_state.days(connection, today, today)
        ever = queue_state.days(connection, "2000-01-01", "2100-01-01")
    assert ever
    assert counts.of_queue.keys() == {each.queue_id for each in days}
    assert counts.whole.offered == sum(each.offered for each in days)


def test_a_leader_of_a_team_sees_its_agents_only(site: Site, day: Day) -> None:
    """Issue 3: scope by team; whoever has no team of theirs here sees the queues and nobody."""
    site.add_user("elsewhere", "leader", teams=("north",))
    browser = site.sign_in("elsewhere")
    page = plain(browser.get("/floor/").text)
    assert "Sales" in page
    for agent in day.centre.world.agents.values():
        assert agent.name not in page


def test_the_floor_is_pushed_as_it_is_shown(site: Site, day: Day) -> None:
    """The same template makes the page and what replaces it; in the language and with the mask of whoever looks."""
    from web.push import Audience

    now = live_of(site)
    for language, words in (("en", "Longest wait"), ("zh", "最长等待")):
        drawn = now.hub._kinds["floor"].render("", Audience(language=language))
        assert words in drawn
        assert DIGITS not in drawn
        assert DIGITS in now.hub._kinds["floor"].render("", Audience(language=language, sees_numbers=True))
        assert not re.search(r"<(script|style)|\sstyle=|\son\w+=", drawn), "the policy allows no such thing"


@pytest.mark.parametrize("role", ("agent", "back_office", "qa", "auditor"))
def test_the_floor_is_not_for_everybody(site: Site, day: Day, role: str) -> None:
    browser = site.as_role(role)
    assert browser.get("/floor/").status_code == 403
    assert browser.get("/floor/board").status_code == 403
    assert browser.get("/stream?topics=floor").status_code == 403


def _counts(site: Site) -> Counts:
    counts = Counts(site.reading, site.parts.settings.timezone)
    counts.refresh()
    return counts
