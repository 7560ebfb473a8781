"""The log in words, line by line as it grows: what `ringledger run` and `ringledger watch` show."""

import threading
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import dial_events as d
from orchestrator.domain.contacts import park_events as pk
from orchestrator.domain.customers.people import CustomerCreated
from orchestrator.domain.kernel import SECOND, Event, Record, ident_of, kind_of
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.switch import nodes as n
from orchestrator.store import Log

# As many characters of an id as a person compares at a glance.
_SHORT = 8

_KINDS = {"shift": "agent"}
_WORDS: dict[type[Event], Callable[..., str]] = {
    c.ContactArrived: lambda e: f"arrived on {e.node}",
    c.EntryPointMissing: lambda e: f"ALARM no entry point for {e.dialled or 'an empty number'}",
    c.ContactQueued: lambda e: f"waits in {e.queue_id}",
    c.PlaceTold: lambda e: f"hears: place {e.position} in {e.queue_id}",
    c.ContactTurnedAway: lambda e: f"is told sorry: {e.reason}",
    c.OfferMade: lambda e: f"is offered to {', '.join(r.agent_id for r in e.reservations)}",
    c.OfferRejected: lambda e: f"was refused: {e.cause}",
    c.OfferTimedOut: lambda _: "was not answered",
    c.OfferWithdrawn: lambda e: f"is offered no longer: {e.cause}",
    c.OfferFailed: lambda e: f"could not be delivered: {e.cause}",
    c.ContactConnected: lambda e: f"talks with {e.agent_id}",
    c.ContactHeld: lambda _: "is on hold",
    c.ContactResumed: lambda _: "talks again",
    d.ContactDialled: lambda e: f"is dialled by {e.agent_id} on {e.node}",
    d.DialEnded: lambda e: f"comes to no talk: {e.outcome} {e.cause}",
    pk.ContactParked: lambda e: f"is parked at place {e.place} by {e.agent_id}",
    pk.ParkEnded: lambda e: f"left place {e.place}: {e.outcome}",
    c.AgentSegmentEnded: lambda e: f"stopped talking ({e.ended_by})",
    c.ContactEnded: lambda e: f"ended: {e.reason}",
    s.AgentSignedIn: lambda e: f"signed in at {e.extension}",
    s.AgentStoodDown: lambda e: f"was stood down: {e.reason}",
    s.AgentPaused: lambda e: f"is not ready: {e.reason}",
    s.AgentMadeReady: lambda _: "is ready",
    s.WrapUpStarted: lambda _: "wraps up",
    s.WrapUpEnded: lambda e: f"finished wrap-up ({e.how})",
    s.AgentSignedOut: lambda e: f"signed out: {e.reason}",
    n.NodeConnected: lambda e: "is connected" + (" after a restart" if e.restarted else ""),
    n.NodeLost: lambda e: f"ALARM is lost: {e.why}",
    n.NodeDied: lambda e: f"ALARM counts as dead: not heard of for {e.silent_ms // 1000} s",
    n.NodeDrained: lambda e: f"is drained: no new calls ({e.reason})",
    n.NodeUndrained: lambda _: "takes new calls again",
    n.NodeOverloaded: lambda e: f"ALARM does late what it is told, by {e.behind_ms} ms",
    n.NodeRelieved: lambda _: "keeps up again",
    n.NodeRepaired: lambda e: (
        f"was repaired ({e.why}): {e.adopted} adopted, {e.corrected} corrected, {e.doubted} doubted, {e.strays} strays"
    ),
    ConfigurationApplied: lambda e: f"configuration applied: {len(e.changed)} changed",
    CustomerCreated: lambda e: f"made on a first call from {e.region or 'an unknown region'}",
}


def show(log: Log, zone: ZoneInfo, say: Callable[[str], None], stop: threading.Event) -> None:
    """Say each line of the log as it grows, from now on, until `stop` is set."""
    names: dict[str, str] = {}
    for batch in log.follow(log.position(), stop):
        for record in batch:
            if (text := line(record, zone, names)) is not None:
                say(text)


def line(record: Record, zone: ZoneInfo, names: dict[str, str]) -> str | None:
    """The record as one line, None where it says nothing to somebody who watches. Carries no personal data.

    `names` remembers which agent each shift is, from line to line.
    """
    ident = ident_of(record.stream)
    if isinstance(record.event, s.AgentSignedIn):
        names[ident] = record.event.agent_id
    words = _WORDS.get(type(record.event))
    if words is None:
        return None
    at = datetime.fromtimestamp(record.about.at / SECOND, zone).strftime("%H:%M:%S.%f")[:-3]
    kind = kind_of(record.stream)
    name = names.get(ident, ident if kind in ("node", "config") else ident[:_SHORT])
    return f"{at}  {record.position:>8}  {_KINDS.get(kind, kind):<8}  {name:<10}  {words(record.event)}"
