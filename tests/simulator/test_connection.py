"""The event socket's protocol over bytes: framing, both formats, what a client may say and what it is told."""

import json
from urllib.parse import unquote

import pytest

from freeswitch.simulator import Caller, Model, Options
from freeswitch.simulator.connection import Connection
from freeswitch.simulator.wire import RequestReader, plain_value
from tests.simulator.stage import START, Stage

GREETING = b"Content-Type: auth/request\n\n"


def connection(**options: int) -> tuple[Model, Connection]:
    model = Model(Options(write_recordings=False, **{"poll_ms": 0, **options}), now=START, seed=1)  # type: ignore[arg-type] # whole numbers only
    client = Connection(model, "secret")
    assert bytes(client.outgoing) == GREETING
    client.outgoing.clear()
    return model, client


def said(client: Connection, data: bytes, now: int = START) -> bytes:
    client.receive(data, now)
    answer = bytes(client.outgoing)
    client.outgoing.clear()
    return answer


def opened(**options: int) -> tuple[Model, Connection]:
    model, client = connection(**options)
    assert said(client, b"auth secret\n\n") == b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n"
    return model, client


def test_a_wrong_password_is_refused_and_the_client_sent_away() -> None:
    _, client = connection()
    assert said(client, b"auth wrong\n\n") == (
        b"Content-Type: command/reply\nReply-Text: -ERR invalid\n\n"
        b"Content-Type: text/disconnect-notice\nContent-Length: 67\n\n"
        b"Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
    )
    assert client.closing


def test_nothing_is_done_for_a_client_that_has_not_said_the_password() -> None:
    model, client = connection()
    assert b"-ERR command not found" in said(client, b"api hupall\n\n")
    assert said(client, b"event json ALL\n\n").endswith(b"-ERR command not found\n\n")
    assert client.wants == set()
    assert model.switch.counts.sessions == 0


# Said to a real switch in this order on one connection.
TALK = (
    ("foo", "-ERR command not found"),
    ("api", "-ERR command not found"),
    ("bgapi", "-ERR command not found"),
    ("event", "-ERR no keywords supplied"),
    ("event plain", "-ERR no keywords supplied"),
    ("event json FOO", "-ERR no keywords supplied"),
    ("event json CHANNEL_PARK CUSTOM sofia::register", "+OK event listener enabled json"),
    ("nixevent", "-ERR no keywords supplied"),
    ("nixevent CHANNEL_PARK", "+OK events nixed"),
    ("filter a", "-ERR invalid syntax"),
    ("filter Unique-ID x", "+OK filter added. [Unique-ID]=[x]"),
    ("filter delete Unique-ID", "+OK filter deleted. [Unique-ID][]"),
    ("filter delete all", "+OK filter deleted. [all][]"),
    ("linger", "-ERR not controlling a session"),
    ("nolinger", "-ERR not controlling a session"),
    ("noevents", "+OK no longer listening for events"),
    ("noevents", "-ERR not listening for events"),
    ("log", "+OK log level  [7]"),
    ("nolog", "+OK no longer logging"),
    ("sendmsg nope", "-ERR invalid session id [nope]"),
    ("sendmsg", "-ERR invalid session id []"),
    ("auth secret", "-ERR command not found"),
    ("event json ALL", "+OK event listener enabled json"),
    ("exit", "+OK bye"),
)


def test_a_whole_conversation_gets_the_real_replies() -> None:
    _, client = opened()
    for command, reply in TALK:
        expected = f"Content-Type: command/reply\nReply-Text: {reply}\n\n".encode()
        assert said(client, command.encode() + b"\n\n").startswith(expected), command
    assert client.closing


def test_an_api_answer_is_a_frame_of_its_own_and_never_empty() -> None:
    _, client = opened()
    assert said(client, b"api echo hi\n\n") == b"Content-Type: api/response\nContent-Length: 2\n\nhi"
    assert said(client, b"api global_getvar nosuch\n\n") == (
        b"Content-Type: api/response\nContent-Length: 14\n\n-ERR no reply\n"
    )


