"""Sessions of people on the web, in the database, so that any of them can be ended at any time.

The browser holds 256 random bits, the table their hash. A session ends when nothing was asked for during IDLE_S, at
the latest after LONGEST_S, when its user or an administrator ends it, with the user's password, and with their right to
come in. What began and ended is in the log; the table holds what is open.
"""

import hashlib
import secrets
import threading
import time
import uuid
from collections import OrderedDict
from datetime import datetime
from typing import Final, cast

from msgspec import Struct

from orchestrator.domain.access.users import SessionEnded, User, UserSignedIn
from orchestrator.service.access import Users
from orchestrator.store import Away, Source

IDLE_S: Final = 2 * 3600
LONGEST_S: Final = 12 * 3600
# Requests that were under way while a session got its new key.
FORMER_S: Final = 60
# seen_at is not written more often than this: most requests then only read.
_TOUCH_S: Final = 60
# How long a session that was good is taken to be good while the database is away: desks go on working.
AWAY_S: Final = 300
_REMEMBERED: Final = 10_000
_LONGEST_BROWSER: Final = 200

_CHECK: Final = """
SELECT s.session_id::text, s.user_id, s.granted, s.key_hash = %(hash)s,
       s.seen_at < clock_timestamp() - make_interval(secs => %(touch_s)s),
       (SELECT max(e.originator_version) FROM public.ringledger_events AS e
         WHERE e.originator_id = 'user-' || s.user_id)
  FROM web.sessions AS s
 WHERE (s.key_hash = %(hash)s OR (s.former_hash = %(hash)s AND s.former_until > clock_timestamp()))
   AND s.ends_at > clock_timestamp() AND s.seen_at > clock_timestamp() - make_interval(secs => %(idle_s)s)
"""
_OPEN: Final = """
SELECT session_id::text, user_id, made_at, seen_at, ends_at, address, browser FROM web.sessions
 WHERE ends_at > clock_timestamp() AND seen_at > clock_timestamp() - make_interval(secs => %s)
   AND user_id = coalesce(%s, user_id) ORDER BY made_at DESC
"""
_SWEEP: Final = """
DELETE FROM web.sessions
 WHERE ends_at < clock_timestamp() OR seen_at < clock_timestamp() - make_interval(secs => %s)
"""


class SignedIn(Struct, frozen=True):
    """Who is behind a request. `new_key` is to be handed to the browser where it is not empty."""

    session_id: str
    user: User
    new_key: str = ""


class OpenSession(Struct, frozen=True):
    """One line of a list of sessions."""

    session_id: str
    user_id: str
    made_at: datetime
    seen_at: datetime
    ends_at: datetime
    address: str
    browser: str


