"""Relays between an engine and what it speaks to, which keep what the engine wrote."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from orchestrator.settings import Switch

_CHUNK = 65_536

QUESTIONS = (
    "auth ",
    "event ",
    "api global_getvar ",
    "api list_users ",
    "api show ",
    "api status",
    "api uuid_dump ",
    "api uuid_exists ",
)
"""How commands begin that change no call."""


class Relay:
    """Whoever comes to the listener is led to what `connect` reaches; in use inside its block."""

    def __init__(self, listener: socket.socket, connect: Callable[[], socket.socket]) -> None:
        self._connect = connect
        self._listener = listener
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

    def is_left(self) -> bool:
        """Whether nobody is connected through it any more: what was on its way has come, or never will."""
        return not any(thread.is_alive() for thread in self._threads[1:])

    def _run(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                engine, _ = self._listener.accept()
            except OSError:
                return
            try:
                target = self._connect()
            except OSError:
                engine.close()  # as whoever is not there refuses
                continue
            for each in (engine, target):
                if each.family != socket.AF_UNIX:
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets += [engine, target]
            self._run(self._to_target, engine, target)
            self._run(self._to_engine, target, engine)

    def _to_target(self, engine: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := engine.recv(_CHUNK):
                with self._lock:
                    self._written += data
                self._pass_on(data, target)
            target.shutdown(socket.SHUT_RDWR)

    def _to_engine(self, target: socket.socket, engine: socket.socket) -> None:
        with suppress(OSError):
            while data := target.recv(_CHUNK):
                self._let_in(data, engine)
            engine.shutdown(socket.SHUT_RDWR)

    def _pass_on(self, data: bytes, target: socket.socket) -> None:
        target.sendall(data)

    def _let_in(self, data: bytes, engine: socket.socket) -> None:
        engine.sendall(data)


class Tap(Relay):
    """Leads to a switch's event socket."""

    def __init__(self, switch: Switch, *, listener: socket.socket | None = None) -> None:
        """`listener`: where whoever goes through the relay finds it; somewhere on 127.0.0.1 where none is given."""
        listener = listener or socket.create_server(("127.0.0.1", 0))
        super().__init__(listener, lambda: socket.create_connection((switch.host, switch.port)))
        host, port = listener.getsockname()[:2]
        self.switch = Switch(switch.name, host, port, switch.password)
        """The switch as whoever goes through the relay names it."""

    def orders(self) -> list[str]:
        """The commands written so far that change something: no questions, and not the line feeds that ask for news."""
        with self._lock:
            text = self._written.decode(errors="replace")
        commands = (command.strip() for command in text.split("\n\n"))
        return [command for command in commands if command and not command.startswith(QUESTIONS)]


class Gate(Tap):
    """Keeps the first word of this kind, and what comes behind it on its connection, until it is opened."""

    def __init__(self, switch: Switch, word: bytes) -> None:
        super().__init__(switch)
        self._word = word
        self.asked = threading.Event()
        self.opened = threading.Event()

    def _pass_on(self, data: bytes, target: socket.socket) -> None:
        if self._word in data:
            self.asked.set()
            self.opened.wait(60)
        super()._pass_on(data, target)


class Late(Tap):
    """Keeps this word of the switch, and what comes behind it on its connection, until it is opened."""

    def __init__(self, switch: Switch, word: bytes) -> None:
        super().__init__(switch)
        self._late = word
        self.said = threading.Event()
        self.opened = threading.Event()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.opened.set()
        super().__exit__(kind, error, trace)

    def _let_in(self, data: bytes, engine: socket.socket) -> None:
        if self._late in data:
            self.said.set()
            self.opened.wait(60)
        super()._let_in(data, engine)
