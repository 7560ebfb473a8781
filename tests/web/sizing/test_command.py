"""`ringledger size …`, as it is typed."""

import json

import msgspec
import pytest
from click.testing import CliRunner, Result

from orchestrator import commandline_sizing as commands
from orchestrator.domain.kernel import Refused
from projections.sizing import Asked
from tests.projections.kit import ReadKit
from tests.web.conftest import Site
from web.sizing import command

PLAN = ("plan", "--customers", "20000000", "--daily", "0.3%", "--busy", "20", "--handling", "150", "--occupancy", "75")


def type_in(*words: str) -> Result:
    return CliRunner().invoke(commands.size, words)


def said(*words: str) -> str:
    """What a command that worked printed."""
    done = type_in(*words)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def row(output: str, beginning: str) -> list[str]:
    return next(line.split() for line in output.splitlines() if line.startswith(beginning))


def test_a_plan_of_twenty_million_customers_is_667_seats() -> None:
    """Feature 10.1: the known answer."""
    output = said(*PLAN)
    assert "12000 calls in the busy hour; 666.67 seats by the planning formula, so 667" in output
    assert row(output, "planning")[1:3] == ["667", "953"]


def test_a_hundred_calls_need_14_agents_by_erlang_c() -> None:
    """Feature 10.2: the known answer, with the others beside it and why they differ."""
    output = said("calls", "--calls", "100", "--handling", "180")
    assert "Erlang C  14      20         service level  88.8 %   7.8 s      0 %      71.4 %" in output
    assert row(output, "planning")[1] == "12"
    assert row(output, "Erlang A")[2] == "12"
    assert "18 lines by Erlang B" in output
    assert "- Erlang C asks for 2 more, 14: calls come in bunches" in output
    assert (
        said("calls", "--calls", "200", "--handling", "180", "--interval", "3600").splitlines()[2:]
        == (output.splitlines()[2:])
    )
    assert "Why" not in said("calls", "--calls", "0", "--handling", "180")


@pytest.mark.parametrize(
    ("words", "told"),
    (
        (("calls", "--calls", "many", "--handling", "180"), "Calls: write a number from 0 to 100000."),
        (("calls", "--calls", "10", "--handling", "0"), "Handling time, seconds: write a number from 1 to 7200."),
        (("calls", "--calls", "10", "--handling", "9", "--level", "100"), "Service level, percent: write a number"),
        (("calls", "--calls", "10"), "Missing option '--handling'"),
        (("plan",), "Missing option '--customers'"),
    ),
)
def test_what_cannot_be_asked_is_refused_with_what_to_write(words: tuple[str, ...], told: str) -> None:
    done = type_in(*words)
    assert done.exit_code == 2
    assert told in done.output


def test_programs_get_the_same_figures() -> None:
    plan = json.loads(said(*PLAN, "--json"))
    assert (plan["sizes"]["planning"]["agents"], round(plan["exact_seats"], 2)) == (667, 666.67)
    calls = json.loads(said("calls", "--calls", "100", "--handling", "180", "--json"))
    assert calls["sizes"]["erlang_c"]["served"]["level"] == pytest.approx(0.888350, abs=1e-6)
    assert (calls["traffic"], len(calls["why"])) == (10.0, 4)


def test_help_shows_examples_that_work() -> None:
    for words in (("--help",), ("plan", "--help"), ("calls", "--help"), ("day", "--help")):
        assert "For example:\n" in said(*words)
    for example in (commands._OF_PLAN, commands._OF_CALLS):
        assert "Why they differ" in said(*example.split()[2:])


def test_a_day_of_the_log_is_sized_by_half_hours(site: Site, busy: ReadKit) -> None:
    """Features 10.1 and 10.2: from the centre's own history."""

    def told(day: str, queue_id: str = "sales") -> command.Told:
        asked = Asked(day=day, queue_id=queue_id)
        return busy.read(lambda connection: command.of_day(connection, site.parts.settings, asked))

    found = told("2026-01-01")
    assert found.before[0].startswith("2026-01-01, Sales: 40 calls; 80 % within 20 s, load up to 85 %")
    head, first, _ = found.rows
    assert len(head) == len(first)
    assert first[:7] == ("10:00", "40", "120 s", "2.7", "4", "5", "4")
    assert first[8:13] == ("2.0", "93.3 %", "17.5 %", "30 %", "0 %")
    assert found.after[1] == "Why they differ, at 10:00, the busiest half hour:"
    assert "  Really: 2.0 hours of agents, 17.5 % in time, 30 % give up, load 46.7 %" in found.after
    data = json.loads(msgspec.json.encode(found.data, enc_hook=str))
    assert [each["name"] for each in data["beside"]] == ["Planning formula", "Erlang C", "Erlang A", "Really"]
    assert (data["day"]["calls"], data["beside"][3]["level"]) == (40, pytest.approx(0.175))
    assert "nobody called and nobody was there" in told("2025-06-01").before[0]
    for day, queue_id, code in (("yesterday", "", "bad_day"), ("2026-01-01", "nowhere", "bad_queue")):
        with pytest.raises(Refused) as refused:
            told(day, queue_id)
        assert refused.value.code == code
