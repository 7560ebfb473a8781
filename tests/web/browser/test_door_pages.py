"""The blacklist and the notices in a real browser: with the keyboard alone, in both languages, by day and by night.

With SCREENS=<folder>, pictures of what people see are left there.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from orchestrator.domain.kernel import Instant
from orchestrator.service.blacklist import Blacklists
from orchestrator.service.configuration import apply, export
from orchestrator.service.deciding import Who
from tests.postgres import Database
from tests.web.browser.conftest import OpenPage, Served, grave, grave_at_night
from tests.web.notices.test_notices import NOTICES
from tests.web.office import Office, opened

if TYPE_CHECKING:
    from playwright.sync_api import Page

PICTURES: Final = os.environ.get("SCREENS", "")
LANGUAGES: Final = ("en", "zh")
FAR: Final = Instant(4_070_908_800_000_000)


@pytest.fixture
def office(served: Served, database: Database) -> Iterator[Office]:
    """The served application with a list of some length, and two notices."""
    with opened(served.site, database) as office:
        reading = served.site.reading
        kept = Blacklists(reading.desk, reading.log, region="CN")
        for place in range(8):
            kept.list_marked(f"c{place}", f"+86138001{place:05}", "agent:lin-mei")
        clerk = Who(actor="user:back-office-1")
        done = kept.add(clerk, "+862162345678", "fraud", until=FAR, note="orders that nobody fetches, 从不取件")
        kept.change(clerk, done.ident, reason="nuisance")
        kept.expire(clerk, "c7")
        site = served.site.parts.settings.site
        apply(reading.log, reading.desk, site, export(reading.log, site) + NOTICES, actor="admin:test", region="CN")
        office.keep_up()
        yield office


def look(page: "Page", name: str) -> None:
    """Nothing serious for axe, and a picture where pictures are wanted."""
    assert grave(page) == []
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_serious_by_day_and_at_night(
    served: Served, office: Office, open_page: OpenPage, language: str
) -> None:
    """Screens and safety 21; feature 5.5."""
    for role, path, name in (
        ("leader", "/blacklist/", "list"),
        ("leader", "/blacklist/c3", "entry"),
        ("auditor", "/blacklist/?state=all", "auditor"),
        ("ops", "/notices/", "notices"),
    ):
        page = open_page(served, role, path=path, language=language)
        look(page, f"door-{name}-{language}")
        assert grave_at_night(page) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_leader_lists_a_number_corrects_a_mistake_and_takes_it_off_by_keyboard(
    served: Served, office: Office, open_page: OpenPage, language: str
) -> None:
    """Features 5.5 and 5.8: what was typed stays, the focus is where the mistake is."""
    page = open_page(served, "leader", path="/blacklist/", language=language)
    page.locator("#add-form input[name=number]").focus()
    page.keyboard.type("139 0013 9000")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("Because!")
    page.keyboard.press("Enter")
    page.wait_for_selector("input[name=reason][aria-invalid]:focus")
    look(page, f"door-mistake-{language}")
    assert page.input_value("#add-form input[name=number]") == "139 0013 9000"
    page.keyboard.press("Control+A")
    page.keyboard.type("fraud")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/blacklist/[0-9a-f-]{36}$"))
    look(page, f"door-added-{language}")
    page.locator("form.reveal button").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('main').innerText.includes('13900139000')")
    page.locator("#change-form input[name=note]").focus()
    page.keyboard.type("rings at night")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelectorAll('.timeline li').length === 2")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("form[action$='/lift'] button").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelectorAll('.timeline li').length === 3")
    look(page, f"door-lifted-{language}")
    assert page.locator("#change-form").count() == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_operations_switch_a_notice_on_by_keyboard(
    served: Served, office: Office, open_page: OpenPage, language: str
) -> None:
    """Feature 2.6."""
    page = open_page(served, "ops", path="/notices/", language=language)
    page.locator("#notice-storm button").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#notice-storm .tone-wait")
    page.locator("#notice-storm summary").click()
    look(page, f"door-notice-on-{language}")
    assert page.locator("#notice-storm .timeline li").count() == 2
