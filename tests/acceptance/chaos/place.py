"""An installation as an operator has it: everything that `ringledger run` keeps, and which process of it is which.

Whoever is killed is started again by `ringledger run` (`orchestrator/supervise.py`), as in a real installation; that
one itself, and the switch, by the machine's service manager, whose part is played by whoever holds this.
"""

import json
import os
import shutil
import signal
import sys
import time
from contextlib import ExitStack, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from orchestrator import cluster
from orchestrator.control import Client, ControlError, control_path
from orchestrator.domain.kernel import Record, Refused
from orchestrator.engines import Roster
from orchestrator.leader import LeaderState
from orchestrator.service import keeping
from orchestrator.service.configuration import apply_file
from orchestrator.service.recordings import SUFFIX
from orchestrator.service.sealed_files import HALF
from orchestrator.settings import Switch
from orchestrator.store import Away, KeyShelf, Log, Source
from orchestrator.vault import Vault
from projections.base import Site, live_place, schema_of
from projections.catalogue import PROJECTIONS
from projections.command import rebuild_from
from projections.status import standing
from tests.acceptance.chaos.recorded import Lying
from tests.acceptance.house import ROOT, url_of
from tests.acceptance.ledger import Ledger
from tests.bench.processes import children_of, server_of
from tests.lab.patience import until
from tests.lab.ports import own_port
from tests.lab.process import Child
from tests.postgres import make_reachable_directory, provide_made, settings_for
from tests.projections.kit import rows_of

WIDE_S: Final = 180.0
"""How long anything may take that must come to be, on a machine five times slower than ours."""

CONFIGURATION: Final = """
[queue.support]
name = "Support"
skill = "support"
ring_s = 15
wrap_up_s = 0
max_wait_s = 600
cool_down_s = 1
record = "always"
announce_agent = false

[entry.support]
name = "Support line"
numbers = ["4000"]
queue = "support"
answer = "when_connected"

[limit.any]
calls_per_s = 500
burst = 2000
"""
_AGENT: Final = """
[agent.a{extension}]
number = "{extension}"
name = "Agent {extension}"
extension = "{extension}"
skills = {{ support = 1 }}
"""
_WORDS: Final = {
    "engine": b"orchestrator\0engine",
    "standby": b"orchestrator\0engine",
    "projections": b"orchestrator\0projections",
    "web": b"orchestrator\0web",
}

Rows = dict[str, dict[str, list[tuple[Any, ...]]]]


