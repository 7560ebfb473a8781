"""Agents who pass their callers on: to colleagues, into queues, to numbers outside, now and then with nonsense."""

from random import Random

from msgspec.structs import replace

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.kernel import Refused
from orchestrator.domain.world import World
from orchestrator.runner import inputs as i
from tests.simulation.agenda import Agenda
from tests.simulation.engine import Engine
from tests.simulation.outsiders import NUMBERS

# Every code that they may get back. Another one fails the run.
PASSING_REFUSALS = frozenset(
    {
        "agent_away", "agent_busy", "agent_not_ready", "agent_unreachable", "bad_target", "consulting", "database_away",
        "no_outside", "no_such_queue", "not_allowed", "not_signed_in", "not_talking", "outside_full", "queue_closed",
        "queue_full", "same_agent", "stale", "switch_away", "unknown_agent", "withheld",
    }
)  # fmt: skip
# What comes of the colleagues whom they send away and call back.
_OF_COLLEAGUES = frozenset({"already_signed_in", "desk_lost", "extension_taken", "in_contact"})
_QUEUES = ("support", "sales", "sales", "nowhere")


class Passers:
    """All of them, of one run. `busy` is how many of the talks that they look at are passed on."""

    def __init__(self, agenda: Agenda, dice: Random, numbers: list[str], *, busy: float) -> None:
        self.engine: Engine | None = None
        self.refused: list[str] = []
        self._agenda = agenda
        self._dice = dice
        self._numbers = numbers
        self._busy = busy
        agenda.soon(2_000, 6_000, self._look)

    def _look(self) -> None:
        self._agenda.soon(100, 2_000, self._look)
        engine = self.engine
        if engine is None or not engine.alive or self._dice.random() >= self._busy:
            return
        talking = [each for each in engine.world.contacts.values() if each.segment is not None]
        if talking:
            self._pass_on(engine.world, self._dice.choice(talking))

    def _pass_on(self, world: World, contact: Contact) -> None:
        dice = self._dice
        agent = world.agents.get(contact.segment.agent_id) if contact.segment is not None else None
        if agent is None:
            return
        about = contact.contact_id if dice.random() < 0.8 else ""
        wish = self._wish(agent.number, about)
        self._press(wish)
        if dice.random() < 0.2:  # and again, or to somebody else, in the same moment
            self._press(wish if dice.random() < 0.5 else self._wish(agent.number, about))
        if dice.random() < 0.2:  # and the handset is put down, or the seat left, before anything came of it
            self._press(i.HangUp(agent=agent.number, about=about))
        if dice.random() < 0.1 and wish.to_agent:
            self._agenda.soon(0, 3_000, lambda: self._press(i.SignOut(agent=wish.to_agent)))
            self._agenda.soon(4_000, 9_000, lambda: self._press(i.SignIn(agent=wish.to_agent)))
            self._agenda.soon(9_000, 12_000, lambda: self._press(i.Ready(agent=wish.to_agent)))

    def _wish(self, number: str, about: str) -> i.Transfer:
        dice = self._dice
        target = dice.choice(("to_agent", "to_agent", "to_queue", "to_queue", "to_number", ""))
        choices = {"to_agent": (*self._numbers, "9999"), "to_queue": _QUEUES, "to_number": NUMBERS}
        wish = i.Transfer(agent=number, about=about)
        return replace(wish, **{target: dice.choice(choices[target])}) if target else wish

    def _press(self, command: i.DeskCommand) -> None:
        if self.engine is not None and self.engine.alive:
            self.engine.command(command, self._answered)

    def _answered(self, refused: Refused | None) -> None:
        if refused is not None and refused.code not in _OF_COLLEAGUES:
            self.refused.append(refused.code)
