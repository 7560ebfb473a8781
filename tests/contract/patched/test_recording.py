"""Recordings under command: masked for a card number, ended while the talk goes on, and what is refused."""

import time
from pathlib import Path

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Driver
from tests.lab.sound import QUIET, length_s, listen

# A frame of 20 ms is written whole, and the switch takes commands between two of them.
EDGE_S = 0.25


def assert_sound(path: str, *, heard: bool, from_s: float, to_s: float) -> None:
    """Both sides are heard in this stretch, or neither: a masked one is silent to the last sample."""
    for side in (0, 1):
        loudness = listen(Path(path), side, from_s=from_s, to_s=to_s).loudness
        assert loudness > QUIET if heard else loudness == 0.0, (side, from_s, to_s, loudness)


def test_what_is_masked_is_silence_on_both_sides_and_the_file_keeps_its_length(driver: Driver, desk: Desk) -> None:
    """Feature 8.1: pause for card numbers. Masked twice is masked; the digits reach nobody meanwhile (law 11)."""
    driver.phone("1001")
    caller = driver.call()
    leg, other, _ = desk.talk()
    desk.record(leg, "card.wav")
    path = desk.await_fact(f.RecordingStarted, leg=leg).path
    assert Path(path).exists(), "a switch that is killed from now on leaves a file"
    began = time.monotonic()
    driver.let_hear(1_500)
    masked_s = time.monotonic() - began
    desk.mask(leg, "card.wav")
    assert desk.await_fact(f.MaskSet, leg=leg).on
    desk.mask(leg, "card.wav")
    assert desk.await_fact(f.MaskSet, leg=leg).on
    driver.press_keys(leg, "4111")
    driver.let_hear(1_500)
    unmasked_s = time.monotonic() - began
    desk.mask(leg, "card.wav", on=False)
    assert not desk.await_fact(f.MaskSet, leg=leg).on
    driver.let_hear(1_500)
    lasted_s = time.monotonic() - began
    caller.hang_up()
    stopped = desk.await_fact(f.RecordingStopped, leg=leg)
    assert stopped.cause.startswith("success")
    assert not desk.said(f.DigitPressed)
    assert abs(length_s(Path(path)) - lasted_s) < EDGE_S
    assert_sound(path, heard=True, from_s=0.4, to_s=masked_s - EDGE_S)
    assert_sound(path, heard=False, from_s=masked_s + EDGE_S, to_s=unmasked_s - EDGE_S)
    assert_sound(path, heard=True, from_s=unmasked_s + EDGE_S, to_s=lasted_s - EDGE_S)
    desk.await_fact(f.LegHungUp, leg=leg)
    desk.await_fact(f.LegHungUp, leg=other)
    driver.await_empty()


def test_a_mask_holds_through_a_repeated_start_and_a_hold(driver: Driver, desk: Desk) -> None:
    """Features 8.1, 12.1: an engine that starts again asks for the same file once more."""
    driver.phone("1001")
    caller = driver.call()
    leg, other, _ = desk.talk()
    desk.record(leg, "kept.wav")
    path = desk.await_fact(f.RecordingStarted, leg=leg).path
    desk.mask(leg, "kept.wav")
    assert desk.await_fact(f.MaskSet, leg=leg).on
    driver.let_hear(500)
    desk.await_fact(f.RecordingSet, leg=leg, file="kept.wav")
    again = desk.record(leg, "kept.wav")
    assert desk.await_fact(f.JobDone, job=again).ok
    desk.await_fact(f.RecordingSet, leg=leg, file="kept.wav")
    assert not desk.said(f.RecordingStarted), "of a repeat no event tells, but its answer"
    desk.hold(other)
    desk.await_fact(f.LegHeld, leg=other)
    driver.let_hear(1_000)
    desk.resume(other)
    desk.await_fact(f.LegResumed, leg=other)
    driver.let_hear(500)
    caller.hang_up()
    desk.await_fact(f.RecordingStopped, leg=leg)
    assert_sound(path, heard=False, from_s=0.5, to_s=length_s(Path(path)))
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


def test_a_recording_that_is_ended_leaves_its_file_while_the_talk_goes_on(driver: Driver, desk: Desk) -> None:
    """Feature 8.1: on demand; the next one has a file of its own."""
    driver.phone("1001")
    caller = driver.call()
    leg, _, _ = desk.talk()
    for file in ("first.wav", "second.wav"):
        desk.record(leg, file)
        path = desk.await_fact(f.RecordingStarted, leg=leg).path
        driver.let_hear(600)
        desk.stop_recording(leg, file)
        assert desk.await_fact(f.RecordingStopped, leg=leg).path == path
        assert length_s(Path(path)) > 0.3
        assert desk.exists(leg)
    caller.hang_up()
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


def test_a_mask_stays_with_its_own_file_when_the_caller_is_parked_and_talks_to_the_next(
    driver: Driver, desk: Desk
) -> None:
    """Features 4.3, 8.1: passed on under a mask. The first file is silent to its end, the second is heard at once."""
    driver.phone("1001")
    driver.phone("1002")
    caller = driver.call()
    leg, other, contact = desk.talk()
    desk.record(leg, "masked.wav")
    first = desk.await_fact(f.RecordingStarted, leg=leg).path
    desk.mask(leg, "masked.wav")
    assert desk.await_fact(f.MaskSet, leg=leg).on
    driver.let_hear(1_000)
    desk.stop_recording(leg, "masked.wav")
    desk.park(leg)
    desk.hang_up(other)
    assert desk.await_fact(f.RecordingStopped, leg=leg).path == first
    desk.await_fact(f.LegParked, leg=leg)
    second = desk.agents_leg("1002", contact)
    desk.bridge(leg, second)
    desk.await_fact(f.LegBridged, leg=leg, other=second)
    desk.record(leg, "heard.wav")
    after = desk.await_fact(f.RecordingStarted, leg=leg).path
    driver.let_hear(1_500)
    caller.hang_up()
    desk.await_fact(f.RecordingStopped, leg=leg)
    assert_sound(first, heard=False, from_s=EDGE_S, to_s=length_s(Path(first)))
    assert_sound(after, heard=True, from_s=0.4, to_s=1.3)
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


def test_what_is_not_recorded_is_neither_masked_nor_ended(driver: Driver, desk: Desk) -> None:
    """Bad input: another path, a file that has ended, a leg that is gone."""
    caller = driver.call()
    leg = desk.parked_caller()
    desk.answer(leg, "c")
    desk.await_fact(f.LegAnswered, leg=leg)
    desk.mask(leg, "none.wav")
    assert desk.await_fact(f.InstructionFailed, leg=leg).answer == "Cannot mask recording session!"
    desk.mask(leg, "none.wav", on=False)
    assert desk.await_fact(f.InstructionFailed, leg=leg).answer == "Cannot unmask recording session!"
    desk.stop_recording(leg, "none.wav")
    assert desk.await_fact(f.InstructionFailed, leg=leg).answer == "Cannot stop record session!"
    caller.hang_up()
    desk.await_fact(f.LegHungUp, leg=leg)
    desk.mask(leg, "none.wav")
    assert desk.await_fact(f.InstructionFailed, leg=leg).answer == "Cannot locate session!"
    driver.await_empty()
