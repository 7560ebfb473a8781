"""The blacklist: numbers whose calls are refused before anybody's phone rings."""

import time
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from orchestrator.domain.customers.blacklist import FOR_EVER
from orchestrator.domain.kernel import Instant
from projections import blacklist
from web.api.forms import (
    Ident,
    Items,
    Line,
    Number,
    Paged,
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
from web.blacklist.shown import Entry, entries
from web.parts import parts
from web.writing import blacklists, who

Reason = Annotated[Word, Meta(description="A code, such as nuisance.")]


class Blacklisting(Struct, frozen=True, kw_only=True):
    """One entry. `until` is null where it never ends; `holds`: whether calls are refused at this moment."""

    id: Ident
    number: Number
    reason: str
    note: str
    until: Time | None
    holds: bool
    by: str
    since: Time


class NewBlacklisting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number whose calls are to be refused."""

    number: Annotated[Line, Meta(description="However it is written.")]
    reason: Reason = "nuisance"
    until: Annotated[Time | None, Meta(description="Null: for ever.")] = None
    note: Line = ""


class ChangedBlacklisting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be another; what is not given stays as it is."""

    reason: Reason | UnsetType = UNSET
    until: Time | UnsetType | None = UNSET
    note: Line | UnsetType = UNSET


def every(query: Paged) -> Items[Blacklisting]:
    """The blacklist, the latest entry first, without those that were taken off"""
    now = Instant(time.time_ns() // 1000)
    reading = parts().reading
    with reading.reader.borrow() as connection:
        page = blacklist.search(
            connection,
            reading.vault,
            now=now,
            state=blacklist.LISTED_STILL,
            cursor=query.cursor,
            limit=query.limit,
        )
    return items_of(page, [_blacklisting(entry) for entry in entries(page.items, now)])


def _blacklisting(entry: Entry) -> Blacklisting:
    return Blacklisting(
        id=entry.blacklisting_id,
        number=number_of(entry.number),
        reason=entry.reason,
        note=entry.note,
        until=time_of(entry.until or None),
        holds=entry.state == blacklist.HOLDS,
        by=entry.by,
        since=time_of(entry.since),
    )


def add(body: NewBlacklisting, key: str) -> Written:
    """Refuse a number's calls"""
    until = FOR_EVER if body.until is None else instant_of(body.until) or FOR_EVER
    return written(blacklists().add(who(), body.number, body.reason, until=until, note=body.note, key=key))


def change(blacklisting_id: str, body: ChangedBlacklisting, key: str) -> Written:
    """Say another reason, end or note"""
    until = FOR_EVER if body.until is None else instant_of(body.until)
    done = blacklists().change(
        who(), blacklisting_id, reason=given(body.reason), until=until, note=given(body.note), key=key
    )
    return written(done)


def expire(blacklisting_id: str, key: str) -> Written:
    """Let an entry end now"""
    return written(blacklists().expire(who(), blacklisting_id, key=key))


def lift(blacklisting_id: str, key: str) -> Written:
    """Take a number off the blacklist"""
    return written(blacklists().lift(who(), blacklisting_id, key=key))
