"""Ports on the loopback that nobody uses at this moment."""

import os
import random
import socket
import time

# Above the services, below what Linux hands out by itself (32768 up), so that no outgoing connection takes ours between
# the look and the use. Long ranges have a part of their own, or single ports would soon be strewn over all of it.
SINGLE = (20_000, 27_000)
LONG = (27_000, 31_900)
LONG_FROM = 20
# The workers of a run, and what runs beside them, ask for single ports at the same time: each has an eighth for itself.
_PARTS = 8
_OURS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw7").removeprefix("gw")) % _PARTS

KEPT_S = 20.0
"""How long a port that was given is not given again: its user may not have opened it yet when the next one asks."""

_dice = random.SystemRandom()
_given: dict[int, float] = {}


def free_port() -> int:
    """A port free for TCP and UDP on 127.0.0.1."""
    return free_range(1)


def own_port() -> int:
    """One that is given once: whoever has it may be killed, and comes back to it, as a switch does."""
    port = free_port()
    _given[port] = float("inf")
    return port


def free_range(count: int) -> int:
    """The first, even, of `count` neighbouring ports that are all free for TCP and UDP on 127.0.0.1."""
    low, high = LONG if count >= LONG_FROM else _part_of(*SINGLE)
    now = time.monotonic()
    for _ in range(500):
        first = _dice.randrange(low, high - count, 2)
        wanted = range(first, first + count)
        if all(now - _given.get(port, -KEPT_S) >= KEPT_S for port in wanted) and all(map(_is_free, wanted)):
            _given.update(dict.fromkeys(wanted, now))
            return first
    raise AssertionError(f"no {count} neighbouring free ports between {low} and {high}: what holds them all?")


def _part_of(low: int, high: int) -> tuple[int, int]:
    size = (high - low) // _PARTS // 2 * 2
    return low + _OURS * size, low + (_OURS + 1) * size


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
