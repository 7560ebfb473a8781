"""The one statement that every commit is made of, sent as libpq has it.

psycopg's cursor finds a dumper for each parameter and a loader for each column anew at every call, and keeps books that
nobody here asks for: half of what an append of three events cost (160 and 80 us of CPU). Here the types of the
parameters are known beforehand and they come in binary form. Errors, waiting and what becomes of a cut connection are
psycopg's own.
"""

import struct
from collections.abc import Sequence
from typing import Final
from weakref import WeakSet

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import error_from_result
from psycopg.generators import execute
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult

from orchestrator.store.connections import Connection

_BINARY: Final = int(Format.BINARY)
_ARRAY_HEAD: Final = struct.Struct("!iiIii")


class Prepared:
    """A statement with parameters of these types (their object ids) and one array of bigint for an answer; prepared on
    each connection when it is first asked there.
    """

    def __init__(self, name: str, statement: str, types: Sequence[int]) -> None:
        self._name = name.encode()
        self._statement = statement.encode()
        self._types = tuple(types)
        self._formats = (_BINARY,) * len(self._types)
        self._known: WeakSet[Connection] = WeakSet()

    def ask(self, connection: Connection, parameters: Sequence[bytes | None]) -> list[int]:
        """The array that it answers. Raises what psycopg's cursor would."""
        if connection.closed:
            raise psycopg.OperationalError("the connection is closed")
        if connection not in self._known:
            connection.wait(self._prepare(connection))
            self._known.add(connection)
        return connection.wait(self._execute(connection, parameters))

    def _prepare(self, connection: Connection) -> PQGen[None]:
        connection.pgconn.send_prepare(self._name, self._statement, self._types)
        _checked((yield from execute(connection.pgconn)), ExecStatus.COMMAND_OK)

    def _execute(self, connection: Connection, parameters: Sequence[bytes | None]) -> PQGen[list[int]]:
        connection.pgconn.send_query_prepared(self._name, parameters, self._formats, _BINARY)
        result = _checked((yield from execute(connection.pgconn)), ExecStatus.TUPLES_OK)
        return _bigints(result.get_value(0, 0) or b"")


def _checked(results: Sequence[PGresult], wanted: ExecStatus) -> PGresult:
    result = results[-1]
    if result.status == wanted:
        return result
    if result.status == ExecStatus.FATAL_ERROR:
        raise error_from_result(result)
    raise psycopg.InternalError(f"{ExecStatus(result.status).name} is no answer to what was asked")


def _bigints(array: bytes) -> list[int]:
    """The elements of a bigint[] in binary form; none for one without elements."""
    if len(array) < _ARRAY_HEAD.size:
        return []
    _, _, _, count, _ = _ARRAY_HEAD.unpack_from(array)
    # Each element is its length, always 8, and its value.
    return list(struct.unpack_from("!" + "iq" * count, array, _ARRAY_HEAD.size)[1::2])
