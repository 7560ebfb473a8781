"""A web that was started while its database is away: every page says so, and nobody hangs (feature 12.2)."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from orchestrator.control import ControlError
from orchestrator.settings import Settings
from web.waiting import create_app


def serving(question: str) -> dict[str, object]:
    assert question == "status"
    return {"active": True, "position": 7, "nodes": {"sw1": {"up": True}}}


def nobody(_question: str) -> None:
    raise ControlError("No orchestrator answers.")


def client(settings: Settings, ask: Callable[[str], object] = serving, *, stuck: bool = False) -> FlaskClient:
    return create_app(settings, ask, lambda: stuck).test_client()


@pytest.mark.parametrize("path", ("/", "/sign-in", "/desk/", "/history/?number=1"))
@pytest.mark.parametrize("method", ("GET", "POST"))
def test_every_page_says_that_the_database_is_away_and_comes_by_itself(
    settings: Settings, path: str, method: str
) -> None:
    answer = client(settings).open(path, method=method, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "<h1>The database is away</h1>" in answer.text
    assert 'http-equiv="refresh"' in answer.text
    assert "Calls go on" in answer.text


def test_it_does_not_say_that_calls_go_on_where_nobody_does(settings: Settings) -> None:
    text = client(settings, nobody).get("/", headers={"Accept": "text/html"}).text
    assert "Calls go on" not in text
    assert "No engine of this machine" in text


def test_of_a_database_that_does_not_come_up_it_says_where_to_look(settings: Settings) -> None:
    """Nobody hears what the database said: the page is everybody's."""
    for stuck in (False, True):
        serving_it = client(settings, stuck=stuck)
        text = serving_it.get("/", headers={"Accept": "text/html"}).text
        assert ("database-not-started" in text) is stuck
        health = serving_it.get("/healthz").json
        assert health is not None
        assert health["components"]["database"]["why"] == ("database_not_started" if stuck else "database_away")
    chinese = client(settings, stuck=True).get("/", headers={"Accept": "text/html", "Accept-Language": "zh"}).text
    assert "database-not-started" in chinese
    assert "by itself" not in chinese


def test_it_says_so_in_chinese(settings: Settings) -> None:
    answer = client(settings).get("/", headers={"Accept": "text/html", "Accept-Language": "zh-CN"})
    assert '<html lang="zh-Hans">' in answer.text
    assert "数据库不可用" in answer.text
    assert "The database" not in answer.text


def test_a_program_is_told_in_its_own_way(settings: Settings) -> None:
    answer = client(settings).get("/api/v1/queues")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.json is not None
    assert answer.json["code"] == "database_away"
    assert answer.headers["Retry-After"] == "5"


def test_its_health_is_what_can_be_known_without_the_database(settings: Settings) -> None:
    answer = client(settings).get("/healthz")
    assert answer.status_code == 503
    assert answer.json == {
        "ok": False,
        "ledger": settings.mark,
        "components": {
            "database": {"ok": False, "why": "database_away"},
            "engine": {"ok": True, "active": True, "position": 7, "switches": {"sw1": True}},
        },
    }
    without = client(settings, nobody).get("/healthz").json
    assert without is not None
    assert without["components"]["engine"] == {"ok": False, "why": "no_answer"}


def test_its_style_is_served_and_another_sites_name_for_us_is_not(settings: Settings) -> None:
    browser = client(replace(settings, web_origin="https://calls.example"))
    page = browser.get("/", base_url="https://calls.example", headers={"Accept": "text/html"})
    style = page.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    assert browser.get(style, base_url="https://calls.example").status_code == 200
    assert "Strict-Transport-Security" in page.headers
    assert browser.get("/", base_url="https://evil.example").status_code == 400
