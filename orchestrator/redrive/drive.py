"""Driving: every input of a tape stepped by today's runner, and what it makes of it beside what was recorded."""

import pickle
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from orchestrator.domain.kernel import SECOND, Instant, Record
from orchestrator.domain.switch.instructions import Instruction
from orchestrator.domain.timers import Key
from orchestrator.domain.world import World
from orchestrator.redrive.compared import (
    EVENTS,
    FAULT,
    INSTRUCTIONS,
    TIMER,
    Difference,
    Report,
    same_instructions,
    same_records,
)
from orchestrator.redrive.steps import Given, Order, Stored, grouped, order_of
from orchestrator.runner import Followed, Input, Outcome, Runner, Started, TimerFired
from orchestrator.runner.timing import DESKS
from orchestrator.tape.form import Hole, Recorded
from orchestrator.tape.reader import inputs_of

# What the runner remembers beside the log (`runner.memory`) is of seconds ago: after so long it is all known again.
WARM: Final = 60 * SECOND
# Whoever changed more than this does not read on; each costs a copy of the state.
MOST_DIFFERENCES: Final = 200
_BEGINNING: Final = Instant(0)
_FOR_EVER: Final = Instant(1 << 62)


def redrive(
    items: Iterable[Recorded | Hole],
    records: Sequence[Record],
    *,
    since: Instant = _BEGINNING,
    until: Instant = _FOR_EVER,
    blind: bool = False,
    watch: Collection[str] = (),
) -> Report:
    """Step the tape's inputs again and compare what comes of those between two instants with the log.

    `records` are the log up to the end of the tape, in its order, personal text opened; what came before the tape is
    what the steps rest on. A tape may begin in the middle of an epoch: its first minute (`WARM`) is then driven and not
    compared. With `blind`, personal text is not compared: that of a veiled bundle is not what it was. `watch`: inputs
    of which the report says whether they were compared.
    """
    drive = _Drive(records, since, until, blind=blind, watch=frozenset(watch))
    for item in grouped(items):
        if isinstance(item, Hole):
            drive.skip(item)
        elif item.line.at > until or not drive.take(item):
            break
    return drive.report()


class _Ground:
    """The state as it was recorded: put together anew only where today's code has left it."""

    def __init__(self) -> None:
        self._state = b""
        self._since: list[Record | tuple[Key, Instant]] = []

    def stand(self, world: World) -> None:
        """It is this one now."""
        self._state, self._since = pickle.dumps(world), []

    def note(self, happened: Record | tuple[Key, Instant]) -> None:
        """A record came in, or a timer that was due at an instant was taken out."""
        self._since.append(happened)

    def world(self) -> World:
        """A copy to go on with."""
        world: World = pickle.loads(self._state)  # noqa: S301 - our own bytes, never out of this process
        for happened in self._since:
            if isinstance(happened, Record):
                world.apply(happened)
            elif (world.timers.due_of(happened[0]) or 0) <= happened[1]:
                world.timers.cancel(happened[0])
        self.stand(world)
        return world


