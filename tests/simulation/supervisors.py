"""Supervisors who listen, whisper, barge in, take over, and make agents ready, not ready or sign them out."""

from random import Random

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.monitors import MODES
from orchestrator.domain.staff.forcing import STATES
from orchestrator.domain.world import World
from orchestrator.runner import inputs as i
from tests.simulation.agenda import Agenda
from tests.simulation.pressing import Pressers

# Every code that they may get back. Another one fails the run.
SUPERVISING_REFUSALS = frozenset(
    {
        "agent_desk_lost", "agent_in_contact", "already_so", "at_capacity", "bad_mode", "bad_reason", "bad_state",
        "being_offered", "consulting", "database_away", "desk_lost", "in_contact", "monitored", "monitoring",
        "no_such_contact", "not_answered", "not_monitoring", "not_signed_in", "not_talking", "on_hold", "phone_busy",
        "phone_gone", "same_agent", "stale", "switch_away", "unknown_agent", "wrapping_up",
    }
)  # fmt: skip
# What comes of the agents who are signed out and come back.
_OF_AGENTS = frozenset({"already_signed_in", "extension_taken", "no_offer"})


class Supervisors(Pressers):
    """All of them, of one run: agents who look at what others do. `busy` is how often they do something."""

    def __init__(self, agenda: Agenda, dice: Random, numbers: list[str], *, busy: float) -> None:
        super().__init__(agenda, dice, numbers, busy=busy, harmless=_OF_AGENTS)

    def _do_something(self, world: World) -> None:
        dice = self._dice
        if dice.random() < 0.1:
            self._force()
            return
        found = list(world.contacts.values())
        talking = [each for each in found if each.segment is not None] if dice.random() < 0.95 else found
        if talking:
            contact = dice.choice(talking)
            if contact.monitor is not None and dice.random() < 0.8:
                self._go_on(world, contact)
            else:
                self._listen(contact)

    def _listen(self, contact: Contact) -> None:
        dice = self._dice
        wish = i.Monitor(
            agent=dice.choice(self._numbers),
            contact=contact.contact_id,
            mode=dice.choice(MODES),
            reason="coaching",
        )
        self._press(wish)
        if dice.random() < 0.1:  # and again, or somebody else does in the same moment
            self._press(wish if dice.random() < 0.5 else i.TakeOverCall(agent=wish.agent, reason="complaint"))

    def _go_on(self, world: World, contact: Contact) -> None:
        """Whoever listens is heard otherwise, has the caller, goes, or is somebody else."""
        dice, monitor = self._dice, contact.monitor
        agent = world.agents.get(monitor.reservation.agent_id) if monitor is not None else None
        if agent is None:
            return
        match dice.choice(("mode", "mode", "mode", "take_over", "take_over", "end", "reject", "sign_out")):
            case "mode":
                mode = dice.choice(MODES)
                self._press(i.Monitor(agent=agent.number, contact=contact.contact_id, mode=mode, reason="coaching"))
            case "take_over":
                about = contact.contact_id if dice.random() < 0.8 else ""
                wish = i.TakeOverCall(agent=agent.number, about=about, reason="complaint")
                self._press(wish)
                if dice.random() < 0.2:
                    self._press(wish)
            case "end":
                self._press(i.EndMonitor(agent=agent.number))
            case "reject":
                self._press(i.Reject(agent=agent.number))
            case _:
                self._sign_out(agent.number)

    def _sign_out(self, number: str) -> None:
        self._press(i.SignOut(agent=number))
        self._agenda.soon(4_000, 9_000, lambda: self._press(i.SignIn(agent=number)))
        self._agenda.soon(9_000, 12_000, lambda: self._press(i.Ready(agent=number)))

    def _force(self) -> None:
        dice = self._dice
        number, to = dice.choice(self._numbers), dice.choice(STATES)
        self._press(i.Force(agent=number, to=to, reason="break", by="user:lee"))
        if to != "ready":
            self._agenda.soon(3_000, 9_000, lambda: self._press(i.SignIn(agent=number)))
            self._agenda.soon(9_000, 12_000, lambda: self._press(i.Ready(agent=number)))
