"""Users, for administrators: adding, roles that hold at once, keeping out; and what is recorded (feature 12.6)."""

import re

import pytest

from orchestrator.domain.access.scope import Scope
from orchestrator.domain.access.users import PersonalDataRevealed, RolesGranted, SessionEnded, UserDisabled
from tests.web.conftest import Site


def test_an_administrator_adds_somebody_who_can_then_sign_in(site: Site) -> None:
    admin = site.as_role("admin")
    admin.get("/users")
    page = admin.submit(
        "/users", user_id="li.na", name="Li Na", roles=["auditor", "ops"], teams="north", branches="east"
    )
    password = re.search(r"<code>([^<]+)</code>", page.text)
    assert password is not None
    assert "Li Na" in site.sign_in("li.na", password[1]).get("/sessions").text
    user = site.reading.users.get("li.na")
    assert user is not None
    assert (user.roles, user.scope) == (("ops", "auditor"), Scope(teams=("north",), branches=("east",)))


@pytest.mark.parametrize(
    ("fields", "said"),
    (
        ({"user_id": "Li Na", "name": "Li Na"}, "small letters"),
        ({"user_id": "li-na", "name": " "}, "name"),
        ({"user_id": "li-na", "name": "Li Na", "roles": ["king"]}, "no role king"),
        ({"user_id": "li-na", "name": "Li Na", "roles": ["agent"]}, "which agent"),
        ({"user_id": "admin-1", "name": "Li Na"}, "already"),
        ({"user_id": "../etc/passwd", "name": "Li Na"}, "small letters"),
    ),
)
def test_what_makes_no_user_is_told_with_advice_and_makes_none(
    site: Site, fields: dict[str, str | list[str]], said: str
) -> None:
    admin = site.as_role("admin")
    admin.get("/users")
    answer = admin.submit("/users", **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert [user.user_id for user in site.reading.users.everybody()] == ["admin-1"]


def test_a_role_that_is_taken_away_is_gone_at_the_next_click(site: Site) -> None:
    """Bad input of issue 3: a role changed while signed in."""
    site.add_user("deputy", "admin")
    deputy, admin = site.sign_in("deputy"), site.as_role("admin")
    assert deputy.get("/users").status_code == 200
    old = deputy.get_cookie("ringledger")
    admin.get("/users/deputy")
    admin.submit("/users/deputy/roles", roles=["service_point"])
    assert deputy.get("/users").status_code == 403
    new = deputy.get_cookie("ringledger")
    assert old is not None
    assert new is not None
    assert old.value != new.value, "a session whose roles changed gets a new key"


def test_whoever_is_kept_out_is_out_at_once_and_cannot_come_back(site: Site) -> None:
    auditor, admin = site.as_role("auditor"), site.as_role("admin")
    admin.get("/users/auditor-1")
    admin.submit("/users/auditor-1/disable", reason="left the company")
    assert auditor.get("/sessions").status_code == 303
    again = site.browser()
    again.get("/sign-in")
    assert again.submit("/sign-in", name="auditor-1", password="four plain words here").status_code == 422
    events = [record.event for record in site.reading.log.stream("user-auditor-1")]
    assert any(isinstance(event, UserDisabled) and event.reason == "left the company" for event in events)
    assert any(isinstance(event, SessionEnded) and event.reason == "disabled" for event in events)
    admin.submit("/users/auditor-1/enable")
    assert site.sign_in("auditor-1").get("/sessions").status_code == 200


def test_nobody_locks_themselves_out_of_administration(site: Site) -> None:
    admin = site.as_role("admin")
    admin.get("/users/admin-1")
    assert admin.submit("/users/admin-1/roles", roles=["ops"]).status_code == 409
    assert admin.submit("/users/admin-1/disable").status_code == 409
    assert admin.get("/users").status_code == 200


def test_a_new_password_ends_the_sessions_of_before(site: Site) -> None:
    auditor, admin = site.as_role("auditor"), site.as_role("admin")
    admin.get("/users/auditor-1")
    page = admin.submit("/users/auditor-1/password")
    password = re.search(r"<code>([^<]+)</code>", page.text)
    assert password is not None
    assert auditor.get("/sessions").status_code == 303
    assert site.sign_in("auditor-1", password[1]).get("/sessions").status_code == 200


def test_who_did_it_is_recorded(site: Site) -> None:
    admin = site.as_role("admin")
    site.as_role("ops")
    admin.get("/users/ops-1")
    admin.submit("/users/ops-1/roles", roles=["ops", "qa"], teams="north, south")
    last = list(site.reading.log.stream("user-ops-1"))[-1]
    assert isinstance(last.event, RolesGranted)
    assert last.event.teams == ("north", "south")
    assert last.about.actor == "user:admin-1"


def test_a_masked_number_is_shown_to_who_may_see_it_and_that_is_recorded(site: Site) -> None:
    """Screens and safety 16: masked by default, revealing is an audited act."""
    customer = site.add_customer("+8613800138000")
    auditor = site.as_role("auditor")
    answer = auditor.post(
        "/reveal",
        data={"subject": f"customer-{customer}", "field": "number"},
        headers={"X-CSRFToken": auditor.csrf_token, "X-Requested-With": "fetch"},
    )
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["text"] == "13800138000"
    last = list(site.reading.log.stream("user-auditor-1"))[-1]
    assert last.event == PersonalDataRevealed(subject=f"customer-{customer}", field="number")
    assert last.position == answer.json["position"]


@pytest.mark.parametrize(
    ("subject", "field", "status"),
    (
        ("user-auditor-1", "hash", 400),
        ("customer-../../x", "number", 400),
        ("customer-none", "number", 404),
        ("customer-none", "__class__.__name__", 400),
        ("config-main", "digest", 400),
    ),
)
def test_nothing_else_is_revealed(site: Site, subject: str, field: str, status: int) -> None:
    auditor = site.as_role("auditor")
    before = site.reading.log.position()
    assert auditor.submit("/reveal", subject=subject, field=field).status_code == status
    assert site.reading.log.position() == before
