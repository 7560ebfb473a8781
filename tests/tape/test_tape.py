"""The tape gives back what was put on it, and says where something is missing."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar, get_args

import msgspec
import pytest

from orchestrator.domain.kernel import Instant, Provenance, Record
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.switch import facts as f
from orchestrator.domain.switch import instructions
from orchestrator.redrive.drive import WARM
from orchestrator.redrive.gathered import taped
from orchestrator.runner.inputs import (
    Command,
    DatabaseBack,
    Fact,
    Followed,
    Ready,
    SendDigits,
    SignIn,
    Started,
    TimerFired,
)
from orchestrator.tape import Hole, Recorded, TapeWriter, form, inputs_of, read, segments
from orchestrator.vault import DataKey, Vault
from tests.esl.captures import events, stream
from tests.lab.patience import until

Made = TypeVar("Made", bound=msgspec.Struct)


class NoShelf:
    """A vault without a database: the tape's keys need none."""

    def fetch(self, subjects: object) -> dict[str, object]:
        raise AssertionError("the tape must not ask the database")

    def check_value(self) -> str | None:
        return None

    def remember_check_value(self, value: str) -> str:
        return value


@pytest.fixture
def vault() -> Vault:
    return Vault(DataKey.fresh().raw, NoShelf())  # type: ignore[arg-type]  # asked for nothing


def instant(number: int) -> Instant:
    return Instant(1_700_000_000_000_000 + number)


def record(folder: Path, vault: Vault, bodies: list[object], *, epoch: int = 3, **options: int) -> TapeWriter:
    writer = TapeWriter(folder, vault, epoch=epoch, max_mb=options.pop("max_mb", 64), **options)
    for number, body in enumerate(bodies, 1):
        writer.write(f"{epoch}-{number}", instant(number), body)
    writer.close()
    return writer


