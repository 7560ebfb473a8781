"""The command socket: one line a request, and a wish with a key is done once however often it is sent."""

import socket
from collections.abc import Iterator
from pathlib import Path

import gevent
import msgspec
import pytest
from gevent.event import Event
from msgspec.structs import replace

from orchestrator import control
from orchestrator.control import Client, Server, Wishes
from orchestrator.domain.contacts.events import ContactIdentified
from orchestrator.domain.kernel import Instant, Refused
from orchestrator.domain.staff import shifts as s
from orchestrator.runner import inputs as i
from orchestrator.tape import form
from tests.postgres import make_reachable_directory
from tests.runner.scene import Scene


class Desk:
    """A scene behind a real socket: every command is stepped by the production runner."""

    def __init__(self, path: Path) -> None:
        self.scene = Scene(agents=2)
        self.clock = 0.0
        self.wall_clock = 1_000.0
        self.path = path
        self.server = Server(path, self.command, lambda question: question, lambda: self.clock, lambda: self.wall_clock)
        self.server.start()
        self.client = Client(path)
        self.hold_up: Event | None = None
        self.away = False

    def command(self, command: i.DeskCommand) -> int:
        if self.away:
            raise Refused("database_away", "Away.")
        if self.hold_up is not None:
            assert self.hold_up.wait(timeout=10)
        before = len(self.scene.records)
        refused = self.scene.give(command).refused
        if refused is not None:
            raise refused
        return len(self.scene.records) if len(self.scene.records) > before else 0

    def refusal(self, command: i.DeskCommand) -> str:
        with pytest.raises(Refused) as refused:
            self.client.do(command)
        return refused.value.code


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk(make_reachable_directory() / "control.sock")
    yield made
    made.client.close()
    made.server.stop()
    made.path.parent.rmdir()


def test_a_command_sent_again_with_its_key_gets_the_first_answer(desk: Desk) -> None:
    """Network away for a minute: no double action. Even where the second would have had another result."""
    desk.client.do(i.SignIn(agent="1001"))
    ready = i.Ready(agent="1001", key="k1")
    position = desk.client.do(ready)
    desk.client.do(i.Pause(agent="1001", reason="break"))
    before = len(desk.scene.records)
    assert desk.client.do(ready) == position
    assert len(desk.scene.records) == before
    assert desk.scene.status(1) == "paused"
    assert desk.client.do(i.Ready(agent="1001", key="k2")) > position


def test_a_refusal_is_kept_like_any_other_answer(desk: Desk) -> None:
    """No double action: what was refused once is not done a minute later."""
    ready = i.Ready(agent="1001", key="k1")
    assert desk.refusal(ready) == "not_signed_in"
    desk.client.do(i.SignIn(agent="1001"))
    assert desk.refusal(ready) == "not_signed_in"
    assert desk.scene.status(1) == "paused"


def test_what_was_not_done_because_the_database_was_away_may_be_tried_again(desk: Desk) -> None:
    """Decision 0018."""
    sign_in = i.SignIn(agent="1001", key="k1")
    desk.away = True
    assert desk.refusal(sign_in) == "database_away"
    desk.away = False
    assert desk.client.do(sign_in) > 0


def test_two_at_once_with_one_key_are_done_once_and_both_are_answered(desk: Desk) -> None:
    """A click and its repeat, on two connections."""
    desk.hold_up = Event()
    clients = [Client(desk.path), Client(desk.path)]
    sign_in = i.SignIn(agent="1001", key="k1")
    asked = [gevent.spawn(client.do, sign_in) for client in clients]
    while len(desk.server._command._kept) < 1:
        gevent.sleep(0)
    desk.hold_up.set()
    first, second = (greenlet.get(timeout=10) for greenlet in asked)
    assert first == second > 0
    assert len(desk.scene.events(s.AgentSignedIn)) == 1
    for client in clients:
        client.close()


def test_what_is_being_carried_out_as_the_engine_hands_over_gets_its_answer(desk: Desk) -> None:
    """Feature 12.1: "nothing was changed" would be wrong of what is stored a millisecond later."""
    desk.hold_up = Event()
    asked = gevent.spawn(desk.client.do, i.SignIn(agent="1001", key="k1"))
    while len(desk.server._command._kept) < 1:
        gevent.sleep(0)
    stopping = gevent.spawn(desk.server.stop, patience_s=0.0)
    stopping.join(timeout=0.1)
    assert not stopping.dead, "it waits for what is stored in a moment"
    desk.hold_up.set()
    assert asked.get(timeout=10) > 0
    stopping.get(timeout=10)
    with pytest.raises(control.ControlError):
        desk.client.ask("anything")


