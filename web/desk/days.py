"""The day's counters of the agents whose desks are open, read from the read model whenever one of them did something.

Nothing is read while nothing happens: the page counts what runs on by itself. What several agents did within a quarter
of a second is read by one query, and drawing reads no database.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final
from zoneinfo import ZoneInfo

import gevent
import structlog
from gevent.event import Event

from orchestrator.domain.kernel import Instant
from projections import agent_workload
from projections.agent_workload import Running
from projections.base import Site
from projections.reading import NOT_BUILT, Away, Source
from projections.status import Late, wait_for

log = structlog.get_logger(__name__)

# How long more news is awaited before it is read (s), and how long the read model may take to have it.
SETTLE_S: Final = 0.25
_LATE_S: Final = 2.0
# After so long it is tried again where it could not be read, and looked whether another day has begun.
_AGAIN_S: Final = 2.0
_DAY_S: Final = 20.0


class Days:
    """What was read last. `wanted(agent_id)` says whether anybody looks, `changed` is told whose day is another now."""

    def __init__(
        self,
        reader: Source,
        zone: ZoneInfo,
        *,
        wanted: Callable[[str], bool],
        changed: Callable[[frozenset[str]], None],
    ) -> None:
        self._reader = reader
        self._site = Site(zone)
        self._wanted = wanted
        self._changed = changed
        self._of: dict[str, Running] = {}
        self._stale: dict[str, int] = {}
        """Whose day has to be read anew, and which position the read model must have come to."""
        self.looks = 0
        """How often it was read."""
        self._day = self._site.day(_now())
        self._wake = Event()
        self._greenlet: Any = None

    def start(self) -> "Days":
        """Begin to keep up."""
        self._greenlet = gevent.spawn(self._keep)
        return self

    def stop(self) -> None:
        """Read no more."""
        if self._greenlet is not None:
            self._greenlet.kill()

    def of(self, agent_id: str) -> Running | None:
        """The day of this agent; None where it was not read yet."""
        return self._of.get(agent_id)

    def look(self, agent_id: str) -> None:
        """Read the day of this agent now; while the database is away, what was read before stands."""
        with suppress(Away):
            self._read([agent_id])

    def note(self, position: int, topics: Iterable[str]) -> None:
        """The live state changed: what these agents did will be read."""
        for topic in topics:
            name, _, agent_id = topic.partition(":")
            if name == "agent" and self._wanted(agent_id):
                self._stale[agent_id] = position
                self._wake.set()

    def _keep(self) -> None:
        while True:
            self._wake.wait(_AGAIN_S if self._stale else _DAY_S)
            self._begin_day()
            if not self._stale:
                continue
            gevent.sleep(SETTLE_S)
            self._wake.clear()
            stale, self._stale = self._stale, {}
            try:
                known = self._catch_up(stale)
            except Away as away:
                log.info("days-old", why=str(away))
                known = False
            if not known:
                self._stale = {**stale, **self._stale}
                gevent.sleep(_AGAIN_S)

    def _begin_day(self) -> None:
        """At midnight every counter begins anew, though nobody did anything."""
        day = self._site.day(_now())
        if day != self._day:
            self._day = day
            for agent_id in filter(self._wanted, self._of):
                self._stale.setdefault(agent_id, 0)

    def _catch_up(self, stale: dict[str, int]) -> bool:
        """Read these; whether what was asked for is in it. Raises `Away`."""
        known = True
        try:
            wait_for(self._reader, agent_workload.NAME, max(stale.values()), _LATE_S)
        except Late as late:
            log.info("days-late", position=late.position, wanted=late.wanted)
            known = False
        before = {agent_id: self._of.get(agent_id) for agent_id in stale}
        known = self._read(list(stale)) and known
        self._changed(frozenset(agent_id for agent_id in stale if self._of.get(agent_id) != before[agent_id]))
        return known

    def _read(self, agent_ids: list[str]) -> bool:
        """Whether there is a read model to read them from. Raises `Away`."""
        try:
            self._of |= self._reader.run(
                lambda connection: agent_workload.today(connection, self._site, _now(), agent_ids)
            )
        except NOT_BUILT:
            log.info("days-not-built", remedy="it is read once `ringledger projections run` has built it")
            return False
        self.looks += 1
        return True


def _now() -> Instant:
    return Instant(time.time_ns() // 1000)
