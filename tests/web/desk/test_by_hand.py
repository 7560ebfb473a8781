"""By hand, over a whole house: two callers of one agent, a leader who moves, hurries and gives; desk, floor, API."""

from typing import Any

import pytest

from orchestrator.domain.access.scope import Scope
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.staff import shifts as s
from tests.lab.patience import until
from tests.web.api.conftest import Program
from tests.web.desk.conftest import AtDesk, Office, plain

pytestmark = pytest.mark.slow


def caller(office: Office, number: str, *, dialled: str = "4000") -> str:
    """Somebody calls and waits; the contact, once the web knows it."""
    office.house.driver.call(dialled, number=number)
    return until(lambda: waiting(office, number), f"{number} to wait")


def waiting(office: Office, number: str) -> str | None:
    with office.view.still() as world:
        found = (x for x in world.contacts.values() if x.caller_number == number and x.status == "waiting")
        return next((contact.contact_id for contact in found), None)


def await_gone(office: Office, contact_id: str) -> None:
    def look() -> bool:
        with office.view.still() as world:
            return contact_id not in world.contacts

    until(look, f"{contact_id} to have ended")


def take(desk: AtDesk, contact_id: str) -> None:
    """Take this one, and pick up."""
    desk.press("pick", about="", contact=contact_id)
    until(lambda: desk.sees().rings or None, "the phone to ring")
    desk.press("accept", about=desk.sees().rings[0].offer_id)


def test_an_agent_takes_one_by_hand_holds_her_and_takes_another(office: Office) -> None:
    """Features 3.8, 4.5: both are shown, one is active; switching is one press; each has a wrap-up of its own."""
    office.house.driver.phone("1001", "obeys")
    ann = office.desk("ann")
    first, second, third = (caller(office, f"+861380000000{n}") for n in (1, 2, 3))
    assert ann.refused("pick", about="", contact=second) == "not_signed_in"
    ann.press("sign_in")
    assert "Number withheld" not in ann.page()
    assert "13800000002" in ann.page()
    take(ann, second)
    assert ann.await_state("talking").may >= {"hold", "hang_up"}
    assert "pick" not in ann.sees().may
    assert ann.refused("pick", about="", contact=third) == "hold_first"
    ann.press("hold", about=second)
    assert "pick" in ann.await_state("held").may
    take(ann, third)
    desk = ann.await_state("talking")
    assert desk.talk is not None
    assert (desk.talk.contact_id, [other.contact_id for other in desk.others]) == (third, [second])
    page = ann.page()
    assert "13800000002" in page
    assert "13800000003" in page
    assert "Switch to this caller" in page
    assert ann.refused("pick", about="", contact=first) in ("hold_first", "at_capacity")
    ann.press("resume", about=second)
    until(lambda: (talk := ann.sees().talk) is not None and talk.contact_id == second, "ann to talk with the first")
    ann.press("hang_up", about=third)
    await_gone(office, third)
    ann.press("hang_up", about=second)
    wrap_up = ann.await_state("wrapping_up").wrap_up
    assert wrap_up is not None
    assert (wrap_up.contact_id, wrap_up.later) == (second, 1)
    assert "1 more call to wrap up after this one" in ann.page()
    assert ann.post("wrap-up", about=second, code="solved", note="").status_code == 200
    until(lambda: (work := ann.sees().wrap_up) is not None and work.contact_id == third, "the other one's turn")
    assert ann.post("wrap-up", about=third, code="solved", note="").status_code == 200
    ann.await_state("paused")
    assert [event.contact_id for event in office.house.ledger.all(s.WrapUpStarted)] == [second, third]
    made = office.house.ledger.all(c.OfferMade)
    assert [(offer.by_hand, offer.decision.passed_over) for offer in made] == [(True, 1), (True, 1)]
    assert made[0].decision.passed == (first,)


def leader(office: Office, *teams: str) -> Any:  # noqa: ANN401 - a browser of the tests' own
    if office.site.reading.users.get("lea") is None:
        office.site.add_user("lea", "leader", teams=teams)
    return office.site.sign_in("lea")


