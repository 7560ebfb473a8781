"""Service level, abandons and waits: every formula in use, with a name and a version that are shown beside its figure.

The same day can be 70 % or 82 %, by formula. A formula that was published is never changed: a better one gets another
name, or the next version. The clock of all is ours: a wait lasts from `ContactQueued.at` to `QueueVisitEnded.at`
(answered: when caller and agent hear each other), without the time before the queue. Since version 2 the wait of a
caller who was found late begins when they came to the switch (`ContactQueued.came_at`). T is the queue's answer target,
and a short abandon one within the queue's threshold, both as configured when the visit ended.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

from msgspec import Struct

CLOCK: Final = "ours: ContactQueued.at, or its came_at where set, to QueueVisitEnded.at"
VERSION: Final = 2


class Counts(Protocol):
    """What is counted of queue visits, by the day on which they began (`queue_state.Day`)."""

    offered: int
    answered: int
    answered_in_target: int
    abandoned: int
    abandoned_in_target: int
    abandoned_short: int
    left_otherwise: int
    left_in_target: int
    answered_wait_ms: int
    abandoned_wait_ms: int


class Formula(Struct, frozen=True, kw_only=True):
    """How a figure is computed. `unit`: `%` or `ms`."""

    name: str
    version: int
    words: str
    unit: str
    numerator: Callable[[Counts], int]
    denominator: Callable[[Counts], int]
    clock: str = CLOCK

    def of(self, counts: Counts) -> float | None:
        """The figure, None where there is nothing to divide by."""
        below = self.denominator(counts)
        if below <= 0:
            return None
        above = self.numerator(counts)
        return 100 * above / below if self.unit == "%" else above / below


def _percent(
    name: str, words: str, numerator: Callable[[Counts], int], denominator: Callable[[Counts], int]
) -> Formula:
    return Formula(name=name, version=VERSION, words=words, unit="%", numerator=numerator, denominator=denominator)


def _answered_in_target(counts: Counts) -> int:
    return counts.answered_in_target


def _abandoned(counts: Counts) -> int:
    return counts.abandoned


def _offered(counts: Counts) -> int:
    return counts.offered


def _finished(counts: Counts) -> int:
    return counts.answered + counts.abandoned


_SERVICE_LEVELS: Final = (
    _percent("in_target_of_offered", "answered within T / offered", _answered_in_target, _offered),
    _percent("in_target_of_answered", "answered within T / answered", _answered_in_target, lambda c: c.answered),
    _percent("in_target_of_finished", "answered within T / (answered + abandoned)", _answered_in_target, _finished),
    _percent(
        "in_target_of_finished_without_short",
        "answered within T / (answered + abandoned - short abandons)",
        _answered_in_target,
        lambda c: _finished(c) - c.abandoned_short,
    ),
    _percent(
        "in_target_of_finished_and_left",
        "answered within T / (answered + abandoned + left otherwise)",
        _answered_in_target,
        lambda c: _finished(c) + c.left_otherwise,
    ),
    _percent(
        "in_target_of_offered_without_short",
        "answered within T / (offered - short abandons)",
        _answered_in_target,
        lambda c: c.offered - c.abandoned_short,
    ),
    _percent(
        "in_target_abandons_ignored",
        "answered within T / (offered - abandoned within T)",
        _answered_in_target,
        lambda c: c.offered - c.abandoned_in_target,
    ),
    _percent(
        "handled_in_target_of_finished",
        "(answered within T + abandoned within T) / (answered + abandoned)",
        lambda c: c.answered_in_target + c.abandoned_in_target,
        _finished,
    ),
    _percent(
        "out_of_queue_in_target",
        "(answered, abandoned or left otherwise, within T) / offered",
        lambda c: c.answered_in_target + c.abandoned_in_target + c.left_in_target,
        _offered,
    ),
)
_ABANDONS: Final = (
    _percent("abandoned_of_offered", "abandoned / offered", _abandoned, _offered),
    _percent("abandoned_of_finished", "abandoned / (answered + abandoned)", _abandoned, _finished),
    _percent(
        "abandoned_without_short",
        "(abandoned - short abandons) / (offered - short abandons)",
        lambda c: c.abandoned - c.abandoned_short,
        lambda c: c.offered - c.abandoned_short,
    ),
    _percent(
        "abandoned_without_short_of_finished",
        "(abandoned - short abandons) / (answered + abandoned - short abandons)",
        lambda c: c.abandoned - c.abandoned_short,
        lambda c: _finished(c) - c.abandoned_short,
    ),
)
_WAITS: Final = (
    Formula(
        name="average_speed_of_answer",
        version=VERSION,
        words="wait of answered / answered",
        unit="ms",
        numerator=lambda c: c.answered_wait_ms,
        denominator=lambda c: c.answered,
    ),
    Formula(
        name="average_wait_of_abandoned",
        version=VERSION,
        words="wait of abandoned / abandoned",
        unit="ms",
        numerator=lambda c: c.abandoned_wait_ms,
        denominator=lambda c: c.abandoned,
    ),
)

FORMULAS: Final[Mapping[str, Formula]] = MappingProxyType(
    {formula.name: formula for formula in (*_SERVICE_LEVELS, *_ABANDONS, *_WAITS)}
)
DEFAULT: Final = "in_target_of_offered"
"""The one that a screen shows where nobody chose another: it flatters least."""
