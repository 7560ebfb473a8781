"""A supervisor on the switch: listens, whispers, barges in, takes over; nobody else is touched (features 1.2, 8.3)."""

from itertools import pairwise
from pathlib import Path

import pytest

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Driver, PhoneEnd
from tests.lab.patience import until
from tests.lab.sound import AGENT_HZ, CALLER_HZ, listen

SUPERVISOR_HZ = 700
ALL_HZ = (AGENT_HZ, SUPERVISOR_HZ, CALLER_HZ)
# Of one tone among others: less of a stretch's energy than this is none of it.
TRACE, PART = 0.02, 0.1


class Monitored:
    """Caller and agent talk, and a supervisor, who says a tone of their own, hears it."""

    def __init__(self, driver: Driver, desk: Desk, mode: str = "listen") -> None:
        self.desk = desk
        driver.phone("1001")
        self.phone: PhoneEnd = driver.phone("1003", hertz=SUPERVISOR_HZ)
        self.one = driver.call()
        self.caller, self.agent, self.contact = desk.talk()
        self.supervisor = desk.ring("1003", contact=self.contact)
        desk.await_fact(f.LegParked, leg=self.supervisor)
        self.hear(mode)

    def hear(self, mode: str) -> None:
        self.desk.eavesdrop(self.supervisor, self.agent, mode)
        self.desk.await_fact(f.EavesdropSet, leg=self.supervisor, mode=mode)

    def steer(self, mode: str) -> None:
        self.desk.steer(self.supervisor, mode)
        self.desk.await_fact(f.EavesdropSet, leg=self.supervisor, mode=mode)

    def gone(self, *legs: str) -> None:
        for leg in legs:
            self.desk.hang_up(leg)
            self.desk.await_fact(f.LegHungUp, leg=leg)


def test_a_whisper_is_on_no_track_of_the_caller_and_a_barge_is_what_both_hear(driver: Driver, desk: Desk) -> None:
    """Complaint 14, by samples: the file of the caller's leg has what they say and hear, and nothing of a whisper."""
    it = Monitored(driver, desk)
    files = {leg: f"{name}.wav" for leg, name in ((it.caller, "heard-by-caller"), (it.agent, "heard-by-agent"))}
    paths = {}
    for leg, file in files.items():
        desk.record(leg, file)
        paths[leg] = Path(desk.await_fact(f.RecordingStarted, leg=leg).path)
    for mode in ("listen", "whisper", "barge", "listen"):
        it.steer(mode)
        driver.let_hear(1_500)
    it.gone(it.supervisor)
    assert not desk.said(f.RecordingStopped)
    driver.let_hear(200)
    assert desk.exists(it.caller)
    assert desk.exists(it.agent)
    it.gone(it.caller)
    desk.await_fact(f.RecordingStopped, leg=it.caller)
    if driver.has_sound:
        by_caller = [_share(paths[it.caller], 1, place) for place in range(4)]
        by_agent = [_share(paths[it.agent], 0, place) for place in range(4)]  # one channel, of both directions
        assert [share > PART for share in by_caller] == [False, False, True, False], by_caller
        assert [share > PART for share in by_agent] == [False, True, True, False], by_agent
        assert max(by_caller[0], by_caller[1], by_caller[3], by_agent[0], by_agent[3]) < TRACE
        assert max(_share(paths[it.caller], 0, place) for place in range(4)) < TRACE
        driver.assert_recorded(str(paths[it.caller]), left=CALLER_HZ, right=AGENT_HZ, from_s=1.8, to_s=2.8)
    driver.await_empty()


def _share(path: Path, side: int, place: int) -> float:
    """How much of the supervisor's tone this side has in the middle of the stretch at this place."""
    begin = 1.5 * place + 0.4
    return listen(path, side, from_s=begin, to_s=begin + 0.8, for_hz=ALL_HZ).share[SUPERVISOR_HZ]


def test_the_supervisor_hears_both_and_keys_of_their_own_phone_change_nothing(driver: Driver, desk: Desk) -> None:
    """Nobody is heard by a key that the log knows nothing of."""
    it = Monitored(driver, desk)
    desk.record(it.supervisor, "heard-by-supervisor.wav")
    mine = Path(desk.await_fact(f.RecordingStarted, leg=it.supervisor).path)
    desk.record(it.caller, "undisturbed.wav")
    theirs = Path(desk.await_fact(f.RecordingStarted, leg=it.caller).path)
    driver.press_keys(it.supervisor, "3")
    driver.let_hear(2_000)
    it.gone(it.supervisor, it.caller)
    if driver.has_sound:
        heard = listen(mine, 0, from_s=0.5, to_s=1.5, for_hz=ALL_HZ)
        assert min(heard.share[AGENT_HZ], heard.share[CALLER_HZ]) > PART
        assert listen(theirs, 1, from_s=0.5, to_s=1.5, for_hz=ALL_HZ).share[SUPERVISOR_HZ] < TRACE
    driver.await_empty()


