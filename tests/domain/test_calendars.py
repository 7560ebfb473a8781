"""When somebody is there: weekly hours, midnight, holidays, moved working days, and clocks put forward and back."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.kernel import SECOND, Instant
from orchestrator.domain.routing.calendars import DAYS, Calendar, CalendarConfigured, Calendars, Spans
from orchestrator.service import calendar_days, site_admission

SHANGHAI = "Asia/Shanghai"
ZONES = (SHANGHAI, "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC")
TODAY = date(2026, 6, 1)


def at(text: str, zone: str = SHANGHAI, fold: int = 0) -> Instant:
    """The instant at which the clock on the wall of this zone shows this."""
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return Instant(int(local.timestamp()) * SECOND)


def calendar(
    hours: dict[str, str], *, zone: str = SHANGHAI, holidays: str = "", days: dict[str, Spans] | None = None
) -> Calendar:
    """A calendar with these hours, `{"mon": "09:00-18:00"}`, as a site's file would say it."""
    week = tuple(site_admission.spans(hours[day].split()) if day in hours else () for day in DAYS)
    settings = CalendarConfigured(name="Office", zone=zone, week=week, holidays=holidays, overrides=days or {})
    return Calendar(calendar_days.complete(settings, TODAY))


WEEKDAYS = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:30-12:00 13:30-18:00")


def test_several_spans_a_day_open_at_their_first_minute_and_close_at_their_last() -> None:
    """Feature 2.6."""
    office = calendar(WEEKDAYS)
    opens = [time for time in ("08:29", "08:30", "11:59", "12:00", "13:29", "13:30", "17:59", "18:00")
             if office.is_open(at(f"2026-06-01T{time}"))]  # fmt: skip
    assert opens == ["08:30", "11:59", "13:30", "17:59"]
    assert not office.is_open(at("2026-06-06T10:00")), "a Saturday"


def test_a_span_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    """Feature 2.6: Friday's night ends on Saturday morning, and Saturday has none of its own."""
    night = calendar({"fri": "22:00-06:00"})
    assert night.is_open(at("2026-06-05T23:00"))
    assert night.is_open(at("2026-06-06T05:59"))
    assert not night.is_open(at("2026-06-06T06:00"))
    assert not night.is_open(at("2026-06-05T05:00")), "Thursday had no night"


def test_a_whole_day_is_open_to_its_last_minute() -> None:
    always = calendar({"mon": "00:00-24:00"})
    assert always.is_open(at("2026-06-01T00:00"))
    assert always.is_open(at("2026-06-01T23:59"))
    assert not always.is_open(at("2026-06-02T00:00"))


def test_a_holiday_closes_and_a_moved_working_saturday_opens() -> None:
    """Feature 2.6 (调休): 2026-05-04 and 05 are off, and Saturday 2026-05-09 is worked instead."""
    office = calendar(WEEKDAYS, holidays="CN")
    assert not office.is_open(at("2026-05-04T10:00"))
    assert not office.is_open(at("2026-05-05T10:00"))
    assert office.is_open(at("2026-05-09T10:00"))
    assert not office.is_open(at("2026-05-09T12:30")), "with the hours of a Monday"
    assert not office.is_open(at("2026-05-16T10:00")), "a Saturday like any other"


def test_what_is_written_for_a_day_wins_over_everything() -> None:
    """Feature 2.6: the override table."""
    days: dict[str, Spans] = {"2026-05-05": ((600, 660),), "2026-05-09": (), "2026-06-01": ()}
    office = calendar(WEEKDAYS, holidays="CN", days=days)
    assert office.is_open(at("2026-05-05T10:30")), "a holiday on which somebody is there"
    assert not office.is_open(at("2026-05-09T10:00")), "a moved working day that is not worked here"
    assert not office.is_open(at("2026-06-01T10:00"))


def test_where_the_clock_is_put_forward_an_hour_is_missing_and_where_it_is_put_back_one_comes_twice() -> None:
    """Feature 2.6: Berlin, 2026-03-29 and 2026-10-25."""
    zone = "Europe/Berlin"
    sundays = calendar({"sun": "02:00-03:00"}, zone=zone)
    before = at("2026-03-29T01:59", zone)
    assert not sundays.is_open(before)
    assert not sundays.is_open(Instant(before + 60 * SECOND)), "it is three o'clock at once"
    assert sundays.is_open(at("2026-10-25T02:30", zone))
    assert sundays.is_open(at("2026-10-25T02:30", zone, fold=1))
    assert not sundays.is_open(at("2026-10-25T03:00", zone))


@given(
    zone=st.sampled_from(ZONES),
    moment=st.datetimes(min_value=datetime(2020, 1, 2), max_value=datetime(2049, 12, 30)),  # noqa: DTZ001 - UTC below
)
def test_offsets_say_what_the_clock_on_the_wall_says(zone: str, moment: datetime) -> None:
    """Property: the offsets in the event and the zone's own table agree, at every minute of the years they cover."""
    utc = moment.replace(tzinfo=UTC, microsecond=0)
    local = utc.astimezone(ZoneInfo(zone))
    instant = Instant(int(utc.timestamp()) * SECOND)
    day, minute = calendar({"mon": "09:00-10:00"}, zone=zone).local(instant)
    assert (day, minute) == (local.date().toordinal(), local.hour * 60 + local.minute)


_SPAN = st.tuples(st.integers(0, 1_439), st.integers(1, 1_439))


@given(
    week=st.lists(_SPAN, min_size=7, max_size=7),
    zone=st.sampled_from(ZONES),
    minute=st.integers(0, 60 * 24 * 400),
    override=st.one_of(st.none(), _SPAN),
)
def test_a_calendar_is_open_where_a_naive_look_at_the_wall_says_so(
    week: list[tuple[int, int]], zone: str, minute: int, override: tuple[int, int] | None
) -> None:
    """Property: days over midnight, overrides and daylight saving, against a slow and simple reading of the same."""
    spans: list[Spans] = [((start, start + length),) for start, length in week]
    utc = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    local = utc.astimezone(ZoneInfo(zone))
    days: dict[str, Spans] = {}
    if override is not None:
        days[local.date().isoformat()] = ((override[0], override[0] + override[1]),)
    settings = CalendarConfigured(name="Any", zone=zone, week=tuple(spans), overrides=days)
    found = Calendar(calendar_days.complete(settings, TODAY)).is_open(Instant(int(utc.timestamp()) * SECOND))

    def hours(day: date) -> Spans:
        return days.get(day.isoformat(), spans[day.weekday()])

    now = local.hour * 60 + local.minute
    today, yesterday = hours(local.date()), hours(local.date() - timedelta(days=1))
    assert found == (any(a <= now < b for a, b in today) or any(now + 1_440 < b for _, b in yesterday))


def test_a_calendar_that_is_not_there_closes_nothing() -> None:
    """Bad input: a removed calendar leaves nobody before a closed door."""
    calendars = Calendars()
    assert calendars.is_open("gone", at("2026-06-01T03:00"))
