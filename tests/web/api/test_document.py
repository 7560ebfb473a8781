"""The OpenAPI document says what there is, and what there is keeps to it."""

import json
import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from markupsafe import escape
from openapi_spec_validator import validate
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.web.api.conftest import BASE, Programs
from tests.web.conftest import Site
from web.access.needs import permission_for
from web.access.roles import GRANTS
from web.api.openapi import document
from web.api.operations import OPERATIONS

EXAMPLES = 12
_PLACES = re.compile(r"<(?:\w+:)?(\w+)>")


def test_every_route_of_programs_is_in_the_document_and_the_other_way_round(site: Site) -> None:
    in_app = {
        (method, _PLACES.sub(r"{\1}", rule.rule.removeprefix(BASE)))
        for rule in site.app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and rule.endpoint not in {"api.page", "api.openapi"}
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    paths: dict[str, dict[str, Any]] = site.browser().get(f"{BASE}/openapi.json").get_json()["paths"]
    assert in_app == {(method.upper(), path) for path, methods in paths.items() for method in methods}


def test_the_document_is_valid_and_names_nothing_that_lies_elsewhere(site: Site) -> None:
    answer = site.browser().get(f"{BASE}/openapi.json")
    validate(answer.get_json())
    assert "http" not in answer.text.replace('"type": "http"', "")


def test_every_field_of_time_says_its_unit() -> None:
    for name, schema in document()["components"]["schemas"].items():
        for field, of in schema.get("properties", {}).items():
            if field.endswith("_ms"):
                assert "illisecond" in json.dumps(of), f"{name}.{field}"
            if field.endswith("_at"):
                assert "date-time" in json.dumps(of), f"{name}.{field}"


def test_a_route_needs_what_the_table_of_operations_says(site: Site) -> None:
    for operation in OPERATIONS:
        assert permission_for(site.app, f"api.{operation.name}") == operation.permission


def test_the_page_for_people_lists_everything_and_loads_nothing_from_elsewhere(site: Site) -> None:
    page = site.browser().get("/api/")
    assert page.status_code == 200
    for operation in OPERATIONS:
        assert f"{operation.method} {BASE}{operation.path}" in page.text
        assert escape(operation.summary) in page.text
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", page.text)


def try_out(operation: Any, headers: dict[str, str]) -> int:  # noqa: ANN401 - schemathesis' own
    """Send requests made for this operation; how many."""
    tried = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case: Case[Any]) -> None:
        nonlocal tried
        tried += 1
        case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

    send()
    return tried


@pytest.mark.slow
@pytest.mark.usefixtures("day", "unlimited")
def test_whatever_is_sent_the_answers_are_as_the_document_says(site: Site, program: Programs) -> None:
    """Requests made from the document, right and wrong: no 5xx but those that it names, statuses, kinds of content and
    shapes as it says, 401 without a token. A right one may be refused all the same: no schema says which cursors were
    given out, or what fits an order's type.
    """
    schema = schemathesis.openapi.from_wsgi(f"{BASE}/openapi.json", site.app)
    role_of: dict[tuple[str, str], str] = {
        (each.method, f"{BASE}{each.path}"): next(role for role, may in GRANTS.items() if each.permission in may)
        for each in OPERATIONS
    }
    tried = 0
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # an operation that cannot be read raises here
        tried += try_out(operation, program(role_of[operation.method.upper(), operation.full_path]).headers)
    assert tried >= len(OPERATIONS) * EXAMPLES // 2
