"""The engine on a real FreeSWITCH: from seeing that a caller parked to seeing that an agent's leg was made.

Both moments by one clock of ours, at a connection to the event socket that is none of the engine's: so the figure is
what a third party sees of decision, commit and command together. Callers and phones are sipp, without sound. There is
always an idle agent. Beside it, on the same switch in the same run, the floor: a bare client that decides nothing and
stores nothing, and writes its command as soon as it reads of the caller.
"""

import json
import re
import select
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

from orchestrator import cluster
from orchestrator.calls import recent
from orchestrator.control import Client, ControlError, control_path
from orchestrator.runner.inputs import EndAll, Ready, SignIn
from orchestrator.service.configuration import apply_file
from orchestrator.settings import environment_with
from orchestrator.store import Log, Source, schema
from tests.lab.caller import Account, SippCaller
from tests.lab.patience import until
from tests.lab.phone import AnsweringPhones
from tests.lab.switch import VARIABLE, RealSwitch, freeswitch_binary
from tests.postgres import make_reachable_directory, settings_for

# Calls a second, how many of them, and what is aimed at (ms).
LOADS: Final = ((5, 100, 10.0, 30.0), (20, 400, 10.0, 30.0))
AGENTS: Final = 60
TALK_MS: Final = 1_000
WARM: Final = 20
"""The first calls find cold caches on both sides; they are served, but not counted."""
NUMBER: Final = "4000"
EXTENSIONS: Final = tuple(str(2_000 + n) for n in range(AGENTS))
_POKE_S: Final = 0.001


def run() -> Iterator[dict[str, Any]]:
    """The figures of the group; none, with a word on standard error, where there is no FreeSWITCH."""
    if freeswitch_binary() is None:
        sys.stderr.write(f"no figures of group switch: set {VARIABLE} to a FreeSWITCH's program\n")
        return
    with ExitStack() as stack:
        place = make_reachable_directory()
        stack.callback(shutil.rmtree, place)
        switch = RealSwitch(place / "lab", extensions=EXTENSIONS)
        switch.home.mkdir(parents=True)
        stack.enter_context(switch)
        accounts = switch.plan.phones
        stack.enter_context(AnsweringPhones(place / "lab", accounts, switch.plan.sip_port))
        for per_second, calls, *_ in LOADS:
            with Watcher(switch, bare=True) as watcher:
                _call(switch, place, WARM, per_second)
                watcher.forget()
                _call(switch, place, calls, per_second)
            yield from _figures("switch.bare", watcher, per_second, calls)
        engine = stack.enter_context(Engine(place, switch))
        for per_second, calls, middle, worst in LOADS:
            with Watcher(switch) as watcher:
                _call(switch, place, WARM, per_second)
                engine.await_quiet()
                watcher.forget()
                account = _call(switch, place, calls, per_second)
                engine.await_quiet()
            served = {"answered_by_sipp": account.answered, "failed_by_sipp": account.failed}
            yield from _figures("switch", watcher, per_second, calls, limits=(middle, worst), **served)
        yield {
            "name": "switch.completed_share",
            "value": round(engine.completed() / sum(WARM + calls for _, calls, *_ in LOADS), 4),
            "unit": "of the calls made, by the ledger",
            "at_least": 1.0,
        }


def _call(switch: RealSwitch, place: Path, calls: int, per_second: int) -> Account:
    """Let callers call, and see them all end."""
    with SippCaller(
        *(place / "lab", switch.plan.trunk_port),
        dialled=NUMBER,
        calls=calls,
        per_second=per_second,
        talk_ms=TALK_MS,
        tone_hz=None,
    ) as callers:
        return callers.await_end(within_s=calls / per_second + 30)


def _figures(
    name: str,
    watcher: "Watcher",
    per_second: int,
    calls: int,
    *,
    limits: tuple[float, float] | None = None,
    **about: object,
) -> Iterator[dict[str, Any]]:
    took = sorted(watcher.took_ms())
    about = {"calls": calls, "seen": len(took), "calls_per_s": per_second, **about}
    for index, share in enumerate((50, 99)):
        value = statistics.quantiles(took, n=100, method="inclusive")[share - 1]
        figure = {"name": f"{name}.{per_second}_per_s.p{share}_ms", "value": round(value, 2), "unit": "ms"}
        yield figure | ({"at_most": limits[index]} if limits else {}) | about


