"""The composition root: every object of a running engine is built here, once, and taken down in the reverse order."""

import gc
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Final

import gevent
import structlog
from gevent.event import Event

from orchestrator import cluster, logs
from orchestrator.control import Server, control_path
from orchestrator.domain.kernel import Instant
from orchestrator.domain.routing import admission
from orchestrator.domain.world import World
from orchestrator.esl.alive import SignOfLife
from orchestrator.esl.node import Link
from orchestrator.esl.perform import Performer
from orchestrator.leader import Leader, Lease, holder_name
from orchestrator.loop import EXIT_DEPOSED, Engine, Services, wall_clock
from orchestrator.metrics import Metrics, MetricsError
from orchestrator.questions import Questions
from orchestrator.runner import Runner
from orchestrator.service.blacklist import Blacklists
from orchestrator.service.customers import Customers
from orchestrator.service.importing import Importer
from orchestrator.settings import Address, Settings
from orchestrator.store import Away, DeskWriter, Hooks, KeyShelf, LiveWriter, Log, Source, assert_cooperative, schema
from orchestrator.tape import TapeWriter
from orchestrator.vault import Vault

log = structlog.get_logger(__name__)

# Streams that others append to and the live state rests on.
CONFIGURATION: Final = (
    "branch",
    "level",
    "agent",
    "queue",
    "entry",
    "outside",
    "recordings",
    "pauses",
    "wrapup",
    *admission.KINDS,
    "config",
)
# Allocations between looks at the youngest structures, and looks between those at older ones. Python's own are
# (700, 10, 10); a full look costs tens of milliseconds in which no call is served.
_COLLECT: Final = (20_000, 20, 50)
CONFIGURATION_S: Final = 0.25
_FIGURES_S: Final = 1.0
_CLOSE_S: Final = 10.0


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
        _serve(settings, database, asked_to_stop, closing)
    finally:
        for close in reversed(closing):
            close()
    log.info("engine-stopped")
    return 0


def _serve(
    settings: Settings, database: cluster.Cluster, asked_to_stop: Event, closing: list[Callable[[], object]]
) -> None:
    source = Source(database.url_writer, name=holder_name())
    closing.append(source.close)
    schema.check(source)
    vault = Vault.unlock(settings.kek_file, KeyShelf(source))
    lease = _become_active(settings, source, asked_to_stop, closing)
    if lease is None:
        return
    history = Log(source, vault=vault)
    world, position, last_at = _fold(history)
    _settle_memory()
    log.info("engine-active", epoch=lease.epoch, position=position, contacts=len(world.contacts))
    metrics = Metrics()
    tape = TapeWriter(settings.tapes, vault, max_mb=settings.tape_max_mb, epoch=lease.epoch)
    closing.append(tape.close)
    customers = Customers(DeskWriter(source, vault), history, vault, region=settings.region)
    blacklists = Blacklists(DeskWriter(source, vault), history, region=settings.region)
    engine = Engine(
        Runner(world),
        epoch=lease.epoch,
        last_at=last_at,
        tape=tape,
        may_write=lease.may_write,
        services=Services(customers.recognise_all, blacklists.list_marked),
        metrics=metrics,
    )
    hooks = Hooks(
        on_away=engine.database_away,
        on_back=engine.database_back,
        on_deposed=engine.deposed,
        on_failed=engine.failed,
    )
    writer = LiveWriter(source, vault, lease.fence, hooks=hooks).start()
    writer.know(world.versions)
    closing.append(partial(writer.close, _CLOSE_S))
    links = {
        switch.name: Link(switch, partial(engine.deliver, switch.name), clock=wall_clock)
        for switch in settings.switches
    }
    performer = Performer(
        links,
        may_write=lease.may_write,
        offer_open=engine.offer_open,
        deliver=partial(engine.deliver, ""),
        clock=wall_clock,
        recordings=str(settings.recordings),
    )
    engine.start(writer, performer.perform_all, position)
    closing.append(engine.stop)
    _follow_configuration(history, engine, position, closing)
    closing.append(performer.stop)
    for link in links.values():
        link.start()
        closing.append(link.stop)
    sign = SignOfLife(links, lives=engine.lives)
    sign.start()
    closing.append(sign.stop)
    importer = _importer(settings, engine, customers)
    importer.start()
    closing.append(importer.stop)
    questions = Questions(engine, links, lease, settings)
    control = Server(control_path(settings.home), engine.command, questions.answer)
    control.start()
    closing.append(control.stop)
    if settings.metrics is not None:
        _serve_figures(metrics, settings.metrics, closing)
    figures = gevent.spawn(_keep_figures, metrics, engine, links, lease, tape)
    closing.append(figures.kill)
    asked_to_stop.wait()


