"""Our own PostgreSQL from its first start to its last stop, kills included (issue 2, point 1)."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from orchestrator.cluster import WRITER, roles
from tests.cluster.conftest import Start, ask, mode, socket_of

CHILD_S = 60


# --- the first start --------------------------------------------------------------------------------------------------
def test_a_first_start_makes_a_durable_server_that_listens_on_a_private_socket_only(home: Path, start: Start) -> None:
    cluster = start(home)
    wanted = {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "listen_addresses": "",
        "server_encoding": "UTF8",
        "log_error_verbosity": "terse",
    }
    assert {name: ask(cluster.url_reader, f"SHOW {name}") for name in wanted} == wanted
    assert ask(cluster.url_reader, "SELECT datcollate FROM pg_database WHERE datname = 'ringledger'") == "C.UTF-8"
    assert mode(socket_of(cluster)) == 0o700
    assert mode(home / "postgres") == 0o700


def test_each_role_signs_in_as_itself_with_a_password_of_its_own_and_none_rules_the_server(
    home: Path, start: Start
) -> None:
    cluster = start(home)
    urls = {"owner": cluster.url_owner, "writer": cluster.url_writer, "reader": cluster.url_reader}
    for role, url in urls.items():
        assert ask(url, "SELECT current_user::text") == f"ringledger_{role}"
        assert ask(
            url, "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ) is (False)
    assert len({urlsplit(url).password for url in urls.values()}) == 3
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(roles.url_for(cluster.url_writer, WRITER, "guessed"))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(cluster.url_writer, "CREATE TABLE mine (id int)")


def test_passwords_are_for_our_eyes_only_and_never_shown(home: Path, start: Start) -> None:
    cluster = start(home)
    password = urlsplit(cluster.url_writer).password
    assert password is not None
    assert mode(home / "keys") == 0o700
    assert mode(home / "keys" / roles.PASSWORD_FILE) == 0o600
    assert password not in repr(cluster)
    for log in (home / "postgres" / "log").iterdir():
        assert password not in log.read_text()


def test_what_was_written_is_there_after_a_stop_and_a_start(home: Path, start: Start) -> None:
    cluster = start(home)
    with psycopg.connect(cluster.url_owner) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert cluster.stop() is True
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(cluster.url_owner)
    told: list[str] = []
    again = start(home, told)
    assert ask(again.url_owner, "SELECT answer FROM kept") == 42
    assert again.url_owner == cluster.url_owner
    assert not any("making" in line for line in told)


def test_a_second_stop_does_nothing(home: Path, start: Start) -> None:
    cluster = start(home)
    assert [cluster.stop(), cluster.stop()] == [True, False]


# --- sharing and being killed -----------------------------------------------------------------------------------------
def test_the_server_is_stopped_by_the_last_to_leave_it(home: Path, start: Start) -> None:
    first, second = start(home), start(home)
    assert first.stop() is False
    assert ask(second.url_reader, "SELECT 1") == 1
    assert second.stop() is True


def _killed_child(home: Path) -> None:
    """Start the cluster in a process that is then killed without a chance to clean up."""
    program = (
        "import sys, pathlib, signal\n"
        "from orchestrator.cluster import ensure_running\n"
        "from tests.postgres import settings_for\n"
        "cluster = ensure_running(settings_for(pathlib.Path(sys.argv[1])), lambda line: None)\n"
        "print('ready', flush=True)\n"
        "signal.pause()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGKILL)
        assert child.wait(CHILD_S) == -signal.SIGKILL


def test_a_server_left_running_by_a_killed_parent_is_found_again_and_can_be_stopped(home: Path, start: Start) -> None:
    _killed_child(home)
    before = (home / "postgres" / "data" / "postmaster.pid").read_text()
    told: list[str] = []
    cluster = start(home, told)
    assert [line for line in told if line.startswith("found")] == told
    assert (home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[:3] == before.splitlines()[:3]
    assert ask(cluster.url_writer, "SELECT 1") == 1
    assert cluster.stop() is True


def test_two_first_starts_at_once_make_one_cluster(home: Path, start: Start) -> None:
    program = (
        "import sys, pathlib\n"
        "from orchestrator.cluster import ensure_running\n"
        "from tests.postgres import settings_for\n"
        "cluster = ensure_running(settings_for(pathlib.Path(sys.argv[1])), print)\n"
        "sys.stdout.flush()\n"
        "sys.stdin.readline()\n"
        "print(cluster.url_writer)\n"
    )
    command = [sys.executable, "-c", program, str(home)]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other,
    ):
        told = [process.communicate("go\n", timeout=CHILD_S)[0].splitlines() for process in (one, other)]
    assert sorted(line.split()[0] for lines in told for line in lines[:-1]) == ["found", "making", "starting"]
    assert told[0][-1] == told[1][-1] == start(home).url_writer


def test_after_a_crash_of_the_server_what_was_committed_is_there(home: Path, start: Start) -> None:
    cluster = start(home)
    with psycopg.connect(cluster.url_owner) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    # Its children notice the death of their parent a little later, perhaps after we have begun to start anew.
    os.kill(int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    again = start(home)
    assert ask(again.url_owner, "SELECT answer FROM kept") == 42


# --- under gevent -----------------------------------------------------------------------------------------------------
@pytest.mark.patched
def test_a_patched_process_starts_and_stops_a_server_while_other_greenlets_run(home: Path, start: Start) -> None:
    import gevent

    turns: list[int] = []

    def beat() -> None:
        while True:
            turns.append(1)
            gevent.sleep(0.01)

    heart = gevent.spawn(beat)
    cluster = start(home)
    assert ask(cluster.url_writer, "SELECT 1") == 1
    assert cluster.stop() is True
    heart.kill()
    assert len(turns) > 10
