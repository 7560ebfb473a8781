"""Callbacks in a real browser: a leader asks for one and calls it off, by keyboard, on the floor and at a desk."""

from typing import Final

import pytest

from orchestrator.domain.access.users import Grant
from orchestrator.domain.contacts import outward_events as o
from tests.lab.patience import until
from tests.web.browser.centre import Centre
from tests.web.browser.conftest import grave
from tests.web.browser.test_by_hand import picture

pytestmark = pytest.mark.slow
LANGUAGES: Final = ("en", "zh")
RULES: Final = '\n[outside.main]\nallowed = ["+86"]\n'


def follow_rules(centre: Centre) -> None:
    """Customers of the own country may be called, once the engine has seen it."""
    house = centre.house
    before = house.status()["config_version"]  # type: ignore[index]
    house.apply(house.configuration + RULES)
    until(lambda: house.status()["config_version"] > before, "the engine to see the rules")  # type: ignore[index]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_leader_turns_a_caller_into_a_callback_and_calls_it_off_by_keyboard(centre: Centre, language: str) -> None:
    """Feature 3.10: what is refused stays in the field, focus comes back, and the list moves under the dialog."""
    follow_rules(centre)
    house = centre.house
    page = centre.page("lea", "/floor/", role="leader", language=language)
    for last in (1, 2):
        house.driver.call(number=f"+861380013800{last}")
        page.wait_for_selector(f"#calls tbody tr:nth-child({last}) button")
    page.locator("#calls tbody button").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#by-hand[open] #call-back-number")
    assert page.get_attribute("#call-back-number", "placeholder") == "138****8001"
    page.focus("#give-reason")
    for _ in range(2):
        page.keyboard.press("Tab")
    page.wait_for_selector("#call-back-number:focus")
    page.keyboard.type("+1 202 555 0100")
    page.keyboard.press("Enter")
    page.wait_for_selector("#by-hand-told:not(:empty)")
    assert page.input_value("#call-back-number") == "+1 202 555 0100"
    assert grave(page) == []
    picture(page, "floor-call-back", language)
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    page.wait_for_selector("#by-hand:not([open])", state="attached")
    page.wait_for_selector("#callbacks tr[data-state=awaiting_callback]")
    assert "138****8001" in page.inner_text("#callbacks tbody")
    page.wait_for_selector("#calls tbody tr:only-child button")
    assert len(house.ledger.all(o.CallbackAsked)) == 1
    page.wait_for_selector("html:not([data-stale])")
    assert grave(page) == []
    picture(page, "floor-callbacks", language)
    page.locator("#callbacks .calls-back button").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#call-off[open]")
    assert grave(page) == []
    picture(page, "floor-call-off", language)
    page.focus("#call-off-reason")
    page.select_option("#call-off-reason", "mistake")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#call-off:not([open])", state="attached")
    page.wait_for_selector("#callbacks:not(:has(tr))", state="attached")
    (ended,) = house.ledger.all(o.CallbackEnded)
    assert (ended.reason, ended.why) == ("callback_cancelled", "mistake")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_leader_who_is_an_agent_does_it_from_the_desk(centre: Centre, language: str) -> None:
    """Features 3.10, 4.5: who may direct has the buttons in the queue's list; at a desk numbers are whole."""
    follow_rules(centre)
    users = centre.reading.users
    users.create("ann", "Ann", actor="admin:test", agent_id="ann")
    users.change("ann", Grant(roles=("agent", "leader"), teams=()), actor="admin:test")
    page = centre.page("ann", "/desk/", language=language)
    centre.house.driver.call(number="+8613800138001")
    page.wait_for_selector(".waiters .calls-back button")
    page.locator(".waiters .calls-back button").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#call-back[open] #call-back-number:focus")
    assert page.input_value("#call-back-number") == "+8613800138001"
    assert grave(page) == []
    picture(page, "desk-call-back", language)
    page.keyboard.press("Enter")
    page.wait_for_selector("#call-back:not([open])", state="attached")
    page.wait_for_selector(".waiter-state")
    assert grave(page) == []
    picture(page, "desk-callbacks", language)
    page.locator(".waiters .calls-back button").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#call-off[open]")
    page.focus("#call-off-reason")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".waiters", state="detached")
    (ended,) = centre.house.ledger.all(o.CallbackEnded)
    assert ended.why == "customer_asked"