@dataclass
class Watcher:
    """Notes when each caller parked and when a leg was made for it. With `bare` it also rings agents, at once."""

    switch: RealSwitch
    bare: bool = False
    parked: dict[str, float] = field(default_factory=dict)
    made: dict[str, float] = field(default_factory=dict)
    pairs: dict[str, str] = field(default_factory=dict)
    """Caller's leg of each agent's leg, as the bridge tells."""
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._control = self.switch.control()
        self._control.subscribe("CHANNEL_PARK CHANNEL_CREATE CHANNEL_BRIDGE")
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(10)
        self._control.socket.close()

    def forget(self) -> None:
        """What was seen so far does not count."""
        for seen in (self.parked, self.made, self.pairs):
            seen.clear()

    def took_ms(self) -> list[float]:
        """For each caller who was bridged: from parked to the making of that agent's leg."""
        return [
            1_000 * (self.made[agent] - self.parked[caller])
            for agent, caller in self.pairs.items()
            if agent in self.made and caller in self.parked
        ]

    def _watch(self) -> None:
        """Read as events come. The switch looks at its queue every 20 ms unless it is poked: it is."""
        connection, buffer = self._control.socket, b""
        connection.setblocking(False)
        rung = 0
        while not self._stop.is_set():
            if not select.select([connection], [], [], _POKE_S)[0]:
                connection.send(b"\n")
                continue
            buffer += connection.recv(262_144)
            now = time.monotonic()
            while found := re.search(rb"Content-Length: (\d+)\n[^{]*?\n\n|\n\n", buffer):
                length = int(found[1] or 0)
                if len(buffer) < found.end() + length:
                    break
                body, buffer = buffer[found.end() : found.end() + length], buffer[found.end() + length :]
                if body.startswith(b"{"):
                    rung += self._take(json.loads(body), now, rung)

    def _take(self, event: dict[str, str], now: float, rung: int) -> int:
        """Note one event; in `bare`, act on it. Returns how many phones that rang (0 or 1)."""
        name, leg, inbound = event["Event-Name"], event["Unique-ID"], event["Call-Direction"] == "inbound"
        if name == "CHANNEL_BRIDGE":
            self.pairs[event["Bridge-B-Unique-ID"]] = event["Bridge-A-Unique-ID"]
        elif name == "CHANNEL_CREATE" and not inbound:
            self.made.setdefault(leg, now)
        elif name == "CHANNEL_PARK" and inbound and leg not in self.parked:
            self.parked[leg] = now
            if self.bare:
                extension = EXTENSIONS[rung % AGENTS]
                self._write(f"bgapi originate {{caller_leg={leg}}}user/{extension}@ringledger &park()")
                self._write(f"sendmsg {leg}\ncall-command: execute\nexecute-app-name: answer")
                return 1
        elif name == "CHANNEL_PARK" and not inbound and self.bare:
            self._write(f"bgapi uuid_bridge {event['variable_caller_leg']} {leg}")
        return 0

    def _write(self, command: str) -> None:
        self._control.socket.send(command.encode() + b"\n\n")


class Engine:
    """A database, a configuration with agents who are always ready, and the engine, connected to this switch."""

    def __init__(self, place: Path, switch: RealSwitch) -> None:
        self._place = place
        self._switches = f"esl://:{quote(switch.plan.esl_password)}@127.0.0.1:{switch.plan.esl_port}/?name=real"
        self._settings = settings_for(place / "home", RINGLEDGER_SWITCHES=self._switches)
        self._switch = switch
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        settings = self._settings
        database = cluster.ensure_running(settings, lambda _: None)
        self._stack.callback(database.stop)
        schema.create(database.url_owner, admin_url=database.url_admin)
        apply_file(settings, _configuration())
        self._reader = database.url_reader
        output = self._stack.enter_context((self._place / "engine.log").open("wb"))
        environ = environment_with(
            RINGLEDGER_HOME=str(settings.home),
            RINGLEDGER_SWITCHES=self._switches,
            RINGLEDGER_METRICS="",
            RINGLEDGER_LOG_LEVEL="warning",
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator", "engine"], env=environ, stdout=output, stderr=output
        )

        def end() -> None:
            process.terminate()
            process.wait(20)

        self._stack.callback(end)
        self._client = Client(control_path(settings.home))
        self._stack.callback(self._client.close)
        until(self._is_up, "the engine to be active and to have its switch", within_s=30)
        for n in range(AGENTS):
            self._client.do(SignIn(agent=str(n)))
            self._client.do(Ready(agent=str(n)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def await_quiet(self) -> None:
        """Return once no contact lives and the switch has no channel."""
        until(lambda: self._client.ask("status")["contacts"] == 0, "the callers to be served", within_s=30)
        with self._switch.control() as control:
            until(lambda: self._switch.channels(control) == 0, "the switch to have no channel left")

    def completed(self) -> int:
        """How many contacts the ledger says were talked to their end."""
        self._client.do(EndAll(reason="evening"))
        source = Source(self._reader, name="bench")
        try:
            rows = recent(Log(source).history(kinds=("contact",)), limit=10_000)
            return sum(row.ended == "completed" for row in rows)
        finally:
            source.close()

    def _is_up(self) -> bool:
        try:
            status = self._client.ask("status")
        except ControlError:
            return False
        return bool(status["active"]) and all(node["up"] for node in status["nodes"].values())


def _configuration() -> str:
    agents = "\n".join(
        f'[agent.a{n}]\nnumber = "{n}"\nname = "Agent {n}"\nextension = "{extension}"\nskills = {{ bench = 1 }}\n'
        for n, extension in enumerate(EXTENSIONS)
    )
    return f"""
[queue.bench]
name = "Bench"
skill = "bench"
wrap_up_s = 0
record = false

[entry.bench]
name = "Bench"
numbers = ["{NUMBER}"]
queue = "bench"

{agents}"""
