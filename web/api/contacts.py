"""Contacts: searched as the auditor does, one with everything that happened to it, notes and whose it is."""

from typing import Annotated

import msgspec
from flask import abort
from msgspec import UNSET, Meta, Struct, UnsetType

from orchestrator.domain.kernel import Refused
from orchestrator.runner.inputs import NameCaller, SendOutside
from projections import contact_log
from web.access.sight import agents_in_sight
from web.access.visitor import me
from web.api.forms import (
    Done,
    Ident,
    Items,
    Json,
    Line,
    Ms,
    Number,
    Paged,
    Position,
    Query,
    Text,
    Time,
    Word,
    Written,
    instant_of,
    items_of,
    number_of,
    time_of,
    written,
)
from web.history import shown
from web.history.why import Explained, explained
from web.parts import parts
from web.words.why import obstacle
from web.writing import file, who


class ContactsQuery(Paged, frozen=True, kw_only=True):
    """What is looked for; what is not given does not narrow."""

    number: Annotated[Line, Meta(description="The caller's, however it is written.")] = ""
    agent_id: Ident = ""
    queue_id: Ident = ""
    customer_id: Ident = ""
    outcome: Annotated[Word, Meta(description="`ContactEnded.reason`: completed, abandoned, …")] = ""
    live: Annotated[bool | UnsetType, Meta(description="Only those in progress, or only those that ended.")] = UNSET
    since: Annotated[Time | UnsetType, Meta(description="Arrived at this instant or later.")] = UNSET
    until: Annotated[Time | UnsetType, Meta(description="Arrived before this instant.")] = UNSET


