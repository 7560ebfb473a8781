"""Connections to the log: how they are made, so that a dead host is noticed, and a few kept for short reads."""

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar
from weakref import WeakSet

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from orchestrator.store.errors import Away

if TYPE_CHECKING:
    from orchestrator.store.cooperative import Pulse

Connection: TypeAlias = psycopg.Connection[tuple[object, ...]]
T = TypeVar("T")
log = structlog.get_logger(__name__)

# A host that vanishes without a word (power, cable) is given up after this long without an answer to sent data. It
# must lie below the time after which a standby may take over plus what a person waits.
TCP_USER_TIMEOUT_MS: Final = 5_000
CONNECT_TIMEOUT_S: Final = 5
STATEMENT_TIMEOUT_MS: Final = 10_000
# A server that has not ended a statement so long after its time is not at work at all.
_GRACE_S: Final = 2.0
DEFAULT_NAME: Final = "ringledger"
_KEPT: Final = 8
# Connections that one process borrows at a time, at most: five hundred desks that come back at once after a restart
# must wait for each other, not use up the server's connections (100 by default) and be told that it is away.
MOST_BORROWED: Final = 16
_PATIENCE_S: Final = 10.0
_STILL: Final = "The database stands still: it takes connections, and answers nothing."
# PostgreSQL cuts identifiers, and so application_name, after NAMEDATALEN - 1 bytes.
_NAME_BYTES: Final = 63

# SQLSTATE classes after which the connection is of no use but the same words may well succeed later: connection
# exceptions, insufficient resources, operator intervention, and a read-only primary in the middle of a fail-over.
_PASSING_CLASSES: Final = ("08", "53", "57", "58")
_PASSING_STATES: Final = ("25006", "40001", "40P01", "55P03")


def is_passing(error: psycopg.Error) -> bool:
    """Whether the error is the database's absence (to wait for) rather than a fault of what was asked."""
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and error.sqlstate is None:
        return True
    state = error.sqlstate or ""
    return state.startswith(_PASSING_CLASSES) or state in _PASSING_STATES


