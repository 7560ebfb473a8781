"""A relay in front of PostgreSQL's socket that can lose an answer, go silent, or cut everything."""

import contextlib
import socket
import threading
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

_CHUNK = 65_536


class Proxy:
    """Listens on a Unix socket of its own; `url` leads through it.

    `swallow_next_answer(word)` waits for a client message that holds `word`, lets it through, and cuts the connection
    as soon as the server's answer comes, which is what a dying network does to a COMMIT.
    """

    def __init__(self, directory: Path, target: str) -> None:
        parts = urlsplit(target)
        self._target = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"
        self.url = urlunsplit(parts._replace(query=f"host={quote(str(directory), safe='')}"))
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(directory / ".s.PGSQL.5432"))
        self._listener.listen()
        self._lock = threading.Lock()
        self._open = True
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._wanted: bytes | None = None
        self._then_shut = False
        self._armed: set[int] = set()
        self.swallowed = threading.Event()
        self._flows = threading.Event()
        self._flows.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def swallow_next_answer(self, word: bytes, *, then_shut: bool = False) -> None:
        with self._lock:
            self._wanted = word
            self._then_shut = then_shut
            self.swallowed.clear()

    def cut(self, *, stay_shut: bool = False) -> None:
        """Cut every connection; refuse new ones until `reopen` where asked."""
        with self._lock:
            self._open = not stay_shut
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            _hang_up(*pair)
        self._flows.set()

    def reopen(self) -> None:
        with self._lock:
            self._open = True

    def go_silent(self) -> None:
        """Let nothing through in either direction, and cut nothing, until `speak` or `cut`."""
        self._flows.clear()

    def speak(self) -> None:
        """Let through what was held back, and all that follows."""
        self._flows.set()

    def close(self) -> None:
        # Shutting down wakes the thread in accept(); closing alone does not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut(stay_shut=True)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            with self._lock:
                # Asked and entered in one step: a cut finds each connection either not yet there, and it is refused
                # here, or in the list. One that came up in between would outlive the cut.
                is_open = self._open
                if is_open:
                    self._pairs.append((client, server))
            if is_open:
                threading.Thread(target=self._relay, args=(client, server), daemon=True).start()
            else:
                client.close()
                server.close()

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        """Both directions; closed only when nobody reads from them any more, or the numbers would be given anew."""
        with contextlib.suppress(OSError):
            server.connect(self._target)
            back = threading.Thread(target=self._to_client, args=(client, server), daemon=True)
            back.start()
            self._to_server(client, server)
            back.join()
        with self._lock:
            if (client, server) in self._pairs:
                self._pairs.remove((client, server))
        client.close()
        server.close()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(_CHUNK):
                self._flows.wait()
                with self._lock:
                    if self._wanted is not None and self._wanted in data:
                        self._wanted = None
                        self._armed.add(id(client))
                server.sendall(data)
        _hang_up(client, server)

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(_CHUNK):
                self._flows.wait()
                with self._lock:
                    armed = id(client) in self._armed
                    self._armed.discard(id(client))
                if armed:
                    if self._then_shut:
                        self.cut(stay_shut=True)
                    self.swallowed.set()
                    break
                client.sendall(data)
        _hang_up(client, server)


def _hang_up(*sockets: socket.socket) -> None:
    """End the connection; whoever waits for something from it is told so."""
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
