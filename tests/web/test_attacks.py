"""What people try who want more than they are given: odd input at every route, other people's things, other sites."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from flask import Flask

import web
from orchestrator.domain.access.users import ROLES
from tests.postgres import Database
from tests.web.conftest import Browser, Site
from tests.web.day import Day, played
from web.api.buckets import Buckets
from web.api.operations import OPERATIONS
from web.api.serving import BUCKETS
from web.fresh import AFTER

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
# Right answers where no orchestrator runs and what is asked for needs one.
_AWAY: Final = {"engine_away", "late", "not_ready"}
_LONGEST_S: Final = 40.0


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
def day(site: Site, database: Database) -> Iterator[Day]:
    with played(site, database) as day:
        yield day


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


def test_no_route_falls_over_whatever_its_address_and_form_carry(site: Site, day: Day) -> None:
    browser, names = everything(site), fields_of(ROOT)
    browser.get("/sessions")
    token, begun, wrong = {"X-CSRFToken": browser.csrf_token}, time.monotonic(), []
    for value in ODD:
        fields = dict.fromkeys(names, value)
        for endpoint, method, path in paths_of(site.app, value):
            if method == "GET":
                response = browser.open(path, query_string=fields)
            elif path.startswith("/api/"):
                response = browser.open(path, method=method, json=fields, headers=token)
            else:
                response = browser.open(path, method=method, data=fields, headers=token)
            if fault := faults(response):
                wrong.append(f"{method} {endpoint} with {value[:20]!r}: {fault}")
    assert not wrong, "\n".join(wrong)
    assert time.monotonic() - begun < _LONGEST_S


def test_no_page_falls_over_one_odd_word_in_its_address(site: Site, day: Day) -> None:
    browser, begun = everything(site), time.monotonic()
    asked = [
        (path, name, value)
        for endpoint, method, path in paths_of(site.app, day.contacts[-1])
        if method == "GET" and not path.startswith("/api/")
        for name in fields_of(ROOT / endpoint.partition(".")[0])
        for value in SHARP
    ]
    wrong = {each: fault for each in asked if (fault := faults(browser.get(each[0], query_string={each[1]: each[2]})))}
    assert not wrong
    assert time.monotonic() - begun < _LONGEST_S


def test_no_question_of_a_program_falls_over_one_odd_word(site: Site, day: Day) -> None:
    browser, begun = everything(site), time.monotonic()
    asked = [
        ("/api/v1" + re.sub(r"\{\w+\}", day.contacts[-1], operation.path), field.name, value)
        for operation in OPERATIONS
        if operation.method == "GET"
        for field in msgspec.structs.fields(operation.query)
        for value in SHARP
    ]
    wrong = {each: fault for each in asked if (fault := faults(browser.get(each[0], query_string={each[1]: each[2]})))}
    assert not wrong
    assert time.monotonic() - begun < _LONGEST_S
