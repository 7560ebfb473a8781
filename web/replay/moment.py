"""A moment of the past as the replay page shows it: the picture, what had just happened, what comes next."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from orchestrator.domain.contacts.events import OfferMade
from orchestrator.domain.kernel import SECOND, Instant, Record, ident_of, kind_of
from orchestrator.domain.world import World
from orchestrator.replay import Scrubber
from orchestrator.replay.picture import picture
from web.words import Line, Names, reasons
from web.words.events import about, sentence

# What had just happened: as many lines as fit beside the tables.
RECENT: Final = 12


_LAST: Final = 230 * 365 * 86_400 * SECOND


class Happened(Struct, frozen=True):
    """One event in words."""

    position: int
    at: Instant
    who: str
    words: str
    contact_id: str = ""


class Decided(Struct, frozen=True):
    """Why an offer went where it went."""

    rule: str
    lines: Sequence[Line]
    others: Sequence[str]


class Moment(Struct, frozen=True):
    """The state after `position`, seen at `at`."""

    at: Instant
    position: int
    picture: dict[str, Any]
    recent: Sequence[Happened]
    next_position: int
    """The event after it, 0 at the end of the log."""
    previous_position: int
    decided: Decided | None
    """Where the last event is an offer."""
    names: Names


def in_calendar(instant: Instant) -> Instant:
    """The instant, or the nearest that every zone has a date for: 1970 to 2200."""
    return Instant(min(max(instant, 0), _LAST))


def moment_at(scrubber: Scrubber, instant: Instant) -> Moment:
    """The moment at an instant. Raises `Away`."""
    instant = in_calendar(instant)
    past = scrubber.as_of(instant)
    return _moment(scrubber, past.world, past.position, instant)


def moment_of(scrubber: Scrubber, position: int) -> Moment:
    """The moment just after the event at a position. Raises `Away`."""
    at = next((record.about.at for record in scrubber.steps(position - 1, 1)), Instant(0))
    return _moment(scrubber, scrubber.at_position(position), position, at)


def names_of(world: World) -> Names:
    """What ids were called then."""
    return Names(
        agents={agent.agent_id: f"{agent.name} ({agent.number})" for agent in world.agents.values()},
        queues={queue.queue_id: queue.settings.name for queue in world.queues.values()},
        shifts={shift.shift_id: shift.agent_id for shift in world.shifts.values()},
    )


def _moment(scrubber: Scrubber, world: World, position: int, at: Instant) -> Moment:
    names = names_of(world)
    # Positions may be missing from the log (failed appends burn them), so more are asked for than are shown.
    before = [r for r in scrubber.steps(max(0, position - 3 * RECENT), 3 * RECENT) if r.position <= position]
    following = scrubber.steps(position, 1)
    return Moment(
        at=at,
        position=position,
        picture=picture(world, at, position=position),
        recent=[_happened(record, names) for record in reversed(before[-RECENT:])],
        next_position=following[0].position if following else 0,
        previous_position=before[-2].position if len(before) > 1 else 0,
        decided=_decided(before[-1], names) if before else None,
        names=names,
    )


def _happened(record: Record, names: Names) -> Happened:
    contact_id = ident_of(record.stream) if kind_of(record.stream) == "contact" else ""
    return Happened(record.position, record.about.at, about(record, names), sentence(record, names), contact_id)


def _decided(record: Record, names: Names) -> Decided | None:
    if not isinstance(record.event, OfferMade):
        return None
    chosen = frozenset(held.agent_id for held in record.event.reservations)
    return Decided(*reasons(record.event.decision, chosen, names))
