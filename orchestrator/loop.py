"""gevent around the runner: inputs in, batches committed, instructions performed.

    link ──item──▶ take ──▶ tape ──▶ translate ──▶ Runner.step ──records──▶ LiveWriter ──stored──▶ Performer
    timer ────────▶ │                                                          │
    command ──────▶ │ ◀───────────────── answer with the log position ─────────┘

`take` is one synchronous piece that never gives way to another greenlet, so steps happen one after another whoever
calls it. While the database is away, what is decided goes to the spool (`store/spooling.py`), and all goes on. Where it
may not, or is full, news is held back and nothing is decided: callers stay parked with their music, commands are
refused, and work goes on where it stopped.
"""

import os
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, Protocol

import gevent
import structlog
from gevent.event import AsyncResult, Event
from prometheus_client import Counter

from orchestrator.clock import Clock
from orchestrator.domain.contacts import contacts
from orchestrator.domain.contacts.contacts import ContactArrived, NuisanceMarked
from orchestrator.domain.contacts.dial_events import ContactDialled
from orchestrator.domain.contacts.unattended import IMPORT
from orchestrator.domain.kernel import MILLISECOND, SECOND, Instant, Record, Refused, ident_of
from orchestrator.domain.switch.facts import Fact, InstructionFailed, LegPresence, Snapshot
from orchestrator.domain.switch.instructions import (
    AnnounceNumber,
    HangUpLeg,
    Instruction,
    RingAgent,
    StopRecording,
    TakeSnapshot,
)
from orchestrator.esl.events import SwitchEvent
from orchestrator.esl.translate import translate, verdict
from orchestrator.metrics import Metrics
from orchestrator.runner import Followed, Input, Outcome, Runner, TimerFired
from orchestrator.runner.inputs import DatabaseAway, DatabaseBack, DeskCommand, IdentifyContact, Started
from orchestrator.service.callers import Callers, Identify
from orchestrator.service.customers import Caller
from orchestrator.service.marks import ListMarked, Marks
from orchestrator.store import SPOOLED, Away, Drained, StoreError
from orchestrator.tape.form import Told

log = structlog.get_logger(__name__)

# News held back while the database is away: at 60 calls/s with about 20 items each this is over a minute. Past it, all
# of it is thrown away and the switches are asked afresh what they have, which is the same truth (law 5).
MOST_HELD: Final = 100_000
# Events that may wait for a database that is there and slow: a second or two of a busy site. Past it news is held back
# as if it were away, and taken when half of them are stored: the writer takes only so many (store.writer.QUEUE_LIMIT).
MOST_UNSTORED: Final = 4_000
# For so long without the database callers are left to their music; then the switches serve them by themselves.
SILENT_AFTER: Final = 60 * SECOND
# How often instructions that wait for the lease look whether it is ours again.
LEASE_LOOK_S: Final = 0.02
# A command whose record is not stored by then gets an answer that says so.
COMMAND_S: Final = 5.0
_OFFER_OUTCOMES: Final = {
    contacts.ContactConnected: "accepted",
    contacts.OfferRejected: "rejected",
    contacts.OfferTimedOut: "timed_out",
    contacts.OfferWithdrawn: "withdrawn",
    contacts.OfferFailed: "failed",
}
# News that a fresh snapshot tells as well as it did.
_ASKED_AFRESH: Final = (SwitchEvent, LegPresence)
# Events that concern services beside the ring path.
_SERVED: Final = frozenset({ContactArrived, ContactDialled, NuisanceMarked})
# Events whose facts may be no news (`runner.sensing.SIGNS_OF_LIFE`): only these are asked about.
_SIGNS_OF_LIFE: Final = frozenset({"CHANNEL_CREATE", "CHANNEL_ANSWER", "CHANNEL_UNBRIDGE"})
# What nobody notices a hundredth of a second later: their records may share a commit with what comes meanwhile.
_MAY_WAIT: Final = frozenset({AnnounceNumber, HangUpLeg, StopRecording})
NO_SUCH_LEG: Final = "No such channel"
EXIT_BUG: Final = 70  # EX_SOFTWARE of sysexits.h
EXIT_DEPOSED: Final = 75  # EX_TEMPFAIL of sysexits.h: start again, as a standby


