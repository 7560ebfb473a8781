"""The deciding process itself, as the ledger knows it. Stream `engine-main`.

Written by the runner only; read by ops and by `verify`.
"""

from orchestrator.domain.kernel import Event

STREAM = "engine-main"


class EngineActivated(Event, frozen=True, kw_only=True):
    """A process of this machine decides from now on, under this epoch.

    `why` it could: nobody held the lease (`lease_free`); the process that held it has ended (`process_ended`), or its
    session with the database (`session_ended`), or nothing was heard of it (`nothing_heard`); or it gave its place away
    (`handed_over`).
    """

    epoch: int
    why: str
    host: str


class HandoverAsked(Event, frozen=True, kw_only=True):
    """The one with this name is to follow: it looks at the switches ahead, while the active one goes on deciding.

    `why`: `asked_for` by a person; `switches_lost` where the active one reaches none of its switches, and the
    other one reaches some: then it does not wait for that.
    """

    to: str
    why: str


class HandoverBegun(Event, frozen=True, kw_only=True):
    """The active process stops deciding, and gives its place to the one with this name."""

    to: str


class SpoolBegun(Event, frozen=True, kw_only=True):
    """The database is away, and what is decided from now on went to this spool first. For `away_ms` nothing was decided
    before that could be kept.
    """

    spool: str
    away_ms: int


class DatabaseReturned(Event, frozen=True, kw_only=True):
    """The database answers again. For `away_ms` nothing was decided; what fell due meanwhile is decided from now on.

    `held` pieces of news waited for it. `spooled` events were decided meanwhile, and stand before this one in their
    order; then nothing waited.
    """

    away_ms: int
    held: int
    spooled: int = 0
