"""What people do at the web while the database is away: kept in a file of this machine, recorded when it is back.

      sign-in, sign-out, a wrong password, a note ──keep──▶ meanwhile/later.db ──settle──▶ the log, each once

Whoever signed in by what was known of them is looked at again: who may not come in any more, or has another password,
is thrown out. What was kept outlives the process that kept it (docs/decisions/0105).
"""

import hashlib
import time
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import msgspec
import structlog
from msgspec import Struct

from orchestrator.domain import spools
from orchestrator.domain.access.users import SessionEnded, SignInFailed, SignInRemembered, User
from orchestrator.domain.kernel import SECOND, Event, Instant, Record, Refused, stream
from orchestrator.service.customer_file import CustomerFile
from orchestrator.service.deciding import Desk, Who
from orchestrator.store import Later, VersionConflict

if TYPE_CHECKING:
    from orchestrator.service.access import Users
    from orchestrator.service.sessions import Sessions

log = structlog.get_logger(__name__)

# A note whose contact is not in the log yet: it comes with the spool.
_NOT_YET: Final = "no_such_contact"
# The events that say that it will never come, and how long (µs) a note waits where nothing says so.
_GONE: Final = ("SpoolGivenUp", "SpoolPutAside")
_LONG: Final = 86_400 * SECOND


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
    """A note on a contact. `at`: when it was written; 0 where that was not kept."""

    who: Who
    contact_id: str
    text: str
    code: str
    key: str
    at: Instant = Instant(0)


Deed = Began | Ended | Failed | Noted
_decoder: Final[msgspec.json.Decoder[Deed]] = msgspec.json.Decoder(Deed)


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

    def kept(self) -> list[Deed]:
        """Those that wait to be recorded and can be read, in order. Raises `NotKept`."""
        deeds = (decoded(each.plain) for each in self._later.all())
        return [deed for deed in deeds if deed is not None]

    @property
    def count(self) -> int:
        """How many wait to be recorded. Raises `NotKept`."""
        return self._later.count


def decoded(plain: bytes) -> Deed | None:
    """The deed; None for one of a version that is not known here."""
    try:
        return _decoder.decode(plain)
    except msgspec.DecodeError:
        return None


class Settling:
    """Records what was kept."""

    def __init__(self, later: Later, desk: Desk, users: "Users", sessions: "Sessions", file: CustomerFile) -> None:
        self._later = later
        self._desk = desk
        self._users = users
        self._sessions = sessions
        self._file = file
        self._begun_at = now()
        self._left = 0
        self._told: set[str] = set()

    def settle(self, *, all_there: bool = True) -> int:
        """Record all that can be recorded now, in order, each once; how many are left. Raises `Away` and `NotKept`.

        `all_there`: the engine says that nothing is on its way to the log any more.
        """
        # What is kept from here on is neither found below nor taken to be settled.
        unsettled = self._sessions.unsettled()
        recorded = left = 0
        waiting: set[str] = set()
        for each in self._later.all():
            deed = decoded(each.plain)
            if deed is not None and self._is_settled(deed, each.ident, waiting, all_there=all_there):
                self._later.drop(each.place)
                recorded += 1
                continue
            left += 1
            if deed is None:
                self._tell(each.ident, "it is of a version that is not known here")
            elif isinstance(deed, Began | Ended):
                waiting.add(deed.session_id)
        if recorded or left != self._left:
            log.info("meanwhile-recorded", recorded=recorded, left=left)
        self._left = left
        self._sessions.settled(unsettled - waiting)
        return left

    def _is_settled(self, deed: Deed, ident: str, waiting: set[str], *, all_there: bool) -> bool:
        """Whether it is done with. One that is refused holds nobody else's back."""
        if isinstance(deed, Ended) and deed.session_id in waiting:
            return False  # it would begin after its end
        try:
            return self._settle(deed, ident, all_there=all_there)
        except (Refused, VersionConflict) as error:
            self._tell(ident, str(error))
            return False

    def _tell(self, ident: str, why: str) -> None:
        if ident not in self._told:
            self._told.add(ident)
            log.error("meanwhile-not-recorded", deed=ident, why=why, remedy="it is kept; it is tried again")

    def _settle(self, deed: Deed, ident: str, *, all_there: bool) -> bool:
        match deed:
            case Began():
                self._begin(deed, ident)
            case Ended():
                self._sessions.end(deed.session_id, reason="signed_out", actor=f"user:{deed.user_id}")
            case Failed():
                self._note(deed.user_id, SignInFailed(reason=deed.reason, address=deed.address), "system", ident)
            case Noted():
                return self._write_down(deed, all_there=all_there)
        return True

    def _begin(self, deed: Began, ident: str) -> None:
        actor = f"user:{deed.user_id}"
        event = SignInRemembered(
            session_id=deed.session_id, address=deed.address, signed_in_at=deed.at, known_ms=deed.known_ms
        )
        # Recorded first: a process that dies here records it no second time, and looks at the session once more.
        self._note(deed.user_id, event, actor, ident)
        user, name = self._users.get(deed.user_id), stream("user", deed.user_id)
        over = _has_ended(self._desk.log.stream(name), deed)
        good = user is not None and may_go_on(user, deed) and not over and self._sessions.may_last(deed)
        self._sessions.confirm(deed, good=good)
        if not good:
            end = SessionEnded(session_id=deed.session_id, reason="not_confirmed")
            self._desk.write(
                name,
                lambda before: () if _has_ended(before, deed) else (end,),
                who=Who(actor="system"),
                key=f"{ident}-no",
            )
        self._users.heard(deed.user_id)

    def _write_down(self, deed: Noted, *, all_there: bool) -> bool:
        try:
            self._file.note_contact(deed.who, deed.contact_id, deed.text, code=deed.code, key=deed.key)
        except Refused as refused:
            if refused.code != _NOT_YET:
                # It was checked when it was kept; a file that was erased since takes none any more.
                log.warning("note-refused", contact=deed.contact_id, code=refused.code)
                return True
            lost = self._is_lost(deed, all_there=all_there)
            if lost:
                log.error("note-lost", contact=deed.contact_id, remedy="its contact never came into the log")  # noqa: TRY400 - the words say it
            return lost
        return True

    def _is_lost(self, deed: Noted, *, all_there: bool) -> bool:
        """Whether its contact will never come: what the engine had decided was given up, or is long in the log."""
        at = deed.at or self._begun_at
        old = now() - at > _LONG
        gone = any(record.about.at > at for record, _ in self._desk.log.of_kind(spools.KIND, _GONE))
        return (gone or old) if all_there else (gone and old)

    def _note(self, user_id: str, event: Event, actor: str, ident: str) -> None:
        self._desk.write(stream("user", user_id), lambda _: (event,), who=Who(actor=actor), key=ident)


def _has_ended(history: Iterable[Record], deed: Began) -> bool:
    return any(
        isinstance(record.event, SessionEnded) and record.event.session_id == deed.session_id for record in history
    )


def may_go_on(user: User, deed: Began) -> bool:
    """Whether this user, as they are now, may have a session that began so."""
    return not user.disabled and bool(user.roles) and password_mark(user) == deed.password


def now() -> Instant:
    """By this machine's clock."""
    return Instant(time.time_ns() // 1000)
