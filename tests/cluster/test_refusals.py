"""What is refused is not touched, and the refusal says what to do (issue 2, point 1 and bad input)."""

import os
from pathlib import Path

import pytest

from orchestrator.cluster import ClusterError, Unreachable, binaries, places, roles
from tests.cluster.conftest import Start, everything_below, mode, needs_root


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


def test_a_server_that_takes_long_may_yet_come_and_nobody_has_to_act(
    home: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feature 12.2: it recovers from a crash, for minutes."""
    start(home).stop()
    with monkeypatch.context() as hasty:
        hasty.setattr("orchestrator.cluster.server._START_S", -1)
        with pytest.raises(Unreachable, match="goes on"):
            start(home)
    start(home)


def test_a_program_that_does_not_end_may_end_later(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="did not end within"):
        places.server_user(tmp_path / "none").run("tail", "-f", "/dev/null", timeout_s=0.05)
