"""The desk and the floor in a real browser, by keyboard alone, against a whole house: the web as `ringledger web` runs
it, the engine, the read models and a simulated switch.
"""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from orchestrator.domain.access.users import Grant
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.staff import shifts as s
from orchestrator.runner.inputs import EndAll
from projections.reading import Reading, reading_of
from projections.status import position_of
from tests.acceptance.conftest import BOTH
from tests.acceptance.house import ROOT, House
from tests.contract.driver import Driver, RealDriver, SimulatedDriver
from tests.lab.patience import until
from tests.lab.process import Child
from tests.web.browser.conftest import grave

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
MODELS: Final = ("customers", "customer_timeline", "work_orders", "queue_state", "agent_workload")
LANGUAGES: Final = ("en", "zh")


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
        until(self._answers, f"the web to answer: {output}", within_s=30)

    def stop_web(self) -> None:
        """Take it down as an upgrade does."""
        self._webs[-1].stop(patience_s=15)

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        for web in self._webs:
            web.stop(patience_s=15)

    def page(self, user_id: str, path: str, *, role: str = "agent", language: str = "en") -> "Page":
        """A page of this user, in a browser of its own."""
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
        url = f"http://127.0.0.1:{self._port}"
        context.add_cookies([{"name": "ringledger", "value": key, "url": url}])
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if "Content Security" in said.text else None)
        page.goto(url + path)
        if path == "/desk/":
            page.wait_for_selector("html[data-listening]")
        return page

    def stranger(self, path: str) -> "Page":
        """A page in a browser in which nobody is signed in."""
        context = self._chromium.new_context(viewport={"width": 1600, "height": 900})
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(f"http://127.0.0.1:{self._port}{path}")
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
def centre(switch: Driver, chromium: "Browser", tmp_path: Path) -> Iterator[Centre]:
    """A house that is open, with its web. A script error or a breach of the content policy fails the test."""
    switch.begin()
    with ExitStack() as stack:
        folder = tmp_path / "house"
        folder.mkdir()
        house = stack.enter_context(House(switch, folder, ring_s=8, wrap_up_s=60, cool_down_s=1))
        house.open()
        stack.callback(_empty, house)
        command = [sys.executable, "-m", "orchestrator", "projections", "run"]
        models = Child(command, output=folder / "models.log", folder=ROOT, environment=house.environment())
        stack.callback(models.stop, patience_s=15)
        urls = (house.database.url_reader, house.database.url_writer)
        reading = stack.enter_context(reading_of(house.settings, *urls, name="browser test"))
        until(lambda: all(position_of(reading.reader, name) for name in MODELS), "the read models to be built")
        centre = Centre(house, reading, chromium, _free_port(), folder)
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


@pytest.mark.parametrize("switch", BOTH, indirect=True)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_call_from_ring_to_wrap_up_by_keyboard_alone(centre: Centre, language: str) -> None:
    """Features 4.1, 4.3, 4.5, 4.7 and 12.8: no mouse from taking the seat until being ready again."""
    house = centre.house
    house.driver.phone("1001", "obeys")
    page = centre.page("ann", "/desk/", language=language)
    page.keyboard.press("Alt+Shift+R")
    state(page, "wait")
    page.keyboard.press("Alt+Shift+R")
    state(page, "good")
    house.driver.call(number="+8613800138000")
    page.wait_for_selector(".ring")
    assert "13800138000" in page.inner_text(".ring")
    assert page.inner_text("#desk-announce").strip(), "a screen reader is told"
    page.wait_for_selector("#desk-pop h2")
    page.keyboard.press("Alt+Shift+A")
    page.wait_for_selector(".talk")
    page.keyboard.press("Alt+Shift+H")
    page.wait_for_selector(".talk.is-held")
    page.keyboard.press("Alt+Shift+H")
    page.wait_for_selector(".talk:not(.is-held)")
    page.keyboard.press("Alt+Shift+E")
    page.wait_for_selector("#wrap-form")
    page.keyboard.press("Alt+Shift+2")
    page.keyboard.press("Alt+Shift+N")
    page.keyboard.type("Call back at five")
    page.keyboard.press("Alt+Shift+W")
    state(page, "good")
    assert [ended.code for ended in house.ledger.all(s.WrapUpEnded)] == ["call_back"]


