"""Callers who give up, and callers whom nobody can serve: every one of them ends once, and no phone rings on."""

from random import Random

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.runner import inputs
from tests.acceptance.conftest import Build
from tests.acceptance.house import House

TRIES = 15
SPREAD_S = 0.06
"""From the answer to the bridge a real switch takes 40 to 80 ms (several states of two legs, each looked at every
20 ms, and our commands between): callers leave at moments drawn from that stretch."""


def test_a_caller_who_gives_up_while_waiting_is_gone_from_the_queue(house: House) -> None:
    caller = house.driver.call()
    house.ledger.await_event(c.ContactQueued)
    caller.hang_up()
    ended = house.ledger.await_event(c.ContactEnded)
    assert (ended.reason, ended.phase) == ("abandoned", "waiting")
    assert house.ledger.all(c.QueueVisitEnded)[0].outcome == "abandoned"
    house.driver.phone("1001")
    house.sign_in("801")
    assert not house.ledger.all(c.OfferMade), "nobody is rung for a caller who has gone"
    house.close_day(contacts=1)


def test_a_caller_who_gives_up_while_the_phone_rings_stops_the_ringing(house: House) -> None:
    """Complaint 5."""
    house.driver.phone("1001", "rings")
    house.sign_in("801")
    caller = house.driver.call()
    house.ledger.await_event(c.OfferDelivered)
    caller.hang_up()
    ended = house.ledger.await_event(c.ContactEnded)
    assert (ended.reason, ended.phase) == ("abandoned", "offered")
    assert house.ledger.all(c.OfferWithdrawn)[0].cause == "caller_left"
    assert house.await_state("801", "ready")["reason"] == "", "the agent is not blamed"
    house.close_day(contacts=1)


@pytest.mark.slow
def test_a_caller_who_leaves_between_answer_and_bridge_leaves_no_ghost(house: House) -> None:
    """Complaint 5: with other dispatchers the agent sat alone for seconds in one of seven tries."""
    house.driver.phone("1001")
    house.sign_in("801")
    dice = Random(5)
    with house.driver.control() as control:
        control.subscribe("CHANNEL_ANSWER")
        for count in range(1, TRIES + 1):
            caller = house.driver.call()
            control.await_that(lambda event: event["Call-Direction"] == "outbound", "the agent's phone to answer")
            house.driver.let_hear(dice.randrange(round(SPREAD_S * 1000)))
            caller.hang_up()
            house.ledger.await_event(c.ContactEnded, count=count)
            house.await_state("801", "ready")
            house.driver.await_empty()
    stories = [house.ledger.story(contact) for contact in house.ledger.contacts()]
    met = sum("OfferAccepted" in story and "ContactConnected" not in story for story in stories)
    assert met > 0, "the race was never met: this test tested nothing"
    house.close_day(contacts=TRIES)


def test_a_number_that_nobody_configured_is_served_and_raises_an_alarm(house: House) -> None:
    """Feature 3.11."""
    house.driver.phone("1001")
    house.sign_in("801")
    caller = house.driver.call("4711")
    house.await_state("801", "talking")
    assert [alarm.dialled for alarm in house.ledger.all(c.EntryPointMissing)] == ["4711"]
    caller.hang_up()
    report = house.close_day(contacts=1)
    assert report.counts.alarms == 1


def test_a_number_without_a_default_is_told_so_and_ended(build: Build) -> None:
    house = build(default_entry=False)
    house.open()
    house.driver.call("4711")
    ended = house.ledger.await_event(c.ContactEnded)
    assert ended.reason == "turned_away"
    assert [turned.reason for turned in house.ledger.all(c.ContactTurnedAway)] == ["no_entry_point"]
    house.close_day(contacts=0)


def test_a_caller_whom_nobody_serves_in_time_hears_an_apology(build: Build) -> None:
    """Law 9: every wait has an end."""
    house = build(max_wait_s=1)
    house.open()
    house.driver.call()
    turned = house.ledger.await_event(c.ContactTurnedAway)
    assert turned.reason == "no_agent_in_time"
    ended = house.ledger.await_event(c.ContactEnded)
    assert ended.reason == "turned_away"
    assert house.ledger.all(c.QueueVisitEnded)[0].outcome == "timed_out"
    house.close_day(contacts=1)


def test_a_caller_who_is_put_on_hold_and_left_is_not_forgotten(house: House) -> None:
    """An agent whose phone dies while the caller is on hold: the caller is not kept for ever."""
    phone = house.driver.phone("1001")
    house.sign_in("801")
    house.driver.call()
    house.await_state("801", "talking")
    house.do(inputs.Hold(agent="801"))
    house.await_state("801", "held")
    phone.hang_up()
    assert house.ledger.await_event(c.ContactEnded).reason == "completed"
    house.close_day(contacts=1)
