"""One process of the orchestrator under virtual time: the production `Runner.step`, a batching writer, a link.

It goes about its work like `orchestrator.loop`: news is stepped as it comes, records are committed in batches, an
instruction is performed when the records of its step (or, without any, of all steps before it) are committed, and while
the database is away news is held back and commands are refused.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Protocol

from msgspec import Struct

from orchestrator.clock import SiteClock
from orchestrator.domain.kernel import LIVE_KINDS, MILLISECOND, SECOND, Instant, Record, Refused, kind_of
from orchestrator.domain.switch.facts import Fact
from orchestrator.domain.switch.instructions import Instruction, RingAgent, TakeSnapshot
from orchestrator.domain.world import World
from orchestrator.runner import DatabaseAway as Absence
from orchestrator.runner import DatabaseBack, Followed, Input, Outcome, Runner, Started
from orchestrator.runner.inputs import Body, DeskCommand
from tests.simulation.agenda import Agenda
from tests.simulation.ledger import DatabaseAway, Fenced, Gap, Ledger
from tests.simulation.weather import Weather

LEASE = 1 * SECOND
"""How long an engine may write after its last renewal."""
STALE = 1_500 * MILLISECOND
"""How long a standby looks at an unchanged lease before it takes over."""

DIES_DRAINING = 0.05
"""How often a drain of the spool is the last that an engine does."""
TIMER_LATE = 500
"""By how many microseconds a timer may come late; what happens meanwhile is decided as if it were not due."""


SET_EVERY = 40 * SECOND
"""How often the clock of an engine's host is set."""


class Watcher:
    """What is told of everything that an engine does, and may object. The default objects to nothing."""

    def stepped(self, engine: "Engine", given: Input, outcome: Outcome) -> None:
        """An input was stepped."""

    def raised(self, engine: "Engine", given: Input, error: Exception) -> None:
        """A step raised."""

    def committed(self, engine: "Engine", records: list[Record]) -> None:
        """A batch was committed."""

    def wrote(self, engine: "Engine", instruction: Instruction) -> None:
        """An instruction was written to the switch."""

    def happened(self, engine: "Engine", what: str) -> None:
        """Something else that a story should tell."""


class AnyLink(Protocol):
    """What an engine needs of a link."""

    def connect(self) -> None:
        """Connect now, or try again in a moment, for ever."""

    def cut(self, node: str) -> None:
        """The connection to this node is lost; another is tried in a moment."""

    def part(self, node: str, away_ms: int) -> None:
        """The network between us and this node is away for so long."""

    def press(self, *, behind: bool) -> None:
        """The switch does late what it is told from now on, or keeps up again."""

    def stop(self) -> None:
        """The engine is gone, and its connection with it."""

    def calm(self, weather: Weather) -> None:
        """From now on the weather is this."""

    def perform(self, given: Instruction) -> None:
        """Check again, and write."""


class Step(Struct):
    """A step whose records wait to be committed."""

    number: int
    records: tuple[Record, ...]
    instructions: tuple[Instruction, ...]


Connect = Callable[["Engine"], AnyLink]


