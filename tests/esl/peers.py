"""A switch of our own making at the other end of the event socket: polite unless a test makes it otherwise."""

import json
from collections.abc import Callable
from contextlib import suppress
from socket import SHUT_WR
from types import TracebackType
from typing import Any, Self

import gevent
from gevent.server import StreamServer
from gevent.socket import socket

from orchestrator.settings import Switch

PASSWORD = "open sesame 8"
CORE = "11111111-1111-4111-8111-111111111111"


def plain_frame(headers: dict[str, str], body: bytes = b"") -> bytes:
    if body:
        headers = {"Content-Length": str(len(body)), **headers}
    return "".join(f"{name}: {value}\n" for name, value in headers.items()).encode() + b"\n" + body


def reply(text: str) -> bytes:
    return plain_frame({"Content-Type": "command/reply", "Reply-Text": text})


def answer(text: str) -> bytes:
    return plain_frame({"Content-Type": "api/response"}, text.encode())


def event(name: str, **headers: str) -> bytes:
    """An event frame; underscores of header names are dashes."""
    found = {"Event-Name": name, "Core-UUID": CORE, "Event-Date-Timestamp": "1700000000000000"}
    found |= {key if key.startswith("variable_") else key.replace("_", "-"): value for key, value in headers.items()}
    return plain_frame({"Content-Type": "text/event-json"}, json.dumps(found).encode())


def job_end(job: str, result: str) -> bytes:
    body = {"Event-Name": "BACKGROUND_JOB", "Core-UUID": CORE, "Job-UUID": job, "_body": result}
    return plain_frame({"Content-Type": "text/event-json"}, json.dumps(body).encode())


class Caller:
    """One connection, as the peer sees it."""

    def __init__(self, sock: socket) -> None:
        self.sock = sock
        self.subscribed = False
        self.gone = False

    def say(self, data: bytes) -> None:
        self.sock.sendall(data)


class Peer:
    """Answers like a switch with the channels in `channels`. What a test replaces: `greeting`, `answers`, `silent`."""

    def __init__(self, *, port: int = 0) -> None:
        self.password = PASSWORD
        self.core = CORE
        self.ledger = ""
        """Whose switch it is."""
        self.greeting = b"Content-Type: auth/request\n\n"
        self.channels: dict[str, dict[str, str]] = {}
        self.silent: tuple[str, ...] = ()
        """Beginnings of commands that get no reply."""
        self.answers: dict[str, Callable[[Caller, str], bytes]] = {}
        """By the beginning of a command: what to say instead."""
        self.reads = True
        self.commands: list[str] = []
        self.pokes = 0
        self.callers: list[Caller] = []
        self._server = StreamServer(("127.0.0.1", port), self._serve)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()
        self._server.stop(timeout=1)

    @property
    def switch(self) -> Switch:
        return Switch("fs1", "127.0.0.1", self.port, PASSWORD)

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    def hang_up(self) -> None:
        """End every connection in order: what was said before still arrives."""
        callers, self.callers = self.callers, []
        for caller in callers:
            with suppress(OSError):  # it may have left by itself
                caller.sock.shutdown(SHUT_WR)

    def say(self, data: bytes) -> None:
        """Say this to everyone who subscribed."""
        for caller in self.callers:
            if caller.subscribed and not caller.gone:
                caller.say(data)

    def seen(self, beginning: str) -> list[str]:
        return [command for command in self.commands if command.startswith(beginning)]

    def _serve(self, sock: socket, _: Any) -> None:  # noqa: ANN401 - gevent's address
        caller = Caller(sock)
        self.callers.append(caller)
        buffer = b""
        try:
            sock.sendall(self.greeting)
            while True:
                while not self.reads:
                    gevent.sleep(0.01)
                data = sock.recv(4096)
                if not data:
                    return
                buffer += data
                while True:
                    stripped = buffer.lstrip(b"\n")
                    self.pokes += len(buffer) - len(stripped)
                    command, end, buffer = stripped.partition(b"\n\n")
                    if not end:
                        buffer = command
                        break
                    self._take(caller, command.decode())
        except OSError:
            return  # hung up on
        finally:
            sock.close()
            caller.gone = True

    def _take(self, caller: Caller, command: str) -> None:
        self.commands.append(command)
        if command.startswith(self.silent) and self.silent:
            return
        for beginning, say in self.answers.items():
            if command.startswith(beginning):
                caller.say(say(caller, command))
                return
        caller.say(self._answer(caller, command))

    def _answer(self, caller: Caller, command: str) -> bytes:
        match command.split():
            case ["auth", *_]:
                good = command == f"auth {self.password}"
                return reply("+OK accepted" if good else "-ERR invalid")
            case ["event", "json", *_]:
                caller.subscribed = True
                return reply("+OK event listener enabled json")
            case ["api", "global_getvar", "core_uuid"]:
                return answer(self.core)
            case ["api", "global_getvar", "ringledger_ledger"]:
                return answer(self.ledger or "-ERR no reply\n")
            case ["api", "global_setvar", word] if word.startswith("ringledger_ledger="):
                self.ledger = word.partition("=")[2]
                return answer("+OK")
            case ["api", "status"]:
                count = len(self.channels)
                return answer(f"UP\n{count} session(s) since startup\n{count} session(s) - peak 9, last 5min 9\n")
            case ["api", "show", "channels", "as", "json"]:
                rows = [{"uuid": leg} for leg in self.channels]
                return answer(json.dumps({"row_count": len(rows), "rows": rows} if rows else {"row_count": 0}))
            case ["api", "uuid_dump", leg, "json"]:
                if leg not in self.channels:
                    return answer("-ERR No such channel!\n")
                return answer(json.dumps({"Event-Name": "CHANNEL_DATA", "Unique-ID": leg, **self.channels[leg]}))
            case ["api", "uuid_exists", leg]:
                return answer("true" if leg in self.channels else "false")
            case ["api", *_]:
                return answer("+OK\n")
            case ["bgapi", *_]:
                return reply(f"+OK Job-UUID: {command.rsplit(' ', 1)[-1]}")
            case ["sendmsg", *_]:
                return reply("+OK")
        return reply("-ERR command not found")
