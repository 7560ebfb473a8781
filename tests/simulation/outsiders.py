"""Those outside: customers who ask to be called back, numbers that callers are sent to, and who asks for it."""

from random import Random
from typing import TYPE_CHECKING

from orchestrator.domain.kernel import SECOND, Refused
from orchestrator.runner import inputs as i
from tests.simulation.agenda import Agenda
from tests.simulation.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.switch import Caller

# Every code that whoever asks for a call to the outside may get back here.
REFUSALS = frozenset({"database_away", "not_allowed", "not_waiting", "outside_full", "withheld"})

# What somebody outside does with a call: mostly they answer.
MANNERS = ("answers", "answers", "answers", "answers", "busy", "ignores", "unreachable", "dead", "refused")

NUMBERS = ("+8675588880001", "+8675588880002", "+86900111", "12345", "anonymous")


class Lobby:
    """A leader who lets waiting callers be called back, or sends them outside, now and then with nonsense, or thinks
    better of a callback.
    """

    def __init__(self, agenda: Agenda, dice: Random, *, until: int) -> None:
        self.engine: Engine | None = None
        self.refused: dict[str, None] = {}
        self.again: Callable[[Caller], None] = _nobody
        """Lets somebody call again who is to be called back."""
        self._agenda = agenda
        self._dice = dice
        self._until = until
        self._every = int(dice.choice((0.5, 2, 8)) * SECOND)
        agenda.after(self._every, self._look)

    def _look(self) -> None:
        if self._agenda.now < self._until:
            self._agenda.after(self._dice.randint(self._every // 2, self._every * 2), self._look)
        engine = self.engine
        if engine is None or not engine.alive:
            return
        waiting = [contact for contact in engine.world.contacts.values() if contact.status == "waiting"]
        if waiting:
            contact = self._dice.choice(waiting)
            number = self._dice.choice(NUMBERS)
            ask: i.DeskCommand = i.SendOutside(contact_id=contact.contact_id, number=number)
            if self._dice.random() < 0.6:
                given = number if self._dice.random() < 0.1 else ""
                ask = i.AskCallback(contact_id=contact.contact_id, number=given)
            engine.command(ask, self._answered)
        if engine.world.callbacks and self._dice.random() < 0.03:
            self._calls_again(self._dice.choice(sorted(engine.world.callbacks)))
        if engine.world.callbacks and self._dice.random() < 0.03:
            planned = engine.world.callbacks[self._dice.choice(sorted(engine.world.callbacks))]
            cancel = i.CancelCallback(contact_id=self._dice.choice(sorted(planned)), reason="customer_asked")
            engine.command(cancel, self._answered)

    def _calls_again(self, number: str) -> None:
        from tests.simulation.switch import Caller

        self.again(
            Caller(
                dialled=self._dice.choice(("4001", "4002")),
                patience_ms=self._dice.randint(2_000, 90_000),
                talk_ms=self._dice.randint(100, 20_000),
                number=number,
            )
        )

    def _answered(self, refused: Refused | None) -> None:
        if refused is not None:
            self.refused[refused.code] = None


def _nobody(_: "Caller") -> None:
    """Until a run says who."""
