"""When a figure calls for attention, and when it does so no more: thresholds that do not flicker.

A level rises where the figure passes `on`, and falls only where it comes back past `off`, which lies on the good side
of it. Between the two it stays what it was.
"""

from collections import OrderedDict
from typing import Final

from msgspec import Struct

CALM, WARN, ALARM = "calm", "warn", "alarm"
_KEPT: Final = 10_000


class Threshold(Struct, frozen=True):
    """Where a level begins and ends. A figure is bad when it is high, or, where `off` > `on`, when it is low."""

    on: float
    off: float

    def holds(self, value: float, *, before: bool) -> bool:
        """Whether the level holds at this value; `before`: whether it held until now."""
        edge = self.off if before else self.on
        return value <= edge if self.off > self.on else value >= edge


class Scale(Struct, frozen=True):
    """The two thresholds of a figure."""

    warn: Threshold
    alarm: Threshold


# What is usual in the trade, to be replaced by each queue's own once queues have such. Milliseconds, per cent, persons.
SCALES: Final = {
    "waiting": Scale(Threshold(3, 2), Threshold(6, 5)),
    "service_level": Scale(Threshold(80, 84), Threshold(65, 70)),
    "abandoned": Scale(Threshold(5, 4), Threshold(10, 8)),
}


def of_target(target_ms: int) -> Scale:
    """For the longest wait: from the queue's answer target on it warns, from three times that on it alarms; it ends a
    tenth below.
    """
    return Scale(Threshold(target_ms, 0.9 * target_ms), Threshold(3 * target_ms, 2.7 * target_ms))


class Levels:
    """The level of each figure as it was last judged."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, str] = OrderedDict()

    def judge(self, key: str, value: float | None, scale: Scale) -> str:
        """`calm`, `warn` or `alarm`; calm where there is no figure. Asked again of the same value it says the same."""
        before = self._last.get(key, CALM)
        level = CALM
        if value is not None:
            if scale.alarm.holds(value, before=before == ALARM):
                level = ALARM
            elif scale.warn.holds(value, before=before in (WARN, ALARM)):
                level = WARN
        self._last[key] = level
        self._last.move_to_end(key)
        if len(self._last) > _KEPT:
            self._last.popitem(last=False)
        return level
