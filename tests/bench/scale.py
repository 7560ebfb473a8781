"""Ten thousand agents and ten thousand live calls on the simulated switch: is an agent rung as soon as with a few?

The engine has one core; the simulated switch, PostgreSQL and this program share the other. Calls of 100 s come at 100 a
second until as many are live as there are agents; what is measured then is a window in which as many end as begin. Read
off the engine's own figures. What gives first is told by who uses how much of its core, and by a last stretch at a
higher rate. The whole group is bounded in time; a run that cannot keep its rate says so and is measured as it is.
"""

import json
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from orchestrator import cluster
from orchestrator.control import Client, control_path
from orchestrator.runner.inputs import Ready, SignIn
from orchestrator.service.configuration import apply_file
from orchestrator.store import schema
from tests.bench.decide import PASSWORD, Callers, figures, is_up, percentile, start
from tests.bench.processes import children_of, cpu_s, resident_kb
from tests.lab.patience import until
from tests.lab.ports import free_port
from tests.postgres import make_reachable_directory, settings_for

AGENTS: Final = 10_000
RATE: Final = 100
HANDLING_S: Final = 100
WINDOW_S: Final = 20
BEYOND: Final = 130
"""Calls a second of the last stretch, for which there are agents enough for a while."""
SIGN_INS_AT_ONCE: Final = 32


def run() -> Iterator[dict[str, Any]]:
    """The figures of the group."""
    with ExitStack() as stack:
        yield from _Scale(stack).measure()


