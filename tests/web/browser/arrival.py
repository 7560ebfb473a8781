"""When a page has arrived: loaded to its end, and with the focus where it asks for it, so that keys go there."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playwright.sync_api import Page

PATIENCE_MS: Final = 30_000
"""How long a page is waited for; what takes longer on a busy machine is broken."""

# A closed dialog may have a wish of its own, for when it is opened.
_FOCUSED: Final = """() => {
  const wanted = [...document.querySelectorAll("[autofocus]")].find((each) => each.checkVisibility());
  return !wanted || wanted === document.activeElement;
}"""


def go(page: "Page", url: str) -> None:
    """Open this address, and return once whoever types there is heard."""
    page.goto(url)
    arrived(page)


def arrived(page: "Page") -> None:
    """Chromium heeds `autofocus` with the first picture that it draws, often some milliseconds after `load`: what was
    typed until then would have gone to nobody.
    """
    page.wait_for_load_state()
    page.wait_for_function(_FOCUSED)
