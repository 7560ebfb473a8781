"""The light of the clocks on the operations page (features 9.2 and 12.2, decision 0120)."""

import pytest

from orchestrator.spools import Spooled
from tests.web.conftest import Site
from tests.web.ops.conftest import Say
from web.ops.clocks import DATABASE_OFF, HOST_OFF, RIGHT, STATES, Clocks


@pytest.mark.parametrize(
    ("host_s", "database_s", "states"),
    (
        (1.9, -1.9, (RIGHT,)),
        (2.1, 0.0, (HOST_OFF,)),
        (-3_600.0, 0.0, (HOST_OFF,)),
        (0.0, -2.1, (DATABASE_OFF,)),
        (7.25, 60.0, (DATABASE_OFF, HOST_OFF)),
    ),
)
def test_a_clock_that_is_wrong_has_a_light_on_the_page_in_both_languages(
    site: Site, say: Say, host_s: float, database_s: float, states: tuple[str, ...]
) -> None:
    ops = site.as_role("ops")
    say(Spooled(), Clocks(host_off_s=host_s, database_off_s=database_s))
    for language in ("en", "zh"):
        page = ops.get("/ops/", headers={"Accept-Language": language}).text
        for state, (words, sign, tone, means) in STATES.items():
            with site.app.test_request_context(headers={"Accept-Language": language}):
                light = f'<span class="pill tone-{tone}"><span aria-hidden="true">{sign}</span> {words}</span> {means}'
            assert (light in page) is (state in states), (language, state)
        assert f"{host_s:+.1f} s" in page
        assert f"{database_s:+.1f} s" in page


def test_it_is_there_without_the_database_and_not_where_nobody_says_anything(site: Site, say: Say) -> None:
    ops = site.as_role("ops")
    say(Spooled())
    assert 'id="clocks"' not in ops.get("/ops/").text
    say(Spooled(), Clocks(host_off_s=9.0, database_off_s=0.0))
    site.lose_database()
    assert "the host's clock is wrong" in ops.get("/ops/").text


def test_where_no_engine_answers_nothing_is_said_of_clocks(site: Site) -> None:
    assert 'id="clocks"' not in site.as_role("ops").get("/ops/").text
