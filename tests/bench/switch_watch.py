"""What a third party sees at the switch's event socket: callers queued, agents' legs made, joined and ended.

All moments by one clock of ours, at a connection that is none of the engine's nor of mod_callcenter's.
"""

import json
import re
import select
import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise
from types import TracebackType
from typing import Final, Self

from tests.lab.control import Event
from tests.lab.switch import RealSwitch

_POKE_S: Final = 0.001
_QUIET_S: Final = 0.3
"""Nothing more is to be told after so long without a word: on a busy machine the news comes late."""
_EVENTS: Final = "CHANNEL_PARK CHANNEL_CREATE CHANNEL_ANSWER CHANNEL_BRIDGE CHANNEL_HANGUP_COMPLETE"
_EXTENSION: Final = re.compile(r"\b(2\d{3})\b")
RACE_STEPS: Final = 8
"""A racing hang-up comes 0 to 7 ms after the news of the agent's answer, each in turn."""
GHOST_S: Final = 1.0
"""An agent who is still on the line so long after the caller's leg has ended is alone with a ghost."""


@dataclass
class Watcher:
    """Notes what happens, and when. With `bare` it also rings agents, at once; with `race` it hangs callers up."""

    switch: RealSwitch
    bare: tuple[str, ...] = ()
    """The extensions that it rings by itself, one after the other."""
    race: bool = False
    """Whether each caller is hung up as soon as the agent's phone has answered."""
    queued: dict[str, float] = field(default_factory=dict)
    made: dict[str, float] = field(default_factory=dict)
    pairs: dict[str, str] = field(default_factory=dict)
    """Caller's leg of each agent's leg, as the bridge tells."""
    bridged: list[float] = field(default_factory=list)
    ended: dict[str, float] = field(default_factory=dict)
    raced: dict[str, str] = field(default_factory=dict)
    """Agent's leg to the caller's leg that was hung up when that agent answered."""
    free_to_next: list[float] = field(default_factory=list)
    """Seconds from an agent's hang-up to the next leg for that agent, while callers waited."""
    _extension: dict[str, str] = field(default_factory=dict)
    _freed: dict[str, float] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._control = self.switch.control()
        self._control.subscribe(f"{_EVENTS} CUSTOM callcenter::info")
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(60)
        self._control.socket.close()

    def forget(self) -> None:
        """What was seen so far does not count."""
        for seen in (self.queued, self.made, self.pairs, self.ended, self.raced, self._extension, self._freed):
            seen.clear()
        self.bridged.clear()
        self.free_to_next.clear()

    # --- what was seen -----------------------------------------------------------------------------------------------
    def took_ms(self) -> list[float]:
        """For each caller who was bridged: from queued to the making of that agent's leg."""
        return [
            1_000 * (self.made[agent] - self.queued[caller])
            for agent, caller in self.pairs.items()
            if agent in self.made and caller in self.queued
        ]

    def out_of_order(self) -> float:
        """Of all callers who follow each other in the queue, the share whose agents' legs were made the other way."""
        made = {caller: self.made[agent] for agent, caller in self.pairs.items() if agent in self.made}
        served = [made[caller] for caller in sorted(self.queued, key=self.queued.__getitem__) if caller in made]
        return sum(later < earlier for earlier, later in pairwise(served)) / max(1, len(served) - 1)

    def ghosts(self) -> int:
        """How many agents were left alone by a racing hang-up."""
        return sum(
            self.ended.get(agent, float("inf")) - self.ended[caller] > GHOST_S
            for agent, caller in self.raced.items()
            if caller in self.ended
        )

    def served_per_s(self, began: float, seconds: float) -> float:
        """Callers who were joined with an agent, a second, while callers arrived."""
        return sum(began <= at < began + seconds for at in self.bridged) / seconds

    # --- seeing ------------------------------------------------------------------------------------------------------
    def _watch(self) -> None:
        """Read as events come. The switch looks at its queue every 20 ms unless it is poked: it is."""
        connection, buffer = self._control.socket, b""
        connection.setblocking(False)
        quiet_since = time.monotonic()
        while not self._stop.is_set() or time.monotonic() - quiet_since < _QUIET_S:
            if not select.select([connection], [], [], _POKE_S)[0]:
                connection.send(b"\n")
                continue
            quiet_since = time.monotonic()
            buffer += connection.recv(262_144)
            now = time.monotonic()
            while found := re.search(rb"Content-Length: (\d+)\n[^{]*?\n\n|\n\n", buffer):
                length = int(found[1] or 0)
                if len(buffer) < found.end() + length:
                    break
                body, buffer = buffer[found.end() : found.end() + length], buffer[found.end() + length :]
                if body.startswith(b"{"):
                    self._take(json.loads(body), now)

    def _take(self, event: Event, now: float) -> None:
        if event["Event-Name"] == "CUSTOM":
            if event.get("CC-Action") == "member-queue-start":
                self.queued.setdefault(event["CC-Member-Session-UUID"], now)
        elif event["Call-Direction"] == "inbound":
            self._caller(event, event["Unique-ID"], now)
        else:
            self._agent(event, event["Unique-ID"], now)
        if event["Event-Name"] == "CHANNEL_BRIDGE":
            a, b = event["Bridge-A-Unique-ID"], event["Bridge-B-Unique-ID"]
            agent, caller = (a, b) if a in self.made else (b, a)
            if self.pairs.setdefault(agent, caller) == caller:
                self.bridged.append(now)

    def _caller(self, event: Event, leg: str, now: float) -> None:
        match event["Event-Name"]:
            case "CHANNEL_PARK" if leg not in self.queued:
                self.queued[leg] = now
                if self.bare:
                    extension = self.bare[len(self.queued) % len(self.bare)]
                    self._write(f"bgapi originate {{caller_leg={leg}}}user/{extension}@ringledger &park()")
                    self._write(f"sendmsg {leg}\ncall-command: execute\nexecute-app-name: answer")
            case "CHANNEL_HANGUP_COMPLETE":
                self.ended[leg] = now

    def _agent(self, event: Event, leg: str, now: float) -> None:
        match event["Event-Name"]:
            case "CHANNEL_CREATE":
                found = _EXTENSION.search(event.get("Caller-Destination-Number", "")) or _EXTENSION.search(
                    event.get("Channel-Name", "")
                )
                extension = self._extension[leg] = found[1] if found else ""
                if extension in self._freed:
                    self.free_to_next.append(now - self._freed.pop(extension))
                self.made.setdefault(leg, now)
            case "CHANNEL_ANSWER" if self.race:
                time.sleep(len(self.raced) % RACE_STEPS / 1_000)
                caller = max(self.queued, key=self.queued.__getitem__)
                self.raced[leg] = caller
                self._write(f"bgapi uuid_kill {caller}")
            case "CHANNEL_PARK" if self.bare:
                self._write(f"bgapi uuid_bridge {event['variable_caller_leg']} {leg}")
            case "CHANNEL_HANGUP_COMPLETE":
                self.ended[leg] = now
                if self.bare and leg in self.pairs:
                    self._write(f"bgapi uuid_kill {self.pairs[leg]}")
                if len(self.queued) > len(self.made) and leg in self._extension:
                    self._freed[self._extension[leg]] = now

    def _write(self, command: str) -> None:
        self._control.socket.send(command.encode() + b"\n\n")
