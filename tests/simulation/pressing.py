"""People of the simulation who look now and then at what goes on, and press something."""

from collections.abc import Sequence
from random import Random

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.kernel import Refused
from orchestrator.domain.world import World
from orchestrator.runner import inputs as i
from tests.simulation.agenda import Agenda
from tests.simulation.engine import Engine


class Pressers:
    """All of one kind, of one run. `busy` is how often one who looks does something; `harmless` are refusals of what
    they do beside it, which nobody judges.
    """

    longest_pause_ms = 1_500

    def __init__(
        self,
        agenda: Agenda,
        dice: Random,
        numbers: Sequence[str] = (),
        *,
        busy: float,
        harmless: frozenset[str] = frozenset(),
    ) -> None:
        self.engine: Engine | None = None
        self.refused: list[str] = []
        self._agenda = agenda
        self._dice = dice
        self._numbers = numbers
        self._busy = busy
        self._harmless = harmless
        agenda.soon(2_000, 6_000, self._look)

    def _look(self) -> None:
        self._agenda.soon(100, self.longest_pause_ms, self._look)
        if self.engine is not None and self.engine.alive and self._dice.random() < self._busy:
            self._do_something(self.engine.world)

    def _do_something(self, world: World) -> None:
        raise NotImplementedError

    def _some_talk(self, world: World) -> tuple[Contact, str] | None:
        """One of the talks that go on, with its agent's number."""
        talking = [each for each in world.contacts.values() if each.segment is not None]
        if not talking:
            return None
        contact = self._dice.choice(talking)
        agent = world.agents.get(contact.segment.agent_id) if contact.segment is not None else None
        return (contact, agent.number) if agent is not None else None

    def _press(self, command: i.DeskCommand) -> None:
        if self.engine is not None and self.engine.alive:
            self.engine.command(command, self._answered)

    def _answered(self, refused: Refused | None) -> None:
        if refused is not None and refused.code not in self._harmless:
            self.refused.append(refused.code)
