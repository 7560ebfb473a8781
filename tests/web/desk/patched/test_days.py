"""The day's counters at the desk: read when something was done, by nobody's clock, and only for whoever looks."""

from collections.abc import Iterator

import pytest

from projections import agent_workload
from projections.catalogue import PROJECTIONS
from tests.lab.patience import until
from tests.postgres import Database
from tests.web.conftest import Browser, Site
from tests.web.desk.patched.house import House, Page, open_house
from web.desk import days
from web.desk.topics import days as days_of

MODEL = PROJECTIONS[agent_workload.NAME]
DESK = "page-one-1"


@pytest.fixture
def house(site: Site, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(days, "SETTLE_S", 0.02)
    monkeypatch.setattr(days, "_AGAIN_S", 0.05)
    with open_house(site, database) as house:
        monkeypatch.setattr(days, "_now", lambda: house.centre.now)
        yield house
        with site.app.app_context():
            days_of().stop()


@pytest.fixture
def ann(house: House) -> Browser:
    return house.site.sign_in("ann")


def keep_up(house: House) -> None:
    """The read model comes to what was stored."""
    house.reads.keep_up(MODEL)


def counted(page: Page) -> int:
    """How often the page was sent the day."""
    return page.text.count("event: day")


def runs(page: Page) -> bool:
    """Whether a time runs on in the day that the page was sent last."""
    return "data-since" in page.text.rpartition("event: day")[2].partition("\n\n")[0]


def test_a_pause_is_on_the_page_without_a_reload_and_nothing_is_sent_while_nothing_happens(
    house: House, ann: Browser
) -> None:
    """Screens and safety 4.1; no page polls, and the server reads nothing either."""
    house.reads.build(MODEL)
    ann.get("/desk/")
    page = house.open(ann, DESK, "desk:a1,day:a1")
    page.await_text("event: day")
    ann.submit("/desk/act/sign_in", desk=DESK, key="sit")
    keep_up(house)
    with house.site.app.app_context():
        found = days_of()
    until(lambda: found.of("a1").state == "paused", "the pause to be read")  # type: ignore[union-attr]
    since = found.of("a1").since  # type: ignore[union-attr]
    until(lambda: runs(page), "the pause to be on the page")
    ann.submit("/desk/act/ready", desk=DESK, key="ready")
    keep_up(house)
    until(lambda: not runs(page), "the day after the pause")
    after = found.of("a1")
    assert after is not None
    assert after.state == "ready"
    assert after.since is not None
    assert (since is not None, after.day.pause_ms) == (True, (after.since - (since or 0)) // 1000)
    quiet = (found.looks, counted(page))
    beats = len(house.heard)
    until(lambda: len(house.heard) > beats + 5, "some beats of the desk")
    assert (found.looks, counted(page)) == quiet


def test_a_read_model_that_is_late_is_read_again_until_it_has_what_was_done(house: House, ann: Browser) -> None:
    """Law 7: the counters may be late, never wrong for good."""
    house.reads.build(MODEL)
    page = house.open(ann, DESK, "day:a1")
    page.await_text("event: day")
    with house.site.app.app_context():
        found = days_of()
    looks = found.looks
    ann.submit("/desk/act/sign_in", desk=DESK, key="sit")
    until(lambda: found.looks > looks, "a look that finds the model late", within_s=30)
    assert found.of("a1").day.sign_ins == 0  # type: ignore[union-attr]
    keep_up(house)
    until(lambda: found.of("a1").day.sign_ins == 1, "the sign-in to be counted", within_s=30)  # type: ignore[union-attr]


def test_a_day_that_was_never_built_says_so_and_comes_by_itself(house: House, ann: Browser) -> None:
    assert "The day is still being counted" in ann.get("/desk/").text
    page = house.open(ann, DESK, "day:a1")
    house.reads.build(MODEL)
    page.await_text("desk-counts")


def test_a_desk_is_shown_with_what_was_counted_while_the_database_is_away(house: House, ann: Browser) -> None:
    """Screens and safety 4.20: an old figure, and the page's own banner, instead of no desk."""
    house.reads.build(MODEL)
    assert "My day" in ann.get("/desk/").text
    house.site.lose_database()
    page = ann.get("/desk/")
    assert page.status_code == 200
    assert "My day" in page.text


def test_nobody_is_told_of_another_agents_day(house: House, ann: Browser) -> None:
    """Complaint 23."""
    assert ann.get("/stream?topics=day:a2").status_code == 403
