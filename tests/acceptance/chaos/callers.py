"""Who calls and whose phones ring on the simulated switch; their accounts lie in files, one for each of its starts."""

import json
import re
import sys
import threading
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from orchestrator.settings import Switch
from tests.acceptance.chaos.fates import Call, Ring
from tests.acceptance.house import ROOT
from tests.contract.driver import sessions
from tests.lab.control import Control
from tests.lab.patience import until
from tests.lab.ports import own_port
from tests.lab.process import Child

ANSWER_MS: Final = 300
PATIENCE_MS: Final = 600_000
_IMPATIENT: Final = 0.05
_WAITS_MS: Final = (3_000, 6_000)
"""So many of the callers wait for so long at most; all others for as long as it takes."""
_HASTY: Final = 0.05
"""So many hang up in the moment in which an agent answers: whoever is late then leaves an agent alone on the line."""


class Peers(ABC):
    """Both far ends of a switch that can be killed."""

    switch: Switch

    def __init__(self) -> None:
        self.runs = 0
        """How often the switch has been started."""
        self.killed: set[int] = set()
        """Which of these starts ended by SIGKILL, counted from 0."""

    @abstractmethod
    def start(self) -> None:
        """Start the switch, and have the phones register."""

    @abstractmethod
    def kill(self) -> int:
        """SIGKILL to the switch; the number of its process."""

    @abstractmethod
    def begin(self) -> None:
        """From now on callers call."""

    @abstractmethod
    def over(self) -> bool:
        """Whether all have called, and nobody is on the line, by their own account."""

    @abstractmethod
    def calls(self) -> list[Call]:
        """What the callers say."""

    @abstractmethod
    def rings(self) -> list[Ring]:
        """What the phones say, where they know the legs' names."""

    @abstractmethod
    def answered(self) -> int:
        """How many calls the phones answered, by their own account."""

    @abstractmethod
    def stop(self) -> None:
        """Everybody is gone, the switch too."""

    def control(self) -> Control:
        """A connection of our own to the event socket."""
        return Control(self.switch.port, self.switch.password)

    def channels(self) -> int:
        """How many channels the switch has."""
        with self.control() as control:
            return sessions(control)


class SimulatedPeers(Peers):
    """The simulator in a process of its own, its robots, and callers who come at random."""

    def __init__(
        self, folder: Path, extensions: list[str], *, seed: int, calls: int, per_second: float, talk_ms: int
    ) -> None:
        super().__init__()
        self.folder = folder
        self.switch = Switch(name="simulated", host="127.0.0.1", port=own_port(), password="chaos")
        self._extensions = extensions
        self._dice = Random(seed)
        self._calls, self._per_second, self._talk_ms = calls, per_second, talk_ms
        self._child: Child | None = None
        self._stopping = threading.Event()
        self._callers = threading.Thread(target=self._call_all, name="callers", daemon=True)

    def start(self) -> None:
        story = self._story(self.runs)
        story.touch()
        command = [
            *(sys.executable, "-m", "freeswitch.simulator", "--port", str(self.switch.port)),
            *("--password", self.switch.password, "--heartbeat", "2", "--story", str(story)),
        ]
        output = self.folder / f"simulator-{self.runs}.txt"
        self._child = Child(command, output=output, folder=ROOT)
        self.runs += 1
        until(lambda: re.search("event socket on", output.read_text()), "the simulator to listen", within_s=60)
        with self.control() as control:
            for extension in self._extensions:
                phone = {"extension": extension, "answer_after_ms": ANSWER_MS, "expires_s": 3_600}
                answer = control.api(f"simulator phone {json.dumps(phone)}")
                assert answer.startswith("+OK"), answer

    def kill(self) -> int:
        assert self._child is not None
        self._child.kill()
        self.killed.add(self.runs - 1)
        return self._child.popen.pid

    def stop(self) -> None:
        self._stopping.set()
        if self._callers.ident is not None:
            self._callers.join(30)
        if self._child is not None:
            self._child.stop()

    def begin(self) -> None:
        self._callers.start()

    def over(self) -> bool:
        if self._callers.is_alive():
            return False
        last = self.runs - 1
        return all(call.end for call in self.calls() if call.run == last) and all(
            ring.over for ring in self.rings() if ring.run == last
        )

    def _call_all(self) -> None:
        """Each call in its turn; who finds no switch does not call again."""
        control: Control | None = None
        for number in range(1, self._calls + 1):
            caller = self._caller(number)
            if self._stopping.wait(self._dice.expovariate(self._per_second)):
                break
            try:
                control = control or self.control()
                control.api(f"simulator call {json.dumps(caller)}")
            except OSError:
                if control is not None:
                    control.socket.close()
                control = None
        if control is not None:
            control.socket.close()

    def _caller(self, number: int) -> dict[str, object]:
        drawn = self._dice.random()
        caller = {"dialled": "4000", "number": f"+3120{number:07}", "talk_ms": self._talk_ms}
        if drawn < _HASTY:
            return {**caller, "hang_up_when": "agent_answered"}
        patience_ms = self._dice.randint(*_WAITS_MS) if drawn < _HASTY + _IMPATIENT else PATIENCE_MS
        return {**caller, "patience_ms": patience_ms}

    # --- their accounts ----------------------------------------------------------------------------------------------
    def _story(self, run: int) -> Path:
        return self.folder / f"story-{run}.log"

    def answered(self) -> int:
        return sum(ring.answered for ring in self.rings())

    def calls(self) -> list[Call]:
        return [
            Call(
                name=number,
                run=run,
                at=said[0][0],
                joined=tuple(at for at, word in said if word == "joined"),
                ended_at=next((at for at, word in said if "hung-up" in word), 0.0),
                end=next((word for _, word in said if "hung-up" in word), ""),
            )
            for run, _, number, said in self._told("caller")
        ]

    def rings(self) -> list[Ring]:
        return [
            Ring(
                leg=leg,
                run=run,
                answered=any(word == "answered" for _, word in said),
                ended_at=next((at for at, word in said if "hung-up" in word), 0.0),
                over=any("hung-up" in word for _, word in said),
            )
            for run, leg, _, said in self._told("phone")
        ]

    def _told(self, who: str) -> Iterator[tuple[int, str, str, list[tuple[float, str]]]]:
        """By leg, what was said of it and when: the start of the switch, the leg, who, and the words."""
        for run in range(self.runs):
            said: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
            for line in self._story(run).read_text().splitlines():
                at, kind, leg, number, word = line.split(maxsplit=4)
                if kind == who:
                    said[leg, number].append((int(at) / 1e6, word))
            for (leg, number), words in said.items():
                yield run, leg, number, words
