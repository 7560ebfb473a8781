"""A web application over a database of its own, and browsers that are signed in as anybody.

def test_…(site: Site) -> None:
page = site.as_role("auditor").get("/history")
"""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any, Final

import argon2
import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from psycopg import sql
from werkzeug.test import TestResponse

from orchestrator.cluster import Cluster
from orchestrator.control import Client, control_path
from orchestrator.domain.access.users import ROLES, Grant
from orchestrator.service import passwords
from orchestrator.service.customers import Customers
from orchestrator.settings import Settings
from projections.reading import Reading, reading_of
from tests.postgres import Database, provide_template, settings_for
from tests.web import day as days
from tests.web import office as offices
from tests.web.day import Day
from tests.web.office import Office
from web.app import create_app
from web.parts import Parts

PASSWORD: Final = "four plain words here"
_TOKEN: Final = re.compile(r'name="csrf-token" content="([^"]+)"')
# Of the least cost: what a password costs is no matter here, and whoever signs in pays it.
_CHEAP: Final = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_HASH: Final = _CHEAP.hash(PASSWORD)
# What a ledger can have in it when a test begins, by the fixture that says so.
_LAID_DOWN: Final = {"day": days.lay_down, "office": offices.lay_down}
_KEY: Final = f"ringledger-kek-1 {base64.b64encode(bytes(range(32))).decode()}\n"


class Compiled(BytecodeCache):
    """Templates, compiled once a process and not once a test. Jinja looks whether the text is still the same."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key, bucket.checksum] = bucket.code


COMPILED: Final = Compiled()


class Browser(FlaskClient):
    """A test client that sends the CSRF token of the page which it saw last, as a form of that page would."""

    csrf_token: str = ""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:  # noqa: ANN401 - as werkzeug has it
        response = super().open(*args, **kwargs)
        if response.mimetype == "text/html" and (found := _TOKEN.search(response.text)):
            self.csrf_token = found[1]
        return response

    def submit(self, path: str, **fields: str | list[str]) -> TestResponse:
        """Send a form of the page seen last."""
        return self.post(path, data={"csrf_token": self.csrf_token, **fields})


Words = tuple[str, ...]


class Site:
    """The application and its parts."""

    def __init__(self, app: Flask, parts: Parts, database: Database, cluster: Cluster) -> None:
        self.app = app
        self.database = database
        self._cluster = cluster
        self.parts = parts
        self.reading: Reading = parts.reading

    def browser(self) -> Browser:
        """Somebody who is not signed in."""
        client = self.app.test_client()
        assert isinstance(client, Browser)
        return client

    def add_user(
        self, user_id: str, *roles: str, name: str = "", agent_id: str = "", teams: Words = (), branches: Words = ()
    ) -> str:
        """A user with these roles, whose password is PASSWORD; the id."""
        users = self.reading.users
        users.create(user_id, name or user_id.replace("-", " ").title(), actor="admin:test", agent_id=agent_id)
        users.store_hash(user_id, _HASH, actor="admin:test")
        users.change(user_id, Grant(roles=roles, teams=teams, branches=branches), actor="admin:test")
        return user_id

    def lose_database(self) -> None:
        """From now on nobody gets a connection, and those that there were are cut."""
        name = sql.Identifier(self.database.name)
        with psycopg.connect(self._cluster.url_admin, autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (self.database.name,)
            )

    def regain_database(self) -> None:
        """It is there again."""
        with psycopg.connect(self._cluster.url_admin, autocommit=True) as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(self.database.name))
            )

    def add_customer(self, number: str) -> str:
        """A customer with this number (E.164), made as on a first call; the id."""
        customers = Customers(self.reading.desk, self.reading.log, self.reading.vault, region="CN")
        found = customers.identify(number)
        assert found is not None
        return found

    def sign_in(self, user_id: str, password: str = PASSWORD) -> Browser:
        """A browser in which this user has signed in."""
        browser = self.browser()
        browser.get("/sign-in")
        response = browser.submit("/sign-in", name=user_id, password=password)
        assert response.status_code == 303, response.text
        browser.get("/sessions")
        return browser

    def as_role(self, role: str, *, teams: tuple[str, ...] = ()) -> Browser:
        """A browser in which a fresh user with this one role has signed in."""
        user_id = f"{role.replace('_', '-')}-1"
        if self.reading.users.get(user_id) is None:
            agent_id = "lin-mei" if role == "agent" else ""
            self.add_user(user_id, role, agent_id=agent_id, teams=teams)
        return self.sign_in(user_id)


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the process of the test, hashing a password takes no time to speak of."""
    monkeypatch.setattr(passwords, "_HASHER", _CHEAP)


@pytest.fixture
def template(request: pytest.FixtureRequest, template: str) -> str:
    """For a test with a day or an office, one in which that is laid down already, and all read models with it."""
    laid = next((each for each in _LAID_DOWN if each in request.fixturenames), None)
    if laid is None:
        return template
    cluster, places = request.getfixturevalue("cluster"), request.getfixturevalue("tmp_path_factory")

    def make(made: Database) -> None:
        _LAID_DOWN[laid](made, provide_key(places.mktemp("key") / "kek"))

    name = f"ringledger_template_with_{laid}"
    provide_template(cluster, places, name, request.getfixturevalue("template_with_models"), make)
    return name


def provide_key(file: Path) -> Path:
    """The one key under which clones of a day or an office can be read, in this file of a home."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(_KEY, encoding="ascii")
    file.chmod(0o600)
    return file


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings with a home of this test's own."""
    settings = settings_for(tmp_path / "home")
    if _LAID_DOWN.keys() & set(request.fixturenames):
        provide_key(settings.kek_file)
    return settings


@pytest.fixture
def site(database: Database, settings: Settings, cluster: Cluster) -> Iterator[Site]:
    """The application over an empty ledger; no engine runs."""
    with site_of(database, settings, cluster) as made:
        yield made


@contextmanager
def site_of(database: Database, settings: Settings, cluster: Cluster) -> Iterator[Site]:
    """The application with these settings."""
    with reading_of(settings, database.reader, database.writer) as reading:
        parts = Parts(settings=settings, reading=reading, control=lambda: Client(control_path(settings.home)))
        app = create_app(parts)
        app.jinja_env.bytecode_cache = COMPILED
        app.testing = True
        app.test_client_class = Browser
        yield Site(app, parts, database, cluster)


@pytest.fixture
def day(site: Site, database: Database) -> Iterator[Day]:
    """A busy day in the site's ledger."""
    with days.played(site, database) as day:
        yield day


@pytest.fixture
def office(site: Site, database: Database) -> Iterator[Office]:
    """The site's ledger configured as the demo's."""
    with offices.opened(site, database) as office:
        yield office


@pytest.fixture(params=ROLES)
def role(request: pytest.FixtureRequest) -> str:
    """Every role in turn."""
    return str(request.param)
