"""Waiting for something to become true, never for time to pass."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

GLANCE_S = 0.01
"""How often the world is looked at. Short beside anything that a switch does (its own clock ticks every 20 ms)."""


def until(look: Callable[[], T | None], what: str, *, within_s: float = 30.0) -> T:
    """The first answer of `look` that is neither None nor False; AssertionError naming `what` after `within_s`."""
    deadline = time.monotonic() + within_s
    while True:
        answer = look()
        if answer is not None and answer is not False:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {within_s:g} s in vain for: {what}")
        time.sleep(GLANCE_S)
