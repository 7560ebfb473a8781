"""`ringledger run`: database, switch, engine and demo started in order, kept running, shown, and taken down in order.

    supervisor ─┬─ PostgreSQL            our own, unless RINGLEDGER_DATABASE_URL names one
                ├─ simulated switch      unless RINGLEDGER_SWITCHES names real ones
                ├─ engine                the process that decides (started again when it ends by itself)
                ├─ standby               another such process, ready to go on (likewise), unless RINGLEDGER_STANDBY is 0
                ├─ projections           the process that folds the log into read models (likewise)
                ├─ past                  the process that keeps snapshots of the past, and verifies at night (likewise)
                ├─ recordings            the process that encrypts what the switch has recorded (likewise)
                ├─ web                   screens and API, unless RINGLEDGER_WEB is empty
                └─ robot desks, watch    in this process

Ctrl-C reaches only the supervisor: children run in sessions of their own and are stopped one by one.
"""

import json
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from orchestrator import cluster
from orchestrator.control import Client, ControlError, control_path
from orchestrator.demo import RobotDesks
from orchestrator.domain.kernel import Refused
from orchestrator.parent import die_with_parent
from orchestrator.runner.inputs import EndAll
from orchestrator.service import demo_customers, demo_users
from orchestrator.service.configuration import apply_defaults
from orchestrator.settings import Address, Settings, environment_with
from orchestrator.store import Log, Source, schema
from orchestrator.watch import show

_START_S: Final = 60.0
_END_CALLS_S: Final = 8.0
_STOP_S: Final = 15.0
_LOOK_S: Final = 0.2
_DATABASE_LOOK_S: Final = 1.0
# A web that begins so often within a minute has a reason that waiting does not mend: its port is taken.
_WEB_STARTS: Final = 3
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0

Say = Callable[[str], None]


class StartError(Exception):
    """Something could not be started; the message says what to do."""


