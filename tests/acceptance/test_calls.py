"""Calls that go well, through every process that production has, on both switches."""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.staff import shifts as s
from orchestrator.runner import inputs
from tests.acceptance.conftest import Build
from tests.acceptance.house import House


def test_a_caller_is_served_and_hangs_up(house: House) -> None:
    house.driver.phone("1001")
    house.sign_in("801")
    caller = house.driver.call()
    house.await_state("801", "talking")
    caller.hang_up()
    ended = house.ledger.await_event(c.ContactEnded)
    assert (ended.reason, ended.phase) == ("completed", "connected")
    assert [segment.ended_by for segment in house.ledger.all(c.AgentSegmentEnded)] == ["caller"]
    house.close_day(contacts=1)


def test_an_agent_ends_a_call_by_hanging_up_the_phone(house: House) -> None:
    phone = house.driver.phone("1001")
    house.sign_in("801")
    house.driver.call()
    house.await_state("801", "talking")
    phone.hang_up()
    assert house.ledger.await_event(c.ContactEnded).reason == "completed"
    assert [segment.ended_by for segment in house.ledger.all(c.AgentSegmentEnded)] == ["agent"]
    house.close_day(contacts=1)


def test_an_agent_ends_a_call_at_the_desk(house: House) -> None:
    house.driver.phone("1001")
    house.sign_in("801")
    house.driver.call()
    house.await_state("801", "talking")
    position = house.do(inputs.HangUp(agent="801"))
    assert house.ledger.await_event(c.ContactEnded).reason == "completed"
    asked = next(record for record in house.ledger.read() if record.position == position)
    assert (type(asked.event), asked.about.actor) == (c.HangUpRequested, "agent:801")
    assert [segment.ended_by for segment in house.ledger.all(c.AgentSegmentEnded)] == ["agent"]
    house.close_day(contacts=1)


def test_a_caller_is_held_and_resumed_and_leaves_on_hold(house: House) -> None:
    """Complaint 24: hold is a state of its own, not wrap-up and not idle."""
    house.driver.phone("1001")
    house.sign_in("801")
    caller = house.driver.call()
    house.await_state("801", "talking")
    assert house.refusal(inputs.Resume(agent="801")) == "not_held"
    house.do(inputs.Hold(agent="801"))
    house.await_state("801", "held")
    assert house.refusal(inputs.Hold(agent="801")) == "already_held"
    house.do(inputs.Resume(agent="801"))
    house.await_state("801", "talking")
    house.do(inputs.Hold(agent="801"))
    house.await_state("801", "held")
    caller.hang_up()
    # Not that it was on hold: a real switch takes a leg off hold as it ends, and says no more about it.
    assert house.ledger.await_event(c.ContactEnded).reason == "completed"
    assert [segment.ended_by for segment in house.ledger.all(c.AgentSegmentEnded)] == ["caller"]
    house.close_day(contacts=1)


def test_the_phones_own_hold_key_is_seen(house: House) -> None:
    phone = house.driver.phone("1001")
    house.sign_in("801")
    house.driver.call()
    house.await_state("801", "talking")
    phone.hold()
    house.await_state("801", "held")
    phone.hold(on=False)
    house.await_state("801", "talking")
    house.do(inputs.HangUp(agent="801"))
    house.close_day(contacts=1)


def test_an_agent_has_time_for_after_call_work(build: Build) -> None:
    """Complaint 11: wrap-up has a beginning and an end, and ends by word, with a code."""
    house = build(wrap_up_s=60)
    house.open()
    house.driver.phone("1001")
    house.sign_in("801")
    caller = house.driver.call()
    house.await_state("801", "talking")
    caller.hang_up()
    house.await_state("801", "wrapping_up")
    house.driver.call()
    house.ledger.await_event(c.ContactQueued, count=2)
    assert len(house.ledger.all(c.OfferMade)) == 1, "nobody is rung during after-call work"
    house.do(inputs.WrapUp(agent="801", code="order_taken"))
    house.await_state("801", "talking")
    assert [(ended.how, ended.code) for ended in house.ledger.all(s.WrapUpEnded)] == [("agent", "order_taken")]
    house.do(inputs.HangUp(agent="801"))
    house.close_day(contacts=2)


def test_a_pause_asked_for_during_a_call_comes_after_it(house: House) -> None:
    house.driver.phone("1001")
    house.sign_in("801")
    house.driver.call()
    house.await_state("801", "talking")
    house.do(inputs.Pause(agent="801", reason="lunch"))
    assert house.agent("801")["next"] == "lunch"
    house.do(inputs.HangUp(agent="801"))
    assert house.await_state("801", "paused")["reason"] == "lunch"
    house.close_day(contacts=1)


def test_callers_are_served_in_the_order_in_which_they_came(house: House) -> None:
    """Complaint 21, and 18: nobody is rung while nobody is ready."""
    house.driver.phone("1001")
    for count in (1, 2, 3):
        house.driver.call()
        house.ledger.await_event(c.ContactQueued, count=count)
    assert not house.ledger.all(c.OfferMade)
    house.sign_in("801")
    for count in (1, 2, 3):
        house.ledger.await_event(c.ContactConnected, count=count)
        house.do(inputs.HangUp(agent="801"))
    served = [r.stream for r in house.ledger.read() if isinstance(r.event, c.ContactConnected)]
    assert served == [f"contact-{contact}" for contact in house.ledger.contacts()]
    house.close_day(contacts=3)


def test_two_phones_ring_and_one_gets_the_call(build: Build) -> None:
    """Complaints 3 and 9: one winner; the loser is let go only then, and is free again."""
    house = build(ring_at_once=2)
    house.open()
    for extension in ("1001", "1002"):
        house.driver.phone(extension)
    house.sign_in("801", "802")
    house.driver.call()
    connected = house.ledger.await_event(c.ContactConnected)
    winner, loser = ("801", "802") if connected.agent_id == "ann" else ("802", "801")
    house.await_state(loser, "ready")
    assert house.agent(winner)["state"] == "talking"
    house.do(inputs.HangUp(agent=winner))
    house.close_day(contacts=1)


@pytest.mark.parametrize("rule", ("ring_all", "ring_progressively"))
def test_phones_ring_all_at_once_or_one_by_one_and_the_last_of_them_gets_the_call(build: Build, rule: str) -> None:
    """Features 3.2, 3.6; complaints 3, 9: one offer; whoever is not joined is free again."""
    house = build(queue=f'rule = "{rule}"\nring_most = 3\nring_next_s = 1')
    house.open()
    for extension in ("1001", "1002"):
        house.driver.phone(extension, "rings")
    house.driver.phone("1003")
    house.sign_in("801", "802", "803")
    house.driver.call()
    connected = house.ledger.await_event(c.ContactConnected)
    assert connected.shift_id == house.ledger.all(c.OfferAccepted)[0].shift_id
    for loser in ("801", "802"):
        house.await_state(loser, "ready")
    assert house.agent("803")["state"] == "talking"
    assert len(house.ledger.all(c.OfferMade)) == 1
    assert len(house.ledger.all(c.OfferWidened)) == (2 if rule == "ring_progressively" else 0)
    house.do(inputs.HangUp(agent="803"))
    house.close_day(contacts=1)
