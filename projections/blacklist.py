"""The blacklist as a list: every entry there ever was, the latest first, and those of one number.

Streams: blacklist. Times by our own clock (`Provenance.at`).

The number is sealed, and found again by a look-up token, a keyed hash, which the database cannot read. An entry whose
key was destroyed is still listed, and found by no number.
"""

from typing import Final

from msgspec import Struct

from orchestrator.domain.customers.blacklist import BlacklistingChanged, BlacklistingLifted, NumberBlacklisted
from orchestrator.domain.kernel import Event, Instant, Record, ident_of
from orchestrator.vault import ERASED, Vault
from projections.base import Batch, Connection
from projections.pages import Condition, Page, page
from projections.tables import Table

NAME: Final = "blacklist"
VERSION: Final = 1

TABLES: Final = """
CREATE TABLE blacklist (
    blacklisting_id text    PRIMARY KEY,
    listed_at       bigint  NOT NULL,
    listed_by       text    NOT NULL,
    number          text    NOT NULL,
    token           text    NOT NULL,
    reason          text    NOT NULL,
    until           bigint  NOT NULL,
    note            text    NOT NULL,
    lifted          boolean NOT NULL,
    position        bigint  NOT NULL
) WITH (fillfactor = 80);
"""

INDEXES: Final = """
CREATE INDEX ON blacklist (listed_at, blacklisting_id);
CREATE INDEX ON blacklist (lifted, listed_at, blacklisting_id);
CREATE INDEX ON blacklist (token, listed_at, blacklisting_id);
CREATE INDEX ON blacklist (reason);
"""

INDEX: Final = "blacklisted number"
"""The name under which look-up tokens of numbers are made (`Vault.token`)."""

HOLDS: Final = "holds"
OVER: Final = "over"
LIFTED: Final = "lifted"
STATES: Final = (HOLDS, OVER, LIFTED)
"""Refuses calls now; its end has come; was taken off the list."""
LISTED_STILL: Final = "listed"
"""The first two together, which is no state of one entry."""


class Listed(Struct):
    """One entry. `number` and `note` are sealed, bound to stream blacklist-<id> and these field names.

    `until` 0: it never ends. `position`: of the last event that changed it.
    """

    blacklisting_id: str
    listed_at: int
    listed_by: str
    number: str
    token: str
    reason: str
    until: int = 0
    note: str = ""
    lifted: bool = False
    position: int = 0

    def state(self, now: Instant) -> str:
        """Which of `STATES` it is in at this moment."""
        if self.lifted:
            return LIFTED
        return OVER if self.until and self.until <= now else HOLDS


LISTED: Final = Table(NAME, Listed, key=("blacklisting_id",))


# --- folding ---------------------------------------------------------------------------------------------------------
_NEWS: Final[tuple[type[Event], ...]] = (NumberBlacklisted, BlacklistingChanged, BlacklistingLifted)


def apply(batch: Batch) -> None:
    """Load the entries of this batch, fold, put them back."""
    news = [(ident_of(record.stream), record) for record in batch.records if isinstance(record.event, _NEWS)]
    if not news:
        return
    rows = LISTED.load(batch.cursor, {ident for ident, _ in news})
    batch.site.unlock({record.stream for _, record in news if isinstance(record.event, NumberBlacklisted)})
    for ident, record in news:
        if isinstance(record.event, NumberBlacklisted):
            rows[ident] = _listed(batch, ident, record, record.event)
        elif (row := rows.get(ident)) is not None:
            _fold(row, record)
    LISTED.save(batch.cursor, rows.values())


def _listed(batch: Batch, ident: str, record: Record, event: NumberBlacklisted) -> Listed:
    number = batch.site.open(record.stream, "number", event.number)
    return Listed(
        blacklisting_id=ident,
        listed_at=record.about.at,
        listed_by=record.about.actor,
        number=event.number,
        token="" if number in ("", ERASED) else batch.site.token(INDEX, number).hex(),
        reason=event.reason,
        until=event.until,
        note=event.note,
        position=record.position,
    )


def _fold(row: Listed, record: Record) -> None:
    row.position = record.position
    match record.event:
        case BlacklistingChanged(reason=reason, until=until, note=note):
            row.reason, row.until, row.note = reason, until, note
        case BlacklistingLifted():
            row.lifted = True


# --- queries ---------------------------------------------------------------------------------------------------------
# An erasure destroys the key first of all; the token stays in the row.
_READABLE: Final = (
    "NOT EXISTS (SELECT FROM public.ringledger_keys AS k"
    " WHERE k.subject = 'blacklist-' || blacklisting_id AND k.erased_at IS NOT NULL)"
)
_KEY: Final = ("listed_at", "blacklisting_id")
_MOST_REASONS: Final = 50


def search(
    connection: Connection,
    vault: Vault,
    *,
    now: Instant,
    state: str = "",
    number: str = "",
    cursor: str = "",
    limit: int = 50,
) -> Page[Listed]:
    """The entries in this state at this moment (empty: in any), or in one of `LISTED_STILL`, and of this number as the
    runner compares numbers (empty: of any), the latest listed first. Raises `Refused` for a cursor or limit that cannot
    be.
    """
    conditions: list[Condition] = []
    if number:
        conditions += [("token = %s", vault.token(INDEX, number).hex()), (_READABLE,)]
    if state == LIFTED:
        conditions.append(("lifted",))
    elif state == LISTED_STILL:
        conditions.append(("NOT lifted",))
    elif state == HOLDS:
        conditions += [("NOT lifted",), ("(until = 0 OR until > %s)", now)]
    elif state == OVER:
        conditions += [("NOT lifted",), ("until > 0 AND until <= %s", now)]
    return page(connection, LISTED, conditions, key=_KEY, cursor=cursor, limit=limit)


def reasons(connection: Connection) -> list[str]:
    """The reasons that entries have, in alphabetical order."""
    found = connection.execute("SELECT DISTINCT reason FROM read.blacklist ORDER BY reason LIMIT %s", (_MOST_REASONS,))
    return [str(reason) for (reason,) in found]
