"""What programs write: through the same services as the screens, once for each key, and read after it was written."""

import time
from typing import Any, Final, get_args

import psycopg
import pytest

from orchestrator.domain.access.tokens import ROLES_OF_TOKENS
from orchestrator.domain.access.users import ROLES
from orchestrator.service.requests import KEPT_S, UNDER_WAY_S, Answered, KeyReused, Requests, UnderWay
from projections.catalogue import PROJECTIONS
from tests.postgres import Database
from tests.web.api.conftest import Program, Programs, problem_of
from tests.web.conftest import Site
from tests.web.office import Office
from web.access.roles import GRANTS
from web.api import customers
from web.api.access import Role, TokenRole
from web.customers.views import LEVELS

NUMBER: Final = "+8613912345678"
ENQUIRY: Final = {"type_id": "enquiry", "fields": {"question": "Where is my parcel?", "waybill": "SF1001"}}


def keyed(key: str) -> dict[str, dict[str, str]]:
    """The header with this key."""
    return {"headers": {"Idempotency-Key": key}}


def test_a_customer_is_made_corrected_and_found_again(office: Office, program: Programs) -> None:
    """Features 5.1 and 5.3, simple: the position that a write answers with is what the next read waits for."""
    clerk = program("back_office")
    made = clerk.does("POST", "/customers", {"name": "Zhang Wei", "number": "139 1234 5678", "level": "gold"})
    path = f"/customers/{made['id']}"
    changed = clerk.does("PATCH", path, {"company": "Suzhou Silk", "level": ""})
    noted = clerk.does("POST", f"{path}/notes", {"text": "Calls in the morning."})
    added = clerk.does("POST", f"{path}/numbers", {"number": "+8613700001111", "label": "work"})
    office.keep_up()
    one = program("agent").found(path, after=added["position"])
    assert (one["name"], one["company"], one["level"]) == ("Zhang Wei", "Suzhou Silk", "")
    assert one["numbers"] == [{"number": NUMBER, "label": ""}, {"number": "+8613700001111", "label": "work"}]
    assert [item["customer_id"] for item in clerk.found("/customers", q="zhang")["items"]] == [made["id"]]
    texts = [text["text"] for item in clerk.found(f"{path}/timeline")["items"] for text in item["texts"]]
    assert "Calls in the morning." in texts
    assert made["position"] < changed["position"] < noted["position"] < added["position"]


def test_a_number_that_somebody_has_is_refused(office: Office, program: Programs) -> None:
    clerk = program("back_office")
    clerk.does("POST", "/customers", {"name": "Zhang Wei", "number": NUMBER})
    assert clerk.refused(409, "POST", "/customers", {"name": "Li Na", "number": NUMBER}) == "number_held"
    assert clerk.refused(409, "POST", "/customers", {"number": "nobody"}) == "no_number"
    assert clerk.refused(404, "PATCH", "/customers/nobody", {"name": "Li Na"}) == "no_such_customer"


def test_an_order_goes_from_its_opening_to_its_end(office: Office, program: Programs) -> None:
    """Feature 6.1, simple."""
    clerk = program("back_office")
    opened = clerk.does("POST", "/orders", ENQUIRY)
    path = f"/orders/{opened['id']}"
    clerk.does("POST", f"{path}/assign", {"assignee": "role:back_office"})
    clerk.does("PATCH", path, {"fields": {"waybill": "SF2002"}})
    clerk.does("POST", f"{path}/notes", {"text": "Asked the depot."})
    clerk.does("POST", f"{path}/moves", {"action": "done", "note": "It is in Suzhou."})
    closed = clerk.does("POST", f"{path}/moves", {"action": "close"})
    office.keep_up()
    one = clerk.found(path, after=closed["position"])
    assert (one["kind"], one["assignee"], one["fields"]["waybill"]) == ("closed", "role:back_office", "SF2002")
    steps = clerk.found(f"{path}/history", limit=500)["items"]
    assert [step["what"] for step in steps] == [
        "OrderOpened",
        "OrderAssigned",
        "OrderAmended",
        "OrderNoted",
        "OrderDone",
        "OrderClosed",
    ]
    assert {"Asked the depot.", "It is in Suzhou."} <= {step["text"] for step in steps}
    assert {step["actor"] for step in steps} == {f"token:{clerk.token.split('_')[1]}"}
    assert [order["order_id"] for order in clerk.found("/orders", kind="closed")["items"]] == [opened["id"]]


def test_what_a_type_does_not_allow_is_refused(office: Office, program: Programs) -> None:
    clerk, agent = program("back_office"), program("agent")
    path = f"/orders/{clerk.does('POST', '/orders', ENQUIRY)['id']}"
    assert agent.refused(403, "POST", f"{path}/moves", {"action": "close"}) == "forbidden"
    assert clerk.refused(409, "POST", f"{path}/moves", {"action": "fly"}) == "not_now"
    assert clerk.refused(400, "POST", f"{path}/assign", {"assignee": "nobody"}) == "bad_assignee"
    assert clerk.refused(400, "PATCH", path, {"fields": {"colour": "red"}}) == "bad_fields"
    assert clerk.refused(409, "POST", "/orders", {"type_id": "none"}) == "no_such_type"
    assert clerk.refused(409, "POST", "/orders", {**ENQUIRY, "customer_id": "nobody"}) == "no_such_customer"
    assert clerk.refused(404, "POST", "/orders/none/notes", {"text": "x"}) == "no_such_order"


