"""Sign-in, users and error pages in a real browser: with the keyboard alone, in both languages, by day and by night."""

import pytest

from tests.web.browser.arrival import go
from tests.web.browser.conftest import OpenPage, Served, grave, grave_at_night
from tests.web.conftest import PASSWORD

SHOWN = {
    "": ("/sign-in", "/floor/wall"),
    "admin": ("/users", "/users/admin-1"),
    "auditor": ("/sessions", "/users", "/nowhere", "/password"),
}


@pytest.mark.parametrize("language", ("en", "zh"))
def test_axe_finds_nothing_serious_by_day_and_at_night(served: Served, open_page: OpenPage, language: str) -> None:
    """Screens and safety 21: WCAG 2.2 AA, as far as a program can tell."""
    wrong = []
    for role, paths in SHOWN.items():
        page = open_page(served, role, path=paths[0], language=language)
        for path in paths:
            go(page, served.url + path)
            wrong += [f"{role or 'nobody'} {path}: {line}" for line in grave(page) + grave_at_night(page)]
    assert not wrong, "\n".join(wrong)


def test_a_page_with_a_fault_is_found_by_the_same_checks(served: Served, open_page: OpenPage) -> None:
    page = open_page(served, path="/sign-in")
    page.evaluate("() => document.querySelectorAll('label').forEach(label => label.replaceWith(...label.children))")
    assert any("label" in line for line in grave(page))
    # Read with ease on a light ground, and hardly on a dark one.
    page.evaluate("() => { document.querySelector('h1').style.color = '#222' }")
    assert not any("contrast" in line for line in grave(page))
    assert any("contrast" in line for line in grave_at_night(page))


def test_somebody_signs_in_and_out_with_the_keyboard_alone(served: Served, open_page: OpenPage) -> None:
    served.site.add_user("wang", "auditor", name="Wang Fang")
    page = open_page(served, path="/sessions")
    assert page.url.endswith("/sign-in?next=/sessions")
    page.keyboard.type("wang")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sessions")
    person = page.locator("details.person")
    page.locator("details.person summary").focus()
    page.keyboard.press("Enter")
    assert person.get_attribute("open") is not None
    page.keyboard.press("Escape")
    assert person.get_attribute("open") is None
    page.keyboard.press("Enter")
    for _ in ("sessions", "password", "sign out"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in")


@pytest.mark.parametrize(("language", "told"), (("en", "Your password was changed."), ("zh", "密码已修改。")))
def test_somebody_changes_their_password_with_the_keyboard_alone(
    served: Served, open_page: OpenPage, language: str, told: str
) -> None:
    """Screens and safety, V6: a mistake is told where it was made, and the focus is there."""
    served.site.add_user("auditor-1", "auditor")
    page = open_page(served, "auditor", path="/password", language=language)

    def fill(*texts: str) -> None:
        for place, text in enumerate(texts):
            if place:
                page.keyboard.press("Tab")
            page.keyboard.type(text)
        page.keyboard.press("Enter")

    fill(PASSWORD, "four other plain words", "four other plain wrods")
    page.wait_for_selector("input[name=again][aria-invalid]:focus")
    assert grave(page) == []
    page.locator("input[name=present]").focus()
    fill(PASSWORD, "four other plain words", "four other plain words")
    page.wait_for_url("**/sessions")
    assert told in page.inner_text("main")


def test_the_first_stop_of_the_keyboard_skips_the_bar(served: Served, open_page: OpenPage) -> None:
    page = open_page(served, "admin", path="/users")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.querySelector('#main').contains(document.activeElement)")


def test_the_language_is_switched_and_the_page_kept(served: Served, open_page: OpenPage) -> None:
    page = open_page(served, "admin", path="/users/admin-1")
    page.get_by_role("button", name="中文").click()
    page.wait_for_selector("html[lang=zh-Hans]")
    assert page.url.endswith("/users/admin-1")
    page.get_by_role("heading", name="权限").wait_for()
    page.get_by_role("button", name="English").click()
    page.wait_for_selector("html[lang=en]")


def test_whatever_has_the_focus_shows_it(served: Served, open_page: OpenPage) -> None:
    """Screens and safety 21: focus visible."""
    page = open_page(served, "admin", path="/users")
    for _ in range(20):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            "() => { const style = getComputedStyle(document.activeElement);"
            " return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 }"
        )
        assert seen, page.evaluate("() => document.activeElement.outerHTML")


def test_a_question_that_is_answered_no_changes_nothing(served: Served, open_page: OpenPage) -> None:
    served.site.add_user("wang", "auditor")
    page = open_page(served, "admin", path="/users/wang")
    before = served.site.reading.log.position()
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="New password").click()
    assert served.site.reading.log.position() == before
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="New password").click()
    page.wait_for_selector("code")
    assert served.site.reading.log.position() > before
