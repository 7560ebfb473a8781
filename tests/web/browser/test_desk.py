"""The desk and the floor in a real browser, by keyboard alone, against a whole house: the web as `ringledger web` runs
it, the engine, the read models and a simulated switch.
"""

from typing import Final

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.staff import shifts as s
from tests.acceptance.conftest import BOTH
from tests.web.browser.centre import Centre, state
from tests.web.browser.conftest import grave
from tests.web.browser.test_by_hand import picture

pytestmark = pytest.mark.slow
LANGUAGES: Final = ("en", "zh")
# One pause that is over while the test looks on, and one that is not.
PAUSES: Final = """
[pauses.usual]
reasons = [
    { id = "lunch", name = "Lunch", names = { zh = "午餐" }, most_s = 1800 },
    { id = "tea", name = "Tea", names = { zh = "喝茶" }, most_s = 2 },
]
"""
# A ring that is missed while the test looks on.
SHORT: Final = {"ring_s": 8, "wrap_up_s": 60, "cool_down_s": 1}


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
    page.wait_for_selector(".talk .tape-on")
    page.keyboard.press("Alt+Shift+K")
    page.wait_for_selector(".tape-on strong")
    assert grave(page) == []
    page.keyboard.press("Alt+Shift+K")
    page.wait_for_selector(".tape-on:not(:has(strong))")
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


OFF: Final = {
    "en": {
        "H": "“Hold; talk again” does nothing now: there is no call that could be held.",
        "A": "“Accept the call” does nothing now: no call rings.",
        "3": "“Choose what the call was about” does nothing now: there is no after-call work, or no such choice.",
        "R": "“Take your seat; be ready” does nothing now. Your state: Ready",
    },
    "zh": {
        "H": "“保持；恢复通话”现在不起作用：没有可以保持的通话。",
        "A": "“接听来电”现在不起作用：没有来电在响。",
        "3": "“选择来电事由”现在不起作用：没有话后整理，或没有这个选项。",
        "R": "“签入；示闲”现在不起作用。您的状态：示闲",
    },
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_key_whose_button_is_off_says_why_where_it_is_read_out(centre: Centre, language: str) -> None:
    """Screens and safety 4.5: pressed by whoever does not look for the button; the same words once more, too."""
    page = centre.page("ann", "/desk/", language=language)
    centre.house.driver.phone("1001", "obeys")
    page.keyboard.press("Alt+Shift+R")
    state(page, "wait")
    page.keyboard.press("Alt+Shift+R")
    state(page, "good")
    page.wait_for_selector("#act-ready[disabled]")
    page.evaluate(
        "window.said = []; new MutationObserver(() => said.push(told.textContent)).observe(told, {childList: true})"
    )
    for key, words in OFF[language].items():
        page.keyboard.press(f"Alt+Shift+{key}")
        page.wait_for_function("words => document.getElementById('told').textContent === words", arg=words)
    page.evaluate("window.said.length = 0")
    page.keyboard.press("Alt+Shift+R")
    page.wait_for_function("words => window.said.at(-1) === words && window.said.includes('')", arg=OFF[language]["R"])
    picture(page, "desk-key-off", language)
    assert grave(page) == []
    outside = page.inner_text("#told")
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    page.keyboard.press("Alt+Shift+R")
    page.wait_for_function("words => help.querySelector('[role=status]').textContent === words", arg=OFF[language]["R"])
    assert page.inner_text("#told") == outside, "behind the dialog nobody would read it"
    seen = "help.querySelector('[role=status]').getBoundingClientRect()"
    assert page.evaluate(f"{seen}.top >= 0 && {seen}.bottom <= innerHeight"), "beside the button that has the focus"
    picture(page, "desk-key-off-in-the-list", language)
    assert grave(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    assert page.inner_text("#help [role=status]") == ""
    page.keyboard.press("Escape")
    centre.house.driver.call()
    page.wait_for_selector(".ring")
    page.keyboard.press("Alt+Shift+A")
    page.wait_for_selector(".talk")
    page.keyboard.press("Alt+Shift+H")
    page.wait_for_selector(".talk.is-held")
    assert page.inner_text("#told") == "", "what is not off is done, and nothing is said"


def test_whoever_types_writes_with_a_key_that_does_nothing_now(centre: Centre) -> None:
    """On a Mac Option and Shift write signs: a key is taken from the text only for what it does."""
    page = centre.page("ann", "/desk/")
    centre.house.driver.phone("1001", "obeys")
    page.evaluate("window.taken = []; addEventListener('keydown', (event) => taken.push(event.defaultPrevented))")
    page.focus("#dial input[name=number]")
    for key in ("H", "7"):
        page.evaluate("taken.length = 0")
        page.keyboard.press(f"Alt+Shift+{key}")
        assert page.evaluate("taken.at(-1)") is False, key
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert page.inner_text("#told") == "", "nothing is said into what somebody types"
    page.keyboard.press("Alt+Shift+R")
    state(page, "wait")
    assert page.evaluate("taken.at(-1)") is True, "what it does, it does from there as well"


def test_the_counters_of_day_and_shift_move_without_a_reload_and_are_not_read_out(centre: Centre) -> None:
    """Screens and safety 4.1 and 4.21: calls, talk, hold, after-call work, missed and pauses; timers tick silently."""
    centre.house.driver.phone("1001", "obeys")
    page = centre.page("ann", "/desk/")
    page.wait_for_selector("#desk-counts dl")
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
    house.apply(house.configuration + PAUSES)
    page = centre.page("ann", "/desk/", language="zh")
    page.keyboard.press("Alt+Shift+R")
    state(page, "wait")
    page.keyboard.press("Alt+Shift+B")
    page.click("#pause-lunch")
    page.wait_for_selector("#desk-bar .pill:has-text('午餐')")
    assert page.locator("#desk-bar .over-words").is_hidden()
    page.wait_for_selector("#pauses:not([open])")
    page.keyboard.press("Alt+Shift+B")
    page.click("#pause-tea")
    page.wait_for_selector("#desk-bar .pill:has-text('喝茶')")
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


@pytest.mark.parametrize("times", (SHORT,), ids=["short-ring"])
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
    page.wait_for_selector("#desk-missed .banner")
    assert "13800138000" in page.inner_text("#desk-missed")
    page.keyboard.press("Alt+Shift+R")
    page.wait_for_selector("#desk-missed .banner", state="detached")


def test_no_ring_is_lost_and_nothing_done_twice_while_the_web_is_away(centre: Centre) -> None:
    """Complaint 2 and bad input of issue 3: the page says that it is old; what is pressed meanwhile is done once, and
    what is typed meanwhile is kept.
    """
    from playwright.sync_api import expect

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
    page.wait_for_selector("#stale", state="hidden")
    page.wait_for_selector(".ring")
    page.keyboard.press("Alt+Shift+A")
    page.keyboard.press("Alt+Shift+A")
    page.wait_for_selector(".talk")
    assert len(house.ledger.all(c.OfferAcceptRequested)) == 1
    assert not house.ledger.all(c.HangUpRequested)
    page.wait_for_selector("[data-asked=answered]")
    page.keyboard.press("Alt+Shift+N")
    page.keyboard.type("before, ")
    centre.stop_web()
    page.keyboard.type("meanwhile")
    page.wait_for_selector("#desk-note .begun-kept:text('Not kept yet')")
    centre.start_web()
    page.wait_for_selector("#desk-note .begun-kept:text('Kept')")
    page.reload()
    expect(page.locator("#wrap-note")).to_have_value("before, meanwhile")


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
