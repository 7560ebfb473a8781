"""A small contact centre around the production runner, played by hand: what it decides is what the tests judge.

Time moves only when a test moves it; timers that are due on the way are stepped at their time.
"""

from collections.abc import Iterable

from orchestrator.domain.kernel import MILLISECOND, SECOND, Event, Instant, Provenance, Record, kind_of
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.routing.entries import EntryPointConfigured
from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import Instruction, RingAgent
from orchestrator.domain.world import World
from orchestrator.runner import Followed, Input, Runner, inputs
from orchestrator.runner.inputs import Body

NODE = "sw1"
BEGINNING = Instant(1_767_225_600 * SECOND)  # 2026-01-01T00:00:00Z

# Of what an `AgentConfigured` or a caller carries nobody needs to be real.
CALLER = "+8613800138000"


class Centre:
    """Two agents, one queue, one switch, and everything that was recorded of them in `records`, in order."""

    def __init__(self, agents: int = 2, *, ring_at_once: int = 1, ring_ms: int = 20_000) -> None:
        self.world = World()
        self.runner = Runner(self.world)
        self.now = BEGINNING
        self.records: list[Record] = []
        self.rung: list[RingAgent] = []
        self._inputs = 0
        self._versions: dict[str, int] = {}
        self._legs = 0
        queue = QueueConfigured(name="Sales", skill="sales", ring_at_once=ring_at_once, ring_ms=ring_ms)
        self.configure(
            {
                "queue-sales": queue,
                "entry-hotline": EntryPointConfigured(name="Hot line", numbers=("4000",), queue_id="sales"),
                **{f"agent-a{n}": _agent(n) for n in range(1, agents + 1)},
            }
        )
        self.give(facts.LinkUp(node=NODE, core="run-1"))
        self.give(facts.Snapshot(node=NODE, core="run-1", legs=()))

    # --- what comes in --------------------------------------------------------------------------------------------
    def give(self, body: Body, after_ms: int = 0) -> tuple[Instruction, ...]:
        """Let time pass, then step one input; its instructions."""
        self.pass_ms(after_ms)
        return self._step(body)

    def pass_ms(self, milliseconds: int) -> None:
        """Let time pass, stepping the timers that are due on the way."""
        until = Instant(self.now + milliseconds * MILLISECOND)
        while (due := self.runner.next_due()) is not None and due <= until:
            self.now = max(self.now, due)
            fired = self.runner.due(self.now)
            if fired is not None:
                self._step(fired)
        self.now = until

    def stand_still_ms(self, milliseconds: int) -> None:
        """Let time pass though nobody looks at the timers: the engine is down."""
        self.now = Instant(self.now + milliseconds * MILLISECOND)

    def configure(self, events: dict[str, Event]) -> None:
        """Append configuration as `config apply` would, with the version that lists it."""
        applied = ConfigurationApplied(digest="0" * 64, changed=tuple(sorted(events)))
        for stream, event in {**events, "config-main": applied}.items():
            version = self._versions[stream] = self._versions.get(stream, 0) + 1
            record = Record(
                stream=stream,
                version=version,
                event=event,
                event_id=f"{stream}-{version}",
                about=Provenance(at=self.now, actor="admin:test", origin="config", causation=f"apply-{self.now}"),
            )
            self._keep([record])
            self._step(Followed(record=record))

    # --- short stories --------------------------------------------------------------------------------------------
    def ready(self, agent: int) -> None:
        """The agent signs in and is ready."""
        self.give(inputs.SignIn(agent=f"100{agent}"), 10)
        self.give(inputs.Ready(agent=f"100{agent}"), 10)

    def call(self, dialled: str = "4000") -> str:
        """A caller arrives; the leg."""
        self._legs += 1
        leg = f"caller-{self._legs}"
        parked = facts.LegParked(
            node=NODE,
            leg=leg,
            inbound=True,
            dialled=dialled,
            caller_number=CALLER,
            caller_name="Wang Fang",
            context="ringledger-inbound",
        )
        self.give(parked, 100)
        return leg

    def answer(self, ring: RingAgent, after_ms: int = 2_000) -> None:
        """The rung phone rings and is answered."""
        self.give(facts.LegRinging(node=NODE, leg=ring.leg), 50)
        self.give(facts.LegAnswered(node=NODE, leg=ring.leg), after_ms)
        self.give(facts.LegParked(node=NODE, leg=ring.leg))

    def bridge(self, caller: str, ring: RingAgent) -> None:
        """The switch has joined them."""
        self.give(facts.LegBridged(node=NODE, leg=caller, other=ring.leg), 60)

    def hang_up(self, *legs: str, cause: str = "NORMAL_CLEARING", after_ms: int = 40) -> None:
        """These legs end, one after another."""
        for leg in legs:
            self.give(facts.LegHungUp(node=NODE, leg=leg, cause=cause), after_ms)

    def serve(self, talk_ms: int = 30_000) -> str:
        """One whole call: arrives, is answered by whoever is free, talks, caller hangs up; the caller's leg."""
        caller = self.call()
        ring = self.rung[-1]
        self.answer(ring)
        self.bridge(caller, ring)
        self.pass_ms(talk_ms)
        self.hang_up(caller, ring.leg)
        return caller

    def stop(self) -> None:
        """Everybody goes home, every leg ends."""
        for instruction in self.give(inputs.EndAll(reason="stopped"), 100):
            if instruction.leg in self.world.contact_of_leg:
                self.hang_up(instruction.leg)
        self.pass_ms(60_000)

    # --- inside ---------------------------------------------------------------------------------------------------
    def _step(self, body: Body) -> tuple[Instruction, ...]:
        self._inputs += 1
        outcome = self.runner.step(Input(id=f"i{self._inputs}", at=self.now, body=body))
        if outcome.refused is not None:
            raise outcome.refused
        self._keep(outcome.records)
        self.rung.extend(each for each in outcome.instructions if isinstance(each, RingAgent))
        return outcome.instructions

    def _keep(self, records: Iterable[Record]) -> None:
        self.records.extend(records)


def _agent(number: int) -> AgentConfigured:
    return AgentConfigured(
        number=f"100{number}", name=f"Agent {number}", extension=f"200{number}", skills={"sales": 5 - number % 3}
    )


def stored(records: Iterable[Record]) -> list[Record]:
    """The same records as a log would give them back: with positions."""
    from msgspec.structs import replace

    return [replace(record, position=place) for place, record in enumerate(records, start=1)]


def live(records: Iterable[Record]) -> list[Record]:
    """Only what the runner wrote."""
    return [record for record in records if kind_of(record.stream) in ("contact", "shift", "node")]
