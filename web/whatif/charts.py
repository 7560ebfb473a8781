"""Lines over the half hours of a day, drawn on the server: points of an SVG, its axis, and what stands beside it.

The three series differ in dash and mark, not in colour alone; the same figures stand in a table below them.
"""

from collections.abc import Sequence
from typing import Final

from flask_babel import LazyString
from msgspec import Struct

from orchestrator.domain.kernel import Instant
from orchestrator.whatif.asking import Answer, HalfHour
from web.whatif import words

WIDTH: Final = 560
HEIGHT: Final = 220
LEFT: Final = 44
_RIGHT: Final = 8
TOP: Final = 10
BOTTOM: Final = 190
SERIES: Final = ("real", "same", "wanted")
_LABELS_APART: Final = 70
_HALF: Final = 0.5
# A label that begins further right would not end on the picture.
_LAST: Final = WIDTH - 36


class Line(Struct, frozen=True):
    """One series: its pieces, as SVG points, between gaps; and where its marks stand."""

    series: str
    pieces: list[str]
    marks: list[tuple[float, float]]


class Chart(Struct, frozen=True):
    """One figure over the day. `rungs`: height and label of each line across; `hours`: place and time below."""

    name: str
    label: LazyString
    lines: list[Line]
    rungs: list[tuple[float, str]]
    hours: list[tuple[float, Instant]]


def charts(answer: Answer) -> list[Chart]:
    """A chart for each figure of `words.CHARTS`, over the half hours in which anything was."""
    shown = busy(answer)
    series = SERIES if answer.changed else SERIES[:2]
    return [_chart(name, shown, series) for name in words.CHARTS] if len(shown) > 1 else []


def busy(answer: Answer) -> Sequence[HalfHour]:
    """The half hours from the first to the last in which anybody called or was there."""
    held = [
        number
        for number, each in enumerate(answer.half_hours)
        if any(each.real[name] for name in ("offered", "agent_hours"))
    ]
    return answer.half_hours[held[0] : held[-1] + 1] if held else ()


def _chart(name: str, shown: Sequence[HalfHour], series: Sequence[str]) -> Chart:
    values = {each: [getattr(half, each).get(name) for half in shown] for each in series}
    known = [value for found in values.values() for value in found if value is not None]
    top = _top(max(known, default=1.0), share=name in words.SHARES)
    step = (WIDTH - LEFT - _RIGHT) / (len(shown) - 1)
    every = max(1, -(-_LABELS_APART // int(max(step, 1))))
    return Chart(
        name=name,
        label=words.LABELS[name],
        lines=[_line(each, found, step, top) for each, found in values.items()],
        rungs=[(_height(top * part / 4, top), words.written(name, top * part / 4)) for part in range(5)],
        hours=[(at, shown[place].began) for place in range(0, len(shown), every) if (at := _at(place, step)) < _LAST],
    )


def _line(series: str, values: Sequence[float | None], step: float, top: float) -> Line:
    pieces: list[list[str]] = [[]]
    marks = []
    for place, value in enumerate(values):
        if value is None:
            pieces.append([])
            continue
        at = (_at(place, step), _height(value, top))
        pieces[-1].append(f"{at[0]},{at[1]}")
        marks.append(at)
    return Line(series, [" ".join(piece) for piece in pieces if len(piece) > 1], marks)


def _at(place: int, step: float) -> float:
    return round(LEFT + step * place, 1)


def _height(value: float, top: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * value / top, 1)


def _top(most: float, *, share: bool) -> float:
    """A round number that is not below the most."""
    if share and most > _HALF:
        return 1.0
    size = 0.01 if share else 1.0
    while True:
        for factor in (1, 2, 4, 8):
            if factor * size >= most:
                return factor * size
        size *= 10
