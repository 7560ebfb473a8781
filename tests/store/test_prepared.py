"""The append's statement: asked as psycopg would ask it, and heard as psycopg would be."""

import psycopg
import pytest

from orchestrator.store import Source
from orchestrator.store.arrays import INT8, INT8_ARRAY, BigintArray, bigint
from orchestrator.store.connections import Connection, is_passing
from orchestrator.store.prepared import Prepared
from tests.postgres import Database

DOUBLED = Prepared("doubled", "SELECT ARRAY(SELECT 2 * n FROM unnest($1) AS n)", (INT8_ARRAY,))


def prepared_on(connection: Connection) -> list[object]:
    return [row[0] for row in connection.execute("SELECT name FROM pg_prepared_statements").fetchall()]


def test_an_array_goes_out_and_comes_back(database: Database) -> None:
    source = Source(database.writer)
    with source.borrow() as connection:
        for numbers in ([], [0], [-1, 2**61, -(2**61)], list(range(3_000))):
            assert DOUBLED.ask(connection, (BigintArray(numbers).data,)) == [2 * n for n in numbers]
    source.close()


def test_it_is_prepared_once_on_each_connection(database: Database) -> None:
    source = Source(database.writer)
    with source.connect() as one, source.connect() as other:
        for _ in range(3):
            DOUBLED.ask(one, (BigintArray([1]).data,))
        assert prepared_on(one) == ["doubled"]
        assert prepared_on(other) == []
        assert DOUBLED.ask(other, (BigintArray([4]).data,)) == [8]
        assert prepared_on(other) == ["doubled"]


def test_what_the_server_refuses_is_raised_as_psycopg_would_and_the_connection_goes_on(database: Database) -> None:
    divided = Prepared("divided", "SELECT ARRAY[1 / $1]", (INT8,))
    source = Source(database.writer)
    with source.connect() as connection:
        with pytest.raises(psycopg.errors.DivisionByZero) as refused:
            divided.ask(connection, (bigint(0),))
        assert refused.value.diag.message_primary == "division by zero"
        assert not is_passing(refused.value)
        assert divided.ask(connection, (bigint(1),)) == [1]
        with pytest.raises(psycopg.errors.SyntaxError):
            Prepared("wrong", "SELEKT", ()).ask(connection, ())
        assert divided.ask(connection, (bigint(1),)) == [1]


def test_what_answers_no_rows_is_no_answer(database: Database) -> None:
    with Source(database.writer).connect() as connection, pytest.raises(psycopg.InternalError, match="COMMAND_OK"):
        Prepared("mute", "SET LOCAL work_mem = '1MB'", ()).ask(connection, ())


def test_a_connection_that_is_gone_is_said_to_be(database: Database) -> None:
    """The writer tells by it that it must wait for the database, and read back what it has sent."""
    source = Source(database.writer)
    with source.connect() as connection, source.connect() as killer:
        DOUBLED.ask(connection, (BigintArray([1]).data,))
        killer.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
        with pytest.raises(psycopg.OperationalError) as gone:
            DOUBLED.ask(connection, (BigintArray([1]).data,))
        assert is_passing(gone.value)
        assert connection.closed
        with pytest.raises(psycopg.OperationalError, match="closed"):
            DOUBLED.ask(connection, (BigintArray([1]).data,))
