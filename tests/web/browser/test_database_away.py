"""The database dies while a caller waits, with the desk in a real browser: an agent signs in, serves the caller, and
sees at any time what is so (feature 12.2).
"""

from typing import TYPE_CHECKING

import psycopg
import pytest

from orchestrator.domain.access.users import Create, Grant, SignInRemembered
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.customers.notes import ContactNoted
from orchestrator.domain.engine import DatabaseReturned
from tests.lab.patience import until
from tests.web.browser.arrival import arrived
from tests.web.browser.centre import Centre, state

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
NUMBER, PASSWORD = "+8613800138000", "four plain words here"
BOTH = ("simulated", pytest.param("real", marks=pytest.mark.switch))


def _await_word(centre: Centre) -> None:
    """Return once the lease says that its holder may spool."""

    def named() -> bool:
        with psycopg.connect(centre.house.database.url_reader) as connection:
            return connection.execute("SELECT FROM ringledger_lease WHERE spool <> ''").fetchone() is not None

    until(named, "the lease to name the spool")


def lose(centre: Centre) -> None:
    """PostgreSQL is killed, once the lease says that its holder may spool."""
    _await_word(centre)
    centre.house.kill_database()


def come(centre: Centre) -> "Page":
    """Ann signs in, in a browser in which she never was."""
    page = centre.stranger("/sign-in")
    page.fill("[name=name]", "ann")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/")
    arrived(page)
    page.wait_for_selector("html[data-listening]")
    return page


@pytest.mark.parametrize("switch", BOTH, indirect=True, scope="module")
def test_an_agent_signs_in_and_serves_whoever_waits_though_the_database_is_away(centre: Centre) -> None:
    """Feature 12.2: sign-in, ring, hold, hang up, after-call work; all of it is in the history once, and the page goes
    on without being loaded again.
    """
    house = centre.house
    granted = Grant(roles=("agent",))
    centre.reading.users.add("ann", Create(name="Ann", agent_id="ann"), granted, PASSWORD, actor="admin:test")
    centre.restart_web()  # which knows of Ann as soon as it says so
    house.driver.phone("1001", "obeys")
    house.driver.call(number=NUMBER)
    house.ledger.await_event(c.ContactQueued)
    lose(centre)
    page = come(centre)
    page.evaluate("window.same = true")
    page.wait_for_selector("#stale.degraded:not([hidden])")
    assert "The database is away. Calls" in page.inner_text("#stale")
    page.keyboard.press("Alt+Shift+R")
    state(page, "wait")
    page.keyboard.press("Alt+Shift+R")
    page.wait_for_selector(".ring")
    assert "13800138000" in page.inner_text(".ring").replace(" ", "")
    page.wait_for_selector("#desk-pop [data-again]")
    assert "cannot be read while the database is away" in page.inner_text("#desk-pop")
    page.keyboard.press("Alt+Shift+A")
    page.wait_for_selector(".talk")
    state(page, "busy")
    page.keyboard.press("Alt+Shift+H")
    state(page, "work")
    page.keyboard.press("Alt+Shift+H")
    state(page, "busy")
    page.keyboard.press("Alt+Shift+E")
    page.wait_for_selector("#wrap-form")
    page.keyboard.press("Alt+Shift+1")
    page.fill("#wrap-note", "asked for a pickup")
    page.keyboard.press("Alt+Shift+W")
    state(page, "good")
    house.restart_database()
    page.wait_for_selector("#stale", state="hidden")
    assert house.ledger.await_event(DatabaseReturned).spooled > 10
    house.ledger.await_event(SignInRemembered)
    house.ledger.await_event(ContactNoted)
    assert page.evaluate("window.same"), "it came back by itself"
    state(page, "good")
    assert [event.text for event in _notes(centre)] == ["asked for a pickup"]
    assert house.close_day(contacts=1).counts.ended_by_reason == {"completed": 1}
    assert len(house.ledger.all(SignInRemembered)) == 1
    assert len(house.ledger.all(c.ContactConnected)) == 1
    history = centre.page("eve", "/history/", role="auditor")
    history.wait_for_selector("tbody tr")
    assert history.locator("tbody tr").count() == 1


def test_desks_go_on_and_people_come_in_though_the_database_stands_still(centre: Centre) -> None:
    """Feature 12.2: it closes nothing and answers nothing. Pages are not kept waiting, and say how things stand."""
    house = centre.house
    granted = Grant(roles=("agent",))
    if centre.reading.users.get("ann") is None:
        centre.reading.users.add("ann", Create(name="Ann", agent_id="ann"), granted, PASSWORD, actor="admin:test")
    centre.restart_web()
    house.driver.phone("1001")
    before = len(house.ledger.all(c.ContactConnected))
    _await_word(centre)
    with house.still_database():
        caller = house.driver.call(number=NUMBER)
        house.engines[-1].await_log("events go to the spool")
        page = come(centre)
        page.wait_for_selector("#stale.degraded:not([hidden])")
        house.sign_in("801")
        page.wait_for_selector(".talk")
        caller.hang_up()
        page.wait_for_selector(".talk", state="detached")
    page.wait_for_selector("#stale", state="hidden", timeout=60_000)
    until(lambda: len(house.ledger.all(c.ContactConnected)) == before + 1, "it to be in the log, once")


def _notes(centre: Centre) -> list[ContactNoted]:
    return [record.event for record in centre.house.opened() if isinstance(record.event, ContactNoted)]


def test_whoever_runs_it_sees_by_the_spools_light_how_things_stand(centre: Centre) -> None:
    """Features 9.2 and 12.2: ready; in use, with how much and how old; and ready again. `/healthz` says the same."""
    house = centre.house
    page = centre.page("olga", "/ops/", role="ops")
    until(lambda: _light(page) == ("good", "ready for use"), "the spool to be ready")
    lose(centre)
    house.sign_in("801")
    house.engines[-1].await_log("events go to the spool")
    until(lambda: _light(page)[0] == "bad", "the light to be red")
    assert "in use: the database is away" in page.inner_text("#spool")
    assert page.inner_text("#spool dd >> nth=0") != "0"
    assert "are known once it is back" in page.inner_text("main")
    page.wait_for_selector("#switches tbody tr")
    told = page.request.get(page.url.replace("/ops/", "/healthz"))
    assert told.status == 503
    spool = told.json()["components"]["spool"]
    assert (spool["ok"], spool["state"]) == (False, "in_use")
    assert spool["events"] > 0
    assert 0 <= spool["oldest_s"] < 120
    assert 0 < spool["bytes"] < spool["limit_bytes"]
    house.restart_database()
    until(lambda: _light(page) == ("good", "ready for use"), "the spool to be empty")
    page.wait_for_selector("#models")


def _light(page: "Page") -> tuple[str, str]:
    """The tone and the words of the light, now."""
    page.reload()
    pill = page.query_selector("#spool .pill")
    if pill is None:
        return "", ""
    tone = (pill.get_attribute("class") or "").rpartition("tone-")[2]
    return tone, " ".join(pill.inner_text().split()[1:])  # without its sign
