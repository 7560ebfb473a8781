"""Asking a colleague about a caller in a real browser: two agents, to and fro, by keyboard, in both languages."""

from typing import TYPE_CHECKING

import pytest

from orchestrator.domain.contacts import consult_events as e
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.guest_events import (
    AgentReturned,
    AsideBegun,
    GuestClosed,
    GuestHeld,
    GuestJoined,
    MemberMuted,
)
from orchestrator.domain.contacts.speaking import KeysPressed
from tests.web.browser.centre import Centre
from tests.web.browser.conftest import grave
from tests.web.browser.test_pass_on import LANGUAGES, picture, seat, talk

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_colleague_is_asked_by_keyboard_and_has_the_caller_in_the_end(centre: Centre, language: str) -> None:
    """Features 4.3, 4.4: who hears whom is said on both desks, and the same keys lead on."""
    house = centre.house
    for extension in ("1001", "1002", "1003"):
        house.driver.phone(extension, "obeys")
    ann, bob = (centre.page(name, "/desk/", language=language) for name in ("ann", "bob"))
    talk(centre, ann)
    seat(bob)
    ann.keyboard.press("Alt+Shift+P")
    ann.wait_for_selector("#ask-agent-802:not([disabled])")
    assert grave(ann) == []
    picture(ann, "desk-ask-first", language)
    ann.focus("#ask-agent-802")
    ann.keyboard.press("Enter")
    ann.wait_for_selector("#pass-on:not([open])", state="attached")
    ann.wait_for_selector(".talk .asked")
    bob.wait_for_selector(".ring strong:has-text('Ann')")
    picture(ann, "desk-asking", language)
    picture(bob, "desk-asked", language)
    bob.keyboard.press("Alt+Shift+A")
    house.ledger.await_event(e.ConsultJoined)
    bob.wait_for_selector(".ring [role=status]:not([aria-busy])")
    shows(ann, "consulted", "switch_consult")
    bob.wait_for_selector(".call.outcome-consulted")
    picture(bob, "desk-asked-talks", language)
    picture(ann, "desk-asking-talks", language)
    for count, hears in ((2, "caller"), (3, "consulted")):
        ann.keyboard.press("Alt+Shift+S")
        house.ledger.await_event(e.ConsultJoined, count=count)
        shows(ann, hears, "switch_consult")
    assert [event.hears for event in house.ledger.all(e.ConsultJoined)] == ["consulted", "caller", "consulted"]
    shows(ann, "consulted", "confer")
    ann.keyboard.press("Alt+Shift+J")
    house.ledger.await_event(e.ConsultJoined, fits=lambda event: event.hears == "together")
    shows(ann, "together", "mute")
    ann.keyboard.press("Alt+Shift+U")
    ann.wait_for_selector("p.muted")
    ann.keyboard.press("Alt+Shift+D")
    ann.keyboard.type("42#")
    assert grave(ann) == []
    picture(ann, "desk-together-muted-keypad", language)
    picture(bob, "desk-asked-together", language)
    ann.keyboard.press("Enter")
    assert house.ledger.await_event(KeysPressed).count == 3
    shows(ann, "together", "unmute")
    ann.keyboard.press("Alt+Shift+U")
    ann.wait_for_selector("p.muted", state="detached")
    invite_and_let_go(centre, ann, language)
    shows(ann, "together", "end_consult")
    ann.keyboard.press("Alt+Shift+H")
    house.ledger.await_event(e.ContactRejoined)
    bob.wait_for_selector(".ring", state="detached")
    ann.wait_for_selector("form[action$='/hold'] button:not([disabled])")
    ann.keyboard.press("Alt+Shift+P")
    ann.wait_for_selector("#ask-agent-802:not([disabled])")
    ann.focus("#ask-agent-802")
    ann.keyboard.press("Enter")
    bob.wait_for_selector(".ring strong:has-text('Ann')")
    bob.keyboard.press("Alt+Shift+A")
    shows(ann, "consulted", "complete_consult")
    assert grave(ann) == []
    ann.keyboard.press("Alt+Shift+P")
    bob.wait_for_selector(".talk")
    ann.wait_for_selector("#wrap-form")
    bob.keyboard.press("Alt+Shift+E")
    bob.wait_for_selector("#wrap-form")
    assert [event.ended_by for event in house.ledger.all(c.AgentSegmentEnded)] == ["transfer", "agent"]


