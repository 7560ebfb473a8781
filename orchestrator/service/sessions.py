"""Sessions of people on the web, in the database, so that any of them can be ended at any time.

The browser holds 256 random bits, the table their hash. A session ends when nothing was asked for during IDLE_S, at
the latest after LONGEST_S, when its user or an administrator ends it, with the user's password, and with their right to
come in. What began and ended is in the log; the table holds what is open.

While the database is away, whoever had a session goes on by what was known of them, and people sign in by it: only to
work at an agent's desk, for a bounded time. When it is back each of them is looked at again (docs/decisions/0105).
"""

import hashlib
import secrets
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Final, cast

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.access.users import SessionEnded, User, UserSignedIn
from orchestrator.domain.kernel import SECOND
from orchestrator.service.access import Users
from orchestrator.service.meanwhile import Began, Ended, Meanwhile, may_go_on, now, password_mark
from orchestrator.store import Away, Source

IDLE_S: Final = 2 * 3600
LONGEST_S: Final = 12 * 3600
# Requests that were under way while a session got its new key.
FORMER_S: Final = 60
# seen_at is not written more often than this: most requests then only read.
_TOUCH_S: Final = 60
_MS_IN_S: Final = 1000
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
    """Who is behind a request. `new_key` is to be handed to the browser where it is not empty. `desk_only`: for long
    nobody could tell whether they still are who they were: they may be an agent at a desk, and nothing more.
    """

    session_id: str
    user: User
    new_key: str = ""
    desk_only: bool = False


