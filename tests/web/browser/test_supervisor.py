"""A supervisor in a real browser: hears a talk, whispers, takes over, forces; by keyboard, in both languages."""

from typing import TYPE_CHECKING

import pytest

from orchestrator.domain.access.users import Grant
from orchestrator.domain.contacts import monitor_events as m
from orchestrator.domain.staff.forcing import AgentForced
from orchestrator.runner import inputs
from tests.web.browser.centre import Centre, state
from tests.web.browser.conftest import grave
from tests.web.browser.test_by_hand import LANGUAGES, picture

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


def choose(page: "Page", dialog: str, field: str, value: str = "") -> None:
    """Choose in the dialog that is open, and press the button of that form by keyboard; it closes."""
    if value:
        page.select_option(field, value)
    page.focus(field)
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.tagName") != "BUTTON":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{dialog}:not([open])", state="attached")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_supervisor_hears_a_talk_whispers_takes_over_and_forces_by_keyboard(centre: Centre, language: str) -> None:
    """Features 1.2, 8.3: the agent's desk says who whispers, and who made them not ready."""
    house, users = centre.house, centre.reading.users
    users.create("bob", "Bob", actor="admin:test", agent_id="bob")
    users.change("bob", Grant(roles=("agent", "leader"), teams=()), actor="admin:test")
    for phone in ("1001", "1002"):
        house.driver.phone(phone, "obeys")
    desk = centre.page("ann", "/desk/", language=language)
    desk.keyboard.press("Alt+Shift+R")
    state(desk, "wait")
    desk.keyboard.press("Alt+Shift+R")
    state(desk, "good")
    house.driver.call()
    desk.wait_for_selector(".ring")
    desk.keyboard.press("Alt+Shift+A")
    desk.wait_for_selector(".talk")
    house.do(inputs.SignIn(agent="802"))
    page = centre.page("bob", "/floor/", language=language)
    page.wait_for_selector("#calls .listens button")
    for mode, count in (("listen", 1), ("whisper", 2)):
        page.focus("#calls .listens button")
        page.keyboard.press("Enter")
        page.wait_for_selector("#monitor[open]")
        if mode == "listen":
            picture(page, "floor-monitor", language)
            assert grave(page) == []
        choose(page, "#monitor", "#monitor-reason" if mode == "listen" else "#monitor-mode", "" if count == 1 else mode)
        house.ledger.await_event(m.MonitorBegun, count=count)
    page.wait_for_selector("#calls small:has-text('◉')")
    picture(page, "floor-monitored", language)
    desk.wait_for_selector(".talk .asked")
    picture(desk, "desk-whispered-to", language)
    page.focus("#calls .listens button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#monitor[open]")
    choose(page, "#monitor", "#take-over-reason", "complaint")
    house.ledger.await_event(m.TalkTakenOver)
    desk.wait_for_selector("#wrap-form")
    page.wait_for_selector("#force-801")
    page.focus("#force-801")
    page.keyboard.press("Enter")
    page.wait_for_selector("#force[open]")
    picture(page, "floor-force", language)
    assert grave(page) == []
    choose(page, "#force", "#force-pause")
    house.ledger.await_event(AgentForced)
    desk.wait_for_selector("#desk-missed .banner")
    picture(desk, "desk-forced", language)
