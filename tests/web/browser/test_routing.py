"""The configuration in a real browser: with the keyboard alone, in both languages, by day and by night."""

from collections.abc import Iterator

import pytest

from tests.postgres import Database
from tests.web.browser.conftest import OpenPage, Served, grave, grave_at_night
from tests.web.browser.test_by_hand import picture
from tests.web.office import Office, opened


@pytest.fixture
def office(served: Served, database: Database) -> Iterator[Office]:
    with opened(served.site, database) as office:
        yield office


@pytest.mark.usefixtures("office")
@pytest.mark.parametrize("language", ("en", "zh"))
def test_axe_finds_nothing_serious_by_day_and_at_night(served: Served, open_page: OpenPage, language: str) -> None:
    """Screens and safety 21."""
    page = open_page(served, "admin", path="/routing/", language=language)
    wrong = grave(page) + grave_at_night(page)
    page.locator("form[action$='/drafts'] button").click()
    page.wait_for_url("**/routing/drafts/*")
    draft_id = page.url.rpartition("/")[2]
    page.goto(f"{served.url}/routing/things/queue/orders?draft={draft_id}")
    page.fill("[name='f.ring_s']", "soon")
    page.click("button[value=save]")
    page.wait_for_selector("[name='f.ring_s'][aria-invalid]")
    wrong += grave(page) + grave_at_night(page)
    for path in (
        f"drafts/{draft_id}",
        "things/agent",
        f"things/agent/lin-mei?draft={draft_id}",
        f"things/ordertype/complaint?draft={draft_id}",
        "things/entry/hotline",
        f"things/outside/main?draft={draft_id}",
        f"skills?draft={draft_id}",
        "skills",
    ):
        page.goto(f"{served.url}/routing/{path}")
        wrong += [f"{path}: {line}" for line in grave(page) + grave_at_night(page)]
        if "outside" in path:
            picture(page, "outside", language)
    assert not wrong, "\n".join(wrong)


@pytest.mark.usefixtures("office")
def test_a_queue_is_changed_with_the_keyboard_alone(served: Served, open_page: OpenPage) -> None:
    """Draft, field, difference; Enter in a field keeps it."""
    page = open_page(served, "admin", path="/routing/")
    page.focus("form[action$='/drafts'] input[name=name]")
    page.keyboard.press("Control+A")
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    page.wait_for_url("**/routing/drafts/*")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.getAttribute('href') || ''").startswith("/routing/things/queue"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/things/queue?draft=*")
    page.locator("tbody a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/things/queue/*")
    page.focus("[name='f.ring_s']")
    page.keyboard.press("Control+A")
    page.keyboard.type("18")
    page.keyboard.press("Enter")
    page.wait_for_url("**/routing/drafts/*")
    assert page.locator("ins").inner_text() == "18"


@pytest.mark.usefixtures("office")
def test_the_grid_of_skills_is_walked_by_arrows(served: Served, open_page: OpenPage) -> None:
    """Levels typed cell by cell, without a mouse; Enter goes down and sends nothing."""
    page = open_page(served, "admin", path="/routing/")
    page.locator("form[action$='/drafts'] button").click()
    page.wait_for_url("**/routing/drafts/*")
    page.goto(f"{served.url}/routing/skills?draft={page.url.rpartition('/')[2]}")
    page.focus("[name='level.gao-jun.enquiries']")
    page.keyboard.type("1")
    page.keyboard.press("ArrowRight")
    page.keyboard.type("8")
    page.keyboard.press("ArrowDown")
    page.keyboard.type("7")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    names = page.locator("table[data-grid] tbody tr th").all_inner_texts()
    assert names[:3] == ["Gao Jun", "He Na", "Lin Mei"]
    assert page.evaluate("() => document.activeElement.name") == "level.lin-mei.enquiries"
    values = {name: page.input_value(f"[name='level.{name}']") for name in ("gao-jun.enquiries", "gao-jun.orders")}
    assert values == {"gao-jun.enquiries": "1", "gao-jun.orders": "8"}
    assert page.input_value("[name='level.he-na.orders']") == "7"
    page.locator("form[action$='/skills'] > button").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=status]")
    page.click("a[href*='/drafts/']")
    page.wait_for_url("**/routing/drafts/*")
    assert page.locator("section.change").count() == 2
