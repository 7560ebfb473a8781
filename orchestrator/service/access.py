"""Users and tokens: loaded, changed, checked. Sessions are beside it (`sessions`), throttling too (`attempts`).

A user is folded from their stream and remembered; each use asks the log for the stream's version first, so what an
administrator changed holds for the very next request, in every process.
"""

import hashlib
import hmac
import math
import re
import secrets
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, cast

from msgspec.structs import replace

from orchestrator.domain.access import tokens, users
from orchestrator.domain.access.scope import EVERYBODY, Scope
from orchestrator.domain.access.tokens import Token, TokenIssued, TokenRevoked
from orchestrator.domain.access.users import User
from orchestrator.domain.kernel import SECOND, Event, Instant, Provenance, Record, Refused, ident_of, stream
from orchestrator.service.passwords import Passwords
from orchestrator.store import DeskWriter, Log, Source, VersionConflict

USER_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,38}[a-z0-9])?")
_TOKEN: Final = re.compile(r"rl_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
DAY: Final = 86_400 * SECOND
LONGEST_TOKEN_DAYS: Final = 366
_TRIES: Final = 5
_REMEMBERED: Final = 10_000

_USE: Final = """
INSERT INTO web.token_uses AS t (token_id, address) VALUES (%s, %s)
ON CONFLICT (token_id) DO UPDATE SET used_at = clock_timestamp(), address = excluded.address
 WHERE t.used_at < clock_timestamp() - interval '1 minute' OR t.address <> excluded.address
"""

Changed = Callable[[str], None]


class Users:
    """Everybody who may sign in. Thread-safe. Methods raise `Refused`, and `Away` where the database is not there."""

    def __init__(self, desk: DeskWriter, log: Log, passwords: Passwords) -> None:
        self._desk = desk
        self._log = log
        self._passwords = passwords
        self._lock = threading.Lock()
        self._known: OrderedDict[str, User] = OrderedDict()
        self._sure_at: float | None = None
        """When the log was last known to hold nothing of users that is not known here (monotonic s)."""
        self._listeners: list[Changed] = []

    def on_change(self, listener: Changed) -> None:
        """Call this with the id of a user whenever one of them was changed here or was heard to have changed."""
        self._listeners.append(listener)

    # --- reading -----------------------------------------------------------------------------------------------------
    def get(self, user_id: str, *, version: int | None = None) -> User | None:
        """The user as of now, None where there is none.

        `version` is the version of their stream where the caller has just read it; else it is asked for.
        """
        if not USER_ID.fullmatch(user_id):
            return None
        with self._lock:
            known = self._known.get(user_id)
        if known is not None and version is not None and known.version >= version:
            return known
        user = known
        for record in self._log.stream(stream("user", user_id), after_version=0 if known is None else known.version):
            user = users.evolve(user, record.event, user_id)
        if user is not None:
            self._remember(user)
        return user

    def everybody(self) -> list[User]:
        """All users by id. Reads the whole log once: for a page that administrators open now and then."""
        found: dict[str, User | None] = {}
        for record in self._log.history(kinds=("user",)):
            user_id = ident_of(record.stream)
            found[user_id] = users.evolve(found.get(user_id), record.event, user_id)
        return [user for _, user in sorted(found.items()) if user is not None]

    def verified(self, user_id: str, password: str) -> User | None:
        """The user if this is their password and they may come in. Takes as long where there is no such user."""
        user = self.get(user_id)
        fits = self._passwords.fits(user.hash if user is not None else "", password)
        if user is None or not fits or user.disabled or not user.roles:
            return None
        if self._passwords.is_outdated(user.hash):
            self.store_hash(user_id, self._passwords.hash(password), actor=f"user:{user_id}")
        return user

    # --- while the database is away ----------------------------------------------------------------------------------
    def learn(self) -> int:
        """Read everybody, so that they are known while the database is away; up to which position. Raises `Away`."""
        end = self._log.position()
        found: dict[str, tuple[User | None, int]] = {}
        for record, last in self._log.of_kind("user", users.TELLING):
            user_id = ident_of(record.stream)
            user, _ = found.get(user_id, (None, 0))
            found[user_id] = users.evolve(user, record.event, user_id), last
        for user, last in found.values():
            if user is not None:
                self._remember(replace(user, version=last))
        self.sure()
        return end

    def sure(self) -> None:
        """Everything that the log holds of users, as of just now, is known here."""
        self._sure_at = time.monotonic()

    def unsure_s(self) -> float:
        """For how long (s) nobody could tell whether what is known of users is still so; without end where it never was
        known.
        """
        return math.inf if self._sure_at is None else time.monotonic() - self._sure_at

    def recall(self, user_id: str) -> User | None:
        """The user as they were known last, without asking anybody; None where nobody knows of one."""
        with self._lock:
            return self._known.get(user_id)

    def verified_as_known(self, user_id: str, password: str) -> User | None:
        """`verified` by what is known."""
        user = self.recall(user_id)
        fits = self._passwords.fits(user.hash if user is not None else "", password)
        return user if user is not None and fits and not user.disabled and user.roles else None

    # --- adding -----------------------------------------------------------------------------------------------------
    def add(self, user_id: str, wish: users.Create, granted: users.Grant, password: str, *, actor: str) -> int:
        """A new user with roles and a password, all or nothing; the log position."""
        _check_id(user_id)
        self._passwords.check(password, user_id)
        if self.get(user_id) is not None:
            raise Refused("user_exists", "There is a user with this sign-in name already; choose another.")
        user: User | None = None
        events: list[Event] = []
        for command in (wish, users.ChangePassword(hash=self._passwords.hash(password)), granted):
            for event in users.decide(user, command):
                events.append(event)
                user = users.evolve(user, event, user_id)
        try:
            return self.append(user_id, 0, events, actor=actor)
        except VersionConflict:
            raise Refused("user_exists", "Somebody else has just taken this sign-in name; choose another.") from None

    # --- changing ----------------------------------------------------------------------------------------------------
    def create(self, user_id: str, name: str, *, actor: str, agent_id: str = "") -> int:
        """A new user, without password and roles; the log position."""
        _check_id(user_id)
        return self.change(user_id, users.Create(name=name, agent_id=agent_id), actor=actor)

    def change_password(self, user_id: str, password: str, *, actor: str) -> int:
        """Give the user this password; the log position. Raises `Refused` for one that is too easy to guess."""
        self._passwords.check(password, user_id)
        return self.store_hash(user_id, self._passwords.hash(password), actor=actor)

    def store_hash(self, user_id: str, hashed: str, *, actor: str) -> int:
        """The same with a hash that was made before; the log position."""
        return self.change(user_id, users.ChangePassword(hash=hashed), actor=actor)

    def change(self, user_id: str, command: users.Command, *, actor: str) -> int:
        """Load, decide, append at the expected version; again where somebody was faster. The log position, 0 where
        nothing changes.
        """
        for left in reversed(range(_TRIES)):
            user = self.get(user_id)
            events = users.decide(user, command)
            if not events:
                return 0
            try:
                return self.append(user_id, 0 if user is None else user.version, events, actor=actor)
            except VersionConflict:
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")

    def note(self, user_id: str, event: Event, *, actor: str) -> int:
        """Append what happened to the user (signed in, looked at something); the log position."""
        for left in reversed(range(_TRIES)):
            user = self.get(user_id)
            if user is None:
                raise Refused("unknown_user", "There is no such user.")
            try:
                return self.append(user_id, user.version, (event,), actor=actor)
            except VersionConflict:
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")

    def append(self, user_id: str, version: int, events: Sequence[Event], *, actor: str) -> int:
        """Store these at this version of the user's stream."""
        position = self._desk.append_desk(_records(stream("user", user_id), version, events, actor))
        self.heard(user_id)
        return position

    def heard(self, user_id: str) -> None:
        """Something was appended to this user's stream, here or elsewhere: whoever listens is told."""
        for listener in self._listeners:
            listener(user_id)

    def _remember(self, user: User) -> None:
        with self._lock:
            known = self._known.get(user.user_id)
            if known is None or known.version < user.version:
                self._known[user.user_id] = user
            self._known.move_to_end(user.user_id)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)


