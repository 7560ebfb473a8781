"""The tables of the log: made by the owner before anything runs, checked by everything that runs.

Plain SQL with a version: `sql/NNNN_*.sql` are applied in order, each once, all in one transaction.
"""

from dataclasses import dataclass
from importlib import resources
from typing import Final

import psycopg
from psycopg import sql

from orchestrator.store.connections import CONNECT_TIMEOUT_S, Connection, Source
from orchestrator.store.errors import Away, SchemaMismatch

WRITER: Final = "ringledger_writer"
READER: Final = "ringledger_reader"
PROJECTOR: Final = "ringledger_projector"

EVENTS: Final = "ringledger_events"
CHANNEL: Final = "ringledger_events"
"""NOTIFY is sent here by every append; the library listens on the events table's name too."""

# Keys of advisory locks, ours by convention: any 64-bit number that no other program in this database uses. These are
# the first eight bytes of the ASCII names.
APPEND_LOCK: Final = int.from_bytes(b"rl-appnd")
MIGRATION_LOCK: Final = int.from_bytes(b"rl-migrt")

_MIGRATIONS: Final = (
    "0001_log.sql",
    "0002_read.sql",
    "0003_web.sql",
    "0004_sole_of_several.sql",
    "0005_past.sql",
    "0006_engines.sql",
    "0007_begun.sql",
    "0008_spool.sql",
    "0009_engines_ahead.sql",
)
VERSION: Final = len(_MIGRATIONS)


@dataclass(frozen=True, slots=True)
class Created:
    """What `create` found and did. `guarded` is false where event triggers against DROP need a superuser."""

    before: int
    after: int
    guarded: bool


def create(owner_url: str, *, admin_url: str | None = None) -> Created:
    """Make or bring up to date tables, triggers and grants; nothing is done twice.

    The URL's user becomes the owner of the tables and is not needed again until the next version. The roles `WRITER`,
    `READER` and `PROJECTOR` are made where they are missing (without a password: whoever keeps passwords sets them).
    `admin_url` is a superuser's way into the same database, for the event triggers that guard against DROP and ALTER
    by mistake.

    Raises `SchemaMismatch` for a database of a newer version of this program, `Away` where there is no database.
    """
    with _connect(owner_url) as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        connection.execute("SET LOCAL ringledger.migrating = 'on'")
        # CREATE … IF NOT EXISTS would chat about each thing that is there already.
        connection.execute("SET LOCAL client_min_messages = 'warning'")
        before = _version(connection)
        if before > VERSION:
            raise SchemaMismatch(_too_new(before))
        _make_roles(connection)
        for name in _MIGRATIONS[before:]:
            connection.execute(_script(name))
        connection.execute(
            "INSERT INTO public.ringledger_meta VALUES ('schema_version', %s)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (str(VERSION),),
        )
    guarded = False
    with _connect(admin_url or owner_url) as connection:
        superuser = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        if superuser == (True,):
            with connection.transaction():
                connection.execute("SET LOCAL ringledger.migrating = 'on'")
                connection.execute("SET LOCAL client_min_messages = 'warning'")
                connection.execute(_script("guard.sql"))
            guarded = True
    return Created(before, VERSION, guarded)


def check(source: Source) -> None:
    """Raise `SchemaMismatch` with advice unless the database is exactly of this program's schema version."""
    found = source.run(_version)
    if found > VERSION:
        raise SchemaMismatch(_too_new(found))
    if found < VERSION:
        raise SchemaMismatch(
            f"The database's schema is at version {found}, this program needs {VERSION}. `make run` brings it "
            f"up to date, as the database's owner, before it starts the engine; nothing stored is changed by that."
        )


def _connect(url: str) -> Connection:
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S)
    except psycopg.OperationalError as error:
        raise Away(f"The database does not answer: {str(error).strip()}") from error


def _make_roles(connection: Connection) -> None:
    there = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'ringledger%'")}
    missing = [role for role in (WRITER, READER, PROJECTOR) if role not in there]
    try:
        for role in missing:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
    except psycopg.errors.InsufficientPrivilege as error:
        words = " ".join(f"CREATE ROLE {role} LOGIN;" for role in missing)
        raise SchemaMismatch(
            f"User {connection.info.user!r} may not make the roles that the log needs. Let an administrator of the "
            f"server run, once: {words} and set their passwords."
        ) from error


def _version(connection: Connection) -> int:
    if connection.execute("SELECT to_regclass('public.ringledger_meta') IS NULL").fetchone() == (True,):
        return 0
    row = connection.execute("SELECT value FROM public.ringledger_meta WHERE name = 'schema_version'").fetchone()
    return int(str(row[0])) if row else 0


def _script(name: str) -> bytes:
    text = resources.files("orchestrator.store").joinpath("sql", name).read_text(encoding="utf-8")
    return text.replace("{append_lock}", str(APPEND_LOCK)).encode()


def _too_new(found: int) -> str:
    return (
        f"The database's schema is at version {found}, made by a newer Ringledger; this program knows {VERSION}. "
        f"Run the newer program, or restore a backup made before the upgrade into another database; "
        f"nothing here was touched."
    )
