"""Agents who consult colleagues and numbers outside about their callers, and then press whatever comes to mind."""

from random import Random

from msgspec.structs import replace

from orchestrator.domain.contacts.consults import CONSULTING
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.kernel import Refused
from orchestrator.domain.world import World
from orchestrator.runner import inputs as i
from tests.simulation.agenda import Agenda
from tests.simulation.engine import Engine
from tests.simulation.outsiders import NUMBERS

# Every code that they may get back. Another one fails the run.
CONSULTING_REFUSALS = frozenset(
    {
        "agent_away", "agent_busy", "already_held", "agent_not_ready", "agent_unreachable", "bad_target",
        "conference_full", "consulting",
        "database_away", "no_offer", "no_outside", "not_allowed", "not_answered", "not_consulting", "not_held",
        "not_signed_in", "not_talking", "on_hold", "outside_full", "same_agent", "stale", "switch_away",
        "unknown_agent", "which_one", "withheld",
    }
)  # fmt: skip
# What comes of the colleagues who are sent away and called back.
_OF_COLLEAGUES = frozenset({"already_signed_in", "desk_lost", "extension_taken", "in_contact"})
_MOVES = (
    i.SwitchConsult, i.SwitchConsult, i.Confer, i.Confer, i.CompleteConsult, i.CompleteConsult, i.CompleteConsult,
    i.EndConsult, i.EndConsult, i.HangUp, i.Hold, i.Resume,
)  # fmt: skip


class Consulters:
    """All of them, of one run. `busy` is in how many of the talks that they look at they do something."""

    def __init__(self, agenda: Agenda, dice: Random, numbers: list[str], *, busy: float) -> None:
        self.engine: Engine | None = None
        self.refused: list[str] = []
        self._agenda = agenda
        self._dice = dice
        self._numbers = numbers
        self._busy = busy
        agenda.soon(2_000, 6_000, self._look)

    def _look(self) -> None:
        self._agenda.soon(100, 1_500, self._look)
        engine = self.engine
        if engine is None or not engine.alive or self._dice.random() >= self._busy:
            return
        talking = [each for each in engine.world.contacts.values() if each.segment is not None]
        if talking:
            self._do_something(engine.world, self._dice.choice(talking))

    def _do_something(self, world: World, contact: Contact) -> None:
        dice = self._dice
        agent = world.agents.get(contact.segment.agent_id) if contact.segment is not None else None
        if agent is None:
            return
        about = contact.contact_id if dice.random() < 0.9 else ""
        if contact.status == CONSULTING and dice.random() < 0.9:
            self._move_on(world, contact, agent.number, about)
            return
        wish = self._wish(world, agent.number, about)
        self._press(wish)
        if dice.random() < 0.1:  # and again, or somebody else, in the same moment
            self._press(wish if dice.random() < 0.5 else self._wish(world, agent.number, about))
        if dice.random() < 0.05:  # and takes it back before anything came of it
            self._press(dice.choice(_MOVES)(agent=agent.number, about=about))

    def _move_on(self, world: World, contact: Contact, number: str, about: str) -> None:
        dice = self._dice
        held = contact.consult.reservation if contact.consult is not None else None
        colleague = world.agents.get(held.agent_id) if held is not None else None
        if colleague is not None and dice.random() < 0.3:
            self._bother(colleague.number, contact.contact_id)
            return
        self._press(dice.choice(_MOVES)(agent=number, about=about))
        if dice.random() < 0.1:
            self._press(dice.choice(_MOVES)(agent=number, about=about))

    def _bother(self, number: str, about: str) -> None:
        """The colleague does something at the desk, also while they talk."""
        dice = self._dice
        kind = dice.choice((i.Accept, i.Accept, i.Reject, i.SignOut))
        self._press(kind(agent=number, about="" if kind is i.SignOut else about))
        if kind is i.SignOut:
            self._agenda.soon(4_000, 9_000, lambda: self._press(i.SignIn(agent=number)))
            self._agenda.soon(9_000, 12_000, lambda: self._press(i.Ready(agent=number)))

    def _wish(self, world: World, number: str, about: str) -> i.Consult:
        dice = self._dice
        target = dice.choice(("to_agent", "to_agent", "to_agent", "to_agent", "to_number", ""))
        free = [world.agents[each.agent_id].number for each in world.shifts.values() if each.agent_id in world.agents]
        colleagues = (*free, "9999") if dice.random() < 0.8 else tuple(self._numbers)
        choices = {"to_agent": colleagues, "to_number": NUMBERS}
        wish = i.Consult(agent=number, about=about)
        return replace(wish, **{target: dice.choice(choices[target])}) if target else wish

    def _press(self, command: i.DeskCommand) -> None:
        if self.engine is not None and self.engine.alive:
            self.engine.command(command, self._answered)

    def _answered(self, refused: Refused | None) -> None:
        if refused is not None and refused.code not in _OF_COLLEAGUES:
            self.refused.append(refused.code)
