"""A route says what it needs; one that says nothing does not start.

@blueprint.get("/orders")
@needs("work.see")
def orders() -> str: ...
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from flask import Flask

from web.access.roles import PERMISSIONS

View = TypeVar("View", bound=Callable[..., Any])
_MARK: Final = "ringledger_needs"


def needs(permission: str) -> Callable[[View], View]:
    """Let in only those who have this permission. Raises KeyError for one that `PERMISSIONS` does not list."""
    if permission not in PERMISSIONS:
        raise KeyError(f"{permission} is no permission; web/access/roles.py lists them")

    def mark(view: View) -> View:
        setattr(view, _MARK, permission)
        return view

    return mark


def permission_for(app: Flask, endpoint: str) -> str | None:
    """What the route of this endpoint needs; None where it does not say."""
    found = getattr(app.view_functions.get(endpoint), _MARK, None)
    return found if isinstance(found, str) else None


def check_all(app: Flask) -> None:
    """Raise RuntimeError where a route does not say what it needs."""
    silent = sorted({rule.endpoint for rule in app.url_map.iter_rules() if permission_for(app, rule.endpoint) is None})
    if silent:
        raise RuntimeError(f"{', '.join(silent)}: put @needs(…) between the route and its function")
