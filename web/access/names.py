"""Roles in people's words."""

from collections.abc import Iterable

from flask_babel import lazy_gettext

ROLE_NAMES = {
    "agent": lazy_gettext("Agent"),
    "leader": lazy_gettext("Team leader"),
    "back_office": lazy_gettext("Back office"),
    "service_point": lazy_gettext("Service point"),
    "qa": lazy_gettext("Quality"),
    "ops": lazy_gettext("Operations"),
    "auditor": lazy_gettext("Auditor"),
    "admin": lazy_gettext("Administrator"),
    "wallboard": lazy_gettext("Wallboard"),
}


def of_roles(roles: Iterable[str]) -> list[str]:
    """The names of these roles."""
    return [str(ROLE_NAMES.get(role, role)) for role in roles]