def test_the_counters_of_day_and_shift_move_without_a_reload_and_are_not_read_out(centre: Centre) -> None:
    """Screens and safety 4.1 and 4.21: calls, talk, hold, after-call work, missed and pauses; timers tick silently."""
    centre.house.driver.phone("1001", "obeys")
    page = centre.page("ann", "/desk/")
    page.wait_for_selector("#desk-counts dl", timeout=20_000)
    page.evaluate("window.sameDocument = true")
    page.keyboard.press("Alt+Shift+R")
    state(page, "wait")
    ticking = page.locator("#desk-counts time.since")
    ticking.wait_for()
    before = ticking.inner_text()
    page.wait_for_function("was => document.querySelector('#desk-counts time.since').textContent !== was", arg=before)
    page.keyboard.press("Alt+Shift+R")
    centre.house.driver.call()
    page.wait_for_selector(".ring")
    page.keyboard.press("Alt+Shift+A")
    page.wait_for_selector(".talk")
    for part in ("#desk-counts", ".tally"):
        page.wait_for_selector(f"{part} div:first-child > dd:text-is('1')")
        silent = "part => !document.querySelector(part).closest('[aria-live], [role=status], [role=alert], [role=log]')"
        assert page.evaluate(silent, part), f"{part} must not be read out as it ticks"
    assert page.evaluate("window.sameDocument")


def test_a_pause_that_lasts_too_long_says_so_at_the_desk_and_on_the_floor(centre: Centre) -> None:
    """Screens and safety 4.2: a limit for each reason, from the site's file, with a warning that is no colour alone."""
    house = centre.house
    tea = '\n[pauses.usual]\nreasons = [{ id = "tea", name = "Tea", names = { zh = "喝茶" }, most_s = 2 }]\n'
    house.apply(house.configuration + tea)
    page = centre.page("ann", "/desk/", language="zh")
    page.keyboard.press("Alt+Shift+R")
    state(page, "wait")
    page.keyboard.press("Alt+Shift+B")
    page.click("#pause-tea")
    page.wait_for_selector("#desk-bar .pill:has-text('喝茶')")
    assert page.locator("#desk-bar .over-words").is_hidden()
    page.wait_for_selector("#desk-bar .over .over-words:text('已超时')")
    leader = centre.page("lead", "/floor/", role="leader")
    leader.wait_for_selector("#agents .over .over-words:text('over time')")
    assert grave(page) == []


def test_what_somebody_types_is_left_alone_while_everything_moves(centre: Centre) -> None:
    """Screens and safety 5: no focus is stolen and no letter lost, while the queue grows and the after-call work is
    extended.
    """
    house = centre.house
    house.driver.phone("1001", "obeys")
    page = centre.page("ann", "/desk/")
    page.keyboard.press("Alt+Shift+R")
    state(page, "wait")
    page.keyboard.press("Alt+Shift+R")
    house.driver.call()
    page.wait_for_selector(".ring")
    page.keyboard.press("Alt+Shift+A")
    page.wait_for_selector(".talk")
    page.keyboard.press("Alt+Shift+E")
    page.wait_for_selector("#wrap-form")
    page.keyboard.press("Alt+Shift+N")
    page.keyboard.type("first half, ")
    house.driver.call(number="+8613800138001")
    page.wait_for_selector("#queue-support.has-waiting")
    page.keyboard.press("Alt+Shift+M")
    house.ledger.await_event(s.WrapUpExtended)
    page.keyboard.type("second half")
    assert page.input_value("#wrap-note") == "first half, second half"


def test_a_missed_ring_is_shown_with_a_way_back(centre: Centre) -> None:
    """Complaint 19: the banner says which call and why; one key leads back."""
    centre.house.driver.phone("1001", "obeys")
    page = centre.page("ann", "/desk/")
    page.keyboard.press("Alt+Shift+R")
    state(page, "wait")
    page.keyboard.press("Alt+Shift+R")
    state(page, "good")
    centre.house.driver.call(number="+8613800138000")
    page.wait_for_selector(".ring")
    page.wait_for_selector("#desk-missed .banner", timeout=20_000)
    assert "13800138000" in page.inner_text("#desk-missed")
    page.keyboard.press("Alt+Shift+R")
    page.wait_for_selector("#desk-missed .banner", state="detached")


