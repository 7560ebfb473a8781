"""`ringledger bundle open --web`: the replay screen of one file, until Ctrl-C."""

import secrets
import signal
from collections.abc import Callable

import gevent
from gevent.event import Event

from orchestrator.bundle import Opened
from orchestrator.domain.kernel import Refused
from orchestrator.settings import Address
from web.bundle.app import LONGEST_BODY, create_app
from web.http import Server


def serve(found: Opened, name: str, say: Callable[[str], None], *, port: int = 0) -> None:
    """Serve the bundle on loopback until SIGINT or SIGTERM; `say` is told the address, with a token of its own in it.

    `port` 0: one that is free. Raises `Refused` (`address_taken`).
    """
    token = secrets.token_urlsafe(24)
    server = Server(Address("127.0.0.1", port), create_app(found, name, token), most_body_bytes=LONGEST_BODY)
    try:
        server.start()
    except OSError as error:
        raise Refused(
            "address_taken", f"Port {port} cannot be listened at ({error.strerror}); name another one with --port."
        ) from None
    asked_to_stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, asked_to_stop.set)
    say(f"http://127.0.0.1:{server.server_port}/open/{token}")
    asked_to_stop.wait()
    server.stop(0)
