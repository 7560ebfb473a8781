"""Caller and agent together: the bridge, hold, the recording, and who survives whom."""

import time

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Driver

SETTLE_MS = 400
"""A hold within 200 ms of the bridge, or a resume within 150 ms of the hold, does harm on a real switch: the music is
queued and begins when it is over. The product does not do that; nor do these tests."""


def test_caller_and_agent_hear_each_other_and_the_recording_proves_it(driver: Driver, desk: Desk) -> None:
    driver.phone("1001")
    caller = driver.call()
    leg, other, contact = desk.talk()
    desk.record(leg, "talk.wav")
    path = desk.await_fact(f.RecordingStarted, leg=leg, contact=contact).path
    driver.let_hear(1_500)
    caller.hang_up()
    stopped = desk.await_fact(f.RecordingStopped, leg=leg)
    assert stopped.path == path
    assert stopped.length_ms >= 1_300
    driver.assert_recorded(path, left=1_000, right=500)
    desk.await_fact(f.LegHungUp, leg=leg)
    desk.await_fact(f.LegHungUp, leg=other)
    driver.await_empty()


def test_a_caller_who_hangs_up_takes_the_agents_leg_along(driver: Driver, desk: Desk) -> None:
    driver.phone("1001")
    caller = driver.call()
    leg, other, _ = desk.talk()
    caller.hang_up()
    unbridged = desk.await_fact(f.LegUnbridged)
    assert (unbridged.leg, unbridged.other) == (leg, other)
    agents, callers = desk.await_fact(f.LegHungUp, leg=other), desk.await_fact(f.LegHungUp, leg=leg)
    assert (agents.cause, agents.by_far_end) == ("NORMAL_CLEARING", False)
    assert (callers.cause, callers.by_far_end) == ("NORMAL_CLEARING", True)
    driver.await_empty()


def test_an_agent_who_hangs_up_leaves_the_caller_parked_for_us_to_decide(driver: Driver, desk: Desk) -> None:
    phone = driver.phone("1001")
    driver.call()
    leg, other, contact = desk.talk()
    phone.hang_up()
    desk.await_fact(f.LegHungUp, leg=other, cause="NORMAL_CLEARING", by_far_end=True)
    desk.await_fact(f.LegUnbridged, leg=leg, other=other)
    parked = desk.await_fact(f.LegParked, leg=leg)
    assert (parked.inbound, parked.contact, parked.dialled) == (True, contact, "4000")
    assert desk.exists(leg)
    desk.hang_up(leg)
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


def test_a_caller_whose_agent_hung_up_can_be_served_again(driver: Driver, desk: Desk) -> None:
    phone = driver.phone("1001")
    driver.phone("1002")
    caller = driver.call()
    leg, _, contact = desk.talk()
    phone.hang_up()
    desk.await_fact(f.LegParked, leg=leg)
    desk.play(leg)
    other = desk.agents_leg("1002", contact)
    desk.bridge(leg, other)
    desk.await_fact(f.LegBridged, leg=leg, other=other)
    caller.hang_up()
    desk.await_fact(f.LegHungUp, leg=leg)
    desk.await_fact(f.LegHungUp, leg=other)
    driver.await_empty()


def test_hanging_up_either_leg_by_command_ends_like_its_phone_would(driver: Driver, desk: Desk) -> None:
    driver.phone("1001")
    driver.call()
    leg, other, _ = desk.talk()
    desk.hang_up(other)
    desk.await_fact(f.LegHungUp, leg=other, by_far_end=False)
    desk.await_fact(f.LegParked, leg=leg)
    desk.hang_up(leg)
    desk.await_fact(f.LegHungUp, leg=leg, by_far_end=False)
    driver.await_empty()

    driver.call()
    leg, other, _ = desk.talk()
    desk.hang_up(leg)
    desk.await_fact(f.LegHungUp, leg=leg)
    desk.await_fact(f.LegHungUp, leg=other)
    driver.await_empty()


def test_a_held_caller_hears_music_and_after_resume_the_agent_again(driver: Driver, desk: Desk) -> None:
    driver.phone("1001")
    caller = driver.call()
    leg, other, contact = desk.talk()
    driver.let_hear(SETTLE_MS)
    desk.hold(other)
    held = desk.await_fact(f.LegHeld)
    assert (held.leg, held.contact) == (other, contact)
    desk.record(leg, "held.wav")
    path = desk.await_fact(f.RecordingStarted, leg=leg).path
    driver.let_hear(1_500)
    desk.resume(other)
    assert desk.await_fact(f.LegResumed).leg == other
    driver.let_hear(1_500)
    caller.hang_up()
    desk.await_fact(f.RecordingStopped, leg=leg)
    driver.assert_recorded(path, left=1_000, right="music", from_s=0.4, to_s=1.3)
    driver.assert_recorded(path, left=1_000, right=500, from_s=2.0, to_s=2.8)
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


