"""Users and tokens, for administrators."""

import secrets
import time
from typing import Annotated, Literal, TypeVar

from flask import abort
from msgspec import Meta, Struct

from orchestrator.domain.access import tokens, users
from orchestrator.domain.access.scope import scope_of
from orchestrator.domain.access.users import Create, Disable, Enable, Grant
from orchestrator.domain.kernel import Refused
from orchestrator.service.access import LONGEST_TOKEN_DAYS
from web.access import people
from web.access.visitor import me
from web.api.forms import Done, Ident, Items, Line, Paged, Time, time_of
from web.parts import parts

Role = Literal["agent", "leader", "back_office", "service_point", "qa", "ops", "auditor", "admin"]
TokenRole = Literal[Role, "wallboard"]
Teams = Annotated[tuple[Ident, ...], Meta(max_length=100, description="None means all.")]
_PASSWORD_BYTES = 12
T = TypeVar("T")


class User(Struct, frozen=True, kw_only=True):
    """Somebody who may sign in on the web, unless `disabled`. `agent_id`: who they are at the desk."""

    user_id: str
    name: str
    agent_id: str
    roles: list[str]
    teams: list[str]
    branches: list[str]
    disabled: bool


class NewUser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One more."""

    user_id: Ident
    name: Line
    roles: tuple[Role, ...]
    teams: Teams = ()
    branches: Teams = ()
    agent_id: Ident = ""


class UserMade(Done, frozen=True, kw_only=True):
    """The user's first password, told this once."""

    user_id: str
    password: str


class Roles(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """These and no others."""

    roles: tuple[Role, ...]
    teams: Teams = ()
    branches: Teams = ()


class Why(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the user is kept out."""

    reason: Annotated[str, Meta(max_length=200)] = ""


class Token(Struct, frozen=True, kw_only=True):
    """A program's key, without the key."""

    token_id: str
    role: str
    teams: list[str]
    branches: list[str]
    note: str
    expires_at: Time
    revoked: bool
    valid: bool


class NewToken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key for a program that acts in this role in this scope; or for a screen on a wall (`wallboard`)."""

    role: TokenRole
    days: Annotated[int, Meta(ge=1, le=LONGEST_TOKEN_DAYS, description="Days until it expires.")] = 90
    teams: Teams = ()
    branches: Teams = ()
    note: Annotated[str, Meta(max_length=200, description="What it is for.")] = ""


class TokenMade(Done, frozen=True, kw_only=True):
    """The token, told this once: sent as `Authorization: Bearer …`."""

    token_id: str
    token: str


def everybody(query: Paged) -> Items[User]:
    """Users, by id"""
    found = [user for user in parts().reading.users.everybody() if user.user_id > query.cursor]
    return _page([_user(user) for user in found], query, [user.user_id for user in found])


def add(body: NewUser) -> UserMade:
    """Add a user; the first password is in the answer"""
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    wish = Create(name=body.name, agent_id=body.agent_id)
    granted = Grant(roles=body.roles, teams=body.teams, branches=body.branches)
    position = parts().reading.users.add(body.user_id, wish, granted, password, actor=me().actor)
    return UserMade(position=position, user_id=body.user_id, password=password)


def grant(user_id: str, body: Roles) -> Done:
    """Give a user these roles, teams and branches and no others"""
    wanted = Grant(roles=body.roles, teams=body.teams, branches=body.branches)
    if user_id == me().user_id and "admin" not in body.roles:
        raise Refused("own_role", "You cannot take the administrator's role from yourself; another one can.")
    return Done(position=people.grant(parts().reading, _known(user_id), wanted, actor=me().actor))


def disable(user_id: str, body: Why) -> Done:
    """Keep a user out; their sessions end"""
    if user_id == me().user_id:
        raise Refused("own_account", "You cannot lock yourself out; another administrator can.")
    command = Disable(reason=body.reason.strip())
    return Done(position=people.keep_out(parts().reading, _known(user_id), command, actor=me().actor))


def enable(user_id: str) -> Done:
    """Let a user in again"""
    return Done(position=people.let_in(parts().reading, _known(user_id), Enable(), actor=me().actor))


def all_tokens(query: Paged) -> Items[Token]:
    """Tokens, by id, those that expired or were revoked too"""
    found = [token for token in parts().reading.tokens.all() if token.token_id > query.cursor]
    return _page([_token(token) for token in found], query, [token.token_id for token in found])


def issue(body: NewToken) -> TokenMade:
    """Issue a token; it is in the answer, this once"""
    reading = parts().reading
    scope = scope_of(body.teams, body.branches)
    token = reading.tokens.issue(body.role, days=body.days, scope=scope, note=body.note, actor=me().actor)
    return TokenMade(position=reading.log.position(), token_id=token.split("_")[1], token=token)


def revoke(token_id: str) -> Done:
    """Revoke a token: it is good for nothing from now on"""
    return Done(position=parts().reading.tokens.revoke(token_id, actor=me().actor))


def _page(items: list[T], query: Paged, ids: list[str]) -> Items[T]:
    more = len(items) > query.limit
    return Items(items[: query.limit], ids[query.limit - 1] if more else None)


def _known(user_id: str) -> str:
    user = parts().reading.users.get(user_id)
    if user is None:
        abort(404)
    return user.user_id


def _user(user: users.User) -> User:
    return User(
        user_id=user.user_id,
        name=user.name,
        agent_id=user.agent_id,
        roles=list(user.roles),
        teams=list(user.scope.teams),
        branches=list(user.scope.branches),
        disabled=user.disabled,
    )


def _token(token: tokens.Token) -> Token:
    expires_at = time_of(token.expires_at)
    return Token(
        token_id=token.token_id,
        role=token.role,
        teams=list(token.scope.teams),
        branches=list(token.scope.branches),
        note=token.note,
        expires_at=expires_at,
        revoked=token.revoked,
        valid=not token.revoked and expires_at.timestamp() > time.time(),
    )
