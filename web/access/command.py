"""What `ringledger user …` and `ringledger token` do, in the name of whoever is at the machine."""

import os
import pwd
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Final

from orchestrator.domain.access.scope import Scope
from orchestrator.domain.access.users import Create, Disable, Enable, Grant
from orchestrator.domain.kernel import SECOND
from orchestrator.settings import Settings
from projections.reading import open_reading
from web.access.people import grant, keep_out, let_in

_PASSWORD_BYTES: Final = 12


def add(
    settings: Settings,
    user_id: str,
    wish: Create,
    granted: Grant,
    *,
    ask: Callable[[], str] | None,
) -> str:
    """A new user with roles and a password: what `ask` returns, or a random one, which is returned."""
    with open_reading(settings) as reading:
        password = secrets.token_urlsafe(_PASSWORD_BYTES) if ask is None else ask()
        reading.users.add(user_id, wish, granted, password, actor=_actor())
        return password if ask is None else ""


def change_roles(settings: Settings, user_id: str, wanted: Grant) -> None:
    """These roles, teams and branches and no others."""
    with open_reading(settings) as reading:
        grant(reading, user_id, wanted, actor=_actor())


def disable(settings: Settings, user_id: str, *, reason: str) -> None:
    """No sign-in any more, and the end of all sessions."""
    with open_reading(settings) as reading:
        keep_out(reading, user_id, Disable(reason=reason), actor=_actor())


def enable(settings: Settings, user_id: str) -> None:
    """May sign in again."""
    with open_reading(settings) as reading:
        let_in(reading, user_id, Enable(), actor=_actor())


def change_password(settings: Settings, user_id: str, *, ask: Callable[[], str] | None) -> str:
    """A new password, and the end of all sessions. Returns it where it is random."""
    with open_reading(settings) as reading:
        password = secrets.token_urlsafe(_PASSWORD_BYTES) if ask is None else ask()
        reading.users.change_password(user_id, password, actor=_actor())
        reading.sessions.end_all(user_id, reason="password_changed", actor=_actor())
        return password if ask is None else ""


def everybody(settings: Settings) -> list[tuple[str, ...]]:
    """A row for each user: id, name, roles, teams, branches, agent, state."""
    with open_reading(settings) as reading:
        return [
            (
                user.user_id,
                user.name,
                " ".join(user.roles),
                " ".join(user.scope.teams) or "all",
                " ".join(user.scope.branches) or "all",
                user.agent_id,
                "disabled" if user.disabled else "enabled" if user.hash else "no password",
            )
            for user in reading.users.everybody()
        ]


def issue_token(settings: Settings, role: str, *, days: int, scope: Scope, note: str) -> str:
    """A token for a program, told this once."""
    with open_reading(settings) as reading:
        return reading.tokens.issue(role, days=days, scope=scope, note=note, actor=_actor())


def wall_address(settings: Settings, token: str) -> str:
    """Where a screen on a wall opens the board with this token."""
    origin = settings.web_origin or f"http://{settings.web}"
    return f"{origin}/floor/wall#{token}"


def every_token(settings: Settings) -> list[tuple[str, ...]]:
    """A row for each token: id, role, teams, branches, until when, last use, note."""
    with open_reading(settings) as reading:
        return [
            (
                token.token_id,
                token.role,
                " ".join(token.scope.teams) or "all",
                " ".join(token.scope.branches) or "all",
                "revoked" if token.revoked else _day(token.expires_at / SECOND, settings),
                f"{_day(used_at.timestamp(), settings)} from {address}" if used_at is not None else "never",
                token.note,
            )
            for token, used_at, address in reading.tokens.uses()
        ]


def revoke_token(settings: Settings, token_id: str) -> None:
    """The end of a token."""
    with open_reading(settings) as reading:
        reading.tokens.revoke(token_id, actor=_actor())


def _day(seconds: float, settings: Settings) -> str:
    return datetime.fromtimestamp(seconds, settings.timezone).strftime("%Y-%m-%d %H:%M")


def _actor() -> str:
    return f"admin:{pwd.getpwuid(os.geteuid()).pw_name}"
