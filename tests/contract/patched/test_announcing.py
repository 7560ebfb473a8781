"""An employee number laid over a talk: both hear it, nothing of the talk is lost, and it ends by itself."""

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Driver

SETTLE_MS = 400
ENDS_WITHIN_S = 15
"""The sentence lasts 3 s in the longest of the three languages."""


def test_both_hear_the_number_over_their_talk_until_it_ends_by_itself(driver: Driver, desk: Desk) -> None:
    """Feature 4.2."""
    driver.phone("1001")
    caller = driver.call()
    leg, other, _ = desk.talk()
    with driver.control() as watch:
        watch.subscribe("MEDIA_BUG_START MEDIA_BUG_STOP CHANNEL_UNBRIDGE PLAYBACK_START")
        desk.announce(leg, other)
        for each in (leg, other):
            started = watch.await_event("MEDIA_BUG_START", Unique_ID=each)
            assert started["Media-Bug-Function"] == "displace"
        again = desk.announce(leg, other)
        assert desk.await_fact(f.InstructionFailed, instruction=again).answer.startswith("Cannot displace session")
        for each in (leg, other):
            watch.await_event("MEDIA_BUG_STOP", Unique_ID=each, within_s=ENDS_WITHIN_S)
        assert watch.drain(0.2) == [], "they were not parted, and nothing else was played"
    assert not desk.said(f.InstructionFailed)
    caller.hang_up()
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


def test_a_hold_and_a_resume_work_while_the_number_is_spoken(driver: Driver, desk: Desk) -> None:
    """Features 4.2, 4.3."""
    driver.phone("1001")
    caller = driver.call()
    leg, other, _ = desk.talk()
    driver.let_hear(SETTLE_MS)
    desk.announce(leg, other)
    desk.hold(other)
    desk.await_fact(f.LegHeld, leg=other)
    driver.let_hear(SETTLE_MS)
    desk.resume(other)
    desk.await_fact(f.LegResumed, leg=other)
    caller.hang_up()
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


def test_a_call_that_ends_while_its_number_begins_leaves_no_channel_behind(driver: Driver, desk: Desk) -> None:
    """Feature 4.2, complaint 16: whatever of the two the switch does first."""
    driver.phone("1001")
    for _ in range(10):
        driver.call()
        leg, other, _ = desk.talk()
        desk.announce(leg, other)
        desk.hang_up(leg)
        desk.hang_up(other)
        desk.await_fact(f.LegHungUp, leg=leg)
        desk.await_fact(f.LegHungUp, leg=other)
    driver.await_empty()


def test_a_leg_that_is_gone_hears_nothing_and_the_switch_says_so(driver: Driver, desk: Desk) -> None:
    """Feature 4.2."""
    driver.phone("1001")
    caller = driver.call()
    leg, other, _ = desk.talk()
    caller.hang_up()
    desk.await_fact(f.LegHungUp, leg=leg)
    failed = desk.announce(leg, other)
    assert desk.await_fact(f.InstructionFailed, instruction=failed).answer.startswith("Cannot locate session")
    driver.await_empty()
