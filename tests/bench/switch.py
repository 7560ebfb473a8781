"""The engine on a real FreeSWITCH, and beside it mod_callcenter of the same switch in the same run.

    caller queued → agent's leg   at 5, 20 and 40 calls/s, with an idle agent at all times
    agent free → next offer       with ten agents and twice as many callers as they can serve
    out of order                  the share of neighbours in that queue who were served the other way round
    ghosts                        callers who hang up between the agent's answer and the bridge: agents left alone
    CPU of a call, served calls/s while 40 and 80 a second arrive
    recorded                      the same at 20 calls/s with the recording of every talk, which nobody has above

No limit is configured: what is let in at 80 calls/s is what the engine lets in by itself (docs/decisions/0060).

Both moments by one clock of ours, at a connection to the event socket that is none of the engine's: so a figure is what
a third party sees of decision, commit and command together. Callers and phones are sipp, without sound. Queued means
parked for us, and for mod_callcenter its own `member-queue-start`. The floor of it all is a bare client that decides
nothing and stores nothing, and writes its command as soon as it reads of the caller.
"""

import os
import shutil
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from tests.bench import switch_callcenter
from tests.bench.processes import cpu_s
from tests.bench.switch_engine import Engine
from tests.bench.switch_watch import Watcher
from tests.lab.caller import Account, SippCaller
from tests.lab.patience import until
from tests.lab.phone import AnsweringPhones
from tests.lab.switch import VARIABLE, RealSwitch, freeswitch_binary
from tests.postgres import make_reachable_directory

LOADS: Final = ((5, 60), (20, 300), (40, 400))
"""Calls a second, and how many of them."""
CPU_AT: Final = 20
OVERLOAD: Final = (80, 640)
BARE: Final = (20, 200)
RACES: Final = (4, 60)
QUEUED: Final = (20, 120)
"""Ten agents who talk for a second serve half of these as they come."""
WARM: Final = 20
"""The first calls find cold caches on both sides; they are served, but not counted."""
PATIENCE_S: Final = 45
"""Whoever is still on the line so long after the last call is hung up: a machine that cannot keep up ends, too."""
TALK_MS: Final = 1_000
"""Then the agent hangs up. Callers wait for as long as it takes."""
EXTENSIONS: Final = tuple(str(2_000 + n) for n in range(100))
FEW: Final = tuple(str(2_100 + n) for n in range(10))
OURS: Final = {"4000": EXTENSIONS, "4001": FEW}
OURS_RECORDED: Final = {"4002": "4000"}
THEIRS: Final = {"5000": EXTENSIONS, "5001": FEW}
THEIRS_RECORDED: Final = {"5002": "5000"}
RECORDED: Final = (20, 200)
PLAIN: Final = "6000"
"""A number that nobody serves: the bare client does."""


def run() -> Iterator[dict[str, Any]]:
    """The figures of the group; none, with a word on standard error, where there is no FreeSWITCH."""
    if freeswitch_binary() is None:
        sys.stderr.write(f"no figures of group switch: set {VARIABLE} to a FreeSWITCH's program\n")
        return
    with ExitStack() as stack:
        place = make_reachable_directory()
        stack.callback(shutil.rmtree, place)
        switch = RealSwitch(place / "lab", extensions=(*EXTENSIONS, *FEW))
        switch.plan = replace(switch.plan, sessions_per_second=400, realtime=True)
        switch.home.mkdir(parents=True)
        stack.enter_context(switch)
        stack.enter_context(AnsweringPhones(place / "lab", switch.plan.phones, switch.plan.sip_port, talk_ms=TALK_MS))
        with Watcher(switch, bare=EXTENSIONS) as watcher:
            _call(switch, PLAIN, WARM, BARE[0])
            watcher.forget()
            _call(switch, PLAIN, BARE[1], BARE[0])
        yield from _queued_to_leg("switch.bare", watcher, *BARE)
        if switch_callcenter.load(switch, THEIRS, THEIRS_RECORDED):
            yield from _measure(_System("switch.callcenter", switch, (*THEIRS, *THEIRS_RECORDED)))
        else:
            sys.stderr.write("no figures of mod_callcenter: this switch does not have it\n")
        engine = stack.enter_context(Engine(place, switch, OURS, OURS_RECORDED))
        numbers = (*OURS, *OURS_RECORDED)
        ours = _System("switch", switch, numbers, cpu=engine.cpu_s, quiet=engine.await_quiet, aims=True)
        yield from _measure(ours)
        away, told = engine.turned_away()
        yield {"name": "switch.turned_away", "value": away, "unit": "calls", "told_why": told, "calls": ours.made}
        yield {
            "name": "switch.completed_share",
            "value": round(engine.completed() / (ours.made - RACES[1] - away), 4),
            "unit": "of the calls that were let in and not hung up in a race, by the ledger",
            "at_least": 1.0,
        }


class _System:
    """Who serves the callers: two numbers, and what it costs beside the switch."""

    def __init__(
        self,
        name: str,
        switch: RealSwitch,
        numbers: tuple[str, ...],
        *,
        cpu: Callable[[], float] = float,
        quiet: Callable[[], None] | None = None,
        aims: bool = False,
    ) -> None:
        self.name = name
        self.switch = switch
        self.many, self.few, self.recorded = numbers
        self.aims = aims
        self.made = 0
        """Calls made so far."""
        self.stuck = 0
        """Of them, those that had not ended in time, and were hung up."""
        self._cpu = cpu
        self._quiet = quiet

    def cpu_s(self) -> float:
        """What the switch and it have used."""
        assert self.switch.child is not None
        return cpu_s(self.switch.child.popen.pid) + self._cpu()

    def call(self, number: str, calls: int, per_second: int) -> Account:
        """Let callers call, and see everything of them end."""
        self.made += calls
        account, stuck = _call(self.switch, number, calls, per_second)
        self.stuck += stuck
        if self._quiet is not None:
            self._quiet()
        with self.switch.control() as control:
            until(lambda: self.switch.channels(control) == 0, "the switch to have no channel left", within_s=60)
        return account

    def limit(self, value: float) -> dict[str, float]:
        """What is aimed at, where it is ours."""
        return {"at_most": value} if self.aims else {}


