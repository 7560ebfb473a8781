"""The live state as it was: the fold of the log's prefix up to an instant."""

import time
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from orchestrator.domain.kernel import Instant
from orchestrator.domain.world import World
from orchestrator.replay.moments import BadTime, local, parse_time
from orchestrator.replay.picture import picture
from orchestrator.store import Log


class Past(Struct, frozen=True):
    """The state at an instant, and the last position that is in it."""

    world: World
    at: Instant
    position: int


def as_of(log: Log, instant: Instant) -> Past:
    """The state as of an instant: every record up to the last one whose `at` is not later, configuration included.

    Its cost grows with the log before the instant. Raises `Away` where the database is not there.
    """
    world = World()
    position = log.position_at(instant)
    if position:
        for record in log.history(until=position):
            world.apply(record)
    return Past(world, instant, position)


def picture_at(
    log: Log, when: str, zone: ZoneInfo, *, now: Instant | None = None, personal: bool = False
) -> dict[str, Any]:
    """The picture (`replay.picture`) of the state at the time that `when` names, in `zone` unless it says otherwise.

    `now` is this machine's clock by default. Raises `BadTime` for a text that is no time, a time before the first
    event, and one in the future; `Away` where the database is not there.
    """
    instant = parse_time(when, zone)
    now = Instant(time.time_ns() // 1000) if now is None else now
    if instant > now:
        raise BadTime(f"{local(instant, zone)} is in the future; it is {local(now, zone)} now.")
    first = next(log.history(until=None, batch=1), None)
    if first is None:
        raise BadTime("The log is empty: there is no time to go back to yet.")
    if instant < first.about.at:
        raise BadTime(
            f"{local(instant, zone)} is before the beginning: the first event is of {local(first.about.at, zone)}."
        )
    past = as_of(log, instant)
    return picture(past.world, instant, position=past.position, personal=personal)
