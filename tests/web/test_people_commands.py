"""`ringledger user …` and `ringledger token`, as administrators type them at the machine (feature 12.6)."""

import re
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest
from click.testing import CliRunner, Result

from orchestrator import commandline_people as commands
from tests.web.conftest import PASSWORD, Site
from web.access import command

Type = Callable[..., Result]


@pytest.fixture
def type_in(site: Site, monkeypatch: pytest.MonkeyPatch) -> Type:
    """Type a command over this site's database."""

    @contextmanager
    def opened(_settings: object) -> Any:  # noqa: ANN401 - a context over the site's own parts
        yield site.reading

    monkeypatch.setattr(command, "open_reading", opened)
    monkeypatch.setattr(commands, "load", lambda: site.parts.settings)

    def type_words(line: str, *, typed: str = "") -> Result:
        group, _, rest = line.partition(" ")
        known = {"user": commands.user, "token": commands.token}[group]
        return CliRunner().invoke(known, rest.split(), input=typed)

    return type_words


def test_a_user_is_added_with_a_password_that_is_typed_twice(site: Site, type_in: Type) -> None:
    done = type_in("user add li.na --name Li --role auditor --team north", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.output.splitlines()[-1] == "li.na may sign in"
    assert PASSWORD not in done.output
    assert site.sign_in("li.na").get("/sessions").status_code == 200


def test_or_with_one_that_is_made(site: Site, type_in: Type) -> None:
    done = type_in("user add li.na --name Li --role auditor --generate")
    made = re.fullmatch(r"li\.na may sign in with (\S{16})\n", done.output)
    assert made is not None
    assert site.sign_in("li.na", made[1]).get("/sessions").status_code == 200


@pytest.mark.parametrize("password", ("short", "x" * 300, "li.na12345678"))
def test_a_password_that_is_easy_makes_no_user(site: Site, type_in: Type, password: str) -> None:
    done = type_in("user add li.na --name Li --role auditor", typed=f"{password}\n{password}\n")
    assert getattr(done.exception, "code", "") in ("short_password", "long_password", "easy_password")
    assert site.reading.users.everybody() == []


def test_roles_password_and_the_right_to_come_in_change_at_once(site: Site, type_in: Type) -> None:
    browser = site.as_role("admin")
    type_in("user roles admin-1 --role ops")
    assert browser.get("/users").status_code == 403
    done = type_in("user password admin-1 --generate")
    assert browser.get("/sessions").status_code == 303
    again = site.sign_in("admin-1", done.output.split()[-1])
    type_in("user disable admin-1 --reason left")
    assert again.get("/sessions").status_code == 303
    assert "disabled" in type_in("user list").output
    type_in("user enable admin-1")
    assert "enabled" in type_in("user list").output


def test_a_token_is_issued_listed_and_revoked(site: Site, type_in: Type) -> None:
    token = type_in("token --role auditor --days 3 --note reports").output.strip()
    assert re.fullmatch(r"rl_[0-9a-f]{16}_[\w-]{43}", token)
    listed = type_in("token --list").output
    assert "auditor" in listed
    assert "reports" in listed
    assert "never" in listed
    assert token.split("_", 2)[2] not in listed
    site.browser().get("/api/none", headers={"Authorization": f"Bearer {token}"})
    assert "from 127.0.0.1" in type_in("token --list").output
    type_in(f"token --revoke {token.split('_')[1]}")
    assert "revoked" in type_in("token --list").output
    assert site.reading.tokens.check(token) is None


@pytest.mark.parametrize("line", ("token", "token --role auditor --list", "token --role auditor --revoke x"))
def test_a_token_command_that_wants_two_things_is_refused(type_in: Type, line: str) -> None:
    done = type_in(line)
    assert done.exit_code == 2
    assert "Say for which --role" in done.output


def test_the_secret_of_a_token_is_not_in_the_log(site: Site, type_in: Type) -> None:
    token = type_in("token --role auditor").output.strip()
    records = list(site.reading.log.stream(f"token-{token.split('_')[1]}"))
    assert token.split("_", 2)[2] not in str(records)
