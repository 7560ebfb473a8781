"""What a page calls itself: two tabs are two desks, a page that is loaded again is the same one."""

from tests.web.browser.conftest import OpenPage, Served

_NAME = "async (url) => (await import(url)).page"


def test_a_duplicated_tab_is_another_desk_and_a_reload_is_the_same(served: Served, open_page: OpenPage) -> None:
    """Two desks for one agent: a duplicate begins with a copy of the first tab's memory, and must not pass for it."""
    first = open_page(served, path="/sign-in")
    script = first.evaluate("() => document.querySelector('script[type=module]').src").replace("page.js", "push.js")
    name = first.evaluate(_NAME, script)
    with first.context.expect_page() as opened:
        first.evaluate("() => { window.open('/sign-in') }")
    second = opened.value
    second.wait_for_load_state()
    assert second.evaluate("() => sessionStorage.getItem('ringledger-page')") == name, "the copy is what is tested"
    assert second.evaluate(_NAME, script) != name
    first.reload()
    assert first.evaluate(_NAME, script) == name
    second.close()
