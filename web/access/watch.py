"""Hears what is appended to users elsewhere (the command line, another web process), so that streams end at once.

A request asks the log by itself; a stream that is open would otherwise learn at its next heartbeat only.
"""

from typing import Any, Final

import gevent

from orchestrator.domain.kernel import ident_of
from projections.reading import Away, Reading

LOOK_S: Final = 1.0


class Watch:
    """Looks for new events of users, once a second. Needs a process patched by gevent."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._greenlet: Any = None

    def start(self) -> "Watch":
        """Begin, from the end of the log. Raises `Away`."""
        self._greenlet = gevent.spawn(self._look, self._reading.log.position())
        return self

    def stop(self) -> None:
        """End."""
        if self._greenlet is not None:
            self._greenlet.kill()

    def _look(self, seen: int) -> None:
        log = self._reading.log
        while True:
            gevent.sleep(LOOK_S)
            try:
                end = log.position()
                changed = {ident_of(record.stream) for record in log.history(after=seen, until=end, kinds=("user",))}
            except Away:
                continue  # what is appended meanwhile is found when it is back
            seen = max(seen, end)
            for user_id in changed:
                self._reading.users.heard(user_id)
