"""The window of time that is looked at: its bounds, what is in it, and what is offered where that is too much."""

from typing import Final

from flask import request
from msgspec import Struct

from orchestrator.domain.kernel import SECOND, Instant, Refused
from orchestrator.replay import BadTime, parse_time
from orchestrator.replay.moments import local
from orchestrator.replay.past import clock
from web.parts import place
from web.past import past
from web.replay.moment import in_calendar

# How much of the past the slider spans where nobody says otherwise.
WINDOW: Final = 15 * 60 * SECOND
LONGEST: Final = 31 * 24 * 3600 * SECOND
# Events whose density can be told in a moment.
MOST_EVENTS: Final = 200_000
BARS: Final = 120


class TooLarge(Refused):
    """A window that holds too much; `begins` and `ends` are a smaller one around the same moment."""

    def __init__(self, message: str, begins: Instant, ends: Instant) -> None:
        super().__init__("window_too_large", message)
        self.begins = begins
        self.ends = ends


class Window(Struct, frozen=True):
    """From when to when, how many events are in it, and how they lie: so many in each of `BARS` equal parts."""

    begins: Instant
    ends: Instant
    events: int
    density: list[int]

    @property
    def bars(self) -> list[float]:
        """The height of each part, from 0 to 1; what is not empty is seen."""
        most = max(self.density, default=0)
        return [0.0 if not count else max(count / most, 0.04) for count in self.density]


def now() -> Instant:
    """The latest instant that can be looked at."""
    span = past().span
    return clock() if span is None else span.ends


def refuse_before(at: Instant | None = None, position: int = 0) -> None:
    """Raises `Refused` (`bad_time`) for what lies before all that a file knows."""
    span = past().span
    if span is None or not span.first_position:
        return
    if (at is not None and at < span.begins) or 0 < position < span.first_position:
        begins = local(span.begins, place().timezone)
        raise BadTime(f"The bundle begins at {begins}; of what was before, it does not hold everything.")


def window(at: Instant, *, given: bool) -> Window:
    """The window of the query; `given`: whether `at` was asked for, which then lies in it.

    Raises `Refused` (`bad_window`, `bad_time`), `TooLarge` and `Away`.
    """
    reach, scrubber = past().span, past().scrubber
    begins = instant("from", Instant(at - WINDOW) if reach is None else reach.begins)
    ends = max(
        instant("to", Instant(min(clock(), begins + WINDOW)) if reach is None else reach.ends), at if given else begins
    )
    if begins >= ends:
        raise Refused("bad_window", "The window must begin before it ends.")
    if ends - begins > LONGEST:
        raise TooLarge(
            "A window may be 31 days long at most.", *_around(at if given else ends, begins, ends, LONGEST / 31)
        )
    after, until = scrubber.position_at(Instant(begins - 1)), scrubber.position_at(ends)
    if until - after > MOST_EVENTS:
        span = (ends - begins) * MOST_EVENTS / (until - after) / 2
        raise TooLarge(
            f"There are {until - after:,} events in this window, at most {MOST_EVENTS:,} can be looked through.",
            *_around(at if given else ends, begins, ends, span),
        )
    density = past().log.density(begins, ends, BARS, after=after, until=until)
    return Window(begins, ends, sum(density), density)


def _around(at: Instant, begins: Instant, ends: Instant, span: float) -> tuple[Instant, Instant]:
    """A window of this length around a moment, within the one that was asked for, in whole seconds."""
    first = min(max(begins, at - round(span / 2)), ends - round(span))
    first = first - first % SECOND
    return Instant(first), Instant(first + max(SECOND, round(span) - round(span) % SECOND))


def instant(name: str, otherwise: Instant) -> Instant:
    """An instant from the query: microseconds, or a time as people write it. Raises `BadTime`."""
    text = request.args.get(name, "")
    if not text:
        return otherwise
    if text.isascii() and text.isdigit() and len(text) == len(str(otherwise)):
        at = Instant(int(text))
    else:
        at = in_calendar(parse_time(text, place().timezone))
    refuse_before(at)
    return Instant(min(at, now())) if past().span is not None else at
