"""An engine that says what a test has it say."""

import json
import socket
import threading
from collections.abc import Iterator
from typing import Protocol

import pytest
from msgspec import to_builtins

from orchestrator.control import control_path
from orchestrator.spools import Spooled
from tests.web.conftest import Site
from web.ops.clocks import Clocks


class Say(Protocol):
    """Have the engine say this from now on."""

    def __call__(self, now: Spooled, clock: Clocks | None = None) -> None:
        """`clock`: None of an engine that was started before the web was upgraded."""


@pytest.fixture
def say(site: Site) -> Iterator[Say]:
    """An engine at the command socket that says this of its spool and, where they are given, of its clocks."""
    said: list[dict[str, object]] = [{}]
    path = control_path(site.parts.settings.home)
    path.parent.mkdir(parents=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1_000)
                status = {"active": True, "position": 1, "nodes": {}, **said[0]}
                connection.sendall(json.dumps({"ok": True, "answer": status}).encode() + b"\n")

    thread = threading.Thread(target=serve)
    thread.start()

    def tell(now: Spooled, clock: Clocks | None = None) -> None:
        said[0] = {"spool": to_builtins(now)} | ({} if clock is None else {"clock": to_builtins(clock)})

    tell(Spooled())
    yield tell
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
