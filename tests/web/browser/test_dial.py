"""Calling a number in a real browser, by keyboard, in both languages."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orchestrator.domain.contacts.dial_events import ContactDialled, DialEnded
from tests.acceptance.house import OUTSIDE
from tests.web.browser.centre import Centre
from tests.web.browser.conftest import grave
from tests.web.browser.test_pass_on import seat

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
ANSWERS, RINGS = "+31201234567", "+31207654321"


def test_a_number_is_typed_called_and_talked_to_and_another_is_given_up_by_keyboard(centre: Centre) -> None:
    """Features 1.2, 4.3: the own phone picks up at the desk; the customer stands beside; one key stops it."""
    house = centre.house
    house.apply(house.configuration + OUTSIDE.format(ring_s=60))
    house.driver.outside(ANSWERS)
    house.driver.outside(RINGS, "rings")
    for extension in ("1001", "1002"):
        house.driver.phone(extension, "obeys")
    ann, bob = centre.page("ann", "/desk/", language="en"), centre.page("bob", "/desk/", language="zh")
    seat(ann)
    dial(ann, ANSWERS)
    picture(ann, "desk-dialling-en")
    ann.keyboard.press("Alt+Shift+A")
    ann.wait_for_selector(".talk")
    ann.wait_for_selector("#desk-pop h2")
    assert ann.locator("#dial-typed").is_disabled()
    assert grave(ann) == []
    picture(ann, "desk-dialled-en")
    seat(bob)
    dial(bob, RINGS)
    bob.keyboard.press("Alt+Shift+A")
    bob.wait_for_selector(".ring [aria-busy]:has-text('正在呼叫该号码')")
    picture(bob, "desk-dialling-zh")
    bob.keyboard.press("Alt+Shift+X")
    bob.wait_for_selector(".ring", state="detached")
    house.ledger.await_event(DialEnded)
    assert [event.agent_id for event in house.ledger.all(ContactDialled)] == ["ann", "bob"]
    assert [event.outcome for event in house.ledger.all(DialEnded)] == ["dial_cancelled"]


def dial(page: "Page", number: str) -> None:
    """Type the number and call it."""
    page.keyboard.press("Alt+Shift+Y")
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    page.wait_for_selector(".ring")


def picture(page: "Page", name: str) -> None:
    """Kept where `make screens` wants pictures."""
    if folder := os.environ.get("SCREENS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
