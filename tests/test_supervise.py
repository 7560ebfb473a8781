"""What `ringledger run` starts ends with it, and what it says of our own database while that does not come up."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator import cluster
from orchestrator.cluster import roles
from orchestrator.settings import Settings
from orchestrator.supervise import Child, keep_database
from tests.lab.patience import until
from tests.postgres import make_reachable_directory, provide_made, settings_for


def test_a_process_that_is_stopped_while_it_is_being_started_does_not_run_on(tmp_path: Path) -> None:
    """Feature 12.1: Ctrl-C comes as something is started again; it would serve on beside nothing."""
    log = tmp_path / "late.log"
    os.mkfifo(log)  # whoever writes to it waits for a reader
    child = Child("late", [sys.executable, "-c", "import signal; signal.pause()"], dict(os.environ), log)
    child.start()
    stopping = threading.Thread(target=child.stop)
    stopping.start()
    # Not waiting for a writer: where it is stopped before it begins there never is one.
    with os.fdopen(os.open(log, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as read:
        stopping.join()
        assert read.read() == b"", "somebody holds it open still"


def test_a_database_that_does_not_come_up_is_tried_again_and_what_is_wrong_is_said_once() -> None:
    """Feature 12.2: its files were edited wrongly; whoever puts that right need do no more."""
    folder = make_reachable_directory()
    settings = settings_for(folder / "home")
    provide_made(settings.home)
    database = cluster.ensure_running(settings, lambda _: None)
    data = settings.home / "postgres" / "data"
    file, log = data / "postgresql.conf", data.parent / "log" / "start.log"
    right = file.read_text()
    pid = int((data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{pid}").exists(), "the server to be gone")
    file.write_text(right + "no_such_setting = on\n")
    said: list[str] = []
    stop = threading.Event()
    keeping = threading.Thread(target=keep_database, args=(settings, database, said.append, stop))
    keeping.start()
    try:
        until(lambda: any("did not start" in line for line in said), "it to be said", within_s=60)
        tried = log.stat().st_size
        until(lambda: log.stat().st_size > tried, "it to be tried again", within_s=60)
        assert [line for line in said if "no_such_setting" in line and "Put right what it says" in line] == said[-1:]
        assert len(said) == 3, "that it has gone, that it is started, and what is wrong"
        file.write_text(right)
        until(database.is_running, "it to be there again", within_s=60)
    finally:
        stop.set()
        keeping.join()
        database.stop()
        shutil.rmtree(folder)


@dataclass
class _Ours:
    """A server of our own, looked after, and what is said of it."""

    settings: Settings
    database: cluster.Cluster
    said: list[str]

    def pid(self) -> int:
        file = self.settings.home / "postgres" / "data" / "postmaster.pid"
        return int(file.read_text().splitlines()[0])

    def end(self, how: signal.Signals) -> None:
        pid = self.pid()
        os.kill(pid, how)
        until(lambda: not Path(f"/proc/{pid}").exists(), "the server to be gone")


@pytest.fixture
def ours() -> Iterator[_Ours]:
    folder = make_reachable_directory()
    settings = settings_for(folder / "home")
    provide_made(settings.home)
    kept = _Ours(settings, cluster.ensure_running(settings, lambda _: None), [])
    stop = threading.Event()
    keeping = threading.Thread(target=keep_database, args=(settings, kept.database, kept.said.append, stop))
    keeping.start()
    try:
        yield kept
    finally:
        stop.set()
        keeping.join()
        kept.database.stop()
        shutil.rmtree(folder)


def test_a_database_that_dies_while_its_roles_are_looked_at_is_started_again(
    ours: _Ours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feature 12.2: nobody else would start it."""
    is_of = roles.is_of
    died: list[bool] = []

    def die_once(kept: str, password: str) -> bool:
        if not died:
            ours.end(signal.SIGQUIT)
            died.append(True)
        return is_of(kept, password)

    monkeypatch.setattr(roles, "is_of", die_once)
    ours.end(signal.SIGKILL)
    until(lambda: bool(died) and ours.database.is_running(), "it to be there again", within_s=60)
    assert [line for line in ours.said if "went away" in line or "cannot be reached" in line]


def test_a_database_whose_program_cannot_be_run_now_is_started_again_and_that_is_said_once(
    ours: _Ours, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = subprocess.run
    tried: list[object] = []

    def refuse(*given: Any, **more: Any) -> Any:  # noqa: ANN401 - as the real one has it
        if len(tried) < 2:
            tried.append(given)
            raise OSError(12, "Cannot allocate memory")
        return run(*given, **more)

    monkeypatch.setattr("orchestrator.cluster.places.subprocess.run", refuse)
    ours.end(signal.SIGKILL)
    until(lambda: len(tried) == 2 and ours.database.is_running(), "it to be there again", within_s=60)
    assert len([line for line in ours.said if "Cannot allocate memory" in line]) == 1
