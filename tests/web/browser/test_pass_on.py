"""Passing a caller on in a real browser: two agents, a note, a queue; by keyboard, in both languages."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.work.orders import OrderOpened
from tests.web.browser.centre import Centre, state
from tests.web.browser.conftest import grave
from tests.web.desk.test_begun import PICKUP

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
LANGUAGES: Final = ("en", "zh")
NOTE: Final = "Has the receipt; wants it exchanged."
PAD: Final = "Asks for the receipt"
ADDRESS: Final = "Nanjing Road 1"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_caller_is_passed_on_to_a_colleague_by_keyboard_and_the_note_is_there_when_it_rings(
    centre: Centre, language: str
) -> None:
    """Features 4.3, 4.4: the call, the customer, what the first agent wrote and only began arrive together."""
    house = centre.house
    house.apply(house.configuration + PICKUP)
    for extension in ("1001", "1002"):
        house.driver.phone(extension, "obeys")
    ann, bob = (centre.page(name, "/desk/", language=language) for name in ("ann", "bob"))
    talk(centre, ann)
    seat(bob)
    begin_forms(ann)
    ann.keyboard.press("Alt+Shift+P")
    ann.wait_for_selector("#pass-agent-802:not([disabled])")
    assert grave(ann) == []
    ann.fill("#pass-note", NOTE)
    ann.fill("#pass-filter", "802")
    picture(ann, "desk-pass-on", language)
    ann.focus("#pass-agent-802")
    ann.keyboard.press("Enter")
    ann.wait_for_selector("#pass-on:not([open])", state="attached")
    ann.wait_for_selector("#wrap-form")
    bob.wait_for_selector(".ring strong:has-text('Ann')")
    bob.wait_for_selector(f"#desk-pop:has-text('{NOTE}')")
    picture(bob, "desk-passed-on", language)
    bob.keyboard.press("Alt+Shift+A")
    bob.wait_for_selector(".talk")
    bob.wait_for_selector("#desk-order .begun-by:has-text('Ann')")
    bob.wait_for_selector("#desk-note .begun-by:has-text('Ann')")
    assert (bob.input_value("[name=field-address]"), bob.input_value("#wrap-note")) == (ADDRESS, PAD)
    ann.wait_for_selector("#desk-order:empty", state="attached")
    assert ann.input_value("#wrap-note") == "", "that is the note of her own after-call work"
    assert grave(bob) == []
    picture(bob, "desk-begun", language)
    bob.focus("[name=field-address]")
    bob.keyboard.press("End")
    bob.keyboard.type("2")
    bob.focus("#desk-order .go")
    bob.keyboard.press("Enter")
    bob.wait_for_selector("#desk-order:empty", state="attached")
    (opened,) = [record.event for record in house.opened() if isinstance(record.event, OrderOpened)]
    assert opened.personal["address"] == f"{ADDRESS}2"
    bob.keyboard.press("Alt+Shift+E")
    bob.wait_for_selector("#wrap-form")
    assert bob.input_value("#wrap-note") == PAD
    assert [event.to for event in house.ledger.all(ContactTransferred)] == ["agent"]
    assert [event.ended_by for event in house.ledger.all(c.AgentSegmentEnded)] == ["transfer", "agent"]


def test_what_cannot_be_is_said_in_the_dialog_and_the_caller_stays(centre: Centre) -> None:
    """A page may be older than what is now: whoever left meanwhile is refused where it is read."""
    house = centre.house
    for extension in ("1001", "1002"):
        house.driver.phone(extension, "obeys")
    ann, bob = (centre.page(name, "/desk/") for name in ("ann", "bob"))
    talk(centre, ann)
    seat(bob)
    ann.keyboard.press("Alt+Shift+P")
    ann.wait_for_selector("#pass-agent-802:not([disabled])")
    bob.keyboard.press("Alt+Shift+B")
    bob.keyboard.press("Enter")
    state(bob, "wait")
    ann.focus("#pass-agent-802")
    ann.keyboard.press("Enter")
    ann.wait_for_selector("#pass-on[open] [role=status]:has-text('not ready')")
    ann.focus("#pass-queue-sales")
    ann.keyboard.press("Enter")
    ann.wait_for_selector("#pass-on:not([open])", state="attached")
    ann.wait_for_selector("#main:focus")
    assert [event.queue_id for event in house.ledger.all(ContactTransferred)] == ["sales"]


def test_what_somebody_types_is_there_when_the_talk_begins_and_when_the_caller_leaves_the_next_queue(
    centre: Centre,
) -> None:
    """Feature 4.4: neither an order form that was opened while the phone rang goes, nor what stands in the note of the
    after-call work when that of the talk comes back into it.
    """
    house = centre.house
    house.apply(house.configuration + PICKUP)
    house.driver.phone("1001", "obeys")
    ann = centre.page("ann", "/desk/")
    seat(ann)
    caller = house.driver.call(number="+8613800138001")
    ann.wait_for_selector(".ring")
    begin_order(ann)
    ann.keyboard.press("Alt+Shift+A")
    ann.wait_for_selector(".talk")
    ann.wait_for_selector("#desk-order .begun-kept:has-text('Kept')")
    assert ann.input_value("[name=field-address]") == ADDRESS
    ann.keyboard.press("Alt+Shift+N")
    ann.keyboard.type(PAD)
    ann.keyboard.press("Alt+Shift+P")
    ann.wait_for_selector("#pass-queue-sales")
    ann.focus("#pass-queue-sales")
    ann.keyboard.press("Enter")
    ann.wait_for_selector("#wrap-form")
    ann.wait_for_selector("#wrap-note[data-own]")
    ann.fill("#wrap-note", NOTE)
    caller.hang_up()
    ann.wait_for_selector("#wrap-note:not([data-own])")
    ann.wait_for_selector("#desk-note .begun-kept:has-text('Kept')")
    assert ann.input_value("#wrap-note") == f"{PAD}\n{NOTE}"
    assert ann.input_value("[name=field-address]") == ADDRESS


def begin_forms(page: "Page") -> None:
    """Type a note and a work order by keyboard, and send neither."""
    page.keyboard.press("Alt+Shift+N")
    page.keyboard.type(PAD)
    begin_order(page)


def begin_order(page: "Page") -> None:
    """Open the form of a work order by keyboard, and type into it."""
    page.wait_for_selector("#desk-pop h2")
    page.keyboard.press("Alt+Shift+O")
    page.wait_for_selector("#desk-order .order-types a")
    page.focus("#desk-order .order-types a")
    page.keyboard.press("Enter")
    page.wait_for_selector("[name=field-address]:focus")
    page.keyboard.type(ADDRESS)


def seat(page: "Page") -> None:
    """Take the seat, and be ready."""
    page.keyboard.press("Alt+Shift+R")
    state(page, "wait")
    page.keyboard.press("Alt+Shift+R")
    state(page, "good")


def talk(centre: Centre, page: "Page") -> None:
    """This agent sits down, and somebody calls and is answered."""
    seat(page)
    centre.house.driver.call(number="+8613800138001")
    page.wait_for_selector(".ring")
    page.keyboard.press("Alt+Shift+A")
    page.wait_for_selector(".talk")


def picture(page: "Page", name: str, language: str) -> None:
    """Kept where `make screens` wants pictures."""
    if folder := os.environ.get("SCREENS"):
        page.screenshot(path=str(Path(folder) / f"{name}-{language}.png"), full_page=True)
