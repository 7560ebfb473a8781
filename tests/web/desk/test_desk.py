"""The agent's desk over a whole house: what it shows, what its buttons do, and what they refuse."""

import re

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.customers.notes import ContactNoted
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.work.orders import OrderOpened
from orchestrator.runner import inputs
from tests.lab.patience import until
from tests.web.conftest import Site
from tests.web.desk.conftest import DESK, Office, plain

pytestmark = pytest.mark.slow


def test_a_call_from_ring_to_wrap_up(office: Office) -> None:
    """Features 4.1, 4.3, 4.5 and 4.7: sit down, ready, ring, accept, hold, talk again, hang up, reason and note."""
    ann = office.ready("ann")
    office.house.driver.call(number="+8613800138000", name=b'"Wang Fang" ')
    ring = ann.await_state("ringing").rings[0]
    assert (ring.number, ring.name, ring.queue) == ("+8613800138000", "Wang Fang", "Support")
    assert "Wang Fang" in ann.page()
    assert "13800138000" in ann.page()
    assert "Beijing" in ann.page()
    ann.press("accept")
    desk = ann.await_state("talking")
    assert desk.may >= {"hold", "hang_up"}
    assert not desk.may & {"accept", "reject", "resume", "wrap_up"}
    ann.press("hold")
    assert ann.await_state("held").may >= {"resume", "hang_up"}
    assert "The caller hears music" in ann.page()
    ann.press("resume")
    ann.await_state("talking")
    ann.press("hang_up")
    wrap_up = ann.await_state("wrapping_up").wrap_up
    assert wrap_up is not None
    assert wrap_up.until is not None
    answer = ann.post("wrap-up", about=wrap_up.contact_id, code="solved", note="Wants a pick-up on Monday")
    assert answer.status_code == 200, answer.text
    ann.await_state("ready")
    (ended,) = office.house.ledger.all(s.WrapUpEnded)
    assert (ended.how, ended.code) == ("agent", "solved")
    (noted,) = [record for record in office.house.opened() if isinstance(record.event, ContactNoted)]
    assert noted.event == ContactNoted(contact_id=wrap_up.contact_id, text="Wants a pick-up on Monday", code="solved")
    assert noted.about.actor == "agent:ann"


def test_a_button_means_the_call_that_was_seen(office: Office) -> None:
    """Complaint 23: an accept for one offer is never an accept for the next, whatever rings by then."""
    ann = office.rung("ann")
    ring = ann.sees().rings[0]
    assert ann.refused("accept", about="00000000-0000-0000-0000-000000000000") == "stale"
    assert ann.refused("hang_up", about=ring.contact_id) == "not_talking"
    assert ann.sees().state == "ringing"
    assert not office.house.ledger.all(c.OfferAcceptRequested)
    ann.press("accept", about=ring.offer_id)
    ann.await_state("talking")
    assert ann.post("act/accept", about=ring.offer_id).status_code == 200, "the same wish once more is no fault"
    assert len(office.house.ledger.all(c.OfferAcceptRequested)) == 1
    assert ann.refused("hold", about="00000000-0000-0000-0000-000000000000") == "stale"


def test_a_form_that_is_sent_twice_is_done_once(office: Office) -> None:
    """Complaint 2 at the desk: the answer is lost on the way, the page sends it again under the same key."""
    ann = office.ready("ann")
    first = ann.press("pause", reason="break", key="one-wish")
    ann.press("ready")
    again = ann.post("act/pause", reason="break", key="one-wish", about="")
    assert again.get_json()["position"] == first
    assert ann.sees().state == "ready"


def test_a_call_that_is_named_by_no_form_is_not_touched(office: Office) -> None:
    ann = office.rung("ann")
    for action in ("accept", "reject", "hold", "resume", "hang_up", "extend"):
        assert ann.post(f"act/{action}", about="").status_code == 400
    assert ann.post("act/pause", reason="lunch; drop table").status_code == 400
    assert ann.post("act/fly").status_code == 404
    assert ann.sees().state == "ringing"


