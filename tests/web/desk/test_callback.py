"""Callbacks on screens and for programs: how one is offered, asked for, seen on its way, and called off."""

from typing import Any

import pytest

from orchestrator.domain.contacts import outward_events as o
from orchestrator.domain.contacts.contacts import ContactQueued, LegClosed
from orchestrator.runner import inputs
from tests.lab.patience import until
from tests.web.api.conftest import Program
from tests.web.desk.conftest import Office, plain
from tests.web.desk.test_by_hand import caller

pytestmark = pytest.mark.slow

CUSTOMER = "+8613800138000"
RULES = '\n[outside.main]\nallowed = ["+86"]\n'


def test_a_callback_rings_as_such_calls_the_customer_and_can_be_stopped(office: Office) -> None:
    """Features 3.10, 4.5; complaint 20: the desk says that it is a callback, to which number, and what happens."""
    house = office.house
    house.apply(house.configuration + RULES)
    house.driver.outside(CUSTOMER, "rings")
    house.driver.call(number=CUSTOMER)
    contact_id = _asked(office)
    ann = office.ready("ann")
    (ring,) = ann.await_state("ringing").rings
    assert (ring.callback, ring.number, ring.contact_id) == (True, CUSTOMER, contact_id)
    page = ann.page()
    assert "Callback" in page
    assert "When your phone is off the hook, the customer is called." in page
    ann.press("accept")
    desk = ann.await_state("calling")
    assert "reject" in desk.may
    assert not desk.may & {"accept", "hold", "hang_up"}
    page = ann.page()
    assert "The customer is being called …" in page
    assert "Stop calling" in page
    ann.press("reject")
    house.ledger.await_event(o.CallbackDialled)
    ann.await_state("cooling_down")
    assert office.view.world.contacts[contact_id].status == "awaiting_callback"
    house.do(inputs.EndAll(reason="over"))


def _asked(office: Office) -> str:
    """Let the caller who waits be called back; the contact, once its line is gone."""
    house = office.house
    house.ledger.await_event(ContactQueued)
    (contact_id,) = house.ledger.contacts()
    house.do(inputs.AskCallback(contact_id=contact_id))
    house.ledger.await_event(LegClosed)
    return contact_id


def asks(browser: Any, path: str, **fields: str) -> Any:  # noqa: ANN401 - a browser of the tests' own, and an answer
    """Send a form as the floor's script does."""
    fields = {"csrf_token": browser.csrf_token, **fields}
    return browser.post(f"/floor/{path}", data=fields, headers={"X-Requested-With": "fetch"})


def follow_rules(office: Office) -> None:
    """Customers of the own country may be called, once the engine and the web have seen it."""
    office.house.apply(office.house.configuration + RULES)
    until(lambda: office.view.world.outside is not None, "the web to see them")


def browser_of(office: Office, user_id: str, *roles: str, agent_id: str = "", teams: tuple[str, ...] = ()) -> Any:  # noqa: ANN401
    if office.site.reading.users.get(user_id) is None:
        office.site.add_user(user_id, *roles, agent_id=agent_id, teams=teams)
    return office.site.sign_in(user_id)


