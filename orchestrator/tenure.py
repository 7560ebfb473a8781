"""An engine while it is active: everything that it needs to decide and act, from its lease to the end of it.

What takes time was made ready while it stood by (`bootstrap`): the live state, the keys, and the links to the switches.
"""

import socket
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Final, Self

import gevent
import structlog
from gevent.event import Event
from msgspec import Struct, to_builtins
from msgspec.structs import replace

from orchestrator.clock import SiteClock
from orchestrator.control import Server, control_path
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.kernel import Instant, Refused
from orchestrator.domain.routing import admission
from orchestrator.domain.switch.facts import Fact, LegUnattended, Snapshot
from orchestrator.engines import Blindness, Roster, Seen
from orchestrator.esl.alive import SignOfLife
from orchestrator.esl.events import SwitchEvent
from orchestrator.esl.node import Link
from orchestrator.esl.perform import Performer
from orchestrator.leader import Lease
from orchestrator.loop import Engine, Services
from orchestrator.metrics import Metrics
from orchestrator.questions import Questions
from orchestrator.runner import Runner, unattended
from orchestrator.runner.inputs import DeskCommand, HandOver
from orchestrator.service.blacklist import Blacklists
from orchestrator.service.call_files import CallFiles, folder_beside
from orchestrator.service.calls_elsewhere import CallsElsewhere
from orchestrator.service.customers import Customers
from orchestrator.service.importing import Here, Importer, Lying
from orchestrator.settings import Address, Settings
from orchestrator.spools import DRAINING, FULL, IN_USE, READY, STATES, UNANNOUNCED, Spooled, spooled
from orchestrator.standby import Shadow
from orchestrator.steady import Steady, Work
from orchestrator.store import Announcer, Away, DeskWriter, Drained, Hooks, LiveWriter, Log, Source, Spool
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
    "conference",
    "desks",
    "pauses",
    "wrapup",
    *admission.KINDS,
    "config",
)
CONFIGURATION_S: Final = 0.25
_FIGURES_S: Final = 1.0
_CLOSE_S: Final = 10.0
# A successor has so long to look at the switches; with 5 000 channels it takes about three seconds.
AHEAD_S: Final = 10.0
_AHEAD_LOOK_S: Final = 0.05
_SIGHT_S: Final = 1.0
# Well within the half second between the end of a lease and somebody else's beginning.
_LATE_LOOK_S: Final = 0.1
# Contacts that are left to their switch before anybody else has a turn.
_LEFT_AT_ONCE: Final = 100


Hand = Callable[[str], None]


class Ground(Struct, frozen=True):
    """What an engine stands on all the time, active or not."""

    settings: Settings
    source: Source
    vault: Vault
    history: Log
    metrics: Metrics
    roster: Roster
    spool: Spool | None
    steady: Steady
    clock: SiteClock


