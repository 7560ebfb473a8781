"""Wallboard and leader's view (feature 9.1)."""

from typing import Final

from flask import render_template
from flask_babel import lazy_gettext as _l

from orchestrator.runner.hands import POINTS
from web.access.needs import needs
from web.access.roles import BOARD
from web.floor import acts, callbacks, monitoring, wall
from web.floor.area import blueprint
from web.floor.topics import floor, kept, shown
from web.navigation import Item
from web.push.present import live
from web.words import chosen

NAVIGATION: Final = (Item("floor.show", _l("Floor"), 20),)
__all__ = ["NAVIGATION", "acts", "blueprint", "callbacks", "monitoring", "wall"]


@blueprint.get("/")
@needs("floor.watch")
def show() -> str:
    """Queues, agents and calls, with filters that stand in the address."""
    live().view.wait_ready(acts.READY_S)
    kept().counts.refresh()
    return render_template(
        "floor/page.html",
        **shown(),
        reasons=acts.REASONS,
        why=callbacks.REASONS,
        points=POINTS,
        hearing=monitoring.REASONS,
        forcing=monitoring.FORCING,
        pauses=chosen.pauses(),
    )


@blueprint.get("/board")
@needs(BOARD)
def board() -> str:
    """Large figures for a screen on the wall: read-only, without personal data. `?tiles=6&every=20`: six at a time, for
    twenty seconds each.
    """
    live().view.wait_ready(acts.READY_S)
    kept().counts.refresh()
    return render_template("floor/board.html", floor=floor(), board=True, turning=wall.turning())
