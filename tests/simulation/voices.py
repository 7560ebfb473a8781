"""Voices in the simulation: agents who mute themselves and press keys, and what must hold of both."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from orchestrator.domain.contacts.consults import consult_leg
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.speaking import KeysPressed
from orchestrator.domain.kernel import Instant, Record
from orchestrator.domain.switch import instructions as told
from orchestrator.domain.world import World
from orchestrator.runner import inputs as i
from tests.simulation.pressing import Pressers

# Every code that they may get back. Another one fails the run.
SPEAKING_REFUSALS = frozenset(
    {"bad_digits", "database_away", "not_signed_in", "not_talking", "on_hold", "stale", "switch_away", "unknown_agent"}
)
_DIGITS = ("1", "42#", "4111111111111111", "", "12a", "0" * 41)


class Voices(Protocol):
    """What the rules look at in a switch."""

    def lives(self, leg: str) -> bool:
        """Whether this leg lives."""

    def is_muted(self, leg: str) -> bool:
        """Whether nobody hears this leg."""


class Speakers(Pressers):
    """Agents in talks, who press whatever comes to mind. `busy` is in how many of the talks that they look at."""

    def _do_something(self, world: World) -> None:
        dice, found = self._dice, self._some_talk(world)
        if found is None:
            return
        contact, number = found
        about = contact.contact_id if dice.random() < 0.9 else ""
        for _ in range(dice.choice((1, 1, 1, 2))):
            self._press(dice.choice((i.Mute, i.Mute, i.Unmute))(agent=number, about=about))
        if dice.random() < 0.3:
            self._press(i.SendDigits(agent=number, about=about, digits=dice.choice(_DIGITS)))


def broken(world: World, voices: Voices, now: Instant, slack: Instant) -> Iterator[tuple[str, str]]:
    """Each rule that does not hold now, and of whom. `slack`: until when the engine may not know yet."""
    for contact in world.contacts.values():
        segment = contact.segment
        # What was told over a link that broke is told again with the next one.
        if segment is None or now <= slack or segment.mute_wish or not world.in_step(contact.node):
            continue
        heard = voices.lives(segment.leg) and not voices.is_muted(segment.leg)
        if segment.muted and heard and _is_there(contact):
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
        guest = contact.aside.leg if contact.aside is not None else ""
        if not each.leg or each.leg not in (contact.caller_leg, consult_leg(contact), guest):
            yield f"digits of {each.contact} go to {each.leg or 'nobody'}"
