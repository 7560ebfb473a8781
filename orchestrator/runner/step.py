"""One step: an input becomes records, instructions and, for a command, an answer.

A step is depth-first: what a policy answers to a record is carried out, with all its own consequences, before the next
policy is asked. So an agent who was just offered a contact is reserved before anybody else is matched.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts import handling
from orchestrator.domain.contacts.unattended import IMPORT
from orchestrator.domain.engine import STREAM, DatabaseReturned, EngineActivated, SpoolBegun
from orchestrator.domain.kernel import Event, Instant, Provenance, Record, Refused, derived_id
from orchestrator.domain.staff import shifts
from orchestrator.domain.switch.facts import Fact, LegFact, LinkDown, LinkUp, Snapshot, SnapshotMissing, SwitchStopping
from orchestrator.domain.switch.instructions import Instruction
from orchestrator.domain.world import World
from orchestrator.policies import POLICIES
from orchestrator.policies.base import Happened, Ids, Policy, TellContact, TellShift, concerned
from orchestrator.runner import desk, presence, reconcile, sensing, timing
from orchestrator.runner.inputs import (
    AgentCommand,
    DatabaseAway,
    DatabaseBack,
    DeskBeat,
    DeskCommand,
    DeskGone,
    DeskSeen,
    Followed,
    ImportCall,
    Input,
    Started,
    TakeOver,
    TimerFired,
    wish_of,
)
from orchestrator.runner.memory import Memory
from orchestrator.runner.telling import AppendEngine, AppendNode, Tell


class Outcome(Struct, frozen=True):
    """What a step led to. Records are committed first, instructions performed after (law 1)."""

    records: tuple[Record, ...] = ()
    instructions: tuple[Instruction, ...] = ()
    refused: Refused | None = None
    """Set where a command was not allowed; then nothing was decided."""


class Runner:
    """The live state and the one way to move it on."""

    def __init__(self, world: World, policies: tuple[Policy, ...] = POLICIES) -> None:
        self.world = world
        self._policies = policies
        self._concerned = concerned(policies)
        self._memory = Memory()

    def next_due(self) -> Instant | None:
        """When the next timer is due, None where none is set."""
        due, desks = self.world.timers.next_due(), self._memory.desks_due
        if due is None or desks is None:
            return desks if due is None else due
        return min(due, desks)

    def due(self, now: Instant) -> TimerFired | None:
        """Take out the first timer that is due, None where none is. It must then be stepped."""
        popped = self.world.timers.pop_due(now)
        if popped is None:
            # Nobody decides on what is merely remembered before what the log says is due.
            if self._memory.desks_due is not None and self._memory.desks_due <= now:
                return TimerFired(what=timing.DESKS, ident="", due=self._memory.desks_due)
            return None
        (what, ident), due = popped
        return TimerFired(what=what, ident=ident, due=due)

    def is_no_news(self, fact: Fact) -> bool:
        """Whether a step with this fact would lead to nothing and change nothing: then it need not be taken at all."""
        return sensing.is_no_news(self.world, self._memory, fact)

    def step(self, given: Input) -> Outcome:
        """Decide what follows from one input."""
        step = _Step(self.world, self._asked_about, given)
        try:
            step.run(self._first(given, step.ids))
        except Refused as refused:
            # Refusals come from the first command of a desk request, before anything was decided.
            if step.records:
                raise
            return Outcome(refused=refused)
        self._memory.note_told(step.instructions.values())
        return Outcome(tuple(step.records), tuple(step.instructions.values()))

    def _asked_about(self, event: Event) -> tuple[Policy, ...]:
        """The policies that may answer something to this event, in their order."""
        return self._concerned.get(type(event), self._policies)

    def _first(self, given: Input, ids: Ids) -> Iterable[Tell]:
        match given.body:
            case LegFact():  # first, for it is nearly all news
                return sensing.on_fact(self.world, self._memory, given.body, given.at, ids)
            case Followed():
                return (given.body.record,)
            case TimerFired():
                return timing.on_timer(self.world, self._memory, given.body, given.at, ids)
            case Started():
                self._memory.started()
                presence.on_start(self.world, self._memory, given.at)
                return chain(_activated(given.body), reconcile.on_start(self.world, given.at))
            case DatabaseAway(spool=spool, away_ms=away_ms):
                return (AppendEngine((SpoolBegun(spool=spool, away_ms=away_ms),)),)
            case DatabaseBack(away_ms=away_ms, held=held, spooled=spooled):
                return (AppendEngine((DatabaseReturned(away_ms=away_ms, held=held, spooled=spooled),)),)
            case DeskSeen() | DeskGone() | TakeOver() | DeskBeat():
                return presence.on_presence(self.world, self._memory, given.body, given.at)
            case DeskCommand():
                return desk.on_command(self.world, self._memory, given.body, given.at, ids)
            case LinkUp() | LinkDown() | Snapshot() | SnapshotMissing() | SwitchStopping():
                return reconcile.on_node(self.world, self._memory, given.body, given.at, ids)
            case Fact():
                return sensing.on_fact(self.world, self._memory, given.body, given.at, ids)
        raise TypeError(f"the runner does not know this input: {type(given.body).__name__}")


class _Step:
    """The workings of one step."""

    def __init__(self, world: World, asked_about: Callable[[Event], tuple[Policy, ...]], given: Input) -> None:
        self.world = world
        self.ids = Ids(given.id)
        self.records: list[Record] = []
        self.instructions: dict[str, Instruction] = {}
        self._asked_about = asked_about
        self._given = given
        self._abouts: dict[str, Provenance] = {}

    def _about(self, stream: str) -> Provenance:
        """What stands behind this step's events in a stream."""
        found = self._abouts.get(stream)
        if found is None:
            other = next(iter(self._abouts.values()), None)
            found = _provenance(self._given, stream) if other is None else replace(other, correlation=stream)
            self._abouts[stream] = found
        return found

    def run(self, todo: Iterable[Tell]) -> None:
        for do in todo:
            self._do(do)

    def _do(self, do: Tell) -> None:
        match do:  # the most frequent first
            case TellContact():
                contact = self.world.contacts.get(do.contact_id)
                self._emit(f"contact-{do.contact_id}", handling.decide(contact, do.command))
            case Instruction():
                # The same instruction asked for by two records of one step is one instruction.
                self.instructions.setdefault(do.id, do)
            case TellShift():
                shift = self.world.shifts.get(do.shift_id)
                self._emit(f"shift-{do.shift_id}", shifts.decide(shift, do.command))
            case AppendNode():
                self._emit(f"node-{do.node_id}", do.events)
            case AppendEngine():
                self._emit(STREAM, do.events)
            case Record():
                before, after = self.world.apply(do)
                self._follow_up([Happened(do, before, after)])

    def _emit(self, stream: str, events: tuple[Event, ...]) -> None:
        if not events:
            return
        about = self._about(stream)
        happened: list[tuple[Record, object, object]] = []
        for event in events:
            record = Record(
                stream=stream,
                version=self.world.versions.get(stream, 0) + 1,
                event=event,
                event_id=derived_id(self._given.id, "event", len(self.records)),
                about=about,
            )
            before, after = self.world.apply(record)
            self.records.append(record)
            happened.append((record, before, after))
        first_before, last_after = happened[0][1], happened[-1][2]
        self._follow_up([Happened(record, first_before, last_after) for record, _, _ in happened])

    def _follow_up(self, all_happened: Iterable[Happened]) -> None:
        for happened in all_happened:
            for policy in self._asked_about(happened.record.event):
                for do in policy(self.world, happened, self.ids):
                    self._do(do)


