"""Queues: who waits now, and what became of those who waited, by site-local day. The wallboard's and leaders' tiles.

Streams: contact (visits), queue (targets). By what rule a visit is counted stands in `domain.routing.counted`: by our
clock, on the day on which it began, so that a visit over midnight counts once. Formulas and their versions stand in
`service_level`.
"""

from typing import Final

from msgspec import Struct

from orchestrator.domain.contacts import contacts
from orchestrator.domain.contacts.contacts import wait_began
from orchestrator.domain.kernel import Event, Instant, ident_of
from orchestrator.domain.routing.counted import Day, total
from orchestrator.domain.routing.queues import QueueConfigured, QueueRemoved
from projections.base import Batch, Connection
from projections.tables import Table

__all__ = ["Day", "QueueNow", "days", "now", "total"]

NAME: Final = "queue_state"
VERSION: Final = 2

TABLES: Final = """
CREATE TABLE queue_state (
    queue_id         text    PRIMARY KEY,
    name             text    NOT NULL,
    open             boolean NOT NULL,
    answer_target_ms bigint  NOT NULL,
    short_abandon_ms bigint  NOT NULL
);
CREATE TABLE queue_state_visits (
    contact_id text    PRIMARY KEY,
    queue_id   text    NOT NULL,
    priority   bigint  NOT NULL,
    queued_at  bigint  NOT NULL,
    ringing    boolean NOT NULL
) WITH (fillfactor = 70);
CREATE TABLE queue_state_days (
    queue_id            text   NOT NULL,
    day                 text   NOT NULL,
    offered             bigint NOT NULL,
    answered            bigint NOT NULL,
    answered_in_target  bigint NOT NULL,
    abandoned           bigint NOT NULL,
    abandoned_in_target bigint NOT NULL,
    abandoned_short     bigint NOT NULL,
    timed_out           bigint NOT NULL,
    left_otherwise      bigint NOT NULL,
    left_in_target      bigint NOT NULL,
    answered_wait_ms    bigint NOT NULL,
    abandoned_wait_ms   bigint NOT NULL,
    longest_wait_ms     bigint NOT NULL,
    PRIMARY KEY (queue_id, day)
) WITH (fillfactor = 70);
"""

INDEXES: Final = """
CREATE INDEX ON queue_state_visits (queue_id, queued_at);
CREATE INDEX ON queue_state_days (day);
"""


class Queue(Struct):
    """A queue as configured. A removed one is not open, and serves those who still wait."""

    queue_id: str
    name: str
    open: bool
    answer_target_ms: int
    short_abandon_ms: int


class Visit(Struct):
    """Somebody who waits. `ringing`: a phone is being rung or joined for them."""

    contact_id: str
    queue_id: str
    priority: int
    queued_at: int
    ringing: bool = False


QUEUES: Final = Table(NAME, Queue, key=("queue_id",))
VISITS: Final = Table("queue_state_visits", Visit, key=("contact_id",))
DAYS: Final = Table("queue_state_days", Day, key=("queue_id", "day"))

_CLOSED: Final = (contacts.OfferRejected, contacts.OfferTimedOut, contacts.OfferWithdrawn, contacts.OfferFailed)
_OF_VISITS: Final[frozenset[type[Event]]] = frozenset(
    {contacts.ContactQueued, contacts.QueueVisitEnded, contacts.OfferMade, *_CLOSED}
)
_OF_QUEUES: Final[frozenset[type[Event]]] = frozenset({QueueConfigured, QueueRemoved})


