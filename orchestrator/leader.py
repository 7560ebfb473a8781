"""Who is active: a lease in the database, taken by one process at a time, and a deadline that needs no database.

      stopped ──start──▶ starting ──database answers──▶ standby ──lease free or stale──▶ active
                                                           ▲                               │
                                                           └────── another epoch ──────────┤
      stopped ◀──────────────── stop: the lease is given back ─────────────────────────────┘

Three clocks keep two processes from acting at once. The holder renews every 250 ms. It may write to a switch for 1 s
after the *start* of its last successful renewal, by a clock that runs on while the process is stopped or the machine
asleep. A standby takes over when it has itself seen the row unchanged for 1.5 s. So the old holder has stopped acting
half a second before the new one begins, and what it still sends to the log is refused there by the epoch (law 4).

The time of the site, by which calls are decided, is learnt with each look at the row and each renewal, from the
database that all engines have in common (`clock.py`); of these three clocks it is none.

Two things make it sooner. A holder on the standby's own machine whose process has ended does nothing more: its lease is
taken at once. A holder whose database session was seen and then ended has most likely died: its lease is taken when its
right to write has ended for certain, 1.1 s after the last renewal that was seen. And a holder that hands over writes
the name of the next one into the row.

The row also names the holder's spool, beforehand: while the database is away the holder may go on deciding into it, and
nobody takes the lease who does not see that spool. An engine of another machine does not; so the name stands there only
while none of them stands by, or where the site wants it always (docs/decisions/0097).
"""

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Protocol

import psycopg
from msgspec import Struct

from orchestrator.clock import elapsed
from orchestrator.neighbour import Neighbour, machine
from orchestrator.store.connections import DEFAULT_NAME, Connection, Source, is_passing
from orchestrator.store.errors import Away
from orchestrator.store.recorder import Fence
from orchestrator.store.schema import APPEND_LOCK

_RENEWAL_TIMEOUT_MS: Final = 1_000
# A process that was stopped in the middle of an append holds the append lock until its backend is gone.
_LOCK_TIMEOUT_MS: Final = 2_000
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 0.5
# How often a standby looks whether a holder of its own machine is gone, and at the row where it expects to be handed
# the lease.
_GLANCE_S: Final = 0.02
_EXPECTING_S: Final = 0.005

_TAKE: Final = (
    "UPDATE public.ringledger_lease SET holder = %s, host = %s, backend_pid = pg_backend_pid(), epoch = epoch + 1,"
    " taken_at = clock_timestamp(), renewed_at = clock_timestamp()"
    " WHERE site = %s AND epoch = %s AND holder = %s AND renewed_at = %s AND spool = %s RETURNING epoch"
)
# Also what the database's clock says (Unix µs), and whether an engine that sees another spool stands by.
_RENEW: Final = (
    "UPDATE public.ringledger_lease AS lease SET renewed_at = clock_timestamp(), backend_pid = pg_backend_pid()"
    " WHERE site = %s AND epoch = %s AND holder = %s RETURNING"
    " (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, spool, EXISTS ("
    "SELECT FROM public.ringledger_engines AS other WHERE other.site = lease.site AND other.spool <> %s"
    " AND other.state = 'standby' AND other.seen_at > clock_timestamp() - interval '3.5 s')"
)
_ANNOUNCE: Final = (
    "UPDATE public.ringledger_lease SET spool = %s, renewed_at = clock_timestamp()"
    " WHERE site = %s AND epoch = %s AND holder = %s"
)
_GIVE: Final = (
    "UPDATE public.ringledger_lease SET holder = %s, host = '', backend_pid = NULL, renewed_at = clock_timestamp(),"
    " spool = CASE WHEN %s THEN '' ELSE spool END WHERE site = %s AND epoch = %s AND holder = %s"
)
# Of other users' backends nobody else learns the name; the holder's is our own user's.
_LOOK: Final = (
    "SELECT holder, epoch, renewed_at, host, EXISTS (SELECT FROM pg_stat_activity AS session"
    " WHERE session.pid = lease.backend_pid AND session.application_name = lease.holder), lease.spool,"
    " (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM public.ringledger_lease AS lease WHERE site = %s"
)
# The same role may end its own backends; a stopped process keeps its connections, and what they hold, for ever.
_TERMINATE: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND usename = current_user AND application_name = %s"
)


