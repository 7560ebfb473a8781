"""The verifier's own idea of nodes, configuration, its drafts, and customers."""

from typing import Any

from orchestrator.audit.books import Books
from orchestrator.audit.report import Live, problem
from orchestrator.domain.customers.people import CustomerCreated
from orchestrator.domain.engine import DatabaseReturned, EngineActivated, SpoolBegun
from orchestrator.domain.kernel import Record, ident_of
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.routing.drafts import DraftApplied, DraftBegun, DraftDiscarded
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.domain.switch import nodes as events
from orchestrator.domain.work.orders import OrderOpened


class _Node:
    __slots__ = ("core", "last", "place", "strays", "talks", "up")

    def __init__(self) -> None:
        self.core = ""
        self.up = False
        self.strays: set[str] = set()
        self.talks: set[str] = set()
        self.last: Record
        self.place = 0


class Nodes:
    """Follows every switch: connected or lost, and legs that nobody wants."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._nodes: dict[str, _Node] = {}

    def see(self, record: Record) -> None:
        """Follow one event of a node's stream."""
        ident = ident_of(record.stream)
        node = self._nodes.setdefault(ident, _Node())
        node.last = record
        node.place = self._books.place
        counts = self._books.counts
        event: Any = record.event
        match event:
            case events.NodeConnected():
                if event.restarted != bool(node.core and node.core != event.core):
                    said, was = "restarted" if event.restarted else "not restarted", node.core or "none"
                    self._books.complain("node", f"said to be {said}, but run {event.core} follows run {was}")
                if event.restarted:
                    node.strays.clear()
                    node.talks.clear()
                node.core = event.core
                node.up = True
                self._books.in_step.discard(ident)
                self._books.node_up_since[ident] = record.about.at
            case events.NodeLost():
                counts.node_losses += 1
                node.up = False
                self._books.in_step.discard(ident)
                self._books.node_up_since.pop(ident, None)
            case events.NodeDied():
                if node.up:
                    self._books.complain("node", f"said to be dead, and run {node.core} is connected")
            case events.NodeReconciled():
                self._books.in_step.add(ident)
            case events.NodeRepaired():
                counts.node_repairs += 1
            case events.StrayLegFound():
                counts.stray_legs += 1
                if event.leg in node.strays:
                    self._books.complain("stray", f"stray leg {event.leg} is found a second time")
                node.strays.add(event.leg)
            case events.StrayLegClosed():
                if event.leg not in node.strays:
                    self._books.complain("stray", f"stray leg {event.leg} closes, which was never found")
                node.strays.discard(event.leg)
            case events.UnknownTalkFound():
                if event.leg in node.talks:
                    self._books.complain("stray", f"the talk of {event.leg} is found a second time")
                node.talks.add(event.leg)
            case events.UnknownTalkEnded():
                if event.leg not in node.talks:
                    self._books.complain("stray", f"the talk of {event.leg} ends, which was never found")
                node.talks.discard(event.leg)

    def finish(self, live: Live, *, settled: bool) -> None:
        """The log is over: count strays that live on."""
        for node in self._nodes.values():
            live.stray_legs += len(node.strays)
            if settled and node.strays:
                text = f"stray legs {', '.join(sorted(node.strays))} were never closed"
                self._books.note(problem("unsettled", node.last, node.place, text))


class Configuration:
    """Follows configuration: each change is listed by the version that brought it, in the same transaction."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._changed: dict[str, tuple[Record, int]] = {}

    def see(self, record: Record) -> None:
        """Follow one event of an agent, a queue, an entry point, an order type or the configuration's own stream."""
        if not isinstance(record.event, ConfigurationApplied):
            self._changed[record.stream] = (record, self._books.place)
            if isinstance(record.event, AgentConfigured) and "voice" in record.event.capacity:
                self._books.capacities[ident_of(record.stream)] = record.event.capacity["voice"]
            elif isinstance(record.event, AgentConfigured):
                self._books.capacities.pop(ident_of(record.stream), None)
            return
        self._books.counts.configuration_versions += 1
        listed, changed = record.event.changed, tuple(sorted(self._changed))
        if listed != changed:
            self._books.complain("configuration", f"lists changes of {_names(listed)}; changed were {_names(changed)}")
        self._changed.clear()

    def finish(self) -> None:
        """The log is over: nothing may have changed without a version."""
        for record, place in self._changed.values():
            self._books.note(problem("configuration", record, place, "no configuration version lists this change"))


class Drafts:
    """Follows drafts of the configuration: begun once, and nothing after they were applied or discarded."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._over: set[str] = set()

    def see(self, record: Record) -> None:
        """Follow one event of a draft."""
        if isinstance(record.event, DraftBegun) != (record.version == 1):
            said = "is begun a second time" if record.version != 1 else "begins without being begun"
            self._books.complain("beginning", f"the draft {said}")
        if record.stream in self._over:
            self._books.complain("draft", "the draft was applied or discarded before")
        if isinstance(record.event, DraftApplied | DraftDiscarded):
            self._over.add(record.stream)


def _names(streams: tuple[str, ...]) -> str:
    return ", ".join(streams) or "nothing"


def see_engine(books: Books, record: Record) -> None:
    """Follow one event of the engine's own stream."""
    match record.event:
        case SpoolBegun(away_ms=away_ms):
            books.see_outage(away_ms)
            books.see_spool_begin(away_ms)
        case DatabaseReturned(away_ms=away_ms, spooled=0):
            books.see_outage(away_ms)
        case DatabaseReturned() | EngineActivated():
            books.see_spool_end()


def see_customer(books: Books, record: Record) -> None:
    """Follow one event of a customer's stream."""
    if isinstance(record.event, CustomerCreated):
        books.counts.customers += 1
        if record.version != 1:
            books.complain("beginning", "the customer is created a second time")


def see_order(books: Books, record: Record) -> None:
    """Follow one event of a work order's stream."""
    if isinstance(record.event, OrderOpened) != (record.version == 1):
        said = "is opened a second time" if record.version != 1 else "begins without being opened"
        books.complain("beginning", f"the order {said}")
