"""Ports on the loopback that nobody uses at this moment."""

import random
import socket

# Above the services, below what Linux hands out by itself (32768 up), so that no outgoing connection takes ours between
# the look and the use.
FIRST, LAST = 20_000, 31_900

_dice = random.SystemRandom()
_given: set[int] = set()


def free_port() -> int:
    """A port free for TCP and UDP on 127.0.0.1."""
    return free_range(1)


def free_range(count: int) -> int:
    """The first, even, of `count` neighbouring ports that are all free for TCP and UDP on 127.0.0.1."""
    for _ in range(200):
        first = _dice.randrange(FIRST, LAST - count, 2)
        wanted = range(first, first + count)
        if _given.isdisjoint(wanted) and all(map(_is_free, wanted)):
            _given.update(wanted)  # its user may not have opened it yet when the next one asks
            return first
    raise AssertionError(f"no {count} neighbouring free ports between {FIRST} and {LAST}: what holds them all?")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
