"""How values are written on screens: times in the site's zone, durations, telephone numbers."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import phonenumbers
from flask import Flask, request
from markupsafe import Markup

from orchestrator.domain.kernel import Instant
from projections.reading import ERASED, SEALED
from web.access import names
from web.access.visitor import me
from web.parts import place

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HIDDEN: Final = "****"
# Of a number that is masked, so much is shown where it is long enough for that to give nothing away: of a short one
# fewer of the last digits, so that as many are always hidden.
_FIRST, _LAST, _LEAST_HIDDEN, _LONG_ENOUGH = 3, 4, 3, 9


def install(app: Flask) -> None:
    """Give templates the filters."""
    app.jinja_env.filters.update(
        clock=clock,
        moment=moment,
        day=day,
        half_hour=half_hour,
        when=when,
        duration=duration,
        number=number,
        masked=mask,
        since=since,
        spent=spent,
        field_time=field_time,
    )
    app.jinja_env.globals.update(me=me, here=here, role_names=names.of_roles)


def here() -> str:
    """The path and query of this page, to come back to; of a form's answer, the start page."""
    return request.full_path.rstrip("?") if request.method == "GET" else "/"


def local(instant: Instant) -> datetime:
    """The instant in the site's zone."""
    return (_EPOCH + timedelta(microseconds=instant)).astimezone(place().timezone)


def clock(instant: Instant | None) -> Markup:
    """The time of day, 10:15:00; day and offset on hovering."""
    return _time(instant, "%H:%M:%S")


def moment(instant: Instant | None) -> Markup:
    """Day and time of day, 2026-11-22 10:15:00; the offset on hovering."""
    return _time(instant, "%Y-%m-%d %H:%M:%S")


def half_hour(instant: Instant | None) -> Markup:
    """When a half hour begins, 10:30; day and offset on hovering."""
    return _time(instant, "%H:%M")


def day(instant: Instant | None) -> Markup:
    """The day, 2026-11-22."""
    return _time(instant, "%Y-%m-%d")


def field_time(instant: Instant) -> str:
    """The value of a field of type datetime-local, 2026-11-22T10:15:00."""
    return f"{local(instant):%Y-%m-%dT%H:%M:%S}"


def when(found: datetime) -> Markup:
    """The same for a moment that the database tells."""
    return moment(Instant(round(found.timestamp() * 1_000_000)))


def since(instant: Instant | None) -> Markup:
    """How long ago, counted up by the page itself; without scripts, the time of day."""
    if not instant:
        return Markup("")
    found = local(instant)
    return Markup('<time class="since" data-since="{}" datetime="{}" title="{}">{}</time>').format(
        instant // 1000, found.isoformat(timespec="seconds"), _whole(found), f"{found:%H:%M:%S}"
    )


def spent(milliseconds: int, running: Instant | None = None) -> Markup:
    """A time that was spent, 45:10; with `running`, what has passed since then is added, and the page counts it on."""
    if running is None:
        return Markup("<span>{}</span>").format(duration(milliseconds))
    return Markup('<time class="since" data-since="{}" datetime="PT{}S">{}</time>').format(
        running // 1000 - milliseconds, milliseconds // 1000, duration(milliseconds)
    )


def duration(milliseconds: float | None) -> str:
    """02:05, or 1:02:05 from an hour on; nothing for None."""
    if milliseconds is None:
        return ""
    minutes, seconds = divmod(max(0, int(milliseconds)) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def mask(text: str) -> str:
    """The number with its middle hidden, 138****8000; what is short or no number is hidden whole."""
    plain = national(text)
    digits = re.sub(r"[^0-9+]", "", plain)
    if text in ("", ERASED, SEALED):
        return text
    if len(digits) < _LONG_ENOUGH:
        return _HIDDEN
    country = digits[: len(digits) - len(digits.lstrip("+"))]
    rest = digits.lstrip("+")
    last = min(_LAST, len(rest) - _FIRST - _LEAST_HIDDEN)
    return f"{country}{rest[:_FIRST]}{_HIDDEN}{rest[len(rest) - last :]}"


def number(text: str) -> str:
    """The number, whole for those who may see whole numbers, else masked."""
    return national(text) if me().may("numbers.clear") else mask(text)


def national(text: str) -> str:
    """A number of the site's own country without its code, others as +49…; anything else as it is."""
    if not re.fullmatch(r"\+[0-9]{4,15}", text):
        return text
    try:
        parsed = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return text
    home = phonenumbers.country_code_for_region(place().region)
    return phonenumbers.national_significant_number(parsed) if parsed.country_code == home else text


def _time(instant: Instant | None, form: str) -> Markup:
    if not instant:
        return Markup("")
    found = local(instant)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        found.isoformat(timespec="seconds"), _whole(found), found.strftime(form)
    )


def _whole(found: datetime) -> str:
    offset = found.strftime("%z")
    return f"{found:%Y-%m-%d %H:%M:%S} {offset[:3]}:{offset[3:]}"
