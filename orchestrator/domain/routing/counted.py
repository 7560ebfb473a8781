"""What became of those who waited: how each queue visit is counted. A read model adds visits up by site-local day, a
look into the past by quarters of an hour; by what rule, stands here once.

Every count and wait is of queue visits, by our clock, and belongs to when the visit began.
"""

from typing import Final

from msgspec import Struct

from orchestrator.domain.routing.queues import QueueConfigured

# For a queue that was never configured, which cannot be: the defaults of `QueueConfigured`.
_UNKNOWN: Final = QueueConfigured(name="", skill="")


class Day(Struct):
    """Visits that began on this day. `left_otherwise`: timed out, stopped, switch lost; `timed_out` is a part of it."""

    queue_id: str
    day: str
    offered: int = 0
    answered: int = 0
    answered_in_target: int = 0
    abandoned: int = 0
    abandoned_in_target: int = 0
    abandoned_short: int = 0
    timed_out: int = 0
    left_otherwise: int = 0
    left_in_target: int = 0
    answered_wait_ms: int = 0
    abandoned_wait_ms: int = 0
    longest_wait_ms: int = 0

    def end(
        self,
        outcome: str,
        wait_ms: int,
        target_ms: int = _UNKNOWN.answer_target_ms,
        short_ms: int = _UNKNOWN.short_abandon_ms,
    ) -> None:
        """Count a visit that ended, by the queue's targets of then."""
        in_target = wait_ms <= target_ms
        self.longest_wait_ms = max(self.longest_wait_ms, wait_ms)
        match outcome:
            case "answered":
                self.answered += 1
                self.answered_in_target += in_target
                self.answered_wait_ms += wait_ms
            case "abandoned":
                self.abandoned += 1
                self.abandoned_in_target += in_target
                self.abandoned_short += wait_ms <= short_ms
                self.abandoned_wait_ms += wait_ms
            case _:
                self.left_otherwise += 1
                self.left_in_target += in_target
                self.timed_out += outcome == "timed_out"

    def add(self, other: "Day") -> None:
        """Count in what another one counted."""
        for field in _SUMS:
            setattr(self, field, getattr(self, field) + getattr(other, field))
        self.longest_wait_ms = max(self.longest_wait_ms, other.longest_wait_ms)


_SUMS: Final = tuple(field for field in Day.__struct_fields__ if field not in {"queue_id", "day", "longest_wait_ms"})


def total(counts: list[Day]) -> Day:
    """The sum of these, under the queue and day of none."""
    whole = Day("", "")
    for each in counts:
        whole.add(each)
    return whole
