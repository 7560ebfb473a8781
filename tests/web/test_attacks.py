"""What people try who want more than they are given: odd input at every route, forms of other sites,
many tries at the door, names that are markup. Other people's things: `test_scope`.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

import msgspec
import pytest
from flask import Flask
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.wsgi import get_current_url

import web
from orchestrator.domain.access.users import ROLES
from orchestrator.domain.contacts.contacts import ContactArrived
from orchestrator.domain.kernel import ident_of
from orchestrator.domain.switch import facts
from orchestrator.service import attempts
from projections.catalogue import PROJECTIONS
from tests.audit.centre import NODE
from tests.web.conftest import PASSWORD, Browser, Site
from tests.web.day import Day
from web.api.buckets import Buckets
from web.api.operations import OPERATIONS
from web.api.serving import BUCKETS
from web.fresh import AFTER
from web.push import Audience
from web.push.frames import frame

# One value of each kind that some layer below is known to choke on: text of PostgreSQL holds no NUL, bigint ends at
# 2^63, int() at 4300 digits, urlsplit at brackets, base64 and JSON at almost everything, calendars at both ends.
ROOT: Final = Path(web.__file__).parent
ODD: Final = (
    "",
    "\x00",
    "a\x00b",
    "-1",
    "0",
    "9" * 25,
    "9" * 5000,
    "1e999",
    "٣",
    "x" * 6000,
    "\u202e\U0001f4a3é\ufffe",
    "' OR 1=1 --",
    "%s%(x)s{0}{{7*7}}",
    "//[",
    "../../etc/passwd",
    "<img src=x onerror=alert(1)>",
    "a\r\nSet-Cookie: x=1",
    "WzFd",
    "W10",
    "0001-01-01",
    "9999-12-31T23:59:59",
    "9999999999999999",
    "[[[[" * 200,
    "desk:a1",
    "contact-x",
)
# What single fields of a page get: the others stay away, so that none is refused before its turn.
SHARP: Final = (
    "x", "9" * 25, "9" * 5000, "9" * 19, "-1", "//[", "0001-01-01", "9999-12-31T23:59:59", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00", "WzFd", "[[[[" * 200,
)  # fmt: skip
_NAMED: Final = re.compile(r"""(?:args|form)(?:\.get|\.getlist)?[\[(]\s*"(\w+)"|_(?:field|instant)\("(\w+)\"""")
_LISTED: Final = re.compile(r"""\bin \(("(?:\w+", ")+\w+")\)|fields = \(("(?:\w+", ")+\w+")\)""")
# Fields as the library encodes them for an address and for a form; here once a value, and not once a request.
_AS_IS: Final = "!$'()*,/:;?@"
_FORM: Final = "application/x-www-form-urlencoded"
# Right answers where no orchestrator runs and what is asked for needs one.
_AWAY: Final = {"engine_away", "late", "not_ready"}


def fields_of(package: Path) -> list[str]:
    """Every name that pages of this package read out of their address or form, as the source says."""
    texts = [path.read_text(encoding="utf-8") for path in package.rglob("*.py")]
    named = {one or other for text in texts for one, other in _NAMED.findall(text)}
    listed = {name for text in texts for pair in _LISTED.findall(text) for each in pair for name in each.split('"')}
    return sorted(named | {AFTER} | {name for name in listed if name.isidentifier()})


def test_the_names_of_fields_are_found() -> None:
    assert {"number", "agent", "queue", "from", "to", "cursor"} <= set(fields_of(ROOT / "history"))
    assert {"about", "stream", "actor", "name", "after", "note", "contact"} <= set(fields_of(ROOT)), fields_of(ROOT)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page waits long for a position that does not come, and many such are asked for."""
    for module in ("web.fresh", "web.api.serving"):
        monkeypatch.setattr(f"{module}.WAIT_S", 0.02)


@pytest.fixture(autouse=True)
def cookies_without_query(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client takes a whole address apart, twice a request, to know whose cookies it sends and gets. They are a
    host's and a path's: it need not decode queries of a megabyte for that. What is sent is the same.
    """
    monkeypatch.setattr(
        "werkzeug.test.get_current_url", lambda environ: get_current_url({**environ, "QUERY_STRING": ""})
    )


def everything(site: Site) -> Browser:
    """Somebody whom no permission stops."""
    site.add_user("everything", *ROLES, agent_id="a1")
    browser = site.sign_in("everything")
    site.app.extensions[BUCKETS] = Buckets(per_s=1e9, burst=1e9)
    site.app.testing = False
    site.app.config["PROPAGATE_EXCEPTIONS"] = False
    return browser


def paths_of(app: Flask, value: str) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, path) of every route, with this value in each of its places."""
    adapter = app.url_map.bind("localhost")
    fits = {"UUIDConverter": "00000000-0000-4000-8000-000000000000", "IntegerConverter": "9" * 19}
    for rule in app.url_map.iter_rules():
        places = {name: fits.get(type(kind).__name__, value or "x") for name, kind in rule._converters.items()}
        if rule.endpoint in {"access.sign_out", "static", "health.healthz"}:
            continue
        path = adapter.build(rule.endpoint, places, force_external=False)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule.endpoint, method, path


def faults(response: Any) -> str:  # noqa: ANN401 - werkzeug's answer
    """What is wrong with an answer, whatever was asked; empty for nothing."""
    if response.mimetype == "text/event-stream":
        response.close()
        return ""
    text = response.text
    if response.status_code >= 500:
        code = response.json.get("code", "") if response.is_json else "engine_away" if "is away" in text else ""
        return "" if code in _AWAY else f"{response.status_code} {code}"
    if "Traceback" in text or "psycopg" in text:
        return "tells of its inside"
    if "<img src=x" in text and response.mimetype == "text/html":
        return "writes down markup that came from outside"
    if response.headers.get("Cache-Control") != "no-store":
        return "may be kept by a cache"
    return ""


@pytest.mark.usefixtures("hurried")
def test_no_route_falls_over_whatever_its_address_and_form_carry(site: Site, day: Day) -> None:
    browser, names = everything(site), fields_of(ROOT)
    browser.get("/sessions")
    token, wrong = {"X-CSRFToken": browser.csrf_token}, []
    for value in ODD:
        fields = dict.fromkeys(names, value)
        encoded = urlencode(fields, safe=_AS_IS)
        for endpoint, method, path in paths_of(site.app, value):
            if method == "GET":
                response = browser.open(path, query_string=encoded)
            elif path.startswith("/api/"):
                response = browser.open(path, method=method, json=fields, headers=token)
            else:
                response = browser.open(path, method=method, data=encoded, content_type=_FORM, headers=token)
            if fault := faults(response):
                wrong.append(f"{method} {endpoint} with {value[:20]!r}: {fault}")
    assert not wrong, "\n".join(wrong)


class Fields(ImmutableMultiDict[str, str]):
    """The fields of a request, which remember the names that are asked for, `*` where all are looked at."""

    looked_at: ClassVar[set[str]] = set()

    def __getitem__(self, key: str) -> str:
        self.looked_at.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.looked_at.add(str(key))
        return super().__contains__(key)

    def getlist(self, key: str, type: Any = None) -> list[Any]:  # noqa: A002, ANN401 - as werkzeug has it
        self.looked_at.add(key)
        return super().getlist(key, type)

    def __len__(self) -> int:
        self.looked_at.add("*")
        return super().__len__()

    def __iter__(self) -> Iterator[str]:
        self.looked_at.add("*")
        return super().__iter__()

    def items(self, multi: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - as werkzeug has it
        self.looked_at.add("*")
        return super().items(multi)

    def lists(self) -> Any:  # noqa: ANN401 - as werkzeug has it
        self.looked_at.add("*")
        return super().lists()


def note_fields(app: Flask) -> None:
    """Let requests remember them. The gate goes through all of every request and knows no names: that is no look."""
    app.request_class = type("Noting", (app.request_class,), {"parameter_storage_class": Fields})
    app.before_request_funcs.setdefault(None, []).append(lambda: Fields.looked_at.discard("*"))


def looked_at(browser: Browser, endpoint: str, path: str) -> set[str]:
    """The fields that a page looks for while its address has none: any other, given alone, changes nothing but the
    address, which pages show, so there is always one.
    """
    Fields.looked_at.clear()
    browser.get(path)
    names = set(Fields.looked_at)
    return set(fields_of(ROOT / endpoint.partition(".")[0])) | names - {"*"} if "*" in names else names or {"x"}


@pytest.mark.usefixtures("hurried")
def test_no_page_falls_over_one_odd_word_in_its_address(site: Site, day: Day) -> None:
    browser = everything(site)
    note_fields(site.app)
    pages = [
        (endpoint, path)
        for endpoint, method, path in paths_of(site.app, day.contacts[-1])
        if method == "GET" and not path.startswith("/api/")
    ]
    asked = [
        (path, name, value)
        for endpoint, path in pages
        for name in sorted(looked_at(browser, endpoint, path))
        for value in SHARP
    ]
    assert {("/history/", name) for name in ("number", "agent", "from", "cursor")} <= {each[:2] for each in asked}
    wrong = {each: fault for each in asked if (fault := faults(browser.get(each[0], query_string={each[1]: each[2]})))}
    assert not wrong


@pytest.mark.usefixtures("hurried")
def test_no_question_of_a_program_falls_over_one_odd_word(site: Site, day: Day) -> None:
    browser = everything(site)
    asked = [
        ("/api/v1" + re.sub(r"\{\w+\}", day.contacts[-1], operation.path), field.name, value)
        for operation in OPERATIONS
        if operation.method == "GET"
        for field in msgspec.structs.fields(operation.query)
        for value in SHARP
    ]
    wrong = {each: fault for each in asked if (fault := faults(browser.get(each[0], query_string={each[1]: each[2]})))}
    assert not wrong


HEADERS: Final = (
    "Accept", "Accept-Language", "Authorization", "Content-Type", "Cookie", "Idempotency-Key", "If-None-Match",
    "Last-Event-ID", "Origin", "Range", "Referer", "Sec-Fetch-Site", "User-Agent", "X-CSRFToken", "X-Forwarded-For",
    "X-Forwarded-Host", "X-HTTP-Method-Override", "X-Requested-With",
)  # fmt: skip


BROKEN: Final = ("", "\x01a\x00b", "9" * 5000, "é\xff", "=;,\"'", "Bearer \x00", "bytes=9-1", "a=b; ringledger=\x00")


def test_no_header_makes_anything_fall_over(site: Site, day: Day) -> None:
    browser = everything(site)
    asked = (
        ("GET", "/sessions"), ("GET", "/stream?topics=floor"), ("GET", "/api/v1/contacts"), ("POST", "/language"),
        ("POST", "/api/v1/orders"), ("GET", "/static/js/page.js"),
    )  # fmt: skip
    wrong = []
    for name in HEADERS:
        for value in BROKEN:
            for method, path in asked:
                response = browser.open(path, method=method, headers={name: value})
                response.close()
                if response.status_code >= 500:
                    wrong.append(f"{method} {path} with {name}: {value[:20]!r}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("browser_name", ("a\x00b", "é" * 500, "<img src=x>"))
def test_whatever_a_browser_calls_itself_its_user_gets_in_and_reads_it_as_text(site: Site, browser_name: str) -> None:
    site.add_user("wang", "auditor")
    browser = site.browser()
    browser.get("/sign-in")
    fields = {"csrf_token": browser.csrf_token, "name": "wang", "password": PASSWORD}
    assert browser.post("/sign-in", data=fields, headers={"User-Agent": browser_name}).status_code == 303
    page = browser.get("/sessions").text
    assert "\x00" not in page
    assert "<img" not in page


# --- other sites in the same browser ----------------------------------------------------------------------------------
def changing(app: Flask) -> list[tuple[str, str]]:
    """(method, path) of everything that changes something, the sign-out last."""
    found = [(method, path) for _, method, path in paths_of(app, "x") if method != "GET"]
    return [*found, ("POST", "/sign-out")]


def test_no_form_of_another_site_is_taken(site: Site, day: Day) -> None:
    """Neither without a token, nor with another browser's, nor where the browser says that it comes from elsewhere."""
    browser, other = everything(site), site.browser()
    other.get("/sign-in")
    browser.get("/sessions")
    before, mine, theirs = site.reading.log.position(), browser.csrf_token, other.csrf_token
    assert mine != theirs
    given: tuple[tuple[dict[str, str], int], ...] = (
        ({}, 419),
        ({"X-CSRFToken": theirs}, 419),
        ({"X-CSRFToken": mine, "Origin": "https://evil.example"}, 403),
        ({"X-CSRFToken": mine, "Origin": "http://localhost.evil.example"}, 403),
        ({"X-CSRFToken": mine, "Origin": "null"}, 403),
        ({"X-CSRFToken": mine, "Origin": "http://["}, 403),
        ({"X-CSRFToken": mine, "Sec-Fetch-Site": "cross-site"}, 403),
        ({"X-CSRFToken": mine, "Sec-Fetch-Site": "same-site"}, 403),
    )
    for headers, status in given:
        for method, path in changing(site.app):
            answer = browser.open(path, method=method, headers=headers)
            assert answer.status_code == status, f"{method} {path} {headers}"
    assert site.reading.log.position() == before
    assert browser.get("/sessions").status_code == 200


@pytest.mark.parametrize(
    "host", ("evil.example", "localhost.evil.example", "127.0.0.1@evil.example", "localhost:x", "")
)
def test_a_name_that_was_pointed_at_us_is_answered_with_nothing(site: Site, host: str) -> None:
    """A page elsewhere whose name now leads here would else read what we answer (DNS rebinding)."""
    for path in ("/sign-in", "/", "/api/", "/none"):
        answer = site.browser().get(path, headers={"Host": host})
        assert answer.status_code == 400, path
        assert "evil" not in answer.text
        assert "Set-Cookie" not in answer.headers


# --- nobody, at the door ----------------------------------------------------------------------------------------------
def test_many_tries_at_the_same_moment_are_no_more_than_one_after_the_other(site: Site) -> None:
    count = 3 * attempts.MOST["account"]
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: site.reading.attempts.begin("wang", "127.0.0.1"), range(count)))
    assert sum(wait == 0 for wait in waits) == attempts.MOST["account"]
    assert all(0 <= wait <= attempts.WINDOW_S for wait in waits)


