"""A web application behind its real server, over a real log, with the production runner behind a real command socket.

Time stands still unless a test moves it (`wait_ms`); what the runner decides is stored, and the live view follows.
"""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import gevent
import pytest

from orchestrator import control
from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.staff.shifts import Shift
from orchestrator.runner import inputs
from orchestrator.settings import Address
from projections.live import LiveView
from tests.audit.centre import Centre
from tests.lab.patience import until
from tests.postgres import Database
from tests.projections.kit import ReadKit
from tests.store.kit import Kit
from tests.web.conftest import Browser, Site
from web.app import LONGEST_BODY
from web.desk import attendance
from web.desk.topics import attendance as attendance_of
from web.http import Server
from web.push import present

NUMBER = "1001"


class Page:
    """A page's stream, read from a socket."""

    def __init__(self, port: int, browser: Browser, desk: str, topics: str = "desk:a1") -> None:
        self.text = ""
        self.over = False
        self._socket = socket.create_connection(("127.0.0.1", port))
        cookies = "; ".join(
            f"{cookie.key}={cookie.value}" for cookie in (browser._cookies or {}).values() if cookie.key == "ringledger"
        )
        self._socket.sendall(
            f"GET /stream?topics={topics}&page={desk} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\n\r\n".encode()
        )
        self._reading = gevent.spawn(self._read)

    def await_text(self, text: str) -> None:
        """Return once the stream has brought this."""
        until(lambda: text in self.text, f"{text!r} in the stream", within_s=30)

    def close(self) -> None:
        """Go away as a closed tab does."""
        self._reading.kill()
        self._socket.close()

    def _read(self) -> None:
        with suppress(OSError):
            while data := self._socket.recv(65_536):
                self.text += data.decode()
        self.over = True


class House:
    """Agent a1, whose employee number is 1001, has an account `ann`."""

    def __init__(self, site: Site, view: LiveView, reads: ReadKit) -> None:
        self.site = site
        self.view = view
        self.centre = Centre(agents=1)
        self.reads = reads
        self._stored = 0
        self.position = 0
        self.heard: list[inputs.DeskCommand] = []
        self.pages: list[Page] = []
        self._server: Any = Server(Address("127.0.0.1", 0), site.app, most_body_bytes=LONGEST_BODY)

    def start(self, stack: ExitStack) -> None:
        """Everything up; taken down with the stack."""
        self.store()
        site = self.site
        site.add_user("ann", "agent", agent_id="a1")
        self.view.start().wait_ready(10)
        stack.callback(self.view.stop)
        self.hub = present.install(site.app, self.view).hub
        stack.callback(self.hub.stop)
        path = control.control_path(site.parts.settings.home)
        engine = control.Server(path, self.command, lambda question: question)
        engine.start()
        stack.callback(engine.stop)
        with site.app.app_context():
            self.attendance = attendance_of()
        stack.callback(self.attendance.stop)
        self._server.start()
        stack.callback(self._server.stop, 1)
        stack.callback(self.close_pages)

    def command(self, command: inputs.DeskCommand) -> int:
        """What the engine does with a command: step, store, answer with the position."""
        self.heard.append(command)
        self.centre.give(command, 10)
        return self.store()

    def store(self) -> int:
        """Store what was decided since the last time; the position, 0 where nothing was."""
        new, self._stored = self.centre.records[self._stored :], len(self.centre.records)
        if not new:
            return 0
        self.position = self.reads.store(new)
        return self.position

    def wait_ms(self, milliseconds: int) -> None:
        """Let time pass for the engine."""
        self.centre.pass_ms(milliseconds)
        self.store()

    def close_pages(self) -> None:
        """Close every page."""
        for page in self.pages:
            page.close()

    def open(self, browser: Browser, desk: str, topics: str = "desk:a1") -> Page:
        """Open the stream of a page."""
        page = Page(self._server.server_port, browser, desk, topics)
        self.pages.append(page)
        return page

    def shift(self) -> Shift | None:
        """The agent's shift, in the engine's own state."""
        world = self.centre.world
        return world.shifts.get(world.shift_of_agent.get("a1", ""))

    def desk(self) -> tuple[str, str]:
        """(id, state) of the agent's desk; empty where there is none."""
        shift = self.shift()
        return (shift.desk.desk_id, shift.desk.state) if shift is not None and shift.desk is not None else ("", "")

    def await_desk(self, *wanted: str) -> None:
        """Return once the agent's desk is this one, in this state."""
        until(lambda: self.desk() == wanted, f"the desk to be {wanted}, now {self.desk()}", within_s=30)

    def story(self) -> list[str]:
        """The kinds of all events of the agent's shift, oldest first."""
        return [type(record.event).__name__ for record in self.centre.records if record.stream.startswith("shift-")]


@contextmanager
def open_house(site: Site, database: Database) -> Iterator[House]:
    """A house for the length of a block. Beats come twenty times a second, so that waiting for one takes no time."""
    kit = Kit(database, site.parts.settings.kek_file, entries=CATALOGUE)
    reads = ReadKit(kit, database)
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setattr(attendance, "DESK_BEAT_S", 0.05)
        stack.callback(kit.close)
        stack.callback(reads.close)
        house = House(site, LiveView(site.reading.log), reads)
        house.start(stack)
        yield house
