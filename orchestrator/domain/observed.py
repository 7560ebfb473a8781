"""The live state with what was counted of the day beside it: what a look into the past folds, and what it shows.

The engine decides nothing by these counts, so the engine folds `World` alone and pays nothing for them. Here they are
kept by quarters of an hour, of which every zone's day consists, so a state that was kept is right wherever it is read.
"""

from typing import Final

from orchestrator.domain.contacts.contacts import Contact, ContactQueued, QueueVisitEnded, wait_began
from orchestrator.domain.kernel import SECOND, Happened, Instant
from orchestrator.domain.routing.counted import Day
from orchestrator.domain.routing.queues import Queue
from orchestrator.domain.world import Aggregate, World

# Every zone's offset is a multiple of this.
QUARTER: Final = 15 * 60 * SECOND
# Quarters in which somebody came, at most: those of the longest day, of 25 hours, and of one hour more.
KEPT: Final = 26 * 4

# Events by which something is counted.
COUNTED: Final = frozenset({ContactQueued, QueueVisitEnded})


class Observed(World):
    """The live state, and each queue's visits by the quarter of an hour in which they began."""

    def __init__(self) -> None:
        super().__init__()
        self.quarters: dict[int, dict[str, Day]] = {}
        """By number since 1970, in the order in which they began: the last `KEPT` of them."""
        self.forgotten: list[tuple[int, int]] = []
        """Quarters that are not kept any more, from one to another. One for each time that nobody came for so long, or
        that a clock was put forward or back by so much: what a wrong clock counted is forgotten like the rest.
        """

    def apply(self, record: Happened) -> tuple[Aggregate, Aggregate]:
        found = super().apply(record)
        if type(record.event) in COUNTED:
            self._count(found[0], record)
        return found

    def _count(self, before: Aggregate, record: Happened) -> None:
        event = record.event
        if type(event) is ContactQueued:
            if (day := self._day(event.queue_id, wait_began(event, record.about.at))) is not None:
                day.offered += 1
        elif type(event) is QueueVisitEnded and isinstance(before, Contact) and before.visit is not None:
            self._end(before.visit.queue_id, before.visit.began, event.outcome, record.about.at)

    def counted(self, begins: Instant, ends: Instant) -> list[Day] | None:
        """What was counted of each queue between these, which are quarters' beginnings; None where that is not known
        any more.
        """
        first, last = begins // QUARTER, ends // QUARTER
        if any(low < last and high >= first for low, high in self.forgotten):
            return None
        found: dict[str, Day] = {}
        for quarter, days in self.quarters.items():
            if first <= quarter < last:
                for queue_id, day in days.items():
                    found.setdefault(queue_id, Day(queue_id, "")).add(day)
        return [found[queue_id] for queue_id in sorted(found)]

    def _end(self, queue_id: str, queued_at: Instant, outcome: str, at: Instant) -> None:
        day = self._day(queue_id, queued_at)
        if day is None:
            return
        wait_ms = (at - queued_at) // 1000
        queue = self._queue_then(queue_id)
        if queue is None:
            day.end(outcome, wait_ms)
        else:
            day.end(outcome, wait_ms, queue.settings.answer_target_ms, queue.settings.short_abandon_ms)

    def _queue_then(self, queue_id: str) -> Queue | None:
        """How the queue was configured when this was."""
        return self.queues.get(queue_id)

    def _day(self, queue_id: str, began: Instant) -> Day | None:
        days = self._days(began // QUARTER)
        if days is None:
            return None
        day = days.get(queue_id)
        if day is None:
            day = days[queue_id] = Day(queue_id, "")
        return day

    def _days(self, quarter: int) -> dict[str, Day] | None:
        """What is counted of this quarter; None where it was forgotten."""
        days = self.quarters.get(quarter)
        if days is None:
            self.begin_quarter(quarter)
            days = self.quarters.get(quarter)
        return days

    def begin_quarter(self, quarter: int) -> int | None:
        """Keep count of this quarter, unless it was forgotten already; which other one is forgotten for it, if any."""
        if any(low <= quarter <= high for low, high in self.forgotten):
            return None
        self.quarters[quarter] = {}
        if len(self.quarters) <= KEPT:
            return None
        first = next(iter(self.quarters))
        self._forget(first)
        return first

    def _forget(self, quarter: int) -> None:
        del self.quarters[quarter]
        low, high = self.forgotten[-1] if self.forgotten else (quarter, quarter)
        if low <= quarter <= high + KEPT:
            self.forgotten[-1:] = [(low, max(high, quarter))]
        else:
            self.forgotten.append((quarter, quarter))
