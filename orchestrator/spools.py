"""What a new holder of the lease does with the spool of its machine, before it decides anything.

    its owner from now on ──▶ (whoever was it may act no more) ──▶ what is in it goes to the log ──▶ announced anew

What cannot go there is put aside, on the record: nothing is deleted, and nobody guesses.
"""

import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, cast

import psycopg
import structlog
from msgspec import Struct

from orchestrator.domain import spools
from orchestrator.domain.contacts.contacts import ContactArrived
from orchestrator.domain.contacts.dial_events import ContactDialled
from orchestrator.domain.engine import STREAM, EngineActivated
from orchestrator.domain.kernel import Event, Instant, Provenance, Record, Refused, derived_id, stream
from orchestrator.leader import Lease, Taken
from orchestrator.service.callers import Identify
from orchestrator.store import (
    Aside,
    Away,
    DeskWriter,
    Drain,
    Log,
    Source,
    Spool,
    SpoolFailed,
    StoreError,
    VersionConflict,
    is_refused,
    tidy,
)
from orchestrator.store.aside import PATTERN
from orchestrator.store.connections import Connection, is_passing
from orchestrator.store.schema import APPEND_LOCK
from orchestrator.store.spool import Entry, Found
from orchestrator.store.spool_file import is_not_now
from orchestrator.vault import Vault

log = structlog.get_logger(__name__)

_PAUSE_S: Final = 0.2
_DELETE: Final = "it names callers whom an erasure does not reach: delete it once its calls do not matter any more"
# Of these it is certain that they do nothing more; anybody else may for as long as their last look was good for.
_OVER: Final = frozenset({Taken.ENDED, Taken.HANDED})
_MARGIN: Final = 1.1
# A holder that was heard of so lately brings its spool to the log by itself.
_LIVES_S: Final = 10.0
_NAMED: Final = (
    "SELECT holder, epoch, spool, extract(epoch FROM clock_timestamp() - renewed_at)::float8"
    " FROM public.ringledger_lease WHERE site = %s"
)
# Another epoch: whoever held it until now, and lives after all, is refused by the log from here on.
_FORGET: Final = (
    "UPDATE public.ringledger_lease SET holder = '', host = '', backend_pid = NULL, spool = '', epoch = epoch + 1,"
    " renewed_at = clock_timestamp() WHERE site = %s AND epoch = %s AND holder = %s AND spool = %s"
)


# How a spool stands: there is none; the lease does not name it, so that calls would wait; events would go there, go
# there, go from there to the log; and so many are in it that new callers are left to the switches.
OFF: Final = "off"
UNANNOUNCED: Final = "unannounced"
READY: Final = "ready"
IN_USE: Final = "in_use"
DRAINING: Final = "draining"
FULL: Final = "full"
STATES: Final = (OFF, UNANNOUNCED, READY, IN_USE, DRAINING, FULL)
_SECOND: Final = 1_000_000


class Spooled(Struct, frozen=True, kw_only=True):
    """What is told of a spool. `share`: of its limit; `oldest_s`: how old the oldest event in it is, 0 for none."""

    state: str = OFF
    events: int = 0
    bytes: int = 0
    limit_bytes: int = 0
    share: float = 0.0
    oldest_s: float = 0.0


def spooled(spool: Spool, state: str, now: Instant) -> Spooled:
    """How this spool stands."""
    oldest_s = 0.0
    if spool.waiting:
        try:
            oldest_s = max((max(0, now - each.record.about.at) / _SECOND for each in spool.first(1)), default=0.0)
        except StoreError as error:  # damaged: whoever drains it says so
            log.debug("spool-not-read", why=str(error))
    return Spooled(
        state=state,
        events=spool.waiting,
        bytes=spool.size,
        limit_bytes=spool.limit,
        share=round(spool.share, 3),
        oldest_s=round(oldest_s, 1),
    )


