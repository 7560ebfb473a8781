"""Several lines of one phone: a caller on hold, another in conversation, and who survives whom (feature 3.8)."""

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Caller, Driver

SETTLE_MS = 400
"""As in the tests of hold and resume: sooner, a real switch does harm."""


def two_lines(driver: Driver, desk: Desk) -> tuple[tuple[Caller, str, str], tuple[Caller, str, str]]:
    """One caller on hold at phone 1001, another talking with it: each with its leg and the phone's."""
    one = driver.call()
    leg, line, _ = desk.talk()
    driver.let_hear(SETTLE_MS)
    desk.hold(line)
    desk.await_fact(f.LegHeld, leg=line)
    two = driver.call()
    other, second, _ = desk.talk()
    return (one, leg, line), (two, other, second)


def test_a_second_line_of_a_phone_leaves_the_first_on_hold(driver: Driver, desk: Desk) -> None:
    driver.phone("1001")
    (one, leg, line), (two, other, second) = two_lines(driver, desk)
    assert line != second
    seen = {each.leg: each for each in desk.snapshot().legs}
    assert (seen[line].held, seen[second].held) == (True, False)
    assert (seen[leg].bridged_to, seen[other].bridged_to) == (line, second)
    assert {seen[line].phone, seen[second].phone} == {"1001"}
    assert {seen[leg].phone, seen[other].phone} == {""}
    for caller, gone in ((two, other), (one, leg)):
        caller.hang_up()
        desk.await_fact(f.LegHungUp, leg=gone)
    driver.await_empty()


def test_switching_lines_lets_one_caller_hear_music_and_the_other_the_agent(driver: Driver, desk: Desk) -> None:
    """Held first, resumed then: nobody hears the wrong one."""
    driver.phone("1001")
    (one, leg, line), (two, other, second) = two_lines(driver, desk)
    driver.let_hear(SETTLE_MS)
    desk.hold(second)
    desk.await_fact(f.LegHeld, leg=second)
    driver.let_hear(SETTLE_MS)
    desk.resume(line)
    desk.await_fact(f.LegResumed, leg=line)
    driver.let_hear(SETTLE_MS)
    desk.record(leg, "resumed.wav")
    desk.record(other, "held.wav")
    resumed = desk.await_fact(f.RecordingStarted, leg=leg).path
    held = desk.await_fact(f.RecordingStarted, leg=other).path
    driver.let_hear(1_500)
    for caller, gone in ((one, leg), (two, other)):
        caller.hang_up()
        desk.await_fact(f.RecordingStopped, leg=gone)
        desk.await_fact(f.LegHungUp, leg=gone)
    driver.assert_recorded(resumed, left=1_000, right=500, from_s=0.4, to_s=1.3)
    driver.assert_recorded(held, left=1_000, right="music", from_s=0.4, to_s=1.3)
    driver.await_empty()


def test_the_line_whose_caller_hangs_up_goes_alone_whichever_it_is(driver: Driver, desk: Desk) -> None:
    driver.phone("1001")
    for first_to_go in (0, 1):
        lines = two_lines(driver, desk)
        goes, stays = lines[first_to_go], lines[1 - first_to_go]
        goes[0].hang_up()
        desk.await_fact(f.LegHungUp, leg=goes[2])
        assert desk.exists(stays[1])
        assert desk.exists(stays[2])
        desk.hang_up(stays[2])
        desk.await_fact(f.LegParked, leg=stays[1])
        desk.hang_up(stays[1])
        desk.await_fact(f.LegHungUp, leg=stays[1])
        driver.await_empty()


def test_two_lines_of_a_phone_may_ring_at_once_and_end_one_by_one(driver: Driver, desk: Desk) -> None:
    driver.phone("1001", "rings")
    legs = [desk.ring("1001", contact=desk.next_id()) for _ in range(2)]
    for leg in legs:
        desk.await_fact(f.LegRinging, leg=leg)
    desk.hang_up(legs[0])
    desk.await_fact(f.LegHungUp, leg=legs[0])
    assert desk.exists(legs[1])
    desk.hang_up(legs[1])
    desk.await_fact(f.LegHungUp, leg=legs[1])
    driver.await_empty()


def test_a_caller_who_hangs_up_while_it_is_put_on_hold_leaves_the_other_line_to_be_resumed(
    driver: Driver, desk: Desk
) -> None:
    """A switch of lines meets a hang-up: at every moment of it the other caller can be talked with again."""
    driver.phone("1001")
    for after_ms in (0, 20, 60):
        (one, leg, line), (two, other, second) = two_lines(driver, desk)
        driver.let_hear(SETTLE_MS)
        desk.hold(second)
        driver.let_hear(after_ms)
        two.hang_up()
        desk.await_fact(f.LegHungUp, leg=second)
        desk.await_fact(f.LegHungUp, leg=other)
        desk.resume(line)
        desk.await_fact(f.LegResumed, leg=line)
        assert desk.exists(leg)
        one.hang_up()
        desk.await_fact(f.LegHungUp, leg=leg)
        driver.await_empty()
        desk.facts.clear()
