"""A bundle becomes a test that fails while the bug is in the code and passes once it is not (feature 11.4).

The bugs are those of `tests.simulation.mutants`: planted in today's code, or in the code of the night.
"""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator.bundle import BadBundle, opened
from orchestrator.bundle.regression import problems, write_test
from orchestrator.domain.contacts.contacts import OfferMade
from orchestrator.domain.staff.shifts import AgentCooledDown
from orchestrator.tape import Hole, Recorded
from tests.bundle.kit import altered, window, with_manifest, with_part, write
from tests.redrive.taped import TapedRun, UnwatchedRun
from tests.simulation.mutants import MUTANTS
from tests.simulation.mutants.planting import Mutant
from web.redrive.command import exit_code, names_of, text


def bug(name: str) -> Mutant:
    return next(each for each in MUTANTS if each.name == name)


def loaded(path: Path) -> Callable[[], None]:
    """The one test of this file, as pytest would call it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (found,) = (value for name, value in vars(module).items() if name.startswith("test_"))
    test: Callable[[], None] = found
    return test


def test_what_was_right_must_stay_so(tmp_path: Path) -> None:
    """Recorded by good code; somebody breaks it later."""
    write(tmp_path / "tuesday night.bundle", window(TapedRun(7).play()))
    path = write_test(tmp_path / "tuesday night.bundle", tmp_path / "incidents", ())
    assert path.name == "test_tuesday_night.py"
    test = loaded(path)
    with bug("no cool-down").make(), pytest.raises(AssertionError, match="AgentCooledDown"):
        test()
    test()


def test_what_was_wrong_must_be_so_no_more(tmp_path: Path) -> None:
    """Recorded by bad code: its log has the bug in it, and whoever looks at it says which events should not be."""
    with bug("last come, first served").make():
        write(tmp_path / "incident.bundle", window(UnwatchedRun(7).play()))
        with opened(tmp_path / "incident.bundle") as found:
            assert found.redriven().same, "the code that made it makes it again"
    # With the fix, the re-drive says where the two differ: the first is what was complained about, the others are its
    # like.
    with opened(tmp_path / "incident.bundle") as found:
        wrong = {each.input_id: each for each in found.redriven().differences if each.what == "events"}
        positions = [min(r.position for r in found.within() if r.about.causation == each) for each in wrong]
    test = loaded(write_test(tmp_path / "incident.bundle", tmp_path / "incidents", positions))
    with bug("last come, first served").make(), pytest.raises(AssertionError, match="is decided as it was then"):
        test()
    test()


def test_code_that_fails_is_no_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestrator.runner import Runner

    run = TapedRun(7).play()
    write(tmp_path / "b.bundle", window(run))
    wrong = next(record for record in run.log() if isinstance(record.event, AgentCooledDown))
    test = loaded(write_test(tmp_path / "b.bundle", tmp_path / "incidents", [wrong.position]))
    step = Runner.step

    def fails(self: Runner, given: object) -> object:
        if given.id == wrong.about.causation:  # type: ignore[attr-defined]
            raise ValueError("a fix in haste")
        return step(self, given)  # type: ignore[arg-type]

    monkeypatch.setattr(Runner, "step", fails)
    with pytest.raises(AssertionError, match="a fix in haste"):
        test()


def test_a_test_holds_no_personal_data_and_writes_over_nothing(tmp_path: Path) -> None:
    what = window(TapedRun(3).play())
    write(tmp_path / "a.bundle", what, sealed=True)
    with pytest.raises(BadBundle, match="--pseudonymous"):
        write_test(tmp_path / "a.bundle", tmp_path / "incidents", ())
    write(tmp_path / "b.bundle", what)
    with pytest.raises(BadBundle, match="no event of the engine at position 999999"):
        write_test(tmp_path / "b.bundle", tmp_path / "incidents", [999_999])
    assert not (tmp_path / "incidents").exists()
    write_test(tmp_path / "b.bundle", tmp_path / "incidents", ())
    with pytest.raises(BadBundle, match="is there already"):
        write_test(tmp_path / "b.bundle", tmp_path / "incidents", ())


def test_what_the_tape_does_not_tell_makes_no_test(tmp_path: Path) -> None:
    """Bad input: a tape with a hole. It would fail for ever, and say that the bug is still there."""
    whole = window(TapedRun(7).play())
    offers = [record for record in whole.records if isinstance(record.event, OfferMade)]
    wrong = offers[len(offers) // 2]
    ids = [line.id if isinstance(line, Recorded) else "" for line in whole.items]
    place = ids.index(wrong.about.causation)
    items = [*whole.items[:place], Hole(1, 5, 5, "the disk was full"), *whole.items[place + 1 :]]
    write(tmp_path / "hole.bundle", replace(whole, items=items))
    with pytest.raises(BadBundle) as refused:
        write_test(tmp_path / "hole.bundle", tmp_path / "incidents", [wrong.position])
    assert refused.value.code == "bundle_not_compared"
    assert str(wrong.position) in refused.value.message
    found = problems(tmp_path / "hole.bundle", wrong={wrong.about.causation: "OfferMade"})
    assert any("was not driven or not compared" in each for each in found)


def test_a_test_of_which_half_the_tape_is_gone_fails(tmp_path: Path) -> None:
    whole = window(TapedRun(7).play())
    write(tmp_path / "a.bundle", whole)
    test = loaded(write_test(tmp_path / "a.bundle", tmp_path / "incidents", ()))
    test()
    (tmp_path / "incidents" / "a.bundle").unlink()
    write(tmp_path / "incidents" / "a.bundle", replace(whole, items=whole.items[: len(whole.items) // 2]))
    with pytest.raises(AssertionError, match="steps of the tape were compared, not"):
        test()
    with opened(tmp_path / "incidents" / "a.bundle") as half:
        report = half.redriven()
    assert (report.same, exit_code(report)) == (True, 2)
    assert "and these are not all" in text(report, names_of(whole.records), whole.zone)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a run, made once."""
    path = tmp_path_factory.mktemp("good") / "night.bundle"
    write(path, window(TapedRun(3).play()))
    return path


@pytest.mark.parametrize("site", ('x"""\nprint("owned")\n"""', "x\\", 'x"', "{bundle}"))
def test_whoever_forges_a_bundle_has_no_say_in_the_code(good: Path, tmp_path: Path, site: str) -> None:
    """What a manifest says is a text of a stranger."""
    altered(good, tmp_path / good.name, with_manifest(site=site))
    bad = write_test(tmp_path / good.name, tmp_path / "bad", ())
    assert bad.read_text(encoding="utf-8") == write_test(good, tmp_path / "good", ()).read_text(encoding="utf-8")


@pytest.mark.parametrize("cause", ("'+exit()+'", '"+exit()+"', "\\", "'\"", "\n"))
def test_an_id_that_a_stranger_chose_is_written_nowhere(good: Path, tmp_path: Path, cause: str) -> None:
    with opened(good) as bundle:
        wrong = next(each for each in bundle.within() if each.stream.startswith("contact-"))

    def change(parts: dict[str, bytes]) -> dict[str, bytes]:
        name = "events/000001.jsonl"
        events = parts[name].replace(json.dumps(wrong.about.causation).encode(), json.dumps(cause).encode())
        return with_part(name, events)(parts)

    altered(good, tmp_path / "b.bundle", change)
    with pytest.raises(BadBundle) as refused:
        write_test(tmp_path / "b.bundle", tmp_path / "into", [wrong.position])
    assert refused.value.code == "bundle_not_compared", "such an id is none of the tape's, so it comes into no file"
    assert not (tmp_path / "into").exists()
