"""The day's counts. Of the present they are read from the read models now and then while somebody looks, so that
drawing reads no database; of the past they stand in the state of then.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

import gevent
import structlog
from msgspec import Struct

from orchestrator.domain.kernel import Instant
from orchestrator.domain.observed import Observed
from projections import queue_state
from projections.base import Site
from projections.reading import NOT_BUILT, Away, Reading
from projections.service_level import DEFAULT, FORMULAS

log = structlog.get_logger(__name__)

EVERY_S: Final = 2.0
ABANDONED: Final = "abandoned_of_offered"


class Today(Struct, frozen=True):
    """One queue's day so far. Percentages are None where nobody has called."""

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    service_level: float | None = None
    abandoned_share: float | None = None


NOTHING: Final = Today()


class Counts:
    """What was counted when it was last looked."""

    def __init__(self, reading: Reading, zone: tzinfo) -> None:
        self.of_queue: dict[str, Today] = {}
        self.whole = NOTHING
        self._reading = reading
        self._zone = zone
        self._looked = 0.0
        self._greenlet: Any = None

    def refresh(self) -> None:
        """Look now, unless it was just looked. Raises `Away` where the database is not there."""
        if time.monotonic() - self._looked < EVERY_S / 2:
            return
        today = datetime.now(UTC).astimezone(self._zone).date().isoformat()
        try:
            days = self._reading.reader.run(lambda connection: queue_state.days(connection, today, today))
        except NOT_BUILT:
            return  # there is nothing to count yet
        self.of_queue = {day.queue_id: today_of(day) for day in days}
        self.whole = today_of(queue_state.total(days))
        self._looked = time.monotonic()

    def keep(self, wanted: Callable[[], bool], changed: Callable[[], None]) -> "Counts":
        """Look every `EVERY_S` seconds while it is wanted, and say so each time: waits grow though nothing happens."""
        self._greenlet = gevent.spawn(self._keep, wanted, changed)
        return self

    def stop(self) -> None:
        """Look no more."""
        if self._greenlet is not None:
            self._greenlet.kill()

    def _keep(self, wanted: Callable[[], bool], changed: Callable[[], None]) -> None:
        while True:
            gevent.sleep(EVERY_S)
            if not wanted():
                continue
            try:
                self.refresh()
            except Away as away:
                log.info("counts-old", why=str(away))
                continue
            changed()


class Then(Struct, frozen=True):
    """The day of a moment that is over, as far as it had come by then."""

    of_queue: dict[str, Today]
    whole: Today


def counted_then(world: Observed, at: Instant, zone: ZoneInfo) -> Then | None:
    """What `Counts` had of the day of `at`, in the state of then; None where that is not known any more: a clock had
    been put back by a day.
    """
    site = Site(zone)
    days = world.counted(*site.bounds(site.day(at)))
    if days is None:
        return None
    return Then({day.queue_id: today_of(day) for day in days}, today_of(queue_state.total(days)))


def today_of(day: queue_state.Day) -> Today:
    """The figures of these counts."""
    return Today(
        offered=day.offered,
        answered=day.answered,
        abandoned=day.abandoned,
        service_level=FORMULAS[DEFAULT].of(day),
        abandoned_share=FORMULAS[ABANDONED].of(day),
    )
