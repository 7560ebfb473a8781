"""Signing in, being thrown out, and what nobody gets past (features 12.6; bad input of issue 3)."""

import psycopg
import pytest

from orchestrator.domain.access.users import SessionEnded, SignInFailed, UserSignedIn
from orchestrator.service import attempts
from tests.postgres import Database
from tests.web.conftest import PASSWORD, Site


def test_whoever_knows_the_password_comes_in(site: Site) -> None:
    site.add_user("wang", "auditor", name="Wang Fang")
    assert "Wang Fang" in site.sign_in("wang").get("/sessions").text
    events = [record.event for record in site.reading.log.stream("user-wang")]
    assert isinstance(events[-1], UserSignedIn)
    assert events[-1].address == "127.0.0.1"


@pytest.mark.parametrize(
    ("name", "password"),
    (("wang", "wrong"), ("wang", ""), ("nobody", PASSWORD), ("", PASSWORD), ("wang' or '1'='1", "x"), ("x" * 500, "x")),
)
def test_whoever_does_not_is_told_the_same_whatever_was_wrong(site: Site, name: str, password: str) -> None:
    site.add_user("wang", "auditor")
    browser = site.browser()
    browser.get("/sign-in")
    answer = browser.submit("/sign-in", name=name, password=password)
    assert answer.status_code == 422
    assert "do not belong together" in answer.text
    assert browser.get_cookie("ringledger") is None
    assert browser.get("/sessions").status_code == 303


def test_a_failure_is_on_the_users_stream(site: Site) -> None:
    site.add_user("wang", "auditor")
    browser = site.browser()
    browser.get("/sign-in")
    browser.submit("/sign-in", name="wang", password="wrong")
    last = list(site.reading.log.stream("user-wang"))[-1].event
    assert last == SignInFailed(reason="wrong_password", address="127.0.0.1")


def test_after_ten_failures_even_the_right_password_waits(site: Site) -> None:
    site.add_user("wang", "auditor")
    browser = site.browser()
    browser.get("/sign-in")
    for _ in range(attempts.MOST["account"]):
        assert browser.submit("/sign-in", name="wang", password="wrong").status_code == 422
    answer = browser.submit("/sign-in", name="wang", password=PASSWORD)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= attempts.WINDOW_S
    site.add_user("li", "auditor")
    assert site.sign_in("li").get("/sessions").status_code == 200, "others are not kept waiting"


def test_after_the_window_the_right_password_is_enough(site: Site, database: Database) -> None:
    site.add_user("wang", "auditor")
    browser = site.browser()
    browser.get("/sign-in")
    for _ in range(attempts.MOST["account"]):
        browser.submit("/sign-in", name="wang", password="wrong")
    with psycopg.connect(database.writer, autocommit=True) as connection:
        connection.execute("UPDATE web.attempts SET since = since - make_interval(secs => %s)", (attempts.WINDOW_S,))
    assert browser.submit("/sign-in", name="wang", password=PASSWORD).status_code == 303


def test_an_address_that_tries_many_accounts_waits_too(site: Site) -> None:
    browser = site.browser()
    browser.get("/sign-in")
    for number in range(attempts.MOST["address"]):
        site.reading.attempts.begin(f"user{number}", "127.0.0.1")
    assert browser.submit("/sign-in", name="anybody", password="x").status_code == 429


def test_signing_out_ends_the_session_and_not_only_the_cookie(site: Site) -> None:
    browser = site.as_role("auditor")
    cookie = browser.get_cookie("ringledger")
    assert cookie is not None
    assert browser.submit("/sign-out").status_code == 303
    browser.set_cookie("ringledger", cookie.value)
    assert browser.get("/sessions").status_code == 303
    last = list(site.reading.log.stream("user-auditor-1"))[-1].event
    assert isinstance(last, SessionEnded)
    assert last.reason == "signed_out"


@pytest.mark.parametrize("key", ("", "x", "0" * 43, "' OR 1=1 --", "é" * 10, "a" * 4_000))
def test_a_forged_session_is_none(site: Site, key: str) -> None:
    browser = site.browser()
    browser.set_cookie("ringledger", key)
    assert browser.get("/sessions").status_code == 303


def test_a_session_that_another_browser_ends_is_over(site: Site) -> None:
    first, second = site.as_role("auditor"), site.as_role("auditor")
    changed: list[str] = []
    site.reading.users.on_change(changed.append)
    others = site.reading.sessions.open("auditor-1")
    assert len(others) == 2
    oldest = others[-1].session_id
    second.get("/sessions")
    assert second.submit(f"/sessions/{oldest}/end").status_code == 303
    assert first.get("/sessions").status_code == 303
    assert "auditor-1" in changed, "whoever keeps streams open is told"


def test_nobody_ends_a_session_of_another(site: Site) -> None:
    victim, other = site.as_role("auditor"), site.as_role("ops")
    session = site.reading.sessions.open("auditor-1")[0].session_id
    assert other.submit(f"/sessions/{session}/end").status_code == 404
    assert victim.get("/sessions").status_code == 200


@pytest.mark.parametrize(
    "aged",
    (
        pytest.param("UPDATE web.sessions SET seen_at = seen_at - interval '2 hours'", id="idle"),
        pytest.param("UPDATE web.sessions SET ends_at = ends_at - interval '12 hours'", id="absolute"),
    ),
)
def test_a_session_ends_by_itself(site: Site, database: Database, aged: str) -> None:
    browser = site.as_role("auditor")
    with psycopg.connect(database.writer, autocommit=True) as connection:
        connection.execute(aged.encode())
    assert browser.get("/sessions").status_code == 303


def test_the_table_of_sessions_opens_none(site: Site, database: Database) -> None:
    """Keys are hashed at rest: who reads the table can sign in as nobody."""
    browser = site.as_role("auditor")
    cookie = browser.get_cookie("ringledger")
    assert cookie is not None
    with psycopg.connect(database.writer) as connection:
        row = connection.execute("SELECT s::text FROM web.sessions AS s").fetchone()
    assert row is not None
    assert cookie.value not in row[0]
    assert cookie.value.encode().hex() not in row[0]


def test_signing_in_anew_makes_a_new_session(site: Site) -> None:
    """A key that somebody slipped to the browser before is not the one that is signed in."""
    site.add_user("wang", "auditor")
    browser = site.browser()
    browser.set_cookie("ringledger", "A" * 43)
    browser.get("/sign-in")
    browser.submit("/sign-in", name="wang", password=PASSWORD)
    cookie = browser.get_cookie("ringledger")
    assert cookie is not None
    assert cookie.value != "A" * 43
    assert cookie.http_only
    assert cookie.same_site == "Strict"


@pytest.mark.parametrize(
    ("wanted", "led"),
    (
        ("/sessions?a=1", "/sessions?a=1"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
    ),
)
def test_sign_in_leads_on_to_pages_of_ours_only(site: Site, wanted: str, led: str) -> None:
    site.add_user("wang", "auditor")
    browser = site.browser()
    browser.get("/sign-in")
    answer = browser.submit("/sign-in", name="wang", password=PASSWORD, next=wanted)
    assert answer.headers["Location"] == led


def test_a_desk_goes_on_while_the_database_is_away_and_nobody_new_comes_in(site: Site) -> None:
    browser = site.as_role("auditor")
    site.lose_database()
    assert browser.get("/language").status_code == 405, "who it is is remembered"
    stranger = site.browser()
    stranger.set_cookie("ringledger", "A" * 43)
    answer = stranger.get("/sessions")
    assert answer.status_code == 503
    assert "Nothing was changed" in answer.text
    assert "Retry-After" in answer.headers
