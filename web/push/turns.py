"""Long drawings in short turns: while a floor of five hundred agents is drawn, which takes tens of ms, phones ring."""

import time
from contextvars import ContextVar
from typing import Any, Final

import gevent
from flask import render_template, stream_template

TURN_S: Final = 0.002
PAUSE_S: Final = 0.004
"""Between two turns: a few rounds of gevent's loop, as many as a ring takes from the log to its page."""

_IN_TURNS: ContextVar[bool] = ContextVar("draws in turns", default=False)


def draw_in_turns() -> None:
    """From now on this greenlet, which must be able to wait, draws so."""
    _IN_TURNS.set(True)


def render_in_turns(template: str, **context: Any) -> str:  # noqa: ANN401 - as Flask's
    """Flask's `render_template`, in turns where the greenlet draws so; elsewhere at once."""
    if not _IN_TURNS.get():
        return render_template(template, **context)
    pieces = []
    until = time.monotonic() + TURN_S
    for piece in stream_template(template, **context):
        pieces.append(piece)
        if time.monotonic() >= until:
            gevent.sleep(PAUSE_S)
            until = time.monotonic() + TURN_S
    return "".join(pieces)
