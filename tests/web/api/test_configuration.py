"""Programs read, plan and apply the configuration, and see its history (features 11.5, 12.7)."""

from orchestrator.service import configuration
from tests.web.api.conftest import Programs
from tests.web.office import Office


def orders_with(program: Programs, **keys: object) -> dict[str, object]:
    """The change that gives the queue of orders these keys."""
    (found,) = program("admin").found("/configuration", kind="queue", id="orders")["items"]
    return {"set": {"queue-orders": {**found["keys"], **keys}}}


def test_what_is_in_force_is_read_page_by_page(office: Office, program: Programs) -> None:
    first = program("leader").found("/configuration", limit=5)
    assert first["version"] == 1
    things = [each["thing"] for each in first["items"]]
    while first["next_cursor"]:
        first = program("leader").found("/configuration", limit=5, cursor=first["next_cursor"])
        things += [each["thing"] for each in first["items"]]
    assert things == sorted(configuration.current(office.site.reading.log, "main").events)


def test_a_change_is_planned_applied_and_seen_in_the_history(office: Office, program: Programs) -> None:
    """Law 6: in the token's name, for a version, with a reason."""
    admin = program("admin")
    body = orders_with(program, ring_s=9)
    planned = admin.does("POST", "/configuration/plan", {**body, "remove": ["agent-ma-chao"]})
    assert [(each["thing"], each["action"]) for each in planned["changes"]] == [
        ("queue-orders", "changed"),
        ("agent-ma-chao", "removed"),
    ]
    assert planned["changes"][0]["keys"] == [{"key": "ring_s", "before": "12", "after": "9"}]
    assert planned["problems"] == []
    done = admin.does("POST", "/configuration/apply", {**body, "expect_version": 1, "reason": "quicker"})
    assert done["version"] == 2
    (latest, _) = admin.found("/configuration/versions")["items"]
    assert (latest["version"], latest["reason"], latest["changed"]) == (2, "quicker", ["queue-orders"])
    assert latest["actor"].startswith("token:")
    assert admin.found("/configuration/versions/2")["changes"] == planned["changes"][:1]
    assert admin.found("/configuration/versions/1", against=2)["changes"][0]["keys"][0]["after"] == "12"
    assert len(admin.found("/configuration/versions", limit=1)["items"]) == 1
    nothing = admin.does("POST", "/configuration/apply", {**body, "expect_version": 2, "reason": "again"})
    assert (nothing["position"], nothing["changes"]) == (0, [])


def test_an_older_version_is_refused_and_says_who_was_faster(office: Office, program: Programs) -> None:
    admin = program("admin")
    admin.does("POST", "/configuration/apply", {**orders_with(program, ring_s=9), "expect_version": 1, "reason": "a"})
    late = {**orders_with(program, ring_s=8), "expect_version": 1, "reason": "b"}
    assert admin.refused(409, "POST", "/configuration/apply", late) == "configuration_changed"
    assert "queue-orders" in admin.ask("POST", "/configuration/apply", late).get_json()["detail"]


def test_what_is_wrong_is_told_by_thing_and_key_and_never_applied(office: Office, program: Programs) -> None:
    admin = program("admin")
    body = orders_with(program, ring_s="soon", rule=None)
    problems = admin.does("POST", "/configuration/plan", body)["problems"]
    assert {(each["thing"], each["key"]) for each in problems} == {("queue-orders", "ring_s"), ("queue-orders", "rule")}
    refused = {**body, "expect_version": 1, "reason": "x"}
    assert admin.refused(400, "POST", "/configuration/apply", refused) == "bad_configuration"
    assert admin.refused(400, "POST", "/configuration/plan", {"set": {"flow-x": {}}}) == "bad_thing"
    assert configuration.current(office.site.reading.log, "main").version == 1


def test_a_leader_may_plan_and_not_apply(office: Office, program: Programs) -> None:
    """Feature 12.6."""
    body = orders_with(program, ring_s=9)
    assert program("leader").does("POST", "/configuration/plan", body)["changes"]
    applied = {**body, "expect_version": 1, "reason": "x"}
    assert program("leader").refused(403, "POST", "/configuration/apply", applied) == "forbidden"
    assert program("leader", "east").refused(403, "GET", "/configuration") == "forbidden"
    assert program("agent").refused(403, "GET", "/configuration") == "forbidden"
