"""What the floor's pages are told of, once a second at most."""

import time
from typing import Any, Final, cast

from flask import current_app, render_template
from markupsafe import Markup

from web.access.roles import BOARD
from web.access.visitor import Visitor, me
from web.desk.shown import SIGNS
from web.floor.counts import Counts
from web.floor.levels import Levels
from web.floor.picture import Floor, floor_of
from web.parts import parts
from web.push.present import Live, Topic, live
from web.push.turns import render_in_turns
from web.words import chosen, code
from web.words import reason as reason_in_words

EVERY_S: Final = 1.0
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
            lambda: now.hub.redraw(frozenset({"floor"})),
        )
    return cast("Kept", current_app.extensions[_KEY])


def floor() -> Floor:
    """The floor as the present visitor, or audience, sees it."""
    return floor_of(live().view, kept().counts, kept().levels, me().scope)


def shown() -> dict[str, Any]:
    """What the templates of the leader's view are given."""
    return {
        "floor": floor(),
        "signs": SIGNS,
        "code": code,
        "reason": reason_in_words,
        "most_ms": chosen.most_ms,
        "pill": Pills(),
        "now": _now(),
    }


class Pills:
    """The states of one drawing: written once for all agents who are in the same one."""

    def __init__(self) -> None:
        self._written: dict[tuple[str, str], str] = {}

    def __call__(self, state: str, reason: str) -> str:
        """The pill of this state."""
        found = self._written.get((state, reason))
        if found is None:
            sign = SIGNS.get(state, SIGNS["paused"])
            words = f"{sign.words}: {reason_in_words(reason)}" if reason else str(sign.words)
            pill = Markup('<span class="pill tone-{}"><span aria-hidden="true">{}</span> {}</span>')
            found = self._written[state, reason] = pill.format(sign.tone, sign.icon, words)
        return found


def _now() -> int:
    return time.time_ns() // 1_000


def draw_floor(_ident: str) -> str:
    """The leader's view: tiles, agents, calls."""
    return render_in_turns("floor/parts.html", **shown())


def draw_board(_ident: str) -> str:
    """The wallboard: figures only, nobody's name and nobody's number."""
    return render_template("floor/tiles.html", floor=floor(), board=True)


def _may(visitor: Visitor, ident: str) -> bool:
    return visitor.may("floor.watch") and not ident


def _may_board(visitor: Visitor, ident: str) -> bool:
    return visitor.may(BOARD) and not ident


TOPICS: Final = (
    Topic("floor", draw_floor, _may, every_s=EVERY_S),
    Topic("board", draw_board, _may_board, every_s=EVERY_S, source="floor"),
)