def shows(page: "Page", hears: str, action: str) -> None:
    """The page shows whom the agent hears, and the key for this is ready. The log may be a moment ahead of the page:
    the key of the state before is pressed in vain, or for something else, once the page has caught up.
    """
    page.wait_for_selector(f".asked[data-state={hears}]")
    page.wait_for_selector(f"form[action$='/{action}'] button:not([disabled])")


def invite_and_let_go(centre: Centre, ann: "Page", language: str) -> None:
    """One more comes to three who hear each other, is seen on the floor, and is let go again."""
    ledger, cem = centre.house.ledger, centre.page("cem", "/desk/", language=language)
    seat(cem)
    ann.wait_for_selector("[data-key=I]:not([disabled])")
    ann.keyboard.press("Alt+Shift+I")
    ann.wait_for_selector("#invite-agent-803:not([disabled])")
    assert grave(ann) == []
    picture(ann, "desk-invite", language)
    ann.focus("#invite-agent-803")
    ann.keyboard.press("Enter")
    ann.wait_for_selector("#pass-on:not([open])", state="attached")
    cem.wait_for_selector(".ring strong:has-text('Ann')")
    ann.wait_for_selector(".gathered [aria-busy]")
    cem.keyboard.press("Alt+Shift+A")
    ledger.await_event(GuestJoined)
    ann.wait_for_selector(".gathered li:nth-child(2)[data-state=in]")
    cem.wait_for_selector(".ring [role=status]:not([aria-busy])")
    cem.wait_for_selector(".call.outcome-consulted")
    assert grave(ann) == []
    floor = centre.page("lee", "/floor/", role="leader", language=language)
    floor.wait_for_selector("#calls small:has-text('Cem')")
    for page, name in ((ann, "desk-conference"), (cem, "desk-guest"), (floor, "floor-conference")):
        picture(page, name, language)
    _apart(centre, ann, cem, language)
    ann.focus(".gathered li:nth-child(2) [id^=let-go]")
    ann.keyboard.press("Enter")
    ledger.await_event(GuestClosed)
    ann.wait_for_selector(".gathered", state="detached")
    cem.wait_for_selector(".ring", state="detached")


def _apart(centre: Centre, ann: "Page", cem: "Page", language: str) -> None:
    """By keyboard: the guest is muted, on hold, alone with the agent, and brought in again."""
    ledger = centre.house.ledger
    guest = ".gathered li:nth-child(2)"
    for action, kind, sign in (("mute_member", MemberMuted, "⊘"), ("hold_member", GuestHeld, "♪")):
        ann.focus(f"{guest} [id^={action}]")
        ann.keyboard.press("Enter")
        ledger.await_event(kind)
        ann.wait_for_selector(f"{guest} strong:has-text('{sign}')")
    assert grave(ann) == []
    picture(ann, "desk-conference-on-hold", language)
    picture(cem, "desk-guest-on-hold", language)
    ann.focus(f"{guest} [id^=speak_alone]")
    ann.keyboard.press("Enter")
    ledger.await_event(AsideBegun)
    ann.wait_for_selector(f"{guest}[data-state=alone] [id^=recall_member]")  # that key is there on hold, too
    assert grave(ann) == []
    picture(ann, "desk-conference-alone", language)
    picture(cem, "desk-guest-alone", language)
    ann.keyboard.press("Alt+Shift+Z")
    ledger.await_event(AgentReturned)
    ledger.await_event(GuestJoined, count=2)
    ann.wait_for_selector(f"{guest}[data-state=in] [id^=hold_member]")
