"""A caller who is let in, or not, before anybody's phone rings: notices, answering late, refusing without an answer."""

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Driver
from tests.lab.control import Control
from tests.lab.patience import until

NOTICE = "notice_weather.wav"


def played(control: Control, seen: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What has begun and ended to be played so far, by file."""
    news = control.drain(0.05)
    seen += [(event["Event-Name"], event["Playback-File-Path"].rpartition("/")[2]) for event in news]
    return seen


def test_a_notice_is_heard_once_and_then_the_music_goes_on(driver: Driver, desk: Desk) -> None:
    """Feature 2.6: the call does not end with it."""
    caller = driver.call()
    leg = desk.parked_caller()
    seen: list[tuple[str, str]] = []
    with driver.control() as control:
        control.subscribe("PLAYBACK_START PLAYBACK_STOP")
        desk.answer(leg, "c")
        desk.notice(leg)
        desk.play(leg)
        desk.await_fact(f.LegAnswered, leg=leg)
        until(lambda: len(played(control, seen)) >= 3, "the music after the notice", within_s=30)
    assert seen == [("PLAYBACK_START", NOTICE), ("PLAYBACK_STOP", NOTICE), ("PLAYBACK_START", "ringledger")]
    desk.record(leg, "after-the-notice.wav")
    path = desk.await_fact(f.RecordingStarted, leg=leg).path
    driver.let_hear(1_000)
    caller.hang_up()
    desk.await_fact(f.RecordingStopped, leg=leg)
    driver.assert_recorded(path, left=1_000, right="music")
    driver.await_empty()


def test_an_agent_who_answers_during_a_notice_is_joined_at_once(driver: Driver, desk: Desk) -> None:
    """Nobody waits for the end of a prompt with an agent on the line."""
    driver.phone("1001")
    caller = driver.call()
    leg = desk.parked_caller()
    desk.answer(leg, "c")
    desk.notice(leg)
    desk.play(leg)
    desk.await_fact(f.LegAnswered, leg=leg)
    other = desk.agents_leg("1001", "c")
    desk.bridge(leg, other)
    desk.await_fact(f.LegBridged, leg=leg, other=other, within_s=2)
    caller.hang_up()
    driver.await_empty()


def test_a_caller_hears_music_unanswered_until_the_bridge_answers_it(driver: Driver, desk: Desk) -> None:
    """Issue 4, admission: billing begins only with an agent."""
    driver.phone("1001")
    caller = driver.call()
    leg = desk.parked_caller()
    desk.claim(leg, "c-late")
    desk.play(leg)
    desk.record(leg, "unanswered.wav")
    path = desk.await_fact(f.RecordingStarted, leg=leg).path
    driver.let_hear(1_000)
    other = desk.agents_leg("1001", "c-late")
    assert not desk.said(f.LegAnswered, leg=leg), "music alone answers nobody"
    desk.bridge(leg, other)
    assert desk.await_fact(f.LegAnswered, leg=leg).contact == "c-late"
    desk.await_fact(f.LegBridged, leg=leg, other=other)
    assert desk.exists(leg)
    assert desk.exists(other)
    driver.let_hear(500)
    caller.hang_up()
    desk.await_fact(f.RecordingStopped, leg=leg)
    driver.assert_recorded(path, left=None, right="music", to_s=0.9)
    driver.await_empty()


def test_a_caller_is_answered_in_the_middle_of_the_music(driver: Driver, desk: Desk) -> None:
    """Issue 4, admission: answered after a while."""
    caller = driver.call()
    leg = desk.parked_caller()
    desk.claim(leg, "c")
    desk.play(leg)
    driver.let_hear(500)
    assert not desk.said(f.LegAnswered, leg=leg)
    desk.answer(leg, "c")
    desk.await_fact(f.LegAnswered, leg=leg, within_s=2)
    desk.record(leg, "answered-late.wav")
    path = desk.await_fact(f.RecordingStarted, leg=leg).path
    driver.let_hear(1_000)
    caller.hang_up()
    desk.await_fact(f.RecordingStopped, leg=leg)
    driver.assert_recorded(path, left=1_000, right="music")
    driver.await_empty()


def test_a_refused_caller_is_never_answered_and_told_why(driver: Driver, desk: Desk) -> None:
    """Feature 5.5: nothing rings and nothing is billed."""
    for cause in ("CALL_REJECTED", "SWITCH_CONGESTION", "NORMAL_CIRCUIT_CONGESTION"):
        driver.call()
        leg = desk.parked_caller()
        desk.hang_up(leg, cause)
        assert desk.await_fact(f.LegHungUp, leg=leg).cause == cause
    assert not desk.said(f.LegAnswered)
    driver.await_empty()


def test_the_switch_says_from_where_a_call_comes(driver: Driver, desk: Desk) -> None:
    """Feature 1.1: trunk groups are told apart by address, too."""
    caller = driver.call()
    parked = desk.await_fact(f.LegParked, inbound=True)
    assert parked.host == "127.0.0.1"
    (seen,) = desk.snapshot().legs
    assert seen.host == "127.0.0.1"
    caller.hang_up()
    driver.await_empty()
