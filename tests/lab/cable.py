"""A cable between a client and a TCP server of this machine, which can be pulled out and put in again."""

import contextlib
import socket
import threading

_CHUNK = 65_536


class Cable:
    """Leads from `port` to `target`, both on 127.0.0.1. In use from making it to `close`.

    Pulled out it says nothing to anybody: no byte, no FIN and no RST comes through, in neither direction. What was sent
    meanwhile comes when it is put in again, as TCP sends anew what was not acknowledged; but whoever was given up by
    the server meanwhile is not told, and learns of it by its next word. Like a proxy on the way it takes what it is
    given, so the server's own kernel has no reason to give up.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._in = threading.Event()
        self._in.set()
        self._lock = threading.Lock()
        self._ends: set[socket.socket] = set()
        self.held: list[bytes] = []
        """What clients said into the cable while it was out, in order."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def pull_out(self) -> None:
        """From now on nothing comes through."""
        self.held.clear()
        self._in.clear()

    def put_in(self) -> None:
        """What was held back comes through, and all that follows."""
        self._in.set()

    def close(self) -> None:
        """Cut it; what is on it is lost."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            ends = tuple(self._ends)
        for end in ends:
            _hang_up(end)
        self._in.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        """One connection, closed only when nobody reads from it any more."""
        given_up = threading.Event()
        with client, socket.socket() as server:
            with self._lock:
                self._ends |= {client, server}
            with contextlib.suppress(OSError):
                server.connect(("127.0.0.1", self._target))
                back = threading.Thread(target=self._to_client, args=(client, server, given_up), daemon=True)
                back.start()
                self._to_server(client, server, given_up)
                back.join()
            with self._lock:
                self._ends -= {client, server}

    def _to_server(self, client: socket.socket, server: socket.socket, given_up: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(_CHUNK):
                if not self._in.is_set():
                    self.held.append(data)
                self._in.wait()
                if given_up.is_set():
                    break
                server.sendall(data)
        self._in.wait()
        _hang_up(client, server)

    def _to_client(self, client: socket.socket, server: socket.socket, given_up: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(_CHUNK):
                self._in.wait()
                client.sendall(data)
        if self._in.is_set():
            _hang_up(client, server)
        else:
            given_up.set()


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
