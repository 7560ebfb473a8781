"""Agents who park their callers, and colleagues who fetch them: from the right place, a wrong one, or both at once."""

from collections.abc import Callable
from random import Random

from msgspec.structs import replace

from orchestrator.domain.world import World
from orchestrator.runner import inputs as i
from tests.simulation.agenda import Agenda
from tests.simulation.pressing import Pressers

# Every code that they may get back. Another one fails the run.
PARKING_REFUSALS = frozenset(
    {
        "at_capacity", "being_offered", "consulting", "database_away", "desk_lost", "hold_first", "no_picking",
        "no_such_place", "not_signed_in", "not_talking", "phone_gone", "place_empty", "place_taken", "skill_missing",
        "stale", "switch_away", "unknown_agent", "wrapping_up",
    }
)  # fmt: skip
_LEADER = "user:leader"


class Parkers(Pressers):
    """All of them, of one run. `busy` is how many of the talks that they look at are parked. `dial`: the phone at this
    extension dials this code.
    """

    def __init__(
        self, agenda: Agenda, dice: Random, numbers: list[str], *, busy: float, dial: Callable[[str, str], None]
    ) -> None:
        super().__init__(agenda, dice, numbers, busy=busy)
        self._dial = dial
        self._seen: list[int] = []
        """At which places somebody was, a moment ago."""

    def _do_something(self, world: World) -> None:
        if self._dice.random() < 0.25:
            self._use_the_phone(world)
        elif self._dice.random() < 0.5:
            self._park(world)
        elif self._dice.random() < 0.7:
            self._fetch()
        self._seen = [each.parked.place for each in world.contacts.values() if each.parked is not None]

    def _park(self, world: World) -> None:
        dice, found = self._dice, self._some_talk(world)
        if found is None:
            return
        contact, number = found
        about = contact.contact_id if dice.random() < 0.8 else ""
        wish = i.Park(agent=number, about=about, place=dice.choice((0, 0, 0, 1, 2, 100)))
        self._press(wish)
        if dice.random() < 0.2:  # and again, or elsewhere, in the same moment
            self._press(replace(wish, place=dice.choice((0, 3))))
        if dice.random() < 0.2:  # and the handset is put down, or the caller fetched back, before anything came of it
            back = i.Retrieve(agent=number, place=max(wish.place, 1))
            self._press(i.HangUp(agent=number, about=about) if dice.random() < 0.5 else back)
        if dice.random() < 0.3:  # from the after-call work, or after it
            place = max(wish.place, 1)
            self._agenda.soon(500, 20_000, lambda: self._press(i.Retrieve(agent=number, place=place)))

    def _use_the_phone(self, world: World) -> None:
        """Whoever talks parks by a code, mostly; others fetch, or dial what is none."""
        dice, found = self._dice, self._some_talk(world)
        talking = world.shifts.get(found[0].segment.shift_id) if found is not None and found[0].segment else None
        if talking is not None and dice.random() < 0.6:
            self._dial(talking.extension, dice.choice(("*68", "*68", "*681", "*6802", "*6800", "*68100")))
            if dice.random() < 0.3:  # and once more at once
                self._dial(talking.extension, dice.choice(("*68", "*88")))
        elif world.shifts:
            shift = dice.choice([world.shifts[each] for each in sorted(world.shifts)])
            place = dice.choice((*self._seen, 1))
            self._dial(shift.extension, dice.choice(("*88", f"*88{place}", f"*88{place:02}", "*8899", "*99")))

    def _fetch(self) -> None:
        dice = self._dice
        place = dice.choice((*self._seen, dice.choice((1, 2, 50, 0))))
        wish = i.Retrieve(agent=dice.choice(self._numbers), place=place, by=_LEADER if dice.random() < 0.3 else "")
        self._press(wish)
        if dice.random() < 0.3:  # and a colleague, in the same moment
            self._press(replace(wish, agent=dice.choice(self._numbers)))
