"""Agents at their desks: what they ask for, sensible or not, at times that the seed draws."""

from random import Random

from orchestrator.domain.kernel import Refused
from orchestrator.domain.staff.answering import AT_DESK
from orchestrator.domain.staff.shifts import Shift
from orchestrator.runner import inputs as i
from tests.simulation.agenda import Agenda
from tests.simulation.browsers import Page
from tests.simulation.engine import Engine
from tests.simulation.tapes import Wants

# Every code that a desk may get back here. Another one fails the run.
REFUSALS = frozenset(
    {
        "already_held", "already_signed_in", "bad_extension", "bad_reason", "consulting", "database_away",
        "desk_elsewhere", "desk_lost", "extension_taken", "in_contact", "no_number", "no_offer", "not_held",
        "not_signed_in", "not_recorded", "not_talking", "not_wrapping_up", "recorded_by_rule",
        "recording_not_allowed", "stale", "unknown_agent", "which_one", "wrap_up_limit",
    }
)  # fmt: skip


class Desk:
    """One agent: signs in, comes back after a stand-down, finishes wrap-up, and now and then presses anything."""

    def __init__(self, agenda: Agenda, dice: Random, number: str, *, wild: float, tapes: Wants) -> None:
        self.number = number
        self.engine: Engine | None = None
        self.refused: list[str] = []
        self.leaving = False
        """Does not sign in any more."""
        self.page: Page | None = None
        """The page in a browser, for those who work with one: whoever's is not connected cannot press anything."""
        self._shown = ""
        self._agenda = agenda
        self._dice = dice
        self._wild = wild
        self._tapes = tapes
        agenda.soon(100, 4_000, self._look)

    def press(self, command: i.DeskCommand) -> None:
        """Ask for something."""
        if self.engine is not None:
            self.engine.command(command, self._answered)

    def _answered(self, refused: Refused | None) -> None:
        if refused is not None:
            self.refused.append(refused.code)

    def _look(self) -> None:
        self._agenda.soon(400, 6_000, self._look)
        if self.engine is None or not self.engine.alive or (self.page is not None and not self.page.connected):
            return
        if self._dice.random() < self._wild:
            self.press(self._anything())
            return
        world = self.engine.world
        shift = world.shifts.get(world.shift_of_agent.get(world.agent_of_number.get(self.number, ""), ""))
        contact = world.contacts.get(shift.contact_id) if shift is not None else None
        dice = self._dice.random()
        if shift is not None and shift.status == "talking" and (wish := self._tapes.wish(self.number)) is not None:
            self.press(wish)
        if shift is None:
            if not self.leaving:
                self.press(i.SignIn(agent=self.number, desk=self.page.desk if self.page is not None else ""))
        elif self.page is not None and self._presses_late(shift, self.page.desk):
            return
        elif shift.status == "paused" and dice < 0.7:
            self.press(i.Ready(agent=self.number))
        elif shift.status == "wrapping_up" and dice < 0.3:
            self.press(i.WrapUp(agent=self.number, code="solved"))
        elif shift.status == "reserved" and dice < 0.7 and world.agents[shift.agent_id].answer == AT_DESK:
            self.press(i.Reject(agent=self.number) if dice < 0.05 else i.Accept(agent=self.number))
        elif shift.status == "reserved" and dice < 0.2:
            self.press(i.Accept(agent=self.number) if dice < 0.1 else i.Reject(agent=self.number))
        elif contact is not None and contact.status == "held":
            self.press(i.Resume(agent=self.number))
        elif shift.status == "talking" and dice < 0.2:
            self.press(i.Hold(agent=self.number))
            if dice < 0.1:
                self._agenda.soon(5, 900, lambda: self.press(i.Resume(agent=self.number)))
                self._agenda.soon(5, 900, lambda: self.press(i.Hold(agent=self.number)))
        elif shift.status == "talking" and dice < 0.3:
            self.press(i.HangUp(agent=self.number))

    def _presses_late(self, shift: Shift, desk: str) -> bool:
        """Press what the page showed at the last look, or sometimes ask for more time."""
        seen, self._shown = self._shown, shift.offer_id or shift.contact_id
        if not seen or self._dice.random() < 0.8:
            return False
        kind = self._dice.choice((i.Accept, i.Reject, i.HangUp, i.WrapUp, i.ExtendWrapUp))
        self.press(kind(agent=self.number, about=seen, desk=desk))
        return True

    def _anything(self) -> i.DeskCommand:
        who = self.number
        return self._dice.choice(
            (
                i.SignIn(agent=who),
                i.SignIn(agent=who, extension=self._dice.choice(("1001", "9999", "no such; thing"))),
                i.Ready(agent=who),
                i.Ready(agent="unknown"),
                i.Pause(agent=who, reason=self._dice.choice(("break", "training", "a b", ""))),
                i.Accept(agent=who),
                i.Reject(agent=who),
                i.Hold(agent=who),
                i.Resume(agent=who),
                i.HangUp(agent=who),
                i.MarkNuisance(agent=who),
                i.WrapUp(agent=who, code="x"),
                i.SignOut(agent=who),
            )
        )
