"""The engine on the simulated switch: from reading that a caller parked to having written the command that rings.

An engine in a process of its own, on one core; the simulated switch and PostgreSQL on the other. Callers come evenly at
`RATE`; there is always an idle agent. Read off the engine's own figures, so nothing is added to its path.
"""

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from orchestrator import cluster
from orchestrator.calls import recent
from orchestrator.control import Client, ControlError, control_path
from orchestrator.runner.inputs import EndAll, Ready, SignIn
from orchestrator.service.configuration import apply_file
from orchestrator.settings import environment_with
from orchestrator.store import Log, Source, schema
from tests.bench.esl import peers_events_per_s
from tests.bench.memory import core_ms
from tests.bench.processes import awake, cpu_s, put_on_core, server_of
from tests.lab.patience import until
from tests.lab.ports import free_port
from tests.postgres import make_reachable_directory, settings_for

RATE: Final = 50
CALLS: Final = 1_500
AGENTS: Final = 150
# The first calls find cold caches on both sides; they are served, but the figures begin after them.
WARM: Final = 150
PASSWORD: Final = "bench-of-the-engine"
NUMBER: Final = "4000"


def run() -> Iterator[dict[str, Any]]:
    """The figures of the group."""
    with ExitStack() as stack:
        yield from _measure(stack)


def _measure(stack: ExitStack) -> Iterator[dict[str, Any]]:
    stack.enter_context(awake())
    place = make_reachable_directory()
    stack.callback(shutil.rmtree, place)
    port, figures_port = free_port(), free_port()
    settings = settings_for(
        place / "home", RINGLEDGER_SWITCHES=f"esl://:{quote(PASSWORD)}@127.0.0.1:{port}/?name=bench"
    )
    database = cluster.ensure_running(settings, lambda _: None)
    stack.callback(database.stop)
    put_on_core(server_of(settings.home), 0)
    schema.create(database.url_owner, admin_url=database.url_admin)
    apply_file(settings, _configuration())
    script = place / "phones.json"
    phones = [{"extension": str(2_000 + n), "answer_after_ms": 200, "lines": 2} for n in range(AGENTS)]
    script.write_text(json.dumps({"phones": phones}))
    switch = start(stack, place, 0, "freeswitch.simulator", "--port", str(port), "--password", PASSWORD, "--callers",
                    str(script), "--no-recordings")  # fmt: skip
    environ = {
        "RINGLEDGER_HOME": str(settings.home),
        "RINGLEDGER_SWITCHES": f"esl://:{quote(PASSWORD)}@127.0.0.1:{port}/?name=bench",
        "RINGLEDGER_METRICS": f"127.0.0.1:{figures_port}",
        "RINGLEDGER_LOG_LEVEL": "warning",
    }
    engine = start(stack, place, 1, "orchestrator", "engine", **environ)
    client = Client(control_path(settings.home))
    stack.callback(client.close)
    until(lambda: is_up(client), "the engine to be active and to have its switch", within_s=30)
    for n in range(AGENTS):
        client.do(SignIn(agent=str(n)))
        client.do(Ready(agent=str(n)))
    callers = Callers(port)
    stack.callback(callers.close)
    cores = os.sched_getaffinity(0)
    stack.callback(os.sched_setaffinity, 0, cores)
    os.sched_setaffinity(0, {min(cores)})
    callers.place(WARM, per_s=RATE)
    until(lambda: client.ask("status")["contacts"] == 0, "the first callers to be served", within_s=30)
    before, cpu = figures(figures_port), cpu_s(engine.pid)
    callers.place(CALLS, per_s=RATE)
    until(lambda: client.ask("status")["contacts"] == 0, "the callers to be served", within_s=30)
    after, used = figures(figures_port), cpu_s(engine.pid) - cpu
    client.do(EndAll(reason="evening"))
    served = _served(database.url_reader)
    commit_p99 = 1_000 * percentile("ringledger_commit_seconds", before, after, 0.99)
    about = {"calls": CALLS, "calls_per_s": RATE, "agents": AGENTS, "served": served - WARM}
    yield {"name": "decide.commit.p99_ms", "value": round(commit_p99, 3), "unit": "ms", "what": "in the same run"}
    for share, limit in ((0.5, 5.0), (0.99, commit_p99 + 10)):
        value = 1_000 * percentile("ringledger_ring_seconds", before, after, share)
        name = f"decide.p{share * 100:.0f}_ms"
        yield {"name": name, "value": round(value, 3), "unit": "ms", "at_most": round(limit, 3), **about}
    yield {
        "name": "orchestrator.cpu_ms_per_call",
        "value": round(1_000 * used / CALLS, 3),
        "unit": "ms",
        "at_most": 5,
        "switch_running": switch.poll() is None,
        "python": f"{platform.python_version()} of {Path(sys.executable).resolve()}",
    }
    # Hosts differ by two, and one host from minute to minute: what the same CPU time would be worth to a peer.
    peer = peers_events_per_s()
    yield {
        "name": "orchestrator.call.vs_greenswitch",
        "value": round(peer * used / CALLS, 1),
        "unit": "events that greenswitch would read meanwhile",
        "greenswitch_events_per_s": round(peer),
    }
    for name, cold in (("decide.core.warm_ms_per_call", False), ("decide.core.cold_ms_per_call", True)):
        yield {"name": name, "value": round(core_ms(cold=cold), 3), "unit": "ms", "what": "the runner's steps alone"}


