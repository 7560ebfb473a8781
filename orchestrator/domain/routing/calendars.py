"""A calendar: when somebody is there. Weekly hours, holidays, working days moved to a weekend, and what overrides both.

Stream `calendar-<id>`. Written by `config apply` (a desk stream); read by the runner.

Everything that a decision needs stands in the event: the zone's offsets from UTC, and each holiday as a day. So one
log gives the same answer on every machine and in every year, whatever its tables of zones and holidays say by then
(docs/decisions/0040).

A span of hours belongs to the day on which it begins; one that ends after midnight goes on into the next day, even if
that one is a holiday. What counts is the clock on the wall: where it is put forward an hour is missing, where it is put
back one comes twice.
"""

from bisect import bisect_right
from datetime import date
from typing import Final

from msgspec import Struct, field

from orchestrator.domain.kernel import SECOND, Event, Instant

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT: Final = 24 * 60
_MINUTE: Final = 60 * SECOND
_EPOCH: Final = date(1970, 1, 1).toordinal()

Span = tuple[int, int]
"""From and to in minutes after midnight; to is more than 1440 where the span ends on the next day."""
Spans = tuple[Span, ...]


class Offset(Struct, frozen=True, array_like=True):
    """From this instant on, local time is so many minutes ahead of UTC."""

    since: Instant
    minutes: int


class CalendarConfigured(Event, frozen=True, kw_only=True):
    """The calendar is as described from now on."""

    name: str
    zone: str
    week: tuple[Spans, ...]
    """Hours of Monday to Sunday."""
    holidays: str = ""
    """Whose holidays, an ISO 3166 code such as `CN` or `DE-BY`; empty: nobody's."""
    on_holidays: Spans = ()
    """Hours on a holiday."""
    workdays_as: int = 0
    """Whose hours a working day has that was moved to a weekend: 0 for Monday's."""
    overrides: dict[str, Spans] = field(default_factory=dict)
    """Hours of single days, `2026-12-24`; these win over all else."""
    holiday_days: dict[str, str] = field(default_factory=dict)
    """The holidays by day, with their names."""
    moved_workdays: tuple[str, ...] = ()
    """Days on a weekend that are worked."""
    offsets: tuple[Offset, ...] = ()
    known_until: str = ""
    """The last day for which holidays and offsets are known; empty: there is no such day."""


class CalendarRemoved(Event, frozen=True, kw_only=True):
    """The calendar is no more: whatever went by it is always open."""


class Calendar:
    """A calendar as configured now."""

    __slots__ = ("_changes", "_days", "settings")

    def __init__(self, settings: CalendarConfigured) -> None:
        self.settings = settings
        self._changes = [offset.since for offset in settings.offsets]
        self._days: dict[int, Spans] = {_ordinal(day): settings.on_holidays for day in settings.holiday_days}
        worked = settings.week[settings.workdays_as]
        self._days |= {_ordinal(day): worked for day in settings.moved_workdays}
        self._days |= {_ordinal(day): spans for day, spans in settings.overrides.items()}

    def is_open(self, at: Instant) -> bool:
        """Whether somebody is there at this instant."""
        day, minute = self.local(at)
        today = any(start <= minute < end for start, end in self.hours(day))
        return today or any(minute + MIDNIGHT < end for _, end in self.hours(day - 1))

    def hours(self, day: int) -> Spans:
        """The hours of this day, counted as `date.toordinal` does."""
        found = self._days.get(day)
        return self.settings.week[(day - 1) % 7] if found is None else found

    def local(self, at: Instant) -> tuple[int, int]:
        """The day and the minute after midnight that the clock on the wall shows."""
        offsets = self.settings.offsets
        place = bisect_right(self._changes, at)
        minutes = offsets[max(place - 1, 0)].minutes if offsets else 0
        day, minute = divmod(at // _MINUTE + minutes, MIDNIGHT)
        return day + _EPOCH, minute


def _ordinal(day: str) -> int:
    return date.fromisoformat(day).toordinal()


class Calendars:
    """All calendars."""

    def __init__(self) -> None:
        self._calendars: dict[str, Calendar] = {}

    def configure(self, calendar_id: str, event: Event) -> None:
        """Take over one calendar's settings, or that it is gone."""
        self._calendars.pop(calendar_id, None)
        if isinstance(event, CalendarConfigured):
            self._calendars[calendar_id] = Calendar(event)

    def is_open(self, calendar_id: str, at: Instant) -> bool:
        """Whether this calendar is open; one that is not there closes nothing."""
        calendar = self._calendars.get(calendar_id)
        return calendar is None or calendar.is_open(at)
