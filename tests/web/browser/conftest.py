"""A browser, the application behind a real port, and what an automatic check of accessibility finds.

def test_…(served: Served, open_page: OpenPage) -> None:
page = open_page(served, "auditor", language="zh")
"""

import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from werkzeug.serving import make_server

from tests.conftest import chromium_binary
from tests.web.browser.arrival import PATIENCE_MS, go
from tests.web.browser.centre import centre, switch, times
from tests.web.conftest import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AXE: Final = Path(__file__).with_name("vendor") / "axe-4.14.1.min.js"
RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
COLOURS: Final = ("color-contrast", "link-in-text-block")
# Findings of these are faults; of "minor" and "moderate" some are matters of taste.
GRAVE: Final = ("serious", "critical")
# The menus of the address bar are pages, two for each window that nobody sees: half of what a page of ours costs. The
# others are what Playwright leaves out, since only the last such list counts.
_LEFT_OUT: Final = (
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"),
    *("AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync"),
    *("DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay"),
    *("MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch"),
    "ThirdPartyStoragePartitioning",
)
# Chromium in a container of root: no sandbox of its own, no screen, nothing fetched from outside.
FLAGS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    f"--disable-features={','.join(_LEFT_OUT)}",
)

# Fixtures of a whole house, for all modules here.
__all__ = ("centre", "switch", "times")

OpenPage = Callable[..., "Page"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder needs a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What people saw when a test failed: their pages, in words."""
    report = yield
    browser = getattr(item, "funcargs", {}).get("chromium")
    if report.failed and call.when == "call" and browser is not None:
        for context in browser.contexts:
            for page in context.pages:
                report.sections.append((f"page {page.url}", _said_by(page)))
    return report


def _said_by(page: "Page") -> str:
    from playwright.sync_api import Error

    try:
        words: str = page.evaluate("document.body.innerText")
    except Error as error:
        return f"cannot be read: {error}"
    return words


@dataclass(frozen=True, slots=True)
class Served:
    """The application at a real address."""

    site: Site
    url: str


@pytest.fixture
def served(site: Site) -> Iterator[Served]:
    """The application on a port, one thread a request; without the live state, for pages that do not need it."""
    server = make_server("127.0.0.1", 0, site.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, name="served")
    thread.start()
    try:
        yield Served(site, f"http://127.0.0.1:{server.port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """The browser, started once."""
    from playwright.sync_api import sync_playwright

    binary = chromium_binary()
    assert binary is not None, "only a test marked `browser` may ask for the browser"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(binary), args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: "Browser") -> Iterator[OpenPage]:
    """Opens pages of people of their own. A script error or a breach of the content policy fails the test."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def make(served: Served, role: str = "", *, path: str = "/", language: str = "en") -> "Page":
        context = chromium.new_context(
            locale={"en": "en-GB", "zh": "zh-CN"}[language],
            color_scheme="light",
            reduced_motion="reduce",
            viewport={"width": 1280, "height": 800},
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        if role:
            user_id = f"{role.replace('_', '-')}-1"
            if served.site.reading.users.get(user_id) is None:
                served.site.add_user(user_id, role, agent_id="lin-mei" if role == "agent" else "")
            user = served.site.reading.users.get(user_id)
            assert user is not None
            key = served.site.reading.sessions.begin(user, address="127.0.0.1", browser="Chromium").new_key
            context.add_cookies([{"name": "ringledger", "value": key, "url": served.url}])
        go(page, served.url + path)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not complaints, complaints


def grave(page: "Page") -> list[str]:
    """What axe finds that is serious or worse: a line for each, with the first place where."""
    page.wait_for_load_state()
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    return _found(page, RULES)


def grave_at_night(page: "Page") -> list[str]:
    """The same of the dark scheme, after `grave` of the same page: only its colours are others than by day."""
    page.emulate_media(color_scheme="dark")
    found = _found(page, COLOURS)
    page.emulate_media(color_scheme="light")
    return [f"at night: {line}" for line in found]


# Of what axe says of a page, a hundredth is findings; the rest, which names all that is well, would cost more than the
# search itself to write down and to bring here.
_FINDINGS: Final = """only => axe.run(document, {runOnly: only, resultTypes: ["violations"]}).then(({violations}) =>
  violations.map(({impact, id, help, nodes}) => ({impact, id, help, html: nodes[0].html})))"""


def _found(page: "Page", only: tuple[str, ...]) -> list[str]:
    findings: list[dict[str, str]] = page.evaluate(_FINDINGS, list(only))
    return [
        f"{found['impact']} {found['id']}: {found['help']}: {found['html'][:200]}"
        for found in findings
        if found["impact"] in GRAVE
    ]
