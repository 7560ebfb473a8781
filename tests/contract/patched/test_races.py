"""The instant between the agent's answer and the bridge, where somebody may leave: nothing survives, nobody is lost."""

from random import Random

import gevent
import pytest

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Driver

TRIES = 15
SPREAD_S = 0.05
"""A bridge takes a real switch 20 to 45 ms (two states of two legs, looked at every 20 ms): the other end leaves at a
moment drawn from just before to just after that."""


def _caller_and_agent(desk: Desk) -> tuple[str, str]:
    contact = desk.next_id()
    leg = desk.parked_caller()
    desk.answer(leg, contact)
    desk.play(leg)
    desk.await_fact(f.LegAnswered, leg=leg)
    return leg, desk.agents_leg("1001", contact)


@pytest.mark.slow
def test_a_caller_who_leaves_before_the_bridge_leaves_no_ghost(driver: Driver, desk: Desk) -> None:
    """Complaint 5. The agent's leg lives on alone, without news of it: it is ours to hang up."""
    driver.phone("1001")
    dice = Random(5)
    left_alone = 0
    for _ in range(TRIES):
        desk.facts.clear()
        caller = driver.call()
        leg, other = _caller_and_agent(desk)
        wait = dice.uniform(-SPREAD_S / 4, SPREAD_S)
        if wait < 0:
            caller.hang_up()
            gevent.sleep(-wait)
            desk.bridge(leg, other)
        else:
            desk.bridge(leg, other)
            gevent.sleep(wait)
            caller.hang_up()
        desk.await_fact(f.LegHungUp, leg=leg)
        if desk.exists(other):
            left_alone += 1
            desk.hang_up(other)
        desk.await_fact(f.LegHungUp, leg=other)
        driver.await_empty()
    assert left_alone > 0, "the race was never met: this test tested nothing"


@pytest.mark.slow
def test_an_agent_who_leaves_before_the_bridge_does_not_cost_the_caller_its_place(driver: Driver, desk: Desk) -> None:
    """Without uuid_bridge_park_on_cancel a real switch hangs up one caller in three here."""
    phone = driver.phone("1001")
    dice = Random(6)
    before_bridge = 0
    for _ in range(TRIES):
        desk.facts.clear()
        caller = driver.call()
        leg, other = _caller_and_agent(desk)
        wait = dice.uniform(-SPREAD_S / 4, SPREAD_S)
        if wait < 0:
            phone.hang_up()
            gevent.sleep(-wait)
            desk.bridge(leg, other)
        else:
            desk.bridge(leg, other)
            gevent.sleep(wait)
            phone.hang_up()
        desk.await_fact(f.LegHungUp, leg=other)
        assert desk.exists(leg)
        desk.play(leg)  # it waits again, in silence until then
        assert desk.exists(leg)
        before_bridge += not desk.said(f.LegBridged, leg=leg)
        caller.hang_up()
        desk.await_fact(f.LegHungUp, leg=leg)
        driver.await_empty()
    assert before_bridge > 0, "the race was never met: this test tested nothing"


@pytest.mark.slow
def test_a_caller_who_leaves_while_the_phone_rings_leaves_a_leg_that_we_end(driver: Driver, desk: Desk) -> None:
    driver.phone("1001", "rings")
    for _ in range(3):
        caller = driver.call()
        leg = desk.parked_caller()
        desk.answer(leg, "c")
        other = desk.ring("1001", contact="c")
        desk.await_fact(f.LegRinging, leg=other)
        caller.hang_up()
        desk.await_fact(f.LegHungUp, leg=leg)
        assert desk.exists(other), "the two legs know nothing of each other yet"
        desk.hang_up(other)
        desk.await_fact(f.LegHungUp, leg=other)
        driver.await_empty()
