"""The switch as a whole: snapshots, heartbeats, a lost event socket, a restart."""

import pytest

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Driver
from tests.lab.patience import until


def test_a_snapshot_shows_a_talk_a_hold_and_a_waiting_caller_as_they_are(driver: Driver, desk: Desk) -> None:
    driver.phone("1001")
    talker = driver.call("4001")
    leg, other, contact = desk.talk("1001", "4001")
    waiter = driver.call("4002", number="+4930123456", name=b'"Grace" ')
    waiting = desk.parked_caller("4002")
    desk.answer(waiting, "c-2")
    desk.play(waiting)
    desk.await_fact(f.LegAnswered, leg=waiting)
    seen = {one.leg: one for one in desk.snapshot().legs}
    assert set(seen) == {leg, other, waiting}
    assert (seen[leg].bridged_to, seen[leg].parked, seen[leg].contact) == (other, False, contact)
    assert (seen[other].bridged_to, seen[other].inbound, seen[other].contact) == (leg, False, contact)
    assert seen[other].offer
    assert not seen[other].held
    one = seen[waiting]
    assert (one.parked, one.answered, one.bridged_to, one.inbound) == (True, True, "", True)
    assert (one.dialled, one.caller_number, one.caller_name) == ("4002", "+4930123456", "Grace")
    assert (one.context, one.trunk, one.contact) == ("ringledger-inbound", "trunk", "c-2")
    assert one.created is not None
    driver.let_hear(400)
    desk.hold(other)
    desk.await_fact(f.LegHeld, leg=other)
    held = {one.leg: one for one in desk.snapshot().legs}
    assert held[other].held
    for caller in (talker, waiter):
        caller.hang_up()
    for each in (leg, other, waiting):
        desk.await_fact(f.LegHungUp, leg=each)
    driver.await_empty()


def test_a_snapshot_shows_a_phone_that_rings_and_one_that_has_answered_rings_no_more(
    driver: Driver, desk: Desk
) -> None:
    """Feature 3.6: whoever missed the news that it rang does not take the phone for unreachable."""
    driver.phone("1001", "rings")
    leg = desk.ring("1001", contact="c-1")
    desk.await_fact(f.LegRinging, leg=leg)
    ringing = until(
        lambda: next((each for each in desk.snapshot().legs if each.leg == leg), None), "the phone's leg to be listed"
    )
    assert (ringing.ringing, ringing.answered) == (True, False)
    desk.hang_up(leg)
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.phone("1002")
    caller = driver.call("4001")
    talking = desk.talk("1002", "4001")[1]
    seen = {each.leg: each for each in desk.snapshot().legs}
    assert (seen[talking].ringing, seen[talking].answered) == (False, True)
    caller.hang_up()
    desk.await_fact(f.LegHungUp, leg=talking)
    driver.await_empty()


def test_a_heartbeat_counts_the_channels(driver: Driver, desk: Desk) -> None:
    driver.phone("1001")
    caller = driver.call()
    leg, _, _ = desk.talk()
    desk.facts.clear()
    beat = desk.await_fact(f.Heartbeat, fits=lambda beat: beat.sessions == 2, within_s=12)
    assert beat.core == desk.link.core
    caller.hang_up()
    desk.await_fact(f.LegHungUp, leg=leg)
    desk.await_fact(f.Heartbeat, fits=lambda beat: beat.sessions == 0, within_s=12)


def test_a_lost_event_socket_costs_no_call_and_the_snapshot_tells_what_is(driver: Driver, desk: Desk) -> None:
    driver.phone("1001")
    caller = driver.call()
    leg, other, contact = desk.talk()
    core = desk.link.core
    driver.cut_link()
    desk.await_fact(f.LinkDown)
    up = desk.await_fact(f.LinkUp, within_s=30, fits=lambda up: up.core == core)
    assert up.core == core
    seen = {one.leg: one for one in desk.await_fact(f.Snapshot, within_s=30).legs}
    assert set(seen) == {leg, other}
    assert (seen[leg].bridged_to, seen[leg].contact) == (other, contact)
    caller.hang_up()
    desk.await_fact(f.LegHungUp, leg=leg)
    desk.await_fact(f.LegHungUp, leg=other)
    driver.await_empty()


def test_what_happened_while_the_link_was_down_is_in_the_snapshot_not_in_the_news(driver: Driver, desk: Desk) -> None:
    driver.phone("1001")
    caller = driver.call()
    leg, other, _ = desk.talk()
    desk.link.stop()
    caller.hang_up()
    driver.await_empty()
    desk.facts.clear()
    desk.link.start()
    assert desk.await_fact(f.Snapshot, within_s=30).legs == ()
    assert not desk.said(f.LegHungUp, leg=leg)
    assert not desk.exists(other)


@pytest.mark.slow
def test_a_switch_that_died_and_came_back_is_another_core_without_calls(driver: Driver, desk: Desk) -> None:
    caller = driver.call()
    leg = desk.parked_caller()
    before = desk.link.core
    driver.restart()
    desk.await_fact(f.LinkDown, within_s=30)
    up = desk.await_fact(f.LinkUp, within_s=30, fits=lambda up: up.core != before)
    assert up.core == desk.link.core
    assert desk.await_fact(f.Snapshot, core=up.core, within_s=30).legs == ()
    assert not desk.exists(leg)
    del caller