class Tenure:
    """An active engine, in use from entering its block until leaving it. `over` is set once it is to hand over; then
    `successor` is the name of the standby to whom.
    """

    def __init__(
        self, ground: Ground, lease: Lease, shadow: Shadow, links: dict[str, Link], hand: Hand, *, spool: Spool | None
    ) -> None:
        """`shadow` has been read to the end, `links` stand by, `spool` is settled. `hand` gives the lease to a
        successor.
        """
        self.over = Event()
        self.successor = ""
        self._ground = ground
        self._lease = lease
        self._links = links
        self._position = shadow.position
        self._followed = shadow.position
        self._handing = False
        self._hand = hand
        settings, source, vault = ground.settings, ground.source, ground.vault
        self._clock = clock = ground.clock
        clock.go_on_from(shadow.decided_at)
        self._tape = TapeWriter(settings.tapes, vault, max_mb=settings.tape_max_mb, epoch=lease.epoch)
        customers = Customers(DeskWriter(source, vault), ground.history, vault, region=settings.region, clock=clock)
        blacklists = Blacklists(DeskWriter(source, vault), ground.history, region=settings.region)
        announcer = Announcer(vault, lease.epoch, shadow.position)
        self.engine = engine = Engine(
            Runner(shadow.world),
            epoch=lease.epoch,
            last_at=shadow.decided_at,
            tape=self._tape,
            may_write=lease.may_write,
            services=Services(customers.recognise_all, blacklists.list_marked, announcer.told),
            metrics=ground.metrics,
            clock=clock,
        )
        hooks = Hooks(
            on_away=engine.database_away,
            on_back=engine.database_back,
            on_deposed=engine.deposed,
            on_failed=engine.failed,
            on_spooling=partial(engine.database_spooled, "" if spool is None else spool.id),
            on_drained=partial(self._drained, announcer),
        )
        self._spool = spool
        self._writer = LiveWriter(
            source, vault, lease.fence, hooks=hooks, spool=None if spool is None else (spool, lease)
        )
        self._writer.know(shadow.world.versions)
        self._performer = Performer(
            links,
            may_write=lease.may_write,
            offer_open=engine.offer_open,
            deliver=partial(engine.deliver, ""),
            clock=clock,
            recordings=str(settings.recordings),
        )
        self._sign = SignOfLife(links, lives=engine.lives, full=self._is_full)
        self._said_full = False
        self._importer = self._make_importer(customers)
        since = partial(self._since, announcer)
        questions = Questions(engine, links, lease, settings, clock, self._spool_now, since)
        self._control = Server(
            control_path(settings.home), self._command, questions.answer, now=clock, wishes=shadow.wishes
        )
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Begin to decide. Taken down in an order in which what was decided is still stored, what was stored is still
        performed, and a successor waits for nothing else.
        """
        engine, links = self.engine, self._links
        with ExitStack() as stack:
            stack.callback(self._tape.close)
            for link in links.values():
                stack.callback(link.stop)
            stack.callback(self._performer.stop)
            stack.callback(self._hand_on)
            stack.callback(self._writer.close, _CLOSE_S)
            stack.callback(engine.stop)
            self._writer.start()
            why, host = self._lease.taken.value, socket.gethostname()
            engine.start(self._writer, self._performer.perform_all, self._position, why=why, host=host)
            self._leave_to_switches(engine.runner.world.contacts.values())
            for link in links.values():
                link.serve()
            spawn = self._ground.steady.spawn
            self._spawn(stack, "configuration", self._follow_configuration)
            self._sign.start(spawn)
            stack.callback(self._sign.stop)
            self._importer.start(spawn)
            stack.callback(self._importer.stop)
            self._control.start()
            stack.callback(self._stop_control)
            stack.callback(self._ground.metrics.stand_down)
            self._spawn(stack, "figures", self._keep_figures)
            self._spawn(stack, "sight", self._keep_seeing)
            self._spawn(stack, "late_words", self._drop_late_words)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def deliver(self, node: str, item: SwitchEvent | Fact, at: Instant) -> None:
        """Take news of a switch. Whoever is missing in its list of channels may have been served by it alone, and have
        left: it says so beforehand, for its record is written before a channel goes.
        """
        if isinstance(item, Snapshot):
            seen = {leg.leg for leg in item.legs}
            there = [each for each in self.engine.runner.world.contacts.values() if each.node == node]
            self._leave_to_switches(each for each in there if each.caller_leg not in seen)
        self.engine.deliver(node, item, at)

    def _leave_to_switches(self, contacts: Iterable[Contact]) -> None:
        """Those of whose callers a switch says that it took them are its own; what became of them is imported when its
        turn comes. Where nothing can be recorded now, the list behind it will be asked for afresh.
        """
        if self.engine.holding:
            return
        legs = {each.caller_leg: each.node for each in contacts}
        for number, leg in enumerate(self._importer.said_of(legs), 1):
            self.engine.deliver(legs[leg], LegUnattended(node=legs[leg], leg=leg), self._clock())
            if number % _LEFT_AT_ONCE == 0:
                gevent.sleep(0)

    def _stop_control(self) -> None:
        # Whoever takes over needs not wait until everybody who is connected has hung up.
        self._control.stop(patience_s=0.0 if self.over.is_set() else 1.0)

    def _since(self, announcer: Announcer, asked: str) -> dict[str, object]:
        writer = self._writer
        idle = not (writer.spooling or writer.away or writer.waiting)
        return announcer.since(asked, under_way=writer.spooling, idle=idle)

    def _drained(self, announcer: Announcer, drained: Drained) -> None:
        announcer.in_log(drained.position)
        self.engine.database_drained(drained)

    def _spool_now(self) -> dict[str, object]:
        """How the spool stands, and how much is in it (bytes, seconds)."""
        found: dict[str, object] = to_builtins(Spooled() if self._spool is None else self._spooled(self._spool))
        return found

    def _tell_spool(self, metrics: Metrics) -> None:
        now = Spooled() if self._spool is None else self._spooled(self._spool)
        for state in STATES:
            metrics.spool_state.labels(state).set(int(state == now.state))
        metrics.spool_events.set(now.events)
        metrics.spool_share.set(now.share)
        metrics.spool_bytes.set(now.bytes)
        metrics.spool_limit_bytes.set(now.limit_bytes)
        metrics.spool_oldest_seconds.set(now.oldest_s)

    def _spooled(self, spool: Spool) -> Spooled:
        return spooled(spool, self._spool_state(spool), self._clock())

    def _spool_state(self, spool: Spool) -> str:
        if self._writer.spooling:
            return FULL if spool.full else DRAINING if self._writer.draining else IN_USE
        return READY if self._lease.announced else UNANNOUNCED

    def _is_full(self) -> bool:
        """Whether the spool has room for those only who are inside; said once."""
        full = self._spool is not None and self._writer.spooling and self._spool.full
        if full and not self._said_full:
            log.error("spool-full", remedy="new callers are served by the switches until the database is back")
        self._said_full = full
        return full

    def _hand_on(self) -> None:
        if self.successor:
            self._hand(self.successor)

    def _spawn(self, stack: ExitStack, name: str, work: Work) -> None:
        stack.callback(self._ground.steady.spawn(name, work).kill)

    def _make_importer(self, customers: Customers) -> Importer:
        """Of the calls of this machine's switches, and of those whose recordings are fetched, too."""
        settings, vault = self._ground.settings, self._ground.vault
        own = tuple(switch.name for switch in settings.switches if switch.name not in settings.fetch_from)
        doors: dict[Address, tuple[str, ...]] = {}
        for node, door in settings.fetch_from.items():
            doors[door] = (*doors.get(door, ()), node)
        files = CallFiles(
            folder_beside(settings.recordings), settings.recordings, vault, aside=gevent.get_hub().threadpool.apply
        )
        return Importer(
            [
                Lying(files, partial(self._here, own), files.spoken_of),
                *(Lying(CallsElsewhere(door, vault), partial(self._here, nodes)) for door, nodes in doors.items()),
            ],
            carry=self.engine.command,
            identify=customers.recognise_all,
            clock=self._clock,
            whose=customers.whose,
            earlier=lambda leg: unattended.earlier_of(self.engine.runner.world, leg),
        )

    def _here(self, nodes: tuple[str, ...]) -> Here:
        known = {name: link for name, link in self._links.items() if link.core}
        return Here(
            nodes,
            {link.core: name for name, link in known.items()},
            {name: link.core for name, link in known.items() if link.up},
        )

    # --- commands ----------------------------------------------------------------------------------------------------
    def _command(self, command: DeskCommand) -> int:
        if isinstance(command, HandOver):
            return self._hand_over(command)
        return self.engine.command(command)

    def _hand_over(self, wish: HandOver) -> int:
        """Go on deciding until the successor has looked at the switches, then record it and decide nothing more, and
        let whoever holds this tenure end it; the log position.
        """
        return self._give_way(replace(wish, to=self._choose(wish.to).holder, why=""))

    def _give_way(self, wish: HandOver) -> int:
        if self._handing:
            raise Refused("handing_over", "This engine is handing over already.")
        if self._writer.spooling:
            raise Refused("database_away", "The database is away: nobody can be handed over to now.")
        self._handing = True
        try:
            if not wish.why:
                self._await_ahead(wish.to, self.engine.command(replace(wish, ahead=True, key="")))
            position = self.engine.hand_over(replace(wish, ahead=False))
        except BaseException:
            self._handing = False
            raise
        self.successor = wish.to
        self.over.set()
        return position

    def _choose(self, wanted: str) -> Seen:
        """The standby that is to follow. Raises `Refused` where there is none that could at once."""
        reached = [name for name, link in self._links.items() if link.up]
        for each in self._others():
            if each.may_follow and each.reaches(reached) and wanted in {"", each.holder}:
                return each
        raise Refused(
            "no_standby",
            "No engine stands by that could go on at once: one must have read the log to its end and have a connection "
            "to every switch that this one has. `ringledger engines` lists them; start one more with `ringledger "
            "engine`.",
        )

    def _await_ahead(self, holder: str, asked: int) -> None:
        """Wait until this standby has looked at the switches because of that wish. Raises `Refused` where it does
        not.
        """
        until = time.monotonic() + AHEAD_S
        while time.monotonic() < until:
            if any(each.holder == holder and each.standing.ahead == asked for each in self._others()):
                return
            gevent.sleep(_AHEAD_LOOK_S)
        raise Refused(
            "not_ahead",
            f"The engine that was to follow has not looked at the switches within {AHEAD_S:g} s, so this one goes on. "
            "See its log, and try again.",
        )

    def _others(self) -> list[Seen]:
        """The other engines. Raises `Refused` where nobody can say."""
        try:
            return [each for each in self._ground.roster.all() if each.holder != self._lease.holder]
        except Away:
            raise Refused("database_away", "The database is away: nobody can be handed over to now.") from None

    # --- meanwhile ---------------------------------------------------------------------------------------------------
    def _follow_configuration(self) -> None:
        """Let the engine know what others append to the configuration.

        Asked for now and then, not at each wake-up: the engine's own appends wake every listener hundreds of times a
        second, and nobody waits for a new configuration by the millisecond.
        """
        history = self._ground.history
        while True:
            gevent.sleep(CONFIGURATION_S)
            try:
                end = history.position()
                for record in history.history(after=self._followed, until=end, kinds=CONFIGURATION):
                    self.engine.follow(record)
                    self._followed = record.position
                self._followed = max(self._followed, end)
            except Away:
                # The writer says so, and when it is back; what was appended meanwhile is still there then.
                continue

    def _keep_seeing(self) -> None:
        """Where none of the switches is reached for long, and a standby reaches one: let it decide."""
        blindness = Blindness()
        while self._links:
            gevent.sleep(_SIGHT_S)
            if self._handing or not blindness.note(reaches=any(link.up for link in self._links.values())):
                continue
            try:
                chosen = blindness.follower(self._others())
                if chosen is not None:
                    log.error("switches-lost", to=chosen.holder, remedy="the engine that reaches them decides")
                    self._give_way(HandOver(to=chosen.holder, why="switches_lost"))
            except Refused as refused:
                # The database is away, too: nobody else could take the lease, nor can it be given.
                log.warning("switches-lost-and-not-handed-over", why=refused.code)

    def _drop_late_words(self) -> None:
        """A host that is cut off has the words of its last second in its kernel, which would bring them to the switch
        when the cable is back, be it after somebody else decided otherwise.
        """
        while True:
            gevent.sleep(_LATE_LOOK_S)
            if not self._lease.may_write():
                for link in self._links.values():
                    link.drop_what_is_unheard()

    def _keep_figures(self) -> None:
        metrics = self._ground.metrics
        metrics.epoch.set(self._lease.epoch)
        states: set[tuple[str, str]] = set()
        while True:
            world = self.engine.runner.world
            counts: dict[tuple[str, str], int] = dict.fromkeys(states, 0)
            for contact in world.contacts.values():
                counts["contact", contact.status] = counts.get(("contact", contact.status), 0) + 1
            for shift in world.shifts.values():
                counts["shift", shift.status] = counts.get(("shift", shift.status), 0) + 1
            states.update(counts)
            for (kind, state), count in counts.items():
                (metrics.live_contacts if kind == "contact" else metrics.shifts).labels(state).set(count)
            for name, link in self._links.items():
                metrics.links_up.labels(name).set(int(link.up))
                metrics.frames_dropped.labels(name).set(link.flaws)
                metrics.snapshots_failed.labels(name).set(link.snapshots_failed)
            metrics.tape_kept.set(self._tape.kept)
            metrics.tape_missed.set(self._tape.missed)
            metrics.spooling.set(int(self._writer.spooling))
            self._tell_spool(metrics)
            metrics.is_active.set(int(self._lease.may_write()))
            gevent.sleep(_FIGURES_S)