@pytest.mark.parametrize("office", (10,), indirect=True)  # such a phone is given up once it was called for that long
def test_a_missed_ring_is_told_with_its_reason_and_a_way_back(office: Office) -> None:
    """Complaint 19: which call, why nothing is offered any more, and one button that changes it."""
    office.house.driver.phone("1002")
    ann = office.rung("ann", number="+8613800138000")
    office.house.driver.phone("1001", "unreachable")
    ann.press("reject")
    desk = ann.await_state("paused", within_s=40)
    assert desk.stood_down == "phone_unreachable"
    assert desk.missed is not None
    assert desk.missed.number == "+8613800138000"
    assert "Your phone could not be reached" in ann.page()
    ann.press("ready", about="")
    assert ann.sees().stood_down == ""


def test_busy_asked_for_during_a_call_comes_after_it_and_can_be_taken_back(office: Office) -> None:
    """Feature 4.1: the wish is shown at once."""
    ann = office.talking("ann")
    ann.press("pause", reason="meal")
    desk = ann.sees()
    assert (desk.state, desk.next_pause) == ("talking", "meal")
    assert "then: not ready, meal" in ann.page()
    ann.press("ready", about="")
    assert ann.sees().next_pause == ""
    ann.press("pause", reason="meal")
    ann.press("hang_up", about=ann.sees().shown_contact)
    contact = ann.await_state("wrapping_up").shown_contact
    assert ann.post("wrap-up", about=contact, code="solved").status_code == 200
    assert ann.await_state("paused").reason == "meal"


def test_after_call_work_is_counted_by_the_server_and_can_be_extended(office: Office) -> None:
    """Feature 4.1: the timer is the engine's, the page only shows it."""
    ann = office.talking("ann")
    ann.press("hang_up")
    before = ann.await_state("wrapping_up").wrap_up
    assert before is not None
    assert before.can_extend
    ann.press("extend", about=before.contact_id)
    after = ann.sees().wrap_up
    assert after is not None
    assert after.until is not None
    assert before.until is not None
    assert after.until - before.until == 30_000_000


def test_what_is_written_too_late_is_kept(office: Office) -> None:
    """Complaint 5: the time was up while the agent wrote; the note is there all the same."""
    ann = office.talking("ann")
    ann.press("hang_up")
    contact = ann.await_state("wrapping_up").shown_contact
    ann.press("ready", about="")
    office.house.driver.call()
    ann.await_state("ringing")
    answer = ann.post("wrap-up", about=contact, code="call_back", note="Call back at five")
    assert answer.status_code == 409
    assert answer.get_json()["code"] == "time_was_up"
    (noted,) = [record.event for record in office.house.opened() if isinstance(record.event, ContactNoted)]
    assert (noted.contact_id, noted.code) == (contact, "call_back")
    assert ann.sees().state == "ringing", "what was meant for the last call did nothing to this one"


def test_an_unknown_caller_becomes_a_customer_with_one_form(office: Office) -> None:
    """Feature 4.5: number and region at first; then name, company and address, here and at the next call."""
    ann = office.talking("ann", number="+8675523456789", name=b"")
    contact = ann.sees().shown_contact
    until(lambda: office.view.calls.find("ann", contact).customer_id, "the caller to be identified")  # type: ignore[union-attr]
    pane = plain(ann.browser.get(f"/desk/pop?contact={contact}").text)
    assert "Unknown caller" in pane
    assert "Shenzhen" in pane
    form = {"contact": contact, "name": "Wang Fang", "company": "Fang & Söhne <b>", "address": "Shennan 1", "key": "k1"}
    assert ann.post("customer", **form).status_code == 200
    assert ann.post("customer", **form).status_code == 200
    page = ann.browser.get(f"/desk/pop?contact={contact}").text
    assert "Wang Fang" in plain(page)
    assert "Unknown caller" not in page
    assert "Fang &amp; Söhne &lt;b&gt;" in page, "what a caller is called is text"


