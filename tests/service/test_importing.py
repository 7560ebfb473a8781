"""What a switch says of the calls that it served alone is read as what a stranger wrote, and imported once (12.3)."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gevent
import pytest

from orchestrator.domain.kernel import Instant, Refused
from orchestrator.runner.inputs import ImportCall
from orchestrator.runner.unattended import contact_of
from orchestrator.service import sealed_files
from orchestrator.service.call_files import ASIDE, FIRST, HALF, LARGEST, SUFFIX, CallFiles, Unreadable, aside
from orchestrator.service.customers import Caller, Whose
from orchestrator.service.importing import EVERY_S, LOST_AFTER, GoesOn, Here, Importer, Lying, read, read_first
from orchestrator.vault import DataKey, Vault

LEG = "d8cca8ec-e5b0-4001-99af-e576f101a776"
VAULT = Vault(DataKey.fresh().raw, None)  # type: ignore[arg-type]  # a named key needs no shelf
HERE = Here(("sw1",))
NOW = Instant(1_796_012_900_000_000)
ARRIVED, JOINED, ENDED = 1_796_012_831_720_238, 1_796_012_843_401_595, 1_796_012_851_780_145


def record(**changes: str) -> dict[str, Any]:
    """A record as a real switch wrote one, but for what nobody reads."""
    variables = {
        "uuid": LEG,
        "ringledger_unattended": "yes",
        "hangup_cause": "NORMAL_CLEARING",
        "bridge_channel": "sofia/internal/1001-0x5638a4b53580%40127.0.0.1%3A26646",
        "originated_legs": "ARRAY%3A%3Asomething",
        **changes,
    }
    profile = {"caller_id_name": "Ada", "caller_id_number": "+31201234567", "network_addr": "127.0.0.1"}
    last = {"created_time": str(ARRIVED), "bridged_time": str(JOINED), "hangup_time": str(ENDED)}
    first = {"created_time": str(ARRIVED), "bridged_time": "0", "hangup_time": "0"}
    return {
        "core-uuid": "f",
        "variables": variables,
        "callflow": [
            {"caller_profile": {**profile, "destination_number": "served-by-the-switch"}, "times": last},
            {"caller_profile": {**profile, "destination_number": "4000"}, "times": first},
        ],
    }


def text(**changes: str) -> bytes:
    return json.dumps(record(**changes)).encode()


class Ledger:
    """Takes each call once, as the engine does; refuses where it is told to."""

    def __init__(self) -> None:
        self.taken: dict[str, ImportCall] = {}
        self.past: dict[str, Whose] = {}
        self.asked: list[str] = []
        self.refuses = ""

    def whose(self, contacts: Sequence[str]) -> dict[str, Whose]:
        known = self.past | {contact_of(leg): Whose(call.customer_id) for leg, call in self.taken.items()}
        return {contact: known[contact] for contact in contacts if contact in known}

    def identify(self, numbers: Sequence[str]) -> list[Caller | None]:
        self.asked += numbers
        return [Caller("c-1") if number else None for number in numbers]

    def carry(self, command: ImportCall) -> int:
        if self.refuses:
            raise Refused(self.refuses, "Not now.")
        if command.leg in self.taken:
            return 0
        self.taken[command.leg] = command
        return len(self.taken)


def importer(folder: Path, ledger: Ledger, *, settled_s: float = 0.0, here: Here = HERE) -> Importer:
    return of(ledger, Lying(CallFiles(folder, folder, VAULT, settled_s=settled_s), lambda: here))


def of(ledger: Ledger, *sources: Lying) -> Importer:
    return Importer(
        sources,
        carry=ledger.carry,
        identify=ledger.identify,
        clock=lambda: NOW,
        whose=ledger.whose,
        earlier=lambda _leg: "",
    )


def test_a_record_says_who_called_whom_and_who_served_them() -> None:
    call = read(text(ringledger_contact="c-9"), LEG, HERE, NOW)
    assert (call.dialled, call.caller_number, call.caller_name, call.host) == (
        "4000",
        "+31201234567",
        "Ada",
        "127.0.0.1",
    )
    assert (call.arrived_at, call.joined_at, call.ended_at) == (ARRIVED, JOINED, ENDED)
    assert (call.extension, call.earlier, call.cause, call.node) == ("1001", "c-9", "NORMAL_CLEARING", "sw1")


def test_a_message_has_the_name_that_we_gave_it_or_is_none() -> None:
    """Law 10: no file name comes from a record."""
    named = read(text(ringledger_message=f"message-{LEG}.wav", record_ms="1500"), LEG, HERE, NOW)
    assert (named.message, named.message_ms) == (f"message-{LEG}.wav", 1_500)
    assert read(text(ringledger_message="..%2F..%2Fetc%2Fpasswd", record_ms="1e9"), LEG, HERE, NOW).message == ""


def test_a_name_in_bytes_that_are_no_utf_8_loses_its_letters_and_not_the_call(tmp_path: Path) -> None:
    """Law 10: many phones send a name in Latin-1, and the switch writes it as it came."""
    latin = text().replace(b'"Ada"', b'"M\xfcller"')
    ledger = Ledger()
    (tmp_path / f"{LEG}.cdr.json").write_bytes(latin)
    assert importer(tmp_path, ledger).look() == 1
    assert ledger.taken[LEG].caller_name == "M\N{REPLACEMENT CHARACTER}ller"
    assert ledger.taken[LEG].caller_number == "+31201234567"


def _without_times() -> bytes:
    broken = record()
    broken["callflow"][0]["times"]["hangup_time"] = "0"
    return json.dumps(broken).encode()


@pytest.mark.parametrize(
    "data",
    (
        pytest.param(b"", id="empty"),
        pytest.param(text()[:300], id="cut off"),
        pytest.param(b'{"variables": ' + b"[" * 100_000, id="deep"),
        pytest.param(b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="deep where nobody looks"),
        pytest.param(b" " * (LARGEST + 1), id="large"),
        pytest.param(b"\xff\xfe" + text(), id="no text"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"variables": {}, "callflow": []}', id="nothing in it"),
        pytest.param(text(uuid="00000000-0000-4000-8000-000000000000"), id="another call's"),
        pytest.param(text(ringledger_unattended="no"), id="one that we served"),
        pytest.param(_without_times(), id="without an end"),
    ),
)
def test_what_is_no_record_is_put_aside_with_an_alarm_and_never_deleted(data: bytes, tmp_path: Path) -> None:
    """Law 10, issue 6: bad input gets a clear refusal, and nothing is lost."""
    with pytest.raises(Unreadable):
        read(data, LEG, HERE, NOW)
    ledger = Ledger()
    file = tmp_path / f"{LEG}.cdr.json"
    looking = importer(tmp_path, ledger)
    for _ in range(2):
        file.write_bytes(data)
        assert looking.look() == 0
    assert not ledger.taken
    assert not file.exists()
    kept = sorted((tmp_path / ASIDE).iterdir())
    assert [each.name for each in kept] == [f"{file.name}.2.sealed", f"{file.name}.sealed"]
    assert b"".join(aside(tmp_path, kept[1].name, VAULT)) == data


def test_what_is_put_aside_names_nobody_in_the_clear_not_even_what_was_put_there_before(tmp_path: Path) -> None:
    """Law 11: a record that cannot be read has a caller's name and number all the same."""
    ledger = Ledger()
    old = tmp_path / ASIDE / "old.cdr.json"
    old.parent.mkdir()
    old.write_bytes(text())
    (tmp_path / f"{LEG}.cdr.json").write_bytes(_without_times())
    assert importer(tmp_path, ledger).look() == 0
    kept = sorted(old.parent.iterdir())
    assert [each.name for each in kept] == [f"{LEG}.cdr.json.sealed", "old.cdr.json.sealed"]
    for file in kept:
        assert b"Ada" not in file.read_bytes()
        assert b"Ada" in b"".join(aside(tmp_path, file.name, VAULT))