def _measure(system: _System) -> Iterator[dict[str, Any]]:
    system.call(system.many, WARM, CPU_AT)
    for per_second, calls in LOADS:
        before = system.cpu_s()
        with Watcher(system.switch) as watcher:
            account = system.call(system.many, calls, per_second)
        used = system.cpu_s() - before
        served = {"answered_by_sipp": account.answered, "failed_by_sipp": account.failed}
        yield from _queued_to_leg(system.name, watcher, per_second, calls, limits=system.limit, **served)
        yield _served(system, watcher, per_second, calls)
        if per_second == CPU_AT:
            value = round(1_000 * used / calls, 2)
            yield {"name": f"{system.name}.cpu_ms_per_call", "value": value, "unit": "ms", "calls_per_s": per_second}
    yield from _with_recording(system)
    with Watcher(system.switch) as watcher:
        system.call(system.many, OVERLOAD[1], OVERLOAD[0])
    yield _served(system, watcher, *OVERLOAD)
    yield from _saturated(system)
    with Watcher(system.switch, race=True) as watcher:
        system.call(system.many, RACES[1], RACES[0])
    yield {
        "name": f"{system.name}.ghosts",
        "value": watcher.ghosts(),
        "unit": "agents left alone for more than a second",
        "races": len(watcher.raced),
        **system.limit(0),
    }
    yield {
        "name": f"{system.name}.stuck",
        "value": system.stuck,
        "unit": f"calls that had to be hung up {PATIENCE_S} s after the last one came",
        "calls": system.made,
        **system.limit(0),
    }


def _with_recording(system: _System) -> Iterator[dict[str, Any]]:
    per_second, calls = RECORDED
    before = system.cpu_s()
    with Watcher(system.switch) as watcher:
        system.call(system.recorded, calls, per_second)
    used = system.cpu_s() - before
    yield from _queued_to_leg(f"{system.name}.recorded", watcher, per_second, calls)
    value = round(1_000 * used / calls, 2)
    yield {"name": f"{system.name}.recorded.cpu_ms_per_call", "value": value, "unit": "ms", "calls_per_s": per_second}


def _saturated(system: _System) -> Iterator[dict[str, Any]]:
    with Watcher(system.switch) as watcher:
        system.call(system.few, QUEUED[1], QUEUED[0])
    took = [1_000 * each for each in watcher.free_to_next]
    for share, limit in ((50, 20.0), (95, None), (99, None)):
        figure = {"name": f"{system.name}.free_to_next.p{share}_ms", "value": round(_percentile(took, share), 2)}
        yield figure | {"unit": "ms", "times": len(took)} | ({} if limit is None else system.limit(limit))
    yield {
        "name": f"{system.name}.out_of_order_share",
        "value": round(watcher.out_of_order(), 4),
        "unit": "of neighbours in the queue",
        "pairs": len(watcher.pairs) - 1,
        **system.limit(0.0),
    }


def _served(system: _System, watcher: Watcher, per_second: int, calls: int) -> dict[str, Any]:
    served = watcher.served_per_s(min(watcher.queued.values()), calls / per_second)
    return {
        "name": f"{system.name}.served_per_s.{per_second}",
        "value": round(served, 1),
        "unit": "calls/s",
        "joined_in_all": len(watcher.bridged),
        "calls": calls,
    }


def _call(switch: RealSwitch, number: str, calls: int, per_second: int) -> tuple[Account, int]:
    """Let callers call, and see them all end; how many had to be hung up, for they had not ended in time."""
    folder: Path = switch.home.parent
    callers = SippCaller(
        folder,
        switch.plan.trunk_port,
        dialled=number,
        calls=calls,
        per_second=per_second,
        tone_hz=None,
    )
    with callers:
        try:
            return callers.await_end(within_s=calls / per_second + PATIENCE_S), 0
        except AssertionError:
            account = callers.account()
            stuck = calls - account.was_hung_up - account.gave_up - len(account.refused)
        with switch.control() as control:
            control.api("hupall NORMAL_CLEARING")
        return callers.await_end(within_s=PATIENCE_S), stuck


def _queued_to_leg(
    name: str,
    watcher: Watcher,
    per_second: int,
    calls: int,
    *,
    limits: Callable[[float], dict[str, float]] = lambda _: {},
    **about: object,
) -> Iterator[dict[str, Any]]:
    took = watcher.took_ms()
    about = {
        "calls": calls,
        "seen": len(took),
        "calls_per_s": per_second,
        "load": round(os.getloadavg()[0], 1),
        **about,
    }
    for share, limit in ((50, 10.0), (95, None), (99, 30.0)):
        figure = {"name": f"{name}.{per_second}_per_s.p{share}_ms", "value": round(_percentile(took, share), 2)}
        yield figure | {"unit": "ms"} | ({} if limit is None else limits(limit)) | about


def _percentile(values: list[float], share: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]
