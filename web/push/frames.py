"""Server-sent events as bytes (WHATWG HTML, 9.2): made once, sent to many."""

import json
from typing import Final

from msgspec import Struct

from orchestrator.domain.access.scope import EVERYBODY, Scope

# A browser that lost its stream comes back after two to four seconds, not all of them at once.
RETRY_MS: Final = 2_000


class Audience(Struct, frozen=True):
    """Those who are shown the very same bytes."""

    language: str
    sees_numbers: bool = False
    """Whether callers' numbers are shown whole or masked."""
    scope: Scope = EVERYBODY
    """Whose agents they see."""


def frame(event: str, data: str) -> bytes:
    """One event without an id. Lines end in LF or CR as the data has them: each becomes a line of its own."""
    lines = data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "".join((f"event: {event}\n", *(f"data: {line}\n" for line in lines), "\n")).encode()


def with_id(position: int, ready: bytes) -> bytes:
    """The same event with the position of the log up to which its receiver has been told everything."""
    return b"id: %d\n" % position + ready


def opening(jitter_ms: int) -> bytes:
    """What every stream begins with: when to come back. The space keeps proxies from waiting for more (a comment)."""
    return f"retry: {RETRY_MS + jitter_ms}\n: {' ' * 256}\n\n".encode()


def beat(at_ms: int, *, stale: str, next_ms: int | None = None) -> bytes:
    """The sign of life, with the server's clock, what has to be said of what is shown (`degraded`, `away` for old, or
    nothing), and in how long the next one comes; None for one that comes between two, and says nothing of the next.
    """
    return frame("beat", json.dumps({"at": at_ms, "stale": stale, "next": next_ms}))


RESET: Final = frame("reset", "")
"""The page knows of a log that is not ours (any more): load it again."""
END: Final = frame("end", "")
"""Whoever looks may look no longer: sign in again."""