class OutsideNumber(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to call for a caller."""

    number: Annotated[Line, Meta(description="5 to 15 digits, best from + on; the site's rules must allow it.")]


class Contact(Struct, frozen=True, kw_only=True):
    """One contact. `wait_ms`: all visits in queues; `talk_ms` without `hold_ms`; `missed`: offers that agents let go;
    `transfers`: how often an agent passed it on. `outcome` is empty while it lasts. `position`: of the last event that
    is counted in.
    """

    contact_id: str
    arrived_at: Time
    direction: Annotated[str, Meta(description="`inbound`; `outbound` where an agent called this number.")]
    node: str
    dialled: str
    trunk: str
    caller_number: Number
    entry_id: str
    queue_id: str
    customer_id: str
    agent_id: str
    outcome: str
    phase: str
    queued_at: Time | None
    wait_ms: Ms | None
    offers: int
    missed: int
    transfers: int
    connected_at: Time | None
    talk_ms: Ms
    hold_ms: Ms
    ended_by: str
    ended_at: Time | None
    recorded: bool
    recording_ms: Ms | None
    position: Position


class Candidate(Struct, frozen=True):
    """An agent who could have been chosen, and what counted."""

    place: int
    agent: str
    why: str
    chosen: bool


class Decision(Struct, frozen=True, kw_only=True):
    """Why an offer went where it went, in words: the rule, the best candidates, how many others were out, and
    for what.
    """

    rule: str
    candidates: list[Candidate]
    others: list[str]


class ContactEvent(Struct, frozen=True, kw_only=True):
    """One event of a contact, in words and as it is stored, personal text masked."""

    position: Position
    version: int
    at: Time
    after_ms: Annotated[Ms, Meta(description="Milliseconds since the contact arrived.")]
    name: str
    actor: str
    origin: str
    words: Annotated[str, Meta(description="The event as a sentence, in the language that Accept-Language asks for.")]
    body: Annotated[Json, Meta(description="The event's fields; docs/events.md lists them.")]
    decision: Decision | None


class WhyQuery(Query, frozen=True, kw_only=True):
    """Whom it is asked of; without, of everybody and every offer."""

    agent: Annotated[Ident, Meta(description="An employee number.")] = ""
    offer: Annotated[int, Meta(ge=0, le=10_000, description="Which offer of the contact, from 1; 0: all.")] = 0


class Obstacle(Struct, frozen=True, kw_only=True):
    """One thing that kept an agent from the offer. `code` is stable and for programs, `words` are for people."""

    code: str
    words: str


class Reason(Struct, frozen=True, kw_only=True):
    """The answer for one agent: `chosen`, `ranked` (free, but others came first), or `out`. `place`: among those who
    were free, from 1. `parts`: what counted, in that order.
    """

    agent_id: str
    verdict: str
    place: int
    parts: dict[str, int]
    obstacles: list[Obstacle]
    words: str


class Moment(Struct, frozen=True, kw_only=True):
    """One offer, or with `offer` 0 the moment at which the contact was queued and nobody was offered it. `more`: agents
    who are not listed; ask for them by number.
    """

    offer: int
    at: Time
    position: Position
    queue_id: str
    config_version: int | None
    reasons: list[Reason]
    more: int


class ContactNote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something written down about a contact."""

    text: Text
    code: Word = ""


class Whose(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is calling."""

    customer_id: Ident


def search(query: ContactsQuery) -> Items[Contact]:
    """Contacts, the latest first"""
    wanted = contact_log.Search(
        agents=agents_in_sight(),
        agent_id=query.agent_id,
        queue_id=query.queue_id,
        customer_id=query.customer_id,
        outcome=query.outcome,
        live=None if query.live is UNSET else query.live,
        since=instant_of(query.since),
        until=instant_of(query.until),
        caller=shown.caller_of(query.number) if query.number.strip() else None,
    )
    with parts().reading.reader.borrow() as connection:
        page = contact_log.search(connection, wanted, cursor=query.cursor, limit=query.limit)
    numbers = shown.callers(page.items)
    return items_of(page, [_contact(row, numbers[row.contact_id]) for row in page.items])


def one(contact_id: str) -> Contact:
    """One contact"""
    row = _in_sight(contact_id)
    if row is None:
        abort(404)
    return _contact(row, shown.callers([row])[contact_id])


def events(contact_id: str, query: Paged) -> Items[ContactEvent]:
    """A contact's events, the first first, each in words and as stored, with the decision where an offer was made"""
    _refuse_out_of_sight(contact_id)
    records = list(parts().reading.sealed.stream(f"contact-{contact_id}"))
    if not records:
        abort(404)
    if query.cursor and not (query.cursor.isascii() and query.cursor.isdecimal()):
        raise Refused("bad_cursor", "This is no cursor of this list; take next_cursor as it came.")
    first = int(query.cursor or 0)
    steps = shown.steps_of(records)
    more = len(steps) > first + query.limit
    return Items(
        [_event(step) for step in steps[first : first + query.limit]], str(first + query.limit) if more else None
    )


def why(contact_id: str, query: WhyQuery) -> Items[Moment]:
    """For each offer, why each agent did or did not get it, derived by replay"""
    _refuse_out_of_sight(contact_id)
    try:
        found = explained(contact_id, number=query.agent, offer=query.offer)
    except Refused:
        abort(404)
    return Items([_moment(each) for each in found])


def note(contact_id: str, body: ContactNote, key: str) -> Written:
    """Write something down about a contact"""
    _refuse_out_of_sight(contact_id)
    return written(file().note_contact(who(), contact_id, body.text, code=body.code, key=key))


def identify(contact_id: str, body: Whose, key: str) -> Done:
    """Say who is calling, while the contact lasts"""
    _refuse_out_of_sight(contact_id)
    if file().customer(body.customer_id) is None:
        raise Refused("no_such_customer", "There is no such customer.")
    command = NameCaller(contact_id=contact_id, customer_id=body.customer_id, key=key, by=me().actor)
    return Done(position=parts().do(command))


def send_outside(contact_id: str, body: OutsideNumber, key: str) -> Done:
    """Call a number outside for a waiting caller"""
    _refuse_out_of_sight(contact_id)
    command = SendOutside(contact_id=contact_id, number=body.number, key=key, by=me().actor)
    return Done(position=parts().do(command))


def _in_sight(contact_id: str) -> contact_log.Contact | None:
    """The contact, None where there is none or it is out of sight."""
    with parts().reading.reader.borrow() as connection:
        return contact_log.find(connection, contact_id, agents=agents_in_sight())


def _refuse_out_of_sight(contact_id: str) -> None:
    """404 for a contact out of sight, or for one of which nobody knows yet whose it is. Whoever sees everybody need not
    wait for that.
    """
    if me().scope.limited and _in_sight(contact_id) is None:
        abort(404)


def _moment(found: Explained) -> Moment:
    moment, names = found.moment, shown.names_now()[0]
    return Moment(
        offer=moment.number,
        at=time_of(moment.at),
        position=moment.position,
        queue_id=moment.queue_id,
        config_version=moment.decision.config_version if moment.decision is not None else None,
        reasons=[
            Reason(
                agent_id=line.reason.agent_id,
                verdict=line.reason.verdict,
                place=line.reason.place,
                parts=line.reason.parts,
                obstacles=[
                    Obstacle(code=each.code, words=obstacle(each, names, moment.at)) for each in line.reason.obstacles
                ],
                words=line.words,
            )
            for line in found.lines
        ],
        more=found.more,
    )


def _contact(row: contact_log.Contact, number: str) -> Contact:
    return Contact(
        contact_id=row.contact_id,
        arrived_at=time_of(row.arrived_at),
        node=row.node,
        direction=row.direction,
        dialled=row.dialled,
        trunk=row.trunk,
        caller_number=number_of(number),
        entry_id=row.entry_id,
        queue_id=row.queue_id,
        customer_id=row.customer_id,
        agent_id=row.agent_id,
        outcome=row.outcome,
        phase=row.phase,
        queued_at=time_of(row.queued_at),
        wait_ms=row.wait_ms,
        offers=row.offers,
        missed=row.missed,
        transfers=row.transfers,
        connected_at=time_of(row.connected_at),
        talk_ms=row.talk_ms,
        hold_ms=row.hold_ms,
        ended_by=row.ended_by,
        ended_at=time_of(row.ended_at),
        recorded=bool(row.recording),
        recording_ms=row.recording_ms,
        position=row.position,
    )


def _event(step: shown.Step) -> ContactEvent:
    record, decided = step.record, step.decided
    decision = None
    if decided is not None:
        candidates = [Candidate(*line) for line in decided.lines]
        decision = Decision(rule=decided.rule, candidates=candidates, others=list(decided.others))
    return ContactEvent(
        position=record.position,
        version=record.version,
        at=time_of(record.about.at),
        after_ms=step.after_ms,
        name=step.name,
        actor=record.about.actor,
        origin=record.about.origin,
        words=step.words,
        body=msgspec.json.decode(step.body, type=Json),
        decision=decision,
    )
