"""An engine on a host of its own, with its database and its switch on the other end of a cable."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from tests.acceptance.house import Engine, House, url_of
from tests.acceptance.tap import Relay, Tap
from tests.lab.apart import Apart


@contextmanager
def far_engine(house: House) -> Iterator[tuple[Engine, Apart, Tap]]:
    """An engine that is active, its cable, and what it wrote to the switch."""
    with Apart() as cable, Tap(house.driver.switch, listener=cable.listen()) as tap:
        listener = cable.listen()
        with Relay(listener, lambda: _database(house)):
            engine = house.start_engine(
                *cable.on_far,
                RINGLEDGER_SWITCHES=url_of(tap.switch),
                RINGLEDGER_DATABASE_URL=_url(house, listener),
            )
            house.await_switch()
            yield engine, cable, tap


def _url(house: House, listener: socket.socket) -> str:
    """The database as the far host reaches it."""
    ours = urlsplit(house.database.url_owner)
    host, port = listener.getsockname()[:2]
    return f"postgresql://{ours.username}:{ours.password}@{host}:{port}{ours.path}"


def _database(house: House) -> socket.socket:
    folder = parse_qs(urlsplit(house.database.url_owner).query)["host"][0]
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(f"{folder}/.s.PGSQL.5432")
    return connection
