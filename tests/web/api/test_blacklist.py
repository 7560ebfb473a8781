"""The blacklist over the API: listed, seen as the role may see numbers, changed, let expire, taken off."""

from tests.web.api.conftest import Programs
from tests.web.office import Office

NUMBER = "+8613912345678"


def test_a_number_is_listed_changed_let_expire_and_taken_off(office: Office, program: Programs) -> None:
    """Feature 5.5."""
    leader = program("leader")
    made = leader.does("POST", "/blacklist", {"number": "139 1234 5678", "reason": "fraud", "note": "at night"})
    path = f"/blacklist/{made['id']}"
    (one,) = leader.found("/blacklist")["items"]
    assert (one["id"], one["reason"], one["note"], one["until"], one["holds"]) == (
        made["id"], "fraud", "at night", None, True,
    )  # fmt: skip
    assert one["number"] != NUMBER, "a leader sees masked numbers"
    leader.does("PATCH", path, {"until": "2099-01-01T00:00:00Z"})
    (one,) = leader.found("/blacklist")["items"]
    assert one["until"].startswith("2099-01-01")
    leader.does("PATCH", path, {"until": None, "reason": "nuisance"})
    (one,) = leader.found("/blacklist")["items"]
    assert (one["until"], one["reason"]) == (None, "nuisance")
    leader.does("POST", f"{path}/expire")
    assert not leader.found("/blacklist")["items"][0]["holds"]
    leader.does("POST", f"{path}/lift")
    assert leader.found("/blacklist")["items"] == []


def test_what_cannot_be_is_refused_with_its_code(office: Office, program: Programs) -> None:
    """Bad input."""
    leader = program("leader")
    leader.does("POST", "/blacklist", {"number": NUMBER})
    assert leader.refused(409, "POST", "/blacklist", {"number": NUMBER}) == "already_blacklisted"
    assert leader.refused(409, "POST", "/blacklist", {"number": "nobody"}) == "no_number"
    assert leader.refused(404, "PATCH", "/blacklist/nothing", {"reason": "x"}) == "no_such_blacklisting"
    assert leader.refused(404, "POST", "/blacklist/nothing/lift") == "no_such_blacklisting"
    assert program("agent").refused(403, "GET", "/blacklist")
