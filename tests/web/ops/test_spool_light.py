"""The spool's light: what an engine says of its spool, as a person and a program see it (features 9.2 and 12.2)."""

import pytest

from orchestrator.service.meanwhile import Failed
from orchestrator.spools import STATES, Spooled
from tests.web.conftest import Site
from tests.web.ops.conftest import Say
from web.ops import spool

RED = {"in_use", "full", "silent"}


def test_every_state_has_words_a_sign_and_a_colour() -> None:
    assert set(spool.STATES) == {*STATES, spool.SILENT}
    assert {state for state, (_, _, tone, _) in spool.STATES.items() if tone == "bad"} == RED


@pytest.mark.parametrize("state", STATES)
def test_it_is_on_the_page_and_in_healthz(site: Site, say: Say, state: str) -> None:
    ops = site.as_role("ops")
    say(Spooled(state=state, events=1_234, bytes=12_300_000, limit_bytes=2_048_000_000, share=0.006, oldest_s=75.0))
    words, sign, tone, means = spool.STATES[state]
    for language in ("en", "zh"):
        with site.app.test_request_context(headers={"Accept-Language": language}):
            said = str(words), str(means)
        page = ops.get("/ops/", headers={"Accept-Language": language}).text
        assert (
            f'<span class="pill tone-{tone}"><span aria-hidden="true">{sign}</span> {said[0]}</span> {said[1]}' in page
        )
        assert all(shown in page for shown in ("1234", "01:15", "12.3 / 2048 MB"))
    health = site.browser().get("/healthz").json
    assert health is not None
    found = health["components"]["spool"]
    assert (found["state"], found["events"], found["oldest_s"]) == (state, 1_234, 75.0)
    assert found["ok"] is (state in {"off", "unannounced", "ready"})


def test_where_no_engine_answers_that_is_said_and_what_people_did_is_counted(site: Site) -> None:
    ops = site.as_role("ops")
    assert "no engine answers" in ops.get("/ops/").text
    site.reading.meanwhile.keep(Failed(user_id="wang", reason="wrong_password", address="127.0.0.1"))
    assert "1 sign-in or note waits to be recorded" in ops.get("/ops/").text


def test_the_page_is_there_without_the_database(site: Site, say: Say) -> None:
    ops = site.as_role("ops")
    say(Spooled(state="in_use", events=7, limit_bytes=1))
    site.lose_database()
    answer = ops.get("/ops/")
    assert answer.status_code == 200
    assert "in use: the database is away" in answer.text
    assert "are known once it is back" in answer.text
