"""A hub behind a real pywsgi server, a live state moved by hand, and pages that read their stream from a socket."""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

import gevent
from gevent.pywsgi import WSGIServer

from tests.lab.patience import until
from web.push import Audience, Hub, TooManyStreams


@dataclass
class State:
    """A state of now: the text of each topic, and when it changed."""

    position: int = 0
    standing: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    drawn: list[tuple[str, Audience]] = field(default_factory=list)

    def changed_since(self, topic: str, position: int) -> bool:
        return self.changed.get(topic, 0) > position

    def render(self, ident: str, audience: Audience) -> str:
        self.drawn.append((ident, audience))
        return f"{audience.language}:{self.texts.get(ident, '')}"


@dataclass(frozen=True)
class Event:
    """What a page was sent."""

    name: str
    data: str
    id: str = ""


class Page:
    """A browser's page: a socket, and the events that came over it so far."""

    def __init__(self, port: int, query: str, *, after: int | None = None, receive_bytes: int | None = None) -> None:
        self.events: list[Event] = []
        self.head = ""
        self.over = False
        self._socket = socket.socket()
        if receive_bytes is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self._socket.connect(("127.0.0.1", port))
        resume = "" if after is None else f"Last-Event-ID: {after}\r\n"
        self._socket.sendall(f"GET /?{query} HTTP/1.0\r\nHost: test\r\n{resume}\r\n".encode())
        self._reading: Any = None

    def read(self) -> Self:
        """Begin to read."""
        self._reading = gevent.spawn(self._read)
        return self

    def close(self) -> None:
        """Go away as a closed tab does."""
        if self._reading is not None:
            self._reading.kill()
        self._socket.close()

    def named(self, name: str) -> list[Event]:
        """The events of this name."""
        return [event for event in self.events if event.name == name]

    def texts(self, name: str = "agent") -> list[str]:
        """The data of the events of this name."""
        return [event.data for event in self.named(name)]

    def await_text(self, text: str, name: str = "agent", *, within_s: float = 30.0) -> Event:
        """The event that brings this text."""
        return until(
            lambda: next((event for event in self.named(name) if event.data == text), None),
            f"{name} {text!r} among {self.events[-5:]}",
            within_s=within_s,
        )

    def _read(self) -> None:
        pending = b""
        with suppress(OSError):
            while data := self._socket.recv(65_536):
                pending += data
                if not self.head and b"\r\n\r\n" in pending:
                    head, _, pending = pending.partition(b"\r\n\r\n")
                    self.head = head.decode()
                while self.head and b"\n\n" in pending:
                    block, _, pending = pending.partition(b"\n\n")
                    self._take(block.decode())
        self.over = True

    def _take(self, block: str) -> None:
        name, data, ident = "", [], ""
        for line in block.split("\n"):
            key, _, value = line.partition(": ")
            if key == "event":
                name = value
            elif key == "data":
                data.append(value)
            elif key == "id":
                ident = value
            elif key == "retry":
                self.events.append(Event("retry", value))
        if name:
            self.events.append(Event(name, "\n".join(data), ident))


class Service:
    """`with Service() as service`: everything ends with the block."""

    def __init__(self, *, beat_s: float = 15.0, every_s: float = 0.2, answer_s: float = 10.0) -> None:
        self.state = State()
        self.hub = Hub(self.state, beat_s=beat_s, answer_s=answer_s)
        self.hub.register("agent", self.state.render)
        self.hub.register("floor", self.state.render, every_s=every_s)
        self.hub.register("board", self.state.render, every_s=every_s, source="floor")
        self.alive: Callable[[str], bool] = lambda _: True
        self.pages: list[Page] = []
        self._server: Any = WSGIServer(("127.0.0.1", 0), self._answer, log=None, error_log=None)

    def __enter__(self) -> Self:
        self.hub.start()
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for page in self.pages:
            page.close()
        self.hub.stop()
        self._server.stop(timeout=1)

    def page(
        self,
        *topics: str,
        user: str = "u1",
        language: str = "en",
        after: int | None = None,
        reads: bool = True,
        receive_bytes: int | None = None,
        name: str = "",
    ) -> Page:
        """A page that looks at these topics, and calls itself by this name; returns once the hub knows it."""
        before = self.hub.count
        query = f"topics={','.join(topics)}&user={user}&language={language}&page={name}"
        page = Page(self._server.server_port, query, after=after, receive_bytes=receive_bytes)
        self.pages.append(page)
        if reads:
            page.read()
            until(lambda: page.named("beat") or page.over, "the page to be served")
        else:
            until(lambda: self.hub.count > before, "the hub to know of the page")
        return page

    def change(self, **texts: str) -> int:
        """What these agents (or `floor`) show changes, in one decision."""
        self.state.position += 1
        topics = set()
        for ident, text in texts.items():
            topic = "floor" if ident == "floor" else f"agent:{ident}"
            self.state.texts["" if ident == "floor" else ident] = text
            self.state.changed[topic] = self.state.position
            topics.add(topic)
        self.hub.publish(self.state.position, frozenset(topics))
        return self.state.position

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterator[bytes] | list[bytes]:
        asked = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        after = environ.get("HTTP_LAST_EVENT_ID")
        try:
            stream = self.hub.open(
                asked["user"],
                asked["topics"].split(","),
                Audience(language=asked["language"]),
                alive=lambda: self.alive(asked["user"]),
                after=int(after) if after else None,
                page=asked.get("page", ""),
            )
        except TooManyStreams as error:
            start("429 Too Many Requests", [])
            return [str(error).encode()]
        start("200 OK", [("Content-Type", "text/event-stream")])
        return iter(stream)
