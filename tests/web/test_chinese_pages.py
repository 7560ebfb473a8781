"""No English on Chinese pages: all that each role can open after a busy day is read for runs of English words."""

import re
from html import unescape
from typing import Final

import pytest

from orchestrator.domain.access.users import ROLES
from tests.web.conftest import Site
from tests.web.day import CUSTOMER, Day
from tests.web.test_routes import requests_of

# Three words in a row, the second and third of them small: names, codes, units and numbers are none.
ENGLISH: Final = re.compile(r"\b[A-Za-z][a-z]+ [a-z]{2,} [a-z]{2,}\b")
_UNREAD: Final = re.compile(r"<(script|style|code|pre|textarea)\b.*?</\1>", re.DOTALL)
_SAID: Final = re.compile(r'\b(?:title|aria-label|placeholder|alt|data-words|data-lost|data-away)="([^"]*)"')
_TAG: Final = re.compile(r"<[^>]*>")
# What leads elsewhere is followed by the browser, and read by nobody.
_ELSEWHERE: Final = range(300, 400)
# What is no page: streams, files and what is for programs.
NO_PAGES: Final = ("/api/", "/healthz", "/push", "/static", "/stream")


def paths(site: Site, day: Day) -> list[str]:
    """Every page that can be asked for: those without a name in their address, and those of what the day left."""
    plain = {path for _, method, path in requests_of(site.app) if method == "GET" and not path.startswith(NO_PAGES)}
    contacts = [f"/history/contacts/{contact}" for contact in day.contacts[:6]]
    wrong = ["/history/?number=nobody", "/history/?from=never", "/audit/?from=never", "/replay/?at=never"]
    return [*sorted(plain), *contacts, *(f"{path}/why" for path in contacts), f"/customers/{CUSTOMER}", *wrong]


def english(html: str) -> list[str]:
    """Runs of English in what is read or told of a page."""
    kept = _UNREAD.sub(" ", html)
    said = [unescape(text) for text in (*_SAID.findall(kept), *_TAG.split(kept))]
    return [text.strip()[:100] for text in said if ENGLISH.search(text)]


def test_a_run_of_english_is_found() -> None:
    assert english('<p title="A word of warning">中文</p><p>Ann Archer 801</p><p>Look at <b>what is now</b></p>') == [
        "A word of warning",
        "what is now",
    ]


@pytest.mark.parametrize("role", ROLES)
def test_a_chinese_page_speaks_chinese(site: Site, day: Day, role: str) -> None:
    """Issue 3: Chinese and English from the start; what is refused, too."""
    browser = site.as_role(role)
    found, read = [], 0
    for path in paths(site, day):
        answer = browser.get(path, headers={"Accept-Language": "zh-CN", "Accept": "text/html"})
        if answer.mimetype == "text/html" and answer.status_code not in _ELSEWHERE:
            read += 1
            found += [f"{path} ({answer.status_code}): {text}" for text in english(answer.text)]
        answer.close()
    assert read > 10
    assert not found, "\n".join(dict.fromkeys(found))
