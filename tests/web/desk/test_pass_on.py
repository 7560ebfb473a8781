"""Passing a caller on, over a whole house: what the desk offers and refuses, programs, history, and the counters."""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.customers.notes import ContactNoted
from tests.web.api.conftest import Program
from tests.web.desk.conftest import AtDesk, Office, plain

pytestmark = pytest.mark.slow


def send(desk: AtDesk, to: str, **fields: str) -> int | str:
    """Pass the caller of this desk on: the status, or the code with which it is refused."""
    response = desk.post("transfer", about=fields.pop("about", desk.sees().about), to=to, **fields)
    return response.status_code if response.status_code == 200 else str(response.get_json()["code"])


def test_a_caller_is_passed_on_with_a_note_and_the_colleague_sees_from_whom(office: Office) -> None:
    """Features 4.3, 4.4: one contact; the note is there before the phone rings."""
    ann = office.talking("ann")
    bob = office.ready("bob", "1002")
    contact_id = ann.sees().about
    dialog = plain(ann.browser.get(f"/desk/transfer?contact={contact_id}").text)
    assert "Bob Baker 802" in dialog
    assert "Sales 0 wait · 0 free" in dialog
    assert "A number outside" not in dialog, "the house has no way out"
    assert send(ann, "agent:802", note="Has the receipt.") == 200
    assert send(ann, "agent:802", about=contact_id, note="Has the receipt.") == 200
    assert len(office.house.ledger.all(ContactTransferred)) == 1
    ring = bob.await_state("ringing").rings[0]
    assert (ring.contact_id, ring.passed_on_by) == (contact_id, "Ann Archer")
    assert "Passed on by Ann Archer" in bob.page()
    assert [r.event.text for r in office.house.opened() if isinstance(r.event, ContactNoted)] == ["Has the receipt."]
    wrap_up = ann.await_state("wrapping_up").wrap_up
    assert wrap_up is not None
    assert wrap_up.contact_id == contact_id
    bob.press("accept")
    bob.await_state("talking")
    bob.press("hang_up")
    office.house.ledger.await_event(c.ContactEnded)


def test_what_cannot_be_is_refused_and_the_caller_stays(office: Office) -> None:
    ann = office.talking("ann")
    assert ann.post("transfer", about="", to="agent:802").status_code == 400
    assert ann.post("transfer", about=ann.sees().about, to="moon:1").status_code == 400
    assert ann.post("transfer", about="0" * 36, to="queue:sales").status_code == 404
    refusals = {"agent:802": "agent_away", "agent:801": "same_agent", "agent:999": "unknown_agent"}
    refusals |= {"queue:nowhere": "no_such_queue", "agent:": "bad_target"}
    assert {to: send(ann, to) for to in refusals} == refusals
    assert send(ann, "number", number="+31205550001") == "no_outside"
    assert "transfer" in ann.sees().may
    assert ann.sees().state == "talking"
    ann.press("hang_up")
    ann.await_state("wrapping_up")
    response = ann.browser.get(f"/desk/transfer?contact={ann.sees().about}", headers={"X-Requested-With": "fetch"})
    assert response.status_code == 409


def test_a_program_passes_a_caller_on_and_the_log_names_it(office: Office) -> None:
    """Feature 4.3: the same refusals, and the actor is whoever asked."""
    ann = office.talking("ann")
    contact_id = ann.sees().about
    program = Program(office.site, office.site.reading.tokens.issue("leader", days=1, actor="admin:test"))
    assert program.refused(409, "POST", "/agents/801/transfer", {"to_agent": "801"}) == "same_agent"
    assert program.refused(400, "POST", "/agents/801/transfer", {}) == "bad_target"
    program.does("POST", "/agents/801/transfer", {"to_queue": "sales", "about": contact_id})
    ann.await_state("wrapping_up")
    (sent,) = office.house.ledger.all(ContactTransferred)
    assert (sent.to, sent.queue_id) == ("queue", "sales")
    (record,) = [r for r in office.house.ledger.read() if isinstance(r.event, ContactTransferred)]
    assert record.about.actor.startswith("token:")
