"""The command socket: live commands and questions over a local Unix socket, and the client for it.

One JSON object a line, at most `LONGEST` bytes. A request is a command (`{"do": "ready", "agent": "1001"}`) or a
question (`{"ask": "calls"}`). An answer is `{"ok": true, "position": 17}`, `{"ok": true, "answer": …}` or
`{"ok": false, "code": "not_signed_in", "message": "…"}`. A connection may carry many requests, one after another.

A command may carry a `key` of the client's making. Sent again with the same key, because its answer was lost, it is not
done again: the first answer is given once more, also by the engine that came after.
"""

import os
import socket
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
from msgspec.structs import replace

from orchestrator.clock import Clock, wall_clock
from orchestrator.domain.kernel import SECOND, Happened, Refused
from orchestrator.runner.inputs import Asked, DeskCommand, asked_by
from orchestrator.store import SPOOLED

log = structlog.get_logger(__name__)

LONGEST: Final = 16_384
# A client that says nothing for this long is let go; robots and desks speak more often or connect anew.
IDLE_S: Final = 600.0
CLIENT_S: Final = 15.0
# A client whose network was away comes back within minutes, or its person has looked at the page again.
ANSWERS_KEPT_S: Final = 600.0
ANSWERS_KEPT: Final = 10_000
KEY_LENGTH: Final = 100
# So long what is being carried out has to end before the socket is closed: a commit takes some ms.
FINISH_S: Final = 0.5
_GLANCE_S: Final = 0.002
# sockaddr_un.sun_path of Linux (unix(7)), less the closing zero.
_LONGEST_PATH: Final = 107


def control_path(home: Path) -> Path:
    """Where the command socket of this home is."""
    return home / "run" / "control.sock"


class ControlError(Exception):
    """The orchestrator could not be asked; the message says what to do."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A request that changes nothing."""

    ask: str | msgspec.UnsetType = msgspec.UNSET
    """What is asked; a command has no such field."""


_commands = msgspec.json.Decoder(Asked)
_on_tape = msgspec.msgpack.Encoder()
_questions = msgspec.json.Decoder(Question)


class Done(msgspec.Struct, frozen=True):
    """A wish that is in the log: what was asked for, where its last event stands, and when it was decided (s)."""

    verb: str
    position: int
    at_s: float


class Wishes:
    """What was asked for with a key in the last minutes of the log, whoever decided it."""

    def __init__(self) -> None:
        self._done: OrderedDict[str, Done] = OrderedDict()

    def note(self, record: Happened) -> None:
        """Remember this record's wish; of several, the position of the last is the answer."""
        verb, _, asked = record.about.wish.partition(" ")
        at_s = record.about.at / SECOND
        self._done[asked] = Done(verb, record.position, at_s)
        self._done.move_to_end(asked)
        while len(self._done) > ANSWERS_KEPT or next(iter(self._done.values())).at_s < at_s - ANSWERS_KEPT_S:
            self._done.popitem(last=False)

    def __iter__(self) -> Iterator[tuple[str, Done]]:
        """Who asked with which key (`runner.inputs.asked_by`), and what came of it; the oldest first."""
        return iter(self._done.items())


_NO_WISHES: Final = Wishes()


