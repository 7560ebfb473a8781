"""Who looks at what, and what they are told when it changes.

      LiveView ──publish(position, topics)──▶ Hub ── one rendering for each topic and audience ──▶ Stream ──▶ page

`publish` only notes what changed. A greenlet draws each topic that somebody looks at, once for all who are shown the
same bytes, and puts them into the streams. Whatever happens more often than it is drawn is drawn once: an event is the
whole state of its topic, so nobody needs those between.

An event's id is the position of the log up to which this page has been told everything. A page that comes back with it
is sent what changed since; one that names a position that we do not have is told to load itself again.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

import gevent
import structlog
from gevent.event import Event
from msgspec import Struct

from web.push import frames
from web.push.frames import Audience
from web.push.stream import ANSWER_S, Stream
from web.push.turns import PAUSE_S, draw_in_turns

log = structlog.get_logger(__name__)

BEAT_S: Final = 15.0
MOST_OF_ONE_USER: Final = 8
# A topic that may wait is handed out so many streams at a time, with a pause in which those that must not wait have
# their turn: five hundred writes in a row take forty milliseconds.
_AT_ONCE: Final = 20

Renderer = Callable[[str, Audience], str]
"""(ident of the topic, audience) → HTML. It looks into memory only: no database, no file. Of a topic that may wait it
may pause (`web.push.turns`) once it has taken what it shows.
"""


class TooManyStreams(Exception):
    """This user has as many pages open as one may have; the message says what to do."""


class Present(Protocol):
    """The state that is shown: `projections.live.LiveView`."""

    @property
    def position(self) -> int:
        """The last position that is in it."""
        ...

    @property
    def standing(self) -> str:
        """What has to be said of it: `degraded`, `away` where it may be old, or nothing."""
        ...

    def changed_since(self, topic: str, position: int) -> bool:
        """Whether a topic may have changed after a position."""
        ...


class Kind(Struct, frozen=True):
    """How topics `<name>:<ident>`, or the one topic `<name>`, are drawn, and how often at most."""

    name: str
    render: Renderer
    every_s: float
    source: str
    """The topics of the live state that change it: their name, `agent` for `agent:<id>`."""


class Hub:
    """Topics and streams of one process. Belongs to one gevent hub; nothing here is for other threads."""

    def __init__(
        self,
        present: Present,
        *,
        beat_s: float = BEAT_S,
        answer_s: float = ANSWER_S,
        most: int = MOST_OF_ONE_USER,
    ) -> None:
        self.beat_s = beat_s
        self.answer_s = answer_s
        self.dropped = 0
        """Streams ended because nobody read them."""
        self._present = present
        self._most = most
        self._kinds: dict[str, Kind] = {}
        self._drawn_from: dict[str, list[str]] = {}
        self._streams: dict[str, dict[Stream, None]] = {}
        self._of_user: dict[str, set[Stream]] = {}
        self._told = 0
        self._dirty: dict[str, tuple[int, float]] = {}
        """Topics to be drawn: the position up to which everybody was told, and when it is due (monotonic s)."""
        self._handing_out: dict[str, tuple[int, set[Stream]]] = {}
        """Topics that are being handed out: the same position, and who has not been given the event yet."""
        self._last_drawn: dict[str, float] = {}
        self._wake = {False: Event(), True: Event()}
        self._greenlets: list[Any] = []

    # --- making ------------------------------------------------------------------------------------------------------
    def register(self, name: str, render: Renderer, *, every_s: float = 0.0, source: str = "") -> None:
        """Topics of this name are drawn by `render`: at once, or every `every_s` seconds at most.

        `source` is the name of the live state's topics that change them, by default the same.
        """
        if name in self._kinds:
            raise ValueError(f"Topics {name!r} are registered already.")
        kind = Kind(name, render, every_s, source or name)
        self._kinds[name] = kind
        self._drawn_from.setdefault(kind.source, []).append(name)

    def knows(self, topic: str) -> bool:
        """Whether there are topics of this kind."""
        return topic.partition(":")[0] in self._kinds

    def looked_at(self, topic: str) -> bool:
        """Whether any page looks at this topic."""
        return topic in self._streams

    def start(self) -> "Hub":
        """Begin to draw."""
        self._told = self._present.position
        self._greenlets = [gevent.spawn(self._run, patient) for patient in (False, True)]
        return self

    def stop(self) -> None:
        """End every stream, and draw nothing any more."""
        gevent.killall(self._greenlets)
        for stream in [stream for streams in self._of_user.values() for stream in streams]:
            stream.end()

    # --- streams -----------------------------------------------------------------------------------------------------
    def open(
        self,
        user: str,
        topics: Iterable[str],
        audience: Audience,
        *,
        alive: Callable[[], bool],
        after: int | None = None,
        page: str = "",
    ) -> Stream:
        """A stream of these topics, which the caller has checked; `alive` is asked at each beat whether it may go on.

        `after` is the Last-Event-ID of a page that comes back, `page` what it calls itself: an older stream of the same
        page is one that it has lost. Raises `TooManyStreams`.
        """
        for old in [old for old in self._of_user.get(user, ()) if page and old.page == page]:
            old.drop()
            self.leave(old)
        if len(self._of_user.get(user, ())) >= self._most:
            raise TooManyStreams(
                f"You have {self._most} pages open already; close one of them, and load this one again."
            )
        stream = Stream(self, user=user, topics=frozenset(topics), audience=audience, alive=alive, page=page)
        self._of_user.setdefault(user, set()).add(stream)
        for topic in stream.topics:
            self._streams.setdefault(topic, {})[stream] = None
        self._greet(stream, after)
        return stream

    def leave(self, stream: Stream) -> None:
        """This stream has ended."""
        own = self._of_user.get(stream.user, set())
        own.discard(stream)
        if not own:
            self._of_user.pop(stream.user, None)
        for topic in stream.topics:
            streams = self._streams.get(topic, {})
            streams.pop(stream, None)
            if not streams:
                self._streams.pop(topic, None)
                self._dirty.pop(topic, None)
                self._last_drawn.pop(topic, None)

    def answered(self, user: str, page: str) -> bool:
        """This page has answered a sign of life; whether it has a stream here, or only believes so."""
        found = [stream for stream in self._of_user.get(user, ()) if page and stream.page == page]
        for stream in found:
            stream.answered()
        return bool(found)

    @property
    def count(self) -> int:
        """Streams that are open."""
        return sum(len(streams) for streams in self._of_user.values())

    def standing(self) -> str:
        """What has to be said of what is shown, as `Present` has it."""
        return self._present.standing

    def recheck(self, user: str) -> None:
        """Something about this user changed: their pages are asked at once whether they may go on."""
        for stream in tuple(self._of_user.get(user, ())):
            stream.check_soon()

    def _greet(self, stream: Stream, after: int | None) -> None:
        position = self._present.position
        if after is not None and after > position:
            stream.put(frames.RESET)
            return
        owed = self._owed(stream)
        for topic in sorted(stream.topics):
            kind, _, ident = topic.partition(":")
            if after is None or self._present.changed_since(self._source_of(topic), after):
                stream.put(frames.frame(kind, self._kinds[kind].render(ident, stream.audience)), owed)

    def _source_of(self, topic: str) -> str:
        name, colon, ident = topic.partition(":")
        return f"{self._kinds[name].source}{colon}{ident}"

    # --- what changed ------------------------------------------------------------------------------------------------
    def publish(self, position: int, topics: frozenset[str]) -> None:
        """These topics of the live state changed; `position` is the last that is in it."""
        told, self._told = self._told, position
        now = time.monotonic()
        for source in topics:
            name, colon, ident = source.partition(":")
            if name == "away":
                self._tell_all(frames.beat(time.time_ns() // 1_000_000, stale=self._present.standing))
            elif name == "anew":
                self._tell_all(frames.RESET)
            elif name == "user":
                self.recheck(ident)
            for kind in self._drawn_from.get(name, ()):
                topic = f"{kind}{colon}{ident}"
                if topic in self._streams and topic not in self._dirty:
                    due = max(now, self._last_drawn.get(topic, 0.0) + self._kinds[kind].every_s)
                    self._dirty[topic] = (told, due)
                    self._wake[self._kinds[kind].every_s > 0].set()

    def redraw(self, topics: frozenset[str]) -> None:
        """These show something else now, though the live state did not move: no page is told more of the log by it."""
        self.publish(self._told, topics)

    def _tell_all(self, ready: bytes) -> None:
        for stream in [stream for streams in self._of_user.values() for stream in streams]:
            self._give(stream, ready, None)

    # --- drawing -----------------------------------------------------------------------------------------------------
    def _run(self, patient: bool) -> None:  # noqa: FBT001 - one greenlet for each of two kinds
        """Draw what is due, of the topics that may wait or of those that must not."""
        if patient:
            draw_in_turns()
        while True:
            self._wake[patient].wait(self._pause(patient=patient))
            self._wake[patient].clear()
            now = time.monotonic()
            for _, topic in sorted((at, topic) for topic, at in self._due(patient=patient) if at <= now):
                if topic in self._dirty:
                    self._draw(topic, patient=patient)

    def _due(self, *, patient: bool) -> list[tuple[str, float]]:
        """The topics of a kind that are to be drawn, and when."""
        return [(topic, at) for topic, (_, at) in self._dirty.items() if self._may_wait(topic) == patient]

    def _may_wait(self, topic: str) -> bool:
        return self._kinds[topic.partition(":")[0]].every_s > 0

    def _pause(self, *, patient: bool) -> float | None:
        """Seconds until something is due, None where nothing is."""
        due = [at for _, at in self._due(patient=patient)]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _draw(self, topic: str, *, patient: bool) -> None:
        told, _ = self._dirty.pop(topic)
        self._last_drawn[topic] = time.monotonic()
        streams = tuple(self._streams.get(topic, ()))
        left = set(streams)
        self._handing_out[topic] = (told, left)
        try:
            self._hand_out(topic, streams, left, patient=patient)
        finally:
            del self._handing_out[topic]

    def _hand_out(self, topic: str, streams: tuple[Stream, ...], left: set[Stream], *, patient: bool) -> None:
        kind, _, ident = topic.partition(":")
        drawn: dict[Audience, bytes] = {}
        for count, stream in enumerate(streams, 1):
            if stream.audience not in drawn and stream in self._streams.get(topic, ()):
                try:
                    # Others may be told something meanwhile: until this page has what is drawn, it is owed it.
                    drawn[stream.audience] = frames.frame(kind, self._kinds[kind].render(ident, stream.audience))
                except Exception:
                    # A fault of one drawing is told and does not end the others'.
                    log.exception("drawing-failed", topic=topic)
                    return
            left.discard(stream)
            if stream in self._streams.get(topic, ()):  # and not gone in the meantime
                self._give(stream, drawn[stream.audience], self._owed(stream))
            if count % _AT_ONCE == 0:
                gevent.sleep(PAUSE_S if patient else 0)

    def _owed(self, stream: Stream) -> int:
        """The position up to which this page has been told everything, once it has what it is given now."""
        waiting = [self._dirty[topic][0] for topic in stream.topics if topic in self._dirty]
        waiting += [told for topic, (told, left) in self._handing_out.items() if stream in left]
        return min([*waiting, self._told])

    def _give(self, stream: Stream, ready: bytes, position: int | None) -> None:
        if not stream.put(ready, position):
            self.dropped += 1
            log.warning("slow-page-dropped", user=stream.user, topics=sorted(stream.topics))
            self.leave(stream)
            stream.drop()
