"""A screen on a wall: a token of its own, in no log and no address, for the figures and for nothing else."""

import logging

import pytest

from orchestrator.domain.access.tokens import WALLBOARD
from orchestrator.domain.access.users import Grant
from orchestrator.domain.kernel import Refused
from tests.web.conftest import Browser, Site
from tests.web.day import Day
from tests.web.test_routes import ask, requests_of
from web.access.needs import permission_for
from web.access.roles import GRANTS, PUBLIC


def issued(site: Site, role: str = WALLBOARD) -> str:
    return site.reading.tokens.issue(role, days=300, actor="admin:test", note="hall")


def screen(site: Site, token: str) -> Browser:
    """A browser that has handed over this token, as the page's script does."""
    browser = site.browser()
    browser.get("/floor/wall")
    answer = browser.submit("/floor/wall", token=token)
    assert answer.status_code == 303, answer.text
    assert answer.headers["Location"] == "/floor/board"
    return browser


@pytest.mark.usefixtures("day")
def test_a_screen_shows_the_board_without_anybodys_session_or_name(site: Site, day: Day) -> None:
    """Screens and safety 4.14: figures only, for as long as the token lives."""
    wall = screen(site, issued(site))
    page = wall.get("/floor/board")
    assert page.status_code == 200
    assert "Sales" in page.text
    assert 'data-events="board"' in page.text
    for agent in day.centre.world.agents.values():
        assert agent.name not in page.text
    assert 'href="/floor/"' not in page.text, "nothing leads to what it may not see"
    stream = wall.get("/stream?topics=board", buffered=False)
    assert stream.status_code == 200
    stream.close()


def test_the_token_is_in_no_address_and_the_cookie_is_for_no_script(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Screens and safety, V16: secrets stand in no log."""
    token = issued(site)
    secret = token.rpartition("_")[2]
    with caplog.at_level(logging.DEBUG):
        browser = site.browser()
        browser.get("/floor/wall")
        answer = browser.submit("/floor/wall", token=token)
    assert secret not in answer.headers["Location"]
    assert secret not in caplog.text
    (cookie,) = [each for each in answer.headers.getlist("Set-Cookie") if "-wall=" in each]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Expires=" in cookie


def test_a_screen_gets_from_every_route_what_the_table_says(site: Site) -> None:
    """Feature 12.6: the route and role matrix for the role that no person has."""
    wall = screen(site, issued(site))
    site.app.testing = False
    site.app.config["PROPAGATE_EXCEPTIONS"] = False
    wrong = []
    for endpoint, method, path in requests_of(site.app):
        permission = permission_for(site.app, endpoint)
        allowed = permission in GRANTS[WALLBOARD]
        status = ask(wall, method, path)
        if status in (401, 403) if allowed else status not in (303, 401):
            wrong.append(f"{method} {path} ({permission}): {status}")
    assert not wrong, "\n".join(wrong)
    assert {permission for permission in GRANTS[WALLBOARD] if permission != PUBLIC} == {"board.watch", "pages.follow"}


@pytest.mark.usefixtures("day")
@pytest.mark.parametrize("topic", ("floor", "desk:a1", "day:a1", "queue:sales", "board:x"))
def test_a_screen_is_told_of_nothing_but_the_board(site: Site, topic: str) -> None:
    """Bad input: a forged topic."""
    assert screen(site, issued(site)).get(f"/stream?topics=board,{topic}").status_code == 403


@pytest.mark.parametrize("text", ("", "x", "rl_0123456789abcdef_" + "A" * 43, "../../etc/passwd"))
def test_what_is_no_token_of_a_wallboard_opens_nothing(site: Site, text: str) -> None:
    browser = site.browser()
    browser.get("/floor/wall")
    answer = browser.submit("/floor/wall", token=text)
    assert answer.status_code == 422
    assert "Set-Cookie" not in answer.headers or "-wall=" not in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("role", ("leader", "admin", "auditor"))
def test_a_programs_token_is_none_of_a_screen(site: Site, role: str) -> None:
    """A leaked address of a screen must never be worth more than the figures."""
    browser = site.browser()
    browser.get("/floor/wall")
    assert browser.submit("/floor/wall", token=issued(site, role)).status_code == 422


@pytest.mark.usefixtures("day")
def test_a_revoked_screen_is_told_so(site: Site) -> None:
    token = issued(site)
    wall = screen(site, token)
    assert wall.get("/floor/board").status_code == 200
    site.reading.tokens.revoke(token.split("_")[1], actor="admin:test")
    answer = wall.get("/floor/board")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/floor/wall")
    assert "has expired or was revoked" in wall.get("/floor/wall").text
    assert wall.get("/stream?topics=board").status_code in (303, 401)


@pytest.mark.usefixtures("day")
def test_a_person_may_still_sign_in_at_that_browser(site: Site) -> None:
    """The session comes first, and its role counts."""
    site.add_user("li.na", "agent", agent_id="a1")
    wall = screen(site, issued(site))
    assert wall.get("/sign-in").status_code == 200
    assert wall.submit("/sign-in", name="li.na", password="four plain words here").status_code == 303
    assert wall.get("/desk/").status_code == 200
    assert wall.get("/floor/board").status_code == 403


@pytest.mark.usefixtures("day")
def test_a_screen_that_is_switched_on_again_needs_no_second_token(site: Site) -> None:
    """Its start page may be the address with or without what stands behind #; other pages lead to the sign-in."""
    wall = screen(site, issued(site))
    page = wall.get("/floor/wall").text
    assert 'data-board="/floor/board"' in page
    assert "revoked" not in page
    assert wall.get("/").headers["Location"].startswith("/sign-in")
    assert "data-board" not in site.browser().get("/floor/wall").text


def test_a_token_of_a_wallboard_gives_a_program_nothing(site: Site) -> None:
    given = {"Authorization": f"Bearer {issued(site)}"}
    assert site.browser().get("/api/v1/contacts", headers=given).status_code == 403
    assert site.browser().get("/api/v1/position", headers=given).status_code == 403


def test_no_person_is_a_wallboard(site: Site) -> None:
    site.add_user("li.na", "auditor")
    with pytest.raises(Refused, match="no role wallboard"):
        site.reading.users.change("li.na", Grant(roles=(WALLBOARD,)), actor="admin:test")


def test_a_form_of_another_site_hangs_up_no_screen(site: Site) -> None:
    """CSRF."""
    assert site.browser().post("/floor/wall", data={"token": issued(site)}).status_code == 419
