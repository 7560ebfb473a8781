"""Every route says what it needs, and every role gets from every route what the table says (feature 12.6)."""

from collections.abc import Iterator
from typing import Final

import pytest
from flask import Flask
from werkzeug.routing import Map, Rule

from orchestrator.domain.access.tokens import WALLBOARD
from orchestrator.domain.access.users import ROLES
from tests.web.conftest import Browser, Site
from web.access.needs import check_all, needs, permission_for
from web.access.roles import GRANTS, PERMISSIONS, PUBLIC, SIGNED_IN, permissions_of
from web.api.operations import OPERATIONS
from web.rules import LazyRule

# Some of the table once more, so that a slip in the table itself is seen. Who may …
MAY: Final = {
    "users.manage": {"admin"},
    "board.watch": {"leader", "ops", "admin"},
    "audit.see": {"auditor", "admin"},
    "desk.use": {"agent"},
    "floor.direct": {"leader"},
    "replay.watch": {"ops", "auditor"},
    "ops.see": {"ops", "auditor", "admin"},
    "personal.reveal": {"leader", "back_office", "service_point", "auditor"},
    "numbers.clear": {"agent"},
    "blacklist.see": {"leader", "back_office", "admin", "auditor"},
    "blacklist.keep": {"leader", "back_office", "admin"},
    "notices.switch": {"leader", "ops", "admin"},
    "nodes.drain": {"ops", "admin"},
    "sizing.see": {"leader", "ops", "admin"},
    "work.close": {"leader", "back_office"},
    "recordings.hear": {"leader", "qa", "auditor"},
    "recordings.export": {"leader", "auditor"},
    "recordings.hold": {"auditor"},
    "routing.edit": {"leader", "admin"},
    "routing.apply": {"admin"},
    SIGNED_IN: set(ROLES),
}
VALUES: Final = {
    "UUIDConverter": "00000000-0000-4000-8000-000000000000",
    "IntegerConverter": "1",
    "FloatConverter": "1.5",
}
# Ends the session with which the next would be asked.
LAST: Final = "access.sign_out"


def requests_of(app: Flask) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, path) of everything that can be asked for."""
    with app.test_request_context():
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.endpoint == LAST, rule.rule)):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule.endpoint, method, path_of(app, rule)


def path_of(app: Flask, rule: Rule) -> str:
    """A path that leads to this rule."""
    values = {name: VALUES.get(type(converter).__name__, "x") for name, converter in rule._converters.items()}
    built = app.url_map.bind("localhost").build(rule.endpoint, values, force_external=False)
    assert isinstance(built, str)
    return built


def ask(browser: Browser, method: str, path: str) -> int:
    """The status of the answer; the answer itself is not read, for a stream has no end."""
    headers = {"X-CSRFToken": browser.csrf_token} if method != "GET" else {}
    response = browser.open(path, method=method, headers=headers)
    response.close()
    return response.status_code


def may_ask(site: Site, endpoint: str, role: str) -> bool:
    """Whether a role may, by the table of routes, and by what an operation of the API needs besides."""
    operation = next((each for each in OPERATIONS if f"api.{each.name}" == endpoint), None)
    granted = GRANTS[role]
    return permission_for(site.app, endpoint) in granted and (operation is None or operation.is_open_to(granted))


def test_every_role_gets_from_every_route_what_the_table_says(site: Site, role: str) -> None:
    browser = site.as_role(role)
    site.app.testing = False  # what a route does once it is reached is not the matter here
    site.app.config["PROPAGATE_EXCEPTIONS"] = False
    wrong = []
    for endpoint, method, path in requests_of(site.app):
        allowed = may_ask(site, endpoint, role)
        status = ask(browser, method, path)
        if (status == 403) == allowed or status in (401, 419):
            wrong.append(f"{role} {method} {path} ({permission_for(site.app, endpoint)}): {status}")
    assert not wrong, "\n".join(wrong)


def test_whoever_is_not_signed_in_gets_what_is_public_and_nothing_else(site: Site) -> None:
    browser = site.browser()
    browser.get("/sign-in")
    site.app.testing = False
    site.app.config["PROPAGATE_EXCEPTIONS"] = False
    for endpoint, method, path in requests_of(site.app):
        status = ask(browser, method, path)
        if permission_for(site.app, endpoint) != PUBLIC:
            assert status == (401 if method != "GET" or path.startswith("/api/") else 303), f"{method} {path}: {status}"


@pytest.mark.parametrize("permission", sorted(MAY))
def test_the_table_gives_sensitive_permissions_to_these_roles(permission: str) -> None:
    assert {role for role in ROLES if permission in GRANTS[role]} == MAY[permission]


def test_the_table_names_only_permissions_and_roles_that_there_are() -> None:
    assert set(GRANTS) == {*ROLES, WALLBOARD}
    assert frozenset().union(*GRANTS.values()) == set(PERMISSIONS)


def test_a_role_of_a_newer_program_may_nothing() -> None:
    assert permissions_of(("archivist",)) == {PUBLIC}


def test_a_route_that_does_not_say_what_it_needs_does_not_start() -> None:
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/open", "open", lambda: "")
    with pytest.raises(RuntimeError, match="open: put @needs"):
        check_all(app)


def test_a_permission_that_there_is_not_is_a_mistake_at_once() -> None:
    with pytest.raises(KeyError, match=r"desk\.own"):
        needs("desk.own")


def test_a_program_gets_what_its_role_may_and_by_its_token_alone(site: Site) -> None:
    token = site.reading.tokens.issue("auditor", days=1, actor="admin:test")
    browser = site.browser()
    given = {"Authorization": f"Bearer {token}"}
    assert browser.get("/api/none", headers=given).status_code == 404
    assert browser.get("/sessions", headers=given).status_code == 303, "a token is for /api only"
    for wrong in (token[:-1], token + "x", "rl_0123456789abcdef_" + "A" * 43, ""):
        assert browser.get("/api/none", headers={"Authorization": f"Bearer {wrong}"}).status_code == 401, wrong
    site.reading.tokens.revoke(token.split("_")[1], actor="admin:test")
    assert browser.get("/api/none", headers=given).status_code == 401


def test_every_route_has_the_address_that_the_library_builds(site: Site) -> None:
    """Also with words that its path does not have, which go behind it."""
    rules = list(site.app.url_map.iter_rules())
    plain = Map([Rule(rule.rule, endpoint=rule.endpoint, methods=rule.methods) for rule in rules])
    ours, theirs = site.app.url_map.bind("localhost"), plain.bind("localhost")
    for rule in rules:
        assert isinstance(rule, LazyRule)
        values = {name: VALUES.get(type(each).__name__, "x") for name, each in rule._converters.items()}
        for given in (values, {**values, "page": "2", "of": "天 & b"}):
            assert ours.build(rule.endpoint, given) == theirs.build(rule.endpoint, given)
