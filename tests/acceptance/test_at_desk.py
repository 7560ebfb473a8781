"""The second way to answer, with real phones: one picks up whatever rings, one when it is asked to."""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.runner import inputs
from tests.acceptance.conftest import REAL, Build
from tests.contract.driver import Behaviour, sessions

KINDS = REAL


@pytest.mark.parametrize("phone", ("answers", "obeys"))
def test_a_phone_is_rung_once_its_desk_has_accepted_and_picks_up_by_itself(build: Build, phone: Behaviour) -> None:
    """Issue 5: a phone that answers by itself (baresip, answermode=auto) is silent until then; one that is asked to
    (SIP NOTIFY `talk`, which the switch sends with the header Call-Info) needs no hand.
    """
    house = build(ring_s=20)
    house.configuration = house.configuration.replace('"1001"', '"1001"\nanswers = "desk"')
    house.open()
    house.apply(house.configuration)
    house.driver.phone("1001", phone)
    for take in (inputs.SignIn(agent="801", desk="d1"), inputs.Ready(agent="801", desk="d1")):
        house.do(take)
    caller = house.driver.call()
    house.ledger.await_event(c.OfferMade)
    house.await_state("801", "reserved")
    with house.driver.control() as control:
        assert sessions(control) == 1, "the caller's"
    house.do(inputs.Accept(agent="801"))
    house.await_state("801", "talking")
    house.ledger.await_event(c.ContactConnected)
    story = house.ledger.story(house.ledger.contacts()[0])
    order = ["OfferMade", "OfferAcceptRequested", "OfferAnswered", "OfferAccepted", "ContactConnected"]
    assert [name for name in story if name in order] == order
    caller.hang_up()
    house.close_day(contacts=1)