class _Drive:
    def __init__(
        self, records: Sequence[Record], since: Instant, until: Instant, *, blind: bool, watch: frozenset[str]
    ) -> None:
        self._records = records
        self._positions = [record.position for record in records]
        self._stored = Stored(records)
        self._since, self._until, self._blind = since, until, blind
        self._runner: Runner | None = None
        self._ground = _Ground()
        self._lost = True
        self._sure_from = Instant(0)
        self._tolds = False
        self._untold: list[Difference] = []
        self._timers_told: set[tuple[Key, Instant]] = set()
        self._driven: set[str] = set()
        self._watch = watch
        self._watched: set[str] = set()
        self._first_order: Order | None = None
        self._last_order: Order | None = None
        self._differences: list[Difference] = []
        self._holes: list[Hole] = []
        self._inputs = self._made_records = self._instructions = self._unsure = self._unstored = 0
        self._first: Instant | None = None
        self._last: Instant | None = None

    # --- the tape ----------------------------------------------------------------------------------------------------
    def skip(self, hole: Hole) -> None:
        """Inputs are missing here: what came of them is taken from the log."""
        self._holes.append(hole)
        self._lost = True

    def take(self, given: Given) -> bool:
        """Drive what this line became; whether to go on."""
        self._tolds |= bool(given.told)
        for each in inputs_of(given.line):
            order = order_of(each.id)
            if order is None:
                continue
            if self._first_order is None:
                self._first_order = order
            self._last_order = order
            self._driven.add(each.id)
            if isinstance(each.body, Started):
                self._stand(Runner(self._fold(each.body.position)))
                self._sure_from = Instant(0)
            elif self._runner is None or self._lost:
                self._begin(order, each.at)
            self._lost = False
            self._step(each, order, None if given.cut and each.id not in given.told else given.told.get(each.id, ()))
        return len(self._differences) < MOST_DIFFERENCES

    def report(self) -> Report:
        """What it came to."""
        # Who names no window means that of the tape; and who stopped has not come to the rest.
        stopped = len(self._differences) >= MOST_DIFFERENCES
        first = self._first_order if self._since == _BEGINNING else None
        last = self._last_order if self._until == _FOR_EVER or stopped else None
        driven = self._last_order is not None or self._since != _BEGINNING
        undriven = self._stored.undriven(self._driven, (self._since, self._until), (first, last)) if driven else 0
        found = self._differences
        if self._tolds:
            found = sorted((*found, *self._untold), key=lambda each: (order_of(each.input_id) or (), each.what))
        return Report(
            inputs=self._inputs,
            records=self._made_records,
            instructions=self._instructions if self._tolds else 0,
            differences=tuple(found[:MOST_DIFFERENCES]),
            stopped=len(found) >= MOST_DIFFERENCES,
            holes=tuple(self._holes),
            unsure=self._unsure,
            unstored=self._unstored,
            undriven=undriven,
            told=self._tolds,
            first=self._first,
            last=self._last,
            watched=frozenset(self._watched),
        )

    # --- the state ---------------------------------------------------------------------------------------------------
    def _begin(self, order: Order, at: Instant) -> None:
        """In the middle of an epoch: the state is what the log says, and what is remembered beside it is not known."""
        before = self._stored.before(order)
        if before is None:
            before = next((r.position for r in reversed(self._records) if r.about.at <= at), 0)
        world = self._fold(before)
        if self._runner is None:
            self._stand(Runner(world))
        else:
            self._runner.world = world
            self._ground.stand(world)
        self._sure_from = Instant(at + WARM)

    def _stand(self, runner: Runner) -> None:
        self._runner = runner
        self._ground.stand(runner.world)

    def _fold(self, position: int) -> World:
        world = World()
        for record in self._records[: bisect_right(self._positions, position)]:
            world.apply(record)
        return world

    # --- one step ----------------------------------------------------------------------------------------------------
    def _step(self, given: Input, order: Order, told: tuple[Instruction, ...] | None) -> None:
        assert self._runner is not None  # noqa: S101 - somebody stands before anything is stepped
        recorded = tuple(self._stored.of(given.id))
        compared = self._since <= given.at <= self._until and given.at >= self._sure_from
        ended = order > self._stored.last.get(order[0], (0, 0, 0))
        found = list(self._timer_differs(given)) if not ended else []
        outcome, fault = Outcome(), ""
        try:
            outcome = self._runner.step(given)
        except Exception as error:  # noqa: BLE001 - whatever today's code raises is what is to be told
            fault = f"{type(error).__name__}: {error}"
        self._note(given, recorded)
        if fault:
            found.append(self._difference(FAULT, given, recorded, (), fault=fault))
        elif not ended and not same_records(recorded, outcome.records, blind=self._blind):
            found.append(self._difference(EVENTS, given, recorded, outcome.records))
        astray = bool(found)
        if ended and not fault:
            self._unstored += len(outcome.records)
        elif (
            compared
            and not fault
            and told is not None
            and len(self._untold) < MOST_DIFFERENCES
            and not same_instructions(told, outcome.instructions, blind=self._blind)
        ):
            self._untold.append(self._difference(INSTRUCTIONS, given, told, outcome.instructions))
        if compared:
            self._count(given, recorded, told or ())
            if given.id in self._watch:
                self._watched.add(given.id)
            self._differences += found
        elif self._since <= given.at <= self._until:
            self._unsure += 1
        if astray:
            self._runner.world = self._ground.world()

    def _note(self, given: Input, recorded: tuple[Record, ...]) -> None:
        match given.body:
            case Followed(record=record):
                self._ground.note(record)
            case TimerFired(what=what, ident=ident):
                self._ground.note(((what, ident), given.at))
        for record in recorded:
            self._ground.note(record)

    def _count(self, given: Input, recorded: tuple[Record, ...], told: tuple[Instruction, ...]) -> None:
        self._inputs += 1
        self._made_records += len(recorded)
        self._instructions += len(told)
        self._first = given.at if self._first is None else self._first
        self._last = given.at

    def _timer_differs(self, given: Input) -> Iterable[Difference]:
        """Whether today's code would have had this timer fire, then, and none before it."""
        assert self._runner is not None  # noqa: S101 - somebody stands before anything is stepped
        fired = given.body
        if not isinstance(fired, TimerFired) or fired.what == DESKS or not fired.due:
            return
        timers = self._runner.world.timers
        key = (fired.what, fired.ident)
        due = timers.due_of(key)
        if due != fired.due:
            yield self._difference(TIMER, given, (), (), timer=key, recorded_due=fired.due, made_due=due)
        first = timers.next_due()
        for other, earlier in timers if first is not None and first < fired.due else ():
            if earlier < fired.due and other != key and (other, earlier) not in self._timers_told:
                self._timers_told.add((other, earlier))
                yield self._difference(TIMER, given, (), (), timer=other, made_due=earlier)

    def _difference(
        self,
        what: str,
        given: Input,
        recorded: tuple[Record | Instruction, ...],
        made: tuple[Record | Instruction, ...],
        *,
        fault: str = "",
        timer: Key = ("", ""),
        recorded_due: Instant | None = None,
        made_due: Instant | None = None,
    ) -> Difference:
        return Difference(
            what=what,
            input_id=given.id,
            at=given.at,
            given=given.body,
            recorded=recorded,
            made=made,
            fault=fault,
            timer=timer,
            recorded_due=recorded_due,
            made_due=made_due,
        )
