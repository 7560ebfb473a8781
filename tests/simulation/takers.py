"""Agents who take whoever they like from the queues, and leaders who move, hurry and hand out who waits."""

from collections.abc import Callable
from random import Random

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.world import World
from orchestrator.runner import inputs as i
from tests.simulation.agenda import Agenda
from tests.simulation.pressing import Pressers

# Every code that they may get back. Another one fails the run.
BY_HAND_REFUSALS = frozenset(
    {
        "already_held", "already_taken", "at_capacity", "bad_priority", "bad_reason", "being_offered", "consulting",
        "database_away", "desk_lost", "hold_first", "no_picking", "left_in_peace", "no_such_contact", "no_such_queue",
        "not_held", "not_signed_in", "not_talking", "not_waiting", "phone_gone", "queue_closed", "queue_full",
        "same_queue", "sent_outside", "skill_missing", "stale", "switch_away", "unknown_agent", "which_one",
        "wrapping_up",
    }
)  # fmt: skip
_LEADER = "user:leader"
_QUEUES = ("support", "sales", "nowhere")
_POINTS = (0, 1, 5, 1_000, -1_000, 10_000)


class Takers(Pressers):
    """All of them, of one run. `busy` is how much of what could be done by hand is."""

    def __init__(self, agenda: Agenda, dice: Random, numbers: list[str], *, busy: float) -> None:
        super().__init__(agenda, dice, numbers, busy=busy)
        self._seen: list[str] = []

    def _do_something(self, world: World) -> None:
        choices: list[Callable[[World], None]] = [self._pick, self._pick, self._move, self._hurry, self._switch]
        self._dice.choice(choices)(world)
        # What they look at is a moment old when they press.
        self._seen = [contact.contact_id for contact in world.contacts.values()]

    def _any(self) -> str:
        return self._dice.choice(self._seen) if self._seen else "0" * 36

    def _pick(self, world: World) -> None:
        dice = self._dice
        number = dice.choice(self._numbers)
        shift = _shift(world, number)
        if shift is not None and shift.status == "talking" and dice.random() < 0.8:
            self._press(i.Hold(agent=number))
            self._agenda.soon(0, 1_200, lambda: self._take(number))
        else:
            self._take(number)

    def _take(self, number: str) -> None:
        dice, contact = self._dice, self._any()
        self._press(i.Pick(agent=number, contact=contact, by=_LEADER if dice.random() < 0.3 else ""))
        if dice.random() < 0.2:  # and a colleague, or the same one again, in the same moment
            self._press(i.Pick(agent=dice.choice((number, dice.choice(self._numbers))), contact=contact))
        if dice.random() < 0.3:  # back to the one on hold, while the other phone rings or is just answered
            self._agenda.soon(0, 4_000, lambda: self._press(i.Resume(agent=number)))
        if dice.random() < 0.1 and self.engine is not None:
            self._leave_alone(self.engine.world.contacts.get(contact))

    def _leave_alone(self, contact: Contact | None) -> None:
        if contact is not None:
            self._press(i.Move(contact=contact.contact_id, queue="sales", reason="wrong_queue", by=_LEADER))

    def _move(self, _world: World) -> None:
        queue = self._dice.choice(_QUEUES)
        self._press(i.Move(contact=self._any(), queue=queue, reason="wrong_queue", by=_LEADER))

    def _hurry(self, _world: World) -> None:
        points = self._dice.choice(_POINTS)
        self._press(i.Prioritise(contact=self._any(), points=points, reason="important", by=_LEADER))

    def _switch(self, world: World) -> None:
        """Somebody with several callers goes on with another of them, or ends one."""
        several = [shift for shift in world.shifts.values() if len(shift.engagements) > 1]
        if not several:
            return
        shift = self._dice.choice(several)
        agent = world.agents.get(shift.agent_id)
        if agent is None:
            return
        about = self._dice.choice(shift.engagements).contact_id
        kind = self._dice.choice((i.Resume, i.Resume, i.Hold, i.HangUp))
        self._press(kind(agent=agent.number, about=about))
        if self._dice.random() < 0.2:
            self._press(i.Resume(agent=agent.number, about=self._dice.choice(shift.engagements).contact_id))


def _shift(world: World, number: str) -> Shift | None:
    return world.shifts.get(world.shift_of_agent.get(world.agent_of_number.get(number, ""), ""))
