"""The four roles of the ledger's database, their passwords, and the database itself.

The owner makes the schema, the writer appends, the reader reads, the projector folds the log into read models; what
each may do to a table is said where the table is made. Passwords are made here, kept in one file under
RINGLEDGER_HOME/keys, and may be thrown away while nothing runs: the administrator, known by the kernel and not by a
password, sets new ones at the next start.
"""

import hashlib
import hmac
import json
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from orchestrator.durable import replace
from orchestrator.settings import mask_url

from .binaries import OLDEST_MAJOR
from .places import ClusterError, Unreachable, give_to_owner_of

if TYPE_CHECKING:
    import psycopg

OWNER: Final = "ringledger_owner"
WRITER: Final = "ringledger_writer"
READER: Final = "ringledger_reader"
PROJECTOR: Final = "ringledger_projector"
# Those who work with what the owner made.
WORKERS: Final = (WRITER, READER, PROJECTOR)
DATABASE: Final = "ringledger"
PASSWORD_FILE: Final = "postgresql.json"  # noqa: S105 - a file's name
_PASSWORD_BYTES: Final = 24
_CONNECT_S: Final = 10


def passwords(home: Path, keys: Path) -> dict[str, str]:
    """The password of each role, made at the first call and the same ever after.

    Raises ClusterError when the file is there but cannot be understood.
    """
    path = keys / PASSWORD_FILE
    known: dict[str, str] = {}
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        known = {role: str(read[role]) for role in (OWNER, WRITER, READER)}
        # A home that is older than the projector has no password of its own for it.
        known[PROJECTOR] = str(read.get(PROJECTOR, "")) or secrets.token_urlsafe(_PASSWORD_BYTES)
        if PROJECTOR not in read:
            replace(path, json.dumps(known, indent=1).encode(), partial(give_to_owner_of, home))
    except FileNotFoundError:
        known = {role: secrets.token_urlsafe(_PASSWORD_BYTES) for role in (OWNER, *WORKERS)}
        keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace(path, json.dumps(known, indent=1).encode(), partial(give_to_owner_of, home))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ClusterError(
            f"{path} cannot be used ({type(error).__name__}). Restore it, or, while no server runs, remove it: "
            "new passwords are then made and set."
        ) from error
    return known


def url_for(url: str, role: str, password: str, database: str | None = None) -> str:
    """The same database's URL as another role (and, if given, another database of the same server)."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in {"user", "password"}]
    path = parts.path if database is None else f"/{quote(database, safe='')}"
    return urlunsplit(
        ("postgresql", f"{quote(role, safe='')}:{quote(password, safe='')}@{place}", path, urlencode(query), "")
    )


def provide(admin_url: str, secrets_of: Mapping[str, str]) -> None:
    """On our own server: the four roles, able to sign in with these passwords, and the owner's database.

    Whatever is there already stays. Raises ClusterError when the administrator is refused, `Unreachable` where the
    server goes away meanwhile.
    """
    with _connected(admin_url) as connection:
        # Only the administrator may look at what the server keeps of passwords; others have to sign in to find out.
        asked = "SELECT rolname, rolpassword FROM pg_authid WHERE rolcanlogin AND rolpassword IS NOT NULL"
        kept = dict(connection.execute(asked).fetchall())
        for role in (OWNER, *WORKERS):
            if not is_of(kept.get(role, ""), secrets_of[role]):
                _provide_role(connection, role, secrets_of[role], admin_url)
        provide_database(connection, DATABASE)


def provide_on(owner_url: str, secrets_of: Mapping[str, str]) -> None:
    """On a server of somebody else's, where we are a database's owner: the roles of those who work in it.

    Raises ClusterError with the statements for an administrator where the owner may not make or change roles,
    `Unreachable` where the server goes away meanwhile.
    """
    import psycopg

    with _connected(owner_url) as connection:
        if (major := connection.info.server_version // 10_000) < OLDEST_MAJOR:
            raise ClusterError(
                f"RINGLEDGER_DATABASE_URL leads to PostgreSQL {major}; {OLDEST_MAJOR} or newer is needed. "
                "Nothing was touched."
            )
        database = connection.info.dbname
        try:
            for role in WORKERS:
                _provide_role(connection, role, secrets_of[role], owner_url)
            _let_in(connection, database)
        except psycopg.errors.InsufficientPrivilege as error:
            raise ClusterError(
                f"The owner of database {database!r} may not make roles. Let an administrator run\n"
                f"  {' '.join(f'CREATE ROLE {role} LOGIN;' for role in WORKERS)}\n"
                f'  GRANT CONNECT ON DATABASE "{database}" TO {", ".join(WORKERS)};\n'
                f'  GRANT CREATE ON DATABASE "{database}" TO {PROJECTOR};\n'
                f"and set their passwords (\\password in psql) to those in {PASSWORD_FILE} under RINGLEDGER_HOME/keys."
            ) from error


def provide_database(connection: "psycopg.Connection[Any]", name: str, template: str = "template1") -> bool:
    """A database of the owner's that nobody but the four roles may enter. Returns whether it had to be made."""
    from psycopg import sql

    if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is not None:
        return False
    names = {"name": sql.Identifier(name), "template": sql.Identifier(template), "owner": sql.Identifier(OWNER)}
    connection.execute(sql.SQL("CREATE DATABASE {name} TEMPLATE {template} OWNER {owner}").format(**names))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {name} FROM PUBLIC").format(**names))
    _let_in(connection, name)
    return True


