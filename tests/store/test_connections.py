"""Connections: noticed when dead, few kept, none given back that is not whole."""

import threading

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from orchestrator.store import Away, Source
from orchestrator.store.connections import MOST_BORROWED, is_passing
from tests.lab.patience import until
from tests.postgres import Database


def test_a_dead_host_is_noticed_and_the_urls_own_wishes_stand() -> None:
    url = "postgresql://writer@db/ledger?connect_timeout=2&options=-c%20work_mem%3D8MB"
    given = conninfo_to_dict(Source(url, name="x" * 100, statement_timeout_ms=700).conninfo())
    assert given["connect_timeout"] == "2"
    assert given["tcp_user_timeout"] == "5000"
    assert given["target_session_attrs"] == "read-write"
    assert given["options"] == "-c work_mem=8MB -c statement_timeout=700"
    assert given["application_name"] == "x" * 63


def test_a_name_is_cut_between_characters() -> None:
    assert Source("postgresql:///x", name="é" * 40).name == "é" * 31


def test_a_connection_comes_back_unless_it_is_broken_or_in_the_middle_of_something(database: Database) -> None:
    source = Source(database.writer)
    with source.borrow() as first:
        pass
    with source.borrow() as again:
        assert again is first
        again.execute("BEGIN")
    assert first.closed
    with source.borrow() as second:
        second.close()
    with source.borrow() as third:
        assert third not in {first, second}
        source.close()
    assert third.closed, "closed when it comes back to a closed source"


def test_an_idle_connection_that_the_server_has_ended_is_not_given_out(database: Database) -> None:
    """A server that was restarted costs nobody an error: whoever borrows next gets a connection that lives."""
    source = Source(database.writer, name="cut")
    with source.borrow() as one, source.borrow() as other:
        ended = [one, other]
    with psycopg.connect(database.admin, autocommit=True) as owner:
        for connection in ended:
            owner.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))

    def gone() -> bool:
        found = owner.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cut'").fetchone()
        return found == (0,)

    with psycopg.connect(database.admin, autocommit=True) as owner:
        until(gone, "both to be gone")
    with source.borrow() as living:
        assert living not in ended
        assert living.execute("SELECT 1").fetchone() == (1,)
    assert all(connection.closed for connection in ended)
    source.close()


def test_few_connections_are_kept(database: Database) -> None:
    source = Source(database.writer)
    borrowed = [source.borrow() for _ in range(12)]
    connections = [each.__enter__() for each in borrowed]
    for each in borrowed:
        each.__exit__(None, None, None)
    assert sum(not each.closed for each in connections) == 8
    source.close()
    assert all(each.closed for each in connections)


def test_a_mistake_in_a_statement_is_no_absence(database: Database) -> None:
    source = Source(database.writer)
    with pytest.raises(psycopg.errors.UndefinedTable):
        source.run(lambda connection: connection.execute("SELECT * FROM nothing"))
    source.close()


def test_a_statement_that_takes_too_long_is_an_absence(database: Database) -> None:
    source = Source(database.writer, statement_timeout_ms=20)
    with pytest.raises(Away, match="statement timeout"):
        source.run(lambda connection: connection.execute("SELECT pg_sleep(5)"))
    source.close()


def test_what_is_waited_for_and_what_is_not() -> None:
    assert is_passing(psycopg.OperationalError("server closed the connection unexpectedly"))
    assert is_passing(psycopg.errors.AdminShutdown())
    assert is_passing(psycopg.errors.CannotConnectNow())
    assert is_passing(psycopg.errors.DiskFull())
    assert is_passing(psycopg.errors.ReadOnlySqlTransaction())
    assert not is_passing(psycopg.errors.UniqueViolation())
    assert not is_passing(psycopg.errors.InsufficientPrivilege())
    assert not is_passing(psycopg.errors.UndefinedTable())


def test_an_absent_server_is_named_in_one_line() -> None:
    with pytest.raises(Away, match=r"^The database does not answer: .+$"):
        Source("postgresql://nobody@/nothing?host=/nonexistent").connect()


def test_a_crowd_waits_for_places_and_uses_up_no_server(database: Database) -> None:
    """Five hundred desks that come back at once after a restart: each is served, by a few connections."""
    source = Source(database.reader, name="crowd")
    begin = threading.Barrier(3 * MOST_BORROWED)
    most, now, lock = 0, 0, threading.Lock()
    served: list[object] = []

    def visit() -> None:
        nonlocal most, now
        begin.wait()
        with source.borrow() as connection:
            with lock:
                now += 1
                most = max(most, now)
            with source.borrow() as second:  # whoever has a place needs no other
                served.append((connection.execute("SELECT 1").fetchone(), second.execute("SELECT 1").fetchone()))
            with lock:
                now -= 1

    visitors = [threading.Thread(target=visit) for _ in range(3 * MOST_BORROWED)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(30)
    source.close()
    assert served == [((1,), (1,))] * len(visitors)
    assert 1 < most <= MOST_BORROWED
