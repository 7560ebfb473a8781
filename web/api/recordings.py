"""Recordings: found as on their page, one with who heard it and what holds it, holds placed and lifted. Their sound is
for people only.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from projections import recordings as model
from projections import recordings_found
from web.access.sight import agents_in_sight
from web.api.forms import (
    Ident,
    Items,
    Line,
    Ms,
    Number,
    Paged,
    Position,
    Time,
    Word,
    Written,
    given,
    instant_of,
    items_of,
    number_of,
    time_of,
    written,
)
from web.history.shown import caller_of
from web.parts import parts
from web.recordings import shown
from web.writing import who

_Length = Annotated[int, Meta(ge=0, le=2**53, description="Milliseconds.")]


class RecordingsQuery(Paged, frozen=True, kw_only=True):
    """What is looked for; what is not given does not narrow."""

    agent: Annotated[Line, Meta(description="An employee number, or a part of an agent's name.")] = ""
    number: Annotated[Line, Meta(description="The caller's, however it is written.")] = ""
    name: Annotated[Line, Meta(description="The customer's name or company.")] = ""
    queue_id: Ident = ""
    contact_id: Ident = ""
    customer_id: Ident = ""
    order: Annotated[Ident, Meta(description="An order's reference, `7F3A-21C9`, or its id.")] = ""
    state: Annotated[Word, Meta(description="writing, finished, kept, discarded, lost, deleted.")] = ""
    problems: Annotated[bool, Meta(description="Only those with which something is wrong.")] = False
    held: Annotated[bool, Meta(description="Only those that are held.")] = False
    since: Annotated[Time | UnsetType, Meta(description="Begun at this instant or later.")] = UNSET
    until: Annotated[Time | UnsetType, Meta(description="Begun before this instant.")] = UNSET
    least_ms: _Length | UnsetType = UNSET
    most_ms: _Length | UnsetType = UNSET


class Recording(Struct, frozen=True, kw_only=True):
    """One recording. `state`: writing, finished (about to be sealed), kept, discarded (too short), lost, deleted (its
    time was over). `problem`: the last alarm's word. `digest`: SHA-256 of what the switch wrote. `holds`: how many
    stand. `medium`: that on which it lies, empty where it was not moved to one. `heard`: how often somebody began to
    listen.
    """

    name: str
    contact_id: str
    begun_at: Time
    node: str
    agent_id: str
    queue_id: str
    customer_id: str
    caller_number: Number
    state: str
    problem: str
    length_ms: Ms
    bytes: int
    digest: str
    medium: str
    holds: int
    heard: int
    position: Position


class Use(Struct, frozen=True, kw_only=True):
    """Somebody listened (`played`) or took a copy (`exported`)."""

    at: Time
    actor: str
    what: str
    reason: str
    address: str


class StandingHold(Struct, frozen=True, kw_only=True):
    """A hold that stands."""

    hold_id: str
    case: str
    reason: str


class RecordingInFull(Struct, frozen=True, kw_only=True):
    """A recording, the latest of who heard it, the holds that stand, and the orders that were opened in its call."""

    recording: Recording
    uses: list[Use]
    holds: list[StandingHold]
    orders: list[str]


class NewHold(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a recording is held for."""

    case: Annotated[Line, Meta(description="What the case is called; it stands in the clear.")]
    reason: Line


class Lifting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a hold is lifted."""

    reason: Line


def search(query: RecordingsQuery) -> Items[Recording]:
    """Recordings, the latest first"""
    reading = parts().reading
    wanted = recordings_found.Search(
        sight=agents_in_sight(),
        agents=shown.agents_named(query.agent.strip()) if query.agent.strip() else None,
        caller=caller_of(query.number) if query.number.strip() else None,
        name=query.name.strip(),
        queue_id=query.queue_id,
        contact_id=query.contact_id,
        customer_id=query.customer_id,
        order=query.order,
        state=query.state,
        problems=query.problems,
        held=query.held,
        since=instant_of(query.since),
        until=instant_of(query.until),
        least_ms=given(query.least_ms),
        most_ms=given(query.most_ms),
    )
    with reading.reader.borrow() as connection:
        page = recordings_found.search(connection, reading.vault, wanted, cursor=query.cursor, limit=query.limit)
    numbers = shown.callers(page.items)
    return items_of(page, [_recording(row, numbers[row.file]) for row in page.items])


def one(name: str) -> RecordingInFull:
    """One recording, who heard it, and what holds it"""
    row = shown.in_sight(name)
    reading = parts().reading
    with reading.reader.borrow() as connection:
        uses = recordings_found.uses(connection, row.file)
        orders = recordings_found.orders_of(connection, row.contact_id) if row.contact_id else []
    return RecordingInFull(
        recording=_recording(row, shown.callers([row])[row.file]),
        uses=[
            Use(at=time_of(use.at), actor=use.actor, what=use.what, reason=use.reason, address=use.address)
            for use in shown.heard(uses.items)
        ],
        holds=[
            StandingHold(hold_id=hold.hold_id, case=hold.case, reason=hold.reason)
            for hold in shown.standing(reading.recordings.state(row.file))
        ],
        orders=orders,
    )


def hold(name: str, body: NewHold, key: str) -> Written:
    """Hold a recording for a case: it stays whatever happens"""
    row = shown.in_sight(name)
    return written(parts().reading.holds.place(who(), row.file, body.case, body.reason, key=key))


def lift(name: str, hold_id: str, body: Lifting, key: str) -> Written:
    """Lift a hold"""
    row = shown.in_sight(name)
    return written(parts().reading.holds.lift(who(), row.file, hold_id, body.reason, key=key))


def _recording(row: model.Recording, number: str) -> Recording:
    return Recording(
        name=row.file.removesuffix(".wav"),
        contact_id=row.contact_id,
        begun_at=time_of(row.begun_at),
        node=row.node,
        agent_id=row.agent_id,
        queue_id=row.queue_id,
        customer_id=row.customer_id,
        caller_number=number_of(number),
        state=row.state,
        problem=row.problem,
        length_ms=row.length_ms,
        bytes=row.bytes,
        digest=row.digest,
        medium=row.medium,
        holds=row.holds,
        heard=row.heard,
        position=row.position,
    )