def start(stack: ExitStack, place: Path, core: int, *words: str, **variables: str) -> subprocess.Popen[bytes]:
    """A Python module of ours as a process on one core."""
    output = stack.enter_context((place / f"{words[0]}.log").open("wb"))
    process = subprocess.Popen(
        [sys.executable, "-m", *words], env=environment_with(**variables), stdout=output, stderr=output
    )
    put_on_core(process.pid, core)

    def end() -> None:
        process.terminate()
        process.wait(20)

    stack.callback(end)
    return process


class Callers:
    """Callers placed evenly over the switch's own command connection."""

    def __init__(self, port: int, prefix: str = "1380") -> None:
        """`prefix`: the first four digits of their numbers, each of which calls once."""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._said = self._socket.makefile("rb")
        self._prefix = prefix
        self._number = 0
        self._send(f"auth {PASSWORD}")
        self._hear(1, b"Reply-Text: +OK")

    def place(self, count: int, *, per_s: float, talk_ms: int = 1_000) -> float:
        """Let `count` callers call, `per_s` a second, evenly, whatever the switch has answered so far. Returns how many
        seconds late the last one was.
        """
        begun = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            heard = pool.submit(self._hear, count, b"+OK ")
            for n in range(count):
                self._number += 1
                time.sleep(max(0.0, begun + n / per_s - time.monotonic()))
                caller = {"dialled": NUMBER, "number": f"{self._prefix}{self._number:07}", "talk_ms": talk_ms}
                self._send(f"api simulator call {json.dumps(caller)}")
            late_s = time.monotonic() - begun - (count - 1) / per_s
            heard.result()
        return late_s

    def close(self) -> None:
        """Hang up on the switch."""
        self._socket.close()

    def _send(self, command: str) -> None:
        self._socket.sendall(command.encode() + b"\n\n")

    def _hear(self, count: int, expected: bytes) -> None:
        """Return once this was answered so often."""
        while count:
            line = self._said.readline()
            assert line, f"the switch hung up, {count} answers before the last"
            assert not line.startswith(b"-ERR"), f"the switch said {line.decode()!r}"
            count -= line.startswith(expected)


def _configuration() -> str:
    agents = "\n".join(
        f'[agent.a{n}]\nnumber = "{n}"\nname = "Agent {n}"\nextension = "{2_000 + n}"\nskills = {{ bench = 1 }}\n'
        for n in range(AGENTS)
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


def is_up(client: Client) -> bool:
    try:
        status = client.ask("status")
    except ControlError:
        return False
    return bool(status["active"]) and all(node["up"] for node in status["nodes"].values())


def figures(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}


def percentile(name: str, before: dict[str, float], after: dict[str, float], share: float) -> float:
    """From a histogram's growth between two readings, drawn evenly within the bucket that holds it."""
    head = f'{name}_bucket{{le="'
    counts = sorted(
        (float(key.removeprefix(head).removesuffix('"}')), value - before.get(key, 0.0))
        for key, value in after.items()
        if key.startswith(head)
    )
    wanted = share * counts[-1][1]
    low = below = 0.0
    for high, count in counts:
        if count >= wanted:
            return low + (high - low) * (wanted - below) / max(count - below, 1e-9)
        low, below = high, count
    return counts[-1][0]


def _served(url: str) -> int:
    source = Source(url, name="bench")
    try:
        rows = recent(Log(source).history(kinds=("contact",)), limit=CALLS + WARM)
        return sum(row.ended == "completed" for row in rows)
    finally:
        source.close()
