"""What a request may be and how long it may take, whatever the application behind it."""

import socket
import time
from collections.abc import Iterator

import gevent
import pytest
from flask import Flask, request

from orchestrator.settings import Address
from web import http
from web.http import Server

MOST = 1_000


@pytest.fixture
def server() -> Iterator[Server]:
    """A server whose application says how long the body was."""
    app = Flask(__name__)
    app.add_url_rule("/", "answer", lambda: f"{len(request.get_data())} bytes\n", methods=["GET", "POST"])
    server = Server(Address("127.0.0.1", 0), app, most_body_bytes=MOST)
    server.start()
    yield server
    server.stop(1)


def connect(server: Server) -> socket.socket:
    """A connection that does not wait for ever."""
    connection = socket.create_connection(("127.0.0.1", server.server_port))
    connection.settimeout(5)
    return connection


def answer(connection: socket.socket) -> str:
    """Everything that comes until the server ends the connection."""
    found = b""
    while data := connection.recv(65_536):
        found += data
    return found.decode()


def said(server: Server, text: str) -> str:
    """What is answered to these words."""
    with connect(server) as connection:
        connection.sendall(text.replace("\n", "\r\n").encode())
        return answer(connection)


def test_a_plain_request_is_answered_and_the_connection_kept(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
        assert b"5 bytes" in connection.recv(65_536)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert "0 bytes" in answer(connection)


@pytest.mark.parametrize(
    ("text", "status"),
    (
        pytest.param("POST / HTTP/1.1\nHost: x\nContent-Length: 1001\n\n", "413", id="body too long"),
        pytest.param("POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n5\nhello\n0\n\n", "411", id="chunked"),
        pytest.param("POST / HTTP/1.1\nHost: x\nContent-Length: -5\n\n", "400", id="negative length"),
        pytest.param("POST / HTTP/1.1\nHost: x\nContent-Length: five\n\n", "400", id="no length"),
        pytest.param(f"GET /{'x' * 9_000} HTTP/1.1\nHost: x\n\n", "414", id="long address"),
        pytest.param("GET / HTTP/1.1\nHost: x\n" + f"A: {'x' * 8_000}\n" * 5 + "\n", "400", id="long headers"),
        pytest.param("GET / HTTP/1.1\nHost: x\n" + "A: x\n" * 200 + "\n", "400", id="many headers"),
        pytest.param("nonsense\n\n", "400", id="nonsense"),
    ),
)
def test_what_is_no_request_of_ours_is_refused(server: Server, text: str, status: str) -> None:
    assert said(server, text).startswith(f"HTTP/1.1 {status} ")
    assert "0 bytes" in said(server, "GET / HTTP/1.1\nHost: x\nConnection: close\n\n"), "others are served on"


@pytest.mark.parametrize(
    "begun",
    (
        pytest.param(b"", id="says nothing"),
        pytest.param(b"GET / HT", id="half a line"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n", id="no end of headers"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nhel", id="half a body"),
    ),
)
def test_whoever_is_slow_is_let_go(server: Server, monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    """Anti-abuse: a request that arrives byte by byte holds nothing for long."""
    monkeypatch.setattr(http, "KEEP_ALIVE_S", 0.3)
    monkeypatch.setattr(http, "REQUEST_S", 0.3)
    with connect(server) as connection:
        connection.sendall(begun)
        drip = gevent.spawn(_drip, connection)
        begin = time.monotonic()
        try:
            answer(connection)
        except ConnectionResetError:
            pass  # it hung up with what we had sent still unread
        finally:
            drip.kill()
        assert time.monotonic() - begin < 5


def _drip(connection: socket.socket) -> None:
    try:
        while True:
            gevent.sleep(0.05)
            connection.sendall(b"x")
    except OSError:
        return
