"""English and Chinese: everything is translated, the switch keeps the page, times and durations are the site's."""

from datetime import UTC, datetime

import pytest
from babel.messages.catalog import Catalog

from orchestrator.domain.kernel import Instant
from tests.web.conftest import Site
from web import shown, wording

NOON = Instant(int(datetime(2026, 11, 22, 4, 0, tzinfo=UTC).timestamp() * 1_000_000))


def test_everything_is_translated() -> None:
    """Feature 4.7: an untranslated, fuzzy, stale or uncompiled text fails; `ringledger translations` says which."""
    problems = wording.problems()
    assert not problems, "\n".join(problems)


def test_what_is_wrong_with_a_catalogue_is_said() -> None:
    source, catalogue = Catalog(), Catalog(locale="zh")
    for text in ("missing", "empty", "fuzzy", "%(n)s calls", "good"):
        source.add(text)
    catalogue.add("empty", "")
    catalogue.add("fuzzy", "模糊", flags=("fuzzy",))
    catalogue.add("%(n)s calls", "来电")
    catalogue.add("good", "好")
    catalogue.add("old", "旧")
    assert [line.partition(":")[0] for line in wording._of_texts(source, catalogue)] == [
        "not in the catalogue",
        "not translated",
        "fuzzy",
        "lacks a place that the source has",
        "shown nowhere any more",
    ]


def test_the_switch_keeps_the_page_and_is_remembered_by_the_user(site: Site) -> None:
    """Screens and safety 19."""
    browser = site.as_role("auditor")
    page = browser.get("/sessions?from=2026-11-22")
    assert 'lang="en"' in page.text
    answer = browser.submit("/language", language="zh", next="/sessions?from=2026-11-22")
    assert answer.headers["Location"] == "/sessions?from=2026-11-22"
    assert 'lang="zh-Hans"' in browser.get("/sessions").text
    elsewhere = site.sign_in("auditor-1")
    assert "我的会话" in elsewhere.get("/sessions").text, "the choice is the user's, not the browser's"


def test_whoever_is_not_signed_in_chooses_too(site: Site) -> None:
    browser = site.browser()
    browser.get("/sign-in")
    browser.submit("/language", language="zh", next="/sign-in")
    assert "登录名" in browser.get("/sign-in").text
    assert browser.submit("/language", language="xx").status_code == 400


def test_a_browser_that_asks_for_chinese_gets_it(site: Site) -> None:
    for asked in ("zh-CN,zh;q=0.9,en;q=0.8", "zh", "zh-Hans-CN"):
        assert "登录名" in site.browser().get("/sign-in", headers={"Accept-Language": asked}).text, asked
    assert "Sign-in name" in site.browser().get("/sign-in", headers={"Accept-Language": "fr"}).text


def test_errors_are_in_the_readers_language(site: Site) -> None:
    browser = site.browser()
    browser.set_cookie("ringledger-language", "zh")
    browser.get("/sign-in")
    assert "不匹配" in browser.submit("/sign-in", name="x", password="x").text
    assert "页面已过期" in browser.post("/sign-in", data={}).text


def test_times_are_the_sites_with_the_offset_on_hovering(site: Site) -> None:
    """Screens and safety 19: a contact centre in Shanghai reads Shanghai's clock wherever the browser is."""
    with site.app.test_request_context():
        assert shown.clock(NOON) == (
            '<time datetime="2026-11-22T12:00:00+08:00" title="2026-11-22 12:00:00 +08:00">12:00:00</time>'
        )
        assert ">2026-11-22 12:00:00<" in shown.moment(NOON)
        assert shown.clock(None) == ""
        assert f'data-since="{NOON // 1000}"' in shown.since(NOON)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    ((0, "00:00"), (999, "00:00"), (61_000, "01:01"), (3_600_000, "1:00:00"), (90_061_000, "25:01:01"), (None, "")),
)
def test_durations_are_minutes_and_seconds(milliseconds: int | None, text: str) -> None:
    assert shown.duration(milliseconds) == text


@pytest.mark.parametrize(
    ("number", "masked"),
    (
        ("+8613800138000", "138****8000"),
        ("+862161234567", "216****4567"),
        ("+4915112345678", "+491****5678"),
        ("+6561234567", "+656****4567"),
        ("020123456", "020****456"),
        ("+86110", "****"),
        ("1001", "****"),
        ("anonymous", "****"),
        ("", ""),
        ("<b>13800138000</b>", "138****8000"),
    ),
)
def test_the_middle_of_a_number_is_hidden(site: Site, number: str, masked: str) -> None:
    """Screens and safety 16: 138****8000."""
    with site.app.test_request_context():
        assert shown.mask(number) == masked
