"""The ledger itself: every event, how everything was at an instant, where the log and what is read from it stand."""

import time
from typing import Annotated, Any, Final

import msgspec
from flask import abort
from msgspec import UNSET, Meta, Struct, UnsetType

from orchestrator.domain.kernel import MILLISECOND, Instant, Refused, UnknownEvent
from projections import audit_trail
from projections.catalogue import PROJECTIONS
from projections.status import position_of
from web.api.forms import Items, Json, Line, Ms, Paged, Position, Query, Time, Word, instant_of, items_of, time_of
from web.audit.shown import stored
from web.history.shown import names_now
from web.parts import parts
from web.past import past
from web.push.present import live
from web.replay.moment import Moment, moment_at, moment_of
from web.words import sentence

# PostgreSQL's bigint, which positions are.
LAST: Final = 2**63 - 1


class EventsQuery(Paged, frozen=True, kw_only=True):
    """What is looked for; what is not given does not narrow. `name` may stand several times."""

    about: Annotated[Word, Meta(description="The stream that it concerns, such as contact-….")] = ""
    stream: Word = ""
    actor: Annotated[Line, Meta(description="system, agent:<id>, user:<id>, token:<id>, admin:<name>.")] = ""
    name: tuple[Word, ...] = ()
    since: Annotated[Time | UnsetType, Meta(description="At this instant or later.")] = UNSET
    until: Annotated[Time | UnsetType, Meta(description="Before this instant.")] = UNSET
    since_position: Annotated[Position, Meta(description="Only events after this position.")] = 0
    unknown: Annotated[bool, Meta(description="Only events that this program does not know.")] = False
    oldest_first: bool = False


class LogEvent(Struct, frozen=True, kw_only=True):
    """One event of the log, without what it says. `unknown_version`: of one that this program does not know."""

    position: Position
    at: Time
    stream: str
    version: int
    name: str
    unknown_version: int | None
    actor: str
    origin: str
    about: str


class StoredEvent(LogEvent, frozen=True, kw_only=True):
    """The same with what it says: in words, and as it is stored, personal text masked."""

    words: str
    body: Annotated[Json, Meta(description="The event's fields; docs/events.md lists them.")]


class ReplayQuery(Query, frozen=True, kw_only=True):
    """An instant, or the moment just after the event at a position; now where neither is given."""

    at: Time | UnsetType = UNSET
    position: Position = 0


class Happened(Struct, frozen=True, kw_only=True):
    """An event in words."""

    position: Position
    at: Time
    who: str
    words: str
    contact_id: str


class Picture(Struct, frozen=True, kw_only=True):
    """Everything as it was after the event at `position`, seen at `at`; numbers and names masked, whoever looks.
    `next_position` is 0 at the end of the log. `clock_put_back_ms`: by so much a clock had been put back before, so
    that the instant was there twice, and this is the second time.
    """

    at: Time
    position: Position
    previous_position: Position
    next_position: Position
    clock_put_back_ms: Ms
    queues: Annotated[list[Json], Meta(description="Each queue: who waits, in the order of service; ringing, talking.")]
    shifts: Annotated[list[Json], Meta(description="Each agent who was signed in: state, reason, since when.")]
    contacts: Annotated[list[Json], Meta(description="Each contact in progress: visit, offer, segment, legs.")]
    nodes: Annotated[list[Json], Meta(description="Each switch.")]
    recent: list[Happened]


class Standing(Struct, frozen=True, kw_only=True):
    """How far each is: the log, the live state, and each read model (0: never built)."""

    position: Position
    live: Position
    models: dict[str, int]


def events(query: EventsQuery) -> Items[LogEvent]:
    """Every event there is: who did what, and who looked at what"""
    wanted = audit_trail.Filter(
        about=query.about,
        stream=query.stream,
        actor=query.actor,
        names=query.name,
        since=instant_of(query.since),
        until=instant_of(query.until),
        unknown=query.unknown,
        since_position=query.since_position,
    )
    with parts().reading.reader.borrow() as connection:
        page = audit_trail.trail(
            connection, wanted, cursor=query.cursor, limit=query.limit, oldest_first=query.oldest_first
        )
    return items_of(page, [_event(row) for row in page.items])


def event(position: str) -> StoredEvent:
    """One event, in words and as it is stored"""
    if not position.isdecimal() or not 0 < int(position) <= LAST:
        abort(404)
    record = next(iter(parts().reading.sealed.history(after=int(position) - 1, until=int(position))), None)
    if record is None:
        abort(404)
    name, body = stored(record)
    return StoredEvent(
        position=record.position,
        at=time_of(record.about.at),
        stream=record.stream,
        version=record.version,
        name=name,
        unknown_version=record.event.version if isinstance(record.event, UnknownEvent) else None,
        actor=record.about.actor,
        origin=record.about.origin,
        about=audit_trail.subject_of(record),
        words=sentence(record, names_now()[0]),
        body=msgspec.json.decode(body, type=Json),
    )


def replay(query: ReplayQuery) -> Picture:
    """Queues, agents and contacts as they were at an instant"""
    if query.position:
        if query.position > parts().reading.log.position():
            raise Refused("bad_position", "The log has not come to this position.")
        return _picture(moment_of(past().scrubber, query.position))
    return _picture(moment_at(past().scrubber, instant_of(query.at) or Instant(time.time_ns() // 1000)))


def position() -> Standing:
    """Where the log, the live state and the read models stand"""
    reading = parts().reading
    models = {name: position_of(reading.reader, name) for name in PROJECTIONS}
    return Standing(position=reading.log.position(), live=live().view.position, models=models)


def _event(row: audit_trail.Entry) -> LogEvent:
    return LogEvent(
        position=row.position,
        at=time_of(row.at),
        stream=row.stream,
        version=row.version,
        name=row.name,
        unknown_version=row.unknown_version,
        actor=row.actor,
        origin=row.origin,
        about=row.about,
    )


def _picture(found: Moment) -> Picture:
    whole: dict[str, Any] = found.picture
    return Picture(
        at=time_of(found.at),
        position=found.position,
        previous_position=found.previous_position,
        next_position=found.next_position,
        clock_put_back_ms=found.put_back // MILLISECOND,
        queues=whole["queues"],
        shifts=whole["shifts"],
        contacts=whole["contacts"],
        nodes=whole["nodes"],
        recent=[
            Happened(
                position=each.position, at=time_of(each.at), who=each.who, words=each.words, contact_id=each.contact_id
            )
            for each in found.recent
        ],
    )