class Patience(Struct, frozen=True):
    """For how long (s) what was known of people is believed while the database is away: at desks, and for the rest."""

    desk_s: float = 3600.0
    rights_s: float = 300.0


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

    def __init__(self, source: Source, users: Users, meanwhile: Meanwhile, patience: Patience) -> None:
        self._source = source
        self._users = users
        self._meanwhile = meanwhile
        self._patience = patience
        self._lock = threading.Lock()
        self._good: OrderedDict[bytes, tuple[SignedIn, float]] = OrderedDict()
        self._begun: dict[bytes, Began] = {}
        """Sessions that began while the database was away, until each was looked at again."""
        self._ended: set[str] = set()
        """The ids of those that ended then, until that is recorded."""

    def begin(self, user: User, *, address: str, browser: str) -> SignedIn:
        """A new session of a user whose password was just verified."""
        session_id, key = str(uuid.uuid4()), secrets.token_urlsafe(32)
        browser = _printable(browser)
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
        found = self._found(_hash(key), touch=touch)
        return None if found is not None and found.session_id in self._ended else found

    def _found(self, hashed: bytes, *, touch: bool) -> SignedIn | None:
        try:
            found = self._check(hashed, touch=touch) or self._begun_lately(hashed)
        except Away:
            return self._remembered(hashed)
        with self._lock:
            if found is None:
                self._good.pop(hashed, None)
            elif not found.desk_only:
                self._good[hashed] = (SignedIn(found.session_id, found.user), time.monotonic())
                self._good.move_to_end(hashed)
                while len(self._good) > _REMEMBERED:
                    self._good.popitem(last=False)
        return found

    # --- while the database is away ----------------------------------------------------------------------------------
    def may_begin_away(self) -> bool:
        """Whether people may sign in by what is known of them, now that the database is away."""
        return self._users.unsure_s() < self._patience.desk_s

    def begin_away(self, user: User, *, address: str, browser: str) -> SignedIn:
        """A new session of a user whose password was just verified by what is known of them; it is for a desk only.

        Raises `NotKept` where nobody could tell later that it began.
        """
        session_id, key = str(uuid.uuid4()), secrets.token_urlsafe(32)
        began = Began(
            session_id=session_id,
            key_hash=_hash(key),
            user_id=user.user_id,
            granted=user.granted,
            password=password_mark(user),
            address=address,
            browser=_printable(browser),
            at=now(),
            known_ms=round(self._users.unsure_s() * _MS_IN_S),
        )
        self._meanwhile.keep(began)
        with self._lock:
            self._begun[began.key_hash] = began
        return SignedIn(session_id, user, key, desk_only=True)

    def end_away(self, session_id: str, user_id: str) -> None:
        """Sign out, though the database is away. Raises `NotKept`."""
        self._meanwhile.keep(Ended(session_id=session_id, user_id=user_id))
        with self._lock:
            self._ended.add(session_id)

    def recall(self) -> None:
        """What began and ended by an earlier process and is not recorded yet is known here too. Raises `NotKept`."""
        deeds = self._meanwhile.kept()
        with self._lock:
            self._begun |= {deed.key_hash: deed for deed in deeds if isinstance(deed, Began)}
            self._ended |= {deed.session_id for deed in deeds if isinstance(deed, Ended)}

    def forget(self, session_id: str) -> None:
        """It was ended elsewhere: should the database go away now, it is not taken to be good."""
        with self._lock:
            for hashed in [hashed for hashed, (held, _) in self._good.items() if held.session_id == session_id]:
                del self._good[hashed]
            self._ended |= {began.session_id for began in self._begun.values() if began.session_id == session_id}

    def may_last(self, began: Began) -> bool:
        """Whether a session that began then is not too old to be taken up."""
        return now() - began.at < max(IDLE_S, self._patience.desk_s) * SECOND

    def confirm(self, began: Began, *, good: bool) -> None:
        """The database is back: a session that began meanwhile is one like any other from now on, or, where it is not
        `good`, nothing any more. Safe to repeat as long as it has not ended.
        """
        if good:
            with self._source.borrow() as connection:
                connection.execute(
                    "INSERT INTO web.sessions (session_id, key_hash, user_id, granted, ends_at, address, browser)"
                    " VALUES (%s, %s, %s, %s, to_timestamp(%s::float8) + make_interval(secs => %s), %s, %s)"
                    " ON CONFLICT DO NOTHING",
                    (
                        *(began.session_id, began.key_hash, began.user_id, began.granted),
                        *(began.at / SECOND, LONGEST_S, began.address, began.browser),
                    ),
                )
        with self._lock:
            self._begun.pop(began.key_hash, None)

    def unsettled(self) -> set[str]:
        """The ids of sessions that began or ended while the database was away, and wait to be looked at."""
        with self._lock:
            return {began.session_id for began in self._begun.values()} | self._ended

    def settled(self, session_ids: set[str]) -> None:
        """What is in the log and the table is all that there is to know of these."""
        with self._lock:
            self._ended -= session_ids
            self._begun = {
                hashed: began for hashed, began in self._begun.items() if began.session_id not in session_ids
            }

    def _remembered(self, hashed: bytes) -> SignedIn | None:
        """Who holds this key, by what is known; None for somebody unknown who may sign in so. Raises `Away` else."""
        with self._lock:
            began, kept = self._begun.get(hashed), self._good.get(hashed)
        unsure_s, patience = self._users.unsure_s(), self._patience
        if began is not None and unsure_s < patience.desk_s:
            user = self._users.recall(began.user_id)
            good = user is not None and may_go_on(user, began)
            return SignedIn(began.session_id, user, desk_only=True) if good and user is not None else None
        if kept is not None:
            held, checked_at = kept
            checked_s = time.monotonic() - checked_at
            idle_s = checked_s - unsure_s  # when the database went away
            unsure_s = min(unsure_s, checked_s)
            user = self._users.recall(held.user.user_id) or held.user
            if unsure_s < max(patience.desk_s, patience.rights_s) and idle_s < IDLE_S:
                if user.disabled or not user.roles:
                    return None
                return SignedIn(held.session_id, user, desk_only=unsure_s >= patience.rights_s)
        if self.may_begin_away():
            return None
        raise Away("The database is away, and nobody knows (any more) who this is.")

    def _begun_lately(self, hashed: bytes) -> SignedIn | None:
        """The database is back, and this session has not been recorded yet: its user is looked at as they are now."""
        began = self._begun.get(hashed)
        user = self._users.get(began.user_id) if began is not None else None
        if began is None or user is None or not may_go_on(user, began):
            return None
        return SignedIn(began.session_id, user, desk_only=True)

    # --- with the database -------------------------------------------------------------------------------------------
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
        which = "session_id::text = %s AND user_id = coalesce(%s, user_id)"
        begun = self._begun_as(lambda each: each.session_id == session_id and of in {None, each.user_id})
        return bool(self._end(which, session_id, of, SessionEnded(session_id="", reason=reason), actor, begun))

    def end_all(self, user_id: str, *, reason: str, actor: str, but: str | None = None) -> int:
        """End all sessions of a user (but one); how many there were."""
        which = "user_id = %s AND session_id::text IS DISTINCT FROM %s"
        begun = self._begun_as(lambda each: each.user_id == user_id and each.session_id != but)
        return self._end(which, user_id, but, SessionEnded(session_id="", reason=reason), actor, begun)

    def _begun_as(self, which: Callable[[Began], bool]) -> dict[str, str]:
        """Sessions that are not recorded yet, and have not ended: their ids and users."""
        with self._lock:
            return {
                each.session_id: each.user_id
                for each in self._begun.values()
                if which(each) and each.session_id not in self._ended
            }

    def _end(
        self, which: str, first: str, second: str | None, said: SessionEnded, actor: str, begun: dict[str, str]
    ) -> int:
        words = f"DELETE FROM web.sessions WHERE {which} RETURNING session_id::text, user_id"  # noqa: S608 - ours
        with self._source.borrow() as connection:
            rows = connection.execute(words, (first, second)).fetchall()
        ended = begun | {str(session_id): str(user_id) for session_id, user_id in rows}
        with self._lock:
            gone = set(ended)
            self._ended |= begun.keys()
            for hashed in [hashed for hashed, (held, _) in self._good.items() if held.session_id in gone]:
                del self._good[hashed]
        for session_id, user_id in ended.items():
            self._users.note(user_id, replace(said, session_id=session_id), actor=actor)
        return len(ended)


def _printable(browser: str) -> str:
    return "".join(character for character in browser[:_LONGEST_BROWSER] if character.isprintable())


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