class Place:
    """In use inside its block. Every process of it is gone afterwards."""

    def __init__(self, folder: Path, switch: Switch, extensions: list[str]) -> None:
        self.folder = folder
        self.extensions = extensions
        self.reachable = make_reachable_directory()
        self.home = self.reachable / "home"
        self.settings = settings_for(self.home, RINGLEDGER_RECORDINGS=str(folder / "recordings"))
        self.client = Client(control_path(self.home))
        self.port = own_port()
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RINGLEDGER_")},
            "RINGLEDGER_HOME": str(self.home),
            "RINGLEDGER_SWITCHES": url_of(switch),
            "RINGLEDGER_RECORDINGS": str(self.settings.recordings),
            "RINGLEDGER_WEB": f"127.0.0.1:{self.port}",
            "RINGLEDGER_METRICS": "",
            "RINGLEDGER_DEMO": "0",
        }
        self._active = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(shutil.rmtree, self.reachable)
            provide_made(self.home)
            self.database = cluster.ensure_running(self.settings, lambda _: None)
            stack.callback(self._stop_database)
            self.ledger = Ledger(self.database.url_reader)
            stack.callback(self.ledger.close)
            stack.callback(self.client.close)
            self._roster = Roster(self.ledger.source, self.settings.site)
            agents = "".join(_AGENT.format(extension=extension) for extension in self.extensions)
            apply_file(self.settings, CONFIGURATION + agents)
            command = [sys.executable, "-m", "orchestrator", "run"]
            output = self.folder / "run.txt"
            self.run = Child(command, output=output, folder=ROOT, environment=self._environment)
            stack.callback(self.run.stop, patience_s=60)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _stop_database(self) -> None:
        if not self.database.is_running():  # nobody was left to start it again
            self.database.stop()
            self.database = cluster.ensure_running(self.settings, lambda _: None)
        assert self.database.stop(), "somebody is still attached to the database"

    # --- processes ---------------------------------------------------------------------------------------------------
    def kill(self, kind: str) -> int | None:
        """SIGKILL to this process; its number, or None where there is none at the moment."""
        pid = self._pid(kind)
        if not pid:
            return None
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return pid

    def _pid(self, kind: str) -> int:
        if kind == "database":
            return server_of(self.home) if self.database.is_running() else 0
        found = [pid for pid in children_of(self.run.popen.pid) if _WORDS[kind] in _command_line(pid)]
        if kind not in {"engine", "standby"}:
            return max(found, default=0)
        active = self._find_active(found)
        if kind == "engine":
            return active
        return max((pid for pid in found if active and pid != active), default=0)

    def _find_active(self, engines: list[int]) -> int:
        """The engine that decides, by what the engines say of themselves; the last that did, while nobody can say."""
        try:
            known = self._roster.all()
        except Away:
            return self._active if self._active in engines else 0
        active = [each.pid for each in known if each.standing.state is LeaderState.ACTIVE and each.pid in engines]
        self._active = active[-1] if active else 0
        return self._active

    # --- looking -----------------------------------------------------------------------------------------------------
    def ask(self, question: str) -> Any:  # noqa: ANN401 - whatever the engine answers
        """The answer; None where no engine gives one."""
        try:
            return self.client.ask(question)
        except (ControlError, Refused):
            return None

    def serves(self) -> bool:
        """Whether an engine is active and has its switch."""
        assert self.run.running, f"`ringledger run` has ended by itself. {self.run.last_words()}"
        status = self.ask("status")
        return status is not None and status["active"] and all(node["up"] for node in status["nodes"].values())

    def health(self) -> dict[str, Any]:
        """What the web says of every component; nothing where it does not answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/healthz")
            found: dict[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, HTTPException, ValueError):
            return {}
        finally:
            connection.close()
        return found

    def await_whole(self) -> None:
        """Return once every component is there and well, each by its own word, and the read models have all."""
        health: dict[str, Any] = {}

        def look() -> bool:
            health.clear()
            health.update(self.health())
            return bool(health.get("ok"))

        try:
            until(look, "every component to be well", within_s=WIDE_S)
        except AssertionError as error:
            raise AssertionError(f"{error}; the web says: {health}") from None
        end = self.ledger.log.position()
        source, log = self.ledger.source, self.ledger.log

        def behind() -> list[str]:
            return [name for name, each in PROJECTIONS.items() if standing(source, log, each).position < end]

        until(lambda: not behind(), "every read model to have come to the end of the log", within_s=WIDE_S)

    # --- afterwards --------------------------------------------------------------------------------------------------
    def opened(self) -> list[Record]:
        """All records with personal text open."""
        source = Source(self.database.url_writer, name="chaos auditor")
        try:
            return list(Log(source, vault=Vault.unlock(self.settings.kek_file, KeyShelf(source))).history())
        finally:
            source.close()

    def unsealed(self) -> int:
        """How many recordings the switch has finished, and nobody has sealed yet."""
        with keeping.opened(self.settings, "chaos") as tools:
            return sum(each.what == keeping.UNSEALED for each in keeping.check(tools.log, tools.recordings))

    def mend_recordings(self) -> list[str]:
        """What a night later is left to be said of recordings: each file has been quiet for long enough by then."""
        with keeping.opened(self.settings, "chaos") as tools:
            later = time.time() + 2 * keeping.QUIET_S
            keeping.repair(tools.recordings, keeping.check(tools.log, tools.recordings, now_s=later))
            left = keeping.check(tools.log, tools.recordings, digests=True, now_s=later)
        return [f"recordings: {each.what} {each.file}" for each in left]

    def lying(self) -> Lying:
        """What lies in the folders of recordings."""
        clear, kept = self.settings.recordings, self.settings.kept
        return Lying(
            clear=[path.name for path in clear.glob("*.wav")],
            kept=[f"{path.stem}.wav" for path in kept.glob(f"*{SUFFIX}")],
            half=[path.name for folder in (clear, kept) for path in folder.glob(f"*{HALF}")],
        )

    def differences(self) -> list[str]:
        """Where a read model is another once it is built anew from the log, which stands still meanwhile."""
        found: list[str] = []

        def look() -> bool:
            end = self.ledger.log.position()
            self.await_whole()
            before = self._rows()
            self._rebuild()
            found[:] = _differences(before, self._rows())
            return self.ledger.log.position() == end

        until(look, "the log to stand still while the read models are built anew", within_s=WIDE_S)
        return found

    def _rebuild(self) -> None:
        source = Source(self.database.url_projector, name="chaos rebuild")
        try:
            settings = self.settings
            site = Site(settings.timezone, Vault.unlock(settings.kek_file, KeyShelf(source)), region=settings.region)
            assert rebuild_from(source, site, tuple(PROJECTIONS), lambda _: None)
        finally:
            source.close()

    def _rows(self) -> Rows:
        source = Source(self.database.url_projector, name="chaos rows")
        try:
            return {name: rows_of(self.database.url_projector, self._schema(source, name)) for name in PROJECTIONS}
        finally:
            source.close()

    @staticmethod
    def _schema(source: Source, name: str) -> str:
        with source.connect() as connection, connection.cursor() as cursor:
            place = live_place(cursor, name)
        assert place is not None, f"there is no read model {name}"
        return schema_of(name, place.generation)

    def said(self) -> str:
        """The ends of what the processes have printed."""
        logs = [self.folder / "run.txt", *sorted((self.home / "log").glob("*.log"))]
        return "\n".join(f"--- {log.name} ---\n{log.read_text(errors='replace')[-3_000:]}" for log in logs)


def _differences(before: Rows, after: Rows) -> list[str]:
    return [
        f"read model {name}, table {table}: while followed {_some(was - becomes)}, built anew {_some(becomes - was)}"
        for name, tables in after.items()
        for table, rows in tables.items()
        if (was := set(before[name][table])) != (becomes := set(rows)) or len(before[name][table]) != len(rows)
    ]


def _some(rows: set[tuple[Any, ...]]) -> str:
    return f"{len(rows)} others, such as {sorted(rows)[:2]}"


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
