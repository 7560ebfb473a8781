"""Calls to numbers outside, over a trunk of the switch: answered, refused, never reached, joined, and ended."""

import pytest

from orchestrator.domain.kernel import MILLISECOND
from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk, now
from tests.contract.driver import Driver, Outsider

NUMBER = "+8675512345678"


def test_a_number_outside_rings_answers_and_parks_under_its_contact(driver: Driver, desk: Desk) -> None:
    """Features 3.5, 3.10: like an agent's phone, and by the same facts."""
    driver.outside(NUMBER)
    leg = desk.dial(NUMBER, contact="c-1", offer="o-1", show="+8675587654321")
    created = desk.await_fact(f.LegCreated)
    assert (created.leg, created.inbound, created.contact, created.offer) == (leg, False, "c-1", "o-1")
    desk.await_fact(f.LegRinging, leg=leg, contact="c-1")
    desk.await_fact(f.LegAnswered, leg=leg, contact="c-1")
    assert not desk.await_fact(f.LegParked, leg=leg).inbound
    done = desk.await_fact(f.JobDone)
    assert (done.ok, done.job, done.answer) == (True, leg, leg)
    desk.hang_up(leg)
    gone = desk.await_fact(f.LegHungUp, leg=leg)
    assert (gone.cause, gone.by_far_end) == ("NORMAL_CLEARING", False)
    driver.await_empty()


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    (("busy", "USER_BUSY"), ("unknown", "UNALLOCATED_NUMBER"), ("gone", "NORMAL_TEMPORARY_FAILURE")),
)
def test_a_number_outside_that_is_not_reached_says_why(
    driver: Driver, desk: Desk, behaviour: Outsider, cause: str
) -> None:
    driver.outside(NUMBER, behaviour)
    leg = desk.dial(NUMBER, contact="c")
    assert desk.await_fact(f.LegHungUp, leg=leg).cause == cause
    failed = desk.await_fact(f.InstructionFailed, leg=leg)
    assert (failed.kind, failed.answer) == ("DialOutside", cause)
    assert not desk.exists(leg)
    driver.await_empty()


def test_a_number_outside_that_nobody_answers_is_given_up_by_the_switch(driver: Driver, desk: Desk) -> None:
    driver.outside(NUMBER, "rings")
    leg = desk.dial(NUMBER, contact="c", ring_ms=2_000)
    desk.await_fact(f.LegRinging, leg=leg)
    assert desk.await_fact(f.LegHungUp, leg=leg).cause == "NO_ANSWER"
    driver.await_empty()


def test_a_trunk_that_the_switch_does_not_have_reaches_nobody(driver: Driver, desk: Desk) -> None:
    leg = desk.dial(NUMBER, contact="c", trunk="elsewhere")
    assert desk.await_fact(f.InstructionFailed, leg=leg).answer == "INVALID_GATEWAY"
    driver.await_empty()


def test_a_caller_and_a_number_outside_are_joined_and_recorded_and_the_caller_is_parked_when_it_hangs_up(
    driver: Driver, desk: Desk
) -> None:
    """Feature 3.5: whoever hangs up first, nobody is left to chance."""
    driver.outside(NUMBER)
    driver.call()
    caller = desk.parked_caller()
    desk.answer(caller, "c-2")
    desk.play(caller)
    desk.await_fact(f.LegAnswered, leg=caller)
    leg = desk.dial(NUMBER, contact="c-2")
    desk.await_fact(f.LegParked, leg=leg)
    desk.bridge(caller, leg)
    desk.await_fact(f.LegBridged, leg=caller, other=leg)
    desk.hang_up(leg)
    desk.await_fact(f.LegHungUp, leg=leg)
    desk.await_fact(f.LegParked, leg=caller)
    desk.hang_up(caller)
    desk.await_fact(f.LegHungUp, leg=caller)
    driver.await_empty()


def test_a_customer_who_is_called_back_is_joined_as_a_caller_recorded_held_and_parked_again(
    driver: Driver, desk: Desk
) -> None:
    """Feature 3.10: the customer's leg, which we made, does all that a caller's leg does, up to a last prompt."""
    driver.outside(NUMBER)
    phone = driver.phone("1001")
    agent = desk.agents_leg("1001", contact="c-3")
    leg = desk.dial(NUMBER, contact="c-3")
    desk.await_fact(f.LegParked, leg=leg)
    desk.bridge(leg, agent)
    desk.await_fact(f.LegBridged, leg=leg, other=agent)
    desk.record(leg, "c-3.wav")
    desk.await_fact(f.RecordingStarted, leg=leg)
    driver.let_hear(500)
    desk.hold(agent)
    desk.await_fact(f.LegHeld, leg=agent)
    driver.let_hear(200)
    desk.resume(agent)
    desk.await_fact(f.LegResumed, leg=agent)
    phone.hang_up()
    desk.await_fact(f.LegHungUp, leg=agent)
    desk.await_fact(f.LegParked, leg=leg)
    desk.apologise(leg)
    begun = now()
    gone = desk.await_fact(f.LegHungUp, leg=leg, within_s=15)
    assert gone.cause == "NORMAL_CLEARING"
    assert now() - begun >= (driver.apology_ms - 500) * MILLISECOND, "the prompt was not found, or cut off"
    assert desk.await_fact(f.RecordingStopped, leg=leg).length_ms > 0
    driver.await_empty()
