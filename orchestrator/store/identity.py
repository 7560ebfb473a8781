"""Which ledger this is: what tells it from every other one, also from a copy that was restored beside it."""

import hashlib
from secrets import token_hex
from typing import Final

from orchestrator.store.connections import Connection, Source

_NAME: Final = "ledger"
_LENGTH: Final = 24


def ledger_mark(source: Source, site: str) -> str:
    """A name for the ledger of this site in this database. Another one in a copy that was restored from a dump; the
    same in a replica of the server, which takes its place. Raises `Away`.
    """

    def read(connection: Connection) -> str:
        connection.execute(
            "INSERT INTO public.ringledger_meta VALUES (%s, %s) ON CONFLICT DO NOTHING", (_NAME, token_hex(16))
        )
        row = connection.execute(
            "SELECT value, system_identifier FROM public.ringledger_meta, pg_control_system() WHERE name = %s", (_NAME,)
        ).fetchone()
        return f"{row} {site}"

    return hashlib.sha256(source.run(read).encode()).hexdigest()[:_LENGTH]
