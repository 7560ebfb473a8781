"""An agent's network away, with the desk open in a real browser and everything else going on: the cable is pulled, so
nobody is told that a connection is over. Bad input of issue 3: "network away for a minute (no lost ring, no double
action)".
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.staff import presence as p
from orchestrator.domain.staff import shifts as s
from tests.lab.cable import Cable
from tests.lab.patience import until
from tests.web.browser.centre import Centre, state

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
# The page learns by the next sign of life, every 15 s, or by one that does not come, that it should ask.
SOON_MS = 40_000


@pytest.fixture
def times() -> dict[str, float]:
    """Rings that outlast the cable, and a grace that does not make the test wait."""
    return {"ring_s": 120, "wrap_up_s": 60, "cool_down_s": 1, "desk_grace_s": 3}


@pytest.fixture
def cable(centre: Centre) -> Iterator[Cable]:
    """The way from the browser to the web."""
    cable = Cable(centre.port)
    yield cable
    cable.close()


@pytest.fixture
def desk(centre: Centre, cable: Cable) -> "Page":
    """Ann's, at the end of the cable; she is ready."""
    centre.house.driver.phone("1001", "obeys")
    page = centre.page("ann", "/desk/", port=cable.port)
    page.keyboard.press("Alt+Shift+R")
    state(page, "wait")
    page.keyboard.press("Alt+Shift+R")
    state(page, "good")
    return page


def sent(cable: Cable, action: str) -> int:
    """How often this button has been sent into the cable that is out."""
    return sum(f"POST /desk/act/{action} ".encode() in said for said in cable.held)


def test_a_ring_while_the_network_is_away_is_shown_when_it_is_back(centre: Centre, cable: Cable, desk: "Page") -> None:
    """Complaint 2; feature 4.3: the phone rings on, and the desk shows it as soon as it can; it is accepted once."""
    house = centre.house
    cable.pull_out()
    house.driver.call(number="+8613800138000")
    house.ledger.await_event(c.OfferDelivered)
    assert not desk.query_selector(".ring")
    desk.wait_for_selector("#stale:not([hidden])", timeout=SOON_MS)
    cable.put_in()
    desk.wait_for_selector("#stale", state="hidden", timeout=SOON_MS)
    desk.wait_for_selector(".ring")
    assert "13800138000" in desk.inner_text(".ring")
    desk.keyboard.press("Alt+Shift+A")
    desk.wait_for_selector(".talk")
    assert len(house.ledger.all(c.OfferAcceptRequested)) == 1
    assert len(house.ledger.all(c.OfferDelivered)) == 1


def test_a_button_pressed_while_the_network_is_away_is_done_once(centre: Centre, cable: Cable, desk: "Page") -> None:
    """Complaint 2: sent again and again, arrived several times when the network is back, done once."""
    house = centre.house
    house.driver.call()
    desk.wait_for_selector(".ring")
    cable.pull_out()
    desk.keyboard.press("Alt+Shift+A")
    desk.keyboard.press("Alt+Shift+A")
    until(lambda: sent(cable, "accept") >= 2, "the button to be sent a second time", within_s=8)
    assert not house.ledger.all(c.OfferAcceptRequested)
    cable.put_in()
    desk.wait_for_selector(".talk")
    desk.wait_for_selector("#stale", state="hidden", timeout=SOON_MS)
    assert len(house.ledger.all(c.OfferAcceptRequested)) == 1
    assert not house.ledger.all(c.HangUpRequested)


def test_a_button_that_comes_too_late_is_told_as_not_done(centre: Centre, cable: Cable, desk: "Page") -> None:
    """What was pressed long ago surprises nobody: not done, said so, and one press away."""
    house = centre.house
    house.driver.call()
    desk.wait_for_selector(".ring")
    cable.pull_out()
    desk.keyboard.press("Alt+Shift+A")
    desk.wait_for_selector("#told:has-text('No answer yet')")
    assert desk.is_visible("#stale")
    cable.put_in()
    desk.wait_for_selector("#told:has-text('It was not done')")
    desk.wait_for_selector("#stale", state="hidden", timeout=SOON_MS)
    assert not house.ledger.all(c.OfferAcceptRequested)
    desk.keyboard.press("Alt+Shift+A")
    desk.wait_for_selector(".talk")
    assert len(house.ledger.all(c.OfferAcceptRequested)) == 1


def test_after_the_grace_nothing_is_offered_and_one_key_leads_back(centre: Centre, cable: Cable, desk: "Page") -> None:
    """Desk presence; complaint 19: no ring into an empty chair, the reason on the page, and nobody kept out."""
    house = centre.house
    cable.pull_out()
    house.ledger.await_event(p.DeskLost, within_s=40)
    house.ledger.await_event(p.DeskGraceEnded, within_s=40)
    house.ledger.await_event(s.AgentStoodDown)
    house.driver.call()
    house.ledger.await_event(c.ContactQueued)
    until(lambda: house.agent("801")["state"] == "paused", "the agent to be out of it")
    assert not house.ledger.all(c.OfferMade)
    desk.wait_for_selector("#stale:not([hidden])", timeout=SOON_MS)
    cable.put_in()
    desk.wait_for_selector("#stale", state="hidden", timeout=SOON_MS)
    desk.wait_for_selector("#desk-missed .banner")
    assert "not connected for too long" in desk.inner_text("#desk-missed")
    assert house.ledger.all(p.DeskReturned)
    desk.keyboard.press("Alt+Shift+R")
    desk.wait_for_selector(".ring")
    assert len(house.ledger.all(c.OfferMade)) == 1
