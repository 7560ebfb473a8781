"""What comes of a command: the switch's answer, or none, exactly once."""

import time
from collections.abc import Callable
from typing import Final

import structlog
from msgspec import Struct

from orchestrator.esl.translate import verdict

log = structlog.get_logger(__name__)

REPLY_MS: Final = 3_000
"""How long a quick command may take. On an idle switch it takes half a millisecond; this is for one in trouble."""
# Replies come in order, so whoever owes one for this long holds up all others, whatever the command was.
STUCK_MS: Final = 10_000


class Reply(Struct, frozen=True):
    """The switch's answer to one command. `text` is whole; `answer` is its first line without +OK or -ERR."""

    text: str

    @property
    def ok(self) -> bool:
        return self.text.startswith("+OK") or verdict(self.text)[0]

    @property
    def answer(self) -> str:
        return verdict(self.text)[1]


class NoReply(Struct, frozen=True):
    """There was no answer: `timeout`, `link_down` (the outcome is unknown), or `not_sent` (nothing was written)."""

    why: str


Outcome = Reply | NoReply
Done = Callable[[Outcome], None]


class Pending:
    """A command on its way. Its place in the line stays when its time is over: the answer may still come."""

    __slots__ = ("deadline", "done", "since")

    def __init__(self, done: Done, deadline_ms: int) -> None:
        self.done: Done | None = done
        self.since = time.monotonic()
        self.deadline = self.since + deadline_ms / 1000

    def settle(self, outcome: Outcome) -> None:
        done, self.done = self.done, None
        if done is None:
            return
        try:
            done(outcome)
        except Exception:
            # A fault of whoever asked must not end the connection on which every call hangs.
            log.exception("reply-not-taken")
