"""`ringledger web`: every part of the web made, once, and taken down in the reverse order."""

import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import gevent
import structlog
from gevent.event import Event
from gevent.threadpool import ThreadPool

from orchestrator import logs
from orchestrator.control import Client, control_path
from orchestrator.domain.kernel import Refused
from orchestrator.settings import Settings
from projections.live import LiveView
from projections.live_ahead import ANSWER_S, Ahead
from projections.reading import open_reading
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


def run_web(settings: Settings) -> int:
    """Serve screens and API until SIGTERM or SIGINT; the exit code. Needs a process patched by gevent.

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
        reading = closing.enter_context(open_reading(settings, off_hub=off_hub))
        closing.callback(pool.kill)
        parts = Parts(settings=settings, reading=reading, control=lambda: Client(control_path(settings.home)))
        watch = Watch(reading, parts.spools).start()
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
        server = Server(settings.web, app, most_body_bytes=LONGEST_BODY)
        try:
            server.start()
        except OSError as error:
            raise Refused(
                "address_taken",
                f"{settings.web} cannot be listened at ({error.strerror}): another program is there, perhaps another "
                "Ringledger. End it, or set RINGLEDGER_WEB to another address.",
            ) from None
        closing.callback(server.stop, _STOP_S)
        log.info("web-serves", address=str(settings.web))
        asked_to_stop.wait()
    log.info("web-stopped")
    return 0