class Server:
    """Answers on the socket. `command` carries out and returns a log position; `ask` answers a question by its name.

    Both may raise `Refused`. Needs a process patched by gevent.
    """

    def __init__(
        self,
        path: Path,
        command: Callable[[Any], int],
        ask: Callable[[str], object],
        clock: Callable[[], float] = time.monotonic,
        host_clock: Callable[[], float] = time.time,
        wishes: Wishes = _NO_WISHES,
        now: Clock = wall_clock,
    ) -> None:
        """`wishes`: what is in the log already, and is not done again; `now`: the time by which they were decided."""
        self._path = path
        self._command = Once(command, clock, host_clock, wishes, now)
        self._ask = ask
        self._server: Any = None
        self._made = 0
        self._under_way = 0

    def start(self) -> None:
        """Listen. A socket left behind by a dead process is replaced; only this user may connect."""
        from gevent.pool import Pool
        from gevent.server import StreamServer

        if len(os.fsencode(self._path)) > _LONGEST_PATH:
            raise ControlError(f"{self._path} is too long for a Unix socket; choose a shorter RINGLEDGER_HOME.")
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        old = os.umask(0o177)
        try:
            listener.bind(str(self._path))
            self._made = self._path.stat().st_ino
        finally:
            os.umask(old)
        listener.listen(128)
        listener.setblocking(False)
        self._server = StreamServer(listener, self._serve, spawn=Pool(1_000))
        self._server.start()

    def stop(self, *, patience_s: float = 1.0) -> None:
        """Close the socket: what is being carried out gets its answer, and whoever is connected has this long to hang
        up. Where another engine listens by now at its path, that one's is left there.
        """
        if self._server is not None:
            self._server.close()
            deadline = time.monotonic() + FINISH_S
            while self._under_way and time.monotonic() < deadline:
                time.sleep(_GLANCE_S)
            self._server.stop(timeout=patience_s)
            with suppress(FileNotFoundError):
                if self._path.stat().st_ino == self._made:
                    self._path.unlink()

    def _serve(self, connection: socket.socket, _address: object) -> None:
        connection.settimeout(IDLE_S)
        pending = b""
        try:
            while data := connection.recv(LONGEST):
                pending += data
                *lines, pending = pending.split(b"\n")
                for line in lines:
                    self._under_way += 1
                    try:
                        connection.sendall(msgspec.json.encode(self._answer(line)) + b"\n")
                    finally:
                        self._under_way -= 1
                if len(pending) > LONGEST:
                    refused = _refusal("too_long", f"A request is one line of at most {LONGEST} bytes.")
                    connection.sendall(msgspec.json.encode(refused) + b"\n")
                    return
        except OSError as error:
            log.debug("control-connection-ended", error=str(error))
        finally:
            connection.close()

    def _answer(self, line: bytes) -> dict[str, object]:
        if len(line) > LONGEST:
            return _refusal("too_long", f"A request is one line of at most {LONGEST} bytes.")
        try:
            request = _request_of(line)
            if isinstance(request, str):
                return {"ok": True, "answer": self._ask(request)}
            return self._command.answer(request)
        except msgspec.DecodeError as error:
            return _refusal("bad_request", f"This is no request that can be read: {error}")
        except UnicodeDecodeError:
            return _refusal("bad_request", "A request is JSON in UTF-8.")
        except Refused as refused:
            return _refusal(refused.code, refused.message)


def _request_of(line: bytes) -> str | DeskCommand:
    """What is asked in this line, or the command in it. Raises as `_command_of`, and `Refused`."""
    try:
        if b'"ask"' in line and isinstance(asked := _questions.decode(line).ask, str):
            return asked
        return _command_of(line)
    except RecursionError:
        text = "This is no request that can be read: its lists lie too deep in each other."
        raise Refused("bad_request", text) from None


def _command_of(line: bytes) -> DeskCommand:
    """The command in this line. Raises `DecodeError`; and `Refused` where it has a number that no tape can hold: JSON
    knows no largest one, and an engine that cannot record what it is told ends.
    """
    command: DeskCommand = _commands.decode(line)
    try:
        _on_tape.encode(command)
    except OverflowError:
        raise Refused("bad_request", "A number in this request has too many digits.") from None
    return command


