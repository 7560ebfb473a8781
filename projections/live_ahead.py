"""What is decided while the database is away, asked of this machine's engine and folded in ahead of the log.

      engine ──command socket, twenty times a second──▶ Ahead ──take_ahead──▶ LiveView

Twice a second it is asked whether the engine goes round the database; while it does, what it has decided since is
fetched. So it is where the log cannot be read here, and the engine has had nothing to write yet. An engine of another
machine, or one that waits for the database, tells nothing: then what is shown is old, and says so.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

import structlog

from orchestrator.control import ControlError
from orchestrator.domain.kernel import Refused
from orchestrator.store import SINCE, Announced, Corrupt, Hearing
from orchestrator.vault import Tampered, Vault
from projections.live import LiveView

log = structlog.get_logger(__name__)

_QUIET_S: Final = 0.5
_LOOK_S: Final = 0.05
# An engine that has said nothing for so long is not there: a question may be lost with a connection.
_MISSED_S: Final = 2.0
ANSWER_S: Final = 1.0
"""How long one question may wait for its answer."""
_AFTER_FAULT_S: Final = 5.0
_JOIN_S: Final = 5.0


class Ahead:
    """Feeds a view on a thread of its own; in a process that gevent patched, a greenlet.

    `ask(question)` asks the engine, for `ANSWER_S` at most; it raises `ControlError` where none answers, and `Refused`.
    """

    def __init__(self, view: LiveView, ask: Callable[[str], Any], vault: Vault) -> None:
        self._view = view
        self._ask = ask
        self._hearing = Hearing(vault)
        self._epoch = self._number = self._begun = 0
        self._told_at = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-ahead", daemon=True)

    def start(self) -> "Ahead":
        """Begin to ask."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        pause_s = _QUIET_S
        while not self._stop.wait(pause_s):
            try:
                pause_s = self._look() if self._view.ready else _QUIET_S
            except Exception:
                # Nobody else looks at this thread, and without it screens would seem to be told for ever.
                log.exception("live-ahead-failed", again_in_s=_AFTER_FAULT_S)
                self._end()
                pause_s = _AFTER_FAULT_S

    def _look(self) -> float:
        """Ask once; after how many seconds to ask again."""
        begun = self._view.begun
        if begun != self._begun:
            self._begun, self._epoch, self._number = begun, 0, 0
        told = self._told()
        if told is None:
            return self._end() if time.monotonic() - self._told_at > _MISSED_S else _LOOK_S
        self._told_at = time.monotonic()
        if not (told.under_way or (told.idle and self._view.away)):
            return self._end()
        if not told.whole:
            log.warning("live-view-too-far-behind", remedy="what is shown is old until the database is back")
            return self._end()
        self._view.take_ahead(told.records)
        self._epoch, self._number = told.epoch, told.last
        if told.more:
            return 0.0
        self._view.tell_ahead(True)
        return _LOOK_S

    def _told(self) -> Announced | None:
        """The engine's answer; None for none."""
        try:
            return self._hearing.opened(self._ask(f"{SINCE} {self._view.position} {self._epoch} {self._number}"))
        except (ControlError, Refused) as error:
            log.debug("engine-tells-nothing", why=str(error))
        except (Corrupt, Tampered) as error:
            log.error("engine-tells-what-cannot-be-read", why=str(error), remedy="screens are old until it is back")  # noqa: TRY400 - the words say it
        return None

    def _end(self) -> float:
        self._epoch = self._number = 0
        self._view.tell_ahead(False)
        return _QUIET_S
