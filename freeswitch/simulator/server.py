"""The simulated switch on a TCP port: one thread, one selector, real time."""

import selectors
import socket
import sys
import time
from collections.abc import Iterable

from freeswitch.simulator import wire
from freeswitch.simulator.connection import Connection
from freeswitch.simulator.model import Model
from freeswitch.simulator.peering import Peering
from freeswitch.simulator.script import Script
from freeswitch.simulator.timeline import MILLISECOND, SECOND

_CHUNK = 64 * 1024
"""Below what malloc asks the kernel for anew each time."""
_BACKLOG = 5
"""Connections that wait to be accepted: the real event socket listens with 5."""

_LONGEST_SLEEP = 1 * SECOND

_STUCK_NAP_S = 0.005

_LONGEST_GOODBYE = 2 * SECOND
"""How long legs may take to end when the switch shuts down."""

_LONGEST_SILENCE = 30 * SECOND
"""And then clients to take nothing of what is left to say: a machine that is busy may let nobody read for seconds. The
real one waits for ten minutes (`switch_socket_send` looks again 60 000 times, each 10 ms).
"""

_LONGEST_FAREWELL = 120 * SECOND
"""And how long it lasts at most, however slowly somebody goes on taking it."""


def clock() -> int:
    """The wall clock in µs since 1970-01-01 UTC."""
    return time.time_ns() // 1_000


class Client:
    """A socket and what is said on it."""

    def __init__(self, sock: socket.socket, connection: Connection) -> None:
        self.sock = sock
        self.connection = connection
        self.writing = False


