"""The audit trail: one row for each event there is. The auditor's list of who did what, and who looked at what.

Streams: all. Time is our own clock (`Provenance.at`). An event that this program does not know, a newer one's or one
that was retired, has its row too, with its stored name and `unknown_version`; its body stays in the log. No row has a
value of the event, personal or not: whoever may see those opens the stream.
"""

from typing import Final

from msgspec import Struct

from orchestrator.domain.access.users import PersonalDataRevealed, RecordingExported, RecordingPlayed
from orchestrator.domain.catalogue import BY_CLASS
from orchestrator.domain.kernel import Event, Record, UnknownEvent
from projections.base import Batch, Connection
from projections.pages import Condition, Page, page
from projections.tables import Table

NAME: Final = "audit_trail"
VERSION: Final = 1

TABLES: Final = """
CREATE TABLE audit_trail (
    position        bigint PRIMARY KEY,
    at              bigint NOT NULL,
    stream          text   NOT NULL,
    version         bigint NOT NULL,
    name            text   NOT NULL,
    unknown_version bigint,
    actor           text   NOT NULL,
    origin          text   NOT NULL,
    about           text   NOT NULL
);
"""

INDEXES: Final = """
CREATE INDEX ON audit_trail (about, position);
CREATE INDEX ON audit_trail (name, position);
CREATE INDEX ON audit_trail (actor, position) WHERE actor <> 'system';
CREATE INDEX ON audit_trail USING brin (at);
"""


class Entry(Struct):
    """One event. `about` is what it concerns: the stream that was looked at, the contact that a shift's event belongs
    to (`Provenance.correlation`), else its own stream. `actor`: system, agent:…, user:…, admin:….
    """

    position: int
    at: int
    stream: str
    version: int
    name: str
    unknown_version: int | None
    actor: str
    origin: str
    about: str


ENTRIES: Final = Table(NAME, Entry, key=("position",))
_NAMES: Final[dict[type[Event], str]] = {cls: entry.name for cls, entry in BY_CLASS.items()}


# --- folding ---------------------------------------------------------------------------------------------------------
def apply(batch: Batch) -> None:
    """A row for each record."""
    ENTRIES.insert(batch.cursor, [_entry(record) for record in batch.records])


def _entry(record: Record) -> Entry:
    event, about = record.event, record.about
    name = _NAMES.get(type(event))
    unknown: int | None = None
    if name is None:
        name = type(event).__name__
        if isinstance(event, UnknownEvent):
            name, unknown = event.name, event.version
    subject = subject_of(record)
    return Entry(
        record.position, about.at, record.stream, record.version, name, unknown, about.actor, about.origin, subject
    )


def subject_of(record: Record) -> str:
    """The stream that the event concerns."""
    if isinstance(record.event, PersonalDataRevealed):
        return record.event.subject
    if isinstance(record.event, RecordingPlayed | RecordingExported):
        return f"recording-{record.event.file.removesuffix('.wav')}"
    return record.about.correlation or record.stream


# --- queries ---------------------------------------------------------------------------------------------------------
class Filter(Struct, frozen=True, kw_only=True):
    """What is looked for; what is empty or None does not narrow. Instants: since ≤ at < until."""

    about: str = ""
    stream: str = ""
    actor: str = ""
    names: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None
    unknown: bool = False
    """Only events that this program does not know."""
    since_position: int = 0
    """Only events after this position."""


def trail(
    connection: Connection, wanted: Filter, *, cursor: str = "", limit: int = 50, oldest_first: bool = False
) -> Page[Entry]:
    """Events, the latest first, or the oldest. Raises `Refused` for a cursor or limit that cannot be."""
    conditions: list[Condition] = []
    if wanted.about:
        conditions.append(("about = %s", wanted.about))
    if wanted.stream:
        conditions.append(("stream = %s", wanted.stream))
    if wanted.actor:
        conditions.append(("actor = %s", wanted.actor))
    if wanted.names:
        conditions.append(("name = ANY(%s)", list(wanted.names)))
    if wanted.since is not None:
        conditions.append(("at >= %s", wanted.since))
    if wanted.until is not None:
        conditions.append(("at < %s", wanted.until))
    if wanted.unknown:
        conditions.append(("unknown_version IS NOT NULL",))
    if wanted.since_position:
        conditions.append(("position > %s", wanted.since_position))
    key = ("position",)
    return page(connection, ENTRIES, conditions, key=key, cursor=cursor, limit=limit, descending=not oldest_first)


_LOOKING: Final = ("PersonalDataRevealed", "RecordingPlayed", "RecordingExported")


def looked_at(connection: Connection, subject: str, *, cursor: str = "", limit: int = 50) -> Page[Entry]:
    """Who had masked personal data of this stream shown to them, or heard this recording, the latest first."""
    return trail(connection, Filter(about=subject, names=_LOOKING), cursor=cursor, limit=limit)
