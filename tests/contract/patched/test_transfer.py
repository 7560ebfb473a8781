"""A caller who is passed on: out of a talk, parked, and with somebody else; whoever goes first (feature 4.3)."""

import pytest

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Driver

SETTLE_MS = 400
"""As in the tests of hold and resume: sooner, a real switch does harm."""


def test_a_caller_who_is_parked_out_of_a_talk_stays_and_the_agents_leg_goes(driver: Driver, desk: Desk) -> None:
    driver.phone("1001")
    driver.call()
    leg, other, contact = desk.talk()
    desk.park(leg)
    desk.hang_up(other)
    parked = desk.await_fact(f.LegParked, leg=leg)
    assert (parked.inbound, parked.contact) == (True, contact)
    desk.await_fact(f.LegHungUp, leg=other)
    assert desk.exists(leg)
    desk.hang_up(leg)
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


def test_the_agents_leg_of_a_parked_caller_goes_by_itself_too(driver: Driver, desk: Desk) -> None:
    driver.phone("1001")
    caller = driver.call()
    leg, other, _ = desk.talk()
    desk.park(leg)
    desk.await_fact(f.LegParked, leg=leg)
    desk.await_fact(f.LegHungUp, leg=other)
    caller.hang_up()
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


@pytest.mark.parametrize("held", (False, True))
def test_a_caller_passed_on_hears_music_then_the_second_agent_and_each_talk_has_its_recording(
    driver: Driver, desk: Desk, *, held: bool
) -> None:
    """Complaint 14: the recording follows the caller; each conversation has a file of its own, the wait none."""
    driver.phone("1001")
    driver.phone("1002")
    caller = driver.call()
    leg, other, contact = desk.talk()
    desk.record(leg, "first.wav")
    first = desk.await_fact(f.RecordingStarted, leg=leg).path
    driver.let_hear(1_500)
    if held:
        desk.hold(other)
        desk.await_fact(f.LegHeld, leg=other)
        driver.let_hear(SETTLE_MS)
    desk.stop_recording(leg, "first.wav")
    desk.park(leg)
    desk.hang_up(other)
    desk.await_fact(f.LegParked, leg=leg)
    stopped = desk.await_fact(f.RecordingStopped, leg=leg)
    assert stopped.path == first
    assert stopped.length_ms >= 1_300
    desk.play(leg)
    desk.record(leg, "wait.wav")
    waiting = desk.await_fact(f.RecordingStarted, leg=leg).path
    driver.let_hear(1_500)
    desk.stop_recording(leg, "wait.wav")
    desk.await_fact(f.RecordingStopped, leg=leg)
    desk.await_fact(f.LegHungUp, leg=other)
    second = desk.agents_leg("1002", contact)
    desk.bridge(leg, second)
    desk.await_fact(f.LegBridged, leg=leg, other=second)
    desk.record(leg, "second.wav")
    after = desk.await_fact(f.RecordingStarted, leg=leg).path
    driver.let_hear(1_500)
    caller.hang_up()
    desk.await_fact(f.RecordingStopped, leg=leg)
    driver.assert_recorded(first, left=1_000, right=500, from_s=0.4, to_s=1.3)
    driver.assert_recorded(waiting, left=1_000, right="music", from_s=0.4, to_s=1.3)
    driver.assert_recorded(after, left=1_000, right=500, from_s=0.4, to_s=1.3)
    desk.await_fact(f.LegHungUp, leg=leg)
    desk.await_fact(f.LegHungUp, leg=second)
    driver.await_empty()


def test_a_caller_is_parked_in_the_window_between_the_bridge_command_and_the_bridge(driver: Driver, desk: Desk) -> None:
    """Whatever came of the bridge, the caller's leg says that it is parked, or is gone with a word of its own."""
    driver.phone("1001")
    driver.call()
    contact = desk.next_id()
    leg = desk.parked_caller()
    desk.answer(leg, contact)
    desk.await_fact(f.LegAnswered, leg=leg)
    other = desk.agents_leg("1001", contact)
    desk.bridge(leg, other)
    desk.park(leg)
    desk.hang_up(other)
    desk.await_fact(f.LegHungUp, leg=other)
    desk.await_fact(f.LegParked, leg=leg)
    assert desk.exists(leg)
    desk.hang_up(leg)
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


def test_both_ends_that_hang_up_as_the_caller_is_parked_are_gone_and_said_so(driver: Driver, desk: Desk) -> None:
    """Complaint 13: both ends in the same tick."""
    driver.phone("1001")
    driver.call()
    leg, other, _ = desk.talk()
    desk.park(leg)
    desk.hang_up(other)
    desk.hang_up(leg)
    desk.await_fact(f.LegHungUp, leg=other)
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


def test_a_caller_passed_on_outside_talks_to_the_number_once_it_answers(driver: Driver, desk: Desk) -> None:
    driver.phone("1001")
    driver.outside("+8675500000001")
    caller = driver.call()
    leg, other, contact = desk.talk()
    desk.park(leg)
    desk.hang_up(other)
    desk.await_fact(f.LegParked, leg=leg)
    desk.play(leg)
    outside = desk.dial("+8675500000001", contact=contact)
    desk.await_fact(f.LegParked, leg=outside)
    desk.bridge(leg, outside)
    desk.await_fact(f.LegBridged, leg=leg, other=outside)
    caller.hang_up()
    desk.await_fact(f.LegHungUp, leg=leg)
    desk.await_fact(f.LegParked, leg=outside)
    desk.hang_up(outside)
    desk.await_fact(f.LegHungUp, leg=outside)
    driver.await_empty()


def test_a_leg_that_is_not_there_cannot_be_parked_and_the_switch_says_so(driver: Driver, desk: Desk) -> None:
    given = desk.park("00000000-0000-4000-8000-000000000000")
    failed = desk.await_fact(f.InstructionFailed, instruction=given)
    assert failed.answer.startswith("No such channel")
    driver.await_empty()