def test_right_passwords_do_not_use_up_an_offices_tries(site: Site) -> None:
    """An office behind one router signs in many times a morning."""
    for _ in range(attempts.MOST["address"] + 5):
        assert site.reading.attempts.begin("wang", "203.0.113.7") == 0
        site.reading.attempts.succeeded("wang", "203.0.113.7")


def test_signing_in_over_a_session_ends_that_one(site: Site) -> None:
    browser = site.as_role("auditor")
    first = browser.get_cookie("ringledger")
    assert first is not None
    site.add_user("wang", "ops")
    assert browser.submit("/sign-in", name="wang", password=PASSWORD).status_code == 303
    thief = site.browser()
    thief.set_cookie("ringledger", first.value)
    assert thief.get("/sessions").status_code == 303


# --- what callers send ------------------------------------------------------------------------------------------------
HOSTILE: Final = '"><img src=x onerror=alert(1)>\r\ndata: x\u2028{{7*7}}%s'


def test_what_a_caller_calls_themselves_is_text_on_every_page(site: Site, day: Day) -> None:
    before = len(day.centre.records)
    leg = facts.LegParked(
        node=NODE, leg="hostile", inbound=True, dialled="4000", caller_number=HOSTILE, caller_name=HOSTILE,
        context="ringledger-inbound",
    )  # fmt: skip
    day.centre.give(leg, 100)
    day.centre.ready(1)
    last = day.reads.store(day.centre.records[before:])
    for projection in PROJECTIONS.values():
        day.reads.keep_up(projection)
    live = site.app.extensions["ringledger-live"]
    assert live.view.wait_for(last, 10)
    contact_id = next(ident_of(r.stream) for r in day.centre.records[before:] if isinstance(r.event, ContactArrived))
    browser = everything(site)
    kinds, audience = live.hub._kinds, Audience("en", sees_numbers=True)
    told = [kinds["floor"].render("", audience), kinds["desk"].render("a1", audience)]
    pages = ["/desk/", "/floor/", "/history/", f"/history/contacts/{contact_id}", "/replay/", "/desk/day"]
    told += [browser.get(path).text for path in pages]
    told += [frame("floor", each).decode() for each in told]
    assert any("&lt;img src=x" in each and "{{7*7}}%s" in each for each in told)
    for each in told:
        assert "<img" not in each
    assert all(line.startswith(("event: ", "data: ")) for line in frame("floor", HOSTILE).decode().split("\n") if line)


_BY_TEMPLATE: Final = re.compile(r"\|\s*safe\b|autoescape|Markup|=\{\{|<script(?![^>]* src=)|\sstyle=|\son[a-z]+=")
_LINK_FROM_DATA: Final = re.compile(
    r'(?:href|src|action)="\{\{(?!\s*(?:url_for|static_url|item\.url|following|page_of)\b)'
)
_BY_SCRIPT: Final = re.compile(r"innerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|outerHTML\s*=")


def test_templates_and_scripts_have_no_way_around_escaping() -> None:
    """Autoescape is on, attributes are quoted, links are made by us, and scripts put in place what was parsed apart."""
    for path in ROOT.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not _BY_TEMPLATE.search(text), path
        assert not _LINK_FROM_DATA.search(text), path
    for path in (ROOT / "static" / "js").glob("*.js"):
        assert not _BY_SCRIPT.search(path.read_text(encoding="utf-8")), path
    for path in ROOT.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"""Markup\((?!["'])""", text), f"{path}: only what stands in the source is markup"
        assert "render_template_string" not in text, path
