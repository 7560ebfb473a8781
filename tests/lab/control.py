"""A plain, blocking client of the event socket, for driving and watching a switch from a test.

Independent of the product's link on purpose: when both agree on what the switch said, it is so.
"""

import json
import socket
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote
from uuid import uuid4

Event = dict[str, Any]
"""One event's headers as the switch wrote them (`event json`)."""


class Control:
    """One connection. Replies are awaited; events that arrive meanwhile are kept in `events`, in order."""

    def __init__(self, port: int, password: str, *, host: str = "127.0.0.1", patience_s: float = 10.0) -> None:
        self.patience_s = patience_s
        self.events: deque[Event] = deque()
        self.socket = socket.create_connection((host, port), timeout=patience_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._frame(time.monotonic() + patience_s)  # auth/request
        answer = self.send(f"auth {password}")
        if not answer.startswith("+OK"):
            self.socket.close()
            raise PermissionError(f"the switch at port {port} does not take this password: {answer}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, command: str) -> str:
        """Write one command (lines of a sendmsg included) and return its reply text."""
        self.socket.sendall(command.encode() + b"\n\n")
        headers, body = self._answer("command/reply", "api/response")
        return body.decode(errors="replace") if headers["Content-Type"] == "api/response" else headers["Reply-Text"]

    def api(self, command: str) -> str:
        """The answer of one api command, which must not take long: events wait behind it."""
        return self.send(f"api {command}")

    def background(self, command: str) -> str:
        """Start a bgapi command under a job id of ours; returns the id."""
        job = str(uuid4())
        answer = self.send(f"bgapi {command}\nJob-UUID: {job}")
        assert job in answer, answer
        return job

    def execute(self, leg: str, application: str, argument: str = "") -> str:
        """Queue an application on a leg (sendmsg); returns the reply text, which only says that it was queued."""
        return self.send(
            f"sendmsg {leg}\ncall-command: execute\nexecute-app-name: {application}\nexecute-app-arg: {argument}"
        )

    def subscribe(self, *names: str) -> None:
        """Ask for events by name, as JSON."""
        answer = self.send("event json " + " ".join(names))
        assert answer.startswith("+OK"), answer

    def await_event(self, name: str, *, within_s: float | None = None, **headers: str) -> Event:
        """The first event of this name whose headers are as given (dashes written as underscores), kept or to come.

        Events before it stay kept; it is taken out. AssertionError after `within_s`, telling what came instead.
        """
        wanted = {key.replace("_", "-") if key[0].isupper() else key: value for key, value in headers.items()}

        def fits(event: Event) -> bool:
            return event["Event-Name"] == name and all(event.get(key) == value for key, value in wanted.items())

        return self.await_that(fits, f"{name} with {wanted}", within_s=within_s)

    def await_that(self, fits: Callable[[Event], bool], what: str, *, within_s: float | None = None) -> Event:
        """The first event for which `fits` is true, kept or to come; it is taken out of `events`."""
        deadline = time.monotonic() + (self.patience_s if within_s is None else within_s)
        looked_at = 0
        while True:
            while looked_at < len(self.events):
                event = self.events[looked_at]
                if fits(event):
                    del self.events[looked_at]
                    return event
                looked_at += 1
            try:
                headers, body = self._frame(deadline)
            except TimeoutError:
                came = [f"{e['Event-Name']} {e.get('Unique-ID', '')[:8]}" for e in self.events]
                raise AssertionError(f"in vain waited for {what}; instead came {came}") from None
            self._keep(headers, body)

    def drain(self, seconds: float) -> list[Event]:
        """Everything kept and everything that arrives within `seconds`, emptying `events`."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                self._keep(*self._frame(deadline))
            except TimeoutError:
                came = list(self.events)
                self.events.clear()
                return came

    def _answer(self, *kinds: str) -> tuple[dict[str, str], bytes]:
        deadline = time.monotonic() + self.patience_s
        while True:
            headers, body = self._frame(deadline)
            if headers.get("Content-Type") in kinds:
                return headers, body
            self._keep(headers, body)

    def _keep(self, headers: dict[str, str], body: bytes) -> None:
        if headers.get("Content-Type") == "text/event-json":
            self.events.append(json.loads(body.decode(errors="replace")))
        elif headers.get("Content-Type") == "text/disconnect-notice":
            raise ConnectionResetError("the switch said goodbye: " + body.decode(errors="replace"))

    def _frame(self, deadline: float) -> tuple[dict[str, str], bytes]:
        """One frame: its headers and its body. TimeoutError at the deadline, with what was read so far kept."""
        head = self._read_until(b"\n\n", deadline)
        lines = (line.partition(": ") for line in head.decode(errors="replace").split("\n") if line)
        headers = {key: unquote(value) for key, _, value in lines}
        length = int(headers.get("Content-Length", 0))
        try:
            body = self._read(length, deadline)
        except TimeoutError:
            self._buffer = head + b"\n\n" + self._buffer
            raise
        return headers, body

    def _read_until(self, mark: bytes, deadline: float) -> bytes:
        while mark not in self._buffer:
            self._fill(deadline)
        head, _, self._buffer = self._buffer.partition(mark)
        return head

    def _read(self, length: int, deadline: float) -> bytes:
        while len(self._buffer) < length:
            self._fill(deadline)
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return body

    def _fill(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline passed")
        self.socket.settimeout(left)
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionResetError("the switch closed its event socket")
        self._buffer += data
