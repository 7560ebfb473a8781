"""How one thing was at any instant, exact to the event; numbers, names and notes masked, whoever looks."""

from typing import Annotated, Any

from flask import abort
from msgspec import UNSET, Meta, Struct, UnsetType

from orchestrator.domain.kernel import MILLISECOND, Refused
from orchestrator.replay import Past
from orchestrator.replay.asof import Then, then_at, thing_at
from orchestrator.replay.past import clock, refuse_outside
from orchestrator.replay.picture import picture
from web.api.forms import Json, Ms, Position, Query, Time, instant_of, time_of
from web.parts import parts
from web.past import snapshots


class AsOfQuery(Query, frozen=True, kw_only=True):
    """The instant that is meant; it may not be left out."""

    at: Time | UnsetType = UNSET


class Thing(Struct, frozen=True, kw_only=True):
    """One thing as it was at `at`, when the log had come to `position`."""

    at: Time
    position: Position
    thing: Annotated[Json, Meta(description="What `ringledger replay` prints of it.")]


class Things(Struct, frozen=True, kw_only=True):
    """All of a kind that were there. `clock_put_back_ms`: by so much a clock had been put back before this moment, so
    that the instant was there twice, and this is the second time.
    """

    at: Time
    position: Position
    clock_put_back_ms: Ms
    items: list[Json]


def queues(query: AsOfQuery) -> Things:
    """Queues as they were: who waited, in the order of service; ringing, talking"""
    return _all(query, "queues")


def queue(queue_id: str, query: AsOfQuery) -> Thing:
    """A queue as it was"""
    return _one(query, "queue", queue_id)


def agents(query: AsOfQuery) -> Things:
    """Agents who were signed in, as they were: state, reason, since when"""
    return _all(query, "shifts")


def agent(number: str, query: AsOfQuery) -> Thing:
    """An agent as configured then, and what they did"""
    return _one(query, "agent", number)


def contacts(query: AsOfQuery) -> Things:
    """Contacts that were in progress"""
    return _all(query, "contacts")


def contact(contact_id: str, query: AsOfQuery) -> Thing:
    """A contact as it was; one that had ended, too"""
    return _one(query, "contact", contact_id)


def customer(customer_id: str, query: AsOfQuery) -> Thing:
    """A customer as known then"""
    return _one(query, "customer", customer_id)


def order(order_id: str, query: AsOfQuery) -> Thing:
    """A work order as it stood"""
    return _one(query, "order", order_id)


def configuration(query: AsOfQuery) -> Thing:
    """The configuration that was in force, as the site's file"""
    return _one(query, "configuration", "")


def _all(query: AsOfQuery, part: str) -> Things:
    past: Past = _then(query).past()
    shown: dict[str, Any] = picture(past.world, past.at, position=past.position)
    return Things(
        at=time_of(past.at),
        position=past.position,
        clock_put_back_ms=past.put_back // MILLISECOND,
        items=shown[part],
    )


def _one(query: AsOfQuery, kind: str, ident: str) -> Thing:
    then = _then(query)
    try:
        found = thing_at(then, kind, ident)
    except Refused as refused:
        if refused.code == f"no_such_{kind}":
            abort(404)
        raise
    return Thing(at=time_of(then.at), position=then.position, thing=found[kind])


def _then(query: AsOfQuery) -> Then:
    """Raises `BadTime` for an instant in the future or before the beginning, and where none is given."""
    instant = instant_of(query.at)
    if instant is None:
        raise Refused("bad_time", "Say which instant is meant: ?at=2026-11-22T10:15:00Z.")
    reading, settings = parts().reading, parts().settings
    refuse_outside(reading.log, instant, settings.timezone, clock())
    return then_at(reading.log, instant, settings.site, snapshots=snapshots())
