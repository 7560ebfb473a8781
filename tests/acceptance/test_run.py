"""`make run` as its user sees it: the demo is served before one's eyes, ends on Ctrl-C, and goes on the next time."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from secrets import token_urlsafe

import pytest

from freeswitch.directory import Phone
from orchestrator.service.recordings import SUFFIX
from tests.acceptance.house import ROOT
from tests.conftest import INSTALLED
from tests.lab.caller import SippCaller
from tests.lab.control import Control
from tests.lab.patience import until
from tests.lab.phone import BaresipPhone
from tests.lab.ports import free_port
from tests.lab.process import Child
from tests.postgres import make_reachable_directory

SOUND_BYTES_S = 32_000
"""Of a recording: two channels of 16 bits at 8 kHz."""

PLAIN = "as a plain user"
END_S = 40.0
"""How long Ctrl-C may take on a busy machine: calls are ended, the log has it, then five processes stop. Idle: 1 s."""


class Shop:
    """One home, run as one user."""

    def __init__(self, folder: Path, user: str | None, python: str, **variables: str) -> None:
        self.folder, self.user, self.python = folder, user, python
        self.variables = variables
        self.home = folder / "home"
        self.port = free_port()
        self.runs = 0

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLEDGER_")}
        places = {
            "HOME": str(self.folder),
            "RINGLEDGER_HOME": str(self.home),
            "RINGLEDGER_METRICS": "",
            "RINGLEDGER_WEB": f"127.0.0.1:{self.port}",
        }
        return {**kept, **self._of_python(), **places, **self.variables}

    def _of_python(self) -> dict[str, str]:
        """Where somebody else's Python finds what ours does; ours needs nothing, and may be forked (decision 0107)."""
        if self.user is None:
            return {}
        packages = next(path for path in sys.path if path.endswith("site-packages"))
        found_first = os.pathsep.join((str(INSTALLED), str(ROOT), packages))
        return {"PYTHONPATH": found_first, "PYTHONDONTWRITEBYTECODE": "1"}

    def run(self) -> Child:
        """`ringledger run`, as make starts it."""
        self.runs += 1
        command = [self.python, "-m", "orchestrator", "run"]
        output = self.folder / f"run-{self.runs}.txt"
        return Child(command, output=output, folder=ROOT, user=self.user, environment=self.environment())

    def ask(self, *words: str) -> tuple[int, str]:
        """Another command beside it, as the same user: exit status, and everything it printed."""
        output = self.folder / "answer.txt"
        output.unlink(missing_ok=True)
        command = [self.python, "-m", "orchestrator", *words]
        with Child(command, output=output, folder=ROOT, user=self.user, environment=self.environment()) as child:
            status = child.wait(60)
        return status, output.read_text()


def _await_words(child: Child, words: str, *, count: int = 1, within_s: float = 90.0) -> None:
    def look() -> bool:
        said = child.output.read_text()
        assert child.running, f"it ended by itself, having said: {said[-2_000:]}"
        return len(re.findall(words, said)) >= count

    until(look, f"{count} times {words!r} to be shown", within_s=within_s)


@pytest.fixture
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A home that was never used, by us or, where we are root and the test asks for one, by a plain user."""
    user, python = None, sys.executable
    if getattr(request, "param", "") == PLAIN and os.geteuid() == 0:
        user, python = "nobody", _python_for("nobody")
    folder = make_reachable_directory()
    if user is not None:
        shutil.chown(folder, user)
        folder.chmod(0o755)
    yield Shop(folder, user, python)
    shutil.rmtree(folder)


def _nothing_secret_on_a_command_line(shop: Shop) -> None:
    """Everybody on this machine can read a command line. The engine is given the switch's password by its environment,
    which only its own user can read.
    """
    passwords: set[bytes] = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is somebody else's
            environment = (process / "environ").read_bytes()
            if f"RINGLEDGER_HOME={shop.home}\0".encode() in environment:
                passwords.update(re.findall(rb"RINGLEDGER_SWITCHES=esl://:([^@]+)@", environment))
    (password,) = passwords
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            assert password not in (process / "cmdline").read_bytes()


def _python_for(user: str) -> str:
    """A Python of our version that this user may run; root's own may lie where nobody else comes."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        command = ["runuser", "-u", user, "--", python, "-c", "import sys"]
        if subprocess.run(command, check=False, capture_output=True).returncode == 0:
            return python
    pytest.skip(f"there is no {version} that {user} may run")


