"""Reasons in the site's file, and those of a site that lists none.

[pauses.usual]
reasons = [ { id = "break", name = "Break", names = { zh = "小休" }, most_s = 900 } ]

[wrapup.orders]
queues = ["orders"]
reasons = [
    { id = "taken", name = "Order taken" },
    { id = "changed", name = "Changed", reasons = [ { id = "other_day", name = "Another day" } ] },
]
"""

from functools import cache
from importlib import resources
from typing import Any, Final

from orchestrator.domain.kernel import Event, ident_of
from orchestrator.domain.routing.outside import HOME
from orchestrator.domain.staff import reasons
from orchestrator.domain.staff.reasons import (
    PauseReason,
    PauseReasonsConfigured,
    PauseReasonsRemoved,
    Reason,
    Reasons,
    WrapUpReason,
    WrapUpReasonsConfigured,
    WrapUpReasonsRemoved,
)
from orchestrator.service.site_rows import ROW_ID, names, rows, written
from orchestrator.service.site_values import ID, Field, Section, Unfit, from_ms, matching, seconds, text

_MOST_QUEUES: Final = 200
_queue: Final = matching(ID, "the id of a queue")


def _queues(value: object) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) > _MOST_QUEUES:
        raise Unfit('write a list of ids of queues, such as ["orders"], or leave it out where any queue is meant')
    return tuple(_queue(each) for each in value)


_REASON: Final = (
    Field("id", "id", ROW_ID, required=True),
    Field("name", "name", text, required=True),
    Field("names", "names", names),
)
_PAUSE: Final = (*_REASON, Field("most_s", "most_ms", seconds(0, 86_400), write=from_ms))
_BELOW: Final = Field(
    "reasons",
    "reasons",
    rows(Reason, _REASON, '{ id = "other_day", name = "Another day" }', may_be_none=True),
    write=written(_REASON),
)
_WRAP_UP: Final = (*_REASON, _BELOW)

PAUSES: Final = Section(
    "pauses",
    PauseReasonsConfigured,
    PauseReasonsRemoved,
    (
        Field(
            "reasons",
            "reasons",
            rows(PauseReason, _PAUSE, '{ id = "break", name = "Break", most_s = 900 }'),
            required=True,
            write=written(_PAUSE),
        ),
    ),
)
WRAP_UP: Final = Section(
    "wrapup",
    WrapUpReasonsConfigured,
    WrapUpReasonsRemoved,
    (
        Field("queues", "queues", _queues, write=list),
        Field(
            "reasons",
            "reasons",
            rows(WrapUpReason, _WRAP_UP, '{ id = "solved", name = "Solved" }'),
            required=True,
            write=written(_WRAP_UP),
        ),
    ),
)


def reasons_of(events: dict[str, Event]) -> Reasons:
    """The reasons among a site's configuration, stream by stream."""
    found = Reasons()
    for stream, event in events.items():
        found = reasons.evolve(found, event, ident_of(stream))
    return found


@cache
def usual() -> Reasons:
    """What agents choose from where a site lists nothing: the lists of the demo's configuration."""
    from orchestrator.service import site_file

    return reasons_of(site_file.read(demo_text(), region=HOME).events)


def demo_text() -> str:
    """The configuration that a site without one is given."""
    return resources.files("orchestrator.service").joinpath("site.toml").read_text(encoding="utf-8")
