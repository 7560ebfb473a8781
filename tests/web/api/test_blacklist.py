"""The blacklist over the API: listed, seen as the role may see numbers, changed, let expire, taken off."""

from typing import Any

from tests.web.api.conftest import Program, Programs
from tests.web.office import Office

NUMBER = "+8613912345678"


def listed(office: Office, program: Program, **query: object) -> Any:  # noqa: ANN401 - JSON
    """The list as it is once the read models have kept up."""
    office.keep_up()
    return program.found("/blacklist", **query)


def test_a_number_is_listed_changed_let_expire_and_taken_off(office: Office, program: Programs) -> None:
    """Feature 5.5."""
    leader = program("leader")
    made = leader.does("POST", "/blacklist", {"number": "139 1234 5678", "reason": "fraud", "note": "at night"})
    path = f"/blacklist/{made['id']}"
    (one,) = listed(office, leader)["items"]
    assert (one["id"], one["reason"], one["note"], one["until"], one["holds"]) == (
        made["id"], "fraud", "at night", None, True,
    )  # fmt: skip
    assert one["number"] != NUMBER, "a leader sees masked numbers"
    leader.does("PATCH", path, {"until": "2099-01-01T00:00:00Z"})
    (one,) = listed(office, leader)["items"]
    assert one["until"].startswith("2099-01-01")
    leader.does("PATCH", path, {"until": None, "reason": "nuisance"})
    (one,) = listed(office, leader)["items"]
    assert (one["until"], one["reason"]) == (None, "nuisance")
    leader.does("POST", f"{path}/expire")
    assert not listed(office, leader)["items"][0]["holds"]
    leader.does("POST", f"{path}/lift")
    assert listed(office, leader)["items"] == []


def test_what_cannot_be_is_refused_with_its_code(office: Office, program: Programs) -> None:
    """Bad input."""
    leader = program("leader")
    leader.does("POST", "/blacklist", {"number": NUMBER})
    assert leader.refused(409, "POST", "/blacklist", {"number": NUMBER}) == "already_blacklisted"
    assert leader.refused(409, "POST", "/blacklist", {"number": "nobody"}) == "no_number"
    assert leader.refused(404, "PATCH", "/blacklist/nothing", {"reason": "x"}) == "no_such_blacklisting"
    assert leader.refused(404, "POST", "/blacklist/nothing/lift") == "no_such_blacklisting"
    assert program("agent").refused(403, "GET", "/blacklist")


def test_the_list_comes_by_the_page_and_loses_nobody_who_is_listed_or_taken_off_meanwhile(
    office: Office, program: Programs
) -> None:
    """Feature 12.8: keyset paging, like every other list."""
    leader = program("leader")
    made = [leader.does("POST", "/blacklist", {"number": f"1391234567{n}"})["id"] for n in range(5)]
    first = listed(office, leader, limit=2)
    assert [item["id"] for item in first["items"]] == [made[4], made[3]]
    leader.does("POST", "/blacklist", {"number": "13912345679"})
    leader.does("POST", f"/blacklist/{made[3]}/lift")
    second = listed(office, leader, limit=2, cursor=first["next_cursor"])
    assert [item["id"] for item in second["items"]] == [made[2], made[1]]
    last = listed(office, leader, limit=2, cursor=second["next_cursor"])
    assert ([item["id"] for item in last["items"]], last["next_cursor"]) == ([made[0]], None)
    assert leader.refused(400, "GET", "/blacklist", query_string={"cursor": "nonsense"}) == "bad_cursor"