def test_a_command_sent_again_to_the_next_engine_is_not_done_again(desk: Desk) -> None:
    """Complaint 2, feature 12.2: its answer was lost with the engine; what it led to is in the log, or in the spool."""
    ready = i.Ready(agent="1001", key="k1")
    desk.client.do(i.SignIn(agent="1001"))
    position = desk.client.do(ready)
    desk.client.do(i.Pause(agent="1001", reason="break", key="k2"))
    wishes = Wishes()
    for place, record in enumerate(desk.scene.records, 1):
        if record.about.wish:
            wishes.note(replace(record, position=place))
    before = len(desk.scene.records)
    path = desk.path.with_name("next.sock")
    following = Server(
        path,
        desk.command,
        lambda question: question,
        lambda: desk.clock,
        lambda: desk.wall_clock + 3_600,  # whatever this host says: the log is by the site's time
        wishes,
        lambda: desk.scene.now,
    )
    following.start()
    client = Client(path)
    assert client.do(ready) == position
    assert client.do(replace(ready, trace="00-another")) == position
    assert len(desk.scene.records) == before
    assert desk.scene.status(1) == "paused"
    for wrong in (i.SignOut(agent="1001", key="k1"), i.Ready(agent="1001", key="k2")):
        with pytest.raises(Refused) as refused:
            client.do(wrong)
        assert refused.value.code == "key_reused"
    assert client.do(i.Ready(agent="1001", key="k3")) > position
    client.close()
    following.stop()


def test_of_what_was_asked_for_before_only_the_last_minutes_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of years is read at each start."""
    wishes = Wishes()
    record = Scene(agents=1).records[0]

    def note(number: int, at_s: float) -> None:
        about = replace(record.about, wish=f"ready {number}", at=Instant(round(at_s * 1_000_000)))
        wishes.note(replace(record, about=about, position=number))

    note(1, 0.0)
    note(2, control.ANSWERS_KEPT_S)
    note(3, control.ANSWERS_KEPT_S + 1)
    assert [asked for asked, _ in wishes] == ["2", "3"]
    monkeypatch.setattr(control, "ANSWERS_KEPT", 1)
    note(4, control.ANSWERS_KEPT_S + 1)
    assert list(wishes) == [("4", control.Done("ready", 4, control.ANSWERS_KEPT_S + 1))]


def test_a_key_belongs_to_one_agent_and_one_command(desk: Desk) -> None:
    """Bad input."""
    for agent in ("1001", "1002"):
        assert desk.client.do(i.SignIn(agent=agent, key="k1")) > 0
    assert desk.refusal(i.SignOut(agent="1001", key="k1")) == "key_reused"
    assert desk.scene.status(1) == "paused"
    for key in ("x" * 101, "a\nb"):
        assert desk.refusal(i.Ready(agent="1001", key=key)) == "bad_key"


def test_the_trace_of_a_request_is_not_part_of_the_wish(desk: Desk) -> None:
    first = desk.client.do(i.SignIn(agent="1001", key="k1", trace="00-a-b-01"))
    assert desk.client.do(i.SignIn(agent="1001", key="k1", trace="00-c-d-01")) == first


def test_answers_are_kept_for_a_bounded_time_and_in_bounded_number(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 9; feature 12.5."""
    sign_in = i.SignIn(agent="1001", key="k1")
    desk.client.do(sign_in)
    desk.clock = control.ANSWERS_KEPT_S + 1
    assert desk.refusal(sign_in) == "already_signed_in"
    monkeypatch.setattr(control, "ANSWERS_KEPT", 5)
    for number in range(20):
        desk.client.do(i.DeskBeat(desks={}, key=f"n{number}"))
    assert len(desk.server._command._kept) <= 5


def test_what_comes_after_its_time_is_not_begun_and_the_same_key_settles_whether_it_was_done(desk: Desk) -> None:
    """Bad input of issue 3: network away for a minute; what was pressed then is not done now."""
    in_time = i.SignIn(agent="1001", key="k1", good_until=1_010_000)
    first = desk.client.do(in_time)
    desk.wall_clock = 1_060.0
    assert desk.client.do(in_time) == first, "its answer was lost on the way: it was done, and is not refused"
    late = i.Ready(agent="1001", key="k2", good_until=1_010_000)
    for _ in range(2):
        assert desk.refusal(late) == "too_late"
    assert desk.refusal(i.Ready(agent="1001", good_until=1_010_000)) == "too_late"
    assert desk.scene.status(1) == "paused"
    assert desk.client.do(i.Ready(agent="1001", key="k3", good_until=1_070_000)) > 0