class Sessions:
    """Begun, checked, ended. Thread-safe. Methods raise `Away` where the database is not there."""

    def __init__(self, source: Source, users: Users) -> None:
        self._source = source
        self._users = users
        self._lock = threading.Lock()
        self._good: OrderedDict[bytes, tuple[SignedIn, float]] = OrderedDict()

    def begin(self, user: User, *, address: str, browser: str) -> SignedIn:
        """A new session of a user whose password was just verified."""
        session_id, key = str(uuid.uuid4()), secrets.token_urlsafe(32)
        browser = "".join(character for character in browser[:_LONGEST_BROWSER] if character.isprintable())
        with self._source.borrow() as connection:
            connection.execute(_SWEEP, (IDLE_S,))
            connection.execute(
                "INSERT INTO web.sessions (session_id, key_hash, user_id, granted, ends_at, address, browser)"
                " VALUES (%s, %s, %s, %s, clock_timestamp() + make_interval(secs => %s), %s, %s)",
                (session_id, _hash(key), user.user_id, user.granted, LONGEST_S, address, browser),
            )
        event = UserSignedIn(session_id=session_id, address=address)
        self._users.note(user.user_id, event, actor=f"user:{user.user_id}")
        return SignedIn(session_id, user, key)

    def check(self, key: str, *, touch: bool = True) -> SignedIn | None:
        """Who holds this key, as they are now; None where the session is over or never was.

        A session whose user's roles changed gets a new key here, which must reach the browser. With `touch` false the
        session is looked at only: neither a new key nor a longer life.
        """
        hashed = _hash(key)
        try:
            found = self._check(hashed, touch=touch)
        except Away:
            with self._lock:
                kept = self._good.get(hashed)
            if kept is None or time.monotonic() - kept[1] > AWAY_S:
                raise
            return kept[0]
        with self._lock:
            if found is None:
                self._good.pop(hashed, None)
            else:
                self._good[hashed] = (SignedIn(found.session_id, found.user), time.monotonic())
                self._good.move_to_end(hashed)
                while len(self._good) > _REMEMBERED:
                    self._good.popitem(last=False)
        return found

    def _check(self, hashed: bytes, *, touch: bool) -> SignedIn | None:
        words = {"hash": hashed, "touch_s": _TOUCH_S, "idle_s": IDLE_S}
        row = self._source.run(lambda connection: connection.execute(_CHECK, words).fetchone())
        if row is None:
            return None
        session_id, user_id, granted, is_current, is_old, version = row
        user = self._users.get(str(user_id), version=cast("int", version))
        if user is None or user.disabled or not user.roles:
            return None
        if not touch:
            return SignedIn(str(session_id), user)
        if granted != user.granted and is_current:
            return SignedIn(str(session_id), user, self._renew(str(session_id), hashed, user.granted))
        if is_old:
            self._source.run(
                lambda connection: connection.execute(
                    "UPDATE web.sessions SET seen_at = clock_timestamp() WHERE session_id = %s", (session_id,)
                )
            )
        return SignedIn(str(session_id), user)

    def _renew(self, session_id: str, hashed: bytes, granted: int) -> str:
        """A new key for the session, empty where another request was first."""
        key = secrets.token_urlsafe(32)
        with self._source.borrow() as connection:
            done = connection.execute(
                "UPDATE web.sessions SET key_hash = %s, former_hash = key_hash, seen_at = clock_timestamp(),"
                " former_until = clock_timestamp() + make_interval(secs => %s), granted = %s"
                " WHERE session_id = %s AND key_hash = %s",
                (_hash(key), FORMER_S, granted, session_id, hashed),
            )
        return key if done.rowcount else ""

    def open(self, user_id: str | None = None) -> list[OpenSession]:
        """The sessions that are open, of one user or of all, the latest first."""
        rows = self._source.run(lambda connection: connection.execute(_OPEN, (IDLE_S, user_id)).fetchall())
        return [OpenSession(*row) for row in rows]  # type: ignore[arg-type]  # the columns of _OPEN, in this order

    def end(self, session_id: str, *, reason: str, actor: str, of: str | None = None) -> bool:
        """End one session, of this user only where `of` says so; False where there is none such."""
        return bool(
            self._end("session_id::text = %s AND user_id = coalesce(%s, user_id)", session_id, of, reason, actor)
        )

    def end_all(self, user_id: str, *, reason: str, actor: str, but: str | None = None) -> int:
        """End all sessions of a user (but one); how many there were."""
        return self._end("user_id = %s AND session_id::text IS DISTINCT FROM %s", user_id, but, reason, actor)

    def _end(self, which: str, first: str, second: str | None, reason: str, actor: str) -> int:
        words = f"DELETE FROM web.sessions WHERE {which} RETURNING session_id::text, user_id"  # noqa: S608 - ours
        with self._source.borrow() as connection:
            ended = connection.execute(words, (first, second)).fetchall()
        with self._lock:
            gone = {str(session_id) for session_id, _ in ended}
            for hashed in [hashed for hashed, (held, _) in self._good.items() if held.session_id in gone]:
                del self._good[hashed]
        for session_id, user_id in ended:
            self._users.note(str(user_id), SessionEnded(session_id=str(session_id), reason=reason), actor=actor)
        return len(ended)


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
