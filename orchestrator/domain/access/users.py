"""A person who signs in on the web.

Stream `user-<id>`; the id is what they type to sign in and never changes. A desk stream, written by the access service;
read by every request (is this session still good, and for what?) and by the auditor.

    UserCreated ──▶ enabled ◀──UserEnabled── disabled
                      └──────UserDisabled──────▶

What a role may do is the web's policy table; here a role is a word.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.access.scope import EVERYBODY, Scope, scope_of
from orchestrator.domain.kernel import Event, Instant, Personal, Refused

ROLES: Final = ("agent", "leader", "back_office", "service_point", "qa", "ops", "auditor", "admin")
LANGUAGES: Final = ("en", "zh")

# --- events ----------------------------------------------------------------------------------------------------------


class UserCreated(Event, frozen=True, kw_only=True):
    """Somebody is let in once they have a password and a role. `agent_id`: who they are at the desk, if an agent."""

    name: Personal
    agent_id: str = ""


class PasswordChanged(Event, frozen=True, kw_only=True):
    """The hash of a new password (argon2id, PHC string). Sealed: a hash in the clear could be tried out for ever."""

    hash: Personal


class RolesGranted(Event, frozen=True, kw_only=True):
    """All the roles held from now on, and the teams and branches that they are held for; none is all of them."""

    roles: tuple[str, ...]
    teams: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()


class UserDisabled(Event, frozen=True, kw_only=True):
    """May not sign in any more; sessions end."""

    reason: str = ""


class UserEnabled(Event, frozen=True, kw_only=True):
    """May sign in again."""


class LanguageChanged(Event, frozen=True, kw_only=True):
    """The user reads the screens in this language from now on."""

    language: str


class UserSignedIn(Event, frozen=True, kw_only=True):
    """A session began. `address` is where from."""

    session_id: str
    address: Personal


class SignInRemembered(Event, frozen=True, kw_only=True):
    """A session began while the database was away, by what was known of the user `known_ms` before; recorded once it
    was back. `signed_in_at` is when, by the clock of the web.
    """

    session_id: str
    address: Personal
    signed_in_at: Instant
    known_ms: int


class SignInFailed(Event, frozen=True, kw_only=True):
    """A wrong password, or one who may not come in: `wrong_password`, `disabled`, `no_password`."""

    reason: str
    address: Personal


class SessionEnded(Event, frozen=True, kw_only=True):
    """A session is over: `signed_out`, `ended_by_user`, `ended_by_admin`, `password_changed`, `disabled`, or
    `not_confirmed` where it began while the database was away, and its user may not come in (so) any more.
    """

    session_id: str
    reason: str


class PersonalDataRevealed(Event, frozen=True, kw_only=True):
    """The user looked at something that their screens mask: which field of which stream."""

    subject: str
    field: str


class RecordingPlayed(Event, frozen=True, kw_only=True):
    """The user began to listen to a recording. `address` is where from."""

    contact_id: str
    file: str
    address: Personal


class RecordingExported(Event, frozen=True, kw_only=True):
    """The user took a recording out of the house, as a file in the clear, and said why."""

    contact_id: str
    file: str
    reason: Personal
    address: Personal


TELLING: Final = (
    "UserCreated",
    "PasswordChanged",
    "RolesGranted",
    "UserDisabled",
    "UserEnabled",
    "LanguageChanged",
)
"""The stored names of the events that say who somebody is; the thousands of their sign-ins do not."""

# --- commands --------------------------------------------------------------------------------------------------------


class Create(Struct, frozen=True, kw_only=True):
    """Let somebody be known."""

    name: str
    agent_id: str = ""


class ChangePassword(Struct, frozen=True, kw_only=True):
    """A new password, hashed already."""

    hash: str


class Grant(Struct, frozen=True, kw_only=True):
    """These roles, teams and branches and no others."""

    roles: tuple[str, ...]
    teams: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()


class Disable(Struct, frozen=True, kw_only=True):
    """Keep them out."""

    reason: str = ""


class Enable(Struct, frozen=True, kw_only=True):
    """Let them in again."""


class ChangeLanguage(Struct, frozen=True, kw_only=True):
    """Show screens in this language."""

    language: str


Command = Create | ChangePassword | Grant | Disable | Enable | ChangeLanguage

# --- state -----------------------------------------------------------------------------------------------------------


class User(Struct, frozen=True, kw_only=True):
    """A user as known now."""

    user_id: str
    name: str
    agent_id: str = ""
    roles: tuple[str, ...] = ()
    scope: Scope = EVERYBODY
    language: str = ""
    """Empty where they never chose one."""
    hash: str = ""
    """Empty where they have no password and so cannot sign in."""
    disabled: bool = False
    version: int = 0
    granted: int = 0
    """How often roles, scope or the right to come in changed. A session begun under another count gets a new id."""


def evolve(user: User | None, event: Event, user_id: str) -> User | None:
    """The user after one more event. Never raises."""
    if isinstance(event, UserCreated):
        return User(user_id=user_id, name=event.name, agent_id=event.agent_id, version=1)
    if user is None:
        return None
    user = replace(user, version=user.version + 1)
    match event:
        case PasswordChanged():
            return replace(user, hash=event.hash)
        case RolesGranted():
            scope = Scope(teams=event.teams, branches=event.branches)
            return replace(user, roles=event.roles, scope=scope, granted=user.granted + 1)
        case UserDisabled():
            return replace(user, disabled=True, granted=user.granted + 1)
        case UserEnabled():
            return replace(user, disabled=False, granted=user.granted + 1)
        case LanguageChanged():
            return replace(user, language=event.language)
    return user


def decide(user: User | None, command: Command) -> tuple[Event, ...]:
    """The events that follow, `()` where nothing changes. Raises `Refused`."""
    if isinstance(command, Create):
        return _create(user, command)
    if user is None:
        raise Refused("unknown_user", "There is no such user; `ringledger user add` makes one.")
    match command:
        case ChangePassword():
            return (PasswordChanged(hash=command.hash),)
        case Grant():
            return _grant(user, command)
        case Disable():
            return () if user.disabled else (UserDisabled(reason=command.reason),)
        case Enable():
            return (UserEnabled(),) if user.disabled else ()
        case ChangeLanguage():
            if command.language not in LANGUAGES:
                raise Refused("unknown_language", f"Choose one of {', '.join(LANGUAGES)}.")
            return () if user.language == command.language else (LanguageChanged(language=command.language),)


def _create(user: User | None, command: Create) -> tuple[Event, ...]:
    if user is not None:
        if (user.name, user.agent_id) == (command.name.strip(), command.agent_id):
            return ()
        raise Refused("user_exists", "There is a user with this sign-in name already; choose another.")
    if not command.name.strip():
        raise Refused("no_name", "Give the person's name; it is what others see.")
    return (UserCreated(name=command.name.strip(), agent_id=command.agent_id),)


def _grant(user: User, command: Grant) -> tuple[Event, ...]:
    if unknown := sorted(set(command.roles) - set(ROLES)):
        raise Refused("unknown_role", f"There is no role {', '.join(unknown)}; the roles are {', '.join(ROLES)}.")
    roles = tuple(role for role in ROLES if role in command.roles)
    scope = scope_of(command.teams, command.branches)
    if "agent" in roles and not user.agent_id:
        raise Refused("no_agent", "The role agent needs to know which agent of the configuration this user is.")
    if (roles, scope) == (user.roles, user.scope):
        return ()
    return (RolesGranted(roles=roles, teams=scope.teams, branches=scope.branches),)
