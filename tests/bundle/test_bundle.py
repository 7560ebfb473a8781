"""A bundle gives back what was put into it, without a database, and nothing of a person that it should not."""

from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner
from msgspec import Struct
from msgspec.structs import fields, replace

from orchestrator.bundle import BadBundle, made, opened
from orchestrator.bundle.made import Made
from orchestrator.bundle.veil import Veil
from orchestrator.commandline_bundle import bundle
from orchestrator.domain.contacts.contacts import ContactArrived, OfferMade
from orchestrator.domain.kernel import SECOND, Instant, Record, UnknownEvent, ident_of
from orchestrator.domain.personal import changed, texts_of
from orchestrator.domain.switch.contexts import AGENTS
from orchestrator.domain.switch.facts import LegParked, SeenLeg, Snapshot
from orchestrator.domain.switch.instructions import Instruction
from orchestrator.replay import Scrubber, parse_time
from orchestrator.replay.moments import iso
from orchestrator.replay.picture import picture
from orchestrator.runner.inputs import Command, Fact
from orchestrator.store import Away
from orchestrator.tape import Hole, Recorded
from orchestrator.tape.form import decode, encode
from orchestrator.vault import ERASED
from tests.bundle.kit import GONE, NOBODY, ZONE, veiled, window, write
from tests.redrive.taped import TapedRun
from tests.simulation.comparing import fold
from tests.simulation.routing import NUMBERS
from web.redrive import bundles

CUSTOMERS = tuple(number.removeprefix("+") for number in NUMBERS)


@pytest.fixture(scope="module")
def run() -> TapedRun:
    return TapedRun(7).play()


def callers(records: list[Record]) -> set[str]:
    """Every personal text of these."""
    return {text.text for record in records for text in texts_of(record.event)} - {"anonymous"}


@pytest.mark.parametrize("sealed", (True, False))
def test_what_went_in_comes_out_and_is_driven_again_the_same(run: TapedRun, tmp_path: Path, *, sealed: bool) -> None:
    """Feature 11.4, in a file."""
    file = tmp_path / "night.bundle"
    manifest = write(file, window(run), sealed=sealed)
    assert manifest.check.differences == 0
    assert manifest.check.steps > 500
    with opened(file) as found:
        assert found.redriven().same
        assert len(found.records()) == len(run.log())
        assert [(r.position, r.stream, r.version, r.event_id) for r in found.records()] == [
            (r.position, r.stream, r.version, r.event_id) for r in run.log()
        ]
        if sealed:
            assert found.records() == run.log()
            assert list(found.tape) == [decode(encode(line.id, line.at, line.body)) for line in run.tape()], (
                "as a tape keeps them: of keys only how many"
            )
        verified = found.verified()
        assert verified is not None
        assert verified.ok


def test_the_past_of_a_bundle_is_the_past_of_the_log(run: TapedRun, tmp_path: Path) -> None:
    """Feature 11.2 on a laptop: pictures at any instant, at any step, and why each offer was made."""
    file = tmp_path / "night.bundle"
    write(file, window(run), sealed=True)
    with opened(file) as found:
        for seconds in (5, 40, 90):
            at = Instant(run.tape()[0].at + seconds * SECOND)
            before = [record for record in run.log() if record.about.at <= at]
            assert found.picture(iso(at)) == picture(fold(before), at, position=len(before))
        scrubber = Scrubber(found.log)
        assert [record.position for record in scrubber.steps(100, 5)] == [101, 102, 103, 104, 105]
        offered = next(record for record in run.log() if isinstance(record.event, OfferMade))
        told = bundles.why(found, ident_of(offered.stream), "")
        assert "offer 1" in told
        overview = bundles.overview(found, file.name)
        assert "verify: the log holds" in overview
        assert "today's code decides all the same" in overview
        assert len(list(bundles.events(found))) == len(run.log())
        assert all(ident_of(offered.stream)[:8] in line for line in bundles.events(found, ident_of(offered.stream)))


def test_a_bundle_needs_no_database_and_says_so_where_one_would_be(run: TapedRun, tmp_path: Path) -> None:
    file = tmp_path / "night.bundle"
    write(file, window(run))
    with opened(file) as found, pytest.raises(Away, match="there is no database behind it"):
        found.log.find_by_blind_index(b"x")


def test_an_instant_that_the_bundle_does_not_reach_is_refused_in_words(run: TapedRun, tmp_path: Path) -> None:
    file = tmp_path / "night.bundle"
    write(file, window(run))
    with opened(file) as found, pytest.raises(BadBundle, match="lies outside"):
        found.picture("2031-01-01")


