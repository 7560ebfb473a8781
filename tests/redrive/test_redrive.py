"""The tape through today's code: the same where nothing was changed, and what differs said with both sides."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts.contacts import ContactArrived, ContactEnded
from orchestrator.domain.kernel import SECOND, Instant, UnknownEvent
from orchestrator.domain.switch.instructions import Instruction
from orchestrator.redrive import WARM, Report, redrive
from orchestrator.runner import Runner
from orchestrator.tape import Hole, Recorded
from orchestrator.tape.form import Told
from orchestrator.vault import ERASED
from tests.redrive.taped import TapedRun
from tests.simulation.mutants import MUTANTS
from tests.simulation.mutants.planting import Mutant
from web.redrive.command import as_json, names_of, text

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def run() -> TapedRun:
    return TapedRun(7).play()


def mutant(name: str) -> Mutant:
    return next(each for each in MUTANTS if each.name == name)


def driven(run: TapedRun) -> Report:
    return redrive(run.tape(), run.log())


def inputs(tape: list[Recorded]) -> Iterator[tuple[int, Recorded]]:
    return ((place, each) for place, each in enumerate(tape) if not isinstance(each.body, Told))


@pytest.mark.parametrize("seed", range(8))
def test_the_same_code_makes_the_same_events_and_instructions_whatever_the_weather(seed: int) -> None:
    """Feature 11.4: with engines that die, are deposed, or are without a database in between."""
    run = TapedRun(seed).play()
    report = driven(run)
    assert report.differences == ()
    live = [record for record in run.log() if record.stream.startswith(("contact-", "shift-", "node-", "engine-"))]
    decided = [record for record in live if record.about.causation]  # not the end of a spool, which no input led to
    assert report.records == len(decided) > 50
    assert report.instructions > 10
    assert report.undriven == 0


@pytest.mark.parametrize(
    "name",
    ("no cool-down", "last come, first served", "end a contact twice", "no timer for an offer", "skip wrap-up"),
)
def test_code_that_decides_otherwise_is_told_with_both_sides(run: TapedRun, name: str) -> None:
    """Feature 11.4: each of these is a bug planted in the code of today."""
    with mutant(name).make():
        report = driven(run)
    assert report.differences
    first = report.differences[0]
    assert first.recorded != first.made or first.recorded_due != first.made_due
    told = text(report, names_of(run.log()), ZONE)
    assert "DIFFERENT in" in told
    assert "recorded" in told
    assert "today" in told
    assert '"same":false' in as_json(report)


def test_one_difference_does_not_become_all_that_follows(run: TapedRun) -> None:
    """The state goes on as it was recorded: a bug that shows at one step is told of that step."""
    log = run.log()
    ended = next(record for record in log if isinstance(record.event, ContactEnded))
    other = replace(ended, event=replace(ended.event, reason="stopped"))
    report = redrive(run.tape(), [other if record is ended else record for record in log])
    assert {each.input_id for each in report.differences} == {ended.about.causation}


def test_what_the_switch_is_told_otherwise_is_told_too(run: TapedRun) -> None:
    tape = run.tape()
    place = next(at for at, each in enumerate(tape) if isinstance(each.body, Told))
    told = tape[place].body
    assert isinstance(told, Told)
    tape[place] = replace(tape[place], body=Told((*told.instructions, *told.instructions)))
    report = redrive(tape, run.log())
    assert [(each.what, each.input_id) for each in report.differences] == [("instructions", tape[place].id)]
    assert all(isinstance(each, Instruction) for each in report.differences[0].recorded)


def test_a_tape_of_an_older_version_says_nothing_of_instructions(run: TapedRun) -> None:
    report = redrive([each for _, each in inputs(run.tape())], run.log())
    assert report.same
    assert not report.told
    assert "only events are compared" in text(report, names_of(run.log()), ZONE)


def test_code_that_fails_is_told_and_the_rest_is_driven_all_the_same(
    run: TapedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, calls = Runner.step, iter(range(1_000_000))

    def fails_once(self: Runner, given: object) -> object:
        if next(calls) == 301:  # one from which nothing is only remembered
            raise KeyError("nobody thought of this")
        return step(self, given)  # type: ignore[arg-type]

    monkeypatch.setattr(Runner, "step", fails_once)
    report = driven(run)
    assert [each.what for each in report.differences] == ["fault"]
    assert "nobody thought of this" in text(report, names_of(run.log()), ZONE)
    assert report.inputs > 500


def test_a_hole_says_where_and_what_came_of_it_is_taken_from_the_log(run: TapedRun) -> None:
    """Bad input: after it, decisions count again once what the engine remembers is known again."""
    tape, log = run.tape(), run.log()
    places = [place for place, _ in inputs(tape)]
    first, last = places[200], places[260]
    hole = Hole(1, 201, 261, "block 3 is damaged (Tampered)")
    report = redrive([*tape[:first], hole, *tape[last:]], log)
    assert report.differences == ()
    assert report.holes == (hole,)
    assert report.undriven > 0
    assert report.unsure > 0
    told = text(report, names_of(log), ZONE)
    assert "HOLE in the tape of epoch 1, from line 201 to 261: block 3 is damaged" in told


def test_a_tape_that_begins_in_the_middle_is_compared_after_its_first_minute(run: TapedRun) -> None:
    """Older segments are removed when the tape grows past its bound."""
    tape = run.tape()
    half = [place for place, _ in inputs(tape)][150]
    report = redrive(tape[half:], run.log())
    assert report.differences == ()
    assert report.unsure > 0
    assert report.first is not None
    assert report.first >= tape[half].at + WARM


def test_what_the_tape_of_a_window_lacks_at_its_front_or_its_end_is_counted(run: TapedRun) -> None:
    """A segment that is gone is no success: its events were made by nobody again."""
    tape = run.tape()
    begins, ends = tape[0].at, tape[-1].at
    live = [each for each in run.log() if each.stream.startswith(("contact-", "shift-", "node-", "engine-"))]
    for some in (tape[len(tape) // 2 :], tape[: len(tape) // 2], []):
        ids = {line.id for line in some if not isinstance(line.body, Told)}
        missing = [each for each in live if each.about.causation not in ids]
        report = redrive(some, run.log(), since=begins, until=ends)
        assert report.undriven == len(missing) > 20
    assert redrive([], run.log(), since=begins, until=ends).same is False


def test_a_window_is_compared_and_nothing_else(run: TapedRun) -> None:
    begins, ends = Instant(run.tape()[0].at + 30 * SECOND), Instant(run.tape()[0].at + 60 * SECOND)
    report = redrive(run.tape(), run.log(), since=begins, until=ends)
    assert report.same
    assert report.first is not None
    assert report.last is not None
    assert begins <= report.first < report.last <= ends


def test_an_event_of_a_newer_program_is_told_and_not_dropped(run: TapedRun) -> None:
    """Bad input: an event of unknown name."""
    log = run.log()
    ended = next(record for record in log if isinstance(record.event, ContactEnded))
    strange = replace(ended, event=UnknownEvent(name="ContactFrozen", version=3, body=b"{}"))
    report = redrive(run.tape(), [strange if record is ended else record for record in log])
    assert "ContactFrozen" in text(report, names_of(log), ZONE)


def test_what_was_erased_since_is_no_difference(run: TapedRun) -> None:
    """Bad input: an erased person. The log says ‹erased›, the tape was sealed under a key of its own."""
    log = run.log()
    arrived = next(record for record in log if isinstance(record.event, ContactArrived) and record.event.caller_name)
    event = arrived.event
    assert isinstance(event, ContactArrived)
    erased = replace(arrived, event=replace(event, caller_name=ERASED, caller_number=ERASED))
    report = redrive(run.tape(), [erased if record is arrived else record for record in log])
    assert report.differences == ()


def test_what_was_decided_and_never_stored_is_no_difference() -> None:
    """A process that dies between a decision and its commit leaves inputs of which the log knows nothing."""
    run = TapedRun(7).play()
    log = [record for record in run.log() if record.about.at < run.tape()[-1].at - 20 * SECOND]
    report = redrive(run.tape(), log)
    assert report.differences == ()
    assert report.unstored > 0


def test_nobody_is_named_in_what_is_told(run: TapedRun) -> None:
    """Personal text of callers is masked, for whoever is at the terminal."""
    with mutant("end a contact twice").make():
        report = driven(run)
    numbers = {record.event.caller_number for record in run.log() if isinstance(record.event, ContactArrived)} - {
        "",
        "anonymous",
    }
    told = text(report, names_of(run.log()), ZONE) + as_json(report)
    assert numbers
    assert not [number for number in numbers if number in told]
