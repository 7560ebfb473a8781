"""Hears what is appended to users elsewhere (the command line, another web process), so that streams end at once, and
that everybody is known, as of a second ago, when the database goes away; when it is back, what people did is recorded.

A request asks the log by itself; a stream that is open would otherwise learn at its next heartbeat only.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import gevent
import structlog

from orchestrator.domain.access.users import SessionEnded
from orchestrator.domain.kernel import ident_of
from projections.reading import LOST, Away, NotKept, Reading

log = structlog.get_logger(__name__)

LOOK_S: Final = 1.0
# What waits to be recorded goes to the log behind the engine's spool, for the log's time only goes forward; where no
# engine of this machine answers, one that has a spool is started within this.
_ENGINE_S: Final = 60.0

Spools = Callable[[], bool | None]
"""Whether this machine's engine has something in its spool; None where none answers."""


class Watch:
    """Looks for new events of users, once a second. Needs a process patched by gevent."""

    def __init__(self, reading: Reading, spools: Spools = lambda: False) -> None:
        self._reading = reading
        self._spools = spools
        self._waits_since: float | None = None
        self._all_there = False
        self._greenlet: Any = None
        self._seen: int | None = None

    def start(self) -> "Watch":
        """Begin, from the end of the log. Raises `Away`."""
        self._reading.log.position()
        try:
            self._reading.sessions.recall()
        except NotKept as error:
            log.error("meanwhile-not-kept", why=str(error), remedy="see to the disk; it is tried again")  # noqa: TRY400 - the words say it
        self._greenlet = gevent.spawn(self._keep)
        return self

    def stop(self) -> None:
        """End."""
        if self._greenlet is not None:
            self._greenlet.kill()

    def _keep(self) -> None:
        while True:
            try:
                self.look()
            except (Away, LOST) as away:
                log.debug("users-not-looked-at", why=str(away))
            except NotKept as error:
                log.error("meanwhile-not-kept", why=str(error), remedy="see to the disk; it is tried again")  # noqa: TRY400 - the words say it
            except Exception:
                # Nobody else looks, and without it nobody is known and nothing is recorded any more.
                log.exception("watch-failed", again_in_s=LOOK_S)
            gevent.sleep(LOOK_S)

    def look(self) -> None:
        """Once: what is new of users, and what waits to be recorded. Raises `Away` and `NotKept`."""
        reading = self._reading
        if self._seen is None:
            self._seen = reading.users.learn()
            log.info("users-known", remedy="they may sign in to their desks though the database goes away")
        end = reading.log.position()
        changed: set[str] = set()
        for record in reading.log.history(after=self._seen, until=end, kinds=("user",)):
            changed.add(ident_of(record.stream))
            if isinstance(record.event, SessionEnded):
                reading.sessions.forget(record.event.session_id)
        for user_id in changed:
            reading.users.get(user_id)
        reading.users.sure()
        self._seen = max(self._seen, end)
        for user_id in changed:
            reading.users.heard(user_id)
        if not reading.meanwhile.count or self._may_record():
            reading.settling.settle(all_there=self._all_there)

    def _may_record(self) -> bool:
        """Whether nothing older is still on its way to the log."""
        spools, now = self._spools(), time.monotonic()
        self._all_there = spools is False
        if spools is None:
            self._waits_since = self._waits_since or now
            return now - self._waits_since > _ENGINE_S
        self._waits_since = None
        return not spools
