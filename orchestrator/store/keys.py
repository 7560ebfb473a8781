"""The shelf of wrapped keys and the blind index: the vault's rows in the database, and their destruction."""

from collections.abc import Collection, Mapping, Sequence
from typing import cast

from orchestrator.store.arrays import ByteaArray, TextArray
from orchestrator.store.connections import Connection, Source
from orchestrator.store.schema import APPEND_LOCK
from orchestrator.vault import WrappedKey

_FETCH = """
WITH RECURSIVE chain AS (
    SELECT subject, parent, wrapped FROM public.ringledger_keys WHERE subject = ANY(%b)
    UNION
    SELECT above.subject, above.parent, above.wrapped
      FROM public.ringledger_keys AS above JOIN chain ON above.subject = chain.parent
)
SELECT subject, parent, wrapped FROM chain
"""

_CHECK_VALUE = "kek_check"

# The subject and everything whose key hangs under it, however deep.
_BELOW = """
WITH RECURSIVE below AS (
    SELECT %(subject)s::text AS subject
    UNION
    SELECT child.subject FROM public.ringledger_keys AS child JOIN below ON child.parent = below.subject
)
SELECT subject FROM below
"""


_ADD = (
    "INSERT INTO public.ringledger_keys (subject, parent, wrapped, erased_at)"
    " VALUES (%s, %s, %s, CASE WHEN %s THEN clock_timestamp() END)"
)
_HANG = (
    "UPDATE public.ringledger_keys SET parent = %s, wrapped = %s, erased_at = CASE WHEN %s THEN clock_timestamp() END"
    " WHERE subject = %s AND erased_at IS NULL"
)
_FIND = "SELECT token, stream FROM public.ringledger_blind_index WHERE name = %b AND token = ANY(%b) ORDER BY stream"


class KeyShelf:
    """`vault.Shelf` over the log's database. Every method raises `Away` where that is not there."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def fetch(self, subjects: Collection[str]) -> Mapping[str, WrappedKey]:
        wanted = TextArray(list(subjects))

        def read(connection: Connection) -> dict[str, WrappedKey]:
            rows = connection.execute(_FETCH, (wanted,), binary=True, prepare=True).fetchall()
            return {
                str(subject): WrappedKey(str(subject), cast("str | None", parent), cast("bytes | None", wrapped))
                for subject, parent, wrapped in rows
            }

        return self._source.run(read)

    def check_value(self) -> str | None:
        def read(connection: Connection) -> str | None:
            row = connection.execute(
                "SELECT value FROM public.ringledger_meta WHERE name = %s", (_CHECK_VALUE,)
            ).fetchone()
            return None if row is None else str(row[0])

        return self._source.run(read)

    def remember_check_value(self, value: str) -> str:
        def write(connection: Connection) -> None:
            connection.execute(
                "INSERT INTO public.ringledger_meta VALUES (%s, %s) ON CONFLICT DO NOTHING", (_CHECK_VALUE, value)
            )

        self._source.run(write)
        return self.check_value() or value

    def add(self, row: WrappedKey) -> None:
        """Keep the key of a subject that has none; one that is there, or was destroyed, stays."""
        self._source.run(
            lambda connection: connection.execute(
                "INSERT INTO public.ringledger_keys (subject, parent, wrapped) VALUES (%s, %s, %s)"
                " ON CONFLICT DO NOTHING",
                (row.subject, row.parent, row.wrapped),
            )
        )

    def add_all(self, new: Collection[WrappedKey], hung: Collection[WrappedKey]) -> None:
        """Keep the new keys, and hang others under their parents, in one transaction, as an append does.

        Raises psycopg's `UniqueViolation` where one of the new ones is there already: nothing was kept then.
        """
        if not new and not hung:
            return

        def write(connection: Connection) -> None:
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))
                for row in new:
                    connection.execute(_ADD, (row.subject, row.parent, row.wrapped, row.wrapped is None))
                for row in hung:
                    connection.execute(_HANG, (row.parent, row.wrapped, row.wrapped is None, row.subject))

        self._source.run(write)

    def find(self, index: str, token: bytes) -> list[str]:
        """The streams on which this value was stored in a field of this index, in the order of their names."""
        return self.find_all(index, [token])[token]

    def find_all(self, index: str, tokens: Sequence[bytes]) -> dict[bytes, list[str]]:
        """`find` for each of these tokens, in one question."""
        found: dict[bytes, list[str]] = {token: [] for token in tokens}

        def read(connection: Connection) -> list[tuple[object, ...]]:
            return connection.execute(_FIND, (index, ByteaArray(list(found))), binary=True, prepare=True).fetchall()

        for token, stream in self._source.run(read):
            found[cast("bytes", token)].append(str(stream))
        return found

    def destroy(self, subject: str) -> list[str]:
        """Destroy the key of a subject and those below it, and their look-up rows; the subjects that were hit.

        The log is not touched. Under the append lock, so that no contact is hung under the key while it goes. A
        subject that has no key yet is marked too: what is sealed for it later cannot be read either. Old versions
        of the rows go with the next vacuum, and stay in backups: there, the key-encryption key's own file is what
        must not be at hand.
        """

        def write(connection: Connection) -> list[str]:
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))
                hit = [str(row[0]) for row in connection.execute(_BELOW, {"subject": subject}).fetchall()]
                connection.execute(
                    "INSERT INTO public.ringledger_keys (subject, parent, wrapped, erased_at)"
                    " VALUES (%s, NULL, NULL, clock_timestamp()) ON CONFLICT DO NOTHING",
                    (subject,),
                )
                connection.execute(
                    "UPDATE public.ringledger_keys SET wrapped = NULL, erased_at = clock_timestamp()"
                    " WHERE subject = ANY(%b) AND wrapped IS NOT NULL",
                    (TextArray(hit),),
                )
                connection.execute(
                    "DELETE FROM public.ringledger_blind_index WHERE stream = ANY(%b)", (TextArray(hit),)
                )
            return hit

        return self._source.run(write)
