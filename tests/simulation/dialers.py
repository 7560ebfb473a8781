"""Agents who dial numbers outside: good ones, forbidden ones, nonsense; twice at once, and thinking better of it."""

from random import Random

from orchestrator.domain.world import World
from orchestrator.runner import inputs as i
from tests.simulation.agenda import Agenda
from tests.simulation.outsiders import NUMBERS
from tests.simulation.pressing import Pressers

# Every code that they may get back. Another one fails the run.
DIALLING_REFUSALS = frozenset(
    {
        "at_capacity", "being_offered", "consulting", "database_away", "desk_lost", "hold_first", "internal_number",
        "no_offer", "no_queue", "not_allowed", "not_signed_in", "not_talking", "outside_full", "own_number",
        "phone_gone", "stale", "switch_away", "unknown_agent", "withheld", "wrapping_up",
    }
)  # fmt: skip
OWN = "+8675588889999"
_OTHERS = (*NUMBERS, "1001", OWN)


class Dialers(Pressers):
    """All of them, of one run. `busy` is how often one who looks dials."""

    def __init__(self, agenda: Agenda, dice: Random, numbers: list[str], *, busy: float, until: int) -> None:
        super().__init__(agenda, dice, numbers, busy=busy)
        self._until = until

    def _do_something(self, world: World) -> None:
        dice = self._dice
        if self._agenda.now >= self._until:
            return
        number = dice.choice(NUMBERS[:2]) if dice.random() < 0.8 else dice.choice(_OTHERS)
        wish = i.Dial(agent=dice.choice(self._numbers), number=number)
        self._press(wish)
        if dice.random() < 0.2:  # a click too many, or at once another number
            self._press(i.Dial(agent=wish.agent, number=dice.choice((number, NUMBERS[1]))))
        if dice.random() < 0.25:  # they think better of it, in whatever state it is by then
            number = wish.agent
            wishes = (i.HangUp(agent=number), i.Reject(agent=number), i.Pause(agent=number, reason="break"))
            end = dice.choice(wishes)
            self._agenda.soon(0, 8_000, lambda: self._press(end))
