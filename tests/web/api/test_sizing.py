"""What programs read of sizing: the same figures as the page."""

import pytest

from tests.projections.kit import ReadKit
from tests.web.api.conftest import Programs
from tests.web.sizing.conftest import busy, reads

__all__ = ("busy", "reads")

PLAN = {"customers": 20_000_000, "daily_percent": 0.3, "busy_percent": 20, "handling_s": 150, "occupancy_percent": 75}


def test_a_day_is_sized_by_half_hours_beside_who_was_there(busy: ReadKit, program: Programs) -> None:
    """Features 10.1 and 10.2."""
    found = program("leader").found("/sizing", day="2026-01-01", queue_id="sales")
    first, second = found["half_hours"]
    assert first["began_at"] == "2026-01-01T02:00:00Z"
    assert (first["calls"], first["handling_ms"], first["agents_there"]) == (40, 120_000, 2)
    assert [first["needed"][name]["agents"] for name in ("planning", "erlang_c", "erlang_a")] == [4, 5, 4]
    assert first["needed"]["erlang_c"]["decided_by"] == "level"
    assert first["in_time_percent"] == 17.5
    assert first["erlang_c_expects"]["mean_wait_ms"] is None, "2 agents cannot do the work of 2.67"
    assert first["erlang_a_expects"]["give_up_percent"] > 25
    assert (second["calls"], second["in_time_percent"]) == (0, None)
    assert found["patience_from"] == "told"
    assert found["terms"]["within_s"] == 20
    assert any("Erlang C asks for 1 more, 5" in sentence for sentence in found["why"])
    given = program("leader").found("/sizing", day="2026-01-01", patience_s=60)
    assert (given["patience_from"], given["terms"]["patience_s"]) == ("given", 60)


def test_a_plan_of_twenty_million_customers_is_667_seats(program: Programs) -> None:
    """Feature 10.1: the known answer."""
    found = program("ops").found("/sizing/plan", **PLAN)
    assert found["seats"] == pytest.approx(666.67, abs=0.005)
    assert found["busy_hour_calls"] == pytest.approx(12_000)
    assert (found["needed"]["planning"]["agents"], found["needed"]["planning"]["positions"]) == (667, 953)


@pytest.mark.parametrize(
    ("path", "query", "code"),
    (
        ("/sizing", {"day": "2026-13-01"}, "bad_day"),
        ("/sizing", {"queue_id": "nowhere"}, "bad_queue"),
        ("/sizing", {"level_percent": 100}, "bad_query"),
        ("/sizing", {"patience_s": "nan"}, "bad_query"),
        ("/sizing/plan", {"customers": 5}, "bad_query"),
        ("/sizing/plan", {**PLAN, "customers": 9_000_000_000}, "bad_sizing"),
    ),
)
def test_what_cannot_be_asked_is_refused(
    busy: ReadKit, program: Programs, path: str, query: dict[str, object], code: str
) -> None:
    assert program("admin").refused(400, "GET", path, query_string=query) == code