class LeaderState(StrEnum):
    """Where a process stands."""

    STOPPED = "stopped"
    STARTING = "starting"
    STANDBY = "standby"
    ACTIVE = "active"


class Timings(Struct, frozen=True):
    """Seconds. `act_s` must lie below `gone_s` and `stale_s`, and `renew_s` well below all of them."""

    renew_s: float = 0.25
    act_s: float = 1.0
    gone_s: float = 1.1
    stale_s: float = 1.5


class LeaseRow(Struct, frozen=True):
    """The row as it was seen."""

    holder: str
    epoch: int
    renewed_at: object
    host: str
    spool: str


class Taken(StrEnum):
    """Why a lease could be taken."""

    FREE = "lease_free"
    ENDED = "process_ended"
    GONE = "session_ended"
    STALE = "nothing_heard"
    HANDED = "handed_over"


def holder_name() -> str:
    """A name for this process that no other has: host, process id and chance; short enough for `pg_stat_activity`.

    Give it to the `Source` of everything that this process does: a take-over ends the connections of that name.
    """
    return f"ringledger {socket.gethostname()[:24]} {os.getpid()} {secrets.token_hex(4)}"


def pid_of(holder: str) -> int:
    """The number of the process with this name; 0 for a name that is none of ours."""
    words = holder.split(" ")
    return int(words[2]) if len(words) == 4 and words[2].isdecimal() else 0  # noqa: PLR2004 - as `holder_name` makes it


class Lease:
    """The right to act, as long as it lasts."""

    def __init__(
        self, site: str, epoch: int, holder: str, begun: float, *, act_s: float = 1.0, taken: Taken = Taken.FREE
    ) -> None:
        """`begun`: when it was taken at the latest; each look at what proves it is good for `act_s`."""
        self.site = site
        self.epoch = epoch
        self.holder = holder
        self.taken = taken
        self.act_s = act_s
        self._act_until = begun + act_s
        self._over = False
        self.spool_found = ""
        """The spool that the row named when it was taken."""
        self.settled = False
        """Whether what was found in the spool is in the log, or put aside: nothing new is announced before."""
        self._announced = ""
        self._spooling = False
        self._lock = threading.Lock()

    @property
    def fence(self) -> Fence:
        """What the log's writer checks inside each transaction."""
        return Fence(self.site, self.epoch, self.holder)

    def may_write(self) -> bool:
        """Whether a command may go to a switch now. Asked anew just before each: it costs one look at the clock."""
        return not self._over and _clock() < self._act_until

    def renewed(self, begun: float) -> None:
        """Extend; a renewal that came back late never shortens."""
        self._act_until = max(self._act_until, begun + self.act_s)

    def lost(self) -> None:
        """End at once and for good."""
        self._over = True

    # --- the spool ---------------------------------------------------------------------------------------------------
    @property
    def announced(self) -> str:
        """The spool that the lease's row names, durably; empty where the holder may not spool."""
        return self._announced

    def announce(self, spool: str) -> None:
        """The row names it now."""
        self._announced = spool

    def withdraw(self) -> bool:
        """Spool no more, so that the row's name can be taken away; False while that is under way."""
        with self._lock:
            if not self._spooling:
                self._announced = ""
            return not self._spooling

    def begin_spooling(self) -> bool:
        """Whether the holder may go to the spool; then it stays announced until the end."""
        with self._lock:
            self._spooling = bool(self._announced) and not self._over
            return self._spooling

    def end_spooling(self) -> None:
        """The spool is empty, and the log is written again."""
        self._spooling = False

    def extend(self, stands: Callable[[], bool]) -> bool:
        """While the spool is still ours it stands for the row in the database, which cannot be asked."""
        begun = _clock()
        ours = stands()
        if ours:
            self.renewed(begun)
        return ours