@pytest.mark.parametrize("who", ("caller", "agent"))
def test_when_the_talk_ends_the_supervisors_leg_is_left_parked_and_in_no_bridge(
    driver: Driver, desk: Desk, who: str
) -> None:
    it = Monitored(driver, desk, "whisper")
    it.gone(it.caller if who == "caller" else it.agent)
    if who == "caller":
        desk.await_fact(f.LegHungUp, leg=it.agent)
    assert desk.exists(it.supervisor)

    def seen() -> f.SeenLeg | None:  # the list lags behind
        return next((each for each in desk.snapshot().legs if each.leg == it.supervisor), None)

    left = until(seen, "the supervisor's leg to be listed")
    assert left.answered
    assert left.bridged_to == ""
    it.gone(it.supervisor)
    if who == "agent":
        it.gone(it.caller)
    driver.await_empty()


def test_hold_and_resume_of_the_agent_go_on_below_whoever_listens(driver: Driver, desk: Desk) -> None:
    it = Monitored(driver, desk, "whisper")
    driver.let_hear(400)
    desk.hold(it.agent)
    desk.await_fact(f.LegHeld, leg=it.agent)
    driver.let_hear(400)
    desk.resume(it.agent)
    desk.await_fact(f.LegResumed, leg=it.agent)
    it.steer("listen")
    it.gone(it.supervisor)
    assert desk.exists(it.caller)
    it.gone(it.caller)
    driver.await_empty()


def test_the_supervisor_takes_over_and_the_callers_recording_goes_on_without_a_gap(driver: Driver, desk: Desk) -> None:
    """Feature 8.3; complaint 14: one file, the agent until then, the supervisor from then on."""
    it = Monitored(driver, desk)
    desk.record(it.caller, "taken-over.wav")
    path = Path(desk.await_fact(f.RecordingStarted, leg=it.caller).path)
    driver.let_hear(1_500)
    desk.bridge(it.caller, it.supervisor)
    desk.await_fact(f.LegBridged, fits=lambda fact: {fact.leg, fact.other} == {it.caller, it.supervisor})
    desk.await_fact(f.LegHungUp, leg=it.agent)
    driver.let_hear(1_500)
    assert not desk.said(f.RecordingStopped)
    it.gone(it.caller)
    desk.await_fact(f.LegHungUp, leg=it.supervisor)
    if driver.has_sound:
        assert listen(path, 1, from_s=0.4, to_s=1.3, for_hz=ALL_HZ).dominant == AGENT_HZ
        assert listen(path, 1, from_s=2.2, to_s=2.8, for_hz=ALL_HZ).dominant == SUPERVISOR_HZ
        spoken = [listen(path, 0, from_s=at / 10, to_s=at / 10 + 0.1, for_hz=ALL_HZ).silent for at in range(4, 28)]
        assert not any(first and then for first, then in pairwise(spoken))  # never 0.2 s without the caller
    driver.await_empty()


def test_the_supervisors_phone_dies_as_they_take_over_and_the_caller_stays(driver: Driver, desk: Desk) -> None:
    """The window between uuid_bridge and CHANNEL_BRIDGE, as of every join."""
    it = Monitored(driver, desk)
    desk.bridge(it.caller, it.supervisor)
    it.gone(it.supervisor)
    desk.park(it.caller)
    desk.await_fact(f.LegParked, leg=it.caller)
    desk.await_fact(f.LegHungUp, leg=it.agent)
    assert desk.exists(it.caller)
    it.gone(it.caller)
    driver.await_empty()


def test_a_talk_that_is_over_is_heard_by_nobody_and_the_supervisors_leg_stays_parked(
    driver: Driver, desk: Desk
) -> None:
    it = Monitored(driver, desk)
    it.gone(it.caller)
    desk.await_fact(f.LegHungUp, leg=it.agent)
    it.hear("barge")
    assert desk.exists(it.supervisor)
    it.gone(it.supervisor)
    driver.await_empty()