class Settling:
    """One new lease and the spool that its holder sees."""

    def __init__(self, spool: Spool, lease: Lease, source: Source, vault: Vault, history: Log) -> None:
        self._spool = spool
        self._lease = lease
        self._source = source
        self._vault = vault
        self._history = history
        self._stored = 0

    def settle(self, over: Callable[[], bool]) -> bool:
        """Bring what is in the spool to the log; whether the spool can be used. Ends early where `over()`.

        Waits for as long as the database is away. Raises `Deposed` where somebody else has the lease by now.
        """
        found = self._own(over)
        if found is None:
            return False
        gone = self._lease.spool_found if self._lease.spool_found == self._spool.former else ""
        if (found.used or gone) and self._lease.taken not in _OVER:
            time.sleep(self._lease.act_s * _MARGIN)
        if gone:
            self._say_gone(gone)
        if found.waiting:
            log.info("spool-found", events=found.waiting, epoch=self._lease.epoch)
        why = self._why_not(over) if found.waiting else ""
        if not why:
            why = self._empty(over)
        if why:
            self._put_aside(why)
            if self._own(over) is None:  # of the one that was begun instead
                return False
        elif found.waiting:
            tidy(self._spool)
        self._lease.settled = not over()
        return True

    def _own(self, over: Callable[[], bool]) -> Found | None:
        """Become its owner; None where it cannot be written, and nothing can be in it that must come first."""
        while True:
            try:
                return self._spool.own(self._lease.fence)
            except SpoolFailed:
                # Another process stands still in the middle of writing, or the disk fails.
                needed = bool(self._lease.spool_found)
                log.exception("spool-failed", remedy="calls wait for it" if needed else "done without")
                if not needed or over():
                    return None
            time.sleep(_PAUSE_S)

    def _why_not(self, over: Callable[[], bool]) -> str:
        """Why nothing of it may go to the log: it was given up, or somebody has decided since it was written."""
        if self._lease.spool_found != self._spool.id:
            return "given_up"
        entries: list[Entry] = []
        while not over():
            try:
                entries = self._spool.first(1)
                break
            except SpoolFailed:
                log.exception("spool-failed", remedy="calls wait for it")
            except Exception as error:
                if not is_refused(error):
                    raise
                return "damaged"
            time.sleep(_PAUSE_S)
        decided = max(
            (each.event.epoch for each in self._history.stream(STREAM) if isinstance(each.event, EngineActivated)),
            default=0,
        )
        return "later_epoch" if entries and entries[0].epoch < decided else ""

    def _empty(self, over: Callable[[], bool]) -> str:
        """Store all of it; why what is left cannot be stored."""
        drain = Drain(self._spool, self._source, self._vault, self._lease.fence)
        try:
            while not over():
                try:
                    stored = drain.some()
                except Exception as error:
                    if is_refused(error):
                        log.exception("spool-refused", stored=self._stored)
                        return "conflict" if isinstance(error, VersionConflict) else "damaged"
                    if not isinstance(error, Away | SpoolFailed) and not _passes(error):
                        raise
                    time.sleep(_PAUSE_S)
                else:
                    self._stored += stored
                    if not stored:
                        return ""
        finally:
            drain.close()
        return ""

    def _say_gone(self, spool: str) -> None:
        """Record that nothing could be read of a spool; where more is known of it, that was recorded before."""
        known = self._history.stream(stream(spools.KIND, spool))
        if not any(isinstance(each.event, spools.SpoolPutAside) for each in known):
            said = spools.SpoolPutAside(why="damaged", stored=0, left=0)
            note(self._source, self._vault, self._history, spool, said, actor="system")

    def _put_aside(self, why: str) -> None:
        """Record it, then keep the file under another name: said twice after a crash between, it is known again."""
        said = spools.SpoolPutAside(why=why, stored=self._stored, left=self._spool.waiting)
        known = [each.event for each in self._history.stream(stream(spools.KIND, self._spool.id))]
        # Whoever died over it had stored what is in the log.
        if not any(isinstance(e, spools.SpoolPutAside) and (e.why, e.left) == (why, said.left) for e in known):
            note(self._source, self._vault, self._history, self._spool.id, said, actor="system")
        aside = self._spool.set_aside(why)
        tell_aside(aside, why)


class Sweeping:
    """Sees to it that an erasure reaches what lies aside in this folder: each file once, soon after it came there."""

    def __init__(self, folder: Path, aside: Aside, identify: Identify) -> None:
        self._folder = folder
        self._aside = aside
        self._identify = identify
        self._seen: set[str] = set()
        self._waits: dict[str, str] = {}
        """Why the last look at a file came to nothing."""

    def sweep(self, pause: Callable[[], object] = lambda: None) -> None:
        """Seal what is not sealed under keys of persons yet. Raises `Away`."""
        for path in sorted(self._folder.glob(PATTERN)):
            if path.name not in self._seen and self._is_swept(path, pause):
                self._seen.add(path.name)

    def _is_swept(self, path: Path, pause: Callable[[], object]) -> bool:
        """Whether nothing is left to do with it."""
        try:
            swept = self._aside.seal(path, self._callers, pause=pause)
        except (OSError, sqlite3.Error) as error:
            if isinstance(error, OSError) or is_not_now(error):
                self._say_waits(path, str(error))
                return False
            log.error("spool-aside-unreadable", file=str(path), why=str(error), remedy=_DELETE)  # noqa: TRY400 - the words say it
            return True
        if swept is not None and swept.left:
            log.error("spool-aside-unreadable", file=str(path), events=swept.left, remedy=_DELETE)
        elif swept is not None and swept.sealed:
            log.info("spool-aside-sealed", file=str(path), events=swept.sealed)
        return swept is not None

    def _say_waits(self, path: Path, why: str) -> None:
        """Say it once: it is tried again every few seconds, and keeps no other file waiting."""
        if self._waits.get(path.name) != why:
            log.warning("spool-aside-waits", file=str(path), why=why)
        self._waits[path.name] = why

    def _callers(self, records: Sequence[Record]) -> dict[str, str]:
        """The customer under whom the log would have hung each of these contacts, had it known of them."""
        numbers = {
            record.stream: event.from_number or event.caller_number
            if isinstance(event, ContactArrived)
            else event.caller_number
            for record in records
            if isinstance(event := record.event, ContactArrived | ContactDialled)
        }
        callers = self._identify([number for number in numbers.values() if number])
        known = zip((name for name, number in numbers.items() if number), callers, strict=True)
        return {name: stream("customer", caller.customer_id) for name, caller in known if caller is not None}