def test_no_ring_is_lost_and_nothing_done_twice_while_the_web_is_away(centre: Centre) -> None:
    """Complaint 2 and bad input of issue 3: the page says that it is old; what is pressed meanwhile is done once."""
    house = centre.house
    house.driver.phone("1001", "obeys")
    page = centre.page("ann", "/desk/")
    page.keyboard.press("Alt+Shift+R")
    state(page, "wait")
    page.keyboard.press("Alt+Shift+R")
    state(page, "good")
    centre.stop_web()
    page.wait_for_selector("#stale:not([hidden])")
    house.driver.call()
    house.ledger.await_event(c.OfferDelivered)
    centre.start_web()
    page.wait_for_selector("#stale", state="hidden", timeout=20_000)
    page.wait_for_selector(".ring")
    page.keyboard.press("Alt+Shift+A")
    page.keyboard.press("Alt+Shift+A")
    page.wait_for_selector(".talk")
    assert len(house.ledger.all(c.OfferAcceptRequested)) == 1
    assert not house.ledger.all(c.HangUpRequested)


def test_a_second_window_is_told_and_may_take_over(centre: Centre) -> None:
    """Issue 3, desk presence: two desks for one agent."""
    page = centre.page("ann", "/desk/")
    page.keyboard.press("Alt+Shift+R")
    state(page, "wait")
    second = centre.page("ann", "/desk/")
    second.wait_for_selector("#elsewhere:not([hidden])")
    second.click("#act-take_over")
    second.wait_for_selector("#elsewhere", state="hidden")
    page.wait_for_selector("#elsewhere:not([hidden])")


def test_the_wallboard_moves_by_itself(centre: Centre) -> None:
    """Feature 9.1: a caller comes, the figure changes, and nobody touches the page."""
    board = centre.page("chief", "/floor/board", role="leader")
    board.wait_for_selector(".tile")
    figure = ".tile:has(h2:text-is('Support')) .figure dd"
    assert board.inner_text(figure).strip() == "0"
    centre.house.driver.call()
    board.wait_for_selector(f"{figure} >> text=1")


def test_a_screen_on_the_wall_opens_by_an_address_and_says_when_it_is_old(centre: Centre) -> None:
    """Screens and safety 4.14: the secret leaves the address at once, nobody is signed in, the board moves."""
    token = centre.reading.tokens.issue("wallboard", days=1, actor="admin:test")
    page = centre.stranger(f"/floor/wall#{token}")
    page.wait_for_url("**/floor/board")
    page.wait_for_selector("#tiles .tile")
    board = page.url
    page.go_back()
    assert token not in page.url, "the way back knows no secret either"
    page.goto(board.replace("/board", "/wall"))
    page.wait_for_url(board)
    centre.house.driver.call()
    page.wait_for_selector(".tile:has(h2:text-is('Support')) .figure dd >> text=1")
    assert grave(page) == []
    centre.reading.tokens.revoke(token.split("_")[1], actor="admin:test")
    page.wait_for_url("**/floor/wall")


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_serious_on_desk_and_floor(centre: Centre, language: str) -> None:
    """Screens and safety 21: WCAG 2.2 AA, as far as a program can tell, while it rings, talks and is wrapped up."""
    house = centre.house
    house.driver.phone("1001", "obeys")
    page = centre.page("ann", "/desk/", language=language)
    floor = centre.page("chief", "/floor/", role="leader", language=language)
    wrong = [f"signed out: {line}" for line in grave(page)]
    page.keyboard.press("Alt+Shift+R")
    state(page, "wait")
    page.keyboard.press("Alt+Shift+R")
    state(page, "good")
    wrong += [f"ready: {line}" for line in grave(page)]
    house.driver.call(number="+8613800138000")
    page.wait_for_selector(".ring")
    page.wait_for_selector("#desk-pop h2")
    wrong += [f"ringing: {line}" for line in grave(page)] + [f"floor: {line}" for line in grave(floor)]
    page.keyboard.press("Alt+Shift+A")
    page.wait_for_selector(".talk")
    wrong += [f"talking: {line}" for line in grave(page)]
    page.keyboard.press("Alt+Shift+E")
    page.wait_for_selector("#wrap-form")
    wrong += [f"wrapping up: {line}" for line in grave(page)]
    assert not wrong, "\n".join(dict.fromkeys(wrong))


def _empty(house: House) -> None:
    """Whoever still calls is let go, so that the switch is free for the next test."""
    house.do(EndAll(reason="evening"))
    house.await_no_contacts()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
