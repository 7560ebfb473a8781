"""Supervisors over a whole house: who may, what the desks say, programs, and agents who are made something."""

import pytest

from orchestrator.domain.access.scope import Scope
from orchestrator.domain.access.users import Grant
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import monitor_events as m
from orchestrator.domain.staff.forcing import AgentForced
from tests.lab.patience import until
from tests.web.api.conftest import Program
from tests.web.conftest import Browser
from tests.web.desk.conftest import Office, office, plain, switch

pytestmark = pytest.mark.slow
__all__ = ["office", "switch"]


def _supervisor(office: Office) -> Browser:
    """Bob is in his seat, not ready, and leads whom he sees from the floor."""
    office.house.driver.phone("1002", "obeys")
    office.site.add_user("bob", "agent", "leader", agent_id="bob")
    desk = office.desk("bob")
    desk.press("sign_in")
    desk.browser.get("/floor/")
    return desk.browser


def _send(browser: Browser, path: str, **fields: str) -> str:
    """A form of the floor: empty where it is done, else the code of the refusal, or the status."""
    fields = {"csrf_token": browser.csrf_token, **fields}
    answer = browser.post(f"/floor/{path}", data=fields, headers={"X-Requested-With": "fetch"})
    if answer.status_code == 200:
        return ""
    return str(answer.get_json()["code"]) if answer.status_code == 409 else str(answer.status_code)


def test_a_supervisor_whispers_from_the_floor_takes_over_and_desks_and_log_say_so(office: Office) -> None:
    """Features 1.2, 8.3: each with reason, permission and event; one contact, one recording, two wrap-ups."""
    ann = office.talking("ann")
    contact_id, ledger = ann.sees().about, office.house.ledger
    ledger.await_event(c.RecordingBegun)
    bob = _supervisor(office)
    assert "Listen …" in plain(bob.get("/floor/").text)
    assert _send(bob, "monitor", contact=contact_id, mode="whisper", reason="no_such") == "400"
    assert _send(bob, "take-over", contact=contact_id, reason="trouble") == "stale"
    assert _send(bob, "monitor", contact=contact_id, mode="listen", reason="coaching") == ""
    ledger.await_event(m.MonitorBegun)
    assert office.desk("bob").await_state("monitoring").hearing is not None
    assert "You hear the talk of Ann Archer: listens" in plain(bob.get("/desk/").text)
    assert "Bob Baker listens" not in ann.page(), "the queue does not say so to its agents"
    assert _send(bob, "monitor", contact=contact_id, mode="whisper", reason="coaching") == ""
    ledger.await_event(m.MonitorBegun, count=2)
    until(lambda: "Bob Baker whispers to you" in ann.page(), "the agent's desk to say who whispers")
    assert "Bob Baker: whispers to the agent" in plain(bob.get("/floor/").text)
    assert _send(bob, "take-over", contact=contact_id, reason="complaint") == ""
    office.desk("bob").await_state("talking")
    ann.await_state("wrapping_up")
    office.desk("bob").press("hang_up")
    ledger.await_event(c.ContactEnded)
    (taken,) = ledger.all(m.TalkTakenOver)
    assert (taken.agent_id, taken.reason) == ("bob", "complaint")
    begun = [event.file for event in ledger.all(c.RecordingBegun)]
    assert begun == [f"{ledger.all(c.ContactConnected)[0].segment_id}.wav"]
    assert office.house.close_day(contacts=1).counts.monitors == 1


