"""What people and programs get wrong, at the doors of the processes: each gets a message that says what to do."""

import json
import re
import socket
import sys
from pathlib import Path

import pytest

from orchestrator.control import LONGEST, control_path
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.kernel import Refused
from orchestrator.domain.switch.nodes import NodeLost
from orchestrator.runner import inputs
from orchestrator.settings import Switch
from tests.acceptance.conftest import SIMULATED, Build
from tests.acceptance.house import ROOT, House, url_of
from tests.contract.driver import SimulatedDriver
from tests.lab.ports import free_port
from tests.lab.process import Child

KINDS = SIMULATED


# --- the switch ------------------------------------------------------------------------------------------------------
def test_a_second_ledger_at_the_same_switch_is_refused_and_nothing_is_lost(build: Build) -> None:
    """Complaint 2: by mistake, or as a copy of a ledger: it neither takes the calls of the first nor hangs them up."""
    house, other = build(), build()
    house.driver.phone("1001")
    house.open()
    house.sign_in("801")
    caller = house.driver.call()
    house.await_state("801", "talking")
    second = other.start_engine()
    second.await_log("serves another ledger")
    assert "RINGLEDGER_SWITCHES" in second.log, "it says what to do"
    other.await_active()
    refused = other.ledger.await_event(NodeLost)
    assert "serves another ledger" in refused.why
    another = house.driver.call()
    house.ledger.await_event(c.ContactQueued, count=2)
    assert house.agent("801")["state"] == "talking"
    for each in (another, caller):
        each.hang_up()
    house.close_day(contacts=2)
    assert not other.ledger.contacts()


def test_a_wrong_password_is_named_and_does_not_stop_the_desks(build: Build) -> None:
    house = build()
    switch = house.driver.switch
    wrong = Switch(switch.name, switch.host, switch.port, "not-the-password")
    engine = house.start_engine(RINGLEDGER_SWITCHES=url_of(wrong))
    engine.await_log("does not take the password")
    assert "RINGLEDGER_SWITCHES" in engine.log, "it says where to look"
    assert "not-the-password" not in engine.log
    house.await_active()
    house.sign_in("801")
    status = house.status()
    assert status is not None
    assert not status["nodes"][switch.name]["up"]


def test_a_switch_that_comes_later_is_found(build: Build, tmp_path: Path) -> None:
    house = build()
    switch = Switch("later", "127.0.0.1", free_port(), "comes-later-today")
    engine = house.start_engine(RINGLEDGER_SWITCHES=url_of(switch))
    engine.await_log("is FreeSWITCH running there")
    command = [sys.executable, "-m", "freeswitch.simulator", "--port", str(switch.port), "--password", switch.password]
    with Child(command, output=tmp_path / "simulator.txt", folder=ROOT):
        house.await_switch()
        driver = SimulatedDriver(tmp_path)
        driver.switch = switch
        driver.phone("1001")
        house.sign_in("801")
        caller = driver.call()
        house.await_state("801", "talking")
        caller.hang_up()
        house.await_no_contacts()
        driver.stack.close()
    house.ledger.await_settled()
    house.ledger.verify(contacts=1)


# --- the database and the settings -----------------------------------------------------------------------------------
@pytest.mark.parametrize("command", ("engine", "run"))
def test_a_database_that_is_not_there_is_said_in_one_line(build: Build, command: str) -> None:
    house = build()
    url = f"postgresql://owner:not-to-be-seen@127.0.0.1:{free_port()}/ledger"
    status, said = house.run(command, RINGLEDGER_DATABASE_URL=url)
    assert status == 1
    assert "RINGLEDGER_DATABASE_URL" in said
    assert "Traceback" not in said
    assert "not-to-be-seen" not in said


def test_a_misspelt_variable_starts_nothing(build: Build) -> None:
    """A mistyped RINGLEDGER_DATABASE_URL must not make an empty database of its own."""
    house = build()
    status, said = house.run("engine", RINGLEDGER_DATABSE_URL="postgresql://somewhere/else")
    assert status == 1
    assert "RINGLEDGER_DATABSE_URL" in said
    assert "RINGLEDGER_DATABASE_URL" in said, "it says which one was meant"
    assert "Traceback" not in said


def test_a_misspelt_key_of_the_configuration_is_named_with_its_line_and_nothing_is_applied(build: Build) -> None:
    house = build()
    before = house.ledger.log.position()
    file = house.folder / "wrong.toml"
    file.write_text(house.configuration.replace("wrap_up_s", "wrapup_s"))
    status, said = house.run("config", "apply", str(file))
    assert status == 1
    line = 1 + house.configuration.partition("wrap_up_s")[0].count("\n")
    assert re.search(rf"line {line}\b.*wrapup_s", said), said
    assert "wrap_up_s" in said
    assert house.ledger.log.position() == before


def test_a_question_without_an_engine_says_how_to_start_one(build: Build) -> None:
    house = build()
    status, said = house.run("status")
    assert status == 1
    assert "make run" in said
    assert "Traceback" not in said