def _activated(started: Started) -> Iterator[Tell]:
    """Who decides from now on; a tape of before this was said is silent about it."""
    if started.why:
        yield AppendEngine((EngineActivated(epoch=started.epoch, why=started.why, host=started.host),))


def _provenance(given: Input, stream: str) -> Provenance:
    body = given.body
    if isinstance(body, Fact):
        return Provenance(
            at=given.at,
            origin=_origin(body),
            node=body.node,
            switch_at=body.at,
            causation=given.id,
            correlation=stream,
        )
    return Provenance(
        at=given.at,
        actor=_actor(body),
        origin=_origin(body),
        node=body.node if isinstance(body, ImportCall) else "",
        causation=given.id,
        correlation=stream,
        trace=body.trace if isinstance(body, DeskCommand) else "",
        wish=wish_of(body) if isinstance(body, DeskCommand) else "",
    )


def _actor(body: object) -> str:
    """Whoever asked for it, the agent where nobody else did."""
    by = body.by if isinstance(body, DeskCommand) else ""
    return by or (f"agent:{body.agent}" if isinstance(body, AgentCommand) else "system")


def _origin(body: object) -> str:
    match body:
        case LegFact():
            return "switch"
        case Fact():
            return reconcile.ORIGIN if reconcile.repairs(body) else "switch"
        case TimerFired():
            return "timer"
        case ImportCall():
            return IMPORT
        case DeskCommand():
            return "command"
        case Started():
            return "recovery"
        case DatabaseAway() | DatabaseBack():
            return "engine"
    return "config"