def test_of_several_switches_of_a_machine_a_call_belongs_to_the_one_that_wrote_it() -> None:
    """It says so itself, or its run id does; what is no name, and a silence, are nobody's."""
    several = Here(("one", "two"), {"f": "two"})
    assert read(text(ringledger_node="one"), LEG, several, NOW).node == "one"
    assert read(text(), LEG, several, NOW).node == "two"
    assert read(text(), LEG, HERE, NOW).node == "sw1"
    for here in (several, HERE):
        assert read(text(ringledger_node="three"), LEG, here, NOW).node == "three", (
            "it was taken out of the site's file"
        )
        with pytest.raises(Unreadable):
            read(text(ringledger_node="three or four"), LEG, here, NOW)
    with pytest.raises(Unreadable):
        read(text(), LEG, Here(("one", "two")), NOW)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(text())
    (tmp_path / f"{LEG}.cdr.json").symlink_to(secret)
    ledger = Ledger()
    assert importer(tmp_path, ledger).look() == 0
    assert not ledger.taken
    assert secret.read_bytes() == text()


def test_a_call_is_imported_once_and_its_file_goes_also_after_a_crash_before_that(tmp_path: Path) -> None:
    file, ledger = tmp_path / f"{LEG}.cdr.json", Ledger()
    looking = importer(tmp_path, ledger)
    file.write_bytes(text())
    assert looking.look() == 1
    file.write_bytes(text())  # stored, and killed before the file was gone
    assert importer(tmp_path, ledger).look() == 0
    assert list(ledger.taken) == [LEG]
    assert ledger.taken[LEG].customer_id == "c-1"
    assert not file.exists()


