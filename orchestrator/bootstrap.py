"""The composition root of `ringledger engine`: it stands by, is active for as long as it has the lease, and stands by
again where it handed over.

      starting ──log folded──▶ standby ──lease──▶ active (tenure.py) ──stop──▶ stopped
                                  ▲                  │
                                  └── hand over ─────┘
"""

import os
import signal
import socket
import sqlite3
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

import gevent
import structlog
from gevent.event import Event

from orchestrator import cluster, logs
from orchestrator.clock import SiteClock
from orchestrator.domain.engine import HandoverAsked
from orchestrator.domain.kernel import SECOND, Instant, Record
from orchestrator.domain.switch.facts import Fact
from orchestrator.engines import TELL_S, Roster, Standing
from orchestrator.esl.events import SwitchEvent
from orchestrator.esl.node import Link
from orchestrator.leader import Leader, LeaderState, Lease, holder_name
from orchestrator.loop import EXIT_BUG, EXIT_DEPOSED
from orchestrator.metrics import Metrics, Port
from orchestrator.neighbour import identity
from orchestrator.service.customers import Customers
from orchestrator.settings import ALWAYS, OFF, Settings
from orchestrator.spools import Settling, Sweeping, tell_aside
from orchestrator.standby import Shadow
from orchestrator.steady import Steady
from orchestrator.store import (
    Aside,
    Away,
    DeskWriter,
    KeyShelf,
    Log,
    Source,
    Spool,
    assert_cooperative,
    schema,
)
from orchestrator.store.identity import ledger_mark
from orchestrator.tenure import AHEAD_S, Ground, Tenure
from orchestrator.vault import Vault

log = structlog.get_logger(__name__)

_HAND_S: Final = 5.0
_EXPECT_S: Final = 5.0
_LET_IT_BEGIN_S: Final = 1.0
_LOOK_S: Final = 0.01
# A spool that was put aside is sealed anew soon after, in small pieces: calls come first.
_SWEEP_S: Final = 5.0
_BREATH_S: Final = 0.05


def run_engine(settings: Settings) -> int:
    """Stand by, become active, serve calls until SIGTERM or SIGINT; the exit code.

    Needs a process patched by gevent.
    """
    assert_cooperative()
    logs.configure(settings.log_level)
    asked_to_stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, asked_to_stop.set)
    database = cluster.ensure_running(settings, lambda line: log.info("database", step=line))
    closing: list[Callable[[], object]] = [database.stop]
    try:
        source = Source(database.url_writer, name=holder_name()).feel()
        closing.append(source.close)
        schema.check(source)
        vault = Vault.unlock(settings.kek_file, KeyShelf(source))
        roster = Roster(source, settings.site)
        spool = _open_spool(settings, source, vault)
        if spool is not None:
            closing.append(spool.close)
        metrics = Metrics()
        history, steady = Log(source, vault=vault), Steady(metrics.faults)
        ground = Ground(settings, source, vault, history, metrics, roster, spool, steady, SiteClock())
        Post(ground, asked_to_stop, closing).keep()
    finally:
        for close in reversed(closing):
            close()
    log.info("engine-stopped")
    return 0