def _importer(settings: Settings, engine: Engine, customers: Customers) -> Importer:
    """Of the calls of this machine's switch, which is the one whose recordings are nobody else's to fetch."""
    here = [switch.name for switch in settings.switches if switch.name not in settings.fetch_from]
    return Importer(
        settings.recordings.with_name("unattended"),
        settings.recordings,
        node=here[0] if here else "",
        carry=engine.command,
        identify=customers.recognise_all,
        clock=wall_clock,
    )


def _become_active(
    settings: Settings, source: Source, asked_to_stop: Event, closing: list[Callable[[], object]]
) -> Lease | None:
    """Stand by until the lease is ours; None where we are asked to stop first."""
    taken: list[Lease] = []
    moved = Event()

    def active(lease: Lease) -> None:
        taken.append(lease)
        moved.set()

    def deposed(lease: Lease) -> None:
        # Memory may be ahead of the log by what was refused: only a fresh start is sure to be right.
        log.error("deposed", epoch=lease.epoch)
        sys.stderr.flush()
        os._exit(EXIT_DEPOSED)

    leader = Leader(source, settings.site, on_active=active, on_deposed=deposed).start()
    closing.append(leader.stop)
    log.info("engine-standby", site=settings.site)
    asked_to_stop.rawlink(lambda _: moved.set())
    moved.wait()
    return taken[0] if taken else None


def _fold(history: Log) -> tuple[World, int, Instant]:
    """The live state as the log has it, the position up to which, and the latest instant in it."""
    world = World()
    position, last_at = 0, Instant(0)
    for each in history.happened():
        world.apply(each)
        position, last_at = each.position, max(last_at, each.about.at)
    return world, position, last_at


def _settle_memory() -> None:
    """Take the folded state out of the collector's sight, and let it look less often: the loop makes thousands of short
    structures a second and no cycles among them, so most of its looks find nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)


def _serve_figures(metrics: Metrics, address: Address, closing: list[Callable[[], object]]) -> None:
    """Figures are no reason to leave callers waiting: a taken port is said, and the engine goes on without."""
    try:
        closing.append(metrics.serve(address).close)
    except MetricsError as error:
        log.warning("figures-not-served", why=str(error))


def _follow_configuration(history: Log, engine: Engine, position: int, closing: list[Callable[[], object]]) -> None:
    """Let the engine know what others append to the configuration.

    Asked for now and then, not at each wake-up: the engine's own appends wake every listener hundreds of times a
    second, and nobody waits for a new configuration by the millisecond.
    """

    def follow() -> None:
        seen = position
        while True:
            gevent.sleep(CONFIGURATION_S)
            try:
                end = history.position()
                for record in history.history(after=seen, until=end, kinds=CONFIGURATION):
                    engine.follow(record)
                    seen = record.position
                seen = max(seen, end)
            except Away:
                # The writer says so, and when it is back; what was appended meanwhile is still there then.
                continue

    closing.append(gevent.spawn(follow).kill)


def _keep_figures(metrics: Metrics, engine: Engine, links: dict[str, Link], lease: Lease, tape: TapeWriter) -> None:
    metrics.epoch.set(lease.epoch)
    states: set[tuple[str, str]] = set()
    while True:
        world = engine.runner.world
        counts: dict[tuple[str, str], int] = dict.fromkeys(states, 0)
        for contact in world.contacts.values():
            counts["contact", contact.status] = counts.get(("contact", contact.status), 0) + 1
        for shift in world.shifts.values():
            counts["shift", shift.status] = counts.get(("shift", shift.status), 0) + 1
        states.update(counts)
        for (kind, state), count in counts.items():
            (metrics.live_contacts if kind == "contact" else metrics.shifts).labels(state).set(count)
        for name, link in links.items():
            metrics.links_up.labels(name).set(int(link.up))
            metrics.frames_dropped.labels(name).set(link.flaws)
            metrics.snapshots_failed.labels(name).set(link.snapshots_failed)
        metrics.tape_kept.set(tape.kept)
        metrics.tape_missed.set(tape.missed)
        metrics.is_active.set(int(lease.may_write()))
        gevent.sleep(_FIGURES_S)