def test_a_work_order_is_opened_from_the_call_and_stands_on_the_pane(office: Office) -> None:
    """Features 4.5 and 5.1: the type's own fields; sent twice it is one order."""
    office.house.apply(office.house.configuration + ORDERTYPE)
    ann = office.talking("ann", number="+8613800138000")
    contact = ann.sees().shown_contact
    until(lambda: office.view.calls.find("ann", contact).customer_id, "the caller to be identified")  # type: ignore[union-attr]
    choice = until(
        lambda: found if "Pick-up" in (found := ann.browser.get(f"/desk/order?contact={contact}").text) else None,
        "the read model to know the type",
    )
    assert "field-" not in choice
    form = ann.browser.get(f"/desk/order?contact={contact}&type=pickup").text
    assert 'name="field-address"' in form
    key = re.search(r'name="key" value="([^"]+)"', form)
    assert key is not None
    sent = {"contact": contact, "type": "pickup", "key": key[1], "field-address": "Nanjing Road 1"}
    first, again = (ann.post("order", **sent) for _ in range(2))
    assert first.status_code == 200, first.text
    assert re.search(r"Work order \w{4}-\w{4} was opened", first.get_json()["told"])
    assert again.get_json()["told"] == first.get_json()["told"]
    assert len(office.house.ledger.all(OrderOpened)) == 1
    pane = plain(ann.browser.get(f"/desk/pop?contact={contact}").text)
    assert re.search(r"Open work orders Pick-up \w{4}-\w{4} · Open", pane), pane
    assert ann.post("order", **{**sent, "key": "other"}).get_json()["code"] == "form_gone", "another window sent it"


def test_a_work_order_without_what_its_type_asks_for_is_refused_with_the_fields(office: Office) -> None:
    """Feature 5.1."""
    office.house.apply(office.house.configuration + ORDERTYPE)
    ann = office.talking("ann", number="+8613800138000")
    contact = ann.sees().shown_contact
    until(lambda: office.view.calls.find("ann", contact).customer_id, "the caller to be identified")  # type: ignore[union-attr]
    until(
        lambda: "Pick-up" in ann.browser.get(f"/desk/order?contact={contact}").text, "the read model to know the type"
    )
    wrong = ann.post("order", contact=contact, type="pickup", key="k1", **{"field-address": ""})
    assert wrong.status_code == 400, wrong.text
    assert wrong.get_json()["code"] == "bad_fields"


def test_nobody_sees_whom_another_agent_talks_with(office: Office) -> None:
    """Complaint 23: the pane answers for one's own calls only."""
    ann = office.talking("ann")
    bob = office.desk("bob")
    contact = ann.sees().shown_contact
    assert bob.browser.get(f"/desk/pop?contact={contact}").status_code == 404
    assert bob.browser.get(f"/desk/order?contact={contact}").status_code == 404
    assert bob.post("customer", contact=contact, name="Mallory").status_code == 404
    assert bob.post("wrap-up", about=contact, code="solved").status_code == 404
    assert bob.browser.get("/stream?topics=desk:ann").status_code == 403
    assert bob.browser.get("/stream?topics=desk:bob,secrets").status_code == 403
    assert bob.browser.get("/stream?topics=floor").status_code == 403
    assert bob.browser.get("/stream").status_code == 403


def test_only_one_of_two_desks_acts_and_the_other_may_take_over(office: Office) -> None:
    """Issue 3, desk presence: the second is told, and takes over by a button."""
    ann = office.ready("ann")
    second = office.desk("ann", desk="99999999-2222-3333-4444-555555555555")
    assert ann.sees().desk_id == DESK
    assert second.refused("pause", reason="break", about="") == "desk_elsewhere"
    second.press("take_over", about="")
    assert ann.sees().desk_id == second.desk
    assert ann.refused("pause", reason="break", about="") == "desk_elsewhere"
    second.press("pause", reason="break", about="")


