"""Which desks are there: the orchestrator is told when a desk's stream opens and ends, and hears of all that are open.

A desk is one page in one browser; its id is made there and comes with its stream and its forms. Nobody waits for the
telling: a stream that opens must not hang on an orchestrator that is away, which hears of it at the next beat anyway.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import gevent
import structlog
from gevent.lock import RLock

from orchestrator.control import ControlError
from orchestrator.domain.kernel import Refused
from orchestrator.runner.inputs import DESK_BEAT_S, DESKS_IN_A_BEAT, DeskBeat, DeskCommand, DeskGone, DeskSeen

log = structlog.get_logger(__name__)

# Refusals that are no fault: the page itself shows them (another desk has the seat, the agent is gone).
_EXPECTED: Final = frozenset({"desk_elsewhere", "unknown_agent", "database_away", "unsure"})


class Attendance:
    """The desks whose streams are open in this process."""

    def __init__(self, do: Callable[[DeskCommand], int]) -> None:
        self._do = do
        self._open: Counter[tuple[str, str]] = Counter()
        self._greenlet: Any = None
        self._turn: Any = RLock()
        """One thing is told after another: a beat made before a desk left must not arrive after its leaving."""

    def start(self) -> "Attendance":
        """Begin to tell what is open, every `DESK_BEAT_S`."""
        self._greenlet = gevent.spawn(self._beat)
        return self

    def stop(self) -> None:
        """Tell no more: the desks are given up as lost by whoever no longer hears of them."""
        if self._greenlet is not None:
            self._greenlet.kill()

    def come(self, agent: str, desk: str) -> Callable[[], None]:
        """The stream of this desk of the agent with this employee number is open; returns what to call at its end."""
        place = (agent, desk)
        self._open[place] += 1
        gevent.spawn(self._tell, DeskSeen(agent=agent, desk=desk))
        left = False

        def leave() -> None:
            nonlocal left
            if left:
                return
            left = True
            self._open[place] -= 1
            if not self._open[place]:
                del self._open[place]
                gevent.spawn(self._tell, DeskGone(agent=agent, desk=desk))

        return leave

    @property
    def open(self) -> frozenset[tuple[str, str]]:
        """Employee number and desk of each."""
        return frozenset(self._open)

    def _beat(self) -> None:
        while True:
            gevent.sleep(DESK_BEAT_S)
            with self._turn:
                for desks in self._beats():
                    self._tell(DeskBeat(desks=desks))

    def _beats(self) -> list[dict[str, str]]:
        """All that are open, in as many beats as it takes."""
        beats: list[dict[str, str]] = []
        for agent, desk in self._open:
            # Of two desks of one agent each is in a beat of its own: one has the seat, the other wants it.
            beat = next((beat for beat in beats if agent not in beat and len(beat) < DESKS_IN_A_BEAT), None)
            if beat is None:
                beats.append({agent: desk})
            else:
                beat[agent] = desk
        return beats

    def _tell(self, command: DeskCommand) -> None:
        try:
            with self._turn:
                self._do(command)
        except Refused as refused:
            if refused.code not in _EXPECTED:
                log.warning("desk-not-told", command=type(command).__name__, code=refused.code)
        except ControlError as error:
            log.info("orchestrator-away", command=type(command).__name__, why=str(error))
