"""A simulated switch on a TCP port, in a thread of the test."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from freeswitch.simulator import Model, Options
from freeswitch.simulator.script import Script
from freeswitch.simulator.server import Server, clock
from tests.lab.control import Control

PASSWORD = "let me in"


class Running:
    """The server, and connections to it."""

    def __init__(self, options: Options, script: Script | None) -> None:
        self.model = Model(options, now=clock(), seed=1)
        self.server = Server(self.model, password=PASSWORD)
        if script is not None:
            self.server.play(script)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        self.controls: list[Control] = []

    def connect(self, *events: str) -> Control:
        """A client that listens to these events."""
        control = Control(self.server.port, PASSWORD)
        self.controls.append(control)
        if events:
            control.subscribe(*events)
        return control

    def stop(self) -> None:
        for control in self.controls:
            control.socket.close()
        self.server.stop()
        self.thread.join(10)
        assert not self.thread.is_alive()


@pytest.fixture
def serve() -> Iterator[Callable[..., Running]]:
    """Start simulated switches: `serve(script=…, heartbeat_s=…, …)`."""
    started: list[Running] = []

    def start(script: Script | None = None, **options: Any) -> Running:  # noqa: ANN401 - whatever Options takes
        started.append(Running(Options(**{"write_recordings": False, **options}), script))
        return started[-1]

    yield start
    for running in started:
        running.stop()
