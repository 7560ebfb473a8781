"""What holds for every page: headers, no script inside, escaped names, forms of ours only, no way to other files."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from orchestrator.cluster import Cluster
from orchestrator.domain.access.users import ROLES
from tests.postgres import Database, settings_for
from tests.web.conftest import PASSWORD, Site, site_of
from tests.web.test_routes import requests_of
from web import statics

WEB = Path(__file__).parents[2] / "web"
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'"


class Inline(HTMLParser):
    """Collects what a strict policy would have to allow: scripts and styles inside the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and not given.get("src")):
            self.found.append(f"<{tag}>")
        self.found += [f"{tag} {name}" for name in given if name.startswith("on") or name == "style"]
        self.found += [f"{tag} {name}={text}" for name, text in given.items() if (text or "").startswith("javascript:")]
        for name in ("src", "href", "action"):
            if "//" in (given.get(name) or ""):
                self.found.append(f"{tag} {name}={given[name]} is elsewhere")


def pages(site: Site) -> Iterator[tuple[str, str]]:
    """(role, path) of every page that needs nothing but its path."""
    for endpoint, method, path in requests_of(site.app):
        if method == "GET" and endpoint not in ("static", "push.stream"):
            yield endpoint, path


def test_every_answer_has_the_headers_of_a_strict_page(site: Site) -> None:
    """Screens and safety, V3."""
    site.app.testing = False
    site.app.config["PROPAGATE_EXCEPTIONS"] = False
    seen = 0
    for role in ROLES:
        browser = site.as_role(role)
        for _, path in [*pages(site), ("none", "/nowhere"), ("none", "/api/nowhere")]:
            response = browser.get(path)
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert "microphone=(self)" in response.headers["Permissions-Policy"]
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Referrer-Policy"] == "same-origin"
            assert "Server" not in response.headers
            if response.mimetype == "text/html":
                inline = Inline()
                inline.feed(response.text)
                assert not inline.found, f"{path}: {inline.found}"
                assert response.headers["Cache-Control"] == "no-store", path
                seen += 1
    assert seen > 2 * len(ROLES)


def test_a_page_may_talk_to_what_the_settings_name_and_to_nothing_more(
    database: Database, tmp_path: Path, cluster: Cluster
) -> None:
    """Screens and safety, V3: the policy comes from the settings."""
    settings = settings_for(tmp_path / "home", RINGLEDGER_WEB_CONNECT="wss://switch.example.com:7443")
    with site_of(database, settings, cluster) as site:
        policy = site.browser().get("/sign-in").headers["Content-Security-Policy"]
    directives = dict(directive.split(" ", 1) for directive in policy.split("; "))
    assert directives["connect-src"] == "'self' wss://switch.example.com:7443"
    assert {sources for name, sources in directives.items() if name != "connect-src"} <= {
        "'none'",
        "'self'",
        "'self' data:",
    }


