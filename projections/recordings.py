"""The recordings: one row a file, with what became of it and who heard it. How they are found: `recordings_found`.

Streams: contact, recording, order (what was opened in a call), user (who listened, who took a copy), customer
(erasure). Times by our own clock (`Provenance.at`).

A caller's number is sealed, and found by the same look-up token as in the contact log; it goes with the customer.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from msgspec import Struct, field

from orchestrator.domain.access import users
from orchestrator.domain.contacts import contacts, keeping, recording
from orchestrator.domain.contacts.dial_events import ContactDialled
from orchestrator.domain.contacts.outward_events import OutsideConnected
from orchestrator.domain.contacts.recording import WITHOUT_A_FILE, is_of
from orchestrator.domain.customers.people import CustomerErased
from orchestrator.domain.kernel import Event, Record, ident_of, stream
from orchestrator.domain.work.orders import OrderOpened
from projections import contact_log
from projections.base import Batch
from projections.tables import Table

NAME: Final = "recordings"
VERSION: Final = 2
REGIONAL: Final = True

TABLES: Final = """
CREATE TABLE recordings (
    file          text   PRIMARY KEY,
    begun_at      bigint NOT NULL,
    contact_id    text   NOT NULL,
    node          text   NOT NULL,
    agent_id      text   NOT NULL,
    queue_id      text   NOT NULL,
    customer_id   text   NOT NULL,
    caller_number text   NOT NULL,
    caller_token  text   NOT NULL,
    state         text   NOT NULL,
    problem       text   NOT NULL,
    length_ms     bigint NOT NULL,
    bytes         bigint NOT NULL,
    digest        text   NOT NULL,
    medium        text   NOT NULL,
    holds         bigint NOT NULL,
    heard         bigint NOT NULL,
    changed_at    bigint NOT NULL,
    position      bigint NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX ON recordings (contact_id);
CREATE TABLE recordings_calls (
    contact_id    text   PRIMARY KEY,
    caller_number text   NOT NULL,
    caller_token  text   NOT NULL,
    queue_id      text   NOT NULL,
    customer_id   text   NOT NULL,
    talks         jsonb  NOT NULL,
    recorded      boolean NOT NULL
) WITH (fillfactor = 80);
CREATE TABLE recordings_orders (
    order_id   text PRIMARY KEY,
    contact_id text NOT NULL
);
CREATE TABLE recordings_uses (
    position bigint PRIMARY KEY,
    file     text   NOT NULL,
    at       bigint NOT NULL,
    actor    text   NOT NULL,
    what     text   NOT NULL,
    stream   text   NOT NULL,
    reason   text   NOT NULL,
    address  text   NOT NULL
);
"""

INDEXES: Final = """
CREATE INDEX ON recordings (begun_at, file);
CREATE INDEX ON recordings (agent_id, begun_at, file);
CREATE INDEX ON recordings (queue_id, begun_at, file);
CREATE INDEX ON recordings (customer_id, begun_at, file);
CREATE INDEX ON recordings (caller_token, begun_at, file);
CREATE INDEX ON recordings (state, begun_at, file);
CREATE INDEX ON recordings (problem, begun_at, file) WHERE problem <> '';
CREATE INDEX ON recordings (begun_at, file) WHERE holds > 0;
CREATE INDEX ON recordings_orders (left(order_id, 8));
CREATE INDEX ON recordings_uses (file, position);
"""

# What a recording is now.
WRITING: Final = "writing"
FINISHED: Final = "finished"
KEPT: Final = "kept"
DISCARDED: Final = "discarded"
LOST: Final = "lost"
DELETED: Final = "deleted"
STATES: Final = (WRITING, FINISHED, KEPT, DISCARDED, LOST, DELETED)
"""The switch writes it; it is about to be sealed; sealed; too short to be kept; not there though it should be; kept for
its time and gone.
"""
_GONE: Final = (keeping.MISSING, keeping.LOST)

PLAYED: Final = "played"
EXPORTED: Final = "exported"


class Recording(Struct):
    """One recording. `caller_number` is sealed, bound to stream contact-<contact_id> and that field name.

    `problem`: why something is wrong with it, the last alarm's word, until it is put right; that the talk went on
    without it (stopped_early, or the switch's word) is never put right. `length_ms` 0: nobody told. `medium`: on
    which the sealed file lies; empty: in the folder of its machine. `holds`: how many stand. `heard`: how often
    somebody began to listen. `changed_at`: when it came to be what it is.
    """

    file: str
    begun_at: int
    contact_id: str = ""
    node: str = ""
    agent_id: str = ""
    queue_id: str = ""
    customer_id: str = ""
    caller_number: str = ""
    caller_token: str = ""
    state: str = WRITING
    problem: str = ""
    length_ms: int = 0
    bytes: int = 0
    digest: str = ""
    medium: str = ""
    holds: int = 0
    heard: int = 0
    changed_at: int = 0
    position: int = 0


class Call(Struct):
    """What is known of a contact whose recordings may come. `talks`: each talk's agent."""

    contact_id: str
    caller_number: str
    caller_token: str
    queue_id: str = ""
    customer_id: str = ""
    talks: dict[str, str] = field(default_factory=dict)
    recorded: bool = False


class Order(Struct, frozen=True):
    """An order that was opened in a call."""

    order_id: str
    contact_id: str


class Use(Struct, frozen=True):
    """Somebody listened, or took a copy. `reason` and `address` are sealed, bound to `stream`."""

    position: int
    file: str
    at: int
    actor: str
    what: str
    stream: str
    reason: str
    address: str


RECORDINGS: Final = Table(NAME, Recording, key=("file",))
CALLS: Final = Table(f"{NAME}_calls", Call, key=("contact_id",))
ORDERS: Final = Table(f"{NAME}_orders", Order, key=("order_id",))
USES: Final = Table(f"{NAME}_uses", Use, key=("position",))


# --- folding ---------------------------------------------------------------------------------------------------------
def apply(batch: Batch) -> None:
    """Load what this batch's events go on with, fold, and put it back."""
    news = [record for record in batch.records if type(record.event) in _FOLDS]
    if not news:
        return
    fold = _Fold(batch, news)
    for record in news:
        _FOLDS[type(record.event)](fold, record, record.event)
    fold.save(batch)


class _Fold:
    """The rows that a batch changes."""

    def __init__(self, batch: Batch, news: Iterable[Record]) -> None:
        self.site = batch.site
        files, touched, begun, known = set(), set(), set(), set()
        for record in news:
            match record.event:
                case contacts.ContactArrived() | ContactDialled():
                    begun.add(ident_of(record.stream))
                case contacts.ContactIdentified():
                    known.add(ident_of(record.stream))
                    touched.add(ident_of(record.stream))
                case keeping.RecordingSealed():
                    touched.add(record.event.contact_id)
                case _ if record.stream.startswith("contact-"):
                    touched.add(ident_of(record.stream))
            if (file := getattr(record.event, "file", "")) and isinstance(file, str):
                files.add(file)
        cursor = batch.cursor
        self.calls = CALLS.load(cursor, touched - begun)
        self.rows = RECORDINGS.load(cursor, files)
        for row in RECORDINGS.find(cursor, "WHERE contact_id = ANY(%s)", (sorted(known),)) if known else ():
            self.rows.setdefault(row.file, row)
        self.site.unlock({stream("contact", ident) for ident in begun})
        self.over: set[str] = set()
        self.orders: list[Order] = []
        self.uses: list[Use] = []
        self.erased: set[str] = set()

    def row(self, record: Record, file: str) -> Recording:
        """The row of this file, which may not have begun as far as we were told."""
        row = self.rows.get(file)
        if row is None:
            row = self.rows[file] = Recording(file, record.about.at)
        row.position = record.position
        return row

    def turn(self, row: Recording, state: str, at: int) -> None:
        """It is something else from now on."""
        if row.state != state:
            row.state, row.changed_at = state, at

    def save(self, batch: Batch) -> None:
        """Put everything back."""
        RECORDINGS.save(batch.cursor, self.rows.values())
        CALLS.save(batch.cursor, self.calls.values())
        CALLS.delete(batch.cursor, self.over)
        ORDERS.save(batch.cursor, self.orders)
        USES.save(batch.cursor, self.uses)
        if self.erased:
            for statement in _FORGET:
                batch.cursor.execute(statement, (list(self.erased),), prepare=True)


_FORGET: Final = (
    b"UPDATE recordings SET caller_token = '' WHERE customer_id = ANY(%s::text[]) AND caller_token <> ''",
    b"UPDATE recordings_calls SET caller_token = '' WHERE customer_id = ANY(%s::text[]) AND caller_token <> ''",
)


def _arrived(fold: _Fold, record: Record, event: contacts.ContactArrived | ContactDialled) -> None:
    ident = ident_of(record.stream)
    token = contact_log.token_of(fold.site, record.stream, event.caller_number)
    fold.calls[ident] = Call(ident, event.caller_number, token)
    if isinstance(event, ContactDialled):
        fold.calls[ident].queue_id = event.queue_id


def _queued(fold: _Fold, record: Record, event: contacts.ContactQueued) -> None:
    if (call := fold.calls.get(ident_of(record.stream))) is not None:
        call.queue_id = event.queue_id


def _connected(fold: _Fold, record: Record, event: contacts.ContactConnected) -> None:
    if (call := fold.calls.get(ident_of(record.stream))) is not None:
        call.talks[event.segment_id] = event.agent_id


def _connected_outside(fold: _Fold, record: Record, event: OutsideConnected) -> None:
    """No agent talks; whoever served the caller before may hear what came of it."""
    if (call := fold.calls.get(ident_of(record.stream))) is not None:
        call.talks[event.segment_id] = next(reversed(call.talks.values()), "")


def _identified(fold: _Fold, record: Record, event: contacts.ContactIdentified) -> None:
    ident = ident_of(record.stream)
    if (call := fold.calls.get(ident)) is not None:
        call.customer_id = event.customer_id
    for row in fold.rows.values():
        if row.contact_id == ident:
            row.customer_id = event.customer_id


def _ended(fold: _Fold, record: Record, _event: contacts.ContactEnded) -> None:
    """What is known of a call without a recording is needed no more; what comes late has its row already."""
    ident = ident_of(record.stream)
    if (call := fold.calls.get(ident)) is not None and not call.recorded:
        del fold.calls[ident]
        fold.over.add(ident)


def _begun(fold: _Fold, record: Record, event: contacts.RecordingBegun) -> None:
    _of_call(fold, record, event.file)


def _finished(fold: _Fold, record: Record, event: contacts.RecordingFinished) -> None:
    row = _of_call(fold, record, event.file)
    row.length_ms = max(0, event.length_ms)
    if row.state == WRITING:
        fold.turn(row, DISCARDED if event.cause in WITHOUT_A_FILE else FINISHED, record.about.at)


def _failed(fold: _Fold, record: Record, event: recording.RecordingFailed) -> None:
    """The talk goes on, and its recording does not: of one that ended too early there is a part, of another nothing."""
    row = _of_call(fold, record, event.file)
    row.problem = event.cause
    if event.cause != recording.STOPPED_EARLY:
        fold.turn(row, LOST, record.about.at)


def _of_call(fold: _Fold, record: Record, file: str) -> Recording:
    row = fold.row(record, file)
    if row.contact_id:
        return row
    ident = ident_of(record.stream)
    row.contact_id, row.node = ident, record.about.node
    call = fold.calls.get(ident)
    if call is not None:
        _fill(row, call)
    return row


def _fill(row: Recording, call: Call) -> None:
    call.recorded = True
    row.queue_id, row.customer_id = call.queue_id, call.customer_id
    row.caller_number, row.caller_token = call.caller_number, call.caller_token
    row.agent_id = next((agent for talk, agent in call.talks.items() if is_of(row.file, talk)), "")


def _sealed(fold: _Fold, record: Record, event: keeping.RecordingSealed) -> None:
    row = fold.row(record, event.file)
    row.node = event.node or row.node
    if not row.contact_id:
        row.contact_id = event.contact_id
        if (call := fold.calls.get(event.contact_id)) is not None:
            _fill(row, call)
    row.bytes, row.digest = event.length, event.digest
    if row.length_ms <= 0:  # nobody heard its end, or how long it was
        row.length_ms = max(0, event.length_ms)
    if row.problem not in _LASTING:
        row.problem = ""
    fold.turn(row, KEPT, record.about.at)


# What no repair puts right: a part of the talk was never recorded.
_LASTING: Final = (recording.STOPPED_EARLY,)


def _discarded(fold: _Fold, record: Record, event: keeping.RecordingDiscarded) -> None:
    fold.turn(fold.row(record, event.file), DISCARDED, record.about.at)


def _endangered(fold: _Fold, record: Record, event: keeping.RecordingEndangered) -> None:
    row = fold.row(record, event.file)
    row.contact_id = row.contact_id or event.contact_id
    row.problem = event.why
    if event.why in _GONE:
        fold.turn(row, LOST, record.about.at)


def _held(fold: _Fold, record: Record, event: keeping.RecordingHeld) -> None:
    fold.row(record, event.file).holds += 1


def _released(fold: _Fold, record: Record, event: keeping.RecordingReleased) -> None:
    fold.row(record, event.file).holds -= 1


def _deleted(fold: _Fold, record: Record, event: keeping.RecordingDeleted) -> None:
    fold.turn(fold.row(record, event.file), DELETED, record.about.at)


def _archived(fold: _Fold, record: Record, event: keeping.RecordingArchived) -> None:
    fold.row(record, event.file).medium = event.medium


def _used(fold: _Fold, record: Record, event: users.RecordingPlayed | users.RecordingExported) -> None:
    row = fold.rows.get(event.file)
    if row is None:
        return
    played = isinstance(event, users.RecordingPlayed)
    row.heard += played
    fold.uses.append(
        Use(
            record.position,
            event.file,
            record.about.at,
            record.about.actor,
            PLAYED if played else EXPORTED,
            record.stream,
            event.reason if isinstance(event, users.RecordingExported) else "",
            event.address,
        )
    )


def _opened(fold: _Fold, record: Record, event: OrderOpened) -> None:
    if event.contact_id:
        fold.orders.append(Order(ident_of(record.stream), event.contact_id))


def _erased(fold: _Fold, record: Record, _event: CustomerErased) -> None:
    ident = ident_of(record.stream)
    fold.erased.add(ident)
    for row in fold.rows.values():
        if row.customer_id == ident:
            row.caller_token = ""
    for call in fold.calls.values():
        if call.customer_id == ident:
            call.caller_token = ""


_FOLDS: Final[dict[type[Event], Callable[[_Fold, Record, Any], None]]] = {
    contacts.ContactArrived: _arrived,
    ContactDialled: _arrived,
    contacts.ContactQueued: _queued,
    contacts.ContactConnected: _connected,
    OutsideConnected: _connected_outside,
    contacts.ContactIdentified: _identified,
    contacts.ContactEnded: _ended,
    contacts.RecordingBegun: _begun,
    contacts.RecordingFinished: _finished,
    recording.RecordingFailed: _failed,
    keeping.RecordingSealed: _sealed,
    keeping.RecordingDiscarded: _discarded,
    keeping.RecordingEndangered: _endangered,
    keeping.RecordingHeld: _held,
    keeping.RecordingReleased: _released,
    keeping.RecordingDeleted: _deleted,
    keeping.RecordingArchived: _archived,
    users.RecordingPlayed: _used,
    users.RecordingExported: _used,
    OrderOpened: _opened,
    CustomerErased: _erased,
}
