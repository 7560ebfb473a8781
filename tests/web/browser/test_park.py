"""Parking a caller and retrieving them in a real browser, by keyboard, in both languages; the floor sees it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from orchestrator.domain.contacts.park_events import ContactParked, ParkEnded
from tests.web.browser.centre import Centre
from tests.web.browser.conftest import grave
from tests.web.browser.test_pass_on import seat, talk

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
# In the one language the agent who parked fetches the caller back, in the other a colleague types the place.
LANGUAGES: Final = ("en", "zh")


def test_a_caller_is_parked_shown_with_the_time_and_retrieved_by_keyboard(centre: Centre) -> None:
    """Feature 4.3: from the after-call work by one key; at another desk by the number of the place."""
    house = centre.house
    for extension in ("1001", "1002"):
        house.driver.phone(extension, "obeys")
    ann, bob = (
        centre.page(name, "/desk/", language=each) for name, each in zip(("ann", "bob"), LANGUAGES, strict=True)
    )
    floor = centre.page("lea", "/floor/", role="leader", language="zh")
    talk(centre, ann)
    ann.keyboard.press("Alt+Shift+Q")
    ann.wait_for_selector("#desk-parked #fetch-mine-1")
    floor.wait_for_selector("#calls td:has-text('驻留位 1')")
    assert grave(ann) == []
    picture(ann, "desk-parked-en")
    picture(floor, "floor-parked-zh")
    ann.keyboard.press("Alt+Shift+F")
    ann.wait_for_selector(".ring")
    ann.keyboard.press("Alt+Shift+A")
    ann.wait_for_selector(".talk")
    seat(bob)
    ann.keyboard.press("Alt+Shift+Q")
    bob.wait_for_selector("[id^=fetch-support]")
    picture(bob, "desk-parked-zh")
    bob.keyboard.press("Alt+Shift+V")
    bob.keyboard.type("1")
    bob.keyboard.press("Enter")
    bob.wait_for_selector(".ring")
    bob.keyboard.press("Alt+Shift+A")
    bob.wait_for_selector(".talk")
    assert [event.place for event in house.ledger.all(ContactParked)] == [1, 1]
    assert [event.agent_id for event in house.ledger.all(ParkEnded)] == ["ann", "bob"]


def picture(page: "Page", name: str) -> None:
    """Kept where `make screens` wants pictures."""
    if folder := os.environ.get("SCREENS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
