"""`ringledger web`: every part of the web made, once, and taken down in the reverse order."""

import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from contextlib import closing as closing_of
from dataclasses import replace
from functools import partial
from typing import Any

import gevent
import structlog
from flask import Flask
from gevent.event import Event
from gevent.lock import RLock
from gevent.threadpool import ThreadPool

from orchestrator import logs
from orchestrator.control import Client, control_path
from orchestrator.domain.kernel import Refused
from orchestrator.settings import Address, Settings
from projections.live import LiveView
from projections.live_ahead import ANSWER_S, Ahead
from projections.reading import NOT_TO_BE_HAD, Away, Reading, open_reading
from web import waiting
from web.access.watch import Watch
from web.app import LONGEST_BODY, create_app
from web.http import Server
from web.parts import Parts
from web.push import present
from web.whatif.jobs import end_all

log = structlog.get_logger(__name__)

# Password hashes at once: each takes 19 MiB and a core for 40 ms.
_HASHES_AT_ONCE = 2
_STOP_S = 5
# How often it is looked whether the database is there, and how long an answer may take that is under way then.
_AGAIN_S = 0.5
_LET_GO_S = 1
# The same of one that does not come up: each time a server is started.
_STUCK_AGAIN_S = 5.0
# Opening takes some tenths of a second.
_LONG_S = 3.0


def run_web(settings: Settings) -> int:
    """Serve screens and API until SIGTERM or SIGINT; the exit code. Needs a process patched by gevent. While the
    database is not there every page says so.

    Raises `Refused` where RINGLEDGER_WEB says that there is to be none, or its address is taken.
    """
    if settings.web is None:
        raise Refused("no_web", "RINGLEDGER_WEB is empty, so there is no address to serve at; write host:port.")
    logs.configure(settings.log_level)
    asked_to_stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, asked_to_stop.set)
    pool = ThreadPool(_HASHES_AT_ONCE)

    def off_hub(work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401 - whatever it returns
        return pool.apply(work, arguments)

    with ExitStack() as closing:
        opening = partial(open_reading, settings, off_hub=off_hub)
        reading, standing_in = _opened(settings, settings.web, opening, closing, asked_to_stop)
        closing.callback(pool.kill)
        if reading is None:
            return 0
        parts = Parts(settings=settings, reading=reading, control=lambda: Client(control_path(settings.home)))
        watch = _watching(Watch(reading, parts.spools), asked_to_stop)
        closing.callback(watch.stop)
        app = create_app(parts)
        closing.callback(end_all, app)
        view = LiveView(reading.log).start()
        closing.callback(view.stop)
        hasty = replace(parts, control=lambda: Client(control_path(settings.home), timeout_s=ANSWER_S))
        ahead = Ahead(view, hasty.ask, reading.vault).start()
        closing.callback(ahead.stop)
        hub = present.install(app, view).hub
        closing.callback(hub.stop)
        reading.users.on_change(hub.recheck)
        if standing_in is None:
            server = _listening(settings.web, app, LONGEST_BODY)
        else:
            # The same server all along: nobody who comes by itself is refused in between.
            server = standing_in
            server.most_body_bytes, server.application = LONGEST_BODY, app
        closing.callback(server.stop, _STOP_S)
        log.info("web-serves", address=str(settings.web))
        asked_to_stop.wait()
    log.info("web-stopped")
    return 0


def _opened(
    settings: Settings,
    address: Address,
    opening: Callable[[], AbstractContextManager[Reading]],
    closing: ExitStack,
    stop: Event,
) -> tuple[Reading | None, Server | None]:
    """The ledger, once its database is there (None where we are asked to stop first), and the server that has stood in
    for it until then, which stands on.
    """
    standing_in = _StandIn(settings, address)
    closing.callback(standing_in.stop)
    while not stop.is_set():
        try:
            reading = closing.enter_context(opening())
        except Away as away:
            standing_in.begin(str(away))
        except NOT_TO_BE_HAD as error:
            standing_in.begin(str(error), stuck=True)
        else:
            return reading, standing_in.settled()
        stop.wait(_STUCK_AGAIN_S if standing_in.stuck else _AGAIN_S)
    return None, None


class _StandIn:
    """What tells everybody that the database is away, once that is known or it takes long to be had."""

    def __init__(self, settings: Settings, address: Address) -> None:
        self._settings = settings
        self._address = address
        self.stuck = False
        """Whether somebody has to do something about the database."""
        self._said = ""
        self._server: Server | None = None
        self._settled = Event()
        self._making = RLock()
        self._greenlet = gevent.spawn(self._begin_late)

    def begin(self, why: str, *, stuck: bool = False) -> None:
        """Now, unless it has begun; each reason is said once. `stuck`: it does not come up, and `why` says what to do.
        Raises `Refused` where the address is taken.
        """
        with self._making:
            what = why.partition("\n")[0]  # what follows is of this time
            if stuck and what != self._said:
                self._said = what
                remedy = f"put right what it says; it is tried again every {_STUCK_AGAIN_S:g} s"
                log.error("database-not-started", why=why, remedy=remedy)
            self.stuck = stuck
            if self._server is None:
                if not stuck:
                    log.warning("web-waits", why=why, remedy="every page says so until the database is there")
                self._server = _stand_in(self._settings, self._address, lambda: self.stuck)

    def settled(self) -> Server | None:
        """The database is there: the server, where one began, which stands on; none begins any more."""
        self._settled.set()
        self._greenlet.join()
        return self._server

    def stop(self) -> None:
        """Stand in no more."""
        server = self.settled()
        if server is not None:
            server.stop(_LET_GO_S)

    def _begin_late(self) -> None:
        """Its server may recover from a crash, or another process be at it, for minutes."""
        if self._settled.wait(_LONG_S):
            return
        try:
            with self._making:
                if self._server is None:  # else something more is known by now
                    self.begin(f"it could not be opened within {_LONG_S:g} s")
        except Refused as refused:  # as it will be once the database is there
            log.error("web-unheard", why=refused.message)  # noqa: TRY400 - the words say it


def _watching(watch: Watch, stop: Event) -> Watch:
    """The same, begun once the database is there (again)."""
    while not stop.is_set():
        try:
            return watch.start()
        except Away as away:
            log.warning("web-waits", why=str(away), remedy="it goes on once the database is there again")
        stop.wait(_AGAIN_S)
    return watch


def _stand_in(settings: Settings, address: Address, stuck: Callable[[], bool]) -> Server:
    """What tells everybody that the database is away."""

    def ask(question: str) -> Any:  # noqa: ANN401 - JSON, whatever the question
        with closing_of(Client(control_path(settings.home), timeout_s=ANSWER_S)) as client:
            return client.ask(question)

    return _listening(address, waiting.create_app(settings, ask, stuck), waiting.LONGEST_BODY)


def _listening(address: Address, app: Flask, most_body_bytes: int) -> Server:
    """A server of this app. Raises `Refused` where the address is taken."""
    server = Server(address, app, most_body_bytes=most_body_bytes)
    try:
        server.start()
    except OSError as error:
        raise Refused(
            "address_taken",
            f"{address} cannot be listened at ({error.strerror}): another program is there, perhaps another "
            "Ringledger. End it, or set RINGLEDGER_WEB to another address.",
        ) from None
    return server