def test_a_file_stays_while_the_ledger_cannot_take_it_and_while_it_is_being_written(tmp_path: Path) -> None:
    file, ledger = tmp_path / f"{LEG}.cdr.json", Ledger()
    file.write_bytes(text())
    ledger.refuses = "database_away"
    assert importer(tmp_path, ledger).look() == 0
    assert file.exists()
    ledger.refuses = ""
    file.write_bytes(text()[:300])
    slow = importer(tmp_path, ledger, settled_s=60.0)
    assert slow.look() == 0
    assert file.exists(), "it may be whole in a moment"
    file.write_bytes(text())
    assert slow.look() == 1


def test_one_that_is_whole_is_taken_at_once_and_one_that_never_will_be_is_put_aside(tmp_path: Path) -> None:
    """Feature 12.3: of a call that ended just now it is known that it was served, not given up."""
    other = LEG.replace("d8cca8ec", "00000000")
    (tmp_path / f"{LEG}.cdr.json").write_bytes(text())
    (tmp_path / f"{other}.cdr.json").write_bytes(text()[:300])
    ledger = Ledger()
    looking = importer(tmp_path, ledger, settled_s=60.0)
    assert looking.look() == 1
    assert [file.name for file in tmp_path.iterdir()] == [f"{other}.cdr.json"]
    os.utime(tmp_path / f"{other}.cdr.json", (1, 1))
    assert looking.look() == 0
    assert [file.name for file in (tmp_path / ASIDE).iterdir()] == [f"{other}.cdr.json.sealed"]


def test_those_that_have_to_wait_keep_none_behind_them_waiting(tmp_path: Path) -> None:
    """Feature 12.3: after an outage more calls may still go on than one look took."""
    ledger = Ledger()
    taken = ledger.carry
    legs = [LEG.replace("d8cca8ec", f"{number:08x}") for number in range(60)]
    for age, leg in enumerate(legs):
        file = tmp_path / f"{leg}.cdr.json"
        file.write_bytes(text(uuid=leg))
        os.utime(file, (1 + age, 1 + age))

    def carry(command: ImportCall) -> int:
        if command.leg in legs[:50]:
            raise Refused("not_over", "Not yet.")
        return taken(command)

    ledger.carry = carry  # type: ignore[method-assign]
    assert importer(tmp_path, ledger).look() == 10
    assert list(ledger.taken) == legs[50:]


def test_whom_a_switch_of_this_machine_took_is_known_without_reading_what_it_says(tmp_path: Path) -> None:
    """Feature 12.3: before their legs are found gone, also where it cannot be read. It costs one look into the folder,
    whomever it is about, and asks nothing of the database, which may be slow.
    """
    record, broken, word, other, theirs = (LEG.replace("d8cca8ec", f"{number:08x}") for number in range(5))
    for leg, kind in ((record, SUFFIX), (broken, SUFFIX), (word, FIRST), (other, SUFFIX), (theirs, SUFFIX)):
        (tmp_path / f"{leg}{kind}").write_bytes(b"")
    (tmp_path.parent / f"outside{SUFFIX}").write_bytes(b"")
    ours = dict.fromkeys((record, broken, word, LEG, "", "../outside"), "sw1") | {theirs: "sw2"}
    ledger = Ledger()
    files = CallFiles(tmp_path, tmp_path, VAULT)

    def ask(_: object) -> dict[str, Whose]:
        raise AssertionError("the database is asked")

    ledger.whose = ask  # type: ignore[method-assign, assignment]

    def look(at: Lying) -> list[str]:
        return of(ledger, at).said_of(ours)

    assert look(Lying(files, lambda: HERE)) == [], "nobody waits for another machine"
    assert look(Lying(files, lambda: HERE, files.spoken_of)) == [record, broken, word]
    assert not ledger.taken
    assert not ledger.asked
    assert len(list(tmp_path.iterdir())) == 5


