"""A whole house for the length of a test: its own home, PostgreSQL, configuration, engine and command socket."""

import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import psycopg
import pytest

from orchestrator import cluster
from orchestrator.audit.report import Report
from orchestrator.control import Client, ControlError, control_path
from orchestrator.domain.contacts import contacts
from orchestrator.domain.kernel import Record, Refused
from orchestrator.engines import Roster
from orchestrator.runner import inputs
from orchestrator.service.configuration import apply_file
from orchestrator.settings import Switch
from orchestrator.store import KeyShelf, Log, Source
from orchestrator.vault import Vault
from tests.acceptance.ledger import Ledger
from tests.contract.driver import Driver
from tests.lab.patience import until
from tests.lab.process import Child
from tests.lab.still import still
from tests.postgres import make_reachable_directory, provide_made, settings_for

ROOT: Final = Path(__file__).parents[2]
EXTENSION_OF: Final = {"801": "1001", "802": "1002", "803": "1003"}
"""Employee number to extension of the three agents."""

ELSEWHERE: Final = "+31205550001"
# A trunk to the outside, to be appended to a configuration: `OUTSIDE.format(ring_s=5)`.
OUTSIDE: Final = """
[outside.main]
allowed = ["+31"]
show = "+31205550000"
ring_s = {ring_s}
"""

# Short where a test waits for it, long where its end would spoil one.
CONFIGURATION: Final = """
[queue.support]
name = "Support"
skill = "support"
ring_s = {ring_s}
wrap_up_s = {wrap_up_s}
max_wait_s = {max_wait_s}
cool_down_s = {cool_down_s}
ring_at_once = {ring_at_once}
desk_grace_s = {desk_grace_s}
{queue}

[queue.sales]
name = "Sales"
skill = "sales"

[entry.support]
name = "Support line"
numbers = ["4000"]
queue = "support"

[entry.sales]
name = "Sales line"
numbers = ["4001"]
queue = "sales"

{default_entry}[agent.ann]
number = "801"
name = "Ann Archer"
extension = "1001"
skills = {{support = 5}}
capacity = {{voice = 2}}

[agent.bob]
number = "802"
name = "Bob Baker"
extension = "1002"
skills = {{support = 5}}

[agent.cem]
number = "803"
name = "Cem Cook"
extension = "1003"
skills = {{support = 3, sales = 5}}
"""


DEFAULT_ENTRY: Final = """
[entry.other]
name = "Whatever else was dialled"
numbers = ["*"]
queue = "support"

"""