@pytest.mark.slow
@pytest.mark.parametrize("shop", (PLAIN,), indirect=True)
def test_the_demo_is_shown_ends_on_ctrl_c_and_goes_on_the_next_time(shop: Shop) -> None:
    """As root the walks through the browser run it, and `test_what_dies_under_a_run_is_started_again`."""
    with shop.run() as run:
        _await_words(run, r"talks with \S+")
        _await_words(run, r"ended: completed")
        status, calls = shop.ask("calls")
        assert status == 0
        assert "completed" in calls
        _nothing_secret_on_a_command_line(shop)
        # Several: one may hang up by themselves in this very moment.
        until(lambda: shop.ask("calls", "--json")[1].count('"ended":""') >= 3, "some to be on the line", within_s=120)
        began = time.monotonic()
        run.signal(signal.SIGINT)
        assert run.wait(END_S) == 0
        took = time.monotonic() - began
        said = run.output.read_text()
    assert "stopped" in said.splitlines()[-1]
    assert "Traceback" not in said
    assert took < END_S
    _nobody_is_left(shop)
    status, report = shop.ask("verify", "--settled")
    assert status == 0, report
    status, calls = shop.ask("calls", "--json", "--last", "1000")
    assert status == 0
    assert '"ended":"demo_stopped"' in calls, "those whom Ctrl-C cut off say so"
    assert '"ended":""' not in calls
    before = _events(report)
    with shop.run() as again:
        _await_words(again, r"waits in \S+")
        run_says = again.output.read_text()
        again.signal(signal.SIGTERM)
        assert again.wait(END_S) == 0
    assert "making a database" not in run_says
    assert "demo's own" not in run_says, "the configuration was there already"
    status, report = shop.ask("verify", "--settled")
    assert status == 0, report
    assert _events(report) > before
    _nobody_is_left(shop)


def _behind(shop: Shop) -> int:
    """How many positions the slowest read model lacks. Calls go on while one asks, so a few are always new."""
    status, said = shop.ask("projections", "status", "--json")
    assert status == 0, said
    rows = json.loads(said)
    assert {row["state"] for row in rows} == {"following"}, said
    return max(int(row["behind"]) for row in rows)


