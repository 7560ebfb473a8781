"""A caller before it talks to anybody."""

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Driver


def test_a_caller_arrives_parked_with_who_it_is_and_what_it_dialled(driver: Driver, desk: Desk) -> None:
    caller = driver.call("4711", number="+8675523456789", name='"Li Wei 李"'.encode())
    created = desk.await_fact(f.LegCreated, inbound=True)
    parked = desk.await_fact(f.LegParked)
    assert parked.leg == created.leg
    assert parked.inbound
    assert (parked.dialled, parked.caller_number, parked.caller_name) == ("4711", "+8675523456789", "Li Wei 李")
    assert (parked.context, parked.trunk) == ("ringledger-inbound", "trunk")
    assert (parked.contact, parked.offer) == ("", "")
    assert parked.at is not None
    caller.hang_up()
    gone = desk.await_fact(f.LegHungUp, leg=parked.leg)
    assert gone.inbound
    driver.await_empty()


def test_a_caller_is_answered_under_the_contact_that_it_was_given(driver: Driver, desk: Desk) -> None:
    caller = driver.call()
    leg = desk.parked_caller()
    desk.answer(leg, "contact-7")
    assert desk.await_fact(f.LegAnswered, leg=leg).contact == "contact-7"
    desk.play(leg)
    caller.hang_up()
    gone = desk.await_fact(f.LegHungUp, leg=leg)
    assert (gone.contact, gone.cause) == ("contact-7", "NORMAL_CLEARING")
    driver.await_empty()


def test_a_waiting_caller_hears_music_until_it_gives_up(driver: Driver, desk: Desk) -> None:
    caller = driver.call()
    leg = desk.parked_caller()
    desk.answer(leg, "c")
    desk.play(leg)
    desk.await_fact(f.LegAnswered, leg=leg)
    desk.record(leg, "waiting.wav")
    path = desk.await_fact(f.RecordingStarted, leg=leg).path
    driver.let_hear(1_000)
    caller.hang_up()
    stopped = desk.await_fact(f.RecordingStopped, leg=leg)
    assert stopped.path == path
    assert stopped.length_ms >= 900
    driver.assert_recorded(path, left=1_000, right="music")
    driver.await_empty()


def test_a_caller_who_gives_up_before_the_answer_is_told_as_such(driver: Driver, desk: Desk) -> None:
    caller = driver.call()
    leg = desk.parked_caller()
    caller.hang_up()
    gone = desk.await_fact(f.LegHungUp, leg=leg)
    assert (gone.cause, gone.inbound, gone.by_far_end) == ("ORIGINATOR_CANCEL", True, True)
    driver.await_empty()


def test_an_apology_is_heard_to_its_end_and_then_the_caller_is_hung_up(driver: Driver, desk: Desk) -> None:
    driver.call()
    leg = desk.parked_caller()
    desk.answer(leg, "c")
    desk.play(leg)
    desk.await_fact(f.LegAnswered, leg=leg)
    desk.record(leg, "apology.wav")
    desk.await_fact(f.RecordingStarted, leg=leg)
    desk.apologise(leg)
    stopped = desk.await_fact(f.RecordingStopped, leg=leg, within_s=20)
    gone = desk.await_fact(f.LegHungUp, leg=leg)
    assert gone.cause == "NORMAL_CLEARING"
    assert stopped.length_ms >= driver.apology_ms - 200
    driver.await_empty()


def test_a_caller_who_hangs_up_during_the_apology_is_gone_at_once(driver: Driver, desk: Desk) -> None:
    caller = driver.call()
    leg = desk.parked_caller()
    desk.answer(leg, "c")
    desk.await_fact(f.LegAnswered, leg=leg)
    desk.apologise(leg)
    driver.let_hear(200)
    caller.hang_up()
    desk.await_fact(f.LegHungUp, leg=leg, within_s=2)
    driver.await_empty()


def test_a_caller_who_was_never_answered_hears_the_apology_and_gets_its_cause(driver: Driver, desk: Desk) -> None:
    driver.call()
    leg = desk.parked_caller()
    desk.apologise(leg, cause="USER_BUSY")
    assert desk.await_fact(f.LegHungUp, leg=leg, within_s=20).cause == "USER_BUSY"
    assert not desk.said(f.LegAnswered)
    assert not desk.said(f.LegRinging), "early media to a caller is nobody's phone ringing"
    driver.await_empty()


def test_what_is_told_to_a_leg_that_is_gone_fails_by_name(driver: Driver, desk: Desk) -> None:
    caller = driver.call()
    leg = desk.parked_caller()
    caller.hang_up()
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()
    for instruction, answer in (
        (desk.answer(leg, "c"), "No such channel!"),
        (desk.hang_up(leg), "No such channel!"),
        (desk.record(leg, "never.wav"), "Cannot locate session!"),
        (desk.bridge(leg, leg), "Invalid uuid"),
        (desk.play(leg), f"invalid session id [{leg}]"),
    ):
        failed = desk.await_fact(f.InstructionFailed, instruction=instruction)
        assert failed.answer == answer


def test_a_leg_told_as_gone_exists_no_more_whatever_the_table_of_channels_shows(driver: Driver, desk: Desk) -> None:
    for _ in range(5):
        caller = driver.call()
        leg = desk.parked_caller()
        caller.hang_up()
        desk.await_fact(f.LegHungUp, leg=leg)
        assert not desk.exists(leg)
        assert leg not in [seen.leg for seen in desk.snapshot().legs]
    driver.await_empty()


def test_a_leg_just_parked_exists_and_is_in_the_snapshot_although_the_table_lags(driver: Driver, desk: Desk) -> None:
    caller = driver.call()
    leg = desk.parked_caller()
    assert desk.exists(leg)
    (seen,) = desk.snapshot().legs
    assert (seen.leg, seen.inbound, seen.parked, seen.answered) == (leg, True, True, False)
    caller.hang_up()
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()
