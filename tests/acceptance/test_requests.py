"""What cannot be used is refused with a code and a word on what to do, and nothing is lost by it."""

import json
import socket

import pytest

from orchestrator.control import control_path
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.staff import shifts as s
from orchestrator.runner import inputs
from tests.acceptance.conftest import BOTH, Build
from tests.acceptance.house import House
from tests.lab.patience import until
from tests.lab.ports import free_port

KINDS = BOTH[:1]


def test_what_an_agent_may_not_do_now_is_refused_with_its_code(house: House) -> None:
    """Feature 4.1: each action that is illegal in its state, by code."""
    assert house.refusal(inputs.SignIn(agent="999")) == "unknown_agent"
    assert house.refusal(inputs.Ready(agent="801")) == "not_signed_in"
    assert house.refusal(inputs.SignIn(agent="801", extension="10 01")) == "bad_extension"
    house.do(inputs.SignIn(agent="801"))
    assert house.refusal(inputs.SignIn(agent="801")) == "already_signed_in"
    assert house.refusal(inputs.SignIn(agent="802", extension="1001")) == "extension_taken"
    assert house.refusal(inputs.Pause(agent="801", reason="no spaces, please")) == "bad_reason"
    assert house.refusal(inputs.Accept(agent="801")) == "no_offer"
    assert house.refusal(inputs.Reject(agent="801")) == "no_offer"
    assert house.refusal(inputs.Hold(agent="801")) == "not_talking"
    assert house.refusal(inputs.Resume(agent="801")) == "not_talking"
    assert house.refusal(inputs.HangUp(agent="801")) == "not_talking"
    assert house.refusal(inputs.WrapUp(agent="801")) == "not_wrapping_up"
    assert len(house.ledger.all(s.AgentSignedIn)) == 1


@pytest.mark.parametrize(
    ("line", "code"),
    (
        (b"not json at all", "bad_request"),
        (b'{"do": "fly", "agent": "801"}', "bad_request"),
        (b'{"do": "ready"}', "bad_request"),
        (b'{"do": "ready", "agent": 801}', "bad_request"),
        (b'{"ask": "everything"}', "unknown_question"),
        (b'{"ask": ["calls"]}', "bad_request"),
        (b'{"do": "ready", "agent": "\xff"}', "bad_request"),
        (b'{"do": "pause", "agent": "801", "reason": "' + b"x" * 20_000 + b'"}', "too_long"),
    ),
)
def test_a_line_that_is_no_request_is_answered_and_the_engine_goes_on(house: House, line: bytes, code: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(10)
        connection.connect(str(control_path(house.home)))
        connection.sendall(line + b"\n")
        answer = json.loads(connection.makefile("rb").readline())
    assert (answer["ok"], answer["code"]) == (False, code)
    assert answer["message"]
    house.do(inputs.SignIn(agent="801"))


def test_only_its_owner_may_use_the_command_socket(house: House) -> None:
    assert control_path(house.home).stat().st_mode & 0o777 == 0o600


def test_a_switch_that_is_not_there_at_the_start_is_waited_for(build: Build) -> None:
    """Complaint 16: the link is tried for ever, and says so."""
    house = build(variables={"RINGLEDGER_SWITCHES": f"esl://:long-enough-here@127.0.0.1:{free_port()}/?name=away"})
    engine = house.start_engine()
    engine.await_log("cannot be reached")
    status = until(house.status, "the engine to answer")
    assert status["active"]
    assert not status["nodes"]["away"]["up"]
    assert "long-enough-here" not in engine.log


def test_a_wrong_password_is_said_without_saying_the_password(build: Build) -> None:
    house = build()
    right = house.driver.switch
    wrong = f"esl://:not-the-password@{right.host}:{right.port}/?name={right.name}"
    engine = house.start_engine(RINGLEDGER_SWITCHES=wrong)
    engine.await_log("RINGLEDGER_SWITCHES")
    assert "not-the-password" not in engine.log
    assert right.password not in engine.log
    status = until(house.status, "the engine to answer")
    assert not status["nodes"][right.name]["up"]


def test_a_database_that_is_not_there_at_the_start_is_named_with_what_to_do(build: Build) -> None:
    house = build()
    nowhere = f"postgresql://someone:secret-word@127.0.0.1:{free_port()}/nothing"
    status, said = house.run("engine", RINGLEDGER_DATABASE_URL=nowhere)
    assert status == 1
    assert "RINGLEDGER_DATABASE_URL" in said
    assert "secret-word" not in said
    assert "Traceback" not in said


def test_a_misspelt_setting_is_named_with_the_one_that_was_meant(build: Build) -> None:
    status, said = build().run("engine", RINGLEDGER_SWITCHS="esl://:x@127.0.0.1:1")
    assert status == 1
    assert "RINGLEDGER_SWITCHS" in said
    assert "RINGLEDGER_SWITCHES" in said


def test_a_typo_in_the_configuration_is_named_with_its_line_and_changes_nothing(house: House) -> None:
    file = house.folder / "typo.toml"
    file.write_text(house.configuration.replace("wrap_up_s", "wrapup_s"))
    status, said = house.run("config", "apply", str(file))
    assert status == 1
    assert "wrapup_s" in said
    assert "wrap_up_s" in said
    assert "line" in said
    assert len(house.ledger.all(ConfigurationApplied)) == 1


def test_a_number_that_nobody_configured_is_an_alarm_and_served_by_the_default(house: House) -> None:
    """Feature 3.11: never silence."""
    house.driver.phone("1001")
    house.sign_in("801")
    caller = house.driver.call("4999")
    house.await_state("801", "talking")
    assert [event.dialled for event in house.ledger.all(c.EntryPointMissing)] == ["4999"]
    caller.hang_up()
    house.close_day(contacts=1)