@pytest.mark.slow
def test_what_dies_under_a_run_is_started_again(shop: Shop) -> None:
    """Complaint 2: not only the engine, also who keeps the read models, and the database that is ours."""
    with shop.run() as run:
        _await_words(run, "engine: active")
        logs = [shop.home / "log" / name for name in ("engine.log", "standby.log")]
        until(logs[1].exists, "the standby to be started, once the active one is there", within_s=30)
        until(lambda: "engine-standby" in logs[1].read_text(), "the standby to be there", within_s=30)
        for pid in _pids(b"orchestrator\0engine", str(shop.home).encode()):
            os.kill(pid, signal.SIGKILL)
        until(
            lambda: sum(log.read_text().count("engine-active") for log in logs) == 2,
            "another engine to be active, though both were killed",
            within_s=30,
        )
        readers_log = shop.home / "log" / "projections.log"
        until(readers_log.exists, "who keeps the read models to be started", within_s=30)
        until(lambda: "projections-following" in readers_log.read_text(), "read models to be kept", within_s=30)
        for pid in _pids(b"orchestrator\0projections", str(shop.home).encode()):
            os.kill(pid, signal.SIGKILL)
        until(lambda: readers_log.read_text().count("projections-following") == 2, "them to be kept again", within_s=30)
        os.kill(int((shop.home / "postgres" / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        _await_words(run, "database: it has gone; starting it again")
        _await_words(run, r"starting it again[\s\S]*arrived on simulated")
        until(lambda: _behind(shop) <= 20, "the read models to come up with the log", within_s=30)
        run.signal(signal.SIGINT)
        assert run.wait(END_S) == 0
    status, report = shop.ask("verify", "--settled")
    assert status == 0, report
    _nobody_is_left(shop)


@pytest.mark.slow
@pytest.mark.switch
def test_a_real_switch_is_set_up_and_served_by_commands_alone(freeswitch: Path) -> None:
    """Issue 2, point 4, as an operator does it: the switch is given the files and the start that we name, agents sign
    in by command, callers are served, and Ctrl-C leaves a ledger that holds.
    """
    esl_port, sip_port, trunk_port, password = free_port(), free_port(), free_port(), token_urlsafe(18)
    folder = make_reachable_directory()
    switches = f"esl://:{password}@127.0.0.1:{esl_port}/?name=node1"
    variables = {"RINGLEDGER_SWITCHES": switches, "RINGLEDGER_FREESWITCH": str(freeswitch), "RINGLEDGER_WEB": ""}
    shop = Shop(folder, None, sys.executable, **variables)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        run = stack.enter_context(shop.run())
        _await_words(run, "engine: active")
        said = _done(
            shop, "switch-files", str(folder / "switch"), f"--sip-port={sip_port}", f"--trunk-port={trunk_port}"
        )
        start = re.search(r"(?m)^start it with: (.+)$", said)
        assert start, said
        switch = stack.enter_context(Child(start[1].split(), output=folder / "switch.txt", folder=folder))
        until(lambda: _profiles(esl_port, password) == 2, "the switch to take callers and phones", within_s=30)
        until(lambda: '"up": true' in _done(shop, "status"), "the engine to have its switch", within_s=30)
        passwords = json.loads((shop.home / "keys" / "phones.json").read_text())
        for number, extension in (("101", "1001"), ("102", "1002"), ("104", "1004")):
            account = Phone(extension, passwords[extension])
            stack.enter_context(BaresipPhone(folder, account, sip_port))
            _done(shop, "sign-in", number)
            _done(shop, "ready", number)
        callers = stack.enter_context(SippCaller(folder, trunk_port, calls=3, per_second=1, talk_ms=4_000))
        assert callers.await_end(60).successful == 3, callers.last_words()
        until(lambda: _done(shop, "calls").count("completed") == 3, "three calls to be told as completed", within_s=30)
        clear, kept = shop.home / "recordings", shop.home / "kept"
        until(lambda: len(_sizes(kept)) == 3 and not _sizes(clear), "three recordings to be kept, sealed", within_s=30)
        for number in ("101", "102", "104"):
            _done(shop, "sign-out", number)
        run.signal(signal.SIGINT)
        assert run.wait(END_S) == 0
        assert "Traceback" not in run.output.read_text()
        _done(shop, "verify", "--settled", "--expect", "3")
        _done(shop, "recordings", "check", "--digests")
        assert all(1 < size / SOUND_BYTES_S < 10 for size in _sizes(kept))
        switch.stop(patience_s=15)
        _nobody_is_left(shop)


def _sizes(folder: Path) -> list[int]:
    """Of the recordings in it, in bytes."""
    return [file.stat().st_size for file in folder.iterdir() if file.suffix in (".wav", SUFFIX)]


def _done(shop: Shop, *words: str) -> str:
    """What this command printed; AssertionError where it failed."""
    status, said = shop.ask(*words)
    assert status == 0, said
    return said


def _profiles(esl_port: int, password: str) -> int:
    """How many SIP profiles of this switch run; 0 while it does not answer."""
    try:
        with Control(esl_port, password) as control:
            return control.api("sofia status").count("RUNNING")
    except (ConnectionError, TimeoutError, OSError):
        return 0


def _events(report: str) -> int:
    found = re.search(r"(?m)^events +(\d+) in", report)
    assert found, report
    return int(found[1])


def _nobody_is_left(shop: Shop) -> None:
    """No process works in this home any more."""
    home = str(shop.home).encode()

    until(lambda: not _pids(home), "every process of this home to be gone")


def _pids(*words: bytes) -> list[int]:
    """The processes whose command line or environment has all these words."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):  # it may end as we look
                text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
                found += [int(process.name)] if all(word in text for word in words) else []
    return found
