"""Signing in, being thrown out, and what nobody gets past."""

from tests.web.conftest import Site


def test_whoever_knows_the_password_comes_in(site: Site) -> None:
    site.add_user("wang", "auditor", name="Wang Fang")
    browser = site.sign_in("wang")
    assert "Wang Fang" in browser.get("/sessions").text
