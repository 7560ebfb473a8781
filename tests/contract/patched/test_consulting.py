"""A consultation on the switch: three legs, two of which hear each other, and whoever goes first (feature 4.3)."""

import time
from pathlib import Path
from random import Random

import gevent
import pytest

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Caller, Driver, PhoneEnd
from tests.lab.sound import length_s, listen


class Three:
    """A caller who hears music, the agent, and a colleague whom the agent consults: both talk."""

    def __init__(self, driver: Driver, desk: Desk) -> None:
        self.desk = desk
        self.phones: tuple[PhoneEnd, PhoneEnd] = (driver.phone("1001"), driver.phone("1002"))
        self.one: Caller = driver.call()
        self.caller, self.agent, self.contact = desk.talk()
        desk.keep(self.agent)
        desk.park(self.caller)
        for leg in (self.caller, self.agent):
            desk.await_fact(f.LegParked, leg=leg)
        desk.play(self.caller)
        self.colleague = desk.ring("1002", contact=self.contact, stays=True)
        desk.await_fact(f.LegParked, leg=self.colleague)
        self.join(self.agent, self.colleague)

    def join(self, leg: str, other: str) -> None:
        self.desk.bridge(leg, other)
        self.desk.await_fact(f.LegBridged, fits=lambda fact: {fact.leg, fact.other} == {leg, other})

    def gone(self, *legs: str) -> None:
        for leg in legs:
            self.desk.hang_up(leg)
            self.desk.await_fact(f.LegHungUp, leg=leg)


def test_the_agent_goes_from_one_to_the_other_and_whoever_is_left_is_parked(driver: Driver, desk: Desk) -> None:
    three = Three(driver, desk)
    three.join(three.caller, three.agent)
    desk.await_fact(f.LegParked, leg=three.colleague)
    desk.play(three.colleague)
    three.join(three.agent, three.colleague)
    desk.await_fact(f.LegParked, leg=three.caller)
    three.gone(three.colleague)
    desk.await_fact(f.LegParked, leg=three.agent)
    three.join(three.caller, three.agent)
    three.gone(three.agent, three.caller)
    driver.await_empty()


def test_the_caller_is_joined_with_the_colleague_and_the_agent_is_left(driver: Driver, desk: Desk) -> None:
    three = Three(driver, desk)
    three.join(three.caller, three.colleague)
    desk.await_fact(f.LegParked, leg=three.agent)
    three.gone(three.agent)
    assert desk.exists(three.caller)
    assert desk.exists(three.colleague)
    three.gone(three.colleague, three.caller)
    driver.await_empty()


def test_the_callers_recording_goes_on_with_the_music_and_never_has_what_agent_and_colleague_say(
    driver: Driver, desk: Desk
) -> None:
    """Feature 8.1: one file, whichever two of the three are joined, and a mask stays on through all of it."""
    three = Three(driver, desk)
    desk.record(three.caller, "consulted.wav")
    path = desk.await_fact(f.RecordingStarted, leg=three.caller).path
    began = time.monotonic()
    driver.let_hear(2_000)
    three.join(three.caller, three.agent)
    joined_s = time.monotonic() - began
    driver.let_hear(2_000)
    desk.mask(three.caller, "consulted.wav")
    assert desk.await_fact(f.MaskSet, leg=three.caller).on
    three.join(three.agent, three.colleague)
    desk.await_fact(f.LegParked, leg=three.caller)
    desk.play(three.caller)
    driver.let_hear(1_500)
    three.join(three.caller, three.agent)
    driver.let_hear(1_000)
    assert not desk.said(f.RecordingStopped)
    three.one.hang_up()
    assert desk.await_fact(f.RecordingStopped, leg=three.caller).path == path
    driver.assert_recorded(path, left=1_000, right="music", from_s=0.5, to_s=1.5)
    driver.assert_recorded(path, left=1_000, right=500, from_s=joined_s + 0.8, to_s=joined_s + 1.5)
    lasted_s = length_s(Path(path))
    for side in (0, 1):
        assert listen(Path(path), side, from_s=lasted_s - 2.0, to_s=lasted_s).loudness == 0.0
    three.gone(three.agent, three.colleague)
    driver.await_empty()


