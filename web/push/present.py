"""The live state and the hub of an app: what each area shows of it, and how its topics are drawn outside of requests.

An area's module `web.<area>.topics` has `TOPICS`. A topic is drawn as in a page, but for an audience instead of a
visitor: the same template makes the page at first and what replaces parts of it later.
"""

import gc
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, cast

import gevent
import structlog
from flask import Flask, Response, current_app, g
from flask_babel import gettext
from msgspec import Struct

from projections.live import LiveView, NotReady
from web.access.visitor import Visitor
from web.errors import answer
from web.push.frames import Audience
from web.push.hub import BEAT_S, Hub, Renderer

log = structlog.get_logger(__name__)

_KEY: Final = "ringledger-live"
# Allocations between looks at the youngest structures, and looks between those at older ones. Python's: 700, 10, 10.
_COLLECT: Final = (20_000, 20, 50)
_LOOK_S: Final = 0.2
_READY_S: Final = 5.0
AREAS: Final = ("desk", "floor")
_SEES_NUMBERS: Final = "numbers.clear"


class Topic(Struct, frozen=True):
    """Topics of one name. `draw(ident)` is their HTML; `may(visitor, ident)` says who is told of them; `attend(ident,
    page)` is called as a page of this id begins to look, and what it returns as it ends.
    """

    name: str
    draw: Callable[[str], str]
    may: Callable[[Visitor, str], bool]
    every_s: float = 0.0
    source: str = ""
    attend: Callable[[str, str], Callable[[], None] | None] | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """What is now, and who is told of it."""

    view: LiveView
    hub: Hub
    topics: dict[str, Topic]

    def may(self, visitor: Visitor, topic: str) -> bool:
        """Whether there are such topics and this visitor may be told of this one."""
        name, _, ident = topic.partition(":")
        return name in self.topics and self.topics[name].may(visitor, ident)

    def attend(self, topics: Iterable[str], page: str) -> list[Callable[[], None]]:
        """A page begins to look at these; what to call when it ends."""
        found = []
        for topic in topics:
            name, _, ident = topic.partition(":")
            attend = self.topics[name].attend
            leave = attend(ident, page) if attend is not None else None
            if leave is not None:
                found.append(leave)
        return found


def install(app: Flask, view: LiveView, *, beat_s: float = BEAT_S) -> Live:
    """Give the app its live state and the hub, which draws from then on. Needs a process patched by gevent to be told
    of changes; the pages themselves are shown without.
    """
    hub = Hub(view, beat_s=beat_s)
    topics: dict[str, Topic] = {}
    for area in AREAS:
        if find_spec(f"web.{area}.topics") is None:
            continue
        found: tuple[Topic, ...] = import_module(f"web.{area}.topics").TOPICS
        for topic in found:
            topics[topic.name] = topic
            hub.register(
                topic.name, drawn(app, partial(_draw, view, topic)), every_s=topic.every_s, source=topic.source
            )
    live = Live(view, hub, topics)
    app.extensions[_KEY] = live
    app.register_error_handler(NotReady, _not_ready)
    hub.start()
    view.subscribe(hub.publish)
    gevent.spawn(_settle_memory, view)
    return live


def _draw(view: LiveView, topic: Topic, ident: str) -> str:
    """The topic; not before everything is read, where that is done anew."""
    view.wait_ready(_READY_S)
    return topic.draw(ident)


def _settle_memory(view: LiveView) -> None:
    """Take the live state out of the collector's sight once it is read, and let it look less often: while it looks at
    everything, which takes tens of milliseconds, no page is told anything.
    """
    while not view.ready:
        gevent.sleep(_LOOK_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)


def _not_ready(error: NotReady) -> Response:
    response = answer(
        503, "not_ready", gettext("Not ready yet"), gettext("Everything is being read. Try again in a moment.")
    )
    response.headers["Retry-After"] = "1"
    log.info("asked-too-early", why=str(error))
    return response


def live() -> Live:
    """The live state of the app that serves the current request."""
    return cast("Live", current_app.extensions[_KEY])


def view_if_any() -> LiveView | None:
    """The live state of the present app, None where it was given none."""
    found: Live | None = current_app.extensions.get(_KEY)
    return None if found is None else found.view


def audience_of(visitor: Visitor, language: str) -> Audience:
    """Those who are shown the same as this visitor."""
    return Audience(language=language, sees_numbers=visitor.may(_SEES_NUMBERS), scope=visitor.scope)


def drawn(app: Flask, draw: Callable[[str], str]) -> Renderer:
    """`draw` as the hub calls it: in the audience's language and with what the audience may see."""

    def render(ident: str, audience: Audience) -> str:
        with app.test_request_context():
            globals_: Any = g
            globals_.language = audience.language
            granted = frozenset({_SEES_NUMBERS}) if audience.sees_numbers else frozenset()
            globals_.visitor = Visitor(permissions=granted, scope=audience.scope)
            return draw(ident)

    return render
