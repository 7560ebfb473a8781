"""Forms that an agent began to fill in about a contact, kept while they type, so that call and data move together.

What was typed and not sent is no history: the log never forgets, and this is to be forgotten within hours. So it lies
in a table of the web's (`web.begun`), sealed under the contact's own key, which is destroyed with its person; where the
contact has none yet, for nothing personal is known of it, one is made, which is hung under its person's like any.

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
from orchestrator.store import KeyShelf, Source
from orchestrator.vault import DataKey, Tampered, Vault, WrappedKey

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
VALUES (%(contact)s, %(form)s, %(key)s, 1, %(by)s, %(by)s, %(page)s, 'contact', %(words)s)
ON CONFLICT (contact_id, form) DO UPDATE SET
    begun_by = CASE WHEN b.key = excluded.key THEN b.begun_by ELSE excluded.begun_by END,
    begun_at = CASE WHEN b.key = excluded.key THEN b.begun_at ELSE clock_timestamp() END,
    key = excluded.key, version = b.version + 1, typed_by = excluded.typed_by, typed_in = excluded.typed_in,
    typed_at = clock_timestamp(), ended = '', sealed_under = 'contact', words = excluded.words
  WHERE (b.version = %(version)s OR (b.typed_by, b.typed_in, b.key) = (%(by)s, %(page)s, %(key)s))
    AND (b.ended = '' OR b.key <> excluded.key)
RETURNING version
"""
# Whoever sends a form that was never kept holds its place while they do, so that nobody else sends another beside it.
_HOLD: Final = """
INSERT INTO web.begun (contact_id, form, key, version, begun_by, typed_by, typed_in, sealed_under)
VALUES (%(contact)s, %(form)s, %(key)s, 1, %(by)s, %(by)s, %(page)s, 'contact') ON CONFLICT DO NOTHING
"""
_LOCK: Final = f"SELECT {_COLUMNS} FROM web.begun WHERE contact_id = %s AND form = %s FOR UPDATE"  # noqa: S608 - ours
_SENT: Final = f"""
UPDATE web.begun SET key = %(key)s, ended = '{SENT}', words = NULL, version = version + 1, typed_by = %(by)s,
    typed_in = %(page)s, typed_at = clock_timestamp()
 WHERE contact_id = %(contact)s AND form = %(form)s AND NOT (ended = '{SENT}' AND key = %(key)s)
"""  # noqa: S608 - ours
_LET_GO: Final = "DELETE FROM web.begun WHERE contact_id = %s AND form = %s"
_END: Final = """
UPDATE web.begun SET ended = %s, words = NULL, version = version + 1, typed_by = %s, typed_in = %s,
    typed_at = clock_timestamp()
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
        self._shelf = KeyShelf(source)

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
        sealed = self._sealed(contact_id, form, plain)
        values = {"contact": contact_id, "form": form, "key": key, "version": version, "by": by, "page": page}
        with self._source.borrow() as connection:
            connection.execute(_SWEEP, (KEPT_S,))
            kept = connection.execute(_KEEP, {**values, "words": sealed}).fetchone()
        if kept is not None:
            return cast("int", kept[0])
        now = self.find(contact_id, form)
        if now is None:  # swept between the two: the next try begins anew
            raise Refused("busy", "Others change this at the same moment; try again.")
        raise Moved(now)

    def end(self, contact_id: str, form: str, key: str, how: str, *, by: str, page: str) -> None:
        """It was sent or thrown away in this page: nothing of what was typed is left. One that is another now stays."""
        self._source.run(lambda connection: connection.execute(_END, (how, by, page, contact_id, form, key)))

    @contextmanager
    def sending(self, contact_id: str, form: str, *, key: str, version: int, by: str, page: str) -> Iterator[None]:
        """While this lasts nobody else sends a form of this name; if it ends well, it was sent. The page says what it
        saw, as where it keeps. Raises `Moved` where somebody else was there since, in another window of one's own, too;
        whoever repeats what they sent themselves is let.
        """
        failed: Exception | None = None
        values = {"contact": contact_id, "form": form, "key": key, "by": by, "page": page}
        # What is refused changed nothing, and is committed: after a rollback psycopg throws away every prepared
        # statement of the connection, also those of the store.
        with self._source.borrow() as connection, connection.transaction():
            connection.execute(_SWEEP, (KEPT_S,))
            held = connection.execute(_HOLD, values).rowcount > 0
            now = self._opened(contact_id, form, connection.execute(_LOCK, (contact_id, form)).fetchone())
            if held or _may_send(now, key=key, version=version, by=by, page=page):
                try:
                    yield
                    connection.execute(_SENT, values)
                except Exception as error:  # noqa: BLE001 - raised below
                    failed = error
                    if held:
                        connection.execute(_LET_GO, (contact_id, form))
            else:
                failed = Moved(now)
        if failed is not None:
            raise failed

    # -----------------------------------------------------------------------------------------------------------------
    def _sealed(self, contact_id: str, form: str, plain: bytes) -> bytes:
        subject = stream("contact", contact_id)
        keys = self._vault.keys({subject})
        if subject not in keys:
            self._shelf.add(WrappedKey(subject, None, self._vault.wrap(subject, DataKey.fresh())))
            keys = self._vault.keys({subject})
        key = keys[subject]
        if key is None:
            raise Refused("customer_erased", "This customer's data was erased; nothing more is kept of them.")
        return key.seal(plain, _bound(contact_id, form))

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
        if under == "house":  # as those were whose contact had no key, before one was made for them
            return _read(self._vault.open_bytes(_HOUSE, sealed, _bound(contact_id, form)))
        subject = stream("contact", contact_id)
        key = self._vault.keys({subject}).get(subject)
        return Words() if key is None else _read(key.open(sealed, _bound(contact_id, form)))


def _may_send(now: Begun, *, key: str, version: int, by: str, page: str) -> bool:
    """Whether who sends has seen what is there. What they sent themselves they may send again: its answer was lost."""
    if (now.typed_by, now.typed_in, now.key) == (by, page, key):
        return now.ended != DROPPED
    return now.version == version and not (now.ended and now.key == key)


def _read(plain: bytes) -> Words:
    try:
        return msgspec.json.decode(plain, type=Words)
    except msgspec.DecodeError as error:
        raise Tampered("What was kept of a form cannot be read.") from error


def _bound(contact_id: str, form: str) -> bytes:
    return f"begun\x1f{contact_id}\x1f{form}".encode()