def _let_in(connection: "psycopg.Connection[Any]", database: str) -> None:
    """Let those who work in it connect to this database, and the projector make its schemas in it."""
    from psycopg import sql

    workers = sql.SQL(", ").join(map(sql.Identifier, WORKERS))
    words = {"name": sql.Identifier(database), "workers": workers, "projector": sql.Identifier(PROJECTOR)}
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {name} TO {workers}").format(**words))
    connection.execute(sql.SQL("GRANT CREATE ON DATABASE {name} TO {projector}").format(**words))


def _provide_role(connection: "psycopg.Connection[Any]", role: str, password: str, url: str) -> None:
    """Make the role if it is missing, and give it this password unless it has it already."""
    import psycopg
    from psycopg import sql

    name = sql.Identifier(role)
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
        hashed = _hashed(connection, role, password)
        connection.execute(sql.SQL("CREATE ROLE {role} LOGIN PASSWORD {hashed}").format(role=name, hashed=hashed))
        return
    database = connection.info.dbname
    try:
        psycopg.connect(url_for(url, role, password, database), connect_timeout=_CONNECT_S).close()
    except psycopg.OperationalError:
        hashed = _hashed(connection, role, password)
        connection.execute(sql.SQL("ALTER ROLE {role} LOGIN PASSWORD {hashed}").format(role=name, hashed=hashed))


def is_of(kept: str, password: str) -> bool:
    """Whether what a server keeps of a password is of this one. False where that cannot be told from it alone: it is no
    SCRAM-SHA-256, or the password has letters that SCRAM would prepare first.
    """
    found = re.fullmatch(r"SCRAM-SHA-256\$(\d+):([\w+/=]+)\$[\w+/=:]+", kept, re.ASCII)
    if found is None or not password.isascii():
        return False
    return hmac.compare_digest(kept, kept_of(password, salt=b64decode(found[2]), iterations=int(found[1])))


def kept_of(password: str, *, salt: bytes, iterations: int) -> str:
    """What PostgreSQL keeps of a password of ASCII letters (SCRAM-SHA-256, RFC 5802 and 5803)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt_, client_, server_ = (b64encode(part).decode() for part in (salt, client, server))
    return f"SCRAM-SHA-256${iterations}:{salt_}${client_}:{server_}"


def _hashed(connection: "psycopg.Connection[Any]", role: str, password: str) -> "psycopg.sql.Literal":
    """The password as the server keeps it: hashed here, so that it is in no statement and so in no log."""
    from psycopg import sql

    return sql.Literal(connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode())


@contextmanager
def _connected(url: str) -> "Iterator[psycopg.Connection[Any]]":
    """A connection for this block. Raises `Unreachable` where there is none, or none any more."""
    import psycopg

    with _connect(url) as connection:
        try:
            yield connection
        except psycopg.OperationalError as error:
            raise Unreachable(f"The database at {mask_url(url)} went away: {str(error).strip()}") from error


def _connect(url: str) -> "psycopg.Connection[Any]":
    import psycopg

    try:
        return psycopg.connect(url, connect_timeout=_CONNECT_S, autocommit=True)
    except psycopg.OperationalError as error:
        raise Unreachable(
            f"The database at {mask_url(url)} cannot be reached: {str(error).strip()}\n"
            "Check that the server runs and that address, user and password in RINGLEDGER_DATABASE_URL are right."
        ) from error