class Once:
    """Carries commands out, those with a key once: whoever sends one again gets the first answer, and waits for it
    where it is not there yet. Keys are an agent's own, kept for `ANSWERS_KEPT_S`. Needs a process patched by gevent.

    What comes after its time is not begun: a network that was away hands over what somebody pressed a minute ago. Who
    asks again with the same key learns so for certain whether it was done.

    Of what an engine before did, the log says which kind of command it was and no more: a key of it that is given to
    another command of the same kind is answered as that one.
    """

    def __init__(
        self,
        command: Callable[[Any], int],
        clock: Callable[[], float],
        host_clock: Callable[[], float],
        wishes: Wishes = _NO_WISHES,
        now: Clock = wall_clock,
    ) -> None:
        """`host_clock`: the one by which pages and programs of this host say until when a command is good."""
        self._command = command
        self._clock = clock
        self._host_clock = host_clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        for asked, done in wishes:
            kept = self._kept[asked] = _Kept(done.verb, clock() - max(0.0, now() / SECOND - done.at_s))
            kept.give(_done(done.position))

    def answer(self, command: DeskCommand) -> dict[str, object]:
        """The answer to a command. Raises `Refused` where a key is none, or was given to another command, and for what
        comes too late.
        """
        if not command.key:
            self._refuse_late(command)
            return self._do(command)
        if len(command.key) > KEY_LENGTH or not command.key.isprintable():
            raise Refused("bad_key", f"A key is up to {KEY_LENGTH} printable characters, made anew for each command.")
        self._forget()
        name = asked_by(command)
        wish = replace(command, trace="")
        kept = self._kept.get(name)
        if kept is None:
            self._refuse_late(command)
            return self._do_first(name, wish, command)
        if not kept.is_of(wish):
            raise Refused("key_reused", "This key was given to another command; make a new key for each.")
        return kept.wait()

    def _refuse_late(self, command: DeskCommand) -> None:
        late_s = self._host_clock() - command.good_until / 1_000
        if command.good_until and late_s > 0:
            raise Refused("too_late", f"This came {late_s:.1f} s too late and was not done; look, and ask for it anew.")

    def _do_first(self, name: str, wish: DeskCommand, command: DeskCommand) -> dict[str, object]:
        kept = self._kept[name] = _Kept(wish, self._clock())
        answer = _refusal("unsure", "Nobody can say whether it was done; look before you ask for it again.")
        try:
            answer = self._do(command)
        finally:
            if answer.get("code") == "database_away":
                self._kept.pop(name, None)  # nothing was done: it may be tried again
            kept.give(answer)
        return answer

    def _do(self, command: DeskCommand) -> dict[str, object]:
        try:
            return _done(self._command(command))
        except Refused as refused:
            return _refusal(refused.code, refused.message)

    def _forget(self) -> None:
        oldest = self._clock() - ANSWERS_KEPT_S
        while self._kept:
            first = next(iter(self._kept))
            if self._kept[first].since > oldest and len(self._kept) < ANSWERS_KEPT:
                return
            del self._kept[first]


class _Kept:
    """One answer, or that it is on its way."""

    def __init__(self, wish: DeskCommand | str, since: float) -> None:
        """`wish`: the command, or the kind of it where that is all that is known."""
        from gevent.event import Event

        self.since = since
        self._wish = wish
        self._answer: dict[str, object] = {}
        self._given = Event()

    def is_of(self, wish: DeskCommand) -> bool:
        """Whether it is the answer to this."""
        return self._wish in (wish, wish.__struct_config__.tag)

    def give(self, answer: dict[str, object]) -> None:
        """Here it is."""
        self._answer = answer
        self._given.set()

    def wait(self) -> dict[str, object]:
        """The answer, once it is there."""
        if not self._given.wait(timeout=CLIENT_S):
            return _refusal("unsure", "The first request with this key has no answer yet; ask again with the same key.")
        return self._answer


def _done(position: int) -> dict[str, object]:
    # Accepted while the database is away: it has no place in the log yet, and nobody need wait for one.
    return {"ok": True, "position": max(position, 0), "spooled": position == SPOOLED}


def _refusal(code: str, message: str) -> dict[str, object]:
    return {"ok": False, "code": code, "message": message}


class Client:
    """A connection to the orchestrator of this home. Works in patched and unpatched processes."""

    def __init__(self, path: Path, *, timeout_s: float = CLIENT_S) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._connection: socket.socket | None = None
        self._pending = b""

    def do(self, command: DeskCommand) -> int:
        """Carry out a command; its log position. Raises `Refused` and `ControlError`."""
        return int(self._request(msgspec.json.encode(command))["position"])

    def ask(self, question: str) -> Any:  # noqa: ANN401 - JSON, whatever the question
        """The answer to a question. Raises `Refused` and `ControlError`."""
        return self._request(msgspec.json.encode(Question(ask=question)))["answer"]

    def close(self) -> None:
        """Close the connection; the next request makes another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _request(self, line: bytes) -> dict[str, Any]:
        try:
            if self._connection is None:
                self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._connection.settimeout(self._timeout_s)
                self._connection.connect(str(self._path))
                self._pending = b""
            self._connection.sendall(line + b"\n")
            while b"\n" not in self._pending:
                data = self._connection.recv(65_536)
                if not data:
                    raise ConnectionResetError("it hung up")
                self._pending += data
        except OSError as error:
            self.close()
            raise ControlError(
                f"No orchestrator answers at {self._path} ({error.strerror or error}). Start one with `make run`, or "
                "set RINGLEDGER_HOME to the home of the one that runs."
            ) from error
        text, _, self._pending = self._pending.partition(b"\n")
        answer: dict[str, Any] = msgspec.json.decode(text)
        if not answer["ok"]:
            raise Refused(answer["code"], answer["message"])
        return answer