class Named(Struct, frozen=True):
    """What the lease's row says."""

    holder: str
    epoch: int
    spool: str
    silent_s: float


class GivingUp:
    """A spool for which the lease waits, and which nobody can bring back: its machine is lost, or its disk."""

    def __init__(self, source: Source, vault: Vault, history: Log, site: str) -> None:
        self._source = source
        self._vault = vault
        self._history = history
        self._site = site

    def told(self) -> str:
        """What the lease says, in a line."""
        named = self._named()
        if named is None or not named.spool:
            return "the lease names no spool: an engine that takes it over waits for none"
        if not named.holder:
            return f"the lease is free, and waits for spool {named.spool}"
        heard = f"heard of {named.silent_s:.1f} s ago"
        return f"the lease names spool {named.spool}; held by {named.holder}, epoch {named.epoch}, {heard}"

    def give_up(self, reason: str, *, actor: str, machine_is_off: bool) -> int:
        """Depose the lease's holder and forget its spool, on the record; the position of that. `machine_is_off`:
        whoever asks for it has seen to that.

        Raises `Refused` where no spool stands in the way, or its holder lives, or may.
        """
        if not reason.strip():
            raise Refused("reason_needed", "Say why what is in the spool is lost: --reason.")
        named = self._named()
        if named is None or not named.spool:
            raise Refused("no_spool", "The lease names no spool: nothing stands in anybody's way.")
        if named.holder and named.silent_s < _LIVES_S:
            raise Refused(
                "holder_lives",
                f"{named.holder} holds the lease and was heard of {named.silent_s:.1f} s ago: it brings its spool to "
                "the log by itself. End that engine first, where you want another one to go on.",
            )
        if not machine_is_off:
            raise Refused(
                "machine_may_live",
                "Nothing was given up. An engine that does not reach the database cannot be heard here, and goes on "
                "serving callers by that spool: then two would decide about the same ones. Switch its machine off, or "
                "end every `ringledger engine` on it; then say so with --machine-is-off.",
            )
        said = spools.SpoolGivenUp(epoch=named.epoch, reason=reason)
        position = note(self._source, self._vault, self._history, named.spool, said, actor=actor)
        if not self._source.run(partial(_forget, site=self._site, named=named)):
            raise Refused("lease_moved", "The lease has moved on meanwhile: look at it again, with `ringledger spool`.")
        return position

    def _named(self) -> Named | None:
        row = self._source.run(lambda connection: connection.execute(_NAMED, (self._site,)).fetchone())
        return None if row is None else Named(*cast("tuple[str, int, str, float]", row))


def _forget(connection: Connection, *, site: str, named: Named) -> bool:
    with connection.transaction():
        connection.execute("SET LOCAL synchronous_commit = on")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))
        given = (site, named.epoch, named.holder, named.spool)
        return connection.execute(_FORGET, given).rowcount == 1


def note(source: Source, vault: Vault, history: Log, spool: str, event: Event, *, actor: str) -> int:
    """Put this on the spool's own stream, once; its position. Raises `Away`."""
    name = stream(spools.KIND, spool)
    known = list(history.stream(name))
    for each in known:
        if each.event == event:
            return each.position
    record = Record(
        stream=name,
        version=len(known) + 1,
        event=event,
        event_id=derived_id(name, len(known) + 1),
        about=Provenance(at=Instant(time.time_ns() // 1_000), actor=actor, origin="engine", correlation=name),
    )
    return DeskWriter(source, vault).append_desk([record])


def tell_aside(aside: Path, why: str) -> None:
    """Say where it is, and what to do."""
    log.error(
        "spool-put-aside", file=str(aside), why=why, remedy="keep the file; see the runbook, “A spool was put aside”"
    )


def _passes(error: Exception) -> bool:
    return isinstance(error, psycopg.Error) and is_passing(error)
