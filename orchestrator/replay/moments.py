"""An instant as people write it: ISO 8601, with a zone or in the site's own."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from orchestrator.domain.kernel import Instant, Refused

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_EXAMPLES: Final = "2026-01-31T10:15:00 or 2026-01-31T10:15:00.250+08:00"


class BadTime(Refused):
    """A time that cannot be used; the message says what to write instead."""

    def __init__(self, message: str) -> None:
        super().__init__("bad_time", message)


def parse_time(text: str, zone: ZoneInfo) -> Instant:
    """The instant that this text names; without a zone in it, `zone` is meant. Raises `BadTime`."""
    try:
        given = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadTime(f"{text[:40]!r} is not a time; write it like {_EXAMPLES}.") from None
    if given.tzinfo is None:
        given = _local(given, zone)
    try:
        return Instant((given - _EPOCH) // _MICROSECOND)
    except OverflowError:
        raise BadTime(f"{text[:40]!r} lies outside the calendar; write a time like {_EXAMPLES}.") from None


def iso(at: Instant) -> str:
    """An instant in UTC, to the microsecond: unambiguous, and sorts as text."""
    return (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def local(at: Instant, zone: ZoneInfo) -> str:
    """An instant as the site's people write it, with its offset."""
    there = datetime.max.replace(tzinfo=UTC) if at > 0 else datetime.min.replace(tzinfo=UTC)
    with suppress(OverflowError):  # past the calendar's ends it is the end, and within hours of them it stays in UTC
        there = _EPOCH + timedelta(microseconds=at)
        there = there.astimezone(zone)
    return there.isoformat(timespec="milliseconds")


def _local(given: datetime, zone: ZoneInfo) -> datetime:
    """The time in this zone. Where clocks were changed, a time may not exist or exist twice: that is refused."""
    first, second = given.replace(tzinfo=zone), given.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != given:
        raise BadTime(f"{given.isoformat()} does not exist in {zone.key}: the clocks were put forward over it.")
    raise BadTime(
        f"{given.isoformat()} exists twice in {zone.key}: the clocks were put back. "
        f"Write which one, {first.isoformat()} or {second.isoformat()}."
    )
