"""Ten thousand live calls on simulated switches: is an agent rung as soon as with a few?

The engine has one core; simulated switches, PostgreSQL and this program share the other. Read models are off. Calls
of 100 s come at 100 a second until 10 000 are live; there are some more agents than that, so that somebody is free for
whoever calls, and it can be said of each caller how soon a phone rang. From then on as many calls end as begin. What
is measured, off the engine's own figures, is one window at that rate, then shorter ones at rising rates for as long as
the limit holds (at falling ones, where it did not): so the group says what rate it can keep, who uses how much of a
core beyond it, and ends within minutes whatever the machine does.
"""

import json
import math
import os
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from orchestrator import cluster
from orchestrator.control import Client, control_path
from orchestrator.runner.inputs import Ready, SignIn
from orchestrator.service.configuration import apply_file
from orchestrator.store import schema
from tests.bench.decide import PASSWORD, Callers, figures, is_up, percentile, start
from tests.bench.processes import children_of, cpu_s, put_on_core, resident_kb, server_of
from tests.lab.patience import until
from tests.lab.ports import free_port
from tests.postgres import make_reachable_directory, settings_for

RATE: Final = 100
HANDLING_S: Final = 100
AGENTS: Final = RATE * HANDLING_S + 500
"""Somebody is free at all times, also while calls that came a little late are still talking."""
SWITCHES: Final = 5
"""The engine makes at most 60 legs a second on one switch, as a real one bears: together as fast as any rate below."""
WINDOW_S: Final = 20
STEP_S: Final = 10
FASTER: Final = (125, 150, 175, 200, 250, 300)
SLOWER: Final = (75, 50, 25)
SHORT_MS: Final = 1_000
"""How long those talk who come beyond `RATE`: so that there are agents enough for them."""
LIMIT_MS: Final = 50
ENOUGH: Final = 0.99
IN_TIME_S: Final = 0.5
"""A last caller who is placed later than this shows that the rate was not kept."""
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
        ports, self._figures_port = [free_port() for _ in range(SWITCHES)], free_port()
        # Every phone is registered at all of them, so none is rung over the trunk between them.
        urls = ",".join(
            f"esl://:{quote(PASSWORD)}@127.0.0.1:{port}/?name=bench{port}&peer=127.0.0.1:{port}" for port in ports
        )
        self._settings = settings_for(place / "home", RINGLEDGER_SWITCHES=urls)
        database = cluster.ensure_running(self._settings, lambda _: None)
        stack.callback(database.stop)
        self._server = server_of(Path(self._settings.home))
        put_on_core(self._server, 0)
        cores = os.sched_getaffinity(0)
        schema.create(database.url_owner, admin_url=database.url_admin)
        apply_file(self._settings, _configuration(1))
        script = place / "phones.json"
        phones = [{"extension": str(20_000 + n), "answer_after_ms": 200, "lines": 2} for n in range(AGENTS)]
        script.write_text(json.dumps({"phones": phones}))
        switch = ("freeswitch.simulator", "--password", PASSWORD, "--callers", str(script), "--no-recordings")
        sessions = ("--max-sessions", str(4 * AGENTS))
        environ = {
            "RINGLEDGER_HOME": str(self._settings.home),
            "RINGLEDGER_SWITCHES": urls,
            "RINGLEDGER_METRICS": f"127.0.0.1:{self._figures_port}",
            "RINGLEDGER_LOG_LEVEL": "warning",
        }
        self._switches = [start(stack, place, 0, *switch, *sessions, "--port", str(port)) for port in ports]
        self._engine = start(stack, place, 1, "orchestrator", "engine", **environ)
        stack.callback(os.sched_setaffinity, 0, cores)
        os.sched_setaffinity(0, {min(cores)})
        self._client = Client(control_path(self._settings.home))
        stack.callback(self._client.close)
        until(lambda: is_up(self._client), "the engine to be active and to have its switch", within_s=30)
        self._long = [Callers(port, prefix=f"138{n}") for n, port in enumerate(ports)]
        self._short = [Callers(port, prefix=f"139{n}") for n, port in enumerate(ports)]
        for callers in (*self._long, *self._short):
            stack.callback(callers.close)

    def measure(self) -> Iterator[dict[str, Any]]:
        small = resident_kb(self._engine.pid)
        apply_file(self._settings, _configuration(AGENTS))
        began = time.monotonic()
        self._sign_in()
        took = time.monotonic() - began
        signed_in = resident_kb(self._engine.pid)
        yield {"name": "scale.sign_in_s", "value": round(took, 1), "unit": "s", "agents": AGENTS}
        yield _memory("agent", signed_in - small, AGENTS)
        late = self._let_call(RATE, HANDLING_S)
        live = self._live()
        yield _memory("contact", resident_kb(self._engine.pid) - signed_in, live) | {"late_s": round(late, 1)}
        stretch = self._window(RATE, WINDOW_S)
        yield from stretch.figures("scale", limited=True)
        kept = RATE if stretch.holds else 0
        for rate in FASTER if stretch.holds else SLOWER:
            further = self._window(rate, STEP_S)
            if further.holds:
                kept = rate
            if further.holds != stretch.holds:
                stretch = further if stretch.holds else stretch
                break
        yield {"name": "scale.calls_per_s_within_limit", "value": kept, "unit": "calls/s", "at_least": RATE}
        yield from stretch.figures("scale.beyond")
        yield stretch.used()

    def _window(self, per_s: int, seconds: int) -> "_Stretch":
        before, used, began = figures(self._figures_port), self._used(), time.monotonic()
        late = self._let_call(per_s, seconds)
        passed = time.monotonic() - began
        shares = {who: round((now - used[who]) / passed, 3) for who, now in self._used().items()}
        return _Stretch(
            per_s,
            SWITCHES * (seconds * per_s // SWITCHES),
            late,
            self._live(),
            shares,
            before,
            figures(self._figures_port),
        )

    def _let_call(self, per_s: int, seconds: int) -> float:
        """Let callers call, evenly and on all switches; how late the last one was (s)."""
        loads = [(self._long, min(per_s, RATE), HANDLING_S * 1_000), (self._short, max(0, per_s - RATE), SHORT_MS)]
        with ThreadPoolExecutor(2 * SWITCHES) as pool:
            placed = [
                pool.submit(each.place, seconds * rate // SWITCHES, per_s=rate / SWITCHES, talk_ms=talk_ms)
                for callers, rate, talk_ms in loads
                for each in callers
                if rate
            ]
            return max(each.result() for each in placed)

    def _live(self) -> int:
        """How many contacts live. RuntimeError where the engine has ended: that gave first."""
        if self._engine.poll() is not None:
            said = (self._place / "orchestrator.log").read_text(errors="replace")
            raise RuntimeError(f"the engine ended with status {self._engine.returncode}: …{said[-1_500:]}")
        return int(self._client.ask("status")["contacts"])

    def _used(self) -> dict[str, float]:
        database = cpu_s(self._server) + sum(map(cpu_s, children_of(self._server)))
        return {
            "engine": cpu_s(self._engine.pid),
            "switch": sum(cpu_s(switch.pid) for switch in self._switches),
            "database": database,
            "callers": time.process_time(),
        }

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


class _Stretch(NamedTuple):
    """Some seconds at one rate: how late the last caller was placed, and the engine's figures before and after."""

    per_s: int
    calls: int
    late_s: float
    live: int
    shares: dict[str, float]
    """Of a core, by process."""
    before: dict[str, float]
    after: dict[str, float]

    @property
    def holds(self) -> bool:
        """Whether nearly everybody was rung at once, 99 of 100 within the limit, and the calls came as they should."""
        return self.rung_share() >= ENOUGH and self.ring_ms(0.99) <= LIMIT_MS and self.late_s <= IN_TIME_S

    def rung_share(self) -> float:
        """Of the callers, how many found a free agent."""
        rings = "ringledger_ring_seconds_count"
        return (self.after.get(rings, 0.0) - self.before.get(rings, 0.0)) / self.calls

    def ring_ms(self, share: float) -> float:
        """Percentile of caller parked → command that rings written; endless where nobody was rung."""
        if not self.rung_share():
            return math.inf
        return 1_000 * percentile("ringledger_ring_seconds", self.before, self.after, share)

    def figures(self, name: str, *, limited: bool = False) -> Iterator[dict[str, Any]]:
        """Who was rung, and how soon."""
        about = {"calls_per_s": self.per_s, "live": self.live, "late_s": round(self.late_s, 2)}
        figure = {"name": f"{name}.rung_at_once_share", "value": round(self.rung_share(), 4), "unit": "of the calls"}
        yield figure | about | ({"at_least": ENOUGH} if limited else {})
        for share in (0.5, 0.99) if self.rung_share() else ():
            value = round(self.ring_ms(share), 2)
            figure = {"name": f"{name}.ring.p{share * 100:.0f}_ms", "value": value, "unit": "ms"}
            yield figure | about | ({"at_most": LIMIT_MS} if limited and share > 0.5 else {})

    def used(self) -> dict[str, Any]:
        """Whose core is the fuller one."""
        core = {"engine": self.shares["engine"]}
        core["switches and database"] = sum(self.shares.values()) - core["engine"]
        fullest = max(core, key=core.__getitem__)
        about = {"calls_per_s": self.per_s, "fullest": fullest, **self.shares, "read_models": "off"}
        return {"name": "scale.beyond.core", "value": round(core[fullest], 3), "unit": "of a core", **about}


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