def test_every_command_of_a_desk_goes_over_the_socket(desk: Desk) -> None:
    """Desk presence: what `runner.inputs` tells the web process to send."""
    desk.client.do(i.SignIn(agent="1001", desk="d1"))
    assert desk.client.do(i.DeskBeat(desks={"1001": "d1"})) == 0
    assert desk.client.do(i.DeskSeen(agent="1001", desk="d1")) == 0
    assert desk.refusal(i.DeskSeen(agent="1001", desk="d2")) == "desk_elsewhere"
    assert desk.client.do(i.TakeOver(agent="1001", desk="d2")) > 0
    assert desk.client.do(i.DeskGone(agent="1001", desk="d1")) == 0
    assert desk.client.do(i.DeskGone(agent="1001", desk="d2")) > 0
    assert desk.refusal(i.ExtendWrapUp(agent="1001")) == "not_wrapping_up"
    assert desk.refusal(i.Accept(agent="1001", about="o1")) == "stale"


def test_the_fullest_beat_fits_into_one_request(desk: Desk) -> None:
    """Desk presence: `DESKS_IN_A_BEAT` of the longest numbers and ids."""
    desks = {f"{number:020}": "x" * 64 for number in range(i.DESKS_IN_A_BEAT)}
    assert len(msgspec.json.encode(i.DeskBeat(desks=desks))) < control.LONGEST
    assert desk.client.do(i.DeskBeat(desks=desks)) == 0


@pytest.mark.parametrize(
    "line",
    (
        b'{"do":"desk_seen","agent":"1001"}',
        b'{"do":"desk_seen","agent":"1001","desk":7}',
        b'{"do":"desk_beat"}',
        b'{"do":"desk_beat","desks":["1001"]}',
        b'{"do":"extend_wrap_up","agent":"1001","by_ms":"long"}',
        b'{"do":"take_over"}',
        b'{"do":"import_call","node":"sw1","leg":"l1","dialled":"4000","cause":"NORMAL","arrived_at":1,"ended_at":2}',
        b'{"do":"identify","contact_id":"c","customer_id":"k","level":"gold"}',
    ),
)
def test_a_malformed_command_of_a_desk_is_answered_and_the_connection_goes_on(desk: Desk, line: bytes) -> None:
    """Bad input."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(10)
        connection.connect(str(desk.path))
        connection.sendall(line + b"\n")
        answer = msgspec.json.decode(connection.recv(4_096))
        assert answer["ok"] is False
        assert answer["code"] in ("bad_request", "bad_desk", "unknown_agent")
        connection.sendall(b'{"ask":"calls"}\n')
        assert msgspec.json.decode(connection.recv(4_096)) == {"ok": True, "answer": "calls"}


def test_whoever_names_a_caller_says_who_they_are_and_nothing_of_a_level(desk: Desk) -> None:
    """Feature 5.2: only the service that knows customers says how important one is; a program gives nobody a level."""
    contact = desk.scene.live(desk.scene.park())
    wish = i.NameCaller(contact_id=contact.contact_id, customer_id="k")
    assert desk.refusal(wish) == "who_asks"
    assert not desk.scene.events(ContactIdentified)
    line = msgspec.json.decode(msgspec.json.encode(replace(wish, by="agent:ann"))) | {"level": "gold"}
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(10)
        connection.connect(str(desk.path))
        connection.sendall(msgspec.json.encode(line) + b"\n")
        assert msgspec.json.decode(connection.recv(4_096))["ok"] is True
    (named,) = desk.scene.events(ContactIdentified)
    assert (named.customer_id, named.level) == ("k", "")
    assert desk.scene.records[-1].about.actor == "agent:ann"


@pytest.mark.parametrize("number", (2**64, -(2**63) - 1, 10**60))
def test_a_number_that_no_tape_can_hold_is_refused_and_ends_no_engine(desk: Desk, number: int) -> None:
    """Bad input: whoever types sixty digits as the number of a place stops nobody's calls."""
    wishes = (
        i.Retrieve(agent="1001", place=number),
        i.Park(agent="1001", place=number),
        i.Prioritise(contact="c-1", points=number, reason="vip"),
        i.ExtendWrapUp(agent="1001", by_ms=number),
    )
    for wish in wishes:
        with pytest.raises(OverflowError):
            form.encode("1-1", desk.scene.now, wish)
        assert desk.refusal(wish) == "bad_request"
    assert desk.refusal(i.Retrieve(agent="1001", place=2**62)) == "not_signed_in", "that is for the rules to say"
