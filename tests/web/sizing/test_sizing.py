"""The page of sizing: a day by half hours beside who was there, and a plan; in both languages, and what is refused."""

import re

import pytest

from tests.projections.kit import ReadKit
from tests.projections.test_half_hours import MODEL
from tests.web.conftest import Site

DAY = "/sizing/?day=2026-01-01&queue=sales"
EXAMPLE = "/sizing/plan?customers=20000000&daily_percent=0.3&busy_percent=20&handling_s=150&occupancy_percent=75"


def row(page: str, beginning: str) -> list[str]:
    """The cells of the row that begins so, without tags."""
    found = next(
        cells for cells in re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL) if re.search(rf">{beginning}\b", cells)
    )
    cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", found, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in cells]


@pytest.mark.usefixtures("busy")
def test_a_half_hour_shows_what_each_formula_asks_for_beside_who_was_there(site: Site) -> None:
    """Features 10.1 and 10.2."""
    page = site.as_role("leader").get(DAY).text
    cells = row(page, "10:00")
    assert cells[0] == "10:00 busiest"
    assert cells[1:4] == ["40", "02:00", "2.7"]
    assert cells[4:7] == ["4", "5", "4"]
    assert cells[8:12] == ["2.0 ▼ 2 too few", "93.3", "17.5", "30.0"]
    assert row(page, "10:30")[1:9] == ["0", "", "0.0", "0", "0", "0", "0", "2.0"]
    assert "Erlang C has no answer: with more work than agents" in page
    assert "96.7 (from who gave up, and how long all waited)" in page


@pytest.mark.usefixtures("busy")
def test_the_terms_are_the_readers_and_what_is_empty_is_as_it_was(site: Site) -> None:
    ops = site.as_role("ops")
    strict = ops.get(f"{DAY}&level_percent=95&within_s=5&occupancy_percent=60&patience_s=&blocking_percent=").text
    assert row(strict, "10:00")[4:6] == ["5", "7"]
    assert 'value="95"' in strict
    assert 'placeholder="96.67"' in strict


@pytest.mark.usefixtures("busy")
def test_all_queues_together_count_everybody(site: Site) -> None:
    assert row(site.as_role("admin").get("/sizing/?day=2026-01-01").text, "10:00")[1] == "40"


def test_a_plan_of_twenty_million_customers_is_667_seats(site: Site) -> None:
    """Feature 10.1: the known answer, on the page and as its own example."""
    leader = site.as_role("leader")
    empty = leader.get("/sizing/plan").text
    assert EXAMPLE.replace("&", "&amp;") in empty
    assert "Why they differ" not in empty
    page = leader.get(EXAMPLE).text
    assert "666.67 → 667" in page
    assert row(page, "Planning formula")[1:4] == ["667", "953", "the highest load"]
    assert row(page, "Erlang C")[1] == "667"


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(
    ("asked", "english", "chinese"),
    (
        ("day=yesterday", "Write a day as 2026-11-30", "日期请写成"),
        ("day=9999-12-31", "Write a day as 2026-11-30", "日期请写成"),
        ("queue=nowhere", "There is no such queue", "没有这个队列"),
        ("queue=%27%3B--", "There is no such queue", "没有这个队列"),
        (
            "level_percent=101",
            "Service level, percent: write a number from 1 to 99.9.",
            "服务水平（百分比）：请写 1 到",
        ),
        ("patience_s=nan", "Mean patience, seconds: write a number from 1 to 3600.", "平均耐心（秒）：请写 1 到 3600"),
        ("within_s=soon", "Answered within, seconds: write a number", "接听时限（秒）：请写 0 到 3600"),
        ("shrinkage_percent=100", "Shrinkage, percent: write a number", "缩减率（百分比）：请写"),
    ),
)
def test_what_cannot_be_asked_is_said_beside_the_form(site: Site, asked: str, english: str, chinese: str) -> None:
    """Bad input gets a sentence in the reader's language, and what was typed stays."""
    leader = site.as_role("leader")
    for language, words in (("en", english), ("zh", chinese)):
        answer = leader.get(f"/sizing/?{asked}", headers={"Accept-Language": language})
        assert answer.status_code == 200
        assert words in answer.text
        assert "<tfoot>" not in answer.text
        assert "soon" not in asked or 'value="soon"' in answer.text


@pytest.mark.parametrize(
    ("asked", "words"),
    (
        ("customers=20000000", "Calls a day, percent of the customers: write a number"),
        ("customers=-1&daily_percent=1&busy_percent=20&handling_s=150", "Customers: write a number from 1 to"),
        (
            "customers=10000000000&daily_percent=100&busy_percent=20&handling_s=150",
            "This is work for 83333333 agents; up to 50000 are sized.",
        ),
    ),
)
def test_a_plan_that_lacks_something_or_is_too_large_says_so(site: Site, asked: str, words: str) -> None:
    answer = site.as_role("leader").get(f"/sizing/plan?{asked}")
    assert answer.status_code == 200
    assert words in answer.text


def test_a_day_of_which_nothing_is_known_says_so(site: Site, reads: ReadKit) -> None:
    reads.build(MODEL)
    page = site.as_role("leader").get("/sizing/").text
    assert "Nobody called and nobody was there" in page


@pytest.mark.usefixtures("busy")
def test_a_day_and_a_plan_read_in_chinese(site: Site) -> None:
    """Feature 12.8."""
    leader = site.as_role("leader")
    for path, words in ((DAY, "爱尔兰 C 没有答案"), (EXAMPLE, "爱尔兰 C 不要求更多")):
        page = leader.get(path, headers={"Accept-Language": "zh"}).text
        assert words in page
        assert "为什么不同" in page
        assert "Erlang" not in page