def test_a_part_of_a_run_is_driven_from_what_went_before(run: TapedRun, tmp_path: Path) -> None:
    begins, ends = (Instant(run.tape()[0].at + seconds * SECOND) for seconds in (70, 110))
    whole = window(run, since=begins, until=ends)
    warm = begins - 65 * SECOND
    late = replace(whole, items=[line for line in whole.items if isinstance(line, Recorded) and line.at > warm])
    manifest = write(tmp_path / "part.bundle", late)
    assert manifest.check.differences == 0
    assert manifest.check.steps > 50
    with opened(tmp_path / "part.bundle") as found:
        assert found.within()[0].about.at >= begins
        assert found.redriven().same


# --- people ----------------------------------------------------------------------------------------------------------
def test_a_pseudonymous_bundle_holds_no_number_and_no_name(run: TapedRun, tmp_path: Path) -> None:
    """Law 11: not in the log, not on the tape, not in what was told; and whoever was the same caller still is."""
    file = tmp_path / "night.bundle"
    write(file, window(run))
    parked = [line.body for line in run.tape() if isinstance(line.body, LegParked)]
    real = callers(run.log()) | {leg.caller_number for leg in parked} | {leg.caller_name for leg in parked}
    # “Ann” begins words of ours, and customers of the simulation have ids made of their numbers.
    real = {text for text in real if text not in ("", "Ann", "anonymous", "An Agent") and text not in CUSTOMERS}
    assert any(text.startswith("+86") for text in real)
    with opened(file) as found:
        said = repr(found.records()) + repr(found.tape)
        assert not [text for text in real if repr(text)[1:-1] in said]
        pairs = {
            (was.event.caller_number, now.event.caller_number)
            for was, now in zip(run.log(), found.records(), strict=True)
            if isinstance(was.event, ContactArrived) and isinstance(now.event, ContactArrived)
        }
    assert len({was for was, _ in pairs}) == len({now for _, now in pairs}) == len(pairs)


def test_each_field_that_holds_a_number_of_somebody_is_marked_as_personal() -> None:
    """A new command or instruction with a number in it must not be forgotten: by its mark it is found in a bundle.

    What is dialled is ours where a caller has dialled it, and so is marked nowhere: the veil knows the legs where it is
    somebody's, and a call that a switch served alone is a caller's.
    """
    theirs = {"number", "to_number", "caller_number", "caller_name", "target", "digit"}
    assert {kind.__name__ for kind in _kinds() if "dialled" in kind.__struct_fields__} == {
        "LegParked", "SeenLeg", "ImportCall",
    }  # fmt: skip
    for leg_kind in (LegParked, SeenLeg):
        for more in ({"inbound": False}, {"inbound": True, "context": AGENTS}, {"inbound": True, "context": "other"}):
            for veil in (Veil(NOBODY, pseudonymous=True), Veil(GONE, pseudonymous=False)):
                leg = replace(made_up(leg_kind, "dialled"), **{"leg": "leg-1", **more})
                body = Snapshot(node="fs1", core="k", legs=(leg,)) if isinstance(leg, SeenLeg) else leg
                assert "13800138000" not in repr(veiled(veil, body)), f"{leg_kind.__name__} {more}"
    for kind in _kinds():
        for field in fields(kind):
            if field.name in theirs:
                made = changed(made_up(kind, field.name), lambda _: "veiled")
                assert getattr(made, field.name) == "veiled", f"{kind.__name__}.{field.name}"


def _kinds() -> tuple[type[Struct], ...]:
    """All that a tape holds."""
    return (*get_args(Fact), *get_args(Command), SeenLeg, *Instruction.__subclasses__())


def made_up(kind: type[Struct], name: str) -> Struct:
    """One of this kind with a text in this field, and something in each that must be there."""
    some: dict[str, object] = {"Instant": 1, "tuple": (), "dict": {}, "bool": True, "int": 1, "str": "x"}
    told = {
        each.name: next(value for word, value in some.items() if word in str(each.type))
        for each in fields(kind)
        if each.required
    }
    return kind(**{**told, name: "+8613800138000"})


def test_a_sealed_bundle_can_be_read_by_nobody_without_its_key(run: TapedRun, tmp_path: Path) -> None:
    file = tmp_path / "night.bundle"
    write(file, window(run), sealed=True)
    data = file.read_bytes()
    assert b"13800138000" not in data
    assert b"ContactArrived" not in data
    key = tmp_path / "night.bundle.key"
    assert key.stat().st_mode & 0o077 == 0
    key.unlink()
    with pytest.raises(BadBundle, match="ask whoever made it"), opened(file):
        pass
    other = tmp_path / "other.bundle"
    write(other, window(run), sealed=True)
    with pytest.raises(BadBundle, match="does not fit"), opened(file, tmp_path / "other.bundle.key"):
        pass


