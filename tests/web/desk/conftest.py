"""A whole house whose agents work at the web's desks: engine, read models, a simulated switch with callers and phones.

def test_…(office: Office) -> None:
ann = office.desk("ann")
ann.press("sign_in")
"""

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from werkzeug.test import TestResponse

from orchestrator.control import Client, control_path
from projections.live import LiveView
from projections.reading import reading_of
from projections.status import position_of
from tests.acceptance.house import ROOT, House
from tests.contract.driver import SimulatedDriver
from tests.lab.patience import until
from tests.lab.process import Child
from tests.web.conftest import COMPILED, Browser, Site
from web.app import create_app
from web.desk.picture import Desk, desk_of
from web.parts import Parts
from web.push import present

MODELS: Final = ("customers", "customer_timeline", "work_orders", "queue_state", "agent_workload", "blacklist")
DESK: Final = "11111111-2222-3333-4444-555555555555"


class AtDesk:
    """An agent in front of the page."""

    def __init__(self, office: "Office", agent_id: str, browser: Browser, desk: str) -> None:
        self.agent_id = agent_id
        self.browser = browser
        self.desk = desk
        self._office = office

    def sees(self) -> Desk:
        """What the page is made of now."""
        found = desk_of(self._office.view, self.agent_id)
        assert found is not None
        return found

    def page(self) -> str:
        """The page itself, as text without tags and with single spaces."""
        return plain(self.browser.get("/desk/").text)

    def post(self, path: str, **fields: str) -> TestResponse:
        """Send a form as the page's script does."""
        fields = {"csrf_token": self.browser.csrf_token, "desk": self.desk, **fields}
        return self.browser.post(f"/desk/{path}", data=fields, headers={"X-Requested-With": "fetch"})

    def press(self, action: str, about: str | None = None, **fields: str) -> int:
        """Press a button that works; returns once the page shows it. `about` is what the page shows, if not given."""
        response = self.post(f"act/{action}", about=self.sees().about if about is None else about, **fields)
        assert response.status_code == 200, response.text
        position = int(response.get_json()["position"])
        assert self._office.view.wait_for(position, 30)
        return position

    def refused(self, action: str, about: str | None = None, **fields: str) -> str:
        """The code with which a button is refused."""
        response = self.post(f"act/{action}", about=self.sees().about if about is None else about, **fields)
        assert response.status_code == 409, response.text
        return str(response.get_json()["code"])

    def await_state(self, state: str, *, within_s: float = 30.0) -> Desk:
        """Return once the desk is in this state."""

        def look() -> Desk | None:
            desk = self.sees()
            return desk if desk.state == state else None

        try:
            return until(look, f"{self.agent_id} to be {state}", within_s=within_s)
        except AssertionError as late:
            late.add_note(f"{self.sees()}\n{self._office.house.status()}")
            raise


class Office:
    """The house, the application over it, and its live state."""

    def __init__(self, house: House, site: Site, view: LiveView) -> None:
        self.house = house
        self.site = site
        self.view = view

    def desk(self, agent_id: str, desk: str = DESK) -> AtDesk:
        """This agent, signed in on the web, at a desk."""
        if self.site.reading.users.get(agent_id) is None:
            self.site.add_user(agent_id, "agent", agent_id=agent_id)
        at_desk = AtDesk(self, agent_id, self.site.sign_in(agent_id), desk)
        at_desk.browser.get("/desk/")
        return at_desk

    def ready(self, agent_id: str, phone: str = "1001") -> AtDesk:
        """The same, in the seat and ready, with a phone that rings until the desk accepts."""
        self.house.driver.phone(phone, "obeys")
        at_desk = self.desk(agent_id)
        at_desk.press("sign_in")
        at_desk.press("ready")
        return at_desk

    def rung(self, agent_id: str, **caller: Any) -> AtDesk:  # noqa: ANN401 - what the driver takes
        """The same, with a caller whose call rings there."""
        at_desk = self.ready(agent_id)
        self.house.driver.call(**caller)
        at_desk.await_state("ringing")
        return at_desk

    def talking(self, agent_id: str, **caller: Any) -> AtDesk:  # noqa: ANN401 - what the driver takes
        """The same, talking with the caller."""
        at_desk = self.rung(agent_id, **caller)
        at_desk.press("accept")
        at_desk.await_state("talking")
        return at_desk


def plain(html: str) -> str:
    """The words of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)).strip()


@pytest.fixture(scope="session")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedDriver]:
    """One simulated switch for all."""
    with SimulatedDriver(tmp_path_factory.mktemp("switch")) as driver:
        yield driver


@pytest.fixture
def office(switch: SimulatedDriver, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Office]:
    """A house that is open, with nobody in it. Its phones ring for a minute, or for as many seconds as a test says."""
    switch.begin()
    with ExitStack() as stack:
        folder = tmp_path / "house"
        folder.mkdir()
        ring_s = getattr(request, "param", 60)
        house = stack.enter_context(House(switch, folder, models=True, ring_s=ring_s, wrap_up_s=60, cool_down_s=1))
        command = [sys.executable, "-m", "orchestrator", "projections", "run"]
        models = Child(command, output=folder / "projections.log", folder=ROOT, environment=house.environment())
        stack.callback(models.stop, patience_s=15)
        house.open()
        stack.callback(_empty, house)
        reading = stack.enter_context(
            reading_of(house.settings, house.database.url_reader, house.database.url_writer, name="office")
        )
        parts = Parts(settings=house.settings, reading=reading, control=lambda: Client(control_path(house.home)))
        app = create_app(parts)
        app.jinja_env.bytecode_cache = COMPILED
        app.testing = True
        app.test_client_class = Browser
        view = LiveView(reading.log).start()
        stack.callback(view.stop)
        present.install(app, view)
        view.wait_ready(10)
        until(lambda: all(position_of(reading.reader, name) for name in MODELS), "the read models to be built")
        yield Office(house, Site(app, parts, None, None), view)  # type: ignore[arg-type]  # the house has its own
    switch.end()


def _empty(house: House) -> None:
    """Whoever still calls is let go, so that the switch is free for the next test."""
    from orchestrator.runner.inputs import EndAll

    until(lambda: house.do(EndAll(reason="evening")) >= 0 and house.status()["contacts"] == 0, "the house to be empty")  # type: ignore[index]
