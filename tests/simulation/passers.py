"""Agents who pass their callers on: to colleagues, into queues, to numbers outside, now and then with nonsense."""

from random import Random

from msgspec.structs import replace

from orchestrator.domain.world import World
from orchestrator.runner import inputs as i
from tests.simulation.agenda import Agenda
from tests.simulation.outsiders import NUMBERS
from tests.simulation.pressing import Pressers

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


class Passers(Pressers):
    """All of them, of one run. `busy` is how many of the talks that they look at are passed on."""

    longest_pause_ms = 2_000

    def __init__(self, agenda: Agenda, dice: Random, numbers: list[str], *, busy: float) -> None:
        super().__init__(agenda, dice, numbers, busy=busy, harmless=_OF_COLLEAGUES)

    def _do_something(self, world: World) -> None:
        dice, found = self._dice, self._some_talk(world)
        if found is None:
            return
        contact, number = found
        about = contact.contact_id if dice.random() < 0.8 else ""
        wish = self._wish(number, about)
        self._press(wish)
        if dice.random() < 0.2:  # and again, or to somebody else, in the same moment
            self._press(wish if dice.random() < 0.5 else self._wish(number, about))
        if dice.random() < 0.2:  # and the handset is put down, or the seat left, before anything came of it
            self._press(i.HangUp(agent=number, about=about))
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
