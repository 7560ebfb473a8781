"""What is asked of recordings, and how they and what was done with them are shown."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from flask import abort
from msgspec import Struct

from orchestrator.domain.contacts.keeping import Kept
from orchestrator.domain.kernel import Refused
from orchestrator.replay import parse_time
from projections import customers, recordings_found
from projections import recordings as model
from projections.recordings import Recording, Use
from projections.recordings_found import Search
from web.access.sight import agents_in_sight
from web.history.shown import caller_of
from web.parts import parts
from web.push.present import live

FIELDS: Final = ("agent", "number", "name", "queue", "order", "from", "to", "longer", "shorter", "state")
# Beside the states themselves.
PROBLEMS: Final = "problems"
HELD: Final = "held"
_LENGTH: Final = re.compile(r"(?:([0-9]{1,2}):)?([0-9]{1,4}):([0-5][0-9])|([0-9]{1,5})")


class Heard(Struct, frozen=True, kw_only=True):
    """Somebody listened or took a copy, in the clear."""

    at: int
    actor: str
    what: str
    reason: str
    address: str


class Standing(Struct, frozen=True, kw_only=True):
    """A hold that stands."""

    hold_id: str
    case: str
    reason: str


def wanted(asked: Mapping[str, str]) -> Search:
    """What a form or a program asks for. Raises `Refused` for what cannot be asked."""
    zone, state = parts().settings.timezone, asked["state"]
    return Search(
        sight=agents_in_sight(),
        agents=agents_named(asked["agent"]) if asked["agent"] else None,
        caller=caller_of(asked["number"]) if asked["number"] else None,
        name=asked["name"],
        queue_id=asked["queue"],
        order=asked["order"],
        since=parse_time(asked["from"], zone) if asked["from"] else None,
        until=parse_time(asked["to"], zone) if asked["to"] else None,
        least_ms=length_of(asked["longer"]),
        most_ms=length_of(asked["shorter"]),
        state=state if state in model.STATES else "",
        problems=state == PROBLEMS,
        held=state == HELD,
    )


def in_sight(name: str) -> Recording:
    """The recording of this name, if it is one that the visitor sees; 404 otherwise."""
    with parts().reading.reader.borrow() as connection:
        row = recordings_found.find(connection, f"{name}.wav", sight=agents_in_sight())
    if row is None:
        abort(404)
    return row


def agents_named(text: str) -> tuple[str, ...]:
    """The agents with this employee number, or with this in their names."""
    with live().view.still() as world:
        agents = list(world.agents.values())
    if exact := tuple(agent.agent_id for agent in agents if agent.number == text):
        return exact
    folded = text.casefold()
    return tuple(agent.agent_id for agent in agents if folded in agent.name.casefold())


def length_of(text: str) -> int | None:
    """Milliseconds of a length that is written 90, 1:30 or 1:02:03; None for nothing. Raises `Refused`."""
    if not text:
        return None
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise Refused("bad_length", "Write a length as seconds, or as minutes and seconds: 90 or 1:30.")
    hours, minutes, seconds, alone = (int(each or 0) for each in found.groups())
    return 1000 * (hours * 3600 + minutes * 60 + seconds + alone)


def callers(rows: Sequence[Recording]) -> dict[str, str]:
    """The caller's number of each of these recordings, by file."""
    sealed = [(f"contact-{row.contact_id}", "caller_number", row.caller_number) for row in rows]
    return dict(zip((row.file for row in rows), parts().reading.opened(sealed), strict=True))


def customers_of(rows: Sequence[Recording]) -> dict[str, str]:
    """The names of these recordings' customers, by id; empty where there is none."""
    ids = sorted({row.customer_id for row in rows} - {""})
    with parts().reading.reader.borrow() as connection:
        found = customers.find_many(connection, ids) if ids else {}
    opened = parts().reading.opened([(f"customer-{ident}", "name", row.name) for ident, row in found.items()])
    return dict.fromkeys(ids, "") | dict(zip(found, opened, strict=True))


def heard(rows: Sequence[Use]) -> list[Heard]:
    """Who listened and who took copies, opened all at once."""
    sealed = [
        (row.stream, name, text) for row in rows for name, text in (("reason", row.reason), ("address", row.address))
    ]
    texts = iter(parts().reading.opened(sealed))
    return [Heard(at=row.at, actor=row.actor, what=row.what, reason=next(texts), address=next(texts)) for row in rows]


def standing(known: Kept) -> list[Standing]:
    """The holds that stand, the first first."""
    return [Standing(hold_id=hold.hold_id, case=hold.case, reason=hold.reason) for hold in known.holds]
