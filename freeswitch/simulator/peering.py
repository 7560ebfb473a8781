"""How the messages of a trunk get from one simulated switch to another: datagrams on the loopback, as SIP is, too.

A message is taken from the addresses of the other switches only, whatever it says of itself.
"""

import json
import socket
from collections.abc import Iterator, Mapping

from freeswitch.simulator.trunk import Message

_LONGEST = 65_535


class Peering:
    """A socket for what the other switches say. `peers`: where each of them listens, by its name."""

    def __init__(self, name: str, address: tuple[str, int], peers: Mapping[str, tuple[str, int]]) -> None:
        self._name = name
        self._peers = peers
        self._hosts = {host for host, _ in peers.values()}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)

    def send(self, peer: str, message: Message) -> None:
        """One that nobody takes is lost, as with SIP on a switch that is gone."""
        self.socket.sendto(json.dumps({"from": self._name, **message}).encode(), self._peers[peer])

    def received(self) -> Iterator[tuple[str, Message]]:
        """Everything that has come by now, with who sent it."""
        while True:
            try:
                data, (host, _) = self.socket.recvfrom(_LONGEST)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                continue  # told of an earlier one that nobody took
            try:
                message = json.loads(data)
                peer = str(message["from"])
            except (ValueError, TypeError, KeyError):
                continue
            if host in self._hosts and peer in self._peers:
                yield peer, message

    def close(self) -> None:
        self.socket.close()
