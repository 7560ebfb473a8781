"""Holidays and offsets as data: made when a file is applied, the same whenever, with an end that is known."""

from datetime import date

from orchestrator.domain.routing.calendars import CalendarConfigured
from orchestrator.service import calendar_days

WEEK = (((540, 1_080),),) * 5 + ((), ())


def test_a_year_of_china_has_its_holidays_and_its_moved_working_days() -> None:
    """Feature 2.6: 2026 as the State Council published it."""
    days = calendar_days.days_of("CN", 2026, 2026)
    assert {"2026-01-01", "2026-02-17", "2026-05-05", "2026-10-07"} <= set(days.holidays)
    assert days.moved_workdays == (
        "2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10",
    )  # fmt: skip
    assert all(name[0] < "\u4e00" for name in days.holidays.values()), "in one language, whatever the machine's is"


def test_a_year_whose_moved_days_are_not_published_is_not_known() -> None:
    """Complaint of every December: next year's working Saturdays are not in anybody's table yet."""
    settings = CalendarConfigured(name="o", zone="Asia/Shanghai", week=WEEK, holidays="CN")
    made = calendar_days.complete(settings, date(2026, 6, 1))
    assert made.known_until == "2026-12-31"
    assert not calendar_days.ends_soon(made, date(2026, 6, 1))
    assert calendar_days.ends_soon(made, date(2026, 11, 5))


def test_a_country_that_moves_no_days_is_known_to_the_end_of_the_next_year() -> None:
    made = calendar_days.complete(
        CalendarConfigured(name="o", zone="Europe/Berlin", week=WEEK, holidays="DE-BY"), date(2026, 6, 1)
    )
    assert made.known_until == "2027-12-31"
    assert "2026-01-06" in made.holiday_days, "of Bavaria, not of all Germany"


def test_the_same_file_makes_the_same_event_all_year() -> None:
    """Law 6: applying it again changes nothing."""
    settings = CalendarConfigured(name="o", zone="Europe/Berlin", week=WEEK, holidays="DE")
    assert calendar_days.complete(settings, date(2026, 1, 1)) == calendar_days.complete(settings, date(2026, 12, 31))


def test_a_zone_without_changes_has_one_offset_and_no_end() -> None:
    made = calendar_days.complete(CalendarConfigured(name="o", zone="Asia/Shanghai", week=WEEK), date(2026, 6, 1))
    assert [offset.minutes for offset in made.offsets] == [480]
    assert made.known_until == ""
    assert not calendar_days.ends_soon(made, date(2049, 12, 1))


def test_countries_and_parts_are_known_or_not() -> None:
    """Bad input."""
    assert calendar_days.is_known("CN")
    assert calendar_days.is_known("DE-BY")
    assert not calendar_days.is_known("DE-XX")
    assert not calendar_days.is_known("ZZ")