def test_the_phones_own_hold_key_is_told_like_ours(driver: Driver, desk: Desk) -> None:
    phone = driver.phone("1001")
    caller = driver.call()
    leg, other, _ = desk.talk()
    driver.let_hear(SETTLE_MS)
    phone.hold()
    assert desk.await_fact(f.LegHeld).leg == other
    driver.let_hear(SETTLE_MS)
    phone.hold(on=False)
    assert desk.await_fact(f.LegResumed).leg == other
    caller.hang_up()
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


def test_an_agent_who_hangs_up_while_holding_leaves_the_caller_parked_too(driver: Driver, desk: Desk) -> None:
    phone = driver.phone("1001")
    driver.call()
    leg, other, _ = desk.talk()
    driver.let_hear(SETTLE_MS)
    desk.hold(other)
    desk.await_fact(f.LegHeld, leg=other)
    driver.let_hear(SETTLE_MS)
    phone.hang_up()
    desk.await_fact(f.LegHungUp, leg=other)
    desk.await_fact(f.LegParked, leg=leg)
    desk.hang_up(leg)
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


def test_a_held_caller_who_hangs_up_takes_the_agents_leg_along(driver: Driver, desk: Desk) -> None:
    driver.phone("1001")
    caller = driver.call()
    leg, other, _ = desk.talk()
    driver.let_hear(SETTLE_MS)
    desk.hold(other)
    desk.await_fact(f.LegHeld, leg=other)
    caller.hang_up()
    desk.await_fact(f.LegHungUp, leg=other)
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


def test_a_recording_goes_on_through_hold_and_ends_with_the_caller(driver: Driver, desk: Desk) -> None:
    phone = driver.phone("1001")
    caller = driver.call()
    leg, other, _ = desk.talk()
    desk.record(leg, "through.wav")
    desk.await_fact(f.RecordingStarted, leg=leg)
    began = time.monotonic()
    driver.let_hear(SETTLE_MS)
    desk.hold(other)
    desk.await_fact(f.LegHeld, leg=other)
    driver.let_hear(SETTLE_MS)
    desk.resume(other)
    desk.await_fact(f.LegResumed, leg=other)
    phone.hang_up()
    desk.await_fact(f.LegParked, leg=leg)
    assert not desk.said(f.RecordingStopped)
    driver.let_hear(SETTLE_MS)
    passed_ms = (time.monotonic() - began) * 1_000
    caller.hang_up()
    stopped = desk.await_fact(f.RecordingStopped, leg=leg)
    # Buffered sound is thrown away at each of the three changes: 2 frames of 20 ms, and as much again for good measure.
    assert passed_ms - 240 <= stopped.length_ms <= passed_ms + 240
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


def test_a_repeated_start_of_a_recording_changes_nothing(driver: Driver, desk: Desk) -> None:
    caller = driver.call()
    leg = desk.parked_caller()
    desk.answer(leg, "c")
    desk.await_fact(f.LegAnswered, leg=leg)
    desk.record(leg, "twice.wav")
    desk.await_fact(f.RecordingStarted, leg=leg)
    again = desk.record(leg, "twice.wav")
    assert desk.await_fact(f.JobDone, job=again).ok
    caller.hang_up()
    desk.await_fact(f.RecordingStopped, leg=leg)
    desk.await_fact(f.LegHungUp, leg=leg)
    assert not desk.said(f.RecordingStarted)
    assert not desk.said(f.RecordingStopped)
    driver.await_empty()


def test_a_resume_at_once_after_a_hold_leaves_music_over_the_talk_until_it_is_broken_off(
    driver: Driver, desk: Desk
) -> None:
    """Why a hold and its resume need SETTLE_MS between them: a double click would do this to a caller."""
    driver.phone("1001")
    caller = driver.call()
    leg, other, _ = desk.talk()
    driver.let_hear(SETTLE_MS)
    with driver.control() as watch:
        watch.subscribe("PLAYBACK_START PLAYBACK_STOP")
        desk.hold(other)
        desk.await_fact(f.LegHeld, leg=other)
        desk.resume(other)
        desk.await_fact(f.LegResumed, leg=other)
        watch.await_event("PLAYBACK_START", Unique_ID=leg)
        assert watch.drain(0.5) == [], "the agent is back, and the music goes on"
        watch.api(f"uuid_break {leg} all")
        watch.await_event("PLAYBACK_STOP", Unique_ID=leg)
    caller.hang_up()
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()
