"""What is now: the live state as one fold of the log that keeps up with it, for the screens of the present.

Reads every stream, writes nothing and has no table. Desks, the wallboard and the list of calls are drawn from it; the
counts of the day come from the read models. It is the same fold as the engine's, so a screen shows what was decided and
recorded, in that order, and nothing else.

Whoever shows something subscribes and is told which topics changed and at which position of the log:

    agent:<id>     what this agent's desk shows         contact:<id>   one contact in progress
    queue:<id>     who waits and rings in a queue       floor          anything that a wallboard shows
    customer:<id>  a customer, or what hangs on them    user:<id>      somebody's sign-in, roles or sessions;
                                                       user:token:<id> the same of a token
    away           the database went away, or is back
    anew           all of it was read anew, since what was told ahead of the log never came into it

While the database is away, what an engine of this machine decides into its spool is folded in ahead of the log
(`live_ahead`), and not a second time when it comes there.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog
from msgspec import Struct

from orchestrator.domain.kernel import Instant, Record
from orchestrator.domain.spools import SpoolGivenUp, SpoolPutAside
from orchestrator.domain.world import World
from orchestrator.store import Away, Log
from projections.live_calls import Call, Calls
from projections.live_start import present
from projections.live_tallies import Tallies, Tally
from projections.live_topics import ANEW, AWAY, Topics, touched

log = structlog.get_logger(__name__)

Subscriber = Callable[[int, frozenset[str]], None]

# Rows read at once while it keeps up: decoding one takes about 20 µs, in which nobody else has a turn.
BATCH: Final = 250
# Records folded before others have a turn, give or take the rest of one decision: about two milliseconds.
SLICE: Final = 100
# What is shown is old once nothing has been read for this long; it is tried every second. A database that is gone is
# noticed at once; one that keeps its connections and does not answer (frozen, its disk hung, its cable out), only by
# this; so is a reader that came to grief.
OLD_S: Final = 5.0
_LOOK_S: Final = 0.5
_JOIN_S: Final = 5.0


# What is shown: as the log has it; as an engine tells ahead of it; old, for neither is to be had.
TRUE: Final = ""
DEGRADED: Final = "degraded"
OLD: Final = "away"
# Records of the log that are remembered as folded in, so that nobody tells them once more.
_REMEMBERED: Final = 20_000


class _Ahead(Struct, frozen=True):
    """How far a stream is folded ahead of the log: the last version and its event, and what that changed."""

    version: int
    event_id: str
    topics: frozenset[str]


class NotReady(Exception):
    """The live state is still being read; the message says so to a person."""


class LiveView:
    """The live state, followed on a thread of its own; in a process that gevent patched, a greenlet that gives way.

    Read it inside `still()`. It outlives the database: while that is away, `away` is true and the state stands still.
    """

    def __init__(self, source: Log, *, old_s: float = OLD_S) -> None:
        self.world = World()
        self.calls = Calls()
        self.tallies = Tallies()
        self.position = 0
        """The last position that is folded in."""
        self.at = Instant(0)
        """When that was decided, by the clock of whoever decided it."""
        self.away = False
        """Whether the database cannot be reached or does not answer."""
        self.begun = 0
        """How often all of it was read: whatever was told ahead before is to be told again."""
        self._told_ahead = False
        self._ahead: dict[str, _Ahead] = {}
        self._topics_ahead: set[str] = set()
        self._recent: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._astray = False
        self._log = source
        self._old_s = old_s
        self._topics = Topics()
        self._subscribers: list[Subscriber] = []
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._lock = threading.RLock()
        self._moved = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="live-view", daemon=True)
        self._watching = threading.Thread(target=self._watch, name="live-view-watch", daemon=True)
        self._read_at = 0.0  # when the log answered last, by this process's own clock

    # --- life --------------------------------------------------------------------------------------------------------
    def start(self) -> "LiveView":
        """Begin to read the log, and keep up with it until `stop`."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop following; the state stays as it is."""
        self._stop.set()
        for thread in (self._thread, self._watching):
            if thread.ident is not None:
                thread.join(_JOIN_S)

    @property
    def standing(self) -> str:
        """`TRUE`, `DEGRADED` while an engine tells ahead of a log that is away, or `OLD`: what is shown may be."""
        return DEGRADED if self._told_ahead else OLD if self.away else TRUE

    @property
    def ready(self) -> bool:
        """Whether the log has been read once to its end, and is not being read anew."""
        return self._ready.is_set()

    def wait_ready(self, timeout_s: float) -> None:
        """Return once the log has been read to its end. Raises `NotReady` after `timeout_s`."""
        if not self._ready.wait(timeout_s):
            raise NotReady("The live state is still being read from the log; try again in a moment.")

    def wait_for(self, position: int, timeout_s: float) -> bool:
        """Whether what stands at `position` is folded in, after waiting for it `timeout_s` at most."""
        with self._moved:
            return self._moved.wait_for(lambda: self.position >= position, timeout_s)

    # --- reading and being told --------------------------------------------------------------------------------------
    @contextmanager
    def still(self) -> Iterator[World]:
        """The state, which does not change inside the block. Keep it short, and do no input or output in it."""
        with self._lock:
            yield self.world

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Let `subscriber(position, topics)` be called after each change; it must return quickly. Returns the way out.

        Nothing is told of what was folded before the end of the log was reached for the first time.
        """
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def changed_since(self, topic: str, position: int) -> bool:
        """Whether this topic may have changed after `position`; where it is not known any more, it may."""
        return topic in self._topics_ahead or self._topics.changed_since(topic, position)

    def last_change(self, topic: str) -> int:
        """The position at which this topic changed last; 0 where that is not known."""
        return self._topics.last(topic)

    def calls_of(self, agent_id: str) -> tuple[Call, ...]:
        """The last contacts that were offered to this agent in this shift, newest first; a dozen at most."""
        return self.calls.of(agent_id)

    def tally_of(self, agent_id: str) -> Tally:
        """What this agent has done in this shift."""
        return self.tallies.of(agent_id)

    # --- following ---------------------------------------------------------------------------------------------------
    def _run(self) -> None:
        begun = time.monotonic()
        while not self._stop.is_set():
            try:
                self._begin()
                break
            except Away as away:
                self._gone(away)
                self._stop.wait(_LOOK_S)
        if self._stop.is_set():
            return
        log.info("live-view-ready", position=self.position, seconds=round(time.monotonic() - begun, 3))
        self._watching.start()
        while not self._stop.is_set():
            self._follow()

    def _follow(self) -> None:
        """Keep up, until it has to be read anew or we are stopped."""
        for batch in self._log.follow(self.position, self._stop, batch=BATCH, on_away=self._gone):
            self._read_at = time.monotonic()
            self._take(batch)
            if self._astray:
                self._begin_anew()
                return
            if not batch:
                self._back()

    def _begin_anew(self) -> None:
        """What was told ahead is not what came into the log: a spool was given up, or put aside."""
        log.error("live-view-astray", position=self.position, remedy="all of it is read anew")
        self._ready.clear()
        while not self._stop.is_set():
            try:
                self._begin()
            except Away as away:
                self._gone(away)
                self._stop.wait(_LOOK_S)
            else:
                self._tell(frozenset({ANEW}))
                return

    def _begin(self) -> None:
        """The live state as it is now, from nothing."""
        with self._lock:
            self.world, self.calls, self.tallies, self.position = World(), Calls(), Tallies(), 0
            self._ahead.clear()
            self._topics_ahead.clear()
            self._recent.clear()
            self._astray = False
            self.begun += 1
        until = self._log.position()
        self._take(present(self._log, until))
        if self._stop.is_set():
            return
        self.position = until
        self._topics.begin(until)
        self._read_at = time.monotonic()
        self._ready.set()
        self._back()
        self._tell(frozenset())

    def _take(self, records: Iterable[Record], *, ahead: bool = False) -> None:
        """Fold these in, giving way to others now and then, but never inside one decision."""
        some: list[Record] = []
        for record in records:
            if len(some) >= SLICE and record.about.causation != some[-1].about.causation:
                self._fold(some, ahead=ahead)
                some = []
                time.sleep(0)
                if self._stop.is_set() or self._astray:
                    return
            some.append(record)
        self._fold(some, ahead=ahead)

    def _fold(self, records: list[Record], *, ahead: bool) -> None:
        changed: set[str] = set()
        with self._lock:
            for record in records:
                changed |= self._fold_ahead(record) if ahead else self._fold_stored(record)
        self._tell(frozenset(changed))

    def _fold_stored(self, record: Record) -> frozenset[str]:
        """A record of the log; what it changed, now or when it was told ahead."""
        known = self._ahead.get(record.stream)
        if known is None or record.version > known.version:
            topics = self._apply(record)
            if self._ahead and isinstance(record.event, SpoolGivenUp | SpoolPutAside):
                self._astray = True
        else:
            topics = known.topics
            if record.version == known.version:
                del self._ahead[record.stream]
                if not self._ahead:
                    self._topics_ahead.clear()
                self._astray = self._astray or record.event_id != known.event_id
        self._recent[record.stream, record.version] = None
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        self.position = record.position
        self._topics.note(topics, record.position)
        return topics

    def _fold_ahead(self, record: Record) -> frozenset[str]:
        """A record that an engine has told, and that the log is to have; what it changed."""
        known = self._ahead.get(record.stream)
        if (record.stream, record.version) in self._recent or (known is not None and record.version <= known.version):
            return frozenset()
        topics = self._apply(record)
        so_far = topics if known is None else topics | known.topics
        self._ahead[record.stream] = _Ahead(record.version, record.event_id, so_far)
        self._topics_ahead |= topics
        return topics

    def _apply(self, record: Record) -> frozenset[str]:
        before, after = self.world.apply(record)
        self.calls.fold(record, before, after, self.world)
        self.tallies.fold(record, before, after)
        self.at = record.about.at
        return frozenset(touched(record, before, after, self.world))

    # --- ahead of the log --------------------------------------------------------------------------------------------
    def take_ahead(self, records: Iterable[Record]) -> None:
        """Fold in what an engine has decided and the log is to have, in the order of deciding, none left out."""
        self._take(records, ahead=True)

    def tell_ahead(self, told: bool) -> None:  # noqa: FBT001 - a state, not an option
        """Whether an engine tells, from now on, all that it decides while the log is away."""
        with self._lock:
            changed, self._told_ahead = self._told_ahead != told, told
        if changed:
            log.info("live-view-told-ahead" if told else "live-view-by-the-log", position=self.position)
            self._tell(frozenset({AWAY}))

    def _tell(self, topics: frozenset[str]) -> None:
        if not self.ready:
            return
        with self._moved:
            self._moved.notify_all()
        if topics:
            for subscriber in tuple(self._subscribers):
                subscriber(self.position, topics)

    # --- the database away -------------------------------------------------------------------------------------------
    def _watch(self) -> None:
        """See that nothing is read any more: whoever waits for an answer that does not come, does not say so."""
        while not self._stop.wait(_LOOK_S):
            silent_s = time.monotonic() - self._read_at
            if silent_s > self._old_s:
                self._gone(Away(f"Nothing could be read from the log for {silent_s:.0f} s."))

    def _gone(self, away: Away) -> None:
        if not self._stop.is_set() and self._turns(away=True):
            log.warning("live-view-away", why=str(away), remedy="screens say that they are old; it is tried again")
            self._tell(frozenset({AWAY}))

    def _back(self) -> None:
        """What is shown is true again: called by the one who reads, and only at the end of the log."""
        if self._turns(away=False):
            log.info("live-view-back", position=self.position)
            self._tell(frozenset({AWAY}))

    def _turns(self, *, away: bool) -> bool:
        with self._lock:
            changed = self.away != away
            self.away = away
        return changed