class Server:
    """Serves one model until it is told to stop. `host` should stay 127.0.0.1: the protocol knows no secrecy."""

    def __init__(
        self, model: Model, *, password: str, host: str = "127.0.0.1", port: int = 0, peering: Peering | None = None
    ) -> None:
        self.model = model
        self._password = password
        self._address = (host, port)
        self._selector = selectors.DefaultSelector()
        self._clients: dict[socket.socket, Client] = {}
        self._listener: socket.socket | None = None
        self._asked_to_stop = False
        self._stopping = False
        self._leave_by = 0
        self._leave_at_last = 0
        self._stuck_until = 0
        self._back_at = 0
        self._give_up_at = sys.maxsize
        self._scripts: list[Script] = []
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._selector.register(self._wake_in, selectors.EVENT_READ)
        self._peering = peering
        if peering is not None:
            self._selector.register(peering.socket, selectors.EVENT_READ)
        self._listen()

    @property
    def port(self) -> int:
        """The port that it listens on, also where it was asked to choose one (0)."""
        return self._address[1]

    def play(self, script: Script) -> None:
        """Let this script's phones and callers live."""
        self._scripts.append(script)
        script.begin(self.model, clock())

    def stop(self) -> None:
        """Shut the switch down in good order, which ends `run`: SHUTDOWN is told, every leg is ended.

        May be called from a signal handler or another thread, and after the end.
        """
        self._asked_to_stop = True
        if self._wake_out.fileno() >= 0:
            self._wake_out.send(b"x")

    def run(self) -> None:
        """Serve until stopped; then say everything and goodbye to every client, and close."""
        try:
            while not self._stopping:
                self.turn()
        finally:
            for client in list(self._clients.values()):
                self._drop(client)
            self._close_listener()
            self._selector.close()
            if self._peering is not None:
                self._peering.close()
            self._wake_in.close()
            self._wake_out.close()

    def turn(self) -> None:
        """Wait for bytes or for the next thing that is due, then do all that can be done now."""
        if clock() < self._stuck_until:
            time.sleep(_STUCK_NAP_S)
            self._live(clock())
            return
        due = self._next_due()
        ready = self._selector.select(max(min(due - clock(), _LONGEST_SLEEP), 0) / SECOND)
        now = clock()
        # Whoever waits for events sends a line feed hundreds of times a second, and mostly there is nothing to hear.
        if self._take(ready, now) or not ready or now >= due:
            self._live(now)

    # --- one turn ------------------------------------------------------------------------------------------------

    def _next_due(self) -> int:
        if self._leave_by:
            return self._leave_by
        moments = [self.model.next_due(), *(script.next_due() for script in self._scripts), self._back_at or None]
        due = [moment for moment in moments if moment is not None]
        looks = (client.connection.next_look() for client in self._clients.values() if not client.writing)
        due += [look for look in looks if look is not None]
        return min(due, default=sys.maxsize)

    def _take(self, ready: list[tuple[selectors.SelectorKey, int]], now: int) -> bool:
        """Take what has come. Returns whether there may be anything to do because of it."""
        stirred = bool(self._leave_by)
        for key, mask in ready:
            if key.data is not None:
                client: Client = key.data
                stirred |= bool(mask & selectors.EVENT_WRITE)
                if client.sock in self._clients and mask & selectors.EVENT_READ:
                    stirred |= self._read(client, now)
                continue
            stirred = True
            if key.fileobj is self._listener:
                self._accept()
            elif key.fileobj is self._wake_in:
                self._wake_in.recv(64)
            elif self._peering is not None:
                for peer, message in self._peering.received():
                    self.model.from_peer(peer, message, now)
        return stirred

    def _live(self, now: int) -> None:
        model = self.model
        if self._leave_by:
            left = self._unsaid()
            for client in list(self._clients.values()):
                self._write(client)
            if self._unsaid() < left:
                self._leave_by = now + _LONGEST_SILENCE  # somebody is still taking it, if slowly
            self._stopping = not self._clients or now >= min(self._leave_by, self._leave_at_last)
            return
        if self._asked_to_stop and not model.switch.stopping:
            self._give_up_at = now + _LONGEST_GOODBYE
            model.shut_down(now)
        for script in self._scripts:
            script.advance(model, now)
        events = model.advance(now)
        for peer, message in model.to_peers():
            if self._peering is not None:
                self._peering.send(peer, message)
        self._trouble(now)
        connections = [client.connection for client in self._clients.values()]
        if events:
            for connection in connections:
                connection.offer(events)
        if now >= self._stuck_until:
            for client in list(self._clients.values()):
                client.connection.flush(now)
                if client.connection.outgoing or client.connection.closing:
                    self._write(client)
        self._listen_for(connections)
        if self._back_at and now >= self._back_at:
            self._back_at = 0
            self._listen()
        if model.switch.stopping and (self._all_is_told() or now >= self._give_up_at):
            self._farewell(now)

    def _listen_for(self, connections: Iterable[Connection]) -> None:
        wanted: set[str] = set()
        for connection in connections:
            wanted |= connection.wants
        self.model.interest = None if "ALL" in wanted else wanted

    def _all_is_told(self) -> bool:
        """Whether no leg is left and no event is on its way: a leg's end is told a moment after the leg is gone."""
        return not self.model.switch.legs and self.model.switch.bus.next_due() is None

    def _farewell(self, now: int) -> None:
        """The switch was told to shut down: say the rest. Whoever is slow to take it is given a while."""
        self._close_listener()
        self._back_at = 0
        for client in list(self._clients.values()):
            client.connection.finish(wire.SHUTTING_DOWN)
            self._write(client)
        self._leave_by = now + _LONGEST_SILENCE
        self._leave_at_last = now + _LONGEST_FAREWELL
        self._stopping = not self._clients

    def _unsaid(self) -> int:
        """Bytes that clients have not taken yet."""
        return sum(len(client.connection.outgoing) for client in self._clients.values())

    def _trouble(self, now: int) -> None:
        """Carry out the faults of connections that were asked for."""
        faults, self.model.link_faults = self.model.link_faults, []
        if faults:
            for client in list(self._clients.values()):
                self._write(client)  # whoever asked for trouble hears that it is coming
        for kind, ms in faults:
            match kind:
                case "stuck":
                    self._stuck_until = now + ms * MILLISECOND
                case "restart":
                    if ms:
                        self._close_listener()
                        self._back_at = now + ms * MILLISECOND
                    for client in list(self._clients.values()):
                        self._drop(client)
                    self.model.restart(now)
                case "close":
                    for client in list(self._clients.values()):
                        self._drop(client)
                case _:  # close_mid_frame
                    for client in list(self._clients.values()):
                        client.connection.cut(now)
                        self._write(client)

    # --- sockets -------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(self._address)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        self._address = listener.getsockname()[:2]
        self._selector.register(listener, selectors.EVENT_READ)
        self._listener = listener

    def _close_listener(self) -> None:
        if self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self) -> None:
        if self._listener is None:
            return
        sock, _ = self._listener.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(sock, Connection(self.model, self._password))
        self._clients[sock] = client
        self._selector.register(sock, selectors.EVENT_READ, client)
        self._write(client)

    def _read(self, client: Client, now: int) -> bool:
        """Returns whether there may be anything to do because of it."""
        try:
            data = client.sock.recv(_CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if data:
            return client.connection.receive(data, now)
        self._drop(client)
        return True

    def _write(self, client: Client) -> None:
        """Send what can be sent; the rest waits until the client takes it."""
        outgoing = client.connection.outgoing
        try:
            while outgoing:
                sent = client.sock.send(outgoing)
                del outgoing[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(client)
            return
        if client.connection.closing and (not outgoing or client.connection.killed):
            self._drop(client)
            return
        if bool(outgoing) != client.writing:
            client.writing = bool(outgoing)
            mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.writing else 0)
            self._selector.modify(client.sock, mask, client)

    def _drop(self, client: Client) -> None:
        if self._clients.pop(client.sock, None) is not None:
            self._selector.unregister(client.sock)
            client.sock.close()