def test_a_leader_moves_hurries_and_gives_who_waits(office: Office) -> None:
    """Feature 3.7: each with its reason and who it was, told in history."""
    office.house.driver.phone("1001", "rings")
    ann = office.desk("ann")
    ann.press("sign_in")
    first, second = caller(office, "+8613800000001"), caller(office, "+8613800000002")
    browser = leader(office)
    browser.get("/floor/")

    def ask(act: str, **fields: str) -> Any:  # noqa: ANN401 - an answer
        fields = {"csrf_token": browser.csrf_token, **fields}
        return browser.post(f"/floor/{act}", data=fields, headers={"X-Requested-With": "fetch"})

    assert ask("prioritise", contact=second, points="50", reason="important").status_code == 200
    assert ask("prioritise", contact=second, points="5000", reason="important").status_code == 400
    assert ask("prioritise", contact=second, points="many", reason="important").status_code == 400
    assert ask("move", contact=first, queue="sales", reason="no such reason").status_code == 400
    assert ask("move", contact=first, queue="support", reason="wrong_queue").get_json()["code"] == "same_queue"
    moved = ask("move", contact=first, queue="sales", reason="wrong_queue")
    assert office.view.wait_for(moved.get_json()["position"], 5)
    assert ask("give", contact=first, agent="801", reason="important").get_json()["code"] == "skill_missing"
    assert ask("give", contact=second, agent="802", reason="important").get_json()["code"] == "not_signed_in"
    assert ask("give", contact=second, agent="999", reason="important").status_code == 404
    given = ask("give", contact=second, agent="801", reason="important")
    assert given.status_code == 200, given.text
    ann.await_state("ringing")
    told = {type(record.event).__name__: record for record in office.house.opened()}
    for name in ("ContactMoved", "ContactReprioritised", "ContactPicked"):
        assert told[name].about.actor == "user:lea"
    page = plain(browser.get(f"/history/contacts/{first}").text)
    assert "Moved from “Support” to “Sales”: wrong queue" in page
    page = plain(browser.get(f"/history/contacts/{second}").text)
    assert "Given 50 points instead of 0: important customer" in page
    assert "Picked by hand for Ann Archer (801): important customer" in page
    assert "Picked by hand; nobody was passed over." in page


def test_programs_see_who_waits_and_do_the_same(office: Office) -> None:
    """Features 3.7, 12.8: whatever the desk can do, a program can do."""
    office.house.driver.phone("1001", "rings")
    ann = office.desk("ann")
    ann.press("sign_in")
    first, second = caller(office, "+8613800000001"), caller(office, "+8613800000002")
    issue = office.site.reading.tokens.issue
    program = Program(office.site, issue("leader", days=1, actor="admin:test"))
    found = program.found("/waiting")["items"]
    assert [(item["contact_id"], item["place"], item["queue_id"]) for item in found] == [
        (first, 1, "support"),
        (second, 2, "support"),
    ]
    hurried = program.does("POST", f"/contacts/{second}/priority", {"points": 9, "reason": "important"})
    found = program.found("/waiting", after=hurried["position"])["items"]
    assert [(item["contact_id"], item["points"]) for item in found] == [(second, 9), (first, 0)]
    program.does("POST", f"/contacts/{first}/move", {"queue_id": "sales", "reason": "wrong_queue"})
    again = {"points": 10_000, "reason": "important"}
    assert program.refused(400, "POST", f"/contacts/{second}/priority", again) == "bad_body"
    assert program.refused(409, "POST", f"/contacts/{second}/pick", {}) == "no_agent"
    gone = "00000000-0000-4000-8000-000000000000"
    assert program.refused(404, "POST", f"/contacts/{gone}/pick", {"agent": "801"}) == "no_such_contact"
    program.does("POST", f"/contacts/{second}/pick", {"agent": "801", "reason": "expert_needed"})
    ann.await_state("ringing")
    assert program.refused(409, "POST", f"/contacts/{second}/pick", {"agent": "803"}) == "not_signed_in"
    other = Program(office.site, issue("leader", days=1, scope=Scope(teams=("east",)), actor="admin:test"))
    moved = {"queue_id": "sales", "reason": "wrong_queue"}
    assert other.ask("POST", f"/contacts/{second}/move", moved).status_code == 404, "it rings at another team"
    assert other.ask("POST", f"/contacts/{first}/pick", {"agent": "801"}).status_code == 403
    auditor = Program(office.site, issue("auditor", days=1, actor="admin:test"))
    assert auditor.ask("GET", "/waiting").status_code == 403
