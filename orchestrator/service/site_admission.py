"""What lets callers in, as the site's file writes it: rewriting, trunk groups, limits, calendars, notices, and keys of
entry points and queues that point to them.

[calendar.office]
name = "Office hours"
zone = "Asia/Shanghai"
hours = { mon-fri = ["08:30-12:00", "13:30-18:00"], sat = ["09:00-12:00"] }
holidays = "CN"                                # the days themselves are made when the file is applied
days = { "2026-12-31" = ["08:30-12:00"] }      # these win over all else
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, Final
from zoneinfo import available_timezones

from orchestrator.domain.contacts.names import clean_dialled
from orchestrator.domain.kernel import Event
from orchestrator.domain.routing.calendars import DAYS, MIDNIGHT, CalendarConfigured, CalendarRemoved, Span, Spans
from orchestrator.domain.routing.entries import ANSWERS, EntryPointConfigured
from orchestrator.domain.routing.limits import LimitConfigured, LimitRemoved
from orchestrator.domain.routing.notices import NoticeConfigured, NoticeRemoved
from orchestrator.domain.routing.numbers import ANY, RewriteConfigured, RewriteRemoved
from orchestrator.domain.routing.overflow import APOLOGISE, ENTRY, QUEUE, WHENS, Target, target
from orchestrator.domain.routing.queues import QueueConfigured, Spill
from orchestrator.domain.routing.trunks import TrunkConfigured, TrunkRemoved
from orchestrator.service import calendar_days
from orchestrator.service.site_rows import rows, written
from orchestrator.service.site_values import (
    ID,
    Field,
    Read,
    Section,
    Unfit,
    Within,
    flag,
    from_ms,
    matching,
    near,
    one_of,
    seconds,
    text,
    whole,
    word,
)
from orchestrator.service.toml_lines import Path

_MOST: Final = 1_000
_DIGITS: Final = re.compile(r"\+?[0-9]{0,20}")
_SPAN: Final = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])")
_COUNTRY: Final = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?")
TARGETS: Final[Mapping[str, re.Pattern[str]]] = {
    QUEUE: ID,
    ENTRY: ID,
    APOLOGISE: re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}"),
}
"""Where callers may be sent, and what the name of such a place looks like."""


def texts(read_one: Read, example: str, *, may_be_none: bool = True) -> Read:
    """A list, each read in this way."""

    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > _MOST or not (value or may_be_none):
            raise Unfit(f"write a list of up to {_MOST}, such as {example}")
        return tuple(dict.fromkeys(read_one(each) for each in value))

    return read


def _or_none(read_one: Read) -> Read:
    return lambda value: "" if value == "" else read_one(value)


def pattern(value: object) -> str:
    """A number, or the beginning of one with a `*` after it."""
    if not isinstance(value, str) or not value or clean_dialled(value) != value or ANY in value[:-1]:
        raise Unfit(
            f'{value!r} cannot be dialled; write digits in quotes, such as "4008001001", or "400*" for all that begin'
            " so"
        )
    return value


def where_to(value: object) -> str:
    """A place where callers are sent."""
    found = target(value) if isinstance(value, str) else Target("")
    shape = TARGETS.get(found.kind)
    if shape is None or not shape.fullmatch(found.name):
        raise Unfit(f'{value!r} is no place; write one such as "queue:sales", "entry:branch" or "apology:closed"')
    return f"{found.kind}:{found.name}"


_id = matching(ID, "an id")
_maybe_id = _or_none(_id)
_ids = texts(_id, '["carrier"]')
_digits = matching(_DIGITS, "digits, perhaps with + before them")

# --- hours ---------------------------------------------------------------------------------------------------------


def _span(value: object) -> Span:
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Unfit(f'{value!r} is no time; write from and to, such as "08:30-12:00", "22:00-06:00" or "00:00-24:00"')
    start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if start >= MIDNIGHT or end > MIDNIGHT or start == end:
        raise Unfit(f"{value!r}: a span begins before 24:00, ends at 24:00 at the latest, and is not empty")
    return start, end if end > start else end + MIDNIGHT


def spans(value: object) -> Spans:
    """Hours of one day, sorted. A span that ends before it begins ends on the next day."""
    found = sorted(texts(_span, '["08:30-12:00", "13:30-18:00"]')(value))
    for (_, end), (start, _) in pairwise(found):
        if start < end:
            raise Unfit("spans of one day must not overlap")
    return tuple(found)


def _week(value: object) -> tuple[Spans, ...]:
    if not isinstance(value, dict):
        raise Unfit('write hours by day, such as { mon-fri = ["08:30-18:00"], sat = ["09:00-12:00"] }')
    week: list[Spans] = [()] * len(DAYS)
    for key, given in value.items():
        first, _, last = key.partition("-")
        if first not in DAYS or (last or first) not in DAYS or DAYS.index(last or first) < DAYS.index(first):
            raise Unfit(f"{key}: write a day or a range of days, such as mon, sat or mon-fri; {near(key, DAYS)}")
        for day in range(DAYS.index(first), DAYS.index(last or first) + 1):
            if week[day]:
                raise Unfit(f"{DAYS[day]} stands here twice")
            week[day] = spans(given)
    return tuple(week)


def _days(value: object) -> dict[str, Spans]:
    if not isinstance(value, dict):
        raise Unfit('write hours by date, such as { "2026-12-31" = ["09:00-12:00"], "2027-01-02" = [] }')
    found = {}
    for key, given in sorted(value.items()):
        try:
            day = date.fromisoformat(key).isoformat()
        except ValueError:
            raise Unfit(f"{key}: write a date as 2026-12-31") from None
        found[day] = spans(given)
    return found


def _zone(value: object) -> str:
    known = available_timezones()
    if not isinstance(value, str) or value not in known:
        close = get_close_matches(str(value), known, n=1)
        hint = f"did you mean {close[0]}?" if close else "write one such as Asia/Shanghai"
        raise Unfit(f"{value!r} is no time zone; {hint}")
    return value


def _holidays(value: object) -> str:
    if value == "":
        return ""
    if not isinstance(value, str) or not _COUNTRY.fullmatch(value) or not calendar_days.is_known(value):
        raise Unfit(
            f'{value!r} has no holidays that are known here; write a country or its part, such as "CN" or "DE-BY"'
        )
    return value


def _weekday(value: object) -> int:
    return DAYS.index(one_of(DAYS)(value))


def _written_span(span: Span) -> str:
    (start, end) = span
    end = end - MIDNIGHT if end > MIDNIGHT else end
    return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"


def _written_spans(found: Spans) -> list[str]:
    return [_written_span(span) for span in found]


def _written_week(week: tuple[Spans, ...]) -> dict[str, list[str]]:
    return {day: _written_spans(found) for day, found in zip(DAYS, week, strict=True) if found}


def _written_days(days: dict[str, Spans]) -> dict[str, list[str]]:
    return {day: _written_spans(found) for day, found in days.items()}


# --- sections -------------------------------------------------------------------------------------------------------

REWRITE: Final = Section(
    "rewrite",
    RewriteConfigured,
    RewriteRemoved,
    (
        Field("name", "name", text, required=True),
        Field("of", "of", one_of(("dialled", "caller")), required=True),
        Field("match", "match", pattern, required=True),
        Field("trunk", "trunk", _maybe_id),
        Field("length", "length", whole(0, 40)),
        Field("strip", "strip", whole(0, 40)),
        Field("prepend", "prepend", _digits),
        Field("order", "order", whole(0, 10_000)),
    ),
)
TRUNK: Final = Section(
    "trunk",
    TrunkConfigured,
    TrunkRemoved,
    (
        Field("name", "name", text, required=True),
        Field(
            "peers",
            "peers",
            texts(
                matching(re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}"), "a gateway, profile or address"),
                '["carrier-a", "203.0.113.7"]',
                may_be_none=False,
            ),
            required=True,
            write=list,
        ),
        Field("most_calls", "most_calls", whole(0, 100_000)),
    ),
)
LIMIT: Final = Section(
    "limit",
    LimitConfigured,
    LimitRemoved,
    (
        Field("calls_per_s", "calls_per_s", whole(1, 10_000), required=True),
        Field("burst", "burst", whole(0, 10_000)),
    ),
)
CALENDAR: Final = Section(
    "calendar",
    CalendarConfigured,
    CalendarRemoved,
    (
        Field("name", "name", text, required=True),
        Field("zone", "zone", _zone, required=True),
        Field("hours", "week", _week, required=True, write=_written_week, kind="lists"),
        Field("holidays", "holidays", _holidays),
        Field("on_holidays", "on_holidays", spans, write=_written_spans, kind="words"),
        Field("workdays_as", "workdays_as", Within(_weekday, among=DAYS), write=lambda day: DAYS[day]),
        Field("days", "overrides", _days, write=_written_days, kind="lists"),
    ),
)
NOTICE: Final = Section(
    "notice",
    NoticeConfigured,
    NoticeRemoved,
    (
        Field("name", "name", text, required=True),
        Field("prompt", "prompt", word, required=True),
        Field("entries", "entries", _ids, write=list),
        Field("on", "on", flag),
    ),
)
SECTIONS: Final = (REWRITE, TRUNK, LIMIT, CALENDAR, NOTICE)

_SPILL: Final = (
    Field("when", "when", one_of(WHENS), required=True),
    Field("after_s", "after_ms", seconds(1, 86_400), write=from_ms),
    Field("over", "over", whole(1, 100_000)),
    Field("to", "to", where_to, required=True),
)
OF_QUEUES: Final = (
    Field("calendar", "calendar", _maybe_id),
    Field("most_waiting", "most_waiting", whole(0, 100_000)),
    Field(
        "overflow",
        "overflow",
        rows(Spill, _SPILL, '{ when = "wait", after_s = 60, to = "queue:other" }', may_be_none=True),
        write=written(_SPILL),
    ),
)
OF_ENTRIES: Final = (
    Field("trunks", "trunks", _ids, write=list),
    Field(
        "callers",
        "callers",
        texts(matching(re.compile(r"\+?[0-9]{1,20}"), "the beginning of a number"), '["+8610"]'),
        write=list,
    ),
    Field("during", "during", _maybe_id),
    Field("hours", "hours", _maybe_id),
    Field("closed", "closed", where_to),
    Field("answer", "answer", one_of(ANSWERS)),
    Field("answer_after_s", "answer_after_ms", seconds(0, 600), write=from_ms),
    Field("blacklisted", "blacklisted", _or_none(word)),
)

# --- what must fit together ------------------------------------------------------------------------------------------

Found = Mapping[str, Mapping[str, Event]]
"""What the file describes: kind, id, event."""


def faults(found: Found, named: Callable[[str], set[str]]) -> Iterator[tuple[Path, str]]:
    """What each thing says that the others do not bear out, with the key that says it. `named`: the ids of a kind that
    the file has at all.
    """
    for path, kind, ident in _references(found):
        if ident and ident not in (known := named(kind)):
            yield path, f"there is no {kind} {ident}; {near(ident, known)}"
    for ident, queue in found["queue"].items():
        if isinstance(queue, QueueConfigured):
            yield from _faults_of_queue(ident, queue)
    for ident, entry in found["entry"].items():
        if isinstance(entry, EntryPointConfigured) and entry.answer == "after" and not entry.answer_after_ms:
            yield ("entry", ident, "answer"), 'answer = "after" needs answer_after_s, the seconds until then'
    for ident, calendar in found["calendar"].items():
        if isinstance(calendar, CalendarConfigured) and not any((*calendar.week, *calendar.overrides.values())):
            yield (
                ("calendar", ident, "hours"),
                'this calendar is never open; write hours, such as { mon-fri = ["08:30-18:00"] }',
            )
    for ident, rule in found["rewrite"].items():
        if isinstance(rule, RewriteConfigured) and rule.strip > max(rule.length, len(rule.match.rstrip(ANY))):
            yield (
                ("rewrite", ident, "strip"),
                "more is taken off than the rule says is there; give match more digits, or length",
            )


def _faults_of_queue(ident: str, queue: QueueConfigured) -> Iterator[tuple[Path, str]]:
    path = ("queue", ident, "overflow")
    for row in queue.overflow:
        needs = {"wait": ("after_s", row.after_ms), "length": ("over", row.over)}
        for when, (key, value) in needs.items():
            if row.when == when and not value:
                yield path, f"{when}: {key} is missing"
            if row.when != when and value:
                yield path, f"{row.when}: {key} belongs to {when} alone"
        if row.when == "closed" and not queue.calendar:
            yield path, "closed: this queue has no calendar"
        if target(row.to) == Target(QUEUE, ident):
            yield path, f"{row.when}: this is the queue itself"


def _references(found: Found) -> Iterator[tuple[Path, str, str]]:
    for ident, queue in found["queue"].items():
        if isinstance(queue, QueueConfigured):
            yield ("queue", ident, "calendar"), "calendar", queue.calendar
            for row in queue.overflow:
                yield from _target(("queue", ident, "overflow"), row.to)
    for ident, entry in found["entry"].items():
        if isinstance(entry, EntryPointConfigured):
            path = ("entry", ident)
            yield (*path, "queue"), "queue", entry.queue_id
            yield (*path, "during"), "calendar", entry.during
            yield (*path, "hours"), "calendar", entry.hours
            yield from (((*path, "trunks"), "trunk", trunk) for trunk in entry.trunks)
            yield from _target((*path, "closed"), entry.closed)
    for ident, notice in found["notice"].items():
        if isinstance(notice, NoticeConfigured):
            yield from ((("notice", ident, "entries"), "entry", entry) for entry in notice.entries)
    for ident, rule in found["rewrite"].items():
        if isinstance(rule, RewriteConfigured):
            yield ("rewrite", ident, "trunk"), "trunk", rule.trunk


def _target(path: Path, to: str) -> Iterator[tuple[Path, str, str]]:
    place = target(to)
    if place.kind in (QUEUE, ENTRY):
        yield path, place.kind, place.name
