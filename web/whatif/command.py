"""What `ringledger whatif …` asks and prints: the same figures and words as the page."""

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct

from orchestrator.domain.kernel import SECOND, Instant, Refused
from orchestrator.settings import Settings
from orchestrator.whatif import asking
from orchestrator.whatif.asking import Answer, Figure
from projections.base import Site
from projections.sizing import parse_day
from web.whatif import words

Row = tuple[str, ...]


class Told(Struct, frozen=True):
    """An answer: lines, tables with their heads, and lines after them."""

    before: Sequence[str]
    tables: Sequence[Sequence[Row]]
    after: Sequence[str]


def span(settings: Settings, day: str, days: int) -> tuple[Instant, Instant]:
    """From when to when a day (today where none is given), or some from it on, goes by the site's clock; only until now
    where it is not over. Raises `Refused`.
    """
    site, now = Site(settings.timezone), Instant(time.time_ns() // 1000)
    asking.checked(days)
    begins = parse_day(day) if day else site.day(now)
    first, _ = site.bounds(begins)
    _, last = site.bounds((date.fromisoformat(begins) + timedelta(days=days - 1)).isoformat())
    if first >= now:
        raise Refused("future_day", "This day has not come yet; choose one that was.")
    return first, min(last, now)


def told(answer: Answer, settings: Settings) -> Told:
    """The answer for people."""
    first, last = (datetime.fromtimestamp(at / SECOND, settings.timezone) for at in (answer.first, answer.last))
    before = [
        f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}: {_size(answer)}",
        *(f"- {change}" for change in _changes(answer)),
    ]
    tables = [(_head(answer, "figure"), *_rows(answer, answer.figures, words.LABELS))]
    for queue_id, figures in answer.queues.items() if len(answer.queues) > 1 else ():
        tables.append((_head(answer, queue_id), *_rows(answer, figures, words.OF_QUEUES)))
    return Told(before, tables, ["", *(f"- {sentence}" for sentence in words.sentences(answer))])


def _size(answer: Answer) -> str:
    return f"{answer.calls} calls, {answer.agents} agents; played {answer.seeds} times"


def _changes(answer: Answer) -> Iterator[str]:
    yield from answer.changes
    if answer.more_agents:
        where = f" of those who serve {answer.queue_id}" if answer.queue_id else ""
        yield f"agents {answer.more_agents:+d}{where}"
    if not answer.changed:
        yield "nothing is changed"


def _head(answer: Answer, name: str) -> Row:
    head = (name, "really", "played", "95 %")
    return (*head, "changed", "95 %", "difference", "95 %") if answer.changed else head


def _rows(answer: Answer, figures: dict[str, Figure], names: Iterable[str]) -> Iterator[Row]:
    for name in names:
        found = figures[name]
        row: Row = (
            str(words.LABELS[name]),
            words.written(name, found.real),
            words.written(name, found.same.mean if found.same else None),
            words.interval(name, found.same),
        )
        if answer.changed:
            row = (
                *row,
                words.written(name, found.wanted.mean if found.wanted else None),
                words.interval(name, found.wanted),
                words.signed(name, found.difference.mean) if found.difference else "",
                words.interval(name, found.difference, of_difference=True),
            )
        yield row
