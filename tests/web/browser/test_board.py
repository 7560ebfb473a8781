"""The wallboard in a real browser: it turns its pages where it is asked to, and stands still for whoever wants that."""

from typing import Final

import pytest

from tests.web.browser.centre import Centre
from tests.web.browser.conftest import grave
from tests.web.browser.test_by_hand import picture

pytestmark = pytest.mark.slow
_SHOWN: Final = "[...document.querySelectorAll('#tiles > article')].filter((tile) => !tile.hidden).length"


def test_the_board_turns_its_pages_slowly_and_stops_on_a_key(centre: Centre) -> None:
    """Screens and safety 14, 21: without being asked all is shown, and likewise to whoever wants no motion."""
    page = centre.page("lea", "/floor/board", role="leader", language="zh")
    page.wait_for_selector("#tiles > article:nth-child(2)")
    assert page.evaluate(_SHOWN) == 2
    page.goto(f"http://127.0.0.1:{centre.port}/floor/board?tiles=1&every=1")
    page.wait_for_selector("#board-page:has-text('第 1 页，共 2 页')")
    assert page.evaluate(_SHOWN) == 1
    page.wait_for_selector("#board-page:has-text('第 2 页，共 2 页')")
    page.wait_for_selector("#board-page:has-text('第 1 页，共 2 页')")
    page.keyboard.press("x")
    page.wait_for_selector("#board-page:has-text('已停止')")
    before = page.inner_text("#board-page")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#board-page") != before, "turned by hand"
    assert grave(page) == []
    picture(page, "board-stopped", "zh")
    page.keyboard.press("Space")
    page.wait_for_selector("#board-page:not(:has-text('已停止'))")
    page.emulate_media(reduced_motion="reduce")
    page.wait_for_selector("#board-page", state="hidden")
    assert page.evaluate(_SHOWN) == 2
