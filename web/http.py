"""The HTTP server: gevent's, with bounds on what a request may be and how long it may take to arrive.

pywsgi itself bounds the request line (8 kB) and, by the standard library, a header's length and the number of headers.
Here: how long each part may take, how large all headers and the body may be together, and that a reader who does not
read is let go. It is made to stand behind a proxy with TLS, not to face the internet.
"""

import logging
import socket
from io import BytesIO
from typing import Any, Final

from flask import Flask
from gevent import Timeout
from gevent.pool import Pool
from gevent.pywsgi import WSGIHandler, WSGIServer

from orchestrator.settings import Address

# An idle connection is kept so long; a page that polls or a person who clicks comes sooner.
KEEP_ALIVE_S: Final = 25.0
# The rest of a request that has begun. A phone in a lift takes seconds, not more.
REQUEST_S: Final = 15.0
# One write that nobody takes: the page is gone, or its reader hangs.
WRITE_S: Final = 30.0
# A network that is away swallows what is sent to it: by then the kernel gives the connection up (TCP_USER_TIMEOUT of
# tcp(7)), instead of after a quarter of an hour, and the desk behind it counts as lost.
UNHEARD_S: Final = 20.0
SOCKET: Final = "ringledger.socket"
MOST_HEADER_BYTES: Final = 32 * 1024
# Of these a few hundred are desks that listen; the rest are requests, which take milliseconds.
MOST_CONNECTIONS: Final = 2_000

_TOO_LARGE: Final = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_LENGTH_REQUIRED: Final = b"HTTP/1.1 411 Length Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class _Bounded:
    """The first so many bytes of a stream of lines."""

    def __init__(self, stream: Any, most: int) -> None:  # noqa: ANN401 - a file of any make
        self._stream = stream
        self._left = most

    def readline(self, size: int = -1) -> bytes:
        line: bytes = self._stream.readline(size)
        self._left -= len(line)
        if self._left < 0:
            raise ValueError("The headers are too long.")
        return line


class Handler(WSGIHandler):  # type: ignore[misc]  # gevent tells no types
    """One connection."""

    def __init__(self, sock: Any, address: Any, server: Any) -> None:  # noqa: ANN401 - gevent tells no types
        sock.settimeout(WRITE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNHEARD_S * 1000))
        super().__init__(sock, address, server)

    def MessageClass(self, stream: Any, *rest: Any) -> Any:  # noqa: ANN401, N802 - pywsgi's name
        """The headers, if they are not too long."""
        return super().MessageClass(_Bounded(stream, MOST_HEADER_BYTES), *rest)

    def read_requestline(self) -> str:
        """The next request's first line; empty, which ends the connection, where none comes in time."""
        came: list[str] = []
        with Timeout(KEEP_ALIVE_S, False):
            came.append(super().read_requestline())
        return came[0] if came else ""

    def read_request(self, raw_requestline: str) -> bool:
        """The rest of a request's head."""
        with Timeout(REQUEST_S, ValueError("The request took too long to arrive.")):
            return bool(super().read_request(raw_requestline))

    def handle_one_response(self) -> None:
        """Take the body in whole, then let the application answer: none of its work waits for a slow sender."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            self._refuse("411", _LENGTH_REQUIRED)
            return
        if (self.content_length or 0) > self.server.most_body_bytes:
            self._refuse("413", _TOO_LARGE)
            return
        if self.content_length:
            body = b""
            with Timeout(REQUEST_S, False):
                body = self.environ["wsgi.input"].read(self.content_length)
            if len(body) != self.content_length:
                self.close_connection = True
                return
            self.environ["wsgi.input"] = BytesIO(body)
        super().handle_one_response()

    def get_environ(self) -> dict[str, Any]:
        """The request's environment, and the socket that it came by: a stream wants to know when it is closed."""
        environ: dict[str, Any] = super().get_environ()
        environ[SOCKET] = self.socket
        return environ

    def _refuse(self, status: str, answer: bytes) -> None:
        self.status = status
        self.close_connection = True
        self.socket.sendall(answer)


class Server(WSGIServer):  # type: ignore[misc]  # gevent tells no types
    """The application at an address."""

    def __init__(self, address: Address, app: Flask, *, most_body_bytes: int) -> None:
        self.most_body_bytes = most_body_bytes
        super().__init__(
            (address.host, address.port),
            app,
            handler_class=Handler,
            spawn=Pool(MOST_CONNECTIONS),
            log=None,
            error_log=logging.getLogger("web.http"),
        )
