"""Agents who consult colleagues and numbers outside about their callers, and then press whatever comes to mind."""

from random import Random

from msgspec.structs import replace

from orchestrator.domain.contacts.consults import CONSULTING
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.guests import are_together
from orchestrator.domain.world import World
from orchestrator.runner import inputs as i
from tests.simulation.agenda import Agenda
from tests.simulation.outsiders import NUMBERS
from tests.simulation.pressing import Pressers

# Every code that they may get back. Another one fails the run.
CONSULTING_REFUSALS = frozenset(
    {
        "agent_away", "agent_busy", "already_held", "already_in", "agent_not_ready", "agent_unreachable", "bad_target",
        "aside", "conference_full", "consulting", "last_one", "not_in_room", "in_conference", "no_such_guest",
        "not_together",
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

_APART = (
    i.HoldMember, i.HoldMember, i.RecallMember, i.RecallMember, i.SpeakAlone, i.SpeakAlone, i.MuteMember,
    i.UnmuteMember,
)  # fmt: skip


class Consulters(Pressers):
    """All of them, of one run. `busy` is in how many of the talks that they look at they do something."""

    def __init__(self, agenda: Agenda, dice: Random, numbers: list[str], *, busy: float, mutes: float = 0.0) -> None:
        super().__init__(agenda, dice, numbers, busy=busy, harmless=_OF_COLLEAGUES)
        self._mutes = mutes

    def _do_something(self, world: World) -> None:
        dice, found = self._dice, self._some_talk(world)
        if found is None:
            return
        contact, number = found
        about = contact.contact_id if dice.random() < 0.9 else ""
        if contact.status == CONSULTING and dice.random() < 0.9:
            self._move_on(world, contact, number, about)
            return
        wish = self._wish(world, number, about)
        self._press(wish)
        if dice.random() < 0.1:  # and again, or somebody else, in the same moment
            self._press(wish if dice.random() < 0.5 else self._wish(world, number, about))
        if dice.random() < 0.05:  # and takes it back before anything came of it
            self._press(dice.choice(_MOVES)(agent=number, about=about))

    def _move_on(self, world: World, contact: Contact, number: str, about: str) -> None:
        dice = self._dice
        if self._mutes and dice.random() < self._mutes:
            if not are_together(contact):
                self._press(i.Confer(agent=number, about=about))
            self._agenda.soon(500, 2_500, lambda: self._mute(world, contact.contact_id, number, about))
            return
        if are_together(contact) and dice.random() < 0.7:
            self._gather(world, contact, number, about)
            return
        held = contact.consult.reservation if contact.consult is not None else None
        colleague = world.agents.get(held.agent_id) if held is not None else None
        if colleague is not None and dice.random() < 0.3:
            self._bother(colleague.number, contact.contact_id)
            return
        self._press(dice.choice(_MOVES)(agent=number, about=about))
        if dice.random() < 0.1:
            self._press(dice.choice(_MOVES)(agent=number, about=about))

    def _mute(self, world: World, contact_id: str, number: str, about: str) -> None:
        """One of them is muted, mostly; and soon, at times, the agent goes on to something else, or away."""
        dice, contact = self._dice, world.contacts.get(contact_id)
        if contact is None or not are_together(contact):
            return
        asked = (contact.consult, *contact.guests)
        held = [each.reservation for each in asked if each is not None and each.reservation is not None]
        there = [world.agents[each.agent_id].number for each in held if each.agent_id in world.agents]
        kind = dice.choice((i.MuteMember, i.MuteMember, i.MuteMember, i.UnmuteMember))
        self._press(kind(agent=number, about=about, to_agent=dice.choice((*there, "9999"))))
        if dice.random() < 0.5:
            move = dice.choice((*_MOVES, i.HangUp))(agent=number, about=about)
            self._agenda.soon(0, 3_000, lambda: self._press(move))

    def _gather(self, world: World, contact: Contact, number: str, about: str) -> None:
        """One more is invited to those who hear each other, one is let go, or a guest does something."""
        dice = self._dice
        held = [each.reservation for each in contact.guests if each.reservation is not None]
        guests = [world.agents[each.agent_id].number for each in held if each.agent_id in world.agents]
        if guests and dice.random() < 0.1:
            self._bother(dice.choice(guests), contact.contact_id)
            return
        wish: i.Invite | i.LetGo | i.OfMember = self._invitation(world, number, about)
        asked = contact.consult.reservation if contact.consult is not None else None
        first = world.agents.get(asked.agent_id) if asked is not None else None
        whom = (*guests, first.number if first is not None else "9999")
        if contact.guests and dice.random() < 0.2:
            wish = i.LetGo(agent=number, about=about, to_agent=dice.choice(whom))
        elif contact.guests and dice.random() < 0.6:
            kind = dice.choice(_APART)
            wish = kind(agent=number, about=about, to_agent=dice.choice(whom))
            if dice.random() < 0.3:  # and what comes next, before anything came of it
                self._press(wish)
                wish = dice.choice(_APART)(agent=number, about=about, to_agent=wish.to_agent)
        self._press(wish)
        if dice.random() < 0.1:  # and again, or somebody else, in the same moment
            self._press(wish if dice.random() < 0.5 else self._invitation(world, number, about))

    def _invitation(self, world: World, number: str, about: str) -> i.Invite:
        free = [each.agent_id for each in world.shifts.values() if each.status == "ready"]
        if free and self._dice.random() < 0.7:
            whom = world.agents[self._dice.choice(free)].number
            return i.Invite(agent=number, about=about, to_agent=whom, alone=self._dice.random() < 0.3)
        meant = self._wish(world, number, about)
        return i.Invite(agent=number, about=about, to_agent=meant.to_agent, to_number=meant.to_number)

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
