"""Who is behind a request, and what they may do."""

from typing import cast

from flask import g
from msgspec import Struct

from orchestrator.domain.access.scope import EVERYBODY, Scope
from web.access.roles import permissions_of


class Visitor(Struct, frozen=True, kw_only=True):
    """A person with a session, a program with a token, or nobody yet."""

    actor: str = ""
    """`user:<id>` or `token:<id>`, as events name it; empty for nobody."""
    user_id: str = ""
    name: str = ""
    roles: tuple[str, ...] = ()
    scope: Scope = EVERYBODY
    """Whose agents, and their contacts, they see and direct."""
    agent_id: str = ""
    """Who they are at the desk, if an agent."""
    session_id: str = ""
    language: str = ""
    permissions: frozenset[str] = permissions_of(())
    desk_only: bool = False
    """The database is away, and they may do for now what an agent does at a desk."""

    def may(self, permission: str) -> bool:
        """Whether one of their roles has this permission."""
        return permission in self.permissions

    @property
    def signed_in(self) -> bool:
        return bool(self.actor)


NOBODY = Visitor()


def me() -> Visitor:
    """Who is behind the current request."""
    return cast("Visitor", g.get("visitor", NOBODY))
