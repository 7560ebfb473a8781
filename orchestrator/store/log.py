"""Reading the log: history, one stream, following, positions, look-up."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, Final, cast

import psycopg
from psycopg import sql

from orchestrator.domain.catalogue import CATALOGUE, Entry
from orchestrator.domain.kernel import SECOND, Event, Happened, Instant, Record
from orchestrator.store.connections import Connection, Source, is_passing
from orchestrator.store.errors import Away
from orchestrator.store.keys import KeyShelf
from orchestrator.store.mapper import LedgerMapper, Opener, Row, instant_of, is_sealed, mask, opener_of
from orchestrator.store.recorder import END_OF_LOG, LedgerRecorder, Share
from orchestrator.store.schema import CHANNEL
from orchestrator.vault import ERASED, Vault

# How long a wake-up may be missed before the log is looked at anyway: a NOTIFY is lost with the connection that
# listens, and does not come at all where the primary was changed.
POLL_S: Final = 1.0
# And how long after there was something. On a busy server the wake-up for the last append of a rush now and then does
# not come (measured on PostgreSQL 15.20: in one of four rushes of 200 appends); whoever waits for just that one must
# not wait for the poll.
AGAIN_S: Final = 0.05
# How soon a follower sees that it should stop.
_SLICE_S: Final = 0.2
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 1.0
_WHOLE_LOG_MS: Final = 300_000
# So many positions a statement looks through for rows of a share, which may have none there.
_SPAN: Final = 200_000
HELD: Final = 100_000
"""So many records of contacts that have not ended are held by `Log.stories`: some 80 MB."""
_CONTACTS: Final = "contact-"
# `at` is nearly, but not quite, ascending in the log: the runner's and the desk's processes each stamp before they
# append. No two of them are taken to differ by more than this.
_DISORDER: Final = 10 * SECOND
# Records looked at in one question, from the end of the log backwards.
_AT_A_LOOK: Final = 500
# Our clock's time of a row, without reading the rest of it: a state begins with the event's id, then this.
_AT: Final = (
    """substring(encode(substring(state from 1 for 300), 'escape') from '"about":[{]"at":(-?[0-9]+)')::bigint"""
)
_LAST_NOT_AFTER: Final = (
    "SELECT notification_id FROM public.ringledger_events WHERE notification_id > %s AND notification_id <= %s"  # noqa: S608 - our own words
    f" AND {_AT} <= %s ORDER BY notification_id DESC LIMIT 1"
)
_LOWEST: Final = (
    f"SELECT min({_AT}) FROM public.ringledger_events"  # noqa: S608 - our own words
    " WHERE notification_id > %s AND notification_id <= %s"
)
# From the first stream of a kind to the next and the next, each found in the index: nothing of the rest is looked at.
_OF_KIND: Final = (
    "WITH RECURSIVE named AS ("
    "SELECT min(originator_id) AS name FROM public.ringledger_events WHERE originator_id > %(begins)s"
    " UNION ALL SELECT"
    " (SELECT min(e.originator_id) FROM public.ringledger_events AS e WHERE e.originator_id > named.name)"
    " FROM named WHERE starts_with(named.name, %(begins)s))"
    " SELECT e.notification_id, e.originator_id, e.originator_version, e.topic, e.state,"
    " (SELECT max(l.originator_version) FROM public.ringledger_events AS l WHERE l.originator_id = named.name)"
    " FROM named JOIN public.ringledger_events AS e ON e.originator_id = named.name"
    " WHERE starts_with(named.name, %(begins)s) AND split_part(e.topic, '.v', 1) = ANY(%(events)s)"
    " ORDER BY e.originator_id, e.originator_version"
)
_DENSITY: Final = (
    f"SELECT width_bucket({_AT}, %s, %s, %s) AS part, count(*) FROM public.ringledger_events"  # noqa: S608 - our own words
    " WHERE notification_id > %s AND notification_id <= %s GROUP BY part"
)


_Rows = list[tuple[Any, ...]]


class _Stories:
    """Rows of contacts, held until a contact's last one comes."""

    def __init__(self, ends: Collection[str]) -> None:
        """`ends`: the topics of the last one."""
        self._ends = ends
        self._held: dict[str, _Rows] = {}
        self._count = 0

    def take(self, rows: _Rows) -> list[_Rows]:
        """What of these, and of those that are held, is to be told: first whatever is no contact's."""
        others: _Rows = []
        told = [others]
        held, ends = self._held, self._ends
        for row in rows:
            name = row[1]
            if name[:8] != _CONTACTS:
                others.append(row)
                continue
            if (story := held.get(name)) is None:
                held[name] = [row]
            else:
                story.append(row)
            if row[3] in ends:
                told.append(held.pop(name))
        self._count += len(rows) - sum(map(len, told))
        if self._count > HELD:
            told += self.rest()
        return told if others else told[1:]

    def rest(self) -> list[_Rows]:
        """All that is held, and is not any more."""
        told = list(self._held.values())
        self._held.clear()
        self._count = 0
        return told