class Engine:
    """The deciding process, as production runs it. Each start has a number and a log of its own."""

    def __init__(
        self, home: Path, folder: Path, number: int, environment: dict[str, str], *, on: Sequence[str] = ()
    ) -> None:
        """`on`: how a command begins that is to run on another host."""
        self.output = folder / f"engine-{number}.log"
        command = [*on, sys.executable, "-m", "orchestrator", "engine"]
        self.child = Child(command, output=self.output, folder=ROOT, environment=environment)
        self.home = home

    @property
    def log(self) -> str:
        """Everything that it has printed."""
        return self.output.read_text(errors="replace")

    def await_log(self, words: str, *, within_s: float = 30.0) -> None:
        """Return once its log holds these words."""
        until(lambda: words in self.log, f"the engine to say {words!r}", within_s=within_s)

    def freeze(self) -> None:
        """Stop it in mid-sentence (SIGSTOP): its sockets and locks stay."""
        self.child.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on (SIGCONT)."""
        self.child.signal(signal.SIGCONT)

    def cpu_s(self) -> float:
        """Seconds of CPU that it has used, in user and kernel (proc(5), fields 14 and 15)."""
        words = Path(f"/proc/{self.child.popen.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class House:
    """Everything but the switch. In use from entering its block until leaving it; then all its processes are gone."""

    def __init__(
        self,
        driver: Driver,
        folder: Path,
        *,
        variables: dict[str, str] | None = None,
        default_entry: bool = True,
        queue: str = "",
        models: bool = False,
        **times: float,
    ) -> None:
        """`times` replace those of queue `support`: ring_s, wrap_up_s, max_wait_s, cool_down_s, ring_at_once,
        desk_grace_s; `queue` is more of its keys, as the file has them. `models`: all read models are made already.
        """
        self.driver = driver
        self.folder = folder
        self.models = models
        self.reachable = make_reachable_directory()
        self.home = self.reachable / "home"
        self.settings = settings_for(self.home)
        self.variables = variables or {}
        usual = {"ring_s": 15, "wrap_up_s": 0, "max_wait_s": 300, "cool_down_s": 2, "ring_at_once": 1}
        given = {**usual, "desk_grace_s": 15, **times}
        self.configuration = CONFIGURATION.format(
            default_entry=DEFAULT_ENTRY if default_entry else "", queue=queue, **given
        )
        self.engines: list[Engine] = []
        self.client = Client(control_path(self.home))
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(shutil.rmtree, self.reachable)
            provide_made(self.home, models=self.models)
            self.database = cluster.ensure_running(self.settings, lambda _: None)
            stack.callback(self._stop_database)
            self.ledger = Ledger(self.database.url_reader)
            stack.callback(self.ledger.close)
            stack.callback(self._stop_engines)
            apply_file(self.settings, self.configuration)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        self._stack.close()

    # --- processes ---------------------------------------------------------------------------------------------------
    def environment(self, **variables: str) -> dict[str, str]:
        """What a process of this house is started with."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLEDGER_")}
        ours = {
            "RINGLEDGER_HOME": str(self.home),
            "RINGLEDGER_SWITCHES": url_of(self.driver.switch),
            "RINGLEDGER_RECORDINGS": str(self.driver.recordings),
            "RINGLEDGER_METRICS": "",
        }
        return {**kept, **ours, **self.variables, **variables}

    def start_engine(self, *on: str, **variables: str) -> Engine:
        """One more engine; it stands by for as long as another one is active. `on` as of `Engine`."""
        engine = Engine(self.home, self.folder, len(self.engines) + 1, self.environment(**variables), on=on)
        self.engines.append(engine)
        return engine

    def stand_by(self, **variables: str) -> Engine:
        """One more engine, warm: it could go on at once where the active one ended."""
        engine = self.start_engine(**variables)
        until(lambda: self.is_ready(engine), "the standby to be ready", within_s=30)
        return engine

    def is_ready(self, engine: Engine) -> bool:
        """Whether this engine stands by and could go on at once."""
        known = Roster(self.ledger.source, self.settings.site).all()
        return any(each.may_follow and each.pid == engine.child.popen.pid for each in known)

    def open(self) -> Engine:
        """An engine that is active and has its switch."""
        engine = self.start_engine()
        self.await_switch()
        return engine

    def run(self, *words: str, within_s: float = 30.0, **variables: str) -> tuple[int, str]:
        """One command of the command line in a process of its own: its exit status and everything it printed."""
        output = self.folder / "command.txt"
        output.unlink(missing_ok=True)
        command = [sys.executable, "-m", "orchestrator", *words]
        with Child(command, output=output, folder=ROOT, environment=self.environment(**variables)) as child:
            status = child.wait(within_s)
        return status, output.read_text()

    def apply(self, configuration: str) -> None:
        """Apply a configuration as an operator does; returns once the engine, where one is active, decides by it.

        The engine asks for it now and then, so whoever reads the log, as a page does, may know it sooner.
        """
        file = self.folder / "configuration.toml"
        file.write_text(configuration)
        status, said = self.run("config", "apply", str(file))
        assert status == 0, said
        applied = re.search(r"Applied as version (\d+)", said)
        if applied is not None and any(engine.child.running for engine in self.engines):
            version = int(applied[1])

            def look() -> bool:
                now = self.status()
                return now is None or not now["active"] or now["config_version"] >= version

            until(look, f"the engine to have version {version} of the configuration")

    def kill_database(self) -> None:
        """End the PostgreSQL server as a power failure would."""
        pid = self._database_pid()
        os.kill(pid, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{pid}").exists(), "the database server to be gone")

    def stop_database(self) -> None:
        """Stop it as its administrator does, though the engine works with it."""
        pid = self._database_pid()
        os.kill(pid, signal.SIGINT)  # a fast shutdown: sessions are ended, data are written (pg_ctl stop -m fast)
        until(lambda: not Path(f"/proc/{pid}").exists(), "the database server to have stopped")

    def still_database(self) -> AbstractContextManager[None]:
        """For the length of a block, a server that stands still: it closes nothing, and answers nothing."""
        return still(self._database_pid())

    def _database_pid(self) -> int:
        return int((self.home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])

    def restart_database(self) -> None:
        """Start it again, where it is not running."""
        self.database.stop()
        self.database = cluster.ensure_running(self.settings, lambda _: None)

    def _stop_engines(self) -> None:
        for engine in self.engines:
            engine.thaw()
            engine.child.stop(patience_s=15)

    def _stop_database(self) -> None:
        if not self.database.is_running():
            self.restart_database()  # a test left it dead: it is recovered first, since a dead one cannot be stopped
        assert self.database.stop(), "somebody is still attached to the test's database"

    # --- desks -------------------------------------------------------------------------------------------------------
    def do(self, command: inputs.DeskCommand) -> int:
        """Carry out a command at once; its log position. Raises `Refused`."""
        return self.client.do(command)

    def refusal(self, command: inputs.DeskCommand) -> str:
        """The code with which this command is refused; AssertionError where it is carried out."""
        with pytest.raises(Refused) as refused:
            self.client.do(command)
        return refused.value.code

    def sign_in(self, *agents: str) -> None:
        """Let these agents take their seats and be ready."""
        for agent in agents:
            self.do(inputs.SignIn(agent=agent))
            self.do(inputs.Ready(agent=agent))

    def agent(self, number: str) -> dict[str, Any]:
        """What this agent does now."""
        found: dict[str, Any] = next(row for row in self.client.ask("agents") if row["number"] == number)
        return found

    def await_state(self, number: str, state: str, *, within_s: float = 30.0) -> dict[str, Any]:
        """Return once this agent is in this state."""

        def look() -> dict[str, Any] | None:
            row = self.agent(number)
            return row if row["state"] == state else None

        return until(look, f"agent {number} to be {state}", within_s=within_s)

    def status(self) -> dict[str, Any] | None:
        """What the engine says of itself; None where none answers."""
        try:
            answer: dict[str, Any] = self.client.ask("status")
        except ControlError:
            return None
        return answer

    def await_active(self, *, within_s: float = 60.0) -> None:
        """Return once an engine is active, with its switch or without."""
        until(lambda: (self.status() or {}).get("active"), "the engine to be active", within_s=within_s)

    def await_switch(self, *, within_s: float = 60.0) -> None:
        """Return once an engine is active and has its switch."""

        def look() -> bool:
            status = self.status()
            assert any(engine.child.running for engine in self.engines), "no engine runs (any more)"
            return status is not None and status["active"] and all(node["up"] for node in status["nodes"].values())

        until(look, "the engine to be active and to have its switch", within_s=within_s)

    def await_ringing(self, number: str, *, within_s: float = 30.0) -> None:
        """Return once the switch has a leg to this number outside; what is recorded before that is only the wish."""

        def look() -> bool:
            with self.driver.control() as control:
                rows = json.loads(control.api("show channels as json")).get("rows", [])
            return any(number in row["name"] for row in rows)

        until(look, f"{number} to ring", within_s=within_s)

    def await_no_contacts(self, *, within_s: float = 30.0) -> None:
        """Return once every contact has ended."""

        def look() -> bool:
            status = self.status()
            return status is not None and status["contacts"] == 0

        until(look, "every contact to end", within_s=within_s)

    # --- proof -------------------------------------------------------------------------------------------------------
    def close_day(self, *, contacts: int) -> Report:
        """Everybody goes home, then the log is verified: it holds at least so many queued contacts, all ended."""
        self.await_no_contacts()
        self.do(inputs.EndAll(reason="evening"))
        self.ledger.await_settled()
        self.driver.await_empty()
        return self.ledger.verify(contacts=contacts)

    def opened(self) -> list[Record]:
        """All records with personal text open."""
        source = Source(self.database.url_writer, name="acceptance auditor")
        try:
            vault = Vault.unlock(self.settings.kek_file, KeyShelf(source))
            return list(Log(source, vault=vault).history())
        finally:
            source.close()

    def files(self) -> list[Path]:
        """Every file that the house has written: database, tape, keys, recordings, and what the engines printed."""
        places = (self.home, self.driver.recordings, *(engine.output for engine in self.engines))
        return [file for place in places for file in (place, *place.rglob("*")) if file.is_file()]

    def assert_nowhere(self, *secrets: str) -> None:
        """None of these texts stands in any file of the house, as text or as UTF-16, nor in any file's name."""
        with psycopg.connect(self.database.url_admin, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        looked_at: set[Path] = set()
        # The database removes and renames files of its own meanwhile: what was renamed is found by the next look.
        while new := [file for file in self.files() if file not in looked_at]:
            for file in new:
                content = _content(file)
                looked_at.add(file)
                for secret in secrets:
                    found = secret in str(file) or secret.encode() in content
                    assert not found, f"{secret} stands in {file}"
        ours = any("postgres/data/base" in str(file) for file in looked_at)
        assert ours, "the database's own files were not looked at"

    def text(self) -> str:
        """What a failed test shows: the log of events and the ends of the engines' own."""
        said = [f"--- engine {n} ---\n{engine.log[-3_000:]}" for n, engine in enumerate(self.engines, 1)]
        return "\n".join([self.ledger.text(), *said])


def _content(file: Path) -> bytes:
    """What stands in it; nothing in one that is gone since it was listed."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def url_of(switch: Switch) -> str:
    """A switch as RINGLEDGER_SWITCHES names it."""
    return f"esl://:{quote(switch.password, safe='')}@{switch.host}:{switch.port}/?name={switch.name}"


def talking(house: House, *others: str) -> None:
    """Agent 801 talks with the one who called, which is recorded; these others are ready."""
    house.driver.phone("1001")
    house.sign_in("801")
    house.driver.call()
    house.ledger.await_event(contacts.RecordingBegun)
    for number in others:
        house.sign_in(number)
