"""By hand in a real browser: an agent takes two callers, a leader changes who waits; by keyboard, in both languages."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from orchestrator.domain.contacts import contacts as c
from tests.web.browser.centre import Centre, state
from tests.web.browser.conftest import grave

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
LANGUAGES: Final = ("en", "zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_agent_takes_two_callers_by_keyboard_and_switches_between_them(centre: Centre, language: str) -> None:
    """Features 3.8, 4.5: whoever waits is seen and taken; both callers are shown, one of them active."""
    house = centre.house
    house.driver.phone("1001", "obeys")
    page = centre.page("ann", "/desk/", language=language)
    page.keyboard.press("Alt+Shift+R")
    state(page, "wait")
    for last in (1, 2):
        house.driver.call(number=f"+861380013800{last}")
        page.wait_for_selector(f".waiters li:nth-child({last}) button:not([disabled])")
    assert "13800138001" in page.inner_text(".waiters")
    page.keyboard.press("Alt+Shift+T")
    page.wait_for_selector(".ring")
    page.keyboard.press("Alt+Shift+A")
    page.wait_for_selector(".talk")
    page.wait_for_selector(".waiters li:only-child button[disabled]")
    page.keyboard.press("Alt+Shift+H")
    page.wait_for_selector(".talk.is-held")
    page.wait_for_selector(".waiters button:not([disabled])")
    page.keyboard.press("Alt+Shift+T")
    page.wait_for_selector(".ring")
    page.keyboard.press("Alt+Shift+A")
    page.wait_for_selector(".talk:not(.is-held) + .talk.is-held")
    assert "13800138002" in page.inner_text(".talk:not(.is-held)")
    page.wait_for_selector("html:not([data-stale])")
    assert grave(page) == []
    picture(page, "desk-lines", language)
    page.keyboard.press("Alt+Shift+S")
    page.wait_for_selector(".talk:not(.is-held):has-text('13800138001')")
    page.wait_for_selector(".talk.is-held")
    page.keyboard.press("Alt+Shift+E")
    page.wait_for_selector(".talk.is-held:only-child")
    page.keyboard.press("Alt+Shift+E")
    page.wait_for_selector("#wrap-form")
    assert [made.by_hand for made in house.ledger.all(c.OfferMade)] == [True, True]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_leader_moves_and_hurries_a_caller_by_keyboard(centre: Centre, language: str) -> None:
    """Feature 3.7: the list goes on moving under the dialog, and focus comes back to it."""
    house = centre.house
    house.driver.phone("1001", "rings")
    desk = centre.page("ann", "/desk/")
    desk.keyboard.press("Alt+Shift+R")
    state(desk, "wait")
    page = centre.page("lea", "/floor/", role="leader", language=language)
    for last in (1, 2):
        house.driver.call(number=f"+861380013800{last}")
        page.wait_for_selector(f"#calls tbody tr:nth-child({last}) button")
    first, second = page.locator("#calls tbody button").all()
    second.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#by-hand[open]")
    picture(page, "floor-by-hand", language)
    assert grave(page) == []
    page.fill("#prioritise-points", "7")
    page.keyboard.press("Enter")
    page.wait_for_selector("#by-hand:not([open])", state="attached")
    page.wait_for_selector("#calls small:has-text('+7')")
    page.wait_for_selector("#calls button:focus")
    (hurried,) = house.ledger.all(c.ContactReprioritised)
    assert (hurried.given, hurried.reason) == (7, "important")
    first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#by-hand[open]")
    page.focus("#move-queue")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#by-hand:not([open])", state="attached")
    page.wait_for_selector("#calls button:focus")
    house.ledger.await_event(c.ContactMoved)
    page.locator("#calls tbody button").last.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#by-hand[open]")
    page.focus("#give-agent")
    page.select_option("#give-agent", "802")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#by-hand-told:not(:empty)")
    page.select_option("#give-agent", "801")
    page.focus("#give-reason")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    desk.wait_for_selector(".ring")


def picture(page: "Page", name: str, language: str) -> None:
    """A picture for whoever looks at screens: into SCREENS, where that is set."""
    if folder := os.environ.get("SCREENS", ""):
        page.screenshot(path=str(Path(folder) / f"{name}-{language}.png"))
