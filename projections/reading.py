"""What a process that shows the ledger needs of it, made in one place, so that the web itself knows no store."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from psycopg.errors import OperationalError, UndefinedTable

from orchestrator import cluster
from orchestrator.service.access import Tokens, Users
from orchestrator.service.attempts import Attempts
from orchestrator.service.begun import BegunForms
from orchestrator.service.customer_file import CustomerFile
from orchestrator.service.deciding import Desk
from orchestrator.service.fetching import Elsewhere, prover
from orchestrator.service.holds import Holds
from orchestrator.service.meanwhile import Meanwhile, Settling
from orchestrator.service.media import Media
from orchestrator.service.passwords import Passwords, Run, here
from orchestrator.service.recordings import Recordings
from orchestrator.service.requests import Requests
from orchestrator.service.sessions import Patience, Sessions
from orchestrator.settings import Settings
from orchestrator.store import Away, DeskWriter, KeyShelf, Later, Log, NotKept, Source, VersionConflict, schema
from orchestrator.vault import ERASED, SEALED, Vault, open_text

__all__ = [
    "ERASED",
    "LOST",
    "NOT_BUILT",
    "NOT_TO_BE_HAD",
    "SEALED",
    "Away",
    "Log",
    "NotKept",
    "Reading",
    "Source",
    "VersionConflict",
    "open_reading",
    "reading_of",
]

LOST: Final = OperationalError
"""What a query raises whose connection was lost in the middle, or that took too long; the next may well succeed."""
NOT_TO_BE_HAD: Final = cluster.ClusterError
"""What opening raises where our own database does not come up, and waiting alone does not mend it; the message says why
and what to do.
"""
NOT_BUILT: Final = UndefinedTable
"""What a query raises whose read model was never built yet. Once built, a model is always there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The log and what stands beside it, as a screen needs them."""

    log: Log
    """Opens personal text, as the reader."""
    sealed: Log
    """The same, which leaves personal text masked: for screens that show events as they are stored."""
    vault: Vault
    desk: DeskWriter
    """Appends to desk streams, as the writer."""
    reader: Source
    """Read models and the log, as the reader."""
    users: Users
    sessions: Sessions
    tokens: Tokens
    attempts: Attempts
    requests: Requests
    recordings: Recordings
    holds: Holds
    begun: BegunForms
    meanwhile: Meanwhile
    """What people do while the database is away."""
    settling: Settling

    def opened(self, wanted: Sequence[tuple[str, str, str]]) -> list[str]:
        """Sealed texts of read models, opened, from (stream, field, text) each; `‹erased›` where the key is destroyed.

        All keys are fetched at once. An empty text stays empty. Raises `Away`.
        """
        keys = self.vault.keys({stream for stream, _, text in wanted if text})
        return [
            "" if not text else ERASED if (key := keys.get(stream)) is None else open_text(key, stream, field, text)
            for stream, field, text in wanted
        ]


@contextmanager
def open_reading(settings: Settings, *, name: str = "ringledger web", off_hub: Run = here) -> Iterator[Reading]:
    """Everything, while the context lasts; our own database is started where it does not run.

    `off_hub` runs what takes long without coming up for air (password hashes). Raises what opening raises: `Away` where
    the database is not there, `NOT_TO_BE_HAD` where it does not come up.
    """
    try:
        database = cluster.ensure_running(settings, lambda _: None)
    except (cluster.Unreachable, LOST) as error:
        raise Away(str(error)) from error
    try:
        with reading_of(settings, database.url_reader, database.url_writer, name=name, off_hub=off_hub) as reading:
            yield reading
    finally:
        database.stop()


@contextmanager
def reading_of(
    settings: Settings, url_reader: str, url_writer: str, *, name: str = "ringledger web", off_hub: Run = here
) -> Iterator[Reading]:
    """The same over a database that is known to run."""
    # Of a server that stands still nobody here waits for an answer, where the process can notice it.
    reader, writer = Source(url_reader, name=name).feel(), Source(url_writer, name=name).feel()
    try:
        schema.check(reader)
        vault = Vault.unlock(settings.kek_file, KeyShelf(writer))
        log = Log(reader, vault=vault)
        desk = DeskWriter(writer, vault)
        users = Users(desk, log, Passwords(off_hub))
        elsewhere = Elsewhere(settings.fetch_from, prover(vault))
        recordings = Recordings(
            desk,
            log,
            clear=settings.recordings,
            kept=settings.kept,
            elsewhere=elsewhere,
            media=Media(settings.archive),
        )
        later = Later(settings.meanwhile, vault)
        meanwhile = Meanwhile(later)
        patience = Patience(60.0 * settings.away_desk_min, 60.0 * settings.away_rights_min)
        sessions = Sessions(writer, users, meanwhile, patience)
        file = CustomerFile(desk, log, vault, region=settings.region)
        yield Reading(
            log=log,
            sealed=Log(reader),
            vault=vault,
            desk=desk,
            reader=reader,
            users=users,
            sessions=sessions,
            tokens=Tokens(desk, log, writer),
            attempts=Attempts(writer, vault),
            requests=Requests(writer),
            recordings=recordings,
            holds=Holds(desk, log, recordings),
            begun=BegunForms(writer, vault),
            meanwhile=meanwhile,
            settling=Settling(later, Desk(desk, log), users, sessions, file),
        )
    finally:
        reader.close()
        writer.close()