class Log:
    """The log as records. Thread-safe. Personal text is opened where a vault is given, else it reads `‹sealed›`; with
    `sealed` it comes as it is stored, for those who keep it and have it opened when it is shown (`vault.open_text`,
    bound to the record's stream and the field's path), or `‹erased›` where it was stored without a key. With `opener`,
    that one says what each reads as.

    Every method raises `Away` where the database is not there, except `follow`, which waits for it.
    """

    def __init__(
        self,
        source: Source,
        *,
        catalogue: Mapping[str, Entry] = CATALOGUE,
        vault: Vault | None = None,
        sealed: bool = False,
        opener: Opener | None = None,
    ) -> None:
        self.source = source
        """Where it is, and as whom."""
        self._source = source
        self._vault = vault
        self._given = _as_stored if sealed else opener
        self._mapper = LedgerMapper(catalogue)
        self._recorder = LedgerRecorder(source)
        self._shelf = KeyShelf(source)

    def history(
        self, after: int = 0, until: int | None = None, kinds: Sequence[str] | None = None, batch: int = 5_000
    ) -> Iterator[Record]:
        """Every record with after < position ≤ until (to the end of the log when None), in order.

        `kinds` keeps streams of these kinds only (`contact`, `shift`, …). Read `batch` rows at a time: no
        transaction stays open between them. What is appended meanwhile is included where `until` is None.
        """
        last = END_OF_LOG if until is None else until
        while True:
            rows = self._page(after, last, kinds, batch)
            yield from self._records(rows)
            if len(rows) < batch:
                return
            after = rows[-1].position

    def happened(
        self, after: int = 0, until: int | None = None, batch: int = 10_000, share: Share | None = None
    ) -> Iterator[Happened]:
        """What `history` tells as far as a fold looks at it: at half the cost, and where no keys are needed the server
        reads on while the caller folds. Holds one of the source's connections as long as it is iterated; where that is
        lost, it goes on. A statement sends `batch` rows: none takes so long that the server would end it, or hold back
        its housekeeping. With a `share` only what belongs to that, and nothing of what is appended meanwhile.
        """
        for rows in self._rows_of(after, until, batch, share):
            yield from self._told(rows)

    def stories(self, share: Share, until: int, last: type[Event], batch: int = 10_000) -> Iterator[list[Happened]]:
        """What `happened` tells of a share, each contact's records together once the event `last` has come, and those
        of contacts without it at the end: so a contact, its records and the code for them are met while they are at
        hand. Everything else comes as the log has it, and never later than what stands behind it in the log. Of more
        than `HELD` records some that are held come before they are whole.
        """
        held = _Stories(self._mapper.topics(last))
        for rows in self._rows_of(0, until, batch, share):
            for some in held.take(rows):
                yield self._told(some)
        for some in held.rest():
            yield self._told(some)

    def _told(self, rows: _Rows) -> list[Happened]:
        sealed = {row[1] for row in rows if is_sealed(row[4])} if self._vault is not None else ()
        return self._mapper.told(rows, self.opener(sealed))

    def _rows_of(self, after: int, until: int | None, batch: int, share: Share | None) -> Iterator[_Rows]:
        """Rows as they come, over connections that are lost; what is appended meanwhile only without a share."""
        last = END_OF_LOG if until is None else until
        if share is not None:
            last = min(last, self.position())
        vain = 0
        while True:
            begun, count = after, 0
            end = last if share is None else min(last, after + _SPAN)
            try:
                with self._source.borrow() as connection:
                    for rows in self._parts(connection, after=after, until=end, limit=batch, share=share):
                        yield rows
                        after = rows[-1][0]
                        count += len(rows)
            except psycopg.Error as error:
                if not is_passing(error):
                    raise
                self._source.forget_idle()
                vain = vain + 1 if after == begun else 0
                if vain > 1:
                    raise Away(f"The database went away: {error}") from error
            else:
                if count < batch:
                    if end >= last:
                        return
                    after = end

    def page(self, after: int, limit: int) -> list[Record]:
        """Up to `limit` records after a position, in order; fewer only where the log ends there."""
        return list(self._records(self._page(after, END_OF_LOG, None, limit)))

    def stream(self, name: str, after_version: int = 0, batch: int = 5_000) -> Iterator[Record]:
        """The records of one stream above a version, in order."""
        while True:
            rows = self._stream_page(name, after_version, batch)
            yield from self._records(rows)
            if len(rows) < batch:
                return
            after_version = rows[-1].version

    def streams(self, names: Iterable[str], until: int = END_OF_LOG, at_once: int = 200) -> Iterator[Record]:
        """The records of these streams, up to a position where one is given: in order within each `at_once` of them,
        which are read together, not over all.
        """
        wanted = list(names)
        for first in range(0, len(wanted), at_once):
            some = wanted[first : first + at_once]
            yield from self._records(self._source.run(partial(self._recorder.streams, names=some, until=until)))

    def of_kind(self, kind: str, events: Sequence[str]) -> Iterator[tuple[Record, int]]:
        """The records of these names in all streams of a kind, stream by stream, with each stream's last version."""
        given = {"begins": f"{kind}-", "events": list(events)}

        def read(connection: Connection) -> list[tuple[Row, int]]:
            found = connection.execute(_OF_KIND, given).fetchall()
            return [(Row(*row), cast("int", last)) for *row, last in cast("list[tuple[Any, ...]]", found)]

        rows = self._source.run(read)
        versions = {row.stream: last for row, last in rows}
        for record in self._records([row for row, _ in rows]):
            yield record, versions[record.stream]

    def open_streams(self, begun: Sequence[str], ended: Sequence[str], until: int) -> list[str]:
        """The streams with an event named in `begun` and none named in `ended`, up to a position: what was still going
        on there. Takes a look at the whole log in the server: seconds in a large one.
        """
        try:
            with self._source.connect(statement_timeout_ms=_WHOLE_LOG_MS) as connection:
                return self._recorder.open_streams(connection, begun=begun, ended=ended, until=until)
        except psycopg.Error as error:
            if is_passing(error):
                raise Away(f"The database went away while the log was looked through: {error}") from error
            raise

    def position(self) -> int:
        """The position of the last record, 0 in an empty log."""

        def read(connection: Connection) -> int:
            row = connection.execute("SELECT max(notification_id) FROM public.ringledger_events").fetchone()
            return cast("int", row[0]) if row and row[0] is not None else 0

        return self._source.run(read)

    def versions(self, kinds: Sequence[str]) -> dict[str, int]:
        """The last version of every stream of these kinds."""

        def read(connection: Connection) -> dict[str, int]:
            rows = connection.execute(
                "SELECT originator_id, max(originator_version) FROM public.ringledger_events"
                " WHERE split_part(originator_id, '-', 1) = ANY(%s) GROUP BY originator_id",
                (list(kinds),),
            ).fetchall()
            return {str(stream): cast("int", version) for stream, version in rows}

        return self._source.run(read)

    def position_at(self, instant: Instant) -> int:
        """Where the log stood at `instant`: the last position whose `at` is not later; 0 where there is none. A clock
        is taken to have never been put back by more than ten seconds; `replay.snapshots` takes nothing for granted.

        A binary search for a place from which on everything is later, then a short walk back.
        """
        lowest, highest = 1, self.position()
        while lowest <= highest:
            middle = (lowest + highest) // 2
            row = self._first_from(middle)
            if row is None or instant_of(row.state) > instant + _DISORDER:
                highest = middle - 1
            else:
                lowest = row.position + 1
        return self._last_not_after(instant, lowest)

    def last_not_after(self, instant: Instant, after: int, until: int) -> int:
        """The last position with after < position ≤ until whose `at` is not later than `instant`, 0 where there is
        none: exact, whatever clocks did. The server looks at the rows from the last one on.
        """

        def read(connection: Connection) -> int:
            row = connection.execute(_LAST_NOT_AFTER, (after, until, instant), prepare=True).fetchone()
            return cast("int", row[0]) if row else 0

        return self._source.run(read)

    def last_of(self, kinds: Collection[str], until: int) -> Instant:
        """`at` of the last record, up to this position, of a stream of these kinds; 0 where there is none."""
        while until > 0:
            after = max(0, until - _AT_A_LOOK)
            rows = self._page(after, until, list(kinds), _AT_A_LOOK)
            if rows:
                return Instant(instant_of(rows[-1].state))
            until = after
        return Instant(0)

    def lowest(self, after: int, until: int) -> Instant | None:
        """The earliest `at` of the records with after < position ≤ until, None where there are none."""

        def read(connection: Connection) -> Instant | None:
            row = connection.execute(_LOWEST, (after, until), prepare=True).fetchone()
            return Instant(cast("int", row[0])) if row and row[0] is not None else None

        return self._source.run(read)

    def density(self, begins: Instant, ends: Instant, parts: int, *, after: int, until: int) -> list[int]:
        """How many of the records with after < position ≤ until fall into each of so many equal parts of this time."""

        def read(connection: Connection) -> list[int]:
            counted = [0] * parts
            for part, count in connection.execute(_DENSITY, (begins, ends, parts, after, until)).fetchall():
                # Parts are numbered from 1; what lies at or after the end is one more, what lies before is 0.
                if 1 <= cast("int", part) <= parts:
                    counted[cast("int", part) - 1] = cast("int", count)
            return counted

        return self._source.run(read)

    def find_by_blind_index(self, token: bytes, index: str = "number") -> list[str]:
        """The streams that hold the value with this token (`Vault.token(index, value)`)."""
        return self._shelf.find(index, token)

    def find_all_by_blind_index(self, tokens: Sequence[bytes], index: str = "number") -> dict[bytes, list[str]]:
        """`find_by_blind_index` for each of these tokens, in one question."""
        return self._shelf.find_all(index, tokens)

    def opener(self, streams: Collection[str]) -> Opener:
        """Opens what is sealed in these streams as this log's records have it, with all their keys fetched at once.

        Raises `Away`.
        """
        if self._given is not None:
            return self._given
        if self._vault is None:
            return mask
        return opener_of(self._vault.keys(streams) if streams else {})

    def wait_for(self, position: int, timeout_s: float = 10.0) -> int:
        """Wait until the log has come to `position`; where it is then. Raises TimeoutError, or `Away`."""
        deadline = time.monotonic() + timeout_s
        with self._source.borrow() as connection:
            _listen(connection)
            try:
                while (now_at := self.position()) < position:
                    left = deadline - time.monotonic()
                    if left <= 0:
                        raise TimeoutError(f"The log is at {now_at}, not at {position}, after {timeout_s:g} s.")
                    _wait_for_news(connection, min(left, POLL_S))
            finally:
                if not connection.closed:
                    connection.execute("UNLISTEN *")
        return now_at

    def news(self, stop: threading.Event, *, on_away: Callable[[Away], None] | None = None) -> Iterator[None]:
        """Gives way to the caller when the log may have grown: at each append, and every `POLL_S`, until `stop`.

        Appends made meanwhile are told together. A lost connection is made anew, and `on_away` told of vain attempts.
        """
        pause_s = _FIRST_PAUSE_S
        came = False
        while not stop.is_set():
            try:
                with self._listening() as connection:
                    while not stop.is_set():
                        yield
                        pause_s = _FIRST_PAUSE_S
                        came = _wait_until(connection, stop, AGAIN_S if came else POLL_S)
            except (Away, psycopg.Error) as error:
                if isinstance(error, psycopg.Error) and not is_passing(error):
                    raise
                if on_away is not None:
                    on_away(Away(f"The connection that listens for news was lost: {error}"))
                stop.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def follow(
        self,
        after: int,
        stop: threading.Event,
        *,
        batch: int = 5_000,
        on_away: Callable[[Away], None] | None = None,
    ) -> Iterator[Sequence[Record]]:
        """Batches of records after a position, in order, none missed and none twice, until `stop` is set.

        Listens first and reads second, so nothing slips between; reads once a second even when nobody calls; after
        a lost connection it makes a new one, and tells `on_away` of each vain attempt. Each time that the log has been
        read to its end an empty batch says so: where none comes for seconds, what was read may be old.
        """
        pause_s = _FIRST_PAUSE_S
        while not stop.is_set():
            try:
                with self._listening() as connection:
                    while not stop.is_set():
                        wait_s = POLL_S
                        while rows := self._page_on(connection, after, batch):
                            after = rows[-1].position
                            wait_s = AGAIN_S
                            yield list(self._records(rows))
                            if stop.is_set():
                                return
                        pause_s = _FIRST_PAUSE_S
                        yield ()
                        _wait_until(connection, stop, wait_s)
            except Away as away:
                error = away
            except psycopg.Error as broken:
                if not is_passing(broken):
                    raise
                error = Away(f"The connection that follows the log was lost: {broken}")
            else:
                return
            if on_away is not None:
                on_away(error)
            stop.wait(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    # ----------------------------------------------------------------------------------------------------------------
    def _page(self, after: int, until: int, kinds: Sequence[str] | None, limit: int) -> list[Row]:
        return self._source.run(
            lambda connection: self._recorder.page(connection, after=after, until=until, kinds=kinds, limit=limit)
        )

    def _stream_page(self, name: str, after_version: int, limit: int) -> list[Row]:
        return self._source.run(
            lambda connection: self._recorder.stream_page(
                connection, stream=name, after_version=after_version, limit=limit
            )
        )

    def _page_on(self, connection: Connection, after: int, limit: int) -> list[Row]:
        return self._recorder.page(connection, after=after, until=END_OF_LOG, kinds=None, limit=limit)

    def _parts(
        self, connection: Connection, *, after: int, until: int, limit: int, share: Share | None
    ) -> Iterator[_Rows]:
        """The rows as they come; where keys are needed all at once, for then one question brings all of them: beside
        other work each waits for its turn.
        """
        parts = self._recorder.sent(connection, after=after, until=until, limit=limit, share=share)
        if self._vault is None:
            yield from parts
        elif whole := list(chain.from_iterable(parts)):
            yield whole

    def _records(self, rows: Sequence[Row]) -> Iterator[Record]:
        sealed = {row.stream for row in rows if is_sealed(row.state)} if self._vault is not None else ()
        opener = self._given or self.opener(sealed)
        return self._mapper.records(rows, opener)

    def _first_from(self, position: int) -> Row | None:
        rows = self._page(position - 1, END_OF_LOG, None, 1)
        return rows[0] if rows else None

    def _last_not_after(self, instant: Instant, before: int) -> int:
        """The last position below `before` whose `at` is not later than `instant`."""
        while before > 1:
            start = max(0, before - 1 - _AT_A_LOOK)
            for row in reversed(self._page(start, before - 1, None, _AT_A_LOOK)):
                if instant_of(row.state) <= instant:
                    return row.position
            before = start + 1
        return 0

    def _listening(self) -> Connection:
        connection = self._source.connect()
        try:
            _listen(connection)
        except psycopg.Error:
            connection.close()
            raise
        return connection


def _as_stored(_stream: str, _path: str, sealed: str) -> str:
    return sealed or ERASED


def _listen(connection: Connection) -> None:
    connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))


def _wait_for_news(connection: psycopg.Connection[Any], seconds: float) -> bool:
    return any(True for _ in connection.notifies(timeout=seconds, stop_after=1))


def _wait_until(connection: Connection, stop: threading.Event, wait_s: float) -> bool:
    """Until there is news (True), or it is time to look anyway, or to stop."""
    deadline = time.monotonic() + wait_s
    while not stop.is_set() and (left := deadline - time.monotonic()) > 0:
        if _wait_for_news(connection, min(left, _SLICE_S)):
            return True
    return False
