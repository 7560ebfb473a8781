"""A day in the life against `ringledger run` alone: each person walks through their screens, in both languages.

With SCREENS=<folder>, pictures of what they see are left there (`make screens`).
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.acceptance.test_run import END_S, Shop
from tests.lab.patience import until
from tests.lab.ports import free_port
from tests.postgres import make_reachable_directory
from tests.web.browser.arrival import PATIENCE_MS, go
from tests.web.browser.conftest import grave

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
LANGUAGES: Final = ("en", "zh")
PICTURES: Final = os.environ.get("SCREENS", "")


class Running:
    """The product as `make run` starts it, and people who sign in by its own page."""

    def __init__(self, shop: Shop, port: int, chromium: "Browser") -> None:
        self.shop = shop
        self.url = f"http://127.0.0.1:{port}"
        self.complaints: list[str] = []
        self._chromium = chromium
        self._contexts: list[Any] = []

    def sign_in(self, user_id: str, language: str) -> "Page":
        """The first page of a demo user, signed in with the password that the run printed."""
        sign_ins = json.loads((self.shop.home / "demo-sign-ins").read_text())
        password = next(each["password"] for each in sign_ins if each["user_id"] == user_id)
        locale = {"en": "en-GB", "zh": "zh-CN"}[language]
        context = self._chromium.new_context(locale=locale, viewport={"width": 1360, "height": 850})
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if "Content Security" in said.text else None)
        go(page, f"{self.url}/sign-in")
        page.fill("input[name=name]", user_id)
        page.fill("input[type=password]", password)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "sign-in" not in url)
        return page

    def leave(self) -> None:
        """All who are signed in close their browsers: an open page draws what happens for as long as it is open."""
        while self._contexts:
            self._contexts.pop().close()


@pytest.fixture(scope="module")
def house(chromium: "Browser") -> Iterator[Running]:
    """One run for all walks. A script error or a breach of the content policy fails the last of them."""
    folder = make_reachable_directory()
    port = free_port()
    shop = Shop(folder, None, sys.executable, RINGLEDGER_WEB=f"127.0.0.1:{port}")
    with shop.run() as run:
        until(lambda: "ended: completed" in run.output.read_text(), "a call of the demo to be served", within_s=120)
        running = Running(shop, port, chromium)
        yield running
        run.signal(signal.SIGINT)
        assert run.wait(END_S) == 0
    status, report = shop.ask("verify", "--settled")
    assert status == 0, report
    shutil.rmtree(folder)
    assert not running.complaints, running.complaints


@pytest.fixture
def running(house: Running) -> Iterator[Running]:
    """The same; whoever signs in leaves at the end of their walk."""
    yield house
    house.leave()


def look(page: "Page", name: str, language: str) -> None:
    """What this person sees now: nothing serious for axe, and a picture where pictures are wanted."""
    assert grave(page) == []
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}-{language}.png"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_agent_serves_a_caller_of_the_demo(running: Running, language: str) -> None:
    """Features 4.1-4.5, 4.7, 6.1: seat, ready, ring, accept, hold, resume, hang up, reason, note, work order, ready."""
    page = running.sign_in({"en": "lin-mei", "zh": "zhao-lei"}[language], language)
    page.wait_for_selector("html[data-listening]")
    page.click("#act-sign_in")
    page.wait_for_selector("#act-ready")
    page.click("#act-ready")
    page.wait_for_selector(".ring", timeout=90_000)
    page.wait_for_selector("#desk-pop h2", timeout=90_000)
    look(page, "desk-ringing", language)
    for _ in range(5):
        hold_a_caller(page)
        look(page, "desk-held", language)
        page.keyboard.press("Alt+Shift+H")
        page.wait_for_selector(".talk:not(.is-held), #wrap-form")
        if page.is_visible(".talk:not(.is-held)"):
            break
    else:
        raise AssertionError("five callers of the demo hung up while they were on hold")
    page.keyboard.press("Alt+Shift+E")
    page.wait_for_selector("#wrap-form")
    page.keyboard.press("Alt+Shift+1")
    page.keyboard.press("Alt+Shift+N")
    page.keyboard.type("Will send the invoice by mail.")
    look(page, "desk-wrap-up", language)
    page.keyboard.press("Alt+Shift+W")
    page.wait_for_selector("#desk-bar .tone-good, .ring")


# What an agent does next on the way to a caller on hold: the key, and the button that it presses.
STEPS: Final = (
    ("H", ".talk:not(.is-held) [data-key=H]:enabled"),
    ("A", ".ring [data-key=A]:enabled"),
    ("W", "#wrap-form"),
    ("R", "#desk-missed .banner [id=act-ready]:enabled"),
)
_SEEN: Final = "selectors => [...document.querySelectorAll(selectors)].some((each) => each.checkVisibility())"


def hold_a_caller(page: "Page") -> None:
    """Callers of the demo have little patience, and some hang up as they are answered: whoever leaves is followed by
    another. Returns once somebody is on hold.
    """
    for _ in range(40):
        # Any of them: Playwright's own wait looks at the first that it finds, and that may be out of sight.
        page.wait_for_function(_SEEN, arg=f".talk.is-held, {', '.join(button for _, button in STEPS)}", timeout=90_000)
        if page.is_visible(".talk.is-held"):
            return
        for key, button in STEPS:
            if found := page.query_selector(button):
                if key == "W":
                    page.keyboard.press("Alt+Shift+1")
                page.keyboard.press(f"Alt+Shift+{key}")
                # What is pushed puts another one in its place, or none.
                page.wait_for_function("(button) => !button.isConnected", arg=found)
                break
    raise AssertionError("no caller of the demo stayed until they were on hold")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_supervisor_watches_the_floor_move(running: Running, language: str) -> None:
    """Feature 9.1."""
    page = running.sign_in("leader", language)
    page.wait_for_selector(".tile")
    before = page.inner_text("main")
    page.wait_for_function("before => document.querySelector('main').innerText !== before", arg=before)
    look(page, "floor", language)
    page.goto(f"{running.url}/floor/board")
    page.wait_for_selector(".tile")
    look(page, "wallboard", language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_auditor_finds_a_call_and_sees_all_of_it(running: Running, language: str) -> None:
    """Features 11.6, 3.9 and 11.5: by its outcome, then every event, why the agent, and the trail."""
    page = running.sign_in("auditor", language)
    page.goto(f"{running.url}/history/?outcome=completed")
    look(page, "history", language)
    page.click("tbody tr:last-child th a")
    page.wait_for_selector("table.events > tbody > tr:nth-child(6)")
    page.locator("td details summary").first.click()
    look(page, "contact", language)
    page.click("p > a[href$='/why']")
    page.wait_for_selector("tr.chosen")
    look(page, "why", language)
    page.goto(f"{running.url}/audit/?name=OfferMade")
    page.locator("tbody th a").first.click()
    page.wait_for_selector("pre")
    look(page, "event", language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_ops_drag_time_back_by_mouse_and_by_keyboard(running: Running, language: str) -> None:
    """Features 11.2, 11.3, 11.7 and 11.8: drag, step, stop at what is looked for, by keyboard alone; then the proof."""
    page = running.sign_in("operations", language)
    page.goto(f"{running.url}/replay/")
    position = page.get_attribute("[data-moment]", "data-position")
    page.click("[data-step=back]")
    page.wait_for_function("old => document.querySelector('[data-moment]').dataset.position !== old", arg=position)
    stepped = page.get_attribute("[data-moment]", "data-position")
    page.focus("#scrubber-time")
    for _ in range(50):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("old => document.querySelector('[data-moment]').dataset.position !== old", arg=stepped)
    page.wait_for_function(
        "() => Math.round(document.querySelector('[data-moment]').dataset.at / 1000) ==="
        " Number(document.getElementById('scrubber-time').value)"
    )
    dragged = page.get_attribute("[data-moment]", "data-position")
    assert int(dragged or 0) < int(stepped or 0)
    page.keyboard.press(".")
    page.wait_for_function("old => document.querySelector('[data-moment]').dataset.previous === old", arg=dragged)
    assert page.locator("#replay-changed li").count() > 0
    page.focus("#scrubber-time")
    page.keyboard.press("Home")
    page.wait_for_selector("[data-moment][data-position='0']")
    page.focus("#replay-stops summary")
    page.keyboard.press("Enter")
    page.focus("[data-stop-event][value=OfferMade]")
    page.keyboard.press("Space")
    page.keyboard.press("n")
    page.wait_for_selector("#replay-stopped")
    assert page.locator("tr.chosen").count() == 1, "the decision stands beside the offer"
    look(page, "replay", language)
    stopped = page.get_attribute("[data-moment]", "data-position")
    page.click("#replay-permalink")
    page.wait_for_url("**position=**")
    assert page.get_attribute("[data-moment]", "data-position") == stopped
    page.goto(f"{running.url}/ops/")
    page.wait_for_selector("#models tbody tr")
    look(page, "ops", language)


def test_a_replay_plays_as_fast_as_it_is_told(running: Running) -> None:
    """Feature 11.3: from a tenth to a thousand times, by keyboard alone. The browser's clock is the test's."""
    page = running.sign_in("operations", "en")
    page.clock.install()
    page.goto(f"{running.url}/replay/")
    page.focus("#scrubber-time")
    page.keyboard.press("Home")
    page.wait_for_selector("[data-moment][data-position='0']")

    def value(name: str = "value") -> int:
        return int(page.evaluate("name => Number(document.getElementById('scrubber-time')[name])", name))

    for key, presses, speed in (("-", 3, 0.1), ("+", 6, 10), ("+", 3, 1_000)):
        for _ in range(presses):
            page.keyboard.press(key)
        assert float(page.input_value("[data-speed]")) == speed
        before = value()
        page.keyboard.press("p")
        page.clock.run_for(1_000)
        if page.get_attribute("[data-play]", "aria-pressed") == "true":
            page.keyboard.press("p")
        assert value() == min(before + round(1_000 * speed), value("max"))
    page.wait_for_selector("[data-moment]:not([data-position='0'])")


@pytest.mark.parametrize("language", LANGUAGES)
def test_back_office_works_an_order_of_a_known_customer(running: Running, language: str) -> None:
    """Features 5.1, 5.3 and 6.1: a customer found by name, their order opened, given to oneself, done, closed."""
    page = running.sign_in("back-office", language)
    page.goto(f"{running.url}/customers/?q=刘洋")
    look(page, "customers", language)
    page.locator("tbody th a").first.click()
    page.wait_for_selector(".timeline")
    look(page, "customer", language)
    page.click("a[href*='/orders/new']")
    page.click("a[href*='type=enquiry']")
    page.fill("textarea[name='field.question']", "When will it come?")
    look(page, "order-form", language)
    page.click("#order-form button")
    page.wait_for_selector("button[value=done]")
    opened = page.url
    page.locator("form[action$='/assign'] button").click()
    page.wait_for_url(lambda url: url != opened)
    page.click("button[value=done]")
    page.wait_for_selector("button[value=close]")
    look(page, "order", language)
    page.click("button[value=close]")
    page.wait_for_selector("button[value=done]", state="detached")
    page.goto(f"{running.url}/orders/")
    look(page, "orders", language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_administrator_changes_a_queue_and_takes_it_back(running: Running, language: str) -> None:
    """Features 3.9 and 11.5: draft, difference, apply with a reason, the running engine follows; history, back."""
    page = running.sign_in("admin", language)
    page.goto(f"{running.url}/routing/")
    page.fill("input[name=name]", {"en": "Autumn", "zh": "秋季"}[language])
    look(page, "configuration", language)
    page.locator("form[action$='/drafts'] button").click()
    page.wait_for_url("**/routing/drafts/*")
    draft = page.url
    page.goto(f"{running.url}/routing/things/queue/enquiries?draft={draft.rpartition('/')[2]}")
    name = {"en": "Where is my parcel? (autumn)", "zh": "包裹查询（秋季）"}[language]
    page.fill("[name='f.name']", name)
    page.fill("[name='f.ring_s']", "400")
    page.click("button[value=save]")
    page.wait_for_selector("[aria-invalid=true]")
    look(page, "configuration-thing", language)
    page.fill("[name='f.ring_s']", "14")
    page.click("button[value=save]")
    page.wait_for_url(draft)
    look(page, "configuration-draft", language)
    page.fill("input[name=reason]", {"en": "More parcels in autumn", "zh": "秋季包裹增多"}[language])
    page.keyboard.press("Enter")
    page.wait_for_url("**/routing/history/*")
    number = int(page.url.rpartition("/")[2])
    until(lambda: name in running.shop.ask("queues")[1], "the engine to follow", within_s=60)
    page.goto(f"{running.url}/routing/skills")
    look(page, "configuration-skills", language)
    page.goto(f"{running.url}/routing/history")
    look(page, "configuration-history", language)
    page.goto(f"{running.url}/routing/history/{number - 1}")
    page.locator("form[action$='/drafts'] button").click()
    page.wait_for_url("**/routing/drafts/*")
    assert page.locator("del", has_text=name).count() == 1
    page.fill("input[name=reason]", {"en": "Autumn is over", "zh": "秋季已过"}[language])
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/routing/history/{number + 1}")
    until(lambda: name not in running.shop.ask("queues")[1], "the engine to follow back", within_s=60)