class _Scale:
    """Database, switch and engine, and what they use."""

    def __init__(self, stack: ExitStack) -> None:
        place = self._place = make_reachable_directory()
        stack.callback(shutil.rmtree, place)
        port, self._figures_port = free_port(), free_port()
        url = f"esl://:{quote(PASSWORD)}@127.0.0.1:{port}/?name=bench"
        self._settings = settings_for(place / "home", RINGLEDGER_SWITCHES=url)
        database = cluster.ensure_running(self._settings, lambda _: None)
        stack.callback(database.stop)
        schema.create(database.url_owner, admin_url=database.url_admin)
        apply_file(self._settings, _configuration(1))
        script = place / "phones.json"
        phones = [{"extension": str(20_000 + n), "answer_after_ms": 200, "lines": 2} for n in range(AGENTS)]
        script.write_text(json.dumps({"phones": phones}))
        switch = ("freeswitch.simulator", "--port", str(port), "--password", PASSWORD, "--callers", str(script))
        environ = {
            "RINGLEDGER_HOME": str(self._settings.home),
            "RINGLEDGER_SWITCHES": url,
            "RINGLEDGER_METRICS": f"127.0.0.1:{self._figures_port}",
            "RINGLEDGER_LOG_LEVEL": "warning",
        }
        self._switch = start(stack, place, 0, *switch, "--no-recordings")
        self._engine = start(stack, place, 1, "orchestrator", "engine", **environ)
        self._server = int((Path(self._settings.home) / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
        self._client = Client(control_path(self._settings.home))
        stack.callback(self._client.close)
        until(lambda: is_up(self._client), "the engine to be active and to have its switch", within_s=30)
        self._callers = Callers(port)
        stack.callback(self._callers.close)

    def measure(self) -> Iterator[dict[str, Any]]:
        small = resident_kb(self._engine.pid)
        apply_file(self._settings, _configuration(AGENTS))
        began = time.monotonic()
        self._sign_in()
        took = time.monotonic() - began
        signed_in = resident_kb(self._engine.pid)
        yield {"name": "scale.sign_in_s", "value": round(took, 1), "unit": "s", "agents": AGENTS}
        yield _memory("agent", signed_in - small, AGENTS)
        lag = self._callers.place(RATE * HANDLING_S, per_s=RATE, talk_ms=HANDLING_S * 1_000)
        live = self._live()
        yield _memory("contact", resident_kb(self._engine.pid) - signed_in, live) | {"late_s": round(lag, 1)}
        yield from self._window("scale", RATE, limit=50)
        yield from self._window("scale.beyond", BEYOND)

    def _window(self, name: str, per_s: int, limit: float | None = None) -> Iterator[dict[str, Any]]:
        before, used, began = figures(self._figures_port), self._used(), time.monotonic()
        lag = self._callers.place(WINDOW_S * per_s, per_s=per_s, talk_ms=HANDLING_S * 1_000)
        passed = time.monotonic() - began
        after, live = figures(self._figures_port), self._live()
        about = {"calls_per_s": round(WINDOW_S * per_s / passed, 1), "live": live, "late_s": round(lag, 1)}
        rings = "ringledger_ring_seconds_count"
        rung = after.get(rings, 0.0) - before.get(rings, 0.0)
        share_rung = round(rung / (WINDOW_S * per_s), 4)
        figure = {"name": f"{name}.rung_at_once_share", "value": share_rung, "unit": "of the calls", **about}
        yield figure | ({"at_least": 0.99} if limit is not None else {})
        for share in (0.5, 0.99) if rung else ():
            value = 1_000 * percentile("ringledger_ring_seconds", before, after, share)
            figure = {"name": f"{name}.ring.p{share * 100:.0f}_ms", "value": round(value, 2), "unit": "ms", **about}
            yield figure | ({"at_most": limit} if limit is not None and share > 0.5 else {})
        shares = {who: round((now - used[who]) / passed, 3) for who, now in self._used().items()}
        busiest = max(shares, key=shares.__getitem__)
        core = {"engine": shares["engine"], "switch and database": shares["switch"] + shares["database"]}
        yield {
            "name": f"{name}.busiest_core",
            "value": round(max(core.values()), 3),
            "unit": "of a core",
            "gives_first": busiest,
            **shares,
        }

    def _live(self) -> int:
        """How many contacts live. RuntimeError where the engine has ended: that gave first."""
        if self._engine.poll() is not None:
            said = (self._place / "orchestrator.log").read_text(errors="replace")
            raise RuntimeError(f"the engine ended with status {self._engine.returncode}: …{said[-1_500:]}")
        return int(self._client.ask("status")["contacts"])

    def _used(self) -> dict[str, float]:
        database = cpu_s(self._server) + sum(map(cpu_s, children_of(self._server)))
        return {"engine": cpu_s(self._engine.pid), "switch": cpu_s(self._switch.pid), "database": database}

    def _sign_in(self) -> None:
        def some(first: int) -> None:
            client = Client(control_path(self._settings.home))
            for n in range(first, AGENTS, SIGN_INS_AT_ONCE):
                client.do(SignIn(agent=str(n)))
                client.do(Ready(agent=str(n)))
            client.close()

        until(lambda: len(self._client.ask("agents")) == AGENTS, "the engine to know the agents", within_s=60)
        with ThreadPoolExecutor(SIGN_INS_AT_ONCE) as pool:
            list(pool.map(some, range(SIGN_INS_AT_ONCE)))


def _memory(what: str, kb: int, count: int) -> dict[str, Any]:
    return {"name": f"scale.kb_per_{what}", "value": round(kb / max(count, 1), 2), "unit": "kB", "count": count}


def _configuration(agents: int) -> str:
    listed = "\n".join(
        f'[agent.a{n}]\nnumber = "{n}"\nname = "Agent {n}"\nextension = "{20_000 + n}"\nskills = {{ bench = 1 }}\n'
        for n in range(agents)
    )
    return f"""
[queue.bench]
name = "Bench"
skill = "bench"
wrap_up_s = 0
record = false
announce_agent = false

[entry.bench]
name = "Bench"
numbers = ["4000"]
queue = "bench"

{listed}"""


if __name__ == "__main__":
    for each in run():
        sys.stdout.write(json.dumps(each) + "\n")
        sys.stdout.flush()