class Tokens:
    """Keys of programs. Thread-safe. Methods raise `Refused`, and `Away` where the database is not there."""

    def __init__(self, desk: DeskWriter, log: Log, source: Source) -> None:
        self._desk = desk
        self._log = log
        self._source = source

    def issue(self, role: str, *, days: int, actor: str, scope: Scope = EVERYBODY, note: str = "") -> str:
        """A new token, told this once. Raises `Refused` for an unknown role or a time too long."""
        if role not in tokens.ROLES_OF_TOKENS:
            known = ", ".join(tokens.ROLES_OF_TOKENS)
            raise Refused("unknown_role", f"There is no role {role}; the roles are {known}.")
        if not 0 < days <= LONGEST_TOKEN_DAYS:
            raise Refused("bad_expiry", f"A token lives from 1 to {LONGEST_TOKEN_DAYS} days.")
        token_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        issued = TokenIssued(
            hash=_digest(secret),
            role=role,
            expires_at=Instant(_now() + days * DAY),
            teams=scope.teams,
            branches=scope.branches,
            note=note,
        )
        self._desk.append_desk(_records(stream("token", token_id), 0, (issued,), actor))
        return f"rl_{token_id}_{secret}"

    def revoke(self, token_id: str, *, actor: str) -> int:
        """Make it good for nothing; the log position, 0 where it was revoked already."""
        name = stream("token", token_id)
        records = list(self._log.stream(name))
        if not records:
            raise Refused("unknown_token", "There is no such token; it is the part between the underscores.")
        if any(isinstance(record.event, TokenRevoked) for record in records):
            return 0
        return self._desk.append_desk(_records(name, len(records), (TokenRevoked(),), actor))

    def all(self) -> list[Token]:
        """All tokens by id, those that are good for nothing any more too. Reads the whole log once, as `everybody`."""
        found: dict[str, Token | None] = {}
        for record in self._log.history(kinds=("token",)):
            token_id = ident_of(record.stream)
            found[token_id] = tokens.evolve(found.get(token_id), record.event, token_id)
        return [token for _, token in sorted(found.items()) if token is not None]

    def check(self, text: str) -> Token | None:
        """The token of this text; None unless it is one of ours, unexpired and not revoked."""
        parts = _TOKEN.fullmatch(text)
        if parts is None:
            return None
        token_id, secret = parts.groups()
        token: Token | None = None
        for record in self._log.stream(stream("token", token_id)):
            token = tokens.evolve(token, record.event, token_id)
        if token is None or token.revoked or token.expires_at <= _now():
            return None
        return token if hmac.compare_digest(token.hash, _digest(secret)) else None

    def used(self, token: Token, address: str) -> None:
        """Remember that it was used just now, to the minute."""
        self._source.run(lambda connection: connection.execute(_USE, (token.token_id, address)))

    def uses(self) -> list[tuple[Token, datetime | None, str]]:
        """`all`, each with when and from where it was used last."""
        rows = self._source.run(
            lambda connection: connection.execute("SELECT token_id, used_at, address FROM web.token_uses").fetchall()
        )
        last = {str(token_id): (cast("datetime", used_at), str(address)) for token_id, used_at, address in rows}
        return [(token, *last.get(token.token_id, (None, ""))) for token in self.all()]


def _check_id(user_id: str) -> None:
    if not USER_ID.fullmatch(user_id):
        raise Refused(
            "bad_sign_in_name",
            "A sign-in name has up to 40 small letters a-z, digits, dots and hyphens, and begins and ends with a "
            "letter or digit. It is seen by others and stays for ever.",
        )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _now() -> Instant:
    return Instant(time.time_ns() // 1000)


def _records(name: str, version: int, events: Sequence[Event], actor: str) -> list[Record]:
    about = Provenance(at=_now(), actor=actor, origin="command", causation=f"access-{uuid.uuid4()}", correlation=name)
    return [
        Record(stream=name, version=number, event=event, event_id=str(uuid.uuid4()), about=about)
        for number, event in enumerate(events, version + 1)
    ]
