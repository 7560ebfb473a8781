"""Three in one room of the switch: who hears whom, who goes first, and how two are joined by a bridge again."""

import time
from pathlib import Path

import pytest

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Driver
from tests.contract.patched.test_consulting import Three
from tests.lab.sound import AGENT_HZ, CALLER_HZ, listen

EDGE_S = 0.3


def bring_together(three: Three, room: str) -> tuple[str, str, str]:
    """All three are in the room."""
    legs = (three.caller, three.agent, three.colleague)
    for leg in legs:
        three.desk.confer(leg, room)
    for leg in legs:
        three.desk.await_fact(f.ConferenceChanged, leg=leg, conference=room, action="add-member")
    return legs


def test_all_three_hear_each_other_and_the_callers_recording_goes_on(driver: Driver, desk: Desk) -> None:
    """Features 4.3, 8.1: what the caller hears in the room is what both others say."""
    three = Three(driver, desk)
    desk.record(three.caller, "together.wav")
    path = Path(desk.await_fact(f.RecordingStarted, leg=three.caller).path)
    began = time.monotonic()
    bring_together(three, "room-heard")
    both_s = time.monotonic() - began
    seen = {leg.leg: leg for leg in desk.snapshot().legs}
    assert {seen[leg].room for leg in (three.caller, three.agent, three.colleague)} == {"room-heard"}
    assert not any(leg.parked or leg.bridged_to for leg in seen.values())
    driver.let_hear(1_200)
    one_s = time.monotonic() - began
    desk.mute(three.agent)
    driver.let_hear(1_200)
    none_s = time.monotonic() - began
    desk.mute(three.colleague)
    driver.let_hear(1_200)
    over_s = time.monotonic() - began
    three.gone(three.colleague, three.agent, three.caller)
    desk.await_fact(f.RecordingStopped, leg=three.caller)
    if driver.has_sound:
        both, one, none = (
            listen(path, 1, from_s=from_s + EDGE_S, to_s=to_s - EDGE_S)
            for from_s, to_s in ((both_s, one_s), (one_s, none_s), (none_s, over_s))
        )
        assert both.dominant == one.dominant == AGENT_HZ, "first both of them, then the colleague alone"
        assert none.silent
        assert listen(path, 0, from_s=both_s + EDGE_S, to_s=over_s - EDGE_S).dominant == CALLER_HZ
    driver.await_empty()


@pytest.mark.parametrize("first", (0, 1, 2))
def test_whoever_goes_first_the_two_who_are_left_are_joined_by_a_bridge(driver: Driver, desk: Desk, first: int) -> None:
    three = Three(driver, desk)
    legs = bring_together(three, f"room-{first}")
    if first:
        three.phones[first - 1].hang_up()
    else:
        three.one.hang_up()
    desk.await_fact(f.LegHungUp, leg=legs[first])
    left, other = (leg for leg in legs if leg != legs[first])
    three.join(left, other)
    three.gone(left, other)
    driver.await_empty()


def test_two_talk_alone_for_a_while_and_the_third_hears_music_until_they_are_together_again(
    driver: Driver, desk: Desk
) -> None:
    three = Three(driver, desk)
    bring_together(three, "room-again")
    desk.park(three.colleague)
    three.join(three.caller, three.agent)
    desk.await_fact(f.LegParked, leg=three.colleague)
    desk.play(three.colleague)
    legs = bring_together(three, "room-again")
    three.gone(*legs)
    driver.await_empty()


def test_all_hang_up_in_the_same_tick_as_they_are_brought_together(driver: Driver, desk: Desk) -> None:
    """Complaint 13: nothing is left of a room into which nobody came."""
    three = Three(driver, desk)
    legs = (three.caller, three.agent, three.colleague)
    for leg in legs:
        desk.confer(leg, "room-nobody")
    for leg in legs:
        desk.hang_up(leg)
    for leg in legs:
        desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()