def test_a_leader_turns_a_waiting_caller_into_a_callback_sees_it_and_calls_it_off(office: Office) -> None:
    """Feature 3.10: the number is prefilled and checked, the plan is shown, each end has a reason and a name."""
    contact_id = caller(office, CUSTOMER)
    lea = browser_of(office, "lea", "leader")
    lea.get("/floor/")
    form = plain(lea.get(f"/floor/callback?contact={contact_id}").text)
    assert "138****8000: nobody outside may be called" in form, "checked before anybody asks"
    assert asks(lea, "callback", contact=contact_id, number="", key="a").get_json()["code"] == "no_outside"
    follow_rules(office)
    form = lea.get(f"/floor/callback?contact={contact_id}").text
    assert "13800138000" not in form, "a leader does not see whole numbers"
    assert 'placeholder="138****8000"' in form
    words = plain(form)
    assert "the number that the network showed, 138****8000" in words
    assert "keeps place 1. Called in vain at most 3 times, left in peace for 05:00 after each; given up at" in words
    for wrong, code in (("911", "withheld"), ("+1 202 555 0100", "not_allowed"), ("ring ring", "withheld")):
        assert asks(lea, "callback", contact=contact_id, number=wrong).get_json()["code"] == code, wrong
    asked = asks(lea, "callback", contact=contact_id, number="+86 139 0013 9000", key="one")
    assert asked.status_code == 200, asked.text
    again = asks(lea, "callback", contact=contact_id, number="+86 139 0013 9000", key="one")
    assert again.get_json() == asked.get_json(), "sent twice, done once"
    assert len(office.house.ledger.all(o.CallbackAsked)) == 1
    assert asks(lea, "callback", contact=contact_id, number="").get_json()["code"] == "not_waiting"
    assert office.view.wait_for(asked.get_json()["position"], 5)
    page = plain(lea.get("/floor/").text)
    assert "waits, place 1" in page
    assert "139****9000" in page
    assert "0 of 3" in page
    assert lea.get(f"/floor/callback?contact={contact_id}").status_code == 409
    assert asks(lea, "callback/cancel", contact=contact_id, reason="no such reason").status_code == 400
    off = asks(lea, "callback/cancel", contact=contact_id, reason="settled")
    assert off.status_code == 200, off.text
    assert asks(lea, "callback/cancel", contact=contact_id, reason="settled").get_json()["code"] == "no_callback"
    assert office.view.wait_for(off.get_json()["position"], 5)
    assert "waits, place 1" not in plain(lea.get("/floor/").text)
    (ended,) = [record for record in office.house.opened() if isinstance(record.event, o.CallbackEnded)]
    assert ended.about.actor == "user:lea"
    page = plain(lea.get(f"/history/contacts/{contact_id}").text)
    assert "Is not called back any more: the callback was called off (settled in another way)" in page


def test_a_customer_who_was_not_reached_is_seen_with_the_next_try(office: Office) -> None:
    """Feature 3.10: on the floor and at the desk, where numbers are whole; who may not direct has no button."""
    follow_rules(office)
    office.house.driver.outside(CUSTOMER, "busy")
    contact_id = caller(office, CUSTOMER)
    lea = browser_of(office, "lea", "leader")
    lea.get("/floor/")
    assert asks(lea, "callback", contact=contact_id).status_code == 200
    office.house.ledger.await_event(LegClosed)
    ann = office.ready("ann")
    ann.await_state("ringing")
    ann.press("accept")
    office.house.ledger.await_event(o.CallbackMissed)
    until(lambda: office.view.world.contacts[contact_id].status == "callback_later", "the customer's peace")
    page = lea.get("/floor/").text
    assert "not reached; next try at" in plain(page)
    assert "1 of 3" in plain(page)
    assert "may-call-back" in page
    desk = ann.page()
    assert "13800138000" in desk
    assert "called in vain 1 of 3 times" in desk
    assert "may-call-back" not in ann.browser.get("/desk/").text
    assert asks(ann.browser, "callback/cancel", contact=contact_id, reason="settled").status_code == 403
    both = browser_of(office, "bob-b", "agent", "leader", agent_id="bob")
    page = both.get("/desk/").text
    assert "may-call-back" in page
    assert 'id="call-off"' in page
    assert asks(both, "callback/cancel", contact=contact_id, reason="customer_asked").status_code == 200


def test_programs_ask_for_callbacks_list_them_and_call_them_off(office: Office) -> None:
    """Features 3.10, 12.8: whatever the floor can do, a program can do, within its teams."""
    follow_rules(office)
    contact_id = caller(office, CUSTOMER)
    issue = office.site.reading.tokens.issue
    program = Program(office.site, issue("leader", days=1, actor="admin:test"))
    assert program.found("/callbacks")["items"] == []
    assert program.refused(409, "POST", f"/contacts/{contact_id}/callback", {"number": "110"}) == "withheld"
    asked = program.does("POST", f"/contacts/{contact_id}/callback", {})
    (item,) = program.found("/callbacks", after=asked["position"])["items"]
    assert (item["contact_id"], item["state"], item["place"], item["missed"], item["tries"], item["number"]) == (
        contact_id,
        "awaiting_callback",
        1,
        0,
        3,
        "138****8000",
    )
    assert item["again_at"] is None
    auditor = Program(office.site, issue("auditor", days=1, actor="admin:test"))
    assert auditor.ask("GET", "/callbacks").status_code == 403
    assert auditor.ask("POST", f"/contacts/{contact_id}/callback/cancel", {"reason": "settled"}).status_code == 403
    off = program.does("POST", f"/contacts/{contact_id}/callback/cancel", {"reason": "settled"})
    assert program.found("/callbacks", after=off["position"])["items"] == []
    assert program.refused(409, "POST", f"/contacts/{contact_id}/callback/cancel", {"reason": "x"}) == "no_callback"
