"""What a switch has, known before anybody decides by it: looked at once, and from then on only what has moved.

    look at all channels ──▶ look again at each that an event names ──▶ `ready`: nothing is left to look at
                                        ▲              │
                                        └── next event ┘        `finish`: what has moved since, and that is the snapshot

Whoever stands by and is about to decide keeps it; whoever decides meanwhile hears the same events and acts on them, so
nothing of them is kept here but which legs they name. A channel that is looked at after its last event was read is as
it was found until its next event, which comes in its turn.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Final

import gevent
from gevent.event import Event as Flag

from orchestrator.domain.switch.facts import SeenLeg
from orchestrator.esl.events import SwitchEvent
from orchestrator.esl.survey import LIST_SETTLES_S, SETTLED_LOOKS, AskAll, Look, dumped, look, phones
from orchestrator.esl.translate import checked_name

# Where legs move faster than they are looked at, a snapshot tells what was so a moment ago, as any does.
_ROUNDS: Final = 5
_AGAIN_S: Final = 0.2


class Foresight:
    """Kept by `keep`, in a greenlet of its own, until `finish` is called."""

    def __init__(self, ask_all: AskAll) -> None:
        self.ready = False
        """Whether everything was looked at, and nothing has moved since that was not looked at again."""
        self.phones: dict[str, bool] = {}
        self.phones_at = 0.0
        """When they were asked for, by the clock that only runs on."""
        self._ask_all = ask_all
        self.complete = False
        """Whether nobody who was there at the first look can be missing."""
        self._legs: dict[str, SeenLeg] | None = None
        self._moved: dict[str, int] = {}  # how many events named it since it was looked at
        self._stir = Flag()

    def note(self, event: SwitchEvent) -> None:
        """An event came: what it names is not as it was."""
        for leg in _named(event):
            self._moved[leg] = self._moved.get(leg, 0) + 1
            self._stir.set()

    def keep(self) -> None:
        """Look, and look again, for ever."""
        while not self._see():
            gevent.sleep(_AGAIN_S)
        for _ in range(SETTLED_LOOKS - 1):
            if self.complete:
                break
            gevent.sleep(LIST_SETTLES_S)
            self._see()
        while True:
            if not self._moved:
                self.ready = True
                self._stir.clear()
                self._stir.wait()
            elif not self._look_again():
                gevent.sleep(_AGAIN_S)

    def finish(self) -> Look | None:
        """Every channel as it is now; None where the switch did not say. `keep` must have ended."""
        if self._legs is None and not self._see():
            return None
        for _ in range(_ROUNDS):
            if not self._moved:
                break
            if not self._look_again():
                return None
        return Look(tuple((self._legs or {}).values()), complete=self.complete)

    def _see(self) -> bool:
        found = look(self._ask_all)
        if found is None:
            return False
        self.phones_at = time.monotonic()
        self.phones = phones(self._ask_all)
        self._legs = {leg.leg: leg for leg in found.legs}
        self.complete = found.complete
        return True

    def _look_again(self) -> bool:
        """Look at what has moved; whether the switch said. What moves meanwhile stays to be looked at."""
        counted = dict(self._moved)
        found = dumped(tuple(counted), self._ask_all)
        if found is None or self._legs is None:
            return False
        for leg in counted:
            self._legs.pop(leg, None)
        self._legs.update({leg.leg: leg for leg in found})
        for leg, count in counted.items():
            if self._moved[leg] == count:
                del self._moved[leg]
        return True


def _named(event: SwitchEvent) -> Iterator[str]:
    named: Sequence[str] = (event.leg, event.other, event.bridge_a, event.bridge_b)
    return (leg for leg in named if checked_name(leg))