def test_who_may_not_hears_nothing_and_other_teams_talks_are_not_there(office: Office) -> None:
    """Safety, V8: by permission and by team, page and program alike."""
    ann = office.talking("ann")
    contact_id = ann.sees().about
    wish = {"contact": contact_id, "mode": "barge", "reason": "coaching"}
    assert ann.browser.post("/floor/monitor", data={"csrf_token": ann.browser.csrf_token, **wish}).status_code == 403
    office.site.add_user("far", "leader", teams=("north",))
    far = office.site.sign_in("far")
    far.get("/floor/")
    assert _send(far, "monitor", **wish) == "no_seat"
    tokens = office.site.reading.tokens
    agents = Program(office.site, tokens.issue("agent", days=1, actor="admin:test"))
    agents.refused(403, "POST", "/agents/802/monitor", wish)
    leader = Program(office.site, tokens.issue("leader", days=1, actor="admin:test"))
    assert leader.refused(409, "POST", "/agents/802/monitor", wish) == "not_signed_in"
    assert leader.refused(409, "POST", "/agents/801/monitor", wish) == "same_agent"
    strangers = Program(office.site, tokens.issue("leader", days=1, scope=Scope(teams=("north",)), actor="admin:test"))
    strangers.refused(403, "POST", "/agents/802/monitor", wish)
    assert not office.house.ledger.all(m.MonitorAsked)


def test_a_supervisor_of_one_branch_reaches_nobody_of_another(office: Office) -> None:
    """Feature 8.3, safety V8: hearing, taking over, forcing and the floor; what is granted holds for the next click."""
    house = office.house
    for extension, branch in (("1001", "east"), ("1002", "west")):
        own = f'extension = "{extension}"'
        house.configuration = house.configuration.replace(own, f'{own}\nbranch = "{branch}"')
    branches = "".join(f'\n[branch.{name}]\nname = "{name}"\nprefixes = []\n' for name in ("east", "west"))
    house.apply(house.configuration + branches)
    ann = office.talking("ann")
    contact_id, bob = ann.sees().about, _supervisor(office)
    users, roles = office.site.reading.users, ("agent", "leader")
    for beyond in (Grant(roles=roles, branches=("west",)), Grant(roles=roles, branches=("east",), teams=("none",))):
        users.change("bob", beyond, actor="admin:test")
        for mode in ("listen", "whisper", "barge"):
            assert _send(bob, "monitor", contact=contact_id, mode=mode, reason="coaching") == "404"
        assert _send(bob, "take-over", contact=contact_id, reason="complaint") == "404"
        assert _send(bob, "force", agent="801", to="paused", reason="break") == "403"
        assert "Ann Archer" not in bob.get("/floor/").text
    strangers = Program(
        office.site,
        office.site.reading.tokens.issue("leader", days=1, scope=Scope(branches=("west",)), actor="admin:test"),
    )
    assert [row["number"] for row in strangers.found("/agents")["items"]] == ["802"]
    users.change("bob", Grant(roles=roles, branches=("east",)), actor="admin:test")
    assert "Ann Archer" in bob.get("/floor/").text
    assert _send(bob, "monitor", contact=contact_id, mode="listen", reason="coaching") == ""
    house.ledger.await_event(m.MonitorBegun)


def test_an_agent_is_made_not_ready_ready_and_signed_out_and_the_desk_says_by_whom_and_why(office: Office) -> None:
    """Feature 8.3; during a contact it comes after it."""
    ann, bob = office.ready("ann"), _supervisor(office)
    assert _send(bob, "force", agent="802", to="paused", reason="break") == "same_agent"
    assert _send(bob, "force", agent="801", to="paused", reason="because") == "400"
    assert _send(bob, "force", agent="801", to="ready", reason="staffing") == "already_so"
    assert _send(bob, "force", agent="801", to="paused", reason="break") == ""
    ann.await_state("paused")
    until(lambda: "bob made you not ready:" in ann.page(), "the desk to say who did it")
    assert _send(bob, "force", agent="801", to="ready", reason="staffing") == ""
    ann.await_state("ready")
    assert "bob made you ready: more agents are needed" in ann.page()
    assert _send(bob, "force", agent="801", to="signed_out", reason="end_of_day") == ""
    ann.await_state("signed_out")
    assert "bob signed you out: end of the shift" in ann.page()
    ann.press("sign_in")
    assert "signed you out" not in ann.page()
    assert [event.by for event in office.house.ledger.all(AgentForced)] == ["user:bob"] * 3
