"""Whose switch it is. Two ledgers at one switch would each take every call of the other for a stray: the first writes
its name on the switch, and the second is refused.
"""

import time
from collections.abc import Callable
from typing import Final

from orchestrator.esl import commands
from orchestrator.esl.link import EventSocket, LinkError

# Whoever found the switch another's does not take it the moment that it is started anew: its own ledger comes first.
YIELDS_S: Final = 60.0
# What a switch says where an api command has written nothing (mod_event_socket).
_NOTHING: Final = "-ERR no reply"


class Ownership:
    """What this process knows of whose switch it is, over all its connections."""

    def __init__(self, ledger: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`ledger` is our own name; empty for somebody who minds no ownership."""
        self._ledger = ledger
        self._clock = clock
        self._was_foreign = False
        self._free_since: float | None = None

    def check(self, connection: EventSocket) -> None:
        """Raises LinkError where this is another ledger's switch."""
        if self._ledger:
            self._may_have(_owner(connection), connection.where)

    def claim(self, connection: EventSocket) -> None:
        """Have it: write our name where none stands. Raises LinkError where this is another ledger's switch."""
        if not self._ledger:
            return
        owner = _owner(connection)
        self._may_have(owner, connection.where)
        if not owner:
            connection.send(commands.claim(self._ledger))
            # Of two who wrote at once both read the name that was written last.
            self._may_have(_owner(connection), connection.where)

    def _may_have(self, owner: str, where: str) -> None:
        if owner == self._ledger:
            self._was_foreign = False
            return
        if owner:
            self._was_foreign, self._free_since = True, None
            raise LinkError(
                f"{where} serves another ledger ({owner[:40]!r}): take it out of RINGLEDGER_SWITCHES here; or, where "
                "that ledger is no more, run `fs_cli -x 'global_setvar ringledger_ledger='` there"
            )
        if self._was_foreign:
            now = self._clock()
            self._free_since = now if self._free_since is None else self._free_since
            if now - self._free_since < YIELDS_S:
                raise LinkError(f"{where} served another ledger a moment ago, which has {YIELDS_S:g} s to come back")


def _owner(connection: EventSocket) -> str:
    """The ledger whose name stands there; empty where none does."""
    said = connection.send(commands.LEDGER).text.strip()
    return "" if said == _NOTHING else said
