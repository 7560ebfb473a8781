"""A relay between an engine and its switch that keeps what the engine wrote."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from orchestrator.settings import Switch

_CHUNK = 65_536

QUESTIONS = ("auth ", "event ", "api global_getvar ", "api status", "api show ", "api uuid_dump ", "api uuid_exists ")
"""How commands begin that change no call."""


class Tap:
    """Listens on a port of its own and leads to the switch's event socket; in use inside its block."""

    def __init__(self, switch: Switch) -> None:
        self._target = (switch.host, switch.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.switch = Switch(switch.name, "127.0.0.1", self._listener.getsockname()[1], switch.password)
        """The switch as whoever goes through the relay names it."""
        self._lock = threading.Lock()
        self._written = bytearray()
        self._sockets: list[socket.socket] = [self._listener]
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)

    def orders(self) -> list[str]:
        """The commands written so far that change something: no questions, and not the line feeds that ask for news."""
        with self._lock:
            text = self._written.decode(errors="replace")
        commands = (command.strip() for command in text.split("\n\n"))
        return [command for command in commands if command and not command.startswith(QUESTIONS)]

    def _run(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                engine, _ = self._listener.accept()
                switch = socket.create_connection(self._target)
            except OSError:
                return
            for each in (engine, switch):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets += [engine, switch]
            self._run(self._to_switch, engine, switch)
            self._run(_relay, switch, engine)

    def _to_switch(self, engine: socket.socket, switch: socket.socket) -> None:
        with suppress(OSError):
            while data := engine.recv(_CHUNK):
                with self._lock:
                    self._written += data
                switch.sendall(data)
            switch.shutdown(socket.SHUT_RDWR)


def _relay(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)