def test_a_background_job_is_acknowledged_with_the_client_s_own_id() -> None:
    _, client = opened()
    assert said(client, b"bgapi uuid_exists x\nJob-UUID: mine-1\n\n") == (
        b"Content-Type: command/reply\nReply-Text: +OK Job-UUID: mine-1\nJob-UUID: mine-1\n\n"
    )


def test_bytes_may_come_in_any_pieces_and_lone_line_feeds_mean_nothing() -> None:
    whole = (
        b"\n\r\nauth secret\n\n\napi echo one\r\n\r\n"
        b"sendmsg x\ncontent-length: 5\ncall-command: execute\n\nhello\n\nexit\n\n"
    )
    expected = RequestReader().feed(whole)
    assert [request.line for request in expected] == ["auth secret", "api echo one", "sendmsg x", "exit"]
    assert (expected[2].headers["call-command"], expected[2].body) == ("execute", "hello")
    for size in (1, 2, 3, 7):
        reader = RequestReader()
        got = [request for at in range(0, len(whole), size) for request in reader.feed(whole[at : at + size])]
        assert got == expected


def test_a_blocking_api_holds_up_every_event_of_its_own_connection() -> None:
    """Complaint 17 and the switch's own way: use bgapi, or a second connection."""
    stage = Stage()
    stage.phone("1001", answer_after_ms=2_000)
    blocked, free = Connection(stage.model, "secret"), Connection(stage.model, "secret")
    for client in (blocked, free):
        client.receive(b"auth secret\n\nevent json ALL\n\n", stage.now)
        client.outgoing.clear()
    blocked.receive(b"api originate {origination_uuid=leg}user/1001@ringledger &park()\n\napi echo next\n\n", stage.now)
    seen = {blocked: [len(blocked.outgoing)], free: [len(free.outgoing)]}
    while "CHANNEL_ANSWER" not in stage.names("leg"):
        before = len(stage.told)
        stage.run(10)
        for client, sizes in seen.items():
            client.offer(stage.told[before:])
            client.flush(stage.now)
            sizes.append(len(client.outgoing))
    assert set(seen[blocked]) == {0}
    assert seen[free][-1] > 10_000
    before = len(stage.told)
    stage.run(100)
    blocked.offer(stage.told[before:])
    blocked.flush(stage.now)
    text = bytes(blocked.outgoing)
    assert text.startswith(b"Content-Type: api/response\nContent-Length: 8\n\n+OK leg\nContent-Type: api/response\n")
    assert text.index(b"next") < text.index(b"CHANNEL_CREATE") < text.index(b"CHANNEL_PARK")


def test_only_what_was_asked_for_is_told() -> None:
    stage = Stage()
    client = Connection(stage.model, "secret")
    client.receive(b"auth secret\n\nevent json CHANNEL_PARK CUSTOM sofia::register\n\n", stage.now)
    client.outgoing.clear()
    stage.phone("1001")
    leg = stage.caller()
    stage.phone("1001", registered=False)
    stage.run(50)
    client.offer(stage.told)
    client.flush(stage.now)
    text = bytes(client.outgoing)
    assert text.count(b"Content-Type: text/event-json") == 2
    assert text.index(b"sofia::register") < text.index(leg.encode())
    assert b"sofia::unregister" not in text


def test_filters_let_through_what_matches_any_of_them() -> None:
    stage = Stage()
    client = Connection(stage.model, "secret")
    first, second, third = stage.caller(), stage.caller(), stage.caller()
    commands = f"auth secret\n\nevent json ALL\n\nfilter Unique-ID {first}\n\nfilter Unique-ID {third}\n\n"
    client.receive(commands.encode(), stage.now)
    before = len(stage.told)
    stage.api("hupall")
    stage.run(200)
    client.offer(stage.told[before:])
    client.flush(stage.now)
    text = bytes(client.outgoing)
    assert first.encode() in text
    assert third.encode() in text
    assert second.encode() not in text


def test_a_silent_client_is_told_in_turns_of_20_ms_and_at_once_when_it_says_anything() -> None:
    model, client = opened(poll_ms=20)
    said(client, b"event json ALL\n\n", START)
    client.flush(START)
    model.call(Caller(dialled="4001"), START + 1_000)
    client.offer(model.advance(START + 1_900))
    client.flush(START + 1_900)
    assert not client.outgoing
    assert client.next_look() == START + 20_000
    client.receive(b"\n", START + 2_000)
    client.flush(START + 2_000)
    assert client.outgoing


