"""A key for a program, or for a screen on a wall: what it may do, and until when.

Stream `token-<id>`. A desk stream, written by the access service. The token itself is `rl_<id>_<secret>`; only a hash
of the secret is stored.
"""

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.access.scope import EVERYBODY, Scope
from orchestrator.domain.access.users import ROLES
from orchestrator.domain.kernel import Event, Instant, Personal

WALLBOARD = "wallboard"
"""The role of a screen on a wall: figures and nobody's name. No person has it."""
ROLES_OF_TOKENS = (*ROLES, WALLBOARD)

# --- events ----------------------------------------------------------------------------------------------------------


class TokenIssued(Event, frozen=True, kw_only=True):
    """A program may act in this role, for these teams and branches (none: all), until it expires. `hash` is SHA-256 in
    hex of a secret of 256 random bits, which nobody can try out.
    """

    hash: str
    role: str
    expires_at: Instant
    teams: tuple[str, ...] = ()
    note: Personal = ""
    branches: tuple[str, ...] = ()


class TokenRevoked(Event, frozen=True, kw_only=True):
    """The token is good for nothing from now on."""


# --- state -----------------------------------------------------------------------------------------------------------


class Token(Struct, frozen=True, kw_only=True):
    """A token as known now."""

    token_id: str
    hash: str
    role: str
    expires_at: Instant
    scope: Scope = EVERYBODY
    note: str = ""
    revoked: bool = False


def evolve(token: Token | None, event: Event, token_id: str) -> Token | None:
    """The token after one more event. Never raises."""
    match event:
        case TokenIssued():
            return Token(
                token_id=token_id,
                hash=event.hash,
                role=event.role,
                expires_at=event.expires_at,
                scope=Scope(teams=event.teams, branches=event.branches),
                note=event.note,
            )
        case TokenRevoked() if token is not None:
            return replace(token, revoked=True)
    return token
