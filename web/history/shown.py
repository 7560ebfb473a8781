"""Contacts that were, as the auditor's pages and programs see them: steps in words, callers' numbers, names."""

from collections.abc import Iterable, Sequence
from itertools import count

import msgspec
from msgspec import Struct

from orchestrator.domain.contacts.events import OfferMade, Reservation
from orchestrator.domain.kernel import Instant, Record, Refused, UnknownEvent
from orchestrator.service.customers import e164
from projections import contact_log
from web.parts import parts
from web.push.present import live, view_if_any
from web.replay.moment import Decided, names_of
from web.words import Names, reasons, sentence


class Step(Struct, frozen=True):
    """One event of a contact in words, and as it is stored."""

    record: Record
    name: str
    words: str
    after_ms: int
    """Since the contact arrived."""
    body: str
    decided: Decided | None
    offer: int = 0
    """Which offer of the contact this event makes, from 1."""


def caller_of(raw: str) -> contact_log.Caller:
    """Whoever calls from this number, however it is written. Raises `Refused` (`bad_number`) where it is none."""
    number = e164(raw, parts().settings.region)
    if number is None:
        raise Refused("bad_number", "This is no telephone number; write it as it is dialled, or with + and country.")
    with parts().reading.reader.borrow() as connection:
        return contact_log.caller(connection, parts().reading.vault, number)


def callers(rows: Sequence[contact_log.Contact]) -> dict[str, str]:
    """The caller's number of each of these contacts."""
    sealed = [(f"contact-{row.contact_id}", "caller_number", row.caller_number) for row in rows]
    return dict(zip((row.contact_id for row in rows), parts().reading.opened(sealed), strict=True))


def names_now() -> tuple[Names, list[tuple[str, str]], list[tuple[str, str]]]:
    """What ids are called now, and the agents and queues to choose from."""
    with live().view.still() as world:
        names = names_of(world)
    agents, queues = (sorted(each.items(), key=lambda item: item[1]) for each in (names.agents, names.queues))
    return names, agents, queues


def names_if_any() -> Names:
    """What ids are called now; ids stand for themselves while nothing live is there: for pages that do without it."""
    view = view_if_any()
    if view is None or not view.ready:
        return Names()
    with view.still() as world:
        return names_of(world)


def steps_of(records: Sequence[Record]) -> list[Step]:
    """The events of one contact, the first first, in words and as stored."""
    names, _, _ = names_now()
    shifts = {held.shift_id: held.agent_id for record in records for held in _reserved(record)}
    names = Names(agents=names.agents, queues=names.queues, shifts=shifts)
    numbers = count(1)
    offers = [next(numbers) if isinstance(record.event, OfferMade) else 0 for record in records]
    return [_step(record, names, records[0].about.at, offer) for record, offer in zip(records, offers, strict=True)]


def _reserved(record: Record) -> Iterable[Reservation]:
    return record.event.reservations if isinstance(record.event, OfferMade) else ()


def _step(record: Record, names: Names, begun: Instant, offer: int) -> Step:
    event = record.event
    decided = None
    if isinstance(event, OfferMade):
        chosen = frozenset(held.agent_id for held in event.reservations)
        decided = Decided(*reasons(event.decision, chosen, names))
    if isinstance(event, UnknownEvent):
        name, body = event.name, event.body
    else:
        name, body = type(event).__name__, msgspec.json.encode(event)
    return Step(
        record=record,
        name=name,
        words=sentence(record, names),
        after_ms=(record.about.at - begun) // 1000,
        body=msgspec.json.format(body, indent=2).decode(errors="replace"),
        decided=decided,
        offer=offer,
    )