class Engine:
    """An active orchestrator from its start to its end."""

    def __init__(
        self, agenda: Agenda, dice: Random, weather: Weather, ledger: Ledger, watcher: Watcher, connect: "Connect"
    ) -> None:
        self.epoch = ledger.take_over(agenda.now)
        self.world = World()
        self._last_at = Instant(0)
        for record in ledger.records():
            self.world.apply(record)
            if kind_of(record.stream) in LIVE_KINDS:
                self._last_at = max(self._last_at, record.about.at)
        self.runner = Runner(self.world)
        self.alive = True
        self.paused = False
        self.stored = 0
        self.last_stall = agenda.now
        """When it could last not act: started, stopped, or without a database."""
        self.crash_after_commits = -1
        """Die in the middle of performing what this many commits from now allow."""
        self._agenda = agenda
        self._dice = dice
        self._weather = weather
        self.watcher = watcher
        self._ledger = ledger
        self._inputs = 0
        self._steps = 0
        self._held: deque[tuple[Body, Callable[[Refused | None], None] | None]] = deque()
        self._pending: list[Step] = []
        self._flying: list[Step] = []
        self._after: deque[tuple[int, tuple[Instruction, ...]]] = deque()
        self._waiting: deque[Instruction] = deque()
        self._away = False
        self.spooling = False
        """Whether the database is away and what is decided goes to the spool."""
        self._away_since = 0
        self._renewal_ok_until = agenda.now + LEASE
        self._timer_at: int | None = None
        self.must_be_stored: dict[str, int] = {}
        """How many steps must be stored before this instruction may be written."""
        self.clock = SiteClock(wall=self._wall, elapsed=lambda: agenda.now)
        """The production one, told of the database's time as `leader` tells it."""
        self.clock.hear(agenda.now, agenda.now, agenda.now)
        self.clock.go_on_from(self._last_at)
        self.link = connect(self)
        self._renew()
        self._take_now(Started(epoch=self.epoch, position=len(ledger.rows)))
        self.link.connect()

    # --- life and death ----------------------------------------------------------------------------------------------
    def die(self, why: str) -> None:
        """The process is gone; what was on its way to the database may arrive all the same."""
        if not self.alive:
            return
        self.watcher.happened(self, f"the engine dies: {why}")
        self.alive = False
        self.link.stop()
        if self._flying and self._dice.random() < 0.5:
            with suppress(DatabaseAway):
                self._append([record for step in self._flying for record in step.records])
        self._flying = []

    def is_dead(self) -> bool:
        """Whether the process is gone by now."""
        return not self.alive

    def pause(self) -> None:
        """SIGSTOP: nothing moves in here."""
        self.paused = True
        self.watcher.happened(self, "the engine is stopped (SIGSTOP)")

    def resume(self) -> None:
        """SIGCONT: it goes on as if nothing had been."""
        if not self.alive:
            return
        self.paused = False
        self.last_stall = self._agenda.now
        self.watcher.happened(self, "the engine goes on (SIGCONT)")
        self._agenda.soon(0, 50, self._renew)
        self._agenda.soon(0, 5, self._drain)
        self._agenda.soon(0, 5, self._commit)

    def may_write(self) -> bool:
        """Whether the lease holds, by this process's own clock."""
        return self._agenda.now < self._renewal_ok_until

    def offer_open(self, offer: str) -> bool:
        """Whether this offer is still open."""
        return offer in self.world.open_offers

    def _renew(self) -> None:
        if not self.alive or self.paused:
            return
        if not self._ledger.away:
            if self._ledger.epoch != self.epoch:
                self.die("deposed at the renewal of its lease")
                return
            self._renewal_ok_until = self._agenda.now + LEASE
            self.clock.hear(self._agenda.now, self._agenda.now, self._agenda.now)
            self._perform_waiting()
        self._agenda.after(250 * MILLISECOND, self._renew)

    def _wall(self) -> Instant:
        """What the clock of the host says."""
        now, clocks = self._agenda.now, self._weather.clocks
        return Instant(now + clocks[(self.epoch + now // SET_EVERY) % len(clocks)] * SECOND) if clocks else now

    # --- inputs ------------------------------------------------------------------------------------------------------
    def take(self, body: Body | Fact) -> None:
        """News of the switch or the configuration."""
        if not self.alive:
            return
        if self._away or self.paused or self._held:
            self._held.append((body, None))
        else:
            self._take_now(body)

    def follow(self, record: Record) -> None:
        """A record of a desk stream."""
        self.take(Followed(record=record))

    def unstored(self) -> list[Record]:
        """Records that were decided and are not committed."""
        return [record for step in (*self._flying, *self._pending) for record in step.records]

    def command(self, command: DeskCommand, answered: Callable[[Refused | None], None] | None = None) -> None:
        """A request over the command socket."""
        if not self.alive:
            return
        if self.paused:
            self._held.append((command, answered))
        elif self._away or self._held:
            if answered is not None:
                answered(Refused("database_away", ""))
        else:
            self._take_now(command, answered)

    def _drain(self) -> None:
        while self._held and self.alive and not self._away and not self.paused:
            body, answered = self._held.popleft()
            self._take_now(body, answered)

    def _take_now(self, body: Body | Fact | Followed, answered: Callable[[Refused | None], None] | None = None) -> None:
        self._inputs += 1
        self._last_at = at = Instant(max(self.clock(), self._last_at))
        given = Input(id=f"{self.epoch}-{self._inputs}", at=at, body=body)
        no_news = isinstance(body, Fact) and self.runner.is_no_news(body)
        try:
            outcome = self.runner.step(given)
        except Exception as error:
            self.watcher.raised(self, given, error)
            raise
        if no_news:  # the loop would not have taken it
            assert not outcome.records, f"{body} was news"
            assert not outcome.instructions, f"{body} was news"
        if outcome.records:
            self._steps += 1
            self._pending.append(Step(self._steps, outcome.records, outcome.instructions))
        for instruction in outcome.instructions:
            self.must_be_stored.setdefault(instruction.id, self._steps)
        self.watcher.stepped(self, given, outcome)
        if outcome.records:
            self._commit()
        elif outcome.instructions:
            self._instruct_in_turn(outcome.instructions)
        if answered is not None:
            answered(outcome.refused)
        self._set_timer()

    # --- time --------------------------------------------------------------------------------------------------------
    def _set_timer(self) -> None:
        due = self.runner.next_due()
        if due is None:
            return
        now = self._agenda.now
        when = max(now + due - self.clock(), now)
        if self._timer_at is None or when < self._timer_at:
            self._timer_at = when
            self._agenda.at(self._timer_at + self._dice.randint(0, TIMER_LATE), self._on_time)

    def _on_time(self) -> None:
        self._timer_at = None
        if not self.alive:
            return
        if self.paused or self._away or self._held:
            self._timer_at = self._agenda.now + 20 * MILLISECOND
            self._agenda.at(self._timer_at, self._on_time)
            return
        while not self.is_dead() and (fired := self.runner.due(self.clock())) is not None:
            self._take_now(fired)
        self._set_timer()

    # --- the log -----------------------------------------------------------------------------------------------------
    def _commit(self) -> None:
        if self._flying or not self._pending or not self.alive or self.paused:
            return
        self._flying, self._pending = self._pending, []
        if self._dice.random() < self._weather.slow_commits:
            self._agenda.soon(20, 300, self._committed)
        else:
            self._agenda.soon(0.5, 6, self._committed)

    def _committed(self) -> None:
        if not self.alive or not self._flying:
            return
        if self.paused:
            # The backend goes on without us; its answer waits in the socket.
            self._agenda.soon(20, 20, self._committed)
            return
        batch = self._flying
        try:
            if not self._append([record for step in batch for record in step.records]):
                return
        except DatabaseAway:
            if self._ledger.spools and not self._away:
                self._begin_to_spool()
                self._agenda.soon(0.5, 6, self._committed)
                return
            if not self._away:
                self._away = True
                self._away_since = self._agenda.now
                self.watcher.happened(self, "the database is away: news is held back")
            self._agenda.soon(50, 400, self._committed)
            return
        self._flying = []
        was_away, self._away = self._away, False
        self.watcher.committed(self, [record for step in batch for record in step.records])
        if self.crash_after_commits > 0:
            self.crash_after_commits -= 1
        for step in batch:
            self.stored = step.number
            self._instruct(step.instructions)
            while not self.is_dead() and self._after and self._after[0][0] <= self.stored:
                self._instruct(self._after.popleft()[1])
        if self.is_dead():
            return
        self._commit()
        if was_away:
            self.watcher.happened(self, "the database is back")
            self.last_stall = self._agenda.now
            away_ms = (self._agenda.now - self._away_since) // MILLISECOND
            self._take_now(DatabaseBack(away_ms=away_ms, held=len(self._held)))
            self._drain()
            for node in self.world.nodes:
                self._instruct_in_turn((TakeSnapshot(id=f"resume-{node}-{self._inputs}", node=node, leg=""),))

    # --- the spool ---------------------------------------------------------------------------------------------------
    def _begin_to_spool(self) -> None:
        self.spooling = True
        self._away_since = self._agenda.now
        self.watcher.happened(self, "the database is away: events go to the spool")
        self._take_now(Absence(spool="spool", away_ms=0))
        self._renew_by_spool()
        self._agenda.soon(50, 400, self._drain_spool)

    def _renew_by_spool(self) -> None:
        """While the spool is ours it stands for the lease's row."""
        if self.spooling and self.alive and not self.paused and self._ledger.epoch == self.epoch:
            self._renewal_ok_until = self._agenda.now + LEASE
            self._perform_waiting()
        if self.spooling and self.alive:
            self._agenda.after(250 * MILLISECOND, self._renew_by_spool)

    def _drain_spool(self) -> None:
        if not self.alive or not self.spooling:
            return
        if self.paused or self._ledger.away:
            self._agenda.soon(50, 400, self._drain_spool)
            return
        if self._ledger.epoch != self.epoch:
            self.die("deposed as it came to drain its spool")
            return
        died = self._dice.random() < DIES_DRAINING
        self._ledger.drain(self._dice.randint(1, 40), died=died)
        if died:
            self.die("while it drained its spool")
            return
        if self._ledger.spool:
            self._agenda.soon(0.5, 10, self._drain_spool)
            return
        self.spooling = False
        self.watcher.happened(self, "the database is back, and the spool is empty")
        away_ms = (self._agenda.now - self._away_since) // MILLISECOND
        self._take_now(DatabaseBack(away_ms=away_ms, held=0, spooled=1))

    def _append(self, records: list[Record]) -> bool:
        try:
            if self.spooling:
                self._ledger.keep(self.epoch, records)
            else:
                self._ledger.append(self.epoch, records)
        except (Fenced, Gap) as error:
            # Refused for the epoch, or because another has written there: the memory is not what the log says.
            if self.alive:
                self.die(f"deposed: {error}")
            return False
        return True

    # --- instructions ------------------------------------------------------------------------------------------------
    def _instruct_in_turn(self, instructions: tuple[Instruction, ...]) -> None:
        if self.stored == self._steps:
            self._instruct(instructions)
        else:
            self._after.append((self._steps, instructions))

    def _instruct(self, instructions: tuple[Instruction, ...]) -> None:
        for instruction in instructions:
            if not self.alive:
                return
            if self.crash_after_commits == 0 and self._dice.random() < 0.5:
                self.die("between a commit and its instructions")
                return
            later_ms = instruction.after_ms if isinstance(instruction, RingAgent) else 0
            if later_ms:
                self._agenda.after(later_ms * MILLISECOND, lambda it=instruction: self._perform(it))  # type: ignore[misc]  # per ring
            else:
                self._perform(instruction)

    def _perform(self, instruction: Instruction) -> None:
        if not self.alive:
            return
        if self._waiting or not self.may_write():
            self._waiting.append(instruction)
        else:
            self.link.perform(instruction)

    def _perform_waiting(self) -> None:
        while self._waiting and self.may_write():
            self.link.perform(self._waiting.popleft())

    @property
    def acting(self) -> bool:
        """Whether it is alive and can decide now."""
        return self.alive and not self.paused and not self._away

    def slack(self) -> Instant:
        """The instant before which nobody can blame it for being late."""
        return Instant(self.last_stall + 5 * SECOND)
