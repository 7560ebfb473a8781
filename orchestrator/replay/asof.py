"""One thing as it was at an instant: a queue, an agent, a contact, a customer, an order, the configuration (11.2).

What has a stream of its own is the fold of that stream up to where the log stood; what many streams make (a queue, what
an agent does) is taken from the live state of then. Numbers, names and what people wrote are masked unless they are
asked for.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts import contacts
from orchestrator.domain.customers import people
from orchestrator.domain.kernel import Instant, Record, Refused, UnknownEvent, stream
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.domain.work import orders
from orchestrator.replay.moments import iso
from orchestrator.replay.past import Past, at_position
from orchestrator.replay.picture import contact_picture, queue_picture, shift_picture, shown
from orchestrator.replay.snapshots import Snapshots
from orchestrator.service import configuration, site_text
from orchestrator.store import Log


class Then(Struct, frozen=True):
    """The log as it stood at an instant, and who looks."""

    log: Log
    at: Instant
    position: int
    site: str
    snapshots: Snapshots | None = None
    personal: bool = False

    def past(self) -> Past:
        """The live state. Raises `Away`."""
        world, highest = at_position(self.log, self.position, self.snapshots)
        return Past(world, self.at, self.position, highest)


def then_at(
    log: Log, instant: Instant, site: str, *, snapshots: Snapshots | None = None, personal: bool = False
) -> Then:
    """The log as it stood at an instant. Raises `Away`."""
    position = log.position_at(instant) if snapshots is None else snapshots.position_at(log, instant)
    return Then(log, instant, position, site, snapshots, personal)


def thing_at(then: Then, kind: str, ident: str) -> dict[str, Any]:
    """The thing of this kind (`KINDS`) and id as it was, JSON-able.

    Raises `Refused` (`no_such_queue`, `no_such_agent`, …) where there was none then, and `Away`.
    """
    found = KINDS[kind](then, ident)
    if found is None:
        raise Refused(
            f"no_such_{kind}", f"There was no {kind} {ident} at {iso(then.at)} (log position {then.position})."
        )
    return {"at": iso(then.at), "position": then.position, kind: found}


def _queue(then: Then, ident: str) -> dict[str, Any] | None:
    world = then.past().world
    queue = world.queues.get(ident)
    if queue is None:
        return None
    waiting = [each for each in world.contacts.values() if each.queue_id == ident]
    return queue_picture(world, queue, sorted(waiting, key=lambda c: (c.arrived_at, c.contact_id)), then.at)


def _agent(then: Then, ident: str) -> dict[str, Any] | None:
    """By employee number or id: the profile, and the shift where the agent was signed in."""
    world = then.past().world
    agent = world.agents.get(world.agent_of_number.get(ident, ident))
    if agent is None:
        return None
    shift = world.shifts.get(world.shift_of_agent.get(agent.agent_id, ""))
    return {
        **msgspec.to_builtins(agent),
        "name": shown(agent.name, personal=then.personal),
        "shift": None if shift is None else shift_picture(world, shift, then.at, personal=then.personal),
    }


def _contact(then: Then, ident: str) -> dict[str, Any] | None:
    records = _records(then, "contact", ident)
    contact = None
    for record in records:
        contact = contacts.evolve(contact, record.event, record.about.at, ident)
    if contact is None:
        return None
    return {**contact_picture(contact, then.at, personal=then.personal), **_stands(records)}


def _customer(then: Then, ident: str) -> dict[str, Any] | None:
    records = _records(then, "customer", ident)
    customer = None
    for record in records:
        customer = people.evolve(customer, record.event, ident)
    if customer is None:
        return None
    return {
        "customer_id": ident,
        **{name: shown(getattr(customer, name), personal=then.personal) for name in ("name", "company", "address")},
        "level": customer.level,
        "numbers": [
            {"number": shown(each.number, personal=then.personal), "label": each.label} for each in customer.numbers
        ],
        "notes": sum(isinstance(record.event, people.CustomerNoted) for record in records),
        "erased": customer.erased,
        **_stands(records),
    }


def _order(then: Then, ident: str) -> dict[str, Any] | None:
    records = _records(then, "order", ident)
    order = None
    for record in records:
        order = orders.evolve(order, record.event, record.about.at, ident)
    if order is None:
        return None
    return {
        **msgspec.to_builtins(order),
        "reference": orders.reference(ident),
        "opened_at": iso(order.opened_at),
        "since": iso(order.since),
        "personal": {name: shown(text, personal=then.personal) for name, text in order.personal.items()},
        **_stands(records),
    }


def _configuration(then: Then, _ident: str) -> dict[str, Any]:
    now = configuration.as_of(then.log, then.site, then.position)
    applied = now.history.get(now.version)
    events = {
        name: replace(event, name=shown(event.name, personal=then.personal))
        if isinstance(event, AgentConfigured)
        else event
        for name, event in now.events.items()
    }
    return {
        "version": now.version,
        "applied_at": None if applied is None else iso(applied.about.at),
        "actor": "" if applied is None else applied.about.actor,
        "toml": site_text.write(events, site=then.site, version=now.version),
    }


def _records(then: Then, kind: str, ident: str) -> Sequence[Record]:
    return list(then.log.streams([stream(kind, ident)], then.position)) if then.position else ()


def _stands(records: Sequence[Record]) -> dict[str, Any]:
    """How far the stream had come; what this program does not know of it is told, not passed over."""
    return {
        "version": records[-1].version,
        "changed_at": iso(records[-1].about.at),
        "unknown_events": [
            {"name": record.event.name, "version": record.event.version, "at": iso(record.about.at)}
            for record in records
            if isinstance(record.event, UnknownEvent)
        ],
    }


KINDS: Final[Mapping[str, Callable[[Then, str], dict[str, Any] | None]]] = MappingProxyType(
    {
        "queue": _queue,
        "agent": _agent,
        "contact": _contact,
        "customer": _customer,
        "order": _order,
        "configuration": _configuration,
    }
)
"""What can be asked for, and how it is found."""
