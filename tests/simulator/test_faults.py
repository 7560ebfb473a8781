"""The simulated switch misbehaves on request, and only as it was asked to: what the product must live through.

Complaints 15 (events dropped, doubled, late; the client dropped), 16 (no reconnect) and 17 (replies out of step).
"""

import json
import socket
import time
from collections.abc import Callable

import pytest

from tests.lab.control import Control
from tests.lab.patience import until
from tests.simulator.conftest import PASSWORD, Running
from tests.simulator.stage import Stage

Serve = Callable[..., Running]


def parks(stage: Stage, leg: str) -> list[int]:
    return [place for place, event in enumerate(stage.told) if (event.name, event.lane) == ("CHANNEL_PARK", leg)]


def spoil(stage: Stage, **fault: object) -> None:
    assert stage.api(f"simulator fault {json.dumps(fault)}") == "+OK\n"


def call(stage: Stage) -> str:
    reply = stage.api('simulator call {"dialled": "4001"}')
    assert reply.startswith("+OK ")
    return reply.split()[1]


def test_a_dropped_event_is_never_told_and_the_next_one_is() -> None:
    stage = Stage()
    spoil(stage, kind="drop", event="CHANNEL_PARK", count=1)
    first, second = call(stage), call(stage)
    stage.run(1_000)
    assert sorted(len(parks(stage, leg)) for leg in (first, second)) == [0, 1]
    assert stage.legs == 2


def test_a_doubled_event_is_told_twice_with_the_same_number() -> None:
    stage = Stage()
    spoil(stage, kind="double", event="CHANNEL_PARK", count=-1)
    leg = call(stage)
    stage.run(1_000)
    one, two = (stage.told[place] for place in parks(stage, leg))
    assert one.get("Event-Sequence") == two.get("Event-Sequence")


def test_a_delayed_event_holds_back_its_leg_s_later_ones_and_a_reordered_one_does_not() -> None:
    told = {}
    for kind in ("delay", "reorder"):
        stage = Stage()
        spoil(stage, kind=kind, event="CHANNEL_CREATE", delay_ms=500)
        leg = call(stage)
        began = stage.now
        stage.until_told("CHANNEL_PARK", leg)
        told[kind] = stage.now - began
        stage.run(1_000)
        names = stage.names(leg)
        assert (names.index("CHANNEL_CREATE") < names.index("CHANNEL_PARK")) == (kind == "delay")
    assert told["reorder"] < 10_000
    assert told["delay"] >= 500_000


def test_a_fault_may_be_for_one_leg_only_and_may_be_taken_back() -> None:
    stage = Stage()
    first, second = call(stage), call(stage)
    stage.run(100)
    spoil(stage, kind="drop", leg=first, count=-1)
    stage.execute(first, "answer")
    stage.execute(second, "answer")
    stage.run(100)
    assert "CHANNEL_ANSWER" not in stage.names(first)
    assert "CHANNEL_ANSWER" in stage.names(second)
    spoil(stage, kind="none")
    stage.api(f"uuid_kill {first}")
    stage.until_told("CHANNEL_HANGUP_COMPLETE", first)


def test_a_leg_killed_in_silence_is_gone_without_a_word_but_its_peer_tells() -> None:
    stage = Stage()
    caller, agent = stage.talk()
    before = len(stage.told)
    assert stage.api(f'simulator fault {{"kind": "silent_kill", "leg": "{agent}"}}') == "+OK\n"
    stage.until_told("CHANNEL_UNBRIDGE", caller, since=before)
    stage.run(500)
    assert not stage.names(agent, since=before)
    assert stage.api(f"uuid_exists {agent}") == "false"


def test_a_lost_job_was_done_all_the_same() -> None:
    stage = Stage()
    leg = call(stage)
    stage.run(100)
    spoil(stage, kind="lose_job")
    job = stage.background(f"uuid_kill {leg} USER_BUSY")
    assert stage.cause(leg) == "USER_BUSY"
    assert not [event for event in stage.told if event.get("Job-UUID") == job]


def test_originates_are_refused_as_often_as_asked() -> None:
    stage = Stage()
    stage.phone("1001", answer_after_ms=10)
    spoil(stage, kind="refuse_originate", count=2, cause="SWITCH_CONGESTION")
    replies = [stage.job("originate user/1001@ringledger &park()") for _ in range(3)]
    assert replies[:2] == ["-ERR SWITCH_CONGESTION\n"] * 2
    assert replies[2].startswith("+OK ")


WRONG = (
    ("simulator", "use call, phone"),
    ("simulator call", "dialled"),
    ('simulator call {"dialled": "1", "patience": 1}', "unknown patience: use dialled"),
    ("simulator call [1]", "write a JSON object"),
    ("simulator call {", "no JSON"),
    ('simulator call {"dialled": "1", "hang_up_when": "soon"}', "use one of parked"),
    ('simulator phone {"extension": "1001", "behaviour": "sleeps"}', "use one of answer, busy"),
    ('simulator fault {"kind": "fire"}', "use one of drop, double"),
    ("simulator hangup nobody", "-ERR No such channel!"),
    ("simulator dtmf nobody 1", "-ERR No such channel!"),
    ("simulator hold nobody", "-ERR No such channel!"),
    ("simulator pickup nobody", "-ERR No such channel!"),
    ('simulator fault {"kind": "silent_kill", "leg": "nobody"}', "-ERR No such channel!"),
)


