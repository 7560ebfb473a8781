"""A whole day side by side: what the planning formula, Erlang C and A and the played day say of it, and how it was."""

from collections.abc import Iterable, Mapping
from math import inf

from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _l
from msgspec import Struct

from orchestrator.whatif.asking import Figure
from projections.sizing import Row, Sheet
from web.sizing.words import percent


class Said(Struct, frozen=True, kw_only=True):
    """What one of them says. `hours`: of agents that it asks for, or that there were. The rest is about those who were
    there; None where it says nothing of it. `wait_s`: mean wait of all; `inf` where the queue never ends.
    """

    name: LazyString
    hours: float | None
    level: float | None = None
    gives_up: float | None = None
    wait_s: float | None = None
    load: float | None = None


def beside(sheet: Sheet, played: Mapping[str, Figure] | None) -> list[Said]:
    """One below the other; the played day where it was played, with unchanged rules."""
    rows = [row for row in sheet.rows if row.demand.calls]
    there = sum(row.there for row in sheet.rows)
    busy = sum(row.load * row.there for row in sheet.rows if row.load is not None)
    found = [
        Said(name=_l("Planning formula"), hours=_hours(row.sizes.planning.agents for row in rows)),
        _erlang(_l("Erlang C"), rows, patient=True),
        _erlang(_l("Erlang A"), rows, patient=False),
    ]
    if played is not None:
        found.append(_played(played))
    found.append(
        Said(
            name=_l("Really"),
            hours=_hours(row.there for row in sheet.rows),
            level=_mean(rows, [row.reached for row in rows]),
            gives_up=_mean(rows, [row.gave_up for row in rows]),
            load=busy / there if there else None,
        )
    )
    return found


def reasons(sheet: Sheet, played: Mapping[str, Figure] | None) -> list[str]:
    """Why they differ over a whole day."""
    rows = [row for row in sheet.rows if row.demand.calls]
    patient = _mean(rows, [row.patient.level if row.patient else None for row in rows])
    impatient = _mean(rows, [row.impatient.level if row.impatient else None for row in rows])
    if patient is None or impatient is None:
        return []
    found = [
        gettext(
            "Of those who were there Erlang C expects %(patient)s%% in time and Erlang A %(impatient)s%%: in the first"
            " nobody gives up, so where there was more work than agents the queue only grows; in the second those who"
            " give up make room. Both take each half hour by itself, as if it had begun long ago and nothing waited"
            " from the one before.",
            patient=percent(patient),
            impatient=percent(impatient),
        )
    ]
    level = played["service_level"].same if played is not None else None
    if level is None:
        return found
    return [
        *found,
        gettext(
            "Played call by call through the rules that decide live, %(played)s%%: with the calls when they came, the"
            " time that phones ring, rings that nobody answers, agents of several skills who are there once and not"
            " for each queue anew, and queues that one half hour leaves to the next. No formula knows of these.",
            played=percent(level.mean),
        ),
    ]


def _erlang(name: LazyString, rows: list[Row], *, patient: bool) -> Said:
    served = [row.patient if patient else row.impatient for row in rows]
    waits = [each.wait_s if each else None for each in served]
    return Said(
        name=name,
        hours=_hours((row.sizes.erlang_c if patient else row.sizes.erlang_a).agents for row in rows),
        level=_mean(rows, [each.level if each else None for each in served]),
        gives_up=_mean(rows, [each.gives_up if each else None for each in served]),
        wait_s=inf if inf in waits else _mean(rows, waits),
    )


def _played(figures: Mapping[str, Figure]) -> Said:
    def mean(name: str) -> float | None:
        found = figures[name].same
        return found.mean if found is not None else None

    return Said(
        name=_l("Played, as it was"),
        hours=mean("agent_hours"),
        level=mean("service_level"),
        gives_up=mean("given_up"),
        wait_s=mean("wait_s"),
        load=mean("occupancy"),
    )


def _hours(agents: Iterable[float]) -> float:
    return sum(agents) / 2


def _mean(rows: list[Row], values: list[float | None]) -> float | None:
    """The mean over all calls of the half hours that have something to say; None where none has."""
    known = [(row.demand.calls, value) for row, value in zip(rows, values, strict=True) if value is not None]
    calls = sum(count for count, _ in known)
    return sum(count * value for count, value in known) / calls if calls else None