class Tape(Protocol):
    """Where inputs are recorded."""

    def write(self, input_id: str, at: Instant, body: object) -> None:
        """Record one input; never waits."""
        ...

    def close(self) -> None:
        """Keep what was written, and end."""


class Writer(Protocol):
    """What the loop needs of the store's live writer."""

    away: bool

    @property
    def waiting(self) -> int:
        """Events submitted and not stored yet."""
        ...

    def submit(
        self,
        records: tuple[Record, ...],
        on_stored: Callable[[int], None],
        on_lost: Callable[[StoreError], None],
        *,
        patient: bool,
    ) -> None:
        """Take records to be stored together; never waits."""
        ...


Perform = Callable[[Sequence[Instruction]], None]


class Services(NamedTuple):
    """What works beside the ring path."""

    identify: Identify
    list_marked: ListMarked
    told: Callable[[Sequence[Record], int], None] = lambda _records, _position: None
    """Hears of what is durable, in the order of deciding, and where the log stands then (`SPOOLED`: in the spool)."""


class Engine:
    """The active orchestrator's heart."""

    def __init__(
        self,
        runner: Runner,
        *,
        epoch: int,
        last_at: Instant,
        tape: Tape,
        may_write: Callable[[], bool],
        services: Services,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        """`clock`: the time of the site, never earlier than `last_at`, the last instant that was decided at."""
        self.runner = runner
        self.position = 0
        """The position of the last record that we know to be stored."""
        self.stopped = Event()
        self._epoch = epoch
        self._last_at = last_at
        self._tape = tape
        self._may_write = may_write
        self._callers = Callers(services.identify, self._identified)
        self._marks = Marks(services.list_marked)
        self._metrics = metrics
        self._clock = clock
        self._told = services.told
        self._writer: Writer | None = None
        self._perform: Perform | None = None
        self._inputs = 0
        self._held: deque[tuple[str, object, Instant]] = deque()
        self._away_since = Instant(0)
        self._unserved: list[Record] = []
        """What services beside the ring path are to be given, once the database that they need is back."""
        self._returning = False
        """Whether the database was away and its return is not in the log yet: nothing is decided before that."""
        self._thrown_away = False
        # Looking a label up costs more than counting.
        self._event_counters = _Counters(metrics.esl_events)
        self._live_appended = metrics.events_appended.labels("live")
        self._in_line: deque[tuple[str, object, Instant, AsyncResult | None]] = deque()
        self._taking = False
        self._paused = False
        self._submitted = self._stored = 0
        self._moved_at = Instant(0)
        """When something was stored last, or the first was submitted since all was."""
        self._after: deque[tuple[int, tuple[Instruction, ...]]] = deque()
        self._waiting: deque[Instruction] = deque()
        self._must_wait = Event()
        self._timer_moved = Event()
        self._wakes_at: Instant | None = None
        self._greenlets: list[gevent.Greenlet] = []

    # --- begin and end -----------------------------------------------------------------------------------------------
    def start(self, writer: Writer, perform: Perform, position: int, *, why: str = "", host: str = "") -> None:
        """Begin to decide, with the log folded up to `position`; `why` it is us, and where (`EngineActivated`)."""
        self._writer, self._perform, self.position = writer, perform, position
        self._greenlets = [gevent.spawn(self._keep_time), gevent.spawn(self._keep_performing)]
        for greenlet in self._greenlets:
            greenlet.link_exception(lambda failed: self._die(failed.exception))
        self._callers.start()
        self._marks.start()
        blacklist = self.runner.world.admission.blacklist
        for contact_id, actor in blacklist.marked.items():
            self._marks.came(contact_id, blacklist.number_of(contact_id), actor)
        # Whoever decided before us may have ended before it knew who calls, or had no database to ask.
        for contact_id, contact in self.runner.world.contacts.items():
            number = contact.from_number or contact.caller_number
            if number and not contact.customer_id:
                self._callers.came(contact_id, number)
        started = Started(epoch=self._epoch, position=position, why=why, host=host)
        self._take_now("", started, self._clock())

    def stop(self) -> None:
        """Decide nothing any more. What was submitted is still stored by the writer."""
        self._paused = True
        gevent.killall(self._greenlets)
        self._callers.stop()
        self._marks.stop()
        self.stopped.set()

    # --- inputs ------------------------------------------------------------------------------------------------------
    def deliver(self, node: str, item: SwitchEvent | Fact, at: Instant) -> None:
        """Take news of a switch; held back while the database is away."""
        if isinstance(item, SwitchEvent):
            self._event_counters[node].inc()
        if _tells_nothing(item):
            return
        if self.holding:
            self._hold(node, item, at)
        elif not self._is_no_news(node, item):
            self._take_now(node, item, at)

    def _is_no_news(self, node: str, item: SwitchEvent | Fact) -> bool:
        """Whether nothing would follow; not asked while others wait to be taken before it."""
        if self._taking or not isinstance(item, SwitchEvent) or item.name not in _SIGNS_OF_LIFE:
            return False
        return all(map(self.runner.is_no_news, translate(node, item)))

    def follow(self, record: Record) -> None:
        """Take a record of a desk stream that somebody else appended."""
        self.deliver("", Followed(record=record), self._clock())  # type: ignore[arg-type]  # held like news

    def command(self, command: DeskCommand) -> int:
        """Carry out a request; the log position of what it led to (0 where it changed nothing).

        Raises `Refused`: by the rules; `database_away` where nothing can be recorded now; `unsure` where the database
        went away before it said whether it is stored.
        """
        result = self._carry_out(command)
        self._metrics.commands.labels(result.code if isinstance(result, Refused) else "done").inc()
        if isinstance(result, Refused):
            raise result
        return result

    def hand_over(self, command: DeskCommand) -> int:
        """Carry out a request, as `command`, and decide nothing after it; where it is refused, go on."""
        refused = self._why_not_now()
        if refused is not None:
            raise refused
        answer: AsyncResult = AsyncResult()
        self._take_now("", command, self._clock(), answer)
        self._paused = True
        result = self._answered(answer)
        if result == SPOOLED:
            result = Refused("database_away", "The database went away: nobody can be handed over to now.")
        if isinstance(result, Refused):
            self._paused = False
            gevent.spawn(self._resume if self._returning and not self._is_away() else self._catch_up)
            raise result
        return result

    def _carry_out(self, command: DeskCommand) -> int | Refused:
        refused = self._why_not_now()
        if refused is not None:
            return refused
        answer: AsyncResult = AsyncResult()
        self._take_now("", command, self._clock(), answer)
        return self._answered(answer)

    def _why_not_now(self) -> Refused | None:
        if self.holding:
            return Refused(
                "database_away",
                "The database is away or cannot keep up: nothing can be recorded. Calls go on; try again soon.",
            )
        return None

    @staticmethod
    def _answered(answer: AsyncResult) -> int | Refused:
        try:
            result: int | Refused = answer.get(timeout=COMMAND_S)
        except gevent.Timeout:
            return Refused("unsure", "The database has not answered; look whether it happened before you repeat it.")
        return result

    # --- one step ----------------------------------------------------------------------------------------------------
    def _take_now(self, node: str, body: object, received: Instant, answer: AsyncResult | None = None) -> None:
        """Take one input after all that were taken before it, even where something in a step gave way after all."""
        self._in_line.append((node, body, received, answer))
        if self._taking:
            return
        self._taking = True
        try:
            while self._in_line:
                self._take_one(*self._in_line.popleft())
        finally:
            self._taking = False

    def _take_one(self, node: str, body: object, received: Instant, answer: AsyncResult | None) -> None:
        try:
            # Our clock never runs backwards in the log, and who waited in line was heard of before.
            self._last_at = at = Instant(max(received, self._last_at))
            self._inputs += 1
            input_id = f"{self._epoch}-{self._inputs}"
            self._tape.write(input_id, at, (node, body) if isinstance(body, SwitchEvent) else body)
            if isinstance(body, SwitchEvent):
                for ordinal, fact in enumerate(translate(node, body)):
                    self._step(Input(id=f"{input_id}.{ordinal}", at=at, body=fact), None)
            else:
                self._step(Input(id=input_id, at=at, body=body), answer)  # type: ignore[arg-type]  # Body, by the callers
        except BaseException as error:  # noqa: BLE001 - whatever it is, memory may be half changed: end
            self._die(error)

    def _step(self, given: Input, answer: AsyncResult | None) -> None:
        begun = time.perf_counter()
        outcome = self.runner.step(given)
        if outcome.records or outcome.instructions:
            self._metrics.decision_seconds.observe(time.perf_counter() - begun)
        if outcome.refused is not None and answer is not None:
            answer.set(outcome.refused)
        elif outcome.records:
            patient = answer is None and all(type(each) in _MAY_WAIT for each in outcome.instructions)
            self._submit(outcome, answer, patient=patient)
        else:
            if answer is not None:
                answer.set(0)
            if outcome.instructions:
                self._instruct_in_turn(outcome.instructions)
        if outcome.instructions:
            # Last, for nobody waits for it; and before any other input is taken.
            self._tape.write(given.id, given.at, Told(outcome.instructions))
        due = self.runner.next_due()
        if due is not None and (self._wakes_at is None or due < self._wakes_at):
            self._timer_moved.set()

    def _submit(self, outcome: Outcome, answer: AsyncResult | None, *, patient: bool) -> None:
        assert self._writer is not None, "the engine was not started"  # noqa: S101 - a bug, not an input
        if self._submitted == self._stored:
            self._moved_at = self._last_at
        self._submitted += 1
        begun = time.perf_counter()

        def stored(position: int) -> None:
            self._stored += 1
            self._moved_at = self._clock()
            self.position = max(position, self.position)
            if not patient:
                self._metrics.commit_seconds.observe(time.perf_counter() - begun)
            self._count(outcome.records)
            self._instruct(outcome.instructions)
            self._told(outcome.records, position)
            if _rings_at_once(outcome):
                self._metrics.ring_seconds.observe((self._clock() - outcome.records[0].about.at) / SECOND)
            while self._after and self._after[0][0] <= self._stored:
                self._instruct(self._after.popleft()[1])
            if answer is not None:
                answer.set(position)
            if position == SPOOLED:
                self._unserved += (each for each in outcome.records if type(each.event) in _SERVED)
            else:
                self._serve_all(outcome.records)
            assert self._writer is not None  # noqa: S101 - it stored this
            behind = self._held or self._thrown_away
            if behind and not self._returning and self._writer.waiting <= MOST_UNSTORED // 2:
                gevent.spawn(self._catch_up)

        def lost(error: StoreError) -> None:
            if answer is not None:
                answer.set(Refused("unsure", f"It may not have been recorded: {error}"))

        self._writer.submit(outcome.records, stored, lost, patient=patient)

    def _serve_all(self, records: Iterable[Record]) -> None:
        """Give what is stored to the services beside the ring path."""
        for record in records:
            if type(record.event) in _SERVED:
                self._serve(record)

    def _serve(self, record: Record) -> None:
        match record.event:
            case ContactArrived() as event if (event.from_number or event.caller_number) and event.found != IMPORT:
                self._callers.came(ident_of(record.stream), event.from_number or event.caller_number)
            case ContactDialled() as event:
                self._callers.came(ident_of(record.stream), event.caller_number)
            case NuisanceMarked():
                contact_id = ident_of(record.stream)
                blacklist = self.runner.world.admission.blacklist
                if contact_id in blacklist.marked:
                    self._marks.came(contact_id, blacklist.number_of(contact_id), record.about.actor)

    def _count(self, records: tuple[Record, ...]) -> None:
        self._live_appended.inc(len(records))
        for record in records:
            outcome = _OFFER_OUTCOMES.get(type(record.event))
            if outcome is not None:
                self._metrics.offers.labels(outcome).inc()

    # --- instructions ------------------------------------------------------------------------------------------------
    def _instruct_in_turn(self, instructions: tuple[Instruction, ...]) -> None:
        """Instructions without records of their own follow from earlier ones: they wait until those are stored."""
        if self._stored == self._submitted:
            self._instruct(instructions)
        else:
            self._after.append((self._submitted, instructions))

    def _instruct(self, instructions: tuple[Instruction, ...]) -> None:
        if not instructions or self._perform is None:
            return
        if self._waiting or not self._may_write():
            self._waiting.extend(instructions)
            self._must_wait.set()
            return
        self._perform(instructions)

    def _keep_performing(self) -> None:
        """Perform what had to wait for the lease: right after the database is back it is renewed a moment later."""
        while True:
            self._must_wait.wait()
            self._must_wait.clear()
            while self._waiting:
                gevent.sleep(LEASE_LOOK_S)
                while self._waiting and self._may_write() and self._perform is not None:
                    self._perform((self._waiting.popleft(),))

    def offer_open(self, offer_id: str) -> bool:
        """Whether this offer is still open: asked just before a phone is rung or legs are joined."""
        return offer_id in self.runner.world.open_offers

    # --- time --------------------------------------------------------------------------------------------------------
    def _keep_time(self) -> None:
        while True:
            self._wakes_at = due = self.runner.next_due()
            wait = None if due is None else max(0.0, (due - self._clock()) / 1e6)
            if wait is None or wait > 0:
                self._timer_moved.clear()
                self._timer_moved.wait(wait)
                continue
            if self.holding:
                gevent.sleep(LEASE_LOOK_S)
                continue
            fired: TimerFired | None = self.runner.due(self._clock())
            if fired is not None:
                self._take_now("", fired, self._clock())

    # --- the database away -------------------------------------------------------------------------------------------
    def _is_away(self) -> bool:
        return self._paused or self._writer is None or self._writer.away

    def lives(self) -> bool:
        """Whether callers are decided upon, or will be before long: a switch that is told so lets them wait. Away from
        the database nobody holds the lease.
        """
        if self._is_away():
            return not self._paused and self._clock() - self._away_since < SILENT_AFTER
        return self._may_write()

    @property
    def holding(self) -> bool:
        """Whether news is held back now, and lists of channels are thrown away."""
        return self._must_hold() or bool(self._held)

    def _must_hold(self) -> bool:
        return self._is_away() or (self._writer is not None and self._writer.waiting >= MOST_UNSTORED)

    def _hold(self, node: str, item: object, at: Instant) -> None:
        if isinstance(item, Snapshot):
            # Of whoever is missing in it the switch's own word comes first (`tenure`), and does not now.
            self._thrown_away = True
            return
        if len(self._held) >= MOST_HELD:
            self._throw_away()
        self._held.append((node, item, at))

    def _throw_away(self) -> None:
        """What a switch told can be asked afresh. Kept is what cannot: that it was restarted (without that its callers
        would count as having given up), and what others appended.
        """
        kept = [each for each in self._held if not isinstance(each[1], _ASKED_AFRESH)]
        remedy = "the switches are asked afresh"
        log.error("news-thrown-away", count=len(self._held) - len(kept), remedy=remedy)
        self._held = deque(kept)
        self._thrown_away = True

    def database_away(self, error: Away) -> None:
        """The writer cannot reach the database."""
        log.error("database-away", error=str(error), remedy="calls stay parked; commands are refused until it is back")
        self._metrics.database_up.set(0)
        self._returning = True
        self._away_since = self._clock()

    def database_spooled(self, spool: str, error: Away) -> None:
        """The writer cannot reach the database; events go to this spool."""
        log.error("database-away", error=str(error), spool=spool, remedy="calls go on; events go to the spool")
        self._metrics.database_up.set(0)
        self._away_since = self._clock()
        gevent.spawn(self._note_outage, spool)

    def _note_outage(self, spool: str) -> None:
        if not self._paused:
            now = self._clock()
            away_ms = max(0, now - self._moved_at) // MILLISECOND
            self._take_now("", DatabaseAway(spool=spool, away_ms=away_ms), now)

    def database_drained(self, drained: Drained) -> None:
        """It answers again, and all that went to the spool is in the log."""
        log.info("database-back", spooled=drained.events, drained_s=round(drained.took_s, 3))
        self._metrics.database_up.set(1)
        self.position = max(self.position, drained.position)
        gevent.spawn(self._note_return, drained.events)

    def _note_return(self, events: int) -> None:
        if self._paused:
            return
        now = self._clock()
        away_ms = max(0, now - self._away_since) // MILLISECOND
        self._take_now("", DatabaseBack(away_ms=away_ms, held=0, spooled=events), now)
        unserved, self._unserved = self._unserved, []
        there = self.runner.world.contacts
        self._serve_all(
            each for each in unserved if isinstance(each.event, NuisanceMarked) or ident_of(each.stream) in there
        )

    def database_back(self) -> None:
        """It answers again: what was held back is taken in order, then the switches are asked what they have."""
        log.info("database-back", held=len(self._held))
        self._metrics.database_up.set(1)
        gevent.spawn(self._resume)

    def _resume(self) -> None:
        if self._paused:
            return
        now = self._clock()
        away_ms = max(0, now - self._away_since) // MILLISECOND
        self._take_now("", DatabaseBack(away_ms=away_ms, held=len(self._held)), now)
        self._returning = False
        self._take_what_was_held()
        self._ask_afresh()

    def _catch_up(self) -> None:
        """The database was slow and has stored enough: what was held back meanwhile is taken in order."""
        self._take_what_was_held()
        if self._thrown_away and not self._held:
            self._ask_afresh()

    def _take_what_was_held(self) -> None:
        while self._held and not self._must_hold():
            node, item, _ = self._held.popleft()
            # Decided now, not when it came: a deadline counts from the moment somebody can act on it. The switch's own
            # time stands beside it in the record.
            self._take_now(node, item, self._clock())

    def _ask_afresh(self) -> None:
        self._thrown_away = False
        for node in self.runner.world.nodes:
            self._instruct_in_turn((TakeSnapshot(id=f"resume-{node}-{self._inputs}", node=node, leg=""),))

    # --- who is calling ----------------------------------------------------------------------------------------------
    def _identified(self, contact_id: str, caller: Caller) -> None:
        if contact_id in self.runner.world.contacts:
            # Held like news while the database is away: it is as true afterwards.
            said = IdentifyContact(contact_id=contact_id, customer_id=caller.customer_id, level=caller.level)
            self.deliver("", said, self._clock())  # type: ignore[arg-type]

    # --- the end -----------------------------------------------------------------------------------------------------
    def deposed(self, error: BaseException) -> None:
        """Another process leads. Nothing more is written, to the log or to a switch."""
        log.error("deposed", error=str(error))
        self._exit(EXIT_DEPOSED)

    def failed(self, error: BaseException) -> None:
        """The writer gave up: the memory is ahead of the log, so start again from the log."""
        self._die(error)

    def _die(self, error: BaseException) -> None:
        """A bug: memory may be half changed. The log is whole; the next start folds it and asks the switches."""
        traceback.print_exception(error, file=sys.stderr)
        # The input that led here is the one that a re-drive needs most.
        self._tape.close()
        log.critical("engine-fault", error=f"{type(error).__name__}: {error}", remedy="starting again from the log")
        self._exit(EXIT_BUG)

    def _exit(self, code: int) -> None:
        sys.stderr.flush()
        os._exit(code)


class _Counters(dict[str, Counter]):
    """A counter's children by their one label."""

    def __init__(self, parent: Counter) -> None:
        super().__init__()
        self._parent = parent

    def __missing__(self, label: str) -> Counter:
        child = self[label] = self._parent.labels(label)
        return child


def _tells_nothing(item: object) -> bool:
    """News from which nothing follows (`runner.sensing`), of which there are four in a call: a command that went well
    in the background, whose legs tell what it led to; and that a leg which we hung up was gone already.
    """
    if isinstance(item, SwitchEvent):
        return item.name == "BACKGROUND_JOB" and verdict(item.body)[0]
    return isinstance(item, InstructionFailed) and item.kind == "HangUpLeg" and item.answer.startswith(NO_SUCH_LEG)


def _rings_at_once(outcome: Outcome) -> bool:
    """Whether this step took a caller in and rang an agent for it."""
    arrived = isinstance(outcome.records[0].event, ContactArrived)
    return arrived and any(isinstance(instruction, RingAgent) for instruction in outcome.instructions)