class Post:
    """This process's place among the engines of its site."""

    def __init__(self, ground: Ground, asked_to_stop: Event, closing: list[Callable[[], object]]) -> None:
        self._ground = ground
        self._asked_to_stop = asked_to_stop
        self._moved = Event()
        self._changed = Event()
        self._leases: deque[Lease] = deque()
        self._leader = Leader(
            ground.source,
            ground.settings.site,
            on_active=self._active,
            on_deposed=_deposed,
            on_failed=_failed,
            is_fit=self._is_fit,
            spool=ground.spool,
            spool_always=ground.settings.spool == ALWAYS,
            hear=ground.clock.hear,
        )
        self._said_unseen = ""
        self._ledger = ledger_mark(ground.source, ground.settings.site)
        self._shadow: Shadow | None = None
        self._links: dict[str, Link] = {}
        self._tenure: Tenure | None = None
        self._ahead = 0
        self._looking: gevent.Greenlet | None = None
        self._port = Port(ground.metrics, ground.settings.metrics)
        self._closing = closing
        asked_to_stop.rawlink(lambda _: self._moved.set())

    def keep(self) -> None:
        """Stand by and be active in turn, until asked to stop."""
        self._closing.append(self._tell_end)
        telling = self._ground.steady.spawn("standing", self._keep_telling)
        self._closing.append(telling.kill)
        self._closing.append(self._ground.steady.spawn("aside", self._keep_sweeping).kill)
        self._closing.append(self._port.leave)
        self._closing.append(self._leader.stop)
        while not self._asked_to_stop.is_set():
            self._port.take()
            shadow, links = self._stand_by()
            try:
                lease = self._await_lease()
                if lease is not None:
                    self._serve(lease, shadow, links)
            finally:
                self._look_no_more()
                shadow.stop()
                for link in links.values():
                    link.stop()

    def _stand_by(self) -> tuple[Shadow, dict[str, Link]]:
        """The live state, warm, and connections to the switches."""
        settings = self._ground.settings
        self._shadow = None
        self._ahead = 0
        self._links = links = {
            switch.name: Link(
                switch, partial(self._deliver, switch.name), clock=self._ground.clock, ledger=self._ledger
            )
            for switch in settings.switches
        }
        for link in links.values():
            link.stand_by()
        shadow = Shadow(self._ground.history, self._heard, failed=_failed)
        shadow.begin()
        self._shadow = shadow
        if self._leader.state is LeaderState.STOPPED:
            self._leader.start()
        self._leader.seek()
        self._changed.set()
        log.info("engine-standby", site=settings.site, position=shadow.position)
        return shadow, links

    def _await_lease(self) -> Lease | None:
        """Stand by until the lease is ours; None where we are asked to stop first."""
        while not self._leases and not self._asked_to_stop.is_set():
            self._moved.wait()
            self._moved.clear()
        return self._leases.popleft() if self._leases else None

    def _serve(self, lease: Lease, shadow: Shadow, links: dict[str, Link]) -> None:
        """Be active until asked to stop, or to hand over."""
        self._look_no_more()
        spool = self._settle(lease)
        if self._asked_to_stop.is_set():
            return
        shadow.finish()
        tenure = self._tenure = Tenure(self._ground, lease, shadow, links, self._hand, spool=spool)
        tenure.over.rawlink(lambda _: self._moved.set())
        with tenure:
            contacts = len(shadow.world.contacts)
            log.info("engine-active", epoch=lease.epoch, why=lease.taken, position=shadow.position, contacts=contacts)
            self._changed.set()
            while not tenure.over.is_set() and not self._asked_to_stop.is_set():
                self._moved.wait()
                self._moved.clear()
        self._tenure = None
        if tenure.successor:
            self._port.leave()
            # Reading the log anew is a second's work of a core, which the successor needs now for its first look.
            self._moved.wait(_LET_IT_BEGIN_S)

    def _settle(self, lease: Lease) -> Spool | None:
        """Bring to the log what an engine of this machine left in the spool; the spool, where it can be used."""
        ground = self._ground
        if ground.spool is None:
            return None
        settling = Settling(ground.spool, lease, ground.source, ground.vault, ground.history)
        if settling.settle(self._asked_to_stop.is_set):
            return ground.spool
        self._leader.do_without_spool()
        return None

    def _hand(self, to: str) -> None:
        if self._leader.hand_to(to, timeout_s=_HAND_S):
            log.info("engine-handed-over", to=to)
        else:
            # We have said that we decide nothing more, and nobody can say whether it has the lease.
            log.error("engine-not-handed-over", to=to, remedy="it is given the lease once the database answers again")

    # --- what others say -------------------------------------------------------------------------------------------
    def _active(self, lease: Lease) -> None:
        self._leases.append(lease)
        self._moved.set()

    def _deliver(self, node: str, item: SwitchEvent | Fact, at: Instant) -> None:
        if self._tenure is not None:
            self._tenure.deliver(node, item, at)

    def _heard(self, record: Record) -> None:
        if isinstance(record.event, HandoverAsked) and record.event.to == self._leader.holder:
            self._look_no_more()
            self._looking = self._ground.steady.spawn("looking_ahead", partial(self._look_ahead, record.position))

    def _look_no_more(self) -> None:
        if self._looking is not None:
            self._looking.kill()
            self._looking = None

    def _look_ahead(self, wish: int) -> None:
        """We are to follow: look at the switches, while another engine decides, and say so when that is done."""
        links = [link for link in self._links.values() if link.reached]
        for link in links:
            link.prepare()
        until = time.monotonic() + AHEAD_S
        while any(link.reached and not link.prepared for link in links):
            if time.monotonic() >= until:
                return  # nobody waits for it any more
            gevent.sleep(_LOOK_S)
        self._leader.expect(_EXPECT_S)
        self._ahead = wish
        self._changed.set()

    def _is_fit(self) -> bool:
        """Whether this engine may take a lease: not where it reaches no switch, and another one that is warm does."""
        if not self._links or any(link.reached for link in self._links.values()):
            return True
        try:
            known = self._ground.roster.all()
        except Away:
            return True
        return not any(each.may_follow and each.standing.reached for each in known)

    # --- what others are told ----------------------------------------------------------------------------------------
    def _standing(self) -> Standing:
        tenure, shadow = self._tenure, self._shadow
        position = tenure.engine.position if tenure is not None else shadow.position if shadow is not None else 0
        return Standing(
            state=self._leader.state if shadow is not None else LeaderState.STARTING,
            position=position,
            abreast=tenure is not None or (shadow is not None and shadow.abreast),
            reached=tuple(name for name, link in self._links.items() if link.reached),
            missed=tuple(name for name, link in self._links.items() if not link.reached),
            ahead=self._ahead,
            faults=self._ground.steady.faults,
            spool="" if self._ground.spool is None else self._ground.spool.id,
        )

    def _keep_telling(self) -> None:
        metrics, roster = self._ground.metrics, self._ground.roster
        while True:
            self._catch_up_with_spool()
            standing = self._standing()
            for state in LeaderState:
                metrics.engine_state.labels(state.value).set(int(state is standing.state))
            if self._tenure is not None:
                self._port.take()  # another engine of this machine may have had it until a moment ago
            self._say_unseen(self._leader.unseen_spool)
            self._tell_clocks()
            try:
                roster.tell(socket.gethostname(), standing)
                if standing.state is LeaderState.ACTIVE:
                    roster.forget_old()
                    metrics.standbys_ready.set(sum(each.may_follow for each in roster.all()))
                else:
                    metrics.standbys_ready.set(0)
            except Away as away:
                log.debug("standing-not-told", why=str(away))
            self._changed.wait(TELL_S)
            self._changed.clear()

    def _keep_sweeping(self) -> None:
        """Let an erasure reach the spools that were put aside, be it by an earlier engine of this machine."""
        ground, settings = self._ground, self._ground.settings
        customers = Customers(
            DeskWriter(ground.source, ground.vault),
            ground.history,
            ground.vault,
            region=settings.region,
            clock=ground.clock,
        )
        aside = Aside(ground.source, ground.vault, ledger=self._ledger)
        sweeping = Sweeping(settings.spools, aside, customers.recognise_all)
        while True:
            gevent.sleep(_SWEEP_S)
            try:
                sweeping.sweep(pause=partial(gevent.sleep, _BREATH_S))
            except Away as away:
                log.debug("aside-not-swept", why=str(away))

    def _catch_up_with_spool(self) -> None:
        """See the spool that the active engine of this machine has, be it that it put an earlier one aside."""
        spool = self._ground.spool
        if spool is None or self._leader.state is not LeaderState.STANDBY:
            return
        try:
            spool.catch_up()
        except (OSError, sqlite3.Error) as error:
            log.warning("spool-not-seen", why=str(error))

    def _tell_clocks(self) -> None:
        clock, metrics = self._ground.clock, self._ground.metrics
        clock.say()
        metrics.host_clock_off.set(clock.host_off / SECOND)
        metrics.database_clock_off.set(clock.database_off / SECOND)

    def _say_unseen(self, spool: str) -> None:
        """Say once that the lease waits for a spool of another machine."""
        if spool and spool != self._said_unseen:
            log.error(
                "lease-waits-for-spool",
                spool=spool,
                remedy="start the engine of that machine, or give up what is in it: ringledger spool give-up",
            )
        self._said_unseen = spool

    def _tell_end(self) -> None:
        try:
            standing = Standing(state=LeaderState.STOPPED, position=0, abreast=False, reached=(), missed=())
            self._ground.roster.tell(socket.gethostname(), standing)
        except Away as away:
            log.warning("standing-not-told", why=str(away))


def _open_spool(settings: Settings, source: Source, vault: Vault) -> Spool | None:
    """The spool of this machine, where one is wanted and can be had."""
    if settings.spool == OFF:
        return None
    try:
        spool = Spool(
            settings.spools,
            vault,
            ledger=ledger_mark(source, settings.site),
            machine=identity(settings.home),
            limit_mb=settings.spool_max_mb,
        )
    except (OSError, sqlite3.Error) as error:
        log.error("spool-failed", why=str(error), remedy="without it, calls wait while the database is away")  # noqa: TRY400 - the words say it
        return None
    if spool.put_aside is not None:
        tell_aside(*spool.put_aside)
    return spool


def _deposed(lease: Lease) -> None:
    # Memory may be ahead of the log by what was refused: only a fresh start is sure to be right.
    log.error("deposed", epoch=lease.epoch)
    sys.stderr.flush()
    os._exit(EXIT_DEPOSED)


def _failed(error: Exception) -> None:
    # Without a leader it would hold its calls, or stand by, for ever, and look alive.
    traceback.print_exception(error, file=sys.stderr)
    log.critical("leader-failed", error=f"{type(error).__name__}: {error}", remedy="starting again")
    sys.stderr.flush()
    os._exit(EXIT_BUG)
