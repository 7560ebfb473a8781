"""Phones that do not answer as one wishes, on both switches: the next agent, and what is said of the first."""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.staff import shifts as s
from orchestrator.runner import inputs
from tests.acceptance.conftest import Build
from tests.acceptance.house import House
from tests.contract.driver import Behaviour


def _served_by_the_second(house: House, first: Behaviour) -> None:
    """One caller, offered to 801, who does not take it, then to 802, who does."""
    house.driver.phone("1001", first)
    house.driver.phone("1002")
    house.sign_in("801", "802")
    house.driver.call()
    house.await_state("802", "talking", within_s=30)
    offered = [offer.reservations[0].agent_id for offer in house.ledger.all(c.OfferMade)]
    assert offered == ["ann", "bob"]


def test_a_phone_that_is_not_answered_costs_the_agent_the_call_not_the_day(build: Build) -> None:
    """Complaints 1 and 19: the offer ends by its deadline; the agent is not ready with a reason, and comes back."""
    house = build(ring_s=1)
    house.open()
    _served_by_the_second(house, "rings")
    assert len(house.ledger.all(c.OfferTimedOut)) == 1
    assert house.await_state("801", "paused")["reason"] == "ring_no_answer"
    house.do(inputs.Ready(agent="801"))
    assert house.agent("801")["state"] == "ready"
    house.do(inputs.HangUp(agent="802"))
    house.close_day(contacts=1)


@pytest.mark.parametrize(("behaviour", "cause"), (("busy", "busy"), ("rejects", "rejected")))
def test_a_phone_that_refuses_is_left_alone_for_a_while(house: House, behaviour: Behaviour, cause: str) -> None:
    """Complaint 10: no fast loop of ringing."""
    _served_by_the_second(house, behaviour)
    assert len(house.ledger.all(c.OfferRejected)) == 1
    assert [cooled.cause for cooled in house.ledger.all(s.AgentCooledDown)] == [cause]
    house.driver.call()
    house.ledger.await_event(c.ContactQueued, count=2)
    assert len(house.ledger.all(c.OfferMade)) == 2, "nothing is offered during the cool-down"
    house.ledger.await_event(s.CoolDownEnded)
    assert house.ledger.await_event(c.OfferMade, count=3).reservations[0].agent_id == "ann"
    house.do(inputs.EndAll(reason="over"))
    house.close_day(contacts=2)


def test_a_phone_that_cannot_be_reached_stands_its_agent_down(build: Build) -> None:
    """Complaints 6 and 19: the queue goes on with the others, and the agent is told why it goes on without them. One
    that is known to be gone is not even tried (`test_phones`).
    """
    house = build(ring_s=3)
    house.open()
    _served_by_the_second(house, "unreachable")
    assert house.await_state("801", "paused")["reason"] == "phone_unreachable"
    house.do(inputs.HangUp(agent="802"))
    house.close_day(contacts=1)


def test_an_agent_refuses_at_the_desk(house: House) -> None:
    house.driver.phone("1001", "rings")
    house.driver.phone("1002")
    house.do(inputs.SignIn(agent="801"))
    house.do(inputs.Ready(agent="801"))
    house.driver.call()
    house.ledger.await_event(c.OfferDelivered)
    house.sign_in("802")
    house.do(inputs.Reject(agent="801"))
    house.await_state("802", "talking")
    assert [(closed.cause) for closed in house.ledger.all(c.OfferRejected)] == ["desk"]
    assert house.agent("801")["cooling_until"] is not None
    house.do(inputs.HangUp(agent="802"))
    house.close_day(contacts=1)


def test_an_agent_who_signs_out_while_the_phone_rings_is_let_go(house: House) -> None:
    house.driver.phone("1001", "rings")
    house.driver.phone("1002")
    house.sign_in("801")
    house.driver.call()
    house.ledger.await_event(c.OfferDelivered)
    house.do(inputs.SignOut(agent="801"))
    house.await_state("801", "signed_out")
    assert house.ledger.await_event(c.OfferWithdrawn).cause == "agent_signed_out"
    house.sign_in("802")
    house.await_state("802", "talking")
    house.do(inputs.HangUp(agent="802"))
    house.close_day(contacts=1)


def test_an_agent_accepts_at_the_desk_and_the_phone_answers_by_itself(house: House) -> None:
    """With a phone that obeys `talk` (SIP NOTIFY)."""
    house.driver.phone("1001", "obeys")
    house.sign_in("801")
    caller = house.driver.call()
    house.ledger.await_event(c.OfferDelivered)
    house.do(inputs.Accept(agent="801"))
    house.await_state("801", "talking")
    caller.hang_up()
    house.close_day(contacts=1)


def test_a_phone_that_does_not_obey_rings_on(house: House) -> None:
    """The wish is recorded, nothing else happens, and the caller can still be answered by hand or elsewhere."""
    house.driver.phone("1001", "rings")
    house.driver.phone("1002")
    house.sign_in("801")
    house.driver.call()
    house.ledger.await_event(c.OfferDelivered)
    house.do(inputs.Accept(agent="801"))
    assert len(house.ledger.all(c.OfferAcceptRequested)) == 1
    house.sign_in("802")
    house.do(inputs.Reject(agent="801"))
    house.await_state("802", "talking")
    house.do(inputs.HangUp(agent="802"))
    house.close_day(contacts=1)
