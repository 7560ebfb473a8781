"""The deciding process itself, as the ledger knows it. Stream `engine-main`.

Written by the runner only; read by ops and by `verify`.
"""

from orchestrator.domain.kernel import Event

STREAM = "engine-main"


class DatabaseReturned(Event, frozen=True, kw_only=True):
    """The database answers again. For `away_ms` nothing was decided; what fell due meanwhile is decided from now on.

    `held` pieces of news waited for it.
    """

    away_ms: int
    held: int
