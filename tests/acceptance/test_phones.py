"""Phones that come, leave and fall silent, on both switches: shown at once, never offered while gone, offered again."""

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.switch import nodes
from orchestrator.runner import inputs
from tests.acceptance.conftest import Build
from tests.acceptance.house import House
from tests.lab.patience import until

# Our switch gives a phone that is late so long, and looks every second (freeswitch/conf/sofia.xml).
MARGIN_S = 5


def _await_phone(house: House, number: str, registration: str, *, within_s: float = 5.0) -> None:
    what = f"the phone of agent {number} to be {registration}"
    until(lambda: house.agent(number)["phone"] == registration, what, within_s=within_s)


def _offered(house: House) -> list[str]:
    return [offer.reservations[0].agent_id for offer in house.ledger.all(c.OfferMade)]


def test_a_phone_that_leaves_costs_nobody_a_ring_and_is_rung_again_once_it_is_back(house: House) -> None:
    """Issue 5, nodes: registration watched; an unreachable phone is never offered. Feature 9.1: its state is shown."""
    house.driver.phone("1002")
    phone = house.driver.phone("1001")
    house.sign_in("801", "802")
    _await_phone(house, "801", "registered")
    phone.leave()
    _await_phone(house, "801", "gone")
    first = house.driver.call()
    house.await_state("802", "talking")
    house.driver.call()
    house.ledger.await_event(c.ContactQueued, count=2)
    assert _offered(house) == ["bob"]
    assert house.agent("801")["state"] == "ready", "nobody is stood down for it"
    made = house.ledger.all(c.OfferMade)[0]
    assert made.decision is not None
    assert made.decision.others["phone_gone"] >= 1
    contact = house.client.ask("calls")[0]["contact_id"]
    status, said = house.run("why", contact, "--agent", "801")
    assert status == 0, said
    assert "801 ann: the phone was not registered for" in said
    house.driver.phone("1001")
    house.await_state("801", "talking")
    assert _offered(house) == ["bob", "ann"]
    first.hang_up()
    house.do(inputs.HangUp(agent="801"))
    house.close_day(contacts=2)


def test_a_phone_that_loses_power_is_gone_when_its_registration_is_over(house: House) -> None:
    house.driver.phone("1001", expires_s=3).die()
    house.sign_in("801")
    _await_phone(house, "801", "gone", within_s=3 + MARGIN_S + 3)
    caller = house.driver.call()
    house.ledger.await_event(c.ContactQueued)
    assert _offered(house) == []
    assert [gone.why for gone in house.ledger.all(nodes.PhoneUnregistered)] == ["expired"]
    house.driver.phone("1001")
    house.await_state("801", "talking")
    caller.hang_up()
    house.close_day(contacts=1)


def test_what_became_of_phones_while_the_link_was_away_is_asked_of_the_switch(house: House) -> None:
    """Law 5. And what has not changed is not told again."""
    phone = house.driver.phone("1001")
    house.driver.phone("1002")
    house.sign_in("801", "802")
    _await_phone(house, "801", "registered")
    house.engines[-1].child.kill()
    phone.leave()
    house.start_engine()
    house.await_switch()
    _await_phone(house, "801", "gone", within_s=10)
    _await_phone(house, "802", "registered", within_s=10)
    told = house.ledger.await_event(nodes.PhonesCompared, count=2)
    assert (told.registered, told.unregistered, told.forgotten) == ((), ("1001",), ())
    house.driver.call()
    house.await_state("802", "talking")
    assert _offered(house) == ["bob"]
    house.do(inputs.HangUp(agent="802"))
    house.close_day(contacts=1)


def test_a_phone_that_was_never_there_is_not_offered(build: Build) -> None:
    house = build()
    house.driver.phone("1001", "unregistered")
    house.driver.phone("1002")
    house.open()
    house.sign_in("801", "802")
    house.driver.call()
    house.await_state("802", "talking")
    assert _offered(house) == ["bob"]
    assert house.agent("801")["phone"] == "gone"
    house.do(inputs.HangUp(agent="802"))
    house.close_day(contacts=1)
