"""The time of a site: one for all its engines. Every deadline is set and looked at by it, and `at` in the log is of it.

It is the database's clock, which all engines of a site have in common, carried on by a clock that nobody sets. What the
clock on the wall of the host says decides nothing: it may be an hour off, or be put right in the middle of a call.

    the first word of the database ──▶ its time ──▶ goes on by itself, slewed towards the database's, never back

Where the database's own clock is put forward or back, or another server with another clock takes over, nobody who waits
is turned away for it: the site's time follows a hundredth faster or slower (docs/decisions/0120).
"""

import time
from collections.abc import Callable
from typing import Final

import structlog
from msgspec import Struct

from orchestrator.domain.kernel import SECOND, Instant

log = structlog.get_logger(__name__)

Clock = Callable[[], Instant]

# The database's time is followed by 1 in so many: a wrap-up of ten seconds is a tenth of one shorter or longer then.
SLEWED: Final = 100
# From here on it is said. Below it nobody notices.
MOST_OFF: Final = 2 * SECOND


def wall_clock() -> Instant:
    """Now, by this machine's clock."""
    return Instant(time.time_ns() // 1000)


def elapsed() -> int:
    """Microseconds on a clock that nobody sets, and that runs on while the process is stopped or the machine asleep."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


class _Word(Struct, frozen=True):
    """What is known since `since` (elapsed): the site's time then, and by how much the database's was ahead of it."""

    since: int
    at: int
    ahead: int = 0


class SiteClock:
    """Call it for the site's time. `hear` what the database says whenever it says something; in between, and while it
    is away, the time goes on by itself. Before its first word it is the wall's.
    """

    def __init__(self, wall: Clock = wall_clock, elapsed: Callable[[], int] = elapsed) -> None:
        self._wall = wall
        self._elapsed = elapsed
        self._word = _Word(elapsed(), wall())
        self._latest = 0
        self._heard = False
        self._said = {"host-clock-off": False, "database-clock-off": False}

    def __call__(self) -> Instant:
        """The site's time; never earlier than what was said before."""
        now = self._at(self._elapsed())
        if now < self._latest:
            return Instant(self._latest)
        self._latest = now
        return Instant(now)

    def hear(self, said: int, asked: int, answered: int) -> None:
        """The database's clock said `said` (Unix µs) at some moment between these two (elapsed)."""
        if not self._heard:
            self._heard = True
            self._word, self._latest = _Word(answered, said), 0
            return
        ours, latest = self._at(asked), self._at(answered)
        # Within these nobody can say who is right.
        ahead = said - latest if said > latest else min(0, said - ours)
        self._word = _Word(answered, latest, ahead)

    def go_on_from(self, last_at: Instant) -> None:
        """The log has got as far as this. Where the database's clock is behind it, time goes on from here all the same,
        at its own pace: deadlines are kept, and wait for no clock to catch up.
        """
        since = self._elapsed()
        now = self._at(since)
        if last_at > now:
            self._word = _Word(since, last_at, now + self._left(since) - last_at)

    @property
    def database_off(self) -> int:
        """By how much the database's clock is ahead of the site's time (µs), as far as is known."""
        return self._left(self._elapsed())

    @property
    def host_off(self) -> int:
        """By how much the clock of this host is ahead of the database's (µs); 0 before its first word."""
        since = self._elapsed()
        return self._wall() - self._at(since) - self._left(since) if self._heard else 0

    def say(self) -> None:
        """Say it once where a clock is wrong, and once that it is right again."""
        for line, off, remedy in (
            (
                "host-clock-off",
                self.host_off,
                "set this host's clock right (NTP); calls go by the database's meanwhile",
            ),
            (
                "database-clock-off",
                self.database_off,
                "set the database host's clock right (NTP); see the runbook, “A clock is wrong”",
            ),
        ):
            wrong = abs(off) > MOST_OFF
            if wrong and not self._said[line]:
                log.error(line, off_s=round(off / SECOND, 1), remedy=remedy)
            elif self._said[line] and not wrong:
                log.info(line, off_s=round(off / SECOND, 1), remedy="none: it is right again")
            self._said[line] = wrong

    def _at(self, since: int) -> int:
        word = self._word
        gone = since - word.since
        if not word.ahead:
            return word.at + gone
        most = abs(gone) // SLEWED
        return word.at + gone + max(-most, min(word.ahead, most))

    def _left(self, since: int) -> int:
        """What is left of the database's lead."""
        word = self._word
        return word.at + (since - word.since) + word.ahead - self._at(since)
