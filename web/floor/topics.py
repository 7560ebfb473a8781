"""What the floor's pages are told of, twice a second at most."""

from typing import Final, cast

from flask import current_app, render_template

from web.access.visitor import Visitor, me
from web.desk.shown import SIGNS, reason_words
from web.floor.counts import Counts
from web.floor.levels import Levels
from web.floor.picture import Floor, floor_of
from web.parts import parts
from web.push.present import Live, Topic, live

EVERY_S: Final = 0.5
_KEY: Final = "ringledger-floor"


class Kept:
    """What lasts from one drawing to the next."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        self.levels = Levels()


def kept() -> Kept:
    """The app's, made when it is first asked for."""
    if _KEY not in current_app.extensions:
        found = Kept(Counts(parts().reading, parts().settings.timezone))
        current_app.extensions[_KEY] = found
        now: Live = live()
        found.counts.keep(
            lambda: now.hub.looked_at("floor") or now.hub.looked_at("board"),
            lambda: now.hub.publish(now.view.position, frozenset({"floor"})),
        )
    return cast("Kept", current_app.extensions[_KEY])


def floor() -> Floor:
    """The floor as the present visitor, or audience, sees it."""
    return floor_of(live().view, kept().counts, kept().levels, me().teams)


def draw_floor(_ident: str) -> str:
    """The leader's view: tiles, agents, calls."""
    return render_template("floor/parts.html", floor=floor(), signs=SIGNS, reason_words=reason_words)


def draw_board(_ident: str) -> str:
    """The wallboard: figures only, nobody's name and nobody's number."""
    return render_template("floor/tiles.html", floor=floor(), board=True)


def _may(visitor: Visitor, ident: str) -> bool:
    return visitor.may("floor.watch") and not ident


TOPICS: Final = (
    Topic("floor", draw_floor, _may, every_s=EVERY_S),
    Topic("board", draw_board, _may, every_s=EVERY_S, source="floor"),
)