@pytest.mark.parametrize("who", (0, 1))
def test_whoever_of_the_two_hangs_up_the_other_is_parked_and_the_caller_stays(
    driver: Driver, desk: Desk, who: int
) -> None:
    three = Three(driver, desk)
    legs = (three.agent, three.colleague)
    three.phones[who].hang_up()
    desk.await_fact(f.LegHungUp, leg=legs[who])
    desk.await_fact(f.LegParked, leg=legs[1 - who])
    three.join(three.caller, legs[1 - who])
    three.gone(legs[1 - who], three.caller)
    driver.await_empty()


def test_both_ends_of_a_consultation_hang_up_in_the_same_tick_and_the_caller_stays(driver: Driver, desk: Desk) -> None:
    """Complaint 13: Wazo needed seven pull requests for this."""
    three = Three(driver, desk)
    desk.hang_up(three.agent)
    desk.hang_up(three.colleague)
    for leg in (three.agent, three.colleague):
        desk.await_fact(f.LegHungUp, leg=leg)
    assert desk.exists(three.caller)
    three.gone(three.caller)
    driver.await_empty()


def test_the_colleague_hangs_up_as_the_caller_is_joined_with_them_and_the_caller_stays(
    driver: Driver, desk: Desk
) -> None:
    """Complaint 13: complete, while the consultant hangs up: the window between uuid_bridge and CHANNEL_BRIDGE."""
    three = Three(driver, desk)
    bridge = desk.bridge(three.caller, three.colleague)
    desk.hang_up(three.colleague)
    desk.await_fact(f.LegHungUp, leg=three.colleague)
    desk.await_fact(f.LegParked, leg=three.agent)
    if desk.await_fact(f.JobDone, job=bridge).ok:  # otherwise the hang-up overtook it, and the caller was left alone
        desk.await_fact(f.LegParked, leg=three.caller)
    assert desk.exists(three.caller)
    three.gone(three.agent, three.caller)
    driver.await_empty()


TRIES, SPREAD_S = 15, 0.06


@pytest.mark.slow
def test_race_a_colleague_who_hangs_up_while_being_joined_and_the_agent_is_joined_once_they_are_parked(
    driver: Driver, desk: Desk
) -> None:
    """Complaint 13, the window between uuid_bridge and CHANNEL_BRIDGE: told of the next bridge before the agent's leg
    says that it is parked, both switches cancel the first one after it; told once more then, they hang the agent up.
    """
    driver.phone("1001")
    driver.phone("1002")
    driver.call()
    caller, agent, contact = desk.talk()
    desk.keep(agent)
    dice = Random(7)
    met = 0
    for _ in range(TRIES):
        desk.park(caller)
        for leg in (caller, agent):
            desk.await_fact(f.LegParked, leg=leg)
        colleague = desk.ring("1002", contact=contact, stays=True)
        desk.await_fact(f.LegParked, leg=colleague)
        desk.facts.clear()
        bridge = desk.bridge(agent, colleague)
        gevent.sleep(dice.uniform(0, SPREAD_S))
        desk.hang_up(colleague)
        desk.await_fact(f.LegHungUp, leg=colleague)
        met += not desk.said(f.LegBridged)
        if desk.await_fact(f.JobDone, job=bridge).ok:
            desk.await_fact(f.LegParked, leg=agent)
        desk.bridge(caller, agent)
        desk.await_fact(f.LegBridged, leg=caller, within_s=3.0)
        assert {leg.leg: leg.bridged_to for leg in desk.snapshot().legs} == {caller: agent, agent: caller}
    assert met > 0, "the race was never met: this test tested nothing"
    for leg in (agent, caller):
        desk.hang_up(leg)
        desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()
