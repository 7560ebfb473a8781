"""The OpenAPI document says what there is, and what there is keeps to it."""

import json
import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from markupsafe import escape
from openapi_spec_validator import validate
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import positive_data_acceptance

from projections.catalogue import PROJECTIONS
from tests.web.api.conftest import BASE, Programs
from tests.web.conftest import Site
from tests.web.day import CUSTOMER, Day
from web.access.needs import permission_for
from web.api.openapi import document, roles_of
from web.api.operations import OPERATIONS

EXAMPLES = 20
# A right request may be refused all the same: no schema says which cursors were given out, or what fits the type of an
# order. Of server errors the only one is that no engine runs here.
OURS = [positive_data_acceptance, not_a_server_error]
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


def try_out(operation: Any, headers: dict[str, str], there: dict[str, str]) -> int:  # noqa: ANN401 - schemathesis' own
    """Send requests made for this operation, every other one about something that is there; how many."""
    tried = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), of_what_is_there=st.booleans())
    def send(case: Case[Any], *, of_what_is_there: bool) -> None:
        nonlocal tried
        tried += 1
        if of_what_is_there:
            case.path_parameters.update({name: there[name] for name in case.path_parameters if name in there})
        response = case.call(headers=headers)
        case.validate_response(
            response, headers=headers, excluded_checks=[positive_data_acceptance, not_a_server_error]
        )
        assert response.status_code < 500 or response.json()["code"] == "engine_away", response.text

    send()
    return tried


@pytest.mark.slow
@pytest.mark.usefixtures("unlimited")
def test_whatever_is_sent_the_answers_are_as_the_document_says(site: Site, day: Day, program: Programs) -> None:
    """Requests made from the document, right and wrong: no 5xx, statuses, kinds of content and shapes as it says, 401
    without a token.
    """
    schema = schemathesis.openapi.from_wsgi(f"{BASE}/openapi.json", site.app)
    role_of: dict[tuple[str, str], str] = {
        (each.method, f"{BASE}{each.path}"): roles_of(each)[0] for each in OPERATIONS
    }
    site.add_user("li-na", "ops")
    there = {
        "contact_id": day.contacts[0],
        "customer_id": CUSTOMER,
        "number": next(iter(day.centre.world.agents.values())).number,
        "user_id": "li-na",
        "position": str(day.last),
    }
    tried = 0
    for found in schema.get_all_operations():
        for projection in PROJECTIONS.values():
            day.reads.keep_up(projection)
        operation: Any = found.ok()  # type: ignore[union-attr]  # an operation that cannot be read raises here
        tried += try_out(operation, program(role_of[operation.method.upper(), operation.full_path]).headers, there)
    assert tried >= len(OPERATIONS) * EXAMPLES // 2
