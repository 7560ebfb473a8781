"""What `ringledger run` says of our own database while that does not come up."""

import os
import shutil
import signal
import threading
from pathlib import Path

from orchestrator import cluster
from orchestrator.supervise import keep_database
from tests.lab.patience import until
from tests.postgres import make_reachable_directory, provide_made, settings_for


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
