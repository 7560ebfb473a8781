"""The engine's figures for Prometheus. Built once in `bootstrap` and handed to whoever counts.

Labels are few and small by design: node names, states and outcomes; never a contact, an agent or a number of a person.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server, values

from orchestrator.settings import Address

log = structlog.get_logger(__name__)

# Seconds. A commit is one fsync and a few round trips (0.1 ms on good disks, tens on bad ones); a decision is Python.
_COMMIT_S: Final = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0)
# The ring path's budget is 5 ms at the median: fine steps there, to read percentiles from.
_RING_S: Final = (*(step / 2_000 for step in range(1, 31)), 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0)
_DECISION_S: Final = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25)


class _Plain(values.MutexValue):
    """A figure without its lock. Only the greenlets of one thread count, and none is put aside while it does; under
    gevent the lock costs ten times what it guards.
    """

    def inc(self, amount: float) -> None:
        self._value += amount

    def set(self, value: float, timestamp: float | None = None) -> None:  # noqa: ARG002 - as the library calls it
        self._value = value

    def get(self) -> float:
        return float(self._value)


values.ValueClass = _Plain


class _Histogram(Histogram):
    """One without labels: its bucket is looked up, not counted up to, and nothing is asked that is known."""

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:  # noqa: ARG002 - as the library calls it
        self._sum.inc(amount)
        self._buckets[bisect_left(self._upper_bounds, amount)].inc(1)


class _Counter(Counter):
    """One that is never asked to count down, and is not asked whether it may count."""

    def inc(self, amount: float = 1, exemplar: dict[str, str] | None = None) -> None:  # noqa: ARG002 - as the library calls it
        self._value.inc(amount)


class MetricsError(Exception):
    """The figures cannot be served there; the message says what to do."""


class Metrics:
    """Every figure of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self.events_appended = _Counter(
            "ringledger_events_appended",
            "Events durable in the log, by kind of append (live, desk).",
            ["kind"],
            registry=r,
        )
        self.commit_seconds = _Histogram(
            "ringledger_commit_seconds",
            "From handing a step's records to the writer to knowing them durable, where something waits for that.",
            registry=r,
            buckets=_COMMIT_S,
        )
        self.decision_seconds = _Histogram(
            "ringledger_decision_seconds",
            "One step of the core that led to something: input in, events and instructions out.",
            registry=r,
            buckets=_DECISION_S,
        )
        self.ring_seconds = _Histogram(
            "ringledger_ring_seconds",
            "From reading that a caller parked to having written the command that rings an agent, commit included.",
            registry=r,
            buckets=_RING_S,
        )
        self.esl_events = _Counter(
            "ringledger_esl_events", "Events of the switch that came, by node.", ["node"], registry=r
        )
        self.frames_dropped = Gauge(
            "ringledger_frames_dropped",
            "Frames and events of the switch that could not be read, since the start, by node.",
            ["node"],
            registry=r,
        )
        self.snapshots_failed = Gauge(
            "ringledger_snapshots_failed",
            "Times that a node did not say in a readable way which channels it has, since the start.",
            ["node"],
            registry=r,
        )
        self.links_up = Gauge(
            "ringledger_link_up",
            "1 while the event socket to this node is connected and resynced.",
            ["node"],
            registry=r,
        )
        self.offers = _Counter("ringledger_offers", "Offers that ended, by outcome.", ["outcome"], registry=r)
        self.live_contacts = Gauge(
            "ringledger_live_contacts", "Contacts that have not ended, by state.", ["state"], registry=r
        )
        self.shifts = Gauge("ringledger_shifts", "Shifts signed in, by state.", ["state"], registry=r)
        self.commands = _Counter(
            "ringledger_commands",
            "Commands from the command socket, by outcome (done, refused code).",
            ["outcome"],
            registry=r,
        )
        self.tape_kept = Gauge("ringledger_tape_kept", "Inputs on the tape's disk since the start.", registry=r)
        self.tape_missed = Gauge("ringledger_tape_missed", "Inputs the tape could not keep.", registry=r)
        self.database_up = Gauge("ringledger_database_up", "1 while the log can be appended to.", registry=r)
        self.database_up.set(1)
        self.spooling = Gauge(
            "ringledger_spooling", "1 while the log is away and events go to the spool instead.", registry=r
        )
        self.spool_events = Gauge("ringledger_spool_events", "Events in the spool.", registry=r)
        self.spool_share = Gauge(
            "ringledger_spool_share",
            "Part of the spool's limit that is in use; from 1 on new callers are the switch's own.",
            registry=r,
        )
        self.spool_bytes = Gauge("ringledger_spool_bytes", "Bytes of the spool in use.", registry=r)
        self.spool_limit_bytes = Gauge("ringledger_spool_limit_bytes", "The spool's limit.", registry=r)
        self.spool_oldest_seconds = Gauge(
            "ringledger_spool_oldest_seconds", "Age of the oldest event in the spool; 0 for none.", registry=r
        )
        self.spool_state = Gauge(
            "ringledger_spool_state",
            "1 for how the spool stands, 0 for the others: off, unannounced, ready, in_use, draining, full.",
            ["state"],
            registry=r,
        )
        self.is_active = Gauge("ringledger_active", "1 while this process holds the lease.", registry=r)
        self.engine_state = Gauge(
            "ringledger_engine_state",
            "1 for the state of this process, 0 for the others: stopped, starting, standby, active.",
            ["state"],
            registry=r,
        )
        self.standbys_ready = Gauge(
            "ringledger_standbys_ready",
            "Engines that could go on at once where the active one ended, as the active one knows it.",
            registry=r,
        )
        self.host_clock_off = Gauge(
            "ringledger_host_clock_off_seconds",
            "By how much this host's clock is ahead of the database's; calls go by the database's.",
            registry=r,
        )
        self.database_clock_off = Gauge(
            "ringledger_database_clock_off_seconds",
            "By how much the database's clock is ahead of the time by which calls are decided, which follows slowly.",
            registry=r,
        )
        self.faults = _Counter(
            "ringledger_faults",
            "Errors that nobody foresaw in work beside the calls, by work; it was begun again after each.",
            ["work"],
            registry=r,
        )
        self.epoch = Gauge("ringledger_epoch", "Epoch of the lease that this process holds or held last.", registry=r)

    def stand_down(self) -> None:
        """Say no more of what only an active engine knows: whoever hands over lives on, and its last word would too."""
        self.is_active.set(0)
        for figure in (self.live_contacts, self.shifts, self.links_up, self.spool_state):
            figure.clear()

    def serve(self, address: Address) -> "Served":
        """Serve the figures over HTTP on that address until closed. Raises MetricsError where it is taken."""
        try:
            server, thread = start_http_server(address.port, address.host, self.registry)
        except OSError as error:
            raise MetricsError(
                f"The figures cannot be served on {address} ({error.strerror or error}); set RINGLEDGER_METRICS to "
                "another host:port, or to nothing to do without."
            ) from error

        def close() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        port: int = server.server_address[1]
        return Served(Address(address.host, port), close)


@dataclass(frozen=True, slots=True)
class Served:
    """Where the figures are to be had, and how to end that."""

    address: Address
    close: Callable[[], None]


class Port:
    """The address of an engine's figures, of two engines on one machine the active one's. Figures are no reason to
    leave callers waiting: that it is taken is said once, and whoever should have it tries again.
    """

    def __init__(self, metrics: Metrics, address: Address | None) -> None:
        """Without an address there is nothing to have."""
        self._metrics = metrics
        self._address = address
        self._served: Served | None = None
        self._said = False

    def take(self) -> None:
        """Serve the figures there, unless that is so already, or somebody else does."""
        if self._address is None or self._served is not None:
            return
        try:
            self._served = self._metrics.serve(self._address)
            self._said = False
        except MetricsError as error:
            if not self._said:
                log.warning("figures-not-served", why=str(error))
            self._said = True

    def leave(self) -> None:
        """Let somebody else have it."""
        served, self._served = self._served, None
        if served is not None:
            served.close()
