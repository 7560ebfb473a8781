"""The sign of life that keeps each switch from serving callers by itself (freeswitch/conf/deadman.lua).

One command a second and switch, and nothing a call. It changes no call, so it needs no event (law 1).
"""

from collections.abc import Callable, Mapping
from typing import Final

import gevent

from orchestrator.esl import commands
from orchestrator.esl.node import Link
from orchestrator.esl.replies import Outcome
from orchestrator.steady import Spawn

# The switch looks once a second.
EVERY_S: Final = 1.0


class SignOfLife:
    """Given to every switch that can be reached, for as long as `lives()`; with the word that new callers are the
    switch's own for as long as it is `full()`.
    """

    def __init__(
        self,
        links: Mapping[str, Link],
        *,
        lives: Callable[[], bool],
        full: Callable[[], bool] = lambda: False,
        every_s: float = EVERY_S,
    ) -> None:
        self.given = 0
        """Commands written since the start."""
        self._links = links
        self._lives = lives
        self._full = full
        self._every_s = every_s
        self._greenlet: gevent.Greenlet | None = None

    def start(self, spawn: Spawn) -> None:
        """Begin to give it, in the background."""
        self._greenlet = spawn("sign_of_life", self._give_for_ever)

    def stop(self) -> None:
        """Give it no more."""
        if self._greenlet is not None:
            self._greenlet.kill()

    def _give_for_ever(self) -> None:
        while True:
            if self._lives():
                for link in self._links.values():
                    self._give(link)
            gevent.sleep(self._every_s)

    def _give(self, link: Link) -> None:
        if link.up:
            self.given += 1
            link.command(commands.ALIVE_AND_FULL if self._full() else commands.ALIVE, _taken)


def _taken(_: Outcome) -> None:
    """A switch that does not answer is noticed by its link, which asks it for nothing but that."""
