"""What an agent hears who has dialled a number, until it is answered: the ringing tone, or what the far end sends.

Feature 1.2. By samples on a switch that has sound: what the agent's leg is sent, on a channel of its own.
"""

from itertools import pairwise
from pathlib import Path

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import SLOW_MS, Driver
from tests.lab.sound import CALLER_HZ, listen, stretches

NUMBER = "+8675512345678"
RINGING_HZ = 450
TO_THE_PHONE = 1
"""The channel of a stereo recording on which what the switch sends is written."""


def _listen_at(driver: Driver, desk: Desk, agent: str) -> str:
    """Record what the agent's leg sends and hears, apart; the file."""
    with driver.control() as control:
        control.api(f"uuid_setvar {agent} RECORD_STEREO true")
    desk.record(agent, f"{agent}.wav")
    return desk.await_fact(f.RecordingStarted, leg=agent).path


def _finish(driver: Driver, desk: Desk, agent: str, leg: str) -> None:
    desk.hang_up(leg)
    desk.hang_up(agent)
    desk.await_fact(f.RecordingStopped, leg=agent)
    driver.await_empty()


def test_the_agent_hears_the_ringing_tone_until_the_number_answers(driver: Driver, desk: Desk) -> None:
    driver.outside(NUMBER, "slow")
    driver.phone("1001")
    agent = desk.agents_leg("1001", contact="c-1")
    path = _listen_at(driver, desk, agent)
    leg = desk.dial(NUMBER, contact="c-1", early=True)
    desk.await_fact(f.LegRinging, leg=leg)
    desk.let_hear_ringing(agent)
    parked = desk.await_fact(f.LegParked, leg=leg)
    assert not parked.early
    desk.bridge(leg, agent)
    desk.await_fact(f.LegBridged, leg=leg, other=agent)
    driver.let_hear(1_500)
    _finish(driver, desk, agent, leg)
    if driver.has_sound:
        tones = stretches(Path(path), TO_THE_PHONE, RINGING_HZ)
        assert len(tones) == 1, tones
        (begin, length), rest = tones[0], SLOW_MS / 1_000
        assert 0.85 <= length <= 1.15, f"one second of five: {tones}"
        heard = listen(Path(path), TO_THE_PHONE, from_s=begin + 0.2, to_s=begin + 0.8, for_hz=(RINGING_HZ, 500))
        assert heard.dominant == RINGING_HZ, heard
        assert listen(Path(path), TO_THE_PHONE, from_s=begin + rest + 0.5).silent, "the tone goes on over the talk"


def test_the_agent_hears_what_the_far_end_sends_before_it_answers(driver: Driver, desk: Desk) -> None:
    driver.outside(NUMBER, "early")
    driver.phone("1001")
    agent = desk.agents_leg("1001", contact="c-1")
    path = _listen_at(driver, desk, agent)
    leg = desk.dial(NUMBER, contact="c-1", early=True)
    assert desk.await_fact(f.LegParked, leg=leg).early
    desk.bridge(agent, leg)
    desk.await_fact(f.LegBridged, leg=agent, other=leg)
    assert not desk.said(f.LegAnswered, leg=leg)
    desk.await_fact(f.LegAnswered, leg=leg)
    desk.bridge(leg, agent)
    desk.await_fact(f.LegBridged, leg=leg, other=agent)
    driver.let_hear(1_500)
    _finish(driver, desk, agent, leg)
    if driver.has_sound:
        tones = stretches(Path(path), TO_THE_PHONE, CALLER_HZ)
        assert tones[0][1] >= SLOW_MS / 1_000 - 1.0, f"before the answer: {tones}"
        assert sum(length for _, length in tones) >= SLOW_MS / 1_000 + 0.5, f"and after it: {tones}"
        gaps = [after[0] - (before[0] + before[1]) for before, after in pairwise(tones)]
        assert all(gap <= 0.3 for gap in gaps), f"the joining is short: {tones}"


def test_a_far_end_that_goes_while_it_is_heard_takes_the_agents_leg_along(driver: Driver, desk: Desk) -> None:
    """By the switch, for the same cause, and not by the agent's phone: what `dialling.put_down` goes by."""
    driver.outside(NUMBER, "early")
    driver.phone("1001")
    agent = desk.agents_leg("1001", contact="c-1")
    leg = desk.dial(NUMBER, contact="c-1", early=True)
    desk.await_fact(f.LegParked, leg=leg, early=True)
    desk.bridge(agent, leg)
    desk.await_fact(f.LegBridged, leg=agent, other=leg)
    desk.hang_up(leg, "USER_BUSY")
    desk.await_fact(f.LegHungUp, leg=leg)
    gone = desk.await_fact(f.LegHungUp, leg=agent)
    assert (gone.cause, gone.by_far_end) == ("USER_BUSY", False)
    driver.await_empty()


def test_an_agent_who_puts_down_while_the_far_end_is_heard_leaves_its_leg_parked(driver: Driver, desk: Desk) -> None:
    driver.outside(NUMBER, "early")
    phone = driver.phone("1001")
    agent = desk.agents_leg("1001", contact="c-1")
    leg = desk.dial(NUMBER, contact="c-1", early=True)
    desk.await_fact(f.LegParked, leg=leg, early=True)
    desk.bridge(agent, leg)
    desk.await_fact(f.LegBridged, leg=agent, other=leg)
    phone.hang_up()
    assert desk.await_fact(f.LegHungUp, leg=agent).by_far_end
    desk.await_fact(f.LegParked, leg=leg)
    desk.hang_up(leg)
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()