def test_a_file_that_leads_to_an_error_nobody_foresaw_keeps_none_behind_it_waiting(tmp_path: Path) -> None:
    other = LEG.replace("d8cca8ec", "00000000")
    for age, leg in enumerate((other, LEG)):
        file = tmp_path / f"{leg}.cdr.json"
        file.write_bytes(text(uuid=leg))
        os.utime(file, (1 + age, 1 + age))
    ledger = Ledger()
    taken = ledger.carry

    def carry(command: ImportCall) -> int:
        if command.leg == other:
            raise KeyError(other)
        return taken(command)

    ledger.carry = carry  # type: ignore[method-assign]
    with pytest.raises(KeyError):
        importer(tmp_path, ledger).look()
    assert list(ledger.taken) == [LEG]
    assert [file.name for file in tmp_path.iterdir()] == [f"{other}.cdr.json"]


CORE, NEXT_CORE = "11111111-2222-4333-8444-555555555555", "66666666-7777-4888-8999-000000000000"
WENT_ON = Here(("sw1",), running={"sw1": CORE})
DIED = Here(("sw1",), running={"sw1": NEXT_CORE})
AWAY = Here(("sw1",))
TAKEN = ARRIVED + 20_000_000


def first_word(**changes: str) -> bytes:
    """A first word as a real switch wrote one (freeswitch/conf/taken.lua)."""
    said = {
        "contact": "c-9",
        "host": "127.0.0.1",
        "caller_name": "Eve%22%2C%22uuid%22%3A%22x%0A%C3%BC%FF",
        "dialled": "4001",
        "uuid": LEG,
        "core": CORE,
        "node": "",
        "caller_number": "%2B31201234567",
        "arrived_at": str(ARRIVED),
        "taken_at": str(TAKEN),
        **changes,
    }
    return json.dumps(said).encode()


def test_of_a_caller_whose_switch_died_its_first_word_is_imported_once(tmp_path: Path) -> None:
    """Feature 12.3, complaint 2: nobody vanishes. Law 10: what a caller is called is text, whatever stands in it."""
    file, ledger = tmp_path / f"{LEG}{FIRST}", Ledger()
    for _ in range(2):
        file.write_bytes(first_word())
        importer(tmp_path, ledger, here=DIED).look()
    call = ledger.taken[LEG]
    assert (call.arrived_at, call.taken_at, call.ended_at, call.cause) == (ARRIVED, TAKEN, 0, "SWITCH_RESTARTED")
    assert (call.node, call.dialled, call.caller_number, call.earlier) == ("sw1", "4001", "+31201234567", "c-9")
    assert call.caller_name == 'Eve","uuid":"x\nü\N{REPLACEMENT CHARACTER}'
    assert call.customer_id == "c-1"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("here", (WENT_ON, AWAY), ids=("it goes on", "nobody knows"))
def test_while_its_switch_may_serve_the_caller_yet_its_first_word_waits(here: Here, tmp_path: Path) -> None:
    (tmp_path / f"{LEG}{FIRST}").write_bytes(first_word())
    ledger = Ledger()
    assert importer(tmp_path, ledger, here=here).look() == 0
    assert not ledger.taken
    assert importer(tmp_path, ledger, here=DIED, settled_s=60.0).look() == 0, "a run of just now may not be known yet"
    assert [file.name for file in tmp_path.iterdir()] == [f"{LEG}{FIRST}"]


@pytest.mark.parametrize("here", (WENT_ON, DIED), ids=("it goes on", "it died after that"))
def test_a_record_says_all_and_takes_the_first_word_with_it(here: Here, tmp_path: Path) -> None:
    (tmp_path / f"{LEG}{FIRST}").write_bytes(first_word())
    (tmp_path / f"{LEG}{SUFFIX}").write_bytes(text())
    ledger = Ledger()
    assert importer(tmp_path, ledger, here=here).look() == 1
    assert (ledger.taken[LEG].ended_at, ledger.taken[LEG].taken_at) == (ENDED, 0)
    assert not list(tmp_path.iterdir())


