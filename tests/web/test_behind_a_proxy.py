"""Behind a proxy with TLS: cookies that only this host gets and only by https, and the proxy's word on who asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.cluster import Cluster
from orchestrator.domain.access.users import UserSignedIn
from tests.postgres import Database, settings_for
from tests.web.conftest import PASSWORD, Browser, Site, site_of

ORIGIN = "https://desk.example.com"


@pytest.fixture
def secure(database: Database, cluster: Cluster, tmp_path: Path) -> Iterator[Site]:
    """The application as a proxy's own."""
    settings = settings_for(tmp_path / "home", RINGLEDGER_WEB_ORIGIN=ORIGIN)
    with site_of(database, settings, cluster) as site:
        yield site


def ask(browser: Browser, method: str, path: str, **given: object) -> tuple[int, list[str]]:
    """Status and cookies of an answer that the proxy asked for on behalf of 203.0.113.7."""
    headers = {"X-Forwarded-For": "6.6.6.6, 203.0.113.7", "X-Forwarded-Proto": "https", "Referer": f"{ORIGIN}{path}"}
    response = browser.open(path, method=method, base_url="http://desk.example.com", headers=headers, **given)
    assert response.headers["Strict-Transport-Security"] == "max-age=31536000"
    return response.status_code, response.headers.getlist("Set-Cookie")


def test_cookies_are_for_this_host_and_https_only_and_the_address_is_the_callers(secure: Site) -> None:
    """Screens and safety, V6/V7: __Host-, Secure, HttpOnly, SameSite=Strict."""
    secure.add_user("wang", "auditor")
    browser = secure.browser()
    _, before = ask(browser, "GET", "/sign-in")
    fields = {"csrf_token": browser.csrf_token, "name": "wang", "password": PASSWORD}
    kept = dict(cookie.partition(";")[0].split("=", 1) for cookie in before)
    for name, value in kept.items():
        browser.set_cookie(name, value, domain="desk.example.com", secure=True)
    status, after = ask(browser, "POST", "/sign-in", data=fields)
    assert status == 303
    for cookie in (*before, *after):
        assert cookie.startswith("__Host-ringledger")
        for word in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
            assert word in cookie, cookie
        assert "Domain" not in cookie
    last = list(secure.reading.log.stream("user-wang"))[-1].event
    assert isinstance(last, UserSignedIn)
    assert last.address == "203.0.113.7", "the last hop's word counts, not what the caller wrote before it"


def test_without_a_proxy_nobody_says_where_they_come_from(site: Site) -> None:
    site.add_user("wang", "auditor")
    browser = site.browser()
    browser.get("/sign-in")
    fields = {"csrf_token": browser.csrf_token, "name": "wang", "password": PASSWORD}
    browser.post("/sign-in", data=fields, headers={"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"})
    last = list(site.reading.log.stream("user-wang"))[-1].event
    assert isinstance(last, UserSignedIn)
    assert last.address == "127.0.0.1"
