"""Callers whom agents marked as a nuisance are put on the blacklist, beside the ring path.

The mark itself holds at once (`NuisanceMarked`); the list is where people see, change and lift it. What could not be
listed, because the database was away or this process died, is listed later: the log says which are missing.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import gevent
import structlog
from gevent.event import Event

from orchestrator.store import StoreError

log = structlog.get_logger(__name__)

_AGAIN_S: Final = 2.0

ListMarked = Callable[[str, str, str], object]
"""(contact, number, actor) → whatever. Raises StoreError."""


class Marks:
    """A line of callers to be listed, in the order of their marks."""

    def __init__(self, list_marked: ListMarked) -> None:
        self._list_marked = list_marked
        self._waiting: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._came = Event()
        self._worker: gevent.Greenlet | None = None

    def start(self) -> None:
        """Begin to list."""
        self._worker = gevent.spawn(self._work)

    def stop(self) -> None:
        """List nobody any more; who is left is listed at the next start."""
        if self._worker is not None:
            self._worker.kill()

    def came(self, contact_id: str, number: str, actor: str) -> None:
        """Take a marked caller in line; never waits."""
        self._waiting[contact_id] = (number, actor)
        self._came.set()

    def _work(self) -> None:
        while True:
            self._came.wait()
            self._came.clear()
            while self._waiting:
                contact_id, (number, actor) = next(iter(self._waiting.items()))
                try:
                    self._list_marked(contact_id, number, actor)
                except StoreError as error:
                    log.warning("nuisance-not-listed-yet", contact=contact_id, error=type(error).__name__)
                    gevent.sleep(_AGAIN_S)
                    continue
                except Exception:
                    # A fault of ours, and no reason to leave all later ones unlisted; the mark itself holds.
                    log.exception("nuisance-not-listed", contact=contact_id)
                del self._waiting[contact_id]
