"""Calling a number, over a whole house: at the desk, by programs and on the command line, and what is refused."""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.dial_events import ContactDialled
from orchestrator.domain.staff.shifts import WrapUpPostponed
from tests.acceptance.house import OUTSIDE
from tests.web.api.conftest import Program
from tests.web.desk.conftest import AtDesk, Office

pytestmark = pytest.mark.slow

CUSTOMER, ANOTHER = "+31201234567", "+31201234568"


def test_a_number_is_called_at_the_desk_by_a_program_and_on_the_command_line_once_for_each_wish(office: Office) -> None:
    """Feature 1.2: one wish is one call, whoever sends it again; the desk shows how far it has come."""
    house = office.house
    house.apply(house.configuration + OUTSIDE.format(ring_s=60))
    house.driver.outside(CUSTOMER, "rings")
    ann = office.ready("ann")
    program = Program(office.site, office.site.reading.tokens.issue("leader", days=1, actor="admin:test"))
    auditor = Program(office.site, office.site.reading.tokens.issue("auditor", days=1, actor="admin:test"))
    assert auditor.ask("POST", "/agents/801/dial", {"number": CUSTOMER}).status_code == 403
    assert program.refused(409, "POST", "/agents/801/dial", {"number": "110"}) == "withheld"
    assert program.refused(409, "POST", "/agents/801/dial", {"number": "1002"}) == "internal_number"
    assert _refused(ann, "+4930123456") == "not_allowed"
    assert "dial" in ann.sees().may
    assert ann.post("dial", number=CUSTOMER, key="one-wish").status_code == 200
    (ring,) = ann.await_state("ringing").rings
    assert (ring.dialled, ring.number) == ("own_phone", CUSTOMER)
    assert "You are calling" in ann.page()
    assert ann.post("dial", number=CUSTOMER, key="one-wish").status_code == 200
    program.does("POST", "/agents/801/dial", {"number": CUSTOMER})
    assert _refused(ann, ANOTHER) == "being_offered"
    ann.press("accept")
    assert ann.await_state("calling").rings[0].dialled == "number"
    ann.press("reject")
    house.ledger.await_event(c.ContactEnded)
    ann.await_state("ready")
    assert house.run("dial", "801", CUSTOMER)[0] == 0
    ann.await_state("ringing")
    assert house.run("hang-up", "801")[0] == 0
    house.ledger.await_event(c.ContactEnded, count=2)
    assert [event.reason for event in house.ledger.all(c.ContactEnded)] == ["dial_cancelled"] * 2
    assert len(house.ledger.all(ContactDialled)) == 2


def test_in_the_middle_of_after_call_work_a_number_is_called_and_the_rest_of_the_work_comes_afterwards(
    office: Office,
) -> None:
    """Feature 4.3: the desk offers it, the note and the clock come back."""
    house = office.house
    house.apply(house.configuration + OUTSIDE.format(ring_s=60))
    house.driver.outside(CUSTOMER, "rings")
    ann = office.talking("ann")
    about = ann.sees().about
    ann.press("hang_up")
    assert "dial" in ann.await_state("wrapping_up").may
    assert ann.post("dial", number=CUSTOMER).status_code == 200
    assert ann.await_state("ringing").wrap_up is None
    (postponed,) = house.ledger.all(WrapUpPostponed)
    assert 0 < postponed.wrap_up_ms < 60_000
    ann.press("reject")
    wrap_up = ann.await_state("wrapping_up").wrap_up
    assert wrap_up is not None
    assert wrap_up.contact_id == about
    assert ann.post("wrap-up", about=about, code="solved").status_code == 200
    ann.await_state("ready")


def _refused(desk: AtDesk, number: str) -> str:
    answer = desk.post("dial", number=number)
    assert answer.status_code == 409, answer.text
    return str(answer.get_json()["code"])
