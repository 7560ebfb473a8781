"""What of an agent comes through on the switch: silence under a mute, and keys beside the sound (feature 4.3)."""

import time
from pathlib import Path

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Driver
from tests.lab.sound import AGENT_HZ, CALLER_HZ, length_s, listen

EDGE_S = 0.3
SILENCE = 8.0
"""A-law has no zero: this is its smallest step."""


def test_whoever_is_muted_is_heard_by_nobody_to_the_last_sample_through_a_hold_and_again_afterwards(
    driver: Driver, desk: Desk
) -> None:
    """Muted twice is muted; the caller is heard all the time, and the recording keeps its length."""
    driver.phone("1001")
    caller = driver.call()
    leg, other, _ = desk.talk()
    desk.record(leg, "muted.wav")
    path = Path(desk.await_fact(f.RecordingStarted, leg=leg).path)
    began = time.monotonic()
    driver.let_hear(1_000)
    muted_s = time.monotonic() - began
    for _ in range(2):
        desk.mute(other)
        assert desk.await_fact(f.MuteSet, leg=other).on
    driver.let_hear(1_000)
    held_s = time.monotonic() - began
    desk.hold(other)
    desk.await_fact(f.LegHeld, leg=other)
    driver.let_hear(500)
    desk.resume(other)
    desk.await_fact(f.LegResumed, leg=other)
    back_s = time.monotonic() - began
    driver.let_hear(1_000)
    heard_s = time.monotonic() - began
    for _ in range(2):
        desk.mute(other, on=False)
        assert not desk.await_fact(f.MuteSet, leg=other).on
    driver.let_hear(1_000)
    lasted_s = time.monotonic() - began
    caller.hang_up()
    desk.await_fact(f.RecordingStopped, leg=leg)
    assert abs(length_s(path) - lasted_s) < EDGE_S
    if driver.has_sound:
        assert listen(path, 1, from_s=EDGE_S, to_s=muted_s - EDGE_S).dominant == AGENT_HZ
        for from_s, to_s in ((muted_s, held_s), (back_s, heard_s)):
            assert listen(path, 1, from_s=from_s + EDGE_S, to_s=to_s - EDGE_S).loudness <= SILENCE
            assert listen(path, 0, from_s=from_s + EDGE_S, to_s=to_s - EDGE_S).dominant == CALLER_HZ
        assert listen(path, 1, from_s=heard_s + EDGE_S, to_s=lasted_s - EDGE_S).dominant == AGENT_HZ
    desk.await_fact(f.LegHungUp, leg=leg)
    desk.mute(other)
    assert desk.await_fact(f.InstructionFailed, leg=other).answer == "No such channel!"
    driver.await_empty()


def test_a_mute_holds_when_the_agent_talks_with_another_one_meanwhile(driver: Driver, desk: Desk) -> None:
    """As through a consultation: the agent's leg goes from one bridge into the next."""
    driver.phone("1001")
    driver.phone("1002")
    caller = driver.call()
    leg, other, contact = desk.talk()
    desk.keep(other)
    desk.mute(other)
    assert desk.await_fact(f.MuteSet, leg=other).on
    desk.park(leg)
    desk.await_fact(f.LegParked, leg=other)
    second = desk.ring("1002", contact=contact, stays=True)
    desk.await_fact(f.LegParked, leg=second)
    desk.bridge(other, second)
    desk.await_fact(f.LegBridged, fits=lambda fact: {fact.leg, fact.other} == {other, second})
    with driver.control() as control:
        control.api(f"uuid_setvar {second} RECORD_STEREO true")
    desk.record(second, "second.wav")
    path = Path(desk.await_fact(f.RecordingStarted, leg=second).path)
    driver.let_hear(1_000)
    desk.hang_up(second)
    desk.await_fact(f.RecordingStopped, leg=second)
    if driver.has_sound:
        assert listen(path, 1, from_s=EDGE_S, to_s=length_s(path) - EDGE_S).loudness <= SILENCE
    caller.hang_up()
    desk.hang_up(other)
    for each in (leg, other):
        desk.await_fact(f.LegHungUp, leg=each)
    driver.await_empty()


def test_keys_reach_the_other_end_and_come_back_to_nobody(driver: Driver, desk: Desk) -> None:
    """Law 11: the product hears of no digit, its own or another's."""
    driver.phone("1001")
    caller = driver.call_that_hears_keys()
    leg, other, _ = desk.talk()
    driver.let_hear(400)
    desk.send_digits(leg, "42#")
    driver.assert_keys_heard(leg, "42#")
    assert not desk.said(f.InstructionFailed)
    assert not desk.said(f.DigitPressed)
    caller.hang_up()
    for each in (leg, other):
        desk.await_fact(f.LegHungUp, leg=each)
    desk.send_digits(leg, "1")
    assert desk.await_fact(f.InstructionFailed, leg=leg).answer == "Cannot locate session!"
    driver.await_empty()
