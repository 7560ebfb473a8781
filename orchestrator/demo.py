"""Robot desks: the agents of a demo, doing over the command socket what people do at theirs.

Only desks: the phones and callers are the simulated switch's. A robot signs in, is ready, comes back after it was stood
down, puts some callers on hold, finishes its wrap-up, and takes a break now and then. Two agents are left to people who
come with a browser; their phones ring until the desk accepts (freeswitch/simulator/demo.toml).
"""

import random
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from orchestrator.control import Client, ControlError
from orchestrator.domain.kernel import Refused
from orchestrator.runner import inputs

LOOK_S: Final = 0.4
# How long a robot stays in a state before it does something about it, in seconds, drawn evenly between the two.
_PATIENCE: Final = {"paused": (2.0, 8.0), "wrapping_up": (2.0, 6.0), "talking": (3.0, 12.0), "held": (2.0, 5.0)}
PEOPLE: Final = frozenset({"101", "102"})
"""Employee numbers that are left to people."""
_WRAP_UP_CODES: Final = ("solved", "call_back", "order_taken", "complaint")


class RobotDesks:
    """One thread that plays every agent of the configuration but those that are left to people."""

    def __init__(self, socket_path: Path, *, seed: int = 1, people: Collection[str] = PEOPLE) -> None:
        self._client = Client(socket_path)
        self._dice = random.Random(seed)  # noqa: S311 - a demo, not a secret
        self._people = frozenset(people)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._play, name="robot-desks", daemon=True)
        self._next: dict[str, tuple[str, float]] = {}
        self._clock = 0.0

    def start(self) -> None:
        """Begin to play."""
        self._thread.start()

    def stop(self) -> None:
        """Stop playing; the agents stay as they are."""
        self._stop.set()
        self._thread.join(timeout=5)
        self._client.close()

    def _play(self) -> None:
        while not self._stop.wait(LOOK_S):
            self._clock += LOOK_S
            try:
                for agent in self._client.ask("agents"):
                    self._look(agent)
            except (ControlError, Refused):
                # The orchestrator starts or restarts: its own log says so, and the next look finds it.
                continue

    def _look(self, agent: dict[str, Any]) -> None:
        number, state = agent["number"], agent["state"]
        if number in self._people:
            return
        if state == "signed_out":
            self._do(inputs.SignIn(agent=number))
            return
        known, due = self._next.get(number, ("", 0.0))
        if known != state:
            low, high = _PATIENCE.get(state, (1.0, 2.0))
            self._next[number] = (state, self._clock + self._dice.uniform(low, high))
            return
        if self._clock >= due:
            self._act(number, state)
            self._next.pop(number)

    def _act(self, number: str, state: str) -> None:
        match state:
            case "paused":
                self._do(inputs.Ready(agent=number))
            case "wrapping_up":
                self._do(inputs.WrapUp(agent=number, code=self._dice.choice(_WRAP_UP_CODES)))
            case "talking" if self._dice.random() < 0.4:  # noqa: PLR2004 - four in ten: enough to be seen
                self._do(inputs.Hold(agent=number))
            case "held":
                self._do(inputs.Resume(agent=number))
            case "ready" if self._dice.random() < 0.02:  # noqa: PLR2004 - a break now and then
                self._do(inputs.Pause(agent=number, reason="break"))

    def _do(self, command: inputs.AgentCommand) -> None:
        try:
            self._client.do(command)
        except Refused:
            # The caller was faster than the robot; a person would shrug, too.
            return