def test_of_an_erased_person_the_tape_of_a_bundle_says_nothing(run: TapedRun, tmp_path: Path) -> None:
    """The key of the person is gone, the tape's is not: in a bundle there is nothing left to read."""
    log = run.log()
    number = "+86215550001"
    theirs = {
        record.stream
        for record in log
        if isinstance(record.event, ContactArrived) and number in (record.event.caller_number, record.event.from_number)
    }
    assert theirs
    erased = [_erased(record) if record.stream in theirs else record for record in log]
    manifest = write(tmp_path / "night.bundle", replace(window(run), records=erased), sealed=True)
    assert manifest.erased == len(theirs)
    with opened(tmp_path / "night.bundle") as found:
        parked = [line.body for line in found.tape if isinstance(line, Recorded) and isinstance(line.body, LegParked)]
        told = repr(found.tape)
        assert not [leg for leg in parked if leg.caller_number == number and f"contact-{leg.contact}" in theirs]
        assert ERASED in told
        assert number not in told


def _erased(record: Record) -> Record:
    return replace(record, event=changed(record.event, lambda _: ERASED))


# --- what nobody expected --------------------------------------------------------------------------------------------
def test_an_event_of_a_newer_program_is_kept_and_shown(run: TapedRun, tmp_path: Path) -> None:
    """Bad input: unknown name or version; byte by byte as it was."""
    log = run.log()
    last = log[-1]
    strange = replace(last, event=UnknownEvent(name="ContactFrozen", version=7, body=b'{"how":"solid"}'))
    write(tmp_path / "night.bundle", replace(window(run), records=[*log[:-1], strange]))
    with opened(tmp_path / "night.bundle") as found:
        assert found.records()[-1] == strange
        assert "ContactFrozen version 7, which this version does not know" in bundles.overview(found, "night")
        assert any("made by a newer program" in line for line in bundles.events(found))


def test_a_hole_in_the_tape_is_kept_and_told(run: TapedRun, tmp_path: Path) -> None:
    tape = run.tape()
    hole = Hole(1, 301, 340, "the disk was full")
    manifest = write(tmp_path / "night.bundle", replace(window(run), items=[*tape[:300], hole, *tape[340:]]))
    assert manifest.holes == 1
    with opened(tmp_path / "night.bundle") as found:
        assert found.holes == [hole]
        assert "from line 301 to 340: the disk was full" in bundles.overview(found, "night")
        assert found.redriven().same


def test_a_file_is_folded_as_it_is_read_and_asks_no_database(run: TapedRun, tmp_path: Path) -> None:
    """Feature 11.4: the log of a database sends a fold less than it tells a reader; a file has nobody to ask."""
    file = tmp_path / "night.bundle"
    write(file, window(run))
    with opened(file) as found:
        part = [record for record in found.records() if 100 < record.position <= 400]
        assert list(found.log.happened(after=100, until=400)) == part
        then, now = Scrubber(found.log).at_position(400), Instant(0)
        assert picture(then, now, position=400) == picture(fold(found.records()[:400]), now, position=400)


def test_a_bundle_without_a_tape_is_no_success(run: TapedRun, tmp_path: Path) -> None:
    """Nothing was compared: whoever asks is told so, also by the exit code; and which of the log was not made again."""
    path = tmp_path / "night.bundle"
    manifest = write(path, replace(window(run), items=[]))
    assert manifest.check.steps == 0
    assert manifest.check.undriven > 50
    said = bundles.made(Made(manifest=manifest, fingerprint="f", key=None), path)
    assert "Nothing could be compared" in said
    assert f"{manifest.check.undriven} events of the log have no input on the tape" in said
    assert "all the same" not in said
    with opened(path) as found:
        assert not found.redriven().same
        overview = bundles.overview(found, path.name)
    assert "Nothing could be compared" in overview
    assert "events of the log have no input on the tape" in overview
    asked = CliRunner().invoke(bundle, ["open", str(path), "--redrive"])
    assert (asked.exit_code, "Nothing could be compared" in asked.output) == (2, True)


def test_of_a_tape_that_is_too_long_the_instant_is_told_up_to_which_it_fits(
    run: TapedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bad input: a window too large says so, and offers a smaller one, which fits."""
    what = window(run)
    monkeypatch.setattr(made, "MOST_LINES", 100)
    with pytest.raises(BadBundle, match="more than 100 lines") as caught:
        made.bounded(what.items, what.begins, what.ends, ZONE)
    ends = parse_time(caught.value.message.rstrip(".").split("--to ")[-1], ZONE)
    fewer = [line for line in what.items if isinstance(line, Recorded) and line.at <= ends]
    assert 50 < len(made.bounded(fewer, what.begins, ends, ZONE)) <= 100
