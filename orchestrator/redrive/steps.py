"""What was recorded of each step: its input, what the log holds of it, what it told."""

import re
from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from orchestrator.domain.kernel import LIVE_KINDS, Instant, Record, kind_of
from orchestrator.domain.switch.instructions import Instruction
from orchestrator.tape.form import Hole, Recorded, Told

Order = tuple[int, int, int]
"""(epoch, number, ordinal): the ids of inputs sort so as they were taken."""
_INPUT: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})(?:\.([0-9]{1,9}))?")


class Given(Struct, frozen=True):
    """A line of the tape that was an input, and what its steps told, by their ids."""

    line: Recorded
    told: Mapping[str, tuple[Instruction, ...]]
    cut: bool
    """Whether the tape breaks off behind it: what was told may be missing."""


def order_of(input_id: str) -> Order | None:
    """Where this input stands among all; None for an id that no engine gave."""
    found = _INPUT.fullmatch(input_id)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def grouped(items: Iterable[Recorded | Hole]) -> Iterator[Given | Hole]:
    """Each input together with the lines of what was told because of it, which follow it."""
    line: Recorded | None = None
    told: dict[str, tuple[Instruction, ...]] = {}
    for item in items:
        if isinstance(item, Recorded) and isinstance(item.body, Told):
            told[item.id] = item.body.instructions
            continue
        if line is not None:
            yield Given(line, told, isinstance(item, Hole))
        line, told = None, {}
        if isinstance(item, Hole):
            yield item
        else:
            line = item
    if line is not None:
        yield Given(line, told, cut=True)


class Stored:
    """The live records of a log by the input that led to them. `records` in the order of the log."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._of_input: dict[str, list[Record]] = {}
        self._begun: list[tuple[Order, int, str, Instant]] = []
        self.last: dict[int, Order] = {}
        """The last input of each epoch of which anything is stored."""
        for record in records:
            cause = record.about.causation
            order = order_of(cause) if kind_of(record.stream) in LIVE_KINDS else None
            if order is None:
                continue
            if cause not in self._of_input:
                self._begun.append((order, record.position, cause, record.about.at))
            self._of_input.setdefault(cause, []).append(record)
            self.last[order[0]] = max(order, self.last.get(order[0], order))
        self._begun.sort()

    def of(self, input_id: str) -> Sequence[Record]:
        """What is stored of this input, in its order."""
        return self._of_input.get(input_id, ())

    def before(self, order: Order) -> int | None:
        """The last position before anything of this input or a later one; None where there is no such thing."""
        found = bisect_left(self._begun, (order, 0, "", Instant(0)))
        return self._begun[found][1] - 1 if found < len(self._begun) else None

    def undriven(
        self, driven: Container[str], window: tuple[Instant, Instant], between: tuple[Order | None, Order | None]
    ) -> int:
        """How many are stored of a window's inputs that were not driven, between two of them where these are given (all
        bounds included).
        """
        (since, until), (first, last) = window, between
        return sum(
            len(self._of_input[cause])
            for order, _, cause, at in self._begun
            if cause not in driven
            and since <= at <= until
            and (first is None or first <= order)
            and (last is None or order <= last)
        )
