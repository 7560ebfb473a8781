"""A callback as the desk shows it: an offer like any other, and a customer who is not on the line yet."""

import pytest

from orchestrator.domain.contacts import outward_events as o
from orchestrator.domain.contacts.contacts import ContactQueued, LegClosed
from orchestrator.runner import inputs
from tests.web.desk.conftest import Office

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
