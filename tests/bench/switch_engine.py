"""The engine that the figures of a real switch are taken of: its database, its configuration, its agents."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from orchestrator import cluster
from orchestrator.calls import recent
from orchestrator.control import Client, ControlError, control_path
from orchestrator.domain.contacts.contacts import ContactTurnedAway
from orchestrator.domain.kernel import Record
from orchestrator.runner.inputs import EndAll, Ready, SignIn
from orchestrator.service.configuration import apply_file
from orchestrator.settings import environment_with
from orchestrator.store import Log, Source, schema
from tests.bench.processes import children_of, cpu_s
from tests.lab.patience import until
from tests.lab.switch import RealSwitch
from tests.postgres import settings_for


class Engine:
    """A database, a configuration with agents who are always ready, and the engine, connected to this switch."""

    def __init__(
        self,
        place: Path,
        switch: RealSwitch,
        queues: Mapping[str, Sequence[str]],
        recorded: Mapping[str, str] | None = None,
    ) -> None:
        """`queues`: the extensions of the agents who serve the callers of each number, unrecorded. `recorded`: numbers
        whose callers are recorded, and the number whose agents serve them.
        """
        self._place = place
        self._queues = queues
        self._configured = _configuration(queues, recorded or {})
        self._switches = f"esl://:{quote(switch.plan.esl_password)}@127.0.0.1:{switch.plan.esl_port}/?name=real"
        self._settings = settings_for(place / "home", RINGLEDGER_SWITCHES=self._switches)
        self._switch = switch
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        settings = self._settings
        database = cluster.ensure_running(settings, lambda _: None)
        self._stack.callback(database.stop)
        schema.create(database.url_owner, admin_url=database.url_admin)
        apply_file(settings, self._configured)
        self._reader = database.url_reader
        output = self._stack.enter_context((self._place / "engine.log").open("wb"))
        environ = environment_with(
            RINGLEDGER_HOME=str(settings.home),
            RINGLEDGER_SWITCHES=self._switches,
            RINGLEDGER_METRICS="",
            RINGLEDGER_LOG_LEVEL="warning",
        )
        process = self._process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator", "engine"], env=environ, stdout=output, stderr=output
        )

        def end() -> None:
            process.terminate()
            process.wait(20)

        self._stack.callback(end)
        self._client = Client(control_path(settings.home))
        self._stack.callback(self._client.close)
        until(self._is_up, "the engine to be active and to have its switch", within_s=30)
        for extension in (extension for extensions in self._queues.values() for extension in extensions):
            self._client.do(SignIn(agent=extension))
            self._client.do(Ready(agent=extension))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def limit(self, calls_per_s: int, burst: int) -> None:
        """From now on let in so many callers a second, and so many at once."""
        limit = f"[limit.any]\ncalls_per_s = {calls_per_s}\nburst = {burst}\n"
        apply_file(self._settings, self._configured + limit)

    def await_quiet(self) -> None:
        """Return once no contact lives and the switch has no channel."""
        until(lambda: self._client.ask("status")["contacts"] == 0, "the callers to be served", within_s=60)
        with self._switch.control() as control:
            until(lambda: self._switch.channels(control) == 0, "the switch to have no channel left")

    def cpu_s(self) -> float:
        """Seconds of CPU that engine and database have used."""
        server = int((self._settings.home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
        return cpu_s(self._process.pid) + cpu_s(server) + sum(map(cpu_s, children_of(server)))

    def completed(self) -> int:
        """How many contacts the ledger says were talked to their end."""
        self._client.do(EndAll(reason="evening"))
        return sum(row.ended == "completed" for row in recent(self._contacts(), limit=10_000))

    def turned_away(self) -> tuple[int, int]:
        """How many callers the ledger says were turned away, and how many of them heard why."""
        prompts = [each.event.prompt for each in self._contacts() if isinstance(each.event, ContactTurnedAway)]
        return len(prompts), sum(map(bool, prompts))

    def _contacts(self) -> list[Record]:
        source = Source(self._reader, name="bench")
        try:
            return list(Log(source).history(kinds=("contact",)))
        finally:
            source.close()

    def _is_up(self) -> bool:
        try:
            status = self._client.ask("status")
        except ControlError:
            return False
        return bool(status["active"]) and all(node["up"] for node in status["nodes"].values())


def _configuration(queues: Mapping[str, Sequence[str]], recorded: Mapping[str, str]) -> str:
    parts = [_queue(number, served_by, record=True) for number, served_by in recorded.items()]
    for number, extensions in queues.items():
        parts.append(_queue(number, number, record=False))
        parts += [
            f'[agent.a{extension}]\nnumber = "{extension}"\nname = "Agent {extension}"\nextension = "{extension}"\n'
            f"skills = {{ s{number} = 1 }}\n"
            for extension in extensions
        ]
    return "\n".join(parts)


def _queue(number: str, served_by: str, *, record: bool) -> str:
    return f"""
[queue.q{number}]
name = "Queue of {number}"
skill = "s{served_by}"
wrap_up_s = 0
record = {str(record).lower()}
announce_agent = false

[entry.e{number}]
name = "Line {number}"
numbers = ["{number}"]
queue = "q{number}"
"""
