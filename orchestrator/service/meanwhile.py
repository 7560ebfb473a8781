"""What people do at the web while the database is away: kept in a file of this machine, recorded when it is back.

      sign-in, sign-out, a wrong password, a note ──keep──▶ meanwhile/later.db ──settle──▶ the log, each once

Whoever signed in by what was known of them is looked at again: who may not come in any more, or has another password,
is thrown out. What was kept outlives the process that kept it (docs/decisions/0105).
"""

import hashlib
import time
import uuid
from typing import TYPE_CHECKING, Final

import msgspec
import structlog
from msgspec import Struct

from orchestrator.domain.access.users import SignInFailed, SignInRemembered, User
from orchestrator.domain.kernel import Event, Instant, Refused, stream
from orchestrator.service.customer_file import CustomerFile
from orchestrator.service.deciding import Desk, Who
from orchestrator.store import Later

if TYPE_CHECKING:
    from orchestrator.service.access import Users
    from orchestrator.service.sessions import Sessions

log = structlog.get_logger(__name__)

# A note whose contact is not in the log yet: it comes with the spool.
_NOT_YET: Final = "no_such_contact"


class Began(Struct, frozen=True, kw_only=True, tag=True):
    """A session began. `password`: as `password_mark` has it."""

    session_id: str
    key_hash: bytes
    user_id: str
    granted: int
    password: str
    address: str
    browser: str
    at: Instant
    known_ms: int


class Ended(Struct, frozen=True, kw_only=True, tag=True):
    """Somebody signed out."""

    session_id: str
    user_id: str


class Failed(Struct, frozen=True, kw_only=True, tag=True):
    """A sign-in failed, of a user who is known."""

    user_id: str
    reason: str
    address: str


class Noted(Struct, frozen=True, kw_only=True, tag=True):
    """A note on a contact."""

    who: Who
    contact_id: str
    text: str
    code: str
    key: str


Deed = Began | Ended | Failed | Noted
_decoder: Final = msgspec.json.Decoder(Deed)


def password_mark(user: User) -> str:
    """Tells whether a user has the same password as before, and nothing else."""
    return hashlib.sha256(user.hash.encode()).hexdigest()


class Meanwhile:
    """Keeps deeds. Thread-safe."""

    def __init__(self, later: Later) -> None:
        self._later = later

    def keep(self, deed: Deed) -> None:
        """Durable at return. Raises `NotKept`: then it was not done."""
        self._later.keep(str(uuid.uuid4()), msgspec.json.encode(deed))

    @property
    def count(self) -> int:
        """How many wait to be recorded."""
        return self._later.count


class Settling:
    """Records what was kept."""

    def __init__(self, later: Later, desk: Desk, users: "Users", sessions: "Sessions", file: CustomerFile) -> None:
        self._later = later
        self._desk = desk
        self._users = users
        self._sessions = sessions
        self._file = file

    def settle(self) -> int:
        """Record all that can be recorded now, in order, each once; how many are left. Raises `Away`."""
        found = self._later.all()
        left = 0
        for each in found:
            if self._settle(_decoder.decode(each.plain), each.ident):
                self._later.drop(each.place)
            else:
                left += 1
        if found:
            log.info("meanwhile-recorded", recorded=len(found) - left, left=left)
        if not left:
            self._sessions.all_settled()
        return left

    def _settle(self, deed: Deed, ident: str) -> bool:
        """Whether it is done with."""
        match deed:
            case Began():
                self._begin(deed, ident)
            case Ended():
                self._sessions.end(deed.session_id, reason="signed_out", actor=f"user:{deed.user_id}")
            case Failed():
                self._note(deed.user_id, SignInFailed(reason=deed.reason, address=deed.address), "system", ident)
            case Noted():
                return self._write_down(deed)
        return True

    def _begin(self, deed: Began, ident: str) -> None:
        actor = f"user:{deed.user_id}"
        event = SignInRemembered(
            session_id=deed.session_id, address=deed.address, signed_in_at=deed.at, known_ms=deed.known_ms
        )
        # Recorded first: a process that dies here records it no second time, and looks at the session once more.
        self._note(deed.user_id, event, actor, ident)
        user = self._users.get(deed.user_id)
        self._sessions.confirm(deed, good=user is not None and may_go_on(user, deed))
        self._users.heard(deed.user_id)

    def _write_down(self, deed: Noted) -> bool:
        try:
            self._file.note_contact(deed.who, deed.contact_id, deed.text, code=deed.code, key=deed.key)
        except Refused as refused:
            if refused.code != _NOT_YET:
                # It was checked when it was kept; a file that was erased since takes none any more.
                log.warning("note-refused", contact=deed.contact_id, code=refused.code)
            return refused.code != _NOT_YET
        return True

    def _note(self, user_id: str, event: Event, actor: str, ident: str) -> None:
        self._desk.write(stream("user", user_id), lambda _: (event,), who=Who(actor=actor), key=ident)


def may_go_on(user: User, deed: Began) -> bool:
    """Whether this user, as they are now, may have a session that began so."""
    return not user.disabled and bool(user.roles) and password_mark(user) == deed.password


def now() -> Instant:
    """By this machine's clock."""
    return Instant(time.time_ns() // 1000)
