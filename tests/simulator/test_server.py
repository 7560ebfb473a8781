"""The simulated switch as a process of its own: it lives by its script, talks over TCP, and ends when it is told to."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from freeswitch.simulator.script import load, parse
from freeswitch.simulator.timeline import SECOND
from tests.lab.control import Control
from tests.simulator.conftest import Running
from tests.simulator.load import measure
from tests.simulator.stage import START, Stage

Serve = Callable[..., Running]

DEMO = Path(__file__).parents[2] / "freeswitch" / "simulator" / "demo.toml"


@contextmanager
def simulator(*options: str, told: str = "") -> Iterator[subprocess.Popen[str]]:
    """A simulator as a process, with this on its standard input; gone when the block is left, whatever happened."""
    command = [sys.executable, "-m", "freeswitch.simulator", "--port", "0", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as child:
        assert child.stdin is not None
        try:
            child.stdin.write(told)
            child.stdin.flush()
            yield child
        finally:
            if child.poll() is None:
                child.kill()


def port_of(child: subprocess.Popen[str]) -> int:
    """The port that it says it listens on."""
    assert child.stdout is not None
    return int(child.stdout.readline().rpartition(":")[2])


@pytest.mark.parametrize("how", (signal.SIGTERM, signal.SIGINT))
def test_a_signal_ends_it_in_good_order(how: signal.Signals) -> None:
    """As in the capture l4: SHUTDOWN, the end of every leg, and then only goodbye."""
    with simulator("--password", "x", "--demo") as child:
        with Control(port_of(child), "x") as control:
            control.subscribe("SHUTDOWN", "CHANNEL_PARK", "CHANNEL_HANGUP_COMPLETE")
            control.api('simulator call {"dialled": "4001"}')
            control.await_event("CHANNEL_PARK")
            child.send_signal(how)
            control.await_event("SHUTDOWN")
            assert control.await_event("CHANNEL_HANGUP_COMPLETE")["Hangup-Cause"] == "SYSTEM_SHUTDOWN"
            with pytest.raises(ConnectionResetError, match="The system is being shut down"):
                control.drain(5)
        out, err = child.communicate(timeout=30)
        assert (child.returncode, out, err) == (0, "", "")


def test_a_client_that_is_slow_to_read_hears_everything_before_the_goodbye() -> None:
    """More than fits on its way: the end of every leg is told all the same, and only then the end of the switch."""
    calls = 250
    with simulator("--password", "x") as child:
        port = port_of(child)
        with Control(port, "x") as slow, Control(port, "x") as quick:
            slow.subscribe("ALL")
            for _ in range(calls):
                quick.api('simulator call {"dialled": "4001"}')
            child.send_signal(signal.SIGTERM)
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(timeout=3)  # nobody reads for a while, as on a busy machine: it waits, as the real one does
            with pytest.raises(ConnectionResetError, match="The system is being shut down"):
                slow.drain(60)
        child.communicate(timeout=60)
        assert child.returncode == 0
    ended = [event for event in slow.events if event["Event-Name"] == "CHANNEL_HANGUP_COMPLETE"]
    assert len(ended) == calls


def test_a_password_can_be_kept_off_the_command_line() -> None:
    with simulator("--password", "-", told="only we two\n") as child:
        with Control(port_of(child), "only we two") as control:
            assert control.api("global_getvar core_uuid")
        assert b"only we two" not in Path(f"/proc/{child.pid}/cmdline").read_bytes()


def test_what_it_cannot_do_is_said_in_one_line(tmp_path: Path, serve: Serve) -> None:
    script = tmp_path / "callers.json"
    script.write_text('{"calls": [{"at_ms": 5, "dialed": "4001"}]}')
    taken = str(serve().server.port)
    for options, advice in (
        (("--callers", str(script)), f"{script}: calls[0]: unknown dialed: use dialled"),
        (("--callers", str(tmp_path / "none.toml")), "No such file"),
        (("--port", taken), "Address already in use"),
        (("--password", "-"), "the password is empty: give it as the first line of standard input"),
    ):
        with simulator(*options) as child:
            _, err = child.communicate(timeout=30)
        assert child.returncode == 2
        assert err.startswith("simulator: ")
        assert advice in err
        assert err.count("\n") == 1


WRONG: tuple[tuple[dict[str, object], str], ...] = (
    ({"phone": []}, "unknown phone: use phones, calls, streams"),
    ({"phones": [{"behaviour": "answer"}]}, "phones[0]: .*extension"),
    ({"streams": [{"per_minute": 0, "dialled": ["1"]}]}, "streams[0]: per_minute must be more than 0"),
    ({"streams": [{"per_minute": 1, "dialled": []}]}, "streams[0]: dialled needs"),
    ({"streams": [{"per_minute": 1, "dialled": ["1"], "talk_ms": [9, 1]}]}, "talk_ms needs two figures"),
    ({"calls": [{"dialled": ""}]}, "calls[0]: a caller needs a number"),
)


@pytest.mark.parametrize(("script", "advice"), WRONG)
def test_an_entry_of_a_script_that_makes_no_sense_is_named(script: dict[str, object], advice: str) -> None:
    with pytest.raises(ValueError, match=advice.replace("[", r"\[")):
        parse(script)


def test_the_demo_brings_phones_and_callers_of_every_kind() -> None:
    script = load(DEMO, seed=3)
    stage = Stage()
    script.begin(stage.model, stage.now)
    while stage.now < START + 300 * SECOND:
        due = min(moment for moment in (script.next_due(), stage.model.next_due()) if moment is not None)
        stage.run_to(due)
        script.advance(stage.model, stage.now)
    stage.run(0)
    expected = sum(stream.per_minute for stream in script.streams) * 5
    assert expected / 2 < script.made < expected * 2
    phones = {event.get("from-user") for event in stage.told if event.subclass == "sofia::register"}
    assert phones == {"1001", "1002", "1003", "1004", "1005", "1006"}
    ended = [event for event in stage.told if event.name == "CHANNEL_HANGUP_COMPLETE"]
    # Nobody answers them here: all those who lose patience give up unanswered.
    assert ended
    assert {event.get("Hangup-Cause") for event in ended} == {"ORIGINATOR_CANCEL"}
    waits = [
        int(event.get("Caller-Channel-Hangup-Time")) - int(event.get("Caller-Channel-Created-Time")) for event in ended
    ]
    assert 20 * SECOND <= min(waits) <= max(waits) <= 90 * SECOND


@pytest.mark.parametrize(
    ("moment", "unanswered"), (("parked", True), ("ringing", True), ("agent_answered", False), ("bridged", False))
)
def test_a_caller_hangs_up_at_the_moment_that_its_script_names(moment: str, *, unanswered: bool) -> None:
    stage = Stage()
    caller = stage.caller(hang_up_when=moment)
    stage.api(f"uuid_setvar {caller} ringledger_contact c1")
    if not unanswered:
        stage.execute(caller, "answer")
    if moment != "parked":
        stage.phone("1001", answer_after_ms=500)
        stage.background("originate {origination_uuid=agent,ringledger_contact=c1}user/1001@ringledger &park()")
    if moment == "bridged":
        stage.until_told("CHANNEL_PARK", "agent")
        stage.background(f"uuid_bridge {caller} agent")
    assert stage.cause(caller) == ("ORIGINATOR_CANCEL" if unanswered else "NORMAL_CLEARING")
    stage.run(1)
    assert ("CHANNEL_PROGRESS" in stage.names("agent")) == (moment != "parked")
    assert ("CHANNEL_ANSWER" in stage.names("agent")) == (moment in {"agent_answered", "bridged"})


def test_a_held_caller_may_hang_up_while_held() -> None:
    stage = Stage()
    caller, agent = stage.talk(hang_up_when="held", hang_up_after_ms=700)
    stage.run(100)
    stage.job(f"uuid_hold {agent}")
    held_at = stage.now
    assert stage.cause(caller) == "NORMAL_CLEARING"
    assert 700_000 <= stage.now - held_at < 900_000


def test_patience_ends_with_a_bridge_and_begins_again_when_the_caller_waits_again() -> None:
    stage = Stage()
    caller, agent = stage.talk(patience_ms=3_000)
    stage.run(10_000)
    assert stage.legs == 2
    stage.api(f"uuid_kill {agent}")
    began = stage.now
    assert stage.cause(caller) == "NORMAL_CLEARING"
    assert 3_000_000 <= stage.now - began < 3_200_000


def test_a_busy_phone_with_no_line_left_refuses_the_next_call() -> None:
    stage = Stage()
    stage.phone("1001", answer_after_ms=10, lines=1)
    assert stage.job("originate {origination_uuid=one}user/1001@ringledger &park()") == "+OK one\n"
    assert stage.job("originate {origination_uuid=two}user/1001@ringledger &park()") == "-ERR USER_BUSY\n"
    stage.api("uuid_kill one")
    stage.run(100)
    assert stage.job("originate {origination_uuid=two}user/1001@ringledger &park()") == "+OK two\n"


def test_phones_come_go_and_vanish_and_the_switch_tells_so() -> None:
    stage = Stage()
    stage.phone("1001", expires_s=120)
    stage.phone("1001", registered=False)
    stage.phone("1001", expires_s=60)
    assert stage.api("simulator expire 1001") == "+OK\n"
    assert stage.api("simulator expire 1001") == "-ERR phone '1001' is not registered\n"
    stage.run(1)
    shown = [
        (event.subclass, event.get("from-user") or event.get("user"), event.get("expires")) for event in stage.told
    ]
    assert shown[:3] == [
        ("sofia::register", "1001", "120"),
        ("sofia::unregister", "1001", "0"),
        ("sofia::register", "1001", "60"),
    ]
    assert shown[3][:2] == ("sofia::expire", "1001")
    assert stage.job("originate user/1001@ringledger &park()") == "-ERR USER_NOT_REGISTERED\n"
    assert "\n1001|ringledger-agents|ringledger|agents|error/user_not_registered|||\n" in stage.api("list_users")


def test_both_formats_are_told_over_tcp_as_soon_as_the_client_pokes(serve: Serve) -> None:
    running = serve()
    json_client = running.connect("CHANNEL_PARK")
    plain_client = running.connect()
    assert plain_client.send("event plain CHANNEL_PARK") == "+OK event listener enabled plain"
    leg = json_client.api('simulator call {"dialled": "4001", "name": "A: B"}').split()[1]
    json_client.socket.sendall(b"\n")
    assert json_client.await_event("CHANNEL_PARK", Unique_ID=leg)["Caller-Caller-ID-Name"] == "A: B"
    data = b""
    while b"Caller-Caller-ID-Name: A%3A%20B\n" not in data:
        data += plain_client.socket.recv(65_536)
    assert b"Content-Type: text/event-plain\n\nEvent-Name: CHANNEL_PARK\n" in data


def test_a_heart_beats_with_the_count_of_sessions(serve: Serve) -> None:
    running = serve(heartbeat_s=1)
    control = running.connect("HEARTBEAT", "CHANNEL_PARK")
    control.api('simulator call {"dialled": "4001"}')
    control.await_event("CHANNEL_PARK")
    beat = control.await_event("HEARTBEAT")
    assert (beat["Session-Count"], beat["Core-UUID"]) == ("1", control.api("global_getvar core_uuid"))


def test_a_script_of_calls_is_played_over_the_wall_clock(serve: Serve) -> None:
    script = parse(
        {
            "phones": [{"extension": "1001"}],
            "calls": [{"at_ms": 300, "dialled": "4002", "patience_ms": 300}, {"at_ms": 100, "dialled": "4001"}],
        }
    )
    control = serve(script=script).connect("CHANNEL_PARK", "CHANNEL_HANGUP_COMPLETE")
    assert control.await_event("CHANNEL_HANGUP_COMPLETE")["Caller-Destination-Number"] == "4002"
    assert json.loads(control.api("show channels as json"))["rows"][0]["dest"] == "4001"


@pytest.mark.slow
def test_callers_who_come_by_the_hundred_are_all_set_up_and_torn_down() -> None:
    """How fast, and for how much of a processor, `make bench ONLY=simulator` measures."""
    figures = measure(200, 2)
    assert figures.calls > 100
    assert figures.events >= 10 * figures.calls
