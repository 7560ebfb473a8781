"""The dot beside the extension moves on pages that are open."""

import pytest

from tests.web.browser.centre import Centre, state
from tests.web.browser.conftest import grave


@pytest.mark.parametrize(
    ("language", "gone", "hint"),
    (("en", "not registered", "Your phone is not registered"), ("zh", "未注册", "您的话机未注册")),
)
def test_a_phone_that_leaves_and_comes_back_is_seen_at_the_desk_and_on_the_floor(
    centre: Centre, language: str, gone: str, hint: str
) -> None:
    """Feature 9.1; issue 3: pushed, in words, and without a finding of axe in either state."""
    centre.house.driver.phone("1001", "obeys")
    centre.house.sign_in("801")
    desk = centre.page("ann", "/desk/", language=language)
    floor = centre.page("lee", "/floor/", role="leader", language=language)
    state(desk, "good")
    desk.wait_for_selector("#desk-bar .dot-registered")
    assert grave(desk) == []
    centre.house.driver.unregister("1001")
    desk.wait_for_selector(f"#desk-bar .dot-gone:has-text('{gone}')")
    assert hint in desk.inner_text("#desk-missed")
    floor.wait_for_selector(f"#agents tr[data-state=phone_gone] .dot-gone:has-text('{gone}')")
    assert grave(desk) == []
    assert grave(floor) == []
    centre.house.driver.phone("1001", "obeys")
    desk.wait_for_selector("#desk-bar .dot-registered")
    floor.wait_for_selector("#agents tr[data-state=ready] .dot-registered")
    assert hint not in desk.inner_text("#desk-missed")
