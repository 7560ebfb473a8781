"""The file that the spool is, as a file: opened, written beside, held against other processes, and what its errors say.

What of it can still be read where it is damaged, `remains` and `if_readable` tell; what that means, `spool` decides.
"""

import fcntl
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")

_MAGIC: Final = b"SQLite format 3\0"
_BUSY_S: Final = 2.0
# What says nothing of the file: a full disk, no file numbers or memory left, somebody else at it.
_NOT_NOW: Final = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)
# These say that a part of the file is gone.
_UNREADABLE: Final = frozenset(
    {
        sqlite3.SQLITE_IOERR_READ,
        sqlite3.SQLITE_IOERR_SHORT_READ,
        sqlite3.SQLITE_IOERR_DATA,
        sqlite3.SQLITE_IOERR_CORRUPTFS,
    }
)


def beside_the_loop(work: Callable[[], T]) -> T:
    """What `work` returns; in a process that gevent has patched other greenlets run while the disk is waited for."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return work()
    from gevent import get_hub

    result: T = get_hub().threadpool.apply(work)
    return result


def connect(path: Path) -> sqlite3.Connection:
    """The file, as every commit of it is written: synced."""
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # What was sealed for a while is not left lying in free pages.
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def known(path: Path) -> tuple[sqlite3.Connection, dict[str, str]]:
    """A spool that was made before, and what it says of itself. SQLite would take an empty file for a new one."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise sqlite3.DatabaseError("it does not begin as a database does")
    connection = connect(path)
    try:
        return connection, dict(connection.execute("SELECT name, value FROM meta"))
    except sqlite3.DatabaseError:
        connection.close()
        raise


def remains(path: Path) -> tuple[sqlite3.Connection, dict[str, str]]:
    """A damaged spool, to read what is left of it. SQLite refuses a file that is shorter than it says, unless it is
    told that somebody is mending it.
    """
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise sqlite3.DatabaseError("it does not begin as a database does")
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("PRAGMA query_only = ON")
        return connection, dict(connection.execute("SELECT name, value FROM meta"))
    except sqlite3.DatabaseError:
        connection.close()
        raise


def if_readable(read: Callable[[sqlite3.Connection], int], connection: sqlite3.Connection) -> int | None:
    """What `read` says, or nothing where its page is gone."""
    try:
        return read(connection)
    except (sqlite3.DatabaseError, TypeError) as error:
        if isinstance(error, sqlite3.DatabaseError) and is_not_now(error):
            raise
        return None


def is_not_now(error: sqlite3.Error) -> bool:
    """Whether this says nothing of the file."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in _NOT_NOW and code not in _UNREADABLE


def is_damage(error: sqlite3.Error) -> bool:
    """Whether this says that a part of the file is gone."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or code in _UNREADABLE


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """While this is held no other process opens, makes or moves the spool of this folder."""
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
