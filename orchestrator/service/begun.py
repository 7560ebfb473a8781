"""Forms that an agent began to fill in about a contact, kept while they type, so that call and data move together.

What was typed and not sent is no history: the log never forgets, and this is to be forgotten within hours. So it lies
in a table of the web's (`web.begun`), sealed under the contact's own key, which is destroyed with its person; where the
contact has none, for nothing personal is known of it, under the house's.

A form is one row: of a contact, by its name (`order`, `note`). Whoever saves says which version they saw; of two who
type at once the second is told, and chooses.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, cast

import msgspec
from msgspec import Struct

from orchestrator.domain.kernel import Refused, stream
from orchestrator.store import Source
from orchestrator.vault import Tampered, Vault

ORDER: Final = "order"
NOTE: Final = "note"
FORMS: Final = (ORDER, NOTE)

SENT: Final = "sent"
DROPPED: Final = "dropped"

# After the last key: a working day's longest session. What nobody took up by then, nobody will.
KEPT_S: Final = 12 * 3600
MOST_FIELDS: Final = 100
MOST_BYTES: Final = 64_000

_HOUSE: Final = "begun forms"
_COLUMNS: Final = "key, version, begun_by, begun_at, typed_by, typed_in, typed_at, ended, sealed_under, words"
_FIND: Final = (
    f"SELECT {_COLUMNS} FROM web.begun WHERE contact_id = %s AND form = %s"  # noqa: S608 - ours
    " AND typed_at > clock_timestamp() - make_interval(secs => %s)"
)
# A page saves one after another, so that what it has itself written is never somebody else's.
_KEEP: Final = """
INSERT INTO web.begun AS b (contact_id, form, key, version, begun_by, typed_by, typed_in, sealed_under, words)
VALUES (%(contact)s, %(form)s, %(key)s, 1, %(by)s, %(by)s, %(page)s, %(under)s, %(words)s)
ON CONFLICT (contact_id, form) DO UPDATE SET
    begun_by = CASE WHEN b.key = excluded.key THEN b.begun_by ELSE excluded.begun_by END,
    begun_at = CASE WHEN b.key = excluded.key THEN b.begun_at ELSE clock_timestamp() END,
    key = excluded.key, version = b.version + 1, typed_by = excluded.typed_by, typed_in = excluded.typed_in,
    typed_at = clock_timestamp(), ended = '', sealed_under = excluded.sealed_under, words = excluded.words
  WHERE (b.version = %(version)s OR (b.typed_by, b.typed_in, b.key) = (%(by)s, %(page)s, %(key)s))
    AND (b.ended = '' OR b.key <> excluded.key)
RETURNING version
"""
_END: Final = """
UPDATE web.begun SET ended = %s, words = NULL, version = version + 1, typed_by = %s, typed_at = clock_timestamp()
 WHERE contact_id = %s AND form = %s AND key = %s AND ended = ''
