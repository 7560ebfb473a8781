"""What a phone dials by itself is seen, with the account whose password it showed; and its call is ended at once.

A code (`runner.phone_codes`) is such a call, so nothing that is pressed during a talk is ever read.
"""

import pytest

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Driver


@pytest.mark.parametrize("code", ("*68", "*6807", "*88"))
def test_a_code_arrives_as_it_was_dialled_with_the_phones_account(driver: Driver, desk: Desk, code: str) -> None:
    driver.phone("1001").dial(code)
    parked = desk.await_fact(f.LegParked, inbound=True)
    assert (parked.context, parked.dialled, parked.account) == ("ringledger-agents", code, "1001")
    assert not parked.contact
    desk.hang_up(parked.leg)
    assert desk.await_fact(f.LegHungUp, leg=parked.leg).inbound
    driver.await_empty()


def test_whoever_talks_holds_the_caller_to_dial_a_code_and_the_park_ends_the_talk(driver: Driver, desk: Desk) -> None:
    phone = driver.phone("1001")
    driver.call()
    leg, other, contact = desk.talk()
    phone.dial("*68")
    parked = desk.await_fact(f.LegParked, dialled="*68")
    desk.await_fact(f.LegHeld, leg=other)
    desk.hang_up(parked.leg)
    desk.park(leg)
    desk.hang_up(other)
    assert desk.await_fact(f.LegParked, leg=leg).contact == contact
    desk.await_fact(f.LegHungUp, leg=other)
    desk.await_fact(f.LegHungUp, leg=parked.leg)
    assert not desk.said(f.DigitPressed)
    assert desk.exists(leg)
    desk.hang_up(leg)
    driver.await_empty()


def test_the_phone_hears_which_place_was_chosen_and_its_call_ends_by_itself(driver: Driver, desk: Desk) -> None:
    """Feature 4.3: by what the switch played, and for how long."""
    phone = driver.phone("1001")
    with driver.control() as watch:
        watch.subscribe("CHANNEL_ANSWER PLAYBACK_START PLAYBACK_STOP CHANNEL_HANGUP_COMPLETE")
        phone.dial("*68")
        leg = desk.await_fact(f.LegParked, dialled="*68").leg
        desk.say_and_hang_up(leg, 12)
        ended = desk.await_fact(f.LegHungUp, leg=leg)
        assert (ended.cause, ended.by_far_end) == ("NORMAL_CLEARING", False)
        watch.await_event("CHANNEL_ANSWER", Unique_ID=leg)
        begun = watch.await_event("PLAYBACK_START", Unique_ID=leg)
        assert begun["Playback-File-Path"] == "file_string://parked_at.wav!digit_1.wav!digit_2.wav"
        assert watch.await_event("PLAYBACK_STOP", Unique_ID=leg)["Playback-Status"] == "done"
        watch.await_event("CHANNEL_HANGUP_COMPLETE", Unique_ID=leg)
    assert not desk.said(f.InstructionFailed)
    driver.await_empty()


def test_a_phone_that_puts_down_while_it_hears_its_place_leaves_nothing(driver: Driver, desk: Desk) -> None:
    phone = driver.phone("1001")
    with driver.control() as watch:
        watch.subscribe("PLAYBACK_START")
        phone.dial("*68")
        leg = desk.await_fact(f.LegParked, dialled="*68").leg
        desk.say_and_hang_up(leg, 7)
        watch.await_event("PLAYBACK_START", Unique_ID=leg)
    phone.hang_up()
    assert desk.await_fact(f.LegHungUp, leg=leg).by_far_end
    driver.await_empty()


def test_a_caller_has_no_account_whatever_is_dialled(driver: Driver, desk: Desk) -> None:
    driver.call("*68", number="1001", name=b'"1001" ')
    parked = desk.await_fact(f.LegParked, inbound=True)
    assert (parked.context, parked.dialled, parked.account) == ("ringledger-inbound", "*68", "")
    desk.hang_up(parked.leg)
    driver.await_empty()