class Source:
    """Where the log is and as whom to go there (the URL of `ringledger_writer` or `ringledger_reader`).

    `name` is what `pg_stat_activity` shows, and how a take-over finds the backends of the process that it deposes. A
    statement that takes longer than `statement_timeout_ms` is ended by the server; never by a Timeout on our side.
    """

    def __init__(self, url: str, *, name: str = DEFAULT_NAME, statement_timeout_ms: int = STATEMENT_TIMEOUT_MS) -> None:
        self.url = url
        self._statement_timeout_ms = statement_timeout_ms
        self.name = name.encode()[:_NAME_BYTES].decode(errors="ignore")
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(MOST_BORROWED)
        self._mine = threading.local()
        self._closed = False
        self.silent = False
        """Whether the server was found to stand still: it takes connections, and answers nothing (`feel`)."""
        self._made: WeakSet[Connection] = WeakSet()
        self._pulse: Pulse | None = None

    @property
    def patience_s(self) -> float:
        """After so long without an answer the server neither works on a statement nor has ended it: it stands still."""
        return self._statement_timeout_ms / 1_000 + _GRACE_S

    def conninfo(self, *, statement_timeout_ms: int | None = None) -> str:
        """The libpq string: the URL with our timeouts where it names none of its own."""
        given = conninfo_to_dict(self.url)
        options = [str(given.pop("options", ""))]
        options.append(f"-c statement_timeout={statement_timeout_ms or self._statement_timeout_ms}")
        ours: dict[str, str | int] = {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "tcp_user_timeout": TCP_USER_TIMEOUT_MS,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "target_session_attrs": "read-write",
        }
        return make_conninfo(
            "", **{**ours, **given, "application_name": self.name, "options": " ".join(filter(None, options))}
        )

    def connect(self, *, statement_timeout_ms: int | None = None) -> Connection:
        """A new connection in autocommit mode. Raises `Away` where there is none to be had."""
        if self.silent:
            raise Away(_STILL)
        return self.reach(statement_timeout_ms=statement_timeout_ms)

    def reach(self, *, statement_timeout_ms: int | None = None) -> Connection:
        """The same, of a server that stands still, too: nobody else finds out that it goes on."""
        try:
            connect = _connection_class().connect
            connection = connect(self.conninfo(statement_timeout_ms=statement_timeout_ms), autocommit=True)
        except psycopg.OperationalError as error:
            raise Away(f"The database does not answer: {_first_line(error)}") from error
        if is_cooperative():
            connection.patience_s = (  # type: ignore[attr-defined]
                (statement_timeout_ms or self._statement_timeout_ms) / 1_000 + _GRACE_S
            )
            self._made.add(connection)
        return connection

    def feel(self) -> "Source":
        """From now on notice within seconds that the server stands still. Needs a process that gevent has patched;
        elsewhere nothing happens: there whoever asks waits.
        """
        if self._pulse is None and is_cooperative():
            from orchestrator.store.cooperative import Pulse

            self._pulse = Pulse(self)
        return self

    def connections(self) -> list[Connection]:
        """All that are open, as far as they are watched."""
        return list(self._made)

    @contextmanager
    def borrow(self) -> Iterator[Connection]:
        """A connection for a few statements; given back unless it broke or was left inside a transaction.

        Raises `Away` where there is none to be had, also where all have been in use for ten seconds.
        """
        if self.silent:
            raise Away(_STILL)
        with self._place():
            connection = self._idle_one() or self.connect()
            try:
                yield connection
            finally:
                self._give_back(connection)

    def _idle_one(self) -> Connection | None:
        """One that is kept and, as far as can be told without asking the server, still alive; None for none."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if not _is_cut(connection):
                return connection
            connection.close()

    @contextmanager
    def _place(self) -> Iterator[None]:
        """One of the places; whoever has one already needs no second, and so never waits for itself."""
        held = getattr(self._mine, "held", 0)
        if not held and not self._places.acquire(timeout=_PATIENCE_S):
            raise Away(f"All {MOST_BORROWED} connections have been in use for {_PATIENCE_S:g} s.")
        self._mine.held = held + 1
        try:
            yield
        finally:
            self._mine.held = held
            if not held:
                self._places.release()

    def run(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, done on a borrowed connection; once more on a new one where an idle one proved dead.

        `work` must be safe to repeat: reads, and writes whose repeat is refused. Raises `Away` where the database
        is not there.
        """
        with self._lock:
            reused = bool(self._idle)
        try:
            with self.borrow() as connection:
                return work(connection)
        except psycopg.Error as error:
            if not is_passing(error):
                raise
            self.forget_idle()
            if not reused:
                raise Away(f"The database went away: {_first_line(error)}") from error
        return self.run(work)

    def forget_idle(self) -> None:
        """Close what is kept: after a restart of the server all of it is dead at once."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def close(self) -> None:
        """Close every idle connection, and each borrowed one when it comes back."""
        self._closed = True
        if self._pulse is not None:
            self._pulse.stop()
            self._pulse = None
        self.forget_idle()

    def _give_back(self, connection: Connection) -> None:
        healthy = (
            not connection.closed
            and not connection.broken
            and connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        )
        if healthy and not self._closed:
            with self._lock:
                if len(self._idle) < _KEPT:
                    self._idle.append(connection)
                    return
        connection.close()


class Kept:
    """A connection that its owner keeps, made when it is needed, and that others can cut while the owner waits for it.

    A server that stands still (stopped, its storage hung) ends no statement, and its kernel acknowledges what is sent:
    nothing of `connections` ends that wait but the client.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._connection: Connection | None = None
        self._asked_at = 0.0
        # Nobody cuts what was closed meanwhile: its number may be somebody else's by then.
        self._lock = threading.Lock()

    def ask(self) -> Connection:
        """The connection, to be asked something now. Raises `Away`."""
        if self._source.silent:
            self.drop()
        if self._connection is None:
            self._connection = self._source.connect()
        self._asked_at = time.monotonic()
        return self._connection

    def answered(self) -> None:
        """Nobody waits for the server any more."""
        self._asked_at = 0.0

    def drop(self) -> None:
        """Close it."""
        self._asked_at = 0.0
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def cut(self) -> None:
        """Whoever waits for an answer is told that the connection was lost; what became of the statement is unknown."""
        with self._lock:
            if self._connection is None or self._connection.closed:
                return
            # A second number of the same socket: the first stays psycopg's to close.
            with socket.socket(fileno=os.dup(self._connection.pgconn.socket)) as second, suppress(OSError):
                second.shutdown(socket.SHUT_RDWR)

    def cut_if_silent(self) -> None:
        """Cut it where its owner has waited for longer than any statement may take."""
        asked_at = self._asked_at
        if asked_at and time.monotonic() - asked_at > self._source.patience_s:
            log.warning("database-silent", waited_s=round(time.monotonic() - asked_at, 1))
            self.answered()
            self.cut()


def _is_cut(connection: Connection) -> bool:
    """Whether the server has ended this idle connection. Looks at what has come from it already, and waits for nothing:
    a parting word comes first where there is one, then the end.
    """
    try:
        connection.pgconn.consume_input()
        connection.pgconn.consume_input()
    except psycopg.OperationalError:
        return True
    return connection.closed


def is_cooperative() -> bool:
    """Whether gevent has patched this process."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("select"))


def _connection_class() -> type[psycopg.Connection[Any]]:
    """The one that waits well in this process."""
    if not is_cooperative():
        return psycopg.Connection
    from orchestrator.store.cooperative import HubConnection

    return HubConnection


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