def test_where_the_switch_died_over_its_record_the_first_word_counts(tmp_path: Path) -> None:
    """Nothing is lost: what there is of the record is kept aside."""
    (tmp_path / f"{LEG}{FIRST}").write_bytes(first_word())
    (tmp_path / f"{LEG}{SUFFIX}").write_bytes(text()[:300])
    ledger = Ledger()
    looking = importer(tmp_path, ledger, here=DIED)
    assert looking.look() == 0
    assert looking.look() == 1
    assert ledger.taken[LEG].taken_at == TAKEN
    assert [file.name for file in (tmp_path / ASIDE).iterdir()] == [f"{LEG}{SUFFIX}.sealed"]


def test_a_first_word_over_which_the_switch_died_counts_where_it_is_whole(tmp_path: Path) -> None:
    other = LEG.replace("d8cca8ec", "00000000")
    (tmp_path / f"{LEG}{HALF}").write_bytes(first_word())
    (tmp_path / f"{other}{HALF}").write_bytes(first_word(uuid=other)[:100])
    ledger = Ledger()
    assert importer(tmp_path, ledger, here=DIED).look() == 1
    assert list(ledger.taken) == [LEG]
    assert [file.name for file in (tmp_path / ASIDE).iterdir()] == [f"{other}{HALF}.sealed"]


@pytest.mark.parametrize(
    "data",
    (
        pytest.param(b"", id="empty"),
        pytest.param(first_word()[:60], id="cut off"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b" " * (LARGEST + 1), id="large"),
        pytest.param(first_word(uuid="00000000-0000-4000-8000-000000000000"), id="another call's"),
        pytest.param(first_word(core=""), id="of no run"),
        pytest.param(first_word(node="sw9 or so"), id="of no switch"),
        pytest.param(first_word(taken_at="1e17"), id="at no time"),
        pytest.param(json.dumps({"uuid": LEG, "core": 5}).encode(), id="of other kinds"),
        pytest.param(text(), id="a record"),
    ),
)
def test_what_is_no_first_word_is_put_aside(data: bytes, tmp_path: Path) -> None:
    """Law 10."""
    ledger = Ledger()
    (tmp_path / f"{LEG}{FIRST}").write_bytes(data)
    assert importer(tmp_path, ledger, here=DIED).look() == 0
    assert not ledger.taken
    assert [file.name for file in (tmp_path / ASIDE).iterdir()] == [f"{LEG}{FIRST}.sealed"]


def test_no_value_of_a_first_word_is_longer_than_is_good(tmp_path: Path) -> None:
    call = read_first(first_word(caller_name="%41" * 9_000, contact="../" * 30), LEG, DIED, NOW)
    assert isinstance(call, ImportCall)
    assert (len(call.caller_name), call.earlier) == (2_048, "")


def test_calls_that_go_on_keep_no_record_from_sight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many first words lie there, and however old they are."""
    monkeypatch.setattr("orchestrator.service.call_files.AT_ONCE", 5)
    for number in range(10):
        leg = LEG.replace("d8cca8ec", f"{number:08x}")
        (tmp_path / f"{leg}{FIRST}").write_bytes(first_word(uuid=leg))
        os.utime(tmp_path / f"{leg}{FIRST}", (1, 1))
    (tmp_path / f"{LEG}{SUFFIX}").write_bytes(text())
    ledger = Ledger()
    assert importer(tmp_path, ledger, here=WENT_ON).look() == 1
    assert list(ledger.taken) == [LEG]


def test_a_call_that_ends_while_its_first_word_is_looked_at_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The switch writes the record and takes the word away, between two looks of ours."""
    first, record = tmp_path / f"{LEG}{FIRST}", tmp_path / f"{LEG}{SUFFIX}"
    first.write_bytes(first_word())
    opened = os.open

    def end_it(path: Path, *flags: int) -> int:
        if path == first and first.exists():
            record.write_bytes(text())
            first.unlink()
        return opened(path, *flags)

    monkeypatch.setattr("orchestrator.service.call_files.os.open", end_it)
    ledger = Ledger()
    assert importer(tmp_path, ledger, here=WENT_ON).look() == 1
    assert ledger.taken[LEG].ended_at == ENDED