@pytest.mark.parametrize(("command", "advice"), WRONG)
def test_a_wrong_order_says_what_to_do(command: str, advice: str) -> None:
    reply = Stage().api(command)
    assert reply.startswith("-ERR")
    assert advice in reply


def test_the_same_seed_and_the_same_acts_tell_the_same_story() -> None:
    def story(seed: int) -> bytes:
        stage = Stage(seed=seed)
        caller, agent = stage.talk()
        stage.run(500)
        stage.model.hang_up(caller, stage.now)
        stage.cause(agent)
        return stage.stream("json")

    assert story(7) == story(7)
    assert story(7) != story(8)


# --- over TCP ----------------------------------------------------------------------------------------------------
def closed(control: Control) -> bool:
    try:
        control.drain(0.05)
    except ConnectionError:
        return True
    return False


def test_a_closed_link_can_be_opened_again_and_calls_live_on(serve: Serve) -> None:
    running = serve()
    control = running.connect("CHANNEL_PARK")
    leg = control.api('simulator call {"dialled": "4001"}').split()[1]
    control.await_event("CHANNEL_PARK", Unique_ID=leg)
    assert control.api('simulator fault {"kind": "close"}') == "+OK\n"
    until(lambda: closed(control), "the simulator to close")
    assert running.connect().api(f"uuid_exists {leg}") == "true"


def test_a_link_can_be_cut_in_the_middle_of_a_frame(serve: Serve) -> None:
    control = serve().connect("ALL")
    control.send('bgapi simulator fault {"kind": "close_mid_frame"}')
    data = b""
    while chunk := control.socket.recv(65_536):
        data += chunk
    head, _, body = data.rpartition(b"\n\n")
    assert int(head.rpartition(b"Content-Length: ")[2].split(b"\n")[0]) > len(body) > 0


def test_a_stuck_switch_answers_nothing_until_it_is_loose_again(serve: Serve) -> None:
    running = serve()
    control = running.connect()
    assert control.api('simulator fault {"kind": "stuck", "ms": 400}') == "+OK\n"
    began = time.monotonic()
    assert control.api("echo there") == "there"
    assert time.monotonic() - began > 0.3


def test_a_restarted_switch_is_another_one(serve: Serve) -> None:
    running = serve()
    control = running.connect()
    control.api('simulator phone {"extension": "1001"}')
    control.api('simulator call {"dialled": "4001"}')
    core = control.api("global_getvar core_uuid")
    assert control.api('simulator fault {"kind": "restart", "ms": 1500}') == "+OK\n"
    until(lambda: closed(control), "the simulator to go down")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", running.server.port), timeout=1)

    def back() -> Control | None:
        try:
            return Control(running.server.port, PASSWORD)
        except ConnectionError:
            return None

    again = until(back, "the simulator to be back")
    running.controls.append(again)
    assert again.api("global_getvar core_uuid") not in {core, ""}
    assert again.api("show channels count") == "\n0 total.\n"
    assert again.api("sofia_contact */1001@ringledger").startswith("sofia/internal/sip:1001@")


def test_an_orderly_shutdown_is_announced_and_ends_every_leg(serve: Serve) -> None:
    running = serve()
    control = running.connect("SHUTDOWN", "CHANNEL_PARK", "CHANNEL_HANGUP_COMPLETE")
    leg = control.api('simulator call {"dialled": "4001"}').split()[1]
    control.await_event("CHANNEL_PARK", Unique_ID=leg)
    assert control.api("fsctl shutdown") == "+OK\n"
    control.await_event("SHUTDOWN")
    assert control.await_event("CHANNEL_HANGUP_COMPLETE", Unique_ID=leg)["Hangup-Cause"] == "SYSTEM_SHUTDOWN"
    with pytest.raises(ConnectionResetError, match="The system is being shut down"):
        control.drain(5)
    running.thread.join(5)
    assert not running.thread.is_alive()


def test_a_client_that_stops_reading_is_dropped_and_the_others_are_not(serve: Serve) -> None:
    running = serve(queue_limit=100, lost_limit=20, max_sessions=100_000)
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    lazy.connect(("127.0.0.1", running.server.port))
    lazy.sendall(f"auth {PASSWORD}\n\nevent json ALL\n\n".encode())
    busy = running.connect()
    clients = running.server._clients
    until(lambda: len(clients) == 2, "both clients to be there")

    def dropped() -> bool:
        for _ in range(100):
            assert busy.api('simulator call {"dialled": "4001"}').startswith("+OK")
        return len(clients) == 1

    until(dropped, "the lazy client to be dropped", within_s=30)
    lazy.settimeout(5)
    data = b""
    try:
        while chunk := lazy.recv(1 << 20):
            data += chunk
    except ConnectionResetError:
        pass
    lazy.close()
    head, _, body = data.rpartition(b"Content-Type: text/event-json\n\n")
    assert int(head.rpartition(b"Content-Length: ")[2]) > len(body)
    assert busy.api("echo there") == "there"