class Child:
    """A process that is started again when it ends by itself, until it is stopped."""

    def __init__(self, name: str, command: list[str], environ: Mapping[str, str], log: Path, *, told: str = "") -> None:
        """`told` is written to its standard input at each start: what nobody may read on a command line."""
        self.name = name
        self.starts = 0
        self._command = command
        self._environ = dict(environ)
        self._log = log
        self._told = told.encode()
        self._stopping = threading.Event()
        self._making = threading.Lock()
        """Held while a process is made: none begins once it is to stop."""
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name=f"keep-{name}", daemon=True)

    def start(self) -> None:
        """Start it and keep it."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; end it by force when it does not."""
        with self._making:
            self._stopping.set()
            process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
        if self._thread.ident is not None:
            self._thread.join(_STOP_S)

    def advice(self) -> str:
        """Where to look when it does not do what it should."""
        return f"see {self._log}"

    def _keep(self) -> None:
        pause = _FIRST_PAUSE_S
        while (process := self._begun()) is not None:
            begun = time.monotonic()
            self.starts += 1
            self._tell(process)
            process.wait()
            if time.monotonic() - begun > 10 * _LONGEST_PAUSE_S:
                pause = _FIRST_PAUSE_S
            self._stopping.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _begun(self) -> subprocess.Popen[bytes] | None:
        """A process that begins; None where it is to stop."""
        with self._making:
            if self._stopping.is_set():
                return None
            with self._log.open("ab") as out:
                self._process = subprocess.Popen(
                    self._command,
                    env=self._environ,
                    stdin=subprocess.PIPE,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                    preexec_fn=die_with_parent,  # noqa: PLW1509 - only prctl, before any thread exists in the child
                )
            return self._process

    def _tell(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None  # noqa: S101 - asked for as a pipe
        try:
            with process.stdin as stdin:
                stdin.write(self._told)
        except BrokenPipeError:
            return  # it has ended already, and its log says why


def run(settings: Settings, say: Say) -> int:
    """Start everything, show calls being served until Ctrl-C or SIGTERM, stop everything; the exit code."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    closing: list[Callable[[], object]] = []
    try:
        _start(settings, say, stop, closing)
    finally:
        stop.set()  # where something failed: whoever watches for the end must see it
        say("stopping …")
        for close in reversed(closing):
            close()
    say("stopped; the next run goes on from here")
    return 0


def _start(settings: Settings, say: Say, stop: threading.Event, closing: list[Callable[[], object]]) -> None:
    database = cluster.ensure_running(settings, say)
    closing.append(database.stop)
    say(f"database: {database.description}")
    tending = threading.Thread(target=keep_database, args=(settings, database, say, stop), name="keep-database")
    tending.start()
    closing.append(tending.join)
    schema.create(database.url_owner, admin_url=database.url_admin)
    if applied := apply_defaults(settings, database.url_writer):
        say(f"configuration: the demo's own ({applied} changes); see `ringledger config show`")
    if settings.demo and not settings.switches and (known := demo_customers.ensure(settings, database.url_writer)):
        say(f"customers: {known} of the demo's callers are known by name")
    logs = settings.home / "log"
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    environ = environment_with()
    simulated = not settings.switches
    if simulated:
        port, password = _free_port(), secrets.token_hex(16)
        environ = environment_with(RINGLEDGER_SWITCHES=f"esl://:{password}@127.0.0.1:{port}/?name=simulated")
        child = Child("simulator", _simulator(port, settings), environ, logs / "simulator.log", told=f"{password}\n")
        child.start()
        closing.append(child.stop)
        say(f"switch: the bundled simulator on 127.0.0.1:{port}" + (" with demo callers" if settings.demo else ""))
    else:
        say("switch: " + ", ".join(f"{s.name} ({s.host}:{s.port})" for s in settings.switches))
    engine = Child("engine", [sys.executable, "-m", "orchestrator", "engine"], environ, logs / "engine.log")
    engine.start()
    closing.append(engine.stop)
    _wait_for_engine(settings, engine, stop)
    say("engine: active; Ctrl-C stops everything")
    if settings.standby:
        second = Child("standby", [sys.executable, "-m", "orchestrator", "engine"], environ, logs / "standby.log")
        second.start()
        closing.append(second.stop)
    readers = Child(
        "projections", [sys.executable, "-m", "orchestrator", "projections", "run"], environ, logs / "projections.log"
    )
    readers.start()
    closing.append(readers.stop)
    keeping = Child("past", [sys.executable, "-m", "orchestrator", "past", "keep"], environ, logs / "past.log")
    keeping.start()
    closing.append(keeping.stop)
    keeper = Child(
        "recordings", [sys.executable, "-m", "orchestrator", "recordings", "keep"], environ, logs / "recordings.log"
    )
    keeper.start()
    closing.append(keeper.stop)
    if settings.web is not None:
        serving = Child("web", [sys.executable, "-m", "orchestrator", "web"], environ, logs / "web.log")
        serving.start()
        closing.append(serving.stop)
        # Beside the rest: calls are served and shown also where no page is.
        given = (settings, settings.web, database.url_writer, serving, say, stop)
        showing = threading.Thread(target=_show_web, args=given, name="show-web")
        showing.start()
        closing.append(showing.join)
    if simulated:
        closing.append(lambda: _end_calls(settings, child, say))
        if settings.demo:
            robots = RobotDesks(control_path(settings.home))
            robots.start()
            closing.append(robots.stop)
    _watch(settings, database.url_reader, say, stop)


def keep_database(settings: Settings, database: cluster.Cluster, say: Say, stop: threading.Event) -> None:
    """Start our own server again when it has died: the engine waits for it, and nobody else would."""
    said = ""
    while not stop.wait(_DATABASE_LOOK_S):
        try:
            if database.is_running():
                said = ""
                continue
            if not said:
                say("database: it has gone; starting it again")
            cluster.ensure_running(settings, say if not said else _nothing).stop()  # it stays, for we are in it
        except Exception as error:  # noqa: BLE001 - said; without this thread nobody would start the server any more
            what = str(error).partition("\n")[0]  # the lines of its log that follow have the time in them
            told = str(error) if isinstance(error, cluster.ClusterError) else f"{type(error).__name__}: {error}"
            if what != said:
                say(f"database: {told}\nPut right what it says; it is tried again and again.")
            said = what or type(error).__name__


def _nothing(_step: str) -> None:
    """The same steps as before need not be told again."""


def _simulator(port: int, settings: Settings) -> list[str]:
    command = [sys.executable, "-m", "freeswitch.simulator", "--port", str(port), "--password", "-"]
    return [*command, "--demo"] if settings.demo else command


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_engine(settings: Settings, engine: Child, stop: threading.Event) -> None:
    client = Client(control_path(settings.home))
    deadline = time.monotonic() + _START_S
    while not stop.wait(_LOOK_S):
        try:
            client.ask("status")
        except (ControlError, Refused):
            if time.monotonic() > deadline:
                raise StartError(
                    f"The engine did not become active within {_START_S:g} s; {engine.advice()}."
                ) from None
        else:
            client.close()
            return


def _show_web(settings: Settings, address: Address, url: str, serving: Child, say: Say, stop: threading.Event) -> None:
    """Say where the screens are, and how to sign in to those of a demo."""
    sign_ins = demo_users.ensure(settings, url) if settings.demo and not settings.switches else []
    deadline = time.monotonic() + _START_S
    while not stop.wait(_LOOK_S):
        if _answers(address, settings.mark):
            lines = [f"web: {settings.web_origin or f'http://{address}'}"]
            lines += [f"     {each.role:<14} {each.user_id:<14} {each.password}" for each in sign_ins]
            say("\n".join(lines))
            return
        if time.monotonic() > deadline or serving.starts > _WEB_STARTS:
            say(f"web: does not answer at {address}; {serving.advice()}")
            return


def _answers(address: Address, mark: str) -> bool:
    """Whether our own web is there; another Ringledger's has another mark."""
    connection = HTTPConnection(address.host, address.port, timeout=_LOOK_S * 5)
    try:
        connection.request("GET", "/healthz")
        health = json.loads(connection.getresponse().read())
        return isinstance(health, dict) and health.get("ledger") == mark
    except (OSError, HTTPException, ValueError):
        return False
    finally:
        connection.close()


def _end_calls(settings: Settings, simulator: Child, say: Say) -> None:
    """End the simulated switch: its calls end with a recorded reason instead of vanishing, and whoever wraps up after
    them is signed out. Who calls in the last moment is ended by the switch itself, while the engine still listens.
    """
    client = Client(control_path(settings.home))
    try:
        _await_no_calls(client)
        simulator.stop()
        _await_no_calls(client)
    except (ControlError, Refused) as error:
        say(f"the demo's calls could not be ended in good order: {error}")
    finally:
        client.close()


def _await_no_calls(client: Client) -> None:
    """Ask for the end of all calls until there is none; for a few seconds at most."""
    deadline = time.monotonic() + _END_CALLS_S
    while time.monotonic() < deadline:
        client.do(EndAll(reason="demo_stopped"))
        status = client.ask("status")
        if not status["contacts"] and not status["shifts"]:
            return
        time.sleep(_LOOK_S)


def _watch(settings: Settings, url: str, say: Say, stop: threading.Event) -> None:
    """Show the log as it grows, from now on."""
    show(Log(Source(url, name="ringledger watch")), settings.timezone, say, stop)