def damage(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


def test_every_kind_of_input_comes_back_as_it_went(tmp_path: Path, vault: Vault) -> None:
    switch_events = [("fs1", event) for event in events([stream("a", "json")])]
    applied = made_up(ConfigurationApplied)
    followed = Followed(
        record=Record(
            stream="config-main",
            version=4,
            event=applied,
            event_id="e-4",
            about=Provenance(at=instant(1), actor="admin:ann"),
            position=77,
        )
    )
    others: list[object] = [
        Started(epoch=3, position=76),
        DatabaseBack(away_ms=1_500, held=3),
        TimerFired(what="offer", ident="c-1"),
        SignIn(agent="7", extension="1001"),
        Ready(agent="7"),
        f.LinkDown(node="fs1", why="gone"),
        f.Snapshot(node="fs1", core="k", legs=(f.SeenLeg(leg="l", inbound=True, caller_name='O"x'),)),
        followed,
    ]
    writer = record(tmp_path, vault, [*switch_events, *others])
    found = list(read(segments(tmp_path), vault))
    assert [(one.node, one.body) for one in found if isinstance(one, Recorded)] == [
        *switch_events,
        *(("", body) for body in others),
    ]
    assert [one.id for one in found if isinstance(one, Recorded)] == [f"3-{n}" for n in range(1, len(found) + 1)]
    assert writer.kept == len(found)
    assert writer.missed == 0


def test_digits_that_an_agent_types_are_not_on_the_tape_and_as_many_stars_are(tmp_path: Path, vault: Vault) -> None:
    """Law 11: they are secrets of whoever types them, also from those who may open the tape."""
    record(tmp_path, vault, [SendDigits(agent="7", digits="4111#")])
    (found,) = [one.body for one in read(segments(tmp_path), vault) if isinstance(one, Recorded)]
    assert found == SendDigits(agent="7", digits="*****")


def test_nor_are_they_where_it_says_what_the_switch_was_told() -> None:
    """Law 11; decision 0076: and what is driven again says the same stars."""
    told = form.Told((instructions.SendDigits(id="i", node="n", leg="l", contact="c", digits="4111#"),))
    line = form.encode("1-1", instant(1), told)
    assert b"4111" not in line
    found = form.decode(line).body
    assert isinstance(found, form.Told)
    assert found.instructions == (msgspec.structs.replace(told.instructions[0], digits="*****"),)


def made_up(kind: type[Made]) -> Made:
    """One of this kind, with some value in each required field: what it means is not the tape's business."""
    values: dict[str, object] = {"tuple": (), "dict": {"7": "d"}, "bool": True, "Instant": 1, "int": 1, "str": "x"}
    return kind(
        **{
            field.name: next(value for name, value in values.items() if name in str(field.type))
            for field in msgspec.structs.fields(kind)
            if field.required
        }
    )


def test_each_kind_of_fact_and_command_of_the_runner_can_stand_on_the_tape() -> None:
    """A new member of the runner's unions must not be forgotten here."""
    for kind in (*get_args(Fact), *get_args(Command)):
        body = made_up(kind) if kind is not SendDigits else SendDigits(agent="7", digits="*")
        assert form.decode(form.encode("1-1", instant(1), body)).body == body


def test_what_is_no_input_is_refused_at_once(tmp_path: Path, vault: Vault) -> None:
    writer = TapeWriter(tmp_path, vault, epoch=1, max_mb=4)
    with pytest.raises(TypeError, match="dict is no input"):
        writer.write("1-1", instant(1), {})
    writer.close()


def test_a_caller_is_not_readable_on_the_disk(tmp_path: Path, vault: Vault) -> None:
    number = "13800000001"
    record(tmp_path, vault, [("fs1", event) for event in events([stream("a", "json")])])
    for path in segments(tmp_path):
        data = path.read_bytes()
        assert number.encode() not in data
        assert path.stat().st_mode & 0o077 == 0
    strange = Vault(DataKey.fresh().raw, NoShelf())  # type: ignore[arg-type]
    assert all(isinstance(one, Hole) for one in read(segments(tmp_path), strange))


def test_what_a_crash_cut_is_a_hole_and_all_before_it_is_there(tmp_path: Path, vault: Vault) -> None:
    record(tmp_path, vault, [TimerFired(what="offer", ident=str(n)) for n in range(50)])
    (path,) = segments(tmp_path)
    whole = path.read_bytes()
    header = form.read_header(whole)[1]
    for cut in range(header, len(whole)):
        path.write_bytes(whole[:cut])
        found = list(read([path], vault))
        if cut == header:
            assert found == []
        else:
            assert len(found) == 1
            assert isinstance(found[0], Hole)
            assert (found[0].first, found[0].last) == (1, 0)
            assert "stopped there" in found[0].why


def on_disk(writer: TapeWriter, count: int) -> None:
    until(lambda: writer.kept == count, f"{count} inputs to be on disk")


def blocks_of(folder: Path, vault: Vault, count: int) -> Path:
    """One segment of as many blocks, ten timers in each."""
    writer = TapeWriter(folder, vault, epoch=3, max_mb=64)
    for block in range(count):
        for n in range(10):
            number = block * 10 + n + 1
            writer.write(f"3-{number}", instant(number), TimerFired(what="offer", ident=str(number)))
        on_disk(writer, block * 10 + 10)
    writer.close()
    (path,) = segments(folder)
    return path


def test_a_damaged_block_is_a_hole_with_its_numbers_and_the_rest_is_read(tmp_path: Path, vault: Vault) -> None:
    path = blocks_of(tmp_path, vault, 3)
    data = path.read_bytes()
    at = form.read_header(data)[1]
    (length,) = form.LENGTH.unpack_from(data, at)
    damage(path, at + form.LENGTH.size + length + form.LENGTH.size + 20)  # in the second block
    found = list(read([path], vault))
    ids = [one.id for one in found if isinstance(one, Recorded)]
    assert ids == [f"3-{n}" for n in (*range(1, 11), *range(21, 31))]
    (hole,) = [one for one in found if isinstance(one, Hole)]
    assert (hole.epoch, hole.first, hole.last) == (3, 11, 20)
    assert "block 1 is damaged" in hole.why


def test_a_hole_before_the_first_line_of_a_window_is_told_and_one_before_that_is_not(
    tmp_path: Path, vault: Vault
) -> None:
    """Feature 11.4: what is not there may be of the window, also where it stands at the window's front."""
    path = blocks_of(tmp_path, vault, 4)
    whole = list(read([path], vault))
    data = path.read_bytes()
    at = form.read_header(data)[1]
    for _ in range(2):
        (length,) = form.LENGTH.unpack_from(data, at)
        at += form.LENGTH.size + length
    damage(path, at + form.LENGTH.size + 20)  # in the third block: lines 21 to 30

    def told(since: int, until: int) -> list[Recorded | Hole]:
        return list(taped([path], vault, Instant(instant(since) + WARM), Instant(instant(until) + WARM)))

    assert len(whole) == 40
    for since in (25, 31):
        hole, first, *_ = told(since, 40)
        assert isinstance(hole, Hole)
        assert (hole.first, hole.last) == (21, 30)
        assert isinstance(first, Recorded)
        assert first.id == "3-31"
    (only,) = list(taped([path], vault, Instant(instant(22) + WARM), instant(28)))
    assert isinstance(only, Hole), "also where there is nothing else in it"
    assert not [each for each in told(32, 40) if isinstance(each, Hole)], "a line lies between"


def test_blocks_that_were_exchanged_do_not_pass_for_whole(tmp_path: Path, vault: Vault) -> None:
    path = blocks_of(tmp_path, vault, 2)
    data = path.read_bytes()
    at = form.read_header(data)[1]
    size = form.LENGTH.size + form.LENGTH.unpack_from(data, at)[0]
    path.write_bytes(data[:at] + data[at + size :] + data[at : at + size])
    assert [type(one) for one in read([path], vault)] == [Hole]


def many(count: int) -> Iterator[object]:
    for n in range(count):
        yield TimerFired(what="offer", ident=os.urandom(300).hex() + str(n))  # nothing for the compressor


def test_the_tape_stays_within_its_bound_and_says_what_was_removed(tmp_path: Path, vault: Vault) -> None:
    writer = TapeWriter(tmp_path, vault, epoch=3, max_mb=1, segment_bytes=100_000)
    for number, body in enumerate(many(4_000), 1):
        writer.write(f"3-{number}", instant(number), body)
        if number % 100 == 0:
            on_disk(writer, number)
    writer.close()
    paths = segments(tmp_path)
    assert sum(path.stat().st_size for path in paths) <= 1_000_000
    found = list(read(paths, vault))
    assert isinstance(found[0], Hole)
    assert found[0].first == 1
    kept = [one for one in found if isinstance(one, Recorded)]
    assert [one.id for one in kept] == [f"3-{n}" for n in range(found[0].last + 1, 4_001)]
    removed = [name for path in paths for name in form.read_header(path.read_bytes())[0].removed]
    assert form.segment_name(3, form.place_of(paths[0])[1] - 1) in removed  # type: ignore[index]


def test_a_disk_that_fails_costs_inputs_never_a_call(
    tmp_path: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = TapeWriter(tmp_path, vault, epoch=3, max_mb=64)
    writer.write("3-1", instant(1), TimerFired(what="offer", ident="1"))
    on_disk(writer, 1)
    real = os.write

    def full(fd: int, data: bytes) -> int:
        if fd == writer._fd:
            raise OSError(28, "No space left on device")
        return real(fd, data)

    monkeypatch.setattr(os, "write", full)
    writer.write("3-2", instant(2), TimerFired(what="offer", ident="2"))
    until(lambda: writer.missed == 1, "the failure to be noticed")
    monkeypatch.undo()
    writer.write("3-3", instant(3), TimerFired(what="offer", ident="3"))
    writer.close()
    found = list(read(segments(tmp_path), vault))
    assert [one.id if isinstance(one, Recorded) else (one.first, one.last) for one in found] == ["3-1", (2, 2), "3-3"]


def test_two_epochs_are_read_one_after_the_other(tmp_path: Path, vault: Vault) -> None:
    record(tmp_path, vault, [TimerFired(what="offer", ident="a")], epoch=9)
    record(tmp_path, vault, [TimerFired(what="offer", ident="b")], epoch=10)
    assert [one.id for one in read(segments(tmp_path), vault) if isinstance(one, Recorded)] == ["9-1", "10-1"]


def test_a_file_that_is_no_tape_is_a_hole_and_stops_nobody(tmp_path: Path, vault: Vault) -> None:
    record(tmp_path, vault, [TimerFired(what="offer", ident="a")], epoch=2)
    (tmp_path / form.segment_name(1, 1)).write_bytes(b"not a tape")
    (tmp_path / "notes.txt").write_text("mine")
    found = list(read(segments(tmp_path), vault))
    assert isinstance(found[0], Hole)
    assert "does not begin as a tape" in found[0].why
    assert isinstance(found[1], Recorded)


def test_a_re_drive_gets_the_same_ids_and_facts_as_the_loop_made(tmp_path: Path, vault: Vault) -> None:
    record(tmp_path, vault, [("fs1", event) for event in events([stream("e1", "json")])])
    given = [
        one for found in read(segments(tmp_path), vault) if isinstance(found, Recorded) for one in inputs_of(found)
    ]
    transferred = [one for one in given if isinstance(one.body, f.LegTransferred)]
    assert len(transferred) == 1
    assert transferred[0].id.endswith(".1")  # the second fact of its event
    assert len({one.id for one in given}) == len(given)


def test_reading_the_tape_needs_neither_gevent_nor_a_database() -> None:
    check = "import orchestrator.tape, sys; sys.exit(bool({'gevent', 'psycopg', 'greenswitch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
