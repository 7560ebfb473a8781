"""The days and offsets of a calendar, made when the configuration is applied: so the core needs no table of anybody's.

Holidays come from the library `holidays`, which also knows the working days that China moves to weekends (调休). Those
of a year are known once its government has published them, late in the year before; `known_until` says how far it goes.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.kernel import SECOND, Instant
from orchestrator.domain.routing.calendars import CalendarConfigured, Offset

# The same years for everybody and always: the same file makes the same events in whichever year it is applied.
_YEARS: Final = (2020, 2049)
# A country that moved working days within so many years does it every year.
_LOOK_BACK: Final = 4
ENDS_SOON: Final = timedelta(days=60)


class Days(Struct, frozen=True):
    """What is known of some years."""

    holidays: dict[str, str]
    moved_workdays: tuple[str, ...]
    known_until: str


def is_known(country: str) -> bool:
    """Whether the holidays of this country, or part of one (`DE-BY`), are known at all."""
    from holidays import list_supported_countries

    code, _, part = country.partition("-")
    parts = list_supported_countries(include_aliases=False).get(code)
    return parts is not None and (not part or part in parts)


@lru_cache(maxsize=100)
def days_of(country: str, first: int, last: int) -> Days:
    """Holidays and moved working days of these years. Raises NotImplementedError for a country that is not known."""
    wanted = range(first, last + 1)
    found = _library(country, range(first - _LOOK_BACK, last + 1))
    moved = sorted(day for day in getattr(found, "weekend_workdays", ()) if first - _LOOK_BACK <= day.year <= last)
    until = max((day.year for day in moved), default=last)
    return Days(
        holidays={day.isoformat(): name for day, name in sorted(found.items()) if day.year in wanted},
        moved_workdays=tuple(day.isoformat() for day in moved if day.year in wanted),
        known_until=date(until, 12, 31).isoformat(),
    )


def _library(country: str, years: range) -> Any:  # noqa: ANN401 - the library makes a class for each country
    # Its tables are large: only whoever asks has them.
    from holidays import country_holidays

    code, _, part = country.partition("-")
    made = country_holidays(code, subdiv=part or None, years=years)
    if "en_US" in made.supported_languages and made.language != "en_US":
        made = country_holidays(code, subdiv=part or None, years=years, language="en_US")
    return made


def complete(calendar: CalendarConfigured, today: date) -> CalendarConfigured:
    """The calendar with its offsets, and the holidays of this year and the next."""
    offsets = offsets_of(calendar.zone)
    until = date(_YEARS[1], 12, 31).isoformat() if len(offsets) > 1 else ""
    if not calendar.holidays:
        return replace(calendar, offsets=offsets, known_until=until)
    days = days_of(calendar.holidays, today.year, today.year + 1)
    return replace(
        calendar,
        offsets=offsets,
        holiday_days=days.holidays,
        moved_workdays=days.moved_workdays,
        known_until=min(filter(None, (days.known_until, until))),
    )


def ends_soon(calendar: CalendarConfigured, today: date) -> bool:
    """Whether the calendar runs out of days that are known."""
    return bool(calendar.known_until) and date.fromisoformat(calendar.known_until) - today < ENDS_SOON


@lru_cache(maxsize=100)
def offsets_of(zone: str) -> tuple[Offset, ...]:
    """The zone's offsets from UTC, each with the minute from which it holds; the first one for all time before."""
    where = ZoneInfo(zone)
    day = datetime(_YEARS[0], 1, 1, tzinfo=UTC)
    end = datetime(_YEARS[1] + 1, 1, 1, tzinfo=UTC)
    found = [Offset(Instant(0), _minutes(where, day))]
    while day < end:
        following = day + timedelta(days=1)
        if _minutes(where, following) != found[-1].minutes:
            change = _change(where, day, following)
            found.append(Offset(_instant(change), _minutes(where, change)))
        day = following
    return tuple(found)


def _change(where: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first minute with the later offset."""
    while after - before > timedelta(minutes=1):
        middle = before + timedelta(minutes=(after - before) // timedelta(minutes=2))
        if _minutes(where, middle) == _minutes(where, before):
            before = middle
        else:
            after = middle
    return after


def _minutes(where: ZoneInfo, at: datetime) -> int:
    offset = at.astimezone(where).utcoffset()
    return 0 if offset is None else offset // timedelta(minutes=1)


def _instant(at: datetime) -> Instant:
    return Instant(int(at.timestamp()) * SECOND)