"""
_SWEEP: Final = "DELETE FROM web.begun WHERE typed_at < clock_timestamp() - make_interval(secs => %s)"


class Words(Struct, frozen=True):
    """What stands in a form: which kind of it, and its fields as they were typed."""

    type: str = ""
    fields: dict[str, str] = {}


class Begun(Struct, frozen=True, kw_only=True):
    """A form as it stands. `ended`: empty while it is open, else `sent` or `dropped`, by `typed_by`. Agents by id."""

    key: str
    """Names the form itself: the next one about the same contact has another."""
    version: int
    begun_by: str
    begun_at: datetime
    typed_by: str
    typed_in: str
    """The page in which it was typed."""
    typed_at: datetime
    ended: str = ""
    words: Words = Words()


class Moved(Exception):
    """Somebody else was there since the version that the page saw: what is there now."""

    def __init__(self, now: Begun) -> None:
        super().__init__(f"{now.typed_by}, version {now.version}")
        self.now = now


class BegunForms:
    """Kept, found, ended. Thread-safe. Methods raise `Away` where the database is not there."""

    def __init__(self, source: Source, vault: Vault) -> None:
        """`source` must be the writer's."""
        self._source = source
        self._vault = vault

    def find(self, contact_id: str, form: str) -> Begun | None:
        """The form, also one that has ended; None where there was none in the last hours."""
        self._source.run(lambda connection: connection.execute(_SWEEP, (KEPT_S,)))
        row = self._source.run(lambda connection: connection.execute(_FIND, (contact_id, form, KEPT_S)).fetchone())
        return None if row is None else self._opened(contact_id, form, row)

    def keep(self, contact_id: str, form: str, words: Words, *, key: str, version: int, by: str, page: str) -> int:
        """Keep what is typed in this page, which saw this version (0: none); the version that it is then.

        Raises `Moved`, and `Refused` (`too_long`, `customer_erased`).
        """
        plain = msgspec.json.encode(words)
        if len(plain) > MOST_BYTES or len(words.fields) > MOST_FIELDS:
            raise Refused("too_long", "This is more than a form may hold; shorten it.")
        under, sealed = self._sealed(contact_id, form, plain)
        values = {"contact": contact_id, "form": form, "key": key, "version": version, "by": by, "page": page}
        with self._source.borrow() as connection:
            connection.execute(_SWEEP, (KEPT_S,))
            kept = connection.execute(_KEEP, {**values, "under": under, "words": sealed}).fetchone()
        if kept is not None:
            return cast("int", kept[0])
        now = self.find(contact_id, form)
        if now is None:  # swept between the two: the next try begins anew
            raise Refused("busy", "Others change this at the same moment; try again.")
        raise Moved(now)

    def end(self, contact_id: str, form: str, key: str, how: str, *, by: str) -> None:
        """It was sent or thrown away: nothing of what was typed is left. One that is another now stays."""
        self._source.run(lambda connection: connection.execute(_END, (how, by, contact_id, form, key)))

    @contextmanager
    def sending(self, contact_id: str, form: str, key: str, *, by: str) -> Iterator[None]:
        """While this lasts nobody else sends the form; if it ends well, it was sent. A form that was never kept is sent
        like any. Raises `Moved` where somebody else was faster; whoever repeats what they sent themselves is let.
        """
        failed: Exception | None = None
        # What is refused changed nothing, and is committed: after a rollback psycopg throws away every prepared
        # statement of the connection, also those of the store.
        with self._source.borrow() as connection, connection.transaction():
            row = connection.execute(f"{_FIND} FOR UPDATE", (contact_id, form, KEPT_S)).fetchone()
            now = None if row is None else self._opened(contact_id, form, row)
            if now is not None and now.key == key and now.ended and (now.ended, now.typed_by) != (SENT, by):
                failed = Moved(now)
            else:
                try:
                    yield
                    connection.execute(_END, (SENT, by, contact_id, form, key))
                except Exception as error:  # noqa: BLE001 - raised below
                    failed = error
        if failed is not None:
            raise failed

    # -----------------------------------------------------------------------------------------------------------------
    def _sealed(self, contact_id: str, form: str, plain: bytes) -> tuple[str, bytes]:
        subject = stream("contact", contact_id)
        keys = self._vault.keys({subject})
        if subject not in keys:
            return "house", self._vault.seal_bytes(_HOUSE, plain, _bound(contact_id, form))
        key = keys[subject]
        if key is None:
            raise Refused("customer_erased", "This customer's data was erased; nothing more is kept of them.")
        return "contact", key.seal(plain, _bound(contact_id, form))

    def _opened(self, contact_id: str, form: str, row: Any) -> Begun:  # noqa: ANN401 - a row of _COLUMNS
        *told, ended, under, sealed = row
        key, version, begun_by, begun_at, typed_by, typed_in, typed_at = told
        return Begun(
            key=key,
            version=version,
            begun_by=begun_by,
            begun_at=begun_at,
            typed_by=typed_by,
            typed_in=typed_in,
            typed_at=typed_at,
            ended=ended,
            words=Words() if sealed is None else self._words(contact_id, form, under, bytes(sealed)),
        )

    def _words(self, contact_id: str, form: str, under: str, sealed: bytes) -> Words:
        """What was typed; nothing of somebody whose key was destroyed since."""
        if under == "house":
            return _read(self._vault.open_bytes(_HOUSE, sealed, _bound(contact_id, form)))
        subject = stream("contact", contact_id)
        key = self._vault.keys({subject}).get(subject)
        return Words() if key is None else _read(key.open(sealed, _bound(contact_id, form)))


def _read(plain: bytes) -> Words:
    try:
        return msgspec.json.decode(plain, type=Words)
    except msgspec.DecodeError as error:
        raise Tampered("What was kept of a form cannot be read.") from error


def _bound(contact_id: str, form: str) -> bytes:
    return f"begun\x1f{contact_id}\x1f{form}".encode()
