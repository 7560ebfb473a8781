"""Callers who are called back in turn, and callers who are sent outside, on both switches, from queue to end."""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import outward_events as o
from orchestrator.domain.staff import shifts as s
from orchestrator.runner import inputs
from tests.acceptance.conftest import Build
from tests.acceptance.house import ELSEWHERE, OUTSIDE, House
from tests.contract.driver import Outsider

CUSTOMER = "+31201234567"


def _house(build: Build, *overflow: str, keys: str = "", ring_s: int = 5) -> House:
    """A house whose queue overflows so, and whose trunk may be used."""
    house = build()
    rows = ", ".join(overflow)
    queue = f"overflow = [ {rows} ]\n{keys}\n[queue.sales]"
    house.apply(house.configuration.replace("[queue.sales]", queue) + OUTSIDE.format(ring_s=ring_s))
    house.open()
    return house


def test_a_caller_who_waited_is_called_back_once_an_agent_is_there_talks_and_ends_once(build: Build) -> None:
    """Features 3.5, 3.10; complaint 20: overflow wait → callback → called back → talk → end."""
    house = _house(build, '{ when = "wait", after_s = 1, to = "callback" }')
    house.driver.outside(CUSTOMER)
    house.driver.phone("1001")
    house.driver.call(number=CUSTOMER)
    house.ledger.await_event(o.CallbackAsked)
    house.ledger.await_event(c.LegClosed, within_s=30)
    assert house.status() is not None
    house.driver.await_empty()
    house.sign_in("801")
    house.await_state("801", "talking")
    assert len(house.ledger.all(o.CallbackDialled)) == len(house.ledger.all(o.CallbackAnswered)) == 1
    house.ledger.await_event(c.RecordingBegun)
    house.do(inputs.HangUp(agent="801"))
    report = house.close_day(contacts=1)
    assert report.counts.callbacks == 1
    assert [event.reason for event in house.ledger.all(c.ContactEnded)] == ["completed"]


@pytest.mark.parametrize(
    ("behaviour", "cause"), (("busy", "USER_BUSY"), ("rings", "NO_ANSWER"), ("unknown", "UNALLOCATED_NUMBER"))
)
def test_a_customer_who_is_not_reached_costs_no_agent_anything(build: Build, behaviour: Outsider, cause: str) -> None:
    """Feature 3.10: released without blame, tried again, then given up."""
    house = _house(
        build, '{ when = "wait", after_s = 1, to = "callback" }', keys="callback_tries = 2\ncallback_again_s = 1"
    )
    house.driver.outside(CUSTOMER, behaviour)
    house.driver.phone("1001")
    house.sign_in("801")
    house.do(inputs.Pause(agent="801", reason="break"))
    house.driver.call(number=CUSTOMER)
    house.ledger.await_event(o.CallbackAsked)
    house.ledger.await_event(c.LegClosed, within_s=30)
    house.do(inputs.Ready(agent="801"))
    ended = house.ledger.await_event(c.ContactEnded, within_s=40)
    assert ended.reason == "callback_failed"
    assert {event.cause for event in house.ledger.all(o.CallbackMissed)} <= {cause, "NO_ANSWER"}
    assert len(house.ledger.all(o.CallbackDialled)) == 2
    house.await_state("801", "ready")
    assert not house.ledger.all(s.AgentStoodDown)
    house.close_day(contacts=1)


def test_with_nobody_signed_in_a_caller_is_sent_outside_and_ends_once_whoever_hangs_up(build: Build) -> None:
    """Feature 3.5: overflow nobody → outside number."""
    house = _house(build, f'{{ when = "nobody", to = "outside:{ELSEWHERE}" }}')
    house.driver.outside(ELSEWHERE)
    caller = house.driver.call(number=CUSTOMER)
    house.ledger.await_event(o.OutsideConnected)
    house.ledger.await_event(c.RecordingBegun)
    caller.hang_up()
    ended = house.ledger.await_event(c.ContactEnded)
    assert ended.reason == "completed"
    assert [event.ended_by for event in house.ledger.all(o.OutsideSegmentEnded)] == ["caller"]
    assert house.close_day(contacts=1).counts.outside_segments == 1


def test_a_number_outside_that_is_busy_leads_to_the_next_row(build: Build) -> None:
    house = _house(
        build,
        f'{{ when = "wait", after_s = 1, to = "outside:{ELSEWHERE}" }}',
        '{ when = "wait", after_s = 1, to = "apology:apology" }',
    )
    house.driver.outside(ELSEWHERE, "busy")
    house.driver.call(number=CUSTOMER)
    assert house.ledger.await_event(o.OutsideMissed).cause == "USER_BUSY"
    house.ledger.await_event(c.ContactTurnedAway)
    house.ledger.await_event(c.ContactEnded, within_s=30)
    house.close_day(contacts=1)


def test_an_engine_that_is_killed_while_the_customer_rings_goes_on_with_the_call(build: Build) -> None:
    """Feature 11.8: whoever rings goes on ringing; nobody is called twice."""
    house = _house(build, '{ when = "wait", after_s = 1, to = "callback" }', keys="callback_again_s = 1", ring_s=20)
    house.driver.outside(CUSTOMER, "rings")
    house.driver.phone("1001")
    house.driver.call(number=CUSTOMER)
    house.ledger.await_event(o.CallbackAsked)
    house.ledger.await_event(c.LegClosed, within_s=30)
    house.sign_in("801")
    house.ledger.await_event(o.CallbackDialled)
    house.await_ringing(CUSTOMER)
    house.engines[-1].child.kill()
    house.start_engine()
    house.await_switch()
    missed = house.ledger.await_event(o.CallbackMissed, within_s=40)
    assert missed.cause == "NO_ANSWER"
    assert len(house.ledger.all(o.CallbackDialled)) == 1
    house.do(inputs.EndAll(reason="over"))
    house.close_day(contacts=1)
