"""A long drawing lets others have their turn, and is the same as one made at once."""

import time

import gevent
from flask import Flask
from jinja2 import DictLoader

from web.push.turns import draw_in_turns, render_in_turns

ROWS = 20


def _burn() -> str:
    end = time.monotonic() + 0.001
    while time.monotonic() < end:
        pass
    return "row"


def _draw(app: Flask, *, in_turns: bool) -> tuple[str, int]:
    """What is drawn, and how often somebody else had a turn meanwhile."""
    turns: list[float] = []

    def other() -> None:
        while True:
            turns.append(time.monotonic())
            gevent.sleep(0)

    def draw() -> tuple[str, int]:
        if in_turns:
            draw_in_turns()
        with app.test_request_context():
            before = len(turns)
            text = render_in_turns("rows.html", rows=range(ROWS), burn=_burn)
            return text, len(turns) - before

    beside, drawing = gevent.spawn(other), gevent.spawn(draw)
    drawn: tuple[str, int] = drawing.get(timeout=10)
    beside.kill()
    return drawn


def test_others_have_their_turn_while_something_long_is_drawn_where_that_may_wait() -> None:
    app = Flask(__name__)
    app.jinja_env.loader = DictLoader(
        {
            "rows.html": "<ul>{% include 'row.html' %}</ul>",
            "row.html": "{% for n in rows %}<li>{{ burn() }}{% endfor %}",
        }
    )
    whole, alone = _draw(app, in_turns=False)
    same, shared = _draw(app, in_turns=True)
    assert whole == same == "<ul>" + "<li>row" * ROWS + "</ul>"
    assert alone == 0
    assert shared > 5