REASONS = """
[pauses.usual]
reasons = [{ id = "tea", name = "Tea", names = { zh = "喝茶" }, most_s = 1 }]

[wrapup.support]
queues = ["support"]
reasons = [
    { id = "mended", name = "Mended" },
    { id = "sent_on", name = "Sent on", names = { zh = "已转办" }, reasons = [
        { id = "to_sales", name = "To sales", names = { zh = "转销售" } },
    ] },
]
"""


def test_the_reasons_are_the_sites_own(office: Office) -> None:
    """Feature 4.7; screens and safety 4.2: from the site's file to desk, floor and history, in both languages; a list
    that changes is on the page that is open, and what it does not have is refused before anything is written.
    """
    house = office.house
    ann = office.ready("ann")
    ann.press("pause", reason="break")
    before = office.view.position
    house.apply(house.configuration + REASONS)
    until(lambda: "Tea" in ann.page(), "the site's own reasons")
    assert office.view.changed_since("agent:ann", before), "pages that are open are drawn anew"
    assert "meal" not in ann.page()
    assert ann.post("act/pause", reason="break", about="").status_code == 400
    ann.press("pause", reason="tea")
    assert house.refusal(inputs.Pause(agent="801", reason="meal")) == "bad_reason"
    assert 'data-most-ms="1000"' in ann.browser.get("/desk/").text
    leader = office.site.as_role("leader")
    assert "Tea" in plain(leader.get("/floor/").text)
    assert 'data-most-ms="1000"' in leader.get("/floor/").text
    ann.press("ready")
    house.driver.call()
    ann.await_state("ringing")
    ann.press("accept")
    ann.await_state("talking")
    ann.press("hang_up")
    wrap_up = ann.await_state("wrapping_up").wrap_up
    assert wrap_up is not None
    assert "Mended" in ann.page()
    assert "Sent on" in ann.page()
    for code in ("solved", "sent_on", "tea"):
        refused = ann.post("wrap-up", about=wrap_up.contact_id, code=code, note="lost?")
        assert (refused.status_code, refused.get_json()["code"]) == (400, "bad_reason"), code
    assert not [record for record in house.opened() if isinstance(record.event, ContactNoted)]
    assert ann.post("wrap-up", about=wrap_up.contact_id, code="to_sales", note="").status_code == 200
    (ended,) = house.ledger.all(s.WrapUpEnded)
    assert ended.code == "to_sales"


def test_the_desk_is_there_in_both_languages(office: Office) -> None:
    """Feature 12.8: the page stays where it is, and no English word of ours is left on it."""
    ann = office.rung("ann")
    ann.browser.set_cookie("ringledger-language", "zh")
    ann.browser.get("/desk/")
    ann.browser.submit("/language", language="zh", next="/desk/")
    page = ann.page()
    assert "接听" in page
    for words in ("Accept", "Reject", "Not ready", "Ringing", "My queues", "Queue"):
        assert words not in page


def test_an_account_whose_agent_is_gone_is_told_so(office: Office) -> None:
    office.site.add_user("left", "agent", agent_id="left-long-ago")
    answer = office.site.sign_in("left").get("/desk/")
    assert answer.status_code == 409
    assert "no agent of the configuration" in answer.text


@pytest.mark.parametrize("role", ("auditor", "leader", "admin"))
def test_the_desk_is_for_agents(site: Site, role: str) -> None:
    assert site.as_role(role).get("/desk/").status_code == 403


ORDERTYPE = """
[ordertype.pickup]
name = "Pick-up"
first = "open"
fields = [{ id = "address", name = "Address", kind = "lines", required = true, personal = true }]
states = [
    { id = "open", name = "Open" },
    { id = "closed", name = "Closed", kind = "closed" },
]
moves = [{ action = "close", name = "Close", from = ["open"], to = "closed" }]
"""
