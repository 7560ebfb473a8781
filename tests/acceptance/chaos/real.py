"""Who calls and whose phones ring on a real switch: sipp for both, which outlives it and keeps the accounts."""

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from string import Template
from threading import Event, Thread
from typing import Final

from freeswitch.directory import Phone
from orchestrator.settings import Switch
from tests.acceptance.chaos.callers import Peers
from tests.acceptance.chaos.fates import Call, Ring
from tests.acceptance.chaos.place import WIDE_S
from tests.lab.caller import SCENARIOS
from tests.lab.control import Control
from tests.lab.patience import until
from tests.lab.phone import AnsweringPhones, register
from tests.lab.ports import free_port, free_range
from tests.lab.process import Child
from tests.lab.switch import RealSwitch

PATIENCE_MS: Final = 30_000
"""A caller who waits when the switch dies finds out no sooner."""
_PREFIX: Final = "+3120"
_REGISTER_AGAIN_S: Final = 100.0
_AT_ONCE: Final = 4


class RealPeers(Peers):
    """FreeSWITCH with our configuration."""

    def __init__(self, folder: Path, extensions: list[str], *, calls: int, per_second: float, talk_ms: int) -> None:
        super().__init__()
        self.folder = folder
        self.real = RealSwitch(folder, extensions=extensions)
        plan = self.real.plan
        self.switch = Switch(name="real", host="127.0.0.1", port=plan.esl_port, password=plan.esl_password)
        self._stack = ExitStack()
        self._phones = AnsweringPhones(folder, plan.phones, plan.sip_port, answer_ms=300)
        self._calls, self._per_second, self._talk_ms = calls, per_second, talk_ms
        self._callers: Child | None = None
        self._started: list[float] = []
        self._stopping = Event()
        self._registrar = Thread(target=self._register_again, name="registrar", daemon=True)

    def start(self) -> None:
        self._started.append(time.time())
        self.real.start(within_s=60)
        self.runs += 1
        if self.runs == 1:
            self._stack.enter_context(self._phones)
            self._registrar.start()
        else:
            self._register()

    def kill(self) -> int:
        assert self.real.child is not None
        pid = self.real.child.popen.pid
        self.real.kill()
        self.killed.add(self.runs - 1)
        return pid

    def stop(self) -> None:
        self._stopping.set()
        if self._registrar.ident is not None:
            self._registrar.join(60)
        if self._callers is not None:
            self._callers.stop(patience_s=2)
        self._stack.close()
        self.real.stop()

    def begin(self) -> None:
        scenario = self.folder / "steady_caller.xml"
        values = {"prefix": _PREFIX, "patience_ms": PATIENCE_MS, "talk_ms": self._talk_ms, "rtp": free_range(2)}
        scenario.write_text(Template((SCENARIOS / "steady_caller.xml").read_text()).substitute(values))
        command = [
            *("sipp", f"127.0.0.1:{self.real.plan.trunk_port}", "-sf", str(scenario), "-i", "127.0.0.1"),
            *("-p", str(free_port()), "-m", str(self._calls), "-r", f"{self._per_second:g}", "-l", str(self._calls)),
            *("-mp", str(free_range(4)), "-trace_logs", "-log_file", "callers.log", "-trace_err"),
            *("-error_file", "callers-errors.log", "-nostdin", "-skip_rlimit"),
        ]
        self._callers = Child(command, output=self.folder / "callers.txt", folder=self.folder)

    def over(self) -> bool:
        return self._callers is not None and not self._callers.running

    def control(self) -> Control:
        return self.real.control()

    def _register(self) -> None:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._register_one, self._phones.accounts))

    def _register_one(self, account: Phone) -> None:
        """Try until it is: the switch may be dead just then, and somebody else may have our port."""

        def tried() -> bool:
            address = f"127.0.0.1:{self._phones.sip_port}"
            try:
                register(self.folder, account, self.real.plan.sip_port, address, expires_s=AnsweringPhones.expires_s)
            except AssertionError:
                return self._stopping.is_set()
            return True

        until(tried, f"phone {account.extension} to be registered", within_s=WIDE_S)

    def _register_again(self) -> None:
        """As phones do by themselves."""
        while not self._stopping.wait(_REGISTER_AGAIN_S):
            self._register()

    # --- their accounts ----------------------------------------------------------------------------------------------
    def calls(self) -> list[Call]:
        said: dict[str, list[tuple[str, float]]] = defaultdict(list)
        story = self.folder / "callers.log"
        for line in story.read_text().splitlines() if story.exists() else ():
            word, number, *when = line.split()
            said[number].append((word, float(when[-1])))
        return [self._call(number, words) for number, words in said.items()]

    def _call(self, number: str, words: list[tuple[str, float]]) -> Call:
        at = words[0][1]
        ends = [(word, moment) for word, moment in words if word in {"hung-up", "was-hung-up"}]
        end, ended_at = ends[0] if ends else ("", 0.0)
        run = sum(started <= at for started in self._started) - 1
        joined = tuple(moment for word, moment in words if word == "joined")
        return Call(name=number, run=run, at=at, joined=joined, ended_at=ended_at, end=end)

    def rings(self) -> list[Ring]:
        """Nothing: these phones do not know what the ledger calls their legs."""
        return []

    def answered(self) -> int:
        return self._phones.answered