class Announced(Protocol):
    """The spool of this machine, as far as the lease needs it."""

    id: str
    waiting: int
    former: str
    """The one that this machine has put aside itself, so that nobody need wait for it."""


class Leader:
    """Stands by for a site's lease, takes it, renews it, gives it back.

    `on_active(lease)` and `on_deposed(lease)` are called on the leader's thread and must return at once (a long one
    keeps the lease from being renewed). After a deposition the process stands by again and may be active later
    with another lease. While the database is away an active process stays active, but `lease.may_write()` is false
    after a second; when it is back with the same epoch, things go on.
    """

    def __init__(  # noqa: PLR0913 - how it stands by
        self,
        source: Source,
        site: str,
        *,
        on_active: Callable[[Lease], None],
        on_deposed: Callable[[Lease], None],
        on_failed: Callable[[Exception], None] | None = None,
        is_fit: Callable[[], bool] | None = None,
        timings: Timings | None = None,
        host: str | None = None,
        spool: Announced | None = None,
        spool_always: bool = False,
        hear: Callable[[int, int, int], None] = lambda _said, _asked, _answered: None,
    ) -> None:
        """`on_failed(error)`: for something that waiting does not mend no lease is held or sought any more.
        `is_fit()`: asked before a lease is taken that nobody handed over; where it says no, somebody else is to.
        `host`: where processes are known by their numbers (`neighbour.machine`). `spool`: what this process sees of
        spools. `hear`: told what the database's clock says (`clock.SiteClock`) with each look at the row.
        """
        self._timings = given = timings or Timings()
        if not given.renew_s < given.act_s < given.gone_s <= given.stale_s:
            raise ValueError("A lease must be renewed before it ends, and end before it can be taken.")
        if source.name == DEFAULT_NAME:
            raise ValueError("A lease is held under the name of its source: give that holder_name().")
        self.state = LeaderState.STOPPED
        self.lease: Lease | None = None
        self._source = source
        self._site = site
        self._on_active = on_active
        self._on_deposed = on_deposed
        self._on_failed = on_failed
        self._is_fit = is_fit or (lambda: True)
        self._seeks = True
        self._host = host or machine()
        self._spool = spool
        self._spool_always = spool_always
        self._hear = hear
        self.unseen_spool = ""
        """The spool for which the lease waits, and which is not the one that we see."""
        self._stop = threading.Event()
        self._moved = threading.Event()
        self._expecting_until = 0.0
        self._successor = ""
        self._given = threading.Event()
        self._release = True
        self._thread = threading.Thread(target=self._run, name="leader", daemon=True)

    @property
    def holder(self) -> str:
        """This process's name in the lease."""
        return self._source.name

    def start(self) -> "Leader":
        """Begin to stand by. The database need not be there yet."""
        self.state = LeaderState.STARTING
        self._thread.start()
        return self

    def stop(self, *, release: bool = True, timeout_s: float = 5.0) -> bool:
        """End, and give the lease back so that a standby need not wait; whether that was done in time.

        Close the log's writer first: nothing can be appended afterwards. `may_write` is false at once.
        """
        self._release = release
        if (lease := self.lease) is not None:
            lease.lost()
        self._stop.set()
        self._moved.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def hand_to(self, holder: str, *, timeout_s: float = 5.0) -> bool:
        """Give the lease to this standby, and seek it no more until `seek`; whether that was done in time. `may_write`
        is false at once.
        """
        lease = self.lease
        if lease is None:
            return False
        self._seeks = False
        self._given.clear()
        self._successor = holder
        lease.lost()
        self._moved.set()
        return self._given.wait(timeout_s)

    def do_without_spool(self) -> None:
        """Ours cannot be used: name none from now on."""
        self._spool = None

    def seek(self) -> None:
        """Stand by for the lease, which was handed to somebody else: from now on we could go on with it at once."""
        self._seeks = True
        self._moved.set()

    def expect(self, for_s: float) -> None:
        """The holder is about to hand over to us: look more often for so long."""
        self._expecting_until = _clock() + for_s
        self._moved.set()

    # --- on the leader's thread --------------------------------------------------------------------------------------
    def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        try:
            while not self._stop.is_set():
                try:
                    # Also while it is known to stand still: a standby waits no longer than we may for its pulse.
                    with self._source.reach(statement_timeout_ms=_RENEWAL_TIMEOUT_MS) as connection:
                        # A renewal lost with the server's memory only makes the lease look staler; a take-over, which
                        # must last, says otherwise for itself.
                        connection.execute("SET synchronous_commit = off")
                        pause_s = _FIRST_PAUSE_S
                        self._serve(connection)
                except Away:
                    pause_s = self._pause(pause_s)
                except psycopg.Error as error:
                    if not is_passing(error):
                        raise
                    pause_s = self._pause(pause_s)
        except Exception as error:
            self._end()
            if self._on_failed is None:
                raise
            self._on_failed(error)
        finally:
            self._end()

    def _end(self) -> None:
        if self.lease is not None:
            self.lease.lost()
        self.state = LeaderState.STOPPED

    def _pause(self, pause_s: float) -> float:
        self._stop.wait(pause_s)
        return min(2 * pause_s, _LONGEST_PAUSE_S)

    def _serve(self, connection: Connection) -> None:
        """Stand by or renew on this connection until it breaks or the end is asked for."""
        while not self._stop.is_set():
            if self.lease is None:
                self.state = LeaderState.STANDBY
                self._stand_by(connection)
            elif self._successor:
                self._give(connection, self.lease, self._successor)
                self._successor = ""
                self._given.set()
            else:
                self._renew(connection, self.lease)
        if self.lease is not None and self._release:
            self._give(connection, self.lease, "")

    def _stand_by(self, connection: Connection) -> None:
        """Watch the row on this connection; returns with the lease, or when the end is asked for."""
        seen: LeaseRow | None = None
        seen_since = _clock()
        attended = False
        while not self._stop.is_set():
            if not self._seeks:
                self._wait(_clock() + self._timings.renew_s)
                continue
            row, attended_now = self._look(connection)
            if seen is None or row.holder != seen.holder:
                attended = False
            if row != seen:
                seen, seen_since = row, _clock()
            attended = attended or attended_now
            why = self._why_now(row, _clock() - seen_since, left=attended and not attended_now)
            ended = None if why else self._await_end(row)
            why = why or (None if self.unseen_spool else ended)
            if why is None:
                continue
            if why is not Taken.HANDED and not self._is_fit():
                self._wait(_clock() + self._timings.renew_s)
                continue
            lease = self._take(connection, row, why)
            if lease is not None:
                self.lease = lease
                self.state = LeaderState.ACTIVE
                self._on_active(lease)
                return
            seen = None

    def _why_now(self, row: LeaseRow, unchanged_s: float, *, left: bool) -> Taken | None:
        """Why this lease can be taken now; None where it cannot. `left`: its holder's session was there and is not."""
        # One that this machine has put aside itself is none that anybody could bring back.
        seen = {self._spool.id, self._spool.former} if self._spool is not None else set()
        self.unseen_spool = "" if row.spool in seen else row.spool
        if self.unseen_spool:
            return None
        if not row.holder:
            return Taken.FREE
        if row.holder == self.holder:
            # Handed to us, of no machine yet; or we took it, and the answer was lost: of whoever had it nobody can say.
            return Taken.STALE if row.host else Taken.HANDED
        if unchanged_s >= self._timings.stale_s:
            return Taken.STALE
        return Taken.GONE if left and unchanged_s >= self._timings.gone_s else None

    def _await_end(self, row: LeaseRow) -> Taken | None:
        """Wait until it is time to look again, or it is certain that the holder, a process of this machine, is gone."""
        now = _clock()
        until = now + (_EXPECTING_S if now < self._expecting_until else self._timings.renew_s)
        pid = pid_of(row.holder) if row.host == self._host else 0
        if not pid:
            self._wait(until)
            return None
        with Neighbour(pid) as holder:
            while not holder.has_ended():
                if self._wait(min(until, _clock() + _GLANCE_S)) or _clock() >= until:
                    return None
        return Taken.ENDED

    def _wait(self, until: float) -> bool:
        """Wait until then; at once where something was asked of us, and whether it was."""
        moved = self._moved.wait(max(0.0, until - _clock()))
        self._moved.clear()
        return moved

    def _look(self, connection: Connection) -> tuple[LeaseRow, bool]:
        """The row, and whether its holder's session is there."""
        asked = elapsed()
        found = connection.execute(_LOOK, (self._site,)).fetchone()
        if found is None:
            connection.execute(
                "INSERT INTO public.ringledger_lease (site) VALUES (%s) ON CONFLICT DO NOTHING", (self._site,)
            )
            return self._look(connection)
        self._hear(int(str(found[6])), asked, elapsed())
        row = LeaseRow(str(found[0]), int(str(found[1])), found[2], str(found[3]), str(found[5]))
        return row, bool(found[4])

    def _seen_spool(self) -> str:
        return self._spool.id if self._spool is not None else ""

    def _take(self, connection: Connection, row: LeaseRow, why: Taken) -> Lease | None:
        """Take the lease that was seen; None where its holder moved meanwhile, or another standby was faster."""
        if row.holder not in {"", self.holder}:
            connection.execute(_TERMINATE, (row.holder,))
        begun = _clock()
        with connection.transaction():
            connection.execute("SET LOCAL synchronous_commit = on")
            connection.execute("SELECT set_config('statement_timeout', %s, true)", (str(_LOCK_TIMEOUT_MS),))
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))
            taken = connection.execute(
                _TAKE, (self.holder, self._host, self._site, row.epoch, row.holder, row.renewed_at, row.spool)
            ).fetchone()
        if taken is None:
            return None
        lease = Lease(self._site, int(str(taken[0])), self.holder, begun, act_s=self._timings.act_s, taken=why)
        lease.spool_found = row.spool
        return lease

    def _renew(self, connection: Connection, lease: Lease) -> None:
        begun, asked = _clock(), elapsed()
        seen = self._seen_spool()
        row = connection.execute(_RENEW, (self._site, lease.epoch, self.holder, seen)).fetchone()
        if row is not None:
            lease.renewed(begun)
            self._hear(int(str(row[0])), asked, elapsed())
            wanted = seen if self._spool_always or not row[2] else ""
            if lease.settled and (row[1], lease.announced) != (wanted, wanted):
                self._announce(connection, lease, wanted)
            self._wait(begun + self._timings.renew_s)
            return
        lease.lost()
        self.lease = None
        self.state = LeaderState.STANDBY
        self._on_deposed(lease)

    def _announce(self, connection: Connection, lease: Lease, spool: str) -> None:
        """Let the row name our spool, or none. It must last before it is relied upon, and be relied upon no more before
        it goes; and it never goes while there is something in the spool.
        """
        if not spool and (not lease.withdraw() or (self._spool is not None and self._spool.waiting)):
            return
        with connection.transaction():
            connection.execute("SET LOCAL synchronous_commit = on")
            done = connection.execute(_ANNOUNCE, (spool, self._site, lease.epoch, self.holder)).rowcount == 1
        if done:
            lease.announce(spool)

    def _give(self, connection: Connection, lease: Lease, to: str) -> None:
        """Give the lease to this one, or back where there is none. Said once more after a lost answer, it changes
        nothing.
        """
        lease.lost()
        with connection.transaction():
            connection.execute("SET LOCAL synchronous_commit = on")
            # Whoever has not seen to the spool that the row names does not know what is in it.
            empty = lease.settled and (self._spool is None or not self._spool.waiting)
            connection.execute(_GIVE, (to, empty, self._site, lease.epoch, self.holder))
        self.lease = None


def _clock() -> float:
    """Seconds on a clock that nobody sets and that runs on while the process is stopped or the machine suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
