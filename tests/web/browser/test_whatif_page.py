"""What-if and sizing in a real browser: asked by keyboard, waited for, looked at in both languages.

With SCREENS=<folder>, pictures of what people see are left there.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.postgres import Database
from tests.web.browser.conftest import OpenPage, Served, grave, grave_at_night
from tests.web.whatif.conftest import DAY, ledger, tell_day

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
PICTURES: Final = os.environ.get("SCREENS", "")
CALLS: Final = int(os.environ.get("WHATIF_CALLS", "80"))
# What lies beyond the right edge of what scrolls, or of the page itself.
_BEYOND: Final = """[...document.querySelectorAll('main .scroll, html')]
    .map((each) => each.scrollWidth - each.clientWidth).filter((beyond) => beyond > 0)"""


def look(page: "Page", name: str) -> None:
    """Nothing serious for axe, nothing beyond the edge, and a picture where pictures are wanted."""
    page.set_viewport_size({"width": 1360, "height": 850})
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
    assert grave(page) == []
    assert grave_at_night(page) == []
    assert page.evaluate(_BEYOND) == []


def test_a_day_is_asked_for_by_keyboard_and_stands_beside_the_formulas(
    served: Served, database: Database, open_page: OpenPage
) -> None:
    """Features 10.1, 10.2 and 10.4; screens and safety 21."""
    with ledger(served.site, database) as reads:
        tell_day(reads, CALLS, 4, until=12)
        page = open_page(served, "leader", path=f"/whatif/?day={DAY}")
        look(page, "whatif-ask-en")
        page.focus("input[name=agents]")
        page.keyboard.press("ArrowUp")
        page.focus("input[name=seeds]")
        page.keyboard.type("3")
        page.keyboard.press("Enter")
        page.wait_for_selector("svg.chart", timeout=120_000)
        look(page, "whatif-answer-en")
        path = page.url.removeprefix(served.url)
        page.focus("main summary:has-text('The same in figures')")
        page.keyboard.press("Enter")
        assert page.is_visible("text=Played, changed >> nth=-1")
        look(open_page(served, "leader", path=path, language="zh"), "whatif-answer-zh")
        for language, played in (("en", "Played, as it was"), ("zh", "按原样重演")):
            sizing = open_page(served, "leader", path=f"/sizing/?day={DAY}", language=language)
            look(sizing, f"sizing-day-{language}")
            assert sizing.locator(f"tr:has(th:has-text('{played}'))").count()
            look(open_page(served, "leader", path="/sizing/plan", language=language), f"sizing-plan-{language}")
