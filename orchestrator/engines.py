"""Which engines there are at a site, on whatever machines, and how far each has come: each says so once a second.

What is written here decides nothing (the lease does): it is for people, for `/healthz`, and for choosing whom to hand
over to.
"""

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, cast

from msgspec import Struct

from orchestrator.leader import LeaderState, pid_of
from orchestrator.store import Source
from orchestrator.store.connections import Connection

TELL_S: Final = 1.0
# Not heard of for so long, an engine counts as gone.
SILENT_S: Final = 3.5
# And nobody is handed over to who may have died since.
_FRESH_S: Final = 2.0
# An active engine that reaches no switch for so long lets another one decide, which reached one all the while; and not
# before it has been active for so long itself: two that lose their switches in turn do not hand callers to and fro.
BLIND_S: Final = 5.0
HELD_S: Final = 10.0
_TELL: Final = (
    "INSERT INTO public.ringledger_engines AS known (holder, site, host, state, position, abreast, reached, missed,"
    " spool, ahead, faults) VALUES (%(holder)s, %(site)s, %(host)s, %(state)s, %(position)s, %(abreast)s, %(reached)s,"
    " %(missed)s, %(spool)s, %(ahead)s, %(faults)s)"
    " ON CONFLICT (holder) DO UPDATE SET state = excluded.state, position = excluded.position,"
    " abreast = excluded.abreast, reached = excluded.reached, missed = excluded.missed, seen_at = excluded.seen_at,"
    " ahead = excluded.ahead, faults = excluded.faults,"
    " spool = excluded.spool,"
    " since = CASE WHEN known.state = excluded.state THEN known.since ELSE excluded.since END"
)
# Engines that stopped or vanished are shown for an hour.
_FORGET: Final = "DELETE FROM public.ringledger_engines WHERE seen_at < clock_timestamp() - interval '1 hour'"
_ALL: Final = (
    "SELECT holder, host, state, position, abreast, reached, missed, since, ahead, faults,"
    " extract(epoch FROM clock_timestamp() - seen_at)::float8 FROM public.ringledger_engines"
    " WHERE site = %s AND seen_at > clock_timestamp() - interval '1 hour' ORDER BY since, holder"
)


class Standing(Struct, frozen=True, kw_only=True):
    """What an engine says of itself. `abreast`: it has read the log to its end a moment ago; `reached` and `missed`:
    the switches that it has a connection to, and those it has none to; `spool`: the one that it sees, if any; `ahead`:
    for which wish to hand over (its position) it has looked at the switches; `faults` of work beside the calls, since
    its start.
    """

    state: LeaderState
    position: int
    abreast: bool
    reached: tuple[str, ...]
    missed: tuple[str, ...]
    ahead: int = 0
    faults: int = 0
    spool: str = ""


class Seen(Struct, frozen=True, kw_only=True):
    """An engine as the others know it."""

    holder: str
    host: str
    standing: Standing
    since: datetime
    silent_s: float

    @property
    def pid(self) -> int:
        """The number of its process on its host."""
        return pid_of(self.holder)

    @property
    def silent(self) -> bool:
        """Whether nothing was heard of it for too long, though it did not say that it stops."""
        return self.silent_s > SILENT_S and self.standing.state is not LeaderState.STOPPED

    @property
    def may_follow(self) -> bool:
        """Whether it could become active at once, by its own word: warm, and connected to a switch, where there are
        any. Of several, one may be dead for everybody.
        """
        told = self.standing
        fresh = self.silent_s <= _FRESH_S
        return told.state is LeaderState.STANDBY and told.abreast and (bool(told.reached) or not told.missed) and fresh

    def reaches(self, switches: Iterable[str]) -> bool:
        """Whether it is connected to each of these."""
        return set(switches) <= set(self.standing.reached)


class Blindness:
    """Of an active engine: since when it reaches no switch, and who would see more."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held_since = clock()
        self._since: float | None = None
        self._see: dict[str, float] = {}

    def note(self, *, reaches: bool) -> bool:
        """Whether it is blind now, so that it matters what others see."""
        if reaches:
            self._since = None
            self._see = {}
        elif self._since is None:
            self._since = self._clock()
        return self._since is not None

    def follower(self, others: Iterable[Seen]) -> Seen | None:
        """Who of these, who said so a moment ago, is to decide instead; None where it is not time, or nobody is."""
        now = self._clock()
        seeing = [each for each in others if each.may_follow and each.standing.reached]
        self._see = {each.holder: self._see.get(each.holder, now) for each in seeing}
        if self._since is None or now - self._since < BLIND_S or now - self._held_since < HELD_S:
            return None
        long = (each for each in seeing if now - self._see[each.holder] >= BLIND_S)
        return max(long, key=lambda each: len(each.standing.reached), default=None)


class Roster:
    """The engines of a site. Every method raises `Away` where the database is not there."""

    def __init__(self, source: Source, site: str) -> None:
        self._source = source
        self._site = site

    def tell(self, host: str, standing: Standing) -> None:
        """Say how this process (by its source's name) stands."""
        given = {
            "holder": self._source.name,
            "site": self._site,
            "host": host,
            "state": standing.state.value,
            "position": standing.position,
            "abreast": standing.abreast,
            "reached": list(standing.reached),
            "missed": list(standing.missed),
            "ahead": standing.ahead,
            "faults": standing.faults,
            "spool": standing.spool,
        }

        def write(connection: Connection) -> None:
            with connection.transaction():
                connection.execute("SET LOCAL synchronous_commit = off")
                connection.execute(_TELL, given)

        self._source.run(write)

    def forget_old(self) -> None:
        """Drop the rows of engines that have not been heard of for long."""
        self._source.run(lambda connection: connection.execute(_FORGET).close())

    def all(self) -> list[Seen]:
        """Every engine that was heard of lately."""
        rows = self._source.run(lambda connection: connection.execute(_ALL, (self._site,)).fetchall())
        return [_seen(row) for row in cast("list[tuple[Any, ...]]", rows)]


def _seen(row: tuple[Any, ...]) -> Seen:
    holder, host, state, position, abreast, reached, missed, since, ahead, faults, silent_s = row
    standing = Standing(
        state=LeaderState(state),
        position=position,
        abreast=abreast,
        reached=tuple(reached),
        missed=tuple(missed),
        ahead=ahead,
        faults=faults,
    )
    return Seen(holder=holder, host=host, standing=standing, since=since, silent_s=silent_s)
