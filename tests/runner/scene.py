"""A contact centre played by hand: a switch, a queue, some agents, and what the production runner makes of each input.

    scene = Scene(agents=2)
    scene.ready(1, 2)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.answer(ring)
    scene.bridge(caller, ring)

Time moves only by `wait`; timers that fall due on the way are stepped at their time.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.kernel import MILLISECOND, SECOND, Event, Instant, Provenance, Record, ident_of
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.routing.entries import EntryPointConfigured
from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import Instruction, RingAgent
from orchestrator.domain.world import World
from orchestrator.runner import Followed, Input, Outcome, Runner, Started, inputs
from orchestrator.runner.inputs import Body

NODE = "sw1"
BEGINNING = Instant(1_772_438_400 * SECOND)

_E = TypeVar("_E", bound=Event)
_I = TypeVar("_I", bound=Instruction)


class Scene:
    """Everything that happened stands in `records` and `told`, what the last input led to in `outcome`."""

    def __init__(self, agents: int = 2, *, connected: bool = True, **queue: object) -> None:
        self.world = World()
        self.runner = Runner(self.world)
        self.now = BEGINNING
        self.records: list[Record] = []
        self.told: list[Instruction] = []
        self.outcome = Outcome()
        self._inputs = self._legs = 0
        self._versions: dict[str, int] = {}
        settings = QueueConfigured(name="Support", skill="zh", **queue)  # type: ignore[arg-type]  # a test's own words
        self.configure(
            {
                "queue-support": settings,
                "entry-main": EntryPointConfigured(name="main", numbers=("4001",), queue_id="support"),
                **{f"agent-a{n}": agent(n) for n in range(1, agents + 1)},
            }
        )
        if connected:
            self.connect()

    # --- inputs ------------------------------------------------------------------------------------------------------
    def give(self, body: Body) -> Outcome:
        """Step one input now."""
        self._inputs += 1
        no_news = isinstance(body, facts.Fact) and self.runner.is_no_news(body)
        self.outcome = self.runner.step(Input(id=f"i{self._inputs}", at=self.now, body=body))
        assert not no_news or self.outcome == Outcome(), f"the loop would have passed over {body}"
        self.records.extend(self.outcome.records)
        self.told.extend(self.outcome.instructions)
        return self.outcome

    def wait(self, ms: int) -> None:
        """Let time pass; timers come at their time."""
        until = Instant(self.now + ms * MILLISECOND)
        while (due := self.runner.next_due()) is not None and due <= until:
            self.now = max(self.now, due)
            fired = self.runner.due(self.now)
            if fired is not None:
                self.give(fired)
        self.now = until

    def sleep(self, ms: int) -> None:
        """Let time pass while the engine looks at no timer: stopped, or without its database."""
        self.now = Instant(self.now + ms * MILLISECOND)

    def configure(self, changes: dict[str, Event]) -> Outcome:
        """Append configuration with the version that lists it, as `config apply` does; the engine takes it."""
        for record in self._appended(changes):
            self.give(Followed(record=record))
        return self.outcome

    def append(self, changes: dict[str, Event]) -> None:
        """The same, and nobody is there to take it."""
        deque(self._appended(changes), maxlen=0)

    def _appended(self, changes: dict[str, Event]) -> Iterator[Record]:
        applied = ConfigurationApplied(digest="", changed=tuple(sorted(changes)))
        for stream, event in {**changes, "config-main": applied}.items():
            version = self._versions[stream] = self._versions.get(stream, 0) + 1
            about = Provenance(at=self.now, actor="admin:test", origin="config")
            record = Record(stream=stream, version=version, event=event, event_id=f"{stream}-{version}", about=about)
            self.records.append(record)
            yield record

    # --- the switch --------------------------------------------------------------------------------------------------
    def connect(
        self,
        core: str = "core-1",
        legs: tuple[facts.SeenLeg, ...] = (),
        *,
        phones: dict[str, bool] | None = None,
        node: str = NODE,
    ) -> Outcome:
        """The link comes up and a snapshot follows."""
        self.give(facts.LinkUp(node=node, core=core))
        return self.snapshot(*legs, core=core, phones=phones, node=node)

    def snapshot(
        self, *legs: facts.SeenLeg, core: str = "core-1", phones: dict[str, bool] | None = None, node: str = NODE
    ) -> Outcome:
        """All channels that the switch has, and whether a phone is registered, of each account that it lists."""
        return self.give(facts.Snapshot(node=node, core=core, legs=legs, phones=phones or {}))

    def disconnect(self, node: str = NODE) -> Outcome:
        """The link is lost."""
        return self.give(facts.LinkDown(node=node, why="connection reset"))

    def restart(self) -> None:
        """The engine dies and starts again from its records; its link is not up yet."""
        world = World()
        for record in self.records:
            world.apply(record)
        self.world, self.runner = world, Runner(world)
        self.give(Started(epoch=2, position=len(self.records)))

    def seen(self, leg: str, **more: object) -> facts.SeenLeg:
        """A caller's leg as a snapshot shows it: answered and parked, unless said otherwise."""
        fields: dict[str, object] = {
            "leg": leg,
            "inbound": True,
            "answered": True,
            "parked": True,
            "context": "ringledger-inbound",
            "dialled": "4001",
            **more,
        }
        return facts.SeenLeg(**fields)  # type: ignore[arg-type]  # a test's own words

    def seen_phone(self, ring: RingAgent, **more: object) -> facts.SeenLeg:
        """An agent's leg as a snapshot shows it: ringing, unless said otherwise."""
        fields: dict[str, object] = {
            "leg": ring.leg,
            "inbound": False,
            "contact": ring.contact,
            "offer": ring.offer,
            **more,
        }
        return facts.SeenLeg(**fields)  # type: ignore[arg-type]  # a test's own words

    def park(self, dialled: str = "4001", **more: str) -> str:
        """Somebody calls; the leg."""
        self._legs += 1
        leg = f"caller-{self._legs}"
        self.give(
            facts.LegParked(
                node=more.pop("node", NODE),
                leg=leg,
                inbound=True,
                dialled=dialled,
                context=more.pop("context", "ringledger-inbound"),
                caller_number=more.pop("number", "+8613800138000"),
                caller_name=more.pop("name", "Wang Fang"),
                trunk=more.pop("trunk", ""),
            )
        )
        return leg

    def ringing(self, ring: RingAgent) -> Outcome:
        """The phone rings."""
        self.give(facts.LegCreated(node=NODE, leg=ring.leg, contact=ring.contact, offer=ring.offer))
        return self.give(facts.LegRinging(node=NODE, leg=ring.leg, contact=ring.contact, offer=ring.offer))

    def answer(self, ring: RingAgent) -> Outcome:
        """The phone is picked up: its leg answers and parks."""
        self.give(facts.LegAnswered(node=NODE, leg=ring.leg, contact=ring.contact, offer=ring.offer))
        return self.give(facts.LegParked(node=NODE, leg=ring.leg, contact=ring.contact, offer=ring.offer))

    def bridge(self, caller: str, ring: RingAgent) -> Outcome:
        """Both hear each other."""
        return self.give(facts.LegBridged(node=NODE, leg=caller, other=ring.leg))

    def hang_up(self, leg: str, cause: str = "NORMAL_CLEARING") -> Outcome:
        """A leg is gone."""
        return self.give(facts.LegHungUp(node=NODE, leg=leg, cause=cause))

    def presence(self, leg: str, *, exists: bool) -> Outcome:
        """The answer to a question whether a leg lives."""
        return self.give(facts.LegPresence(node=NODE, leg=leg, exists=exists))

    def failed(self, given: Instruction, answer: str) -> Outcome:
        """The switch refused an instruction."""
        kind = type(given).__name__
        return self.give(
            facts.InstructionFailed(node=NODE, instruction=given.id, kind=kind, leg=given.leg, answer=answer)
        )

    # --- people ------------------------------------------------------------------------------------------------------
    def ready(self, *numbers: int) -> None:
        """These agents sign in and are ready, one second after another."""
        for number in numbers:
            self.give(inputs.SignIn(agent=f"100{number}"))
            self.give(inputs.Ready(agent=f"100{number}"))
            self.wait(1_000)

    def refusal(self, command: inputs.DeskCommand) -> str:
        """The code with which a request is refused; empty where it is not."""
        refused = self.give(command).refused
        return refused.code if refused is not None else ""

    def talk(self, number: int = 1) -> tuple[str, RingAgent]:
        """A caller talks with an agent, who signs in for it."""
        if self.shift(number) is None:
            self.ready(number)
        caller = self.park()
        ring = self.ring_of(caller)
        self.ringing(ring)
        self.answer(ring)
        self.bridge(caller, ring)
        return caller, ring

    # --- looking -----------------------------------------------------------------------------------------------------
    def events(self, kind: type[_E]) -> list[_E]:
        """All events of a kind, oldest first."""
        return [record.event for record in self.records if isinstance(record.event, kind)]

    def instructions(self, kind: type[_I]) -> list[_I]:
        """All instructions of a kind, oldest first."""
        return [each for each in self.told if isinstance(each, kind)]

    def rings_of(self, caller: str) -> list[RingAgent]:
        """The phones that are rung for a caller's open offer."""
        contact = self.contact(caller)
        offer = contact.offer.offer_id if contact is not None and contact.offer is not None else ""
        return [ring for ring in self.instructions(RingAgent) if ring.offer == offer]

    def ring_of(self, caller: str) -> RingAgent:
        """The one phone that is rung for a caller."""
        (ring,) = self.rings_of(caller)
        return ring

    def contact(self, caller: str) -> Contact | None:
        """The live contact of a caller's leg."""
        return next((contact for contact in self.world.contacts.values() if contact.caller_leg == caller), None)

    def live(self, caller: str) -> Contact:
        """The same, which must be there."""
        contact = self.contact(caller)
        assert contact is not None, f"{caller} has no live contact"
        return contact

    def shift(self, number: int) -> Shift | None:
        """The shift of an agent."""
        return self.world.shifts.get(self.world.shift_of_agent.get(f"a{number}", ""))

    def status(self, number: int) -> str:
        """What an agent does; empty where the agent is not signed in."""
        shift = self.shift(number)
        return shift.status if shift is not None else ""

    def is_free(self, number: int) -> bool:
        """Whether an agent may be offered a contact now."""
        shift = self.shift(number)
        return shift is not None and self.world.matching.is_free(shift.shift_id)

    def of_shift(self, number: int) -> list[Event]:
        """The events of an agent's shift, oldest first."""
        shift = self.shift(number)
        return [record.event for record in self.records if shift and ident_of(record.stream) == shift.shift_id]


def agent(number: int, **skills: int) -> AgentConfigured:
    """Agent 100n at extension 100n, who speaks Chinese unless told otherwise."""
    return AgentConfigured(
        number=f"100{number}", name=f"Agent {number}", extension=f"100{number}", skills=skills or {"zh": 3}
    )


def names(events: Iterable[object]) -> list[str]:
    """Their kinds, for comparing a whole story at once."""
    return [type(event).__name__ for event in events]


def story(outcome: Outcome) -> list[str]:
    """The kinds of the events that one input led to."""
    return names(record.event for record in outcome.records)