# --- illegal actions -------------------------------------------------------------------------------------------------
def test_what_an_agents_state_does_not_allow_is_refused_with_a_code_and_not_recorded(house: House) -> None:
    house.driver.phone("1001")
    house.do(inputs.SignIn(agent="801"))
    house.do(inputs.SignIn(agent="802"))
    before = house.ledger.log.position()
    for command, code in (
        (inputs.SignIn(agent="801"), "already_signed_in"),
        (inputs.SignIn(agent="803", extension="1001"), "extension_taken"),
        (inputs.SignIn(agent="803", extension="1001;kill"), "bad_extension"),
        (inputs.SignIn(agent="4711"), "unknown_agent"),
        (inputs.Ready(agent="803"), "not_signed_in"),
        (inputs.Accept(agent="801"), "no_offer"),
        (inputs.Reject(agent="801"), "no_offer"),
        (inputs.Hold(agent="801"), "not_talking"),
        (inputs.Resume(agent="801"), "not_talking"),
        (inputs.HangUp(agent="801"), "not_talking"),
        (inputs.WrapUp(agent="801"), "not_wrapping_up"),
        (inputs.Pause(agent="801", reason="<b>"), "bad_reason"),
        (inputs.Pause(agent="801", reason="x" * 41), "bad_reason"),
    ):
        assert house.refusal(command) == code, command
    assert house.ledger.log.position() == before
    house.do(inputs.Ready(agent="801"))
    house.driver.call()
    house.await_state("801", "talking")
    assert house.refusal(inputs.Ready(agent="801")) == "in_contact"
    assert house.refusal(inputs.Accept(agent="801")) == "no_offer"
    assert house.refusal(inputs.SignIn(agent="801")) == "already_signed_in"
    house.do(inputs.HangUp(agent="801"))
    house.close_day(contacts=1)


# --- the command socket ----------------------------------------------------------------------------------------------
class _Raw:
    """A connection that says whatever it likes."""

    def __init__(self, house: House) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(10)
        self.socket.connect(str(control_path(house.home)))

    def say(self, data: bytes) -> dict[str, object]:
        self.socket.sendall(data)
        answer = b""
        while not answer.endswith(b"\n"):
            more = self.socket.recv(65_536)
            assert more, "it hung up without an answer"
            answer += more
        found: dict[str, object] = json.loads(answer)
        return found


NO_REQUESTS = (
    b"\n",
    b"nonsense\n",
    b"[]\n",
    b"{}\n",
    b'{"do": "fly", "agent": "801"}\n',
    b'{"do": "ready"}\n',
    b'{"do": "ready", "agent": 801}\n',
    b'{"do": "ready", "agent": "\xff\xfe"}\n',
    b'{"do": "ready", "agent": "801"\n',
    b"[" * 10_000 + b"\n",
    b'{"ask": ["status"]}\n',
    b'{"ask": "status", "x": ' + b"[" * 8_000 + b"]" * 8_000 + b"}\n",
    b'{"do": "ready", "agent": "801", "x": ' + b"[" * 8_000 + b"]" * 8_000 + b"}\n",
)


def test_a_request_that_is_none_is_answered_and_the_next_one_is_served(house: House) -> None:
    raw = _Raw(house)
    for line in NO_REQUESTS:
        answer = raw.say(line)
        assert answer["code"] == "bad_request", line
        assert answer["message"]
        assert raw.say(b'{"ask": "status"}\n')["ok"] is True
    raw.socket.close()


def test_a_command_may_hold_the_word_by_which_a_question_is_known(house: House) -> None:
    """A reason, a code, a queue may be called so."""
    house.sign_in("801")
    house.do(inputs.Pause(agent="801", reason="ask"))
    assert house.agent("801")["state"] == "paused"


def test_an_endless_request_is_cut_off(house: House) -> None:
    raw = _Raw(house)
    answer = raw.say(b'{"ask": "' + b"x" * LONGEST)
    assert answer["code"] == "too_long"
    assert raw.socket.recv(10) == b"", "and the connection is closed"
    raw.socket.close()
    assert house.status() is not None


def test_a_question_that_nobody_knows_is_refused_with_those_that_are_known(house: House) -> None:
    with pytest.raises(Refused, match="agents") as refused:
        house.client.ask("everything")
    assert refused.value.code == "unknown_question"


def test_clients_that_never_finish_or_never_read_hold_nobody_up(house: House) -> None:
    """A stuck peer."""
    stuck = [_Raw(house) for _ in range(40)]
    for raw in stuck[:20]:
        raw.socket.sendall(b'{"ask": "sta')
    for raw in stuck[20:]:
        raw.socket.setblocking(False)
        try:
            while True:
                raw.socket.send(b'{"ask": "agents"}\n' * 200)
        except BlockingIOError:
            continue  # it has stopped reading us, as we have stopped reading it
    house.driver.phone("1001")
    house.sign_in("801")
    house.driver.call()
    house.await_state("801", "talking", within_s=5)
    house.do(inputs.HangUp(agent="801"))
    house.close_day(contacts=1)
    for raw in stuck:
        raw.socket.close()


def test_only_this_user_may_open_the_socket(house: House) -> None:
    path = control_path(house.home)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0


def test_an_agent_who_was_offered_a_call_that_has_gone_is_told_so(house: House) -> None:
    house.driver.phone("1001", "rings")
    house.sign_in("801")
    caller = house.driver.call()
    house.ledger.await_event(c.OfferDelivered)
    caller.hang_up()
    house.ledger.await_event(c.ContactEnded)
    assert house.refusal(inputs.Accept(agent="801")) == "no_offer"
    house.close_day(contacts=1)
