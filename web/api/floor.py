"""Queues as they are now, and their day."""

import time
from typing import Annotated, Final

from msgspec import Meta, Struct

from orchestrator.domain.kernel import Instant
from projections import queue_state
from projections.base import Site
from projections.service_level import FORMULAS
from web.access.visitor import me
from web.api.forms import Items, Ms, Time, time_of
from web.floor.picture import floor_of
from web.floor.topics import kept
from web.parts import parts
from web.push.present import live

READY_S: Final = 2.0


class Figure(Struct, frozen=True, kw_only=True):
    """A figure of the day with the formula that made it. `value` is null where there is nothing to divide by."""

    name: str
    version: int
    formula: str
    clock: str
    unit: Annotated[str, Meta(description="`%` or `ms`.")]
    value: float | None


class QueueDay(Struct, frozen=True, kw_only=True):
    """Visits that began on this site-local day. `left_otherwise`: timed out, stopped, switch lost."""

    day: str
    offered: int
    answered: int
    answered_in_target: int
    abandoned: int
    abandoned_in_target: int
    abandoned_short: int
    timed_out: int
    left_otherwise: int
    left_in_target: int
    answered_wait_ms: Ms
    abandoned_wait_ms: Ms
    longest_wait_ms: Ms
    figures: list[Figure]


class Queue(Struct, frozen=True, kw_only=True):
    """A queue that is open, or in which somebody waits. `oldest`: since when the longest has been waiting."""

    queue_id: str
    name: str
    waiting: int
    callbacks: Annotated[int, Meta(description="Customers who are to be called back; those in their turn wait, too.")]
    expected_wait_ms: Annotated[
        Ms | None, Meta(description="How long somebody who calls now is expected to wait; null where nobody can say.")
    ]
    ringing: int
    talking: int
    oldest: Time | None
    answer_target_ms: Ms
    agents: Annotated[dict[str, int], Meta(description="Agents by state: ready, talking, wrapping_up, paused.")]
    today: QueueDay


def today() -> str:
    """The site-local day of now."""
    return Site(parts().settings.timezone).day(_now())


def queues() -> Items[Queue]:
    """Queues as they are now, with the day's counts and figures"""
    live().view.wait_ready(READY_S)
    day = today()
    with parts().reading.reader.borrow() as connection:
        days = {row.queue_id: row for row in queue_state.days(connection, day, day)}
    found = floor_of(live().view, kept().counts, kept().levels, me().scope)
    return Items(
        [
            Queue(
                queue_id=tile.queue_id,
                name=tile.name,
                waiting=tile.waiting,
                callbacks=tile.callbacks,
                expected_wait_ms=tile.expected_ms if tile.expected_ms >= 0 else None,
                ringing=tile.ringing,
                talking=tile.talking,
                oldest=time_of(tile.longest_since),
                answer_target_ms=tile.target_s * 1000,
                agents=tile.agents,
                today=_day(days.get(tile.queue_id, queue_state.Day(tile.queue_id, day))),
            )
            for tile in found.tiles
        ]
    )


def _day(row: queue_state.Day) -> QueueDay:
    figures = [
        Figure(
            name=formula.name,
            version=formula.version,
            formula=formula.words,
            clock=formula.clock,
            unit=formula.unit,
            value=formula.of(row),
        )
        for formula in FORMULAS.values()
    ]
    return QueueDay(
        day=row.day,
        offered=row.offered,
        answered=row.answered,
        answered_in_target=row.answered_in_target,
        abandoned=row.abandoned,
        abandoned_in_target=row.abandoned_in_target,
        abandoned_short=row.abandoned_short,
        timed_out=row.timed_out,
        left_otherwise=row.left_otherwise,
        left_in_target=row.left_in_target,
        answered_wait_ms=row.answered_wait_ms,
        abandoned_wait_ms=row.abandoned_wait_ms,
        longest_wait_ms=row.longest_wait_ms,
        figures=figures,
    )


def _now() -> Instant:
    return Instant(time.time_ns() // 1000)