# --- folding ---------------------------------------------------------------------------------------------------------
def apply(batch: Batch) -> None:
    """Load what these events touch, fold, put it back."""
    news = [
        (ident_of(record.stream), record)
        for record in batch.records
        if type(record.event) in _OF_VISITS or type(record.event) in _OF_QUEUES
    ]
    begun = {ident for ident, record in news if isinstance(record.event, contacts.ContactQueued)}
    others = {ident for ident, record in news if type(record.event) in _OF_VISITS} - begun
    visits = VISITS.load(batch.cursor, others)
    # A second visit of a contact may begin in a batch in which its first one ends.
    visits |= VISITS.load(batch.cursor, begun)
    were_there = set(visits)
    configured = {ident for ident, record in news if type(record.event) in _OF_QUEUES}
    named = {record.event.queue_id for _, record in news if isinstance(record.event, contacts.QueueVisitEnded)}
    queues = QUEUES.load(batch.cursor, configured | named)
    counted = _Counted(batch)
    for ident, record in news:
        event = record.event
        match event:
            case contacts.ContactQueued():
                began = wait_began(event, record.about.at)
                visits[ident] = Visit(ident, event.queue_id, event.priority, began)
                counted.day(event.queue_id, began).offered += 1
            case contacts.OfferMade() if (visit := visits.get(ident)) is not None:
                visit.ringing = True
            case contacts.OfferClosed() if (visit := visits.get(ident)) is not None:
                visit.ringing = False
            case contacts.QueueVisitEnded() if (visit := visits.pop(ident, None)) is not None:
                counted.end(visit, queues.get(visit.queue_id), event.outcome, record.about.at)
            case QueueConfigured():
                queues[ident] = Queue(ident, event.name, True, event.answer_target_ms, event.short_abandon_ms)
            case QueueRemoved() if (queue := queues.get(ident)) is not None:
                queue.open = False
    VISITS.delete(batch.cursor, were_there - set(visits))
    VISITS.save(batch.cursor, visits.values())
    QUEUES.save(batch.cursor, [queues[ident] for ident in configured if ident in queues])
    counted.save()


class _Counted:
    """What a batch adds to days."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._added: dict[tuple[str, str], Day] = {}

    def day(self, queue_id: str, began: Instant) -> Day:
        key = (queue_id, self._batch.site.day(began))
        day = self._added.get(key)
        if day is None:
            day = self._added[key] = Day(*key)
        return day

    def end(self, visit: Visit, queue: Queue | None, outcome: str, at: int) -> None:
        day = self.day(visit.queue_id, Instant(visit.queued_at))
        wait_ms = (at - visit.queued_at) // 1000
        if queue is None:
            day.end(outcome, wait_ms)
        else:
            day.end(outcome, wait_ms, queue.answer_target_ms, queue.short_abandon_ms)

    def save(self) -> None:
        days = DAYS.load(self._batch.cursor, self._added)
        for key, added in self._added.items():
            day = days.get(key)
            if day is None:
                days[key] = added
            else:
                day.add(added)
        DAYS.save(self._batch.cursor, days.values())


# --- queries ---------------------------------------------------------------------------------------------------------
class QueueNow(Struct, frozen=True):
    """A queue at this moment. `waiting` are those for whom no phone rings; `oldest` is when the longest wait began."""

    queue_id: str
    name: str
    open: bool
    answer_target_ms: int
    short_abandon_ms: int
    waiting: int
    ringing: int
    oldest: int | None


def now(connection: Connection) -> list[QueueNow]:
    """Every queue that is open or in which somebody waits, in the order of their ids."""
    rows = connection.execute(
        "SELECT q.queue_id, q.name, q.open, q.answer_target_ms, q.short_abandon_ms,"
        " count(v.contact_id) FILTER (WHERE NOT v.ringing), count(v.contact_id) FILTER (WHERE v.ringing),"
        " min(v.queued_at) FROM read.queue_state AS q LEFT JOIN read.queue_state_visits AS v USING (queue_id)"
        " GROUP BY q.queue_id, q.name, q.open, q.answer_target_ms, q.short_abandon_ms"
        " HAVING q.open OR count(v.contact_id) > 0 ORDER BY q.queue_id"
    )
    return [QueueNow(*row) for row in rows.fetchall()]


def days(connection: Connection, first: str, last: str, *, queue_id: str = "") -> list[Day]:
    """The counts of each queue on each day from `first` to `last` (`2026-11-22`), both included; one queue or all."""
    words = "WHERE day BETWEEN %s AND %s AND (%s = '' OR queue_id = %s) ORDER BY day, queue_id"
    return DAYS.read(connection, words, (first, last, queue_id, queue_id))