def test_templates_escape_everything() -> None:
    """Screens and safety, V3: `|safe` is banned, and so is what does the same."""
    wrong = []
    for file in (*WEB.rglob("*.html"), *WEB.rglob("*.py")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(r"\|\s*safe\b|autoescape|Markup\(f|Markup\(\w+\)|render_template_string|srcdoc", line):
                wrong.append(f"{file.relative_to(WEB)}:{number}: {line.strip()}")
    assert not wrong, "\n".join(wrong)


def test_a_name_that_is_a_script_is_shown_as_text(site: Site) -> None:
    """Bad input of issue 3: XSS in a name."""
    site.add_user("evil", "auditor", name=EVIL)
    admin = site.as_role("admin")
    for page in (admin.get("/users"), admin.get("/users/evil"), site.sign_in("evil").get("/sessions")):
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text


def test_a_browser_that_calls_itself_a_script_is_shown_as_text(site: Site) -> None:
    site.add_user("wang", "auditor")
    browser = site.browser()
    browser.get("/sign-in")
    browser.post(
        "/sign-in",
        data={"csrf_token": browser.csrf_token, "name": "wang", "password": PASSWORD},
        headers={"User-Agent": EVIL},
    )
    page = browser.get("/sessions").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_what_is_typed_into_an_address_is_shown_as_text(site: Site) -> None:
    page = site.browser().get("/sign-in", query_string={"next": '/"><script>alert(1)</script>'})
    assert "<script>alert" not in page.text


# --- forms of ours only ----------------------------------------------------------------------------------------------


def test_a_form_without_the_pages_token_changes_nothing(site: Site) -> None:
    """Bad input of issue 3: CSRF."""
    browser = site.as_role("auditor")
    for fields in ({}, {"csrf_token": ""}, {"csrf_token": "x"}, {"csrf_token": site.as_role("ops").csrf_token}):
        answer = browser.post("/sign-out", data=fields)
        assert answer.status_code == 419
        assert "out of date" in answer.text
    assert browser.get("/sessions").status_code == 200


@pytest.mark.parametrize(
    "headers",
    (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ),
)
def test_a_form_from_another_site_changes_nothing_even_with_the_token(site: Site, headers: dict[str, str]) -> None:
    browser = site.as_role("auditor")
    answer = browser.post("/sign-out", data={"csrf_token": browser.csrf_token}, headers=headers)
    assert answer.status_code == 403
    assert browser.get("/sessions").status_code == 200


def test_a_host_that_is_not_ours_gets_no_page(site: Site) -> None:
    """A page elsewhere whose name was pointed at us (DNS rebinding)."""
    answer = site.browser().get("/sign-in", base_url="http://evil.example/")
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"


def test_a_form_that_is_sent_twice_is_done_once(site: Site) -> None:
    """Bad input of issue 3: a replayed POST."""
    admin = site.as_role("admin")
    site.as_role("ops")
    admin.get("/users/ops-1")
    admin.submit("/users/ops-1/roles", roles=["ops", "qa"])
    before = site.reading.log.position()
    admin.submit("/users/ops-1/roles", roles=["ops", "qa"])
    assert site.reading.log.position() == before
    admin.submit("/users", user_id="li", name="Li", roles=["ops"])
    before = site.reading.log.position()
    assert admin.submit("/users", user_id="li", name="Li", roles=["ops"]).status_code == 422
    assert site.reading.log.position() == before


# --- errors in words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "code"), (("/api/v1/nothing", 404, "not_found"), ("/api/v1/../../etc/passwd", 404, "not_found"))
)
def test_a_program_gets_problem_details(site: Site, path: str, status: int, code: str) -> None:
    answer = site.browser().get(path)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.json is not None
    assert answer.json["code"] == code
    assert answer.json["status"] == status


def test_a_person_gets_a_page_that_says_what_to_do(site: Site) -> None:
    answer = site.as_role("ops").get("/users")
    assert (answer.status_code, answer.mimetype) == (403, "text/html")
    assert "Ask an administrator" in answer.text


def test_what_nobody_expected_is_said_without_its_inside(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = site.as_role("auditor")
    site.app.testing = False
    site.app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setitem(site.app.view_functions, "access.my_sessions", _broken(site))
    answer = browser.get("/sessions")
    assert answer.status_code == 500
    assert "a secret" not in answer.text
    assert "It was noted" in answer.text


def _broken(site: Site) -> object:
    whole = site.app.view_functions["access.my_sessions"]

    def view() -> str:
        raise RuntimeError("a secret")

    view.__dict__.update(whole.__dict__)
    return view


def test_a_body_that_is_too_long_is_refused(site: Site) -> None:
    browser = site.browser()
    browser.get("/sign-in")
    assert browser.submit("/sign-in", name="x" * 300_000, password="x").status_code == 413


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    (
        "../app.py",
        "..%2fapp.py",
        "%2e%2e/%2e%2e/etc/passwd",
        "....//app.py",
        "/etc/passwd",
        "css/../../app.py",
        "css\\..\\app.py",
        "\x00",
        "css/ringledger.css\x00.png",
    ),
)
def test_no_path_leads_out_of_the_static_files(site: Site, name: str) -> None:
    """Bad input of issue 3: path traversal."""
    answer = site.browser().get(f"/static/{statics.version()}/{name}")
    assert answer.status_code in (404, 308)
    assert "create_app" not in answer.text
    assert "root:" not in answer.text


def test_static_files_are_kept_for_ever_under_their_version_and_asked_anew_otherwise(site: Site) -> None:
    browser = site.browser()
    now = browser.get(f"/static/{statics.version()}/css/ringledger.css", headers={"Accept-Encoding": "gzip"})
    assert "immutable" in now.headers["Cache-Control"]
    assert now.headers["Content-Encoding"] == "gzip"
    old = browser.get("/static/000000000000/css/ringledger.css")
    assert old.headers["Cache-Control"] == "no-cache"
    assert old.data == (WEB / "static/css/ringledger.css").read_bytes()


@pytest.mark.parametrize("path", ("/customers/", "/orders/", "/audit/?name=ContactEnded"))
def test_before_a_read_model_was_built_a_page_says_that_it_is_not_ready(site: Site, path: str) -> None:
    """Feature 11.7: on the first start the pages are there before what they show."""
    role = "auditor" if path.startswith("/audit") else "back_office"
    page = site.as_role(role).get(path, headers={"Accept": "text/html"})
    assert page.status_code == 503
    assert "Not ready yet" in page.text
    assert page.headers["Retry-After"]
