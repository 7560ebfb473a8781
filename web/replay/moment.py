"""A moment of the past as the replay page shows it: the floor of then, what had just happened, what comes next."""

from collections.abc import Sequence
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask_babel import gettext
from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts.events import OfferMade, OfferWidened
from orchestrator.domain.kernel import SECOND, Instant, Record, ident_of, kind_of
from orchestrator.domain.observed import Observed
from orchestrator.domain.world import World
from orchestrator.replay import Past, Scrubber, stops
from orchestrator.replay.picture import picture
from orchestrator.replay.stops import QueueAbove, Stop
from web.floor.counts import counted_then
from web.floor.levels import Levels
from web.floor.picture import Floor, floor_at
from web.replay.changes import changes
from web.words import Line, Names, reasons
from web.words.events import about, sentence

# What had just happened: as many lines as fit beside the tables.
RECENT: Final = 12
# Records looked through for a place to stop, at most, in one answer: about half a second's work.
LOOKED: Final = 20_000

_LAST: Final = 230 * 365 * 86_400 * SECOND


class Happened(Struct, frozen=True):
    """One event in words."""

    position: int
    at: Instant
    who: str
    words: str
    contact_id: str = ""
    since_then: bool = False
    """Whether it happened after what was shown before."""


class Decided(Struct, frozen=True):
    """Why an offer went where it went."""

    rule: str
    lines: Sequence[Line]
    others: Sequence[str]


class Moment(Struct, frozen=True, kw_only=True):
    """The state after `position`, seen at `at`."""

    at: Instant
    position: int
    world: Observed
    recent: Sequence[Happened]
    next_position: int
    """The event after it, 0 at the end of the log."""
    previous_position: int
    decided: Decided | None
    """Where the last event is an offer."""
    names: Names
    put_back: int
    """By how many microseconds a clock had been put back: then `at` was there twice, and this is the second time."""
    changed: Sequence[str] | None = None
    """Since what was shown before; None where nothing was."""
    stopped: str = ""
    """The place to stop that was come to."""

    @property
    def picture(self) -> dict[str, Any]:
        """The state for programs."""
        return picture(self.world, self.at, position=self.position)

    def floor(self, zone: ZoneInfo) -> Floor:
        """The state as leaders see the present, with what was counted by then of its day in this zone."""
        then = counted_then(self.world, self.at, zone)
        if then is None:
            return floor_at(self.world, self.at, Levels(), None)
        return floor_at(self.world, self.at, Levels(), then.of_queue, whole=then.whole)


def in_calendar(instant: Instant) -> Instant:
    """The instant, or the nearest that every zone has a date for: 1970 to 2200."""
    return Instant(min(max(instant, 0), _LAST))


def moment_at(scrubber: Scrubber, instant: Instant, *, shown: int = 0) -> Moment:
    """The moment at an instant. `shown`: the position that was shown before. Raises `Away`."""
    return _moment(scrubber, scrubber.as_of(in_calendar(instant)), shown)


def moment_of(scrubber: Scrubber, position: int, *, shown: int = 0) -> Moment:
    """The moment just after the event at a position. Raises `Away`."""
    at = next((record.about.at for record in scrubber.steps(position - 1, 1)), Instant(0))
    world, highest = scrubber.past_of(position)
    return _moment(scrubber, Past(world, at, position, highest), shown)


def moment_after(scrubber: Scrubber, shown: int, until: Instant, wanted: tuple[Stop, ...]) -> Moment:
    """What comes after the position that was shown: the first place to stop, or the moment at `until`, or how far could
    be looked in one go. Raises `Away`.
    """
    records = scrubber.between(shown, scrubber.position_at(until))
    found = stops.first(scrubber.at_position(shown), islice(records, LOOKED), wanted, shown)
    if found.stop is not None:
        moment = moment_of(scrubber, found.position, shown=shown)
        return replace(moment, stopped=words_of(found.stop, moment.names, found.queue_id))
    if next(records, None) is not None:
        return moment_of(scrubber, found.position, shown=shown)
    return moment_at(scrubber, until, shown=shown)


def words_of(stop: Stop, names: Names, queue_id: str = "") -> str:
    """A place to stop in words."""
    if isinstance(stop, QueueAbove):
        queue = names.queue(queue_id or stop.queue_id)
        return str(gettext("%(queue)s: more than %(most)s waiting", queue=queue, most=stop.most))
    return stop.name


def names_of(world: World) -> Names:
    """What ids were called then."""
    return Names(
        agents={agent.agent_id: f"{agent.name} ({agent.number})" for agent in world.agents.values()},
        queues={queue.queue_id: queue.settings.name for queue in world.queues.values()},
        shifts={shift.shift_id: shift.agent_id for shift in world.shifts.values()},
    )


def _moment(scrubber: Scrubber, past: Past, shown: int) -> Moment:
    position = past.position
    names = names_of(past.world)
    # Positions may be missing from the log (failed appends burn them), so more are asked for than are shown.
    before = [r for r in scrubber.steps(max(0, position - 3 * RECENT), 3 * RECENT) if r.position <= position]
    following = scrubber.steps(position, 1)
    return Moment(
        at=past.at,
        position=position,
        world=past.world,
        recent=[_happened(record, names, shown) for record in reversed(before[-RECENT:])],
        next_position=following[0].position if following else 0,
        previous_position=before[-2].position if len(before) > 1 else 0,
        decided=_decided(before[-1], names) if before else None,
        names=names,
        put_back=past.put_back,
        changed=changes(scrubber.at_position(shown), past.world, names) if shown else None,
    )


def _happened(record: Record, names: Names, shown: int) -> Happened:
    contact_id = ident_of(record.stream) if kind_of(record.stream) == "contact" else ""
    return Happened(
        record.position,
        record.about.at,
        about(record, names),
        sentence(record, names),
        contact_id,
        0 < shown < record.position,
    )


def _decided(record: Record, names: Names) -> Decided | None:
    if not isinstance(record.event, OfferMade | OfferWidened) or record.event.decision is None:
        return None
    chosen = frozenset(held.agent_id for held in record.event.reservations)
    return Decided(*reasons(record.event.decision, chosen, names))