def test_a_client_that_does_not_keep_up_is_dropped_in_the_middle_of_an_event() -> None:
    """Complaint 15: a full queue, then so many lost events (100 000 and 501 on the real one)."""
    model, client = opened(queue_limit=6, lost_limit=3)
    said(client, b"event json ALL\n\n")
    model.call(Caller(dialled="4001"), START)
    events = model.advance(START + 100_000)
    client.offer(events[:9])
    assert (client.queued, client.killed, client.closing) == (6, False, False)
    client.offer(events[9:10])
    assert (client.killed, client.closing) == (True, True)
    head, _, body = bytes(client.outgoing).partition(b"\n\n")
    assert head.startswith(b"Content-Length: ")
    assert len(body) < int(head.split()[1])


# --- strings from outside ----------------------------------------------------------------------------------------
NAMES = (
    'Al "the" Bee',
    "line\nfeed: Unique-ID: forged",
    "%0AUnique-ID%3A%20forged",
    "{braces},commas;and'quotes'",
    "<b>bold</b>&amp;",
    "王芳 陈大文",
    "n" * 2_000,
    b"broken \xff\xfe bytes".decode("utf-8", "surrogateescape"),
)


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_forges_nothing_in_either_format(name: str) -> None:
    stage = Stage()
    leg = stage.caller(name=name)
    stage.run(100)
    for body in bodies(stage.stream("json")):
        event = json.loads(body.decode("utf-8", "surrogateescape"))
        if event.get("Unique-ID") == leg and "Caller-Caller-ID-Name" in event:
            assert event["Caller-Caller-ID-Name"] == name
    shown = 0
    for body in bodies(stage.stream("plain")):
        lines = body.split(b"\n\n")[0].split(b"\n")
        assert all(b": " in line for line in lines)
        assert sum(line.startswith(b"Unique-ID: ") for line in lines) <= 1
        for line in lines:
            if line.startswith(b"Caller-Caller-ID-Name: "):
                shown += 1
                quoted = line.partition(b": ")[2].decode("ascii")
                # What looks encoded already is left alone, so it reads as the character (switch_url_encode).
                assert unquote(quoted, errors="surrogateescape") == unquote(name, errors="surrogateescape")
    assert shown > 5


def bodies(stream: bytes) -> list[bytes]:
    found = []
    while stream:
        head, _, rest = stream.partition(b"\n\n")
        lines = dict(line.split(b": ", 1) for line in head.split(b"\n"))
        length = int(lines.get(b"Content-Length", b"0"))
        if lines.get(b"Content-Type", b"").startswith(b"text/event"):
            found.append(rest[:length])
        stream = rest[length:]
    return found


def test_the_plain_format_writes_what_the_real_one_writes() -> None:
    """Compared with headers of the captured streams."""
    assert plain_value("Sun, 22 Nov 2026 06:10:27 GMT") == b"Sun,%2022%20Nov%202026%2006%3A10%3A27%20GMT"
    assert plain_value("fd00::2") == b"fd00%3A%3A2"
    assert plain_value("{a=b}user/1001@127.0.0.1 &park()") == b"%7Ba%3Db%7Duser/1001%40127.0.0.1%20%26park()"
    assert plain_value("v=0\r\n*!'()~_-.") == b"v%3D0%0D%0A*!'()~_-."


def test_a_line_feed_that_finds_nothing_to_hear_gives_nothing_to_do_and_begins_the_poll_anew() -> None:
    model, client = opened(poll_ms=20)
    said(client, b"event plain HEARTBEAT\n\n")
    assert client.receive(b"\n", START + 5_000) is False
    client.offer(model.advance(START + 20_000_000))
    assert client.queued
    assert client.next_look() == START + 25_000
    assert client.receive(b"\n", START + 20_001_000) is True
    client.flush(START + 20_001_000)
    assert b"HEARTBEAT" in client.outgoing
    client.outgoing.clear()
    assert client.receive(b"api sta", START + 20_002_000) is False
    assert client.receive(b"tus\n\n", START + 20_003_000) is True