def _words(folder: Path, number: int) -> list[str]:
    """So many first words of calls that go on."""
    legs = [LEG.replace("d8cca8ec", f"{each:08x}") for each in range(number)]
    for leg in legs:
        (folder / f"{leg}{FIRST}").write_bytes(first_word(uuid=leg))
    return legs


def test_a_first_word_that_waits_is_opened_once_until_its_switch_is_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Complaint 9: after a large outage thousands of them lie there, and are looked at every five seconds."""
    legs = _words(tmp_path, 20)
    here = [WENT_ON]
    ledger, opened, real = Ledger(), [0], os.open

    def opening(path: Path, *flags: int) -> int:
        opened[0] += 1
        return real(path, *flags)

    monkeypatch.setattr("orchestrator.service.call_files.os.open", opening)
    looking = of(ledger, Lying(CallFiles(tmp_path, tmp_path, VAULT, settled_s=0.0), lambda: here[0]))
    looking.look()
    assert opened[0] >= len(legs)
    opened[0] = 0
    looking.look()
    assert opened[0] == 0
    os.utime(tmp_path / f"{legs[3]}{FIRST}", (7, 7))
    looking.look()
    assert opened[0] > 0, "one that is another file by now is read"
    here[0] = DIED
    assert looking.look() == len(legs)


def test_a_look_gives_others_their_turn(tmp_path: Path) -> None:
    """Complaint 9: whatever it finds, calls go on meanwhile."""
    _words(tmp_path, 500)
    turns = [0]

    def others() -> None:
        while True:
            turns[0] += 1
            gevent.sleep(0)

    beside = gevent.spawn(others)
    try:
        importer(tmp_path, Ledger(), here=WENT_ON).look()
    finally:
        beside.kill()
    assert turns[0] >= 10


def test_the_next_look_comes_at_once_only_where_this_one_was_full_and_found_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.service.importing.AT_ONCE", 3)
    monkeypatch.setattr("orchestrator.service.call_files.AT_ONCE", 3)
    looking = importer(tmp_path, Ledger(), here=WENT_ON)
    pauses = []
    for number in (1, 5, 0):
        for each in range(number):
            leg = LEG.replace("d8cca8ec", f"{number:04x}{each:04x}")
            (tmp_path / f"{leg}{SUFFIX}").write_bytes(text(uuid=leg))
        looking.look()
        pauses.append(looking.pause_s)
    assert pauses == [EVERY_S, 0.0, EVERY_S]
    _words(tmp_path, 3)
    looking.look()
    assert looking.pause_s == EVERY_S, "they wait"


def test_a_file_that_the_disk_refuses_keeps_none_behind_it_waiting_and_is_told_of_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Issue 6: there is no room to seal one that cannot be read; all the others are imported."""
    broken = LEG.replace("d8cca8ec", "00000000")
    (tmp_path / f"{broken}{SUFFIX}").write_bytes(b"{")
    os.utime(tmp_path / f"{broken}{SUFFIX}", (1, 1))
    (tmp_path / ASIDE).mkdir(mode=0o700)
    written = tmp_path / ASIDE / f"{broken}{SUFFIX}.sealed{sealed_files.HALF}"
    ledger = Ledger()
    looking = importer(tmp_path, ledger)
    for number in range(3):
        written.symlink_to("/dev/full")
        leg = LEG.replace("d8cca8ec", f"{number + 1:08x}")
        (tmp_path / f"{leg}{SUFFIX}").write_bytes(text(uuid=leg))
        assert looking.look() == 1
        assert not os.path.lexists(written), "that was tried, and nothing of it is left"
    said = capsys.readouterr().out
    assert said.count("call-record-unreadable") == 1, "before it is sealed, and once"
    assert said.count("No space left on device") == 1
    assert (tmp_path / f"{broken}{SUFFIX}").exists()
    looking.look()
    assert [file.name for file in (tmp_path / ASIDE).iterdir()] == [f"{broken}{SUFFIX}.sealed"]


