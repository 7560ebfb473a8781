"""`/stream`: the one stream of a page."""

import re
import socket
from contextlib import suppress
from typing import Final

import gevent
from flask import Blueprint, Response, abort, current_app, jsonify, request
from gevent.socket import wait_read
from werkzeug.exceptions import TooManyRequests

from projections.reading import Away
from web import language
from web.access.gate import who_is_it_still
from web.access.needs import needs
from web.access.visitor import Visitor, me
from web.http import SOCKET
from web.push.hub import TooManyStreams
from web.push.present import Live, audience_of, live
from web.push.stream import Stream

blueprint = Blueprint("push", __name__)

_PAGE: Final = re.compile(r"[A-Za-z0-9-]{8,64}")
MOST_TOPICS: Final = 16
READY_S: Final = 5.0
_LARGEST_ID: Final = 2**63 - 1


@blueprint.get("/stream")
@needs("pages.follow")
def stream() -> Response:
    """Server-sent events of `?topics=desk:lin-mei,…`, each of which the visitor must be allowed to see: 403 otherwise,
    503 where for want of the database nobody knows.

    429 where the visitor has too many pages open, 503 while everything is being read. It ends when the session does, or
    the right to any of its topics.
    """
    topics = tuple(dict.fromkeys(request.args.get("topics", "").split(",")))
    if not 0 < len(topics) <= MOST_TOPICS:
        abort(400)
    now, still = live(), who_is_it_still()
    now.view.wait_ready(READY_S)
    if not _may_see(now, me(), topics):
        abort(403)

    inside = current_app.app_context

    def alive() -> bool:
        # Asked while the stream is being sent: the request is over by then, and what it was part of.
        with inside():
            visitor = still()
            return visitor is not None and _may_see(now, visitor, topics)

    audience = audience_of(me(), language.current())
    try:
        opened = now.hub.open(_whose(), topics, audience, alive=alive, after=_last_id(), page=_page())
    except TooManyStreams as error:
        raise TooManyRequests(str(error)) from error
    leaving = [*now.attend(topics, _page()), lambda: now.hub.leave(opened)]
    response = Response(iter(opened), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    for leave in leaving:
        response.call_on_close(leave)
    if SOCKET in request.environ:
        response.call_on_close(gevent.spawn(_end_with, request.environ[SOCKET], opened).kill)
    return response


@blueprint.post("/stream/here")
@needs("pages.follow")
def here() -> Response:
    """A page answers a sign of life; `open` is false where its stream is lost without its having been told."""
    return jsonify({"open": live().hub.answered(_whose(), _page())})


def _may_see(now: Live, visitor: Visitor, topics: tuple[str, ...]) -> bool:
    """Whether they may be told of all of these. Raises `Away` where nobody knows: a page whose stream breaks off so
    shows that it is lost and tries again, while one whose stream is ended loads itself anew.
    """
    may = all(now.may(visitor, topic) for topic in topics)
    if not may and visitor.desk_only:
        raise Away("Nobody can be asked for now whether they (still) may see this.")
    return may


def _end_with(connection: socket.socket, opened: Stream) -> None:
    """End the stream as soon as the page has closed its connection: without this, nobody notices before the next sign
    of life is written, and an agent's desk seems to be there for so much longer.
    """
    with suppress(OSError):
        wait_read(connection.fileno())
        if connection.recv(1, socket.MSG_PEEK):
            return  # it asks for something more, which no browser does here; the next write shows whether it reads
    opened.end()


def _whose() -> str:
    """Whose pages are counted together: a user's, or those of a screen on a wall."""
    return me().user_id or me().actor


def _page() -> str:
    """The id that the page gave itself; empty for one that is none."""
    page = request.values.get("page", "")
    return page if _PAGE.fullmatch(page) else ""


def _last_id() -> int | None:
    """Up to which position the page has been told everything, as the browser says when it comes back."""
    text = request.headers.get("Last-Event-ID", "")
    if not text.isascii() or not text.isdecimal():
        return None
    return min(int(text[:20]), _LARGEST_ID)
