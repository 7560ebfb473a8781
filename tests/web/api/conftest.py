"""Programs with tokens, over a ledger in which a day has been, or over one of the demo's configuration."""

from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from orchestrator.domain.access.scope import Scope
from projections.live import LiveView
from tests.web.conftest import Site
from tests.web.office import Office
from web.api.buckets import Buckets
from web.api.serving import BUCKETS
from web.push import present

BASE = "/api/v1"


class Program:
    """Sends requests with a token."""

    def __init__(self, site: Site, token: str) -> None:
        self.site = site
        self.token = token
        self.headers = {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, body: object = None, **more: Any) -> TestResponse:  # noqa: ANN401 - werkzeug's
        """One request; a body is sent as JSON."""
        headers = {**self.headers, **more.pop("headers", {})}
        if body is not None:
            more["json"] = body
        return self.site.browser().open(f"{BASE}{path}", method=method, headers=headers, **more)

    def get(self, path: str, **query: object) -> TestResponse:
        return self.ask("GET", path, query_string=query)

    def found(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        """What is there."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def does(self, method: str, path: str, body: object = None, **more: Any) -> Any:  # noqa: ANN401 - JSON
        """A write that is carried out."""
        answer = self.ask(method, path, body, **more)
        assert answer.status_code in (200, 201), answer.text
        assert answer.headers["Ringledger-Position"] == str(answer.get_json()["position"])
        return answer.get_json()

    def refused(self, status: int, method: str, path: str, body: object = None, **more: Any) -> str:  # noqa: ANN401
        """The code with which a request is refused, after looking that it is a whole problem."""
        answer = self.ask(method, path, body, **more)
        assert answer.status_code == status, answer.text
        return problem_of(answer)


def problem_of(answer: TestResponse) -> str:
    """The code of an answer that is problem details."""
    assert answer.mimetype == "application/problem+json", answer.mimetype
    found = answer.get_json()
    assert found["status"] == answer.status_code
    assert found["type"] == f"urn:ringledger:problem:{found['code']}"
    assert found["title"]
    assert found["detail"]
    return str(found["code"])


class Programs:
    """Makes programs, one for each role."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._made: dict[str, Program] = {}

    def __call__(self, role: str, *teams: str) -> Program:
        """The program with this role."""
        name = " ".join((role, *teams))
        if name not in self._made:
            token = self.site.reading.tokens.issue(role, days=1, scope=Scope(teams=teams), actor="admin:test")
            self._made[name] = Program(self.site, token)
        return self._made[name]


@pytest.fixture
def program(site: Site) -> Programs:
    return Programs(site)


@pytest.fixture
def office(site: Site, office: Office) -> Iterator[Office]:
    view = LiveView(site.reading.log)
    try:
        view.start().wait_ready(10)
        present.install(site.app, view)
        yield office
    finally:
        view.stop()


@pytest.fixture
def unlimited(site: Site) -> None:
    """A test that asks for everything at once is not held up."""
    site.app.extensions[BUCKETS] = Buckets(per_s=1e6, burst=1e6)
