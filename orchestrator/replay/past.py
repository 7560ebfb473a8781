"""The live state as it was: the fold of the log's prefix up to an instant."""

import time
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from orchestrator.domain.kernel import SECOND, Instant
from orchestrator.domain.observed import Observed
from orchestrator.replay import together
from orchestrator.replay.frozen import Damaged, thaw
from orchestrator.replay.moments import BadTime, local, parse_time
from orchestrator.replay.picture import picture
from orchestrator.replay.snapshots import Snapshots, log
from orchestrator.store import Log

# Two processes stamp before they append, so times may lie so far below an earlier one though no clock was put back.
DISORDER: Final = 10 * SECOND


class Past(Struct, frozen=True):
    """The state at an instant, and the last position that is in it."""

    world: Observed
    at: Instant
    position: int
    highest_at: Instant = Instant(0)
    """The latest time of the records that are in it."""

    @property
    def put_back(self) -> int:
        """By how many microseconds a clock had been put back before this: then the instant was there twice, and this
        is the second time. 0 where that is not so.
        """
        behind = self.highest_at - self.at
        return behind if behind > DISORDER else 0


def as_of(reading: Log, instant: Instant, snapshots: Snapshots | None = None) -> Past:
    """The state as of an instant: every record up to the last one whose `at` is not later, configuration included.

    From the nearest kept state where there are such; without, its cost grows with the log before the instant. Raises
    `Away` where the database is not there.
    """
    position = reading.position_at(instant) if snapshots is None else snapshots.position_at(reading, instant)
    world, highest = at_position(reading, position, snapshots)
    return Past(world, instant, position, highest)


def at_position(reading: Log, position: int, snapshots: Snapshots | None = None) -> tuple[Observed, Instant]:
    """The state after the record at a position, and the latest time in it. Raises `Away`."""
    world, known, highest = nearest(reading, position, snapshots)
    if not known and (found := together.folded(reading, position, Observed)) is not None:
        return found
    for each in reading.happened(after=known, until=position) if position > known else ():
        world.apply(each)
        highest = max(highest, each.about.at)
    return world, Instant(highest)


def nearest(reading: Log, position: int, snapshots: Snapshots | None) -> tuple[Observed, int, Instant]:
    """The nearest kept state, where it stands, and the latest time in it; the empty one where none can be had."""
    below = position
    while snapshots is not None and (kept := snapshots.before(below)) is not None:
        try:
            return thaw(kept.state, reading), kept.position, kept.highest_at
        except Damaged:
            log.exception("snapshot-unreadable", position=kept.position)
            below = kept.position - 1
    return Observed(), 0, Instant(0)


def refuse_outside(reading: Log, instant: Instant, zone: ZoneInfo, now: Instant) -> None:
    """Raises `BadTime` for an instant in the future, or before the first event, which it tells."""
    if instant > now:
        raise BadTime(f"{local(instant, zone)} is in the future; it is {local(now, zone)} now.")
    first = next(reading.history(until=None, batch=1), None)
    if first is None:
        raise BadTime("The log is empty: there is no time to go back to yet.")
    if instant < first.about.at:
        raise BadTime(
            f"{local(instant, zone)} is before the beginning: the first event is of {local(first.about.at, zone)}."
        )


def picture_at(
    reading: Log,
    when: str,
    zone: ZoneInfo,
    *,
    now: Instant | None = None,
    personal: bool = False,
    snapshots: Snapshots | None = None,
) -> dict[str, Any]:
    """The picture (`replay.picture`) of the state at the time that `when` names, in `zone` unless it says otherwise.

    `now` is this machine's clock by default. Raises `BadTime` for a text that is no time, a time before the first
    event, and one in the future; `Away` where the database is not there.
    """
    instant = parse_time(when, zone)
    refuse_outside(reading, instant, zone, clock() if now is None else now)
    past = as_of(reading, instant, snapshots)
    return picture(past.world, instant, position=past.position, personal=personal)


def clock() -> Instant:
    """Now, by this machine's clock."""
    return Instant(time.time_ns() // 1000)
