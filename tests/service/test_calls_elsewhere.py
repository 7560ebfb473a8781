"""Calls that a switch of another machine served alone are fetched from there, sealed, and imported once (12.3)."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.service import sealed_files
from orchestrator.service.call_files import ASIDE, FIRST, CallFiles, Unreached, aside
from orchestrator.service.calls_elsewhere import CallsElsewhere, door_of
from orchestrator.service.fetching import Door, prover
from orchestrator.service.importing import Here, Lying
from orchestrator.settings import Address
from orchestrator.vault import DataKey, Vault
from tests.service.test_importing import LEG, NEXT_CORE, TAKEN, VAULT, Ledger, first_word, of, text

FAR = Here(("far",))
OTHER = LEG.replace("d8cca8ec", "00000000")


class Machine:
    """Another machine: its folder, and its door."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = CallFiles(folder, folder, VAULT, settled_s=0.0)
        self.said: list[bytes] = []
        self.answers: Callable[[str, str, str], bytes] = door_of(self.files, VAULT)
        self.door = Door(Address("127.0.0.1", 0), folder, prover(VAULT), calls=self._say)

    def _say(self, path: str, wish: str, asked: str) -> bytes:
        self.said.append(self.answers(path, wish, asked))
        return self.said[-1]

    def place(self, vault: Vault = VAULT) -> CallsElsewhere:
        return CallsElsewhere(self.door.address, vault, timeout_s=10.0)

    def lay(self, leg: str = LEG, data: bytes | None = None) -> Path:
        file = self.folder / f"{leg}.cdr.json"
        file.write_bytes(text(uuid=leg, ringledger_node="far") if data is None else data)
        return file


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    folder = tmp_path / "far"
    folder.mkdir()
    machine = Machine(folder)
    with machine.door as door:
        thread = threading.Thread(target=door.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield machine
        finally:
            door.shutdown()
            thread.join(10)


def test_a_call_of_another_machine_is_imported_under_its_switch_and_its_file_goes(machine: Machine) -> None:
    """Law 11: nobody on the line reads who called."""
    file, ledger = machine.lay(), Ledger()
    assert of(ledger, Lying(machine.place(), lambda: FAR)).look() == 1
    assert (ledger.taken[LEG].node, ledger.taken[LEG].caller_name) == ("far", "Ada")
    assert not file.exists()
    assert machine.said
    assert not any(b"Ada" in said or b"31201234567" in said for said in machine.said)


def test_of_a_switch_elsewhere_that_died_its_first_word_is_imported_and_until_then_waits(machine: Machine) -> None:
    file, ledger = machine.folder / f"{LEG}{FIRST}", Ledger()
    file.write_bytes(first_word(node="far"))
    assert of(ledger, Lying(machine.place(), lambda: FAR)).look() == 0
    died = Here(("far",), running={"far": NEXT_CORE})
    assert of(ledger, Lying(machine.place(), lambda: died)).look() == 1
    assert (ledger.taken[LEG].node, ledger.taken[LEG].taken_at) == ("far", TAKEN)
    assert not list(machine.folder.iterdir())


def test_a_message_is_told_of_where_it_lies_beside_its_file(machine: Machine) -> None:
    said = {"ringledger_node": "far", "ringledger_message": f"message-{LEG}.wav", "record_ms": "1500"}
    for lies in (False, True):
        ledger = Ledger()
        machine.lay(data=text(**said))
        if lies:
            (machine.folder / f"message-{LEG}.wav").write_bytes(b"RIFF")
        of(ledger, Lying(machine.place(), lambda: FAR)).look()
        assert bool(ledger.taken[LEG].message) is lies


def test_a_call_is_imported_once_where_the_word_that_it_is_done_was_lost(machine: Machine) -> None:
    """Killed between the log and the word; the next engine finds the file and changes nothing."""
    file, ledger = machine.lay(), Ledger()
    whole, machine.answers = machine.answers, _but_for("done", machine.answers)
    of(ledger, Lying(machine.place(), lambda: FAR)).look()
    assert list(ledger.taken) == [LEG]
    assert file.exists()
    machine.answers = whole
    assert of(ledger, Lying(machine.place(), lambda: FAR)).look() == 0
    assert list(ledger.taken) == [LEG]
    assert not file.exists()


def test_a_file_that_says_something_else_by_now_is_not_removed(machine: Machine) -> None:
    file = machine.lay()
    place = machine.place()
    told = place.told(LEG)
    machine.lay(data=text(ringledger_node="far", hangup_cause="USER_BUSY"))
    place.done(LEG, told.digest)
    assert file.exists()


def test_what_is_no_record_is_put_aside_there_sealed(machine: Machine) -> None:
    """Nothing is lost, and a strange name, a link and a record of nobody's keep none behind them waiting."""
    machine.lay("..%2Fstrange", b"x")
    machine.lay(OTHER, text(uuid=OTHER, ringledger_node="../near"))
    (machine.folder / f"{LEG.replace('d8cca8ec', '11111111')}.cdr.json").symlink_to(__file__)
    good, ledger = machine.lay(), Ledger()
    assert of(ledger, Lying(machine.place(), lambda: FAR)).look() == 1
    assert not good.exists()
    assert list(ledger.taken) == [LEG]
    kept = sorted(file.name for file in (machine.folder / ASIDE).iterdir())
    assert kept == ["..%2Fstrange.cdr.json.sealed", f"{OTHER}.cdr.json.sealed", f"1111{kept[2][4:]}"]
    assert b"Ada" not in (machine.folder / ASIDE / kept[1]).read_bytes()
    assert b"Ada" in b"".join(aside(machine.folder, kept[1], VAULT))


def test_whoever_has_not_the_sites_key_is_told_nothing_and_removes_nothing(machine: Machine) -> None:
    file = machine.lay()
    stranger = machine.place(Vault(DataKey.fresh().raw, None))  # type: ignore[arg-type]
    for ask in (stranger.waiting, lambda: stranger.told(LEG), lambda: stranger.done(LEG, "")):
        with pytest.raises(OSError, match="403"):
            ask()
    assert file.exists()
    assert not machine.said


def test_an_answer_to_another_question_is_none(machine: Machine) -> None:
    """Law 10: what was heard on the line yesterday does not make a call today."""
    machine.lay()
    place = machine.place()
    place.waiting()
    machine.answers = lambda *_: machine.said[0]
    with pytest.raises(OSError, match="Tampered"):
        place.told(LEG)


def test_a_machine_that_does_not_answer_keeps_no_other_waiting(machine: Machine, tmp_path: Path) -> None:
    near, ledger = tmp_path / "near", Ledger()
    near.mkdir()
    (near / f"{OTHER}.cdr.json").write_bytes(text(uuid=OTHER))
    away = CallsElsewhere(Address("127.0.0.1", 9), VAULT, timeout_s=1.0)
    sources = (
        Lying(away, lambda: FAR),
        Lying(CallFiles(near, near, VAULT, settled_s=0.0), lambda: Here(("near",))),
        Lying(machine.place(), lambda: FAR),
    )
    machine.lay()
    assert of(ledger, *sources).look() == 2
    assert {leg: call.node for leg, call in ledger.taken.items()} == {OTHER: "near", LEG: "far"}


def test_a_file_that_a_disk_there_refuses_keeps_none_behind_it_waiting_and_a_lost_line_does(machine: Machine) -> None:
    """Issue 6: only a machine that does not answer is asked for nothing else in this look."""
    machine.lay(OTHER, text(uuid=OTHER, ringledger_node="far"))
    good, ledger = machine.lay(), Ledger()
    whole = machine.answers

    def refuse(path: str, wish: str, asked: str) -> bytes:
        if wish == "read" and path.endswith(OTHER):
            raise OSError(5, "Input/output error")
        return whole(path, wish, asked)

    machine.answers = refuse
    assert of(ledger, Lying(machine.place(), lambda: FAR)).look() == 1
    assert list(ledger.taken) == [LEG]
    assert not good.exists()
    away = CallsElsewhere(Address("127.0.0.1", 9), VAULT, timeout_s=1.0)
    with pytest.raises(Unreached):
        away.told(LEG)


def test_a_first_word_that_waits_is_fetched_once(machine: Machine) -> None:
    """Law 6: each is a question over the line, on a connection of its own."""
    (machine.folder / f"{LEG}{FIRST}").write_bytes(first_word(node="far"))
    looking = of(Ledger(), Lying(machine.place(), lambda: FAR))
    looking.look()
    machine.said.clear()
    looking.look()
    assert len(machine.said) == 1, "the list alone"


def test_what_cannot_be_put_aside_there_keeps_none_behind_it_waiting(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange, ledger = "%2Fstrange", Ledger()
    machine.lay(strange)
    machine.lay()
    seal = sealed_files.seal

    def refuse(path: Path, *given: Any) -> sealed_files.Summary:  # noqa: ANN401 - as the real one has it
        if path.name.startswith(strange):
            raise OSError(28, "No space left on device")
        return seal(path, *given)

    monkeypatch.setattr("orchestrator.service.sealed_files.seal", refuse)
    assert of(ledger, Lying(machine.place(), lambda: FAR)).look() == 1


def _but_for(what: str, answers: Callable[[str, str, str], bytes]) -> Callable[[str, str, str], bytes]:
    def say(path: str, wish: str, asked: str) -> bytes:
        if wish.startswith(what):
            raise OSError("the line was cut")
        return answers(path, wish, asked)

    return say
