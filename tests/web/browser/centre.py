"""A house whose people work in real browsers: the web as `ringledger web` runs it, engine, read models and a switch.

def test_…(centre: Centre) -> None:
page = centre.page("ann", "/desk/")
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from orchestrator.domain.access.users import Grant
from orchestrator.runner.inputs import EndAll
from projections.reading import Reading, reading_of
from projections.status import position_of
from tests.acceptance.house import ROOT, House
from tests.contract.driver import Driver, RealDriver, SimulatedDriver
from tests.lab.patience import until
from tests.lab.ports import free_port
from tests.lab.process import Child
from tests.web.browser.arrival import PATIENCE_MS, go

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MODELS: Final = ("customers", "customer_timeline", "work_orders", "queue_state", "agent_workload")


class Centre:
    """The house, its web, and people with browsers."""

    def __init__(self, house: House, reading: Reading, chromium: "Browser", port: int, folder: Path) -> None:
        self.house = house
        self.reading = reading
        self.complaints: list[str] = []
        self._chromium = chromium
        self._port = port
        self._folder = folder
        self._contexts: list[Any] = []
        self._webs: list[Child] = []

    def start_web(self) -> None:
        """One more web process at the same address; returns once it answers."""
        output = self._folder / f"web-{len(self._webs) + 1}.log"
        environment = self.house.environment(RINGLEDGER_WEB=f"127.0.0.1:{self._port}")
        command = [sys.executable, "-m", "orchestrator", "web"]
        self._webs.append(Child(command, output=output, folder=ROOT, environment=environment))
        until(self._answers, f"the web to answer: {output}", within_s=60)

    def stop_web(self) -> None:
        """Take it down as an upgrade does."""
        self._webs[-1].stop(patience_s=15)

    def restart_web(self) -> None:
        """Another one at the same address, which has read who may sign in."""
        self.stop_web()
        self.start_web()
        output = self._webs[-1].output
        until(lambda: "users-known" in output.read_text(), f"the web to know its users: {output}", within_s=60)

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        for web in self._webs:
            web.stop(patience_s=15)

    @property
    def port(self) -> int:
        """Where the web is."""
        return self._port

    def page(self, user_id: str, path: str, *, role: str = "agent", language: str = "en", port: int = 0) -> "Page":
        """A page of this user, in a browser of its own, that goes to the web itself or to the port of a way there."""
        users = self.reading.users
        if users.get(user_id) is None:
            users.create(user_id, user_id.title(), actor="admin:test", agent_id=user_id if role == "agent" else "")
            users.change(user_id, Grant(roles=(role,), teams=()), actor="admin:test")
        user = users.get(user_id)
        assert user is not None
        key = self.reading.sessions.begin(user, address="127.0.0.1", browser="Chromium").new_key
        locale = {"en": "en-GB", "zh": "zh-CN"}[language]
        context = self._chromium.new_context(locale=locale, viewport={"width": 1360, "height": 850})
        self._contexts.append(context)
        url = f"http://127.0.0.1:{port or self._port}"
        context.add_cookies([{"name": "ringledger", "value": key, "url": url}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if "Content Security" in said.text else None)
        go(page, url + path)
        if path == "/desk/":
            page.wait_for_selector("html[data-listening]")
        return page

    def stranger(self, path: str) -> "Page":
        """A page in a browser in which nobody is signed in."""
        context = self._chromium.new_context(viewport={"width": 1600, "height": 900})
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        go(page, f"http://127.0.0.1:{self._port}{path}")
        return page

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request("GET", "/sign-in")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


@pytest.fixture(scope="module")
def switch(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """One switch for all: the simulated one, or a real one for the tests that ask for both."""
    folder = tmp_path_factory.mktemp("switch")
    real = getattr(request, "param", "simulated") == "real"
    with RealDriver(folder, request.getfixturevalue("freeswitch")) if real else SimulatedDriver(folder) as driver:
        yield driver


@pytest.fixture
def times() -> dict[str, float]:
    """Those of the queue, long enough for a busy machine; a module or a test may have its own."""
    return {"ring_s": 120, "wrap_up_s": 120, "cool_down_s": 1}


@pytest.fixture
def centre(switch: Driver, chromium: "Browser", tmp_path: Path, times: dict[str, float]) -> Iterator[Centre]:
    """A house that is open, with its web. A script error or a breach of the content policy fails the test."""
    switch.begin()
    with ExitStack() as stack:
        folder = tmp_path / "house"
        folder.mkdir()
        house = stack.enter_context(
            House(switch, folder, variables=None, default_entry=True, queue="", models=True, **times)
        )
        command = [sys.executable, "-m", "orchestrator", "projections", "run"]
        models = Child(command, output=folder / "models.log", folder=ROOT, environment=house.environment())
        stack.callback(models.stop, patience_s=15)
        house.open()
        stack.callback(_empty, house)
        urls = (house.database.url_reader, house.database.url_writer)
        reading = stack.enter_context(reading_of(house.settings, *urls, name="browser test"))
        until(lambda: all(position_of(reading.reader, name) for name in MODELS), "the models to be built", within_s=60)
        centre = Centre(house, reading, chromium, free_port(), folder)
        stack.callback(centre.close)
        centre.start_web()
        yield centre
    switch.end()
    assert not centre.complaints, centre.complaints


def state(page: "Page", tone: str) -> None:
    """Return once the agent's pill has this tone; AssertionError that tells what the page says instead."""
    from playwright.sync_api import TimeoutError as Late

    try:
        page.wait_for_selector(f"#desk-bar .tone-{tone}")
    except Late:
        raise AssertionError(f"the agent did not come to {tone}: {page.inner_text('main')[:600]}") from None


def _empty(house: House) -> None:
    """Whoever still calls is let go, so that the switch is free for the next test."""
    house.do(EndAll(reason="evening"))
    house.await_no_contacts()
