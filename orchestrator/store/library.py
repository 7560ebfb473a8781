"""The one door to `eventsourcing`, and the check that the driver gives way under gevent.

The library subclasses `queue.Queue` and sets attributes on it. A patched process has gevent's queue there, whose C
type takes none, so the library's subscriptions die at start (Python < 3.13). The original class is put back for
as long as the import lasts and not a moment longer.
"""

import queue
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import waiting


@contextmanager
def _original_queue() -> Iterator[None]:
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("queue"):
        yield
        return
    patched = queue.Queue
    queue.Queue = monkey.get_original("queue", "Queue")  # type: ignore[misc]
    try:
        yield
    finally:
        queue.Queue = patched  # type: ignore[misc]


with _original_queue():
    from eventsourcing.persistence import (
        IntegrityError,
        InterfaceError,
        JSONTranscoder,
        Mapper,
        Notification,
        OperationalError,
        ProgrammingError,
        StoredEvent,
    )
    from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

__all__ = [
    "IntegrityError",
    "InterfaceError",
    "JSONTranscoder",
    "Mapper",
    "Notification",
    "OperationalError",
    "PostgresApplicationRecorder",
    "PostgresDatastore",
    "ProgrammingError",
    "StoredEvent",
    "assert_cooperative",
]


def assert_cooperative() -> None:
    """Raise RuntimeError where the process is patched by gevent but psycopg was imported before the patch.

    Such a process works, and stands still in every query: psycopg keeps its C wait, which knows nothing of the hub.
    """
    monkey = sys.modules.get("gevent.monkey")
    patched = monkey is not None and monkey.is_module_patched("select")
    if patched and getattr(waiting.wait, "__name__", "") == "wait_c":
        raise RuntimeError(
            "psycopg was imported before gevent's monkey patch and would block every greenlet during each query. "
            "Make gevent.monkey.patch_all() the first thing that the process does."
        )
