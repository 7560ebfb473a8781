"""Voices in the simulation: agents who mute themselves and press keys, and what must hold of both."""

from collections.abc import Iterable, Iterator
from random import Random
from typing import Protocol

from orchestrator.domain.contacts.consults import consult_leg
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.speaking import KeysPressed
from orchestrator.domain.kernel import Instant, Record, Refused
from orchestrator.domain.switch import instructions as told
from orchestrator.domain.world import World
from orchestrator.runner import inputs as i
from tests.simulation.agenda import Agenda
from tests.simulation.engine import Engine

# Every code that they may get back. Another one fails the run.
SPEAKING_REFUSALS = frozenset(
    {"bad_digits", "database_away", "not_signed_in", "not_talking", "on_hold", "stale", "switch_away", "unknown_agent"}
)
_DIGITS = ("1", "42#", "4111111111111111", "", "12a", "0" * 41)


class Voices(Protocol):
    """What the rules look at in a switch."""

    def is_muted(self, leg: str) -> bool:
        """Whether nobody hears this leg."""


class Speakers:
    """Agents in talks, who press whatever comes to mind. `busy` is in how many of the talks that they look at."""

    def __init__(self, agenda: Agenda, dice: Random, *, busy: float) -> None:
        self.engine: Engine | None = None
        self.refused: list[str] = []
        self._agenda = agenda
        self._dice = dice
        self._busy = busy
        agenda.soon(2_000, 6_000, self._look)

    def _look(self) -> None:
        self._agenda.soon(100, 1_500, self._look)
        engine, dice = self.engine, self._dice
        if engine is None or not engine.alive or dice.random() >= self._busy:
            return
        talking = [each for each in engine.world.contacts.values() if each.segment is not None]
        if not talking:
            return
        contact = dice.choice(talking)
        agent = engine.world.agents.get(contact.segment.agent_id) if contact.segment is not None else None
        if agent is None:
            return
        about = contact.contact_id if dice.random() < 0.9 else ""
        for _ in range(dice.choice((1, 1, 1, 2))):
            self._press(dice.choice((i.Mute, i.Mute, i.Unmute))(agent=agent.number, about=about))
        if dice.random() < 0.3:
            self._press(i.SendDigits(agent=agent.number, about=about, digits=dice.choice(_DIGITS)))

    def _press(self, command: i.DeskCommand) -> None:
        if self.engine is not None and self.engine.alive:
            self.engine.command(command, self._answered)

    def _answered(self, refused: Refused | None) -> None:
        if refused is not None:
            self.refused.append(refused.code)


def broken(world: World, voices: Voices, now: Instant, slack: Instant) -> Iterator[tuple[str, str]]:
    """Each rule that does not hold now, and of whom. `slack`: until when the engine may not know yet."""
    for contact in world.contacts.values():
        segment = contact.segment
        # What was told over a link that broke is told again with the next one.
        if segment is None or now <= slack or segment.mute_wish or not world.in_step(contact.node):
            continue
        if segment.muted and not voices.is_muted(segment.leg) and _is_there(contact):
            yield "muted", f"the log says that nobody hears the agent of {contact.contact_id}, and everybody does"
        if not segment.muted and voices.is_muted(segment.leg):
            yield "muted", f"nobody hears the agent of {contact.contact_id}, and the log does not say so"


def _is_there(contact: Contact) -> bool:
    """Whether the agent's leg should live: what its switch lost is found out with its end."""
    return contact.status in ("connected", "held", "consulting")


def keys_broken(world: World, records: Iterable[Record], instructions: Iterable[told.Instruction]) -> Iterator[str]:
    """Digits that go to nobody who talks with the agent, or of which no event says that they went."""
    said = sum(isinstance(record.event, KeysPressed) for record in records)
    sent = [each for each in instructions if isinstance(each, told.SendDigits)]
    if said != len(sent):
        yield f"digits were sent {len(sent)} times, and the log says {said}"
    for each in sent:
        contact = world.contacts[each.contact]
        if not each.leg or each.leg not in (contact.caller_leg, consult_leg(contact)):
            yield f"digits of {each.contact} go to {each.leg or 'nobody'}"
