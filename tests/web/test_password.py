"""One's own password, changed by whoever knows the present one."""

import pytest

from orchestrator.domain.access.users import PasswordChanged, SessionEnded, SignInFailed
from orchestrator.service.attempts import MOST
from tests.web.conftest import PASSWORD, Browser, Site

NEW = "another four plain words"


def change(browser: Browser, present: str = PASSWORD, wanted: str = NEW, again: str | None = None) -> int:
    browser.get("/password")
    answer = browser.submit("/password", present=present, wanted=wanted, again=wanted if again is None else again)
    return answer.status_code


def events(site: Site, user_id: str) -> list[tuple[object, str]]:
    return [(record.event, record.about.actor) for record in site.reading.log.stream(f"user-{user_id}")]


def test_a_new_password_ends_every_other_session_and_is_on_the_record(site: Site) -> None:
    """Screens and safety, V6 and V7: who, when and which sessions ended; the password itself nowhere."""
    site.add_user("li.na", "auditor")
    here, elsewhere = site.sign_in("li.na"), site.sign_in("li.na")
    assert change(here) == 303
    assert "Your other sessions were ended: 1." in here.get("/sessions").text
    assert elsewhere.get("/sessions").status_code == 303
    story = events(site, "li.na")
    assert [actor for event, actor in story if isinstance(event, PasswordChanged)][-1] == "user:li.na"
    ((ended, actor),) = [(event, actor) for event, actor in story if isinstance(event, SessionEnded)]
    assert (ended.reason, actor) == ("password_changed", "user:li.na")
    assert NEW not in repr(story)
    assert site.sign_in("li.na", NEW).get("/sessions").status_code == 200
    stranger = site.browser()
    stranger.get("/sign-in")
    assert stranger.submit("/sign-in", name="li.na", password=PASSWORD).status_code == 422


@pytest.mark.parametrize(
    ("present", "wanted", "again", "told"),
    (
        ("a wrong password", NEW, None, "not your present password"),
        (PASSWORD, NEW, "something else entirely", "not the same"),
        (PASSWORD, PASSWORD, None, "is the present one"),
        (PASSWORD, "short", None, "at least 12 characters"),
        (PASSWORD, "x" * 257, None, "at most 256 characters"),
        (PASSWORD, "li.na-li.na-1", None, "little more than the sign-in name"),
    ),
)
def test_what_cannot_be_is_told_and_changes_nothing(
    site: Site, present: str, wanted: str, again: str | None, told: str
) -> None:
    site.add_user("li.na", "auditor")
    browser, other = site.sign_in("li.na"), site.sign_in("li.na")
    before = sum(isinstance(event, PasswordChanged) for event, _ in events(site, "li.na"))
    browser.get("/password")
    answer = browser.submit("/password", present=present, wanted=wanted, again=wanted if again is None else again)
    assert answer.status_code == 422
    assert told in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert wanted not in answer.text, "no password is sent back"
    assert other.get("/sessions").status_code == 200
    assert sum(isinstance(event, PasswordChanged) for event, _ in events(site, "li.na")) == before


def test_tries_count_as_those_of_a_sign_in_do(site: Site) -> None:
    """Screens and safety, V6: an open session does not let anybody try out passwords."""
    site.add_user("li.na", "auditor")
    browser = site.sign_in("li.na")
    assert [change(browser, present=f"wrong {n} wrong") for n in range(MOST["account"])] == [422] * MOST["account"]
    assert change(browser) == 429
    failed = [event for event, actor in events(site, "li.na") if isinstance(event, SignInFailed)]
    assert len(failed) == MOST["account"]


def test_it_is_linked_from_everywhere_and_in_both_languages(site: Site) -> None:
    site.add_user("li.na", "auditor")
    browser = site.sign_in("li.na")
    assert 'href="/password"' in browser.get("/sessions").text
    browser.submit("/language", language="zh", next="/password")
    page = browser.get("/password").text
    assert "修改我的密码" in page
    assert "当前密码" in page


def test_a_form_of_another_site_changes_nothing(site: Site) -> None:
    """CSRF."""
    site.add_user("li.na", "auditor")
    browser = site.sign_in("li.na")
    assert browser.post("/password", data={"present": PASSWORD, "wanted": NEW, "again": NEW}).status_code == 419