def test_one_that_cannot_be_opened_now_is_no_stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many open files: that passes, and the record is imported then."""
    file, real = tmp_path / f"{LEG}{SUFFIX}", os.open
    file.write_bytes(text())

    def refuse(path: Path, *flags: int) -> int:
        if path == file:
            raise OSError(24, "Too many open files")
        return real(path, *flags)

    ledger = Ledger()
    looking = importer(tmp_path, ledger)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("orchestrator.service.call_files.os.open", refuse)
        assert looking.look() == 0
    assert looking.look() == 1


def test_a_first_word_that_gets_its_name_while_it_is_looked_at_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half, first = tmp_path / f"{LEG}{HALF}", tmp_path / f"{LEG}{FIRST}"
    half.write_bytes(first_word())
    real = os.open

    def name_it(path: Path, *flags: int) -> int:
        if path == half and half.exists():
            half.rename(first)
        return real(path, *flags)

    monkeypatch.setattr("orchestrator.service.call_files.os.open", name_it)
    assert CallFiles(tmp_path, tmp_path, VAULT).told(LEG).data == first_word()


def test_a_file_that_goes_while_it_is_looked_at_keeps_none_behind_it_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone, ledger = LEG.replace("d8cca8ec", "00000000"), Ledger()
    for age, leg in enumerate((gone, LEG)):
        (tmp_path / f"{leg}{SUFFIX}").write_bytes(text(uuid=leg))
        os.utime(tmp_path / f"{leg}{SUFFIX}", (1 + age, 1 + age))
    real = os.open

    def take_it(path: Path, *flags: int) -> int:
        (tmp_path / f"{gone}{SUFFIX}").unlink(missing_ok=True)
        return real(path, *flags)

    monkeypatch.setattr("orchestrator.service.call_files.os.open", take_it)
    assert importer(tmp_path, ledger).look() == 1
    assert list(ledger.taken) == [LEG]
    said = capsys.readouterr().out
    assert "call-files-refused" not in said, "nothing is wrong with it"
    assert "calls-not-imported" not in said


def test_what_is_put_aside_is_what_was_read(tmp_path: Path) -> None:
    """The call ended between the two: its record is another file, and whole."""
    files = CallFiles(tmp_path, tmp_path, VAULT, settled_s=0.0)
    (tmp_path / f"{LEG}{FIRST}").write_bytes(b"no first word")
    told = files.told(LEG)
    (tmp_path / f"{LEG}{SUFFIX}").write_bytes(text())
    files.put_aside(LEG, "it is no first word", told.digest)
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"{LEG}{SUFFIX}", f"{LEG}{FIRST}"]
    files.put_aside(LEG, "it is no plain file", "")
    assert (tmp_path / f"{LEG}{SUFFIX}").exists()


def test_a_message_with_which_its_switch_died_is_the_contact_s(tmp_path: Path) -> None:
    """Complaint 2: what a caller said is kept, and known to be theirs; where nothing lies there nothing is said."""
    silent, ledger = LEG.replace("d8cca8ec", "00000000"), Ledger()
    for leg in (LEG, silent):
        (tmp_path / f"{leg}{FIRST}").write_bytes(first_word(uuid=leg))
    (tmp_path / f"message-{LEG}.wav").write_bytes(b"RIFF")
    assert importer(tmp_path, ledger, here=DIED).look() == 2
    assert (ledger.taken[LEG].message, ledger.taken[silent].message) == (f"message-{LEG}.wav", "")


def test_of_a_call_that_is_in_the_log_nobody_looks_for_who_called(tmp_path: Path) -> None:
    """Law 11: somebody who was erased since then would be a customer again."""
    ledger = Ledger()
    ledger.past[contact_of(LEG)] = Whose("c-gone", erased=True)
    (tmp_path / f"{LEG}{SUFFIX}").write_bytes(text())
    assert importer(tmp_path, ledger).look() == 0
    assert not ledger.asked
    assert not ledger.taken
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("known_by", ("the record", "the leg"))
@pytest.mark.parametrize(
    ("whose", "customer", "number"),
    (
        pytest.param(Whose("c-7"), "c-7", "+31201234567", id="known"),
        pytest.param(Whose("c-7", erased=True), "", "", id="erased"),
        pytest.param(Whose(), "c-1", "+31201234567", id="nobody yet"),
    ),
)
def test_whoever_had_waited_with_us_is_who_they_were_then(
    known_by: str, whose: Whose, customer: str, number: str, tmp_path: Path
) -> None:
    """Law 11: a call of somebody who was erased makes no customer, and says of nobody who called."""
    ledger = Ledger()
    ledger.past["c-9"] = whose
    said = text(ringledger_contact="c-9") if known_by == "the record" else text()
    (tmp_path / f"{LEG}{SUFFIX}").write_bytes(said)
    looking = Importer(
        [Lying(CallFiles(tmp_path, tmp_path, VAULT, settled_s=0.0), lambda: HERE)],
        carry=ledger.carry,
        identify=ledger.identify,
        clock=lambda: NOW,
        whose=ledger.whose,
        earlier=lambda leg: "c-9" if known_by == "the leg" and leg == LEG else "",
    )
    assert looking.look() == 1
    call = ledger.taken[LEG]
    assert (call.customer_id, call.caller_number, bool(call.caller_name)) == (customer, number, bool(number))
    assert bool(ledger.asked) is (whose == Whose())


DAY = 86_400_000_000
HOUR = DAY // 24


@pytest.mark.parametrize(
    ("arrived", "joined", "ended", "known"),
    (
        pytest.param(ARRIVED, ARRIVED - HOUR + 1, ARRIVED - HOUR + 2, (ARRIVED - HOUR + 2,) * 3, id="put back"),
        pytest.param(NOW + 2 * DAY, NOW + 2 * DAY, NOW + 2 * DAY + 1, (NOW,) * 3, id="two days ahead"),
        pytest.param(1, 2, 3, (NOW,) * 3, id="never set"),
        pytest.param(1, JOINED, ENDED, (ENDED,) * 3, id="set meanwhile"),
    ),
)
def test_a_call_during_which_the_switch_s_clock_was_put_is_imported_with_a_mark(
    arrived: int, joined: int, ended: int, known: tuple[int, int, int], tmp_path: Path
) -> None:
    """Complaint 2: nobody vanishes. Whoever was served was served, whatever the clock says."""
    said = record()
    said["callflow"][0]["times"] = {"created_time": "0", "bridged_time": str(joined), "hangup_time": str(ended)}
    said["callflow"][1]["times"]["created_time"] = str(arrived)
    (tmp_path / f"{LEG}.cdr.json").write_text(json.dumps(said))
    ledger = Ledger()
    assert importer(tmp_path, ledger).look() == 1
    call = ledger.taken[LEG]
    assert (call.arrived_at, call.joined_at, call.ended_at, call.clock_off) == (*known, True)
    assert not read(text(), LEG, HERE, NOW).clock_off


def test_of_a_caller_whose_switch_s_clock_was_put_the_first_word_is_imported_with_a_mark() -> None:
    for taken, known in ((ARRIVED - HOUR, (ARRIVED - HOUR,) * 2), (NOW + 2 * DAY, (ARRIVED, NOW))):
        call = read_first(first_word(taken_at=str(taken)), LEG, DIED, NOW)
        assert isinstance(call, ImportCall)
        assert (call.arrived_at, call.taken_at, call.clock_off) == (*known, True)


@pytest.mark.parametrize(
    ("here", "node"),
    (pytest.param(AWAY, "sw1", id="never heard of again"), pytest.param(Here(("sw2",)), "gone", id="not configured")),
)
def test_a_caller_of_a_switch_that_never_comes_back_is_lost_after_half_a_day(
    here: Here, node: str, tmp_path: Path
) -> None:
    """Complaint 2: nobody vanishes, and no file waits for ever."""
    (tmp_path / f"{LEG}{FIRST}").write_bytes(first_word(node=node))
    ledger, now = Ledger(), Instant(TAKEN + LOST_AFTER - 1)
    looking = Importer(
        [Lying(CallFiles(tmp_path, tmp_path, VAULT, settled_s=0.0), lambda: here)],
        carry=ledger.carry,
        identify=ledger.identify,
        clock=lambda: now,
        whose=ledger.whose,
        earlier=lambda _leg: "",
    )
    assert (looking.look(), ledger.taken) == (0, {})
    now = Instant(now + 1)
    assert looking.look() == 1
    call = ledger.taken[LEG]
    assert (call.node, call.taken_at, call.cause, call.clock_off) == (node, TAKEN, "UNKNOWN", False)
    assert not list(tmp_path.iterdir())


def test_a_caller_whose_switch_answers_is_waited_for_however_long_the_call() -> None:
    assert isinstance(read_first(first_word(), LEG, WENT_ON, Instant(NOW + 30 * DAY)), GoesOn)