def test_types_are_told_in_the_language_that_is_asked_for(office: Office, program: Programs) -> None:
    names = {
        tag: {each["type_id"]: each["name"] for each in answer.get_json()["items"]}
        for tag in ("en", "zh")
        for answer in (program("agent").ask("GET", "/order-types", headers={"Accept-Language": tag}),)
    }
    assert names["en"].keys() == names["zh"].keys()
    assert names["en"]["enquiry"] != names["zh"]["enquiry"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    (
        ("POST", "/customers", {"name": "Zhang Wei", "number": NUMBER}),
        ("POST", "/customers/{customer}/notes", {"text": "Calls in the morning."}),
        ("POST", "/customers/{customer}/numbers", {"number": "+8613700001111"}),
        ("PATCH", "/customers/{customer}", {"company": "Suzhou Silk"}),
        ("POST", "/orders", ENQUIRY),
        ("POST", "/orders/{order}/notes", {"text": "Asked the depot."}),
        ("POST", "/orders/{order}/moves", {"action": "done"}),
    ),
)
def test_a_write_that_is_repeated_answers_the_same_and_changes_nothing(
    office: Office, site: Site, program: Programs, method: str, path: str, body: dict[str, object]
) -> None:
    """A replayed POST."""
    clerk = program("back_office")
    path = path.format(
        customer=clerk.does("POST", "/customers", {"name": "Li Na"})["id"] if "{customer}" in path else "",
        order=clerk.does("POST", "/orders", ENQUIRY)["id"] if "{order}" in path else "",
    )
    first = clerk.ask(method, path, body, **keyed("k1"))
    assert first.status_code in (200, 201), first.text
    end = site.reading.log.position()
    again = clerk.ask(method, path, body, **keyed("k1"))
    assert (again.status_code, again.get_json()) == (first.status_code, first.get_json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert site.reading.log.position() == end
    other = dict.fromkeys(body, "another") if path != "/orders" else {**ENQUIRY, "customer_id": "x"}
    assert clerk.refused(422, method, path, other, **keyed("k1")) == "key_reused"
    assert site.reading.log.position() == end


def test_a_repeat_is_told_by_the_log_itself_where_the_answer_was_lost(
    office: Office, site: Site, database: Database, program: Programs
) -> None:
    """The process died, or the table was emptied, after the write: the second layer."""
    clerk = program("back_office")
    first = clerk.does("POST", "/customers", {"name": "Zhang Wei"}, **keyed("k1"))
    with psycopg.connect(database.writer, autocommit=True) as connection:
        connection.execute("DELETE FROM web.requests")
    again = clerk.does("POST", "/customers", {"name": "Zhang Wei"}, **keyed("k1"))
    assert again == {**first, "changed": False}


def test_a_key_belongs_to_its_program(office: Office, program: Programs) -> None:
    one = program("back_office").does("POST", "/customers", {"name": "Zhang Wei"}, **keyed("k1"))
    other = program("leader").does("POST", "/customers", {"name": "Li Na"}, **keyed("k1"))
    assert one["id"] != other["id"]


def test_after_a_refusal_the_same_key_may_be_tried_again(office: Office, program: Programs) -> None:
    clerk = program("back_office")
    path = f"/orders/{clerk.does('POST', '/orders', ENQUIRY)['id']}/moves"
    clerk.does("POST", path, {"action": "close"})
    assert clerk.refused(409, "POST", path, {"action": "done"}, **keyed("k1")) == "not_now"
    clerk.does("POST", path, {"action": "reopen"})
    assert clerk.does("POST", path, {"action": "done"}, **keyed("k1"))["changed"]


def test_a_repeat_that_overtakes_the_first_is_told_to_wait(site: Site, program: Programs) -> None:
    requests: Requests = site.reading.requests
    assert requests.begin("token:x", "k1", b"wish") is None
    with pytest.raises(UnderWay):
        requests.begin("token:x", "k1", b"wish")
    requests.forget("token:x", "k1")
    assert requests.begin("token:x", "k1", b"wish") is None


def test_a_first_request_that_died_is_taken_over_after_a_minute_and_answers_are_forgotten_after_a_day(
    site: Site, database: Database
) -> None:
    requests: Requests = site.reading.requests

    def age(seconds: int) -> None:
        with psycopg.connect(database.writer, autocommit=True) as connection:
            connection.execute("UPDATE web.requests SET made_at = made_at - make_interval(secs => %s)", (seconds,))

    assert requests.begin("token:x", "k1", b"wish") is None
    age(UNDER_WAY_S - 5)
    with pytest.raises(UnderWay):
        requests.begin("token:x", "k1", b"wish")
    age(10)
    with pytest.raises(KeyReused):
        requests.begin("token:x", "k1", b"another wish")
    assert requests.begin("token:x", "k1", b"wish") is None
    requests.done("token:x", "k1", Answered(200, "application/json", b"{}"))
    age(KEPT_S - 5)
    assert requests.begin("token:x", "k1", b"wish") == Answered(200, "application/json", b"{}")
    age(10)
    assert requests.begin("token:x", "k1", b"wish") is None


@pytest.mark.parametrize("key", ("", " ", "a b", "x" * 201, "\u00e4"))
def test_a_key_that_is_none_is_refused(program: Programs, key: str) -> None:
    assert program("back_office").refused(400, "POST", "/customers", {"name": "Li Na"}, **keyed(key)) == "bad_key"


def test_a_read_waits_for_a_position_but_not_for_ever(office: Office, site: Site, program: Programs) -> None:
    """`after`: 503 with the code `late` where the read model does not come in time: nothing old is shown as new."""
    clerk = program("back_office")
    made = clerk.does("POST", "/customers", {"name": "Zhang Wei"})
    begun = time.monotonic()
    answer = clerk.get(f"/customers/{made['id']}", after=made["position"])
    assert answer.status_code == 503
    assert problem_of(answer) == "late"
    assert answer.headers["Retry-After"] == "1"
    assert 1.9 <= time.monotonic() - begun < 10
    office.reads.keep_up(PROJECTIONS["customers"])
    assert clerk.found(f"/customers/{made['id']}", after=made["position"])["name"] == "Zhang Wei"


def test_an_administrator_issues_and_revokes_tokens(site: Site, program: Programs) -> None:
    """Feature 12.6: told once, stored as a hash."""
    admin = program("admin")
    issued = admin.does(
        "POST", "/tokens", {"role": "ops", "days": 2, "teams": ["north"], "note": "wall"}, **keyed("k1")
    )
    made = Program(site, issued["token"])
    assert made.get("/users").status_code == 403
    (listed,) = [each for each in admin.found("/tokens")["items"] if each["token_id"] == issued["token_id"]]
    assert (listed["role"], listed["teams"], listed["note"], listed["valid"]) == ("ops", ["north"], "wall", True)
    assert issued["token"].split("_", 2)[2] not in admin.get("/tokens").text
    again = {"role": "ops", "days": 2, "teams": ["north"], "note": "wall"}
    assert admin.refused(409, "POST", "/tokens", again, **keyed("k1")) == "told_already"
    admin.does("POST", f"/tokens/{issued['token_id']}/revoke")
    assert made.refused(401, "GET", "/users") == "unauthorized"
    assert admin.refused(404, "POST", "/tokens/0000000000000000/revoke") == "unknown_token"
    assert admin.refused(400, "POST", "/tokens", {"role": "emperor"}) == "bad_body"


def test_no_secret_of_an_answer_is_kept_for_a_repeat(site: Site, database: Database, program: Programs) -> None:
    admin = program("admin")
    token = admin.does("POST", "/tokens", {"role": "ops"}, **keyed("k1"))["token"]
    user = {"user_id": "li-na", "name": "Li Na", "roles": ["ops"]}
    password = admin.does("POST", "/users", user, **keyed("k2"))["password"]
    with psycopg.connect(database.writer) as connection:
        bodies = b"".join(bytes(row[0] or b"") for row in connection.execute("SELECT body FROM web.requests"))
    assert token.encode() not in bodies
    assert password.encode() not in bodies


def test_an_administrator_manages_users(site: Site, program: Programs) -> None:
    admin = program("admin")
    made = admin.does("POST", "/users", {"user_id": "li-na", "name": "Li Na", "roles": ["ops"]})
    assert site.sign_in("li-na", made["password"]).get("/sessions").status_code == 200
    admin.does("PUT", "/users/li-na/roles", {"roles": ["qa", "ops"], "teams": ["north"]})
    (user,) = admin.found("/users")["items"]
    assert (set(user["roles"]), user["teams"], user["disabled"]) == ({"qa", "ops"}, ["north"], False)
    admin.does("POST", "/users/li-na/disable", {"reason": "left"})
    assert admin.found("/users")["items"][0]["disabled"]
    admin.does("POST", "/users/li-na/enable")
    assert admin.refused(404, "PUT", "/users/nobody/roles", {"roles": []}) == "not_found"
    assert admin.refused(409, "POST", "/users", {"user_id": "li-na", "name": "x", "roles": []}) == "user_exists"
    assert admin.refused(400, "POST", "/users", {"user_id": "Li Na", "name": "x", "roles": []}) == "bad_body"


def test_the_contract_names_the_roles_and_levels_that_there_are() -> None:
    assert set(get_args(Role)) == set(ROLES)
    assert set(get_args(TokenRole)) == set(GRANTS) == set(ROLES_OF_TOKENS)
    level: Any = customers.Level
    assert set(level.__args__) == {"", *LEVELS}
